"""Training a method: the loss, the trainer, the optimizers, validation and the learning-rate search."""
