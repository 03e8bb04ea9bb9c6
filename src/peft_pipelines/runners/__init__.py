"""How a pipeline is run: the cell is the unit, and what stands with an unchanged fingerprint is skipped."""

from peft_pipelines.runners.cell_runner import CellRunner, CellsFailed

__all__ = ["CellRunner", "CellsFailed"]
