"""Prompts that are trained on and held out in nearly the same words.

Two texts are compared by the words that they share, each weighing as much as it is rare in the set: what all prompts
have in common says nothing, the one word that only these two have says much (Jaccard's measure over words, weighed by
inverse document frequency: Spärck Jones, 1972). Case and
punctuation never count (`wording`). docs/gates.md has what was measured.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from app.datasets.gates.base import TRAIN
from app.datasets.gates.leaks import Leak, Prompt
from app.datasets.gates.wording import are_other_exercises, is_sign, words

Words = tuple[str, ...]
Ids = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]

# From here on two prompts are taken for one: of a million pairs of real ones fifteen are, each nearly the same request.
ALIKE = 0.4
# So many words two prompts have in common at least: of three words one is always another.
LEAST = 3
# Sums of weights in another order differ by less.
ROUNDING = 1e-6
# So many letters a word has whose weight is whole.
LONG = 4


def _tells(word: str) -> bool:
    """Whether two texts are more alike by having it: a sign or a single digit is in any sum."""
    return not is_sign(word) and (len(word) > 1 or word.isalpha())


def rewordings(prompts: Sequence[Prompt], texts: Sequence[Words]) -> tuple[Leak, ...]:
    """Every two prompts of which one is trained on and the other held out that are nearly alike, by their numbers.

    `texts` are their words. Of two one is the first prompt of its example. A tenth of a second for a thousand prompts
    with three hundred held out.
    """
    held = [place for place, prompt in enumerate(prompts) if prompt.split != TRAIN]
    if len(held) in {0, len(prompts)}:
        return ()
    table = _Table(prompts, texts)
    scores = dict(table.same_words())
    for place in held:
        scores |= dict(table.alike_to(place))
    found = [_leak(prompts[left], prompts[right], score) for (left, right), score in scores.items()]
    return tuple(sorted(found, key=_by_numbers))


def _by_numbers(leak: Leak) -> tuple[int, int, int]:
    """Of several prompts of two examples the first ones come first."""
    return leak.left.example_id, leak.right.example_id, leak.left.turn + leak.right.turn


@lru_cache(maxsize=4)
def alike(texts: Words) -> tuple[tuple[int, int], ...]:
    """Every two of these texts that would be a leak if one were trained on and the other held out, by their places."""
    said = [words(text) for text in texts]
    if not any(said):
        return ()
    table = _Table([Prompt(place, TRAIN, text) for place, text in enumerate(texts)], said)
    found = set(_in_the_same_words(said))
    found |= {pair for place in range(len(texts)) for pair, _ in table.alike_to(place)}
    return tuple(sorted(found))


def _in_the_same_words(texts: Sequence[Words]) -> Iterator[tuple[int, int]]:
    """Each text with the first of the same words, and of two that differ in signs which say nothing the first ones."""
    for group in _wordings(texts, range(len(texts))):
        firsts = {text: places[0] for text, places in group.items()}
        yield from ((places[0], place) for places in group.values() for place in places[1:])
        for one, other in combinations(firsts, 2):
            if not are_other_exercises(one, other):
                yield _ordered(firsts[one], firsts[other])


def _wordings(texts: Sequence[Words], places: Iterable[int]) -> Iterable[dict[Words, list[int]]]:
    """The places of texts that have the same words in the same order, apart by the signs between them."""
    groups: dict[Words, dict[Words, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place in places:
        text = texts[place]
        if text:
            groups[tuple(word for word in text if not is_sign(word)) or text][text].append(place)
    return groups.values()


def _leak(one: Prompt, other: Prompt, score: float) -> Leak:
    left, right = sorted((one, other), key=lambda prompt: prompt.example_id)
    return Leak(left, right, round(score, 4))


def _ordered(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other)


class _Table:
    """The words of all prompts as numbers, and in which prompts each stands."""

    def __init__(self, prompts: Sequence[Prompt], texts: Sequence[Words]) -> None:
        numbers: dict[str, int] = {}
        rows = [sorted({numbers.setdefault(word, len(numbers)) for word in text if _tells(word)}) for text in texts]
        self.prompts, self.texts = prompts, texts
        # Short words are mostly those that every text has, which a small set cannot tell by counting.
        lengths = np.minimum(1, np.array([len(word) for word in numbers]) / LONG)
        self.sizes = np.array([len(row) for row in rows])
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)])
        self.words: Ids = np.array([number for row in rows for number in row], dtype=np.int64)
        counts, everything = self._rarity(len(numbers))
        # A word that two prompts share is as rare as it is among all others.
        self.shared: Weights = lengths * np.log(everything / np.maximum(1, counts - 1))
        self.single: Weights = lengths * np.log(everything / np.maximum(1, counts))
        self.enough = np.log(everything)
        self.totals: Weights = np.array([self.single[self.row(place)].sum() for place in range(len(rows))])
        order = np.argsort(self.words, kind="stable")
        self.holders = np.repeat(np.arange(len(rows)), self.sizes)[order]
        self.holder_starts = np.concatenate([[0], np.cumsum(np.bincount(self.words, minlength=len(numbers)))])
        self.trained = np.array([prompt.split == TRAIN for prompt in prompts])
        self.first = np.array([prompt.turn == 1 for prompt in prompts])

    def _rarity(self, words: int) -> tuple[Ids, int]:
        """In how many examples each word stands, and one more than there are: a dialogue counts once."""
        examples = np.array([prompt.example_id for prompt in self.prompts], dtype=np.int64)
        _, whose = np.unique(examples, return_inverse=True)
        if len(examples) == 0 or whose.max() + 1 == len(examples):
            return np.bincount(self.words, minlength=words), len(examples) + 1
        once = np.unique(np.repeat(whose, self.sizes) * words + self.words)
        return np.bincount(once % words, minlength=words), int(whose.max()) + 2

    def row(self, place: int) -> Ids:
        """The words of one prompt, each once."""
        return self.words[self.starts[place] : self.starts[place + 1]]

    def same_words(self) -> Iterator[tuple[tuple[int, int], float]]:
        """Prompts with the same words in the same order, the first of each split, whatever signs say nothing."""
        for group in _wordings(self.texts, sorted(range(len(self.prompts)), key=lambda place: not self.first[place])):
            of_split: dict[Words, dict[str, int]] = {text: {} for text in group}
            for text, places in group.items():
                for place in places:
                    of_split[text].setdefault(self.prompts[place].split, place)
            for one, other in product(group, repeat=2):
                trained = of_split[one].get(TRAIN)
                if trained is not None and (one == other or not are_other_exercises(one, other)):
                    held = (place for split, place in of_split[other].items() if split != TRAIN)
                    yield from self._told(trained, held)

    def _told(self, trained: int, held: Iterable[int]) -> Iterator[tuple[tuple[int, int], float]]:
        others = (other for other in held if self.first[trained] or self.first[other])
        return ((_ordered(trained, other), 1.0) for other in others)

    def alike_to(self, place: int) -> Iterator[tuple[tuple[int, int], float]]:
        """The train prompts that are nearly alike to a held-out one, or to one of them."""
        mine = self.row(place)
        near = self._likely(place, mine)
        near = near[self.trained[near] if self.first[place] else self.trained[near] & self.first[near]]
        if not len(near):
            return
        which, at = self._words_of(near)
        known = np.zeros(len(self.single), dtype=bool)
        known[mine] = True
        both = known[at]
        shared = np.bincount(which, np.where(both, self.shared[at], 0), minlength=len(near))
        given = np.bincount(which, np.where(both, self.single[at], 0), minlength=len(near))
        scores = shared / (shared + self.totals[place] + self.totals[near] - 2 * given)
        several = np.bincount(which, both, minlength=len(near)) >= LEAST
        for index in np.flatnonzero((scores >= ALIKE) & (shared >= self.enough) & several):
            other = int(near[index])
            if not are_other_exercises(self.texts[place], self.texts[other]):
                yield _ordered(place, other), float(scores[index])

    def _likely(self, place: int, mine: Ids) -> Ids:
        """Whoever has so much of the rarest words that all the others might make the two alike.

        Two are never more alike than what they share over the weight of the heavier one.
        """
        rarest = mine[np.argsort(-self.single[mine], kind="stable")]
        passed = np.cumsum(self.single[rarest])
        left = self.shared[rarest].sum() - np.cumsum(self.shared[rarest])
        enough = left < ALIKE * (left + passed)
        most = int(np.argmax(enough)) + 1 if enough.any() else len(rarest)
        if not most:
            return np.empty(0, dtype=np.int64)
        first = rarest[:most]
        holders = [self.holders[self.holder_starts[word] : self.holder_starts[word + 1]] for word in first]
        weights = np.repeat(self.shared[first], [len(some) for some in holders])
        had = np.bincount(np.concatenate(holders), weights, minlength=len(self.totals))
        needed = ALIKE * np.maximum(self.totals, self.totals[place]) - left[most - 1]
        return np.flatnonzero((had > 0) & (had >= needed - ROUNDING))

    def _words_of(self, places: Ids) -> tuple[Ids, Ids]:
        """All words of these prompts in one row, each with the index of whose it is."""
        sizes = self.sizes[places]
        which = np.repeat(np.arange(len(places)), sizes)
        within = np.arange(len(which)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return which, self.words[self.starts[places][which] + within]
