"""What is found in the pool, as a list to scan, with the chosen candidate beside it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from sqlalchemy.orm import Session

from app.examples.labels import SourceLabel, SourceLabels, shown_title, turn_title, web_address
from app.examples.queries import example_of_candidate
from app.projects.access import ProjectAccess
from app.projects.queries import composition_of
from app.selection import queries
from app.selection.forms import PoolQuery
from app.selection.queries import By, Order
from app.selection.search.finding import Hits, Page, find, page_of
from app.selection.search.meaning import likeness
from app.sources.models import Candidate, CandidateStatus
from app.text.search import Piece, Wanted, exactly, marked, parse, passage, pattern_of
from app.web.paging import Pager

REASONS = ("out of date", "wrong", "leans on a picture", "needs its thread", "advice with risk", "dull", "other")
STATUS_SIGNS = {
    CandidateStatus.OPEN: ("draft", "not judged"),
    CandidateStatus.KEPT: ("kept", "kept"),
    CandidateStatus.REJECTED: ("rejected", "rejected"),
    CandidateStatus.USED: ("taken", "used"),
}
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
    near: str


@dataclass(frozen=True)
class Leaning:
    """A candidate that more or less like it is wanted; `off` is the filter without it."""

    id: int
    title: str
    off: str


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
class FoundPage:
    """What is found, with one candidate chosen; `query` carries filter and page from link to link.

    `asked_for` is the number of the candidate that was asked for, if one was; `how` says how the list was found;
    `again`: by words so far, and by meaning in a moment.
    """

    alone: ClassVar[bool] = True

    slug: str
    rows: Sequence[CandidateRow]
    pager: Pager
    wanted: PoolQuery
    query: str
    list_query: str
    asked_for: int | None
    how: str
    again: bool
    by_meaning: bool
    more: Sequence[Leaning]
    less: Sequence[Leaning]
    gone: int
    chosen: CandidatePanel | None
    previous_id: int | None
    next_id: int | None
    reasons: Sequence[str]

    @property
    def more_like_it(self) -> str:
        """The filter that finds more like the chosen one; empty where that is wanted already."""
        return self._leaning("like", self.more)

    @property
    def less_like_it(self) -> str:
        """The filter that finds less like the chosen one; empty where that is wanted already."""
        return self._leaning("unlike", self.less)

    def _leaning(self, towards: Literal["like", "unlike"], there: Sequence[Leaning]) -> str:
        if self.chosen is None or self.chosen.id in {one.id for one in there}:
            return ""
        return self.wanted.leaning(self.chosen.id, towards)


def found_page(
    session: Session,
    access: ProjectAccess,
    wanted: PoolQuery,
    candidate_id: int | None = None,
    labels: SourceLabels | None = None,
) -> FoundPage:
    """What is found alone, as it changes while somebody types: it counts nothing that there is to filter by."""
    project = access.project
    page = _page(session, project.id, wanted)
    labels = labels or SourceLabels(session.scalars(composition_of(project)))
    if candidate_id is not None:
        chosen: Candidate | None = queries.candidate_in(session, project.id, candidate_id)
    else:
        chosen = page.candidates[0] if page.candidates else None
    before, after = _neighbours(page, chosen.id if chosen else None)
    more, less = (_leanings(ones, wanted) for ones in (page.hits.more, page.hits.less))
    return FoundPage(
        slug=project.slug,
        rows=_rows(page, labels, chosen, parse(wanted.words)),
        pager=page.pager,
        wanted=wanted,
        query=wanted.as_query(),
        list_query=wanted.as_query(without_page=True),
        asked_for=candidate_id,
        how=_how(page.hits, wanted),
        again=page.hits.under_way,
        by_meaning=page.hits.scores is not None,
        more=more,
        less=less,
        gone=len({*wanted.like}) + len({*wanted.unlike}) - len(more) - len(less),
        chosen=_panel(session, chosen, labels) if chosen else None,
        previous_id=before,
        next_id=after,
        reasons=REASONS,
    )


def _page(session: Session, project_id: int, wanted: PoolQuery, patience: float | None = None) -> Page:
    return page_of(session, find(session, project_id, wanted.as_filter(), patience), wanted.page)


def _leanings(candidates: Sequence[Candidate], wanted: PoolQuery) -> list[Leaning]:
    return [Leaning(one.id, shown_title(one.title), wanted.leaning(one.id, "neither")) for one in candidates]


def _how(hits: Hits, wanted: PoolQuery) -> str:
    """How it was found, where that is not by words alone."""
    if hits.means is None:
        return ""
    if hits.under_way:
        return "by words so far; by meaning in a moment"
    if hits.scores is None:
        # That nothing is encoded stands beside the search, with the way to encode it.
        return f"by words only. {hits.means.reason}".removesuffix(". ")
    if hits.ids and wanted.words and wanted.by is By.BOTH:
        return _shares(hits)
    return "the nearest first" if hits.ids and wanted.order is Order.BEST else ""


def _shares(hits: Hits) -> str:
    if not hits.words:
        return "by meaning; none has every word"
    held = f"{len(hits.worded):,} of {hits.words:,}" if hits.words > len(hits.worded) else f"{hits.words:,}"
    return f"{held} by {'its' if hits.words == 1 else 'their'} words, {hits.meant:,} by meaning"


def _neighbours(page: Page, chosen: int | None) -> tuple[int | None, int | None]:
    ids = [candidate.id for candidate in page.candidates]
    if chosen not in ids:
        return None, ids[0] if ids and ids[0] != chosen else None
    at = ids.index(chosen)
    return (ids[at - 1] if at else None), (ids[at + 1] if at + 1 < len(ids) else None)


def next_in_list(session: Session, access: ProjectAccess, wanted: PoolQuery, candidate_id: int) -> int | None:
    """The candidate that comes after this one in the list, else the one before; before the list changes."""
    # Nobody else writes meanwhile, so it does not wait for a model.
    before, after = _neighbours(_page(session, access.project.id, wanted, patience=0), candidate_id)
    return after or before


def _rows(page: Page, labels: SourceLabels, chosen: Candidate | None, asked: Wanted) -> list[CandidateRow]:
    """In what meaning alone has found no word is marked but those in quotes: it was found by none."""
    every, exact = pattern_of(asked), pattern_of(exactly(asked))
    by_words = page.hits.worded if page.hits.ids is not None else {one.id for one in page.candidates}
    return [
        _row(one, labels, every if one.id in by_words else exact, chosen, page.cosines.get(one.id))
        for one in page.candidates
    ]


def _row(
    candidate: Candidate,
    labels: SourceLabels,
    looked_for: re.Pattern[str] | None,
    chosen: Candidate | None,
    cosine: float | None,
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
        near="" if cosine is None else likeness(cosine),
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
