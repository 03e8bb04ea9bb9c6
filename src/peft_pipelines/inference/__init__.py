"""Answers of a trained model: greedy generation, and the likelihood of given answers."""
