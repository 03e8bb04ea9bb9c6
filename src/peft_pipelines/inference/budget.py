"""How long an answer may be."""

from peft_pipelines.config import MethodSpec, TaskSpec


def answer_tokens(task: TaskSpec, method: MethodSpec, max_length: int, positions: int | None) -> int:
    """Return the most tokens of an answer: the larger of what the rows of task and method allow.

    Prompts keep the length that they have for all methods, so a method's longer answers need positions beyond
    ``max_length``: where the model ends before, so do they.

    Args:
        task: the task's row.
        method: the method's row.
        max_length: the tokens that prompt and answer have by the task's row.
        positions: the positions of the model, None where it has no such limit.
    """
    wanted = max(task.max_new_tokens, method.max_new_tokens or 0)
    if positions is None:
        return wanted
    behind_prompts = positions - method.virtual_tokens - (max_length - task.max_new_tokens)
    return max(task.max_new_tokens, min(wanted, behind_prompts))
