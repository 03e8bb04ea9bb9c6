"""All types that a method row may name, with the fields of their configs, read from the installed libraries."""

import dataclasses
import inspect
import sys
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from peft import PeftType
from peft.config import PromptLearningConfig
from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING
from peft.tuners.tuners_utils import BaseTunerLayer

from peft_pipelines.config import MethodSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import (
    adapterhub,
    custom,
    custom_discovery,
    full_finetuning,
    peft,
    peft_quirks,
    peft_types,
)
from peft_pipelines.methods.installed import is_installed
from peft_pipelines.methods.type_check import readable, types_of

REQUIRED = "(required)"


@dataclass(frozen=True)
class Field:
    """One field of a config: name, type and default as text, the library's own help, and what a row may give.

    ``allowed`` is the type in words, its choices among them; empty where the library's class does not say. ``open``
    says that the default is None although the type has none: it is found from the model, or the row must give it.
    """

    name: str
    type: str
    default: str
    help: str = ""
    allowed: str = ""
    open: bool = False


@dataclass(frozen=True)
class Available:
    """A type that a method row may name. ``family`` is empty where it depends on the row; ``note`` is the reason why a
    type is refused, empty for one that is not."""

    provider: str
    type: str
    family: str
    fields: tuple[Field, ...]
    note: str = ""


def available(rows: Mapping[str, Mapping[str, Any]] | None = None) -> list[Available]:
    """Return all types of all providers that are installed, and those of the packages that method rows name.

    Raises:
        ConfigError: a row that names a package is no method's row.
    """
    fixed = Available("none", "none", "baseline", ())
    return [*_of_peft(), *_of_adapters(), *_of_folders(), *_of_packages(rows or {}), *_of_weights(), fixed]


def _of_peft() -> Iterator[Available]:
    for name, config in sorted(peft_types.own().items()):
        if PeftType[name] not in PEFT_TYPE_TO_TUNER_MAPPING:
            continue
        family = "soft_prompt" if issubclass(config, PromptLearningConfig) else _family(PeftType[name])
        note = peft_quirks.REFUSED_TYPES.get(name, "")
        yield Available("hf_peft", name, family, _fields(config, peft.NOT_FOR_ROWS), note)


def _family(kind: Any) -> str:
    """Return ``reparameterised`` for a tuner that can be merged into the base's weights; of others the row decides."""
    package = PEFT_TYPE_TO_TUNER_MAPPING[kind].__module__.rpartition(".")[0]
    values = vars(sys.modules.get(f"{package}.layer", sys)).values()
    layers: list[Any] = [one for one in values if inspect.isclass(one) and issubclass(one, BaseTunerLayer)]
    return "reparameterised" if any(one.merge is not BaseTunerLayer.merge for one in layers) else ""


def _of_adapters() -> Iterator[Available]:
    if not is_installed("adapters"):
        return
    configuration = adapterhub._library().configuration
    for name, config in sorted(vars(configuration).items()):
        if not inspect.isclass(config) or not issubclass(config, configuration.AdapterConfig):
            continue
        if dataclasses.is_dataclass(config):
            bottleneck = issubclass(config, configuration.BnConfig)
            fields = _fields(config, adapterhub.NOT_FOR_ROWS)
            note = peft_quirks.REFUSED_CLASSES.get(name, "")
            yield Available("adapters", name, "adapter" if bottleneck else "", fields, note)


def _of_folders() -> Iterator[Available]:
    for name in custom_discovery.names():
        try:
            config = custom_discovery.discover(name).config
        except ConfigError as error:
            yield Available("custom", name, "", (), str(error))
        else:
            yield Available("custom", name, "", _fields(config, custom.NOT_FOR_ROWS))


def _of_packages(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[Available]:
    named = {
        (row["package"], row["type"]): parse(MethodSpec, f"method '{name}'", {**row, "name": name})
        for name, row in rows.items()
        if row.get("package")
    }
    for method in named.values():
        try:
            config = custom_discovery.discover_in_package(method).config
        except ConfigError as error:
            yield Available(method.provider, method.type, "", (), str(error))
        else:
            yield Available(method.provider, method.type, "", _fields(config, custom.NOT_FOR_ROWS))


def _of_weights() -> Iterator[Available]:
    for name, (allowed, _) in full_finetuning.TYPES.items():
        yield Available("weights", name, "baseline", tuple(Field(each, "", REQUIRED) for each in allowed))


def _fields(config: type[Any], hidden: Set[str]) -> tuple[Field, ...]:
    """Fields of a config class that a row may set."""
    fields = [field for field in dataclasses.fields(config) if field.init and field.name not in hidden]
    return tuple(_field(field, types_of(config).get(field.name, Any)) for field in fields)


def _field(field: "dataclasses.Field[Any]", kind: Any) -> Field:
    helped, written = str(field.metadata.get("help", "")), _type(field.type)
    is_open = field.default is None and not any(word in written for word in ("None", "Optional", "Any"))
    return Field(field.name, written, _default(field), helped, "" if kind is Any else readable(kind), is_open)


def _type(kind: Any) -> str:
    """A type's name as a person writes it.

    >>> _type("Optional[int]"), _type(int), _type(int | None)
    ('Optional[int]', 'int', 'int | None')
    """
    text = kind if isinstance(kind, str) else kind.__name__ if isinstance(kind, type) else str(kind)
    return " ".join(text.replace("typing.", "").split())


def _default(field: "dataclasses.Field[Any]") -> str:
    if field.default is not dataclasses.MISSING:
        value = field.default
        return repr(getattr(value, "value", value))
    if field.default_factory is dataclasses.MISSING:
        return REQUIRED
    return repr(field.default_factory())
