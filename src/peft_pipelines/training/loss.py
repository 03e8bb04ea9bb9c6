"""The loss of a batch, by the plain forward or by the same numbers from less work.

Two of the three exact short cuts live here (the third, length-bucketed batches, is an order of rows):

* ``label_positions_only``: the output head runs where a row's own label stands, not at every position, and no layer
  runs for tokens behind the last prediction (the end of the turn is predicted, but nothing follows it).
* ``shared_prefix``: the tokens that all rows begin with run once a batch; each row attends to their keys and values,
  through which gradients flow back. Soft prompts are keys and values as well and go the same way.

Right padding and causal attention make both exact: a position sees the same tokens at the same places either way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import Cache

from peft_pipelines.config import TrainingSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.tokenize import IGNORED, Encoded
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.base_model import autocast
from peft_pipelines.models.forward import head_only_at, prefix_cache, takes


@dataclass(frozen=True)
class Shortcuts:
    """Which short cuts a method takes, and for each one not taken the reason."""

    shared_prefix: bool
    label_positions_only: bool
    length_buckets: bool
    reasons: dict[str, str]

    @classmethod
    def of(cls, attached: Attached, training_args: TrainingSpec) -> "Shortcuts":
        """What training arguments, method and model allow together.

        Raises:
            ConfigError: the training arguments ask for gradient checkpointing, which the method cannot be trained with.
        """
        if training_args.gradient_checkpointing and "gradient_checkpointing" in attached.refuses:
            why = attached.refuses["gradient_checkpointing"]
            raise ConfigError(f"method '{attached.method.name}': gradient_checkpointing must be false, got true: {why}")
        reasons = {name: "switched off" for name in _NAMES if not getattr(training_args, name)}
        for needed, name in (("past_key_values", "shared_prefix"), ("logits_to_keep", "label_positions_only")):
            if not takes(attached, needed):
                reasons.setdefault(name, f"the model's forward takes no {needed}")
        if training_args.gradient_checkpointing:
            reasons.setdefault("shared_prefix", "gradient checkpointing keeps no cache")
        if _dropout(attached):
            reasons.setdefault("shared_prefix", "dropout would draw one mask for all rows")
        for name in _NAMES:
            if name in attached.refuses:
                reasons.setdefault(name, attached.refuses[name])
        return cls(**{name: name not in reasons for name in _NAMES}, reasons=reasons)


_NAMES = ("shared_prefix", "label_positions_only", "length_buckets")


class Objective(nn.Module):
    """Batch → mean cross entropy over its labelled tokens. What the Trainer sees as the model.

    ``tokens_per_forward`` is what a forward of it may be given, rows times the longest one; None for any number. The
    callers keep to it.
    """

    def __init__(
        self, attached: Attached, shortcuts: Shortcuts, prefix: Sequence[int], tokens_per_forward: int | None = None
    ) -> None:
        super().__init__()
        self.plain = attached.plain
        self.attached = attached
        self.shortcuts = shortcuts
        self.tokens_per_forward = tokens_per_forward
        self.prefix = torch.tensor([list(prefix) if shortcuts.shared_prefix else []], dtype=torch.long)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        labels: torch.Tensor,
        num_items_in_batch: torch.Tensor | int | None = None,
        task: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """The loss of right-padded rows (rows, tokens).

        Args:
            input_ids: token ids.
            attention_mask: 1 for a token, 0 for padding.
            labels: token ids where there is a loss, ``IGNORED`` elsewhere.
            num_items_in_batch: what the sum is divided by under gradient accumulation; None for this batch's count.
            task: (rows, 1), the one task of all rows, by its place among those that are learnt together.
        """
        if self.attached.select and task is not None:
            self.attached.select(int(task[0, 0]))
        logits, targets = self.labelled(input_ids, attention_mask, labels)
        loss = cross_entropy(logits.float(), targets, reduction="sum")
        return {"loss": loss / (num_items_in_batch if num_items_in_batch is not None else len(targets))}

    def labelled(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The logits (labels, vocabulary) that predict the labelled tokens of all rows, and these tokens (labels)."""
        wanted = labels[:, 1:] != IGNORED
        places = torch.nonzero(wanted.any(0)).squeeze(1)
        chosen, targets = wanted[:, places], labels[:, 1:][wanted]
        width = int(places[-1]) + 1 if self.shortcuts.label_positions_only else input_ids.shape[1]
        with autocast(self.attached.core):
            logits = self._logits(input_ids[:, :width], attention_mask[:, :width], places - width, chosen)
        return logits, targets

    def _logits(
        self, ids: torch.Tensor, mask: torch.Tensor, places: torch.Tensor, chosen: torch.Tensor
    ) -> torch.Tensor:
        """Logits where ``chosen`` (rows, places) is true; ``places`` count from the end of the row."""
        cache = prefix_cache(self.attached, self.prefix.to(ids.device)) if self.prefix.numel() else None
        if not self.shortcuts.label_positions_only:
            return self._run(ids, mask, cache, {})[:, places][chosen]
        with head_only_at(self.attached.core, chosen):
            return self._run(ids, mask, cache, {"logits_to_keep": places})[0]

    def _run(
        self, ids: torch.Tensor, mask: torch.Tensor, cache: Cache | None, keep: dict[str, torch.Tensor]
    ) -> torch.Tensor:
        if cache is None:
            return self.plain(input_ids=ids, attention_mask=mask, **keep).logits  # type: ignore[no-any-return]
        rows, length, before = ids.shape[0], self.prefix.shape[1], cache.get_seq_length()
        cache.batch_repeat_interleave(rows)
        mask = torch.cat([mask.new_ones(rows, before), mask[:, length:]], dim=1)
        output = self.attached.core(
            input_ids=ids[:, length:], attention_mask=mask, past_key_values=cache, use_cache=True, **keep
        )
        return output.logits  # type: ignore[no-any-return]


def _dropout(attached: Attached) -> bool:
    """Whether a layer drops something in training: by a module of its own, or by a rate that it hands to a function."""
    modules = list(attached.core.modules())
    rates = [
        value for part in modules for name, value in vars(part).items() if "drop" in name and isinstance(value, float)
    ]
    return any([*rates, *(part.p for part in modules if isinstance(part, nn.Dropout))])


def collate(rows: Sequence[Encoded], pad: int) -> dict[str, torch.Tensor]:
    """Rows as one right-padded batch.

    >>> collate([Encoded([5, 6], [7], False), Encoded([5], [8], False)], pad=0)["labels"].tolist()
    [[-100, -100, 7], [-100, 8, -100]]
    """
    width = max(len(row.ids) for row in rows)

    def padded(values: Sequence[Sequence[int]], fill: int) -> torch.Tensor:
        return torch.tensor([[*row, *[fill] * (width - len(row))] for row in values])

    return {
        "input_ids": padded([row.ids for row in rows], pad),
        "attention_mask": padded([[1] * len(row.ids) for row in rows], 0),
        "labels": padded([row.labels for row in rows], IGNORED),
        "task": torch.tensor([[row.task] for row in rows]),
    }
