"""The three pipelines: data (nodes of a task), cells (nodes of a cell), report."""
