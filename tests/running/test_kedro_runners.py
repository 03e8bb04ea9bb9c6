"""Runners that a run may have, and where their libraries are missing."""

import sys

import pytest

import peft_pipelines.running
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running.kedro_runners import keeps_records
from peft_pipelines.running.ray_runner import RayRunner


def test_without_ray_its_runner_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"^--runner: 'RayRunner' needs Ray, .*: pip install -e '\.\[ray\]'$"):
        RayRunner()


def test_the_runner_on_a_cluster_has_a_short_name() -> None:
    assert peft_pipelines.running.RayRunner is RayRunner
    with pytest.raises(AttributeError, match="NoRunner"):
        _ = peft_pipelines.running.NoRunner


def test_the_runner_on_a_cluster_keeps_records() -> None:
    assert keeps_records(f"<{RayRunner.__module__}.RayRunner object at 0x7f>")
