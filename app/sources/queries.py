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


def import_in(session: Session, project_id: int, import_id: int) -> ImportRun | None:
    """One import, if it belongs to the project."""
    query = select(ImportRun).where(ImportRun.id == import_id, ImportRun.project_id == project_id)
    return session.scalar(query)


def records_of(run: ImportRun) -> Select[ImportRecord]:
    """What an import did with its records, in their order."""
    return select(ImportRecord).where(ImportRecord.import_run_id == run.id).order_by(ImportRecord.id)


def records_dropped_by(run: ImportRun, rule: str) -> Select[ImportRecord]:
    """The records that one rule dropped."""
    return records_of(run).where(ImportRecord.rule == rule)


def records_left_after(run: ImportRun, later_rules: Iterable[str]) -> Select[ImportRecord]:
    """The records that were still there: kept in the end, or dropped by one of the later rules."""
    return records_of(run).where(or_(ImportRecord.rule.is_(None), ImportRecord.rule.in_(list(later_rules))))


def published_keys(session: Session, project_id: int, keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (site, external id) are candidates of a published import already."""
    query = (
        select(Candidate.site, Candidate.external_id)
        .join(ImportRun, ImportRun.id == Candidate.import_run_id)
        .where(
            Candidate.project_id == project_id,
            tuple_(Candidate.site, Candidate.external_id).in_(list(keys)),
            ImportRun.state == ImportState.PUBLISHED,
        )
    )
    return {(site, external_id) for site, external_id in session.execute(query)}


def exchange_groups(session: Session, project: Project) -> dict[str, str]:
    """What this project decided about exchanges, by site; the rest follow the default table."""
    query = select(ExchangeGroup).where(ExchangeGroup.project_id == project.id)
    return {row.site: row.group for row in session.scalars(query)}


def report_lines(session: Session, run: ImportRun) -> Iterator[dict[str, Any]]:
    """One document a record, in the order of the file: the lines of `--report`."""
    return map(report_line, session.scalars(records_of(run).execution_options(yield_per=1000)))


def report_line(record: ImportRecord) -> dict[str, Any]:
    """What became of one record."""
    return {
        "external_id": record.external_id,
        "decision": "dropped" if record.rule else "kept",
        "rule": record.rule,
        "reason": record.reason,
    }
