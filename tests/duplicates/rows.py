"""Rows to compare: with a falling spectrum as texts have, alike in all directions, and with pairs near a threshold."""

import numpy as np

from app.duplicates.engine.forms import Form, form_here

# What this processor can do: its quickest form and those after it, of which the last can be done everywhere.
FORMS = list(Form)[list(Form).index(form_here()) :]


def unit_rows(count, dimensions=384, seed=0, copies=0.2):
    """Rows with a falling spectrum, as texts have, a share of them near copies of others."""
    random = np.random.default_rng(seed)
    spread = np.arange(1, dimensions + 1) ** -0.5
    rows = random.normal(size=(count, dimensions)) * spread
    near = int(count * copies)
    noise = random.uniform(0.05, 0.7, size=(near, 1)) * random.normal(size=(near, dimensions)) * spread
    rows[:near] = rows[count - near :] + noise
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def planted(rows, threshold, count=40, wide=2e-6):
    """Put pairs a hair around the threshold among the rows, on either side of it."""
    random = np.random.default_rng(5)
    rows = rows.astype(np.float64)
    for number in range(count):
        one, other = rows[2 * number], rows[2 * number + 1]
        across = other - one * (one @ other)
        across /= np.linalg.norm(across)
        cosine = threshold + random.uniform(-wide, wide)
        rows[2 * number + 1] = cosine * one + np.sqrt(1 - cosine**2) * across
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def flat(count):
    """Rows alike in all directions, some of them near copies."""
    rows = np.random.default_rng(2).normal(size=(count, 384))
    rows[: count // 10] = rows[-(count // 10) :] + 0.3 * np.random.default_rng(3).normal(size=(count // 10, 384))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def brute(rows, threshold):
    """The places of all pairs at the threshold, by one product of everything with everything in float64."""
    whole = rows.astype(np.float64)
    return set(zip(*(side.tolist() for side in np.nonzero(np.triu(whole @ whole.T >= threshold, 1))), strict=True))
