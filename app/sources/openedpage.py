"""The records behind a number of the funnel, each with the passage for which it was dropped or marked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.config import Settings
from app.errors import NotFound
from app.projects.limits import kept_from_tests
from app.projects.models import Split
from app.sources import queries
from app.sources.excerpts import Excerpt, Piece, excerpt_of, pieces, visible
from app.sources.formats import noun_of
from app.sources.models import ImportRecord, ImportRun, ImportState, Into
from app.sources.opening import is_packed, read_again
from app.sources.records import Decision, Record
from app.sources.restoring import may_be_restored
from app.sources.rules import KEPT
from app.sources.rulesets import Ruleset, ruleset_from
from app.sources.rulewords import READ, TITLES
from app.web.paging import Pager, page_of

PER_PAGE = 20


@dataclass(frozen=True)
class Number:
    """Which number of the funnel is opened: what a rule dropped, what was left after it, or what was marked.

    With `restored` it is what a rule dropped and somebody restored. `record` is one record, by its place among them.
    """

    rule: str | None = None
    after: str | None = None
    marked: bool = False
    restored: bool = False
    record: int | None = None

    @property
    def chosen(self) -> bool:
        """Whether any is."""
        return bool(self.rule or self.after or self.marked or self.record)

    @property
    def query(self) -> str:
        """The same for an address."""
        if self.record:
            return f"record={self.record}"
        if self.marked:
            return "marked=true"
        if self.rule:
            return urlencode({"rule": self.rule} | ({"restored": "true"} if self.restored else {}))
        return urlencode({"after": self.after or READ})


def opening(
    rule: str | None = None,
    after: str | None = None,
    marked: bool = False,
    restored: bool = False,
    # Not `record`: a path that acts on a record names it so.
    one: Annotated[int | None, Query(alias="record", ge=1, le=2**53)] = None,
) -> Number:
    """Which number of a funnel an address opens, or which record."""
    return Number(rule, after, marked, restored, one)


Opening = Annotated[Number, Depends(opening)]


@dataclass(frozen=True)
class RecordRow:
    """A record behind a number; `sign` says what became of it where a list holds both.

    `is_there` is False where its words cannot be read again; `restored` says who made a candidate of it since;
    `flags` are the words under which it was marked, `candidate` is its number in the pool. The reason `says` more
    than the signs and the marked passages beside it.
    """

    number: int
    what: str
    sign: str | None
    title: str
    pieces: Sequence[Piece]
    kept: bool
    reason: str
    flags: Sequence[str]
    says: bool
    score: int | None
    facts: Sequence[str]
    url: str | None
    is_there: bool
    restored: str | None
    may_restore: bool
    may_drop: bool
    candidate: int | None


@dataclass(frozen=True)
class Opened:
    """The records behind one number: by which rule they were dropped, or after which they were left.

    `packed` says that their words lie in an archive which has to be unpacked before they can be shown.
    """

    title: str
    query: str
    rows: Sequence[RecordRow]
    pager: Pager
    packed: bool = False

    @property
    def missing(self) -> int:
        """How many of these records can be named only: their words are gone with the file."""
        return sum(not row.is_there for row in self.rows)


@dataclass(frozen=True)
class Known:
    """What the rows of a list have in common: how a record is called, who restored any, which are in the pool."""

    what: str
    ruleset: Ruleset
    people: Mapping[int, str]
    candidates: Mapping[tuple[str, str], int]
    mixed: bool
    may_change: bool


def opened(
    session: Session, run: ImportRun, settings: Settings, number: Number, page_number: int, *, may_change: bool
) -> Opened:
    """One page of the records behind a number. Raises NotFound for a number that the funnel does not have."""
    statement, title = behind(run, number)
    found, pager = page_of(session, statement, page_number, PER_PAGE)
    records = _readable(session, run, read_again(run, settings, found))
    known = Known(
        what=noun_of(run.format),
        ruleset=ruleset_from(run.ruleset),
        people=_people(session, found),
        candidates=_candidates(session, run, found, records),
        mixed=bool(number.after or number.record),
        may_change=may_change,
    )
    rows = tuple(_row(row, records.get(row.number), known) for row in found)
    return Opened(title, number.query, rows, pager, packed=len(records) < len(found) and is_packed(run, settings))


def _readable(session: Session, run: ImportRun, records: Mapping[int, Record]) -> Mapping[int, Record]:
    """Without the words of test prompts that somebody else brought, where those are kept out of sight."""
    person = kept_from_tests(session)
    if person is None or run.created_by == person:
        return records
    return {number: one for number, one in records.items() if one.split != Split.TEST}


def _people(session: Session, rows: Sequence[ImportRecord]) -> dict[int, str]:
    ids = {row.restored_by for row in rows if row.restored_by is not None}
    people = session.scalars(select(User).where(User.id.in_(ids))) if ids else ()
    return {person.id: visible(person.name) for person in people}


def _candidates(
    session: Session, run: ImportRun, rows: Sequence[ImportRecord], records: Mapping[int, Record]
) -> dict[tuple[str, str], int]:
    """Which of these records are in the pool; an import into the set makes examples, no candidates."""
    if run.into is Into.SET:
        return {}
    kept = [records[row.number] for row in rows if row.number in records and (row.rule is None or row.restored_at)]
    return queries.candidates_by_name(session, run.project_id, [(one.site, one.external_id) for one in kept])


def behind(run: ImportRun, number: Number) -> tuple[Select[ImportRecord], str]:
    """The records behind a number, and what they are. Raises NotFound for one that the funnel does not have."""
    order = [row["rule"] for row in run.result.get("funnel", ())]
    if run.state is not ImportState.PUBLISHED:
        raise NotFound
    if number.record:
        return queries.record_of(run, number.record), f"Record {number.record:,}"
    if number.marked:
        return queries.records_marked(run), "Kept, and marked for a person to look at"
    rule, after = number.rule, number.after
    if (rule or after) not in {*order, READ}:
        raise NotFound
    if rule:
        dropped, words = queries.records_dropped_by(run, rule), f"Dropped by “{TITLES.get(rule, rule)}”"
        return (queries.restored_among(dropped), f"{words}, and restored") if number.restored else (dropped, words)
    if after == READ or after is None:
        return queries.records_of(run.noted_under), "All records read"
    later = order[order.index(after) + 1 :]
    return queries.records_left_after(run, later), f"Left after “{TITLES.get(after, after)}”"


def _row(row: ImportRecord, record: Record | None, known: Known) -> RecordRow:
    reason = row.reason or KEPT.reason
    is_marked = row.rule is None and row.reason is not None
    remarks = _remarks(record, known.ruleset) if is_marked and record else {}
    words = _excerpt(row, record, list(remarks.values()), known.ruleset)
    restored = f"Restored by {known.people.get(row.restored_by or 0, 'somebody')}" if row.restored_at else None
    return RecordRow(
        number=row.number,
        what=known.what,
        sign=_sign(row) if known.mixed else None,
        title=visible(record.title if record else _name_of(row, known.what)) or "Without a title",
        pieces=pieces(words.text, words.marks),
        kept=row.rule is None,
        reason=visible("; ".join(remarks.values()) or reason.removeprefix(MARKED_FOR)),
        flags=tuple(remarks) or ((_first_word(reason),) if is_marked else ()),
        says=row.rule is not None or len(words.marks) < len(remarks) or (is_marked and not remarks),
        score=record.score if record else None,
        facts=tuple(visible(fact) for fact in _facts_of(row, record, known.what) if fact),
        url=record.url if record else None,
        is_there=record is not None,
        restored=restored,
        may_restore=known.may_change and restored is None and record is not None and may_be_restored(row),
        may_drop=known.may_change and restored is not None,
        candidate=known.candidates.get((record.site, record.external_id)) if record else None,
    )


MARKED_FOR = "kept, and marked for "
_HASH = re.compile("[0-9a-f]{32,64}")


def _first_word(reason: str) -> str:
    return reason.removeprefix(MARKED_FOR).partition(":")[0]


def _remarks(record: Record, ruleset: Ruleset) -> dict[str, str]:
    """All that a record was marked for, by the word: the import notes the first of them only."""
    found = (remark for rule in ruleset.rules if rule.marks for remark in rule.remarks(record))
    return {remark.word: remark.reason for remark in found}


def _excerpt(row: ImportRecord, record: Record | None, others: Sequence[str], ruleset: Ruleset) -> Excerpt:
    if record is None:
        return Excerpt("")
    decision = Decision(kept=row.rule is None, rule=row.rule, reason=row.reason or KEPT.reason)
    return excerpt_of(record, decision, others, ruleset)


def _sign(row: ImportRecord) -> str:
    return "Kept" if row.rule is None else f"Dropped by {TITLES.get(row.rule, row.rule)}"


def _name_of(row: ImportRecord, what: str) -> str:
    """How a record is called whose words are gone."""
    return f"Answer {row.external_id}" if what == "answer" else f"{what.capitalize()} of line {row.line:,}"


def _facts_of(row: ImportRecord, record: Record | None, what: str) -> tuple[str | None, ...]:
    # A record without an id of its own is known by the hash of its words.
    is_hash = _HASH.fullmatch(row.external_id) is not None
    name = f"{what} {row.external_id[: 12 if is_hash else 40]}"
    if record is None:
        return (None if what == "answer" else name,)
    place = None if what == "answer" else f"line {row.line:,}"
    return (name, place, record.author and f"by {record.author}", record.licence)
