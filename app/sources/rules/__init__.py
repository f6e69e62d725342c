"""The rules of an import, one module a family, each rule a small value that says what it decides and why.

A rule of one's own is a frozen dataclass that extends `Rule` (or `MarkingRule`) and a line in ALL; the page, the
rules file, the command line and the API show it by its own words.
"""

from app.sources.rules.base import KEPT, MarkingRule, Remark, Rule
from app.sources.rules.facts import Accepted, Closed, Over18, Removed, Score, TopAnswer
from app.sources.rules.language import Language
from app.sources.rules.personal import PersonalData
from app.sources.rules.sizes import CodeAlone, Length, Tokens
from app.sources.rules.titles import DuplicateTitles
from app.sources.rules.wording import FirstPerson, Links, Profanity, References

ALL: tuple[type[Rule], ...] = (
    *(Removed, Over18, Closed, Accepted, TopAnswer, Score),
    *(Length, Tokens, CodeAlone, Links, FirstPerson, References, Profanity, Language),
    *(DuplicateTitles, PersonalData),
)
"""Every rule there is, in the order in which they run unless somebody moves them: the cheap ones first."""

__all__ = [
    "ALL",
    "KEPT",
    "Accepted",
    "Closed",
    "CodeAlone",
    "DuplicateTitles",
    "FirstPerson",
    "Language",
    "Length",
    "Links",
    "MarkingRule",
    "Over18",
    "PersonalData",
    "Profanity",
    "References",
    "Remark",
    "Removed",
    "Rule",
    "Score",
    "Tokens",
    "TopAnswer",
]
