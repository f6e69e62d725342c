"""Uploads: on disk under our own names, limited while they come, gone when anything fails."""

import io
import threading
import time
import tracemalloc
from itertools import chain, count, repeat

import anyio
import pytest
from fastapi import Request

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


def test_a_complete_dump_is_taken_and_what_no_import_reads_is_named(browser, people, url, settings):
    """A dump of today: eight files in the browser's order, two of them of no use."""
    more = ["Badges", "Comments", "PostHistory", "PostLinks", "Tags", "Votes"]
    files = sorted(
        [*dump_files(), *(("files", (f"{name}.xml", b"<a></a>")) for name in more)], key=lambda one: one[1][0]
    )
    client = browser(people.annotator)
    answer = client.post(url, files=files)
    assert answer.status_code == 303
    (folder,) = uploads_in(settings)
    assert sorted(one.stem for one in folder.iterdir()) == [
        "Comments", "PostLinks", "Posts", "Tags", "Users", "Votes",
    ]  # fmt: skip
    page = client.get(answer.headers["location"]).text
    assert "Left aside: Badges.xml and PostHistory.xml. No import reads that." in page
    assert "Posts.xml" in page


@pytest.mark.parametrize(("names", "words"), [
    ([f"{number}.html" for number in range(7)], "3.html, 4.html, 5.html and 6.html came together"),
    ([f"{number}.json" for number in range(100)], "5.json, 6.json and 93 more came together"),
    (["Users.xml", "Comments.xml"], "the files of one dump with its Posts.xml"),
    (["a/Posts.xml", "b/Posts.xml"], "Posts.xml and Posts.xml came together"),
    ([f"{number}.json" for number in range(201)], "More than 200 files at once"),
])  # fmt: skip
def test_files_that_are_no_one_import_are_refused_in_the_form(browser, people, url, settings, names, words):
    answer = browser(people.annotator).post(url, files=[("files", (name, b"{}")) for name in names])
    assert answer.status_code == 422
    assert words in answer.text
    assert "Pack them into a .zip" in answer.text
    assert 'id="bring-in"' in answer.text
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

    monkeypatch.setattr("app.sources.receiving.recognise", broken)
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


# A40: bodies that are made to cost.

MULTIPART = {"content-type": "multipart/form-data; boundary=x"}


def poured(settings, chunks):
    """Give a body to the parser chunk by chunk; the refusal, and how many chunks it took before it said so."""
    taken = 0
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [
        (key.encode(), value.encode()) for key, value in MULTIPART.items()
    ]}  # fmt: skip
    source = iter(chunks)

    async def receive():
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": next(source), "more_body": True}

    with pytest.raises(Refusal) as raised:
        anyio.run(uploads.receive, Request(scope, receive), settings)
    return raised.value, taken


@pytest.mark.parametrize(("kind", "status"), [('; filename="a"', 422), ("", 400)])
def test_a40_ten_thousand_parts_are_refused_at_once(browser, people, url, settings, kind, status):
    part = f'--x\r\nContent-Disposition: form-data; name="f"{kind}\r\n\r\nhi\r\n'
    began = time.process_time()
    answer = browser(people.annotator).post(url, content=part.encode() * 10_000 + b"--x--\r\n", headers=MULTIPART)
    assert answer.status_code == status
    assert time.process_time() - began < 1
    assert uploads_in(settings) == []


@pytest.mark.parametrize("head", [
    b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n', b"--x\r\nX-Endless: ", b"--x\r\nX-Endless",
])  # fmt: skip
def test_a40_an_endless_field_or_header_ends_within_two_megabytes(settings, head):
    refusal, taken = poured(settings, chain([head], repeat(b"y" * 100_000)))
    assert refusal.status == 400
    assert taken < 20


def test_a40_endless_part_headers_end_within_two_megabytes(settings):
    refusal, taken = poured(settings, chain([b"--x\r\n"], (b"X-%d: y\r\n" % number * 10_000 for number in count())))
    assert refusal.status == 400
    assert taken < 20


# A37: large ones, and slow ones.


def test_a37_a_body_that_falls_silent_is_given_up(settings, monkeypatch):
    monkeypatch.setattr(uploads, "LONGEST_SILENCE", 0.1)

    async def receive():
        await anyio.sleep(10)

    headers = [(key.encode(), value.encode()) for key, value in MULTIPART.items()]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
    with pytest.raises(uploads.Silence, match="Nothing more of the upload came"):
        anyio.run(uploads.receive, request, settings)


def test_a37_a_large_upload_takes_little_memory(app, settings):
    async def body():
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="x"\r\n\r\n'
        for _ in range(300):
            yield bytes(1_000_000)
        yield b"\r\n--x--\r\n"

    async def receive():
        return await anext(messages)

    async def pour():
        async for chunk in body():
            yield {"type": "http.request", "body": chunk, "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}

    messages = pour()
    headers = [(key.encode(), value.encode()) for key, value in MULTIPART.items()]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
    tracemalloc.start()
    kept = anyio.run(uploads.receive, request, settings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kept.path is not None
    assert kept.path.stat().st_size == 300_000_000
    assert peak < 30 << 20


def test_a37_the_same_file_twice_at_once_is_two_drafts_and_their_files_do_not_meet(browser, people, url, settings):
    answers: list[int] = []

    def send():
        answers.append(browser(people.annotator).post(url, files=upload("x.jsonl", LINE * 20_000)).status_code)

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [303] * 3
    assert [path.stat().st_size for folder in uploads_in(settings) for path in folder.iterdir()] == [
        len(LINE) * 20_000
    ] * 3


def test_a35_there_is_no_import_by_address(browser, api, people, url, settings):
    client, program = browser(people.lead), api(people.lead)
    imports = f"/api/v1{url.replace('/sources/new', '/imports')}"
    for address in ("http://127.0.0.1/x", "file:///etc/passwd", "gopher://x", "http://169.254.169.254/", "//x/y"):
        assert client.post(url, files={"path": (None, address)}).status_code == 403
        assert client.post(url, files={"url": (None, address)}).status_code == 422
        assert program.post(imports, files={"url": (None, address)}).status_code == 422
    assert uploads_in(settings) == []
