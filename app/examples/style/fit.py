"""Rules of how an answer fits: its question, the set's language, the length of its like, and people's privacy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from app.examples.style.base import Draft, Remark, Rule, own, parameter
from app.examples.style.leftovers import EVERYBODY
from app.sources.rules.language import plainly_english
from app.sources.rules.personal import keys, mails, phone_numbers
from app.text.languages import name_of
from app.text.prose import MASK

# A word of three letters and more, or anything with a number in it: x^2, 1+1.
_WORD = re.compile(r"[^\W\d_]{3,}|[^\s.,;:!?()]*\d[^\s.,;:!?()]*")
_COMMON_WORDS = """
about above after again also although always and another any anyone are because been before being below best better
between both but can cannot could create describe did does doing done each either else every example examples
explain find following for from generate get give given good had has have having her here him his how identify
into its just kind know less like list long made make many may might more most much must name need never not now
off one only other others our out over own please possible provide put said same say see several she should show
since some something such suggest take tell than that the their them then there these they thing things think
this those through too two under until upon use used using very want was way well were what when where which
while who whom whose why will with within without word words work would write yes you your yours answer question
help ways
"""
_COMMON = frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True)
class Acknowledgement(Rule):
    """Asks that an answer begins with what was asked."""

    name: ClassVar[str] = "acknowledgement"
    title: ClassVar[str] = "Does not take up the question"
    why: ClassVar[str] = (
        "LIMA's own answers begin with the question in a few words, and a reader knows at once what it is about."
    )
    shortest: int = parameter(80, "Words that an answer needs to have an opening", low=1)
    opening: int = parameter(400, "Characters that open it", low=50)

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on an opening that has none of the prompt's words; short answers and creative ones are left alone."""
        asked = _contents(draft.prompt)
        if len(asked) < 2 or draft.speaks_as_somebody or len(draft.text.split()) < self.shortest:
            return
        begins = len(draft.text) - len(draft.text.lstrip())
        opening = draft.text[begins : begins + self.opening]
        if not asked & _contents(opening + draft.text[begins + self.opening :].split(" ", 1)[0]):
            ends = begins + len(opening.split("\n", 1)[0])
            named = "It opens without a word of the question. Begin with what was asked, in half a sentence."
            yield self.at(draft, begins, min(ends, begins + 120), named)


def _contents(text: str) -> set[str]:
    """The words that carry a text, by their first five letters: so bake, bakes and baking are one."""
    words = {word.lower() for word in _WORD.findall(text)}
    return {word[:5] if len(word) > 5 else word.rstrip("s") for word in words - _COMMON}


@dataclass(frozen=True)
class LengthHabit(Rule):
    """Asks for the length that the approved answers of a source have."""

    name: ClassVar[str] = "length"
    title: ClassVar[str] = "Length"
    why: ClassVar[str] = "A set of one voice has one measure; an answer far outside it had better have a reason."
    enough: int = parameter(20, "Approved answers that make a habit", low=4)
    slack: int = parameter(150, "Room beyond the middle half, in % of its width", low=0)

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on an answer far below or above the middle half of the approved ones of its source."""
        habit, size = draft.habit, len(draft.text.strip())
        if habit is None or habit.count < self.enough or not size:
            return
        room = (habit.high - habit.low) * self.slack // 100
        if not habit.low - room <= size <= habit.high + room:
            word = "short" if size < habit.low else "long"
            yield self.on_the_whole(
                draft,
                f"{size:,} characters is {word} here: half of the {habit.count:,} approved answers of this source have "
                f"{habit.low:,} to {habit.high:,}.",
            )


# Nats by which another language must be likelier, and the letters it takes to be sure.
_SURE, _LETTERS, _READ = 25.0, 120, 2000


@dataclass(frozen=True)
class OtherLanguage(Rule):
    """Asks for the language that the example says it is in."""

    name: ClassVar[str] = "language"
    title: ClassVar[str] = "Another language"
    why: ClassVar[str] = "An example is counted, checked and trained under its language."
    roles: ClassVar[tuple[str, ...]] = ("user", "assistant")

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on a text whose own words are surely of another language; few letters are never sure."""
        wanted = (draft.language or "").split("-")[0].lower()
        if len(wanted) != 2:
            return
        found = _other_language(draft.text[: 4 * _READ], wanted)
        if found is not None:
            words = (
                f"It reads like {name_of(found)}, and the example says {name_of(wanted)}. Change the one or the other."
            )
            yield self.on_the_whole(draft, words)


@lru_cache(maxsize=256)
def _other_language(text: str, wanted: str) -> str | None:
    words = " ".join(own(text).replace(MASK, " ").split())[:_READ]
    if sum(letter.isalpha() for letter in words) < _LETTERS:
        return None
    if wanted == "en" and plainly_english(words.lower().split()):
        return None
    # One model a process, which an import's language rule uses as well; where all is plain English it is never read.
    import py3langid  # 80 to 95 MB and 0.7 s

    ranked = {str(code): float(weight) for code, weight in py3langid.rank(words)}
    best = max(ranked, key=lambda code: ranked[code])
    if wanted not in ranked or best == wanted or ranked[best] - ranked[wanted] < _SURE:
        return None
    return best


@dataclass(frozen=True)
class PersonalData(Rule):
    """Asks that nothing leads to a person or opens a door."""

    name: ClassVar[str] = "personal_data"
    title: ClassVar[str] = "Personal data"
    why: ClassVar[str] = (
        "An address, a number or a key that stands in the set is published with it, and learnt by heart."
    )
    roles: ClassVar[tuple[str, ...]] = EVERYBODY
    region: str = parameter(
        "US", "Phone numbers without a country code are of", choices=("US", "GB", "DE", "FR", "IN", "none")
    )

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on each e-mail address, phone number and secret key, in code too."""
        kinds = (("An e-mail address", mails(draft.text)), ("A phone number", self._phones(draft.text)))
        for what, spans in (*kinds, ("A secret key", keys(draft.text))):
            for start, end in spans:
                yield self.at(draft, start, end, f"{what}. Put a made-up one, such as {_MADE_UP[what]}.")

    def _phones(self, text: str) -> Iterator[tuple[int, int]]:
        # The matcher is slow, and few texts have seven digits with nothing but signs between them.
        if not _NUMBER.search(text):
            return iter(())
        region = None if self.region == "none" else self.region
        return (span for span in phone_numbers(text, region) if not _FICTION.search(text[slice(*span)]))


_NUMBER = re.compile(r"\d(?:[^\w\n]{0,4}\d){6}")
_FICTION = re.compile(r"555[-. ]?(?:01|12)\d\d$")
_MADE_UP = {"An e-mail address": "name@example.com", "A phone number": "555-0100", "A secret key": "YOUR_KEY"}
