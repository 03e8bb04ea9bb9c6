"""Silence of the libraries' own progress bars, loggers and warnings, which conf/logging.yml cannot reach."""

import os
import sys
import warnings

CHATTY = ("kedro", "peft", "transformers", "adapters", "accelerate", "torch")


def silence() -> None:
    """Turn the libraries' own output off. Errors are exceptions and still come through."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # it reads these when it is imported
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if "transformers" in sys.modules:
        import transformers  # noqa: PLC0415  (not loaded for a run that needs no model)

        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    warnings.filterwarnings("ignore", message="IProgress not found")  # tqdm, in a notebook without widgets
    for package in CHATTY:
        for category in (UserWarning, FutureWarning, DeprecationWarning):
            warnings.filterwarnings("ignore", category=category, module=rf"{package}(\.|$)")
