"""A headless Chromium that opens one page: what it says, what it draws, and what a script finds in it."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--window-size=1400,1500"),
    "--enable-precise-memory-info",  # else a page's heap is told in steps of megabytes
)
needs_chromium = pytest.mark.skipif(PROGRAM is None, reason="needs chromium")
PHONE = 600
"""Pixels; a narrower window is that of a phone."""
SIDES = (("min", "left"), ("min", "top"), ("max", "right"), ("max", "bottom"))
LONGEST = 60.0
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
"""The codes by which the protocol knows keys."""


class Browser:
    """A page in the browser, spoken to by the DevTools protocol over two pipes: JSON texts that end with a NUL.

    Attributes:
        said: everything that the page's console and the browser's log hold on it, violations of its policy among them.
        patience: seconds that one answer may take.
    """

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self.to_browser, self.from_browser = to_browser, from_browser
        self.said: list[str] = []
        self.patience = LONGEST
        self._rest, self._number, self._session = b"", 0, ""

    def open(self, page: Path | str) -> None:
        """Load a page of the disk, or of an address, to the end of its scripts, in a new tab."""
        if self._session:
            self._ask("Page.close")
        self.said, self._session = [], ""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Log", "Runtime", "Page"):
            self._ask(f"{domain}.enable")
        with self.followed():  # the empty page of a new tab is complete too
            self._ask("Page.navigate", url=page.as_uri() if isinstance(page, Path) else page)

    def value(self, script: str) -> Any:
        """What an expression gives on the page; a promise is waited for."""
        found = self._ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def waited(self, script: str) -> None:
        """Return as soon as an expression is true on the page."""
        end = time.monotonic() + self.patience
        while not self._holds(script):
            assert time.monotonic() < end, f"never true: {script}; said: {self.said}"
            time.sleep(0.05)

    def _holds(self, script: str) -> bool:
        """Whether an expression is true on the page; between two pages there is none that could say so."""
        expression = f"Boolean({script})"  # an element itself comes back as an empty object
        answer = self._answer("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer.get("result", {}), answer
        return "error" not in answer and answer["result"]["result"]["value"] is True

    def heard(self, lines: int) -> list[str]:
        """What the page has said, as soon as that are so many lines."""
        end = time.monotonic() + self.patience
        while len(self.said) < lines:
            self.value("0")
            assert time.monotonic() < end, self.said
        return self.said

    def look(self, *, width: int, height: int = 900, dark: bool = False, scale: int = 1) -> None:
        """Give the window a size in pixels and say whether its user wants dark colours; then load the page again.

        ``scale`` is the number of the screen's pixels to one of the page's, along each side.
        """
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < PHONE}
        self._ask("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[scheme])
        with self.followed():
            self._ask("Page.reload")

    @contextmanager
    def followed(self) -> Iterator[None]:
        """What the block does leads to another page, or to this one anew; return when that has loaded to its end.

        The page that is left may answer for a while, and may be what the test waits for in every other respect.
        """
        self.value("loaded_before = true")
        yield
        self.waited("typeof loaded_before === 'undefined' && document.readyState === 'complete'")

    def click(self, selector: str) -> None:
        """Press the mouse on the middle of the first element that a selector finds; it must be seen there."""
        self.point_at(selector)
        x, y = self.value("[box.x + box.width / 2, box.y + box.height / 2]")
        for kind in ("mousePressed", "mouseReleased"):
            self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str, text: str = "") -> None:
        """Press a key, such as Tab, Enter or ArrowDown; ``text`` is what it writes."""
        code = KEYS.get(key, 0)
        down = {"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code}
        self._ask("Input.dispatchKeyEvent", **down, **({"text": text} if text else {}))
        self._ask("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    def write(self, text: str) -> None:
        """Write into what has the focus, as a keyboard does."""
        self._ask("Input.insertText", text=text)

    def choose_file(self, selector: str, path: Path) -> None:
        """Choose a file in a field for files."""
        root = self._ask("DOM.getDocument")["root"]["nodeId"]
        node = self._ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._ask("DOM.setFileInputFiles", files=[str(path)], nodeId=node)

    def point_at(self, selector: str) -> None:
        """Move the mouse to the middle of the first element that a selector finds."""
        box = f"document.querySelector({selector!r})"
        self.value(f"{box}.scrollIntoView({{block: 'center'}})")
        x, y = self.value(f"box = {box}.getBoundingClientRect(), [box.x + box.width / 2, box.y + box.height / 2]")
        for place in (x - 1, x):
            self._ask("Input.dispatchMouseEvent", type="mouseMoved", x=place, y=y)

    def picture(self, selector: str, margin: int = 16, *, beyond: bool = True) -> bytes:
        """A PNG of the smallest box around all elements that a selector finds, with a margin in pixels.

        ``beyond`` says whether the window grows to hold the box; a page that fits itself to the window would move then.
        """
        self.value("document.documentElement.style.scrollbarWidth = 'none'")  # a picture has none
        boxes = f"[...document.querySelectorAll({selector!r})].map(one => one.getBoundingClientRect())"
        sides = (f"Math.{most}(...boxes.map(box => box.{side}))" for most, side in SIDES)
        left, top, right, bottom = self.value(f"boxes = {boxes}, [{', '.join(sides)}]")
        corner = self.value("[scrollX, scrollY]")
        size = {"width": right - left + 2 * margin, "height": bottom - top + 2 * margin, "scale": 1}
        clip = {"x": left + corner[0] - margin, "y": top + corner[1] - margin, **size}
        return base64.b64decode(self._ask("Page.captureScreenshot", clip=clip, captureBeyondViewport=beyond)["data"])

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        answer = self._answer(method, **parameters)
        assert "error" not in answer, answer
        return dict(answer["result"])

    def _answer(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        session = {"sessionId": self._session} if self._session else {}
        os.write(self.to_browser, json.dumps(message | session).encode() + b"\0")
        while (answer := self._message()).get("id") != self._number:
            self._heard(answer)
        return answer

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self.from_browser, 1 << 20)
            assert part, "the browser is gone"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))

    def _heard(self, event: dict[str, Any]) -> None:
        values = event.get("params", {})
        if event["method"] == "Log.entryAdded":
            self.said.append(values["entry"]["text"])
        if event["method"] == "Runtime.consoleAPICalled":
            self.said.append(" ".join(str(one.get("value")) for one in values["args"]))
        if event["method"] == "Runtime.exceptionThrown":
            self.said.append(values["exceptionDetails"]["text"])


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser whose profile lies in a folder; it ends with the block."""
    assert PROGRAM, "needs chromium"
    (to_there, to_browser), (from_browser, from_there) = os.pipe(), os.pipe()
    pipes = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_there, from_there)]
    # The protocol's pipes are the descriptors 3 and 4 of the browser, whatever they are here.
    shell = ["bash", "-c", f'exec "$@" 3<&{pipes[0]} 4>&{pipes[1]}', "bash"]
    command = [*shell, PROGRAM, *OPTIONS, f"--user-data-dir={folder}", "about:blank"]
    with open(folder / "browser.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, pass_fds=pipes)
    for end in (to_there, from_there, *pipes):
        os.close(end)
    try:
        yield Browser(to_browser, from_browser)
    finally:
        process.kill()
        process.wait()
        os.close(to_browser)
        os.close(from_browser)


def opened(chromium: Browser, folder: Path, page: str) -> Browser:
    """The browser with a page in it."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    chromium.open(folder / "page.html")
    return chromium
