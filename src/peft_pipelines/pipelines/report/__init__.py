"""Pipeline ``report``."""
