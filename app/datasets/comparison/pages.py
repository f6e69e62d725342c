"""The page of a comparison: what changed in numbers, then the changes themselves, a page of them at a time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from app.datasets.comparison.comparing import TITLES, Comparison, Kind
from app.datasets.comparison.comparisons import DRAFT, NEXT, Side, chosen_names, compared, names_of, side_named
from app.datasets.comparison.documents import in_words, joined, kept_out_words, listed_changes
from app.datasets.comparison.entries import Entry, entries_of, labels_between
from app.examples.labels import SourceLabels
from app.projects.access import ProjectAccess
from app.web.paging import Pager

CHANGES_A_PAGE = 25
# The key of each tab.
KEYS = {
    None: "0", Kind.ADDED: "a", Kind.REMOVED: "r", Kind.REWORDED: "w", Kind.FORM: "o", Kind.MOVED: "m",
    Kind.LICENCE: "l", Kind.SOURCE: "s", Kind.ATTRIBUTION: "t", Kind.GROUP: "g", Kind.FLAGS: "i", Kind.OTHER: "e",
    Kind.UNCHANGED: "u",
}  # fmt: skip


@dataclass(frozen=True)
class Tab:
    """A kind of change and how many rows it holds for; `address` is the query that shows them."""

    kind: str | None
    title: str
    key: str
    count: int
    address: str


@dataclass(frozen=True)
class Measure:
    """A number of both sides; None where a side does not know it."""

    title: str
    before: float | None
    after: float | None
    digits: int = 0

    @property
    def difference(self) -> str:
        """With its sign; empty where there is none."""
        if self.before is None or self.after is None:
            return ""
        # Of what is shown: who takes one number from the other gets this one.
        by = round(round(self.after, self.digits) - round(self.before, self.digits), self.digits)
        return f"{'+' if by > 0 else '−'}{abs(by):,.{self.digits}f}" if by else ""


@dataclass(frozen=True)
class SourceLine:
    """A source before and after, and its rows by kind: (count, query that shows them)."""

    key: str
    title: str
    colour: int
    before: int
    after: int
    counts: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class ComparePage:
    """Two sides and what lies between them."""

    slug: str
    old: str
    new: str
    old_title: str
    new_title: str
    choices: tuple[tuple[str, str], ...]
    words: str
    same: int
    measures: tuple[Measure, ...]
    # Why tokens are not compared, or not those of both; empty where they are.
    tokens_apart: str
    bars: tuple[tuple[str, tuple[tuple[str, float], ...], str], ...]
    columns: tuple[tuple[str, str], ...]
    sources: tuple[SourceLine, ...]
    tabs: tuple[Tab, ...]
    # Whether some rows are counted in more than one tab.
    several: bool
    kind: str | None
    source: str | None
    source_title: str
    entries: tuple[Entry, ...]
    pager: Pager
    # The query of this page's list without its page; of all kinds of all sources; of the same with its sides swapped.
    address: str
    plain_address: str
    every_source_address: str
    swapped_address: str
    kept_out: str


@dataclass(frozen=True)
class NothingToCompare:
    """The page of a project of which nothing is frozen yet."""

    slug: str


def compare_page(
    session: Session,
    access: ProjectAccess,
    *,
    old: str | None,
    new: str | None,
    kind: Kind | None,
    source: str | None,
    number: int,
) -> ComparePage:
    """Compare two versions of a project and show one page of the changes of a kind and a source."""
    project, names = access.project, names_of(session, access.project)
    old, new = chosen_names(names, old, new)
    before, after = side_named(session, project, old), side_named(session, project, new)
    found = compared(before, after)
    listed = listed_changes(session, before, after, found.chosen(kind, source), number, CHANGES_A_PAGE)
    titles = labels_between(before, after)
    sides = {"old": old, "new": new}
    columns = tuple(one for one in TITLES if found.counts[one])
    return ComparePage(
        slug=project.slug, old=old, new=new, old_title=before.title, new_title=after.title,
        choices=tuple((name, name) for name in names) + (((DRAFT, NEXT),) if DRAFT not in names else ()),
        words=in_words(found),
        same=len(found.same),
        measures=_measures(before, after),
        tokens_apart=tokens_apart(before, after),
        bars=_bars(before, after, found, titles),
        columns=tuple((one.value, TITLES[one]) for one in columns),
        sources=_sources(found, titles, columns, sides),
        tabs=_tabs(found, columns, source, sides),
        several=any(len({*change.kinds} - {Kind.FORM}) > 1 for change in found.chosen(None, source)),
        kind=kind.value if kind else None, source=source,
        source_title=titles.of(source).title if source else "",
        entries=entries_of(session, listed.pairs, max(0, listed.pager.first - 1), titles),
        pager=listed.pager,
        address=_query(sides, kind, source),
        plain_address=_query(sides),
        every_source_address=_query(sides, kind),
        swapped_address=_query({"old": new, "new": old}, _mirrored(kind), source),
        kept_out=kept_out_words(listed.kept_out),
    )  # fmt: skip


def _mirrored(kind: Kind | None) -> Kind | None:
    return {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED}.get(kind, kind) if kind else None


def _query(sides: Mapping[str, str], kind: Kind | None = None, source: str | None = None) -> str:
    narrowed = {"kind": kind.value if kind else None, "source": source}
    return urlencode({**sides, **{name: value for name, value in narrowed.items() if value}})


def _measures(old: Side, new: Side) -> tuple[Measure, ...]:
    splits = [Measure(name.capitalize(), old.splits[name], new.splits[name]) for name in old.splits]
    lengths = [
        Measure(f"Characters a {part}", old.means[at], new.means[at], 1)
        for at, part in enumerate(("prompt", "response"))
    ]
    every = Measure("Examples", sum(old.splits.values()), sum(new.splits.values()))
    return (every, *splits, *lengths, *_tokens(old, new))


def _tokens(old: Side, new: Side) -> list[Measure]:
    """Tokens of both, where both were counted by the same tokenizer up to the same limit."""
    if tokens_apart(old, new):
        return []
    before, after = (side.tokens for side in (old, new))
    about = "" if before["exact"] else ", estimated"
    return [
        Measure(f"Tokens{about}", before["total"], after["total"]),
        Measure(f"Rows cut at {before['limit']:,}", *(sum(counted["cut"].values()) for counted in (before, after))),
    ]


def tokens_apart(old: Side, new: Side) -> str:
    """Why the tokens of two sides are not to be compared, in a sentence; empty where they are."""
    uncounted = [side.title for side in (old, new) if not side.tokens]
    if uncounted:
        return f"Tokens are not compared: nobody counted those of {joined(uncounted)} at the freeze."
    if len({(side.tokens.get("sha256"), side.tokens["limit"]) for side in (old, new)}) == 1:
        return ""
    by = [f"{side.title} by {_counted_by(side.tokens)}" for side in (old, new)]
    return f"Tokens are not compared: they were counted in two ways, {joined(by)}."


def _counted_by(tokens: Mapping[str, Any]) -> str:
    named = f"the tokenizer of {tokens['name'] or 'no name'}" if tokens["exact"] else "an estimate"
    return f"{named} up to {tokens['limit']:,}"


def _bars(
    old: Side, new: Side, found: Comparison, titles: SourceLabels
) -> tuple[tuple[str, tuple[tuple[str, float], ...], str], ...]:
    """One bar a side on one scale, so that growth shows: (title, parts, words)."""
    most = max(sum(found.before.values()), sum(found.after.values()), 1)
    bars = []
    for side, counts in ((old, found.before), (new, found.after)):
        order = titles.in_order(counts)
        parts = [(titles.of(one).tint, 100 * counts[one] / most) for one in order]
        words = ", ".join(f"{titles.of(one).short} {counts[one]:,}" for one in order)
        bars.append((side.title, tuple(parts), f"{side.title}: {words or 'nothing'}"))
    return tuple(bars)


def _sources(
    found: Comparison, titles: SourceLabels, columns: Sequence[Kind], sides: Mapping[str, str]
) -> tuple[SourceLine, ...]:
    return tuple(
        SourceLine(
            key, titles.of(key).short, titles.of(key).number, found.before.get(key, 0), found.after.get(key, 0),
            tuple((kind.value, found.by_source[key][kind], _query(sides, kind, key)) for kind in columns),
        )
        for key in titles.in_order(found.by_source)
    )  # fmt: skip


def _tabs(found: Comparison, columns: Sequence[Kind], source: str | None, sides: Mapping[str, str]) -> tuple[Tab, ...]:
    counts = found.by_source.get(source, Counter()) if source else found.counts
    every = Tab(None, "All changes", KEYS[None], len(found.chosen(None, source)), _query(sides, None, source))
    kinds = [Tab(kind.value, TITLES[kind], KEYS[kind], counts[kind], _query(sides, kind, source)) for kind in columns]
    return (every, *kinds)
