"""How a pipeline is run: cell by cell, skipping what stands with an unchanged fingerprint."""
