"""The program that Python runs inside the sandbox: it gives up its rights, sets the limits and runs the job.

It gets its job from a file descriptor, knows no right answer, and is sent as text: nothing of the project lies inside.
"""

import ast
import json
import marshal
import os
import sys
import types
from typing import Any

READY = b"\nready"
RECURSION = 600_000  # as APPS allows; the memory limit ends what goes too deep
NAME = "program.py"

# Names that programs for online contests take for granted. It shadows no built-in name.
PRELUDE = """
import bisect, collections, copy, datetime, functools, heapq, itertools, math, operator, random, re, string, sys, time
from bisect import bisect, bisect_left, bisect_right, insort
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from fractions import Fraction
from functools import cache, cmp_to_key, lru_cache, reduce
from heapq import heapify, heappop, heappush, heappushpop, heapreplace, nlargest, nsmallest
from itertools import accumulate, chain, combinations, cycle, groupby, permutations, product, zip_longest
from math import ceil, comb, exp, factorial, floor, gcd, hypot, inf, log, log2, log10, pi, sqrt
from typing import Any, Callable, Deque, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple, Union
"""


def main(descriptor: int) -> None:
    """Run the job that the descriptor holds."""
    with os.fdopen(descriptor, "rb") as handle:
        job = marshal.load(handle)
    confine(job["limits"], job["user"])
    sys.set_int_max_str_digits(0)
    sys.setrecursionlimit(RECURSION)
    sys.argv = [NAME]
    null = os.open(os.devnull, os.O_RDWR)
    os.write(2, READY)
    os.dup2(null, 2)
    if job["function"] is None:
        execute(job["source"])
    else:
        answer = os.dup(1)
        for stream in (0, 1):
            os.dup2(null, stream)
        value = call(execute(job["source"]), job["function"], job["arguments"])
        with os.fdopen(answer, "w") as handle:
            json.dump(value, handle)


def confine(limits: dict[int, int], user: int) -> None:
    """Set the limits, by their number in ``resource``, and become a user without rights (0: is one already)."""
    import resource  # noqa: PLC0415  (inside the sandbox; where there is none, this module's text is read and not run)

    for which, most in limits.items():
        resource.setrlimit(which, (most, most))
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def execute(source: str) -> dict[str, Any]:
    """Run a program as the main module; the names that it defines."""
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    exec(PRELUDE, module.__dict__)
    exec(compiled(source), module.__dict__)
    return module.__dict__


def compiled(source: str) -> types.CodeType:
    """A program's code. What is only valid inside a function (``return``, ``nonlocal``) is run as the body of one.

    APPS runs all programs so, and one in twenty-five of its solutions is written for it.
    """
    try:
        return compile(source, NAME, "exec")
    except SyntaxError:
        tree = ast.parse(source)
    wrapped = ast.parse("def program():\n    pass\nprogram()")
    imports = [part for part in tree.body if isinstance(part, ast.Import | ast.ImportFrom)]
    function = wrapped.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body += [part for part in tree.body if part not in imports]
    wrapped.body[:0] = imports  # `from … import *` may not stand in a function
    return compile(wrapped, NAME, "exec")


def call(names: dict[str, Any], function: str, arguments: list[Any]) -> Any:
    """Call a method of the class ``Solution``, or the plain function."""
    solution = names.get("Solution")
    if isinstance(solution, type) and hasattr(solution, function):
        return getattr(solution(), function)(*arguments)
    return names[function](*arguments)


if __name__ == "__main__":
    main(int(sys.argv[1]))
