"""Experiment trackers: each cell as a run of MLflow, TensorBoard or Weights & Biases, where rows ask for it."""
