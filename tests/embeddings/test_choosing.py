"""A project changes its model: the old vectors serve until the new ones are complete, then all changes at once."""

import json
import shutil

import psutil
import pytest
from sqlalchemy import func, insert, select

from app import handlers
from app.accounts.models import AuditEntry
from app.duplicates.encoding import bring_up_to_date, count_stale
from app.duplicates.means import Asking, means_of
from app.duplicates.models import ExampleText
from app.embeddings import choosing, forgetting, operations, pool
from app.embeddings.choosing import change_model, change_of, model_of
from app.embeddings.encoder import EncoderMissing, packaged_folder
from app.embeddings.models import CandidateText, Embedding
from app.embeddings.pool_rows import folder_of, pool_rows
from app.embeddings.queries import pool_standing
from app.errors import Denied
from app.jobs.models import Job, JobState
from app.jobs.operations import request_cancellation
from app.jobs.running import run_now
from app.projects.limits import Archived
from app.projects.models import Project
from app.sources.models import Candidate
from app.text.canonical import content_hash
from tests import factories
from tests.duplicates.desks import write
from tests.duplicates.rooms import GIT, KETTLE, SITE, candidate, import_run, messages
from tests.jobs.processes import WorkerProcess

assert handlers.ROOMS
MANY = 3 * operations.TEXTS_A_CHUNK
SKY = "Why is the sky blue?"


@pytest.fixture(scope="session")
def other(tmp_path_factory):
    """Another model: the bundled weights under another name, so that its key is another one."""
    folder = tmp_path_factory.mktemp("models") / "other"
    shutil.copytree(packaged_folder(), folder)
    return str(folder)


@pytest.fixture
def run(database, people):
    with database.writing() as session:
        run = import_run(session, people)
        for name, prompt in (("1", KETTLE), ("2", GIT), ("3", ""), ("4", KETTLE)):
            candidate(session, run, name, prompt)
        return run


def encode(database, settings, people, project=None) -> Job:
    with database.writing() as session:
        job = operations.start_encoding(session, people.lead, project or people.project)
    assert run_now(database, settings, job.id, "here/1") is JobState.SUCCEEDED
    return job


def change(database, settings, people, name, *, eight_bits=False) -> Job:
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        return change_model(session, people.admin, project, settings, name=name, eight_bits=eight_bits)


def key_of(name="") -> str:
    return operations.encoder_for(name).key


def kept(database) -> dict[str, tuple[int, int]]:
    """How many vectors and candidates there are, by model."""
    with database.reading() as session:
        found = {}
        for place, table in enumerate((Embedding, CandidateText)):
            for model, count in session.execute(select(table.model, func.count(table.id)).group_by(table.model)):
                found.setdefault(model, [0, 0])[place] = count
    return {model: tuple(counts) for model, counts in found.items()}


def in_use(database, settings, people) -> str:
    with database.reading() as session:
        return model_of(session, settings, people.project.id)


def test_the_old_vectors_serve_until_the_new_are_complete(database, settings, people, run, other):
    encode(database, settings, people)
    old, new = key_of(), key_of(other)
    assert kept(database) == {old: (2, 4)}
    job = change(database, settings, people, other)
    with database.reading() as session:
        project = session.get_one(Project, people.project.id)
        assert change_of(session, settings, project) == choosing.Change("other", 0, None)
        assert pool_standing(session, old, project.id) == (4, 4)
    assert in_use(database, settings, people) == ""
    assert run_now(database, settings, job.id, "here/1") is JobState.SUCCEEDED
    assert in_use(database, settings, people) == other
    assert kept(database) == {new: (2, 4)}, "nothing is stored twice"
    with database.reading() as session:
        project = session.get_one(Project, people.project.id)
        assert (project.next_encoder, project.next_encoder_key) == (None, "")
        ids, rows = pool_rows(database, project.id, new, 384).follow(session)
        assert len(ids) == len(rows) == 3
        said = session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("%embedding model%"))).all()
    assert sorted(said) == ["change embedding model", "use embedding model"]


def test_the_files_of_the_old_vectors_go_with_them(database, settings, people, run, other):
    encode(database, settings, people)
    with database.reading() as session:
        pool_rows(database, people.project.id, key_of(), 384).follow(session)
    folder = folder_of(settings, people.project.id, key_of())
    assert folder.is_dir()
    assert run_now(database, settings, change(database, settings, people, other).id, "here") is JobState.SUCCEEDED
    assert not folder.exists()


def test_what_came_meanwhile_is_encoded_before_the_change(database, settings, people, run, other, monkeypatch):
    encode(database, settings, people)
    plain, late = pool.settle, []

    def settle(session, *rest):
        if not late:
            late.append(candidate(session, run, "5", SKY))
        return plain(session, *rest)

    monkeypatch.setattr(pool, "settle", settle)
    assert run_now(database, settings, change(database, settings, people, other).id, "here") is JobState.SUCCEEDED
    with database.reading() as session:
        assert pool_standing(session, key_of(other), people.project.id) == (5, 5)
    assert in_use(database, settings, people) == other


def test_the_set_goes_over_in_the_same_step(database, settings, people, run, other, monkeypatch):
    first = write(database, people, SKY, "Because of Rayleigh.")
    encode(database, settings, people)
    assert bring_up_to_date(database, settings)
    monkeypatch.setattr(choosing, "FOLLOWERS", [*choosing.FOLLOWERS])
    job = change(database, settings, people, other)
    seen = []

    def look(session, project_id, model):
        seen.append([session.scalar(select(ExampleText.model)), session.get_one(Project, project_id).encoder])

    choosing.FOLLOWERS.append(look)
    assert run_now(database, settings, job.id, "here") is JobState.SUCCEEDED
    assert seen == [[key_of(other), other]]
    with database.reading() as session:
        means = means_of(session, Asking(database, settings, 30.0), people.project.id)
        assert means.encoder.key == key_of(other)
        [near] = means.shelf.near_prompts(means.vector_of("Why is it that the sky is blue?"), 1)
        assert near.example_id == first
        assert near.score > 0.8
        assert count_stale(session, people.project.id) == (0, 1)
    assert set(kept(database)) == {key_of(other)}


def test_an_example_written_meanwhile_is_encoded_by_the_next_look(database, settings, people, run, other, monkeypatch):
    encode(database, settings, people)
    bring_up_to_date(database, settings)
    plain = pool.settle

    def settle(session, *rest):
        monkeypatch.setattr(pool, "settle", plain)
        return plain(session, *rest)

    monkeypatch.setattr(pool, "settle", settle)
    job = change(database, settings, people, other)
    monkeypatch.setattr(pool, "_encode_set", lambda *_rest: None)
    write(database, people, SKY)
    assert bring_up_to_date(database, settings), "by the model in use"
    assert run_now(database, settings, job.id, "here") is JobState.SUCCEEDED
    assert bring_up_to_date(database, settings)
    with database.reading() as session:
        assert session.scalars(select(ExampleText.model)).all() == [key_of(other)]


def test_what_another_project_uses_stays(database, settings, people, run, other):
    with database.writing() as session:
        second = factories.project(session, people.lead, "second")
        theirs = import_run(session, people)
        theirs.project_id = second.id
        candidate(session, theirs, "1", KETTLE)
    encode(database, settings, people)
    encode(database, settings, people, second)
    assert kept(database) == {key_of(): (2, 5)}
    assert run_now(database, settings, change(database, settings, people, other).id, "here") is JobState.SUCCEEDED
    assert kept(database) == {key_of(): (1, 1), key_of(other): (2, 4)}
    with database.reading() as session:
        assert len(pool_rows(database, second.id, key_of(), 384).follow(session)[0]) == 1


def test_who_changes_their_mind_keeps_the_old_vectors(database, settings, people, run, other):
    encode(database, settings, people)
    first = change(database, settings, people, other)
    again = change(database, settings, people, "")
    assert first.id == again.id, "it has not begun"
    assert run_now(database, settings, again.id, "here") is JobState.SUCCEEDED
    assert kept(database) == {key_of(): (2, 4)}
    assert in_use(database, settings, people) == ""


def test_a_change_of_mind_half_way_leaves_nothing_behind(database, settings, people, run, other, monkeypatch):
    encode(database, settings, people)
    job, plain = change(database, settings, people, other), pool.settle

    def settle(session, *rest):
        project = session.get_one(Project, people.project.id)
        assert change_model(session, people.admin, project, settings, name="", eight_bits=False).id != job.id
        return plain(session, *rest)

    monkeypatch.setattr(pool, "settle", settle)
    assert run_now(database, settings, job.id, "here") is JobState.SUCCEEDED
    assert in_use(database, settings, people) == ""
    assert set(kept(database)) == {key_of(), key_of(other)}
    monkeypatch.setattr(pool, "settle", plain)
    encode(database, settings, people)
    assert kept(database) == {key_of(): (2, 4)}


def test_stopped_the_old_one_is_used_and_the_new_goes_on_later(database, settings, people, run, other):
    encode(database, settings, people)
    job = change(database, settings, people, other)
    with database.writing() as session:
        request_cancellation(session, people.lead, session.get_one(Job, job.id))
    assert in_use(database, settings, people) == ""
    encode(database, settings, people)
    assert in_use(database, settings, people) == other


def test_only_an_admin_of_the_installation_names_a_model(database, settings, people, other):
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        with pytest.raises(Denied):
            change_model(session, people.lead, project, settings, name=other, eight_bits=False)
        with pytest.raises(EncoderMissing):
            change_model(session, people.admin, project, settings, name="nowhere", eight_bits=False)
        change_model(session, people.lead, project, settings, name="all-MiniLM-L6-v2", eight_bits=True)
        assert project.next_encoder == "all-MiniLM-L6-v2#8bit"
        project.archived_at = func.now()
        with pytest.raises(Archived):
            change_model(session, people.lead, project, settings, name="", eight_bits=False)


def many(database, people) -> None:
    with database.writing() as session:
        run = import_run(session, people)
        said = [messages(f"{number} times {number + 7}?") for number in range(MANY)]
        session.execute(
            insert(Candidate),
            [
                {
                    "project_id": run.project_id, "import_run_id": run.id, "site": SITE, "external_id": str(number),
                    "title": one[0]["content"], "messages": one, "content_hash": content_hash(one), "published": True,
                    "source": "stackexchange_other", "score": 1,
                }
                for number, one in enumerate(said)
            ],
        )  # fmt: skip


def test_killed_in_the_middle_nothing_is_encoded_twice(database, settings, people, other, tmp_path):
    many(database, people)
    encode(database, settings, people)
    new, job = key_of(other), change(database, settings, people, other)

    def new_ones():
        with database.reading() as session:
            return set(session.scalars(select(Embedding.id).where(Embedding.model == new)))

    def look(worker):
        process = psutil.Process(worker.process.pid)
        return lambda: (len(new_ones()), sum(process.cpu_times()[:2]))

    with WorkerProcess(settings, database, tmp_path / "first.log") as first:
        first.wait_until(lambda now: now[0] >= operations.TEXTS_A_CHUNK, look(first), "vectors")
        first.kill()
    at_death = new_ones()
    assert 0 < len(at_death) < MANY
    assert in_use(database, settings, people) == ""
    with database.reading() as session:
        assert pool_standing(session, key_of(), people.project.id) == (MANY, MANY)
        assert len(pool_rows(database, people.project.id, key_of(), 384).follow(session)[0]) == MANY
    with WorkerProcess(settings, database, tmp_path / "second.log") as second:
        process = psutil.Process(second.process.pid)

        def state():
            with database.reading() as session:
                return session.get_one(Job, job.id).state, sum(process.cpu_times()[:2])

        second.wait_until(lambda now: now[0].over, state, "the end")
        second.stop()
    assert at_death <= new_ones(), "what was kept is the same row"
    assert in_use(database, settings, people) == other
    assert kept(database) == {new: (MANY, MANY)}


def test_killed_while_the_old_ones_go_the_next_run_takes_the_rest(database, settings, people, run, other, monkeypatch):
    class Killed(BaseException):
        """Nothing catches it."""

    encode(database, settings, people)
    monkeypatch.setattr(forgetting, "ROWS_AT_ONCE", 2)
    plain, calls = forgetting._forget_vectors, []

    def die(*rest):
        calls.append(rest)
        if len(calls) == 2:
            raise Killed
        plain(*rest)

    monkeypatch.setattr(forgetting, "_forget_vectors", die)
    with pytest.raises(Killed):
        run_now(database, settings, change(database, settings, people, other).id, "first")
    assert kept(database)[key_of()][1] == 2
    assert in_use(database, settings, people) == other
    monkeypatch.setattr(forgetting, "_forget_vectors", plain)
    with database.writing() as session:
        job = operations.start_encoding(session, people.lead, people.project)
    assert run_now(database, settings, job.id, "second") is JobState.CANCELLED
    encode(database, settings, people)
    assert kept(database) == {key_of(other): (2, 4)}


def test_a_lead_chooses_on_the_page(browser, people, database, settings, run, other):
    encode(database, settings, people)
    url = f"/projects/{people.project.slug}/encoding"
    assert "Change the model" not in browser(people.annotator).get(url).text
    client = browser(people.admin)
    wrong = client.post(f"{url}/model", data={"model": "nowhere"})
    assert wrong.status_code == 422
    assert "neither a folder on this machine nor a name of the Hub" in wrong.text
    assert client.post(f"{url}/model", data={"model": other}).status_code == 303
    shown = client.get(url).text
    assert "<b>0</b> of 4 candidates encoded by <bdi>other</bdi>" in shown
    assert "Until all are, all-MiniLM-L6-v2 is used as before." in shown
    assert "Stay with all-MiniLM-L6-v2" in shown
    with database.reading() as session:
        job = session.scalars(select(Job.id).order_by(Job.id.desc()).limit(1)).one()
    assert run_now(database, settings, job, "here") is JobState.SUCCEEDED
    over = client.get(f"{url}?next={url}", headers={"hx-request": "true", "hx-target": "div#encoding-standing"})
    assert over.headers["hx-redirect"] == url
    assert "All 4 candidates are encoded by other." in client.get(url).text


def test_why_a_change_ended_is_told_with_the_ways_on(browser, people, database, settings, run, tmp_path):
    encode(database, settings, people)
    gone = tmp_path / "gone"
    gone.mkdir()
    job = change(database, settings, people, str(gone))
    assert run_now(database, settings, job.id, "here") is JobState.FAILED
    shown = browser(people.lead).get(f"/projects/{people.project.slug}/encoding").text
    assert "The model was not changed" in shown
    assert "no safetensors in its folder" in shown
    assert "Try again" in shown
    assert in_use(database, settings, people) == ""


def test_the_api_and_the_command_do_the_same(api, handpicked, people, database, settings, run, other):
    url = f"/api/v1/projects/{people.project.slug}/encoding"
    encode(database, settings, people)
    assert api(people.annotator).put(f"{url}/model", json={"model": ""}).status_code == 403
    assert api(people.lead).put(f"{url}/model", json={"model": other}).status_code == 403
    begun = api(people.admin).put(f"{url}/model", json={"model": other})
    assert begun.status_code == 200, begun.text
    assert begun.json()["next"] == {"model": "other", "encoded": 0, "problem": None}
    done = handpicked("encode", people.project.slug, "--model", other, "--wait", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["model"], document["encoded"], document["next"]) == (key_of(other), 4, None)
    missing = handpicked("encode", people.project.slug, "--model", "nowhere")
    assert missing.returncode == 1
    assert "neither a folder" in missing.stderr
