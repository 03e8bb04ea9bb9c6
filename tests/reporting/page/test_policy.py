"""The page's policy: its own blocks run by their digests, and what others wrote into the page does not."""

import base64
import hashlib
import re
from collections import Counter
from html import unescape
from pathlib import Path

import pytest
from browser import Browser, needs_chromium, opened
from made import FAILURE, Made, free, labelled

from peft_pipelines.reporting.page.policy import policy

BREAK_OUT = "</script></dd><script>ran=1</script><img src=x onerror='ran=1'><a href='javascript:ran=1'>x</a><!--"
NAME = "<script>ran=1<"
"""A name may hold neither spaces nor slashes."""
META = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">\n')
SHARES = {"base": 0.1, "good": 0.95, f"poor{NAME}": 0.5}


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page whose questions, answers, labels, methods, models and failures all try to break out of their places."""
    lost = {f"good.tiny{NAME}.sums.s0": FAILURE | {"reason": BREAK_OUT}}
    tasks = [labelled(labels={0: BREAK_OUT, 1: "yes"}), labelled("irony"), free()]
    folder = tmp_path_factory.mktemp("page")
    return Made(folder, SHARES, tasks, models=[f"tiny{NAME}"], words=BREAK_OUT, lost=lost).page()


def digest(block: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()}'"


def sources(page: str) -> dict[str, list[str]]:
    """The directives of a page's policy."""
    (found,) = META.findall(page)
    return {name: values for name, *values in (one.split() for one in unescape(found).split(";"))}


def test_only_the_pages_own_blocks_are_allowed(text: str) -> None:
    allowed = sources(text)
    scripts = re.findall(r"^<script>(.*?)</script>$", text, re.DOTALL | re.MULTILINE)
    (style,) = re.findall(r"^<style>(.*?)</style>$", text, re.DOTALL | re.MULTILINE)
    assert len(scripts) == 2
    assert allowed["script-src"] == [digest(block) for block in scripts]
    assert allowed["style-src"][0] == digest(style) and digest("") in allowed["style-src"]
    assert text.index("http-equiv") < text.index("<style>")
    assert allowed["default-src"] == allowed["base-uri"] == allowed["form-action"] == ["'none'"]
    assert allowed["img-src"] == ["data:"] and "unsafe" not in META.findall(text)[0]


def test_the_digests_of_a_policy_are_those_of_the_texts() -> None:
    assert "script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=';" in policy(["alert(1)"], [])
    assert "script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' " in policy(["", "ü"], [])


# --- in a browser ---


def ranking(page: Browser) -> str:
    """The page's table of PSCP."""
    return str(page.value("document.querySelector('.pscp tbody').textContent"))


@needs_chromium
def test_the_page_works_and_nothing_in_it_breaks_out(text: str, chromium: Browser, tmp_path: Path) -> None:
    page = opened(chromium, tmp_path, text)
    page.waited("document.querySelectorAll('.main-svg').length > 5")
    before = ranking(page)
    page.value("slider = document.querySelector('input[name=beta_p]'); slider.value = 4;")
    page.value("slider.dispatchEvent(new Event('input'))")
    assert f"poor{NAME}" in before and ranking(page) != before
    page.value("document.querySelector('[data-pscp] button').click()")
    assert ranking(page) == before
    page.point_at(".plot .points path")
    page.waited("document.querySelector('.hovertext') !== null")
    page.value("document.querySelector('button.cell').click()")
    page.waited("document.querySelector('dialog[open] .main-svg') !== null")
    texts = page.value("[...document.querySelectorAll('dialog .prompt, dialog dd:last-child')].map(e => e.textContent)")
    assert f"{BREAK_OUT} 5" in texts and BREAK_OUT in texts
    assert page.value("window.ran") is None
    assert page.said == []


FOREIGN = {
    "<script>one=1</script>": "script-src",
    "<img src=data:, onerror=two=1>": "script-src",
    "<script src=data:text/javascript,three=1></script>": "script-src",
    "<iframe srcdoc='<script>parent.four=1</script>'></iframe>": "script-src",
    "<p style=color:red>": "style-src",
    "<style>p { color: red }</style>": "style-src",
    "<img src=//example.com/seen.png>": "img-src",
    "<base href=//example.com/>": "base-uri",
}
"""What may not stand in a page, and the directive that forbids it."""
RAN = "[window.one, window.two, window.three, window.four]"


@needs_chromium
def test_what_is_not_of_the_page_does_not_run(text: str, chromium: Browser, tmp_path: Path) -> None:
    spoilt = text.replace("<main>", "".join(["<main>", *FOREIGN]))
    page = opened(chromium, tmp_path, spoilt)
    assert page.value(RAN) == [None] * 4
    said = " ".join(page.heard(len(FOREIGN)))
    assert Counter(re.findall(r"directive:? ['\"](\S+)", said)) == Counter(FOREIGN.values())
    assert opened(chromium, tmp_path, META.sub("", spoilt)).value(RAN) == [1] * 4
