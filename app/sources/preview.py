"""What rules would do to a file before it is imported: counts, and the first records as they will look."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.sources.formats import ReadOptions, open_source, source_file
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


def preview(path: Path, format: str, site: str | None, ruleset: Ruleset, options: ReadOptions) -> Preview | None:
    """Count what the rules keep; None for one long JSON array, of which no beginning can be cut. Raises BadInput."""
    started = time.monotonic()
    file = source_file(path)
    share = min(1.0, COUNTED / max(1, file.stat().st_size))
    if share == 1:
        found = _count(path, format, site, ruleset, options, share)
    elif _is_array(file):
        return None
    else:
        with _beginning(file) as sample:
            found = _count(sample, format, site, ruleset, options, share)
    found.seconds = time.monotonic() - started
    return found


def _is_array(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


@contextmanager
def _beginning(file: Path) -> Iterator[Path]:
    """The first megabytes of a file as a file of its own, whole lines only; a dump's root is closed."""
    with tempfile.TemporaryDirectory() as folder, file.open("rb") as opened:
        text = opened.read(COUNTED)
        text = text[: text.rfind(b"\n") + 1]
        is_dump = text.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
        sample = Path(folder) / "sample"
        sample.write_bytes(text + b"</posts>" if is_dump else text)
        yield sample


def _count(path: Path, format: str, site: str | None, ruleset: Ruleset, options: ReadOptions, share: float) -> Preview:
    found = Preview(Funnel(ruleset), share)
    kept: list[tuple[Record, Decision]] = []
    dropped: list[tuple[Record, Decision]] = []
    for record in open_source(path, format, site, options).records():
        decision = ruleset.decide(record)
        found.funnel.add(decision)
        found.named += record.author is not None
        if record.licence and len(found.licences) < SHOWN:
            found.licences.add(record.licence)
        shown = kept if decision.kept else dropped
        if len(shown) < SHOWN:
            shown.append((record, decision))
    # Kept ones first: of a dump most records fall, and what will be kept is what people want to see.
    found.first = (kept[: SHOWN * 3 // 4] + dropped)[:SHOWN]
    return found
