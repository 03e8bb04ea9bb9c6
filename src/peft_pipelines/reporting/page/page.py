"""The report as one page that needs no network: scores with intervals, differences, costs, ranks, training, PSCP."""

import json
from importlib.resources import files
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from peft_pipelines.config import ModelSpec, PublishedSpec, parse
from peft_pipelines.files.attempts import attempt, attempted
from peft_pipelines.files.escape import for_script, for_terminal
from peft_pipelines.files.names import argument, arguments, cell_id
from peft_pipelines.reporting.collect import given
from peft_pipelines.reporting.comparisons import no_differences, of_methods
from peft_pipelines.reporting.learning_curves import plot_curves, plot_lr_search
from peft_pipelines.reporting.page import facts, scores
from peft_pipelines.reporting.page.packed import packed, squeezed
from peft_pipelines.reporting.page.policy import policy
from peft_pipelines.reporting.page.views import views
from peft_pipelines.reporting.pareto import COST_AXES, pareto
from peft_pipelines.reporting.pscp_ranking import inputs
from peft_pipelines.reporting.ranks import diagram
from peft_pipelines.reporting.scale import by_model, exceptions, several_seeds
from peft_pipelines.reporting.table import failed_lines, failures
from peft_pipelines.reporting.warning_signs import MARKS

DRAWING = "<script></script>"
"""The template's place for plotly's script. No other part of the page can hold it: texts are escaped in all of them."""


def page(
    results: pd.DataFrame,
    comparisons: list[dict[str, Any]] | None,
    differences: pd.DataFrame | None,
    ranks: list[dict[str, Any]] | None,
    failed_parts: list[dict[str, Any]] | None = None,
    summary: list[dict[str, Any]] | None = None,
    other_comparisons: list[dict[str, Any]] | None = None,
    **parts: Any,
) -> str:
    """The page's HTML. Each model, each figure and each table is an attempt of its own; what is None is left out.

    Args:
        results: one row a cell, as ``tabulate`` makes it.
        comparisons: as ``compare`` makes them.
        differences: all pairs of methods, as ``adjust_p_values`` makes them.
        ranks: as ``rank`` makes them.
        failed_parts: the parts of the report that failed, as the runner has written them down.
        other_comparisons: as ``compare_others`` makes them.
        summary: each model's sentences, as ``summarise`` makes them.
        parts: ``pscp``: the run's constants; ``grid``: the grid's values, of which ``published`` names the row of
            ``published`` to show beside ours, and ``answers_shown`` is the most answers of a cell; ``model.<name>``:
            the row of each model; ``details.<method>``: what ``details`` made of its cells.
    """
    methods, ranks = given(parts, "details"), ranks or []
    known = {cell_id(method, cell): detail for method, cells in methods.items() for cell, detail in cells.items()}
    shown = {cell: _with_answers(detail, parts["grid"]["answers_shown"]) for cell, detail in known.items()}
    constants = parts["pscp"].model_dump()
    differences = no_differences() if differences is None else differences
    costs = {name: attempted(f"costs of {name}", inputs, rows) or [] for name, rows in by_model(results).items()}
    models = _models(results, differences, costs, constants)
    figures = _figures(results, ranks, {argument("details", method): cells for method, cells in methods.items()})
    context = {
        **_by_metric(results, comparisons or [], other_comparisons or []),
        **_failures(results, failed_parts),
        **_about(results),
        "summary": summary or [],
        "models": [{**model, "note": _note(parts, model["name"])} for model in models if model],
        "differences_text": facts.differences_text(of_methods(differences)),
        "axes": {name: COST_AXES[name] for name in figures if name in COST_AXES},
        "ranks": [{"model": entry["model"], "text": facts.rank_text(entry)} for entry in ranks],
        "lr_search_text": attempted("learning rates", facts.lr_search_text, known) or "",
        "figures": figures,
        "sliders": facts.sliders(constants),
        "published": attempted("published values", _published, results, parts["grid"], parts["published"]),
        "provenance": attempted("provenance", facts.provenance, known) or {},
        "data": Markup(for_script({"figures": figures, "pscp": costs, "constants": constants})),
        "details": packed(shown),
    }
    return _rendered(context)


def _rendered(context: dict[str, Any]) -> str:
    """The template with its parts, and plotly's script in it: the template would copy its nine megabytes."""
    from plotly.offline import get_plotlyjs  # noqa: PLC0415  (it loads IPython, which would stay through all cells)

    plotly = get_plotlyjs()
    environment = Environment(autoescape=True, undefined=StrictUndefined, finalize=_shown)
    text = environment.from_string(_file("page.html")).render(_static(plotly), **context)
    before, behind = text.split(DRAWING)
    return f"{before}<script>{plotly}</script>{behind}"


def _models(
    results: pd.DataFrame, differences: pd.DataFrame, costs: dict[str, Any], constants: dict[str, float]
) -> list[dict[str, Any] | None]:
    """Each model's part of the page; None where it could not be made."""
    return [
        attempted(f"scores of {name}", scores.model, name, rows, differences, costs[name], constants)
        for name, rows in by_model(results).items()
    ]


def _about(results: pd.DataFrame) -> dict[str, Any]:
    """What the page says of the run as a whole."""
    return {
        "title": facts.title(results),
        "made": facts.made(results),
        "exceptions": exceptions(results),
        "several_seeds": several_seeds(results),
    }


def _by_metric(
    results: pd.DataFrame, comparisons: list[dict[str, Any]], others: list[dict[str, Any]]
) -> dict[str, Any]:
    """The metrics to choose from, and what the page shows under each."""
    found = attempted("scores by other metrics", views, results, comparisons, others) or {}
    return {"metrics": list(found), "views": squeezed(found)}


def _with_answers(detail: dict[str, Any], most: int) -> dict[str, Any]:
    return {**detail, "predictions": detail["predictions"][:most]}


def _note(parts: dict[str, Any], model: str) -> str:
    return parse(ModelSpec, f"model '{model}'", arguments(parts, "model")[model]).notes


def _shown(value: Any) -> Any:
    """A text of the page with visible control characters; Jinja escapes the rest of it."""
    return for_terminal(value) if type(value) is str else value


def _static(plotly: str) -> dict[str, Any]:
    """The parts that are the same on every page that plotly's script draws in."""
    blocks = {"style": _file("page.css"), "script": _file("page.js")}
    return {
        "marks": MARKS,
        "policy": policy([plotly, blocks["script"]], [blocks["style"]]),
        **{name: Markup(text) for name, text in blocks.items()},
    }


def _failures(results: pd.DataFrame, failed_parts: list[dict[str, Any]] | None) -> dict[str, list[str]]:
    """The lines on cells and on parts of the report that failed."""
    return {"failures": failures(results), "failed_parts": failed_lines(failed_parts)}


def _figures(results: pd.DataFrame, ranks: list[dict[str, Any]], details: dict[str, Any]) -> dict[str, Any]:
    """Every plot of the page as plotly's JSON; those with nothing in them are left out."""
    measured = [axis for axis in COST_AXES if axis in results and results[axis].notna().any()]
    drawn = {axis: attempted(f"plot {axis}", pareto, results, axis) for axis in measured}
    ranked = {f"ranks.{entry['model']}": entry for entry in ranks if "ranks" in entry}
    drawn |= {name: attempted(f"plot {name}", diagram, entry) for name, entry in ranked.items()}
    figures = {name: figure.update_layout(margin={"t": 15}) for name, figure in drawn.items() if figure is not None}
    for name, function in {"curves": plot_curves, "lr_search": plot_lr_search}.items():
        with attempt(f"plot {name}"):
            figures[name] = function(**details)
    return {name: json.loads(figure.to_json()) for name, figure in figures.items() if figure.data}


def _published(results: pd.DataFrame, grid: dict[str, Any], rows: dict[str, Any]) -> dict[str, Any] | None:
    """The table of published values that the grid names, beside ours; None where it names none."""
    name = grid.get("published")
    if not name:
        return None
    return facts.published(results, parse(PublishedSpec, f"published '{name}'", {**rows[name], "name": name}))


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
