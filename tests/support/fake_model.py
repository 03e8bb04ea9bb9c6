"""Stands in for the process that holds models: it echoes questions, endlessly, wrongly or not at all where asked to."""

import json
import os
import queue
import signal
import sys
import threading
import time
from typing import Any


def read(waiting: "queue.Queue[dict[str, Any]]", stopped: set[int]) -> None:
    """Take requests from standard input."""
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "stop":
            stopped.add(request["id"])
        else:
            waiting.put(request)
    os._exit(0)


def tell(number: int, **event: Any) -> None:
    """Tell an event."""
    sys.stdout.write(json.dumps({"id": number, **event}) + "\n")
    sys.stdout.flush()


def ask(number: int, asked: dict[str, Any], stopped: set[int]) -> None:
    """Answer a question with itself, by letters."""
    for cell in asked["cells"]:
        tell(number, event="prompt", cell=cell, text=f"<|im_start|>user\n{asked['text']}", tokens=5, virtual=0)
    pieces = iter(lambda: "x", "") if asked["text"] == "endless" else iter(asked["text"] + str(len(asked["talks"])))
    for piece in pieces:
        if number in stopped:
            return
        for cell in asked["cells"]:
            tell(number, event="piece", cell=cell, text=piece)
        time.sleep(0.005)
    for cell in asked["cells"]:
        tell(number, event="answered", cell=cell, new_tokens=3, seconds=0.5, stopped=True)


def predict(number: int, asked: dict[str, Any]) -> None:
    """Say what scores say."""
    tell(number, event="step", done=asked["rows"], total=asked["rows"])
    row = {
        "prompt": asked["cell"],
        "right": ["good"],
        "said": "<img src=x onerror=boo()>",
        "new_tokens": 1,
        "stopped": True,
    }
    tell(number, event="scores", table=[["accuracy", "50.0 %", "25.0 %"]], answers=[row])


def main() -> None:
    """Answer until standard input ends."""
    waiting: queue.Queue[dict[str, Any]] = queue.Queue()
    stopped: set[int] = set()
    threading.Thread(target=read, args=(waiting, stopped), daemon=True).start()
    while True:
        request = waiting.get()
        number, asked = request["id"], request["asked"]
        tell(number, event="begun")
        if asked.get("text") == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if asked.get("text") == "fails":
            tell(number, event="failed", message="model '<b>': is not there")
        elif request["do"] == "ask":
            ask(number, asked, stopped)
        else:
            predict(number, asked)
        tell(number, event="done")


if __name__ == "__main__":
    main()
