"""Files, text for people, and names: atomic writes, escaping, Markdown, releases of libraries, progress, names."""
