"""Chat templates with the rules of the model rows' own, in the special tokens of the tiny tokenizer.

Written for these tests: the rules are those of the public templates, their texts are not.
"""

REFUSE_UNLESS_TURNS_ALTERNATE = (
    "{% set first = 1 if messages[0].role == 'system' else 0 %}{% for turn in messages[first:] %}"
    "{% if (loop.index0 % 2 == 0) != (turn.role == 'user') %}{{ raise_exception('turns must alternate') }}{% endif %}"
    "{% endfor %}"
)

LLAMA_3_2 = (
    "{% if date_string is not defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
    "<|begin|><|head|>system<|/head|>\n\nCutting Knowledge Date: December 2023\n"
    "Today Date: {{ date_string }}\n\n<|eot|>"
    "{% for turn in messages %}<|head|>{{ turn.role }}<|/head|>\n\n{{ turn.content | trim }}<|eot|>{% endfor %}"
    "{% if add_generation_prompt %}<|head|>assistant<|/head|>\n\n{% endif %}"
)
"""A system turn of its own, with the date that it is given or else today's."""

QWEN_3 = (
    "{% for turn in messages %}<|im_start|>{{ turn.role }}\n"
    "{% if turn.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}{{ turn.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
"""Before the last answer stands a block of thoughts, empty where there are none; earlier answers have lost theirs."""

GEMMA_3 = (
    f"<|begin|>{REFUSE_UNLESS_TURNS_ALTERNATE}"
    "{% set before = messages[0].content + '\n\n' if messages[0].role == 'system' else '' %}"
    "{% for turn in messages if turn.role != 'system' %}"
    "<|head|>{{ 'model' if turn.role == 'assistant' else turn.role }}\n"
    "{{ before if loop.first }}{{ turn.content | trim }}<|eot|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|head|>model\n{% endif %}"
)
"""No system turn: what it says goes before the first question. An answer is the model's."""

GEMMA_2 = "{% if messages[0].role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}" + GEMMA_3
"""The same, but a system turn is refused."""

MISTRAL_0_3 = (
    f"<|begin|>{REFUSE_UNLESS_TURNS_ALTERNATE}"
    "{% for turn in messages %}{% if turn.role == 'user' %}[INST] {{ turn.content }}[/INST]"
    "{% else %} {{ turn.content }}{{ eos_token }}{% endif %}{% endfor %}"
)
"""Questions in marks, answers up to the end of the text; nothing is added to ask for an answer."""
