"""What can be wrong with a model folder's tokenizer and its chat template."""

from typing import Any

from malformed import edit
from model_folders import Spoil, changed, fields, fine, holding, rule, settings, template, without

FAST, SETTINGS = "tokenizer.json", "tokenizer_config.json"
TURNS = "{% for turn in messages %}<|im_start|>{{ turn.role }}\n{{ turn.content }}<|im_end|>\n{% endfor %}"
CUT = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
PLAIN = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


def row(**values: Any) -> Spoil:
    """The model's row with other fields."""
    return lambda folder: edit(
        folder, "conf/local/parameters.yml", lambda found: found["models"]["tiny"].update(values)
    )


def vocabulary(**values: Any) -> Spoil:
    return changed(FAST, lambda found: found["model"]["vocab"].update(values))


def added(number: Any, text: Any) -> Spoil:
    return changed(FAST, lambda found: found["added_tokens"].append({"id": number, "content": text, **PLAIN}))


def without_letters(found: dict[str, Any]) -> None:
    """Leave letters out of the vocabulary; the ids that they had are then no token's."""
    found["model"]["vocab"] = {text: number for text, number in found["model"]["vocab"].items() if text not in "ABC"}
    found["model"]["vocab"].update({f"no letter {number}": number for number in range(32, 35)})


READ = [
    rule(f"a tokenizer {name}", spoil, f"{FAST}: no tokenizer can be read: {says}")
    for name, spoil, says in (
        ("of nothing", holding(FAST, ""), "EOF while parsing"),
        ("of a list", holding(FAST, "[]"), ""),
        ("of an empty object", holding(FAST, "{}"), "Model missing"),
        ("that is not UTF-8", holding(FAST, b'{"version": "\xe9"}'), ""),
        ("of another version", changed(FAST, lambda found: found.update(version="9.0")), "Unknown tokenizer version"),
        ("of an unknown model", changed(FAST, lambda found: found["model"].update(type="Nope")), "data did not match"),
        ("with an id below 0", vocabulary(x=-1), "invalid value: integer `-1`"),
        ("with an id in words", vocabulary(x="5"), 'invalid type: string "5"'),
        ("with merges of no tokens", changed(FAST, lambda found: found["model"].update(merges=["A B"])), "Token `AB`"),
        ("with an added token in numbers", added(264, 5), "invalid type: integer `5`"),
    )
] + [
    rule("no tokenizer", without(FAST), f"{FAST} is not there"),
    rule("a slow class", settings(tokenizer_class="ByT5Tokenizer"), "must be a fast one (tokenizer.json)"),
    rule("an unknown class", settings(tokenizer_class="NopeTokenizer"), "Tokenizer class NopeTokenizer does not exist"),
]
IDS = [
    rule(
        "two tokens of one id", vocabulary(x=5), f"{FAST}: each token must have an id of its own, 5 is that of '&' and"
    ),
    rule("an id far away", vocabulary(x=999), "must have ids below 264, the rows of the embedding, got 999"),
    rule(
        "an added id that is taken", added(5, "<x>"), "added token '<x>' must have a free id of its own, got for 5 264"
    ),
    rule("an added token twice", added(265, "<|end|>"), "added token '<|end|>' must have a free id", "for 265 256"),
    rule("an added token of no text", added(264, ""), "added token '' must have a free id of its own"),
    rule("an id of 2^31", added(2**31, "<x>"), "added token '<x>' must have a free id of its own, got for 2147483648"),
    rule(
        "shifted ids",
        changed(FAST, lambda found: [token.update(id=token["id"] + 1) for token in found["added_tokens"]]),
        "added token '<|end|>' must have a free id of its own, got for 257 256",
    ),
    rule("other ids in added_tokens.json", fields("added_tokens.json", **{"<|end|>": 5}), "got for 5 256"),
    rule("a token of added_tokens.json alone", fields("added_tokens.json", **{"<x>": 264}), "got for 264 none"),
    rule("an id in words in added_tokens.json", fields("added_tokens.json", **{"<x>": "y"}), "got for 'y' none"),
    rule("an end that is no token", settings(eos_token="<nope>"), "ids below 264", "got 264 ('<nope>')"),
    rule(
        "letters that are lost", changed(FAST, without_letters), "must have tokens for all letters, it leaves out 'ABC'"
    ),
    rule("merges by chance", changed(FAST, lambda found: found["model"].update(dropout=0.5)), "dropout must be null"),
]
SETTING = [
    rule(f"{name}: {value!r:.40}", settings(**{name: value}), f"{SETTINGS}: {name} must be {says}, got")
    for name, value, says in (
        ("eos_token", 5, "a token's text"),
        ("pad_token", ["<|pad|>"], "a token's text"),
        ("eos_token", {"content": 5}, "a token's text"),
        ("tokenizer_class", 5, "the name of a class"),
        ("model_max_length", "long", "a number"),
        ("padding_side", "middle", "left or right"),
        ("add_bos_token", "yes", "true or false"),
        ("additional_special_tokens", "<x>", "a list of tokens"),
        ("added_tokens_decoder", [], "an object of tokens by their ids"),
        ("added_tokens_decoder", {"x": {"content": "<x>"}}, "an object of tokens by their ids"),
        ("chat_template", 5, "a text"),
    )
] + [
    rule(
        "ids of other tokens",
        settings(added_tokens_decoder={"5": {"content": "<x>"}}),
        f"{SETTINGS}: added token '<x>'",
    ),
    rule("a file elsewhere", settings(tokenizer_file="/etc/passwd"), "tokenizer_file leads out of the folder"),
    rule(
        "code", settings(auto_map={"AutoTokenizer": ["x.Y", None]}), "has the key 'auto_map', which can bring in code"
    ),
    rule(
        "no end and no padding",
        changed(SETTINGS, lambda found: found.update(eos_token=None, pad_token=None)),
        "eos_token or",
    ),
]
TEMPLATES = [
    rule(f"a template {name}", template(text), f"its chat template must {says}")
    for name, text, says in (
        ("that is cut", "{% for turn in messages %}", "make a text of turns, got TemplateSyntaxError"),
        ("that calls nothing", TURNS + "{{ nope() }}", "make a text of turns, got UndefinedError: 'nope'"),
        ("that breaks out", TURNS + "{{ ''.__class__.__mro__ }}", "make a text of turns, got SecurityError"),
        ("that reads files", "{% include '/etc/passwd' %}" + TURNS, "make a text of turns, got TypeError: no loader"),
        ("of 10^9 turns", TURNS + "{% for i in range(10**9) %}{% endfor %}", "make a text of turns, got OverflowError"),
        ("of 10^10 characters", TURNS + "{{ 'x' * 10**10 }}", "make a text of turns, got it takes more memory"),
        ("that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "make a text of turns, got Recursion"),
        ("that raises", TURNS + "{{ raise_exception('no') }}", "make a text of turns, got TemplateError: no"),
        ("that draws", TURNS + "{{ range(9) | random }}", "make a text of turns, got TemplateAssertionError"),
        ("that makes words up", TURNS + "{{ lipsum() }}", "make a text of turns, got UndefinedError: 'lipsum'"),
        ("that writes an address", TURNS + "{{ cycler(1) }}", "make the same text each time"),
        ("that ignores the prompt", "{% for turn in messages %}hi<|im_end|>{% endfor %}", "write the prompt as it is"),
        ("of a web page", "<html>404</html>", "write the prompt as it is, got '<html>404</html>'"),
    )
] + [
    rule("a template in Latin-1", holding("chat_template.jinja", b"\xe9"), "not UTF-8"),
    rule("a template behind a mark", template("\ufeff" + TURNS), "a byte order mark would stand in each prompt"),
    rule(
        "a template of 2 MB", template(TURNS + "{# " + "x" * 2_000_000 + " #}"), "at most 1000000 characters, got 2000"
    ),
    rule(
        "a template without ends",
        template("{% for turn in messages %}{{ turn.content }}{% endfor %}"),
        "ends an answer",
    ),
    rule("an empty template", template(""), "chat_template must be false, got true: its tokenizer has none"),
    rule("no template", without("chat_template.jinja"), "chat_template must be false, got true"),
    rule("a value for nothing", row(chat_template_kwargs={"thinks": False}), "does not ask for 'thinks', it asks for"),
    fine("no chat template and none wanted", without("chat_template.jinja"), row(chat_template=False)),
    fine("a tokenizer that cuts and pads", changed(FAST, lambda found: found.update(truncation=CUT, padding=None))),
    fine("settings that nobody knows", settings(max_length=3, tokenizer_object="x", backend="x")),
]
RULES = [*READ, *IDS, *SETTING, *TEMPLATES]
