"""Publishing a frozen version on the Hugging Face Hub: what people decide, and what they are told of it."""

import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import Role, User
from app.config import Settings
from app.datasets.canonical import version_id
from app.datasets.formats import Format
from app.datasets.models import Version
from app.datasets.publication.cautions import Caution, cautions
from app.datasets.publication.checking import SHORT
from app.datasets.publication.client import endpoint_here, require_online
from app.datasets.publication.models import HubToken, Publication, PublicationState, Visibility, Way
from app.endpoints.sealing import seal, unseal
from app.errors import Conflict, Denied, Refusal
from app.jobs.models import Job, JobState, Lane
from app.jobs.operations import enqueue
from app.jobs.queries import LIVE
from app.projects.models import Project
from app.projects.queries import role_in

PUBLISH, CHECK = "publish_version", "check_publication"
DEFAULT = Format.HF
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_REPOSITORY = re.compile(rf"(?:https?://[^/]+/)?(?:hf://)?(?:datasets/)?({_PART}/{_PART})/?", re.ASCII)


class NoRepository(Refusal):
    """{typed} names no repository of the Hub; write it as owner/name. Nothing was sent."""


class NeedsConfirming(Conflict):
    """Nothing was sent yet. Confirm first that you know, on the command line by --yes: {cautions}"""  # noqa: D400 - the last field ends it


class OnItsWay(Conflict):
    """{version} is on its way to {repository} already; nothing was sent twice. Wait for it, or stop its job."""


class NoToken(Conflict):
    """There is no token by which to write to {endpoint}, so nothing was sent.

    Give this project one on the page Publish or by `handpicked hub-token`, or set HF_TOKEN for the server and its
    workers.
    """


class NotPublishedYet(Conflict):
    """This publication is not on the Hub, so there is nothing to compare. Publish it first."""


@dataclass(frozen=True)
class Wanted:
    """Where a version is to go, and how."""

    repository: str
    visibility: Visibility = Visibility.PRIVATE
    way: Way = Way.COMMIT
    format: Format = DEFAULT


@dataclass(frozen=True)
class Token:
    """What lets in, and whose it is, as part of a sentence; it is never shown."""

    value: str = field(repr=False)
    source: str


def repository_named(typed: str) -> str:
    """Read owner/name, also out of an address of the Hub. Raises NoRepository (422)."""
    found = _REPOSITORY.fullmatch(typed.strip())
    if found is None or ".." in typed or "--" in found[1] or found[1].endswith(".git"):
        raise NoRepository(typed=repr(typed.strip()[:80]))
    return found[1]


def publications_of(version: Version) -> Select[Publication]:
    """A version's publications, the newest first."""
    return select(Publication).where(Publication.version_id == version.id).order_by(Publication.id.desc())


def publication_of(version: Version, publication_id: int) -> Select[Publication]:
    """One of them."""
    return publications_of(version).where(Publication.id == publication_id)


def known_cautions(version: Version, project: Project, visibility: Visibility) -> tuple[Caution, ...]:
    """What to know before this version goes there."""
    return cautions(version.manifest, visibility, tests_hidden=project.tests_hidden)


def start_publication(
    session: Session,
    actor: User,
    version: Version,
    wanted: Wanted,
    *,
    shown: str | None = None,
    confirmed: bool = False,
) -> Publication:
    """Note what is to be sent where and enqueue the sending; `shown` is the hash of the files that somebody saw.

    Raises Denied, Offline, NoRepository, NeedsConfirming, NoToken, OnItsWay; then nothing is sent.
    """
    project = session.get_one(Project, version.project_id)
    _require_admin(session, actor, project)
    require_online()
    repository, endpoint = repository_named(wanted.repository), endpoint_here()
    asking = [one.words for one in known_cautions(version, project, wanted.visibility) if one.asks]
    if asking and not confirmed:
        raise NeedsConfirming(cautions=" ".join(asking))
    _require_token(session, project)
    # One at a time: of two clicks the second waits here, and finds the first.
    session.execute(select(Project.id).where(Project.id == project.id).with_for_update(key_share=True))
    same = publications_of(version).where(Publication.endpoint == endpoint, Publication.repository == repository)
    if session.scalar(same.where(Publication.state == PublicationState.WAITING).limit(1)) is not None:
        raise OnItsWay(version=version.name, repository=repository)
    publication = Publication(
        version_id=version.id, endpoint=endpoint, repository=repository, visibility=wanted.visibility, way=wanted.way,
        format=wanted.format.value, mark=secrets.token_hex(12), shown=shown, created_by=actor.id,
    )  # fmt: skip
    session.add(publication)
    session.flush()
    job = enqueue(
        session, actor, PUBLISH, title=f"Publish {version.name} to {repository}", project_id=project.id,
        lane=Lane.ASKING, publication_id=publication.id,
    )  # fmt: skip
    publication.job_id = job.id
    record(
        session, actor, "publish version", f"version:{version.name}", project_id=project.id,
        id=version_id(version.sha256), repository=repository, at=endpoint, visibility=wanted.visibility.value,
        way=wanted.way.value, format=wanted.format.value, confirmed=asking,
    )  # fmt: skip
    return publication


def _require_admin(session: Session, actor: User, project: Project) -> None:
    if role_in(session, project, actor) is not Role.ADMIN:
        raise Denied


def start_check(session: Session, actor: User, version: Version, publication: Publication) -> Job:
    """Have the Hub's files compared with what was sent; of two clicks one begins it. Raises NotPublishedYet."""
    if publication.state is not PublicationState.PUBLISHED:
        raise NotPublishedYet
    session.refresh(publication, with_for_update=True)
    running = session.get(Job, publication.check_job_id) if publication.check_job_id else None
    if running is not None and running.state in LIVE:
        return running
    job = enqueue(
        session, actor, CHECK, title=f"Compare {publication.repository} with {version.name}", lane=Lane.ASKING,
        project_id=version.project_id, publication_id=publication.id,
    )  # fmt: skip
    publication.check_job_id = job.id
    session.flush()
    return job


def note_failure(session: Session, args: dict[str, Any], error: str, state: JobState) -> None:
    """It was not published, and why."""
    publication = session.get(Publication, args["publication_id"])
    if publication is None or publication.state is not PublicationState.WAITING:
        return
    cancelled = state is JobState.CANCELLED
    publication.state = PublicationState.CANCELLED if cancelled else PublicationState.FAILED
    publication.error = error


def set_token(session: Session, settings: Settings, actor: User, project: Project, token: str) -> None:
    """Keep a token for the project in place of the one that is there, sealed; an empty one takes it away."""
    _require_admin(session, actor, project)
    typed = token.strip()
    if any(ord(sign) < 33 or ord(sign) > 126 for sign in typed):
        raise Refusal("A token has no blanks and plain characters only; nothing was saved.")
    kept = session.get(HubToken, project.id)
    if kept is not None:
        session.delete(kept)
        session.flush()
    if typed:
        endpoint = endpoint_here()
        sealed = seal(settings, typed, _bound_to(project, endpoint))
        session.add(HubToken(project_id=project.id, sealed=sealed, endpoint=endpoint, added_by=actor.id))
    verb = "set" if typed else "remove"
    record(session, actor, f"{verb} token of the Hub", f"project:{project.id}", project_id=project.id)


def _bound_to(project: Project, endpoint: str) -> str:
    return f"{endpoint} project:{project.id}"


def token_kept(session: Session, project: Project) -> HubToken | None:
    """The project's own token for the Hub that this process speaks to, sealed."""
    kept = session.get(HubToken, project.id)
    return kept if kept is not None and kept.endpoint == endpoint_here() else None


def token_of_environment() -> str:
    """What HF_TOKEN has, or nothing."""
    return os.environ.get("HF_TOKEN", "").strip()


def _require_token(session: Session, project: Project) -> None:
    if token_kept(session, project) is None and not token_of_environment():
        raise NoToken(endpoint=endpoint_here())


def token_for(session: Session, settings: Settings, project: Project) -> Token:
    """The project's own token, else that of the environment: for the worker that sends. Raises NoToken, CannotOpen."""
    kept = token_kept(session, project)
    if kept is not None:
        return Token(unseal(settings, kept.sealed, _bound_to(project, kept.endpoint)), "the token of this project")
    if found := token_of_environment():
        return Token(found, "the token in HF_TOKEN")
    raise NoToken(endpoint=endpoint_here())


def publication_document(publication: Publication, version: Version) -> dict[str, Any]:
    """A publication as the command line, the API and the page of a version tell it."""
    return {
        "id": publication.id,
        "reference": f"{version.manifest['project']['slug']}@{version.name}",
        "version_id": version_id(version.sha256),
        "hub": publication.endpoint,
        "repository": publication.repository,
        "visibility": publication.visibility.value,
        "way": publication.way.value,
        "format": publication.format,
        "state": publication.state.value,
        "job": publication.job_id,
        "revision": publication.revision,
        "pull_request": publication.pull_request,
        "note": note_of(publication),
        "url": publication.url,
        "error": publication.error,
        "files": _files(publication.files or ()),
        "created_at": publication.created_at.isoformat(),
        "published_at": publication.published_at.isoformat() if publication.published_at else None,
        "check": _check(publication),
    }


def note_of(publication: Publication) -> str | None:
    """That nothing was proposed, where main held it already."""
    if not publication.was_on_main:
        return None
    at = str(publication.revision)[:SHORT]
    return f"Main holds it already, at {at}: nothing was sent, and no pull request was opened."


def _files(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: row[key] for key in ("path", "sha256", "bytes")} for row in rows]


def _check(publication: Publication) -> dict[str, Any] | None:
    if publication.checked_at is None:
        return None
    return {
        "ok": bool(publication.holds),
        "found": publication.found,
        "problems": publication.problems or [],
        "at": publication.checked_at.isoformat(),
    }
