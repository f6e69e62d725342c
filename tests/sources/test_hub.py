"""Data sets of the Hugging Face Hub, fetched from a server that speaks as it does: limits, one host, no token told."""

import json
import sys
from io import BytesIO
from urllib.error import URLError
from urllib.request import Request

import pytest
from sqlalchemy import select

from app import cli
from app.config import Settings
from app.jobs.models import Job, JobState
from app.jobs.running import run_now
from app.sources import hub, hubwords
from app.sources.hub import HubId, NoHubId, NotFetched, fetch, hub_id
from app.sources.models import Candidate, ImportRun, ImportState
from app.worker import worker_name
from tests.sources import rooms
from tests.sources.hubserver import COMMIT, Hub, serving

LINES = b"".join(
    json.dumps({"instruction": f"Why {n}?", "output": f"Because of {n}."}).encode() + b"\n" for n in range(3)
)
FILES = {
    "data/train one.jsonl": LINES,
    "data/more.jsonl": b'{"instruction": "And now?", "output": "Then."}\n',
    "README.md": b"# About",
    "dataset_infos.json": b"{}",
    "run.py": b"print()",
}


@pytest.fixture
def server(monkeypatch):
    """The Hub, which this process takes for the real one."""
    with serving(Hub(dict(FILES))) as found:
        monkeypatch.setenv("HF_ENDPOINT", found.address)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield found


@pytest.fixture
def here(tmp_path):
    return Settings(data_dir=tmp_path / "data", max_hub_mb=1)


@pytest.mark.parametrize(("typed", "name", "revision"), [
    ("hf://somebody/questions", "somebody/questions", "main"),
    ("hf:somebody/questions@v1", "somebody/questions", "v1"),
    ("hf://datasets/somebody/questions@refs/pr/1", "somebody/questions", "refs/pr/1"),
    (" somebody/questions ", "somebody/questions", "main"),
    ("hf://squad", "squad", "main"),
])  # fmt: skip
def test_an_id_is_owner_name_and_revision(typed, name, revision):
    assert hub_id(typed) == HubId(name, revision)


@pytest.mark.parametrize("typed", [
    "", "hf://", "hf://../x", "a/b/c", "http://127.0.0.1/x", "hf://a/b@../c", "a/b?x=1", "hf://a/b@", "hf://a b/c",
    "é/x",
])  # fmt: skip
def test_what_is_no_id_is_refused_before_anything_is_asked(typed):
    with pytest.raises(NoHubId):
        hub_id(typed)


def test_data_files_alone_are_fetched_under_names_of_ours(server, here):
    folder = hub.new_folder(here)
    told = []
    assert fetch(hub_id("hf://somebody/questions@v1"), folder, here, lambda *one: told.append(one)) == COMMIT
    found = {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    assert found == {"data/more.jsonl": FILES["data/more.jsonl"], "data/train_one.jsonl": LINES}
    total = len(LINES) + len(FILES["data/more.jsonl"])
    assert told[-1] == ("fetching", total, total)
    assert not any("README" in path or "infos" in path for path, _ in server.asked)


def test_names_that_point_elsewhere_are_labels(server, here):
    server.files = {"../../out.jsonl": LINES, "/etc/x.jsonl": LINES, "a b.jsonl": LINES, "a_b.jsonl": LINES}
    folder = hub.new_folder(here)
    fetch(hub_id("somebody/questions"), folder, here)
    names = sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*.jsonl"))
    assert names == ["3/a_b.jsonl", "_/_/out.jsonl", "a_b.jsonl", "etc/x.jsonl"]
    assert not list(here.data_dir.parent.glob("*.jsonl"))


def test_the_split_stands_in_a_file_s_name(server, people, api, settings, database):
    server.files = {
        f"data/{one}-00000-of-00001.jsonl": LINES.replace(b"Why", one.encode()) for one in ("train", "test")
    }
    address = f"/api/v1/projects/{people.project.slug}/imports"
    made = api(people.annotator).post(address, files={"hub": (None, "somebody/questions")})
    rooms.work(database, settings, people, made.json()["id"])
    with database.reading() as session:
        found = {(one.title[:4], one.split.value) for one in session.scalars(select(Candidate))}
    assert found == {("trai", "train"), ("test", "test")}


def refused(wanted, here, words):
    folder = hub.new_folder(here)
    with pytest.raises(NotFetched) as error:
        fetch(hub_id(wanted), folder, here)
    assert words in error.value.message
    assert "secret-token" not in error.value.message
    assert not folder.exists()
    assert not list(folder.parent.glob("*"))


def test_what_is_not_there_is_said(server, here):
    refused("hf://somebody/nothing", here, "no data set of that name and revision")


def test_a_token_comes_from_the_environment_and_is_told_to_nobody_else(server, here, monkeypatch):
    server.needs_token = True
    refused("hf://somebody/questions", here, "set HF_TOKEN")
    monkeypatch.setenv("HF_TOKEN", "wrong-token")
    refused("hf://somebody/questions", here, "it is not there, or the Hub does not give it to the token in HF_TOKEN")
    monkeypatch.setenv("HF_TOKEN", "secret-token")
    fetch(hub_id("hf://somebody/questions"), hub.new_folder(here), here)
    assert {token for _, token in server.asked[-3:]} == {"Bearer secret-token"}


GATED = {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to dataset somebody/questions is restricted."}


@pytest.mark.parametrize(("token", "status", "headers", "words"), [
    ("", 401, GATED, "/datasets/somebody/questions, then set HF_TOKEN"),
    ("secret-token", 403, GATED, "its authors have not let in the account of the token in HF_TOKEN; ask them at http"),
    ("", 401, {"X-Error-Code": "RepoNotFound"}, "it is not there, or only for those who are signed in; set HF_TOKEN"),
    ("secret-token", 404, {"X-Error-Code": "RepoNotFound"}, "or the Hub does not give it to the token in HF_TOKEN"),
    ("secret-token", 401, {"X-Error-Message": hubwords.NO_SUCH_TOKEN}, "does not know the token in HF_TOKEN"),
    ("secret-token", 403, {}, "the Hub does not give it to the token in HF_TOKEN"),
    ("", 404, {"X-Error-Code": "RevisionNotFound"}, "it has no revision v9; after @ stands a branch"),
    ("", 403, {"X-Error-Message": "Access to this resource is disabled."}, "the Hub has disabled it"),
    ("", 429, {"Retry-After": "300"}, "answers no more requests from here for now; try again in 300 seconds"),
    ("", 429, {"RateLimit": '"api";r=0;t=170', "Retry-After": "1"}, "try again in 170 seconds"),
    ("", 429, {"RateLimit": '"resolvers";r=8;t=9'}, "try again later"),
    ("", 502, {}, "answered with an error (502); try again later"),
])  # fmt: skip
def test_each_refusal_of_the_hub_says_what_to_do(server, here, monkeypatch, token, status, headers, words):
    monkeypatch.setenv("HF_TOKEN", token)
    server.refuses = [(status, headers)]
    refused("hf://somebody/questions@v9", here, words)
    assert len(server.asked) == 1


def test_a_file_that_goes_meanwhile_and_one_behind_a_gate_leave_nothing(server, here):
    here_too = {"X-Error-Code": "EntryNotFound"}
    for headers, status, words in ((here_too, 404, "a file went while it was fetched"), (GATED, 401, "set HF_TOKEN")):
        server.refuses = []
        server.after_the_list = [(status, headers)]
        refused("hf://somebody/questions", here, words)


def test_it_waits_as_long_as_the_hub_asks_to_and_can_be_stopped(server, here, monkeypatch):
    slept, told = [], []
    monkeypatch.setattr(hub.time, "sleep", slept.append)
    server.refuses = [(429, {"Retry-After": "0"})] * 9
    refused("hf://somebody/questions", here, "answers no more requests from here for now")
    server.refuses = [(429, {"Retry-After": "50"})]
    with pytest.raises(Stopped):
        fetch(hub_id("somebody/questions"), hub.new_folder(here), here, stop)
    assert not list((here.data_dir / "uploads").glob("*.part"))
    server.refuses = [(429, {"RateLimit": '"api";r=0;t=3'}), (503, {"Retry-After": "2"})]
    fetch(hub_id("somebody/questions"), hub.new_folder(here), here, lambda *one: told.append(one))
    assert (slept, told[0]) == ([1] * 5, ("waiting for the Hub", 0, 0))


class Stopped(Exception):
    """Somebody pressed Stop."""


def stop(*_):
    raise Stopped


def test_large_files_lead_to_hosts_below_the_hub_and_never_with_the_token():
    """As the real Hub answers for files of LFS and Xet; no such host can stand in a test, so the request is asked."""
    redirects = hub._Redirects(hub.THE_HUB)
    first = Request(f"{hub.THE_HUB}/datasets/a/b/resolve/{COMMIT}/x.parquet", headers={"Authorization": "Bearer s"})
    for there in ("cas-bridge.xethub.hf.co", "cdn-lfs-us-1.hf.co", "cdn-lfs.huggingface.co", "us.aws.cdn.hf.co"):
        onward = redirects.redirect_request(first, BytesIO(), 302, "", {}, f"https://{there}/x?Signature=1")
        assert onward.get_header("Authorization") is None
    moved = redirects.redirect_request(first, BytesIO(), 307, "", {}, f"{hub.THE_HUB}/datasets/c/b/resolve/x")
    assert moved.get_header("Authorization") == "Bearer s"
    for there in ("http://cas-bridge.xethub.hf.co/x", "https://hf.co.example.org/x", "https://nothf.co/x", "file:///x"):
        with pytest.raises(URLError, match="which is not asked"):
            redirects.redirect_request(first, BytesIO(), 302, "", {}, there)


def test_a_list_that_makes_no_sense_is_refused(server, here):
    server.listed = {"sha": COMMIT, "siblings": [{"rfilename": None, "size": "big"}, 7, {"rfilename": "a.csv"}]}
    server.files = {"a.csv": b"x" * 2_000_000}
    refused("hf://somebody/questions", here, "HANDPICKED_MAX_HUB_MB")
    server.listed = {"error": "no"}
    refused("hf://somebody/questions", here, "does not speak as the Hub does")


def test_a40_no_other_host_is_asked(server, here, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret-token")
    with serving(Hub(dict(FILES))) as other:
        server.leads_to = other.address
        refused("hf://somebody/questions", here, "which is not asked")
        assert other.asked == []


def test_within_the_host_it_is_followed(server, here):
    server.leads_to = server.address
    fetch(hub_id("hf://somebody/questions"), hub.new_folder(here), here)


def test_limits_on_count_and_size_are_named(server, here, monkeypatch):
    server.files["big.jsonl"] = b"x" * 1_100_000
    refused("hf://somebody/questions", here, "HANDPICKED_MAX_HUB_MB")
    # A list of sizes that lies is found out while the bytes come.
    server.lies_about_sizes = True
    refused("hf://somebody/questions", here, "HANDPICKED_MAX_HUB_MB")
    monkeypatch.setattr(hub, "MOST_FILES", 2)
    refused("hf://somebody/questions", here, "it holds 3 files, and 2 are fetched at most")


def test_what_breaks_off_leaves_nothing(server, here):
    server.files = {"a.jsonl": b"x" * 500_000}
    server.cuts_off = True
    refused("hf://somebody/questions", here, "could not be fetched")


def test_a_data_set_without_rows_is_refused(server, here):
    server.files = {"README.md": b"x", "model.bin": b"x"}
    refused("hf://somebody/questions", here, "no file of a kind that is read")


def test_offline_it_says_what_to_do(server, here, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    refused("hf://somebody/questions", here, "HF_HUB_OFFLINE is set")
    assert server.asked == []
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    refused("hf://somebody/questions", here, "try again where there is a network")
    monkeypatch.setenv("HF_ENDPOINT", "file:///etc")
    refused("hf://somebody/questions", here, "HF_ENDPOINT is no http")


def test_the_command_imports_it(server, closing, people, settings, database, monkeypatch, capsys):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["handpicked", "import", *words, "--json"])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return said.err if ended.value.code else json.loads(said.out)

    assert "There is no project" in run("nowhere", "hf://somebody/questions")
    assert server.asked == []
    found = run(people.project.slug, "hf://somebody/questions")
    assert (found["format"], found["records"], found["created"]) == ("alpaca", 4, 4)
    with database.reading() as session:
        row = session.scalars(select(ImportRun)).one()
    assert (row.name, row.options["file"]) == ("somebody/questions", "somebody/questions")
    assert row.options["hub"] == {"id": f"hf://somebody/questions@{COMMIT}"}
    again = run(people.project.slug, "hf://somebody/questions")
    assert (again["created"], again["unchanged"]) == (0, 4)
    server.files = {"a.csv": b"colour,shade\nred,dark\n"}
    before = rooms.uploads_in(settings)
    assert "must be mapped" in run(people.project.slug, "hf://somebody/questions")
    assert rooms.uploads_in(settings) == before
    assert "is no data set" in run(people.project.slug, "hf://") or "names no data set" in run("x", "hf://")


def test_over_json_one_request_fetches_and_imports(server, api, people, settings, database):
    address = f"/api/v1/projects/{people.project.slug}/imports"
    made = api(people.annotator).post(address, files={"hub": (None, "somebody/questions")})
    assert made.status_code == 201, made.text
    assert server.asked == []
    run = rooms.work(database, settings, people, made.json()["id"])
    assert (run.state, run.format, run.result["created"]) == (ImportState.PUBLISHED, "alpaca", 4)
    assert run.options["hub"] == {"id": "hf://somebody/questions", "commit": COMMIT}
    refused = api(people.annotator).post(address, files={"hub": (None, "http://169.254.169.254/latest")})
    assert (refused.status_code, "names no data set" in refused.text) == (422, True)


def test_over_json_what_cannot_be_fetched_fails_the_import_with_a_sentence(server, api, people, settings, database):
    address = f"/api/v1/projects/{people.project.slug}/imports"
    made = api(people.annotator).post(address, files={"hub": (None, "somebody/nothing")})
    run = rooms.work(database, settings, people, made.json()["id"])
    assert (run.state, "no data set of that name" in (run.error or "")) == (ImportState.FAILED, True)


def test_the_page_fetches_first_and_leads_on_to_the_rules(server, browser, people, settings, database):
    page = browser(people.annotator)
    slug = people.project.slug
    assert 'name="hub"' in page.get(f"/projects/{slug}/sources/new").text
    begun = page.post(f"/projects/{slug}/sources/new", data={"hub": "hf://somebody/questions"}, files={"x": ("", b"")})
    assert begun.status_code == 303
    assert "/jobs/" in begun.headers["location"]
    with database.reading() as session:
        run, job = session.scalars(select(ImportRun)).one(), session.scalars(select(Job)).one()
    run_now(database, settings, job.id, worker_name())
    shown = page.get(f"/projects/{slug}/imports/{run.id}").text
    assert "Why 0?" in shown
    assert "Alpaca" in shown
    with database.reading() as session:
        assert session.get_one(Job, job.id).state is JobState.SUCCEEDED
        assert session.scalar(select(Candidate)) is None
    wrong = page.post(f"/projects/{slug}/sources/new", data={"hub": "a b"}, files={"x": ("", b"")})
    assert (wrong.status_code, "names no data set" in wrong.text) == (422, True)
