"""Tuners that were written against another release of ``peft``, made to work with the installed one.

The library calls an author's methods with arguments that an older release did not have. Where such an argument holds
the library's default, which is what the author's method does anyway, it is left out of the call.
"""

import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from peft import PeftConfig
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from transformers import PreTrainedModel

ADAPTER = "default"


def accept_newer_arguments(package: str) -> None:
    """Let the tuners and layers of a package's loaded modules take the arguments that the library's own classes take.

    A tuner that names no class of its layers and no targets by architecture, which older releases did not ask for, gets
    the library's base class of layers and none.
    """
    for author in _classes(package):
        if issubclass(author, BaseTuner):
            _complete(author)
        for name, function in list(vars(author).items()):
            unknown = {} if name == "__init__" else _unknown(function, _overridden(author, name))
            if unknown:
                setattr(author, name, _without_defaults(function, unknown))


def tune(model: PreTrainedModel, tuner: type[BaseTuner], config: PeftConfig) -> BaseTuner:
    """Return the tuner on a model.

    A tuner whose constructor takes no name of an adapter is built as the template of the PEFT-Factory paper
    (Appendix C) builds it, from ``base_model`` and ``config``.
    """
    try:
        inspect.signature(tuner).bind(model, config, ADAPTER)
    except TypeError:
        of_template = types.new_class(tuner.__name__, (tuner, _Template))
        built: BaseTuner = of_template(model, config)
        return built
    return tuner(model, {ADAPTER: config}, ADAPTER)


class _Template(BaseTuner):  # type: ignore[misc]  # peft has no types
    """The library's constructor under the names that the paper's template calls its arguments by."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        names = {"base_model": "model", "config": "peft_config"}
        named = {names.get(name, name): value for name, value in kwargs.items()}
        if len(args) < 3:  # noqa: PLR2004  (model, config, name)
            named.setdefault("adapter_name", ADAPTER)
        super().__init__(*args, **named)


def _classes(package: str) -> Iterator[type]:
    modules = [module for name, module in list(sys.modules.items()) if f"{name}.".startswith(f"{package}.")]
    for value in [value for module in modules for value in list(vars(module).values())]:
        tunes = isinstance(value, type) and issubclass(value, BaseTuner | BaseTunerLayer)
        if tunes and f"{value.__module__}.".startswith(f"{package}."):
            yield value


def _complete(tuner: type[BaseTuner]) -> None:
    if not hasattr(tuner, "tuner_layer_cls"):
        tuner.tuner_layer_cls = BaseTunerLayer
    if not hasattr(tuner, "target_module_mapping"):
        tuner.target_module_mapping = {}


def _overridden(author: type, name: str) -> Any:
    """What a name means in the library's classes that an author's class is made from."""
    parents = [parent for parent in author.__mro__[1:] if parent.__module__.startswith("peft.")]
    return next((vars(parent)[name] for parent in parents if name in vars(parent)), None)


def _unknown(function: Any, overridden: Any) -> dict[str, Any]:
    """The optional arguments, with their defaults, that the library's function takes and the author's does not."""
    if not all(isinstance(one, types.FunctionType) for one in (function, overridden)):
        return {}
    taken, given = (inspect.signature(one).parameters for one in (function, overridden))
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in taken.values()):
        return {}
    optional = {name: one.default for name, one in given.items() if one.default is not inspect.Parameter.empty}
    return {name: default for name, default in optional.items() if name not in taken}


def _without_defaults(function: types.FunctionType, unknown: dict[str, Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        left = {name: value for name, value in kwargs.items() if name not in unknown or value is not unknown[name]}
        return function(*args, **left)

    del called.__wrapped__  # its signature is that of any call, so that it is adapted once
    return called
