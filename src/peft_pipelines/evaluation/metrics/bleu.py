"""BLEU of sacrebleu over a whole split, and the counts that it is made of."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from peft_pipelines.evaluation.metrics.normalize import check, normalise
from peft_pipelines.evaluation.metrics.scripts import spaced

SIGNS = "|signs:apart"
"""What a signature holds besides where texts are of a script without blanks."""


def bleu(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, float]:
    """Corpus BLEU of sacrebleu, from 0 to 1, with case kept; ``bleu_signature`` says how it was computed.

    It pools the n-grams of all items: not the mean of their BLEU, and an answer of one word adds little. Of scripts
    without blanks, such as Chinese, each sign is a word.

    >>> bleu(["x = sorted(values)"], [["x = sorted(values)", "values.sort()"]], [])
    {'bleu': 1.0}
    """
    score, _ = _bleu(predictions, references, labels)
    return {"bleu": score}


def bleu_signature(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> str:
    """The signature that a BLEU score is cited with: number of right answers, case, tokeniser, smoothing, version.

    >>> bleu_signature(["a b"], [["a b"]])
    'nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:...'
    """
    _, signature = _bleu(predictions, references, [])
    return signature


def bleu_counts(prediction: str, references: Sequence[str]) -> list[float]:
    """Summands of one item for ``bleu_of``: matched and all n-grams of four orders, two lengths."""
    score = _scorer().corpus_score([_words(prediction)], [[spaced(text)] for text in references])
    return [*score.counts, *score.totals, score.sys_len, score.ref_len]


def bleu_of(sums: Sequence[float]) -> float:
    """The corpus BLEU of the items whose counts were added up.

    >>> bleu_of(bleu_counts("x = sorted(values)", ["x = sorted(values)"]))
    1.0
    """
    *counts, length, wanted = map(round, sums)
    score = _scorer().compute_bleu(counts[:4], counts[4:], length, wanted, smooth_method="exp").score
    return min(float(score) / 100, 1.0)


def _words(text: str) -> str:
    return spaced(normalise(text))


def _scorer() -> Any:
    return import_module("sacrebleu.metrics").BLEU()


def _bleu(predictions: Sequence[str], references: Sequence[Sequence[str]], labels: Sequence[str]) -> tuple[float, str]:
    check(predictions, references, labels)
    metric = _scorer()
    most = max(map(len, references))
    # sacrebleu wants the n-th right answers of all items together, None where an item has fewer
    streams = [[spaced(item[n]) if n < len(item) else None for item in references] for n in range(most)]
    score = metric.corpus_score([_words(text) for text in predictions], streams).score
    by_signs = any(spaced(text) != text for item in references for text in item)
    return min(score / 100, 1.0), f"{metric.get_signature()}{SIGNS if by_signs else ''}"
