"""Small helpers that know nothing of the project: atomic writes, versions of libraries, progress."""
