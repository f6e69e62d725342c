"""What changes the registered model servers; only admins of the installation do."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import Role, User
from app.config import Settings
from app.db import now
from app.endpoints import queries
from app.endpoints.addresses import checked_url, host_of
from app.endpoints.client import Reply, Server
from app.endpoints.models import Endpoint
from app.endpoints.sealing import seal, unseal
from app.errors import Conflict, Denied, Refusal
from app.jobs.models import Job, JobState, Lane
from app.jobs.operations import enqueue


@dataclass(frozen=True)
class Wanted:
    """A model server that somebody registers; `inside` if it stands in the installation's own network."""

    name: str
    base_url: str
    model: str
    key: str = field(default="", repr=False)
    inside: bool = False
    timeout_seconds: int = 60


def add_endpoint(session: Session, settings: Settings, actor: User, wanted: Wanted) -> Endpoint:
    """Register a model server. Raises Denied, Conflict, BadAddress; the key is kept sealed and never given back."""
    _require_admin(actor)
    name = wanted.name
    if queries.endpoint_by_name(session, name):
        raise Conflict(f"There is a model server {name} already; nothing was changed. Remove it, or take another name.")
    url = checked_url(wanted.base_url, inside=wanted.inside)
    endpoint = Endpoint(
        name=name,
        base_url=url,
        model=wanted.model,
        sealed_key=_sealed(settings, wanted.key, url),
        inside=wanted.inside,
        timeout_seconds=wanted.timeout_seconds,
        added_by=actor.id,
    )
    session.add(endpoint)
    session.flush()
    record(
        session, actor, "add model server", f"endpoint:{endpoint.id}", name=name, url=url, model=wanted.model,
        inside=wanted.inside, with_key=endpoint.sealed_key is not None,
    )  # fmt: skip
    return endpoint


def _require_admin(actor: User) -> None:
    if actor.role is not Role.ADMIN:
        raise Denied("Only an admin of the installation may do this; nothing was changed.")


def _sealed(settings: Settings, key: str, url: str) -> str | None:
    if any(ord(sign) < 33 or ord(sign) > 126 for sign in key.strip()):
        raise Refusal("An API key has no blanks and plain characters only; nothing was saved.")
    return seal(settings, key.strip(), url) if key.strip() else None


def set_key(session: Session, settings: Settings, actor: User, endpoint: Endpoint, key: str) -> None:
    """Put another API key in place of the one that is there; an empty one takes it away."""
    _require_admin(actor)
    endpoint.sealed_key = _sealed(settings, key, endpoint.base_url)
    endpoint.tested_at, endpoint.job_id = None, None
    record(session, actor, "set key of model server", f"endpoint:{endpoint.id}", name=endpoint.name)


def edit_endpoint(
    session: Session, actor: User, endpoint: Endpoint, *, model: str | None = None, timeout_seconds: int | None = None
) -> bool:
    """Ask another model there, or wait another time; whether anything changed. Address and key stay as they are."""
    _require_admin(actor)
    standing = {"model": endpoint.model, "timeout_seconds": endpoint.timeout_seconds}
    wanted = {"model": model, "timeout_seconds": timeout_seconds}
    changed: dict[str, Any] = {name: value for name, value in wanted.items() if value not in {None, standing[name]}}
    if not changed:
        return False
    for name, value in changed.items():
        setattr(endpoint, name, value)
    # What the last test said was of what stood there before.
    endpoint.tested_at, endpoint.job_id = None, None
    before = {name: standing[name] for name in changed}
    record(
        session, actor, "change model server", f"endpoint:{endpoint.id}", name=endpoint.name, **changed, before=before
    )
    return True


def test_endpoint(session: Session, actor: User, endpoint: Endpoint) -> Job:
    """Ask it one word, by a job; what came of it stands with the server afterwards."""
    _require_admin(actor)
    job = enqueue(
        session, actor, "test_endpoint", title=f"Test the model server {endpoint.name}", lane=Lane.ASKING,
        endpoint_id=endpoint.id,
    )  # fmt: skip
    endpoint.job_id, endpoint.tested_at, endpoint.test_error, endpoint.test_seconds = job.id, None, None, None
    return job


def note_test(session: Session, endpoint_id: int, reply: Reply) -> None:
    """It answered."""
    endpoint = session.get(Endpoint, endpoint_id)
    if endpoint is not None:
        endpoint.tested_at, endpoint.test_seconds, endpoint.test_error = now(), reply.seconds, None


def fail_test(session: Session, args: dict[str, Any], error: str, _state: JobState) -> None:
    """It did not, and why."""
    endpoint = session.get(Endpoint, args["endpoint_id"])
    if endpoint is not None:
        endpoint.tested_at, endpoint.test_seconds, endpoint.test_error = now(), None, error


def remove_endpoint(session: Session, actor: User, endpoint: Endpoint) -> None:
    """Forget it and its key; what it suggested stays, and projects that were helped by it are helped no longer."""
    _require_admin(actor)
    record(session, actor, "remove model server", f"endpoint:{endpoint.id}", name=endpoint.name)
    session.delete(endpoint)
    session.flush()


def server_of(settings: Settings, endpoint: Endpoint) -> Server:
    """Whom to ask, with the key opened: for the worker that asks, and nowhere else."""
    key = unseal(settings, endpoint.sealed_key, endpoint.base_url) if endpoint.sealed_key else None
    seconds = float(endpoint.timeout_seconds)
    return Server(endpoint.name, endpoint.base_url, endpoint.model, endpoint.inside, seconds, key)


def endpoint_document(endpoint: Endpoint) -> dict[str, Any]:
    """A model server as the command line and the API show it; of a key only whether there is one."""
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "url": endpoint.base_url,
        "host": host_of(endpoint.base_url),
        "model": endpoint.model,
        "inside": endpoint.inside,
        "with_key": endpoint.sealed_key is not None,
        "timeout_seconds": endpoint.timeout_seconds,
        "state": endpoint.state,
        "seconds": endpoint.test_seconds,
        "error": endpoint.test_error,
        "tested_at": endpoint.tested_at.isoformat() if endpoint.tested_at else None,
    }
