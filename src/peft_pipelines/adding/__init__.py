"""A file of rows becomes a task in an environment of its own, which runs as it is."""
