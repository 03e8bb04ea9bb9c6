"""Files and names: atomic writes, Markdown, releases of libraries, progress, and the project's names."""
