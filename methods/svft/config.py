"""SVFT's configuration: which layers, and which pairs of their singular directions are trained."""

from dataclasses import dataclass, field

from peft import PeftConfig

PATTERNS = ("plain", "banded", "random")


@dataclass
class SVFTConfig(PeftConfig):
    """SVFT (Lingam et al. 2024).

    The paper's fourth pattern, Top-k, compares left with right singular vectors and so needs square layers; it is left
    out.

    Args:
        target_modules: last parts of the names of linear layers, or a regular expression over whole names; None for
            every linear layer but the output head.
        pattern: ``plain`` trains the diagonal of M only, ``banded`` also ``off_diagonals`` on each side of it,
            ``random`` as many entries as ``banded``, drawn by ``entry_seed``.
        off_diagonals: diagonals on each side of the main one; ``plain`` has none and ignores it.
        rank: leading singular directions that take part; None for all.
        entry_seed: the draw of ``random``. It is not the training seed: a checkpoint must find its entries again.
    """

    peft_type: str = "SVFT"
    target_modules: list[str] | str | None = field(
        default=None, metadata={"help": "last parts of names of linear layers; None for all but the head"}
    )
    pattern: str = field(default="banded", metadata={"help": "plain, banded or random"})
    off_diagonals: int = field(default=1, metadata={"help": "trained diagonals on each side of the main one"})
    rank: int | None = field(default=None, metadata={"help": "leading singular directions; None for all"})
    entry_seed: int = field(default=0, metadata={"help": "the draw of pattern random"})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pattern not in PATTERNS:
            raise ValueError(f"unknown pattern '{self.pattern}'. Allowed: {', '.join(PATTERNS)}")
        if type(self.off_diagonals) is not int or self.off_diagonals < 0:
            raise ValueError(f"off_diagonals must be a whole number from 0, got {self.off_diagonals!r}")
        if self.rank is not None and (type(self.rank) is not int or self.rank < 1):
            raise ValueError(f"rank must be a whole number from 1 or null, got {self.rank!r}")
