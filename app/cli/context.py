"""What every command shares: a migrated database, the acting person, one document or plain words as output."""

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.accounts import operations as accounts
from app.accounts import queries as people
from app.accounts.models import Role, User
from app.config import Settings
from app.db import Database
from app.errors import Denied, NotFound
from app.jobs.models import Job, JobState
from app.jobs.running import run_now
from app.logs import set_up
from app.projects import queries as projects
from app.projects.models import Project
from app.worker import worker_name

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
        with self.database.writing() as session:
            yield session, self.actor(session)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One read transaction."""
        with self.database.reading() as session:
            yield session

    def run(self, job_id: int) -> Job:
        """Do a queued job here and now and give it back, ended."""
        run_now(self.database, self.settings, job_id, worker_name())
        with self.reading() as session:
            job = session.get(Job, job_id)
            assert job is not None
            return job

    def run_or_fail(self, job_id: int) -> Job:
        """Like `run`, and end the command with the job's own reason if it did not succeed."""
        job = self.run(job_id)
        if job.state is not JobState.SUCCEEDED:
            fail(job.error or f"The work ended as {job.state}.")
        return job


def project_for(session: Session, actor: User, slug: str, role: Role = Role.ANNOTATOR) -> Project:
    """The project of that name, if the acting person has at least that role in it."""
    project = projects.project_by_slug(session, slug)
    held = projects.role_in(session, project, actor) if project else None
    if project is None or held is None:
        raise NotFound(f"There is no project {slug}; `handpicked project create {slug}` makes it.")
    if not held.covers(role):
        raise Denied
    return project


def emit(document: Mapping[str, Any], as_json: bool, lines: Iterable[str]) -> None:
    """Print the one JSON document, or the same for people."""
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        for line in lines:
            sys.stdout.write(line + "\n")


def fail(words: str) -> None:
    """End the command as refused or failed, with one sentence on standard error."""
    sys.stderr.write(f"handpicked: {words}\n")
    raise typer.Exit(1)


def quiet_logs() -> None:
    """Log lines go to standard error, warnings and worse only."""
    set_up(logging.WARNING)
