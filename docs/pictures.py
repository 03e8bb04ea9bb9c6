"""Take the pictures of README and docs in Chromium: of a report, of the pipelines in kedro viz, and of the board."""

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

from browser import PROGRAM, Browser, browser

from peft_pipelines.files.atomic import replacing

ROOT = Path(__file__).parents[1]
ENVIRONMENT, STORE = "three_seeds", "data/three_seeds"
"""The run whose numbers README explains."""
DRAWN = "smoke"
"""The environment whose pipelines are drawn: two tasks and three methods can be read in a picture, more cannot."""
QUESTION = "A film with much to say and no idea how to say it."
SCALE, STILL = 2, 5
HIGH = 1250
"""Of a window that has room for all that stands beside a form of the board."""
PATIENCE = 600.0
"""Seconds until a page shows what is waited for, such as kedro viz the project."""

MENUS_AWAY = """document.querySelector('.kui-theme--dark') &&
document.querySelector('.pipeline-menu-button--theme').click(),
document.querySelector('.pipeline-sidebar--visible') && document.querySelector('.pipeline-menu-button--menu').click(),
document.head.append(Object.assign(document.createElement('style'), {textContent: `html {background: #f0f2f4}
body * {visibility: hidden} .pipeline-flowchart, .pipeline-flowchart * {visibility: visible}`}))"""
"""The light colours, and nothing but the chart: menus, hints and reminders differ from one release to the next."""
NODES = ".pipeline-node"
ANY_NODES = f"document.querySelectorAll('{NODES}').length > 0"
EPOCHS, LOSSES = 200, 8
"""Of a training that is watched: so long that the picture is taken before its end, and 8 of the 20 losses it logs."""
STATE = "document.getElementById('state').textContent"
CURVES = "[...document.querySelectorAll('svg.curve polyline')]"
PLACES = f"JSON.stringify([...document.querySelectorAll('{NODES}')].map(one => one.getBoundingClientRect()))"


def report(page: Browser, reporting: Path) -> bytes:
    """The top of the report: what the numbers say, and the scores."""
    page.open(reporting / "report.html")
    page.look(width=900, scale=SCALE)
    return page.picture("h1, nav, #summary, #scores")


def results(page: Browser, reporting: Path) -> bytes:
    """The plot of the scores."""
    from plotly.io import from_json  # noqa: PLC0415  (slow to import, and needed here alone)

    figure = from_json((reporting / "scores.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        figure.write_html(f"{folder}/scores.html", include_plotlyjs=True, config={"displayModeBar": False})
        page.open(Path(folder, "scores.html"))
        page.look(width=1180, scale=SCALE)
        page.waited("document.querySelectorAll('.main-svg').length > 0")
        return page.picture(".main-svg", margin=0)


def pipeline(page: Browser, _: Path) -> bytes:
    """The flow chart of kedro viz, without its menus."""
    with kedro_viz() as address:
        page.open(address)
        page.look(width=1400, height=1100, scale=SCALE)
        page.waited(ANY_NODES)
        page.value(MENUS_AWAY)
        seen = [""]
        while len(seen) < STILL or len(set(seen[-STILL:])) > 1:  # the chart moves into its place
            time.sleep(1)
            seen.append(page.value(PLACES))
        return page.picture(f"{NODES}, .pipeline-layer-name", margin=24, beyond=False)


def board(page: Browser, _: Path) -> bytes:
    """The page Grid of the board, once kedro plan has said what the grid takes."""
    with on_board(page, "/grid"):
        page.waited("/unchanged/.test(document.getElementById('plan').textContent)")
        return page.picture(".bar, #grid aside", beyond=False)


def method(page: Browser, _: Path) -> bytes:
    """The beginning of the board's form of a method's row."""
    with on_board(page, "/method?row=lora"):
        return page.picture(".bar, aside", beyond=False)


def ask(page: Browser, _: Path) -> bytes:
    """The board's page Try, once a tuned model and the untuned one have answered."""
    with on_board(page, "/try?cell=lora.smollm2_135m.sst2.s0"):
        page.click("input[name=untuned][value=zero_shot]")
        page.value(f"document.getElementById('text').value = {QUESTION!r}")
        page.click("#send")
        page.waited("document.getElementById('stop').disabled && document.querySelectorAll('#command pre').length > 0")
        page.value("scrollTo(0, 0)")
        return page.picture("label.wide, .ways, #answers, #command")


def run(page: Browser, _: Path) -> bytes:
    """The board's page Run while two methods are trained, in a project of its own whose model is tiny."""
    from board_runs import tiny_project  # noqa: PLC0415  (slow to import, and needed here alone)

    with tempfile.TemporaryDirectory() as folder:
        project = tiny_project(Path(folder), epochs=EPOCHS)
        project.grid["methods"] = ["zero_shot", "lora", "ia3"]
        project.write("local")
        with on_board(page, "/run", Path(folder), "local"):
            page.waited(f"{STATE} === 'Nothing runs'")
            page.value("document.getElementById('workers').focus()")
            page.write("2")
            page.click("#start")
            try:
                page.waited(f"{CURVES}.length === 2 && {CURVES}.every(one => one.points.length >= {LOSSES})")
                return page.picture(".bar, #doing")
            finally:
                page.click("#stop")
                page.waited(f"{STATE} === 'Nothing runs'")


PICTURES = {one.__name__: one for one in (report, results, pipeline, board, method, run, ask)}
WITHOUT_RUN = {"pipeline", "board", "method", "run"}
"""Pictures that need no finished run."""


@contextmanager
def on_board(page: Browser, path: str, project: Path = ROOT, env: str = ENVIRONMENT) -> Iterator[None]:
    """A page of a project's board, shown for an environment, as long as the block lasts."""
    with kedro_board(project) as address:
        page.open(address)
        page.open(f"{address.partition('/start')[0]}{path}{'&' if '?' in path else '?'}env={env}")
        page.look(width=1180, height=HIGH, scale=SCALE)
        yield


@contextmanager
def kedro_board(project: Path) -> Iterator[str]:
    """The address that opens a board of a project, as long as the block lasts."""
    command = [sys.executable, "-m", "kedro", "board", "--no-open", "--port=0"]
    ours = os.environ | {"DO_NOT_TRACK": "1"}
    with subprocess.Popen(command, cwd=project, env=ours, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield next(line.strip() for line in process.stdout if line.startswith("http://"))
        finally:
            process.terminate()


@contextmanager
def kedro_viz() -> Iterator[str]:
    """The address of a kedro viz that shows this project, as long as the block lasts."""
    host, port = "127.0.0.1", free_port()
    address = f"{host}:{port}"
    command = [sys.executable, "-m", "kedro", "viz", "run", "--no-browser", f"--host={host}", f"--port={port}"]
    ours = os.environ | {"KEDRO_ENV": DRAWN, "DO_NOT_TRACK": "1"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, env=ours, stdout=log, stderr=log, start_new_session=True)
        try:
            end = time.monotonic() + PATIENCE
            while not answers(f"http://{address}/api/main"):
                if process.poll() is not None or time.monotonic() > end:
                    log.seek(0)
                    raise SystemExit(f"Error: kedro viz does not start: {log.read().decode().strip()[-500:]}")
                time.sleep(0.5)
            yield f"http://{address}/"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port() -> int:
    """A port that nobody listens on, and that kedro viz takes: 49151 is its last, below those that systems give out."""
    for port in random.sample(range(20_000, 49_000), 100):
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port
    raise SystemExit("Error: no port is free for kedro viz")


def answers(address: str) -> bool:
    """Whether a server is there already."""
    try:
        with urlopen(address, timeout=PATIENCE) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def known(name: str) -> str:
    """The name of a picture; argparse says which there are where it is none."""
    if name not in PICTURES:
        raise argparse.ArgumentTypeError(f"no picture '{name}'; there are {', '.join(PICTURES)}")
    return name


def main() -> None:
    """Take the pictures that are asked for, or all, and print their paths."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", type=known, default=list(PICTURES), help=", ".join(PICTURES))
    parser.add_argument("--store", type=Path, default=ROOT / STORE, help=f"the finished run to show ({STORE})")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/images", help="the folder to write into")
    asked = parser.parse_args()
    reporting = asked.store.resolve() / "08_reporting"
    lacking = [name for name in ("report.html", "scores.json") if not (reporting / name).is_file()]
    if PROGRAM is None:
        raise SystemExit("Error: Chromium takes the pictures, and is not installed: apt install chromium")
    if lacking and not WITHOUT_RUN.issuperset(asked.names):
        needed = (
            f"run `kedro run --env={ENVIRONMENT}` first, or take the pictures {' and '.join(sorted(WITHOUT_RUN))} alone"
        )
        raise SystemExit(f"Error: no {' and no '.join(lacking)} in {reporting}: {needed}")
    # What the browser started may still write while it ends.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, browser(Path(profile)) as page:
        page.patience = PATIENCE
        for name in asked.names:
            path = asked.output / f"{name}.png"
            taken = PICTURES[name](page, reporting)
            with replacing(path) as fresh:
                fresh.write_bytes(taken)
            print(path)


if __name__ == "__main__":
    main()
