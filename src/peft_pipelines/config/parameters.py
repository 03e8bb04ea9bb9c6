"""All rows of a configuration, and the check that a grid names only rows that exist."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import Field

from peft_pipelines.config.errors import ConfigError, unknown
from peft_pipelines.config.grid import AXES, Grid
from peft_pipelines.config.known_metric import KnownMetric
from peft_pipelines.config.method import MethodSpec
from peft_pipelines.config.model import ModelSpec
from peft_pipelines.config.parsing import parse
from peft_pipelines.config.published import PublishedSpec
from peft_pipelines.config.run_settings import EnergySpec, ExecutionSpec, PscpSpec, SamplingSpec, TrackersSpec
from peft_pipelines.config.spec import Name, Seed, Spec
from peft_pipelines.config.task import TaskSpec
from peft_pipelines.config.training import TrainingSpec


class Seeds(Spec):
    """The seeds by name."""

    seeds: dict[Name, Seed] = Field(description="The training seeds by name, each a whole number from 0 to 4294967295.")


class Parameters(Spec):
    """All rows of a configuration, by name."""

    tasks: dict[str, TaskSpec] = Field(description="The data sets as tasks, by name.")
    models: dict[str, ModelSpec] = Field(description="The base models, by name.")
    methods: dict[str, MethodSpec] = Field(description="The tuning methods, by name.")
    seeds: dict[Name, Seed] = Field(description="The training seeds by name, each a whole number from 0 to 4294967295.")
    training: TrainingSpec = Field(
        description="The training arguments that all cells share; a method's row may override some.",
    )
    sampling: SamplingSpec = Field(description="How many examples of each split take part, and how they are drawn.")
    pscp: PscpSpec = Field(description="The constants of PSCP, which weighs scores by their cost.")
    published: dict[str, PublishedSpec] = Field(description="Values that others have published, by name.")
    execution: ExecutionSpec = Field(
        description="The limits within which programs that a model wrote are run, and whether they are.",
    )
    energy: EnergySpec | None = Field(description="Estimates of energy and CO₂; without it there are none.")
    trackers: tuple[str, ...] = Field(
        default=(), description="The experiment trackers that are told of each cell: mlflow, tensorboard, wandb."
    )

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Parameters":
        """Parse the parameters as Kedro loads them.

        Raises:
            ConfigError: a row has an unknown key, a value of a wrong type, or contradicts itself.
        """
        return cls(
            tasks=_named(TaskSpec, "tasks", parameters),
            models=_named(ModelSpec, "models", parameters),
            methods=_named(MethodSpec, "methods", parameters),
            seeds=parse(Seeds, "parameters", {"seeds": _part(parameters, "seeds")}).seeds,
            training=parse(TrainingSpec, "training", _part(parameters, "training")),
            sampling=parse(SamplingSpec, "sampling", _part(parameters, "sampling")),
            pscp=parse(PscpSpec, "pscp", _part(parameters, "pscp")),
            published=_named(PublishedSpec, "published", parameters),
            execution=parse(ExecutionSpec, "execution", _part(parameters, "execution")),
            trackers=parse(TrackersSpec, "parameters", {"trackers": parameters.get("trackers", [])}).trackers,
            energy=None if parameters.get("energy") is None else parse(EnergySpec, "energy", parameters["energy"]),
        )

    def check(self, grid: Grid) -> None:
        """Raise ConfigError for the first name of the grid that no row has."""
        for axis in AXES:
            for name in getattr(grid, axis):
                if name not in getattr(self, axis):
                    raise unknown("grid.yml", axis.removesuffix("s"), name, sorted(getattr(self, axis)))
        if grid.published and grid.published not in self.published:
            raise unknown("grid.yml", "published", grid.published, sorted(self.published))
        self._check_twins(grid)
        for name in grid.methods:
            self.training.overridden(self.methods[name])
            self._check_train_on(self.methods[name], grid)
            self._check_contexts(self.methods[name], grid)

    def metrics(self, grid: Grid, known: Mapping[str, KnownMetric]) -> dict[str, list[str]]:
        """Return the metrics of the grid's tasks, the grid's own one first where a task's row names it.

        Args:
            grid: the grid, whose tasks have rows.
            known: all metrics there are, by name.

        Raises:
            ConfigError: the grid's metric is unknown, or may stand for none of its tasks.
        """
        rows = {name: self.tasks[name].metrics for name in grid.tasks}
        if grid.metric:
            allowed = [name for name in known if known[name].primary and any(name in row for row in rows.values())]
            if grid.metric not in known:
                raise unknown("grid.yml", "metric", grid.metric, allowed)
            if grid.metric not in allowed:
                reason = "stands in no task's row" if known[grid.metric].primary else "is a diagnostic, not a score"
                raise ConfigError(f"grid.yml: metric '{grid.metric}' {reason}. Allowed: {', '.join(allowed)}")
        return {name: sorted(row, key=lambda metric: metric != grid.metric) for name, row in rows.items()}

    def _check_twins(self, grid: Grid) -> None:
        """Raise ConfigError for two names of the grid that stand for one thing, which would count as two."""
        identities: dict[str, Callable[[str], object]] = {
            "seeds": self.seeds.__getitem__,
            "models": lambda name: self.models[name].identity,
            "tasks": lambda name: self.tasks[name].identity,
        }
        for axis, identity in identities.items():
            first: list[tuple[object, str]] = []
            for name in getattr(grid, axis):
                same = next((other for known, other in first if known == identity(name)), None)
                if same:
                    raise ConfigError(f"grid.yml: {axis} '{same}' and '{name}' have the same values, name one of them")
                first.append((identity(name), name))

    def _check_train_on(self, method: MethodSpec, grid: Grid) -> None:
        where, tasks = f"method '{method.name}', train_on", method.train_on or grid.tasks
        twice = next((task for task in tasks if tasks.count(task) > 1), None)
        if twice:
            raise ConfigError(f"{where}: must name each task once, got '{twice}' twice")
        for task in tasks:
            if task not in self.tasks:
                raise unknown(where, "task", task, sorted(self.tasks))
        for task in grid.tasks:
            if task not in tasks:
                raise ConfigError(f"{where}: must name each task of the grid, got {', '.join(tasks)} without '{task}'")

    def _check_contexts(self, method: MethodSpec, grid: Grid) -> None:
        """Raise ConfigError for shots, which stand before prompts, where continuations have other contexts."""
        for task in grid.tasks if method.shots else ():
            continued = self.tasks[task].continuations
            if continued and continued.context:
                raise ConfigError(
                    f"task '{task}', continuations.context: must be left out of a grid with method '{method.name}': "
                    "its shots stand before prompts"
                )


def with_names(parameters: Mapping[str, Any], metrics: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the parameters with each task, model and method row carrying its own name, and tasks their ``metrics``.

    >>> with_names({"tasks": {"x": {"type": "t"}}, "models": {}, "methods": {}}, {"x": ["mcc"]})["tasks"]["x"]
    {'type': 't', 'name': 'x', 'metrics': ['mcc']}
    """
    axes = {
        axis: {name: {**row, "name": name} for name, row in parameters[axis].items()}
        for axis in AXES
        if axis != "seeds"  # a seed is a number, without fields
    }
    chosen = {name: {**row, "metrics": metrics.get(name, row.get("metrics"))} for name, row in axes["tasks"].items()}
    return {**parameters, **axes, "tasks": chosen}


S = TypeVar("S", bound=Spec)


def _part(parameters: Mapping[str, Any], name: str) -> Any:
    if name not in parameters:
        raise ConfigError(f"parameters: '{name}' is missing")
    return parameters[name]


def _named(kind: type[S], axis: str, parameters: Mapping[str, Any]) -> dict[str, S]:
    rows = _part(parameters, axis)
    if not isinstance(rows, Mapping):
        raise ConfigError(f"parameters, {axis}: must be rows by name, got {rows!r:.80}")
    found = {}
    for name, row in rows.items():
        where = f"{axis.removesuffix('s')} '{name}'"
        if not isinstance(row, Mapping):
            raise ConfigError(f"{where}: must be a row of fields, got {row!r:.80}")
        if row.get("name", name) != name:
            raise ConfigError(f"{where}: must not give a name of its own, got {row['name']!r:.80}")
        found[name] = parse(kind, where, {**row, "name": name})
    return found
