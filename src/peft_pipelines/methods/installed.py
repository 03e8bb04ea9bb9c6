"""Optional libraries of tuning methods."""

import sys
from importlib.util import find_spec

OPTIONAL = {"adapters": "adapters"}
"""By provider, the library that need not be installed."""


def is_installed(provider: str) -> bool:
    """Whether the library behind a provider can be imported.

    ``adapters`` needs an older release of transformers than the others and may be left out (docs/transformers5.md).
    """
    library = OPTIONAL.get(provider)  # once imported, a library may stand in for itself without a spec
    return library is None or library in sys.modules or find_spec(library) is not None
