"""The pool as a page: a table to scan, the chosen candidate beside it."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.examples.labels import SourceLabel, SourceLabels, shown_title, turn_title, web_address
from app.examples.queries import example_of_candidate
from app.projects.access import ProjectAccess
from app.projects.queries import composition_of
from app.selection import queries
from app.selection.forms import PoolQuery
from app.sources.models import Candidate, CandidateStatus
from app.text.languages import name_with_code
from app.text.search import Piece, marked, parse, passage, pattern_of
from app.web.paging import Pager

REASONS = ("out of date", "wrong", "leans on a picture", "needs its thread", "advice with risk", "dull", "other")
STATUS_SIGNS = {
    CandidateStatus.OPEN: ("draft", "not judged"),
    CandidateStatus.KEPT: ("kept", "kept"),
    CandidateStatus.REJECTED: ("rejected", "rejected"),
    CandidateStatus.USED: ("taken", "used"),
}
STATUS_WORDS = {"open": "Not judged", "kept": "Kept", "rejected": "Rejected", "used": "Used"}
SCORES = (1, 5, 10, 25, 50, 100)
# Done and not: the signs of a title that stands alone, of one that does not, and of one that nobody has judged.
TITLE_SIGNS: dict[bool | None, tuple[str, str]] = {
    True: ("approved", "alone"), False: ("returned", "unclear"), None: ("draft", "unseen"),
}  # fmt: skip


@dataclass(frozen=True)
class CandidateRow:
    """A row of the table; `passage` is where an answer says what was looked for, if the title does not."""

    id: int
    title: Sequence[Piece]
    passage: Sequence[Piece]
    alone: tuple[str, str]
    source: SourceLabel
    score: int | None
    length: int
    sign: tuple[str, str]
    flags: Sequence[str]
    at: bool


@dataclass(frozen=True)
class ShownMessage:
    """A message of the chosen candidate with its heading, in Markdown."""

    turn: str
    role: str
    content: str


@dataclass(frozen=True)
class CandidatePanel:
    """The chosen candidate with all that is known of where it came from."""

    id: int
    title: str
    messages: Sequence[ShownMessage]
    source: SourceLabel
    site: str
    external_id: str
    score: int | None
    split: str
    category: str | None
    licence: str | None
    author: str | None
    author_url: str | None
    url: str | None
    posted_at: datetime | None
    import_run_id: int
    flags: Sequence[str]
    title_alone: bool | None
    status: str
    sign: tuple[str, str]
    reason: str | None
    example_id: int | None


@dataclass(frozen=True)
class PoolPage:
    """The pool, filtered; `query` carries filter and page from link to link."""

    slug: str
    open: int
    kept: int
    total: int
    rows: Sequence[CandidateRow]
    pager: Pager
    wanted: PoolQuery
    query: str
    list_query: str
    states: Sequence[tuple[str, str]]
    scores: Sequence[tuple[str, str]]
    imports: Sequence[tuple[str, str]]
    sources: Sequence[tuple[str, str]]
    sites: Sequence[tuple[str, str]]
    licences: Sequence[tuple[str, str]]
    languages: Sequence[tuple[str, str]]
    flags: Sequence[tuple[str, str]]
    categories: Sequence[tuple[str, str]]
    unseen: int
    chosen: CandidatePanel | None
    previous_id: int | None
    next_id: int | None
    reasons: Sequence[str]


def pool_page(session: Session, access: ProjectAccess, wanted: PoolQuery, candidate_id: int | None = None) -> PoolPage:
    """The pool with one candidate chosen: the one of that number, else the first of the list."""
    project = access.project
    facets = queries.facets(session, project.id, wanted.as_filter().status)
    found, pager = queries.page_of_pool(session, queries.searched(session, project.id, wanted.as_filter()), wanted.page)
    labels = SourceLabels(session.scalars(composition_of(project)))
    if candidate_id is not None:
        chosen: Candidate | None = queries.candidate_in(session, project.id, candidate_id)
    else:
        chosen = found[0] if found else None
    looked_for = pattern_of(parse(wanted.words))
    ids = [candidate.id for candidate in found]
    before, after = _neighbours(ids, chosen.id if chosen else None)
    return PoolPage(
        slug=project.slug,
        open=facets.status[CandidateStatus.OPEN.value],
        kept=facets.status[CandidateStatus.KEPT.value],
        total=facets.status.total(),
        rows=[_row(candidate, labels, chosen, looked_for) for candidate in found],
        pager=pager,
        wanted=wanted,
        query=wanted.as_query(),
        list_query=wanted.as_query(without_page=True),
        states=[(one, _state(one, facets.status, wanted)) for one in STATUS_WORDS],
        scores=[(str(one), f"Score from {one:,}") for one in sorted({*SCORES, wanted.score or SCORES[0]})],
        imports=_imports(session, facets.import_run, wanted),
        sources=_counted(facets.source, lambda key: "No source" if key == queries.NO_SOURCE else labels.of(key).title),
        sites=_counted(facets.site),
        licences=_counted(facets.licence),
        languages=_counted(facets.language, name_with_code),
        flags=_counted(queries.flags_of(session, project.id, wanted.as_filter().status)),
        categories=_categories(session, project.id, wanted),
        unseen=facets.status[CandidateStatus.OPEN.value] - queries.judged_titles(session, project.id),
        chosen=_panel(session, chosen, labels) if chosen else None,
        previous_id=before,
        next_id=after,
        reasons=REASONS,
    )


def _counted(counts: Counter[str], named: Callable[[str], str] = str) -> list[tuple[str, str]]:
    return [(key, f"{named(key)} ({counts[key]:,})") for key in sorted(counts)]


def _state(one: str, counts: Counter[str], wanted: PoolQuery) -> str:
    """A state with its count; that of the one which is shown stands over the list, so it is not cut off here."""
    return STATUS_WORDS[one] if one == wanted.status else f"{STATUS_WORDS[one]} ({counts[one]:,})"


def _imports(session: Session, counts: Counter[str], wanted: PoolQuery) -> list[tuple[str, str]]:
    """The imports to choose from, the newest first; the one that is chosen is among them."""
    ids = sorted({*map(int, counts), *([wanted.import_id] if wanted.import_id else [])}, reverse=True)
    names = queries.import_names(session, ids)
    return [(str(one), f"{names.get(one, 'import')}, import {one} ({counts[str(one)]:,})") for one in ids]


def _categories(session: Session, project_id: int, wanted: PoolQuery) -> list[tuple[str, str]]:
    """The categories to choose from; the one that is chosen is among them, however few have it."""
    found = queries.categories_of(session, project_id, wanted.as_filter().status)
    options = _counted(found, shown_title)
    return options if not wanted.category or wanted.category in found else [*options, (wanted.category,) * 2]


def _neighbours(ids: Sequence[int], chosen: int | None) -> tuple[int | None, int | None]:
    if chosen not in ids:
        return None, ids[0] if ids and ids[0] != chosen else None
    at = ids.index(chosen)
    return (ids[at - 1] if at else None), (ids[at + 1] if at + 1 < len(ids) else None)


def next_in_list(session: Session, access: ProjectAccess, wanted: PoolQuery, candidate_id: int) -> int | None:
    """The candidate that comes after this one in the list, else the one before; before the list changes."""
    found, _ = queries.page_of_pool(
        session, queries.searched(session, access.project.id, wanted.as_filter()), wanted.page
    )
    before, after = _neighbours([candidate.id for candidate in found], candidate_id)
    return after or before


def _row(
    candidate: Candidate, labels: SourceLabels, chosen: Candidate | None, looked_for: re.Pattern[str] | None
) -> CandidateRow:
    title = marked(shown_title(candidate.title), looked_for)
    texts = [shown_title(message["content"]) for message in reversed(candidate.messages)] if looked_for else []
    return CandidateRow(
        id=candidate.id,
        title=title,
        passage=() if any(piece.hit for piece in title) else passage(texts, looked_for),
        alone=TITLE_SIGNS[candidate.title_alone],
        source=labels.of(candidate.source),
        score=candidate.score,
        length=len(candidate.messages[-1]["content"]) if candidate.messages else 0,
        sign=STATUS_SIGNS[candidate.status],
        flags=[str(flag) for flag in candidate.flags],
        at=chosen is not None and candidate.id == chosen.id,
    )


def _panel(session: Session, candidate: Candidate, labels: SourceLabels) -> CandidatePanel:
    used = candidate.status is CandidateStatus.USED
    example = example_of_candidate(session, candidate.id) if used else None
    first = candidate.messages[0] if candidate.messages else None
    # A prompt that only repeats the title is not shown twice.
    repeats = first is not None and first["role"] == "user" and first["content"].strip() == candidate.title.strip()
    return CandidatePanel(
        id=candidate.id,
        title=shown_title(candidate.title),
        messages=[
            ShownMessage(turn_title(candidate.messages, index), message["role"], message["content"])
            for index, message in enumerate(candidate.messages)
            if not (index == 0 and repeats)
        ],
        source=labels.of(candidate.source),
        site=candidate.site,
        external_id=candidate.external_id,
        score=candidate.score,
        split=candidate.split.value,
        category=shown_title(candidate.category) if candidate.category else None,
        licence=candidate.licence,
        author=shown_title(candidate.author) if candidate.author else None,
        author_url=web_address(candidate.author_url),
        url=web_address(candidate.url),
        posted_at=candidate.posted_at,
        import_run_id=candidate.import_run_id,
        flags=[str(flag) for flag in candidate.flags],
        title_alone=candidate.title_alone,
        status=candidate.status.value,
        sign=STATUS_SIGNS[candidate.status],
        reason=candidate.status_reason,
        example_id=example.id if example else None,
    )
