"""What became of versions after their freeze: what each changed in the one before, when it was verified, where it is.

All of it without loading a row: comparisons of frozen versions never come out otherwise, so each is made once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.datasets.checking import Standing, standings
from app.datasets.comparison.comparing import Kind
from app.datasets.comparison.comparisons import FrozenSide, compared
from app.datasets.models import Version
from app.datasets.publication.models import Publication, PublicationState
from app.web.words import plural

# In the order in which people ask; what is the same is not said.
SAID = {
    Kind.ADDED: "added",
    Kind.REMOVED: "removed",
    Kind.REWORDED: "reworded",
    Kind.MOVED: "moved to another split",
    Kind.LICENCE: "under another licence",
    Kind.SOURCE: "under another source",
    Kind.ATTRIBUTION: "with another attribution",
    Kind.GROUP: "in another group",
    Kind.FLAGS: "flagged otherwise",
    Kind.OTHER: "changed otherwise",
}


@dataclass(frozen=True)
class Since:
    """What a version changed in the one before it: how many rows by kind, those that changed in no way left out."""

    before: str
    changes: Mapping[Kind, int]

    @property
    def words(self) -> str:
        """“115 added, 3 removed, 27 reworded (3 only in form)”; those are part of the 27."""
        told = (self._told(kind, count) for kind, count in self.changes.items() if kind is not Kind.FORM)
        return ", ".join(told) or "the same rows"

    def _told(self, kind: Kind, count: int) -> str:
        form = self.changes.get(Kind.FORM) if kind is Kind.REWORDED else None
        return f"{count:,} {SAID[kind]}" + (f" ({form:,} only in form)" if form else "")


@dataclass(frozen=True)
class Published:
    """A place where a version can be had: the repository, and the address of what was sent there."""

    repository: str
    url: str | None
    private: bool
    proposed: bool


@dataclass(frozen=True)
class Afterwards:
    """All of it for one version."""

    since: Since | None
    standing: Standing
    published: Sequence[Published]


def afterwards(
    session: Session, versions: Sequence[Version], before: Mapping[int, Version | None]
) -> dict[int, Afterwards]:
    """What became of these versions, by number; `before` has the version before each, if there is one."""
    numbers = [version.id for version in versions]
    checked, published = standings(session, numbers), _published(session, numbers)
    return {
        version.id: Afterwards(
            since_of(session, version, before.get(version.id)),
            checked.get(version.id) or Standing(version.name, None),
            published.get(version.id, ()),
        )
        for version in versions
    }


def _published(session: Session, numbers: Sequence[int]) -> dict[int, list[Published]]:
    done = (Publication.version_id.in_(numbers), Publication.state == PublicationState.PUBLISHED)
    found: dict[int, dict[str, Published]] = {}
    # Sent twice to one repository, the last time counts.
    for one in session.scalars(select(Publication).where(*done).order_by(Publication.id)):
        private = one.visibility == "private"
        found.setdefault(one.version_id, {})[one.repository] = Published(
            one.repository, one.url, private, one.is_pull_request
        )
    return {number: list(places.values()) for number, places in found.items()}


def version_before(session: Session, version: Version) -> Version | None:
    """The version that was frozen before this one."""
    earlier = select(Version).where(Version.project_id == version.project_id, Version.id < version.id)
    return session.scalar(earlier.order_by(Version.id.desc()).limit(1))


_KNOWN: dict[object, Mapping[Kind, int]] = {}
_LOCK = Lock()
MOST_KNOWN = 10_000


def since_of(session: Session, version: Version, before: Version | None) -> Since | None:
    """What a version changed in the one before it, as the comparison of both counts it; made once a process."""
    if before is None:
        return None
    old, new = FrozenSide(session, before), FrozenSide(session, version)
    key = (old.key, new.key)
    with _LOCK:
        known = _KNOWN.get(key)
    if known is None:
        counts = compared(old, new).counts
        known = {kind: counts[kind] for kind in (*SAID, Kind.FORM) if counts[kind]}
        with _LOCK:
            if len(_KNOWN) >= MOST_KNOWN:
                _KNOWN.clear()
            _KNOWN[key] = known
    return Since(before.name, known)


def tokens_in_words(version: Version) -> str:
    """“381,204; 37 rows cut at 2,048”, as the manifest has it; empty for a version that was frozen without counting."""
    found = version.manifest.get("tokens")
    if not found:
        return ""
    cut = sum(found["cut"].values())
    about = "" if found["exact"] else "about "
    told = f"; {plural(cut, 'row')} cut at {found['limit']:,}" if cut else f"; none cut at {found['limit']:,}"
    return f"{about}{found['total']:,}{told}"
