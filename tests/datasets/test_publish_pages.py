"""Publishing by page, API and command line: what will be sent is shown first, and nobody ever sees the token again."""

import json
import re

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app import cli
from app.datasets.canonical import version_id
from app.datasets.publication.models import HubToken, Publication, PublicationState, Visibility, Way
from app.datasets.publication.operations import token_for
from app.db import Base
from app.errors import Refusal
from app.jobs.models import Job, JobState
from app.jobs.running import run_now
from app.projects.models import Project
from app.worker import worker_name
from tests.counting import count_queries
from tests.datasets.publishing_room import AS_THE_CLIENT_SENDS, REPOSITORY
from tests.hubstand import READ, WRITE

pytestmark = AS_THE_CLIENT_SENDS


@pytest.fixture
def page(room):
    return f"/projects/{room.people.project.slug}/versions/v1/publication"


@pytest.fixture
def address(room):
    return f"/api/v1/projects/{room.people.project.slug}/versions/v1/publications"


@pytest.fixture
def handpicked(closing, monkeypatch, database_url, settings):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))
    runner, commands = CliRunner(), cli.build()

    def run(*words, stdin=None, code=0):
        result = runner.invoke(commands, words, input=stdin)
        if isinstance(result.exception, Refusal):
            return f"handpicked: {result.exception.message}"
        assert result.exit_code == code, result.output
        return result.output

    return run


def shown_in(text):
    form = text.partition('id="let-go"')[2].partition("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))


def work(room):
    with room.database.reading() as session:
        waiting = [job.id for job in session.scalars(select(Job).where(Job.state == JobState.QUEUED))]
    for number in waiting:
        run_now(room.database, room.settings, number, worker_name())


def test_what_will_be_sent_is_shown_first_and_that_is_sent(hub, room, page, browser):
    lead = browser(room.people.lead)
    first = lead.get(page).text
    assert "Not published yet." in first
    asked = {"repository": f"{hub.address}/datasets/{REPOSITORY}", "visibility": "private", "way": "commit"}
    preview = lead.get(page, params=asked).text
    for words in ("Nothing is sent yet.", REPOSITORY, "examples.jsonl", room.version.sha256[:12], "its owner alone"):
        assert words in preview
    assert hub.asked == []
    fields = shown_in(preview)
    assert fields["repository"] == REPOSITORY
    assert lead.post(page, data=fields).headers["location"] == page
    assert "On its way" in lead.get(page).text
    work(room)
    done = lead.get(page).text
    assert f'href="{hub.address}/datasets/{REPOSITORY}/commit/{room.repository.main.id}"' in done
    assert "The Hub holds what was frozen" in done
    (publication,) = rows(room)
    assert publication.shown == fields["shown"]


def rows(room):
    with room.database.reading() as session:
        return list(session.scalars(select(Publication).order_by(Publication.id)))


def hide_tests(room):
    with room.database.writing() as session:
        session.get(Project, room.people.project.id).tests_hidden = True


def test_what_others_must_not_read_asks_first(hub, room, page, browser):
    hide_tests(room)
    lead = browser(room.people.lead)
    preview = lead.get(page, params={"repository": REPOSITORY, "visibility": "public"}).text
    for words in (
        "3 examples without a licence",
        "CC BY-SA 3.0",
        "1 test prompt that this project keeps",
        "name who wrote",
    ):
        assert words in preview
    fields = shown_in(preview)
    refused = lead.post(page, data=fields)
    assert refused.status_code == 409
    assert "Tick this first; nothing was sent." in refused.text
    assert rows(room) == []
    assert lead.post(page, data={**fields, "confirmed": "true"}).status_code == 303
    assert rows(room)[0].visibility is Visibility.PUBLIC


def test_private_asks_for_nothing(room, page, browser):
    hide_tests(room)
    preview = browser(room.people.lead).get(page, params={"repository": REPOSITORY}).text
    assert 'name="confirmed"' not in preview


@pytest.mark.parametrize("typed", [
    "cooking", "a/b/c", "../x", "a b/c", "a/b--c", "a/..", "http://127.0.0.1/x", "é/x", "a/b.git", "-a/b", "<b>/x",
])  # fmt: skip
def test_what_names_no_repository_stands_beside_its_field(hub, room, page, browser, typed):
    answer = browser(room.people.lead).get(page, params={"repository": typed})
    assert answer.status_code == 422
    assert "names no repository of the Hub" in answer.text
    assert "<b>/x" not in answer.text
    assert hub.asked == []


def test_two_clicks_send_once(room, page, browser):
    lead = browser(room.people.lead)
    fields = shown_in(lead.get(page, params={"repository": REPOSITORY}).text)
    assert lead.post(page, data=fields).status_code == 303
    again = lead.post(page, data=fields)
    assert again.status_code == 409
    assert "on its way to kitchen/cooking already" in again.text
    assert len(rows(room)) == 1


def test_a_refusal_stays_on_the_page_with_the_way_back(room, page, browser, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", READ)
    room.publish(way=Way.COMMIT)
    shown = browser(room.people.lead).get(page).text
    assert "It was not published" in shown
    assert "does not let the token in HF_TOKEN write" in shown
    assert f"{page}?repository=kitchen%2Fcooking&amp;visibility=private&amp;way=commit&amp;format=hf" in shown


def test_a_comparison_that_fails_names_the_file(room, page, browser):
    done = room.publish()
    room.repository.main.files["README.md"] = b"# Other"
    lead = browser(room.people.lead)
    assert lead.post(page.replace("/publication", f"/publications/{done.id}/check")).status_code == 303
    work(room)
    shown = lead.get(page).text
    assert "the Hub does not hold what was frozen: README.md." in shown
    assert 'class="note danger' in shown


def _published(room, mark):
    return Publication(
        version_id=room.version.id, endpoint="https://h.example.org", repository="a/b", mark=mark, way=Way.COMMIT,
        visibility=Visibility.PUBLIC, format="gone", state=PublicationState.PUBLISHED, revision="0" * 40,
        url="https://h.example.org/x", created_by=room.people.lead.id,
    )  # fmt: skip


def test_two_and_twenty_publications_cost_the_same(room, page, browser):
    lead = browser(room.people.lead)

    def add(count):
        with room.database.writing() as session:
            for number in range(count):
                session.add(_published(room, f"{count}-{number}"))

    counts = []
    for count in (2, 18):
        add(count)
        with count_queries(room.database) as counted:
            assert lead.get(page).status_code == 200
        counts.append(counted.count)
    assert counts[0] == counts[1]


@pytest.mark.parametrize(("who", "status"), [("annotator", 403), ("reviewer", 403), ("stranger", 404)])
def test_only_a_lead_publishes(hub, room, page, address, browser, api, who, status):
    person = getattr(room.people, who)
    assert browser(person).get(page).status_code == status
    assert browser(person).post(page, data={"repository": REPOSITORY}).status_code == status
    assert api(person).post(address, json={"repository": REPOSITORY}).status_code == status
    assert (rows(room), hub.asked) == ([], [])


def test_the_token_is_sealed_and_shown_to_nobody(hub, room, page, browser, api, monkeypatch, caplog):
    monkeypatch.delenv("HF_TOKEN")
    lead = browser(room.people.lead)
    assert "There is no token to send it by" in lead.get(page).text
    fields = shown_in(lead.get(page, params={"repository": REPOSITORY}).text)
    assert "There is no token by which to write" in lead.post(page, data=fields).text
    assert lead.post(f"{page}/token", data={"token": f" {WRITE} "}).status_code == 303
    shown = lead.get(page).text
    assert "By this project’s own, kept sealed" in shown
    lead.post(page, data=fields)
    work(room)
    assert room.repository.main.title
    assert {one.token for one in hub.asked if one.path.startswith("/api/datasets")} == {WRITE}
    answers = [shown, lead.get(page).text, api(room.people.lead).get(page_api(room)).text, caplog.text]
    with room.database.reading() as session:
        kept = session.scalars(select(HubToken)).one()
        answers += [str(session.execute(select(table)).all()) for table in Base.metadata.sorted_tables]
    assert kept.sealed.startswith("x1:")
    assert not [text for text in answers if WRITE in text]


def page_api(room):
    return f"/api/v1/projects/{room.people.project.slug}/versions/v1/publications"


def test_the_project_s_token_goes_before_that_of_the_server_and_opens_for_one_hub(hub, room, api, monkeypatch):
    client = api(room.people.lead)
    place = f"/api/v1/projects/{room.people.project.slug}/hub-token"
    monkeypatch.setenv("HF_TOKEN", READ)
    assert client.put(place, json={"token": WRITE}).json() == {"of_project": True, "of_environment": True}
    assert room.publish().state is PublicationState.PUBLISHED
    monkeypatch.setenv("HF_ENDPOINT", "https://elsewhere.example.org")
    assert client.get(place).json()["of_project"] is False
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    # A sealed token that somebody moves to another project opens nothing there.
    with room.database.writing() as session:
        kept = session.scalars(select(HubToken)).one()
        other = Project(slug="other", name="Other")
        session.add(other)
        session.flush()
        session.add(HubToken(project_id=other.id, sealed=kept.sealed, endpoint=kept.endpoint))
        session.flush()
        with pytest.raises(Refusal, match="sealed with another"):
            token_for(session, room.settings, other)
    assert client.put(place, json={"token": ""}).json()["of_project"] is False
    assert client.put(place, json={"token": "a\nb"}).status_code == 422


def test_by_the_api(hub, room, address, api):
    client = api(room.people.lead)
    seen = client.get(f"{address}/preview", params={"repository": REPOSITORY, "format": "lima"}).json()
    assert {"path": "examples.jsonl", "sha256": room.version.sha256}.items() <= next(
        row for row in seen["files"] if row["path"] == "examples.jsonl"
    ).items()
    assert seen["card"].startswith("---\n")
    wanted = {"repository": REPOSITORY, "format": "lima", "way": "pull_request", "shown": seen["shown"]}
    begun = client.post(address, json=wanted)
    assert (begun.status_code, begun.json()["state"]) == (202, "waiting")
    work(room)
    done = client.get(f"{address}/{begun.json()['id']}").json()
    assert (done["state"], done["pull_request"], done["check"]["ok"]) == ("published", 1, True)
    assert done["files"] == seen["files"]
    assert done["version_id"] == version_id(room.version.sha256)
    job = client.post(f"{address}/{done['id']}/check").json()["job"]
    work(room)
    assert client.get(address).json()["publications"][0]["check"]["at"] > done["check"]["at"]
    assert job
    assert client.post(address, json=wanted | {"visibility": "secret"}).status_code == 422
    assert client.get(f"{address}/999").status_code == 404


def test_by_the_command_line(hub, room, handpicked):
    reference = f"{room.people.project.slug}@v1"
    dry = handpicked("publish", reference, REPOSITORY, "--dry-run", "--public")
    assert "nothing was sent" in dry
    assert "! 3 examples without a licence" in dry
    assert hub.asked == []
    assert "Confirm first that you know" in handpicked("publish", reference, REPOSITORY, "--public")
    document = json.loads(handpicked("publish", reference, REPOSITORY, "--public", "--yes", "--json"))
    assert (document["state"], document["check"]["ok"]) == ("published", True)
    assert not room.repository.private
    said = handpicked("publish", reference, REPOSITORY, "--check")
    assert said.startswith("The Hub holds what was frozen, at")
    room.repository.main.files["examples.jsonl"] = b"{}\n"
    said = handpicked("publish", reference, REPOSITORY, "--check", code=1)
    assert said.endswith("the Hub does not hold what was frozen: examples.jsonl.\n")
    assert "so there is nothing to compare" in handpicked("publish", reference, "kitchen/none", "--check")
    handpicked("publish", reference, REPOSITORY, "--check", "--dry-run", code=2)


def test_what_main_holds_is_not_proposed_and_said_to_be_there(hub, room, page, address, browser, api, handpicked):
    first = room.publish()
    reference = f"{room.people.project.slug}@v1"
    sent = len(room.repository.history)
    said = handpicked("publish", reference, REPOSITORY, "--pull-request", "--yes")
    note = f"Main holds it already, at {first.revision[:8]}: nothing was sent, and no pull request was opened."
    assert said.startswith(f"{reference} is there already: {first.url}\n{note}\n")
    assert (len(room.repository.history), room.repository.proposals) == (sent, [])
    again, before = api(room.people.lead).get(address).json()["publications"]
    assert (again["note"], again["pull_request"], before["note"]) == (note, None, None)
    shown = browser(room.people.lead).get(page).text
    assert "<strong>On main already:</strong>" in shown
    assert "; no pull request was opened." in shown
    assert shown.count(note) == 1
    # A pull request that is there is named as ever, and says nothing of the kind.
    room.repository.main = room.repository.main.parent
    proposed = json.loads(handpicked("publish", reference, REPOSITORY, "--pull-request", "--yes", "--json"))
    assert (proposed["pull_request"], proposed["note"]) == (1, None)


def test_a_refusal_ends_the_command_with_a_sentence(hub, room, handpicked, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", READ)
    said = handpicked("publish", f"{room.people.project.slug}@v1", REPOSITORY, code=1)
    assert said.startswith(
        "handpicked: v1 was not published to kitchen/cooking: the Hub does not let the token in HF_TOKEN"
    )
    assert READ not in said


def test_a_token_by_the_command_line(hub, room, handpicked, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    slug = room.people.project.slug
    assert "has no token of its own" in handpicked("hub-token", slug)
    assert "There is no token by which to write" in handpicked("publish", f"{slug}@v1", REPOSITORY)
    assert "has a token of its own, sealed." in handpicked("hub-token", slug, "--stdin", stdin=f"{WRITE}\n")
    handpicked("publish", f"{slug}@v1", REPOSITORY)
    assert room.repository.main.title
    assert json.loads(handpicked("hub-token", slug, "--remove", "--json")) == {
        "project": slug, "of_project": False, "of_environment": False,
    }  # fmt: skip
    assert "holds no token" in handpicked("hub-token", slug, "--stdin", stdin="\n", code=1)


def test_offline_says_so_on_the_page(room, page, browser, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    lead = browser(room.people.lead)
    preview = lead.get(page, params={"repository": REPOSITORY}).text
    assert "This server leaves the Hub alone" in preview
    assert "hf upload OWNER/NAME FOLDER --repo-type dataset" in preview
    assert '#exports-title">export it in the Hugging Face form</a>' in preview
    refused = lead.post(page, data=shown_in(preview))
    assert (refused.status_code, rows(room)) == (422, [])
    assert "start the server or the command with HF_HUB_OFFLINE=0" in refused.text


def test_an_archived_project_still_publishes_what_it_froze(room, page, browser):
    with room.database.writing() as session:
        session.get(Project, room.people.project.id).archived_at = room.version.frozen_at
    lead = browser(room.people.lead)
    fields = shown_in(lead.get(page, params={"repository": REPOSITORY}).text)
    assert lead.post(page, data=fields).status_code == 303
