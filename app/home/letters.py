"""Daily letters: at most one a day to each person who asked for it, and only when something waits.

Off unless HANDPICKED_SMTP_URL names a mail server. A letter that the server did not take is tried again an hour later.
"""

import logging
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from app.accounts.models import Role, User
from app.config import Settings
from app.datasets.checking import broken
from app.db import Database, now
from app.examples.labels import shown_title
from app.examples.sight import as_seen_by
from app.home.inbox import InboxItem, inbox_of
from app.jobs.running import chore
from app.projects.models import Project
from app.projects.queries import projects_of, role_in

log = logging.getLogger(__name__)
A_DAY = timedelta(hours=23)
SECONDS = 20
KINDS = {
    "returned": "came back to you",
    "mentioned": "names you",
    "handed": "was handed to you",
    "expiring": "is yours for a few minutes more",
    "claimed": "is yours",
}


@chore
def send_letters(database: Database, settings: Settings) -> None:
    """Write to everybody whose letter is due."""
    if not settings.smtp_url:
        return
    with database.reading() as session:
        due = list(session.scalars(_due()))
        letters = [(person.id, letter) for person in due if (letter := letter_for(session, settings, person))]
    if not letters:
        return
    try:
        with _server(settings.smtp_url) as server:
            for person, letter in letters:
                _send(database, server, person, letter)
    except (OSError, smtplib.SMTPException) as error:
        log.warning("daily letters: the mail server did not take them (%s); tried again in an hour", error)


def _due() -> Select[User]:
    since = or_(User.letter_at.is_(None), User.letter_at < now() - A_DAY)
    return select(User).where(User.daily_letter, User.active, since).order_by(User.id)


def letter_for(session: Session, settings: Settings, person: User) -> EmailMessage | None:
    """What waits for this person in all projects; None when nothing does."""
    with as_seen_by(session, person):
        parts = [part for project in session.scalars(projects_of(person)) if (part := _part(session, person, project))]
    if not parts:
        return None
    letter = EmailMessage()
    letter["From"], letter["To"] = settings.smtp_from, person.email
    letter["Subject"] = "Handpicked: what waits for you"
    where = f"\n{settings.base_url}" if settings.base_url else ""
    end = f"\n\nYou asked for this letter on your account page; it comes at most once a day.{where}\n"
    letter.set_content("\n\n".join(parts) + end)
    return letter


def _part(session: Session, person: User, project: Project) -> str:
    inbox = inbox_of(session, person, project)
    waiting = [*inbox.returned, *inbox.mentioned, *inbox.handed] if project.archived_at is None else []
    wrong = broken(session, project.id) if role_in(session, project, person) is Role.ADMIN else []
    lines = [f"- Version {one.name} is not what was frozen: {one.problem}." for one in wrong]
    lines += [_line(item) for item in waiting]
    return "\n".join([project.name, *lines]) if lines else ""


def _line(item: InboxItem) -> str:
    said = f": “{' '.join(item.words.split())}”" if item.words else ""
    return f"- Example {item.example_id}, “{shown_title(item.title)}”, {KINDS[item.kind]}{_by(item)}{said}"


def _by(item: InboxItem) -> str:
    return f" by {item.who}" if item.who and item.kind in {"returned", "handed"} else ""


@contextmanager
def _server(url: str) -> Iterator[smtplib.SMTP]:
    parts = urlsplit(url)
    kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    with kind(parts.hostname or "localhost", parts.port or 0, timeout=SECONDS) as server:
        if kind is smtplib.SMTP and server.has_extn("starttls"):
            server.starttls()
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server


def _send(database: Database, server: smtplib.SMTP, person: int, letter: EmailMessage) -> None:
    """Take the day first, so that of two workers one writes; give it back if the server refuses."""
    with database.writing() as session:
        before = session.scalar(select(User.letter_at).where(User.id == person))
        taken = session.execute(
            update(User).where(User.id.in_(_due().where(User.id == person).with_only_columns(User.id)))
            .values(letter_at=now()).execution_options(synchronize_session=False)
        )  # fmt: skip
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        return
    try:
        server.send_message(letter)
    except (OSError, smtplib.SMTPException):
        with database.writing() as session:
            session.execute(update(User).where(User.id == person).values(letter_at=before))
        raise
