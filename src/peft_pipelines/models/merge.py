"""Merging of a checkpoint into its base: a plain model that loads without this project or a tuning library."""

import gc
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from peft_pipelines.config import MethodSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.atomic import replacing
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model, gate
from peft_pipelines.models.base_model import Base
from peft_pipelines.storage.checkpoint import Checkpoint

TOLERANCES = {torch.float32: 1e-3, torch.bfloat16: 5e-2, torch.float16: 1e-2}
"""The largest allowed difference of a logit between merged and unmerged model, as a share of the largest logit."""
PROBE = (2, 16)


def merge(base: Base, checkpoint: Checkpoint, source: Path, output: Path, say: Callable[[str], None]) -> float:
    """Write base and method as a folder of ``transformers``, and check its logits against the unmerged model's.

    A method that was trained on a quantised base is merged into the base as it was before: rounding the sum to a few
    bits again would undo the training.

    Args:
        base: the base model; it stays as it is.
        checkpoint: the trained method, merged as its record describes it.
        source: the base model's folder, for its tokenizer.
        output: a folder that does not exist yet. It appears when everything in it is right.
        say: called with a sentence at each step.

    Returns:
        The largest difference of a logit between the folder's model and the unmerged one.

    Raises:
        ConfigError: the folder exists, the base is not the one that was trained on, the method's weights were dropped,
            or it cannot be merged.
    """
    method = trained_method(base, checkpoint)
    if output.exists():
        raise ConfigError(f"--output: must not exist yet, got '{output}'")
    say(f"merging method '{method.name}' into model '{base.spec.name}'")
    if checkpoint.record["method"].get("quantization"):
        say("trained on a quantised base, merged into the full one: answers may differ from those that were scored")
    attached = providers.load(base_model.clone(base.model, torch.Tensor.clone), method, checkpoint.weights)
    expected = probed(attached.plain, base)
    merged = providers.merge(attached).to(base.model.dtype)  # what was trained is in fp32
    _check_plain(merged, method)
    with replacing(output) as folder:
        say("writing")
        merged.save_pretrained(folder)
        with gate.opened(base.spec, source).view() as view:  # a slow tokenizer's files are copied as it is saved
            AutoTokenizer.from_pretrained(view, local_files_only=True).save_pretrained(folder)
        del merged, attached
        gc.collect()
        say("comparing the written model with the unmerged one")
        return _check_logits(folder, expected, base, method)


def trained_method(base: Base, checkpoint: Checkpoint) -> MethodSpec:
    """Return the row that a checkpoint was trained by, on the base in full precision.

    Raises:
        ConfigError: the base is another one than it was trained on.
    """
    record = checkpoint.record
    if record["base_checksum"] != base.checksum:
        raise ConfigError(
            f"model '{base.spec.name}': its weights must be those that checkpoint '{checkpoint.folder.name}' was "
            f"trained on (checksum {record['base_checksum']}), got other ones (checksum {base.checksum})"
        )
    method = parse(MethodSpec, "the checkpoint's record, method", record["method"])
    return method.model_copy(update={"quantization": None})


def _check_plain(merged: PreTrainedModel, method: MethodSpec) -> None:
    """Refuse tensors that the architecture, built from the config alone, has no place for, and gaps in it."""
    with torch.device("meta"):
        plain = AutoModelForCausalLM.from_config(merged.config)
    differing = sorted(merged.state_dict().keys() ^ plain.state_dict().keys())
    if differing:
        raise ConfigError(
            f"method '{method.name}': cannot be merged: a plain '{merged.config.model_type}' and the merged model "
            f"differ in {len(differing)} tensors, the first is {differing[0]}"
        )


def _check_logits(folder: Path, expected: torch.Tensor, base: Base, method: MethodSpec) -> float:
    written = AutoModelForCausalLM.from_pretrained(folder, dtype=base.model.dtype, local_files_only=True)
    found = probed(written.to(base.model.device).eval(), base)
    return compared(found, expected, base, f"method '{method.name}': cannot be merged: its merged and unmerged logits")


def compared(found: torch.Tensor, expected: torch.Tensor, base: Base, what: str) -> float:
    """Return the largest difference of two models' logits.

    Raises:
        ConfigError: it is larger than the base's precision explains. ``what`` begins the message.
    """
    difference = float((found - expected).abs().max())
    allowed = TOLERANCES[base.model.dtype] * float(expected.abs().max())
    if not difference <= allowed:
        raise ConfigError(f"{what} may differ by {allowed:.2g}, got {difference:.2g}")
    return difference


@torch.no_grad()
def probed(model: torch.nn.Module, base: Base, **given: torch.Tensor) -> torch.Tensor:
    """Return a model's logits in fp32 for a few rows of random tokens, the same at each call.

    Args:
        model: the base's, tuned or not.
        base: the base model.
        given: what the model's forward is given beside the tokens.

    Returns:
        Logits of the shape rows, tokens, words.
    """
    draw = torch.Generator().manual_seed(0)
    tokens = torch.randint(base.model.config.vocab_size, PROBE, generator=draw).to(base.model.device)
    with base_model.autocast(base.model, base.model.dtype):
        output = model(input_ids=tokens, attention_mask=torch.ones_like(tokens), **given)
    logits: torch.Tensor = output.logits.float()
    return logits
