"""Hostile texts, and what each kind of reader gets of them."""

import json

import pytest

from peft_pipelines.files.escape import (
    code,
    for_csv,
    for_latex,
    for_markdown,
    for_markdown_lines,
    for_script,
    for_terminal,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;pwn\x07", r"\x1b[2J\x1b]0;pwn\x07"),
        ("\x9b31m\x7f\x00\x08", r"\x9b31m\x7f\x00\x08"),
        ("user\u202egpj.exe\u2066\u2069", r"user\u202egpj.exe\u2066\u2069"),
        ("a\u200bb\ufeffc\u00add", r"a\u200bb\ufeffc\xadd"),
        ("one\u2028two\u2029three\x85", r"one\u2028two\u2029three\x85"),
        ("over\rwritten\ttab\nline", r"over\rwritten\ttab\nline"),
        ("\udce9\U000e0041", r"\udce9\U000e0041"),
        ("naïve 中文 😀 ± — a\u00a0b", "naïve 中文 😀 ± — a\u00a0b"),
        (r"C:\Users\x1b", r"C:\Users\x1b"),
    ],
)
def test_control_characters_are_shown(text: str, shown: str) -> None:
    assert for_terminal(text) == shown
    assert for_terminal(shown) == shown


def test_ends_of_lines_stay_where_they_are_asked_for() -> None:
    assert for_terminal("a\nb\x1b\r\n", keep="\n") == "a\nb\\x1b\\r\n"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ('=HYPERLINK("http://evil","x")', '\'=HYPERLINK("http://evil","x")'),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1+1", "'  =1+1"),
        ("\t=1", r"'\t=1"),
        ("\rx", r"'\rx"),
        ("\ufeff=1", r"'\ufeff=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("- a list", "'- a list"),
        ("\x1b[2J", r"\x1b[2J"),
        ("-1.5", "-1.5"),
        ("-", "-"),
        ("-1e-05", "-1e-05"),
        ("+.5", "+.5"),
        ("-inf", "-inf"),
        ("3 = 3", "3 = 3"),
        ("", ""),
        (-1.5, -1.5),
        (0, 0),
        (None, None),
        (True, True),
    ],
)
def test_no_cell_of_a_csv_file_is_a_formula(value: object, cell: object) -> None:
    assert for_csv(value) == cell and type(for_csv(value)) is type(cell)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)>"),
        ("&lt;b&#62; AT&T", "&amp;lt;b&amp;#62; AT&T"),
        ("a | b", r"a \| b"),
        ("a \\| b", r"a \\\| b"),
        ("`code` **bold** __init__ ~~no~~", r"\`code\` \*\*bold\*\* \_\_init\_\_ \~~no\~~"),
        ("[me](javascript:alert(1))", r"[me\](javascript:alert(1))"),
        ("![p](http://evil/p.png)", r"![p\](http://evil/p.png)"),
        ("[a][b] and [b]: http://evil", r"[a\][b] and [b\]: http://evil"),
        ("one\n\n## two\n---\n", "one ## two --- "),
        ("\x1b[2J", r"\x1b[2J"),
        ("macro_f1 ↑", "macro_f1 ↑"),
        ("50.0 [40, 60] ≈", "50.0 [40, 60] ≈"),
        ("C:\\Users", "C:\\Users"),
    ],
)
def test_a_text_is_text_in_markdown(text: str, shown: str) -> None:
    assert for_markdown(text) == shown
    assert for_markdown(for_markdown(text)) == shown


def test_no_line_of_a_paragraph_is_a_block_of_its_own() -> None:
    lines = "# a\n## b\n> c\n- d\n+ e\n---\n===\n1. f\n2) g\n~~~\n1.5 -x #y -- 3\n-1 %"
    shown = "\\# a\n\\## b\n\\> c\n\\- d\n\\+ e\n\\---\n\\===\n1\\. f\n2\\) g\n\\~~~\n1.5 -x #y -- 3\n-1 %"
    assert for_markdown_lines(lines) == shown


def test_code_ends_where_it_says() -> None:
    assert code("a`b") == "`` a`b ``" and code("x\n```\ny") == "```` x ``` y ````"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("^^5cinput", r"\textasciicircum{}\textasciicircum{}5cinput"),
        ("a\n\nb\\\\", r"a b\textbackslash{}\textbackslash{}"),
        ("[1cm] *", "{[}1cm{]} {*}"),
        ("5 % of $x_1$ & #2 ~ <b>", r"5 \% of \$x\_1\$ \& \#2 \textasciitilde{} \textless{}b\textgreater{}"),
        ("\x00", r"\textbackslash{}x00"),
        ("Caf\u00e9 \u010desk\u00fd Å", r"Caf\'{e} \v{c}esk\'{y} \r{A}"),
        ("中\u0301ß ǖ ≠ a\u00a0b", "U+4E2DU+0301U+00DF U+01D6 U+2260 a~b"),
        ('"a"', r"\textquotedblright{}a\textquotedblright{}"),
    ],
)
def test_a_text_is_text_in_latex(text: str, shown: str) -> None:
    assert for_latex(text) == shown


def test_json_cannot_end_its_script() -> None:
    hostile = {"a": "</script><!--<script>\u2028", "b": [1.5, None]}
    text = for_script(hostile)
    assert "<" not in text and "\u2028" not in text
    assert json.loads(text) == hostile
