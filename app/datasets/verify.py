"""Proves a copy of an export without a database: any changed byte in any file is found and its file named."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from app.datasets.canonical import PREFIX, read_json
from app.datasets.exports import file_sha256
from app.datasets.formats import Format
from app.datasets.formats.base import Layout, Record
from app.datasets.manifest import EXAMPLES, MANIFEST, SUMS, sealed, sums
from app.datasets.material import SPLITS
from app.datasets.pointing import LATER, astray, data_paths, is_first_edition, paths_of
from app.datasets.recounting import Recount
from app.datasets.told import has_columns
from app.errors import Refusal

SUM_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)\n")
# What a clone or a download of a repository keeps beside the files of the export.
KEPT_BY_OTHERS = {".git", ".gitattributes", ".cache"}
# A manifest is some hundred kilobytes; more than this is none.
LARGEST_MANIFEST = 64_000_000
LONGEST_PATH = 1_000
NOT_PROVEN = (
    "The id proves the examples, and with them data files, counts and licences; gates, approvals, people and the prose "
    "of the card are what whoever made the copy says."
)
OF_THE_FIRST = (
    " It says that it is of the first make, which had no LICENSE.md: whether one was taken out nobody can tell."
)
_ID = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_HEX = re.compile(r"[0-9a-f]{64}")
_FOREIGN = "It does not hold what the manifest of an export holds."


class BadId(Refusal):
    """An id is sha256: and 64 digits of 0-9 and a-f, and this is none; nothing was verified."""


@dataclass
class Findings:
    """The id of what stands in the folder, and what is wrong with it."""

    id: str | None = None
    problems: list[dict[str, str]] = field(default_factory=list)
    not_proven: str = NOT_PROVEN

    def add(self, path: str, problem: str) -> None:
        """Note a problem, once a file."""
        if all(found["path"] != path for found in self.problems):
            self.problems.append({"path": path, "problem": problem})

    def document(self) -> dict[str, Any]:
        """Give the findings as the command line prints them."""
        told = {"ok": not self.problems, "id": self.id, "problems": self.problems}
        return told | {"not_proven": self.not_proven}


def identity(said: str) -> str:
    """Give an id as `sha256:` and small digits, with or without the prefix as it is said. Raises BadId (422)."""
    found = _ID.fullmatch(said.strip().lower())
    if found is None:
        raise BadId
    return PREFIX + found[1]


def verify_folder(path: Path, expected_id: str | None = None) -> dict[str, Any]:
    """Give `{"ok", "id", "problems": [{"path", "problem"}], "not_proven"}` for the export in a folder.

    Each file's hash is recomputed and compared with the manifest, whose own seal is checked first; where the
    manifest itself is damaged, SHA256SUMS stands in. Files that are missing or not listed are problems too, as is
    an id other than `expected_id`, if one is given. What a forger may seal anew is then held against examples.jsonl.
    `not_proven` says what an id does not prove. Raises BadId where `expected_id` is none.
    """
    wanted = None if expected_id is None else identity(expected_id)
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
    _check_id(path, manifest, wanted, findings)
    if manifest and not findings.problems:
        _check_against_lines(path, manifest, findings)
    return findings.document()


def _is_there(file: Path, findings: Findings) -> bool:
    """Whether a file is there as a file, which is noted where it is not: of a link nobody knows where it leads."""
    if file.is_symlink():
        findings.add(file.name, "It is a link, and no file of this folder.")
    elif not file.is_file():
        findings.add(file.name, "It is missing.")
    return file.is_file() and not file.is_symlink()


def _manifest(folder: Path, findings: Findings) -> dict[str, Any] | None:
    """Give the manifest if it is exactly as it was sealed, and lists files as a manifest does."""
    file = folder / MANIFEST
    if not _is_there(file, findings):
        return None
    try:
        body = file.read_bytes() if file.stat().st_size <= LARGEST_MANIFEST else b""
        manifest = read_json(body)
        if sealed(manifest) == body:
            if _lists_files(manifest):
                return dict(manifest)
            findings.add(MANIFEST, _FOREIGN)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OSError):
        pass
    findings.add(MANIFEST, "It was changed: its seal does not fit what it says.")
    return None


def _lists_files(manifest: Mapping[str, Any]) -> bool:
    files = manifest.get("files")
    if not isinstance(manifest.get("id"), str) or not isinstance(files, list) or not files:
        return False
    rows = [row for row in files if isinstance(row, dict) and isinstance(row.get("path"), str)]
    hashes = [row["sha256"] for row in rows if isinstance(row.get("sha256"), str) and _HEX.fullmatch(row["sha256"])]
    named = {row["path"] for row in rows if row["path"].isprintable() and len(row["path"].encode()) <= LONGEST_PATH}
    return len(files) == len(hashes) == len(named)


def _listed(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {row["path"]: row["sha256"] for row in manifest["files"]}


def _from_sums(folder: Path) -> dict[str, str]:
    file = folder / SUMS
    try:
        known = file.is_file() and not file.is_symlink() and file.stat().st_size <= LARGEST_MANIFEST
        text = file.read_text("utf-8") if known else ""
    except (OSError, ValueError):
        return {}
    rows = SUM_LINE.findall(text)
    return {
        path: sha256 for sha256, path in rows if path != MANIFEST and path.isprintable() and len(path) <= LONGEST_PATH
    }


def _check_files(folder: Path, listed: Mapping[str, str], findings: Findings) -> None:
    for name, sha256 in sorted(listed.items()):
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts:
            findings.add(name, "The manifest lists it outside the folder.")
        elif (problem := _unlike(folder / name)) is not None:
            findings.add(name, problem)
        elif file_sha256(folder / name) != sha256:
            findings.add(name, "It was changed: its SHA-256 is not the one on record.")
    for name in _present(folder):
        if name not in listed and name not in {MANIFEST, SUMS} and listed:
            findings.add(name, "It does not belong to the export: the manifest does not list it.")


def _unlike(file: Path) -> str | None:
    """What is wrong with a file that cannot be read as one; None where it can."""
    try:
        if file.is_symlink():
            return "It is a link, and no file of this folder."
        return None if file.is_file() and os.access(file, os.R_OK) else "It is missing, or cannot be read."
    except OSError:  # a name longer than any file's
        return "It is missing."


def _present(folder: Path) -> Iterator[str]:
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        filled = file.is_dir() and not file.is_symlink() and any(file.iterdir())
        if name.parts[0] not in KEPT_BY_OTHERS and not filled:
            yield name.as_posix()


def _check_sums(folder: Path, listed: Mapping[str, str], findings: Findings) -> None:
    if not _is_there(folder / SUMS, findings):
        return
    rows = [{"path": path, "sha256": sha256} for path, sha256 in listed.items()]
    if (folder / SUMS).read_bytes() != sums(rows, file_sha256(folder / MANIFEST)):
        findings.add(SUMS, "It was changed: it does not say what the manifest says.")


def _check_id(folder: Path, manifest: Mapping[str, Any] | None, wanted: str | None, findings: Findings) -> None:
    file = folder / EXAMPLES
    if not _is_there(file, findings):
        return
    findings.id = PREFIX + file_sha256(file)
    if manifest and manifest["id"] != findings.id:
        findings.add(EXAMPLES, f"It has the id {findings.id}, and the manifest says {manifest['id'][:80]}.")
    if wanted not in (None, findings.id):
        findings.add(EXAMPLES, f"It has the id {findings.id}, not {wanted}.")


def _check_against_lines(folder: Path, manifest: Mapping[str, Any], findings: Findings) -> None:
    """Hold what a forger could seal anew against examples.jsonl: only that is proven by the id."""
    try:
        form = Format(manifest["export"]["format"])
    except (ValueError, TypeError, KeyError):
        findings.add(MANIFEST, "It names a format that this version of Handpicked does not know.")
        return
    try:
        _check_belonging(manifest, form, findings)
        if not findings.problems:
            _check_records(folder, manifest, form, findings)
        if not findings.problems:
            for name, problem in astray(folder, manifest, form):
                findings.add(name, problem)
    except Exception:  # noqa: BLE001 - a forger may seal whatever he likes in place of a manifest
        findings.add(MANIFEST, _FOREIGN)


def _check_belonging(manifest: Mapping[str, Any], form: Format, findings: Findings) -> None:
    """Look that the files are those that the format writes, no more and no fewer."""
    wanted, listed = paths_of(manifest, form), set(_listed(manifest))
    first = is_first_edition(manifest)
    for name in sorted(wanted - listed - (LATER if first else set())):
        findings.add(name, "It is missing: every export of this format has it.")
    for name in sorted(listed - wanted):
        findings.add(name, "It does not belong to the export: the format has no such file.")
    findings.not_proven += OF_THE_FIRST if first else ""


def _check_records(folder: Path, manifest: Mapping[str, Any], form: Format, findings: Findings) -> None:
    """Compare data files and what the manifest counts with examples.jsonl."""
    layout = form.layout(told=has_columns(manifest))
    files = {split: _Compared(folder / layout.path_of(split), layout) for split in SPLITS}
    recount = Recount()
    try:
        with (folder / EXAMPLES).open("rb") as lines:
            for line in lines:
                example = read_json(line)
                sha256 = hashlib.sha256(line.removesuffix(b"\n")).hexdigest()
                files[example["split"]].expect(layout.record_of(sha256, example))
                recount.add(example)
    except Exception:  # noqa: BLE001 - a forger may seal any file with its own hash for an id
        findings.add(EXAMPLES, "It does not hold what a version holds.")
        return
    for split, file in files.items():
        if not file.is_whole():
            findings.add(layout.path_of(split), "It does not hold what examples.jsonl says.")
    said = [*recount.disagreeing(manifest), *_miscounted(folder, manifest, recount.records(data_paths(manifest, form)))]
    if said:
        findings.add(MANIFEST, f"It counts other things than examples.jsonl has: {', '.join(said)}.")


def _miscounted(folder: Path, manifest: Mapping[str, Any], records: Mapping[str, int]) -> list[str]:
    """The files of which the manifest says other sizes or records than they have."""
    return [
        f"the size of {file['path']}"
        for file in manifest["files"]
        if file["bytes"] != (folder / file["path"]).stat().st_size or file["records"] != records.get(file["path"])
    ]


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
