"""What a worker on another machine must have in common with its run."""

from dataclasses import replace
from pathlib import Path

import pytest
from trivial import catalog, pipeline

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.running.same_place import Place
from peft_pipelines.running.units import split


@pytest.fixture
def here(tmp_path: Path) -> Place:
    found = catalog(tmp_path)
    found.save("x_prompts", ["?", 50])
    return Place.of(split(pipeline().nodes, {}).cells, found)


def test_the_own_place_is_the_same(here: Place, tmp_path: Path) -> None:
    assert here.file and here.file.is_relative_to(tmp_path)
    assert here.releases["torch"]
    here.check()


def test_a_store_that_is_not_shared_is_seen(here: Place) -> None:
    assert here.file
    here.file.unlink()
    with pytest.raises(ConfigError, match=r"^worker on .*: does not see the store, .*: no '.*prompts.json'$"):
        here.check()


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"device": "cuda"}, r"computes on 'cpu', the run is planned for 'cuda' \(--runner-params=num_gpus\)$"),
        ({"releases": {"torch": "0.1"}}, r"has torch \d.*, the run has 0\.1$"),
        ({"releases": {"no-such": "1"}}, r"has no-such None, the run has 1$"),
        ({"code": ""}, r"has other code of 'peft_pipelines' in '/.*' than the run$"),
    ],
)
def test_what_differs_is_named(here: Place, other: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=rf"^worker on .*: {says}"):
        replace(here, **other).check()  # type: ignore[arg-type]
