"""Tuning methods of several libraries behind one contract (see ``methods.providers``)."""
