"""Two dimensions that keep neighbours: PCA at once, then UMAP; and the place of what comes later among what is there.

McInnes, Healy and Melville, UMAP (arXiv 1802.03426). It is given the exact nearest neighbours by cosine and begins from
PCA, so the same rows give the same map. Of more rows than LANDMARKS a seeded choice is laid out and the others are
placed among them, as later ones are: each is drawn to its neighbours, which do not move.
"""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from app.embeddings.vectors import Vectors
from app.selection.atlas.neighbours import GoOn, Rows, nearest

Places = npt.NDArray[np.float32]

LANDMARKS = 20_000
NEIGHBOURS = 15
# Fewer have no neighbourhoods to keep.
FEWEST = 12
EPOCHS, EPOCHS_OF_PLACING = 300, 60
SPREAD, LEAST_DISTANCE = 1.0, 0.25
RATE, FORCE, STRANGERS = 1.0, 1.0, 5
MARGIN = 0.04
EVENNESS = 0.5
ROWS_AT_ONCE = 16_384


def principal(rows: Vectors) -> Places:
    """The first two principal components, (n, 2), the wider one first; the same for the same rows, signs included."""
    if len(rows) < 2:
        return np.zeros((len(rows), 2), dtype=np.float32)
    middle = rows.mean(axis=0, dtype=np.float64)
    spread = np.zeros((rows.shape[1],) * 2)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE] - middle
        spread += part.T @ part
    axes = np.linalg.eigh(spread)[1][:, ::-1][:, :2]
    # An axis has no direction of its own: its largest part is made positive.
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    places = np.empty((len(rows), 2), dtype=np.float32)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        places[start : start + ROWS_AT_ONCE] = (rows[start : start + ROWS_AT_ONCE] - middle) @ axes
    return places


def landmarks(count: int, seed: int, most: int = LANDMARKS) -> Rows:
    """The positions of the rows that are laid out, in order: all of them, or a seeded choice of `most`."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))


def neighbourly(rows: Vectors, first: Places, seed: int, go_on: GoOn) -> Places:
    """UMAP of unit rows, (n, 2), beginning at `first`; of at least FEWEST rows."""
    count = min(NEIGHBOURS, len(rows) - 1)
    # Each row is its own nearest neighbour, as UMAP wants it.
    near, cosines = nearest(rows, rows, count, go_on)
    near, distances = _itself_first(near, 1 - cosines)
    go_on()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap.umap_ import fuzzy_simplicial_set, simplicial_set_embedding

        random = np.random.RandomState(seed)
        graph = fuzzy_simplicial_set(
            rows, count, random, "cosine", knn_indices=near.astype(np.int32), knn_dists=distances, return_dists=False
        )[0]
        a, b = curve()
        laid_out: Places = simplicial_set_embedding(
            rows, graph, 2, RATE, a, b, FORCE, STRANGERS, EPOCHS, _jittered(first, seed), random, "cosine", {},
            densmap=False, densmap_kwds={}, output_dens=False, tqdm_kwds={"disable": True},
        )[0]  # fmt: skip
    return laid_out.astype(np.float32)


def curve() -> tuple[float, float]:
    """The two numbers of UMAP's curve between near and far."""
    from umap.umap_ import find_ab_params

    a, b = find_ab_params(SPREAD, LEAST_DISTANCE)
    return float(a), float(b)


def _itself_first(near: Rows, distances: Vectors) -> tuple[Rows, Vectors]:
    """Each row at the head of its own neighbours: of equal ones another may stand there."""
    for row in np.flatnonzero(near[:, 0] != np.arange(len(near))):
        at = np.flatnonzero(near[row] == row)
        end = int(at[0]) if len(at) else near.shape[1] - 1
        near[row, 1 : end + 1] = near[row, :end].copy()
        near[row, 0] = row
    distances[:, 0] = 0
    return near, np.ascontiguousarray(np.maximum(distances, 0), dtype=np.float32)


def _jittered(first: Places, seed: int) -> Places:
    """Where to begin: equal rows a hair apart, or nothing would ever part them from their equals."""
    width = float(np.abs(first).max()) or 1.0
    noise = np.random.default_rng(seed).normal(scale=0.001, size=first.shape)
    return (first / width + noise).astype(np.float32)


def placed(rows: Vectors, among: Vectors, places: Places, seed: int, go_on: GoOn) -> Places:
    """Places for further unit rows among those that have one, which stay where they are, (n, 2)."""
    if not len(rows):
        return np.empty((0, 2), dtype=np.float32)
    near, cosines = nearest(rows, among, min(NEIGHBOURS, len(among)), go_on)
    go_on()
    weights = _weights(1 - cosines)
    # Begun at the nearest one and not in the midst of all: a row between two islands lies on one of them.
    # A hair beside it, by its own cosines: so a row's place hangs on no other row that comes with it.
    aside = np.modf(cosines[:, [0, -1]] * 7919)[0] - 0.5
    start = (places[near[:, 0]] + aside * 0.02).astype(np.float32)
    if len(among) < FEWEST:
        return start
    return _drawn(start, places, near, weights, seed)


def _weights(distances: Vectors) -> Vectors:
    """How strongly a row hangs on each of its neighbours, as UMAP's local scale has it: the nearest one wholly."""
    beyond = np.maximum(distances - distances[:, :1], 0)
    scale = np.maximum(beyond.mean(axis=1, keepdims=True), 1e-6)
    weights: Vectors = np.exp(-beyond / scale).astype(np.float32)
    return weights


def _drawn(start: Places, places: Places, near: Rows, weights: Vectors, seed: int) -> Places:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap.layouts import optimize_layout_euclidean
        from umap.umap_ import make_epochs_per_sample

        heads = np.repeat(np.arange(len(near), dtype=np.int32), near.shape[1])
        random: Any = np.random.RandomState(seed).randint(-(2**31) + 1, 2**31 - 1, 3).astype(np.int64)
        a, b = curve()
        drawn: Places = optimize_layout_euclidean(
            start, np.ascontiguousarray(places, dtype=np.float32), heads, near.astype(np.int32).ravel(),
            EPOCHS_OF_PLACING, len(places), make_epochs_per_sample(weights.ravel(), EPOCHS_OF_PLACING), a, b, random,
            FORCE, RATE / 4, STRANGERS, parallel=False, verbose=False, tqdm_kwds={"disable": True}, move_other=False,
        )  # fmt: skip
    return drawn


def upright(places: Places) -> Places:
    """The same map turned so that it is widest from left to right, for pages are wide."""
    if len(places) < 3:
        return places
    off = places - places.mean(axis=0)
    axes = np.linalg.eigh(off.T.astype(np.float64) @ off)[1][:, ::-1]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    turned: Places = (off @ axes).astype(np.float32)
    return turned


def evened(places: Places) -> Places:
    """The same map with less room between islands: each axis half as it is, half by rank, so no two change sides."""
    if len(places) < 3:
        return places
    even = np.empty_like(places)
    for axis in range(2):
        values = places[:, axis]
        _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks = (np.cumsum(counts) - counts / 2)[which] / len(values)
        low, high = float(values.min()), float(values.max())
        even[:, axis] = (1 - EVENNESS) * values + EVENNESS * (low + ranks * (high - low))
    return even


def frame_of(places: Places) -> tuple[float, float, float, float]:
    """The edges of the picture that holds all places with a little room: left, top, right, bottom."""
    if not len(places):
        return 0.0, 0.0, 1.0, 1.0
    low, high = places.min(axis=0).astype(float), places.max(axis=0).astype(float)
    room = np.maximum((high - low) * MARGIN, 1e-6)
    (left, top), (right, bottom) = (low - room).tolist(), (high + room).tolist()
    return left, top, right, bottom
