"""The garbage collector: seldom while a command lasts, as before behind it, and not at the end of the process."""

import gc
import subprocess
import sys

import pytest

from peft_pipelines.files import garbage

AT_END = """
import atexit, gc
from peft_pipelines.files import garbage
atexit.register(lambda: print(gc.get_freeze_count() > 0))
with garbage.seldom():
    print(gc.get_freeze_count() > 0)
"""


def test_garbage_is_looked_for_seldom_in_a_block_alone() -> None:
    before = gc.get_threshold()
    with pytest.raises(KeyError), garbage.seldom():
        assert gc.isenabled() and gc.get_threshold() == (garbage.ALLOCATIONS, *before[1:])
        raise KeyError
    assert gc.get_threshold() == before


def test_what_lives_at_the_end_is_not_looked_through() -> None:
    done = subprocess.run([sys.executable, "-c", AT_END], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
