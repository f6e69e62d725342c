"""The trail: who did what to which thing, a day a heading."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from app.accounts import queries as accounts
from app.accounts.models import AuditEntry, User
from app.projects import queries as projects
from app.projects.models import Project
from app.web.paging import Pager, page_of

MOST_WORDS = 160
HASH = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{52}([0-9a-f]{4})\b")


@dataclass(frozen=True)
class TrailFilter:
    """What to show: a project's short name, a person's id, an action; empty means all."""

    project: str = ""
    person: int | None = None
    action: str = ""


@dataclass(frozen=True)
class TrailEntry:
    """One thing that somebody did."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: str
    project: str | None


@dataclass(frozen=True)
class TrailDay:
    """The entries of one day, latest first."""

    day: date
    entries: Sequence[TrailEntry]


@dataclass(frozen=True)
class TrailPage:
    """A page of the trail with its filters; `slug` where it is one project's."""

    days: Sequence[TrailDay]
    pager: Pager
    chosen: TrailFilter
    projects: Sequence[tuple[str, str]]
    people: Sequence[tuple[int, str]]
    actions: Sequence[str]
    slug: str | None
    query: str


def trail_page(session: Session, user: User, chosen: TrailFilter, number: int, own: Project | None) -> TrailPage:
    """The whole trail for admins, or one project's for those who lead it: a constant number of queries."""
    named = [own] if own else list(session.scalars(projects.projects_of(user)))
    wanted = own or next((project for project in named if project.slug == chosen.project), None)
    statement = accounts.trail(
        project_id=wanted.id if wanted else None, actor_id=chosen.person, action=chosen.action or None
    )
    rows, pager = page_of(session, statement, number)
    names = {project.id: project.name for project in named}
    people = _people(session, own)
    return TrailPage(
        days=_days(rows, {} if own else names, dict(people)),
        pager=pager,
        chosen=chosen,
        projects=() if own else tuple((project.slug, project.name) for project in named),
        people=people,
        actions=tuple(session.scalars(accounts.actions(own.id if own else None))),
        slug=own.slug if own else None,
        query=_query(chosen),
    )


def _people(session: Session, own: Project | None) -> tuple[tuple[int, str], ...]:
    if own:
        return tuple((row.user_id, row.user.name) for row in session.scalars(projects.members_of(own)))
    return tuple((user.id, user.name) for user in session.scalars(accounts.people()))


def _days(rows: Iterable[AuditEntry], names: dict[int, str], people: dict[int, str]) -> tuple[TrailDay, ...]:
    grouped = groupby(rows, key=lambda row: row.at.date())
    return tuple(TrailDay(day, tuple(_entry(row, names, people) for row in entries)) for day, entries in grouped)


def _entry(row: AuditEntry, names: dict[int, str], people: dict[int, str]) -> TrailEntry:
    project = names.get(row.project_id) if row.project_id is not None else None
    actor = people.get(row.actor_id, row.actor_name) if row.actor_id is not None else row.actor_name
    return TrailEntry(row.at, actor, row.action, _subject(row, people), _words(row.detail), project)


def _subject(row: AuditEntry, people: dict[int, str]) -> str:
    # "create project" of "project:3": the kind need not be said twice.
    kind, _, key = row.subject.partition(":")
    if kind == "user" and key.isdecimal():
        return people.get(int(key), f"user {key}")
    return key if key and kind in row.action.split() else row.subject.replace(":", " ", 1)


def _words(detail: dict[str, Any]) -> str:
    ordered = sorted(detail.items(), key=lambda item: (item[0] != "before", item[0]))
    said = [
        f"{name.replace('_', ' ')} {_plain(value)}"
        for name, value in ordered
        if name != "words" and value not in (None, "", [], {})
    ]
    words = ": ".join(part for part in (", ".join(said), str(detail.get("words", ""))) if part)
    return words if len(words) <= MOST_WORDS else words[:MOST_WORDS] + "…"


def _plain(value: Any) -> str:
    """A value as people write it; of a hash the ends, which are enough to tell two apart."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return HASH.sub(r"\1…\2", str(value)).replace("keep_", "keep ")


def _query(chosen: TrailFilter) -> str:
    parts = {"project": chosen.project, "person": chosen.person, "action": chosen.action}
    return urlencode({name: value for name, value in parts.items() if value})
