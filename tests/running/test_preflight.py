"""Before a run: whose memory must do for its cells."""

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models.enough_memory import Need
from peft_pipelines.running import preflight
from peft_pipelines.running.preflight import Inputs, check


def test_the_memory_here_counts_only_where_cells_are_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = [Need("model 'big'", "its weights alone take, in bfloat16,", 10**18, "a smaller model")]
    monkeypatch.setattr(preflight, "check_models", lambda *asked: needs)
    catalog = DataCatalog()
    inputs = Inputs(Pipeline([]), catalog)
    check(inputs, catalog, here=False)
    with pytest.raises(ConfigError, match=r"^model 'big': .* 1,000,000,000\.0 GB at least, this "):
        check(inputs, catalog)
