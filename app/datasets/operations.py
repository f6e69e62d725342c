"""Freezing the approved set, and using a version only as long as it is what was frozen."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import Role, User
from app.datasets import gates, queries
from app.datasets.archive import pack
from app.datasets.canonical import set_sha256, version_id
from app.datasets.exports import VersionBroken, write_folder
from app.datasets.formats import Format
from app.datasets.gates import GATES, Gate, GateState
from app.datasets.manifest import build_manifest
from app.datasets.material import Item, Material, Person, split_counts
from app.datasets.models import Version, VersionRow
from app.db import now
from app.errors import Conflict, Denied, NotFound, Refusal
from app.projects.access import require_open
from app.projects.models import Project, Split
from app.projects.queries import project_by_slug, role_in
from app.text.canonical import sha256_hex
from app.text.wellformed import require_wellformed

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
REFERENCE = re.compile(r"([^@\s]+)@([^@\s]+)")
LONGEST_REASON = 500


class NameTaken(Conflict):
    """There is a version {name} already, and versions never change; nothing was frozen. Choose another name."""


class NothingApproved(Conflict):
    """No example is approved, so there is nothing to freeze. Approve some first."""


class GatesBlock(Conflict):
    """{name} was not frozen, because {gates}. Settle that, or let an admin override the gate with a reason."""


class NoSuchLicence(Conflict):
    """No approved example is under the licence {licence}; nothing was frozen. There are: {there}."""


class BadName(Refusal):
    """A version's name has 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit."""


def freeze_version(
    session: Session,
    actor: User,
    project: Project,
    *,
    name: str,
    overrides: Mapping[str, str] | None = None,
    licences: Sequence[str] = (),
) -> Version:
    """Freeze the approved examples under a name for ever; blocking gates need a reason in `overrides`.

    With `licences` only examples under one of these go in.
    Raises Denied, BadName, NameTaken, NoSuchLicence, NothingApproved, GatesBlock; then nothing is written.
    """
    if role_in(session, project, actor) is not Role.ADMIN:
        raise Denied
    require_open(project)
    if not NAME.fullmatch(name):
        raise BadName
    # One freeze at a time in a project: SQLite writes one at a time anyway. Readers and savers are not held up.
    session.execute(select(Project.id).where(Project.id == project.id).with_for_update(key_share=True))
    if queries.version_by_name(session, project, name):
        raise NameTaken(name=name)
    material = queries.material_of(session, project, _known_licences(session, project, licences))
    if not material.items:
        raise NothingApproved
    judged = _pass_gates(name, material, checked_overrides(overrides or {}))
    version = _write_version(session, actor, project, name, material, judged)
    overridden = {gate.gate: gate.reason for gate in judged if gate.state is GateState.OVERRIDDEN}
    record(
        session, actor, "freeze version", f"version:{name}", project_id=project.id,
        id=version_id(version.sha256), examples=version.manifest["examples"], overridden=overridden,
        **({"limited_to": list(material.limited_to)} if material.limited_to else {}),
    )  # fmt: skip
    return version


def _known_licences(session: Session, project: Project, licences: Sequence[str]) -> tuple[str, ...]:
    wanted = tuple(sorted({" ".join(licence.split()) for licence in licences}))
    held = {item.licence for item in queries.approved_items(session, project)} - {None, ""} if wanted else set()
    for licence in wanted:
        if licence not in held:
            raise NoSuchLicence(licence=licence[:80], there=", ".join(sorted(map(str, held))) or "none at all")
    return wanted


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


def _pass_gates(name: str, material: Material, overrides: Mapping[str, str]) -> tuple[Gate, ...]:
    judged = gates.override(material.gates, overrides)
    closed = [f"{gate.gate} blocks ({gate.detail.rstrip('.')})" for gate in judged if gate.state is GateState.BLOCK]
    if closed:
        raise GatesBlock(name=name, gates=" and ".join(closed))
    return judged


def _write_version(
    session: Session, actor: User, project: Project, name: str, material: Material, judged: tuple[Gate, ...]
) -> Version:
    items = sorted(material.items, key=lambda item: (item.line, item.example_id))
    texts = [item.line.text for item in items]
    sha256, at = set_sha256(texts), now()
    manifest = build_manifest(
        material, judged, name=name, project={"slug": project.slug, "name": project.name}, sha256=sha256,
        size=sum(len(text.encode()) + 1 for text in texts), frozen_by=Person(actor.id, actor.name), frozen_at=at,
    )  # fmt: skip
    version = Version(
        project_id=project.id, name=name, sha256=sha256, row_count=len(items), manifest=manifest,
        frozen_by=actor.id, frozen_at=at,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(version)
    except IntegrityError as error:
        raise NameTaken(name=name) from error
    session.execute(insert(VersionRow), [_row(version, place, item) for place, item in enumerate(items)])
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
    parts = REFERENCE.fullmatch(reference)
    project = project_by_slug(session, parts[1]) if parts else None
    version = queries.version_by_name(session, project, parts[2]) if parts and project else None
    if version is None:
        raise NotFound(f"There is no version {reference[:140]}; a version is named like project@v1.")
    return version


def recheck(session: Session, version: Version) -> Version:
    """The version, if its rows still have the hash under which it was frozen; raises VersionBroken."""
    count, faults = 0, []

    def texts() -> Iterator[str]:
        nonlocal count
        for frozen in queries.frozen_lines(session, version):
            count += 1
            if sha256_hex(frozen.line.text) != frozen.line.sha256:
                faults.append(f"row {count} has another hash")
            yield frozen.line.text

    sha256 = set_sha256(texts())
    if count != version.row_count:
        faults.append(f"it has {count:,} rows and was frozen with {version.row_count:,}")
    if sha256 != version.sha256 or version.manifest.get("id") != version_id(sha256):
        faults.append("its rows have another hash")
    if faults:
        raise VersionBroken(name=version.name, fault=faults[0])
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
    """Write the version as a folder and give `{"version", "id", "files", …}`; changes nothing in the database."""
    files = write_folder(version.manifest, queries.frozen_lines(session, version), form, out)
    return {
        "version": version.name,
        "id": version_id(version.sha256),
        "format": form.value,
        "path": str(out),
        "files": files,
    }


def packed_export(session: Session, version: Version, form: Format, folder: Path) -> Path:
    """The version's export as a .zip below `folder`, made once: what never changes is copied once."""
    archive = folder / f"version-{version.id}-{version.sha256[:16]}-{form}.zip"
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".export-", dir=folder) as scratch:
            export_version(session, version, form, Path(scratch) / "export")
            pack(Path(scratch) / "export", archive_name(version, form), archive)
    return archive


def archive_name(version: Version, form: Format) -> str:
    """What a downloaded export is called, made of our own checked names alone."""
    return f"{version.manifest['project']['slug']}-{version.name}-{form}"


def note_export(session: Session, actor: User, version: Version, form: Format) -> None:
    """Write into the trail who took a copy of what."""
    record(
        session, actor, "export version", f"version:{version.name}", project_id=version.project_id,
        id=version_id(version.sha256), format=form.value,
    )  # fmt: skip


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
    }


def draft_document(session: Session, project: Project) -> dict[str, Any]:
    """What would be frozen now: counts and gates."""
    material = queries.material_of(session, project)
    return {
        "examples": split_counts(material.items),
        "gates": [gate.document() for gate in material.gates],
    }
