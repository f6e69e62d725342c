"""Imports, their records, candidates by provenance, exchanges."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Select, or_, select, tuple_
from sqlalchemy.orm import Session

from app.projects.models import Project
from app.sources.models import Candidate, ExchangeGroup, ImportRecord, ImportRun, ImportState


def imports_of(project_id: int) -> Select[ImportRun]:
    """A project's imports, newest first."""
    return select(ImportRun).where(ImportRun.project_id == project_id).order_by(ImportRun.id.desc())


def import_of(project_id: int, import_id: int) -> Select[ImportRun]:
    """One import, if it belongs to the project."""
    return select(ImportRun).where(ImportRun.id == import_id, ImportRun.project_id == project_id)


def published_import_of(project_id: int, import_id: int) -> Select[ImportRun]:
    """One import of the project, if its records may be seen: all of them are there."""
    return import_of(project_id, import_id).where(ImportRun.state == ImportState.PUBLISHED)


def records_of(import_id: int) -> Select[ImportRecord]:
    """What an import did with its records, in their order."""
    return select(ImportRecord).where(ImportRecord.import_run_id == import_id).order_by(ImportRecord.id)


def records_dropped_by(run: ImportRun, rule: str) -> Select[ImportRecord]:
    """The records that one rule dropped."""
    return records_of(run.id).where(ImportRecord.rule == rule)


def records_left_after(run: ImportRun, later_rules: Iterable[str]) -> Select[ImportRecord]:
    """The records that were still there: kept in the end, or dropped by one of the later rules."""
    return records_of(run.id).where(or_(ImportRecord.rule.is_(None), ImportRecord.rule.in_(list(later_rules))))


def published_words(session: Session, project_id: int, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Which of these (site, external id) are candidates of a published import already, and the hash of their words."""
    query = select(Candidate.site, Candidate.external_id, Candidate.content_hash).where(
        Candidate.project_id == project_id,
        Candidate.published,
        tuple_(Candidate.site, Candidate.external_id).in_(list(keys)),
    )
    return {(site, external_id): words for site, external_id, words in session.execute(query)}


def exchange_groups(session: Session, project: Project) -> dict[str, str]:
    """What this project decided about exchanges, by site; the rest follow the default table."""
    query = select(ExchangeGroup).where(ExchangeGroup.project_id == project.id)
    return {row.site: row.group for row in session.scalars(query)}


def report_lines(session: Session, import_id: int) -> Iterator[dict[str, Any]]:
    """One document a record, in the order of the file: the lines of `--report`."""
    return map(report_line, session.scalars(records_of(import_id).execution_options(yield_per=1000)))


def report_line(record: ImportRecord) -> dict[str, Any]:
    """What became of one record."""
    return {
        "external_id": record.external_id,
        "decision": "dropped" if record.rule else "kept",
        "rule": record.rule,
        "reason": record.reason,
    }
