"""Units in turn, each under its claim: what another run holds is passed over, and waited for at the end."""

from collections.abc import Callable, Iterable
from pathlib import Path
from time import sleep

from peft_pipelines.files.claim_file import Holder
from peft_pipelines.running.claims import POLL, ClaimLost, Claims
from peft_pipelines.running.plans import Plan
from peft_pipelines.running.unit_runner import UnitRunner
from peft_pipelines.running.units import Unit

Work = Callable[[Plan, Holder | None], None]
"""What is done with a plan; the second is the run that has made the unit meanwhile, if one has."""


class Turns:
    """Turns of units.

    Args:
        units: plans them.
        claims: the claims of the run.
        note: prints what a person should know.
    """

    def __init__(self, units: UnitRunner, claims: Claims, note: Callable[[str], None]) -> None:
        self._units, self._claims, self._note = units, claims, note

    def each(self, plans: Iterable[Plan], work: Work) -> None:
        """Do the work of each plan: first of those that are free, then of those that other runs have held."""
        held = {plan.unit.tag: (plan, holder) for plan in plans if (holder := self._one(plan, work))}
        while held:
            sleep(POLL)
            left = {
                tag: (plan, now)
                for tag, (plan, was) in held.items()
                if (now := self.claimed(plan.unit, plan.state.folder, work, was))
            }
            held = left

    def _one(self, plan: Plan, work: Work) -> Holder | None:
        if plan.to_do:
            return self.claimed(plan.unit, plan.state.folder, work, None)
        work(plan, None)
        return None

    def claimed(self, unit: Unit, folder: Path, work: Work, was: Holder | None) -> Holder | None:
        """Do a unit's work under its claim, planned anew since others may have made it, or return its holder."""
        holder = self._claims.take(folder)
        if holder:
            if holder != was:
                self._note(f"{unit.title}: held by {holder}, waiting")
            return holder
        try:
            work(self._units.plan(unit), was)
        except ClaimLost as lost:
            self._note(f"{unit.title}: taken over by {lost}, since this run was silent")
            return lost.holder  # it is looked at again, whoever has it by then
        finally:
            self._claims.release(folder)
        return None

    def wait_for(self, folder: Path, title: str) -> None:
        """Take a claim, however long another run holds it."""
        was = None
        while holder := self._claims.take(folder):
            if holder != was:
                self._note(f"{title}: held by {holder}, waiting")
            was = holder
            sleep(POLL)
