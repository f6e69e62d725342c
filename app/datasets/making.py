"""How a set was made, as its manifest tells it: tokenizer, rules of the imports, house style, agreement, dates."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.text.counting import ESTIMATE, Tokens


@dataclass(frozen=True)
class Counting:
    """What tokens are counted by, and how many of them training reads of a row; without a hash they are estimated."""

    tokens: Tokens = ESTIMATE
    name: str = ""
    sha256: str | None = None
    limit: int = 2048

    def document(self) -> dict[str, Any]:
        """The tokenizer as the manifest names it: its name, and the SHA-256 of its tokenizer.json."""
        exact = self.sha256 is not None
        return {"exact": exact, "name": self.name or None, "sha256": self.sha256, "limit": self.limit}


@dataclass(frozen=True)
class RulesUsed:
    """The rules by which imports let examples of the set through; the hash is that of `rules` as canonical JSON."""

    name: str
    sha256: str
    examples: int
    rules: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Agreed:
    """How far two second persons agreed on texts of the set: (first verdict, second verdict, how many texts)."""

    verdicts: tuple[tuple[str, str, int], ...]
    kappa: float | None

    def document(self) -> dict[str, Any]:
        """The numbers and the table that they come from."""
        rows = [{"first": first, "second": second, "texts": texts} for first, second, texts in self.verdicts]
        texts = sum(row[2] for row in self.verdicts)
        agreed = sum(count for first, second, count in self.verdicts if first == second)
        return {"texts": texts, "agreed": agreed, "kappa": self.kappa, "verdicts": rows}


@dataclass(frozen=True)
class Guide:
    """The house style that writers saw: its rules with their hash, and the project's guide in prose by its hash."""

    rules: Mapping[str, Any]
    rules_sha256: str
    text_sha256: str | None
    words: int


@dataclass(frozen=True)
class Before:
    """The version frozen last before, and how many lines are new, gone and the same; reworded is one gone, one new."""

    version: str
    id: str
    added: int
    removed: int
    kept: int


@dataclass(frozen=True)
class Handled:
    """What people did: examples out of the pool, written for the set, edited since they came; pairs of like texts.

    `written` name no origin at all, be it one that is gone; `settled` are pairs of the whole project.
    """

    pool: int = 0
    written: int = 0
    edited: int = 0
    settled: int = 0


@dataclass(frozen=True)
class Making:
    """All of it, for one set. `written` are the days of the first and the last revision that went in."""

    counting: Counting = Counting()
    rules: tuple[RulesUsed, ...] = ()
    agreed: Agreed | None = None
    reviews_needed: int = 1
    guide: Guide | None = None
    written: tuple[str, str] | None = None
    before: Before | None = None
    handled: Handled | None = None
    # Who let in what was approved elsewhere, by number and name.
    let_in: tuple[tuple[int, str], ...] = ()
    # Examples whose language nobody stated.
    without_language: frozenset[int] = frozenset()
    # And the language that the project states for them; None where it states none.
    language: str | None = None
    # Examples whose prompts people of the project wrote; None where nobody looked.
    own: frozenset[int] | None = None

    def document(self) -> dict[str, Any]:
        """The parts of the manifest; what there is nothing to say of is left out."""
        found: dict[str, Any] = {
            "rules": [asdict(one) for one in self.rules],
            "agreement": self.agreed and self.agreed.document(),
            "guide": self.guide and asdict(self.guide),
            "handled": self.handled and asdict(self.handled),
            "before": self.before and asdict(self.before),
            "written": self.written and {"first": self.written[0], "last": self.written[1]},
        }
        return {name: value for name, value in found.items() if value} | {"reviews_needed": self.reviews_needed}
