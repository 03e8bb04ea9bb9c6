"""The report as one page that needs no network: scores with intervals, differences, costs, ranks, training, PSCP."""

import json
from importlib.resources import files
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from peft_pipelines.config import ModelSpec, PublishedSpec, parse
from peft_pipelines.files.names import argument, arguments, cell_id
from peft_pipelines.reporting.learning_curves import plot_curves, plot_lr_search
from peft_pipelines.reporting.page import facts, scores
from peft_pipelines.reporting.page.packed import packed
from peft_pipelines.reporting.pareto import AXES, pareto
from peft_pipelines.reporting.pscp_ranking import inputs
from peft_pipelines.reporting.ranks import diagram
from peft_pipelines.reporting.table import failures
from peft_pipelines.reporting.warning_signs import MARKS


def page(
    results: pd.DataFrame,
    comparisons: list[dict[str, Any]],
    differences: pd.DataFrame,
    ranks: list[dict[str, Any]],
    **parts: Any,
) -> str:
    """The page's HTML.

    Args:
        results: one row a cell, as ``tabulate`` makes it.
        comparisons: as ``compare`` makes them.
        differences: all pairs of methods, as ``judge`` makes them.
        ranks: as ``rank`` makes them.
        parts: ``pscp``: the run's constants; ``grid``: the grid's values, of which ``published`` names the row of
            ``published`` to show beside ours; ``model.<name>``: the row of each model; ``details.<method>``: what
            ``details`` made of its cells.
    """
    notes = {name: parse(ModelSpec, f"model '{name}'", row).notes for name, row in arguments(parts, "model").items()}
    methods = arguments(parts, "details")
    known = {cell_id(method, cell): detail for method, cells in methods.items() for cell, detail in cells.items()}
    constants, found = parts["pscp"].model_dump(), scores.intervals(comparisons)
    by_model = {str(name): rows for name, rows in results.groupby("model", sort=False)}
    costs = {name: inputs(rows) for name, rows in by_model.items()}
    figures = _figures(
        results, ranks, {name: value for name, value in parts.items() if name.startswith(argument("details", ""))}
    )
    context = {
        "title": facts.title(results),
        "made": facts.made(results),
        "several_seeds": results.groupby(["model", "task", "method"])["seed"].nunique().max() > 1,
        "models": [
            {**scores.model(name, rows, differences, found, costs[name], constants), "note": notes[name]}
            for name, rows in by_model.items()
        ],
        "marks": MARKS,
        "failures": [line.removeprefix("* ") for line in failures(results).splitlines()],
        "differences_text": facts.DIFFERENCES,
        "axes": {name: AXES[name] for name in figures if name in AXES},
        "ranks": [{"model": entry["model"], "text": facts.rank_text(entry)} for entry in ranks],
        "lr_search_text": facts.lr_search_text(known),
        "figures": figures,
        "sliders": facts.sliders(constants),
        "published": facts.published(results, _published(parts["grid"], parts["published"])),
        "provenance": facts.provenance(known),
        "style": Markup(_file("page.css")),
        "script": Markup(_file("page.js")),
        "plotly": Markup(get_plotlyjs()),
        "data": Markup(_embedded({"figures": figures, "pscp": costs, "constants": constants})),
        "details": packed(known),
    }
    return Environment(autoescape=True, undefined=StrictUndefined).from_string(_file("page.html")).render(context)


def _figures(results: pd.DataFrame, ranks: list[dict[str, Any]], details: dict[str, Any]) -> dict[str, Any]:
    """Every plot of the page as plotly's JSON; those with nothing in them are left out."""
    measured = [axis for axis in AXES if axis in results and results[axis].notna().any()]
    without_titles = {axis: pareto(results, axis) for axis in measured}
    without_titles |= {f"ranks.{entry['model']}": diagram(entry) for entry in ranks if "ranks" in entry}
    figures = {name: figure.update_layout(margin={"t": 15}) for name, figure in without_titles.items()}
    figures |= {"curves": plot_curves(**details), "lr_search": plot_lr_search(**details)}
    return {name: json.loads(figure.to_json()) for name, figure in figures.items() if figure.data}


def _published(grid: dict[str, Any], rows: dict[str, Any]) -> PublishedSpec | None:
    name = grid.get("published")
    return parse(PublishedSpec, f"published '{name}'", {**rows[name], "name": name}) if name else None


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _embedded(value: Any) -> str:
    """JSON that cannot end the script element which it stands in."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("</", "<\\/").replace("<!--", "<\\!--")
