"""Answers and the record of how they came about, damaged: named in one line, put aside, made again, equal."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from project import Project
from recorded import lines, original, recorded  # noqa: F401

LORA, ZERO = (Path(f"data/07_model_output/tiny/mood/{method}/s0") for method in ("lora", "zero_shot"))
Change = Callable[[Path], object]


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def faster(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"generate_seconds": 0.001}))


def another_answer(path: Path) -> None:
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | {"prediction": "good"}), *rest, ""]))


def a_row_less(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))


GENERATION: dict[str, tuple[Change, str]] = {
    "cut": (half, "differs from the record"),
    "empty": (lambda path: path.write_bytes(b""), "differs from the record"),
    "of no text": (lambda path: path.write_bytes(b"\xff\x00"), "differs from the record"),
    "by hand": (faster, "differs from the record"),
    "gone": (Path.unlink, "is gone"),
}
ANSWERS: list[tuple[Change, str]] = [
    (half, "differs from the record"),
    (lambda path: path.write_bytes(b""), "differs from the record"),
    (another_answer, "differs from the record"),
    (a_row_less, "differs from the record"),
    (Path.unlink, "is gone"),
]


@pytest.mark.parametrize(("case", "answers"), list(zip(GENERATION, ANSWERS, strict=True)))
def test_they_are_named_put_aside_and_made_again(
    case: str,
    answers: tuple[Change, str],
    recorded: Project,  # noqa: F811
) -> None:
    """A damaged record of one cell and damaged answers of another one, in one run."""
    spoilt = {LORA / "generation.json": GENERATION[case], ZERO / "predictions.jsonl": answers}
    sound = {path: (path / "predictions.jsonl").read_bytes() for path in (LORA, ZERO)}
    for path, (change, _) in spoilt.items():
        change(path)
    damaged = {path: path.read_bytes() for path in spoilt if path.exists()}
    done = recorded.kedro("run")
    assert done.exit_code == 0, done.output
    for path, (_, problem) in spoilt.items():
        said = [line for line in done.stderr.splitlines() if f" · s0: {path.name} {problem}" in line]
        assert len(said) == 1 and said[0].startswith(f"{path.parts[-3]} · tiny · mood"), done.stderr
    aside = {path.name: path.read_bytes() for path in Path("data").glob("07_model_output/**/damaged-*/*.json*")}
    assert aside == {path.name: content for path, content in damaged.items()}
    assert {path: (path / "predictions.jsonl").read_bytes() for path in sound} == sound
    assert lines(recorded.kedro("verify"))[-1].endswith(" checks passed")
