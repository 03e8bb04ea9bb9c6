"""The releases of the libraries that numbers rest on."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

LEARNING = ("torch", "transformers", "peft", "adapters", "accelerate", "tokenizers", "bitsandbytes")
"""What a training and its answers rest on."""
SCORING = ("scikit-learn", "scipy", "sacrebleu", "rouge-score", "tree-sitter", "tree-sitter-python")
"""What a score rests on."""
TABLES = ("numpy", "pandas", "pyarrow", "scikit-learn")
"""What rows and tables rest on."""


def releases(names: Iterable[str]) -> dict[str, str]:
    """The installed release of each library; one that is not installed is left out.

    >>> releases(["no-such-library"])
    {}
    """
    return {name: found for name in names if (found := _release(name))}


def _release(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
