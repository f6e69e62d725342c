"""`handpicked freeze`, `export` and `verify`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.accounts.models import Role
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, fail, placing, project_for
from app.datasets import operations, verify
from app.datasets.archive import packing_of
from app.datasets.export_trail import note_export, noting_failure
from app.datasets.formats import Format
from app.web.words import filesize

VersionArgument = Annotated[str, typer.Argument(metavar="PROJECT@VERSION", help="A frozen version, such as demo@v1.")]
OverrideOption = Annotated[
    list[str] | None, typer.Option("--override", metavar="GATE", help="Go past this gate; again for each further one.")
]
LicenceOption = Annotated[
    list[str] | None, typer.Option("--licence", metavar="L", help="Only examples under this licence; again for more.")
]
ReasonOption = Annotated[
    list[str] | None, typer.Option("--reason", metavar="WORDS", help="Why: one for all gates, or one a gate in order.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("freeze")(freeze_version)
    app.command("export")(export_version)
    app.command("verify")(verify_folder)


def freeze_version(
    slug: SlugArgument,
    name: Annotated[str, typer.Option(help="The version's name, such as v1.")],
    licence: LicenceOption = None,
    override: OverrideOption = None,
    reason: ReasonOption = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Freeze the approved examples under a name, once and for all."""
    overrides = _overrides(override or [], reason or [])
    house = House(as_email)
    with house.reading() as session:
        operations.read_ahead(session, slug)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        version = operations.freeze_version(
            session, actor, project, name=name, overrides=overrides, licences=licence or ()
        )
    document = operations.freeze_document(version)
    emit(document, as_json, _frozen_lines(document))


def _overrides(gates: list[str], reasons: list[str]) -> dict[str, str]:
    if len(reasons) == 1:
        reasons = reasons * len(gates)
    if len(reasons) != len(gates) or len(set(gates)) != len(gates):
        raise typer.BadParameter("each --override names another gate and needs its --reason")
    return dict(zip(gates, reasons, strict=True))


def _frozen_lines(document: dict[str, Any]) -> list[str]:
    examples = ", ".join(f"{count:,} {split}" for split, count in document["examples"].items())
    gates = [f"  {gate['gate']:<12} {gate['state']:<10} {gate['detail']}" for gate in document["gates"]]
    return [f"Frozen: {document['reference']} with {examples}.", document["id"], *gates]


def export_version(
    version: VersionArgument,
    out: Annotated[Path, typer.Option(help="A new or empty folder, or a new file that ends in .zip or .tar.")],
    form: Annotated[Format, typer.Option("--format", help="What the data files hold.")] = Format.LIMA,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a version with manifest, dataset card and attribution; two exports have the same bytes."""
    packing_of(out)
    house = House(as_email)
    with house.writing() as (session, actor):
        project_for(session, actor, version.partition("@")[0], Role.ADMIN)
        found = operations.parse_version(session, version)
        note_export(session, actor, found, form)
    with noting_failure(house.database, actor, found, form), placing(out), house.reading() as session:
        document = operations.export_version(session, operations.parse_version(session, version), form, out)
    sizes = [f"  {filesize(file['bytes']):>10}  {file['path']}" for file in document["files"]]
    emit(document, as_json, [f"{version} as {form.value} is in {out}:", *sizes, document["id"]])


def verify_folder(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of an export.")],
    expected_id: Annotated[
        str | None, typer.Option("--id", metavar="sha256:…", help="The id that the copy must have.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute every hash of an exported copy, and hold it against its examples; needs no database."""
    document = verify.verify_folder(folder, expected_id)
    words = ["Every file is as it was exported.", document["id"], document["not_proven"]]
    emit(document, as_json, words if document["ok"] else [])
    if not document["ok"]:
        found = (f"{problem['path']}: {problem['problem'].rstrip('.')}" for problem in document["problems"])
        fail(f"{'; '.join(found)}.")
