"""Does a cheaper validation choose as good a state? One training a cell, scored on validation and test at each point.

Each training stops at a third, at two thirds and at the end of its steps. There the loss of each validation row is
taken, and the score of the state on the test rows. From these, any protocol of fewer rows or fewer evaluations can be
followed afterwards: which state it would have kept, and what that state scores. Trainings that are in the file of
results already are not run again.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from kedro.config import OmegaConfigLoader
from torch.nn import functional

from peft_pipelines.config import Parameters, TaskSpec
from peft_pipelines.data.adapt import adapt, instruct
from peft_pipelines.data.batching import chunks, shared_prefix
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.data.tokenize import Prompter, training_examples
from peft_pipelines.evaluation.score import task_scores
from peft_pipelines.inference.decoding import Decoding
from peft_pipelines.inference.generate import generate_and_score, prediction_fields
from peft_pipelines.inference.loglikelihood import answers_to_score
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model
from peft_pipelines.models.sizes import sized
from peft_pipelines.storage.splits import RowsFolder, Splits
from peft_pipelines.training.label_logits import LabelLogits
from peft_pipelines.training.scored_rows import spread
from peft_pipelines.training.shortcuts import Shortcuts
from peft_pipelines.training.trainer import CellTrainer, TrainingJob

PROJECT = Path(__file__).resolve().parent.parent
PROTOCOLS = {
    "3 x 64 rows": (64, 3),
    "3 x 48 rows": (48, 3),
    "3 x 32 rows": (32, 3),
    "3 x 24 rows": (24, 3),
    "3 x 16 rows": (16, 3),
    "3 x 8 rows": (8, 3),
    "2 x 36 rows": (36, 2),
    "the last state": (1, 1),
}
"""By name the validation rows of a protocol, and at how many of the last points it looks at them."""


def main() -> None:
    """Train the cells that are missing, then print how each protocol chose."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, default=PROJECT / "data/01_raw/samples", help="folder of raw rows")
    parser.add_argument("--tasks", nargs="+", default=["sst2", "cola", "wic", "qqp", "stsb"])
    parser.add_argument("--methods", nargs="+", default=["lora", "bitfit"])
    parser.add_argument("--factors", nargs="+", type=float, default=[1.0, 4.0], help="of each row's learning rate")
    parser.add_argument("--train", type=int, default=144)
    parser.add_argument("--test", type=int, default=100)
    parser.add_argument("--results", type=Path, required=True, help="a file of JSON lines, continued where it exists")
    args = parser.parse_args()
    args.results.touch()
    done = {tuple(cell["cell"]) for cell in read(args.results)}
    for factor, method, task in product(args.factors, args.methods, args.tasks):
        if (task, method, factor) not in done:
            points = trained(args, task, method, factor)
            with args.results.open("a") as file:
                file.write(json.dumps({"cell": [task, method, factor], "points": points}) + "\n")
    report([cell for cell in read(args.results) if cell["points"]])


def read(results: Path) -> list[dict[str, Any]]:
    """The cells on record."""
    return [json.loads(line) for line in results.read_text().splitlines()]


class Watched(CellTrainer):
    """A training that tells at each point the loss of each validation row, and the score of its test rows."""

    def watch(self, task: TaskSpec, prompter: Prompter, test: list[dict[str, Any]]) -> None:
        """Take the test rows."""
        self.task, self.prompter, self.test = task, prompter, test
        self.points: list[dict[str, Any]] = []

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Record the point, and choose nothing."""
        self.model.eval()
        with torch.no_grad():
            losses = [loss for batch in chunks(self.validation, 32) for loss in self.row_losses(batch)]
        self.points.append({"step": self.state.global_step, "losses": losses, **self.tested()})
        self.model.train()
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, {})
        return {}

    def row_losses(self, batch: Sequence[Encoded]) -> Iterator[tuple[float, int]]:
        """Cross entropy of each row's answer, in nats, and the tokens of it."""
        losses = functional.cross_entropy(*self.model(**self.collate(batch)), reduction="none")
        parts = losses.split([len(row.answer) for row in batch])
        return ((float(part.sum()), len(part)) for part in parts)

    def tested(self) -> dict[str, float]:
        """The task's score of the test rows, and the mean log-likelihood of their right answers."""
        encoded = [self.prompter.encode(row["prompt"], room=self.task.max_new_tokens) for row in self.test]
        stop = tuple(self.prompter.end_of_turn()[-1:])
        decoding = Decoding(self.task.max_new_tokens, stop, 0, 32, True, True)
        answers = [answers_to_score(row, self.task, self.prompter) for row in self.test]
        made = generate_and_score(self.model.attached, [row.prompt for row in encoded], decoding, answers)
        predictions = [
            {**row, "prediction": self.prompter.decode(each.tokens, stop), **prediction_fields(each, stop, self.task)}
            for row, each in zip(self.test, made, strict=True)
        ]
        right = [self.task.label_words.index(row["references"][0]) if self.task.labels else 0 for row in self.test]
        chances = [each.likelihoods[place].logprob for each, place in zip(made, right, strict=True)]
        return {"primary": task_scores(predictions, self.task)["primary"], "loglikelihood": float(np.mean(chances))}


def trained(args: argparse.Namespace, name: str, method: str, factor: float) -> list[dict[str, Any]]:
    """The points of one cell's training; none where it diverged."""
    loader = OmegaConfigLoader(str(PROJECT / "conf"), base_env="base", default_run_env="base")
    rows = Parameters.of(loader["parameters"])
    task, spec, model = rows.tasks[name], rows.methods[method], rows.models["smollm2_135m"]
    training_args = rows.training.overridden(spec).model_copy(update={"epochs": 1.0, "evaluations": 3})
    training_args = training_args.model_copy(update={"learning_rate": factor * training_args.learning_rate})
    prompts = splits(args, task, rows)
    base = base_model.resident(model, PROJECT / "data/01_raw/models/smollm2_135m")
    attached, tokenizer = providers.attach(base_model.clone(base.model), spec, 0), base.tokenizer
    prompter = Prompter.of(model, tokenizer, task.limit(training_args))
    examples, validation = (training_examples(prompter, prompts[part].to_pylist()) for part in ("train", "validation"))
    training_args = sized(training_args, attached, prompter.max_length)
    prefix = shared_prefix([row.prompt for row in examples + validation])
    wrapped = LabelLogits(attached, Shortcuts.of(attached, training_args), prefix, training_args.tokens_per_forward)
    attached.plain.train()
    with tempfile.TemporaryDirectory() as state:
        job = TrainingJob(examples, validation, training_args, 0, tokenizer.pad_token_id, Path(state))
        trainer = Watched(wrapped, job)
        trainer.watch(task, prompter, prompts["test"].to_pylist())
        trainer.train()
    print(name, method, factor, [(point["step"], round(point["primary"], 3)) for point in trainer.points], flush=True)
    return trainer.points


def splits(args: argparse.Namespace, task: TaskSpec, rows: Parameters) -> Splits:
    """The task's prompts: 64 validation rows wherever the data have them."""
    limits = {"train_rows": args.train, "validation_rows": 64, "test_rows": args.test, "validation_share": 0.2}
    raw = RowsFolder(filepath=str(args.raw / task.name)).load()
    return instruct(adapt(raw, task, rows.sampling.model_copy(update=limits)), task)


def kept(cell: Mapping[str, Any], rows: int, last: int) -> dict[str, Any]:
    """The point whose state a protocol keeps: of the lowest validation loss on evenly spaced rows."""

    def loss(point: Mapping[str, Any]) -> float:
        chosen = spread(point["losses"], rows)
        return sum(total for total, _ in chosen) / sum(tokens for _, tokens in chosen)

    return min(cell["points"][-last:], key=loss)


def report(cells: Sequence[Mapping[str, Any]]) -> None:
    """Print for each protocol what the chosen states score, and how that differs from the first protocol's."""
    print(f"\n{len(cells)} cells\n")
    print("| protocol | score | against the first | log-likelihood | against the first | same state |")
    print("|---|---:|---:|---:|---:|---:|")
    chosen = {name: [kept(cell, *protocol) for cell in cells] for name, protocol in PROTOCOLS.items()}
    first = next(iter(chosen.values()))
    for name, points in chosen.items():
        columns = []
        for kind, scale in (("primary", 100), ("loglikelihood", 1)):
            scores, base = (np.array([scale * point[kind] for point in side]) for side in (points, first))
            low, high = interval(scores - base)
            columns.append(f"{scores.mean():.3f} | {(scores - base).mean():+.3f} [{low:+.3f}, {high:+.3f}]")
        same = sum(point["step"] == other["step"] for point, other in zip(points, first, strict=True))
        print(f"| {name} | {' | '.join(columns)} | {same} of {len(cells)} |")


def interval(differences: np.ndarray) -> tuple[float, float]:
    """95 % interval of the mean difference, by 10,000 resamplings of the cells."""
    draws = np.random.default_rng(0).integers(len(differences), size=(10_000, len(differences)))
    low, high = np.quantile(differences[draws].mean(1), [0.025, 0.975])
    return float(low), float(high)


if __name__ == "__main__":
    main()
