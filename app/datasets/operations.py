"""Freezing the approved set, and using a version only as long as it is what was frozen."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import Role, User
from app.datasets import gates, material_queries, queries
from app.datasets.archive import Packing, packing_of, write_archive
from app.datasets.canonical import set_sha256, version_id
from app.datasets.checking import FROZEN, Frozen, Standing, recheck, seal_of, sound_lines, standings
from app.datasets.exports import EDITION, write_folder
from app.datasets.formats import Format
from app.datasets.gate_queries import as_read
from app.datasets.gates import GATES, Gate, GateState
from app.datasets.making_queries import making_of
from app.datasets.manifest import build_manifest
from app.datasets.material import Item, Material, Person, split_counts
from app.datasets.models import Version, VersionRow
from app.db import now
from app.errors import Conflict, Denied, Gone, NotFound, Refusal
from app.projects.limits import require_open
from app.projects.models import Project, Split
from app.projects.queries import project_by_slug, role_in
from app.text.licences import key_of, licence_of, parts_of
from app.text.wellformed import require_wellformed

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LONGEST_REASON = 500
# Comparisons call by it what is approved and not frozen yet.
DRAFT = "draft"

# Of a gate that does not block.
_IDLE = {GateState.PASS: "passes", GateState.WARN: "only warns", GateState.OFF: "is off"}


class NameTaken(Conflict):
    """There is a version {name} already, and versions never change; nothing was frozen. Choose another name."""


class NothingApproved(Conflict):
    """No example is approved, so there is nothing to freeze. Approve some first."""


class GatesBlock(Conflict):
    """{name} was not frozen: {gates}. {told} Settle that, or let an admin override what blocks with a reason."""


class NothingToOverride(Refusal):
    """{name} was not frozen: {told}: nothing to override. Leave the reason out, and freeze again."""


class FoundMore(Conflict):
    """{name} was not frozen: more was found since the page was opened. {told} Freeze again if your reasons cover it."""


class NoSuchLicence(Conflict):
    """No approved example is under the licence {licence}; nothing was frozen. There are: {there}."""


class VersionGone(Gone):
    """{name} was frozen here and is not in the database any more; a backup from before has it."""


class BadName(Refusal):
    """A version's name has 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit."""


class ReservedName(BadName):
    """Comparisons call {name} what is approved and not frozen yet; nothing was frozen. Choose another name."""


def freeze_version(
    session: Session,
    actor: User,
    project: Project,
    *,
    name: str,
    overrides: Mapping[str, str] | None = None,
    licences: Sequence[str] = (),
    seen: Mapping[str, str] | None = None,
) -> Version:
    """Freeze the approved examples under a name for ever; blocking gates need a reason in `overrides`.

    With `licences` only examples under one of these go in. `seen` are the fingerprints (`gates.seen`) of the gates as
    whoever gave the reasons saw them; a gate without one is taken as it is now.
    Raises Denied, BadName, NameTaken, NoSuchLicence, NothingApproved, GatesBlock,
    NothingToOverride, FoundMore; then nothing is written.
    """
    if role_in(session, project, actor) is not Role.ADMIN:
        raise Denied
    require_open(project)
    if not NAME.fullmatch(name):
        raise BadName
    if name.casefold() == DRAFT:
        raise ReservedName(name=name)
    # One freeze at a time in a project: SQLite writes one at a time anyway. Readers and savers are not held up.
    session.execute(select(Project.id).where(Project.id == project.id).with_for_update(key_share=True))
    if taken := queries.name_taken(session, project, name):
        raise NameTaken(name=taken)
    material = material_queries.material_of(session, project, _known_licences(session, project, licences))
    if not material.items:
        raise NothingApproved
    passed = _pass_gates(name, material, checked_overrides(overrides or {}), seen or {})
    judged = _as_frozen(project, material, passed)
    version = _write_version(session, actor, project, name, material, judged)
    overridden = {gate.gate: gate.reason for gate in judged if gate.state is GateState.OVERRIDDEN}
    record(
        session, actor, "freeze version", f"version:{name}", project_id=project.id,
        id=version_id(version.sha256), examples=version.manifest["examples"], overridden=overridden,
        **({"limited_to": list(material.limited_to)} if material.limited_to else {}),
    )  # fmt: skip
    return version


def read_ahead(session: Session, slug: str) -> None:
    """Have the gates read what is approved, which they remember: a freeze right afterwards holds up writers briefly."""
    project = project_by_slug(session, slug)
    if project is not None:
        material_queries.material_of(session, project)


def _known_licences(session: Session, project: Project, licences: Sequence[str]) -> tuple[str, ...]:
    wanted = {key_of(part): licence_of(part).name for licence in licences for part in parts_of(licence)}
    items = material_queries.approved_items(session, project) if wanted else ()
    parts = {part for item in items for part in parts_of(item.licence) if part}
    held = {key_of(part): licence_of(part).name for part in sorted(parts)}
    for key, licence in sorted(wanted.items()):
        if key not in held:
            raise NoSuchLicence(licence=licence[:80], there=", ".join(sorted(held.values())) or "none at all")
    return tuple(sorted(held[key] for key in wanted))


def checked_overrides(overrides: Mapping[str, str]) -> dict[str, str]:
    """The overrides with their reasons on one line; refuses a gate that does not exist and an empty reason."""
    for gate in overrides:
        if gate not in GATES:
            raise Refusal(f"There is no gate {gate[:40]}; nothing was frozen. The gates are {', '.join(GATES)}.")
    reasons = {gate: " ".join(require_wellformed(words).split()) for gate, words in overrides.items()}
    for gate, words in reasons.items():
        if not words or len(words) > LONGEST_REASON:
            raise Refusal(f"Overriding {gate} needs a reason of 1 to {LONGEST_REASON} characters; nothing was frozen.")
    return reasons


def _pass_gates(
    name: str, material: Material, overrides: Mapping[str, str], seen: Mapping[str, str]
) -> tuple[Gate, ...]:
    judged = gates.override(material.gates, overrides)
    closed = [gate for gate in judged if gate.state is GateState.BLOCK]
    if closed:
        told = _lines((gate, gate.spelled()) for gate in closed)
        raise GatesBlock(name=name, gates=_blocking([_title(gate) for gate in closed]), told=" ".join(told), lines=told)
    idle = [gate for gate in judged if gate.gate in overrides and gate.state is not GateState.OVERRIDDEN]
    if idle:
        raise NothingToOverride(name=name, told=", ".join(f"{gate.gate} {_IDLE[gate.state]}" for gate in idle))
    passed = [gate for gate in judged if gate.state is GateState.OVERRIDDEN and gate.gate in seen]
    new = [(gate, words) for gate in passed if (words := gates.unseen(gate, seen[gate.gate]))]
    if new:
        told, marks = _lines(new), {gate.gate: gates.seen(gate) for gate, _ in new}
        raise FoundMore(name=name, told=" ".join(told), lines=told, seen=marks)
    return judged


def _as_frozen(project: Project, material: Material, judged: Sequence[Gate]) -> tuple[Gate, ...]:
    """What manifest and card tell: they may be read by anybody, test prompts that the project hides by few."""
    open_to_all = {item.example_id for item in material.items if item.split != Split.TEST.value}
    lines = {item.prompt.key: item.line.sha256 for item in material.items}
    return gates.frozen(judged, lines, open_to_all if project.tests_hidden else None)


def _title(gate: Gate) -> str:
    return gates.BY_NAME[gate.gate].title


def _lines(told: Iterable[tuple[Gate, str]]) -> list[str]:
    """What is told of each gate: pages give it a line of its own."""
    return [f"{_title(gate)}: {words}" for gate, words in told]


def _blocking(titles: Sequence[str]) -> str:
    *others, last = [title.lower() for title in titles]
    return f"the gates of {', '.join(others)} and {last} block" if others else f"the gate of {last} blocks"


def _write_version(
    session: Session, actor: User, project: Project, name: str, material: Material, judged: tuple[Gate, ...]
) -> Version:
    items = sorted(material.items, key=lambda item: (item.line, item.example_id))
    texts = [item.line.text for item in items]
    sha256, at = set_sha256(texts), now()
    manifest = build_manifest(
        replace(material, making=making_of(session, project, items)), judged, name=name,
        project={"slug": project.slug, "name": project.name}, sha256=sha256,
        size=sum(len(text.encode()) + 1 for text in texts), frozen_by=Person(actor.id, actor.name), frozen_at=at,
    )  # fmt: skip
    version = Version(
        id=queries.unused_number(session), project_id=project.id, name=name, sha256=sha256, row_count=len(items),
        manifest=manifest, frozen_by=actor.id, frozen_at=at,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(version)
    except IntegrityError as error:
        raise NameTaken(name=name) from error
    rows = [_row(version, place, item) for place, item in enumerate(items)]
    session.execute(insert(VersionRow), rows)
    session.add(seal_of(version, (Frozen(**{field: row[field] for field in FROZEN}) for row in rows)))
    return version


def _row(version: Version, position: int, item: Item) -> dict[str, Any]:
    return {
        "version_id": version.id,
        "position": position,
        "example_id": item.example_id,
        "revision_number": item.revision_number,
        "split": Split(item.split),
        "source": item.source,
        "sha256": item.line.sha256,
        "line": item.line.text,
    }


def parse_version(session: Session, reference: str) -> Version:
    """The version that `SLUG@NAME` names, or a refusal; who may see it is the caller's question."""
    parts = queries.REFERENCE.fullmatch(reference)
    project = project_by_slug(session, parts[1]) if parts else None
    version = queries.version_by_name(session, project, parts[2]) if parts and project else None
    if version is None and parts and project and queries.was_frozen(session, project, parts[2]):
        raise VersionGone(name=parts[2])
    if version is None:
        raise NotFound(f"There is no version {reference[:140]}; a version is named like project@v1.")
    return version


def version_named(session: Session, project: Project, name: str) -> Version:
    """The project's version of that name. Raises NotFound, and VersionGone (410) where there was one."""
    version = queries.version_by_name(session, project, name)
    if version is None:
        raise VersionGone(name=name) if queries.was_frozen(session, project, name) else NotFound
    return version


def training_rows(session: Session, version: Version, split: Split | None = None) -> Iterator[dict[str, Any]]:
    """Rechecks the version, then streams its rows as `{"id", "messages", "split"}`; the id is the line's SHA-256."""
    recheck(session, version)
    return _training_rows(session, version, split)


def _training_rows(session: Session, version: Version, split: Split | None) -> Iterator[dict[str, Any]]:
    for frozen in queries.frozen_lines(session, version):
        example = json.loads(frozen.line.text)
        if split is None or example["split"] == split.value:
            yield {"id": frozen.line.sha256, "messages": example["messages"], "split": example["split"]}


def export_version(session: Session, version: Version, form: Format, out: Path) -> dict[str, Any]:
    """Write the version as a folder, or as one file where `out` ends in .zip or .tar; changes nothing in the database.

    Gives `{"version", "id", "format", "path", "files"}`; the files are those in the archive.
    """
    lines, packing = sound_lines(session, version), packing_of(out)
    if packing is None:
        files = write_folder(version.manifest, lines, form, out)
    else:
        files = write_archive(version.manifest, lines, form, out, packing)
    return {
        "version": version.name,
        "id": version_id(version.sha256),
        "format": form.value,
        "path": str(out),
        "files": files,
    }


def packed_export(session: Session, version: Version, form: Format, packing: Packing, folder: Path) -> Path:
    """The version's export as one file below `folder`, made once: what never changes is copied once."""
    begins = f"version-{version.id}-{version.sha256[:16]}-"
    archive = folder / f"{begins}{EDITION}-{form}.{packing}"
    if archive.exists():
        recheck(session, version)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".export-", dir=folder) as scratch:
            made = Path(scratch) / archive.name
            export_version(session, version, form, made)
            made.replace(archive)
        for earlier in set(folder.glob(f"{begins}*")) - set(folder.glob(f"{begins}{EDITION}-*")):
            earlier.unlink(missing_ok=True)
    return archive


def freeze_document(version: Version) -> dict[str, Any]:
    """What a freeze says of itself, on the command line and in the API."""
    manifest = version.manifest
    return {
        "version": version.name,
        "reference": f"{manifest['project']['slug']}@{version.name}",
        "id": version_id(version.sha256),
        "examples": manifest["examples"],
        "gates": manifest["gates"],
        "frozen": manifest["frozen"],
        "help": manifest.get("help"),
    }


def version_documents(session: Session, versions: Sequence[Version]) -> list[dict[str, Any]]:
    """The same of versions in a list, with what the last look at each has found: one query more."""
    found = standings(session, [version.id for version in versions])
    unseen = {version.id: Standing(version.name, None) for version in versions}
    return [freeze_document(version) | (unseen | found)[version.id].document() for version in versions]


def draft_document(session: Session, project: Project) -> dict[str, Any]:
    """What would be frozen now: counts and gates."""
    material = material_queries.material_of(session, project)
    return {
        "examples": split_counts(material.items),
        "gates": [gate.document() for gate in as_read(session, material.gates)],
    }
