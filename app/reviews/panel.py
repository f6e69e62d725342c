"""One example on the review screen: its words as they are read, what changed in them, and what was said of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from markupsafe import Markup
from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.examples import marking
from app.examples import queries as examples
from app.examples.labels import Change, SourceLabel, SourceLabels, diff_messages, shown_title, turn_title, web_address
from app.examples.messages import Message
from app.examples.models import Example, ExampleState, Revision
from app.projects.access import ProjectAccess
from app.projects.tokenizers import tokens_of
from app.reviews import queries
from app.reviews.margin import HouseRemark, Thread, house_remarks, threads
from app.reviews.models import Review, ReviewVerdict
from app.reviews.operations import own_people
from app.reviews.original import OriginalBeside, original_of
from app.reviews.pins import Pin, across
from app.reviews.rendered import Changes, Insert, Part, Shown, Span, changes, put, shown
from app.reviews.verdicts import standing, waiting
from app.sources.models import Candidate
from app.text.counting import Tokens
from app.text.diff import word_diff

# A prompt of one paragraph up to this is the heading of its page; a longer one stands below it.
LONGEST_HEADING = 400
SAID = {
    ReviewVerdict.APPROVED: "approved",
    ReviewVerdict.RETURNED: "returned",
    ReviewVerdict.REJECTED: "rejected",
    ReviewVerdict.IMPORTED: "approved as imported",
}
VIEWS = {"diff": "Changes", "source": "Since source", "clean": "Clean"}
Note = Thread | HouseRemark


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
class Stretch:
    """Sanitised HTML, then the note that stands beside its end, if one does."""

    html: Markup
    note: Note | None


@dataclass(frozen=True)
class ShownTurn:
    """One message as it is read, with its changes and what stands beside it; `raw` are the changes in its Markdown.

    `message` is its place in the list of messages, None for one that was taken out.
    """

    title: str
    role: str
    message: int | None
    stretches: Sequence[Stretch]
    raw: Sequence[Change]
    changed: bool
    formed: bool
    notes: int


@dataclass(frozen=True)
class ReviewPanel:
    """The example on the screen. `views` are (key, title), the shown one among them."""

    id: int
    title: str
    prompt_is_title: bool
    source: SourceLabel
    split: str
    language: str
    original: OriginalBeside | None
    state: str
    sign: str
    revision: int
    by: str
    base: int | None
    base_words: str
    tokens: int
    exact: bool
    tokens_more: int
    view: str
    views: Sequence[tuple[str, str]]
    turns: Sequence[ShownTurn]
    loose: Sequence[Thread]
    settled: Sequence[Thread]
    open_threads: int
    remarks: int
    said: Sequence[SaidRow]
    licence: str | None
    url: str | None
    author: str | None
    why_not: str | None
    reviews: str
    of_a_model: str

    @property
    def beside(self) -> list[Thread]:
        """The comments that stand beside their passages."""
        notes = [stretch.note for turn in self.turns for stretch in turn.stretches]
        return [note for note in notes if isinstance(note, Thread)]

    @property
    def next_view(self) -> tuple[str, str] | None:
        """What the key d shows next."""
        keys = [key for key, _ in self.views]
        return self.views[(keys.index(self.view) + 1) % len(keys)] if len(keys) > 1 else None

    @property
    def formed(self) -> bool:
        """Whether something changed that a reader of the rendered text does not see: links, headings, emphasis."""
        return any(turn.formed for turn in self.turns)


def review_panel(
    session: Session, access: ProjectAccess, example: Example, labels: SourceLabels, view: str
) -> ReviewPanel:
    """The example with all that its reviewer has to know."""
    head = examples.head_revision(session, example)
    told = list(session.scalars(queries.reviews_of(example)))
    said = visible(told, example, access.user.id)
    base, base_words = _base(session, example, said)
    origin = _origin(session, example, head)
    views = _views(base, origin)
    view = view if view in dict(views) else views[0][0]
    old = {"diff": base.messages if base else None, "source": origin}.get(view)
    notes: list[Note] = [
        *threads(session, example, head.messages),
        *house_remarks(session, access.project, example, head),
    ]
    comments = [note for note in notes if isinstance(note, Thread)]
    beside = [note for note in notes if note.place is not None and not (isinstance(note, Thread) and note.settled)]
    turns, placed = _turns(old, head.messages, beside)
    prompt = next((message["content"].strip() for message in head.messages if message["role"] == "user"), "")
    heading = prompt if len(prompt) <= LONGEST_HEADING and "\n" not in prompt else head.title
    counting = tokens_of(session, access.project)
    tokens, before = _tokens(head, counting), _tokens(base, counting) if base else 0
    credit = example.attribution
    return ReviewPanel(
        id=example.id,
        title=shown_title(heading),
        prompt_is_title=bool(prompt) and prompt == heading,
        source=labels.of(example.source),
        split=example.split.value,
        language=example.language,
        original=original_of(session, access, example, head.messages),
        state=example.state.value,
        sign=_sign(example, base),
        revision=head.number,
        by=head.author.name if head.author else "the import",
        base=base.number if base else None,
        base_words=base_words,
        tokens=tokens,
        exact=counting.counts_exactly(_texts(head)),
        tokens_more=tokens - before if base else 0,
        view=view,
        views=views,
        turns=turns,
        loose=[one for one in comments if not one.settled and one.id not in placed],
        settled=[one for one in comments if one.settled],
        open_threads=sum(not one.settled for one in comments),
        remarks=len(notes) - len(comments),
        said=[_said(review) for review in said],
        licence=example.licence,
        url=web_address(credit.get("url")),
        author=shown_title(credit["author"]) if credit.get("author") else None,
        why_not=_why_not(session, access, example, told),
        reviews=_reviews(access, example, told),
        of_a_model=marking.told(head.help or ()),
    )


def visible(told: Sequence[Review], example: Example, person: int) -> list[Review]:
    """The verdicts that stand and that this person may know of: the first of two is told once both are given."""
    kept_back = waiting(told, example.revision_number) if example.state is ExampleState.REVIEW else []
    hidden = {review.id for review in kept_back if review.reviewer_id != person}
    return [review for review in standing(told) if review.id not in hidden]


def _views(base: Revision | None, origin: Sequence[Message] | None) -> list[tuple[str, str]]:
    there = {"diff": base is not None, "source": origin is not None, "clean": True}
    return [(key, title) for key, title in VIEWS.items() if there[key]]


def _base(session: Session, example: Example, said: Sequence[Review]) -> tuple[Revision | None, str]:
    """The revision that the diff starts from: the approved one, else the one that was returned."""
    judged = next((review for review in said if review.revision_number < example.revision_number), None)
    number = example.approved_number or (judged.revision_number if judged else None)
    if number is None or number == example.revision_number:
        return None, ""
    review = next((one for one in said if one.revision_number == number), None)
    who = review.reviewer.name if review and review.reviewer else "somebody"
    return examples.revision(session, example, number), f"{SAID[review.verdict] if review else 'seen'} by {who}"


def _origin(session: Session, example: Example, head: Revision) -> Sequence[Message] | None:
    """The words that it began from: the post, or what an import brought; None if they stand there still."""
    candidate = session.get(Candidate, example.candidate_id) if example.candidate_id is not None else None
    if candidate is not None:
        return candidate.messages if candidate.messages != head.messages else None
    if example.import_run_id is None or head.number == 1:
        return None
    first = examples.revision(session, example, 1)
    return first.messages if first else None


def _turns(
    old: Sequence[Message] | None, new: Sequence[Message], beside: Sequence[Note]
) -> tuple[list[ShownTurn], set[int]]:
    """All messages in order, and the numbers of the comments that found their place beside them."""
    raw = {diff.turn: diff for diff in diff_messages(old, new)} if old is not None else {}
    placed: set[int] = set()
    found = []
    for before, index in _paired(old, new):
        message = new[index] if index is not None else before
        assert message is not None
        title = turn_title(new, index) if index is not None else f"{message['role'].capitalize()} turn, taken out"
        was = str(before["content"]) if before is not None else None if old is None else ""
        text = str(message["content"]) if index is not None else ""
        own = [note for note in beside if note.message == index]
        stretches, formed, ids = _written(was, text, own)
        placed |= ids
        diff = raw.get(title)
        changed = was is not None and was != text
        found.append(
            ShownTurn(title, message["role"], index, stretches, diff.changes if diff else (), changed, formed, len(own))
        )
    return found, placed


def _paired(old: Sequence[Message] | None, new: Sequence[Message]) -> list[tuple[Message | None, int | None]]:
    """(the message before, the place of the one now), turn by turn; a missing system message keeps the turns."""
    if old is None:
        return [(None, index) for index in range(len(new))]
    left = [*old] if _has_system(old) else [None, *old]
    right = [*range(len(new))] if _has_system(new) else [None, *range(len(new))]
    longest = range(max(len(left), len(right)))
    pairs = [(left[at] if at < len(left) else None, right[at] if at < len(right) else None) for at in longest]
    return [pair for pair in pairs if pair != (None, None)]


def _has_system(messages: Sequence[Message]) -> bool:
    return bool(messages) and messages[0]["role"] == "system"


def _written(was: str | None, text: str, notes: Sequence[Note]) -> tuple[list[Stretch], bool, set[int]]:
    """A message as it is read with its marks; whether only its form changed somewhere; which comments stand in it."""
    now = shown(text)
    found = changes(shown(was), now) if was is not None and was != text else Changes()
    spans, inserts = [*found.spans], [*found.inserts]
    seen = _seen(text, now, notes)
    for number, (note, pin) in enumerate(seen):
        spans.append(Span(pin.start, pin.end, _mark(note), "</mark>"))
        inserts.append(Insert(pin.end, remark=number))
    parts = put(now, spans, inserts)
    return (
        [_stretch(part, seen) for part in parts],
        found.formed,
        {note.id for note, _ in seen if isinstance(note, Thread)},
    )


def _mark(note: Note) -> str:
    if isinstance(note, Thread):
        return f'<mark class="pin" id="{escape(f"passage-{note.id}")}">'
    return '<mark class="suspects">' if note.suspects else "<mark>"


def _seen(text: str, now: Shown, notes: Sequence[Note]) -> list[tuple[Note, Pin]]:
    """The notes whose passages can be seen in the rendered text; one on nothing or on the whole stands at its start."""
    if not notes:
        return []
    segments = word_diff(text, now.text)
    found = []
    for note in notes:
        pin = across(segments, note.place) if note.place and note.place.end > note.place.start else Pin(0, 0)
        if pin is not None:
            found.append((note, pin))
    return found


def _stretch(part: Part, seen: Sequence[tuple[Note, Pin]]) -> Stretch:
    # render_markdown sanitises last; what is put in between is escaped text and ins, del, mark.
    html = Markup(part.html)  # noqa: S704
    return Stretch(html, seen[part.remark][0] if part.remark is not None else None)


def _tokens(revision: Revision, counting: Tokens) -> int:
    return counting.total(_texts(revision))


def _texts(revision: Revision) -> list[str]:
    return [str(message["content"]) for message in revision.messages]


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


def _why_not(session: Session, access: ProjectAccess, example: Example, told: Sequence[Review]) -> str | None:
    if example.state is not ExampleState.REVIEW:
        return f"This example is {example.state.value}, so there is nothing to decide."
    if access.project.archived_at is not None:
        return "The project is archived: to read only."
    if not access.role.covers(Role.REVIEWER):
        return "Reviewers decide; you are an annotator here."
    if access.user.id in own_people(session, example):
        return "These are partly your own words: a second person has to decide."
    mine = [one for one in waiting(told, example.revision_number) if one.reviewer_id == access.user.id]
    if mine and access.project.reviews_needed > 1:
        return f"You {SAID[mine[0].verdict]} this revision; it waits for another second person."
    return None


def _reviews(access: ProjectAccess, example: Example, told: Sequence[Review]) -> str:
    if access.project.reviews_needed == 1 or example.state is not ExampleState.REVIEW:
        return ""
    given = len(waiting(told, example.revision_number))
    return "two reviews are needed, one is given" if given else "two reviews are needed"


__all__ = ["SAID", "ReviewPanel", "SaidRow", "ShownTurn", "Stretch", "review_panel", "visible"]
