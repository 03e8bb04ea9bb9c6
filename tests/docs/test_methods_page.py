"""The page on methods: its lines of Python do as written."""

import re

from base_rows import PROJECT

PAGE = (PROJECT / "docs/methods.md").read_text(encoding="utf-8")


def test_its_python_runs_as_written() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1 and "assert" in blocks[0]
    for block in blocks:
        exec(compile(block, "docs/methods.md", "exec"), {})
