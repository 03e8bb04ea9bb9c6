"""CodeBLEU (Ren et al. 2020, arXiv 2009.10297) of Python code, on present-day tree-sitter."""

import keyword
import math
import tokenize
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from io import StringIO
from typing import Any, NamedTuple

from peft_pipelines.evaluation.metrics.codebleu_dataflow import data_flow
from peft_pipelines.evaluation.metrics.normalize import check, normalise

KEYWORDS = frozenset([*keyword.kwlist, "match", "case", "type"])
_OTHER_WEIGHT = 0.2
_ORDERS = (1, 2, 3, 4)
_NO_MATCH = 0.1  # what an order without a match counts, instead of 0

# What is longer or deeper has no tree: the time to compare trees grows with letters times depth, and both limits are
# far above what a model is asked for.
LONGEST_CODE, DEEPEST_CODE = 20_000, 200

Tokens = list[str]


def codebleu(
    predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Mean of four scores from 0 to 1 over all items pooled: n-grams, n-grams with keywords, syntax trees, data flow.

    Words are parted at white space; comments and docstrings count in the first two and not in the trees. Several
    right answers of an item are pooled too (of n-grams the best count is taken), so an answer that equals one of them
    need not score all. A score of data flow needs flow in the right answers; without any the other three are averaged.

    Numbers are those of the package codebleu 0.7.0, quirks included (the brevity penalty of the weighted n-grams
    takes each right answer for two words long; code indented by tabs gets a broken tree), but for the following:

    - Data flow without any match is 0. There it counts 1, so that an answer of nonsense scores 0.25 and more.
    - Right answers without flow leave three scores. There the fourth counts 1 as well.
    - Variables that a value comes from stay in the order of the program. There their order is that of a set of texts,
      which changes from one run of Python to the next.
    - Comments are removed from an answer once. There once more for each right answer.
    - Columns are bytes throughout. There bytes are taken for letters, so that words behind a letter beyond ASCII are
      cut wrong.
    - The grammar is a newer one: code that does not parse may get another tree, and the two words of ``not in`` and
      ``is not`` are no variables.
    - Code above 20,000 letters or 200 levels has no tree, and loops inside eight others are followed once.

    >>> scores = codebleu(["def f(x):\\n    return x + 1"], [["def g(y):\\n    return y + 1"]], [])
    >>> [(name.removeprefix("codebleu_"), round(value, 3)) for name, value in scores.items()]
    [('codebleu', 0.553), ('ngram', 0.103), ('keywords', 0.109), ('syntax', 1.0), ('dataflow', 1.0)]
    """
    check(predictions, references, labels)
    items = [item_counts(text, item) for text, item in zip(predictions, references, strict=True)]
    return scores_of([math.fsum(column) for column in zip(*items, strict=True)])


def item_counts(prediction: str, references: Sequence[str]) -> list[float]:
    """Summands of one item for ``scores_of``: 23 numbers."""
    answer, rights = normalise(prediction), [normalise(text) for text in references]
    words, right_words = answer.split(), [text.split() for text in rights]
    closest = min((abs(len(right) - len(words)), len(right)) for right in right_words)[1]
    found = [_precision(words, right_words, n) for n in _ORDERS]
    recalled = [[_recall(words, right, n) for right in right_words] for n in _ORDERS]
    return [
        *(number for pair in found for number in pair),
        *(math.fsum(column) for pairs in recalled for column in zip(*pairs, strict=True)),
        *(len(words), closest, 2),
        *_same_parts(answer, rights),
    ]


def scores_of(sums: Sequence[float]) -> dict[str, float]:
    """The scores of the items whose counts were added up."""
    pairs = list(zip(sums[0:16:2], sums[1:16:2], strict=True))
    length, closest, short, subtrees, same_subtrees, flows, same_flows = sums[16:]
    scores = {
        "codebleu_ngram": _geometric_mean(pairs[:4]) * _brevity(length, closest),
        "codebleu_keywords": _geometric_mean(pairs[4:]) * _brevity(length, short),
        "codebleu_syntax": same_subtrees / max(1, subtrees),
        "codebleu_dataflow": same_flows / flows if flows else 0.0,
    }
    return {"codebleu": sum(scores.values()) / (4 if flows else 3), **scores}


def _precision(answer: Tokens, item: Sequence[Tokens], n: int) -> tuple[float, float]:
    counts = _count(answer, n)
    most: Counter[tuple[str, ...]] = Counter()
    for right in item:
        most |= _count(right, n)
    return max(1, counts.total()), (counts & most).total()


def _recall(answer: Tokens, right: Tokens, n: int) -> tuple[float, float]:
    counts = _count(right, n)
    found = counts & _count(answer, n)
    if n > 1:
        return max(1, counts.total()), found.total()
    return max(1, _weight(counts)), _weight(found)


def _weight(counts: Mapping[tuple[str, ...], int]) -> float:
    return sum(count * (1 if word[0] in KEYWORDS else _OTHER_WEIGHT) for word, count in counts.items())


def _count(words: Tokens, n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def _geometric_mean(orders: Sequence[tuple[float, float]]) -> float:
    """Of the shares found / whole: what each order has of (whole, found)."""
    if orders[0][1] == 0:  # no word in common
        return 0.0
    return math.exp(math.fsum(math.log((found or _NO_MATCH) / whole) for whole, found in orders) / len(orders))


def _brevity(length: float, wanted: float) -> float:
    if length > wanted:
        return 1.0
    return math.exp(1 - wanted / length) if length else 0.0


def _same_parts(answer: str, rights: Sequence[str]) -> tuple[int, int, int, int]:
    """Counts of the right answers' subtrees and data flows, each with the count of those that the answer has too."""
    code, others = _code(answer), [_code(right) for right in rights]
    known = set(code.subtrees)
    same_subtrees = sum(subtree in known for right in others for subtree in right.subtrees)
    same_flows = sum((Counter(right.flow) & Counter(code.flow)).total() for right in others)
    return (
        sum(len(right.subtrees) for right in others),
        same_subtrees,
        sum(len(right.flow) for right in others),
        same_flows,
    )


class _Code(NamedTuple):
    subtrees: list[int]
    flow: list[tuple[int, str, tuple[int, ...]]]


@lru_cache(maxsize=10_000)  # right answers come back with every evaluation
def _code(text: str) -> _Code:
    if len(text) > LONGEST_CODE:
        return _Code([], [])
    root = tree(without_remarks(text))
    subtrees = _subtrees(root)
    return _Code(subtrees, data_flow(root) if subtrees else [])


def tree(code: str) -> Any:
    """The root of the syntax tree of Python code; code that does not parse has one too, with errors in it."""
    return _parser().parse(code.encode("utf-8", "replace")).root_node


@lru_cache
def _parser() -> Any:
    library, grammar = import_module("tree_sitter"), import_module("tree_sitter_python")
    return library.Parser(library.Language(grammar.language()))


def _subtrees(root: Any) -> list[int]:
    """The shapes of the tree and of each part of it that has parts, without names and values; as hashes, for size."""
    waiting, parts = [(root, 1)], []
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST_CODE:
            return []
        parts.append(node)
        waiting += [(child, depth + 1) for child in node.named_children if child.children]
    return [hash(str(node)) for node in parts]


def without_remarks(code: str) -> str:
    r"""The code without comments, docstrings and empty lines; as it is where it cannot be parted into tokens.

    Each gap between tokens becomes blanks, so that a tab between them, or in front of a line, becomes one.

    >>> without_remarks("def f():  # why\n    'What f does.'\n\n    return 1")
    'def f():  \n    return 1'
    """
    kept, before, row, column = "", tokenize.INDENT, 0, 0
    try:
        for token in tokenize.generate_tokens(StringIO(code).readline):
            (first, start), (last, end) = token.start, token.end
            column = 0 if first > row else column
            kept += " " * (start - column)
            docstring = token.type == tokenize.STRING and (before in (tokenize.INDENT, tokenize.NEWLINE) or start == 0)
            if token.type != tokenize.COMMENT and not docstring:
                kept += token.string
            before, row, column = token.type, last, end
    except (tokenize.TokenError, SyntaxError):
        return code
    return "\n".join(line for line in kept.split("\n") if line.strip())
