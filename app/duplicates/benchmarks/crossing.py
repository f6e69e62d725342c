"""Prompts of a project held against listed ones: every pair that reaches a threshold, by any way of looking.

Exact by the normal form. By wording: the runs of letters of all listed prompts stand as numbers in one sorted row,
each with whose it is, so what a text shares with every one of them is counted at once and none is missed; what comes
near is measured whole by Jaccard, as a scan does. By meaning: one product of all vectors, and whatever comes near to
the threshold is measured by the engine's own sum. Pure: no session, no model.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.duplicates.engine.shortening import Positions
from app.duplicates.lexical import LENGTH, LONGEST, alike, runs
from app.duplicates.matching import measured
from app.duplicates.models import Method
from app.duplicates.normal import normal_form
from app.duplicates.pairing import Found, united
from app.embeddings.vectors import Vectors

Numbers = npt.NDArray[np.uint64]
# Any odd number; what two different runs share by chance is found out when a pair is measured whole.
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
# So far below the threshold a pair is measured whole: more than a run that was taken for another can take away.
_SLACK = 0.01
# A product in float32 and the engine's sum differ by less.
_MARGIN = 1e-4
_CELLS = 16_000_000
# A later prompt of a dialogue that says less says the same of anything: "Can you make it shorter?"
LEAST_WORDS = 6


@dataclass(frozen=True)
class Asked:
    """One prompt of an example, by its place in a dialogue; of what is no example yet the number is 0."""

    example_id: int
    turn: int
    text: str


@dataclass(frozen=True)
class Crossing(Found):
    """An example's prompt that is near to a listed one: `left` is its example, `right` the listed one's place."""

    turn: int
    text: str


@dataclass(frozen=True)
class Meant:
    """Vectors of the prompts asked and of the listed ones, in their order; zeros where one has none."""

    ours: Vectors
    theirs: Vectors


def asked_in(example_id: int, prompts: Sequence[str]) -> list[Asked]:
    """What of a dialogue is compared: its first prompt, and the later ones that say enough by themselves."""
    numbered = [Asked(example_id, turn, text) for turn, text in enumerate(prompts, 1)]
    return [one for one in numbered if one.text.strip() and (one.turn == 1 or len(one.text.split()) >= LEAST_WORDS)]


class Listed:
    """Listed prompts, made ready to be compared with any number of others."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Take the prompts in their order; about 12 bytes for each of their characters."""
        self.texts = texts
        self.forms: dict[str, list[int]] = {}
        for place, text in enumerate(texts):
            if form := normal_form(text):
                self.forms.setdefault(form, []).append(place)
        rows = [run_numbers(text) for text in texts]
        self.sizes: Positions = np.array([len(row) for row in rows], dtype=np.int64)
        numbers = np.concatenate(rows) if rows else np.empty(0, dtype=np.uint64)
        order = np.argsort(numbers, kind="stable")
        self.numbers: Numbers = numbers[order]
        self.owners = np.repeat(np.arange(len(rows), dtype=np.int32), self.sizes)[order]

    def equal_to(self, text: str) -> Sequence[int]:
        """The places of those with the same normal form."""
        return self.forms.get(normal_form(text), ())

    def alike_to(self, text: str, least: float) -> Iterator[tuple[int, float]]:
        """(place, share) of all whose wording is at least so much alike."""
        mine = run_numbers(text)
        first = np.searchsorted(self.numbers, mine, "left")
        counts = np.searchsorted(self.numbers, mine, "right") - first
        total = int(counts.sum())
        if not total:
            return
        within = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        shared = np.bincount(self.owners[np.repeat(first, counts) + within], minlength=len(self.sizes))
        near = np.flatnonzero(shared >= (least - _SLACK) * (len(mine) + self.sizes - shared))
        said = runs(text, LENGTH) if len(near) else frozenset()
        for place in near[shared[near] > 0].tolist():
            share = alike(said, runs(self.texts[place], LENGTH))
            if share >= least:
                yield place, share


def run_numbers(text: str) -> Numbers:
    """A number for each of the runs that `lexical.runs` gives, ascending."""
    form = normal_form(text[:LONGEST])
    if not form:
        return np.empty(0, dtype=np.uint64)
    letters = np.frombuffer(form.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    # No letter has the number 0, so a short text is like no run of a longer one.
    letters = np.pad(letters, (0, max(0, LENGTH - len(letters))))
    numbers = np.zeros(len(letters) - LENGTH + 1, dtype=np.uint64)
    for shift in range(LENGTH):
        numbers = numbers * _FACTOR + letters[shift : shift + len(numbers)]
    return np.unique(numbers)


def crossings(
    asked: Sequence[Asked], listed: Listed, thresholds: Mapping[Method, float], meant: Meant | None = None
) -> list[Crossing]:
    """Each example with each listed prompt that one of its own is near to, once, by what says most about it."""
    found = [_crossing(one, place, Method.EXACT, 1.0) for one in asked for place in listed.equal_to(one.text)]
    found += [
        _crossing(one, place, Method.LEXICAL, share)
        for one in asked for place, share in listed.alike_to(one.text, thresholds[Method.LEXICAL])
    ]  # fmt: skip
    if meant is not None:
        pairs = near_in_meaning(meant, thresholds[Method.EMBEDDING])
        found += [_crossing(asked[ours], theirs, Method.EMBEDDING, score) for ours, theirs, score in pairs]
    return united(found, thresholds)


def _crossing(one: Asked, place: int, method: Method, score: float) -> Crossing:
    return Crossing(one.example_id, place, method, round(score, 6), True, one.turn, one.text)


def near_in_meaning(meant: Meant, threshold: float) -> Iterator[tuple[int, int, float]]:
    """(place among ours, place among theirs, cosine) of all pairs that reach the threshold: exactly those."""
    ours, theirs = meant.ours, meant.theirs
    both, rows = np.concatenate([ours, theirs]), max(1, _CELLS // max(1, len(theirs)))
    for start in range(0, len(ours), rows):
        left, right = np.nonzero(ours[start : start + rows] @ theirs.T >= threshold - _MARGIN)
        pairs = measured(both, left + start, right + len(ours), threshold)
        for one, other, score in zip(*(pairs[name].tolist() for name in ("left", "right", "score")), strict=True):
            yield one, other - len(ours), score
