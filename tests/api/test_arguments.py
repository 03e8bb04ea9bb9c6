"""An argument of a wrong type is told by its name in one line, before anything is opened."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peft_pipelines import Grid, PeftClassifier, load, results, run
from peft_pipelines.api.arguments import check
from peft_pipelines.config.errors import ConfigError

NEEDED: dict[str, Any] = {"cell": "lora.tiny.mood.s0", "methods": ["lora"], "models": ["tiny"], "tasks": ["mood"]}


class Odd:
    """A value that no argument may be, of more than one line."""

    def __repr__(self) -> str:
        """Two lines."""
        return "odd\nvalue"


def fitted(**parameters: Any) -> PeftClassifier:
    return PeftClassifier(**parameters).fit(["sun", "rain"], ["good", "bad"])


def every() -> Iterator[tuple[Callable[..., Any], str]]:
    """Each public function with each of its arguments."""
    for function in (run, results, load, Grid, PeftClassifier):
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind is not parameter.VAR_KEYWORD:
                yield fitted if function is PeftClassifier else function, name


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("function", "name"), list(every()))
def test_every_argument_refuses_what_it_may_not_be(function: Callable[..., Any], name: str) -> None:
    known = inspect.signature(function).parameters
    needed = {key: value for key, value in NEEDED.items() if key in known}
    with pytest.raises(ConfigError) as caught:
        function(**{**needed, name: Odd()})
    message = str(caught.value)
    assert message.removeprefix("Grid, ").removeprefix("PeftClassifier, ").startswith(f"{name}: ")
    assert message.endswith(r", got odd\nvalue") and "\n" not in message


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"grid": "smoke"}, "grid: must be a Grid, or None, got 'smoke'"),
        ({"env": 3}, "env: must be the name of an environment, or None, got 3"),
        ({"env": " "}, "env: must be the name of an environment, or None, got ' '"),
        ({"project": b"x"}, "project: must be a folder's path, as text or Path, or None, got b'x'"),
        ({"store": ""}, "store: must be a folder's path, as text or Path, or None, got ''"),
        ({"raw": "a\0b"}, r"raw: must be a folder's path, as text or Path, or None, got 'a\x00b'"),
        ({"workers": True}, "workers: must be a whole number of at least 1, or None, got True"),
        ({"cell": None}, "cell: must be the text METHOD.MODEL.TASK.SEED, got None"),
        ({"run_id": 20260101}, "run_id: must be the id of a run, as text, or None, got 20260101"),
        ({"training": [1]}, "training: must be a dictionary, or None, got [1]"),
        ({"label_words": ["x"]}, "label_words: must be a dictionary, or None, got ['x']"),
        ({"method": None}, "method: must be the name of a row or a dictionary, got None"),
        ({"validation_fraction": 1}, "validation_fraction: must be a number between 0 and 1, got 1"),
        (
            {"random_state": -1},
            "random_state: must be a whole number from 0 to 4294967295, a RandomState, or None, got -1",
        ),
    ],
)
def test_the_message_names_the_value_and_what_is_allowed(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(**given)
    assert str(caught.value) == words


def test_what_an_argument_may_be_passes() -> None:
    check(grid=Grid(["lora"], ["tiny"], ["mood"]), env="mine", workers=2, cell="a.b.c.d", run_id="r", training={})
    check(project=Path("x"), store="x", raw=None, random_state=np.random.RandomState(0), validation_fraction=0.1)
    check(random_state=np.int64(3), method={"provider": "none"}, model="tiny", label_words=None)
