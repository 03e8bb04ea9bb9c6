"""What cells have trained, put to use: one object that answers, and what is built on it."""
