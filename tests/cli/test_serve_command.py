"""``kedro serve``: mistakes end in one line, before a model loads."""

import pytest
from project import Project, project
from recorded import LORA, ZERO, original, recorded

from peft_pipelines.cli import server_options
from peft_pipelines.models import base_model
from peft_pipelines.serving.listening import bound
from peft_pipelines.serving.server import TOKEN

__all__ = ["original", "project", "recorded"]


def refused(where: Project, *words: str) -> str:
    done = where.kedro("serve", *words)
    assert (done.exit_code, done.stdout) == (1, ""), done.output
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_mistakes_are_one_line(recorded: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_model, "resident", lambda *_: pytest.fail("a model is read"))
    with bound("127.0.0.1", 0) as taken:
        number = str(taken.getsockname()[1])
        for words, reason in (
            (["lora.tiny.mood.s1"], "cell 'lora.tiny.mood.s1': has not been made"),
            (["loar.tiny.mood.s0"], "cell: unknown method 'loar', did you mean 'lora'?"),
            (
                ["lora.tiny.mood"],
                "cell: must be METHOD MODEL TASK SEED or METHOD.MODEL.TASK.SEED, got 'lora.tiny.mood'",
            ),
            ([LORA, ZERO, LORA], f"cell: must name each once, got '{LORA}' twice"),
            ([LORA, ZERO, "--beside=zero_shot"], f"cell: must name each once, got '{ZERO}' twice"),
            ([LORA, "ia3.tiny.mood.s0"], "cell 'ia3.tiny.mood.s0': has not been made"),
            ([LORA, "--beside=ia3"], "cell 'ia3.tiny.mood.s0': has not been made"),
            ([LORA, "--beside=zero"], "--beside: unknown method 'zero', did you mean 'zero_shot"),
            ([LORA, "--port=65536"], "--port: must be a whole number from 0 to 65535, got '65536'"),
            (
                [LORA, f"--port={number}"],
                f"--host, --port: cannot listen on '127.0.0.1', port {number}: Address already",
            ),
            ([LORA, "--host= "], "--host: must be a name, got ' '"),
            ([LORA, "--run=2020"], "RUN_ID: unknown run '2020'"),
        ):
            given = words if any("--port" in word for word in words) else [*words, "--port=0"]
            assert refused(recorded, *given).startswith(f"Error: {reason}")
    monkeypatch.setenv(TOKEN, "short")
    assert refused(recorded, LORA, "--port=0").startswith(f"Error: {TOKEN}: must be at least 16 letters")


def test_where_its_libraries_are_missing_it_says_how_to_get_them(
    recorded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_options, "find_spec", lambda name: None if name == "uvicorn" else object())
    assert refused(recorded, LORA) == (
        "Error: kedro serve: needs FastAPI and Uvicorn, which are not installed: pip install -e '.[serve]'\n"
    )
