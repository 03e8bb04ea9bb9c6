"""The base models: read once, cloned for each cell, merged with what was trained."""
