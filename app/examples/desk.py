"""The desk: prompt and response side by side, with the post they came from and how they will look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.examples import queries
from app.examples.cutting import Cut, cut_of
from app.examples.forms import messages_of, new_key, turns_in
from app.examples.labels import (
    MessageDiff,
    SourceLabel,
    SourceLabels,
    diff_messages,
    shown_title,
    turn_title,
    web_address,
)
from app.examples.merging import Conflict, Turns, turns_of
from app.examples.messages import Message, largest_text_mb
from app.examples.models import Example, ExampleState, Revision
from app.examples.operations import UNSORTED
from app.projects.access import ProjectAccess
from app.projects.models import Split
from app.projects.queries import composition_of
from app.sources.models import Candidate
from app.text.counting import count_words, estimate_tokens

# LIMA cuts training rows at 2,048 tokens.
TOKENS = 2048


@dataclass(frozen=True)
class Turn:
    """One text to write: its field, its heading, its words."""

    number: int
    role: str
    title: str
    text: str
    tokens: int


@dataclass(frozen=True)
class Size:
    """Counts over all texts; tokens are estimated."""

    characters: int
    words: int
    tokens: int
    limit: int

    @property
    def over(self) -> int:
        """How many tokens training would probably cut."""
        return max(0, self.tokens - self.limit)

    @property
    def inside(self) -> int:
        """How much of the meter the tokens fill that training reads, in percent."""
        return round(100 * min(self.tokens, self.limit) / max(self.tokens, self.limit))


@dataclass(frozen=True)
class Verdict:
    """What the second person said last."""

    by: str
    at: datetime | None
    words: str


@dataclass(frozen=True)
class Origin:
    """The post that an example came from."""

    title: str
    messages: Sequence[Mapping[str, str]]
    url: str | None
    author: str | None
    author_url: str | None
    site: str | None
    licence: str | None
    changed: int | None


@dataclass(frozen=True)
class Stale:
    """Somebody else's newer words, what the desk would change in them, and where one has to choose.

    `mine` is one's own text as it was; `taken` says by a letter a conflict what the desk has taken.
    """

    number: int
    by: str
    at: datetime
    diffs: Sequence[MessageDiff]
    seen: bool
    base: int
    mine: Turns
    conflicts: Sequence[Conflict]
    taken: str
    joined: bool

    def takes(self, number: int) -> str:
        """What the desk has taken of a conflict."""
        return {"m": "mine", "t": "theirs", "b": "both"}[self.taken[number - 1]]


@dataclass(frozen=True)
class KeptCopy:
    """One's own words that are kept and not saved; `shown` on the desk, or only offered beside newer ones."""

    at: datetime
    shown: bool
    diffs: Sequence[MessageDiff]


@dataclass(frozen=True)
class Unmade:
    """What was begun and never saved as an example."""

    key: str
    title: str
    at: datetime
    counter: int


@dataclass(frozen=True)
class DeskPage:
    """An example on the desk, or a new one; texts are what was typed last."""

    slug: str
    example_id: int | None
    title: str
    state: str
    source: SourceLabel
    split: str
    source_key: str
    sources: Sequence[tuple[str, str]]
    language: str
    flags: str
    based_on: int
    revisions: int
    key: str
    system: str
    turns: Sequence[Turn]
    shown_as: str
    size: Size
    saved_at: datetime | None
    saved_by: str
    errors: Mapping[str, str]
    verdict: Verdict | None
    origin: Origin | None
    stale: Stale | None
    approved: int | None
    open: bool
    person: int
    most_bytes: int
    counter: int = 0
    note: str = ""
    kept: KeptCopy | None = None
    unmade: Sequence[Unmade] = ()

    @property
    def messages(self) -> list[dict[str, str]]:
        """All texts as messages, for the preview."""
        return messages_of(self.system, tuple(turn.text for turn in self.turns))

    @property
    def cut(self) -> Cut | None:
        """Where training stops reading, if the texts are too long for it."""
        return cut_of(self.messages, self.size.limit)

    def merge_title(self, turn: int) -> str:
        """The heading of a text of a merge: the system message is 0."""
        titles = {one.number: one.title for one in self.turns}
        return titles.get(turn, f"Turn {turn}") if turn else "System message"

    @property
    def headings(self) -> list[str]:
        """The heading of each message."""
        messages = self.messages
        return [turn_title(messages, index) for index in range(len(messages))]


def desk_page(session: Session, access: ProjectAccess, example: Example | None) -> DeskPage:
    """The desk as it stands in the database, or an empty one."""
    labels = SourceLabels(session.scalars(composition_of(access.project)))
    options = labels.options(queries.sources_in(session, access.project.id))
    page = _empty(access, labels, options)
    return page if example is None else _filled(session, page, labels, example)


def _empty(access: ProjectAccess, labels: SourceLabels, options: Sequence[tuple[str, str]]) -> DeskPage:
    source = options[0][0] if options else UNSORTED
    return DeskPage(
        slug=access.project.slug, example_id=None, title="New example", state="draft", source=labels.of(source),
        split=Split.TRAIN.value, source_key=source, sources=options or ((UNSORTED, UNSORTED),), language="en", flags="",
        based_on=0, revisions=0, key=new_key(), system="", turns=_turns(("", "")), shown_as="write",
        size=_size([]), saved_at=None, saved_by="", errors={}, verdict=None, origin=None, stale=None, approved=None,
        open=access.project.archived_at is None, person=access.user.id, most_bytes=int(largest_text_mb() * 1_000_000),
    )  # fmt: skip


def _filled(session: Session, page: DeskPage, labels: SourceLabels, example: Example) -> DeskPage:
    head = queries.head_revision(session, example)
    listed = page.sources if example.source in dict(page.sources) else (*page.sources, (example.source,) * 2)
    return replace(
        with_words(page, turns_of(head.messages)),
        example_id=example.id,
        title=f"Example {example.id}",
        state=example.state.value,
        source=labels.of(example.source),
        split=example.split.value,
        source_key=example.source,
        sources=listed,
        language=example.language,
        flags=", ".join(example.flags),
        based_on=head.number,
        revisions=head.number,
        saved_at=head.created_at,
        saved_by=head.author.name if head.author else "",
        verdict=_verdict(session, example),
        origin=_origin(session, example, head),
        approved=example.approved_number,
    )


def with_words(page: DeskPage, words: Turns) -> DeskPage:
    """The desk with these texts on it."""
    size = _size(messages_of(words.system, words.spoken))
    return replace(page, system=words.system, turns=_turns(words.spoken), size=size)


def _turns(texts: tuple[str, ...]) -> tuple[Turn, ...]:
    # A prompt always has a place for its response beside it, even where none is needed.
    texts = texts or ("",)
    texts += ("",) * (len(texts) % 2)
    many = len(texts) > 2
    return tuple(
        Turn(
            number=index + 1,
            role="user" if index % 2 == 0 else "assistant",
            title=("Prompt" if index % 2 == 0 else "Response") + (f" {index // 2 + 1}" if many else ""),
            text=text,
            tokens=estimate_tokens(text),
        )
        for index, text in enumerate(texts)
    )


def _size(messages: Sequence[Message]) -> Size:
    texts = [str(message["content"]) for message in messages]
    tokens = sum(estimate_tokens(text) for text in texts)
    characters, words = sum(map(len, texts)), sum(map(count_words, texts))
    return Size(characters, words, tokens, TOKENS)


def _verdict(session: Session, example: Example) -> Verdict | None:
    if example.state not in {ExampleState.RETURNED, ExampleState.REJECTED}:
        return None
    judge = queries.judge_of(session, example)
    return Verdict(judge.name if judge else "a reviewer", example.verdict_at, example.verdict_words)


def _origin(session: Session, example: Example, head: Revision) -> Origin | None:
    candidate = session.get(Candidate, example.candidate_id) if example.candidate_id else None
    credit = example.attribution
    if candidate is None and not credit:
        return None
    author = credit.get("author")
    return Origin(
        title=shown_title(candidate.title) if candidate else "",
        messages=candidate.messages if candidate else (),
        url=web_address(credit.get("url")),
        author=shown_title(author) if author else None,
        author_url=web_address(credit.get("author_url")),
        site=credit.get("site"),
        licence=example.licence,
        changed=_changed_share(candidate.messages, head.messages) if candidate else None,
    )


def _changed_share(old: Sequence[Message], new: Sequence[Message]) -> int:
    """How much of the new words is not in the old ones, in percent."""
    kept = added = 0
    for diff in diff_messages(old, new):
        kept += sum(count_words(change.text) for change in diff.changes if change.kind == "equal")
        added += sum(count_words(change.text) for change in diff.changes if change.kind == "insert")
    return round(100 * added / max(1, kept + added))


def typed_desk(
    page: DeskPage, typed: Mapping[str, str], errors: Mapping[str, str] | None = None, *, turns: int = 0
) -> DeskPage:
    """The desk with what was typed in place of what is saved, and `turns` more or fewer pairs of turns."""
    texts = turns_in(typed)
    if turns > 0:
        texts += ("",) * (len(texts) % 2) + ("", "") * turns
    elif turns < 0 and len(texts) > 2:
        texts = texts[: (len(texts) - 1) // 2 * 2]
    return replace(
        with_words(page, Turns(typed.get("system", ""), texts)),
        split=typed.get("split", page.split),
        language=typed.get("language", page.language),
        flags=typed.get("flags", page.flags),
        key=typed.get("key", page.key),
        source_key=typed.get("source", page.source_key),
        based_on=_number(typed, "based_on", page.based_on),
        counter=_number(typed, "counter", page.counter),
        note=typed.get("note", page.note),
        shown_as="preview" if "preview" in (typed.get("as"), typed.get("act")) else "write",
        errors=errors or {},
    )


def _number(typed: Mapping[str, str], field: str, otherwise: int) -> int:
    return int(typed[field]) if typed.get(field, "").isdecimal() and len(typed[field]) < 10 else otherwise
