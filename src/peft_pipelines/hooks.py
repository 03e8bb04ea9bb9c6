"""What happens around a run: rows are checked before anything else, and named after their keys."""

import os
import warnings
from typing import Any

from kedro.config import AbstractConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl

from peft_pipelines.grid import load_grid
from peft_pipelines.specs import Rows

_loader: AbstractConfigLoader | None = None


def current_loader() -> AbstractConfigLoader | None:
    """The configuration of the session that runs now, if one does."""
    return _loader


class ProjectHooks:
    """The project's hooks."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check all rows and the grid; give each row its name."""
        global _loader  # noqa: PLW0603  (Kedro builds pipelines without passing the session's configuration)
        _loader = context.config_loader
        os.environ.setdefault("PEFT_DIR", str(context.project_path / "methods"))
        warnings.filterwarnings("ignore", category=UserWarning, module="kedro")
        parameters = _loader["parameters"]
        Rows.of(parameters).check(load_grid(_loader))
        _loader["parameters"] = named(parameters)


def named(parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters whose task, model and method rows carry their own names.

    >>> named({"tasks": {"x": {"type": "t"}}, "models": {}, "methods": {}})["tasks"]["x"]
    {'type': 't', 'name': 'x'}
    """
    axes = {
        axis: {name: {**row, "name": name} for name, row in parameters[axis].items()}
        for axis in ("tasks", "models", "methods")
    }
    return {**parameters, **axes}
