"""Base models, training runs, checkpoints and answers."""
