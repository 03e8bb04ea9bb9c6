"""How the page looks on a phone, in the dark and on paper, for grids from one task to many."""

from pathlib import Path

import pytest
from browser import Browser, needs_chromium, opened
from made import Made, free, labelled

pytestmark = needs_chromium

SIZES = {"1 x 1": (1, 1, 1), "4 x 4": (4, 4, 3), "14 x 9": (14, 9, 1)}
"""Tuned methods, tasks and seeds; the untuned model stands beside them."""
NAMES = (
    *("sequential_bottleneck", "lora", "parallel_adapter", "ia3", "prompt_tuning", "bitfit", "prefix_tuning"),
    *("dora", "p_tuning_v2", "lora_plus", "ln_tuning", "svft", "freeze", "mpt_multitask"),
)
CONTRAST = """(selector => {
  const light = text => text.match(/[0-9.]+/g).slice(0, 3).map(n => n / 255)
    .map(n => n <= 0.03928 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4)
    .reduce((sum, n, place) => sum + n * [0.2126, 0.7152, 0.0722][place], 0);
  const there = light(getComputedStyle(document.querySelector(selector)).color);
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return (Math.max(there, paper) + 0.05) / (Math.min(there, paper) + 0.05);
})"""
"""The ratio of luminances of a text and the page behind it, as WCAG 2 defines it; 4.5 is its least for small text."""
OVERLAPS = """[...document.querySelectorAll('.xaxislayer-above, .yaxislayer-above, .subplot')].flatMap(axis => {
  const texts = [...axis.querySelectorAll('text')].filter(text => text.textContent.trim());
  const boxes = texts.map(text => text.getBoundingClientRect());
  return texts.filter((_, one) => boxes.some((box, other) => other < one && box.left < boxes[one].right - 1 &&
    boxes[one].left < box.right - 1 && box.top < boxes[one].bottom - 3 && boxes[one].top < box.bottom - 3))
    .map(text => text.textContent);
})"""
"""The ticks of an axis that stand on another tick of it."""
CUT = """[...document.querySelectorAll('.xtitle, .ytitle')].filter(title => {
  const own = title.getBoundingClientRect(), whole = title.closest('.main-svg').getBoundingClientRect();
  return own.left < whole.left - 1 || own.right > whole.right + 1 || own.bottom > whole.bottom + 1;
}).map(title => title.textContent)"""
"""The titles of axes that reach out of their plot."""


@pytest.fixture(scope="module", params=SIZES, ids=str)
def text(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    methods, tasks, seeds = SIZES[request.param]
    shares = {"untuned": 0.3} | {
        name: 0.5 + 0.45 * (n * 5 % methods) / methods for n, name in enumerate(NAMES[:methods])
    }
    rows = [free(f"sums{n}") if n % 4 == 3 else labelled(f"moods{n}") for n in range(tasks)]
    return Made(tmp_path_factory.mktemp("page"), {"untuned": 0.3} | shares, rows, seeds=seeds, n=20).page()


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_overflows_or_overlaps(text: str, width: int, chromium: Browser, tmp_path: Path) -> None:
    page = opened(chromium, tmp_path, text)
    page.look(width=width)
    page.waited("document.querySelectorAll('.main-svg').length > 1")
    assert page.value("document.documentElement.scrollWidth") <= width
    assert page.value(OVERLAPS) == []
    assert page.value(CUT) == []
    names = "[...document.querySelectorAll('.stacked tbody th')].map(name => name.getBoundingClientRect())"
    assert page.value(f"Math.min(...{names}.map(box => box.width))") > 60, "a task's name broken into letters"
    assert page.said == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_stands_out_from_the_page(text: str, dark: bool, chromium: Browser, tmp_path: Path) -> None:
    page = opened(chromium, tmp_path, text)
    page.look(width=1400, dark=dark)
    paper = page.value("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(26, 26, 26)" if dark else "rgb(255, 255, 255)")
    ratios = {name: page.value(f"{CONTRAST}({name!r})") for name in ("body", "nav a", ".note", ".cell small", ".low")}
    assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}


def test_on_paper_nothing_is_closed_or_cut(text: str, chromium: Browser, tmp_path: Path) -> None:
    page = opened(chromium, tmp_path, text)
    page.look(width=1400)
    page.waited("document.querySelectorAll('.main-svg').length > 1")
    closed = "document.querySelectorAll('main details:not([open])').length"
    widths = "[...document.querySelectorAll('.main-svg, table.scores')].map(e => e.getBoundingClientRect().width)"
    wide = f"Math.max(...{widths})"
    assert page.value(closed) > 0 and page.value(wide) > 700
    page.value("dispatchEvent(new Event('beforeprint'))")
    page.waited(f"{closed} === 0 && {wide} <= 700")
    page.value("dispatchEvent(new Event('afterprint'))")
    page.waited(f"{closed} > 0 && {wide} > 700")
