"""Pipeline ``cells``."""
