"""Remarks beside the text: what the house would put otherwise, at its place on the desk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from app.examples import queries, style_queries
from app.examples.cutting import LIMIT, cut_of
from app.examples.forms import messages_of, turns_in
from app.examples.labels import shown_title, turn_title
from app.examples.models import Example
from app.examples.style.base import Fix, Remark, line_of
from app.examples.style.sheet import BY_NAME, Sheet
from app.projects.access import ProjectAccess
from app.projects.models import Project
from app.projects.tokenizers import tokens_of
from app.text.counting import Tokens

_PASSAGE = 60


@dataclass(frozen=True)
class RemarkView:
    """One remark; its places count UTF-16 units, as scripts count them. `field` is the id of its text box."""

    rule: str
    title: str
    why: str
    words: str
    suspects: bool
    field: str
    where: str
    passage: str
    start: int
    end: int
    fix: Fix | None
    fix_label: str
    key: str
    left: bool


@dataclass(frozen=True)
class CutView:
    """Where training stops reading: the text box and the place in it, in UTF-16 units; in words what is lost."""

    field: str
    where: str
    start: int
    words: str


@dataclass(frozen=True)
class RemarksPage:
    """All remarks on an example, or on one that is not made yet."""

    slug: str
    example_id: int | None
    title: str
    remarks: Sequence[RemarkView]
    left: Sequence[RemarkView]
    cut: CutView | None
    open: bool

    @property
    def on_prompt(self) -> list[RemarkView]:
        """Those on the first prompt and the system message, which stand in the pane of the prompt."""
        return [one for one in self.remarks if one.field in {"turn-1", "system"}]

    @property
    def on_rest(self) -> list[RemarkView]:
        """Those on the responses and on all further turns."""
        return [one for one in self.remarks if one.field not in {"turn-1", "system"}]


@dataclass(frozen=True)
class Described:
    """The words of an example and what the rules may know of it."""

    messages: Sequence[Mapping[str, Any]]
    source: str
    language: str


def typed_remarks(
    session: Session, access: ProjectAccess, example: Example | None, typed: Mapping[str, str]
) -> RemarksPage:
    """The remarks on what stands on the desk, saved or not."""
    messages = messages_of(typed.get("system", ""), turns_in(typed))
    source = typed.get("source", example.source if example else "")[:64]
    words = Described(messages, source, typed.get("language", "en")[:16])
    return _page(session, access, example, words)


def saved_remarks(session: Session, access: ProjectAccess, example: Example) -> RemarksPage:
    """The remarks on the newest revision of an example."""
    head = queries.head_revision(session, example)
    return _page(session, access, example, Described(head.messages, example.source, example.language))


def _page(session: Session, access: ProjectAccess, example: Example | None, words: Described) -> RemarksPage:
    views = [_view(one, words.messages) for one in remarks_on(session, access.project, example, words)]
    left = style_queries.left_of(session, example.id if example else None)
    views = [replace(one, left=one.key in left) for one in views]
    return RemarksPage(
        slug=access.project.slug,
        example_id=example.id if example else None,
        title=shown_title(f"Example {example.id}") if example else "New example",
        remarks=[one for one in views if not one.left],
        left=[one for one in views if one.left],
        cut=_cut(words.messages, tokens_of(session, access.project)),
        open=access.project.archived_at is None,
    )


def remarks_on(
    session: Session, project: Project, example: Example | None, words: Described, sheet: Sheet | None = None
) -> tuple[Remark, ...]:
    """What the project's house style says of these words, left or not."""
    chosen = sheet or style_queries.sheet_of(session, project.id)
    but = example.id if example else None
    about = style_queries.about_of(session, project.id, chosen, words.source, words.language, but)
    return chosen.remarks(words.messages, about)


def _cut(messages: Sequence[Mapping[str, Any]], tokens: Tokens) -> CutView | None:
    cut = cut_of(messages, LIMIT, tokens)
    if cut is None:
        return None
    texts = [str(message["content"]) for message in messages]
    text, total = texts[cut.message], tokens.total(texts)
    about = "" if tokens.counts_exactly(texts) else "about "
    lost = f"{about}{total - LIMIT:,} of {about}{total:,} tokens are cut, the end mark with them;"
    if cut.message == len(texts) - 1 and cut.place == len(text):
        lost = "Everything is read but the end mark;"
    words = f"{lost[:1].upper()}{lost[1:]} an answer without its end never teaches to stop."
    where = f"{turn_title(messages, cut.message)}, line {line_of(text, cut.place)}"
    return CutView(_field(messages, cut.message), where, _units(text, cut.place), words)


def _field(messages: Sequence[Mapping[str, Any]], message: int) -> str:
    """The id of the text box of a message."""
    if messages[message]["role"] == "system":
        return "system"
    return f"turn-{message + (0 if messages[0]['role'] == 'system' else 1)}"


def _view(remark: Remark, messages: Sequence[Mapping[str, Any]]) -> RemarkView:
    text = str(messages[remark.message]["content"])
    rule = BY_NAME[remark.rule]
    whole = remark.start == remark.end
    place = "as a whole" if whole else f"line {line_of(text, remark.start)}"
    return RemarkView(
        rule=remark.rule,
        title=rule.title,
        why=rule.why,
        words=remark.words,
        suspects=rule.suspects,
        field=_field(messages, remark.message),
        where=f"{turn_title(messages, remark.message)}, {place}",
        passage=_short(text[remark.start : remark.end]),
        start=_units(text, remark.start),
        end=_units(text, remark.end),
        fix=remark.fix and Fix(_units(text, remark.fix.start), _units(text, remark.fix.end), remark.fix.replacement),
        fix_label=_label(remark.fix) if remark.fix else "",
        key=remark.key(text),
        left=False,
    )


def _short(passage: str) -> str:
    line = " ".join(passage.split())
    return shown_title(line if len(line) <= _PASSAGE else f"{line[: _PASSAGE - 1]}…") if line else ""


def _label(fix: Fix) -> str:
    """What the button says: what it does to the text."""
    if not fix.replacement:
        return "Take it out"
    if fix.start == fix.end:
        return "Close it" if fix.replacement.strip() else "Add a blank"
    line = " ".join(fix.replacement.split())
    return f"Put {line}" if line and len(line) <= 14 else "Mend it"


def _units(text: str, place: int) -> int:
    """A place in UTF-16 units, in which scripts count: a character beyond U+FFFF is two."""
    return place + sum(character > "\uffff" for character in text[:place])
