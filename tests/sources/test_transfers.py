"""Uploads in pieces: what arrived stays, what comes twice is there once, nobody else sees it, silence ends it."""

import os
import threading
import time

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEntry
from app.jobs.running import CHORES
from app.sources import transfers
from app.sources.models import ImportRun, Transfer
from app.worker import Worker
from tests import factories
from tests.sources.rooms import dump_files, uploads_in, work

LINE = b'{"conversations": ["Why?", "Because."]}\n'


@pytest.fixture
def root(people):
    return f"/projects/{people.project.slug}/uploads"


@pytest.fixture
def client(browser, people):
    return browser(people.annotator)


def announce(client, root, *files):
    return client.post(root, json={"files": [{"name": name, "size": size} for name, size in files]})


@pytest.fixture
def begun(client, root):
    """Begin an upload of one file and give its address."""
    return lambda size=len(LINE), name="pairs.jsonl": f"{root}/{announce(client, root, (name, size)).json()['upload']}"


def put(client, address, offset, data, number=0):
    return client.put(f"{address}/{number}", params={"offset": offset}, content=data)


def finish(client, people, address):
    fields = {"upload": (None, address.rsplit("/", 1)[1])}
    return client.post(f"/projects/{people.project.slug}/sources/new", files=fields)


def test_pieces_become_a_file_that_is_imported(client, people, begun, database, settings):
    address = begun(len(LINE) * 3)
    for number in range(3):
        answer = put(client, address, number * len(LINE), LINE)
        assert answer.json() == {"arrived": (number + 1) * len(LINE)}
    answer = finish(client, people, address)
    assert answer.status_code == 303
    run = work_through(client, database, settings, people, answer.headers["location"])
    assert (run.options["file"], run.result["records"]) == ("pairs.jsonl", 3)
    assert client.get(address).status_code == 404
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "finish upload")).one()
        assert entry.detail["bytes"] == len(LINE) * 3
        assert entry.actor_id == people.annotator.id
        assert session.scalars(select(Transfer)).all() == []


def work_through(client, database, settings, people, address):
    """Start a draft as its page proposes it, and do its job."""
    client.post(address, data={"name": "pairs.jsonl", "into": "pool", "format": "lima"})
    return work(database, settings, people, int(address.rsplit("/", 1)[1]))


def test_the_files_of_a_dump_come_together(client, people, root):
    files = [(name, data) for _, (name, data) in dump_files()]
    answer = announce(client, root, *((name, len(data)) for name, data in files))
    address = f"{root}/{answer.json()['upload']}"
    for number, (_, data) in enumerate(files):
        put(client, address, 0, data, number)
    page = client.get(finish(client, people, address).headers["location"])
    assert "Users.xml" in page.text


def test_a_piece_sent_twice_is_there_once_and_an_overlap_is_cut(client, begun, settings):
    address = begun(10)
    for offset, data, there in ((0, b"0123", 4), (0, b"0123", 4), (2, b"2345", 6), (0, b"01", 6), (6, b"6789", 10)):
        assert put(client, address, offset, data).json() == {"arrived": there}
    assert (uploads_in(settings)[0] / "upload").read_bytes() == b"0123456789"


def test_a_gap_is_refused_with_where_to_go_on(client, begun):
    address = begun(10)
    put(client, address, 0, b"01")
    answer = put(client, address, 5, b"56")
    assert answer.status_code == 409
    assert "2 bytes of this file have arrived" in answer.text
    assert client.get(address).json()["arrived"] == [2]


def test_more_than_was_announced_is_refused(client, begun):
    address = begun(3)
    assert put(client, address, 0, b"0123").status_code == 422
    assert put(client, address, 2, b"23").status_code == 422
    assert client.get(address).json()["arrived"] == [0]


def test_a_piece_that_is_too_large_is_refused(client, begun, monkeypatch):
    monkeypatch.setattr(transfers, "LARGEST_PIECE", 1 << 20)
    assert put(client, begun(5 << 20), 0, bytes(2 << 20)).status_code == 413


@pytest.mark.parametrize(("number", "offset"), [(1, 0), (-1, 0), (0, -1)])
def test_no_such_place_is_404(client, begun, number, offset):
    assert put(client, begun(), offset, b"x", number).status_code == 404


def test_an_upload_is_imported_only_when_it_is_complete(client, people, begun, database):
    address = begun(10)
    put(client, address, 0, b"01")
    answer = finish(client, people, address)
    assert answer.status_code == 422
    assert "2 of 10 bytes have arrived" in answer.text
    assert client.get(address).json()["arrived"] == [2]
    with database.reading() as session:
        assert session.scalars(select(ImportRun)).all() == []


def test_an_upload_that_cannot_be_read_is_thrown_away_with_a_word(client, people, begun, settings):
    address = begun(5)
    put(client, address, 0, b"hello")
    answer = finish(client, people, address)
    assert answer.status_code == 422
    assert "neither XML nor JSON" in answer.text
    assert client.get(address).status_code == 404
    assert uploads_in(settings) == []


def test_nobody_else_sees_it_or_goes_on_with_it(browser, people, begun, database, settings):
    address = begun(10)
    with database.writing() as session:
        other = factories.user(session, name="Otto Other")
        factories.projects.add_member(session, people.lead, people.project, other, factories.Role.ANNOTATOR)
    for person in (other, people.lead, people.admin):
        theirs = browser(person)
        assert theirs.get(address).status_code == 404
        assert put(theirs, address, 0, b"01").status_code == 404
        assert theirs.post(f"{address}/discard").status_code == 404
        assert finish(theirs, people, address).status_code == 404
        assert "pairs.jsonl" not in theirs.get(f"/projects/{people.project.slug}/sources/new").text
    assert put(browser(people.stranger), address, 0, b"01").status_code == 404
    assert put(browser(), address, 0, b"01").status_code == 401
    assert not (uploads_in(settings)[0] / "upload").exists()


def test_another_site_cannot_send_a_piece(client, begun):
    address = begun(10)
    answer = client.put(f"{address}/0?offset=0", content=b"01", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert client.get(address).json()["arrived"] == [0]


def test_a_person_has_three_on_their_way_at_most(client, root, begun):
    first = begun(10, "first.json")
    begun(10)
    begun(10)
    answer = announce(client, root, ("one more.json", 10))
    assert answer.status_code == 409
    assert "first.json" in answer.text
    assert client.post(f"{first}/discard").status_code == 303
    assert announce(client, root, ("one more.json", 10)).status_code == 201


def test_too_large_or_too_many_files_are_refused_before_a_byte_comes(client, root, app, settings):
    app.state.settings = settings.model_copy(update={"max_upload_mb": 1})
    assert announce(client, root, ("a", 1_000_001)).status_code == 413
    assert announce(client, root, ("a", 1), ("b", 1)).status_code == 422
    assert announce(client, root).status_code == 422
    assert announce(client, root, *(("a", 1),) * 7).status_code == 422
    assert announce(client, root, ("a", -1)).status_code == 422
    assert uploads_in(settings) == []


def test_no_room_on_the_disk_is_said(client, root, settings, monkeypatch):
    monkeypatch.setattr(transfers.shutil, "disk_usage", lambda _: Free)
    answer = announce(client, root, ("a", 10))
    assert answer.status_code == 507
    assert uploads_in(settings) == []


class Free:
    free = 5


def test_a_disk_that_fills_up_keeps_what_had_arrived(client, begun, monkeypatch):
    address = begun(10)
    put(client, address, 0, b"0123")

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(transfers.os, "fsync", full)
        assert put(client, address, 4, b"4567").status_code == 507
    assert client.get(address).json()["arrived"] == [4]
    assert put(client, address, 4, b"456789").json() == {"arrived": 10}


def test_the_page_lists_what_is_on_its_way_and_throws_it_away(client, people, begun, settings):
    address = begun(10, "half <b>.jsonl")
    put(client, address, 0, b"0123")
    page = f"/projects/{people.project.slug}/sources/new"
    assert "half &lt;b&gt;.jsonl" in client.get(page).text
    assert "<b>4 bytes</b> of 10 bytes" in client.get(page).text
    assert client.post(f"{address}/discard").headers["location"].endswith("/sources/new")
    assert "half &lt;b&gt;.jsonl" not in client.get(page).text
    assert uploads_in(settings) == []


def test_silence_ends_an_upload_and_the_worker_sweeps(client, begun, settings, database):
    silent, alive = begun(10), begun(10)
    put(client, silent, 0, b"01")
    put(client, alive, 0, b"01")
    orphan = settings.data_dir / "uploads" / ("0" * 32)
    orphan.mkdir()
    long_ago = time.time() - 25 * 3600
    for path in (settings.data_dir / "uploads" / silent.rsplit("/", 1)[1], orphan):
        for one in (*path.iterdir(), path):
            os.utime(one, (long_ago, long_ago))
    worker = Worker(settings, database)
    worker.do_chores(worker._taken[0])
    assert CHORES
    assert client.get(silent).status_code == 404
    assert client.get(alive).json()["arrived"] == [2]
    assert [path.name for path in uploads_in(settings)] == [alive.rsplit("/", 1)[1]]


def test_the_sweep_leaves_imported_uploads_alone(client, people, begun, settings, database):
    address = begun()
    put(client, address, 0, LINE)
    assert finish(client, people, address).status_code == 303
    folder = uploads_in(settings)[0]
    long_ago = time.time() - 400 * 86_400
    for one in (*folder.iterdir(), folder):
        os.utime(one, (long_ago, long_ago))
    transfers.sweep(database, settings)
    assert uploads_in(settings) == [folder]


def test_a_program_does_the_same_by_token(api, people, database, settings):
    client, root = api(people.annotator), f"/api/v1/projects/{people.project.slug}"
    begun = announce(client, f"{root}/uploads", ("pairs.jsonl", len(LINE))).json()
    address = f"{root}/uploads/{begun['upload']}"
    assert put(client, address, 0, LINE).json() == {"arrived": len(LINE)}
    assert client.get(address).json() == begun | {"arrived": [len(LINE)]}
    answer = client.post(f"{root}/imports", files={"upload": (None, begun["upload"])})
    assert answer.status_code == 201
    assert work(database, settings, people, answer.json()["id"]).result["records"] == 1
    assert client.delete(address).status_code == 404


def test_a_path_on_the_server_goes_before_an_upload_which_stays(browser, people, app, settings, tmp_path):
    (tmp_path / "offered").mkdir()
    (tmp_path / "offered" / "pairs.jsonl").write_bytes(LINE)
    app.state.settings = settings.model_copy(update={"import_folders": (tmp_path / "offered",)})
    client, root = browser(people.lead), f"/projects/{people.project.slug}"
    address = f"{root}/uploads/{announce(client, f'{root}/uploads', ('a.json', 2)).json()['upload']}"
    put(client, address, 0, b"{}")
    fields = {"path": str(tmp_path / "offered" / "pairs.jsonl"), "upload": address.rsplit("/", 1)[1]}
    answer = client.post(f"{root}/sources/new", files={key: (None, value) for key, value in fields.items()})
    assert answer.status_code == 303
    assert client.get(address).json()["arrived"] == [2]


def test_a_program_throws_one_away(api, people, settings):
    client, root = api(people.annotator), f"/api/v1/projects/{people.project.slug}/uploads"
    begun = announce(client, root, ("pairs.jsonl", 5)).json()
    assert client.delete(f"{root}/{begun['upload']}").status_code == 204
    assert uploads_in(settings) == []


def test_a37_the_same_piece_at_once_from_two_tabs_is_there_once(settings, database, people, begun):
    key = begun(8 << 20).rsplit("/", 1)[1]
    with database.reading() as session:
        transfer = session.scalars(select(Transfer).where(Transfer.key == key)).one()
    data = os.urandom(8 << 20)

    def send():
        there = 0
        while there < len(data):
            there = transfers.append(settings, transfer, 0, there, data[there : there + (1 << 18)])

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (uploads_in(settings)[0] / "upload").read_bytes() == data


def test_a37_the_same_upload_finished_twice_at_once_is_one_import(client, people, begun, database):
    address = begun()
    put(client, address, 0, LINE)
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(finish(client, people, address).status_code)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303, 404, 404]
    with database.reading() as session:
        assert len(session.scalars(select(ImportRun)).all()) == 1


def test_of_a_complete_dump_only_what_is_read_goes_up(client, people, root, settings):
    files = {name: content for _, (name, content) in dump_files()}
    announced = [("Badges.xml", 5_000_000), *((name, len(content)) for name, content in files.items())]
    begun = announce(client, root, *announced).json()
    assert begun["arrived"] == [5_000_000, 0, 0]
    at = f"{root}/{begun['upload']}"
    assert client.put(f"{at}/0?offset=0", content=b"x").json()["arrived"] == 5_000_000
    form = f"/projects/{people.project.slug}/sources/new"
    assert "Posts.xml" in client.get(form).text
    for number, content in enumerate(files.values(), 1):
        assert client.put(f"{at}/{number}?offset=0", content=content).json()["arrived"] == len(content)
    (folder,) = uploads_in(settings)
    assert sorted(one.name for one in folder.iterdir()) == ["Posts.xml", "Users.xml"]
    answer = client.post(form, files={"upload": (None, begun["upload"])})
    assert answer.status_code == 303
    assert "Left aside: Badges.xml. No import reads that." in client.get(answer.headers["location"]).text


def test_files_that_are_no_one_import_are_refused_before_a_piece_is_sent(client, root, settings):
    answer = announce(client, root, ("a.html", 3_000_000), ("b.html", 3_000_000))
    assert answer.status_code == 422
    assert "a.html and b.html came together" in answer.text
    answer = announce(client, root, *((f"{number}.html", 50_000) for number in range(201)))
    assert answer.status_code == 422
    assert "More than 200 files at once" in answer.text
    assert uploads_in(settings) == []
