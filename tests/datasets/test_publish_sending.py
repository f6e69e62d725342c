"""A version on its way to the Hub: one commit whatever happens, and a sentence where there is none."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.accounts.models import AuditEntry
from app.config import ROOT
from app.datasets.canonical import version_id
from app.datasets.formats import Format
from app.datasets.publication import sending as publish_sending
from app.datasets.publication.models import Publication, PublicationState, Visibility, Way
from app.datasets.verify import verify_folder
from app.db import now
from app.embeddings.encoder import EncoderMissing, load_encoder
from app.jobs.models import Job, JobState
from app.jobs.running import run_now
from app.worker import worker_name
from tests.datasets.publishing_room import AS_THE_CLIENT_SENDS, REPOSITORY
from tests.hubkeep import refusal
from tests.hubstand import NO_TOKEN, READ, WRITE, serving

pytestmark = AS_THE_CLIENT_SENDS
COMMIT = f"/api/datasets/{REPOSITORY}/commit/main"


@pytest.fixture
def quick(monkeypatch):
    """Nobody waits between two tries."""
    monkeypatch.setattr(publish_sending, "PAUSES", (0, 0, 0))


def commits(hub):
    return [one for one in hub.asked if one.path == COMMIT]


def refused(publication, *words):
    assert publication.state is PublicationState.FAILED
    assert publication.revision is None
    assert WRITE not in publication.error
    for said in words:
        assert said in publication.error


def test_a_commit_holds_what_was_frozen(hub, room, tmp_path):
    done = room.publish()
    assert (done.state, done.error) == (PublicationState.PUBLISHED, None)
    head = room.repository.main
    assert (done.revision, done.pull_request) == (head.id, None)
    assert done.url == f"{hub.address}/datasets/{REPOSITORY}/commit/{head.id}"
    assert room.repository.private
    assert head.title == f"{room.people.project.slug}@v1: 7 examples, frozen with Handpicked"
    assert version_id(room.version.sha256) in head.message
    assert (done.holds, done.found) == (True, f"The Hub holds what was frozen, at {head.id[:8]} and on main.")
    copy = tmp_path / "copy"
    for path in set(head.files) - {".gitattributes"}:
        (copy / path).parent.mkdir(exist_ok=True, parents=True)
        (copy / path).write_bytes(head.files[path])
    # Whoever downloads it can prove it without asking us.
    assert verify_folder(copy, version_id(room.version.sha256))["problems"] == []
    assert {row["path"] for row in done.files} == set(head.files) - {".gitattributes"}


def test_large_files_go_by_their_hash_and_without_the_token(hub, room):
    done = room.publish()
    stored = [one for one in hub.asked if one.method == "PUT"]
    assert {one.path.rpartition("/")[2] for one in stored} == {
        row["sha256"] for row in done.files if row["path"].endswith(".parquet")
    }
    assert {one.token for one in stored} == {None}
    assert {one.token for one in hub.asked if one.path.startswith(("/api/datasets", "/datasets"))} == {WRITE}


def test_a_pull_request_leaves_main_alone_until_it_is_merged(hub, room):
    hub.repository(REPOSITORY)
    before = room.repository.main
    done = room.publish(way=Way.PULL_REQUEST)
    (proposal,) = room.repository.proposals
    assert (done.revision, done.pull_request) == (proposal.head.id, 1)
    assert done.url.endswith(f"/datasets/{REPOSITORY}/discussions/1")
    assert room.repository.main is before
    assert done.holds
    assert done.found.endswith("; its pull request is not merged.")
    room.repository.main = proposal.head
    assert room.compare(done).found.endswith("and on main.")


def test_a_reader_may_propose(hub, room, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", READ)
    hub.repository(REPOSITORY)
    assert room.publish(way=Way.PULL_REQUEST).pull_request == 1
    refused(room.publish(repository=REPOSITORY), "does not let the token in HF_TOKEN write to kitchen/cooking")


def test_a_token_that_the_hub_refuses_keeps_everything(hub, room, monkeypatch, caplog):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong_canary_token")
    failed = room.publish()
    refused(failed, "the Hub does not know the token in HF_TOKEN; take a new one", "The version is as it was")
    assert hub.repositories == {}
    assert room.job(failed).state is JobState.FAILED
    monkeypatch.setenv("HF_TOKEN", READ)
    refused(room.publish(), "does not let the token in HF_TOKEN write to kitchen/cooking; give it write access")
    monkeypatch.setenv("HF_TOKEN", WRITE)
    assert room.publish().holds
    assert "canary_token" not in caplog.text


def test_a_hub_that_repeats_the_token_is_not_repeated(hub, room):
    hub.once("POST", "/preupload/", refusal(400, message=f"do not know {WRITE}  at all"))
    refused(room.publish(), "the Hub refused it (400: do not know … at all")


def test_a_connection_cut_half_way_is_taken_up_again(hub, room):
    hub.once("PUT", "/store/", "cut")
    done = room.publish()
    assert done.holds
    sent = [one.path.rpartition("/")[2] for one in hub.asked if one.method == "PUT"]
    assert len(sent) == len(set(sent)) + 1
    assert sent[0] == sent[1]
    assert len(commits(hub)) == 1


def test_of_a_file_in_parts_the_part_that_was_cut_is_sent_again(hub, room):
    hub.part = 1000
    hub.once("PUT", "/2", "cut")
    assert room.publish(format=Format.PARQUET).holds
    sent = [one.path for one in hub.asked if one.method == "PUT"]
    assert len(sent) == len(set(sent)) + 1
    assert {path.rpartition("/")[2] for path in sent if sent.count(path) == 2} == {"2"}


def test_what_the_hub_has_is_not_sent_again(hub, room, quick):
    hub.once("POST", COMMIT, "cut")
    assert room.publish().holds
    sent = [one.path for one in hub.asked if one.method == "PUT"]
    assert len(sent) == len(set(sent)) == 3
    assert len(list(room.repository.main.line())) == 2


@pytest.mark.parametrize("way", list(Way))
def test_an_answer_that_is_lost_makes_no_second_commit(hub, room, quick, way):
    hub.repository(REPOSITORY)
    hub.once("POST", COMMIT, "lose")
    done = room.publish(way=way)
    assert done.holds
    assert len(commits(hub)) == 1
    assert len(room.repository.proposals) == (way is Way.PULL_REQUEST)
    assert len(room.repository.history) == 2


def test_a_hub_that_goes_silent_at_the_commit_leaves_it_open_and_publishing_again_finds_it(hub, room, quick):
    hub.repository(REPOSITORY)
    silent = []

    def fall_silent(method, path):
        if path == COMMIT:
            silent.append(True)
            return "lose"
        return refusal(502) if silent else None

    hub.faults.append(fall_silent)
    refused(room.publish(), "Whether its commit came through is not known: publish it again")
    hub.faults.clear()
    again = room.publish()
    assert (again.revision, len(room.repository.history)) == (room.repository.main.id, 2)


def test_somebody_who_commits_at_the_same_time_keeps_their_work(hub, room, quick):
    hub.repository(REPOSITORY)

    def push(method, path):
        if (method, path) == ("POST", COMMIT) and "theirs.md" not in room.repository.main.files:
            main = room.repository.main
            room.repository.main = room.repository.add("theirs", "", {**main.files, "theirs.md": b"x"}, main)

    hub.faults.append(push)
    done = room.publish()
    assert [len(commits(hub)), "theirs.md" in room.repository.main.files] == [2, True]
    assert done.found.endswith("and on main, which has 1 other file beside it.")


def test_a_hub_that_is_busy_or_ill_is_tried_again_and_then_named(hub, room, quick):
    hub.once("POST", COMMIT, refusal(409))
    hub.once("POST", "/preupload/", refusal(429, Retry_After="0"))
    assert room.publish().holds
    hub.once("POST", COMMIT, refusal(500, message="oops"), times=9)
    refused(room.publish(format=Format.LIMA), "the Hub answered with an error of its own (500)")


def test_it_waits_as_long_as_it_is_asked_to_and_says_so(hub, room, monkeypatch):
    hub.once("POST", "/preupload/", refusal(429, Retry_After="2"))
    publication, notes = room.start(), []
    monkeypatch.setattr(publish_sending, "_wait", lambda _context, seconds, why: notes.append((seconds, why)))
    assert room.work(publication).holds
    assert notes == [(2, "the Hub answers no more requests from here for now")]
    hub.once("GET", "/tree/", refusal(429, RateLimit='"api";r=0;t=4000'))
    refused(room.publish(format=Format.LIMA), "it asks to wait 4,000 seconds")


def test_stopping_ends_a_wait_and_nothing_is_committed(hub, room):
    hub.once("POST", "/preupload/", refusal(429, Retry_After="500"))
    publication = room.start()
    worker = threading.Thread(target=room.work, args=(publication,))
    worker.start()
    until = time.monotonic() + 60
    while "tries again in" not in room.job(publication).note and time.monotonic() < until:
        time.sleep(0.05)
    with room.database.writing() as session:
        session.execute(update(Job).where(Job.id == publication.job_id).values(cancel_requested=True))
    worker.join(60)
    assert room.now(publication).state is PublicationState.CANCELLED
    assert commits(hub) == []


def test_a_stop_after_the_commit_comes_too_late(hub, room):
    publication = room.start()

    def stop(method, path):
        if (method, path) == ("POST", COMMIT):
            with room.database.writing() as session:
                session.execute(update(Job).where(Job.id == publication.job_id).values(cancel_requested=True))

    hub.faults.append(stop)
    done = room.work(publication)
    assert (done.state, done.revision) == (PublicationState.PUBLISHED, room.repository.main.id)


def test_a_worker_that_is_killed_while_it_sends_leaves_nothing_twice(hub, room):
    reached, go_on = threading.Event(), threading.Event()
    stored = []

    def hold(method, path):
        if method == "PUT":
            stored.append(path)
            if len(stored) == 2:
                reached.set()
                go_on.wait(180)
                return "cut"
        return None

    hub.faults.append(hold)
    environment = {
        **os.environ, "HANDPICKED_DATABASE_URL": room.database.url, "HANDPICKED_DATA_DIR": str(room.settings.data_dir),
        "HANDPICKED_LEASE_SECONDS": "2",
    }  # fmt: skip
    line = [sys.executable, "-m", "app.cli", "publish", f"{room.people.project.slug}@v1", REPOSITORY, "--yes"]
    with subprocess.Popen(line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert reached.wait(180)
        finally:
            process.send_signal(signal.SIGKILL)
            go_on.set()
            process.communicate()
    with room.database.reading() as session:
        publication = session.scalars(select(Publication)).one()
    assert publication.state is PublicationState.WAITING
    assert list((room.settings.data_dir / "exports").glob(".publication-*"))
    time.sleep(2.1)  # the lease of the dead ends
    run_now(room.database, room.settings, publication.job_id, worker_name())
    done = room.now(publication)
    assert (done.state, done.error, done.holds) == (PublicationState.PUBLISHED, None, True)
    assert [len(commits(hub)), len(room.repository.history)] == [1, 2]
    assert stored[0] not in stored[2:]
    assert stored[1] in stored[2:]


def test_of_two_workers_at_once_one_commits(hub, room):
    publication, reached, go_on = room.start(), threading.Event(), threading.Event()

    def hold(method, path):
        if path == COMMIT and not reached.is_set():
            reached.set()
            go_on.wait(60)

    hub.faults.append(hold)
    frozen_worker = threading.Thread(target=room.work, args=(publication,))
    frozen_worker.start()
    assert reached.wait(60)
    with room.database.writing() as session:  # it is taken for dead, and is not
        gone = {"lease_until": now() - timedelta(seconds=9), "fence": "another's", "state": JobState.QUEUED}
        session.execute(update(Job).where(Job.id == publication.job_id).values(**gone))
    done = room.work(publication)
    go_on.set()
    frozen_worker.join(60)
    assert not frozen_worker.is_alive()
    assert (done.holds, len(commits(hub)), len(room.repository.history)) == (True, 2, 2)
    assert room.now(publication).revision == room.repository.main.id


def test_a_worker_that_died_after_the_commit_finds_it(hub, room, monkeypatch):
    publication = room.start()

    def die(*_):
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(publish_sending, "_note_landed", die)
        with pytest.raises(SystemExit):
            room.work(publication)
    head = room.repository.main
    # Meanwhile somebody mends the card at the Hub: that is no reason to commit again.
    mended = room.repository.add("mend", "", {**head.files, "README.md": b"# Better"}, head)
    room.repository.main = mended
    with room.database.writing() as session:
        session.execute(update(Job).values(cancel_requested=False))
    done = room.work(publication)
    assert (done.state, done.revision) == (PublicationState.PUBLISHED, head.id)
    assert room.repository.main is mended
    assert done.found == f"The Hub holds what was frozen, at {head.id[:8]}; main does not hold all of it: README.md."


@pytest.mark.parametrize(("private", "wanted", "words"), [
    (False, Visibility.PRIVATE, "kitchen/cooking is public on the Hub, and this was to be private"),
    (True, Visibility.PUBLIC, "kitchen/cooking is private on the Hub, and this was to be public"),
])  # fmt: skip
def test_nothing_is_sent_where_others_read_than_was_thought(hub, room, private, wanted, words):
    hub.repository(REPOSITORY, private=private)
    refused(room.publish(visibility=wanted), words)
    assert {one.method for one in hub.asked} == {"GET"}


def test_files_of_an_earlier_version_go_and_those_of_others_stay(hub, room):
    hub.repository(REPOSITORY, files={"notes/plan.md": b"ours"})
    room.publish(format=Format.LIMA)
    assert "train.jsonl" in room.repository.main.files
    done = room.publish(format=Format.HF)
    files = set(room.repository.main.files)
    assert not {"train.jsonl", "dev.jsonl"} & files
    assert {"notes/plan.md", ".gitattributes", "README.md"} <= files
    assert done.found.endswith("and on main, which has 1 other file beside it.")


@pytest.mark.parametrize("way", list(Way))
def test_the_same_version_twice_is_one_commit(hub, room, way):
    hub.repository(REPOSITORY)
    first, second = room.publish(way=way), room.publish(way=way)
    assert (second.state, second.revision) == (PublicationState.PUBLISHED, first.revision)
    assert second.pull_request == first.pull_request
    assert len(room.repository.history) == 2


def test_what_was_not_shown_is_not_sent(hub, room):
    refused(room.publish(shown="0" * 64), "would write these files otherwise now", "Look at what will be sent")
    assert hub.asked == []


def test_a_file_that_the_repository_ignores_is_found_out(hub, room):
    hub.ignored = ("examples.jsonl",)
    done = room.publish()
    assert done.state is PublicationState.PUBLISHED
    assert not done.holds
    assert done.found.endswith("the Hub does not hold what was frozen: examples.jsonl.")


def test_the_token_goes_to_no_other_host(hub, room):
    with serving() as other:
        hub.verify_at = other.address
        refused(room.publish(), "leads on to 127.0.0.1, which is not given the token")
        assert other.asked == []


def test_nobody_there_is_said(hub, room, quick, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    refused(room.publish(), "127.0.0.1:1 did not answer, or the connection broke off")


def test_a_server_that_is_no_hub_is_said(hub, room):
    hub.once("POST", "/preupload/", (200, {}, b"<html>"))
    refused(room.publish(), "does not speak as the Hub does")


def test_refusals_that_need_no_hub(hub, room, monkeypatch):
    publication = room.start()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    refused(room.work(publication), "HF_HUB_OFFLINE is set here")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    publication = room.start()
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    refused(room.work(publication), f"This is about {hub.address}, and HF_ENDPOINT names http://127.0.0.1:9")
    assert hub.asked == []


def test_a_process_that_has_published_still_refuses_a_model_that_it_cannot_fetch(room, monkeypatch, tmp_path):
    """The client that publishing sets up is the process's: loading a model goes through it too."""
    from huggingface_hub import constants

    room.publish()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EncoderMissing, match="example/absent"):
        load_encoder("example/absent")


def test_what_was_done_stands_in_the_trail_without_a_token(hub, room):
    done = room.publish()
    with room.database.reading() as session:
        rows = [row for row in session.scalars(select(AuditEntry)) if "publish" in row.action]
    assert [(row.action, row.actor_id) for row in rows] == [
        ("publish version", room.people.lead.id), ("version is published", room.people.lead.id),
    ]  # fmt: skip
    assert rows[1].detail["revision"] == done.revision
    assert WRITE not in str([row.detail for row in rows])


def test_the_words_of_the_hub_are_known():
    assert NO_TOKEN == "Invalid credentials in Authorization header"
