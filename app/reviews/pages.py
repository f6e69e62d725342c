"""The review queue with one example on the screen: what changed since it was approved, and what may be decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.examples import queries as examples
from app.examples.labels import (
    MessageDiff,
    SourceLabel,
    SourceLabels,
    diff_messages,
    shown_title,
    turn_title,
    web_address,
)
from app.examples.models import Example, ExampleState, Revision
from app.projects.access import ProjectAccess
from app.projects.queries import composition_of
from app.reviews import queries
from app.reviews.models import Review, ReviewVerdict
from app.reviews.operations import own_people
from app.text.counting import estimate_tokens

BEFORE, AFTER = 4, 40
# A prompt of one paragraph up to this is the heading of its page; a longer one stands below it.
LONGEST_HEADING = 400
SAID = {
    ReviewVerdict.APPROVED: "approved",
    ReviewVerdict.RETURNED: "returned",
    ReviewVerdict.REJECTED: "rejected",
    ReviewVerdict.IMPORTED: "approved as imported",
    ReviewVerdict.WITHDRAWN: "took the verdict back on",
}


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
class SaidRow:
    """One earlier verdict."""

    by: str
    what: str
    revision: int
    words: str
    at: datetime
    returned: bool


@dataclass(frozen=True)
class ShownTurn:
    """One message as it will look."""

    title: str
    role: str
    text: str


@dataclass(frozen=True)
class ReviewPanel:
    """The example on the screen."""

    id: int
    title: str
    prompt_is_title: bool
    source: SourceLabel
    split: str
    state: str
    sign: str
    revision: int
    by: str
    base: int | None
    base_words: str
    tokens: int
    tokens_more: int
    turns: Sequence[ShownTurn]
    diffs: Sequence[MessageDiff]
    said: Sequence[SaidRow]
    licence: str | None
    url: str | None
    author: str | None
    why_not: str | None


@dataclass(frozen=True)
class ReviewPage:
    """The queue and the example on the screen; `view` is diff or clean."""

    slug: str
    waiting: int
    rows: Sequence[QueueRow]
    panel: ReviewPanel | None
    view: str
    previous_id: int | None
    next_id: int | None
    words: str
    error: str
    imported: int
    open: bool


def review_page(
    session: Session, access: ProjectAccess, example: Example | None, *, view: str, words: str = "", error: str = ""
) -> ReviewPage:
    """The queue around the example, else around its longest waiting one that this person may decide."""
    project = access.project
    example = example or first_for(session, access)
    labels = SourceLabels(session.scalars(composition_of(project)))
    rows = queries.around(session, project.id, example, BEFORE, AFTER) if example else []
    ids = [head.example_id for head in rows]
    at = ids.index(example.id) if example is not None and example.id in ids else None
    after = at + 1 if at is not None else BEFORE if len(ids) > BEFORE else 0
    panel = _panel(session, access, example, labels) if example else None
    # A place that asks for a diff where there is none shows the text.
    shown = "clean" if panel is None or panel.base is None else view
    return ReviewPage(
        slug=project.slug,
        waiting=queries.waiting_count(session, project.id),
        rows=[_row(head, labels, example) for head in rows],
        panel=panel,
        view=shown,
        previous_id=ids[at - 1] if at else None,
        next_id=ids[after] if after < len(ids) else None,
        words=words,
        error=error,
        imported=queries.imported_count(session, project.id) if access.role is Role.ADMIN else 0,
        open=project.archived_at is None,
    )


def first_for(session: Session, access: ProjectAccess, after: Example | None = None) -> Example | None:
    """The next example after one, else the longest waiting; those of one's own making only if nothing else waits."""
    found = (
        queries.around(session, access.project.id, after, 0, AFTER)
        if after is not None
        else list(session.scalars(queries.awaiting_review(access.project.id).limit(AFTER)))
    )
    others = [head.example for head in found if access.user.id not in {head.author_id, head.example.created_by}]
    left = [head.example for head in found if after is None or head.example_id != after.id]
    return next((example for example in others if after is None or example.id != after.id), left[0] if left else None)


def _row(head: Revision, labels: SourceLabels, example: Example | None) -> QueueRow:
    return QueueRow(
        id=head.example_id,
        title=shown_title(head.title),
        source=labels.of(head.example.source),
        by=head.author.name if head.author else "the import",
        since=head.example.changed_at,
        at=example is not None and head.example_id == example.id,
    )


def _panel(session: Session, access: ProjectAccess, example: Example, labels: SourceLabels) -> ReviewPanel:
    head = examples.head_revision(session, example)
    said = list(session.scalars(queries.reviews_of(example)))
    base, base_words = _base(session, example, said)
    prompt = next((message["content"].strip() for message in head.messages if message["role"] == "user"), "")
    heading = prompt if len(prompt) <= LONGEST_HEADING and "\n" not in prompt else head.title
    tokens, before = _tokens(head), _tokens(base) if base else 0
    credit = example.attribution
    return ReviewPanel(
        id=example.id,
        title=shown_title(heading),
        prompt_is_title=bool(prompt) and prompt == heading,
        source=labels.of(example.source),
        split=example.split.value,
        state=example.state.value,
        sign=_sign(example, base),
        revision=head.number,
        by=head.author.name if head.author else "the import",
        base=base.number if base else None,
        base_words=base_words,
        tokens=tokens,
        tokens_more=tokens - before if base else 0,
        turns=[
            ShownTurn(turn_title(head.messages, index), message["role"], message["content"])
            for index, message in enumerate(head.messages)
        ],
        diffs=diff_messages(base.messages, head.messages) if base else (),
        said=[_said(review) for review in said],
        licence=example.licence,
        url=web_address(credit.get("url")),
        author=shown_title(credit["author"]) if credit.get("author") else None,
        why_not=_why_not(session, access, example),
    )


def _base(session: Session, example: Example, said: Sequence[Review]) -> tuple[Revision | None, str]:
    """The revision that the diff starts from: the approved one, else the one that was returned."""
    judged = next((review for review in said if review.revision_number < example.revision_number), None)
    number = example.approved_number or (judged.revision_number if judged else None)
    if number is None or number == example.revision_number:
        return None, ""
    review = next((one for one in said if one.revision_number == number), None)
    who = review.reviewer.name if review and review.reviewer else "somebody"
    return examples.revision(session, example, number), f"{SAID[review.verdict] if review else 'seen'} by {who}"


def _tokens(revision: Revision) -> int:
    return sum(estimate_tokens(message["content"]) for message in revision.messages)


def _sign(example: Example, base: Revision | None) -> str:
    if example.state is not ExampleState.REVIEW:
        return ""
    if example.approved_number is not None:
        return "Reopened by an edit"
    return "Back after changes" if base else "New"


def _said(review: Review) -> SaidRow:
    by = review.reviewer.name if review.reviewer else "somebody"
    returned = review.verdict is ReviewVerdict.RETURNED
    return SaidRow(by, SAID[review.verdict], review.revision_number, review.words, review.created_at, returned)


def _why_not(session: Session, access: ProjectAccess, example: Example) -> str | None:
    if example.state is not ExampleState.REVIEW:
        return f"This example is {example.state.value}, so there is nothing to decide."
    if access.project.archived_at is not None:
        return "The project is archived: to read only."
    if not access.role.covers(Role.REVIEWER):
        return "Reviewers decide; you are an annotator here."
    if access.user.id in own_people(session, example):
        return "These are partly your own words: a second person has to decide."
    return None
