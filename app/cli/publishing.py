"""`handpicked publish` and `hub-token`: a version on the Hugging Face Hub."""

import sys
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.accounts.models import Role, User
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, fail, project_for
from app.cli.datasets import VersionArgument
from app.datasets.formats import Format
from app.datasets.models import Version
from app.datasets.operations import parse_version
from app.datasets.publication import operations as publishing
from app.datasets.publication.models import Publication, PublicationState, Visibility, Way
from app.datasets.publication.operations import Wanted, publication_document
from app.datasets.publication.preview import Preview, preview
from app.errors import NotFound
from app.web.words import filesize

RepositoryArgument = Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repository; made if not there.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("publish")(publish)
    app.command("hub-token")(hub_token)


def publish(  # noqa: PLR0913 - a command has that many options
    version: VersionArgument,
    repository: RepositoryArgument,
    public: Annotated[bool, typer.Option("--public/--private", help="Who can read the repository.")] = False,
    pull_request: Annotated[bool, typer.Option("--pull-request", help="Propose it instead of committing it.")] = False,
    form: Annotated[Format, typer.Option("--format", help="What the data files hold.")] = publishing.DEFAULT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Compare what was published there with the version.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Publish although there are cautions that ask.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish a version on the Hugging Face Hub, by HF_TOKEN or the project's own token; see `hub-token`."""
    if dry_run and check:
        raise typer.BadParameter("--dry-run and --check are two things; ask for one of them")
    house = House(as_email)
    wanted = Wanted(
        publishing.repository_named(repository),
        Visibility.PUBLIC if public else Visibility.PRIVATE,
        Way.PULL_REQUEST if pull_request else Way.COMMIT,
        form,
    )
    if check:
        _check(house, version, wanted.repository, as_json)
        return
    with house.writing() as (session, actor):
        _allowed(session, actor, version)
    with house.reading() as session:
        seen = preview(session, house.settings, parse_version(session, version), wanted)
    if dry_run:
        emit(seen.document() | {"sent": False}, as_json, _seen(version, seen))
        return
    with house.writing() as (session, actor):
        publication = publishing.start_publication(
            session, actor, _allowed(session, actor, version), wanted, shown=seen.shown, confirmed=yes
        )
        house.take(session, publication.job_id)
    assert publication.job_id is not None
    house.run_or_fail(publication.job_id)
    document = _document(house, version, publication.id)
    emit(document, as_json, _published(document))


def _allowed(session: Session, actor: User, reference: str) -> Version:
    project_for(session, actor, reference.partition("@")[0], Role.ADMIN)
    return parse_version(session, reference)


def _document(house: House, reference: str, publication_id: int) -> dict[str, Any]:
    with house.reading() as session:
        return publication_document(session.get_one(Publication, publication_id), parse_version(session, reference))


def _check(house: House, reference: str, repository: str, as_json: bool) -> None:
    with house.writing() as (session, actor):
        version = _allowed(session, actor, reference)
        there = publishing.publications_of(version).where(
            Publication.repository == repository, Publication.state == PublicationState.PUBLISHED
        )
        publication = session.scalar(there.limit(1))
        if publication is None:
            raise NotFound(f"{reference} was not published to {repository} from here, so there is nothing to compare.")
        job = publishing.start_check(session, actor, version, publication)
        house.take(session, job.id)
    house.run_or_fail(job.id)
    document = _document(house, reference, publication.id)
    found = document["check"]
    emit(document, as_json, [found["found"]] if found["ok"] else [])
    if not found["ok"]:
        fail(found["found"])


def _seen(reference: str, seen: Preview) -> list[str]:
    way = "a pull request" if seen.wanted.way is Way.PULL_REQUEST else "a commit on main"
    files = [f"  {filesize(one.bytes):>10}  {one.sha256[:12]}  {one.path}" for one in seen.files]
    cautions = [f"  {'! ' if one.asks else '  '}{one.words}" for one in seen.cautions]
    return [
        f"{reference} would go to {seen.url}, {seen.wanted.visibility}, as {way}; nothing was sent.",
        *files,
        f"{filesize(seen.bytes)} in all. {seen.version_id}",
        *(["To know:", *cautions] if cautions else []),
    ]


def _published(document: dict[str, Any]) -> list[str]:
    found = document["check"]
    first = f"{document['reference']} is published: {document['url']}"
    if document["note"]:
        first = f"{document['reference']} is there already: {document['url']}\n{document['note']}"
    return [
        first,
        f"Commit {document['revision']}, {len(document['files'])} files. {document['version_id']}",
        found["found"] if found else "The Hub could not be asked yet whether all of it is there; see --check.",
    ]


def hub_token(
    slug: SlugArgument,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the token from standard input; kept sealed.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Forget the one that is there.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a token by which a project publishes on the Hub; without an option say whether there is one."""
    if stdin and remove:
        raise typer.BadParameter("--stdin and --remove are two things; ask for one of them")
    token = sys.stdin.readline().strip() if stdin else ""
    if stdin and not token:
        fail("Standard input holds no token; nothing was saved. `--remove` forgets the one that is there.")
    house = House(as_email)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN)
        if stdin or remove:
            publishing.set_token(session, house.settings, actor, project, token)
        kept = publishing.token_kept(session, project) is not None
    own = f"{slug} has a token of its own, sealed." if kept else f"{slug} has no token of its own."
    document = {"project": slug, "of_project": kept, "of_environment": bool(publishing.token_of_environment())}
    emit(
        document, as_json, [own, "HF_TOKEN is set here." if document["of_environment"] else "HF_TOKEN is not set here."]
    )
