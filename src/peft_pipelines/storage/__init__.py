"""The datasets of the catalog: how each kind of artifact lies on disk."""
