"""The rows of the configuration as frozen, strict values: tasks, models, methods, the training protocol, the grid.

Defaults stand in the YAML rows, not here, so that a reader finds each of them once.
"""

from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from peft_pipelines import metrics, preprocess
from peft_pipelines.errors import ConfigError, unknown
from peft_pipelines.parsing import parse, template_fields

__all__ = [
    "Cell",
    "Family",
    "Grid",
    "HubModel",
    "HubSource",
    "MethodSpec",
    "ModelSpec",
    "PackageFile",
    "PscpSpec",
    "Rows",
    "SamplingSpec",
    "Spec",
    "Splits",
    "TaskSpec",
    "TokenizerFix",
    "TrainingSpec",
    "parse",
    "template_fields",
]

NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Names = Annotated[tuple[Name, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_tuple)]


class Spec(BaseModel):
    """A row: frozen, and refusing any key or type that it does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class HubSource(Spec):
    """A data set of the hub. ``parquet_branch`` reads the hub's own conversion, for sets that are scripts.

    ``splits`` gives the hub's name of a raw split where it has another one there.
    """

    repo: Text
    config: Text | None = None
    parquet_branch: bool = False
    splits: dict[str, Text] = {}


class Splits(Spec):
    """Which raw split plays which part. Without ``validation`` one is cut off the training rows by the split seed."""

    train: Text
    test: Text
    validation: Text | None = None


class TaskSpec(Spec):
    """What a model is asked and how it is judged, for one data set.

    The answer is exactly one of: ``label`` (a raw column whose values ``labels`` turns into words), ``target``
    (a template) and ``references`` (a raw column with a list of right answers). Without ``source`` the rows must be on
    disk. ``max_length`` (tokens of prompt and
    answer) stands in for the protocol's where a task needs more.
    """

    name: str = ""
    type: Text
    source: HubSource | None = None
    splits: Splits
    instruction: Text
    preprocess: Text | None = None
    input: Text
    label: Text | None = None
    labels: dict[int | str, Text] | None = None
    target: Text | None = None
    references: Text | None = None
    metrics: Texts = Field(min_length=1)
    max_new_tokens: Count
    max_length: Annotated[int, Field(ge=16)] | None = None
    licence: Text
    citation: Text
    notes: str = ""

    @property
    def label_words(self) -> tuple[str, ...]:
        """The words a model may answer with; empty where the answer is free text."""
        return tuple(self.labels.values()) if self.labels else ()

    @property
    def primary(self) -> str:
        """The metric that stands for the task in the table: the first one named."""
        return self.metrics[0]

    def limit(self, protocol: "TrainingSpec") -> int:
        """Tokens of prompt and answer that a row may have."""
        return self.max_length or protocol.max_length

    def columns(self) -> tuple[str, ...]:
        """The columns that the templates name, after ``preprocess``."""
        templates = [self.input] + ([self.target] if self.target else [])
        direct = [column for column in (self.label, self.references) if column]
        return tuple(dict.fromkeys([field for text in templates for field in template_fields(text)] + direct))

    @model_validator(mode="after")
    def _consistent(self) -> "TaskSpec":
        answers = [name for name in ("label", "target", "references") if getattr(self, name)]
        if len(answers) != 1:
            raise ValueError(f"exactly one of label, target and references is needed, got {answers or 'none'}")
        if bool(self.label) != bool(self.labels):
            raise ValueError("label and labels go together")
        if len(set(self.label_words)) != len(self.label_words):
            raise ValueError(f"two labels share a word: {', '.join(self.label_words)}")
        if self.preprocess and self.preprocess not in preprocess.FUNCTIONS:
            raise unknown("preprocess", "function", self.preprocess, preprocess.FUNCTIONS)
        for metric in self.metrics:
            if metric not in metrics.METRICS:
                raise unknown("metrics", "metric", metric, metrics.METRICS)
        return self


class PackageFile(Spec):
    """Weights inside a wheel of the Python package index, told apart by hash."""

    package: Text
    version: Text
    wheel_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    file: Text
    file_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class HubModel(Spec):
    """A model repository of the hub. ``revision`` may be left to the lock that the first fetch writes."""

    repo: Text
    revision: Text | None = None


class TokenizerFix(Spec):
    """What a conversion loses of a tokenizer, put right once when the model is converted."""

    eos_token: Text
    pad_token: Text
    add_bos_token: bool
    split_digits: bool
    model_max_length: Count


class ModelSpec(Spec):
    """Where a base model comes from and how it is spoken to. Exactly one of the three sources is given."""

    name: str = ""
    package: PackageFile | None = None
    hub: HubModel | None = None
    folder: Text | None = None
    tokenizer: TokenizerFix | None = None
    dtype: Literal["float32", "bfloat16", "float16"]
    chat_template: bool
    licence: Text
    citation: Text
    notes: str = ""

    @model_validator(mode="after")
    def _one_source(self) -> "ModelSpec":
        sources = [name for name in ("package", "hub", "folder") if getattr(self, name)]
        if len(sources) != 1:
            raise ValueError(f"exactly one of package, hub and folder is needed, got {sources or 'none'}")
        return self


Family = Literal["reparameterised", "soft_prompt", "adapter", "selective", "baseline"]


class MethodSpec(Spec):
    """One way of tuning: who provides it, its type there, its config, and what it changes in the protocol.

    ``source`` says where the config's values come from. ``optimizer`` names another optimizer than AdamW, with its
    options beside ``type``. ``quantization`` is how the frozen base is stored under the method, None for as it is.
    """

    name: str = ""
    provider: Text
    type: Text
    family: Family
    config: dict[str, Any]
    optimizer: dict[str, Any] = {"type": "adamw"}
    quantization: Literal["nf4"] | None = None
    training: dict[str, Any]
    citation: Text
    source: str = ""
    notes: str = ""


class TrainingSpec(Spec):
    """The protocol that all cells share. A method row may override fields of it by name.

    ``evaluations`` is how often during training validation is scored and the state saved; ``max_length`` is in
    tokens of prompt and answer together. The last three fields switch the exact short cuts of training.py.
    """

    epochs: Annotated[float, Field(gt=0)]
    batch_size: Count
    gradient_accumulation_steps: Count
    learning_rate: Annotated[float, Field(gt=0)]
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup"]
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: Annotated[float, Field(ge=0)]
    max_grad_norm: Annotated[float, Field(gt=0)]
    max_length: Annotated[int, Field(ge=16)]
    evaluations: Count
    generation_batch_size: Count
    gradient_checkpointing: bool
    shared_prefix: bool
    label_positions_only: bool
    length_buckets: bool

    def overridden(self, method: MethodSpec) -> "TrainingSpec":
        """The protocol with a method's own values in it."""
        where = f"method '{method.name}', training"
        return parse(TrainingSpec, where, {**self.model_dump(), **method.training})


class SamplingSpec(Spec):
    """Which rows take part. None stands for all; the split seed is not the training seed."""

    split_seed: int
    validation_share: Share
    train_rows: Count | None
    validation_rows: Count | None
    test_rows: Count | None


class PscpSpec(Spec):
    """The six constants of PSCP (Belanec et al. 2025): scales of parameters, TFLOP and GB, and their weights."""

    c_p: Annotated[float, Field(gt=0)]
    c_f: Annotated[float, Field(gt=0)]
    c_m: Annotated[float, Field(gt=0)]
    beta_p: Annotated[float, Field(ge=0)]
    beta_f: Annotated[float, Field(ge=0)]
    beta_m: Annotated[float, Field(ge=0)]


class Cell(Spec):
    """One run: a name from each axis."""

    method: Name
    model: Name
    task: Name
    seed: Name

    @property
    def id(self) -> str:
        """``method.model.task.seed``: its tag, and the place of its artifacts."""
        return f"{self.method}.{self.model}.{self.task}.{self.seed}"


MAJORITY, PROFILES = "majority", "profiles"
RESERVED = (MAJORITY, PROFILES)
"""The pipeline's own boxes, which stand beside those of the methods."""


class Grid(Spec):
    """Which names meet, each once."""

    methods: Names
    models: Names
    tasks: Names
    seeds: Names

    def cells(self) -> list[Cell]:
        """All combinations, method by method."""
        axes = product(self.methods, self.models, self.tasks, self.seeds)
        return [Cell(method=m, model=b, task=t, seed=s) for m, b, t, s in axes]

    @model_validator(mode="after")
    def _distinct(self) -> "Grid":
        for axis in ("methods", "models", "tasks", "seeds"):
            names = getattr(self, axis)
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice:
                raise ValueError(f"{axis} must name each row once, got '{twice}' twice")
        for name in self.methods:
            if name in RESERVED:
                raise ValueError(f"a method must not be called {' or '.join(RESERVED)}, got '{name}'")
        return self


class Seeds(Spec):
    """The seeds by name."""

    seeds: dict[str, int]


class Rows(Spec):
    """All rows of a configuration, by name."""

    tasks: dict[str, TaskSpec]
    models: dict[str, ModelSpec]
    methods: dict[str, MethodSpec]
    seeds: dict[str, int]
    training: TrainingSpec
    sampling: SamplingSpec
    pscp: PscpSpec

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Rows":
        """The rows of a parameters mapping as Kedro loads it.

        Raises:
            ConfigError: a row has an unknown key, a value of a wrong type, or contradicts itself.
        """
        return cls(
            tasks=_named(TaskSpec, "tasks", parameters),
            models=_named(ModelSpec, "models", parameters),
            methods=_named(MethodSpec, "methods", parameters),
            seeds=parse(Seeds, "parameters", {"seeds": parameters["seeds"]}).seeds,
            training=parse(TrainingSpec, "training", parameters["training"]),
            sampling=parse(SamplingSpec, "sampling", parameters["sampling"]),
            pscp=parse(PscpSpec, "pscp", parameters["pscp"]),
        )

    def check(self, grid: Grid) -> None:
        """Raise ConfigError for the first name of the grid that no row has."""
        for axis in ("methods", "models", "tasks", "seeds"):
            for name in getattr(grid, axis):
                if name not in getattr(self, axis):
                    raise unknown("grid.yml", axis.removesuffix("s"), name, sorted(getattr(self, axis)))
        for name in grid.methods:
            self.training.overridden(self.methods[name])


S = TypeVar("S", bound=Spec)


def _named(kind: type[S], axis: str, parameters: Mapping[str, Any]) -> dict[str, S]:
    rows = parameters[axis]
    if not isinstance(rows, Mapping):
        raise ConfigError(f"parameters, {axis}: must be rows by name, got {rows!r}")
    found = {}
    for name, row in rows.items():
        where = f"{axis.removesuffix('s')} '{name}'"
        if not isinstance(row, Mapping):
            raise ConfigError(f"{where}: must be a row of fields, got {row!r}")
        found[name] = parse(kind, where, {**row, "name": name})
    return found
