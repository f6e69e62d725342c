"""`handpicked sample`: stratified picks from the pool into examples."""

from typing import Annotated, Any

import typer

from app.accounts.models import Role
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.selection.sampling import queries, taking
from app.selection.sampling.plans import plan_named
from app.web.words import plural


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sample")(sample)


def sample(
    slug: SlugArgument,
    plan: Annotated[str, typer.Option(metavar="lima|FILE", help="A plan of the house, or a TOML or JSON file.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="The same seed takes the same rows.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be taken; nothing moves.")] = False,
    undo: Annotated[int | None, typer.Option(metavar="N", help="Put back what sampling N took.")] = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take candidates into the set as drafts, by a plan and up to the target; undo puts back the untouched ones."""
    if bool(plan) == (undo is not None):
        raise typer.BadParameter("say --plan, or --undo with the number of a sampling")
    if undo is not None:
        _undo(slug, undo, as_email, as_json)
        return
    wanted = plan_named(plan)
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        if dry_run:
            made, drawn = None, taking.look(session, project, wanted, seed)
        else:
            made, drawn = taking.take(session, actor, project, wanted, seed)
        document = taking.document(wanted, seed, drawn, made)
    emit(document, as_json, _lines(document, dry_run))


def _lines(document: dict[str, Any], dry_run: bool) -> list[str]:
    parts = [
        f"  {part['source']:<24} {part['split']:<6} {part['taken']:>6} of {part['missing'] or 0:>6} missing"
        f"  {part['why']}".rstrip()
        for part in document["parts"]
    ]
    verb = "Would take" if dry_run else "Took"
    last = f"Sampling {document['sampling']}; --undo {document['sampling']} puts it back."
    head = f"{verb} {plural(document['taken'], 'candidate')} by plan {document['plan']}, seed {document['seed']}:"
    return [head, *parts, *([last] if document["sampling"] else [])]


def _undo(slug: str, number: int, as_email: str | None, as_json: bool) -> None:
    with House(as_email).writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        sampling = queries.sampling_in(session, project.id, number)
        back = taking.put_back(session, actor, project, sampling)
    words = f"Put back: {plural(back.put_back, 'draft')}; {back.stayed} stayed, for somebody has worked on them."
    emit({"sampling": number, "put_back": back.put_back, "stayed": back.stayed}, as_json, [words])
