"""`handpicked splits`: draw dev and test by a seeded rule that keeps together what says nearly the same."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from app.accounts.models import Role
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.datasets.splits import operations as splits
from app.datasets.splits.forms import MOST, SplitForm

SHOWN = 5


class By(StrEnum):
    """How a draw is divided."""

    SOURCE = "source"
    CHANCE = "chance"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("splits")(draw_splits)


def draw_splits(  # noqa: PLR0913 - a draw has that many sides
    slug: SlugArgument,
    dev: Annotated[
        int | None, typer.Option(min=0, max=MOST, metavar="N", help="How many dev is to have in all.")
    ] = None,
    test: Annotated[int | None, typer.Option(min=0, max=MOST, metavar="N", help="How many test is to have.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=MOST, help="The same seed draws the same of the same examples.")] = 1,
    by: Annotated[By, typer.Option(help="source: each source gives its share.")] = By.SOURCE,
    redraw: Annotated[bool, typer.Option("--redraw", help="Also what stands in dev and test already.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Move them; without it only what would move is told.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take the newest draw back.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw dev and test from the approved examples; near-duplicates and translations stay together."""
    if undo and apply:
        raise typer.BadParameter("say --apply or --undo, not both")
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        if undo:
            plan, back = splits.undo(session, actor, project)
            document: dict[str, Any] = {"plan": plan.id, "moved_back": back, "stayed": len(plan.moves) - back}
            lines = [f"Moved back: {back:,}; {document['stayed']:,} stayed where somebody put them."]
        else:
            form = SplitForm(dev=dev, test=test, seed=seed, by=by.value, redraw=redraw)
            asked = form.asked(splits.usual(session, project))
            made, drawn = splits.apply(session, actor, project, asked) if apply else (None, None)
            document = splits.document(drawn or splits.look(session, project, asked))
            document |= {"plan": made.id if made else None}
            lines = list(_lines(document))
    emit(document, as_json, lines)


def _lines(found: dict[str, Any]) -> Iterator[str]:
    moved = len(found["moves"])
    yield (
        f"Moved: {moved:,}." if found["plan"] else f"Would move: {moved:,}. Nothing has moved yet; --apply moves them."
    )
    for split, before in found["before"].items():
        yield f"  {split:<6} {before:>8,} -> {found['after'][split]:,}"
    for name, words in (
        ("together", "kept together"), ("torn", "in two splits, and left there"), ("too_big", "bigger than any split"),
    ):  # fmt: skip
        groups = found[name]
        shown = "; ".join(", ".join(map(str, group[:SHOWN])) for group in groups[:SHOWN])
        more = f" and {len(groups) - SHOWN:,} more" if len(groups) > SHOWN else ""
        if groups:
            yield f"  {words}: {shown}{more}"
