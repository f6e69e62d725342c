"""What a seal proves beside the words: name, project and origin of a version, that it is there, and the seal itself."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from app.cli import build
from app.config import Settings
from app.datasets import checking
from app.datasets.archive import Packing
from app.datasets.exports import VersionBroken
from app.datasets.formats import Format
from app.datasets.models import Version, VersionCheck
from app.datasets.operations import VersionGone, export_version, freeze_version, packed_export, parse_version
from app.db import Database
from tests import factories
from tests.datasets.test_nightly import a_day_passes, check_of, look


@pytest.fixture
def version(database: Database, kitchen: factories.People) -> Version:
    with database.writing() as session:
        return freeze_version(session, kitchen.lead, kitchen.project, name="v1")


def test_a_seal_that_was_taken_away_is_not_made_anew(
    database: Database, settings: Settings, version: Version, unguarded: Callable[..., None], tmp_path: Path
) -> None:
    """Whoever takes it away could have changed anything before."""
    with database.reading() as session:
        kept = select(VersionCheck.manifest_sha256, VersionCheck.row_digests)
        seal = session.execute(kept.where(VersionCheck.version_id == version.id)).one()._asdict()
    unguarded("DELETE FROM version_check")
    for _ in range(2):
        look(database, settings)
        assert check_of(database, version).problem == "its seal is gone"
        a_day_passes(database)
    with database.reading() as session, pytest.raises(VersionBroken, match="its seal is gone"):
        export_version(session, session.get_one(Version, version.id), Format.LIMA, tmp_path / "out")
    with database.writing() as session:
        session.execute(update(VersionCheck).values(**seal))
    look(database, settings)
    assert check_of(database, version).problem == "", "put back from a backup, it is a seal again"


def test_another_name_or_project_is_noticed(
    database: Database, settings: Settings, version: Version, unguarded: Callable[..., None], kitchen: factories.People
) -> None:
    unguarded("UPDATE version SET name = 'v9'")
    look(database, settings)
    assert check_of(database, version).problem == "it was frozen as v1 and is named v9 now"
    with database.writing() as session:
        other = factories.project(session, kitchen.lead).id
    unguarded("UPDATE version SET name = 'v1', project_id = :other", other=other)
    a_day_passes(database)
    look(database, settings)
    assert check_of(database, version).problem == "it was frozen in another project"


def test_a_name_is_proved_by_the_manifest_where_the_seal_is_renamed_as_well(
    database: Database, settings: Settings, version: Version, unguarded: Callable[..., None]
) -> None:
    unguarded("UPDATE version SET name = 'v9'")
    unguarded("UPDATE version_check SET name = 'v9'")
    look(database, settings)
    assert check_of(database, version).problem == "it was frozen as v1 and is named v9 now"


def test_a_version_with_a_row_that_says_it_came_from_elsewhere_is_not_exported(
    database: Database, version: Version, unguarded: Callable[..., None], tmp_path: Path
) -> None:
    """The words are the frozen ones, and still it is not what was frozen."""
    unguarded("UPDATE version_row SET example_id = 999 WHERE position = 2")
    for out in (tmp_path / "out", tmp_path / "out.zip"):
        with (
            database.reading() as session,
            pytest.raises(VersionBroken, match=r"row 3 \(example 999\) has another hash"),
        ):
            export_version(session, session.get_one(Version, version.id), Format.LIMA, out)
        assert not out.exists()


def test_the_command_line_names_a_version_that_is_gone(
    database: Database,
    settings: Settings,
    version: Version,
    unguarded: Callable[..., None],
    kitchen: factories.People,
    monkeypatch: pytest.MonkeyPatch,
    closing: None,
) -> None:
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.url)
    with database.writing() as session:
        number = freeze_version(session, kitchen.lead, kitchen.project, name="v2").id
    unguarded("DELETE FROM version_row WHERE version_id = :number", number=number)
    unguarded("DELETE FROM version WHERE id = :number", number=number)
    listed = CliRunner().invoke(build(), ["versions", kitchen.project.slug])
    assert listed.exit_code == 0
    assert "v2           NOT WHAT WAS FROZEN: it is gone from the database" in listed.stdout
    result = CliRunner().invoke(build(), ["versions", kitchen.project.slug, "--verify", "--json"])
    assert result.exit_code == 1
    assert "v2 is not what was frozen: it is gone from the database." in result.stderr
    found = json.loads(result.stdout)
    assert [one["version"] for one in found["versions"]] == ["v1"]
    assert [(one["version"], one["problem"]) for one in found["gone"]] == [("v2", "it is gone from the database")]


def test_an_archive_that_was_made_before_the_damage_is_not_given_out_after_it(
    database: Database, version: Version, unguarded: Callable[..., None], tmp_path: Path
) -> None:
    with database.reading() as session:
        found = session.get_one(Version, version.id)
        assert packed_export(session, found, Format.LIMA, Packing.ZIP, tmp_path).is_file()
    unguarded("UPDATE version_row SET example_id = 1001 WHERE position = 0")
    with database.reading() as session, pytest.raises(VersionBroken):
        packed_export(session, session.get_one(Version, version.id), Format.LIMA, Packing.ZIP, tmp_path)


def test_a_freeze_after_the_newest_version_was_lost_has_a_number_of_its_own(
    database: Database, kitchen: factories.People, version: Version, unguarded: Callable[..., None]
) -> None:
    unguarded("DELETE FROM version_row")
    unguarded("DELETE FROM version")
    with database.writing() as session:
        numbers = [freeze_version(session, kitchen.lead, kitchen.project, name=name).id for name in ("v2", "v3")]
    assert version.id < numbers[0] < numbers[1]
    with database.reading() as session:
        lost = checking.gone(session, kitchen.project.id)
        assert [(one.name, one.problem) for one in lost] == [("v1", "it is gone from the database")]
        assert [checking.look_at(session, number) for number in numbers] == [[], []]
        with pytest.raises(VersionGone):
            parse_version(session, f"{kitchen.project.slug}@v1")
        assert parse_version(session, f"{kitchen.project.slug}@v2").id == numbers[0]
