"""The installed releases of libraries, and those that decide numbers."""

from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

LEARNING = ("torch", "transformers", "peft", "adapters", "accelerate", "tokenizers", "bitsandbytes")
"""Libraries that decide trained weights and answers."""
SCORING = ("scikit-learn", "scipy", "sacrebleu", "rouge-score", "tree-sitter", "tree-sitter-python")
"""Libraries that decide scores."""
TABLES = ("numpy", "pandas", "pyarrow", "scikit-learn")
"""Libraries that decide examples and tables."""


def releases(names: Iterable[str]) -> dict[str, str]:
    """Return the installed release of each library; one that is not installed is left out.

    >>> releases(["no-such-library"])
    {}
    """
    return {name: release for name in names if (release := _release(name))}


@cache
def _release(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
