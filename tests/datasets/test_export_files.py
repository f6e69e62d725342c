"""An export as one file, packed as zip or tar, the page and API that lead to it, and exports of an earlier make."""

import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from app.accounts.models import AuditEntry
from app.datasets.archive import FileTaken, Packing
from app.datasets.formats import Format
from app.datasets.manifest import sealed
from app.datasets.models import Version
from app.datasets.operations import freeze_version, packed_export
from app.datasets.verify import verify_folder
from app.db import Database
from tests import factories
from tests.commands import Shell
from tests.datasets.test_exports import BOTH, contents, export, reseal


@pytest.fixture
def version(database: Database, kitchen: factories.People) -> Version:
    with database.writing() as session:
        return freeze_version(session, kitchen.lead, kitchen.project, name="v1")


@pytest.mark.parametrize("packing", list(Packing))
def test_the_archive_is_reproducible_and_holds_the_folder(
    database: Database, version: Version, tmp_path: Path, kitchen: factories.People, packing: Packing
) -> None:
    with database.reading() as session:
        first = packed_export(session, version, Format.HF, packing, tmp_path / "one")
        second = packed_export(session, version, Format.HF, packing, tmp_path / "two")
        assert packed_export(session, version, Format.HF, packing, tmp_path / "one") == first
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in (tmp_path / "one").iterdir()] == [first.name]
    shutil.unpack_archive(first, tmp_path / "unpacked", packing.value)
    out = tmp_path / "unpacked" / f"{kitchen.project.slug}-v1-hf"
    assert verify_folder(out, version.sha256)["ok"]
    assert (out / "data/train-00000-of-00001.parquet").is_file()


def test_an_archive_tells_no_times_owners_or_modes(database: Database, version: Version, tmp_path: Path) -> None:
    export(database, version, Format.HF, tmp_path / "out.tar")
    with tarfile.open(tmp_path / "out.tar") as archive:
        told = {(one.mtime, one.uid, one.gid, one.uname, one.gname, one.mode, one.type) for one in archive}
        names = archive.getnames()
    assert told == {(0, 0, 0, "", "", 0o644, tarfile.REGTYPE)}
    assert names == sorted(names)
    export(database, version, Format.HF, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.namelist() == names
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_an_archive_of_an_earlier_make_is_not_given_out(database: Database, version: Version, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    stale = folder / f"version-{version.id}-{version.sha256[:16]}-1-lima.zip"
    stale.write_bytes(b"PK of another time")
    of_another = folder / f"version-{version.id + 1}-{version.sha256[:16]}-1-lima.zip"
    of_another.write_bytes(b"PK of another version")
    with database.reading() as session:
        made = packed_export(session, version, Format.LIMA, Packing.ZIP, folder)
    assert sorted(folder.iterdir()) == sorted([made, of_another])


@pytest.mark.parametrize("name", ["out.zip", "out.tar"])
def test_a_file_that_is_there_is_left_alone(database: Database, version: Version, tmp_path: Path, name: str) -> None:
    out = tmp_path / "mine" / name
    out.parent.mkdir()
    out.write_bytes(b"mine")
    with pytest.raises(FileTaken):
        export(database, version, Format.LIMA, out)
    assert [(path, path.read_bytes()) for path in out.parent.iterdir()] == [(out, b"mine")]


@pytest.mark.parametrize(("asked", "packing"), [({}, "zip"), ({"packing": "zip"}, "zip"), ({"packing": "tar"}, "tar")])
def test_page_and_api_lead_to_a_file_of_the_packing_asked_for(
    browser: Callable[..., TestClient], api: Callable[..., TestClient], database: Database, version: Version,
    kitchen: factories.People, asked: dict[str, str], packing: str,
) -> None:  # fmt: skip
    slug, wanted = kitchen.project.slug, {"format": "csv-safe", **asked}
    page = browser(kitchen.lead).post(f"/projects/{slug}/versions/v1/exports", data=wanted)
    document = api(kitchen.lead).post(f"/api/v1/projects/{slug}/versions/v1/exports", json=wanted).json()
    assert page.headers["location"].endswith(f"/projects/{slug}/versions/v1/exports/csv-safe.{packing}")
    assert document["url"] == f"/api/v1/projects/{slug}/versions/v1/exports/csv-safe.{packing}"
    got = browser(kitchen.lead).get(page.headers["location"])
    assert got.headers["content-disposition"] == f'attachment; filename="{slug}-v1-csv-safe.{packing}"'
    assert got.content == api(kitchen.lead).get(document["url"]).content
    with database.reading() as session:
        trail = session.scalars(select(AuditEntry).where(AuditEntry.action == "export version")).all()
    assert [entry.detail["packing"] for entry in trail] == [packing, packing]


def test_an_export_that_fails_stands_in_the_trail_as_failed(
    browser: Callable[..., TestClient], api: Callable[..., TestClient], database: Database, version: Version,
    kitchen: factories.People, unguarded: Callable[..., None], handpicked: Shell, tmp_path: Path,
) -> None:  # fmt: skip
    slug = kitchen.project.slug
    (tmp_path / "mine").write_text("mine")
    assert handpicked("export", f"{slug}@v1", "--out", tmp_path / "mine").returncode == 1
    unguarded("DELETE FROM version_check")
    for client, base in ((browser(kitchen.lead), ""), (api(kitchen.lead), "/api/v1")):
        answer = client.get(f"{base}/projects/{slug}/versions/v1/exports/lima.zip")
        assert (answer.status_code, "its seal is gone" in answer.text) == (409, True)
    with database.reading() as session:
        trail = session.scalars(select(AuditEntry).where(AuditEntry.subject == "version:v1").order_by(AuditEntry.id))
        said = [(entry.action, entry.detail.get("why", "").partition(" is ")[2]) for entry in trail]
    why = "not what was frozen: its seal is gone. Nothing was done with it; restore the database from a backup."
    failed = ("export failed", why)
    taken = "there already and not an empty folder; nothing was written. Name a new folder."
    assert said[-4:] == [("export version", ""), ("export failed", taken), failed, failed]


def test_another_packing_or_format_is_refused(
    browser: Callable[..., TestClient], api: Callable[..., TestClient], version: Version, kitchen: factories.People
) -> None:
    slug = kitchen.project.slug
    for wanted in ({"format": "lima", "packing": "rar"}, {"format": "xlsx"}):
        assert browser(kitchen.lead).post(f"/projects/{slug}/versions/v1/exports", data=wanted).status_code == 422
        assert api(kitchen.lead).post(f"/api/v1/projects/{slug}/versions/v1/exports", json=wanted).status_code == 422


def test_the_page_offers_every_format_to_a_lead_alone(
    browser: Callable[..., TestClient], version: Version, kitchen: factories.People
) -> None:
    url = f"/projects/{kitchen.project.slug}/versions/v1"
    page = browser(kitchen.lead).get(url).text
    assert [form for form in Format if f'name="format" value="{form}"' not in page] == []
    assert page.count("ready-made configuration for Axolotl and LLaMA-Factory") == 4
    assert "source, licence, attribution: in <code>examples.jsonl</code> alone" in page
    page = browser(kitchen.annotator).get(url).text
    assert 'name="format"' not in page
    assert "An admin of the project exports." in page


def test_an_export_of_the_first_edition_still_verifies(database: Database, version: Version, tmp_path: Path) -> None:
    """Without the files that came later, with the keys of messages in the order of canonical JSON."""
    for form in (Format.LIMA, Format.MESSAGES, Format.PARQUET):
        out = tmp_path / form
        export(database, version, form, out)
        manifest = json.loads((out / "manifest.json").read_bytes())
        later = BOTH | {"LICENSE.md", "composition.svg", "croissant.json"}
        for name in later & set(contents(out)):
            (out / name).unlink()
        if (out / "llamafactory").is_dir():
            (out / "llamafactory").rmdir()
        if form is Format.MESSAGES:
            for path in out.glob("t*.jsonl"):
                rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
                path.write_text("".join(json.dumps(row, sort_keys=True) + "\n" for row in rows), "utf-8")
        manifest["files"] = [file for file in manifest["files"] if file["path"] not in later]
        del manifest["export"]["edition"]
        (out / "manifest.json").write_bytes(sealed(manifest))
        reseal(out)
        assert verify_folder(out, version.sha256)["ok"], form
