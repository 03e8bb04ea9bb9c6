"""JSON Schemas of the files of the configuration, by which editors complete and check them.

Draft 7: the newest that the YAML language server of editors supports in full. A schema refuses what the loader refuses
of a single value: unknown keys, other types, values out of bounds. What holds of several values together, or of rows
that name each other, the loader alone knows.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from peft_pipelines.config.grid import Grid
from peft_pipelines.config.parameters import Parameters
from peft_pipelines.config.run_settings import TrackersSpec
from peft_pipelines.config.schema_files import GRID, PARAMETERS, ROWS
from peft_pipelines.config.spec import Spec
from peft_pipelines.config.training import TrainingSpec

Schema = dict[str, Any]
DRAFT: Final = "http://json-schema.org/draft-07/schema#"
REFERENCE: Final = "#/definitions/{model}"
OVERRIDES: Final = "TrainingOverrides"
ANCHORS: Final = "^_"
"""Keys that hold nothing but what aliases repeat."""
_OF_LISTS: Final = {"minLength": "minItems", "maxLength": "maxItems"}
"""What pydantic calls otherwise where a list is made a tuple."""


@dataclass(frozen=True)
class Known:
    """What the code of other packages lets rows name.

    Attributes:
        methods: by provider and type, the schema of the config; None for a provider that knows its types from files.
        optimizers: by type, the class of the options.
        losses: likewise.
        metrics: the names of metrics.
        functions: the names that ``preprocess`` may give.
    """

    methods: Mapping[str, Mapping[str, Schema] | None]
    optimizers: Mapping[str, type[Spec]]
    losses: Mapping[str, type[Spec]]
    metrics: Sequence[str]
    functions: Sequence[str]


def schemas(known: Known) -> dict[str, Schema]:
    """Return the schemas by the names of their files: for grids, rows of the base, parameters of an environment."""
    rows = _rows(known)
    return {
        GRID: _partial(_of(Grid, "A grid: which methods, models, tasks and seeds meet.")),
        ROWS: rows,
        PARAMETERS: _overriding(rows),
    }


def _of(spec: type[Spec], description: str) -> Schema:
    found = _tidy(spec.model_json_schema(ref_template=REFERENCE))
    definitions = {"definitions": found.pop("$defs")} if "$defs" in found else {}
    found.pop("required", None)  # a file may hold a part
    return {"$schema": DRAFT, **found, "description": description, "patternProperties": {ANCHORS: {}}, **definitions}


def _rows(known: Known) -> Schema:
    rows = _of(Parameters, "Rows of the configuration: tasks, models, methods, and what all cells share.")
    parts = rows["definitions"]
    training = parts[TrainingSpec.__name__]["properties"]
    training["loss"] |= _tagged(known.losses)
    parts[OVERRIDES] = _partial(parts[TrainingSpec.__name__])
    rows["properties"]["trackers"] |= _tidy(TrackersSpec.model_json_schema())["properties"]["trackers"]
    method, task = parts["MethodSpec"], parts["TaskSpec"]["properties"]
    method["properties"]["training"] |= _reference(OVERRIDES)
    method["properties"]["optimizer"] |= _tagged(known.optimizers)
    task["metrics"]["items"] = {"enum": list(known.metrics)}
    task["preprocess"]["anyOf"] = [{"enum": list(known.functions)}, {"type": "null"}]
    _add_methods(method, parts, known.methods)
    return rows


def _add_methods(method: Schema, parts: Schema, types: Mapping[str, Mapping[str, Schema] | None]) -> None:
    """Have a method's row checked by its provider, and its config by its type."""
    method["properties"]["provider"]["enum"] = list(types)
    method["allOf"] = []
    for provider, configs in types.items():
        if configs is not None:
            method["allOf"].append(_then({"provider": provider}, {"type": {"enum": list(configs)}}))
        for name, config in (configs or {}).items():
            parts[f"{provider}.{name}"] = config
            found = _then({"provider": provider, "type": name}, {"config": {"$ref": _place(f"{provider}.{name}")}})
            method["allOf"].append(found)


def _then(given: Mapping[str, str], properties: Schema) -> Schema:
    constants = {name: {"const": value} for name, value in given.items()}
    return {"if": {"properties": constants, "required": list(given)}, "then": {"properties": properties}}


def _tagged(kinds: Mapping[str, type[Spec]]) -> Schema:
    """The schema of a map that has a type and the options of that type beside it."""
    options = [_one(name, options) for name, options in kinds.items()]
    return {"properties": {"type": {"enum": list(kinds)}}, "required": ["type"], "anyOf": options}


def _one(name: str, options: type[Spec]) -> Schema:
    found = _tidy(options.model_json_schema())
    found.get("properties", {}).pop("type", None)
    properties = {"type": {"const": name}, **found.get("properties", {})}
    return {"properties": properties, "required": ["type", *found.get("required", [])], "additionalProperties": False}


def _overriding(rows: Schema) -> Schema:
    """The rows' schema for an environment, which changes single values of rows and so knows no row's type."""
    found = _partial(rows)
    method = found["definitions"]["MethodSpec"]
    parts = {name: part for name, part in found["definitions"].items() if "." not in name}
    del method["allOf"]
    return {**found, "description": "What an environment changes in the rows of conf/base.", "definitions": parts}


def _partial(schema: Any) -> Any:
    """A copy of a schema in which no field is required."""
    if isinstance(schema, list):
        return [_partial(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: _partial(part) for name, part in schema.items() if name != "required" or "properties" not in schema}


def _tidy(node: Any) -> Any:
    """A schema of pydantic without titles and rows' own names, and with what draft 7 calls otherwise."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return copy.copy(node)
    found = {name: _tidy(part) for name, part in node.items() if not (name == "title" and isinstance(part, str))}
    if "properties" in found:
        found["properties"].pop("name", None)
    if found.get("type") == "array":
        found = {_OF_LISTS.get(name, name): part for name, part in found.items()}
    if "patternProperties" in found:
        found["additionalProperties"] = False
    if "$ref" in found and len(found) > 1:  # draft 7 reads nothing beside a reference
        found["allOf"] = [{"$ref": found.pop("$ref")}]
    return found


def _place(name: str) -> str:
    return REFERENCE.format(model=name)


def _reference(name: str) -> Schema:
    return {"allOf": [{"$ref": _place(name)}]}
