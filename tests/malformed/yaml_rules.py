"""What can be wrong with a file of YAML: each kind of fault in each file, and what files are to one another."""

from collections.abc import Callable
from pathlib import Path

from malformed import Rule

FILES = [
    "conf/local/grid.yml",
    "conf/local/parameters.yml",
    "conf/local/globals.yml",
    "conf/base/catalog.yml",
    "conf/base/grid.yml",
    "conf/base/globals.yml",
    "conf/base/parameters/training.yml",
    "conf/base/parameters/methods/lora.yml",
    "conf/local/credentials.yml",
]
"""Each kind of file; the first four get each fault, the others some."""

BOMB = "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}' if n else 'x'] * 9)}]\n" for n in range(9))
CHAIN = "".join(f"c{n}: &c{n} [{f'*c{n - 1}' if n else 'x'}]\n" for n in range(80))

FAULTS: dict[str, tuple[bytes, list[str]]] = {
    "a tab": (b"new:\n\tx: 1\n", ["line 2, column 1: a tab; lines are indented by blanks"]),
    "an unclosed bracket": (b"new: [1, 2\n", ["line 2, column 1: ", "did not find expected ',' or ']'"]),
    "an unclosed quote": (b"new: 'x\n", ["line 2, column 1: ", "unexpected end of stream"]),
    "a key without a colon": (b"old: 1\nnew\n", ["line 3, column 1: ", "could not find expected ':'"]),
    "two colons": (b"new: x: y\n", ["line 1, column 7: mapping values are not allowed"]),
    "an @": (b"new: @x\n", ["line 1, column 6: ", "cannot start any token"]),
    "an unknown tag": (b"new: !foo x\n", ["line 1, column 6: unknown tag '!foo'; plain values need none"]),
    "a tag of Python": (
        b"new: !!python/object/apply:os.system [true]\n",
        ["line 1, column 6: unknown tag '!!python/object/apply:os.system'"],
    ),
    "a set": (b"new: !!set {x}\n", ["line 1, column 6: unknown tag '!!set'"]),
    "not UTF-8": (b"new: caf\xe9\n", [": must be UTF-8, but byte ", "(line 1) is 0xe9"]),
    "UTF-16": (b"\xff\xfen\x00", [": must be UTF-8, but byte ", "is 0xff"]),
    "NUL": (b"new: x\x00\n", ["line 1, column 7: control character U+0000; plain text is allowed"]),
    "an escape sequence": (b"new: \x1b[2J\n", ["line 1, column 6: control character U+001B"]),
    "half of a character": (b'new: "\\ud800"\n', ["line 1, column "]),
    "a key twice": (b"new: 1\nnew: 2\n", ["line 2, column 1: key 'new' stands in line 1 already"]),
    "a key twice inside": (b"new: {x: 1, x: 2}\n", ["line 1, column 13: key 'x' stands in line 1 already"]),
    "an alias of nothing": (b"new: *nothing\n", ["line 1, column 6: found undefined alias"]),
    "an alias of itself": (b"new: &new [*new]\n", ["line 1, column 12: alias '*new' stands inside the value"]),
    "nested aliases without end": (BOMB.encode(), ["aliases expand to more than the 100000 values that are allowed"]),
    "a chain of aliases": (CHAIN.encode(), ["nested too deeply; 50 levels are allowed"]),
    "deep nesting": (b"new: " + b"[" * 9000 + b"]" * 9000, ["nested too deeply; 50 levels are allowed"]),
    "a bare no as a key": (b"no: 1\n", ["line 1, column 1: key 'no': YAML reads a bare no as false: quote it"]),
    "a bare ON as a key": (b"new: {ON: 1}\n", ["column 7: key 'ON': YAML reads a bare ON as true: quote it"]),
    "a number as a key": (b"7: x\n", ["line 1, column 1: key '7' must be text: quote it"]),
    "nothing as a key": (b"~: x\n", ["line 1, column 1: a key must be text or a number"]),
    "a list as a key": (b"? [x, y]\n: 1\n", ["line 1, column 3: a key must be text or a number"]),
    "a leading zero": (b"new: 010\n", ["line 1, column 6: '010' would be read as the number 8: quote it"]),
    "a number with a colon": (b"new: 1:30\n", ["line 1, column 6: '1:30' would be read as the number 90"]),
    "a tag that does not fit": (b"new: !!int x\n", ["line 1, column 6: 'x' is no value: invalid literal"]),
    "a merge with a list": (b"new: {<<: [1]}\n", ["line 1, column 12: expected a mapping for merging"]),
    "a missing value": (b"new: ???\n", ["line 1, column 6: '???' stands for a missing value; write one"]),
    "two documents": (b"old: 1\n---\nnew: 1\n", ["line 2, column 1: expected a single document"]),
    "an unclosed interpolation": (b"new: ${globals:store\n", ["line 1, column 1: key 'new': ", "written '\\${'"]),
    "an unknown key of globals": (b"new: ${globals:nope}\n", ["line 1, column 1: key 'new': ", "nope"]),
    "an unknown resolver": (b"new: ${nope:x}\n", ["line 1, column 1: key 'new': Unsupported interpolation type nope"]),
    "an unknown key": (b"new: ${nope.x}\n", ["line 1, column 1: key 'new': Interpolation key 'nope.x' not found"]),
    "keys that stand for one another": (b"new: ${old}\nold: ${new}\n", ["line 1, column 1: ", "new"]),
}
"""What a file holds instead, and what is said of it."""

IN_EACH_FILE = (
    "a tab",
    "an unclosed bracket",
    "not UTF-8",
    "NUL",
    "a key twice",
    "an unknown tag",
    "an unknown key of globals",
)


def instead(file: str, fault: bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / file).write_bytes(fault)

    return spoil


def of(fault: str, file: str) -> Rule:
    content, says = FAULTS[fault]
    return Rule(f"{fault} in {file}", instead(file, content), [f"{file.removeprefix('conf/')}", *says])


RULES = [
    *(of(fault, file) for fault in FAULTS for file in FILES[:4]),
    *(of(fault, file) for fault in IN_EACH_FILE for file in FILES[4:] if "globals" not in fault or "cred" not in file),
]
