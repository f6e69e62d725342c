"""Whether a version is still what was frozen, which triggers see to and a nightly look proves.

At its freeze a version is sealed: its hash, the number of its rows, a few bytes of a hash of each row and the hash of
its manifest are kept beside it. A look compares all of that with what the database holds now, so that a change is
noticed whoever made it and however consistently, and the row is named.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, undefer

from app.accounts.audit import record
from app.datasets.canonical import FrozenLine, Line, version_id
from app.datasets.exports import VersionBroken
from app.datasets.manifest import EXAMPLES, MANIFEST
from app.datasets.models import KEPT, Version, VersionCheck, VersionRow
from app.db import now
from app.projects.models import Split
from app.text.canonical import content_hash
from app.web.words import plural

DUE = timedelta(hours=23)
ROWS_AT_ONCE = 500
# Stands for the hash of a manifest where a seal was taken away, so that the version stays broken until it is back.
LOST = ""
GONE = "it is gone from the database"


@dataclass(frozen=True)
class Frozen:
    """A row of a version without its words."""

    position: int
    example_id: int
    revision_number: int
    split: Split
    source: str
    sha256: str

    def digest(self, sha256: str) -> bytes:
        """What a seal keeps of the row, whose words have that hash."""
        told = f"{sha256} {self.example_id} {self.revision_number} {self.split.value} {self.source}"
        return hashlib.sha256(told.encode()).digest()[:KEPT]


FROZEN = tuple(field.name for field in fields(Frozen))


@dataclass(frozen=True)
class Fault:
    """What is wrong in words, at which position (from 0) if one row is named, and in which file of an export it is."""

    words: str
    position: int | None = None
    file: str = EXAMPLES


@dataclass(frozen=True)
class Standing:
    """What the last look at a version found: when (None: none yet since the freeze), and what is wrong, if anything."""

    name: str
    checked_at: datetime | None
    problem: str = ""
    broken_since: datetime | None = None
    position: int | None = None

    def document(self) -> dict[str, str | int | None]:
        """As the API and the command line print it; a row counts from 1."""
        return {
            "verified_at": self.checked_at.isoformat(timespec="seconds") if self.checked_at else None,
            "problem": self.problem or None,
            "row": None if self.position is None else self.position + 1,
        }


def seal_of(version: Version, rows: Iterable[Frozen]) -> VersionCheck:
    """The seal of a version that was just written, or is looked at for the first time; `rows` are all of its rows."""
    return VersionCheck(
        version_id=version.id,
        project_id=version.project_id,
        name=version.name,
        sha256=version.sha256,
        row_count=version.row_count,
        manifest_sha256=content_hash(version.manifest),
        row_digests=b"".join(row.digest(row.sha256) for row in rows),
        problem="",
    )


def recheck(session: Session, version: Version) -> Version:
    """The version, if it is what was frozen, down to where each row came from; raises VersionBroken."""
    found = faults(session, version, _seal(session, version.id))
    if found:
        raise VersionBroken(name=version.name, fault=found[0].words)
    return version


def sound_lines(session: Session, version: Version) -> Iterator[FrozenLine]:
    """The lines of examples.jsonl, read once: each is looked at as `recheck` does before it is given.

    A fault raises VersionBroken, be it at the last row: what was made of the lines before is not to be kept. Only that
    the lines together have the version's id is left to who writes them, as `write_folder` does.
    """
    seal = _seal(session, version.id)
    rows, frozen_as = _as_frozen(version, seal)
    beside = (
        _fault_of_seal(version, seal), _faults_of_id(version, rows, frozen_as), _faults_of_place(version, seal),
        _fault_of_manifest(version, seal),
    )  # fmt: skip
    if any(True for faults_beside in beside for _ in faults_beside):
        recheck(session, version)  # names what comes first of all that is wrong
    return _sound_lines(session, version, seal)


def _sound_lines(session: Session, version: Version, seal: VersionCheck | None) -> Iterator[FrozenLine]:
    reading = _Reading(session, version, seal)
    for row, line, fault in reading.rows():
        if fault is not None:
            raise VersionBroken(name=version.name, fault=fault.words)
        yield FrozenLine(Line(row.sha256, line), edited=row.revision_number > 1)
    for fault in _faults_of_count(reading.places, _as_frozen(version, seal)[0]):
        raise VersionBroken(name=version.name, fault=fault.words)


def has_seal(manifest: Mapping[str, Any]) -> bool:
    """Whether what wrote that manifest sealed versions: whatever counts tokens does."""
    return "tokens" in manifest


def _seal(session: Session, number: int) -> VersionCheck | None:
    """What a version was at its freeze; None where that is not known, or is known to be lost."""
    check = session.get(VersionCheck, number, options=[undefer(VersionCheck.row_digests)])
    return check if check is not None and check.manifest_sha256 != LOST else None


def faults(session: Session, version: Version, seal: VersionCheck | None) -> list[Fault]:
    """All that is wrong: that the seal is gone, rows in their order, then the whole, its place, the manifest."""
    reading = _Reading(session, version, seal)
    rows = [fault for _, _, fault in reading.rows() if fault is not None]
    return [
        *_fault_of_seal(version, seal), *rows, *_faults_of_whole(version, seal, reading),
        *_faults_of_place(version, seal), *_fault_of_manifest(version, seal),
    ]  # fmt: skip


class _Reading:
    """The rows of a version as a look goes through them: once, a few at a time, each encoded once for both hashes."""

    def __init__(self, session: Session, version: Version, seal: VersionCheck | None) -> None:
        self.places: list[int] = []
        self._session, self._number, self._seal = session, version.id, seal
        self._digest = hashlib.sha256()

    def rows(self) -> Iterator[tuple[Frozen, str, Fault | None]]:
        """Each row with its line, and what is wrong with it."""
        query = _rows(self._number).execution_options(yield_per=ROWS_AT_ONCE)
        with self._session.execute(query) as found:
            for *columns, line in found:
                row, data = Frozen(*columns), line.encode()
                self.places.append(row.position)
                self._digest.update(data)
                self._digest.update(b"\n")
                yield row, line, self._fault_of(row, hashlib.sha256(data).hexdigest())

    def _fault_of(self, row: Frozen, real: str) -> Fault | None:
        seal = self._seal
        if row.sha256 == real and (seal is None or seal.digest_at(row.position) == row.digest(real)):
            return None
        return Fault(f"row {row.position + 1} (example {row.example_id}) has another hash", row.position)

    def set_sha256(self) -> str:
        """What `canonical.set_sha256` gives of the lines that were read."""
        return self._digest.hexdigest()


def _rows(number: int) -> Select[Any]:
    query = select(*(getattr(VersionRow, name) for name in FROZEN), VersionRow.line)
    return query.where(VersionRow.version_id == number).order_by(VersionRow.position)


def _as_frozen(version: Version, seal: VersionCheck | None) -> tuple[int, str]:
    """How many rows it was frozen with, and their hash."""
    return (seal.row_count, seal.sha256) if seal else (version.row_count, version.sha256)


def _fault_of_seal(version: Version, seal: VersionCheck | None) -> Iterator[Fault]:
    if seal is None and has_seal(version.manifest):
        yield Fault("its seal is gone")


def _faults_of_whole(version: Version, seal: VersionCheck | None, reading: _Reading) -> Iterator[Fault]:
    rows, frozen_as = _as_frozen(version, seal)
    yield from _faults_of_count(reading.places, rows)
    if reading.set_sha256() != frozen_as:
        yield Fault("its rows have another hash")
    yield from _faults_of_id(version, rows, frozen_as)


def _faults_of_count(places: Sequence[int], rows: int) -> Iterator[Fault]:
    if missing := sorted(set(range(rows)) - set(places)):
        yield Fault(f"row {missing[0] + 1} is missing", missing[0])
    if len(places) != rows:
        yield Fault(f"it has {plural(len(places), 'row')} and was frozen with {rows:,}")


def _faults_of_id(version: Version, rows: int, sha256: str) -> Iterator[Fault]:
    if (version.sha256, version.row_count, version.manifest.get("id")) != (sha256, rows, version_id(sha256)):
        yield Fault("its id is not the one of the freeze")


def _faults_of_place(version: Version, seal: VersionCheck | None) -> Iterator[Fault]:
    """A name is compared with the manifest too: versions that are older than seals have no more."""
    names = {version.manifest.get("version"), seal.name if seal else version.name} - {version.name}
    if names:
        yield Fault(f"it was frozen as {' or '.join(sorted(map(str, names)))} and is named {version.name} now")
    if seal is not None and seal.project_id != version.project_id:
        yield Fault("it was frozen in another project")


def _fault_of_manifest(version: Version, seal: VersionCheck | None) -> Iterator[Fault]:
    if seal is not None and content_hash(version.manifest) != seal.manifest_sha256:
        yield Fault("its manifest is not the one of the freeze", file=MANIFEST)


def due(session: Session) -> list[int]:
    """The numbers of the versions that nobody has looked at for a day, the longest ago first."""
    late = or_(VersionCheck.checked_at.is_(None), VersionCheck.checked_at < now() - DUE)
    sealed = select(VersionCheck.version_id).where(late)
    waiting = session.scalars(sealed.order_by(VersionCheck.checked_at.is_not(None), VersionCheck.checked_at))
    unsealed = select(Version.id).where(Version.id.not_in(select(VersionCheck.version_id))).order_by(Version.id)
    return [*waiting, *session.scalars(unsealed)]


def look_at(session: Session, number: int) -> list[Fault]:
    """What is wrong with the version of that number; that it is gone is one fault."""
    version = session.get(Version, number)
    if version is None:
        return [Fault(GONE)]
    return faults(session, version, _seal(session, number))


def note(session: Session, number: int, found: Sequence[Fault]) -> Standing:
    """Keep what a look found; a version that breaks, or is whole again, stands in the trail from then on."""
    check = session.get(VersionCheck, number) or _first_check(session, number)
    first = found[0] if found else None
    words = first.words + (f", and {plural(len(found) - 1, 'more fault')}" if len(found) > 1 else "") if first else ""
    if bool(words) != bool(check.problem):
        action = "found version changed" if words else "found version whole again"
        record(session, None, action, f"version:{check.name}", project_id=check.project_id, words=words)
        check.broken_since = now() if words else None
    check.checked_at, check.problem, check.position = now(), words, first.position if first else None
    session.flush()
    return _standing(check)


def _first_check(session: Session, number: int) -> VersionCheck:
    """A seal for a version that is older than seals; one that had one gets none anew: nobody knows what it was."""
    version = session.get_one(Version, number)
    rows = session.execute(_rows(number))
    check = seal_of(version, (Frozen(*columns) for *columns, _ in rows))
    if has_seal(version.manifest):
        check.name, check.manifest_sha256, check.row_digests = str(version.manifest.get("version")), LOST, b""
    session.add(check)
    return check


def verify(session: Session, version: Version) -> Standing:
    """Look at a version now, and keep what was found."""
    return note(session, version.id, look_at(session, version.id))


def verify_all(session: Session, project_id: int) -> None:
    """Look now at every version that the project has or had, and keep what was found."""
    there = session.scalars(select(Version.id).where(Version.project_id == project_id))
    sealed = session.scalars(select(VersionCheck.version_id).where(VersionCheck.project_id == project_id))
    for number in sorted({*there, *sealed}):
        note(session, number, look_at(session, number))


def standings(session: Session, numbers: Sequence[int]) -> dict[int, Standing]:
    """What the last looks at these versions found, by their numbers: one query."""
    rows = session.scalars(select(VersionCheck).where(VersionCheck.version_id.in_(numbers)))
    return {row.version_id: _standing(row) for row in rows}


def broken(session: Session, project_id: int) -> list[Standing]:
    """The versions of a project that are not what was frozen, by name."""
    wrong = select(VersionCheck).where(VersionCheck.project_id == project_id, VersionCheck.problem != "")
    return [_standing(row) for row in session.scalars(wrong.order_by(VersionCheck.name))]


def gone(session: Session, project_id: int) -> list[Standing]:
    """The versions that a project had, by their seals, in the order of their freezes; found so by a look or not yet."""
    query = select(VersionCheck).where(
        VersionCheck.project_id == project_id, VersionCheck.version_id.not_in(select(Version.id))
    )
    rows = session.scalars(query.order_by(VersionCheck.version_id))
    return [replace(_standing(row), problem=GONE) for row in rows]


def _standing(check: VersionCheck) -> Standing:
    return Standing(check.name, check.checked_at, check.problem, check.broken_since, check.position)
