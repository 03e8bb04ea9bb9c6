"""The numbers of a cell: its metrics with their interval, what it cost, and PSCP from both."""

from collections.abc import Mapping, Sequence
from typing import Any

from peft_pipelines.config import ExecutionSpec, PscpSpec, TaskSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.costs import energy
from peft_pipelines.evaluation import sandbox
from peft_pipelines.evaluation.metrics import registry
from peft_pipelines.evaluation.metrics.baselines import random_scores
from peft_pipelines.evaluation.metrics.calibration import likelihood_scores, token_accuracy
from peft_pipelines.evaluation.metrics.normalize import spelt_as_labels
from peft_pipelines.evaluation.metrics.pass_rate import Cases, pass_rate
from peft_pipelines.evaluation.metrics.pscp import pscp as pscp_of
from peft_pipelines.evaluation.statistics import Score, interval, scored_all


def spent(record: Mapping[str, Any], generation: Mapping[str, Any], stored: int) -> dict[str, Any]:
    """Costs of training and answering; ``stored`` is the checkpoint's bytes. Energy is None where it is not known."""
    return {
        "trainable_parameters": record["trainable_parameters"],
        "tflop": generation["tflop"],
        "base_tflop": generation["base_tflop"],
        "added_gflop": 1000 * (generation["tflop"] - generation["base_tflop"]),
        "checkpoint_bytes": stored,
        "train_peak_memory_gb": record["train_peak_memory_gb"],
        "generate_peak_memory_gb": generation["generate_peak_memory_gb"],
        "memory_kind": record["train_memory_kind"],
        "generate_memory_kind": generation["generate_memory_kind"],
        "train_attention": record.get("shortcuts", {}).get("attention"),
        "generate_attention": generation.get("generate_attention"),
        "train_tokens_per_forward": record.get("tokens_per_forward"),
        "generation_batch_size": generation.get("generation_batch_size"),
        "train_seconds": record["train_seconds"],
        "train_cpu_seconds": record["train_cpu_seconds"],
        "generate_seconds": generation["generate_seconds"],
        "generate_cpu_seconds": generation["generate_cpu_seconds"],
        **{name: generation[name] for name in ("shots_used",) if name in generation},
        "train_energy_wh": record.get("train_energy_wh"),
        "generate_energy_wh": generation.get("generate_energy_wh"),
        "co2_g": energy.total([record.get("train_co2_g"), generation.get("generate_co2_g")]),
    }


def penalised(scores: Mapping[str, Any], costs: Mapping[str, Any], pscp: PscpSpec) -> dict[str, float]:
    """PSCP with its factors, on compute beyond the base model's; ``pscp_absolute`` counts the base's as well.

    Memory is training's, as in PSCP's paper.
    Nothing where the primary metric is no bounded score of which more is better: costs cannot be taken off it.
    """
    if not registry.metric(scores["metric"]).in_points:
        return {}
    performance, constants = 100 * scores["primary"], pscp.model_dump()
    parameters, memory = costs["trainable_parameters"], costs["train_peak_memory_gb"]
    relative = pscp_of(performance, parameters, costs["tflop"] - costs["base_tflop"], memory, **constants)
    absolute = pscp_of(performance, parameters, costs["tflop"], memory, **constants)
    return {**relative, "pscp_absolute": absolute["pscp"]}


def task_scores(predictions: list[dict[str, Any]], task: TaskSpec) -> dict[str, Any]:
    """The task's metrics over predictions; ``primary`` and ``metric`` say which one stands for the task.

    Where the predictions say how likely the right answers were, the scores of that come with them, and where they say
    which answers were complete, the share of those that were not.
    """
    questions, right = questions_of(predictions, task), right_answers(predictions)
    reading = [name for name in task.metrics if not registry.metric(name).pick]
    scores = registry.score(reading, written(predictions, task), right, task.label_words, questions=questions)
    for name, answers in picks(predictions, task).items():
        scores |= registry.score([name], answers, right, task.label_words)
    primary = {"metric": task.primary, "primary": scores[task.primary]}
    return {**primary, **scores, **likely(predictions, task), **cut_off(predictions)}


def random_task_scores(rows: list[dict[str, Any]], task: TaskSpec, names: Sequence[str]) -> dict[str, float]:
    """The expected metrics, by name, of a label drawn for each row; nothing for free text."""
    questions = questions_of(rows, task)
    return random_scores(names, right_answers(rows), task.label_words, questions=questions)


def executed(predictions: list[dict[str, Any]], task: TaskSpec, execution: ExecutionSpec) -> dict[str, float]:
    """Pass rate of the answers that are run on their items' test cases; nothing where execution is switched off."""
    if not (task.tests and execution.enabled):
        return {}
    tested = [row for row in predictions if row["tests"]]
    return pass_rate(sandbox.run_cases([(row["prediction"], Cases.of(row["tests"])) for row in tested], execution))


def bounds(predictions: list[dict[str, Any]], task: TaskSpec) -> dict[str, float]:
    """Bounds of the primary score's 95 % interval, with other test items for the same answers."""
    answers = {"own": [answers_of(predictions, task, task.primary)]}
    found = interval(resampled(task, [task.primary], answers, predictions)[task.primary]["own"])
    return {"primary_low": found.low, "primary_high": found.high}


def resampled(
    task: TaskSpec, names: Sequence[str], answers: Mapping[str, list[list[str]]], rows: list[dict[str, Any]]
) -> dict[str, dict[str, Score]]:
    """By metric and method the score of its seeds' answers to the same rows, resampled by the rows' groups if any."""
    questions = questions_of(rows, task)
    groups, references = groups_of(rows, task), right_answers(rows)
    return scored_all(names, answers, references, task.label_words, groups=groups, questions=questions)


def questions_of(rows: Sequence[Mapping[str, Any]], task: TaskSpec) -> list[str] | None:
    """The question of each row; None where the task has none."""
    return [row["question"] for row in rows] if task.question else None


def groups_of(rows: Sequence[Mapping[str, Any]], task: TaskSpec) -> list[str] | None:
    """The group of each row; None where no two rows share one, since such rows are independent of each other."""
    found = [row["group"] for row in rows] if task.group else []
    return found if len(set(found)) < len(found) else None


def right_answers(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The right answers of each row, as metrics compare with them: ``gold`` where rows have it, else ``references``.

    >>> right_answers([{"references": ["3.8"], "gold": "3.799999952316284"}, {"references": ["a", "b"]}])
    [['3.799999952316284'], ['a', 'b']]
    """
    return [[row["gold"]] if "gold" in row else list(row["references"]) for row in rows]


def answers_of(predictions: Sequence[Mapping[str, Any]], task: TaskSpec, metric: str) -> list[str]:
    """The answers as a metric reads them: what was written, or the labels of the continuations that it picks.

    Of rows that no model has answered, such as those of the majority answer, both are the same.

    Raises:
        ConfigError: a model has answered, but the likelihoods of continuations are not there.
    """
    pick = registry.metric(metric).pick
    if pick and "choice_logprobs" in predictions[0]:
        return [task.label_words[pick(row["choice_logprobs"], row["choices"])] for row in predictions]
    if pick and "stopped" in predictions[0]:
        raise ConfigError(
            f"task '{task.name}', metrics: '{metric}' needs likelihoods of continuations, and these answers were made "
            "without them: make the cell again"
        )
    return written(predictions, task)


def written(predictions: Sequence[Mapping[str, Any]], task: TaskSpec) -> list[str]:
    """The answers that were written, with the labels' own case where the task ignores case."""
    answers = [row["prediction"] for row in predictions]
    return spelt_as_labels(answers, task.label_words) if task.ignore_case else answers


def picks(predictions: Sequence[Mapping[str, Any]], task: TaskSpec) -> dict[str, list[str]]:
    """The answers as each metric of the task reads them that picks continuations, by its name."""
    return {name: answers_of(predictions, task, name) for name in task.metrics if registry.metric(name).pick}


def likely(predictions: list[dict[str, Any]], task: TaskSpec) -> dict[str, float]:
    """Scores of how likely the right answers were; none for rows that no model has answered."""
    if "label_scores" in predictions[0]:
        references = [row["references"] for row in predictions]
        return likelihood_scores([row["label_scores"] for row in predictions], references, task.label_words)
    if "reference_tokens" in predictions[0]:
        return token_accuracy(*([row[f"reference_tokens{part}"] for row in predictions] for part in ("_right", "")))
    return {}


def cut_off(predictions: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The share of answers that ended at ``max_new_tokens``; nothing for rows that no model has answered.

    >>> cut_off([{"stopped": True}, {"stopped": False}]), cut_off([{"prediction": "a"}])
    ({'cut_off_rate': 0.5}, {})
    """
    if "stopped" not in predictions[0]:
        return {}
    return {"cut_off_rate": sum(not row["stopped"] for row in predictions) / len(predictions)}


def truncated_share(record: dict[str, Any], truncated: int, tests: int) -> float:
    """The largest share of rows that lost text, over the splits: ``truncated`` of the ``tests``, the rest by record."""
    shares = [record["truncated"][split] / rows for split, rows in record["rows"].items()]
    return float(max(truncated / tests, *shares))
