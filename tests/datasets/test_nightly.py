"""A change of a frozen version is noticed though somebody took the triggers away, and the row is named."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text, update
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.accounts.models import AuditEntry
from app.cli import build
from app.config import Settings
from app.datasets import checking, jobs
from app.datasets.canonical import set_sha256
from app.datasets.exports import VersionBroken
from app.datasets.formats import Format
from app.datasets.models import Version, VersionCheck, VersionRow
from app.datasets.operations import export_version, freeze_version
from app.db import Database, now
from app.home.letters import letter_for
from app.jobs.models import Job, JobState, Lane
from app.text.canonical import content_hash, sha256_hex
from app.worker import Worker
from tests import factories

Browser = Callable[..., TestClient]


@pytest.fixture
def version(database: Database, kitchen: factories.People) -> Version:
    with database.writing() as session:
        return freeze_version(session, kitchen.lead, kitchen.project, name="v1")


def look(database: Database, settings: Settings) -> Job | None:
    """What a worker does once a day: the chore, then the work that it asked for, if it did."""
    jobs.have_versions_verified(database, settings)
    Worker(settings, database).work_once(Lane.QUICK)
    with database.reading() as session:
        return session.scalars(select(Job).where(Job.kind == jobs.KIND).order_by(Job.id.desc())).first()


def check_of(database: Database, version: Version) -> VersionCheck:
    with database.reading() as session:
        return session.get_one(VersionCheck, version.id)


def a_day_passes(database: Database) -> None:
    with database.writing() as session:
        session.execute(update(VersionCheck).values(checked_at=now() - timedelta(hours=24)))


def position_of(database: Database, words: str) -> tuple[int, int]:
    """Position and example of the row that says so."""
    with database.reading() as session:
        query = select(VersionRow.position, VersionRow.example_id).where(VersionRow.line.contains(words))
        position, example_id = session.execute(query).one()
        return position, example_id


def test_an_untouched_version_passes_and_is_left_alone_for_a_day(
    database: Database, settings: Settings, version: Version
) -> None:
    assert check_of(database, version).checked_at is None
    first = look(database, settings)
    assert first is not None
    assert first.state is JobState.SUCCEEDED
    check = check_of(database, version)
    assert check.checked_at is not None
    assert (check.problem, check.broken_since, check.position) == ("", None, None)
    again = look(database, settings)
    assert again is not None
    assert again.id == first.id, "nothing is due, so nothing is asked for"
    a_day_passes(database)
    later = look(database, settings)
    assert later is not None
    assert later.id > first.id


def test_a_look_that_is_asked_for_already_is_not_asked_for_twice(
    database: Database, settings: Settings, version: Version
) -> None:
    for _ in range(2):
        jobs.have_versions_verified(database, settings)
    with database.reading() as session:
        assert len(session.scalars(select(Job).where(Job.kind == jobs.KIND)).all()) == 1


def test_changed_words_are_noticed_and_the_row_is_named(
    database: Database, settings: Settings, version: Version, unguarded: Callable[..., None]
) -> None:
    unguarded("UPDATE version_row SET line = replace(line, 'Flour', 'Sugar')")
    look(database, settings)
    position, example_id = position_of(database, "Sugar")
    check = check_of(database, version)
    assert check.problem == f"row {position + 1} (example {example_id}) has another hash, and 1 more fault"
    assert check.position == position
    assert check.broken_since is not None
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "found version changed")).one()
        assert (entry.subject, entry.project_id) == ("version:v1", version.project_id)
        with pytest.raises(VersionBroken, match=f"v1 is not what was frozen: row {position + 1} "):
            checking.recheck(session, session.get_one(Version, version.id))


def test_a_forger_who_makes_every_hash_fit_is_noticed_all_the_same(
    database: Database, settings: Settings, version: Version, unguarded: Callable[..., None]
) -> None:
    position, example_id = position_of(database, "Flour")
    with database.reading() as session:
        rows = session.scalars(select(VersionRow).order_by(VersionRow.position)).all()
    lines = [row.line.replace("Flour", "Sugar") for row in rows]
    sha256 = set_sha256(lines)
    unguarded(
        "UPDATE version_row SET line = :line, sha256 = :sha256 WHERE position = :position",
        line=lines[position], sha256=sha256_hex(lines[position]), position=position,
    )  # fmt: skip
    manifest = version.manifest | {"id": f"sha256:{sha256}"}
    manifest["examples_file"] = manifest["examples_file"] | {"sha256": sha256}
    unguarded("UPDATE version SET sha256 = :sha256, manifest = :manifest", sha256=sha256, manifest=json.dumps(manifest))
    look(database, settings)
    assert check_of(database, version).problem.startswith(f"row {position + 1} (example {example_id}) has another hash")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE version_row SET example_id = 999 WHERE position = 2", "row 3 (example 999) has another hash"),
        ("UPDATE version_row SET split = 'test' WHERE position = 2", "row 3 (example "),
        ("UPDATE version_row SET revision_number = 9 WHERE position = 0", "row 1 (example "),
        ("DELETE FROM version_row WHERE position = 4", "row 5 is missing"),
        ("UPDATE version_row SET position = -1 WHERE position = 6", "row 0 (example "),
        ("UPDATE version SET row_count = 6", "its id is not the one of the freeze"),
        ("UPDATE version SET sha256 = 'ab'", "its id is not the one of the freeze"),
        ("DELETE FROM version_row", "row 1 is missing"),
    ],
)
def test_whatever_is_changed_is_noticed(
    database: Database,
    settings: Settings,
    version: Version,
    unguarded: Callable[..., None],
    statement: str,
    words: str,
) -> None:
    unguarded(statement)
    look(database, settings)
    assert check_of(database, version).problem.startswith(words)


def test_a_manifest_that_says_something_else_is_noticed(
    database: Database, settings: Settings, version: Version, unguarded: Callable[..., None]
) -> None:
    manifest = version.manifest | {"licences": [{"licence": "CC0", "examples": 7}]}
    unguarded("UPDATE version SET manifest = :manifest", manifest=json.dumps(manifest))
    look(database, settings)
    assert check_of(database, version).problem == "its manifest is not the one of the freeze"


def test_a_forged_version_is_not_exported(
    database: Database, version: Version, unguarded: Callable[..., None], tmp_path: Path
) -> None:
    with database.reading() as session:
        lines = [row.line for row in session.scalars(select(VersionRow).order_by(VersionRow.position))]
    unguarded("DELETE FROM version_row WHERE position = 6")
    sha256 = set_sha256(lines[:6])
    manifest = json.dumps(version.manifest | {"id": f"sha256:{sha256}"})
    unguarded(
        "UPDATE version SET sha256 = :sha256, row_count = 6, manifest = :manifest", sha256=sha256, manifest=manifest
    )
    with database.reading() as session, pytest.raises(VersionBroken, match="row 7 is missing"):
        export_version(session, session.get_one(Version, version.id), Format.LIMA, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_version_that_is_gone_is_noticed(
    database: Database, settings: Settings, version: Version, unguarded: Callable[..., None], kitchen: factories.People
) -> None:
    unguarded("DELETE FROM version_row")
    unguarded("DELETE FROM version")
    look(database, settings)
    with database.reading() as session:
        gone = checking.broken(session, kitchen.project.id)
    assert [(one.name, one.problem) for one in gone] == [("v1", "it is gone from the database")]


def test_a_version_that_was_put_right_again_is_whole_again(
    database: Database, settings: Settings, version: Version, unguarded: Callable[..., None]
) -> None:
    for one, other in (("Flour", "Sugar"), ("Sugar", "Flour")):
        unguarded("UPDATE version_row SET line = replace(line, :one, :other)", one=one, other=other)
        a_day_passes(database)
        look(database, settings)
    check = check_of(database, version)
    assert (check.problem, check.broken_since) == ("", None)
    with database.reading() as session:
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == "version:v1")).all()
    assert actions[-2:] == ["found version changed", "found version whole again"]


def test_a_version_older_than_seals_is_sealed_at_the_first_look(
    database: Database, settings: Settings, version: Version, unguarded: Callable[..., None]
) -> None:
    earlier = {key: value for key, value in version.manifest.items() if key != "tokens"}
    unguarded("UPDATE version SET manifest = :manifest", manifest=json.dumps(earlier))
    with database.writing() as session:
        session.execute(text("DELETE FROM version_check"))
    look(database, settings)
    with database.reading() as session:
        columns = (VersionCheck.sha256, VersionCheck.manifest_sha256, VersionCheck.row_count, VersionCheck.problem)
        assert session.execute(select(*columns)).one() == (version.sha256, content_hash(earlier), 7, "")
    unguarded("UPDATE version_row SET example_id = 999 WHERE position = 2")
    a_day_passes(database)
    look(database, settings)
    assert check_of(database, version).problem == "row 3 (example 999) has another hash"


def test_the_seal_is_the_hash_of_the_manifest_that_the_database_gives_back(
    database: Database, version: Version
) -> None:
    with database.reading() as session:
        kept = session.get_one(Version, version.id, populate_existing=True).manifest
    assert content_hash(kept) == check_of(database, version).manifest_sha256


def test_versions_of_others_are_looked_at_although_one_is_broken(
    database: Database, settings: Settings, version: Version, unguarded: Callable[..., None], kitchen: factories.People
) -> None:
    unguarded("DELETE FROM version_row WHERE position = 0")
    with database.writing() as session:
        other = freeze_version(session, kitchen.lead, kitchen.project, name="v2")
    job = look(database, settings)
    assert job is not None
    assert job.state is JobState.SUCCEEDED
    assert check_of(database, version).problem.startswith("row 1 is missing")
    assert check_of(database, other).problem == ""


def test_a_look_that_was_cut_short_goes_on_where_it_was(
    database: Database, settings: Settings, version: Version, kitchen: factories.People
) -> None:
    with database.writing() as session:
        others = [freeze_version(session, kitchen.lead, kitchen.project, name=f"w{at}").id for at in range(3)]
    with database.writing() as session:
        assert checking.due(session) == [version.id, *others]
        checking.note(session, version.id, checking.look_at(session, version.id))
        assert checking.due(session) == others
    first = check_of(database, version).checked_at
    look(database, settings)
    assert check_of(database, version).checked_at == first, "what was looked at is not looked at again"
    with database.reading() as session:
        assert checking.due(session) == []


def test_who_leads_is_told_on_every_page_and_by_letter(
    database: Database,
    settings: Settings,
    version: Version,
    unguarded: Callable[..., None],
    kitchen: factories.People,
    browser: Browser,
) -> None:
    home = f"/projects/{kitchen.project.slug}"
    assert "is not what was frozen" not in browser(kitchen.lead).get(f"{home}?view=set").text
    unguarded("UPDATE version_row SET line = replace(line, 'Flour', 'Sugar')")
    look(database, settings)
    position, _ = position_of(database, "Sugar")
    for page in (f"{home}?view=set", f"{home}/inbox"):
        shown = browser(kitchen.lead).get(page).text
        assert "v1 is not what was frozen" in shown
        assert f"row {position + 1} " in shown
        assert "frozen, one of them not what was frozen" in shown
    assert "v1 is not what was frozen" not in browser(kitchen.annotator).get(f"{home}/inbox").text
    with database.reading() as session:
        letter = letter_for(session, settings, kitchen.lead)
        assert letter is not None
        assert f"Version v1 is not what was frozen: row {position + 1} " in letter.get_content()
        assert letter_for(session, settings, kitchen.annotator) is None


def test_verify_on_the_page_keeps_what_it_found(
    database: Database,
    version: Version,
    unguarded: Callable[..., None],
    kitchen: factories.People,
    browser: Browser,
) -> None:
    client, here = browser(kitchen.annotator), f"/projects/{kitchen.project.slug}/versions/v1"
    assert client.post(f"{here}/verification").status_code == 303
    assert check_of(database, version).checked_at is not None
    unguarded("UPDATE version_row SET source = 'other' WHERE position = 2")
    client.post(f"{here}/verification")
    assert check_of(database, version).position == 2
    assert "v1 is not what was frozen: row 3 " in client.get(here).text


def test_api_and_command_line_say_when_and_what(
    database: Database,
    settings: Settings,
    version: Version,
    unguarded: Callable[..., None],
    kitchen: factories.People,
    api: Callable[..., TestClient],
    monkeypatch: pytest.MonkeyPatch,
    closing: None,
) -> None:
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.url)
    client, slug = api(kitchen.annotator, "read"), kitchen.project.slug
    fresh = client.get(f"/api/v1/projects/{slug}/versions/v1").json()
    assert (fresh["verified_at"], fresh["problem"], fresh["row"]) == (None, None, None)
    assert "not looked at again yet" in CliRunner().invoke(build(), ["versions", slug]).stdout
    assert CliRunner().invoke(build(), ["versions", slug, "--verify"]).exit_code == 0
    unguarded("UPDATE version_row SET source = 'other' WHERE position = 2")
    result = CliRunner().invoke(build(), ["versions", slug, "--verify", "--json"])
    assert result.exit_code == 1
    assert "v1 is not what was frozen: row 3 " in result.stderr
    (document,) = json.loads(result.stdout)["versions"]
    assert (document["version"], document["row"]) == ("v1", 3)
    (listed,) = client.get(f"/api/v1/projects/{slug}/versions").json()["versions"]
    told = ("version", "id", "verified_at", "problem", "row")
    assert {key: listed[key] for key in told} == {key: document[key] for key in told}
    live = client.get(f"/api/v1/projects/{slug}/versions/v1/verification").json()
    assert live["ok"] is False
    assert live["problems"][0]["path"] == "examples.jsonl"


def test_a_list_of_versions_costs_the_same_however_long_it_is(
    database: Database, version: Version, kitchen: factories.People, api: Callable[..., TestClient]
) -> None:
    client = api(kitchen.annotator, "read")

    def queries_of_the_list() -> int:
        counted: list[str] = []

        def count(*said: Any) -> None:
            counted.append(said[2])

        event.listen(database.engine, "before_cursor_execute", count)
        assert client.get(f"/api/v1/projects/{kitchen.project.slug}/versions").status_code == 200
        event.remove(database.engine, "before_cursor_execute", count)
        return len(counted)

    few = queries_of_the_list()
    with database.writing() as session:
        for number in range(5):
            freeze_version(session, kitchen.lead, kitchen.project, name=f"w{number}")
    assert queries_of_the_list() == few
