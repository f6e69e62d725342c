"""Finding examples: by words in every text of their newest revision, by what they are, or by both.

Another room asks like this and gets at most `limit` hits, the latest change first:

    search_examples(session, project.id, "rope -climbing", filters=ExampleFilter(state=ExampleState.APPROVED), limit=20)

One query finds the numbers, a second one their texts, for 2 hits as for 20. Nothing that is typed is an error, and a
search that takes too long ends as `TooSlow`. What the person of the session may not see is not found.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import within
from app.errors import Refusal
from app.examples import queries
from app.examples.labels import shown_text, shown_title
from app.examples.models import ExampleState, Revision
from app.examples.queries import ExampleFilter
from app.examples.tallies import facet_counts
from app.projects.models import Split
from app.text.plain import plain_words
from app.text.search import Piece, Wanted, marked, missing_in, parse, passage, pattern_of
from app.web.paging import PAGE_SIZE, Pager

MOST_FOUND = 1000
"""A search counts its hits up to here, and shows the newest so many; another word finds the rest."""
SECONDS = 5.0
BEGINNING = 160
AT_ONCE = 1000


class TooSlow(Refusal):
    """This search took longer than {seconds:.0f} s and was ended. A longer word, or one more, finds fewer examples."""

    status = 503
    title = "The search took too long"


@dataclass(frozen=True)
class Hit:
    """An example that was found; in title and snippet the words that were looked for are marked.

    The snippet is where the texts say what the title does not; without such a place it is how the last text begins.
    """

    id: int
    source: str
    state: ExampleState
    split: Split
    language: str
    title: Sequence[Piece]
    snippet: Sequence[Piece]
    by: str
    changed_at: datetime


def search_examples(
    session: Session, project_id: int, words: str, *, filters: ExampleFilter = ExampleFilter(), limit: int = 20
) -> list[Hit]:
    """The examples that hold these words and fit the filters (their words aside), the latest change first."""
    asked = replace(filters, words=words)
    with patience(session, asked):
        found = session.scalars(queries.ids_of(project_id, asked).limit(limit)).all()
    wanted = parse(words)
    return [_hit(head, wanted) for head in session.scalars(queries.heads_by_id(found))]


def patience(session: Session, wanted: ExampleFilter) -> AbstractContextManager[None]:
    """A time limit on what is asked in the block, where words are looked for."""
    return within(session, SECONDS, TooSlow(seconds=SECONDS)) if wanted.words else nullcontext()


def _hit(head: Revision, wanted: Wanted) -> Hit:
    example, writer = head.example, head.author or head.example.creator
    title, snippet = told(head, wanted)
    return Hit(
        id=example.id,
        source=example.source,
        state=example.state,
        split=example.split,
        language=example.language,
        title=title,
        snippet=snippet or (Piece(beginning(head)),),
        by=writer.name if writer else "nobody here",
        changed_at=example.changed_at,
    )


def told(head: Revision, wanted: Wanted) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """The title with what was looked for marked, and the passage that says what the title does not; it may be empty."""
    title = shown_title(plain_words(head.title))
    if not wanted.all:
        return marked(title, None), ()
    marks = pattern_of(wanted)
    missing = pattern_of(missing_in(title, wanted))
    texts = [shown_text(str(message["content"])) for message in reversed(head.messages)] if missing else []
    return marked(title, marks), passage(texts, missing, marks)


def beginning(head: Revision) -> str:
    """How the last text begins."""
    last = str(head.messages[-1]["content"]) if head.messages else ""
    start = " ".join(shown_text(plain_words(last[: 2 * BEGINNING])).split())
    return start if len(start) <= BEGINNING and len(last) <= 2 * BEGINNING else f"{start[:BEGINNING].rstrip()} …"


@dataclass(frozen=True)
class Listed:
    """One page of the list: its newest revisions, where it stands, and whether more fit than are counted."""

    heads: Sequence[Revision]
    pager: Pager
    more: bool = False


def page_of_examples(
    session: Session, project_id: int, wanted: ExampleFilter, number: int, total: int | None
) -> Listed:
    """One page of the examples that fit. A total that is not known is counted no further than MOST_FOUND.

    So a word that every example holds costs no more than a rare one: one query gives the hits and their number.
    """
    ids, more = queries.ids_of(project_id, queries.with_own_ids(session, project_id, wanted)), False
    with patience(session, wanted):
        if total is not None:
            pager = _pager(number, total)
            page = ids.limit(PAGE_SIZE).offset(pager.first and pager.first - 1)
            # Where nothing fits, all examples would be walked through to find that out.
            shown = session.scalars(page).all() if total else []
        else:
            found = session.scalars(ids.limit(MOST_FOUND + 1)).all()
            pager, more = _pager(number, min(len(found), MOST_FOUND)), len(found) > MOST_FOUND
            shown = found[pager.first and pager.first - 1 : pager.last]
    return Listed(session.scalars(queries.heads_by_id(shown)).all(), pager, more)


def all_examples(session: Session, project_id: int, wanted: ExampleFilter, number: int) -> Listed:
    """The same with every hit counted and reached, for those who page through all of them."""
    with patience(session, wanted):
        total = _count(session, project_id, wanted)
    return page_of_examples(session, project_id, wanted, number, total)


def some_examples(session: Session, project_id: int, wanted: ExampleFilter, most: int) -> Listed:
    """So many of the examples that fit, as one page, with every hit counted."""
    with patience(session, wanted):
        total = _count(session, project_id, wanted)
        ids = session.scalars(queries.ids_of(project_id, wanted).limit(most)).all()
    heads = [
        head
        for start in range(0, len(ids), AT_ONCE)
        for head in session.scalars(queries.heads_by_id(ids[start : start + AT_ONCE]))
    ]
    return Listed(heads, Pager(1, total, most), total > len(heads))


def _count(session: Session, project_id: int, wanted: ExampleFilter) -> int:
    known = queries.total_of(facet_counts(session, project_id), wanted)
    if known is not None:
        return known
    ids = queries.ids_of(project_id, wanted).order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(ids)) or 0


def _pager(number: int, total: int) -> Pager:
    return Pager(min(number, max(1, -(-total // PAGE_SIZE))), total)
