"""Datasets of the catalog, one for each kind of artifact on disk."""
