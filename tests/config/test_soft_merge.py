"""Values of two environments in one: a text is what it was, and neither side is changed."""

from pathlib import Path

from peft_pipelines.config.conf_loader import ConfLoader
from peft_pipelines.config.soft_merge import soft_merge


def test_fields_are_merged_and_the_rest_is_replaced() -> None:
    base, other = {"a": {"b": {"c": 1}, "d": [1, 2]}, "e": 1}, {"a": {"b": {"f": 2}, "d": []}, "g": {"h": None}}
    assert soft_merge(base, other) == {"a": {"b": {"c": 1, "f": 2}, "d": []}, "e": 1, "g": {"h": None}}
    assert base == {"a": {"b": {"c": 1}, "d": [1, 2]}, "e": 1}
    assert soft_merge({"a": {"b": 1}}, {"a": None}) == {"a": None}


def test_a_plain_brace_of_an_environment_is_no_interpolation(tmp_path: Path) -> None:
    for folder, text in (("base", "tasks: {one: 'a \\${x}'}"), ("mine", "tasks: {two: 'b \\${{y}} \\\\\\${z}'}")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "parameters.yml").write_text(text)
    loader = ConfLoader(
        str(tmp_path), env="mine", base_env="base", default_run_env="local", merge_strategy={"parameters": "soft"}
    )
    assert loader["parameters"] == {"tasks": {"one": "a ${x}", "two": "b ${{y}} \\${z}"}}
