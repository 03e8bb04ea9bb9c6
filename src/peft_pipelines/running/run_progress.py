"""How far a run is: the facts that its own display shows, and that ``kedro watch`` reads from disk."""

from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:  # it loads much that who only reads the facts does not need
    from peft_pipelines.running.time_left import TimeLeft


class Doing(BaseModel):
    """What a run is doing at one place, and for how many seconds: a cell, a task's data or the report.

    ``done`` of ``total`` steps of its phase are done; ``total`` is None where the phase has no steps. ``losses`` and
    ``validation`` are the losses of that phase by its step.
    """

    place: int
    title: str
    phase: str = ""
    done: int = 0
    total: int | None = None
    seconds: float = 0.0
    losses: list[tuple[int, float]] = []
    validation: list[tuple[int, float]] = []


class Snapshot(BaseModel):
    """How far a run is at a moment.

    ``cells`` is None before they are counted. Of these ``unchanged`` were skipped, ``made`` have been made or tried by
    this run or another one meanwhile, ``failed`` of them without success. ``left`` are the wall seconds that the rest
    would take, None where nothing is known, without the ``not_estimated`` cells.
    """

    seconds: float
    cells: int | None = None
    unchanged: int = 0
    made: int = 0
    failed: int = 0
    left: float | None = None
    not_estimated: int = 0
    doing: list[Doing] = []

    @property
    def done(self) -> int:
        """The cells that are through."""
        return self.unchanged + self.made

    def after(self, seconds: float) -> "Snapshot":
        """Return what is expected of these facts some seconds later: clocks go on, steps and cells stay."""
        doing = [each.model_copy(update={"seconds": each.seconds + seconds}) for each in self.doing]
        left = max(0.0, self.left - seconds) if self.left is not None else None
        return self.model_copy(update={"seconds": self.seconds + seconds, "left": left, "doing": doing})


class RunProgress:
    """How far a run is, as its display is told. One thread writes; ``now`` may be asked from any."""

    def __init__(self) -> None:
        self._began = monotonic()
        self._cells: int | None = None
        self._unchanged = self._skipped = self._made = self._failed = 0
        self._doing: dict[int, tuple[float, Doing]] = {}
        self.time_left: TimeLeft | None = None

    def plan(self, total: int, unchanged: int) -> None:
        """Note how many cells there are, and how many of them are skipped."""
        self._cells, self._unchanged = total, unchanged

    def begin(self, title: str, place: int) -> None:
        """Note that something begins at a place; an empty title for nothing."""
        if not title:
            self._doing.pop(place, None)
            return
        self._doing[place] = monotonic(), Doing(place=place, title=title)
        if self.time_left:
            self.time_left.begin(title)

    def step(self, phase: str, place: int, done: int = 0, total: int | None = None) -> None:
        """Note the phase at a place, and the steps of it that are done."""
        if place in self._doing:
            began, doing = self._doing[place]
            same = {"losses": doing.losses, "validation": doing.validation} if doing.phase == phase else {}
            self._doing[place] = (
                began,
                Doing(place=place, title=doing.title, phase=phase, done=done, total=total, **same),
            )

    def log(self, phase: str, entry: Mapping[str, float], place: int) -> None:
        """Note what a training at a place has logged: ``step``, and ``loss`` or ``validation_loss``."""
        if place in self._doing:
            if self._doing[place][1].phase != phase:
                self.step(phase, place)
            doing, step = self._doing[place][1], int(entry["step"])
            for curve, name in ((doing.losses, "loss"), (doing.validation, "validation_loss")):
                if name in entry:
                    curve[:] = [*(point for point in curve if point[0] < step), (step, entry[name])]

    def skip(self, *, elsewhere: bool = False) -> None:
        """Note that a cell is skipped: one that stood as the run began, or that another run has made ``elsewhere``."""
        self._skipped += 1
        self._unchanged += elsewhere

    def end(self, title: str, failed: bool) -> None:
        """Note that a cell has ended."""
        self._made += 1
        self._failed += failed
        for place in [place for place, (_, doing) in self._doing.items() if doing.title == title]:
            self._doing.pop(place)

    def now(self) -> Snapshot:
        """Return how far the run is."""
        now, left = monotonic(), self.time_left
        doing = [each.model_copy(update={"seconds": now - began}) for began, each in list(self._doing.values())]
        return Snapshot(
            seconds=now - self._began,
            cells=self._cells,
            unchanged=max(self._unchanged, self._skipped),
            made=self._made,
            failed=self._failed,
            left=left.seconds if left else None,
            not_estimated=left.unknown if left else 0,
            doing=sorted(doing, key=lambda each: each.place),
        )
