"""Examples that an import brings ready-made: submitted, with their splits, each once by site and external id."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.orm import Session

from app.errors import Conflict, Refusal
from app.examples.credit import attribution_of
from app.examples.messages import title_of, validate_messages
from app.examples.models import Example, ExampleState, Revision
from app.examples.operations import UNSORTED
from app.examples.roles import FLAGS
from app.jobs.models import JobState
from app.jobs.running import Step
from app.projects.models import AuthorGroup, Project, Split
from app.projects.queries import language_unsaid
from app.sources.models import ImportRun, ImportState
from app.sources.publishing import BatchCount, carry_out, fail_import, forgetting, pieces
from app.sources.records import BadLine, BadRecord, Decided, Decision, Record

NOTE = "imported"
NO_RESPONSE = (
    "there is no response to the last prompt, and a train example needs one: import it into the pool, "
    "name its split dev or test, or leave such records out"
)
# What one step takes away: each example goes with its revisions and the words that are searched.
STEP = 50


class UnderWay(Conflict):
    """Another import is bringing these records into the set; nothing was kept. Start again when it has ended."""


def add_examples(session: Session, run: ImportRun, kept: Sequence[Decided]) -> BatchCount:
    """Put kept records into the set, waiting for review; those that are there stay as they are.

    They show once their import is published. Raises BadRecord with the line of one that is no example, such as a train
    prompt without a response; an import that leaves bad records out leaves it out and says so.
    """
    fresh = _not_there_yet(session, run, kept)
    whole, no_examples = _worded(run, fresh)
    unsaid = language_unsaid(session, run.project_id)
    examples = [_example(run, record, decision, unsaid) for (record, decision), _ in whole]
    session.add_all(examples)
    session.flush()
    session.add_all(
        _revision(example, record, words) for example, ((record, _), words) in zip(examples, whole, strict=True)
    )
    session.flush()
    return BatchCount(created=len(whole), unchanged=len(kept) - len(fresh), clashes=no_examples)


def _worded(
    run: ImportRun, fresh: Sequence[Decided]
) -> tuple[list[tuple[Decided, list[dict[str, str]]]], list[tuple[Record, BadLine]]]:
    """The records that are whole examples, with their words, and those that are none. Raises BadRecord."""
    whole, others = [], []
    for record, decision in fresh:
        try:
            words = validate_messages(record.messages_as_json(), record.split or Split.TRAIN)
        except Refusal as refusal:
            reason = refusal.message.rstrip(".") if record.is_answered else NO_RESPONSE
            if not run.skip_bad:
                raise BadRecord(reason, record) from refusal
            others.append((record, BadLine(record.line, f"left out of the set: {reason[:1].lower()}{reason[1:]}")))
        else:
            whole.append(((record, decision), words))
    return whole, others


def _not_there_yet(session: Session, run: ImportRun, kept: Sequence[Decided]) -> list[Decided]:
    by_key = {(one[0].site, one[0].external_id): one for one in kept}
    if not by_key:
        return []
    # Batches of two imports into one project are written one after the other, so that each sees the other's.
    session.execute(select(Project.id).where(Project.id == run.project_id).with_for_update(key_share=True))
    there = (
        select(Example.site, Example.external_id, Example.import_run_id, ImportRun.state)
        .outerjoin(ImportRun, ImportRun.id == Example.import_run_id)
        .where(Example.project_id == run.project_id, tuple_(Example.site, Example.external_id).in_(list(by_key)))
    )
    known = set()
    for site, external_id, import_run_id, state in session.execute(there):
        if import_run_id not in {None, run.id} and state is not ImportState.PUBLISHED:
            raise UnderWay
        known.add((site, external_id))
    return [one for key, one in by_key.items() if key not in known]


def _example(run: ImportRun, record: Record, decision: Decision, unsaid: str) -> Example:
    return Example(
        project_id=run.project_id,
        split=Split(record.split or Split.TRAIN),
        source=run.source or record.source or UNSORTED,
        language=record.language or unsaid,
        flags=list(decision.flags),
        state=ExampleState.REVIEW,
        import_run_id=run.id,
        site=record.site,
        external_id=record.external_id,
        thread_id=record.thread_id,
        licence=record.licence or run.licence,
        attribution=attribution_of(record),
        revision_number=1,
        created_by=run.created_by,
        **_told(record),
    )


def _told(record: Record) -> dict[str, Any]:
    """Group and flags of the prompt, which only an export of our own says."""
    told = record.extra.get("told", {})
    group = {"author_group": AuthorGroup(told["group"])} if told.get("group") in list(AuthorGroup) else {}
    return group | {flag: True for flag in FLAGS if flag in told.get("flags", ())}


def _revision(example: Example, record: Record, words: list[dict[str, str]]) -> Revision:
    # No author: nobody of the team wrote it, so anybody of the team may be its second person.
    return Revision(
        example_id=example.id,
        number=1,
        messages=words,
        title=title_of(words),
        content_hash=record.content_hash,
        note=NOTE,
    )


def forgetting_arrivals(session: Session, run: ImportRun) -> Sequence[Step]:
    """The steps that take away what an unfinished import has brought so far; it was never shown."""
    brought = Example.import_run_id == run.id, Example.candidate_id.is_(None)
    first, last = session.execute(select(func.min(Example.id), func.max(Example.id)).where(*brought)).one()
    examples = [delete(Example).where(*brought, Example.id.between(*ends)) for ends in pieces(first, last, STEP)]
    return [*(partial(carry_out, statement) for statement in examples), *forgetting(session, run)]


def fail_arrivals(session: Session, args: dict[str, Any], error: str, state: JobState) -> None:
    """Say why an import into the set ended without a result; nothing of it is kept."""
    run = session.get(ImportRun, args["import_run_id"])
    for step in forgetting_arrivals(session, run) if run and run.state is not ImportState.PUBLISHED else ():
        step(session)
    fail_import(session, args, error, state)
