"""What rules would do to a file before it is imported: counts, and the first records as they will look."""

import time
from dataclasses import dataclass
from pathlib import Path

from app.sources.formats import ReadOptions, open_source
from app.sources.records import Decision, Record
from app.sources.rulesets import Funnel, Ruleset
from app.sources.stackexchange import PromptChoice

SHOWN = 20
# Above this a count takes longer than people wait for a page; the import itself counts everything.
COUNTED_UP_TO = 30_000_000


@dataclass(frozen=True)
class Preview:
    """The funnel over all records, the first of them with their decisions, and how long counting took."""

    funnel: Funnel
    first: tuple[tuple[Record, Decision], ...]
    seconds: float


def preview(
    path: Path,
    format: str,
    site: str,
    ruleset: Ruleset,
    prompt: PromptChoice,
    *,
    skip_bad: bool,
) -> Preview | None:
    """Count what the rules keep; None for a file too large to count while somebody waits. Raises BadInput."""
    started = time.monotonic()
    reader = open_source(path, format, site or None, ReadOptions(skip_bad=skip_bad, prompt=prompt))
    if reader.total_bytes > COUNTED_UP_TO:
        return None
    funnel = Funnel(ruleset)
    kept: list[tuple[Record, Decision]] = []
    dropped: list[tuple[Record, Decision]] = []
    for record in reader.records():
        decision = ruleset.decide(record)
        funnel.add(decision)
        shown = kept if decision.kept else dropped
        if len(shown) < SHOWN:
            shown.append((record, decision))
    # Kept ones first: of a dump most records fall, and what will be kept is what people want to see.
    first = tuple((kept[: SHOWN * 3 // 4] + dropped)[:SHOWN])
    return Preview(funnel, first, time.monotonic() - started)
