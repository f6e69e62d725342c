"""What would be sent, laid out as files before anybody sends it, and swept up afterwards."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.config import Settings
from app.datasets.canonical import version_id
from app.datasets.manifest import CARD
from app.datasets.models import Version
from app.datasets.operations import export_version
from app.datasets.publication.cautions import Caution
from app.datasets.publication.client import endpoint_here
from app.datasets.publication.files import Sent, hash_of, sent_files
from app.datasets.publication.hub import page_of
from app.datasets.publication.operations import Wanted, known_cautions, repository_named
from app.projects.models import Project

PREFIX = ".publication-"
# Longer than any sending takes: what is older was left behind by somebody who was killed.
LEFT_BEHIND = 86_400.0


@dataclass(frozen=True)
class Preview:
    """Everything that would be sent, and what to know about it; `shown` is the hash of the list of files."""

    repository: str
    url: str
    version_id: str
    wanted: Wanted
    files: tuple[Sent, ...]
    shown: str
    card: str
    cautions: tuple[Caution, ...]

    @property
    def bytes(self) -> int:
        """The size of it all."""
        return sum(one.bytes for one in self.files)

    def document(self) -> dict[str, Any]:
        """Give it as the API and the command line print it."""
        return {
            "repository": self.repository,
            "url": self.url,
            "version_id": self.version_id,
            "visibility": self.wanted.visibility.value,
            "way": self.wanted.way.value,
            "format": self.wanted.format.value,
            "files": [{"path": one.path, "sha256": one.sha256, "bytes": one.bytes} for one in self.files],
            "bytes": self.bytes,
            "shown": self.shown,
            "card": self.card,
            "cautions": [one.document() for one in self.cautions],
        }


def preview(session: Session, settings: Settings, version: Version, wanted: Wanted) -> Preview:
    """Lay the files out, look at them, and take them away again; the Hub is not asked. Raises NoRepository."""
    repository = repository_named(wanted.repository)
    project = session.get_one(Project, version.project_id)
    with scratch(settings) as folder:
        export_version(session, version, wanted.format, folder)
        files, card = sent_files(folder), (folder / CARD).read_text(encoding="utf-8")
    return Preview(
        repository, page_of(endpoint_here(), repository), version_id(version.sha256), wanted, files, hash_of(files),
        card, known_cautions(version, project, wanted.visibility),
    )  # fmt: skip


@contextmanager
def scratch(settings: Settings) -> Iterator[Path]:
    """A folder that is not there yet and goes with the block."""
    place = (settings.data_dir / "exports").absolute()
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=place) as folder:
        yield Path(folder) / "files"


def sweep(settings: Settings) -> None:
    """Remove what a worker that was killed left behind."""
    for folder in (settings.data_dir / "exports").glob(f"{PREFIX}*"):
        if time.time() - folder.stat().st_mtime > LEFT_BEHIND:
            shutil.rmtree(folder, ignore_errors=True)
