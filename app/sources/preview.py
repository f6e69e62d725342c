"""What rules would do to a file before it is imported: counts, and the first records as they will look."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.projects.models import Split
from app.sources.formats import open_source
from app.sources.inputs import Input
from app.sources.readers.base import ReadOptions
from app.sources.records import BadInput, BadLine, BadLines, Decision, LeftOut, Record
from app.sources.rules import ALL
from app.sources.rulesets import Funnel, Ruleset

SHOWN = 20
# Of each rule, what it dropped first.
SHOWN_OF_A_RULE = 3
# Records whose words are looked at whatever the rules: who wrote them, which rules have anything to say of them.
LOOKED_AT = 500
# What is counted in about a second; of a larger file the beginning is the sample. The import counts everything.
COUNTED = 16_000_000


Decided = tuple[Record, Decision]


@dataclass
class Preview:
    """The funnel over the records that were counted, the first of them with their decisions, and their rights.

    `dropped` are the first records that each rule dropped, and those that it marked; `fitting` are the rules that
    have something to look at in the first records; `named` of `looked_at` have an author; `answered` says whether any
    record has a response, `prompts` how many of the kept ones end without one, `prompts_for_train` how many of these
    are for the train split; `left_out` are the files and sheets of the input that are not read, `bad` the first of the
    `bad_total` records that cannot be. `refusal` is why an import would be refused: all else is of what can be read.
    """

    funnel: Funnel
    share: float
    first: list[Decided] = field(default_factory=list)
    dropped: dict[str, list[Decided]] = field(default_factory=dict)
    marked: list[Decided] = field(default_factory=list)
    fitting: set[str] = field(default_factory=set)
    licences: set[str] = field(default_factory=set)
    named: int = 0
    looked_at: int = 0
    answered: bool = False
    prompts: int = 0
    prompts_for_train: int = 0
    seconds: float = 0.0
    left_out: tuple[LeftOut, ...] = ()
    bad: tuple[BadLine, ...] = ()
    bad_total: int = 0
    refusal: BadInput | None = None

    @property
    def records(self) -> int:
        """How many records were counted."""
        return self.funnel.records

    @property
    def kept(self) -> int:
        """How many of them the rules let through."""
        return self.records - sum(self.funnel.dropped.values())

    @property
    def is_sample(self) -> bool:
        """Whether there is more in the file."""
        return self.share < 1

    def add(self, record: Record, decision: Decision) -> None:
        """Count a record, and keep it if it is among the first of its kind."""
        self.funnel.add(decision)
        self.answered = self.answered or bool(record.responses)
        if decision.kept and not record.is_answered:
            self.prompts += 1
            self.prompts_for_train += (record.split or Split.TRAIN) == Split.TRAIN
        if decision.flags and len(self.marked) < SHOWN_OF_A_RULE:
            self.marked.append((record, decision))
        if decision.rule is not None:
            shown = self.dropped.setdefault(decision.rule, [])
            if len(shown) < SHOWN_OF_A_RULE:
                shown.append((record, decision))
        if decision.kept or self.records <= LOOKED_AT:
            self._look(record)

    def _look(self, record: Record) -> None:
        self.looked_at += 1
        self.named += record.author is not None
        if record.licence and len(self.licences) < SHOWN:
            self.licences.add(record.licence)
        if self.records <= LOOKED_AT:
            self.fitting |= {kind.name for kind in ALL if kind.name not in self.fitting and kind().applies_to(record)}


def preview(source: Path | Input, format: str, ruleset: Ruleset, options: ReadOptions) -> Preview:
    """Count what the rules keep of the first megabytes, and show the first records.

    Of a file that an import would refuse, what can be read is shown all the same. Raises a Refusal if that is nothing.
    """
    started = time.monotonic()
    reader = open_source(source, format, options=replace(options, skip_bad=True, sample_bytes=COUNTED))
    found = Preview(Funnel(ruleset), 1.0)
    kept: list[Decided] = []
    dropped: list[Decided] = []
    try:
        reader.prepare()
        for record in reader.records():
            decision = found.funnel.ruleset.decide(record)
            found.add(record, decision)
            shown = kept if decision.kept else dropped
            if len(shown) < SHOWN:
                shown.append((record, decision))
    except BadInput as refusal:
        if not found.records:
            raise
        found.refusal = refusal
    found.share = min(1.0, reader.bytes_read / max(1, reader.total_bytes))
    # Kept ones first: of a dump most records fall, and what will be kept is what people want to see.
    found.first = kept[: SHOWN - min(len(dropped), SHOWN // 4)]
    found.first += dropped[: SHOWN - len(found.first)]
    found.left_out = reader.left_out
    # What only the end of a reading tells is told of a sample too: a file that is broken.
    broken = [one for one in reader.broken if one not in reader.errors]
    found.bad = (*broken, *reader.errors)[: BadLines.SHOWN]
    found.bad_total = reader.error_count + len(broken)
    if found.bad and not options.skip_bad and found.refusal is None:
        found.refusal = BadLines(list(found.bad), found.bad_total)
    found.seconds = time.monotonic() - started
    return found
