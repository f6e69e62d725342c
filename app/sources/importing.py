"""The work of an import, the same for the pool and for the set: read, write, and publish when all is there.

Guarantee: nothing of an import is visible before its last batch is written, and an import that is run again
after its worker died starts over, so each record is there once.
"""

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from app.errors import NotFound
from app.jobs.operations import enqueue
from app.jobs.running import JobContext
from app.sources import mappings, publishing
from app.sources.archives import brought, workspace_of
from app.sources.formats import recognise
from app.sources.models import ImportRun, Into
from app.sources.opening import encoding_of, fetch_dataset, made_from_of, reader_of, stamp_of
from app.sources.preview import COUNTED
from app.sources.publishing import BatchCount, ImportResult
from app.sources.readers.base import Progress, Reader
from app.sources.readers.tables import signature_of
from app.sources.records import Decided, Record
from app.sources.rulesets import Funnel, Ruleset, ruleset_from

# Long enough for its transaction to cost little, short enough for those who wait to write meanwhile.
BATCH = 1000
# What a batch may have read of its file: a few records of the largest size, or hundreds of usual ones.
BATCH_BYTES = 16_000_000
TELL_EVERY = 0.3
MANY = 2000
# After a part is published: those who wait to write look again by then.
LONGEST_PAUSE = 0.1
MOST_LISTED = 1000

Sink = Callable[[Session, ImportRun, Sequence[Decided]], BatchCount]


def run_import(context: JobContext, sink: Sink) -> None:
    """Do one import: `sink` takes each batch of kept records, inside the transaction that notes them."""
    started = time.monotonic()
    bring_from_hub(context)
    with context.writing() as session:
        run = _run(session, context)
        publishing.begin_import(session, run, stamp_of(Path(run.path)))
    result = _repeated(context, run) or _read(context, run, sink)
    _publish_parts(context, result)
    result.seconds = round(time.monotonic() - started, 3)
    result.peak_rss_mb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    with context.writing() as session:
        run = _run(session, context)
        publishing.end_import(session, run, result)
        if run.into is Into.POOL and result.created >= MANY:
            # The words of fewer are read through until a worker's next round.
            enqueue(session, None, "index_pool", title="Make the pool searchable", project_id=run.project_id)


def _publish_parts(context: JobContext, result: ImportResult) -> None:
    """Publish part by part, and leave as much time to the others as each part took.

    Stopped here it would take back what another import has found there already; so it is too late for that.
    """
    context.heeds_cancel = False
    with context.reading() as session:
        parts = publishing.parts_of(session, _run(session, context))
    for first, last in parts:
        began = time.monotonic()
        with context.writing() as session:
            publishing.publish_part(session, _run(session, context), first, last, result)
        time.sleep(min(LONGEST_PAUSE, time.monotonic() - began))


def bring_from_hub(context: JobContext) -> None:
    """Fetch the data set that an import is of, where it is one of the Hub, and note its commit and its format."""
    with context.reading() as session:
        run = _run(session, context)
    if "hub" not in run.options or Path(run.path).exists():
        return
    about = fetch_dataset(run, context.settings, told_seldom(context, lambda phase: f"{phase} the data set"))
    workspace, encoding = workspace_of(context.settings), encoding_of(run)
    found = recognise(brought(Path(run.path), workspace, encoding=encoding, sample_bytes=COUNTED))
    with context.writing() as session:
        run = _run(session, context)
        run.options = {**run.options, "hub": about}
        run.format = found if run.format == "auto" else run.format


def _run(session: Session, context: JobContext) -> ImportRun:
    run = session.get(ImportRun, context.args["import_run_id"])
    if run is None:
        raise NotFound("The import is not there any more.")
    return run


def _repeated(context: JobContext, run: ImportRun) -> ImportResult | None:
    """The result of an import of the same bytes by the same settings: nothing can be new, so nothing is read."""
    if not Path(run.path).exists():
        return None
    made_from = made_from_of(run, context.settings)
    with context.writing() as session:
        return publishing.note_origin(session, _run(session, context), made_from)


def _read(context: JobContext, run: ImportRun, sink: Sink) -> ImportResult:
    funnel = Funnel(ruleset_from(run.ruleset))
    reader = reader_of(run, context.settings, _teller(context, funnel))
    reader.prepare()
    _remember_columns(context, run, reader)
    result = ImportResult(reader.format)
    for batch in _batches(reader):
        # A bad record refuses the whole; the rest is read only to name the others.
        if not reader.errors or run.skip_bad:
            _write(context, sink, _decided(funnel.ruleset, batch), funnel, result)
    result.records, result.funnel, result.flagged = funnel.records, funnel.rows(), funnel.flagged
    result.errors = [{"line": bad.line, "reason": bad.reason} for bad in reader.errors] + result.errors
    result.known_duplicates = [list(pair) for pair in reader.known_duplicates]
    result.notes = list(reader.notes)
    return result


def _decided(ruleset: Ruleset, batch: Sequence[Record]) -> list[Decided]:
    return [(record, ruleset.decide(record)) for record in batch]


def _remember_columns(context: JobContext, run: ImportRun, reader: Reader) -> None:
    if run.format == "table" and reader.files:
        with context.writing() as session:
            mappings.remember_columns(session, run, signature_of(reader.files[0]))


def _write(context: JobContext, sink: Sink, decided: Sequence[Decided], funnel: Funnel, result: ImportResult) -> None:
    before = funnel.records
    for _, decision in decided:
        funnel.add(decision)
    with context.writing() as session:
        run = _run(session, context)
        publishing.note_records(session, run, before, decided)
        count = sink(session, run, [one for one in decided if one[1].kept])
        publishing.tell_so_far(run, funnel)
    result.created += count.created
    result.unchanged += count.unchanged
    listed = count.clashes[: MOST_LISTED - len(result.errors)]
    result.errors += [{"line": bad.line, "reason": bad.reason} for bad in listed]


def _teller(context: JobContext, funnel: Funnel) -> Progress:
    return told_seldom(
        context, lambda phase: f"{funnel.records:,} records read" if phase == "reading" else f"{phase} the file"
    )


def told_seldom(context: JobContext, words: Callable[[str], str]) -> Progress:
    """Progress in kB, told a few times a second: each telling is a transaction. `words` makes a note of the phase."""
    told = 0.0

    def tell(phase: str, done: int, total: int) -> None:
        nonlocal told
        context.check()
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            context.progress(done // 1000, total // 1000, "kB", words(phase))

    return tell


def _batches(reader: Reader) -> Iterator[list[Record]]:
    batch: list[Record] = []
    began = reader.bytes_read
    for record in reader.records():
        batch.append(record)
        if len(batch) == BATCH or reader.bytes_read - began > BATCH_BYTES:
            yield batch
            batch, began = [], reader.bytes_read
    if batch:
        yield batch
