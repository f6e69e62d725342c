"""Imports, their records, candidates by provenance, exchanges."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from app.projects.models import Project
from app.sources.models import (
    Candidate,
    ColumnMapping,
    ExchangeGroup,
    ImportRecord,
    ImportRemark,
    ImportRun,
    ImportState,
    Transfer,
)
from app.sources.records import BadLine
from app.sources.rules.base import KEPT


def imports_of(project_id: int) -> Select[ImportRun]:
    """A project's imports, newest first."""
    return select(ImportRun).where(ImportRun.project_id == project_id).order_by(ImportRun.id.desc())


def import_of(project_id: int, import_id: int) -> Select[ImportRun]:
    """One import, if it belongs to the project."""
    return select(ImportRun).where(ImportRun.id == import_id, ImportRun.project_id == project_id)


def published_import_of(project_id: int, import_id: int) -> Select[ImportRun]:
    """One import of the project, if its records may be seen: all of them are there."""
    return import_of(project_id, import_id).where(ImportRun.state == ImportState.PUBLISHED)


def same_import(session: Session, run: ImportRun, made_from: str) -> ImportRun | None:
    """A published import that read the same bytes by the same settings, if there is one."""
    query = imports_of(run.project_id).where(
        ImportRun.state == ImportState.PUBLISHED,
        ImportRun.format == run.format,
        ImportRun.site == run.site,
        ImportRun.ruleset_hash == run.ruleset_hash,
    )
    return next((one for one in session.scalars(query) if one.options.get("made_from") == made_from), None)


def files_imported(project_id: int) -> Select[int, str, dict[str, Any]]:
    """(id, path, options) of a project's published imports, the oldest first."""
    query = select(ImportRun.id, ImportRun.path, ImportRun.options)
    here = (ImportRun.project_id == project_id, ImportRun.state == ImportState.PUBLISHED)
    return query.where(*here).order_by(ImportRun.id)


def transfers_of(user_id: int, project_id: int | None = None) -> Select[Transfer]:
    """A person's uploads on their way, oldest first; of one project, or of all."""
    found = select(Transfer).where(Transfer.user_id == user_id).order_by(Transfer.id)
    return found if project_id is None else found.where(Transfer.project_id == project_id)


def records_of(import_id: int) -> Select[ImportRecord]:
    """What an import did with its records, in their order."""
    return select(ImportRecord).where(ImportRecord.import_run_id == import_id).order_by(ImportRecord.number)


def remarks_of(import_id: int) -> Select[ImportRemark]:
    """What an import left out or left alone, in the order in which it met it."""
    return select(ImportRemark).where(ImportRemark.import_run_id == import_id).order_by(ImportRemark.number)


def records_dropped_by(run: ImportRun, rule: str) -> Select[ImportRecord]:
    """The records that one rule dropped."""
    return records_of(run.noted_under).where(ImportRecord.rule == rule)


def records_left_after(run: ImportRun, later_rules: Iterable[str]) -> Select[ImportRecord]:
    """The records that were still there: kept in the end, or dropped by one of the later rules."""
    return records_of(run.noted_under).where(or_(ImportRecord.rule.is_(None), ImportRecord.rule.in_(list(later_rules))))


def restored_among(records: Select[ImportRecord]) -> Select[ImportRecord]:
    """Those of these records that somebody restored."""
    return records.where(ImportRecord.restored_at.is_not(None))


def records_marked(run: ImportRun) -> Select[ImportRecord]:
    """The records that were kept and marked for a person: of those alone a kept record has a reason."""
    return records_of(run.noted_under).where(ImportRecord.rule.is_(None), ImportRecord.reason.is_not(None))


def candidates_by_name(
    session: Session, project_id: int, names: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """The numbers of the published candidates with these sites and external ids."""
    wanted = list(names)
    if not wanted:
        return {}
    query = select(Candidate.site, Candidate.external_id, Candidate.id).where(
        Candidate.project_id == project_id,
        Candidate.published,
        tuple_(Candidate.site, Candidate.external_id).in_(wanted),
    )
    return {(site, external_id): number for site, external_id, number in session.execute(query)}


def published_words(session: Session, project_id: int, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Which of these (site, external id) are candidates of a published import already, and the hash of their words."""
    wanted = list(keys)
    there = Candidate.published, Candidate.project_id == project_id
    sites = {site for site, _ in wanted}
    # Most imports bring a site that was not there before; that is seen at once, where a thousand ids are not.
    if not wanted or session.scalar(select(Candidate.id).where(*there, Candidate.site.in_(sites)).limit(1)) is None:
        return {}
    these: ColumnElement[bool] = tuple_(Candidate.site, Candidate.external_id).in_(wanted)
    if len(sites) == 1:
        # So it is with most batches, and then there is half as much to bind.
        these = and_(Candidate.site.in_(sites), Candidate.external_id.in_([own_id for _, own_id in wanted]))
    query = select(Candidate.site, Candidate.external_id, Candidate.content_hash).where(*there, these)
    return {(site, external_id): words for site, external_id, words in session.execute(query)}


def candidates_of_threads(
    session: Session, project_id: int, site: str, threads: Iterable[str]
) -> dict[str, tuple[int, str]]:
    """The number and title of the first published candidate of each of these threads that has one."""
    wanted = list(threads)
    if not wanted:
        return {}
    query = select(Candidate.thread_id, Candidate.id, Candidate.title).where(
        Candidate.project_id == project_id, Candidate.published, Candidate.site == site, Candidate.thread_id.in_(wanted)
    )
    rows = session.execute(query.order_by(Candidate.id.desc()))
    return {thread: (number, title) for thread, number, title in rows if thread is not None}


def published_candidate(session: Session, project_id: int, site: str, external_id: str) -> Candidate | None:
    """The candidate that counts under this site and external id, as it is now."""
    query = select(Candidate).where(
        Candidate.project_id == project_id,
        Candidate.published,
        Candidate.site == site,
        Candidate.external_id == external_id,
    )
    return session.scalar(query.execution_options(populate_existing=True))


def restored_candidate(session: Session, run: ImportRun, row: ImportRecord, site: str | None) -> Candidate | None:
    """The candidate that was made of a record by restoring it, if there is one; quick where its site is known."""
    query = select(Candidate).where(
        Candidate.project_id == run.project_id,
        Candidate.published,
        Candidate.external_id == row.external_id,
        Candidate.extra["restored", "import"].as_integer() == row.import_run_id,
        Candidate.extra["restored", "number"].as_integer() == row.number,
    )
    return session.scalar((query if site is None else query.where(Candidate.site == site)).with_for_update())


def record_of(run: ImportRun, number: int) -> Select[ImportRecord]:
    """One record of an import, by its place among them."""
    return records_of(run.noted_under).where(ImportRecord.number == number)


def record_of_external_id(run: ImportRun, external_id: str) -> Select[ImportRecord]:
    """The first kept record of an import that has this id."""
    kept = records_of(run.noted_under).where(ImportRecord.rule.is_(None), ImportRecord.external_id == external_id)
    return kept.limit(1)


def record_of_candidate(run: ImportRun, candidate: Candidate) -> Select[ImportRecord]:
    """The record that a candidate of this import was made of: one that was kept, or that somebody restored."""
    restored = candidate.extra.get("restored")
    if restored:
        return records_of(int(restored["import"])).where(ImportRecord.number == int(restored["number"]))
    return record_of_external_id(run, candidate.external_id)


def restored_of(session: Session, run: ImportRun) -> dict[str, int]:
    """How many of the records that each rule dropped were restored since."""
    query = (
        select(ImportRecord.rule, func.count())
        .where(ImportRecord.import_run_id == run.noted_under, ImportRecord.restored_at.is_not(None))
        .group_by(ImportRecord.rule)
    )
    return {rule: count for rule, count in session.execute(query) if rule is not None}


def exchange_groups(session: Session, project: Project) -> dict[str, str]:
    """What this project decided about exchanges, by site; the rest follow the default table."""
    query = select(ExchangeGroup).where(ExchangeGroup.project_id == project.id)
    return {row.site: row.group for row in session.scalars(query)}


def report_lines(session: Session, import_id: int) -> Iterator[dict[str, Any]]:
    """One document a record, in the order of the file, then one for what cannot be read: the lines of `--report`."""
    yield from map(report_line, session.scalars(records_of(import_id).execution_options(yield_per=1000)))
    unreadable = remarks_of(import_id).where(ImportRemark.unreadable).execution_options(yield_per=1000)
    for one in session.scalars(unreadable):
        bad = BadLine.from_stored(one.line, one.reason)
        yield {"external_id": None, "decision": "unreadable", "rule": None, **bad.document()}


def report_line(record: ImportRecord) -> dict[str, Any]:
    """What became of one record."""
    return {
        "external_id": record.external_id,
        "decision": "dropped" if record.rule else "kept",
        "rule": record.rule,
        "reason": record.reason or KEPT.reason,
    }


def mappings_of(project_id: int) -> Select[ColumnMapping]:
    """A project's saved mappings of columns, by name."""
    return select(ColumnMapping).where(ColumnMapping.project_id == project_id).order_by(ColumnMapping.name)


def tables_imported(project_id: int) -> Select[ImportRun]:
    """The imports of tables that were published, the oldest first."""
    here = (ImportRun.project_id == project_id, ImportRun.format == "table", ImportRun.state == ImportState.PUBLISHED)
    return select(ImportRun).where(*here).order_by(ImportRun.id)


def column_mapping(session: Session, project_id: int, signature: str) -> ColumnMapping | None:
    """How the columns of such a table were mapped last."""
    return session.get(ColumnMapping, (project_id, signature))
