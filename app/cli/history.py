"""`handpicked example history`: what became of an example, a line a revision."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Annotated, Any

import typer

from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.examples import queries
from app.examples.documents import revision_document
from app.examples.labels import Change, MessageDiff, diff_messages, plain_changes
from app.examples.models import Revision
from app.text.counting import count_words
from app.web.words import plural

# Of what is the same so many characters stand on each side of a change.
AROUND = 40
SIGNS = {"delete": ("[-", "-]"), "insert": ("{+", "+}")}


def register(examples: typer.Typer) -> None:
    """Add the command."""
    examples.command("history")(history)


def history(
    slug: SlugArgument,
    example_id: Annotated[int, typer.Argument(metavar="ID", help="The example's number; see `example list`.")],
    text: Annotated[bool, typer.Option("--text", help="With all the words of each revision.")] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="With what each changed, word by word: [-gone-] and {+new+}.")
    ] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the revisions of an example, the newest first: who, when and why."""
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        example = queries.example_in(session, project.id, example_id)
        revisions = session.scalars(queries.revisions_of(example)).all()
        changes = _changes(revisions)
        approved = example.approved_number
    rows = [_row(one, approved, changes[one.number], text=text, diff=diff) for one in revisions]
    lines = [line for one in revisions for line in _lines(one, approved, changes[one.number], text=text, diff=diff)]
    emit({"example": example_id, "revisions": rows}, as_json, lines)


def _changes(revisions: Sequence[Revision]) -> dict[int, list[MessageDiff]]:
    """What each revision changed in the one before it, by number; the first began with all its words."""
    steps = pairwise((*revisions, None))
    return {
        new.number: [one for one in diff_messages(old.messages if old else (), new.messages) if one.changed]
        for new, old in steps
        if new is not None
    }


def _row(
    revision: Revision, approved: int | None, changes: Sequence[MessageDiff], *, text: bool, diff: bool
) -> dict[str, Any]:
    added, gone = _sizes(changes)
    row = revision_document(revision) | {
        "approved": revision.number == approved, "words_added": added, "words_removed": gone,
    }  # fmt: skip
    messages = row.pop("messages")
    turns = [
        {"title": one.turn, "segments": [{"kind": part.kind, "text": part.text} for part in one.changes]}
        for one in changes
    ]
    return row | ({"messages": messages} if text else {}) | ({"turns": turns} if diff else {})


def _sizes(changes: Sequence[MessageDiff]) -> tuple[int, int]:
    """The words that were added, and those that are gone."""
    found: Counter[str] = Counter()
    for one in changes:
        for kind, text in _stretches(one.changes):
            found[kind] += count_words(text)
    return found["insert"], found["delete"]


def _lines(
    revision: Revision, approved: int | None, changes: Sequence[MessageDiff], *, text: bool, diff: bool
) -> Iterator[str]:
    added, gone = _sizes(changes)
    sizes = ", ".join(
        filter(None, [f"{plural(added, 'word')} more" if added else "", f"{gone:,} gone" if gone else ""])
    )
    who = _plainly(revision.author.name) if revision.author else "as it was brought in"
    sign = ", approved" if revision.number == approved else ""
    why = f": {_plainly(revision.note)}" if revision.note else ""
    yield f"{revision.number:>4}  {revision.created_at:%Y-%m-%d %H:%M}  {who} ({sizes or 'the same words'}){sign}{why}"
    for one in changes if diff else ():
        yield from _indented(f"{one.turn}: {_marked(one.changes)}")
    for message in revision.messages if text else ():
        yield from _indented(f"[{message['role']}]")
        yield from _indented(_plainly(str(message["content"])))
    if text or diff:
        yield ""


def _plainly(text: str) -> str:
    """A text in which nothing speaks to the terminal."""
    return "".join(part.text for part in plain_changes(text))


def _indented(text: str) -> Iterator[str]:
    return (f"      {line}".rstrip() for line in text.split("\n"))


def _stretches(changes: Sequence[Change]) -> list[tuple[str, str]]:
    """(kind, text) of a word diff, in which hidden characters stand by their marks."""
    return [(kind, "".join(part.text for part in parts)) for kind, parts in groupby(changes, attrgetter("kind"))]


def _marked(changes: Sequence[Change]) -> str:
    """A word diff on its lines, with so much of what is the same that one knows the place."""
    found = _stretches(changes)
    last = len(found) - 1
    return "".join(
        _near(text, opens=place == 0, closes=place == last) if kind == "equal" else text.join(SIGNS[kind])
        for place, (kind, text) in enumerate(found)
    )


def _near(text: str, *, opens: bool, closes: bool) -> str:
    if len(text) <= 2 * AROUND + 10:
        return text
    before = "" if opens else text[:AROUND].rpartition(" ")[0]
    after = "" if closes else text[-AROUND:].partition(" ")[2]
    return f"{before} … {after}"
