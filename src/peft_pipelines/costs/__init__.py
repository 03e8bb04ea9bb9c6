"""Costs of training and generation: time, memory, compute, energy."""
