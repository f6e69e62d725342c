"""The sides of a comparison: frozen versions, and the approved set, which the next version would be frozen from."""

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from threading import Lock
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.datasets import queries
from app.datasets.canonical import version_id
from app.datasets.comparison.comparing import Comparison, Row, compare
from app.datasets.gates import Filling
from app.datasets.manifest import counted_in
from app.datasets.material import SPLITS, Item, fillings, in_characters, responses_in
from app.datasets.models import Version, VersionRow
from app.datasets.tokens import row_tokens
from app.errors import NotFound
from app.examples.sight import everything
from app.projects.models import Project
from app.projects.queries import composition_of

# What stands for the approved set in addresses and on the command line, unless a version has that name.
DRAFT = "draft"
NEXT = "the next version"
LINES_AT_ONCE = 500
COMPARISONS_KEPT = 4


class NoSuchSide(NotFound):
    """There is no version {name} in {project}; `draft` is what the next one would be."""


class NothingFrozen(NotFound):
    """No version is frozen yet, so there is nothing to compare. Freeze one first."""


class Side(Protocol):
    """One side: its name and its project's, what its manifest says, its rows without words, the words of some of them.

    `means` are the characters of a mean prompt and a mean response, `tokens` the manifest's part on them or {}. Both
    come by one way, so that a set is as long before its freeze as after it.
    """

    name: str
    title: str
    project_id: int
    project: str
    id: str | None
    frozen_at: datetime | None
    splits: Mapping[str, int]
    composition: Sequence[Mapping[str, Any]]
    means: tuple[float, float]
    key: tuple[object, ...] | None

    @property
    def tokens(self) -> Mapping[str, Any]:
        """All its tokens, and by what they were counted."""

    def rows(self) -> list[Row]:
        """All rows."""

    def lines(self, rows: Sequence[Row]) -> dict[int, str]:
        """The lines of these rows by their position."""


class FrozenSide:
    """A version; `key` is what the same rows are known by for ever."""

    def __init__(self, session: Session, version: Version) -> None:
        """Take the version; no row is read."""
        manifest = version.manifest
        self._session = session
        self._version = version
        self.name = self.title = version.name
        self.project_id = version.project_id
        self.project: str = manifest["project"]["name"]
        self.id: str | None = version_id(version.sha256)
        self.frozen_at: datetime | None = version.frozen_at
        self.splits: Mapping[str, int] = manifest["examples"]
        self.composition: Sequence[Mapping[str, Any]] = manifest["composition"]
        self.means = _means(manifest["lengths"])
        self.tokens: Mapping[str, Any] = manifest.get("tokens", {})
        # With its time and its database, as another database may have the same number and the same words.
        url = str(session.get_bind().engine.url)
        self.key: tuple[object, ...] | None = (url, version.id, version.sha256, version.frozen_at)

    def rows(self) -> list[Row]:
        """All rows."""
        columns = (VersionRow.position, VersionRow.example_id, VersionRow.revision_number)
        query = select(*columns, VersionRow.split, VersionRow.source, VersionRow.sha256)
        return [Row(*row) for row in self._session.execute(query.where(VersionRow.version_id == self._version.id))]

    def lines(self, rows: Sequence[Row]) -> dict[int, str]:
        """The lines of these rows by their position."""
        query = select(VersionRow.position, VersionRow.line).where(VersionRow.version_id == self._version.id)
        places = [row.position for row in rows]
        found: dict[int, str] = {}
        for start in range(0, len(places), LINES_AT_ONCE):
            some = query.where(VersionRow.position.in_(places[start : start + LINES_AT_ONCE]))
            found.update((position, line) for position, line in self._session.execute(some))
        return found


class DraftSide:
    """What would be frozen now, hidden test prompts among it: whoever shows rows asks who may read them."""

    def __init__(self, session: Session, project: Project) -> None:
        """Read the approved set."""
        # With all that gates look at: a third of a second, and frozen versions need none of it.
        from app.datasets.making_queries import counting_of
        from app.datasets.material_queries import approved_items

        with everything(session):
            items = approved_items(session, project)
        self._items: Sequence[Item] = sorted(items, key=lambda item: (item.line, item.example_id))
        self.name, self.title = DRAFT, NEXT
        self.project_id = project.id
        self.project: str = project.name
        self.id: str | None = None
        self.frozen_at: datetime | None = None
        self.key: tuple[object, ...] | None = None
        self.splits: Mapping[str, int] = dict.fromkeys(SPLITS, 0) | Counter(item.split for item in items)
        targets = session.scalars(composition_of(project))
        empty = [Filling(r.source, r.split.value, r.title, r.short_title, r.colour, r.target, 0) for r in targets]
        self.composition: Sequence[Mapping[str, Any]] = [vars(row) for row in fillings(empty, items)]
        self.means = _means(in_characters(items))
        self._counting = counting_of(session, project)

    @cached_property
    def tokens(self) -> Mapping[str, Any]:
        """All its tokens: a second for a thousand rows, once a process."""
        counted = row_tokens([item.messages for item in self._items], self._counting.tokens)
        return counted_in(self._items, counted, self._counting)

    def rows(self) -> list[Row]:
        """All rows."""
        return [
            Row(place, item.example_id, item.revision_number, item.split, item.source, item.line.sha256)
            for place, item in enumerate(self._items)
        ]

    def lines(self, rows: Sequence[Row]) -> dict[int, str]:
        """The lines of these rows by their position."""
        return {row.position: self._items[row.position].line.text for row in rows}


def _means(lengths: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    prompts = [(row["examples"], row["prompt"]["mean"]) for row in lengths]
    responses = [(responses_in(row), row["response"]["mean"]) for row in lengths]
    prompt, response = (
        sum(count * mean for count, mean in rows) / max(1, sum(count for count, _ in rows))
        for rows in (prompts, responses)
    )
    return prompt, response


def side_named(session: Session, project: Project, name: str) -> Side:
    """The version of that name, or the approved set for `draft`. Raises NoSuchSide."""
    version = queries.version_by_name(session, project, name)
    if version is None and name != DRAFT:
        raise NoSuchSide(name=name[:80], project=project.slug)
    return DraftSide(session, project) if version is None else FrozenSide(session, version)


def called(old: Side, new: Side) -> tuple[str, str]:
    """What both sides are called: by their versions alone, and with their projects where these are two."""
    if old.project_id == new.project_id:
        return old.title, new.title
    return f"{old.title} of {old.project}", f"{new.title} of {new.project}"


def names_of(session: Session, project: Project) -> list[str]:
    """What can be compared: the versions, the newest first."""
    return list(session.scalars(queries.versions_of(project).with_only_columns(Version.name)))


def chosen_names(names: Sequence[str], old: str | None, new: str | None) -> tuple[str, str]:
    """Both sides' names: those given, else the two newest versions, or the only one and what comes next.

    The newest version is compared with what comes next, any other with the newest; and without an old side the new one
    with the version before it. Raises NothingFrozen where there is no version.
    """
    if not names:
        raise NothingFrozen
    if new is None:
        new = DRAFT if names[0] == (old or names[-1]) else names[0]
    if old is None:
        later = names.index(new) + 1 if new in names else 0
        old = names[min(later, len(names) - 1)]
    return old, new


def compared(old: Side, new: Side) -> Comparison:
    """Compare two sides; of frozen ones the last few comparisons are kept, since they never come out otherwise."""
    key = (old.key, new.key) if old.key and new.key else None
    if key is not None and (known := _KNOWN.get(key)):
        return known
    same_project = old.project_id == new.project_id
    found = compare(old.rows(), new.rows(), old.lines, new.lines, same_project=same_project)
    if key is not None:
        _KNOWN.keep(key, found)
    return found


class _Known:
    """The comparisons asked for last; safe from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[object, Comparison] = OrderedDict()

    def get(self, key: object) -> Comparison | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: object, comparison: Comparison) -> None:
        with self._lock:
            self._kept[key] = comparison
            while len(self._kept) > COMPARISONS_KEPT:
                self._kept.popitem(last=False)


_KNOWN = _Known()
