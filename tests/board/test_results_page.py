"""The pages of results: what they show of a store, what they hand out, and that hostile texts do nothing."""

import json
from pathlib import Path

import pytest
from boards import Board, chromium, opened
from browser import Browser, needs_chromium
from recorded import LORA, ZERO
from stored_runs import DAMAGED, LATER, SEEN, hostile_board, original, results_board

from peft_pipelines.board import results_page
from peft_pipelines.board.admission import HEADERS

__all__ = ["chromium", "hostile_board", "original", "results_board"]


def text_of(board: Board, path: str) -> str:
    status, text, _ = board.sent("GET", path, Accept="text/html")
    assert status == 200, text
    return text


def first_run(board: Board) -> str:
    runs = board.root / "data/08_reporting/runs"
    return min(path.parent.name for path in runs.glob("2*/manifest.json"))


def test_cells_and_runs_are_listed_with_their_scores(results_board: Board) -> None:
    text = text_of(results_board, "/results")
    numbers = json.loads((results_board.root / "data/07_model_output/tiny/mood/lora/s0/metrics.json").read_text())
    assert f"{100 * numbers['primary']:.1f} % ({100 * numbers['primary_low']:.1f} to" in text
    assert f'<a href="/results/cell/{LORA}?env=local">' in text and f'<a href="/results/cell/{ZERO}?env=local">' in text
    assert text.count(f'href="/try?env=local&amp;cell={LORA}"') == 1
    assert "2099-01-31 12:00 UTC, 2 cells, done" in text
    empty = text_of(results_board, "/results?env=smoke")
    assert "No cell has been made yet" in empty and "There is no report yet" in empty


def test_two_runs_are_compared_as_the_command_line_does(results_board: Board) -> None:
    first = first_run(results_board)
    text = text_of(results_board, f"/results/compare?first={first}&second={LATER}")
    assert "1 scores moved" in text and f'<th scope="row">{LORA}</th>' in text
    assert f"<pre>kedro compare {first} {LATER}</pre>" in text
    every = text_of(results_board, f"/results/compare?first={first}&second={LATER}&metrics=all")
    assert f"<pre>kedro compare {first} {LATER} --all</pre>" in every
    status, text, _ = results_board.sent("GET", f"/results/compare?first={first}&second=2000")
    assert status == 422 and json.loads(text)["error"].startswith("RUN_ID: unknown run '2000'")


def test_a_cell_has_its_score_rows_losses_and_answers(results_board: Board) -> None:
    text = text_of(results_board, f"/results/cell/{LORA}")
    for part in (
        "trainable parameters",
        "<polyline",
        "Good or bad?\n\nSentence: line",
        "provider: hf_peft",
        "1 to 4 of 4",
    ):
        assert part in text, part
    assert "kedro run --pipeline=benchmark --tags=cell.lora.tiny.mood.s0" in text
    after = text_of(results_board, f"/results/cell/{LORA}?answers=3")
    assert "4 to 4 of 4" in after and "Worse ones" in after and "Better ones" not in after
    for name in ("lora.tiny.mood.s1", "nobody", "../../etc"):
        status, text, _ = results_board.sent("GET", f"/results/cell/{name}")
        assert status in (404, 422), text


def test_only_files_of_the_list_are_handed_out(results_board: Board) -> None:
    status, text, headers = results_board.sent("GET", "/results/files/results.csv")
    folder = results_board.root / "data/08_reporting"
    assert (status, text) == (200, (folder / "results.csv").read_bytes().decode())
    assert headers["content-disposition"] == 'attachment; filename="results.csv"'
    for name in ("results.parquet", "summary.json", "..%2f..%2fconf%2fbase%2fcatalog.yml", "runs"):
        assert results_board.sent("GET", f"/results/files/{name}")[0] in (404, 422), name
    differences = folder / "differences.csv"
    kept = differences.read_bytes()
    differences.unlink()
    differences.symlink_to("/etc/hostname")
    status, text, _ = results_board.sent("GET", "/results/files/differences.csv")
    assert status == 422 and "is not in this store" in text
    differences.unlink()
    differences.write_bytes(kept)


def test_what_cannot_be_read_is_words(results_board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    status, text, _ = results_board.sent("GET", f"/results/cell/{LORA}?answers=<b>", Accept="text/html")
    assert status == 422 and "answers: Input should be a valid integer" in text
    path = results_board.root / "data/07_model_output/tiny/mood/lora/s0/predictions.jsonl"
    kept = path.read_bytes()
    path.write_text("<b>")
    status, text, _ = results_board.sent("GET", f"/results/cell/{LORA}")
    path.write_bytes(kept)
    assert status == 422 and "predictions" in json.loads(text)["error"] and "\n" not in json.loads(text)["error"]

    def broken(*_: object) -> None:
        raise ZeroDivisionError("<b>\x1b")

    monkeypatch.setattr(results_page, "cells_of", broken)
    status, text, headers = results_board.sent("GET", "/results", Accept="text/html")
    assert status == 500 and "ZeroDivisionError: &lt;b&gt;\\x1b" in text and "The board&#39;s log says more" in text
    assert headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


@needs_chromium
def test_the_report_runs_apart_from_the_board(results_board: Board, chromium: Browser) -> None:
    page = opened(chromium, results_board, "/results/report?env=local")
    page.waited("document.querySelectorAll('.js-plotly-plot').length > 0")
    assert page.value("origin") == "null"
    assert (
        page.value("(() => { try { return document.cookie } catch (error) { return error.name } })()")
        == "SecurityError"
    )
    page = opened(chromium, results_board, "/results")
    page.waited("performance.getEntriesByType('resource').some(one => one.name.includes('/results/report'))")
    assert page.value("document.querySelector('iframe').contentDocument") is None
    assert page.said == []


PAGES = ["/results", f"/results/cell/{LORA}", "compare"]


@needs_chromium
@pytest.mark.parametrize("path", PAGES)
def test_hostile_texts_are_shown_and_do_nothing(hostile_board: Board, chromium: Browser, path: str) -> None:
    if path == "compare":
        path = f"/results/compare?first={first_run(hostile_board)}&second={LATER}"
    page = opened(chromium, hostile_board, path)
    text = page.value("document.body.textContent")
    if "compare" not in path:
        assert SEEN in text
    assert (DAMAGED in text) == (path == "/results")
    assert page.value("document.querySelectorAll('main img, main script').length") == 0
    assert not any(sign in text for sign in "\u202e\u200b\x07")
    assert page.said == []


@needs_chromium
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("dark", [False, True])
def test_results_fit_a_phone_and_a_screen(
    results_board: Board, chromium: Browser, path: str, dark: bool, tmp_path: Path
) -> None:
    if path == "compare":
        path = f"/results/compare?first={first_run(results_board)}&second={LATER}"
    page = opened(chromium, results_board, path)
    for width in (360, 1280):
        page.look(width=width, dark=dark)
        assert page.value("document.documentElement.scrollWidth") <= width
        unnamed = "[...document.querySelectorAll('input:not([type=hidden]), select, button, a, iframe')].filter("
        unnamed += "one => !(one.textContent.trim() || one.labels?.length || one.title || one.ariaLabel)).length"
        assert page.value(unnamed) == 0
