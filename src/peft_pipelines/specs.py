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
    "ExecutionSpec",
    "Family",
    "Grid",
    "HubModel",
    "HubSource",
    "MethodSpec",
    "ModelSpec",
    "PackageFile",
    "PscpSpec",
    "PublishedSpec",
    "Rows",
    "SamplingSpec",
    "Spec",
    "Splits",
    "TaskSpec",
    "TokenizerFix",
    "TrainingSpec",
    "TuningSpec",
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

    ``group`` and ``question`` are templates: rows that give the same text belong together. Rows of a ``group``, such
    as a passage, never stand on both sides of a cut, and vary together in an interval; rows of a ``question`` are drawn
    together, and judged together by the metrics that ask for it.

    ``tests`` is a raw column with test cases as JSON (metrics/cases.py): where execution is switched on, the answers to
    the test split are run on them.

    ``ignore_case`` takes a label word in any case for that label: for words that are labels whatever their case.
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
    ignore_case: bool = False
    target: Text | None = None
    references: Text | None = None
    group: Text | None = None
    question: Text | None = None
    tests: Text | None = None
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
        templates = [text for text in (self.input, self.target, self.group, self.question) if text]
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
        if self.ignore_case and len({word.casefold() for word in self.label_words}) != max(1, len(self.label_words)):
            raise ValueError(f"ignore_case needs labels that differ in more than case, got {list(self.label_words)}")
        if self.preprocess and self.preprocess not in preprocess.FUNCTIONS:
            raise unknown("preprocess", "function", self.preprocess, preprocess.FUNCTIONS)
        if self.question and not self.group:
            raise ValueError("question needs group: rows of a question must not stand on both sides of a cut")
        for metric in self.metrics:
            if metric not in metrics.NAMES:
                raise unknown("metrics", "metric", metric, metrics.NAMES)
            if metric in metrics.BY_QUESTION and not self.question:
                raise ValueError(f"metric '{metric}' needs the field question, a template such as '{{question}}'")
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
    ``shots`` is how many training rows stand answered before each question when the method is asked. ``train_on`` names
    tasks whose training rows are learnt together, the cell's own among them; None for the cell's own alone.
    """

    name: str = ""
    provider: Text
    type: Text
    family: Family
    config: dict[str, Any]
    optimizer: dict[str, Any] = {"type": "adamw"}
    quantization: Literal["nf4"] | None = None
    shots: Annotated[int, Field(ge=0)] = 0
    train_on: Names | None = None
    training: dict[str, Any]
    citation: Text
    source: str = ""
    notes: str = ""


class TrainingSpec(Spec):
    """The protocol that all cells share. A method row may override fields of it by name.

    ``evaluations`` is how often during training validation is scored and the state saved; ``max_length`` is in
    tokens of prompt and answer together. ``tokens_per_forward`` bounds the memory of one forward, in rows times the
    longest of them: a batch beyond it runs in parts, with the same gradients. The last three fields switch the exact
    short cuts of objective.py.
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
    tokens_per_forward: Annotated[int, Field(ge=16)]
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


class ExecutionSpec(Spec):
    """Whether programs that a model wrote are run on their test cases, and the limits of each run.

    ``seconds`` are of CPU time, ``processes`` count threads too, ``memory_mb`` is of each process, ``file_mb`` of all
    files together, ``output_kb`` of what is printed. The code is in sandbox/.
    """

    enabled: bool
    seconds: Count
    memory_mb: Annotated[int, Field(ge=128)]
    processes: Count
    file_mb: Count
    output_kb: Count


class PublishedSpec(Spec):
    """Values in percent that others have published, by method and task, with the metric that each task's are of."""

    name: str = ""
    citation: Text
    model: Text
    metrics: dict[Name, Text]
    note: Text
    values: dict[Name, dict[Name, float]]


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


MAJORITY, RANDOM, PROFILES = "majority", "random", "profiles"
RESERVED = (MAJORITY, RANDOM, PROFILES)
"""The pipeline's own boxes, which stand beside those of the methods."""


Rates = Annotated[
    tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...],
    BeforeValidator(_as_tuple),
    Field(min_length=1, max_length=20),
]


class TuningSpec(Spec):
    """The ladder of learning rates that each method climbs: its own one times each factor. One factor is no ladder."""

    factors: Rates

    @model_validator(mode="after")
    def _distinct(self) -> "TuningSpec":
        twice = next((factor for factor in self.factors if self.factors.count(factor) > 1), None)
        if twice:
            raise ValueError(f"factors must be distinct, got {twice:g} twice")
        return self

    def ladder(self, rate: float) -> tuple[float, ...]:
        """The learning rates from the lowest to the highest.

        >>> TuningSpec(factors=[3, 1]).ladder(0.5)
        (0.5, 1.5)
        """
        return tuple(rate * factor for factor in sorted(self.factors))


class Grid(Spec):
    """Which names meet, each once, and the learning rates that are tried in each cell."""

    methods: Names
    models: Names
    tasks: Names
    seeds: Names
    tuning: TuningSpec = TuningSpec(factors=(1.0,))
    published: Name | None = None

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
    published: dict[str, PublishedSpec]
    execution: ExecutionSpec

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
            published=_named(PublishedSpec, "published", parameters),
            execution=parse(ExecutionSpec, "execution", parameters["execution"]),
        )

    def check(self, grid: Grid) -> None:
        """Raise ConfigError for the first name of the grid that no row has."""
        for axis in ("methods", "models", "tasks", "seeds"):
            for name in getattr(grid, axis):
                if name not in getattr(self, axis):
                    raise unknown("grid.yml", axis.removesuffix("s"), name, sorted(getattr(self, axis)))
        if grid.published and grid.published not in self.published:
            raise unknown("grid.yml", "published", grid.published, sorted(self.published))
        for name in grid.methods:
            self.training.overridden(self.methods[name])
            self._check_train_on(self.methods[name], grid)

    def _check_train_on(self, method: MethodSpec, grid: Grid) -> None:
        where, tasks = f"method '{method.name}', train_on", method.train_on or grid.tasks
        for task in tasks:
            if task not in self.tasks:
                raise unknown(where, "task", task, sorted(self.tasks))
        for task in grid.tasks:
            if task not in tasks:
                raise ConfigError(f"{where}: must name each task of the grid, got {', '.join(tasks)} without '{task}'")


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
