"""Data flow of Python code that is not run, from variable to variable: the fourth part of CodeBLEU.

The rules are those of the data flow that GraphCodeBERT was trained with (Guo et al. 2021) and that Ren et al. 2020
compare. They follow the words of a program in their order, know branches and loops but no scopes, and are rough on
purpose: ``a.b = c.d`` says that ``a`` comes from ``c`` and ``b`` from ``d``.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

COMES, COMPUTED = "comesFrom", "computedFrom"

# A loop's body is followed twice, so that its end reaches its start; nested loops would make that 2 to their number.
_TWICE_UP_TO_DEPTH = 8

Word = tuple[int, str]  # its number in the program, its text
Words = dict[tuple[int, int], Word]  # by the first byte and the byte behind it
States = dict[str, tuple[int, ...]]  # where the present value of a variable may come from: numbers of words


class Flow(NamedTuple):
    """A word of the program, and the words that its value comes from: their texts, and their numbers."""

    text: str
    number: int
    kind: str
    sources: tuple[str, ...]
    numbers: tuple[int, ...]


def data_flow(root: Any) -> list[tuple[int, str, tuple[int, ...]]]:
    """The flows of a syntax tree of tree-sitter, with variables numbered as they appear so that names do not matter.

    Code that does not parse may have none. ``b = a`` gives two: variable 0 comes from nowhere, 1 is computed from 0.

    >>> from peft_pipelines.evaluation.metrics.codebleu import tree
    >>> data_flow(tree("b = a"))
    [(1, 'computedFrom', (0,)), (0, 'comesFrom', ())]
    """
    try:
        words = {_span(leaf): (n, leaf.text.decode(errors="replace")) for n, leaf in enumerate(_leaves(root))}
        flows, _ = _follow(root, words, {}, 0)
    except (LookupError, RecursionError):  # a part is missing, or the code is too deep
        return []
    flows.sort(key=lambda flow: flow.number)
    linked = set(chain.from_iterable((flow.number, *flow.numbers) for flow in flows if flow.numbers))
    merged: dict[int, Flow] = {}
    for flow in flows:
        if flow.number in linked:
            known = merged.get(flow.number)
            merged[flow.number] = flow._replace(sources=_union(known.sources, flow.sources)) if known else flow
    return _anonymous(merged.values())


def _anonymous(flows: Iterable[Flow]) -> list[tuple[int, str, tuple[int, ...]]]:
    ids: dict[str, int] = {}
    for flow in flows:
        for name in (*flow.sources, flow.text):
            ids.setdefault(name, len(ids))
    return [(ids[flow.text], flow.kind, tuple(ids[name] for name in flow.sources)) for flow in flows]


def _follow(node: Any, words: Words, states: States, depth: int) -> tuple[list[Flow], States]:
    """The flows inside a node, and the states behind it."""
    if _is_leaf(node):
        return _at_leaf(node, words, states)
    if node.type == "default_parameter":
        return _at_default(node, words, states, depth)
    if node.type in ("assignment", "augmented_assignment", "for_in_clause"):
        return _at_assignment(node, words, states, depth)
    if node.type == "if_statement":
        return _at_if(node, words, states, depth)
    if node.type in ("for_statement", "while_statement"):
        return _at_loop(node, words, states, depth)
    clauses = [child for child in node.children if child.type == "for_in_clause"]
    return _in_turn(clauses + [child for child in node.children if child.type != "for_in_clause"], words, states, depth)


def _in_turn(nodes: Iterable[Any], words: Words, states: States, depth: int) -> tuple[list[Flow], States]:
    flows: list[Flow] = []
    for node in nodes:
        more, states = _follow(node, words, states, depth)
        flows += more
    return flows, states


def _at_leaf(node: Any, words: Words, states: States) -> tuple[list[Flow], States]:
    if node.type == "comment":
        return [], states
    number, text = words[_span(node)]
    if node.type == text:  # a keyword or a sign
        return [], states
    if text in states:
        return [Flow(text, number, COMES, (text,), states[text])], states
    if node.type == "identifier":
        states = {**states, text: (number,)}
    return [Flow(text, number, COMES, (), ())], states


def _at_default(node: Any, words: Words, states: States, depth: int) -> tuple[list[Flow], States]:
    name, value = _field(node, "name"), _field(node, "value")
    flows, states = _follow(value, words, states, depth)
    for number, text in _variables(name, words):
        flows += [Flow(text, number, COMES, (source,), (place,)) for place, source in _variables(value, words)]
        states = {**states, text: (number,)}
    return flows, states


def _at_assignment(node: Any, words: Words, states: States, depth: int) -> tuple[list[Flow], States]:
    if node.type == "for_in_clause":
        return _assign([_field(node, "left")], [node.children[-1]], words, states, depth)
    if node.child_by_field_name("right") is None:  # an annotation only
        return [], states
    return _assign(*_sides(node), words, states, depth)


def _assign(
    lefts: Sequence[Any], rights: Sequence[Any], words: Words, states: States, depth: int
) -> tuple[list[Flow], States]:
    flows, states = _in_turn(rights, words, states, depth)
    for left, right in zip(lefts, rights, strict=True):
        sources = _variables(right, words)
        numbers, texts = tuple(number for number, _ in sources), tuple(text for _, text in sources)
        for number, text in _variables(left, words):
            flows.append(Flow(text, number, COMPUTED, texts, numbers))
            states = {**states, text: (number,)}
    return flows, states


def _at_if(node: Any, words: Words, states: States, depth: int) -> tuple[list[Flow], States]:
    others = [child for child in node.children if child.type in ("elif_clause", "else_clause")]
    flows, after = _in_turn([child for child in node.children if child not in others], words, states, depth)
    ends = [after]
    for clause in others:
        more, end = _follow(clause, words, states, depth)
        flows += more
        ends.append(end)
    if not any(clause.type == "else_clause" for clause in others):
        ends.append(states)
    names = dict.fromkeys(chain.from_iterable(ends))
    return flows, {name: tuple(sorted({n for end in ends for n in end.get(name, ())})) for name in names}


def _at_loop(node: Any, words: Words, states: States, depth: int) -> tuple[list[Flow], States]:
    flows: list[Flow] = []
    for _ in range(2 if depth < _TWICE_UP_TO_DEPTH else 1):
        if node.type == "for_statement":
            more, states = _assign(*_sides(node), words, states, depth)
            flows += more
        # Of a for loop with "else" nothing but its head is followed, as in the original.
        parts = (
            node.children if node.type == "while_statement" else [n for n in node.children[-1:] if n.type == "block"]
        )
        more, states = _in_turn(parts, words, states, depth + 1)
        flows += more
    merged: dict[tuple[int, str], Flow] = {}
    for flow in flows:
        known = merged.setdefault((flow.number, flow.kind), flow)
        if known is not flow:
            numbers = tuple(sorted({*known.numbers, *flow.numbers}))
            merged[flow.number, flow.kind] = flow._replace(sources=_union(known.sources, flow.sources), numbers=numbers)
    return list(merged.values()), states


def _sides(node: Any) -> tuple[list[Any], list[Any]]:
    """Both sides of an assignment in parts where they have equally many, whole where they do not."""
    left, right = _field(node, "left"), _field(node, "right")
    lefts, rights = ([part for part in side.children if part.type != ","] for side in (left, right))
    return (lefts, rights) if lefts and len(lefts) == len(rights) else ([left], [right])


def _field(node: Any, name: str) -> Any:
    part = node.child_by_field_name(name)
    if part is None:
        raise LookupError(name)
    return part


def _union(known: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(known + more))


def _variables(node: Any, words: Words) -> list[Word]:
    """The words inside a node that are no keyword and no sign."""
    return [words[_span(leaf)] for leaf in _leaves(node) if leaf.type != words[_span(leaf)][1]]


def _leaves(node: Any) -> list[Any]:
    if _is_leaf(node):
        return [] if node.type == "comment" else [node]
    return [leaf for child in node.children for leaf in _leaves(child)]


def _is_leaf(node: Any) -> bool:
    return node.type == "string" or not node.children


def _span(node: Any) -> tuple[int, int]:
    return node.start_byte, node.end_byte
