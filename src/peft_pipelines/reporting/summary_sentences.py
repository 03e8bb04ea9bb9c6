"""The answer that a report begins with: a few sentences on what its numbers allow to say, and on what they do not."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from peft_pipelines.config import MethodSpec, parse
from peft_pipelines.evaluation.statistics import FEWEST_SEEDS
from peft_pipelines.files.attempts import attempt
from peft_pipelines.files.names import MAJORITY, arguments
from peft_pipelines.files.status import Status
from peft_pipelines.reporting.comparisons import no_differences
from peft_pipelines.reporting.listing import FEW, listed, named
from peft_pipelines.reporting.scale import by_model
from peft_pipelines.reporting.summary_facts import Facts
from peft_pipelines.reporting.warning_signs import LEAK, MARKS

ONCE = (
    "Each method was trained once on a task, so the differences are between these checkpoints; "
    f"with {FEWEST_SEEDS} seeds or more they can be between methods."
)
SELDOM = (
    f"Some methods have fewer than {FEWEST_SEEDS} seeds on a task, so the differences are between these checkpoints; "
    "with as many of each they can be between methods."
)

GROUPS = 4
"""So many groups of methods are named; more are counted."""


def summarise(results: pd.DataFrame, differences: pd.DataFrame | None, **parts: Any) -> list[dict[str, Any]]:
    """Two to four sentences on each model. Each model is an attempt of its own.

    They say which methods are significantly better than the untuned model, which of the tuned ones are not
    significantly worse than the best and what the cheapest of these costs, what it would take to say more, and which
    cells to distrust.

    Args:
        results: one row a cell, as ``tabulate`` makes it.
        differences: all pairs of methods, as ``adjust_p_values`` makes them.
        parts: ``spec.<name>``: the method's row of the configuration.

    Returns:
        One entry a model: ``model`` and its ``sentences``.
    """
    specs = {name: parse(MethodSpec, f"method '{name}'", row) for name, row in arguments(parts, "spec").items()}
    pairs = no_differences() if differences is None else differences
    entries = []
    for model, rows in by_model(results).items():
        with attempt(model):
            facts = Facts.of(rows, pairs[pairs["model"] == model], specs)
            asked = rows[rows["method"].isin(specs)]
            texts = (_over_the_untuned(facts), _best(facts), _to_say_more(facts), _distrust(asked))
            entries.append({"model": model, "sentences": [text for text in texts if text]})
    return entries


def _over_the_untuned(facts: Facts) -> str:
    """Which methods are significantly better than the untuned model, or without one than the most frequent answer."""
    if not facts.tuned:
        return "The grid has no method that trains."
    if not facts.tasks:
        return "No tuned method has a score."
    if not facts.pairs:
        return "No two methods could be compared, so no difference is known to be more than noise."
    other, than = facts.untuned, f"the untuned model ({facts.untuned})"
    if not other:
        other, than = MAJORITY, "always giving the most frequent answer (the grid has no untuned model)"
    better = _grouped({name: facts.ahead(name, other) for name in facts.tuned})
    worse = _grouped({name: facts.ahead(other, name) for name in facts.tuned})
    tail = f"; significantly worse: {worse}." if worse else "."
    if cut := facts.cut_off(other):
        tail += f" On {named(cut, 'tasks')} its answers were cut off, so that nothing is called better there."
    if not better:
        return f"No tuned {facts.noun} is significantly better than {than} on any task{tail}"
    return f"Tuned {facts.noun}s that are significantly better than {than}: {better}{tail}"


def _grouped(tasks_of: Mapping[str, Sequence[str]]) -> str:
    """Methods with the tasks that something holds on; those of the same tasks together.

    >>> _grouped({"a": ["x", "y"], "b": ["x", "y"], "c": [], "d": ["y"]})
    'a and b on x and y; d on y'
    >>> _grouped({"a": "x", "b": "y", "c": "z", "d": "xyz", "e": "xy"})
    '5 methods on at least one task, d on most (3)'
    """
    methods: dict[tuple[str, ...], list[str]] = {}
    for name, tasks in tasks_of.items():
        methods.setdefault(tuple(tasks), []).append(name)
    groups = [(names, tasks) for tasks, names in methods.items() if tasks]
    if len(groups) > GROUPS:
        most = max(tasks_of, key=lambda name: len(tasks_of[name]))
        count = sum(len(names) for names, _ in groups)
        return f"{count} methods on at least one task, {most} on most ({len(tasks_of[most])})"
    return "; ".join(f"{named(names, 'methods')} on {named(tasks, 'tasks')}" for names, tasks in groups)


def _best(facts: Facts) -> str:
    """Which tuned methods are not significantly worse than the best, and what the cheapest of these costs."""
    tops = facts.best() if facts.pairs else {}
    if not tops:
        return _costs(facts, facts.tuned)
    shared = [name for name in facts.tuned if all(name in top for top in tops.values())]
    any_task, every_task = ("any task", "every task") if len(tops) > 1 else [*tops] * 2
    if shared and all(len(top) == 1 for top in tops.values()):
        text = f"{shared[0]} is significantly better than every other tuned {facts.noun} on {every_task}."
    elif len(shared) == len(facts.tuned):
        text = f"No tuned {facts.noun} is significantly worse than the best one on {any_task}."
    elif shared:
        text = f"Not significantly worse than the best tuned {facts.noun} on {any_task}: {named(shared, 'methods')}."
    else:
        leaders = "; ".join(f"{named(top, 'methods')} on {task}" for task, top in tops.items())
        text = f"No tuned {facts.noun} is among the best on {every_task}; these are {leaders}."
    candidates = shared or [name for name in facts.tuned if any(name in top for top in tops.values())]
    return f"{text} {_costs(facts, candidates)}".strip()


def _costs(facts: Facts, methods: Sequence[str]) -> str:
    """The fewest trained parameters and the quickest training among these."""
    sizes = {name: size for name in methods if (size := facts.mean(name, "trainable_parameters")) is not None}
    times = {name: time for name in methods if (time := facts.mean(name, "train_seconds")) is not None}
    if not sizes or not times:
        return ""
    small, quick = min(sizes, key=sizes.__getitem__), min(times, key=times.__getitem__)
    count, seconds = f"{sizes[small]:,.0f}", f"{times[quick]:,.0f} s a cell"
    if len(sizes) == 1:
        return f"{small} trains {count} parameters in {seconds}."
    if small == quick:
        return f"Of these, {small} trains the fewest parameters ({count}) and is quickest to train ({seconds})."
    return f"Of these, {small} trains the fewest parameters ({count}), and {quick} is quickest to train ({seconds})."


def _to_say_more(facts: Facts) -> str:
    """How small a difference between tuned methods would show, and what makes smaller ones visible."""
    few = (ONCE if facts.one_seed else SELDOM) if facts.few_seeds and facts.tasks else ""
    if not facts.undecided:
        return few
    least = _sizes(facts.detectable())
    more = "test examples" if facts.one_seed else "test examples and seeds"
    text = (
        f"Differences between tuned {facts.noun}s below about {least} are seldom found; half as much takes four times"
    )
    return f"{text} as many {more}. {few}".strip()


def _sizes(sizes: Mapping[str, tuple[float, str]]) -> str:
    """A difference for each task in words; for many tasks the smallest and the largest one.

    >>> _sizes({"x": (0.1, "10.0 points"), "y": (0.2, "20.0 points")})
    '10.0 points on x and 20.0 points on y'
    >>> _sizes({f"t{n}": (n / 100, f"{n}.0 points") for n in range(1, 10)})
    '1.0 points on t1 to 9.0 points on t9'
    """
    order = sorted(sizes, key=lambda task: sizes[task][0])
    shown = {task: f"{text} on {task}" for task, (_, text) in sizes.items()}
    return f"{shown[order[0]]} to {shown[order[-1]]}" if len(sizes) > FEW else listed(list(shown.values()))


def _distrust(rows: pd.DataFrame) -> str:
    """Cells without numbers and cells with warning signs, by the kind of sign."""
    counts = [
        f"{count} of {len(rows)} cells {state}"
        for state in (Status.FAILED, Status.NOT_RUN)
        if (count := int((rows["status"] == state).sum()))
    ]
    signs = [
        f"{text}: {where}"
        for sign, text in MARKS.items()
        if sign != LEAK and (where := _where(rows[rows["marks"].fillna("").str.contains(sign, regex=False)]))
    ]
    leaks = [str(task) for task in rows.loc[rows["leaked"] > 0, "task"].unique()]
    signs += [f"{MARKS[LEAK]}: {named(leaks, 'tasks')}"] if leaks else []
    return f"Distrust: {'; '.join([*counts, *signs])}." if counts or signs else ""


def _where(cells: pd.DataFrame) -> str:
    """The methods and tasks of cells in words."""
    tasks: dict[str, list[str]] = {}
    for method, task in dict.fromkeys(zip(cells["method"], cells["task"], strict=True)):
        tasks.setdefault(str(method), []).append(str(task))
    return _grouped(tasks)
