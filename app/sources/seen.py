"""What can be known of an import before it starts, and what is wrong with it: the rest can be known all the same."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.orm import Session

from app.config import Settings
from app.errors import Refusal
from app.sources.archives import brought, workspace_of
from app.sources.columnpage import Mapped, mapped
from app.sources.firstrecords import UNNAMED
from app.sources.formats import needs_site
from app.sources.forms import rules_from
from app.sources.funnel import BadRecords, bad_records
from app.sources.inputs import Input
from app.sources.models import ImportRun
from app.sources.ownsettings import format_of, settings_from
from app.sources.preview import COUNTED, Preview, preview
from app.sources.readers.base import PromptChoice, ReadOptions
from app.sources.records import BadInput, BadLines
from app.sources.rulesets import NONE, BadRules, Ruleset


@dataclass(frozen=True)
class Seen:
    """What is known of an import that is set up: its rules, its files, what was counted, a table's columns.

    `refusal` is the first thing that is wrong with any of them; what can be known all the same is there.
    """

    ruleset: Ruleset = NONE
    source: Input | None = None
    found: Preview | None = None
    table: Mapped | None = None
    refusal: Refusal | None = None

    @property
    def counted(self) -> Preview | None:
        """What was counted by the rules; None where they cannot be read, though records may."""
        return None if isinstance(self.refusal, BadRules) else self.found

    @property
    def unreadable(self) -> bool:
        """Whether the file itself is what is wrong."""
        return isinstance(self.refusal, BadInput)

    def bad(self, typed: Mapping[str, str]) -> BadRecords | None:
        """The records that cannot be read, where they refuse the file or are to be left out of it."""
        if isinstance(self.refusal, BadLines):
            return bad_records(self.refusal.problems, self.refusal.total)
        if self.found is None or self.unreadable or "skip_bad" not in typed:
            return None
        return bad_records(self.found.bad, self.found.bad_total)


def seen_of(session: Session, run: ImportRun, typed: Mapping[str, str], settings: Settings) -> Seen:
    """Rules, files and columns as they are typed, without a look at the records."""
    seen = Seen()
    try:
        seen = replace(seen, ruleset=rules_from(typed))
    except Refusal as refusal:
        seen = _refused(seen, refusal)
    try:
        seen = replace(seen, source=_source(run, typed, settings))
        return replace(seen, table=_table(session, run, typed, seen.source))
    except Refusal as refusal:
        return _refused(seen, refusal)


def _refused(seen: Seen, refusal: Refusal) -> Seen:
    """The same with what is wrong, where nothing was before."""
    return replace(seen, refusal=seen.refusal or refusal)


def looked_into(seen: Seen, run: ImportRun, typed: Mapping[str, str], site: str, settings: Settings) -> Seen:
    """The same with the records, where there is a file whose columns are known."""
    if seen.source is None or (seen.table is not None and seen.table.refusal is not None):
        return seen
    typed = seen.table.typed if seen.table else typed
    try:
        found = preview(seen.source, format_of(run, typed), seen.ruleset, _options(run, typed, site, settings))
    except Refusal as refusal:
        return _refused(seen, refusal)
    seen = replace(seen, found=found)
    return seen if found.refusal is None else _refused(seen, found.refusal)


def _source(run: ImportRun, typed: Mapping[str, str], settings: Settings) -> Input:
    name, encoding = run.options.get("file") or "", typed.get("encoding") or "auto"
    return brought(Path(run.path), workspace_of(settings), encoding=encoding, name=name, sample_bytes=COUNTED)


def _table(session: Session, run: ImportRun, typed: Mapping[str, str], source: Input | None) -> Mapped | None:
    """The columns and their mapping, where the file is read as a table."""
    return mapped(session, run, typed, source) if source and format_of(run, typed) == "table" else None


def _options(run: ImportRun, typed: Mapping[str, str], site: str, settings: Settings) -> ReadOptions:
    seed = typed.get("seed", "")
    return ReadOptions(
        site=site or (UNNAMED if needs_site(run.format) else None),
        skip_bad="skip_bad" in typed,
        prompt=PromptChoice(typed.get("prompt", "either"), seed=int(seed) if seed.isdecimal() else 0),
        name=run.options.get("file"),
        licence=typed.get("licence") or None,
        longest=settings.max_record_mb << 20,
        settings=settings_from(run, typed),
    )
