"""The work of an import, the same for the pool and for the set: read, write, and publish when all is there.

Guarantee: nothing of an import is visible before its last batch is written, and an import that is run again
after its worker died starts over, so each record is there once.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from app.errors import NotFound
from app.jobs.memory import Peak
from app.jobs.operations import enqueue
from app.jobs.running import JobContext, LeaseLost, ShuttingDown, Step
from app.sources import mappings, publishing
from app.sources.archives import brought, workspace_of
from app.sources.formats import fitting, recognise
from app.sources.models import ImportRun, ImportState, Into
from app.sources.opening import encoding_of, fetch_dataset, origin_of, reader_of, stamp_of
from app.sources.preview import COUNTED
from app.sources.publishing import BatchCount, ImportResult
from app.sources.readers.base import Progress, Reader
from app.sources.readers.tables import signature_of
from app.sources.records import BadLine, BadRecord, Decided, LeftOut, Record
from app.sources.rulesets import Funnel, Ruleset, ruleset_from
from app.web.words import plural

# Long enough for its transaction to cost little; it ends before that where somebody waits to write.
BATCH = 1000
# What a batch may have read of its file: a few records of the largest size, or hundreds of usual ones.
BATCH_BYTES = 16_000_000
TELL_EVERY = 0.3
MANY = 2000
MOST_LISTED = 1000

Sink = Callable[[Session, ImportRun, Sequence[Decided]], BatchCount]
Forgetting = Callable[[Session, ImportRun], Sequence[Step]]


def run_import(context: JobContext, sink: Sink, forgetting: Forgetting = publishing.forgetting) -> None:
    """Do one import: `sink` takes each batch of kept records, inside the transaction that notes them.

    `forgetting` gives the steps that take all of it away again.
    """
    started, peak = time.monotonic(), Peak()
    result = _read_before(context) or _read_all(context, sink, forgetting)
    _publish(context, result)
    result.seconds = round(time.monotonic() - started, 3)
    result.peak_rss_mb, result.grown_mb, result.peak_of_process = peak.mb(), peak.grown_mb(), not peak.own
    with context.writing() as session:
        run = _run(session, context)
        publishing.end_import(session, run, result)
        if run.into is Into.POOL and result.created >= MANY:
            # The words of fewer are read through until a worker's next round.
            enqueue(session, None, "index_pool", title="Make the pool searchable", project_id=run.project_id)


def _read_before(context: JobContext) -> ImportResult | None:
    """What an earlier worker read, where it ended while it published that: this one goes on there."""
    with context.database.reading() as session:  # asks nobody whether to stop: it is too late for that
        run = _run(session, context)
    return publishing.read_before(run) if run.into is Into.POOL else None


def _read_all(context: JobContext, sink: Sink, forgetting: Forgetting) -> ImportResult:
    """Read all of it; what was written by then is taken away when it cannot be, or is stopped."""
    try:
        bring_from_hub(context)
        _take_away(context, forgetting)  # of an earlier attempt
        with context.writing() as session:
            run = _run(session, context)
            publishing.begin_import(session, run, stamp_of(Path(run.path)))
        return _repeated(context, run) or _read(context, run, sink)
    except (LeaseLost, ShuttingDown):
        raise
    except Exception:
        context.heeds_cancel = False
        _take_away(context, forgetting)
        raise


def _take_away(context: JobContext, forgetting: Forgetting) -> None:
    with context.reading() as session:
        run = session.get(ImportRun, context.args["import_run_id"])
        steps = forgetting(session, run) if run and run.state is ImportState.RUNNING else ()
    context.in_turns(steps, publishing.PART // publishing.STEP)


def _publish(context: JobContext, result: ImportResult) -> None:
    """Publish step by step, letting others write in between; a restart goes on with it.

    Stopped here it would take back what another import has found there already; so it is too late for that.
    """
    context.heeds_cancel = False
    with context.writing() as session:
        run = _run(session, context)
        publishing.note_read(run, result)
    with context.reading() as session:
        steps = publishing.publication(session, run)
    context.in_turns(steps, publishing.PART // publishing.STEP)
    with context.reading() as session:
        publishing.count_late(session, run, result)


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
    origin = origin_of(run, context.settings)
    with context.writing() as session:
        return publishing.note_origin(session, _run(session, context), origin)


def _read(context: JobContext, run: ImportRun, sink: Sink) -> ImportResult:
    funnel = Funnel(ruleset_from(run.ruleset))
    reader = reader_of(run, context.settings, _teller(context, funnel))
    reader.prepare()
    _remember_columns(context, run, reader)
    result, remarks, is_answered, is_stated = ImportResult(reader.format), _Remarks(context), False, True
    if run.skip_bad:
        reader.on_bad = remarks.add
    for batch in _batches(reader):
        is_answered = is_answered or any(record.responses for record in batch)
        is_stated = is_stated and all(record.language for record in batch)
        # A bad record refuses the whole; the rest is read only to name the others.
        if not reader.errors or run.skip_bad:
            _write(context, _naming(sink, reader), _decided(funnel.ruleset, batch), funnel, result, remarks)
    remarks.flush()
    result.records, result.funnel, result.flagged = funnel.records, funnel.rows(), funnel.flagged
    result.errors = [bad.document() for bad in (*reader.errors, *remarks.clashes)][:MOST_LISTED]
    result.errors_total = remarks.count if remarks.count > len(result.errors) else 0
    result.known_duplicates = [list(pair) for pair in reader.known_duplicates]
    result.notes = list(reader.notes)
    result.language_stated = bool(funnel.records) and is_stated
    if funnel.records and not is_answered:
        result.notes.append(none_answered(funnel.records, reader.format))
    elif result.unanswered:
        result.notes.append(some_unanswered(result.unanswered, funnel.records - sum(funnel.dropped.values())))
    aside = (LeftOut(name, "No import reads it.") for name in run.options.get("aside", ()))
    result.left_out = [vars(one) for one in (*reader.left_out, *aside)]
    return result


def none_answered(records: int, format: str) -> str:
    """Say of so many records that none has a response, and of rows where that may be mended."""
    none = f"None of the {records:,} records has a response" if records > 1 else "The record has no response"
    mend = " If the file has answers, read it as a table and say which column they are."
    return f"{none}: they come in as prompts without answers.{mend if 'table' in fitting(format) else ''}"


def some_unanswered(prompts: int, kept: int) -> str:
    """Say of some of the kept records that they have no response."""
    what = "has no response: it comes in as a prompt without an answer."
    what = what if prompts == 1 else "have no response: they come in as prompts without answers."
    return f"{prompts:,} of the {plural(kept, 'kept record')} {what}"


def _naming(sink: Sink, reader: Reader) -> Sink:
    """A sink that names the file of what it refuses or leaves alone, where there are several."""

    def write(session: Session, run: ImportRun, kept: Sequence[Decided]) -> BatchCount:
        try:
            count = sink(session, run, kept)
        except BadRecord as refusal:
            raise BadRecord(refusal.reason, refusal.record, reader.name_of(refusal.record)) from refusal
        named = [(record, replace(bad, file=reader.name_of(record))) for record, bad in count.clashes]
        return replace(count, clashes=named)

    return write


def _decided(ruleset: Ruleset, batch: Sequence[Record]) -> list[Decided]:
    return [(record, ruleset.decide(record)) for record in batch]


def _remember_columns(context: JobContext, run: ImportRun, reader: Reader) -> None:
    if run.format == "table" and reader.files:
        with context.writing() as session:
            mappings.remember_columns(session, run, signature_of(reader.files[0]))


class _Remarks:
    """What an import leaves out or alone, written down as it grows; `clashes` are the first that it leaves alone."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._waiting: list[BadLine] = []
        self.clashes: list[BadLine] = []
        self.count = 0

    def add(self, bad: BadLine) -> None:
        """Take a record that cannot be read."""
        self._waiting.append(bad)
        if len(self._waiting) == BATCH:
            self.flush()

    def flush(self) -> None:
        """Write down what waits."""
        found, self._waiting = self._waiting, []
        parts = [found[start : start + publishing.STEP] for start in range(0, len(found), publishing.STEP)]
        self._context.in_turns(partial(self._write, part, True) for part in parts)

    def leave_alone(self, session: Session, found: Sequence[BadLine]) -> None:
        """Write down those of a batch that are there with other words."""
        self.clashes += found[: MOST_LISTED - len(self.clashes)]
        self._write(found, False, session)

    def _write(self, found: Sequence[BadLine], unreadable: bool, session: Session) -> None:
        publishing.note_remarks(session, self._context.args["import_run_id"], self.count, found, unreadable=unreadable)
        self.count += len(found)


def _write(
    context: JobContext,
    sink: Sink,
    decided: Sequence[Decided],
    funnel: Funnel,
    result: ImportResult,
    remarks: _Remarks,
) -> None:
    before = funnel.records
    for _, decision in decided:
        funnel.add(decision)
    result.unanswered += sum(decision.kept and not record.is_answered for record, decision in decided)

    def write(start: int, session: Session) -> None:
        run, some = _run(session, context), decided[start : start + publishing.STEP]
        publishing.note_records(session, run, before + start, some)
        count = sink(session, run, [one for one in some if one[1].kept])
        result.created += count.created
        result.unchanged += count.unchanged
        result.unanswered -= sum(not record.is_answered for record, _ in count.clashes)
        remarks.leave_alone(session, [bad for _, bad in count.clashes])

    def tell(session: Session) -> None:
        publishing.tell_so_far(_run(session, context), funnel)

    steps = [partial(write, start) for start in range(0, len(decided), publishing.STEP)]
    context.in_turns([*steps, tell], most=len(steps) + 1)


def _teller(context: JobContext, funnel: Funnel) -> Progress:
    return told_seldom(
        context, lambda phase: f"{funnel.records:,} records read" if phase == "reading" else f"{phase} the file"
    )


def told_seldom(context: JobContext, words: Callable[[str], str]) -> Progress:
    """Progress in kB, told a few times a second: each telling is a transaction. `words` makes a note of the phase."""
    told = 0.0

    def tell(phase: str, done: int, total: int) -> None:
        nonlocal told
        context.go_on()
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
