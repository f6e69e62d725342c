"""What rules would do to a file before it is imported: counts, and the first records as they will look."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.sources.formats import open_source
from app.sources.readers.base import ReadOptions
from app.sources.records import Decision, Record
from app.sources.rulesets import Funnel, Ruleset

SHOWN = 20
# What is counted in about a second; of a larger file the beginning is the sample. The import counts everything.
COUNTED = 16_000_000


@dataclass
class Preview:
    """The funnel over the records that were looked at, the first of them with their decisions, and their rights."""

    funnel: Funnel
    share: float
    first: list[tuple[Record, Decision]] = field(default_factory=list)
    licences: set[str] = field(default_factory=set)
    named: int = 0
    seconds: float = 0.0

    @property
    def records(self) -> int:
        """How many records were looked at."""
        return self.funnel.records

    @property
    def kept(self) -> int:
        """How many of them the rules let through."""
        return self.records - sum(self.funnel.dropped.values())

    @property
    def is_sample(self) -> bool:
        """Whether there is more in the file."""
        return self.share < 1


def preview(path: Path, format: str, ruleset: Ruleset, options: ReadOptions) -> Preview:
    """Count what the rules keep of the first megabytes, and show the first records. Raises a Refusal."""
    started = time.monotonic()
    reader = open_source(path, format, options=replace(options, sample_bytes=COUNTED))
    found = Preview(Funnel(ruleset), 1.0)
    reader.prepare()
    kept: list[tuple[Record, Decision]] = []
    dropped: list[tuple[Record, Decision]] = []
    for record in reader.records():
        decision = ruleset.decide(record)
        found.funnel.add(decision)
        found.named += record.author is not None
        if record.licence and len(found.licences) < SHOWN:
            found.licences.add(record.licence)
        shown = kept if decision.kept else dropped
        if len(shown) < SHOWN:
            shown.append((record, decision))
    found.share = min(1.0, reader.bytes_read / max(1, reader.total_bytes))
    # Kept ones first: of a dump most records fall, and what will be kept is what people want to see.
    found.first = (kept[: SHOWN * 3 // 4] + dropped)[:SHOWN]
    found.seconds = time.monotonic() - started
    return found
