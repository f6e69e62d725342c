"""`handpicked duplicates merge`: two texts become one."""

from collections.abc import Mapping
from typing import Annotated, Literal

import typer
from sqlalchemy.orm import Session

from app.cli.clusters import document_of
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.cli.messages import MessagesOption, messages_in
from app.duplicates import queries
from app.duplicates.documents import texts_document
from app.duplicates.gathering import cluster_with, clusters_of
from app.duplicates.merging import Merging
from app.duplicates.merging import merge as merge_pair
from app.duplicates.models import DuplicatePair, Verdict
from app.duplicates.parts import composed, parts_between
from app.examples.merging import Turns
from app.examples.messages import Message
from app.web.found import found

Side = Literal["left", "right"]
KEEPS: Mapping[Side, Verdict] = {"left": Verdict.KEEP_LEFT, "right": Verdict.KEEP_RIGHT}


def merge(  # noqa: PLR0913 - a command has that many options
    slug: SlugArgument,
    pair_id: Annotated[int, typer.Argument(metavar="PAIR", help="The pair's number; see `duplicates list`.")],
    keep: Annotated[Side, typer.Option(help="Which one stays; the other is rejected.")],
    prompt: Annotated[Side | None, typer.Option(help="Whose prompts; by itself those of the one that stays.")] = None,
    response: Annotated[Side | None, typer.Option(help="Whose responses, likewise.")] = None,
    system: Annotated[Side | None, typer.Option(help="Whose system message, likewise.")] = None,
    messages: MessagesOption = None,
    cluster: Annotated[bool, typer.Option("--cluster", help="Reject the other texts of its cluster as well.")] = False,
    reason: Annotated[str, typer.Option(help="Kept with the decision and in the note of the revision.")] = "",
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge a pair: one stays, with the words that are chosen as its new revision; `duplicates undo` takes all back."""
    sides = {"system": system, "prompt": prompt, "response": response}
    if messages is not None and any(sides.values()):
        raise typer.BadParameter("--messages holds all words; leave --prompt, --response and --system out")
    written = messages_in(messages) if messages is not None else None
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug)
        pair = found(session, queries.pair_in(project.id, pair_id))
        words = written or _chosen(session, pair, {name: side or keep for name, side in sides.items()})
        whole = cluster_with(clusters_of(session, project.id), pair) if cluster else None
        wanted = Merging(keep=KEEPS[keep], messages=words, reason=reason, cluster=whole)
        leader = merge_pair(session, actor, project, pair, wanted)
        document = document_of(session, project.id, leader.id)
        merged = pair.effect["merged"]
    at = f"example {merged['example']}, revision {merged['after']['revision']}"
    emit(document, as_json, [f"Merged into {at}. Undo by pair {document['id']}."])


def _chosen(session: Session, pair: DuplicatePair, sides: Mapping[str, Side]) -> list[Message]:
    """The words of both as they stand now, each kind of turn from its side."""
    told = texts_document(session, pair.project_id, pair)
    left, right = (one["messages"] if one else [] for one in (told["left"], told["right"]))
    parts = parts_between(left, right)
    kinds = {part.number: ("response", "prompt")[part.number % 2] if part.number else "system" for part in parts}
    return [*composed(parts, {number: sides[kind] for number, kind in kinds.items()}, Turns("", ()))]
