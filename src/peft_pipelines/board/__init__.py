"""The board: pages in the browser over the files that the command line reads and writes."""
