"""The memory of the board while its page Run follows a run in Chromium: whether it grows.

    PYTHONPATH=tests/support python benchmarks/board_soak.py PROJECT --env=smoke --minutes 30

Starts a board over a project, opens the page, starts the environment whenever nothing runs, and prints the board's
resident memory and the page's own heap, both in MB.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from browser import Browser, browser

EVERY = 30.0
"""Seconds between two lines."""


@contextmanager
def board(project: Path) -> Iterator[tuple[psutil.Process, str]]:
    """A board over a project in a process of its own, and the address that opens it."""
    command = [sys.executable, "-m", "kedro", "board", "--no-open", "--port=0"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = next(found[0] for line in process.stdout if (found := re.match(r"http://\S+", line)))
        try:
            yield psutil.Process(process.pid), address
        finally:
            process.terminate()


def heap(page: Browser) -> float:
    """Megabytes of the page's objects."""
    return float(page.value("performance.memory.usedJSHeapSize / 1e6"))


def main() -> None:
    """Print a line every half a minute, and the growth at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--env", default="smoke")
    parser.add_argument("--minutes", type=float, default=30)
    asked = parser.parse_args()
    # What the browser started may still write while it ends.
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with folder as profile, board(asked.project) as (process, address), browser(Path(profile)) as page:
        page.patience = 600
        page.open(address)
        page.open(f"{address.partition('/start')[0]}/run?env={asked.env}")
        page.waited("document.getElementById('state').textContent !== 'Looking …'")
        began, sizes = time.monotonic(), []
        print("minutes  board_mb  page_mb  state", flush=True)
        while (minutes := (time.monotonic() - began) / 60) < asked.minutes:
            page.value("document.getElementById('start').disabled || document.getElementById('start').click()")
            state = page.value("document.getElementById('line').textContent")
            sizes.append((process.memory_info().rss / 1e6, heap(page)))
            print(f"{minutes:7.1f}  {sizes[-1][0]:8.1f}  {sizes[-1][1]:7.1f}  {state}", flush=True)
            time.sleep(EVERY)
        for name, one in zip(("board", "page"), zip(*sizes[len(sizes) // 4 :], strict=True), strict=True):
            print(f"{name}: {one[0]:.1f} to {one[-1]:.1f} MB")  # without the first quarter, in which code is loaded


if __name__ == "__main__":
    main()
