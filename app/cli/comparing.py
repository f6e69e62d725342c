"""`handpicked diff`: what changed between two versions, in words, as JSON or as release notes."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.cli.context import AsOption, House, JsonOption, placing, project_for
from app.datasets.comparison.comparing import TITLES, Comparison, Kind
from app.datasets.comparison.comparisons import Side, called, compared, side_named
from app.datasets.comparison.documents import (
    Pair,
    comparison_document,
    in_words,
    item_document,
    joined,
    kept_out_words,
    pairs_of,
    readable,
)
from app.datasets.comparison.release_notes import release_notes
from app.datasets.queries import REFERENCE
from app.errors import NotFound, Refusal
from app.projects.models import Project

OldArgument = Annotated[str, typer.Argument(metavar="PROJECT@OLD", help="A frozen version, such as demo@v1.")]
NewArgument = Annotated[
    str, typer.Argument(metavar="PROJECT@NEW", help="Another; PROJECT@draft is what would be frozen now.")
]
MarkdownOption = Annotated[bool, typer.Option("--markdown", help="Print release notes in Markdown.")]
OutOption = Annotated[Path | None, typer.Option(help="Write to this new file instead.")]
# Changes that are printed for people; --json and --markdown have more.
SHOWN = 40


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("diff")(diff)


def diff(
    old: OldArgument,
    new: NewArgument,
    markdown: MarkdownOption = False,
    out: OutOption = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions by meaning: added, removed, reworded, moved between splits, under another licence."""
    if markdown and as_json:
        raise typer.BadParameter("choose one of --json and --markdown")
    if out is not None:
        _require_room(out)
    house = House(as_email)
    actor = house.acting()  # in a transaction of its own: to compare takes longer than a writer may
    with house.reading() as session:
        before, _ = _side(session, actor, old)
        after, project = _side(session, actor, new)
        if markdown:
            text = release_notes(session, project.name, before, after)
        else:
            document, lines = _told(session, before, after, as_json=as_json)
            text = json.dumps(document, ensure_ascii=False) + "\n" if as_json else "\n".join(lines) + "\n"
    if out is None:
        typer.echo(text, nl=False)
        return
    with placing(out):
        _write(out, text)


def _require_room(out: Path) -> None:
    """Refuse, before what takes long, a file that is there already or has no folder to be in."""
    with placing(out):
        if out.is_symlink() or out.exists():
            raise Refusal(f"{out} is there already; nothing was written. Name another file.")
        out.absolute().parent.stat()


def _write(out: Path, text: str) -> None:
    file = out.open("x", encoding="utf-8")
    try:
        with file:
            file.write(text)
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def _side(session: Session, actor: User, reference: str) -> tuple[Side, Project]:
    parts = REFERENCE.fullmatch(reference)
    if parts is None:
        raise NotFound(f"There is no version {reference[:140]}; a version is named like project@v1.")
    project = project_for(session, actor, parts[1])
    return side_named(session, project, parts[2]), project


def _told(session: Session, old: Side, new: Side, *, as_json: bool) -> tuple[dict[str, Any], list[str]]:
    found, allowed = compared(old, new), readable(session)
    may_read = [change for change in found.changes if allowed(change)]
    kept_out = len(found.changes) - len(may_read)
    if not as_json:
        pairs = pairs_of(old, new, may_read[:SHOWN])
        between = "" if old.project_id == new.project_id else "From {} to {}:".format(*called(old, new))
        return {}, [*([between] if between else []), *_lines(found, pairs, len(may_read), kept_out)]
    items = [item_document(pair) for pair in pairs_of(old, new, may_read)]
    return comparison_document(old, new, found) | {"kept_out": kept_out, "items": items}, []


def _lines(found: Comparison, pairs: list[Pair], total: int, kept_out: int) -> list[str]:
    lines = [in_words(found), f"{found.counts[Kind.UNCHANGED]:,} are the same, letter for letter."]
    for pair in pairs:
        kinds = joined([TITLES[kind].lower() for kind in pair.change.kinds])
        lines.append(f"  example {pair.change.row.example_id:<6} {kinds:<22} {pair.title[:80]}")
    if total > len(pairs):
        lines.append(f"  … and {total - len(pairs):,} more; --json and --markdown have them.")
    return [*lines, kept_out_words(kept_out)] if kept_out else lines
