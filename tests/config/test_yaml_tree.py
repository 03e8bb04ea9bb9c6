"""Text that is written is read as the same text, whatever rules for bare words the reader has."""

import pytest
import yaml

from peft_pipelines.config.yaml_tree import Dumper, Loader


@pytest.mark.parametrize(
    "text", ["1e5", "1e-5", "1_000", "007", "0o7", "1:30", "on", "~", "", ".5", "2026-01-31", "a\x85b", "a\u2028b\r\n"]
)
@pytest.mark.parametrize("flow", [True, False])
def test_text_comes_back_as_it_was(text: str, flow: bool) -> None:
    values = {"value": text, text: [text]}
    written = yaml.dump(values, Dumper=Dumper, default_flow_style=flow, allow_unicode=True)
    assert yaml.load(written, Loader=Loader) == values
