"""Versions, their rows, and the approved set that the next one will be frozen from."""

import re
from collections.abc import Iterator

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.datasets.canonical import FrozenLine, Line
from app.datasets.models import Version, VersionCheck, VersionRow
from app.projects.models import Project, Split

# How commands name a version: PROJECT@VERSION.
REFERENCE = re.compile(r"([^@\s]+)@([^@\s]+)")
ROWS_AT_ONCE = 500


def versions_of(project: Project) -> Select[Version]:
    """The project's versions, the newest first."""
    return select(Version).where(Version.project_id == project.id).order_by(Version.id.desc())


def version_by_name(session: Session, project: Project, name: str) -> Version | None:
    """The project's version of that name."""
    return session.scalar(select(Version).where(Version.project_id == project.id, Version.name == name))


def name_taken(session: Session, project: Project, name: str) -> str | None:
    """The name of the version that is called so, but for capitals: files and links of both could not lie together."""
    same = func.lower(Version.name) == name.lower()
    return session.scalar(select(Version.name).where(Version.project_id == project.id, same).limit(1))


def was_frozen(session: Session, project: Project, name: str) -> bool:
    """Whether the project had a version of that name, by the seal that outlives it."""
    sealed = select(VersionCheck.version_id).where(VersionCheck.project_id == project.id, VersionCheck.name == name)
    return session.scalar(sealed) is not None


def unused_number(session: Session) -> int | None:
    """The number of the next version where the database would give that of a lost one again: SQLite does, not others.

    None elsewhere. The writer's turn makes it safe: no other freeze is between the look and the row.
    """
    if session.get_bind().dialect.name != "sqlite":
        return None
    highest = (session.scalar(select(func.max(number))) or 0 for number in (Version.id, VersionCheck.version_id))
    return max(highest) + 1


def latest_version(session: Session, project: Project) -> Version | None:
    """The version frozen last."""
    return session.scalar(versions_of(project).limit(1))


def project_of(session: Session, version: Version) -> Project:
    """The project that a version belongs to."""
    return session.get_one(Project, version.project_id)


def rows_of(version: Version, split: Split | None = None) -> Select[VersionRow]:
    """The rows in the order of examples.jsonl, of one split or of all; to be shown, never to be hashed."""
    query = select(VersionRow).where(VersionRow.version_id == version.id).order_by(VersionRow.position)
    return query.where(VersionRow.split == split) if split else query


def frozen_lines(session: Session, version: Version) -> Iterator[FrozenLine]:
    """The lines of examples.jsonl, streamed; a first revision holds the words as they came in."""
    columns = select(VersionRow.sha256, VersionRow.line, VersionRow.revision_number)
    query = columns.where(VersionRow.version_id == version.id).order_by(VersionRow.position)
    with session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)) as rows:
        for sha256, text, number in rows:
            yield FrozenLine(Line(sha256, text), edited=number > 1)
