"""What prompts are for: dev and test prompts without an answer, author groups, flags and what the words suggest."""

import json
import re

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app.accounts.models import AuditEntry
from app.cli import build
from app.examples import answers, describing, hints, operations, queries, roles
from app.examples.messages import BadMessages
from app.examples.models import Example, ExampleState
from app.jobs.running import run_now
from app.projects import operations as projects
from app.projects import roles as project_roles
from app.projects.models import AuthorGroup, Project, Split
from app.reviews.operations import approve
from app.sources.models import Into
from app.sources.operations import ImportPlan, start_import
from app.sources.rulesets import Ruleset
from app.worker import worker_name
from tests.counting import count_queries
from tests.examples.rows import example, pair, submitted

PROMPT = [{"role": "user", "content": "What would you ask a stranger on a train?"}]
A, B = AuthorGroup.A, AuthorGroup.B


# --- prompts without an answer ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["dev", "test"])
def test_a_prompt_alone_is_submitted_and_approved_in_dev_and_test(session, people, split):
    made = submitted(session, people.annotator, people.project, messages=PROMPT, split=split, source="authors")
    approve(session, people.reviewer, made, 1)
    assert made.state is ExampleState.APPROVED
    assert queries.approved_revision(session, made).messages == PROMPT


def test_a_prompt_alone_is_no_training_example_however_it_comes_there(session, people):
    alone = example(session, people.annotator, people.project, messages=PROMPT)
    with pytest.raises(BadMessages, match="a train example needs one"):
        operations.submit_example(session, people.annotator, alone)
    waiting = submitted(session, people.annotator, people.project, messages=PROMPT, split="dev", source="authors")
    described = {"source": "authors", "language": "en", "flags": []}
    with pytest.raises(BadMessages, match="a train example needs one"):
        describing.describe_example(session, people.annotator, waiting, split="train", **described)
    assert (waiting.split, waiting.state) == (Split.DEV, ExampleState.REVIEW)
    approve(session, people.reviewer, waiting, 1)
    describing.describe_example(session, people.annotator, waiting, split="train", **described)
    assert waiting.state is ExampleState.DRAFT, "another split reopens what was approved"


def test_a_prompt_alone_is_made_by_page_api_and_import(browser, api, database, settings, people, tmp_path):
    slug = people.project.slug
    form = {
        "act": "submit", "split": "test", "source": "authors_b", "language": "en", "flags": "", "key": "k" * 16,
        "turn_1": PROMPT[0]["content"], "turn_2": "",
    }  # fmt: skip
    assert browser(people.annotator).post(f"/projects/{slug}/examples", data=form).status_code == 303
    body = {"split": "dev", "source": "authors", "messages": PROMPT}
    made = api(people.annotator).post(f"/api/v1/projects/{slug}/examples", json=body).json()
    sent = api(people.annotator).post(f"/api/v1/projects/{slug}/examples/{made['id']}/submission").json()
    assert (sent["state"], len(sent["messages"])) == ("review", 1)
    file = tmp_path / "prompts.jsonl"
    file.write_text(json.dumps({"id": "one", "split": "test", "messages": PROMPT}) + "\n")
    with database.writing() as session:
        plan = ImportPlan(
            path=file, name="p", format="messages", ruleset=Ruleset(()), into=Into.SET, source="askreddit"
        )
        run = start_import(session, people.lead, people.project, plan, "prompts.jsonl")
    run_now(database, settings, run.job_id, worker_name())
    with database.reading() as session:
        rows = session.execute(select(Example.split, Example.source, Example.state).order_by(Example.id)).all()
    review = ExampleState.REVIEW
    assert rows == [
        (Split.TEST, "authors_b", review), (Split.DEV, "authors", review), (Split.TEST, "askreddit", review),
    ]  # fmt: skip
    counted = api(people.annotator).get(f"/api/v1/projects/{slug}/progress").json()
    assert "askreddit" in json.dumps(counted)


def test_the_desk_says_that_a_test_prompt_needs_no_response(browser, database, people):
    with database.writing() as session:
        made = example(session, people.annotator, people.project, messages=PROMPT, split="test", source="authors_b")
    page = browser(people.annotator).get(f"/projects/{people.project.slug}/examples/{made.id}").text
    assert "A test prompt needs no response." in page


# --- groups and flags ------------------------------------------------------------------------------------------------


@pytest.fixture
def grouped(database, people):
    """The writer writes in group A, a colleague in B."""
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        for person, group in ((people.annotator, A), (people.colleague, B)):
            project_roles.set_author(session, people.lead, project, person.id, group=group, reads_tests=False)
    return people


def test_an_example_keeps_the_group_in_which_it_was_written(grouped, database, people):
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        first = submitted(session, people.annotator, project)
        project_roles.set_author(session, people.lead, project, people.annotator.id, group=B, reads_tests=False)
        second = example(session, people.annotator, project, "And how wide?")
        beside = answers.make_answer(session, people.colleague, project, first)
        brought = example(session, people.annotator, project, "From a dump?", import_run_id=None, candidate_id=None)
        assert (first.author_group, second.author_group, brought.author_group) == (A, B, B)
        assert beside.author_group is A, "the prompt is the first writer's"


def test_who_is_in_no_group_writes_in_none(session, people):
    assert example(session, people.reviewer, people.project).author_group is None


def test_anybody_flags_a_prompt_and_leads_alone_change_its_group(grouped, api, database, people):
    with database.writing() as session:
        made = example(session, people.annotator, session.get_one(Project, people.project.id))
    address = f"/api/v1/projects/{people.project.slug}/examples/{made.id}/roles"
    flagged = api(people.colleague).put(address, json={"sensitive": True, "format_constraint": True}).json()
    assert (flagged["sensitive"], flagged["format_constraint"], flagged["acknowledges_first"]) == (True, True, False)
    assert flagged["author_group"] == "A"
    refused = api(people.reviewer).put(address, json={"author_group": "B"})
    assert (refused.status_code, "only a lead" in refused.text) == (403, True)
    assert api(people.lead).put(address, json={"author_group": "B", "sensitive": False}).json()["author_group"] == "B"
    assert api(people.stranger).put(address, json={"sensitive": True}).status_code == 404
    with database.reading() as session:
        told = session.scalars(
            select(AuditEntry.detail).where(AuditEntry.action == "set roles").order_by(AuditEntry.id)
        )
        assert list(told) == [
            {"sensitive": True, "format_constraint": True}, {"author_group": "B", "sensitive": False},
        ]  # fmt: skip


def test_a_flag_reopens_nothing_and_the_same_again_is_no_event(session, people):
    made = submitted(session, people.annotator, people.project)
    approve(session, people.reviewer, made, 1)
    wanted = roles.changed(roles.roles_of(made), {"acknowledges_first": True})
    assert roles.set_roles(session, people.reviewer, made, wanted)
    assert not roles.set_roles(session, people.reviewer, made, wanted)
    assert made.state is ExampleState.APPROVED


TICKED = re.compile(r'type="checkbox" name="(\w+)" value="true" checked')


def test_flags_are_set_before_the_first_save_and_kept_with_the_words(browser, database, people):
    url, client = f"/projects/{people.project.slug}/examples", browser(people.annotator)
    assert TICKED.findall(client.get(f"{url}/new").text) == []
    desk = {"key": "a-key-of-it", "source": "authors", "turn_1": "Write in three bullet points: rope."}
    ticked = {"sensitive": "true", "format_constraint": "true"}
    kept = client.post(f"{url}/working-copy", data={**desk, **ticked, "copy_key": "another-key"})
    assert kept.status_code == 200, kept.text
    again = client.get(f"{url}/new?key=a-key-of-it").text
    assert TICKED.findall(again) == list(ticked)
    refused = client.post(url, data={**desk, **ticked, "source": ""}).text
    assert TICKED.findall(refused) == list(ticked)
    assert "bullet points”." in refused
    assert client.post(url, data={**desk, **ticked}).status_code == 303
    with database.reading() as session:
        made = session.scalars(select(Example)).one()
        assert roles.roles_of(made).flags == list(ticked)
        told = session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "set roles")).one()
        assert told == dict.fromkeys(ticked, True)


def test_the_part_of_the_desk_sets_what_is_ticked_and_says_what_the_words_suggest(browser, database, people):
    with database.writing() as session:
        words = pair("Name the causes of tides in three bullet points.", "The causes of tides are these: …")
        made = example(session, people.annotator, people.project, messages=words)
    address = f"/projects/{people.project.slug}/examples/{made.id}/roles"
    writer, lead = browser(people.annotator), browser(people.lead)
    page = writer.get(address, headers={"hx-request": "true", "hx-target": "div#roles"}).text
    assert "It says “in three bullet points”." in page
    assert "It opens with words of the prompt." in page
    assert "<html" not in page
    assert ("author_group" in page, "author_group" in lead.get(address).text) == (False, True)
    assert writer.post(address, data={"sensitive": "true"}).headers["location"].endswith(f"/examples/{made.id}")
    here = {"hx-request": "true", "hx-target": "details#roles"}
    lead.post(address, data={"author_group": "A", "format_constraint": "true"}, headers=here)
    with database.reading() as session:
        said = roles.roles_of(session.get_one(Example, made.id))
    assert said == roles.Roles(A, sensitive=False, format_constraint=True)
    assert "group A, fixes the answer&#39;s form" in writer.get(address).text


def test_the_list_narrows_by_group_flag_and_translation(api, grouped, database, people):
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        ours, theirs = example(session, people.annotator, project), example(session, people.colleague, project, "Why?")
        roles.set_roles(session, people.lead, ours, roles.changed(roles.roles_of(ours), {"sensitive": True}))
    client, address = api(people.reviewer), f"/api/v1/projects/{people.project.slug}/examples"
    found = {
        also: [one["id"] for one in client.get(f"{address}?also={also}").json()["examples"]]
        for also in ("group_a", "group_b", "sensitive", "format_constraint", "translations")
    }
    assert found == {
        "group_a": [ours.id], "group_b": [theirs.id], "sensitive": [ours.id], "format_constraint": [],
        "translations": [],
    }  # fmt: skip
    assert client.get(f"{address}?also=nothing").status_code == 422


def test_settings_show_and_set_groups_for_leads_alone(browser, people):
    slug, lead = people.project.slug, browser(people.lead)
    address = f"/projects/{slug}/members/{people.annotator.id}/author"
    assert browser(people.reviewer).post(address, data={"group": "A"}).status_code == 403
    assert browser(people.stranger).post(address, data={"group": "A"}).status_code == 404
    assert lead.post(address, data={"group": "C"}).status_code == 422
    assert lead.post(address, data={"group": "B"}).status_code == 303
    assert "<span>Group B</span>" in lead.get(f"/projects/{slug}/settings").text
    assert browser(people.admin).post(f"/projects/{slug}/members/999/author", data={"group": "A"}).status_code == 404


def test_the_members_of_the_api_have_a_group_and_keep_it_unless_it_is_named(api, people):
    address = f"/api/v1/projects/{people.project.slug}/members"
    member = {"email": people.annotator.email, "role": "annotator"}
    made = api(people.lead).put(address, json={**member, "author_group": "A", "reads_tests": True}).json()
    kept = api(people.lead).put(address, json={**member, "role": "reviewer"}).json()
    assert (made["author_group"], made["reads_tests"]) == (kept["author_group"], kept["reads_tests"]) == ("A", True)
    assert api(people.lead).put(address, json={**member, "author_group": ""}).json()["author_group"] is None


def test_the_command_line_sets_group_and_flags(closing, settings, monkeypatch, people):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))
    command, slug = build(), people.project.slug

    def run(*words, code=0):
        done = CliRunner().invoke(command, [*map(str, words), "--json"])
        assert done.exit_code == code or done.exception is not None, done.output
        return json.loads(done.stdout) if code == 0 else str(done.exception)

    lead, writer = ("--as", people.lead.email), ("--as", people.annotator.email)
    words = ("--source", "authors", "--split", "dev", "--prompt", "What now?", "--sensitive", "--group", "A")
    made = run("example", "new", slug, *words, *lead)
    assert (made["sensitive"], made["author_group"], len(made["messages"])) == (True, "A", 1)
    flags = ("--not-sensitive", "--format-constraint", "--group", "none")
    edited = run("example", "edit", slug, made["id"], *flags, *lead)
    assert (edited["sensitive"], edited["format_constraint"], edited["author_group"]) == (False, True, None)
    assert edited["revision"] == 1
    assert "only a lead" in run("example", "edit", slug, made["id"], "--group", "B", *writer, code=1)
    assert run("example", "list", slug, "--also", "format_constraint")["examples"][0]["id"] == made["id"]
    added = run("member", "add", slug, people.annotator.email, "--role", "annotator", "--group", "B", *lead)
    assert (added["author_group"], added["reads_tests"]) == ("B", False)
    assert run("project", "tests", slug, "hide", *lead)["tests_hidden"] is True
    assert run("project", "tests", slug, "show", *lead)["tests_hidden"] is False


def test_the_list_costs_the_same_with_flags_and_groups(browser, grouped, database, people):
    client = browser(people.annotator)
    costs = []
    for count in (2, 18):
        with database.writing() as session:
            project = session.get_one(Project, people.project.id)
            for number in range(count):
                example(session, people.annotator, project, f"Question {count} {number}?")
        with count_queries(database) as tally:
            assert client.get(f"/projects/{people.project.slug}/examples?also=group_a").status_code == 200
        costs.append(tally.count)
    assert costs[0] == costs[1]


# --- what the words suggest ------------------------------------------------------------------------------------------

FORMS = {
    "Summarise this in three bullet points.": "in three bullet points",
    "Write a 200-word essay on bees.": "200-word",
    "Explain it in one sentence.": "in one sentence",
    "Write a plan with the following sections: goals, budget.": "with the following sections",
    "Give your answer as a table.": "as a table",
    "Each section should start with a question.": "Each section should",
    "Format your answer as JSON.": "Format your answer as",
    "What are the two parts of a cell?": "",
    "List the causes of the war.": "",
    "I have been in three line dances.": "",
    "What happened in 100 years?": "",
}


@pytest.mark.parametrize("prompt", FORMS)
def test_words_that_fix_the_form_of_an_answer_are_told_from_a_question(prompt):
    assert hints.format_words([{"role": "user", "content": prompt}]) == FORMS[prompt]


def test_an_opening_that_takes_up_the_question_is_told_from_one_that_does_not():
    asked = "What causes high tide and low tide?"
    assert hints.opens_with_the_question(pair(asked, "High tides are caused by the pull of the moon."))
    assert not hints.opens_with_the_question(pair(asked, "Mostly the moon; the sun helps a little."))
    assert not hints.opens_with_the_question(pair("Why?", "Because of the tides."))
    assert not hints.opens_with_the_question(PROMPT)


def test_a_group_is_set_for_members_alone(session, people):
    project = session.get_one(Project, people.project.id)
    with pytest.raises(projects.NotFound):
        project_roles.set_author(session, people.lead, project, people.stranger.id, group=A, reads_tests=False)
