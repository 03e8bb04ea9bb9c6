"""Pipeline ``data``."""
