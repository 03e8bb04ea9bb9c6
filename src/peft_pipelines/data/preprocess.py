"""Functions from a raw row to one with more columns, for the few that a template cannot make."""

import json
import re
from collections.abc import Callable, Sequence
from string import ascii_uppercase
from typing import Any

from peft_pipelines.data.values import number_in, opening, texts_in, whole_in

Row = dict[str, Any]


def mark_spans(row: Row) -> Row:
    """Add ``marked``: the text with the noun phrase (span 1) in * and the pronoun (span 2) in #.

    >>> mark_spans({"text": "Ann fed her cat because it cried.", "span1_text": "her cat", "span1_index": 2,
    ...             "span2_text": "it", "span2_index": 5})["marked"]
    'Ann fed *her cat* because #it# cried.'
    """
    words = row["text"].split(" ")
    for number, mark in ((1, "*"), (2, "#")):
        first = whole_in(row, f"span{number}_index")
        last = first + len(row[f"span{number}_text"].split(" ")) - 1
        words[first] = mark + words[first]
        words[last] = re.sub(r"(\W*)$", rf"{mark}\1", words[last], count=1)
    return {**row, "marked": " ".join(words)}


def story_problem(row: Row) -> Row:
    """Write whole numbers of ``Equation`` without ".0" or blanks inside brackets, and add ``opening`` of ``Body``.

    >>> found = story_problem({"Equation": "( ( 7.0 + 2.5 ) - 4.0 )", "Body": "Ann has 7 pens. She buys 2.5 packs."})
    >>> found["Equation"], found["opening"]
    ('((7 + 2.5) - 4)', 'Ann has # pens.')
    """
    equation = re.sub(r"(\d+)\.0\b|(?<=\() | (?=\))", r"\1", row["Equation"])
    return {**row, "Equation": equation, "opening": opening(row["Body"])}


def squeeze_blanks(row: Row) -> Row:
    """Make each run of white space in the row's texts one blank, and drop it at both ends.

    >>> squeeze_blanks({"premise": " um-hum  and then\\nwe left ", "label": 1})
    {'premise': 'um-hum and then we left', 'label': 1}
    """
    return {name: " ".join(value.split()) if isinstance(value, str) else value for name, value in row.items()}


def one_decimal(row: Row) -> Row:
    """Add ``score``: the label with one decimal. A label below 0 is hidden, and a ValueError.

    >>> one_decimal({"label": 3.799999952316284})["score"]
    '3.8'
    """
    if (label := number_in(row, "label")) < 0:
        raise ValueError(f"label '{label}' is a hidden test label, score another split. Allowed: 0 and above")
    return {**row, "score": f"{label:.1f}"}


def cloze(row: Row) -> Row:
    """Make each highlight of ``passage`` a line of its own, show the gap of ``query``, and keep ``answers`` once each.

    >>> cloze({"passage": "Ann won.\\n@highlight\\nA first", "query": "@placeholder won.", "answers": ["Ann", "Ann"]})
    {'passage': 'Ann won.\\n- A first', 'query': '____ won.', 'answers': ['Ann']}
    """
    passage = re.sub(r"\s*@highlight\s*", "\n- ", row["passage"])
    answers = list(dict.fromkeys(texts_in(row["answers"], "answers")))
    return {**row, "passage": passage, "query": row["query"].replace("@placeholder", "____"), "answers": answers}


def letter_options(row: Row) -> Row:
    """Add ``options``: the entries of ``choices`` (a list, or a struct with the list ``text``), on lettered lines.

    Other text loses the white space around it and keeps what is inside, where code and tables may stand.

    >>> print(letter_options({"choices": {"text": ["a rock ", "a gas"], "label": ["A", "B"]}})["options"])
    A) a rock
    B) a gas
    """
    choices = row["choices"]
    texts = texts_in(choices["text"] if isinstance(choices, dict) else choices, "choices")
    stripped = {key: value.strip() if isinstance(value, str) else value for key, value in row.items()}
    return {**stripped, "options": _lettered(texts)}


def split_options(row: Row) -> Row:
    """Add ``options``, each on a lettered line, from text such as "a ) 4 , b ) 5" or the same written as a list.

    Raises:
        ValueError: the text does not name the options a to e, each once and in this order.

    >>> print(split_options({"options": "['a ) 1 : 2', 'b ) 3 , 5', 'c ) ( a ) 7', 'd ) 9 %', 'e ) none']"})["options"])
    A) 1 : 2
    B) 3 , 5
    C) ( a ) 7
    D) 9 %
    E) none
    """
    if not (match := _FIVE_OPTIONS.fullmatch(row["options"].strip())):
        raise ValueError(f"options must be a to e, each once and in this order, got {row['options']!r}")
    return {**row, "options": _lettered(match.groups())}


# A few rows hold a written-out list, a few repeat the letter: "a ) a ) 160".
_FIVE_OPTIONS = re.compile(
    r"\[?['\"]?" + r"['\"]? ?, ['\"]?".join(rf"{letter} \) (?:{letter} \) )?(.*?)" for letter in "abcde") + r"['\"]?\]?"
)


def join_endings(row: Row) -> Row:
    """Add ``context``: whole sentences, and ``options``: each ending with its beginning, on a lettered line.

    ``ctx_b`` begins all endings. The marks of how-to articles become ends of sentences.

    >>> row = {"ctx_a": "Ann opens the oven.", "ctx_b": "she", "endings": ["bakes.", ", smiling, sings."]}
    >>> print("{context}\\n{options}".format(**join_endings(row)))
    Ann opens the oven.
    A) She bakes.
    B) She, smiling, sings.
    >>> join_endings({**row, "ctx_a": "[header] How to nap [title] Lie down. [step] Rest"})["context"]
    'How to nap. Lie down. Rest.'
    """
    beginning = row["ctx_b"].strip()
    endings = [ending.strip() for ending in texts_in(row["endings"], "endings")]
    glue = ["" if re.match(r"[,.;:!?)/]|'[a-z]{1,2}\b", ending) else " " for ending in endings]
    whole = [beginning + blank + ending for blank, ending in zip(glue, endings, strict=True)]
    return {**row, "context": _sentences(row["ctx_a"]), "options": _lettered([_sentences(text) for text in whole])}


def split_solution(row: Row) -> Row:
    """Add ``steps`` and ``result``: the two parts of ``answer`` around "####", without the calculator's marks.

    Raises:
        ValueError: there is no "####".

    >>> solved = split_solution({"question": "?", "answer": "He pays 2*3 = $<<2*3=6>>6.\\n#### 6"})
    >>> solved["steps"], solved["result"]
    ('He pays 2*3 = $6.', '6')
    """
    steps, mark, result = re.sub(r"<<[^>]*>>", "", row["answer"]).rpartition("####")
    if not mark:
        raise ValueError(f"no '####' before the result in {row['answer']!r}")
    return {**squeeze_blanks(row), "steps": steps.strip(), "result": result.strip()}


def _lettered(texts: Sequence[str]) -> str:
    return "\n".join(f"{letter}) {text.strip()}" for letter, text in zip(ascii_uppercase, texts, strict=False))


def _sentences(text: str) -> str:
    """The text between marks such as [title], each part with a capital and an end, joined by blanks."""
    parts = [part.strip() for part in re.split(r"\[(?:header|title|step|substeps)\]", text)]
    ended = [part if part[-1] in ".!?:;,\"')" else f"{part}." for part in parts if part]
    return " ".join(part[0].upper() + part[1:] for part in ended)


def rewritten_request(row: Row) -> Row:
    """Add ``request``: the rewritten intent, or the intent itself where there is none.

    >>> rewritten_request({"intent": "trim a string", "rewritten_intent": None})["request"]
    'trim a string'
    """
    return {**row, "request": row["rewritten_intent"] or row["intent"]}


def distinct_solutions(row: Row) -> Row:
    """Make ``solutions`` (JSON or nothing) a list of distinct texts, the shortest (the learnt one) first, all stripped.

    Raises:
        ValueError: the text is no list of texts as JSON.

    >>> row = {"solutions": '["n = 1 + 1", "n = 2", "n = 2  "]', "starter_code": ""}
    >>> distinct_solutions(row)["solutions"]
    ['n = 2', 'n = 1 + 1']
    """
    texts = json.loads(row["solutions"] or "[]")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"solutions are no list of texts in {row['solutions'][:80]!r}")
    distinct = sorted(dict.fromkeys(text.strip() for text in texts if text.strip()), key=len)
    return {**row, "solutions": distinct, "starter_code": row["starter_code"].strip()}


FUNCTIONS: dict[str, Callable[[Row], Row]] = {
    function.__name__: function
    for function in (
        mark_spans,
        story_problem,
        squeeze_blanks,
        one_decimal,
        cloze,
        letter_options,
        split_options,
        join_endings,
        split_solution,
        rewritten_request,
        distinct_solutions,
    )
}
