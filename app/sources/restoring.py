"""A record that a rule dropped becomes a candidate after all, because a person says so."""

from sqlalchemy.orm import Session

from app.accounts.audit import record as write_trail
from app.accounts.models import User
from app.db import now
from app.errors import Conflict, Gone
from app.projects.limits import require_open
from app.projects.models import Project
from app.projects.queries import language_unsaid
from app.sources import queries
from app.sources.bulk import insert_ignoring, write_rows
from app.sources.models import Candidate, CandidateStatus, ImportRecord, ImportRun
from app.sources.publishing import CANDIDATE_COLUMNS, candidate_values
from app.sources.records import Record
from app.sources.rules.base import KEPT
from app.sources.rulesets import EMPTY, NO_QUESTION, REPEATED


class NotToRestore(Conflict):
    """This record was dropped because {why}; nothing was restored."""


class KeptAlready(Conflict):
    """This record was kept; look for it in the pool. Nothing was changed."""


class NotThereAnyMore(Gone):
    """This record cannot be read again, for its file is gone or changed since the import; bring the file in anew."""


class WorkedOnSince(Conflict):
    """Somebody has judged or used this candidate since it was restored; it stays. Reject it in the pool instead."""


class NotRestored(Conflict):
    """This record was not restored, or is dropped again already; nothing was changed."""


WHY_NOT = {
    REPEATED: "the same words were imported already",
    NO_QUESTION: "its question is not in the file, so there is nothing to answer",
    EMPTY: "nothing is left of it without its images",
}


def restore_dropped(
    session: Session, actor: User, run: ImportRun, row: ImportRecord, record: Record | None
) -> Candidate:
    """Make a candidate of a record that a rule dropped; repeated, it is the same one. `drop_again` undoes it.

    `record` is what was read again from the upload, None where that failed.
    """
    require_open(session.get_one(Project, run.project_id))
    require_restorable(row)
    if record is None:
        raise NotThereAnyMore
    candidate = queries.published_candidate(session, run.project_id, record.site, record.external_id)
    if row.restored_at is not None and candidate is not None:
        return candidate
    if candidate is None:
        candidate = _restored(session, actor, run, row, record)
    row.restored_by, row.restored_at = actor.id, now()
    about = {"number": row.number, "rule": row.rule}
    write_trail(session, actor, "restore record", f"import:{run.id}", project_id=run.project_id, **about)
    return candidate


def require_restorable(row: ImportRecord) -> None:
    """Refuse what no person can put right: a kept record, a repeated one, one without a question or without words."""
    if row.rule is None:
        raise KeptAlready
    if row.rule in WHY_NOT:
        raise NotToRestore(why=WHY_NOT[row.rule])


def may_be_restored(row: ImportRecord) -> bool:
    """Whether a person can make a candidate of a record although a rule dropped it."""
    return row.rule is not None and row.rule not in WHY_NOT


def _restored(session: Session, actor: User, run: ImportRun, row: ImportRecord, record: Record) -> Candidate:
    why = {"by": actor.name, "rule": row.rule, "reason": row.reason, "import": row.import_run_id, "number": row.number}
    # Of two clicks at once one inserts; the other finds what it wrote.
    values = candidate_values(run, record, KEPT, now(), language_unsaid(session, run.project_id), {"restored": why})
    write_rows(session, insert_ignoring(session, Candidate), CANDIDATE_COLUMNS, [values])
    candidate = queries.published_candidate(session, run.project_id, record.site, record.external_id)
    if candidate is None:
        raise Conflict("Somebody restored this record at the same moment; look at it again.")
    return candidate


def drop_again(session: Session, actor: User, run: ImportRun, row: ImportRecord, record: Record | None) -> None:
    """Undo `restore_dropped`: the record is dropped as before, and the candidate that was made of it goes.

    One that was there before stays, and one that somebody worked on refuses. `record` is what was read again.
    """
    require_open(session.get_one(Project, run.project_id))
    session.refresh(row, with_for_update=True)
    if row.restored_at is None:
        raise NotRestored
    candidate = queries.restored_candidate(session, run, row, record.site if record else None)
    if candidate is not None and (candidate.status is not CandidateStatus.OPEN or candidate.title_alone is not None):
        raise WorkedOnSince
    if candidate is not None:
        session.delete(candidate)
    row.restored_by = row.restored_at = None
    about = {"number": row.number, "rule": row.rule}
    write_trail(session, actor, "undo restore", f"import:{run.id}", project_id=run.project_id, **about)
    session.flush()
