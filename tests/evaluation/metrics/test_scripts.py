"""Words of texts that are not in English."""

# ruff: noqa: RUF001  (they look like Latin letters and signs, and are not)

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from rouge_score import tokenizers

from peft_pipelines.evaluation.metrics.bleu import bleu, bleu_counts, bleu_of, bleu_signature
from peft_pipelines.evaluation.metrics.scripts import AnyScript, spaced
from peft_pipelines.evaluation.metrics.text import rouge1, rouge2, rougeL

TEXTS = {
    "Chinese": "今天天气很好，我们去公园。",
    "Japanese": "今日は天気がいいです。",
    "Thai": "วันนี้อากาศดีมาก",
    "Russian": "сегодня очень хорошая погода",
    "Greek": "σήμερα ο καιρός είναι καλός",
    "Hindi": "आज मौसम बहुत अच्छा है",
    "Arabic": "الطقس اليوم جميل جدا",
    "Korean": "오늘 날씨가 아주 좋습니다",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_text_equals_itself_in_each_script(language: str) -> None:
    text = TEXTS[language]
    for metric in (rouge1, rouge2, rougeL, bleu):
        assert metric([text], [[text]], []) == pytest.approx({metric.__name__: 1.0})
    assert bleu_of(bleu_counts(text, [text])) == pytest.approx(1.0)


def test_half_of_a_chinese_answer_scores_between_none_and_all() -> None:
    half = rouge1(["今天很热"], [["今天很好"]], [])["rouge1"]
    assert half == pytest.approx(0.75)
    assert rouge1(["猫"], [["狗"]], []) == {"rouge1": 0.0}


def test_words_of_hindi_keep_their_vowels() -> None:
    assert AnyScript().tokenize("अच्छा है") == ["अच्छा", "है"]


def test_bleu_of_chinese_is_that_of_the_librarys_chinese_tokeniser() -> None:
    said, right = ["今天天气很好，我们去公园吧。", "他喜欢吃苹果"], ["今天天气不错，我们去公园。", "他喜欢苹果"]
    theirs = sacrebleu.corpus_bleu(said, [right], tokenize="zh").score / 100
    assert bleu(said, [[text] for text in right], [])["bleu"] == pytest.approx(theirs)


def test_the_signature_says_that_signs_were_taken_apart() -> None:
    assert bleu_signature(["猫"], [["猫"]]).endswith("|signs:apart")
    assert "signs" not in bleu_signature(["cat"], [["cat"]])


@given(st.text(st.characters(max_codepoint=127)))
def test_english_is_read_as_rouge_score_reads_it(text: str) -> None:
    assert AnyScript().tokenize(text) == tokenizers.DefaultTokenizer(use_stemmer=False).tokenize(text)
    assert spaced(text) == text
