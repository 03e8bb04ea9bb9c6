"""Metrics: pure functions from predictions and references to numbers."""
