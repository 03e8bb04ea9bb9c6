"""Tables, plots and the page that are made of scores. Nothing here computes a score."""
