"""The share of the exact floor that a LoRA cell reaches in training and in generation.

The floor is the time of the floating-point operations that exact numbers need, at the rate of this model's products of
matrices on this machine, measured before and after the cell. Counted are forward passes, gradients of what leads to an
adapter, and the adapters' own, for each token that differs in what stands before it, once a batch and without padding;
attention between a token and those before it; the output head, and of the last layer all but keys and values, where a
label or an answer needs it. Not counted is what is no product: norms, activations, rotations, softmax, the optimizer,
reading and saving.
"""

import json
import os
import tempfile
import time
from pathlib import Path
from statistics import fmean, median
from typing import Any

from exact_work import Shapes, Work, tree
from sides import (
    BATCH,
    MODEL,
    ONE_THREAD,
    PROJECT,
    cell_of,
    cell_parser,
    kedro_run,
    machine,
    prompts_of,
    rows_of,
    timed,
)

WEIGHTS = PROJECT / "data/01_raw/models" / MODEL
NARROW = 32
"""Rows of a product while a batch decodes."""
Row = dict[str, Any]


def main() -> None:
    """Run a cell between two measurements of the rates, and print its floor and the share of it that is reached."""
    args = cell_parser(__doc__).parse_args()
    cell = cell_of(args)
    os.environ.update(ONE_THREAD)
    task, lora, training = rows_of(cell)
    shapes = Shapes.of(json.loads((WEIGHTS / "config.json").read_text()), lora)
    before = rates(shapes, 256), rates(shapes, NARROW)
    with tempfile.TemporaryDirectory() as folder:
        timed(kedro_run(Path(folder), cell))
        store = Path(folder) / "store"
        (metrics,) = store.glob("07_model_output/**/metrics.json")
        spent = json.loads(metrics.read_text())
        predictions = [json.loads(line) for line in metrics.with_name("predictions.jsonl").read_text().splitlines()]
        rows = splits_of(prompts_of(store, cell.task))
    after = rates(shapes, 256), rates(shapes, NARROW)
    wide, narrow = (fmean(pair) for pair in zip(before, after, strict=True))
    prompter = prompter_of(training["max_length"])
    learnt = training_operations(shapes, prompter, rows)
    prefilled, decoded = generation_operations(shapes, prompter, predictions, task, spent["generation_batch_size"])
    floors = {"train": learnt / wide, "generate": prefilled / wide + decoded / narrow}
    print(f"{cell}, one thread; products at {wide / 1e9:.0f} GFLOP/s, of {NARROW} rows at {narrow / 1e9:.0f}\n")
    print("| | TFLOP | floor s | CPU s | share of the floor |\n|---|---:|---:|---:|---:|")
    for name, operations in (("train", learnt), ("generate", prefilled + decoded)):
        cpu = spent[f"{name}_cpu_seconds"]
        print(f"| {name} | {operations / 1e12:.2f} | {floors[name]:.1f} | {cpu:.1f} | {floors[name] / cpu:.2f} |")
    print(f"\n{machine()}\n", flush=True)


def rates(shapes: Shapes, height: int, times: int = 5) -> float:
    """Operations a second of the products of layers with their weights, forward and backward, with so many rows."""
    import torch  # noqa: PLC0415  (the number of threads is set first)

    torch.set_num_threads(1)
    weights = [
        torch.randn(out, columns) for columns, out in shapes.matrices.values() for _ in range(min(10, shapes.layers))
    ]
    inputs = {width: torch.randn(height, width) for pair in shapes.matrices.values() for width in pair}
    taken = []
    for _ in range(times):
        start = time.process_time()
        for weight in weights:
            torch.mm(inputs[weight.shape[1]], weight.T)
            torch.mm(inputs[weight.shape[0]], weight)
        taken.append(time.process_time() - start)
    return sum(4 * height * weight.numel() for weight in weights) / median(taken)


def splits_of(folder: Path) -> dict[str, list[Row]]:
    """The rows of each split of prompts."""
    from pyarrow import parquet  # noqa: PLC0415

    return {path.stem: parquet.read_table(path).to_pylist() for path in folder.glob("*.parquet")}


def prompter_of(max_length: int) -> Any:
    """What turns prompts and answers into tokens in a run."""
    from kedro.config import OmegaConfigLoader  # noqa: PLC0415
    from transformers import AutoTokenizer  # noqa: PLC0415

    from peft_pipelines.config import Parameters  # noqa: PLC0415
    from peft_pipelines.data.tokenize import Prompter  # noqa: PLC0415

    conf = OmegaConfigLoader(str(PROJECT / "conf"), base_env="base", default_run_env="base")["parameters"]
    return Prompter.of(Parameters.of(conf).models[MODEL], AutoTokenizer.from_pretrained(WEIGHTS), max_length)


def training_operations(shapes: Shapes, prompter: Any, rows: dict[str, list[Row]]) -> float:
    """Operations of one epoch in the batches of the first seed, and of one validation."""
    from peft_pipelines.data.batching import Batches  # noqa: PLC0415
    from peft_pipelines.data.tokenize import training_examples  # noqa: PLC0415

    examples, validation = (training_examples(prompter, rows[name]) for name in ("train", "validation"))
    groups = [example.group for example in examples]
    batches = Batches([len(example.ids) for example in examples], BATCH, 0, bucketed=True, groups=groups)
    pairs = [[(examples[row].prompt, examples[row].answer) for row in batch] for batch in batches]
    work = sum(map(tree, pairs), Work())
    held = tree((example.prompt, example.answer) for example in validation)
    return shapes.forward(work) + shapes.backward(work) + shapes.forward(held)


def generation_operations(
    shapes: Shapes, prompter: Any, predictions: list[Row], task: Row, size: int
) -> tuple[float, float]:
    """Operations of prompts with the answers to score, and of decoding what is no beginning of a scored answer."""
    rows = []
    for row in predictions:
        prompt = prompter.encode(row["prompt"], room=task["max_new_tokens"]).prompt
        texts = task["labels"].values() if "labels" in task else row["references"][:1]
        scored = [prompter.encode_answer(text)[: task["max_new_tokens"]] for text in texts]
        rows.append((prompt, scored, prompter.encode_answer(row["prediction"])[: row["new_tokens"]]))
    rows.sort(key=lambda row: row[0])
    prefill = decoding = Work()
    for first in range(0, len(rows), size):
        batch = rows[first : first + size]
        given = [(prompt, answer) for prompt, scored, _ in batch for answer in scored]
        prefill += tree(given)
        decoding += tree([*given, *((prompt, own) for prompt, _, own in batch)]) - tree(given)
    return shapes.forward(prefill), shapes.forward(decoding)


if __name__ == "__main__":
    main()
