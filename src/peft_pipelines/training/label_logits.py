"""The logits that a loss is computed from, by the plain forward or the same numbers by less work.

Three of the five exact short cuts are here (batches by group and by length are orders of examples):

* ``packed_batches``: a batch is one tree of tokens, without padding; what examples begin with alike runs once. It needs
  neither of the other two.
* ``label_positions_only``: the output head runs where an example's own label stands, not at every position, and no
  layer runs for tokens behind the last prediction (the end of the turn is predicted, but nothing follows it).
* ``shared_prefix``: the tokens that all examples begin with run once a batch; each example attends to their keys and
  values, through which gradients flow back. Soft prompts are keys and values as well and go the same way.

Right padding and causal attention make both exact: a position sees the same tokens at the same places either way.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn
from transformers import Cache

from peft_pipelines.data.batching import split_batch, split_tree
from peft_pipelines.data.encoded import IGNORED, Encoded
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models import tree_attention
from peft_pipelines.models.base_model import autocast
from peft_pipelines.models.forward import placed, prefix_cache
from peft_pipelines.models.last_layer import end_only_at
from peft_pipelines.models.token_tree import TokenTree, pair_work, tree_logits
from peft_pipelines.training.batch_parts import part_of, unpadded
from peft_pipelines.training.branches import TOKENS, Branch, branches
from peft_pipelines.training.shortcuts import Shortcuts
from peft_pipelines.training.trunk import Trunk, standing


class LabelLogits(nn.Module):
    """The model that is trained: a batch in, the logits of its labelled tokens and these tokens out.

    ``tokens_per_forward`` is the most that callers give to one forward (see ``parts``); None for any number.
    """

    def __init__(
        self, attached: Attached, shortcuts: Shortcuts, prefix: Sequence[int], tokens_per_forward: int | None = None
    ) -> None:
        super().__init__()
        self.plain = attached.plain
        self.attached = attached
        self.shortcuts = shortcuts
        self.tokens_per_forward = tokens_per_forward
        self.trunk: Trunk | None = None
        self.prefix = torch.tensor([list(prefix) if shortcuts.shared_prefix else []], dtype=torch.long)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        labels: torch.Tensor,
        task: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits (labels, vocabulary) in fp32 of the labelled tokens, and these tokens (labels).

        A batch stays on the CPU, where it is looked at; what the model computes with is sent to its device.

        Args:
            input_ids: token ids (examples, tokens), right-padded.
            attention_mask: 1 for a token, 0 for padding; same shape.
            labels: token ids where there is a loss, ``IGNORED`` elsewhere; same shape.
            task: (examples, 1), the one task of all examples, by its place among those that are learnt together.
        """
        self._select(task)
        if self.shortcuts.packed_batches:
            return self._packed(input_ids, attention_mask, labels)
        wanted = labels[:, 1:] != IGNORED
        places = torch.nonzero(wanted.any(0)).squeeze(1)
        chosen, targets = wanted[:, places], labels[:, 1:][wanted]
        width = int(places[-1]) + 1 if self.shortcuts.label_positions_only else input_ids.shape[1]
        with autocast(self.attached.core, self.attached.precision):
            logits = self._logits(input_ids[:, :width], attention_mask[:, :width], places - width, chosen)
        return logits.float(), placed(targets, self.attached.core.device)

    def parts(self, batch: dict[str, torch.Tensor], tokens: int | None) -> list[dict[str, torch.Tensor]]:
        """Split a batch of ``forward``'s arguments into those of forwards of at most ``tokens`` tokens each.

        A packed batch counts the nodes of its tree, any other one its examples times the longest.
        """
        parts = self._split(batch, tokens)
        return [batch] if len(parts) == 1 else [part_of(batch, rows) for rows in parts]

    def _split(self, batch: dict[str, torch.Tensor], tokens: int | None) -> list[list[int]]:
        """The numbers of the examples of each part."""
        if self.shortcuts.packed_batches:
            rows = unpadded(batch["input_ids"], batch["attention_mask"])
            return split_tree(rows, tokens, pair_work(self.attached.core))
        return split_batch(batch["attention_mask"].sum(1).tolist(), tokens)

    def branches(self, batch: dict[str, torch.Tensor], tokens: int | None) -> Branch:
        """Return what a training step runs of a batch one after another: branches of its tree, or ``parts`` of rows.

        ``tokens`` is the most of a forward. Branches may have fewer, since what they share runs once all the same.
        """
        core = self.attached.core
        most = min((most for most in (TOKENS.get(core.device.type), tokens) if most), default=None)
        if most is None or not (self.shortcuts.packed_batches and tree_attention.allows(core)):
            parts = [Branch(rows) for rows in self._split(batch, tokens)]
            return Branch([row for part in parts for row in part.rows], parts=parts) if len(parts) > 1 else parts[0]
        rows = unpadded(batch["input_ids"], batch["attention_mask"])
        answers = (batch["labels"][:, 1:] != IGNORED).int().argmax(1).tolist()  # where the first token is predicted
        return branches(rows, answers, most)

    def running(self, batch: dict[str, torch.Tensor], branch: Branch) -> Iterator[dict[str, torch.Tensor]]:
        """Yield ``forward``'s arguments of each leaf of a branch in turn, to go forward and backward before the next.

        Trunks are run before what stands behind them, and their gradients computed after it.
        """
        if not branch.parts:
            yield part_of(batch, branch.rows)
            return
        with self._behind(batch, branch):
            for part in branch.parts:
                yield from self.running(batch, part)

    @contextmanager
    def _behind(self, batch: dict[str, torch.Tensor], branch: Branch) -> Iterator[None]:
        """Let the forwards in a block be of examples that stand behind a branch's trunk."""
        if not branch.trunk:
            yield
            return
        around, depth = self.trunk, self.trunk.depth if self.trunk else 0
        self._select(batch.get("task"))
        tokens = batch["input_ids"][branch.rows[0], depth : depth + branch.trunk].tolist()
        with standing(self.attached, tokens, around, flex=self.shortcuts.flex_attention) as trunk:
            self.trunk = trunk
            try:
                yield
            finally:
                self.trunk = around

    def _select(self, task: torch.Tensor | None) -> None:
        """Choose the method's part of the examples' one task (examples, 1), where it has several."""
        if self.attached.select and task is not None:
            self.attached.select(int(task[0, 0]))

    def _packed(self, ids: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The same logits and targets by one forward of the batch's tree."""
        device = self.attached.core.device
        depth, cache = (self.trunk.depth, self.trunk.cache) if self.trunk else (0, None)
        tree = TokenTree.of([row[depth:] for row in unpadded(ids, mask)], device)
        wanted = labels[:, 1:] != IGNORED
        places = [tree.paths[row][place - depth] for row, place in torch.nonzero(wanted).tolist()]
        with autocast(self.attached.core, self.attached.precision):
            logits = tree_logits(self.attached, tree, places, cache, flex=self.shortcuts.flex_attention)
        return logits.float(), placed(labels[:, 1:][wanted], device)

    def _logits(
        self, ids: torch.Tensor, mask: torch.Tensor, places: torch.Tensor, chosen: torch.Tensor
    ) -> torch.Tensor:
        """Logits where ``chosen`` (examples, places) is true; ``places`` count from the end of the example."""
        device = self.attached.core.device
        cache = prefix_cache(self.attached, placed(self.prefix, device)) if self.prefix.numel() else None
        rows, columns = (placed(part, device) for part in torch.nonzero(chosen, as_tuple=True))
        ids, mask, places = (placed(part, device) for part in (ids, mask, places))
        if not self.shortcuts.label_positions_only:
            return self._run(ids, mask, cache)[rows, places[columns]]
        with end_only_at(self.attached.core, (rows, places[columns])):
            return self._run(ids, mask, cache)[0]

    def _run(self, ids: torch.Tensor, mask: torch.Tensor, cache: Cache | None) -> torch.Tensor:
        if cache is None:
            return self.plain(input_ids=ids, attention_mask=mask).logits  # type: ignore[no-any-return]
        examples, length, before = ids.shape[0], self.prefix.shape[1], cache.get_seq_length()
        cache.batch_repeat_interleave(examples)
        mask = torch.cat([mask.new_ones(examples, before), mask[:, length:]], dim=1)
        output = self.attached.core(
            input_ids=ids[:, length:], attention_mask=mask, past_key_values=cache, use_cache=True
        )
        return output.logits  # type: ignore[no-any-return]


def collate(examples: Sequence[Encoded], pad: int) -> dict[str, torch.Tensor]:
    """Examples as one right-padded batch, by the names of the arguments of ``LabelLogits.forward``.

    >>> collate([Encoded([5, 6], [7], False), Encoded([5], [8], False)], pad=0)["labels"].tolist()
    [[-100, -100, 7], [-100, 8, -100]]
    """
    width = max(len(example.ids) for example in examples)

    def padded(values: Sequence[Sequence[int]], fill: int) -> torch.Tensor:
        return torch.tensor([[*value, *[fill] * (width - len(value))] for value in values])

    return {
        "input_ids": padded([example.ids for example in examples], pad),
        "attention_mask": padded([[1] * len(example.ids) for example in examples], 0),
        "labels": padded([example.labels for example in examples], IGNORED),
        "task": torch.tensor([[example.task] for example in examples]),
    }
