"""Archives through every door: the page, the API, the command line; and what is left on the disk."""

import gzip
import io
import json
import zipfile
from html import unescape

import py7zr
import pytest

from app import sample
from app.sources import receiving
from app.sources.archives import workspace_of
from app.sources.formats import open_source
from app.sources.forms import typed_rules
from app.sources.rulesets import LIMA
from tests.sources.rooms import SITE, again, imported, upload, uploads_in, work

LINE = '{"conversations": ["Why?", "Because."]}\n'


def zip_of(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def dump_members() -> dict[str, bytes]:
    folder = sample.dump_folder()
    return {f"cooking/{name}": (folder / name).read_bytes() for name in ("Posts.xml", "Users.xml")}


def unpacked(settings) -> list[str]:
    folder = workspace_of(settings).folder
    return sorted(path.name for path in folder.glob("*/*/*") if path.is_file())


@pytest.fixture
def url(people):
    return f"/projects/{people.project.slug}/sources/new"


def test_a_zipped_dump_is_looked_at_imported_and_its_records_opened(browser, database, settings, people, url):
    client = browser(people.annotator)
    answer = client.post(url, files=upload("cooking.zip", zip_of(dump_members())))
    assert answer.status_code == 303
    draft = answer.headers["location"]
    assert "cooking.zip" in client.get(draft).text
    begun = client.post(draft, data={"name": "Cooking", "site": SITE, "into": "pool", **typed_rules(LIMA)})
    assert begun.status_code == 303
    run = work(database, settings, people, int(draft.rsplit("/", 1)[1]))
    plain = imported(database, settings, people, sample.dump_folder(), name="plain")
    assert (run.result["records"], run.result["funnel"]) == (plain.result["records"], plain.result["funnel"])
    dropped = list(open_source(sample.dump_folder(), site=SITE).records())
    opened = client.get(draft, params={"rule": "length"})
    assert opened.status_code == 200
    assert any(record.title in unescape(opened.text) for record in dropped)


def test_an_archive_is_imported_by_the_api(api, database, settings, people):
    client = api(people.annotator)
    address = f"/api/v1/projects/{people.project.slug}/imports"
    answer = client.post(address, files=upload("pairs.jsonl.gz", gzip.compress(LINE.encode() * 3)))
    assert answer.status_code == 201
    run = work(database, settings, people, answer.json()["id"])
    assert run.result["records"] == 3
    assert again(database, run).options["file"] == "pairs.jsonl.gz"


def test_a_path_to_an_archive_is_imported(database, settings, people, tmp_path):
    with py7zr.SevenZipFile(tmp_path / "dump.7z", "w") as archive:
        for name, content in dump_members().items():
            archive.writestr(content, name)
    run = imported(database, settings, people, tmp_path / "dump.7z")
    plain = imported(database, settings, people, sample.dump_folder(), name="plain")
    assert run.result["funnel"] == plain.result["funnel"]
    assert unpacked(settings) == ["0", "1", "labels.json"]


@pytest.mark.parametrize(("content", "words"), [
    (zip_of({"../x": b"{}"}), "points outside"),
    (zip_of({"inner.zip": zip_of({"a": b"{}"})}), "an archive itself"),
    (gzip.compress(LINE.encode() * 9, mtime=0)[:-3], "broken or cut off"),
    (zip_of({"a.bin": bytes(range(1, 200))}), "neither XML nor JSON"),
    (zip_of({"a/Posts.xml": b"<posts></posts>", "b/Posts.xml": b"<posts></posts>"}), "2 dumps in a.zip (a/Posts.xml"),
], ids=("outside", "nested", "cut", "binary", "two sites"))  # fmt: skip
def test_a_bad_archive_is_refused_on_the_form_and_nothing_is_kept(browser, people, url, settings, content, words):
    answer = browser(people.annotator).post(url, files=upload("a.zip", content))
    assert answer.status_code == 422
    assert words in answer.text
    assert uploads_in(settings) == []
    assert unpacked(settings) == []


def test_an_archive_that_breaks_off_late_fails_the_import_and_leaves_nothing(database, settings, people, tmp_path):
    whole = gzip.compress(b"".join(LINE.encode() for _ in range(300_000)), 0)
    (tmp_path / "a.gz").write_bytes(whole[:-5])
    run = imported(database, settings, people, tmp_path / "a.gz", format="lima", site="")
    assert run.state == "failed"
    assert "broken or cut off" in run.error
    assert unpacked(settings) == []


def test_a_discarded_upload_takes_its_unpacked_files_with_it(browser, people, url, settings):
    client = browser(people.annotator)
    draft = client.post(url, files=upload("a.zip", zip_of({"a": LINE.encode()}))).headers["location"]
    assert unpacked(settings) == ["0", "labels.json"]
    assert client.post(f"{draft}/discard").status_code == 303
    assert unpacked(settings) == []
    assert uploads_in(settings) == []


def test_others_can_write_while_somebody_s_archive_is_looked_at(browser, database, people, url, monkeypatch):
    look = receiving.brought

    def slow(*arguments, **options):
        with database.writing() as session:
            session.get(type(people.project), people.project.id).name = "Written meanwhile"
        return look(*arguments, **options)

    monkeypatch.setattr(receiving, "brought", slow)
    content = json.dumps({"conversations": ["a", "b"]}).encode()
    assert browser(people.annotator).post(url, files=upload("a.gz", gzip.compress(content))).status_code == 303
