"""The review queue with one example on the screen, the comments for the desk, how far second persons agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.examples import queries as examples
from app.examples.forms import messages_of, new_key, turns_in
from app.examples.labels import SourceLabel, SourceLabels, shown_title
from app.examples.models import Example, Revision
from app.projects.access import ProjectAccess
from app.projects.queries import composition_of
from app.reviews import queries
from app.reviews.agreement import Agreement, agreement
from app.reviews.forms import CommentForm, ReviewQuery
from app.reviews.margin import Thread, threads
from app.reviews.models import Review
from app.reviews.panel import ReviewPanel, review_panel
from app.reviews.queries import EVERYTHING, QueueFilter
from app.web.paging import PAGE_SIZE, Pager

BEFORE, AFTER = 4, 40


@dataclass(frozen=True)
class QueueRow:
    """An example that waits."""

    id: int
    title: str
    source: SourceLabel
    by: str
    since: datetime
    at: bool


@dataclass(frozen=True)
class CommentBox:
    """What is being said of a passage, or in answer to a comment: as typed, with what is wrong with it."""

    key: str
    message: int = 0
    quote: str = ""
    nth: int = 0
    words: str = ""
    error: str = ""
    answer: Thread | None = None

    @property
    def shown(self) -> bool:
        """Whether it stands in the page rather than waiting for its key."""
        return bool(self.error or self.answer)


@dataclass(frozen=True)
class ReviewPage:
    """The queue and the example on the screen."""

    slug: str
    waiting: int
    rows: Sequence[QueueRow]
    wanted: ReviewQuery
    sources: Sequence[tuple[str, str]]
    authors: Sequence[tuple[int, str]]
    panel: ReviewPanel | None
    comment: CommentBox
    previous_id: int | None
    next_id: int | None
    words: str
    error: str
    imported: int
    may_lead: bool
    open: bool


@dataclass(frozen=True)
class Typed:
    """What was typed and could not be taken: words for a verdict, or a comment."""

    words: str = ""
    error: str = ""
    comment: CommentForm | None = None


def review_page(
    session: Session, access: ProjectAccess, example: Example | None, wanted: ReviewQuery, typed: Typed = Typed()
) -> ReviewPage:
    """The queue around the example, else around its longest waiting one that this person may decide."""
    project = access.project
    example = example or first_for(session, access, wanted.filter)
    labels = SourceLabels(session.scalars(composition_of(project)))
    rows = queries.around(session, project.id, example, BEFORE, AFTER, wanted.filter) if example else []
    ids = [head.example_id for head in rows]
    at = ids.index(example.id) if example is not None and example.id in ids else None
    after = at + 1 if at is not None else BEFORE if len(ids) > BEFORE else 0
    panel = review_panel(session, access, example, labels, wanted.view) if example else None
    lead = access.role is Role.ADMIN
    return ReviewPage(
        slug=project.slug,
        waiting=queries.waiting_count(session, project.id, wanted.filter),
        rows=[_row(head, labels, example) for head in rows],
        wanted=wanted,
        sources=_sources(session, project.id, labels),
        authors=queries.waiting_authors(session, project.id),
        panel=panel,
        comment=_comment_box(panel, wanted, typed),
        previous_id=ids[at - 1] if at else None,
        next_id=ids[after] if after < len(ids) else None,
        words=typed.words,
        error="" if typed.comment else typed.error,
        imported=queries.imported_count(session, project.id) if lead else 0,
        may_lead=lead,
        open=project.archived_at is None,
    )


def _sources(session: Session, project_id: int, labels: SourceLabels) -> list[tuple[str, str]]:
    return [(key, labels.of(key).title) for key in queries.waiting_sources(session, project_id)]


def _comment_box(panel: ReviewPanel | None, wanted: ReviewQuery, typed: Typed) -> CommentBox:
    form = typed.comment
    number = (form.answer_to if form else None) or wanted.answer
    threads = [*panel.loose, *panel.settled, *panel.beside] if panel else []
    answer = next((one for one in threads if one.id == number), None)
    if form is None:
        last = max((turn.message or 0 for turn in panel.turns), default=0) if panel else 0
        return CommentBox(key=new_key(), message=last, answer=answer)
    return CommentBox(form.key or new_key(), form.message, form.quote, form.nth, form.words, typed.error, answer)


def first_for(
    session: Session, access: ProjectAccess, wanted: QueueFilter = EVERYTHING, after: Example | None = None
) -> Example | None:
    """The next example after one, else the longest waiting; what one may not decide on only if nothing else waits."""
    found = (
        queries.around(session, access.project.id, after, 0, AFTER, wanted)
        if after is not None
        else list(session.scalars(queries.awaiting_review(access.project.id, wanted).limit(AFTER)))
    )
    left = [head for head in found if after is None or head.example_id != after.id]
    judged = queries.judged_by(session, access.user, [head.example_id for head in left])
    others = [
        head
        for head in left
        if access.user.id not in {head.author_id, head.example.created_by} and head.example_id not in judged
    ]
    return next((head.example for head in (*others, *left)), None)


def _row(head: Revision, labels: SourceLabels, example: Example | None) -> QueueRow:
    return QueueRow(
        id=head.example_id,
        title=shown_title(head.title),
        source=labels.of(head.example.source),
        by=head.author.name if head.author else "the import",
        since=head.example.changed_at,
        at=example is not None and head.example_id == example.id,
    )


@dataclass(frozen=True)
class CommentsPage:
    """The comments on an example for its desk, those that are not settled first."""

    slug: str
    example_id: int
    open_threads: Sequence[Thread]
    settled: Sequence[Thread]
    open: bool

    @property
    def beside(self) -> list[Thread]:
        """Those on further turns, which stand in the margin of the response."""
        return [one for one in self.open_threads if one.place and one.field not in PROMPT_BOXES]

    @property
    def below(self) -> list[Thread]:
        """Those on the prompt, in the order of its lines, then those on the whole and on what is gone."""
        on_prompt = [one for one in self.open_threads if one.place and one.field in PROMPT_BOXES]
        loose = [one for one in self.open_threads if not one.place]
        return sorted(on_prompt, key=lambda one: (one.field != "system", one.start)) + loose


PROMPT_BOXES = frozenset({"system", "turn-1"})


def comments_page(
    session: Session, access: ProjectAccess, example: Example, typed: Mapping[str, str] | None = None
) -> CommentsPage:
    """All comments, their passages carried to the newest revision, or to the words that are typed on the desk."""
    texts = turns_in(typed or {})
    shown = messages_of((typed or {}).get("system", ""), texts) if texts else None
    found = threads(session, example, shown or examples.head_revision(session, example).messages)
    return CommentsPage(
        slug=access.project.slug,
        example_id=example.id,
        open_threads=[one for one in found if not one.settled],
        settled=[one for one in found if one.settled],
        open=access.project.archived_at is None,
    )


@dataclass(frozen=True)
class TwiceRow:
    """A text that two people judged."""

    example_id: int
    revision: int
    first: str
    first_by: str
    second: str
    second_by: str
    agreed: bool
    at: datetime


@dataclass(frozen=True)
class TogetherRow:
    """How far two people agree with each other."""

    people: str
    agreement: Agreement


@dataclass(frozen=True)
class AgreementPage:
    """How far second persons agree, and every text behind the numbers."""

    slug: str
    needed: int
    overall: Agreement
    together: Sequence[TogetherRow]
    rows: Sequence[TwiceRow]
    pager: Pager
    open: bool


def agreement_page(session: Session, access: ProjectAccess, number: int) -> AgreementPage:
    """The numbers over all texts, and one page of those."""
    pairs = [_twice(second, first) for second, first in session.execute(queries.judged_twice(access.project.id))]
    pager = Pager(min(number, max(1, -(-len(pairs) // PAGE_SIZE))), len(pairs))
    return AgreementPage(
        slug=access.project.slug,
        needed=access.project.reviews_needed,
        overall=_agreement(pairs),
        together=_together(pairs),
        rows=pairs[(pager.number - 1) * PAGE_SIZE :][:PAGE_SIZE],
        pager=pager,
        open=access.project.archived_at is None,
    )


def _agreement(pairs: Sequence[TwiceRow]) -> Agreement:
    return agreement([(pair.first, pair.second) for pair in pairs])


def _together(pairs: Sequence[TwiceRow]) -> list[TogetherRow]:
    people: dict[str, list[TwiceRow]] = {}
    for pair in pairs:
        people.setdefault(" and ".join(sorted((pair.first_by, pair.second_by))), []).append(pair)
    return [TogetherRow(names, _agreement(own)) for names, own in sorted(people.items())]


def _twice(second: Review, first: Review) -> TwiceRow:
    names = [one.reviewer.name if one.reviewer else "somebody" for one in (first, second)]
    return TwiceRow(
        second.example_id, second.revision_number, first.verdict.value, names[0], second.verdict.value, names[1],
        first.verdict is second.verdict, second.created_at,
    )  # fmt: skip
