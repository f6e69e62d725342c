"""Stratified sampling without replacement: the same seed takes the same rows, in whatever order they are read."""

import hashlib
import math
import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.selection.plans import Part, Plan, Prompt, Strata, Within

UNSORTED = "(none)"


@dataclass(frozen=True)
class Choosable:
    """What a plan looks at of an open candidate."""

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

    def stratum(self, strata: Strata) -> str:
        """The stratum that it belongs to; those without one are a stratum of their own."""
        by = {Strata.SITE: self.site, Strata.CATEGORY: self.category, Strata.TASK: self.task}
        return by.get(strata, "all") or UNSORTED


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


def shares(sizes: Mapping[str, int], temperature: float) -> dict[str, float]:
    """The probability of each stratum, proportional to n^(1/T); equal for an infinite T, none for an empty stratum."""
    power = 0.0 if math.isinf(temperature) else 1 / temperature
    weights = {name: size**power if size else 0.0 for name, size in sizes.items()}
    total = sum(weights.values())
    return {name: weight / total if total else 0.0 for name, weight in weights.items()}


def draw(
    plan: Plan, candidates: Iterable[Choosable], missing: Mapping[tuple[str, str], int | None], seed: int
) -> list[Drawn]:
    """What each part takes of the candidates, each once; never more than is missing (None: nothing is wanted)."""
    by_row: dict[tuple[str, str], list[Choosable]] = {}
    for candidate in candidates:
        by_row.setdefault((candidate.source or "", candidate.split), []).append(candidate)
    return [
        _draw_part(plan, part, by_row.get((part.source, part.split), []), missing.get((part.source, part.split)), seed)
        for part in plan.parts
    ]


def _draw_part(plan: Plan, part: Part, there: Sequence[Choosable], missing: int | None, seed: int) -> Drawn:
    eligible = [one for one in there if is_wanted(one.language, plan.languages, plan.excluded_languages)]
    groups: dict[str, list[Choosable]] = {}
    for one in eligible:
        groups.setdefault(one.stratum(part.strata), []).append(one)
    sizes = {name: len(groups[name]) for name in sorted(groups)}
    share = shares(sizes, part.temperature)
    queues = {name: _in_order(groups[name], part.within, seed)[: part.each] for name in sizes}
    picks = _take(queues, share, max(0, missing or 0), _random(seed, part.source, part.split))
    taken = Counter(pick.stratum for pick in picks)
    strata = tuple(Stratum(name, sizes[name], share[name], taken[name]) for name in sizes)
    chosen = tuple(Pick(one.candidate, one.stratum, _as_title(part, one.candidate, seed)) for one in picks)
    why = _why(part, missing, len(there), len(eligible), len(picks), sum(map(len, queues.values())))
    return Drawn(part, missing, len(eligible), strata, chosen, why)


def is_wanted(language: str, languages: Collection[str], excluded: Collection[str]) -> bool:
    """Whether a text of this language may be taken; a plan's `pt` means `pt-BR` as well."""
    codes = {language.lower(), language.lower().replace("_", "-").partition("-")[0]}
    return not codes & set(excluded) and (not languages or bool(codes & set(languages)))


def _take(
    queues: Mapping[str, Sequence[Choosable]], share: Mapping[str, float], count: int, dice: random.Random
) -> list[Pick]:
    """Draw a stratum by its share, then take the next of it; a stratum that is used up is drawn no more."""
    rest = {name: iter(queue) for name, queue in queues.items() if queue}
    picks: list[Pick] = []
    while rest and len(picks) < count:
        name = dice.choices(list(rest), [share[one] for one in rest])[0]
        candidate = next(rest[name], None)
        if candidate is None:
            del rest[name]
        else:
            picks.append(Pick(candidate, name))
    return picks


def _in_order(group: Sequence[Choosable], within: Within, seed: int) -> list[Choosable]:
    """Best score first, the rest of the order by a hash that knows nothing of the database."""

    def place(one: Choosable) -> tuple[int, int]:
        ahead = -(one.score or 0) if within is Within.SCORE else 0
        return ahead, _number(seed, "order", one.site, one.external_id)

    return sorted(group, key=place)


def _as_title(part: Part, candidate: Choosable, seed: int) -> bool:
    if part.prompt is not Prompt.EITHER:
        return part.prompt is Prompt.TITLE
    # A title that somebody found wanting asks nothing that can be answered.
    coin = _number(seed, "coin", candidate.site, candidate.external_id) < part.title_share * (1 << 64)
    return coin and candidate.title_alone is not False and not candidate.tossed


def _number(seed: int, *of: str) -> int:
    return int.from_bytes(hashlib.sha256("\0".join((str(seed), *of)).encode()).digest()[:8], "big")


def _random(seed: int, *of: str) -> random.Random:
    return random.Random(_number(seed, "draw", *of))  # noqa: S311 - a sample that can be repeated, not a secret


def _why(part: Part, missing: int | None, there: int, eligible: int, taken: int, reachable: int) -> str:
    if missing is None:
        return "The composition has no such row, and the plan names no count."
    if missing <= 0:
        return "The quota is filled."
    if taken == missing:
        return ""
    if not there:
        return f"{missing} short: the pool holds no open candidate of this source and split."
    words = [f"{missing - taken} short:"]
    words.append(f"{eligible} of {there} open candidates are in a language of the plan" if eligible < there
                 else f"the pool holds {there} open candidates")  # fmt: skip
    if reachable < eligible:
        words.append(f"and each of the {part.strata.value} strata gives {part.each} at most")
    return " ".join(words) + "."
