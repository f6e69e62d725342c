"""The work of an import, the same for the pool and for the set: read, write, and publish when all is there.

Guarantee: nothing of an import is visible before its last batch is written, and an import that is run again
after its worker died starts over, so each record is there once.
"""

import resource
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from app.errors import NotFound
from app.jobs.running import JobContext
from app.sources import operations
from app.sources.formats import open_source
from app.sources.models import ImportRun
from app.sources.operations import BatchCount, ImportResult
from app.sources.readers.base import PromptChoice, ReadOptions
from app.sources.records import Decision, Record
from app.sources.rulesets import Funnel, ruleset_from

BATCH = 500
TELL_EVERY = 0.3
MOST_LISTED = 1000

Sink = Callable[[Session, ImportRun, Sequence[Record]], BatchCount]
Item = TypeVar("Item")


def run_import(context: JobContext, sink: Sink) -> None:
    """Do one import: `sink` takes each batch of kept records, inside the transaction that notes them."""
    started = time.monotonic()
    with context.writing() as session:
        run = _run(session, context)
        operations.begin_import(session, run)
    funnel = Funnel(ruleset_from(run.ruleset))
    options = _options(run, context, _teller(context, funnel))
    reader = open_source(Path(run.path), run.format, run.site or None, options)
    reader.prepare()
    result = ImportResult(reader.format)
    for batch in _batches(reader.records(), BATCH):
        # A bad record refuses the whole; the rest is read only to name the others.
        if reader.errors and not options.skip_bad:
            continue
        _write(context, sink, [(record, funnel.ruleset.decide(record)) for record in batch], funnel, result)
    result.records, result.funnel = funnel.records, funnel.rows()
    result.errors = [{"line": bad.line, "reason": bad.reason} for bad in reader.errors] + result.errors
    result.seconds = round(time.monotonic() - started, 3)
    result.peak_rss_mb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    with context.writing() as session:
        operations.publish_import(session, _run(session, context), result)


def _run(session: Session, context: JobContext) -> ImportRun:
    run = session.get(ImportRun, context.args["import_run_id"])
    if run is None:
        raise NotFound("The import is not there any more.")
    return run


def _options(run: ImportRun, context: JobContext, teller: Callable[[str, int, int], None]) -> ReadOptions:
    return ReadOptions(
        skip_bad=run.skip_bad,
        prompt=PromptChoice(**run.options.get("prompt", {})),
        name=run.options.get("file"),
        licence=run.licence,
        longest=context.settings.max_record_mb << 20,
        on_progress=teller,
    )


def _write(
    context: JobContext,
    sink: Sink,
    decided: Sequence[tuple[Record, Decision]],
    funnel: Funnel,
    result: ImportResult,
) -> None:
    with context.writing() as session:
        run = _run(session, context)
        operations.note_records(session, run, funnel.records, decided)
        count = sink(session, run, [record for record, decision in decided if decision.kept])
    for _, decision in decided:
        funnel.add(decision)
    result.created += count.created
    result.unchanged += count.unchanged
    listed = count.clashes[: MOST_LISTED - len(result.errors)]
    result.errors += [{"line": bad.line, "reason": bad.reason} for bad in listed]


def _teller(context: JobContext, funnel: Funnel) -> Callable[[str, int, int], None]:
    """Progress in kB, told a few times a second: each telling is a transaction."""
    told = 0.0

    def tell(phase: str, done: int, total: int) -> None:
        nonlocal told
        context.check()
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            note = f"{funnel.records:,} records read" if phase == "reading" else f"{phase} the file"
            context.progress(done // 1000, total // 1000, "kB", note)

    return tell


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
