"""The tokenizer by which a project counts: the file's bytes, kept here under their hash (decision 8)."""

import zlib
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy import desc, select
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import AuditEntry, User
from app.errors import Refusal
from app.projects.limits import require_open
from app.projects.models import Project, TokenizerFile
from app.text.counting import ESTIMATE, Tokens, read_tokenizer
from app.text.trial import fault_of

MOST_BYTES = 64_000_000
MOST_READ = 4


class NoTokenizer(Refusal):
    """That is no tokenizer.json: {reason}. Nothing was changed."""


def tokens_of(session: Session, project: Project) -> Tokens:
    """What counts the tokens of a project's texts, read once a process; an estimate where it names no tokenizer."""
    key = project.tokenizer_sha256
    if key is None:
        return ESTIMATE
    known = _read.get(key)
    if known is None:
        packed = session.scalar(select(TokenizerFile.content).where(TokenizerFile.sha256 == key))
        known = read_tokenizer(zlib.decompress(packed)) if packed else ESTIMATE
        _remember(key, known)
    return known


# By the hash of the bytes, so that nothing in it can ever be out of date.
_read: dict[str, Tokens] = {}


def _remember(key: str, tokens: Tokens) -> None:
    for oldest in list(_read)[: max(0, len(_read) - MOST_READ + 1)]:
        _read.pop(oldest, None)
    _read[key] = tokens


@dataclass(frozen=True)
class Checked:
    """A tokenizer.json that was tried and counts: its hash, and its bytes packed."""

    sha256: str
    packed: bytes


def checked(data: bytes) -> Checked:
    """The bytes of a tokenizer.json, tried in a process of their own; takes a second or two. Raises NoTokenizer."""
    if len(data) > MOST_BYTES:
        raise NoTokenizer(reason=f"it has more than {MOST_BYTES // 1_000_000} MB")
    if fault := fault_of(data):
        raise NoTokenizer(reason=fault)
    return Checked(sha256(data).hexdigest(), zlib.compress(data))


def tokenizer_at(path: Path) -> Checked:
    """A tokenizer.json, or the one in a model's folder. Raises NoTokenizer."""
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise NoTokenizer(reason=f"there is none at {path}")
    with file.open("rb") as opened:
        return checked(opened.read(MOST_BYTES + 1))


def set_tokenizer(session: Session, actor: User, project: Project, name: str, file: Checked) -> None:
    """Count the project's texts by this tokenizer.json, under a name that people know it by."""
    require_open(project)
    key = file.sha256
    if session.scalar(select(TokenizerFile.sha256).where(TokenizerFile.sha256 == key)) is None:
        session.add(TokenizerFile(sha256=key, content=file.packed))
    project.tokenizer_sha256, project.tokenizer_name = key, " ".join(name.split())[:120] or "tokenizer.json"
    session.flush()
    detail = {"name": project.tokenizer_name, "sha256": key}
    record(session, actor, "set tokenizer", f"project:{project.id}", project_id=project.id, **detail)


def unset_tokenizer(session: Session, actor: User, project: Project) -> None:
    """Estimate the project's tokens; done twice, nothing changes."""
    require_open(project)
    if project.tokenizer_sha256 is None:
        return
    project.tokenizer_sha256, project.tokenizer_name = None, ""
    session.flush()
    record(session, actor, "set tokenizer", f"project:{project.id}", project_id=project.id, name="none")


def last_set(session: Session, project: Project) -> AuditEntry | None:
    """Who said last by what the project counts, and when, as the trail has it."""
    said = select(AuditEntry).where(AuditEntry.project_id == project.id, AuditEntry.action == "set tokenizer")
    return session.scalar(said.order_by(desc(AuditEntry.id)).limit(1))


def tokenizer_document(project: Project) -> dict[str, str | bool | None]:
    """What the API and the command line say of it."""
    key = project.tokenizer_sha256
    return {"exact": key is not None, "name": project.tokenizer_name or None, "sha256": key}
