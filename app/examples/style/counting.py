"""Lint: what the rules say of many texts, counted by rule, with every remark and the place it speaks of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.examples.style import RULES
from app.examples.style.base import Remark, line_of
from app.examples.style.sheet import NOTHING_KNOWN, About, Sheet

_SHOWN = 120


@dataclass(frozen=True)
class Linted:
    """One example or record: its name in the report, its messages, what is known of it."""

    name: Mapping[str, Any]
    messages: Sequence[Mapping[str, Any]]
    about: About = NOTHING_KNOWN


@dataclass
class Lint:
    """The report: how many texts were read, remarks by rule, and every remark."""

    texts: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    items: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The document: {"texts", "remarks": {rule: count} in the order of the rules, "items"}."""
        return {"texts": self.texts, "remarks": in_order(self.counts), "items": self.items}


def lint(sheet: Sheet, texts: Iterable[Linted]) -> Lint:
    """Ask every rule about every text; a text is one example or record, whatever its turns."""
    report = Lint()
    for one in texts:
        report.texts += 1
        for remark in sheet.remarks(one.messages, one.about):
            report.counts[remark.rule] += 1
            report.items.append({**one.name, **remark_document(remark, one.messages)})
    return report


def remark_document(remark: Remark, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A remark as JSON; lines count from 1, messages and places from 0."""
    text = str(messages[remark.message]["content"])
    return {
        "message": remark.message,
        "rule": remark.rule,
        "line": line_of(text, remark.start),
        "start": remark.start,
        "end": remark.end,
        "passage": text[remark.start : remark.end][:_SHOWN],
        "words": remark.words,
        "fix": None if remark.fix is None else vars_of(remark.fix),
    }


def vars_of(fix: Any) -> dict[str, Any]:
    """A fix as JSON."""
    return {"start": fix.start, "end": fix.end, "replacement": fix.replacement}


def in_order(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by rule in the order of the rules; each rule is there, with 0 if need be."""
    return {kind.name: counts.get(kind.name, 0) for kind in RULES}


def around(text: str, start: int, end: int, width: int = 60) -> str:
    """The passage with some words around it, in one line."""
    before, after = text[max(0, start - width) : start], text[end : end + width]
    return " ".join(f"{before}[{text[start:end]}]{after}".split())
