"""People, sources and examples may go; a version stays as it was, to the byte of every export."""

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError

from app.accounts.models import User
from app.datasets import checking
from app.datasets.formats import Format
from app.datasets.models import Version
from app.datasets.operations import export_version, freeze_version
from app.datasets.verify import verify_folder
from app.db import Database
from app.examples.models import Example, Revision
from app.projects.models import CompositionRow, Membership, Project
from app.reviews.models import Review
from app.sources.models import Candidate, CandidateStatus, ImportRun, ImportState, Into
from tests import factories


@pytest.fixture
def version(database: Database, kitchen: factories.People) -> Version:
    """A version of examples of which some come from a source."""
    with database.writing() as session:
        run = ImportRun(
            project_id=kitchen.project.id, name="dump", path="", format="stackexchange", site="x.example.org",
            into=Into.POOL, ruleset={}, ruleset_hash="", state=ImportState.PUBLISHED, created_by=kitchen.lead.id,
        )  # fmt: skip
        session.add(run)
        session.flush()
        for number, example in enumerate(session.scalars(select(Example).order_by(Example.id))):
            candidate = Candidate(
                project_id=kitchen.project.id, import_run_id=run.id, site="x.example.org", external_id=str(number),
                title="", messages=[], status=CandidateStatus.USED, content_hash="0" * 64,
            )  # fmt: skip
            session.add(candidate)
            session.flush()
            example.candidate_id = candidate.id
        return freeze_version(session, kitchen.lead, kitchen.project, name="v1")


def exported(database: Database, version: Version, folder: Path) -> dict[str, str]:
    """The hash of every file of every export."""
    found = {}
    for form in Format:
        with database.reading() as session:
            export_version(session, session.get_one(Version, version.id), form, folder / form.value)
        assert verify_folder(folder / form.value, f"sha256:{version.sha256}")["problems"] == []
        for file in sorted(path for path in (folder / form.value).rglob("*") if path.is_file()):
            name = file.relative_to(folder).as_posix()
            found[name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def test_what_goes_later_changes_nothing(
    database: Database, kitchen: factories.People, version: Version, tmp_path: Path
) -> None:
    before = exported(database, version, tmp_path / "before")
    with database.writing() as session:
        session.execute(update(User).values(name="Somebody Else"))
        session.execute(update(Project).values(name="Another name"))
        for gone in (Review, Revision, Example, Candidate, ImportRun, CompositionRow, Membership):
            session.execute(delete(gone))
    with database.writing() as session:
        session.execute(delete(User))
    assert exported(database, version, tmp_path / "after") == before
    with database.reading() as session:
        kept = session.get_one(Version, version.id)
        assert checking.recheck(session, kept).manifest == version.manifest
        assert checking.look_at(session, version.id) == []
        assert kept.manifest["frozen"]["by"]["name"] == kitchen.lead.name


def test_a_project_with_a_version_is_not_deleted(database: Database, version: Version) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        session.execute(text("DELETE FROM project"))
    with database.reading() as session:
        assert checking.look_at(session, version.id) == []
