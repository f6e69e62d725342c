"""Supervised fine-tuning and generation on torch; knows nothing of app, which sees only training.spec."""

import os

# Before torch loads OpenMP: threads that wait by spinning make a step on a busy machine ten times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
