"""All types that a method row may name, with the fields of their configs, read from the installed libraries."""

import dataclasses
import inspect
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
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
from peft_pipelines.methods.config_fields import fields_of_dataclass
from peft_pipelines.methods.installed import is_installed
from peft_pipelines.methods.kinds import ConfigField


@dataclass(frozen=True)
class Available:
    """A type that a method row may name.

    Attributes:
        provider: the provider that brings it.
        type: its name there.
        family: empty where it depends on the row.
        all_fields: the fields of its config, also those that no row may give.
        note: the reason why it is refused; empty for one that is not.
    """

    provider: str
    type: str
    family: str
    all_fields: tuple[ConfigField, ...]
    note: str = ""

    @property
    def fields(self) -> tuple[ConfigField, ...]:
        """The fields that a row may give."""
        return tuple(field for field in self.all_fields if field.settable)


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
        soft = issubclass(config, PromptLearningConfig)
        family = "soft_prompt" if soft else _family(PeftType[name])
        note = peft_quirks.REFUSED_TYPES.get(name, "")
        hidden = {*peft.NOT_FOR_ROWS, *peft_quirks.placeholders(config)}
        fields = fields_of_dataclass(config, hidden, {"init_lora_weights": peft_quirks.REFUSED_STARTS})
        yield Available("hf_peft", name, family, _with_needed(fields, NEEDED if soft else ()), note)


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
            fields = fields_of_dataclass(config, adapterhub.NOT_FOR_ROWS)
            note = peft_quirks.REFUSED_CLASSES.get(name, "")
            yield Available("adapters", name, "adapter" if bottleneck else "", fields, note)


def _of_folders() -> Iterator[Available]:
    for name in custom_discovery.names():
        try:
            config = custom_discovery.discover(name).config
        except ConfigError as error:
            yield Available("custom", name, "", (), str(error))
        else:
            yield Available("custom", name, "", fields_of_dataclass(config, custom.NOT_FOR_ROWS))


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
            yield Available(method.provider, method.type, "", fields_of_dataclass(config, custom.NOT_FOR_ROWS))


def _of_weights() -> Iterator[Available]:
    for name, (config, _) in full_finetuning.TYPES.items():
        yield Available("weights", name, "baseline", fields_of_dataclass(config))


NEEDED = ("num_virtual_tokens",)
"""What the library has no default for where it declares one of None, of all soft prompts."""


def _with_needed(fields: tuple[ConfigField, ...], needed: Collection[str]) -> tuple[ConfigField, ...]:
    """The fields, some of them required by what is done with them, not by the class."""
    return tuple(
        replace(field, required=True, open=False, kind=replace(field.kind, optional=False))
        if field.name in needed
        else field
        for field in fields
    )
