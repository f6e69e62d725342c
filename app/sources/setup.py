"""What the set-up of an import shows: its rules with their counts, the first records, where it goes."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from app.config import Settings
from app.errors import Denied, Refusal
from app.projects import queries as projects
from app.projects.limits import kept_from_tests
from app.projects.models import Project
from app.sources.columnpage import ColumnsPart, columns_part, fields_of, sheets_of
from app.sources.excerpts import visible
from app.sources.exchanges import site_host
from app.sources.firstrecords import (
    Behind,
    Counted,
    FirstRecord,
    Rights,
    behind_rules,
    counted_of,
    first_record,
    rights_of,
)
from app.sources.formats import claimed, fitting, needs_site, passed_over, rules_of, title_of
from app.sources.forms import RULE, SET, moved, order_of, typed_rules
from app.sources.funnel import BadRecords, Unread, unread_of
from app.sources.inputs import Input
from app.sources.models import ImportRun, Into
from app.sources.opening import encoding_of
from app.sources.ownsettings import (
    OwnSetting,
    OwnSwitch,
    as_word,
    format_of,
    own_settings,
    own_switches,
    settings_from,
)
from app.sources.readers import stackexchange
from app.sources.readers.files import ENCODINGS, is_about_encoding
from app.sources.rulesets import PRESETS, ruleset_from
from app.sources.ruletable import RuleRow, more_rows, rule_rows
from app.sources.seen import Seen, looked_into, seen_of
from app.sources.shell import import_command

SHOWN_FILES = 6
ENCODING_NAMES = (("auto", "UTF-8, or as its byte-order mark says"), *((one, one.upper()) for one in ENCODINGS[1:]))


@dataclass(frozen=True)
class SetupPage:
    """An import before it starts; `unreadable` where the file itself is what errors["form"] speaks of.

    `bad` are its records that cannot be read: they refuse it, or are left out where that was asked for.
    """

    id: int
    heading: str
    format: str
    format_title: str
    is_dump: bool
    files: Sequence[tuple[str, int]]
    more_files: int
    unnamed: bool
    rules: Sequence[RuleRow]
    more: Sequence[RuleRow]
    order: str
    counted: Counted | None
    behind: Sequence[Behind]
    first: Sequence[FirstRecord]
    rights: Rights | None
    sources: Sequence[tuple[str, str]]
    rules_query: str
    presets: Sequence[str]
    command: str
    typed: Mapping[str, str]
    errors: Mapping[str, str]
    columns: ColumnsPart | None
    formats: Sequence[tuple[str, str]]
    left_out: Unread | None
    own: Sequence[OwnSetting] = ()
    switches: Sequence[OwnSwitch] = ()
    sheets: Sequence[str] = ()
    unreadable: bool = False
    bad: BadRecords | None = None
    # Whether its records are still to be counted and shown, which takes longer than a refusal may.
    uncounted: bool = False
    # What a person may choose the text's encoding from, where it is not UTF-8; `in_doubt` where it refuses the file.
    encodings: Sequence[tuple[str, str]] = ()
    in_doubt: bool = False
    # How many records were looked at where not one of them has a response; else how many of the kept ones have none.
    unanswered: int = 0
    prompts: int = 0
    # How many train prompts without a response stand in the way of an import into the set, or are left out of it.
    not_for_set: int = 0
    # When it was left so, where it stands here as somebody left it.
    left_at: datetime | None = None
    # The set-up as typed but read as a table, where its columns may be mapped instead.
    table_query: str = ""

    @property
    def may_start(self) -> bool:
        """Whether there is anything that can be imported as it is set up."""
        return not self.unreadable and not (self.columns and self.columns.refused)


def default_typed(run: ImportRun) -> dict[str, str]:
    """What the form says before anybody touched it: an earlier import's settings, else those of the format."""
    ruleset = ruleset_from(run.ruleset or rules_of(run.format))
    prompt = run.options.get("prompt", {})
    typed = {
        "name": run.name,
        "site": run.site,
        "source": run.source or "",
        "licence": run.licence or "",
        "format": run.format,
        "into": run.into.value,
        "encoding": encoding_of(run),
        "prompt": prompt.get("part", "either"),
        "seed": str(prompt.get("seed", 0)),
    }
    own = run.options.get("settings", {})
    typed |= {f"{SET}{name}": as_word(value) for name, value in own.items() if isinstance(value, str | int)}
    typed |= {f"{SET}{name}": "\n".join(map(str, value)) for name, value in own.items() if isinstance(value, list)}
    typed |= fields_of(own.get("columns", {}))
    return typed | ({"skip_bad": "true"} if run.skip_bad else {}) | typed_rules(ruleset)


class NotYoursToSetUp(Denied):
    """This file may hold test prompts, which are kept out of your sight; whoever brought it, or a lead, sets it up."""


def require_sight(session: Session, run: ImportRun) -> None:
    """Raise NotYoursToSetUp where a draft may hold test prompts that are kept from whoever asks."""
    if kept_from_tests(session) not in {None, run.created_by}:
        raise NotYoursToSetUp


def setup_page(
    session: Session, project: Project, run: ImportRun, typed: Mapping[str, str], settings: Settings
) -> SetupPage:
    """The set-up with counts for the rules as typed; what is wrong with the file or the rules is said instead."""
    require_sight(session, run)
    typed = moved(typed)
    errors: dict[str, str] = {}
    site = typed.get("site", "").strip()
    if site and needs_site(run.format):
        try:
            site = site_host(site)
        except Refusal as refusal:
            errors["site"], site = refusal.message, ""
    seen = looked_into(seen_of(session, run, typed, settings), run, typed, site, settings)
    if seen.refusal is not None:
        errors["form"] = seen.refusal.message
    page, bad = _page(session, project, run, typed, errors, seen), seen.bad(typed)
    faults = (errors.get("form", ""), *(one.reason for one in (bad.lines if bad else ())))
    in_doubt = any(map(is_about_encoding, faults))
    encodings = ENCODING_NAMES if in_doubt else page.encodings
    return replace(page, unreadable=seen.unreadable, bad=bad, in_doubt=in_doubt, encodings=encodings)


def refused_page(
    session: Session,
    project: Project,
    run: ImportRun,
    typed: Mapping[str, str],
    errors: Mapping[str, str],
    settings: Settings,
) -> SetupPage:
    """The set-up as it was typed, with what does not fit; its records are asked for next, so that it is there at once.

    It is built within the transaction of a write, for which others wait.
    """
    require_sight(session, run)
    page = _page(session, project, run, typed, errors, seen_of(session, run, typed, settings))
    return replace(page, uncounted=True)


def _page(
    session: Session, project: Project, run: ImportRun, typed: Mapping[str, str], errors: Mapping[str, str], seen: Seen
) -> SetupPage:
    format = format_of(run, typed)
    ruleset, found, table, source = seen.ruleset, seen.counted, seen.table, seen.source
    typed = table.typed if table else typed
    files = _files(run, source)
    return SetupPage(
        id=run.id,
        heading=visible(run.name),
        format=format,
        format_title=title_of(format),
        is_dump=needs_site(run.format),
        files=files[:SHOWN_FILES],
        more_files=max(0, len(files) - SHOWN_FILES),
        unnamed=format == stackexchange.FORMAT.name
        and source is not None
        and not stackexchange.names_authors(source.files),
        rules=rule_rows(ruleset, typed, found),
        more=more_rows(typed, found),
        order=" ".join(order_of(typed)),
        counted=counted_of(found) if found else None,
        behind=behind_rules(ruleset, found) if found else (),
        first=_first(seen),
        rights=rights_of(found) if found else None,
        sources=_source_options(session, project),
        rules_query=urlencode({key: value for key, value in typed.items() if key.startswith(RULE)}),
        presets=tuple(PRESETS),
        command=_command(project, run, typed, seen),
        typed=typed,
        errors=errors,
        columns=columns_part(table) if table else None,
        formats=tuple((name, title_of(name)) for name in fitting(run.format)),
        left_out=_left_out(run, seen),
        own=own_settings(format, typed),
        switches=own_switches(format, typed, source),
        encodings=_encodings(typed, source),
        table_query=urlencode({**typed, "format": "table"}) if "table" in fitting(run.format) else "",
        unanswered=found.records if found and found.records and not found.answered else 0,
        prompts=found.prompts if found else 0,
        not_for_set=found.prompts_for_train if found and typed.get("into") == Into.SET else 0,
        sheets=sheets_of(source) if source else (),
    )


def _first(seen: Seen) -> tuple[FirstRecord, ...]:
    """The first records; nothing is said of what becomes of them where the rules cannot be read."""
    shown = seen.found.first if seen.found else ()
    rows = tuple(first_record(record, decision, seen.ruleset) for record, decision in shown)
    return rows if seen.counted else tuple(replace(row, sign="", verdict="") for row in rows)


def _encodings(typed: Mapping[str, str], source: Input | None) -> Sequence[tuple[str, str]]:
    """What to choose from where one was chosen already, or where a file is not in UTF-8."""
    # XML says it itself, and its parser listens to nothing else.
    texts = [file for file in source.files if file.kind != "xml"] if source else []
    chosen = typed.get("encoding", "auto") != "auto"
    return ENCODING_NAMES if chosen or any(file.encoding != "utf-8-sig" for file in texts) else ()


def _command(project: Project, run: ImportRun, typed: Mapping[str, str], seen: Seen) -> str:
    settings: dict[str, Any] = {}
    with suppress(Refusal):  # what is wrong with them is said elsewhere
        settings = settings_from(run, typed)
    return import_command(
        project.slug,
        run.options.get("file") or run.name,
        typed.get("site", ""),
        typed.get("source"),
        typed.get("into", "pool"),
        seen.ruleset,
        settings,
        encoding=typed.get("encoding") or "auto",
        skip_bad="skip_bad" in typed,
    )


def _files(run: ImportRun, source: Input | None) -> tuple[tuple[str, int], ...]:
    """The files that are read with their sizes; of an upload its own name, under which it is not kept."""
    path = Path(run.path)
    if path.is_dir():
        read = claimed(run.format, source.files) if source else ()
        return tuple((visible(one.name), one.path.stat().st_size) for one in read)
    return ((visible(run.options.get("file", "")), path.stat().st_size),) if path.exists() else ()


def _left_out(run: ImportRun, seen: Seen) -> Unread | None:
    """The files that nothing is read of: those that the reader says, or that the format does not claim."""
    found = seen.found.left_out if seen.found else ()
    if seen.found is None and seen.source:
        found = passed_over(seen.source, run.format)
    return unread_of([(one.path, one.reason) for one in found])


def _source_options(session: Session, project: Project) -> tuple[tuple[str, str], ...]:
    rows = session.scalars(projects.composition_of(project))
    named = dict.fromkeys((row.source, row.title) for row in rows)
    return (("", "As its exchange or the record says"), *named)
