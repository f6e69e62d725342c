"""The desk: prompt and response side by side, with the post they came from and how they will look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.examples import queries
from app.examples.cutting import LIMIT, Cut, cut_of
from app.examples.describing import purpose_of
from app.examples.forms import messages_of, new_key, turns_in
from app.examples.labels import (
    MessageDiff,
    SourceLabel,
    SourceLabels,
    turn_title,
)
from app.examples.merging import Conflict, Turns, turns_of
from app.examples.messages import Message, largest_text_mb
from app.examples.models import Example, ExampleState
from app.examples.operations import UNSORTED
from app.examples.origin import Origin, origin_of
from app.examples.queue_pages import ClaimPanel, claim_panel
from app.examples.role_pages import FlagChoice, flag_choices
from app.examples.roles import FLAGS
from app.examples.style_queries import is_model
from app.projects.access import ProjectAccess
from app.projects.models import Split
from app.projects.queries import composition_of
from app.projects.tokenizers import tokens_of
from app.text.counting import Tokens, count_words
from app.text.languages import code_of
from app.web.paging import Pager


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
    """Counts over all texts; tokens are `exact` where the project names its tokenizer."""

    characters: int
    words: int
    tokens: int
    limit: int
    exact: bool

    @property
    def about(self) -> str:
        """What stands before a number of tokens."""
        return "" if self.exact else "about "

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
    # Whether it is the same person who saved from elsewhere.
    own: bool = False

    @property
    def whose(self) -> str:
        """Whose words theirs are, over a choice."""
        return f"Revision {self.number}" if self.own else self.by

    def takes(self, number: int) -> str:
        """What the desk has taken of a conflict."""
        return {"m": "mine", "t": "theirs", "b": "both"}[self.taken[number - 1]]


@dataclass(frozen=True)
class KeptCopy:
    """One's own words that are kept and not saved; `shown` on the desk, or only offered beside newer ones."""

    at: datetime
    shown: bool
    diffs: Sequence[MessageDiff]
    counter: int = 0


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
    tokens: Tokens
    claim: ClaimPanel | None = None
    model: bool = False
    may_model: bool = False
    counter: int = 0
    copy_key: str = ""
    note: str = ""
    # What the example was for when these words were begun: what was typed in its fields differs from it, or is no wish.
    was: str = ""
    kept: KeptCopy | None = None
    unmade: Sequence[Unmade] = ()
    begun: Pager | None = None
    # Of one that is not made yet: the flags that are ticked, and as JSON of what it was said to be no duplicate.
    ticked: Sequence[str] = ()
    not_duplicates: str = "{}"

    @property
    def flag_choices(self) -> Sequence[FlagChoice]:
        """The flags to tick, of one that is not made yet."""
        return flag_choices(self.ticked, self.messages)

    @property
    def messages(self) -> list[dict[str, str]]:
        """All texts as messages, for the preview."""
        return messages_of(self.system, tuple(turn.text for turn in self.turns))

    @property
    def cut(self) -> Cut | None:
        """Where training stops reading, if the texts are too long for it."""
        return cut_of(self.messages, self.size.limit, self.tokens)

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
    page = _empty(session, access, labels, options)
    return page if example is None else _filled(session, access, page, labels, example)


def _empty(
    session: Session, access: ProjectAccess, labels: SourceLabels, options: Sequence[tuple[str, str]]
) -> DeskPage:
    source = options[0][0] if options else UNSORTED
    tokens = tokens_of(session, access.project)
    return DeskPage(
        slug=access.project.slug, example_id=None, title="New example", state="draft", source=labels.of(source),
        split=Split.TRAIN.value, source_key=source, sources=options or ((UNSORTED, UNSORTED),),
        language=access.project.language or "en", flags="",
        based_on=0, revisions=0, key=new_key(), system="", turns=_turns(("", ""), tokens), shown_as="write",
        size=_size([], tokens), saved_at=None, saved_by="", errors={}, verdict=None, origin=None, stale=None,
        approved=None, open=access.project.archived_at is None, person=access.user.id,
        most_bytes=int(largest_text_mb() * 1_000_000), tokens=tokens,
    )  # fmt: skip


def _filled(
    session: Session, access: ProjectAccess, page: DeskPage, labels: SourceLabels, example: Example
) -> DeskPage:
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
        was=purpose_of(example).canonical,
        based_on=head.number,
        revisions=head.number,
        saved_at=head.created_at,
        saved_by=head.author.name if head.author else "",
        verdict=_verdict(session, example),
        origin=origin_of(session, example, head),
        approved=example.approved_number,
        claim=claim_panel(session, access, example),
        model=is_model(session, example),
        may_model=access.role is Role.ADMIN and page.open,
    )


def with_words(page: DeskPage, words: Turns) -> DeskPage:
    """The desk with these texts on it."""
    size = _size(messages_of(words.system, words.spoken), page.tokens)
    return replace(page, system=words.system, turns=_turns(words.spoken, page.tokens), size=size)


def _turns(texts: tuple[str, ...], tokens: Tokens) -> tuple[Turn, ...]:
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
            tokens=tokens.count(text),
        )
        for index, text in enumerate(texts)
    )


def _size(messages: Sequence[Message], tokens: Tokens) -> Size:
    texts = [str(message["content"]) for message in messages]
    characters, words = sum(map(len, texts)), sum(map(count_words, texts))
    return Size(characters, words, tokens.total(texts), LIMIT, tokens.counts_exactly(texts))


def _verdict(session: Session, example: Example) -> Verdict | None:
    told = example.state is ExampleState.APPROVED and example.verdict_words
    if not told and example.state not in {ExampleState.RETURNED, ExampleState.REJECTED}:
        return None
    judge = queries.judge_of(session, example)
    return Verdict(judge.name if judge else "a reviewer", example.verdict_at, example.verdict_words)


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
        language=code_of(typed.get("language", page.language)),
        flags=typed.get("flags", page.flags),
        key=typed.get("key", page.key),
        source_key=typed.get("source", page.source_key),
        based_on=_number(typed, "based_on", page.based_on),
        counter=_number(typed, "counter", page.counter),
        copy_key=typed.get("copy_key", page.copy_key),
        note=typed.get("note", page.note),
        was=typed.get("was", ""),
        ticked=[flag for flag in FLAGS if typed.get(flag)],
        not_duplicates=typed.get("not_duplicates", page.not_duplicates),
        shown_as="preview" if "preview" in (typed.get("as"), typed.get("act")) else "write",
        errors=errors or {},
    )


def _number(typed: Mapping[str, str], field: str, otherwise: int) -> int:
    return int(typed[field]) if typed.get(field, "").isdecimal() and len(typed[field]) < 10 else otherwise
