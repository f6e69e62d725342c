"""Whether the Hub holds what was frozen: every way in which it may not, by the name of the file."""

import pytest

from app.datasets.publication import operations as publishing
from app.datasets.publication.files import Held, Sent, differing, hash_of, sent_files
from app.datasets.publication.models import Way
from app.datasets.publication.operations import NotPublishedYet
from app.jobs.models import Job, JobState
from tests.datasets.publishing_room import AS_THE_CLIENT_SENDS, REPOSITORY
from tests.hubkeep import blob, refusal
from tests.hubstand import NO_TOKEN

pytestmark = AS_THE_CLIENT_SENDS


@pytest.fixture
def published(room):
    return room.publish()


def change(room, path, body, *, rewrite=False):
    """Somebody puts other bytes there: by a commit on top, or behind everybody's back."""
    head = room.repository.main
    files = {key: value for key, value in {**head.files, path: body}.items() if value is not None}
    if rewrite:
        head.files.clear()
        head.files.update(files)
    else:
        room.repository.main = room.repository.add("change", "", files, head)


def at(problem):
    return problem["path"], problem["revision"]


@pytest.mark.parametrize("path", ["README.md", "data/train-00000-of-00001.parquet", "examples.jsonl", "SHA256SUMS"])
def test_each_file_that_differs_on_main_is_named(room, published, path):
    change(room, path, room.repository.main.files[path][:-1] + b"\x00")
    found = room.compare(published)
    assert found.holds
    assert found.found.endswith(f"; main does not hold all of it: {path}.")
    assert [at(problem) for problem in found.problems] == [(path, "main")]


def test_a_file_that_is_gone_is_named(room, published):
    change(room, "manifest.json", None)
    (problem,) = room.compare(published).problems
    assert problem == {"revision": "main", "path": "manifest.json", "problem": "It is missing."}


@pytest.mark.parametrize("path", ["README.md", "data/train-00000-of-00001.parquet", "examples.jsonl"])
def test_a_commit_that_holds_other_bytes_is_no_proof(room, published, path):
    change(room, path, b"other", rewrite=True)
    found = room.compare(published)
    assert not found.holds
    assert found.found == f"At {published.revision[:8]} the Hub does not hold what was frozen: {path}."
    assert {at(problem) for problem in found.problems} == {(path, published.revision)}


def test_bytes_that_are_not_those_of_their_hash_are_found(hub, room, published):
    hub.once("GET", "/resolve/", (200, {}, b"other"))
    found = room.compare(published)
    assert not found.holds
    assert found.problems[0]["problem"] == "Its bytes do not have the hash that is the version's id."


def test_a_history_that_was_rewritten_is_said(room, published):
    del room.repository.history[published.revision]
    found = room.compare(published)
    short = published.revision[:8]
    assert not found.holds
    assert found.found == f"The Hub has no commit {short} any more: somebody rewrote the history of {REPOSITORY}."


def test_a_pull_request_that_was_merged_with_changes(room):
    room.hub.repository(REPOSITORY)
    published = room.publish(way=Way.PULL_REQUEST)
    room.repository.main = room.repository.proposals[0].head
    change(room, "README.md", b"# Merged")
    assert room.compare(published).found.endswith("; main does not hold all of it: README.md.")


def test_a_hub_that_does_not_answer_leaves_what_was_found(hub, room, published, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    after = room.compare(published)
    assert (after.holds, after.checked_at) == (True, published.checked_at)
    with room.database.reading() as session:
        job = session.get(Job, after.check_job_id)
    assert job.state is JobState.FAILED
    assert "kitchen/cooking could not be compared: the Hub does not know the token" in job.error


def test_published_though_the_comparison_right_after_it_fails(hub, room):
    hub.once("GET", "/resolve/", refusal(401, message=NO_TOKEN))
    done = room.publish()
    assert (done.revision, done.holds, done.found) == (room.repository.main.id, None, None)
    assert "could not be asked yet" in room.job(done).note
    assert room.compare(done).holds


def test_what_is_not_there_is_not_compared(room):
    waiting = room.start()
    with pytest.raises(NotPublishedYet), room.database.writing() as session:
        publishing.start_check(session, room.people.lead, room.version, waiting)


def test_two_clicks_begin_one_comparison(room, published):
    with room.database.writing() as session:
        row = session.get(type(published), published.id)
        first = publishing.start_check(session, room.people.lead, room.version, row)
        assert publishing.start_check(session, room.people.lead, room.version, row) is first


def test_files_are_known_by_the_names_that_git_gives_them(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.jsonl").write_bytes(b"hello")
    (tmp_path / "b.txt").write_bytes(b"")
    first, second = sent_files(tmp_path)
    assert (first.path, first.git, first.bytes) == ("b.txt", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", 0)
    assert (second.path, second.git) == ("data/a.jsonl", "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0")
    assert blob(b"hello") == second.git
    assert hash_of([first, second]) != hash_of([second, first])


@pytest.mark.parametrize(("held", "same"), [
    (Held("a", 5, "g", None), True),
    (Held("a", 5, "pointer", "s"), True),
    (Held("a", 5, "g", "other"), False),
    (Held("a", 6, "g", None), False),
    (Held("a", 5, "other", None), False),
])  # fmt: skip
def test_a_large_file_is_known_by_its_sha256_and_a_small_one_by_git(held, same):
    assert (differing([Sent("a", "s", "g", 5)], {"a": held}) == []) is same


def test_many_files_are_counted(room, published):
    for path in list(room.repository.main.files)[1:6]:
        change(room, path, None)
    words = room.compare(published).found
    assert words.count(",") == 3
    assert "and 2 more" in words
