"""Uploads: on disk under our own names, limited while they come, gone when anything fails."""

import io

import pytest

from app.errors import Refusal
from app.sources import uploads
from tests.sources.rooms import dump_files, upload, uploads_in

LINE = '{"conversations": ["Why?", "Because."]}\n'


@pytest.fixture
def url(people):
    return f"/projects/{people.project.slug}/sources/new"


@pytest.fixture
def small(app, settings):
    app.state.settings = settings.model_copy(update={"max_upload_mb": 1})
    return app.state.settings


def test_no_name_of_theirs_reaches_a_path(settings):
    for name in ("../../etc/passwd", "..\\..\\x.xml", "/etc/Posts.xml/x", "a\x00b", "C:\\Posts.xml\\y", ""):
        kept = uploads.keep_files(settings, [(name, io.BytesIO(b"{}"))])
        assert kept.name == "upload"
        assert kept.parent.parent == (settings.data_dir / "uploads").absolute()


def test_the_files_of_a_dump_keep_their_names(settings):
    folder = uploads.keep_files(settings, [("x/Posts.xml", io.BytesIO(b"<a/>")), ("Users.xml", io.BytesIO(b"<b/>"))])
    assert sorted(one.name for one in folder.iterdir()) == ["Posts.xml", "Users.xml"]


def test_two_files_that_are_no_dump_are_refused_and_nothing_is_kept(settings):
    with pytest.raises(Refusal, match="One file at a time"):
        uploads.keep_files(settings, [("a.json", io.BytesIO(b"{}")), ("b.json", io.BytesIO(b"{}"))])
    assert uploads_in(settings) == []


@pytest.mark.parametrize(("name", "shown"), [
    ("../../a b.json", "a b.json"), ("\u202egnp.exe", "gnp.exe"), ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
    ("\u200b", "Upload"), ("x" * 300, "x" * 120), ("<b>.json", "<b>.json"),
])  # fmt: skip
def test_a_file_is_called_by_what_can_be_seen_of_its_name(name, shown):
    assert uploads.shown_name(name) == shown


def test_an_upload_that_says_it_is_too_large_is_refused_before_it_is_read(browser, people, url, small):
    answer = browser(people.annotator).post(url, files=upload("x.jsonl", LINE * 40_000))
    assert answer.status_code == 413
    assert "larger than 1 MB" in answer.text
    assert uploads_in(small) == []


def test_an_upload_that_hides_its_size_is_cut_off_at_the_limit(browser, people, url, small):
    taken = []

    def body():
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="x"\r\n\r\n'
        for number in range(64):
            taken.append(number)
            yield b"x" * 100_000
        yield b"\r\n--x--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = browser(people.annotator).post(url, content=body(), headers=headers)
    assert answer.status_code == 413
    assert uploads_in(small) == []


@pytest.mark.parametrize(("content", "headers", "words"), [
    (b"path=/etc", {"content-type": "application/x-www-form-urlencoded"}, "multipart"),
    (b"nothing", {"content-type": "multipart/form-data"}, "boundary"),
    (b"--y--", {"content-type": "multipart/form-data; boundary=x"}, "could not be read"),
])  # fmt: skip
def test_a_body_that_is_no_upload_is_a_bad_request(browser, people, url, settings, content, headers, words):
    answer = browser(people.annotator).post(url, content=content, headers=headers)
    assert answer.status_code == 400
    assert words in answer.text
    assert uploads_in(settings) == []


def test_a_file_that_breaks_off_is_refused(browser, people, url, settings):
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="x.jsonl"\r\n\r\n' + LINE.encode()
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = browser(people.annotator).post(url, content=body, headers=headers)
    assert answer.status_code == 400
    assert "breaks off" in answer.text
    assert uploads_in(settings) == []


def test_no_file_at_all_is_said_on_the_form(browser, people, url):
    answer = browser(people.annotator).post(url, files=[("files", ("", b""))])
    assert answer.status_code == 422
    assert "No file was chosen" in answer.text


def test_a_hundred_parts_are_refused(browser, people, url, settings):
    many = [("files", (f"{number}.json", b"{}")) for number in range(100)]
    assert browser(people.annotator).post(url, files=many).status_code == 400
    assert uploads_in(settings) == []


def test_a_stranger_s_upload_is_not_even_read(browser, people, url, settings):
    read = []

    def body():
        read.append(1)
        yield b"--x--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert browser(people.stranger).post(url, content=body(), headers=headers).status_code == 404
    assert browser().post(url, files=dump_files()).status_code == 401
    assert uploads_in(settings) == []


def test_everybody_else_can_write_while_an_upload_comes_in(browser, database, people, url):
    written = []

    def body():
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="x.jsonl"\r\n\r\n'
        with database.writing() as session:
            session.get(type(people.project), people.project.id).name = "Written meanwhile"
        written.append(1)
        yield LINE.encode()
        yield b"\r\n--x--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert browser(people.annotator).post(url, content=body(), headers=headers).status_code == 303
    assert written == [1]


def test_a_failure_after_the_upload_leaves_no_file(browser, app, people, url, settings, monkeypatch):
    def broken(*_):
        raise RuntimeError("disk on fire")

    monkeypatch.setattr("app.sources.routes.recognise", broken)
    assert browser(people.annotator).post(url, files=upload("x.jsonl", LINE)).status_code == 500
    assert uploads_in(settings) == []


@pytest.fixture
def offered(app, settings, tmp_path):
    folder = tmp_path / "offered"
    folder.mkdir()
    (folder / "pairs.jsonl").write_text(LINE)
    (tmp_path / "secret.jsonl").write_text(LINE)
    (folder / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    app.state.settings = settings.model_copy(update={"import_folders": (folder,)})
    return folder


def as_form(path):
    return {"path": (None, str(path))}


def test_a_lead_imports_from_an_offered_folder(browser, people, url, offered):
    answer = browser(people.lead).post(url, files=as_form(offered / "pairs.jsonl"))
    assert answer.status_code == 303
    assert str(offered) in browser(people.lead).get(url).text
    assert str(offered) not in browser(people.annotator).get(url).text


def test_nobody_else_does(browser, people, url, offered):
    for person in (people.annotator, people.reviewer):
        assert browser(person).post(url, files=as_form(offered / "pairs.jsonl")).status_code == 403


@pytest.mark.parametrize("path", ["../secret.jsonl", "link.jsonl", "/etc/passwd"])
def test_what_lies_outside_is_refused_whatever_the_way_to_it(browser, people, url, offered, path):
    answer = browser(people.lead).post(url, files=as_form(offered / path))
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["none.jsonl", "a" * 300, "a\x00b"])
def test_a_path_to_nothing_is_said_on_the_form(browser, people, url, offered, path):
    answer = browser(people.lead).post(url, files=as_form(f"{offered}/{path}"))
    assert answer.status_code == 422
    assert "Nothing was saved" in answer.text


def test_discarding_never_removes_what_is_not_an_upload(browser, people, url, offered):
    client = browser(people.lead)
    at = client.post(url, files=as_form(offered / "pairs.jsonl")).headers["location"]
    assert client.post(f"{at}/discard").status_code == 303
    assert (offered / "pairs.jsonl").exists()
