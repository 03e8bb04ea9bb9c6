"""The three pipelines: data (once a task), cells (once a cell), report (once)."""
