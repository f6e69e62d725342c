"""The work of an import, the same for the pool and for the set: check everything, then write, then publish.

Guarantee: nothing of an import is visible before its last batch is written, and an import that is run again
after its worker died starts over, so each record is there once.
"""

import resource
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from app.errors import NotFound
from app.jobs.running import JobContext
from app.sources import operations
from app.sources.formats import Reader, ReadOptions, open_source
from app.sources.models import ImportRun
from app.sources.operations import BatchCount, ImportResult
from app.sources.records import Decision, Record
from app.sources.rulesets import Funnel, ruleset_from
from app.sources.stackexchange import PromptChoice

BATCH = 500
TELL_EVERY = 0.3

Sink = Callable[[Session, ImportRun, Sequence[Record]], BatchCount]
Item = TypeVar("Item")


def run_import(context: JobContext, sink: Sink) -> None:
    """Do one import: `sink` takes each batch of kept records, inside the transaction that notes them."""
    started = time.monotonic()
    with context.writing() as session:
        run = _run(session, context)
        operations.begin_import(session, run)
    reader = _open(run, context)
    reader.validate()
    funnel = Funnel(ruleset_from(run.ruleset))
    result = ImportResult(reader.format)
    for batch in _batches(reader.records(), BATCH):
        _write(context, sink, [(record, funnel.ruleset.decide(record)) for record in batch], funnel, result)
    result.records, result.funnel = funnel.records, funnel.rows()
    result.errors = [{"line": bad.line, "reason": bad.reason} for bad in reader.errors]
    result.seconds = round(time.monotonic() - started, 3)
    result.peak_rss_mb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    with context.writing() as session:
        operations.publish_import(session, _run(session, context), result)


def _run(session: Session, context: JobContext) -> ImportRun:
    run = session.get(ImportRun, context.args["import_run_id"])
    if run is None:
        raise NotFound("The import is not there any more.")
    return run


def _open(run: ImportRun, context: JobContext) -> Reader:
    prompt: dict[str, Any] = run.options.get("prompt", {})
    options = ReadOptions(
        skip_bad=run.skip_bad, prompt=PromptChoice(**prompt), licence=run.licence, on_progress=_teller(context)
    )
    return open_source(Path(run.path), run.format, run.site or None, options)


def _write(
    context: JobContext,
    sink: Sink,
    decided: Sequence[tuple[Record, Decision]],
    funnel: Funnel,
    result: ImportResult,
) -> None:
    kept = [record for record, decision in decided if decision.kept]
    for _, decision in decided:
        funnel.add(decision)
    with context.writing() as session:
        run = _run(session, context)
        operations.note_records(session, run, decided)
        count = sink(session, run, kept)
    result.created += count.created
    result.unchanged += count.unchanged


def _teller(context: JobContext) -> Callable[[str, int, int], None]:
    """Progress in bytes over both passes, told a few times a second: each telling is a transaction."""
    told = 0.0

    def tell(phase: str, done: int, total: int) -> None:
        nonlocal told
        context.check()
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            context.progress(done if phase == "checking" else total + done, 2 * total, "bytes", phase)

    return tell


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
