"""Stratified sampling without replacement: the same seed takes the same rows, in whatever order they are read."""

import hashlib
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Protocol

from app.selection.sampling.plans import Part, Plan, Prompt, Strata, Within
from app.web.words import plural

UNSORTED = "(none)"
# What an import writes where it knows no language, so it says little of what the words are written in.
ASSUMED = "en"
# The languages that candidates' words are written in, by their numbers; None where nobody can tell.
Ask = Callable[[Sequence[int]], Mapping[int, str | None]]


@dataclass(slots=True)
class Choosable:
    """What a plan looks at of an open candidate; not frozen, for a part may read hundreds of thousands of them."""

    id: int
    site: str
    external_id: str
    source: str | None
    language: str = "en"
    score: int | None = None
    split: str = "train"
    category: str = ""
    task: str = ""
    title_alone: bool | None = None
    # Whether the import has tossed the coin between title and body already.
    tossed: bool = False
    # Whether somebody said that it belongs in the set.
    kept: bool = False
    # Whether its task's answers are written and not chosen, where its source knows.
    generation: bool | None = None

    def stratum(self, strata: Strata) -> str:
        """The stratum that it belongs to; those without one are a stratum of their own."""
        # Asked of each that a part reads: a dictionary of the four would take longer than all the rest.
        if strata is Strata.NONE:
            return "all"
        return (
            self.site if strata is Strata.SITE else self.category if strata is Strata.CATEGORY else self.task
        ) or UNSORTED


@dataclass(frozen=True)
class Pick:
    """A candidate that is taken; `as_title` says that its title becomes the prompt."""

    candidate: Choosable
    stratum: str
    as_title: bool = False


@dataclass(frozen=True)
class Stratum:
    """One stratum of a part: how many may be taken, its share of each draw at the beginning, and how many were."""

    name: str
    eligible: int
    share: float
    taken: int


@dataclass(frozen=True)
class Drawn:
    """What a part comes to: `missing` is the quota, and `why` says in words why it is not filled, or is empty."""

    part: Part
    missing: int | None
    eligible: int
    strata: tuple[Stratum, ...]
    picks: tuple[Pick, ...]
    why: str


class Shelf(Protocol):
    """What a part draws from: `there` counts all of its source and split, `sizes` the eligible ones of each stratum."""

    @property
    def there(self) -> int:
        """Open candidates of the part's source and split, whatever they are written in."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """How many may be taken of each stratum, by its name in order."""

    @property
    def given(self) -> Mapping[str, int]:
        """How many of each stratum are in the set already; asked only where the part has an `each`."""

    def queue(self, stratum: str, seed: int) -> Iterator[Choosable]:
        """All that may be taken of a stratum, the next one first; nothing is read before the first is asked for."""


class InHand:
    """A shelf over candidates that are all read already; those of another source or split are passed over."""

    def __init__(
        self, plan: Plan, part: Part, candidates: Iterable[Choosable], given: Mapping[str, int] | None = None
    ) -> None:
        """Put each eligible one to its stratum; `given` counts what the set has of each already."""
        self.given = given or {}
        self.there, self._within = 0, part.within
        groups: defaultdict[str, list[Choosable]] = defaultdict(list)
        wanted: dict[str, bool] = {}
        for one in candidates:
            if one.source != part.source or one.split != part.split:
                continue
            self.there += 1
            if one.language not in wanted:
                wanted[one.language] = is_wanted(one.language, plan.languages, plan.excluded_languages)
            if wanted[one.language] and not (part.generation and one.generation is False):
                groups[one.stratum(part.strata)].append(one)
        self._groups = dict(groups)
        self.sizes = {name: len(self._groups[name]) for name in sorted(self._groups)}

    def queue(self, stratum: str, seed: int) -> Iterator[Choosable]:
        """The stratum in its order."""
        yield from in_order(self._groups[stratum], self._within, seed)


def shares(sizes: Mapping[str, int], temperature: float) -> dict[str, float]:
    """The probability of each stratum, proportional to n^(1/T); equal for an infinite T, none for an empty stratum."""
    power = 0.0 if math.isinf(temperature) else 1 / temperature
    weights = {name: size**power if size else 0.0 for name, size in sizes.items()}
    total = sum(weights.values())
    return {name: weight / total if total else 0.0 for name, weight in weights.items()}


def draw(
    plan: Plan,
    shelf_of: Callable[[Part], Shelf],
    missing: Mapping[tuple[str, str], int | None],
    seed: int,
    ask: Ask = dict.fromkeys,
) -> list[Drawn]:
    """What each part takes from its shelf, each once; never more than is missing (None: nothing is wanted).

    `ask` reads candidates' words; it is called only for those that are about to be taken and whose language is assumed.
    """
    return [
        _draw_part(part, shelf_of(part), missing.get((part.source, part.split)), seed, _Ear(plan, ask))
        for part in plan.parts
    ]


# A part whose candidates are mostly in another language is not read to its end: that would take minutes.
MOST_REFUSED = 3000


class _Ear:
    """Lets through what is written in a language of the plan; `refused` counts the rest, up to MOST_REFUSED."""

    def __init__(self, plan: Plan, ask: Ask) -> None:
        self.plan, self.ask, self.refused = plan, ask, 0
        self.heard: dict[int, str | None] = {}

    def listens_to(self, one: Choosable) -> bool:
        """Whether its words matter: where the plan cares and its language is assumed."""
        return one.language == ASSUMED and bool(self.plan.languages or self.plan.excluded_languages)

    def listen(self, some: Iterable[Choosable]) -> None:
        """Read the words of several at once, which takes a fraction of reading one after the other."""
        numbers = [one.id for one in some if self.listens_to(one)][:MOST_REFUSED]
        self.heard |= self.ask(numbers) if numbers else {}

    def lets_in(self, one: Choosable) -> bool:
        """Whether it may be taken."""
        if not self.listens_to(one):
            return True
        if self.refused >= MOST_REFUSED:
            return False
        if one.id not in self.heard:
            self.listen([one])
        spoken = self.heard.get(one.id)
        wanted = spoken is None or is_wanted(spoken, self.plan.languages, self.plan.excluded_languages)
        self.refused += not wanted
        return wanted


def _draw_part(part: Part, shelf: Shelf, missing: int | None, seed: int, ear: _Ear) -> Drawn:
    sizes, row = shelf.sizes, (part.source, part.split)
    share = shares(sizes, part.temperature)
    queues = {name: _Again(shelf.queue(name, seed)) for name in sizes}
    given = shelf.given if part.each else {}
    room = {name: max(0, part.each - given.get(name, 0)) if part.each else None for name in sizes}

    def take(let_in: Callable[[Choosable], bool]) -> list[Pick]:
        open_to = {name: islice(filter(let_in, queue.from_the_first()), room[name]) for name, queue in queues.items()}
        return _take(open_to, share, max(0, missing or 0), _random(seed, *row))

    # Nearly always these are taken in the end, so their words are read together.
    ear.listen(pick.candidate for pick in take(lambda _: True))
    picks = take(ear.lets_in)
    taken = Counter(pick.stratum for pick in picks)
    strata = tuple(Stratum(name, sizes[name], share[name], taken[name]) for name in sizes)
    chosen = tuple(Pick(one.candidate, one.stratum, _as_title(part, one.candidate, seed)) for one in picks)
    eligible = sum(sizes.values())
    reachable = sum(size if (most := room[name]) is None else min(size, most) for name, size in sizes.items())
    why = _why(part, missing, shelf.there, eligible, len(picks), reachable, ear.refused)
    return Drawn(part, missing, eligible, strata, chosen, why)


class _Again:
    """A queue that can be gone through a second time without being read again."""

    def __init__(self, queue: Iterator[Choosable]) -> None:
        self._queue = queue
        self._gone: list[Choosable] = []

    def from_the_first(self) -> Iterator[Choosable]:
        """All of it, from its beginning."""
        yield from self._gone
        for one in self._queue:
            self._gone.append(one)
            yield one


def is_wanted(language: str, languages: Collection[str], excluded: Collection[str]) -> bool:
    """Whether a text of this language may be taken; a plan's `pt` means `pt-BR` as well."""
    codes = {language.lower(), language.lower().replace("_", "-").partition("-")[0]}
    return not codes & set(excluded) and (not languages or bool(codes & set(languages)))


def _take(
    queues: Mapping[str, Iterator[Choosable]], share: Mapping[str, float], count: int, dice: random.Random
) -> list[Pick]:
    """Draw a stratum by its share, then take the next of it; a stratum that is used up is drawn no more."""
    rest = dict(queues)
    picks: list[Pick] = []
    while rest and len(picks) < count:
        name = dice.choices(list(rest), [share[one] for one in rest])[0]
        candidate = next(rest[name], None)
        if candidate is None:
            del rest[name]
        else:
            picks.append(Pick(candidate, name))
    return picks


def in_order(group: Sequence[Choosable], within: Within, seed: int) -> Iterator[Choosable]:
    """Kept ones, then the best score first, the rest of the order by a hash that knows nothing of the database.

    The hash is asked of those only that stand level with one that is reached.
    """

    def ahead(one: Choosable) -> tuple[bool, int]:
        return not one.kept, -(one.score or 0) if within is Within.SCORE else 0

    for _, level in groupby(sorted(group, key=ahead), ahead):
        yield from sorted(level, key=lambda one: _digest(seed, "order", one.site, one.external_id))


def _as_title(part: Part, candidate: Choosable, seed: int) -> bool:
    if part.prompt is not Prompt.EITHER:
        return part.prompt is Prompt.TITLE
    # A title that somebody found wanting asks nothing that can be answered.
    coin = _number(seed, "coin", candidate.site, candidate.external_id) < part.title_share * (1 << 64)
    return coin and candidate.title_alone is not False and not candidate.tossed


def _digest(seed: int, *of: str) -> bytes:
    return hashlib.sha256("\0".join((str(seed), *of)).encode()).digest()[:8]


def _number(seed: int, *of: str) -> int:
    return int.from_bytes(_digest(seed, *of), "big")


def _random(seed: int, *of: str) -> random.Random:
    return random.Random(_number(seed, "draw", *of))  # noqa: S311 - a sample that can be repeated, not a secret


def _why(part: Part, missing: int | None, there: int, eligible: int, taken: int, reachable: int, refused: int) -> str:
    if missing is None:
        return "The composition has no such row, and the plan names no count."
    if missing <= 0:
        return "The quota is filled."
    if taken == missing:
        return ""
    if not there:
        return f"{missing:,} short: the pool holds no open candidate of this source and split."
    words = [f"{missing - taken:,} short:"]
    fit = "in a language of the plan" + (" and of a generation task" if part.generation else "")
    words.append(f"{eligible:,} of {there:,} open candidates are {fit}" if eligible < there
                 else f"the pool holds {plural(there, 'open candidate')}")  # fmt: skip
    if reachable < eligible:
        words.append(
            f"and each of the {part.strata.value} strata gives {part.each:,} at most, with what the set has of it"
        )
    if refused:
        more = "" if refused < MOST_REFUSED else ", and no more were read: say at the import which language they have"
        words.append(f"and the words of {refused:,} turned out to be in another language{more}")
    return " ".join(words) + "."
