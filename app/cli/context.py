"""What every command shares: a migrated database, the acting person, one document or plain words as output."""

import json
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.accounts import operations as accounts
from app.accounts import queries as people
from app.accounts.models import Role, User
from app.config import Settings
from app.db import Database
from app.errors import Denied, NotFound, Refusal
from app.jobs.models import Job, JobState
from app.jobs.running import Held, run_held, take, wait_for
from app.projects import queries as projects
from app.projects.limits import keep_from_tests
from app.projects.models import Project

AsOption = Annotated[
    str | None, typer.Option("--as", metavar="EMAIL", help="Act as this person.", show_default="the local operator")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on standard output.")]
SlugArgument = Annotated[str, typer.Argument(metavar="PROJECT", help="The project's short name.")]


class House:
    """The database and who is acting on it."""

    def __init__(self, as_email: str | None = None, settings: Settings | None = None) -> None:
        """Open the database and bring its schema up to date."""
        self.settings = settings or Settings()
        self.database = Database(self.settings)
        self.database.migrate()
        self._as_email = as_email
        self._held: dict[int, Held | None] = {}

    def actor(self, session: Session) -> User:
        """The person named by --as, else the local operator."""
        if self._as_email is None:
            return accounts.local_operator(session)
        user = people.user_by_email(session, self._as_email)
        if user is None or not user.active:
            raise NotFound(f"There is nobody with the address {self._as_email}; see `handpicked user create`.")
        return user

    @contextmanager
    def writing(self) -> Iterator[tuple[Session, User]]:
        """One write transaction and the acting person."""
        # Before it begins: rooms that look at what is saved, and that do jobs, are a second of loading.
        from app import handlers  # noqa: F401

        with self.database.writing() as session:
            yield session, self.actor(session)

    def acting(self) -> User:
        """The acting person alone, for what only reads afterwards: the local operator is made at first use."""
        with self.database.writing() as session:
            return self.actor(session)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One read transaction."""
        with self.database.reading() as session:
            yield session

    def take(self, session: Session, job_id: int | None) -> None:
        """Hold a job for `run`, in the transaction that enqueues it: no worker can be faster."""
        from app.worker import worker_name  # with every room that does jobs

        assert job_id is not None
        self._held[job_id] = take(session, self.database, self.settings, job_id, worker_name())

    def run(self, *job_ids: int) -> list[Job]:
        """Do jobs that were taken, here and now, and give them back, ended; Ctrl-C is a request to stop them."""
        held = [one for one in map(self._held.pop, job_ids) if one is not None]
        with _stopped_by_signals(held):
            run_held(held)
            for job_id in job_ids:
                wait_for(self.database, job_id)
        with self.reading() as session:
            return [session.get_one(Job, job_id) for job_id in job_ids]

    def run_or_fail(self, job_id: int) -> Job:
        """Like `run`, and end the command with the job's own reason if it did not succeed."""
        (job,) = self.run(job_id)
        if job.state is not JobState.SUCCEEDED:
            fail(job.error or f"The work ended as {job.state}.")
        return job


@contextmanager
def _stopped_by_signals(held: Sequence[Held]) -> Iterator[None]:
    """Within the block Ctrl-C and SIGTERM ask the jobs to stop; the second one ends the command at once."""

    def stop(number: int, _frame: object) -> None:
        for one in held:
            one.cancel_requested.set()
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def project_for(session: Session, actor: User, slug: str, role: Role = Role.ANNOTATOR) -> Project:
    """The project of that name, if the acting person has at least that role in it."""
    project = projects.project_by_slug(session, slug)
    held = projects.role_in(session, project, actor) if project else None
    if project is None or held is None:
        raise NotFound(f"There is no project {slug}; `handpicked project create {slug}` makes it.")
    if not held.covers(role):
        raise Denied
    keep_from_tests(session, project, actor, held)
    return project


def emit(document: Mapping[str, Any], as_json: bool, lines: Iterable[str]) -> None:
    """Print the one JSON document, or the same for people."""
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        for line in lines:
            sys.stdout.write(line + "\n")


@contextmanager
def placing(out: Path) -> Iterator[None]:
    """A block that writes `out`, whole or not at all; what the system refuses is one sentence."""
    try:
        yield
    except OSError as error:
        why = (error.strerror or str(error) or "the system refused").rstrip(".").lower()
        raise Refusal(
            f"{out} could not be written ({why}), and nothing of it was kept. Name a place that has room and that you "
            "may write to."
        ) from error


def fail(words: str) -> None:
    """End the command as refused or failed, with one sentence on standard error."""
    sys.stderr.write(f"handpicked: {words}\n")
    raise typer.Exit(1)
