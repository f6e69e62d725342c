"""Names for regions from the words of their own titles, by class-based TF-IDF; the same titles, the same names.

Grootendorst, BERTopic (arXiv 2203.05794): all titles of a region are one text, and a word counts by its share
there times log(1 + A / f), where f is in how many titles it stands in all and A how many words a region has.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import log

WORD = re.compile(r"[^\W\d_][^\W_]*(?:[-'’+#][^\W_]+)*[+#]*")
WORDS_A_NAME = 3
# What stands in so many of all titles says nothing of a region; of a few titles nothing follows from that.
COMMON, ENOUGH_TITLES = 0.12, 60
# A word of one region stands there so much oftener than anywhere.
MARKED = 1.5
UNNAMED = "Region"
# Small words of English; those of other languages are left out as they stand in too many titles.
_WORDS = (
    "a about after all also am an and any are as at be because been before being best better between but by can "
    "cannot could did do does doing down each else ever every few find for from get getting give go going good got "
    "had has have having he her here him his how however i if in into is it its just know less like long look made "
    "make makes making many may me mean might more most much must my need never new no not of off often on one only "
    "or other our out over own possible put really same say see she should since so some still such take than that "
    "the their them then there these they thing things this those through to too two under until up us use used using "
    "very want was way ways we well were what when where whether which while who whom whose why will with without "
    "work would you your don't doesn't can't i'm it's what's isn't don’t doesn’t can’t i’m it’s what’s isn’t "
)
_SMALL = frozenset(_WORDS.split())


def names(titles: Iterable[tuple[str, int]], count: int) -> list[str]:
    """A name for each of `count` regions from (title, region) pairs; no two regions are called the same."""
    in_region: list[Counter[str]] = [Counter() for _ in range(count)]
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    all_titles = 0
    for title, region in titles:
        all_titles += 1
        found = {_stem(word): word for word in _words(title)}
        in_region[region].update(found.keys())
        for stem, word in found.items():
            forms[stem][word] += 1
    totals: Counter[str] = Counter()
    for counts in in_region:
        totals.update(counts)
    too_common = COMMON * all_titles if all_titles >= ENOUGH_TITLES else float("inf")
    average = sum(totals.values()) / max(1, count)
    ranked = [_ranked(counts, totals, average, too_common) for counts in in_region]
    return _apart([[_shown(forms[stem]) for stem in stems] for stems in ranked])


def _words(title: str) -> list[str]:
    return [word for word in (one.lower() for one in WORD.findall(title)) if len(word) > 2 and word not in _SMALL]


def _stem(word: str) -> str:
    """A word and its plural are one."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _shown(forms: Counter[str]) -> str:
    """The form that most titles have."""
    return min(forms, key=lambda form: (-forms[form], form))


def _ranked(counts: Counter[str], totals: Counter[str], average: float, too_common: float) -> list[str]:
    here, everywhere = sum(counts.values()), sum(totals.values())
    scores = {}
    for stem, count in counts.items():
        marked = count / here >= MARKED * totals[stem] / everywhere or here == everywhere
        if count >= min(2, here) and totals[stem] <= too_common and marked:
            scores[stem] = count / here * log(1 + average / totals[stem])
    return sorted(scores, key=lambda stem: (-scores[stem], stem))


def _apart(words: Sequence[Sequence[str]]) -> list[str]:
    """Names of a few words each; one that is taken goes on with the next word, and at last with a number."""
    taken: set[str] = set()
    found = []
    for number, ranked in enumerate(words, 1):
        name = ""
        for most in range(WORDS_A_NAME, len(ranked) + 1):
            name = _joined([*ranked[: WORDS_A_NAME - 1], ranked[most - 1]])
            if name not in taken:
                break
        name = name or _joined(ranked) or UNNAMED
        name = f"{name} {number}" if name in taken or name == UNNAMED else name
        taken.add(name)
        found.append(name)
    return found


def _joined(words: Sequence[str]) -> str:
    if not words:
        return ""
    said = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return said[:1].upper() + said[1:]
