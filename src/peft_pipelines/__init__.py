"""Declarative benchmarks of parameter-efficient fine-tuning methods on language models.

>>> from peft_pipelines import Grid
>>> Grid(methods=["lora", "bitfit"], models=["tiny"], tasks=["mood"]).cells()
['lora.tiny.mood.s0', 'bitfit.tiny.mood.s0']
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peft_pipelines.api.cell_model import CellModel, load
    from peft_pipelines.api.classifier import PeftClassifier
    from peft_pipelines.api.grid import Grid
    from peft_pipelines.api.study import results, run

__version__ = "0.1.0"

__all__ = ["CellModel", "Grid", "PeftClassifier", "load", "results", "run"]

_PLACES = {
    "CellModel": "peft_pipelines.api.cell_model",
    "Grid": "peft_pipelines.api.grid",
    "PeftClassifier": "peft_pipelines.api.classifier",
    "load": "peft_pipelines.api.cell_model",
    "results": "peft_pipelines.api.study",
    "run": "peft_pipelines.api.study",
}
"""The module of each name; it is imported when the name is asked for: `import peft_pipelines` is cheap."""


def __getattr__(name: str) -> Any:
    """Return one of the names of the Python interface (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    """Return the names for completion, those that are not imported yet among them."""
    return sorted({*globals(), *__all__})
