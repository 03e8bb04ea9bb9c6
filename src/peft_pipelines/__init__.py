"""Declarative benchmarks of parameter-efficient fine-tuning methods on language models."""

__version__ = "0.1.0"
