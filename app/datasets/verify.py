"""Proves a copy of an export without a database: any changed byte in any file is found and its file named."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from app.datasets.canonical import PREFIX
from app.datasets.exports import file_sha256
from app.datasets.formats import Format
from app.datasets.formats.base import Layout, Record
from app.datasets.manifest import EXAMPLES, MANIFEST, SUMS, sealed, sums
from app.datasets.material import SPLITS
from app.datasets.told import has_columns

SUM_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)\n")
# What a clone or a download of a repository keeps beside the files of the export.
KEPT_BY_OTHERS = {".git", ".gitattributes", ".cache"}
# A manifest is some hundred kilobytes; more than this is none.
LARGEST_MANIFEST = 64_000_000


@dataclass
class Findings:
    """The id of what stands in the folder, and what is wrong with it."""

    id: str | None = None
    problems: list[dict[str, str]] = field(default_factory=list)

    def add(self, path: str, problem: str) -> None:
        """Note a problem, once a file."""
        if all(found["path"] != path for found in self.problems):
            self.problems.append({"path": path, "problem": problem})

    def document(self) -> dict[str, Any]:
        """Give the findings as the command line prints them."""
        return {"ok": not self.problems, "id": self.id, "problems": self.problems}


def verify_folder(path: Path, expected_id: str | None = None) -> dict[str, Any]:
    """Give `{"ok", "id", "problems": [{"path", "problem"}]}` for the export in a folder.

    Each file's hash is recomputed and compared with the manifest, whose own seal is checked first; where the
    manifest itself is damaged, SHA256SUMS stands in. Files that are missing or not listed are problems too, as is
    an id other than `expected_id`, if one is given (`sha256:…` or its hex digits).
    """
    findings = Findings()
    if not path.is_dir():
        packed = "It is a file: unpack it and verify the folder." if path.is_file() else "There is no such folder."
        findings.add(str(path), packed)
        return findings.document()
    manifest = _manifest(path, findings)
    listed = _listed(manifest) if manifest else _from_sums(path)
    _check_files(path, listed, findings)
    if manifest:
        _check_sums(path, listed, findings)
    _check_id(path, manifest, expected_id, findings)
    if manifest and not findings.problems:
        _check_records(path, manifest, findings)
    return findings.document()


def _manifest(folder: Path, findings: Findings) -> dict[str, Any] | None:
    """Give the manifest if it is exactly as it was sealed."""
    file = folder / MANIFEST
    if not file.is_file():
        findings.add(MANIFEST, "It is missing.")
        return None
    try:
        body = file.read_bytes() if file.stat().st_size <= LARGEST_MANIFEST else b""
        manifest = json.loads(body)
        listed = [(str(row["path"]), str(row["sha256"]), str(manifest["id"])) for row in manifest["files"]]
        if sealed(manifest) == body and listed:
            return dict(manifest)
    except (ValueError, TypeError, KeyError, RecursionError, OSError):
        pass
    findings.add(MANIFEST, "It was changed: its seal does not fit what it says.")
    return None


def _listed(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {row["path"]: row["sha256"] for row in manifest["files"]}


def _from_sums(folder: Path) -> dict[str, str]:
    try:
        text = (folder / SUMS).read_text("utf-8")
    except (OSError, ValueError):
        return {}
    return {path: sha256 for sha256, path in SUM_LINE.findall(text) if path != MANIFEST}


def _check_files(folder: Path, listed: Mapping[str, str], findings: Findings) -> None:
    for name, sha256 in sorted(listed.items()):
        pure = PurePosixPath(name)
        file = folder / name
        if pure.is_absolute() or ".." in pure.parts:
            findings.add(name, "The manifest lists it outside the folder.")
        elif file.is_symlink() or not file.is_file():
            findings.add(name, "It is missing.")
        elif file_sha256(file) != sha256:
            findings.add(name, "It was changed: its SHA-256 is not the one on record.")
    for name in _present(folder):
        if name not in listed and name not in {MANIFEST, SUMS} and listed:
            findings.add(name, "It does not belong to the export: the manifest does not list it.")


def _present(folder: Path) -> Iterator[str]:
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        filled = file.is_dir() and not file.is_symlink() and any(file.iterdir())
        if name.parts[0] not in KEPT_BY_OTHERS and not filled:
            yield name.as_posix()


def _check_sums(folder: Path, listed: Mapping[str, str], findings: Findings) -> None:
    if not (folder / SUMS).is_file():
        findings.add(SUMS, "It is missing.")
        return
    rows = [{"path": path, "sha256": sha256} for path, sha256 in listed.items()]
    if (folder / SUMS).read_bytes() != sums(rows, file_sha256(folder / MANIFEST)):
        findings.add(SUMS, "It was changed: it does not say what the manifest says.")


def _check_id(folder: Path, manifest: Mapping[str, Any] | None, expected_id: str | None, findings: Findings) -> None:
    file = folder / EXAMPLES
    if not file.is_file():
        findings.add(EXAMPLES, "It is missing.")
        return
    findings.id = PREFIX + file_sha256(file)
    if manifest and manifest["id"] != findings.id:
        findings.add(EXAMPLES, f"It has the id {findings.id}, and the manifest says {manifest['id']}.")
    wanted = PREFIX + expected_id.strip().lower().removeprefix(PREFIX) if expected_id else findings.id
    if wanted != findings.id:
        findings.add(EXAMPLES, f"It has the id {findings.id}, not {wanted}.")


def _check_records(folder: Path, manifest: Mapping[str, Any], findings: Findings) -> None:
    """Compare data files with examples.jsonl: only that is proven by the id, a forger could seal the rest anew."""
    try:
        form = Format(manifest["export"]["format"])
    except (ValueError, TypeError, KeyError):
        findings.add(MANIFEST, "It names a format that this version of Handpicked does not know.")
        return
    layout = form.layout(told=has_columns(manifest))
    files = {split: _Compared(folder / layout.path_of(split), layout) for split in SPLITS}
    try:
        with (folder / EXAMPLES).open("rb") as lines:
            for line in lines:
                example = json.loads(line)
                sha256 = hashlib.sha256(line.removesuffix(b"\n")).hexdigest()
                files[example["split"]].expect(layout.record_of(sha256, example))
    except Exception:  # noqa: BLE001 - a forger may seal any file with its own hash for an id
        findings.add(EXAMPLES, "It does not hold what a version holds.")
        return
    for split, file in files.items():
        if not file.is_whole():
            findings.add(layout.path_of(split), "It does not hold what examples.jsonl says.")


class _Compared:
    """A data file that is read in step with examples.jsonl."""

    def __init__(self, path: Path, layout: Layout) -> None:
        """Take a file, which is absent where the version has no example of its split."""
        self._found = layout.records(path) if path.exists() else iter(())
        self._same = True

    def expect(self, record: Record) -> None:
        """Look whether the next record is this one."""
        self._same = self._same and self._next() == record

    def is_whole(self) -> bool:
        """Whether each record was the expected one, and there is none after them."""
        return self._same and self._next() is None

    def _next(self) -> Record | None:
        try:
            return next(self._found, None)
        except Exception:  # noqa: BLE001 - whatever a forged file makes its reader say, it is not our data
            return {}
