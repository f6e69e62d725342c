"""Translations beside their originals, and a project that follows another as its translation."""

import json
import re

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from app.accounts.models import AuditEntry, Role
from app.cli import build
from app.errors import NotFound
from app.examples import claims, operations, queries, translations
from app.examples.models import Example, ExampleState, Revision, WorkingCopy
from app.projects import operations as projects
from app.projects import roles
from app.projects.models import Project
from app.reviews.operations import approve, reject
from tests import factories
from tests.counting import count_queries
from tests.examples.rows import example, pair, submitted

GERMAN = pair("Wie tief reichen Wurzeln?", "Die meisten bleiben im obersten Meter.")
LONGER = pair("How deep do the roots of trees go?", "Most stay in the top metre.")


def approved(session, people, project, prompt="", **more):
    made = submitted(session, people.annotator, project, prompt, **more)
    approve(session, people.reviewer, made, made.revision_number)
    return made


def reworded(session, people, made, messages=LONGER):
    """The original says something else, and that is approved."""
    operations.save_revision(session, people.annotator, made, based_on=made.revision_number, messages=messages)
    operations.submit_example(session, people.annotator, made)
    approve(session, people.reviewer, made, made.revision_number)


# --- one translation -------------------------------------------------------------------------------------------------


@pytest.fixture
def made(database, people):
    """An approved example, and its German translation begun by a colleague."""
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        original = approved(session, people, project, flags=["curated"])
        original.sensitive = True
        return original, translations.translate(session, people.colleague, project, original, "de")


def test_a_translation_begins_empty_and_claimed_with_what_its_original_is(made, database, people):
    original, translation = made
    with database.reading() as session:
        assert queries.head_revision(session, translation).messages == []
        assert queries.head_revision(session, translation).title == f"Translation of example {original.id} into German"
        assert queries.head_revision(session, translation).note == f"translation of example {original.id} into German"
        assert claims.is_held_by_another(people.annotator, translation)
    alike = ("split", "source", "flags", "sensitive", "author_group")
    assert [getattr(translation, name) for name in alike] == [getattr(original, name) for name in alike]
    assert (translation.language, translation.translation_of_id, translation.translation_seen) == ("de", original.id, 1)


def test_the_same_language_again_is_the_same_translation_and_its_own_is_none(made, database, people):
    original, translation = made
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        assert translations.translate(session, people.annotator, project, original, "de").id == translation.id
        with pytest.raises(translations.SameLanguage):
            translations.translate(session, people.annotator, project, original, "en")
        other = translations.translate(session, people.annotator, project, original, "pt-BR")
        assert [one.language for one in session.scalars(translations.translations_of(original, project.id))] == [
            "de", other.language,
        ]  # fmt: skip


def test_what_is_translated_of_a_translation_is_its_original(made, database, people):
    original, translation = made
    with database.writing() as session:
        project, german = session.get_one(Project, people.project.id), session.get_one(Example, translation.id)
        french = translations.translate(session, people.annotator, project, german, "fr")
        assert french.translation_of_id == original.id
        with pytest.raises(translations.SameLanguage, match=f"Example {original.id} is in English"):
            translations.translate(session, people.annotator, project, german, "en")


def test_a_language_that_is_changed_stays_another_than_that_of_what_is_linked(made, api, database, people):
    original, translation = made
    with database.writing() as session:
        project, english = session.get_one(Project, people.project.id), session.get_one(Example, original.id)
        french = translations.translate(session, people.annotator, project, english, "fr")
    values = {"split": "train", "source": "wikihow", "flags": []}
    for changed, language, other in (
        (original, "de", translation), (translation, "en", original), (french, "de", translation)
    ):  # fmt: skip
        url = f"/api/v1/projects/{people.project.slug}/examples/{changed.id}/description"
        refused = api(people.lead).put(url, json={**values, "language": language})
        assert (refused.status_code, f"Example {other.id} is linked" in refused.text) == (409, True)
    assert api(people.lead).put(url, json={**values, "language": "nl"}).status_code == 200


def test_after_a_rejected_translation_there_may_be_another(made, database, people):
    original, translation = made
    with database.writing() as session:
        mine = session.get_one(Example, translation.id)
        operations.save_revision(session, people.colleague, mine, based_on=1, messages=GERMAN)
        operations.submit_example(session, people.colleague, mine)
        reject(session, people.reviewer, mine, 2, "Word for word.")
        project = session.get_one(Project, people.project.id)
        again = [translations.translate(session, people.annotator, project, original, "de").id for _ in range(2)]
        assert len({*again, translation.id}) == 2


def test_both_stand_side_by_side_and_the_right_one_is_written(made, browser, database, people):
    original, translation = made
    client, address = (
        browser(people.colleague),
        f"/projects/{people.project.slug}/examples/{translation.id}/translation",
    )
    page = client.get(address).text
    assert "How deep do roots go?" in page
    assert 'name="turn_2"' in page
    form = {
        "act": "save", "split": "train", "source": "wikihow", "language": "de", "flags": "curated", "based_on": "1",
        "key": "k" * 16, "counter": "0", "turn_1": GERMAN[0]["content"], "turn_2": GERMAN[1]["content"],
    }  # fmt: skip
    assert client.post(address, data=form).headers["location"] == address
    assert client.post(address, data=form).status_code == 303, "the same form twice is one revision"
    with database.reading() as session:
        head = queries.head_revision(session, session.get_one(Example, translation.id))
        assert (head.number, head.messages) == (2, GERMAN)
        assert queries.head_revision(session, original).messages == pair()
    sent = client.post(address, data={**form, "act": "submit", "based_on": "2", "key": "l" * 16})
    assert sent.headers["location"].endswith("/examples")


def test_a_text_that_cannot_be_saved_stays_on_the_page_and_is_kept(made, browser, database, people):
    _, translation = made
    with database.writing() as session:
        mine = session.get_one(Example, translation.id)
        operations.save_revision(session, people.colleague, mine, based_on=1, messages=GERMAN)
    form = {
        "act": "save", "split": "train", "source": "wikihow", "language": "de", "flags": "", "based_on": "1",
        "key": "k" * 16, "counter": "0", "turn_1": "Wie tief?", "turn_2": "Sehr.",
    }  # fmt: skip
    address = f"/projects/{people.project.slug}/examples/{translation.id}/translation"
    answer = browser(people.annotator).post(address, data=form)
    assert (answer.status_code, "Wie tief?" in answer.text, "writes on this" in answer.text) == (409, True, True)
    with database.reading() as session:
        assert session.scalar(select(WorkingCopy.messages)) == pair("Wie tief?", "Sehr.")
    wrong = browser(people.colleague).post(address, data={**form, "based_on": "2", "turn_1": "", "turn_2": "Sehr."})
    assert (wrong.status_code, "Sehr." in wrong.text) == (422, True)


def test_a_change_of_the_original_is_told_with_its_words_until_somebody_marks_it_seen(made, browser, database, people):
    original, translation = made
    client, address = (
        browser(people.colleague),
        f"/projects/{people.project.slug}/examples/{translation.id}/translation",
    )
    assert "changed since" not in client.get(address).text
    with database.writing() as session:
        there = session.get_one(Example, original.id)
        operations.save_revision(session, people.annotator, there, based_on=1, messages=pair("Half a thought?"))
    assert "changed since" not in client.get(address).text, "what was approved stands until something else is"
    with database.writing() as session:
        reworded(session, people, session.get_one(Example, original.id))
    page = client.get(address).text
    assert "The original changed since: revision 1 to 3" in page
    assert re.search(r"<ins[^>]*>[^<]*of trees", page)
    assert client.post(f"{address}/seen", data={"revision": "9"}).status_code == 404
    assert client.post(f"{address}/seen", data={"revision": "3"}).status_code == 303
    assert client.post(f"{address}/seen", data={"revision": "1"}).status_code == 303
    assert "changed since" not in client.get(address).text
    with database.reading() as session:
        told = select(AuditEntry.detail).where(AuditEntry.action == "see original")
        assert session.scalars(told).all() == [{"original": original.id, "revision": 3}]
        assert session.get_one(Example, translation.id).translation_seen == 3


def test_the_list_of_translations_makes_another_and_refuses_what_is_no_language(made, browser, people):
    original, translation = made
    address = f"/projects/{people.project.slug}/examples/{original.id}/translations"
    client = browser(people.annotator)
    assert f"/examples/{translation.id}/translation" in client.get(address).text
    refused = client.post(address, data={"language": "Deutsch"})
    assert (refused.status_code, 'value="Deutsch"' in refused.text) == (422, True)
    assert client.post(address, data={"language": "English"}).status_code == 422
    assert client.post(address, data={"language": "fr"}).headers["location"].endswith("/translation")
    assert browser(people.stranger).post(address, data={"language": "it"}).status_code == 404


def test_translations_of_the_api_say_whether_they_are_behind(made, api, database, people):
    original, translation = made
    base, client = f"/api/v1/projects/{people.project.slug}/examples", api(people.annotator)
    listed = client.get(f"{base}/{original.id}/translations").json()["translations"]
    assert [one["id"] for one in listed] == [translation.id]
    with database.writing() as session:
        reworded(session, people, session.get_one(Example, original.id))
    assert client.get(f"{base}/{translation.id}/original").json()["behind"] is True
    ids = {
        also: [one["id"] for one in client.get(f"{base}?also={also}").json()["examples"]]
        for also in ("behind", "translated", "untranslated")
    }
    assert ids == {"behind": [translation.id], "translated": [original.id], "untranslated": []}
    assert client.put(f"{base}/{translation.id}/original", json={"revision": 2}).json()["behind"] is False
    assert client.get(f"{base}/{original.id}/original").status_code == 409
    assert (
        client.post(f"{base}/{original.id}/translations", json={"language": "nl"}).json()["translation_of"]
        == original.id
    )


def test_an_original_that_is_gone_leaves_its_translation(database, browser, people):
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        original = example(session, people.annotator, project)
        translation = translations.translate(session, people.colleague, project, original, "de")
        session.delete(original)
    page = browser(people.colleague).get(f"/projects/{people.project.slug}/examples/{translation.id}/translation")
    assert (page.status_code, "The original is not to be seen" in page.text) == (200, True)


# --- a project that follows another ----------------------------------------------------------------------------------


@pytest.fixture
def two(database, people):
    """The project, and one that translates it into German; the colleague writes in both, the annotator in the first."""
    with database.writing() as session:
        german = factories.project(session, people.lead, "auf-deutsch")
        for person, role in ((people.colleague, Role.ANNOTATOR), (people.reviewer, Role.REVIEWER)):
            projects.add_member(session, people.lead, german, person, role)
        source = session.get_one(Project, people.project.id)
        roles.follow_project(session, people.lead, german, source, "de")
        made = [approved(session, people, source, f"Question {number}?") for number in range(3)]
        example(session, people.annotator, source, "A draft?")
        approved(session, people, source, "Schon deutsch?", language="de")
    return german, made


def counts(session, person, project):
    found = translations.lists_of(session, person, session.get_one(Project, project.id))
    return {name: len(ids) for name, ids in found.items()}


def test_a_project_that_follows_sees_what_is_new_changed_withdrawn_and_settled(two, database, people):
    german, (first, second, third) = two
    with database.writing() as session:
        assert counts(session, people.colleague, german) == {"new": 3, "changed": 0, "withdrawn": 0, "settled": 0}
        here = session.get_one(Project, german.id)
        for original in (first, second, third):
            translations.translate(session, people.colleague, here, original, "de")
        assert counts(session, people.colleague, german) == {"new": 0, "changed": 0, "withdrawn": 0, "settled": 3}
        reworded(session, people, session.get_one(Example, first.id))
        there = session.get_one(Example, second.id)
        operations.save_revision(session, people.annotator, there, based_on=1, messages=LONGER)
        operations.submit_example(session, people.annotator, there)
        reject(session, people.reviewer, there, 2, "No.")
    with database.writing() as session:
        assert counts(session, people.colleague, german) == {"new": 0, "changed": 1, "withdrawn": 1, "settled": 1}
        made = session.scalar(select(Example).where(Example.translation_of_id == first.id))
        translations.mark_seen(session, people.colleague, made, 2)
        assert counts(session, people.colleague, german) == {"new": 0, "changed": 0, "withdrawn": 1, "settled": 2}


def test_nothing_is_copied_until_somebody_takes_one_and_then_one_is_made(two, browser, database, people):
    german, (first, *_) = two
    client = browser(people.colleague)
    page = client.get(f"/projects/{german.slug}/following").text
    assert "3 new, 0 changed, 0 withdrawn" in page
    with database.reading() as session:
        assert session.scalar(select(func.count(Example.id)).where(Example.project_id == german.id)) == 0
    made = [client.post(f"/projects/{german.slug}/following/{first.id}").headers["location"] for _ in range(2)]
    assert made[0] == made[1]
    with database.reading() as session:
        translation = session.scalar(select(Example).where(Example.project_id == german.id))
        assert (translation.language, translation.claimed_by) == ("de", people.colleague.id)
        assert session.scalar(select(Revision.messages).where(Revision.example_id == translation.id)) == []
    assert "Question 0?" in client.get(made[0]).text
    assert "2 new" in client.get(f"/projects/{german.slug}/following").text


def test_who_may_not_read_the_followed_project_reads_nothing_of_it(two, browser, api, database, people):
    german, (first, *_) = two
    with database.writing() as session:
        here = session.get_one(Project, german.id)
        projects.add_member(session, people.lead, here, people.stranger, Role.ANNOTATOR)
        translation = translations.translate(session, people.colleague, here, first, "de")
    client, caller = browser(people.stranger), api(people.stranger)
    page = client.get(f"/projects/{german.slug}/following").text
    assert "which you may not read" in page
    assert "Question" not in page
    beside = client.get(f"/projects/{german.slug}/examples/{translation.id}/translation").text
    assert ("Question 0?" in beside, "The original is not to be seen" in beside) == (False, True)
    assert client.post(f"/projects/{german.slug}/following/{first.id}").status_code == 404
    assert caller.get(f"/api/v1/projects/{german.slug}/followed").json()["project"] is None
    assert caller.get(f"/api/v1/projects/{german.slug}/following").json() == {"project": None, "language": "de"}
    assert caller.get(f"/api/v1/projects/{german.slug}/examples/{translation.id}/original").status_code == 410
    assert people.project.name not in client.get(f"/projects/{german.slug}/settings").text
    # Nor does a token for the one project reach into the other.
    form = {"name": "one", "scope": "write", "project": german.slug}
    token = api(people.colleague).post("/api/v1/tokens", json=form).json()["token"]
    own = {"authorization": f"Bearer {token}"}
    assert api().get(f"/api/v1/projects/{german.slug}/followed", headers=own).json()["project"] is None
    address = f"/api/v1/projects/{german.slug}/followed/{first.id}/translation"
    assert api().post(address, headers=own).status_code == 404


def test_hidden_tests_of_the_followed_project_stay_hidden_here(two, browser, database, people):
    german, _ = two
    with database.writing() as session:
        source = session.get_one(Project, people.project.id)
        alone = [{"role": "user", "content": "A secret question?"}]
        test = submitted(session, people.lead, source, messages=alone, split="test", source="authors_b")
        approve(session, people.reviewer, test, 1)
        translation = translations.translate(session, people.lead, session.get_one(Project, german.id), test, "de")
        roles.hide_tests(session, people.lead, source, hidden=True)
    client = browser(people.colleague)
    for show in ("new", "changed", "withdrawn", "settled"):
        assert "secret question" not in client.get(f"/projects/{german.slug}/following?show={show}").text
    assert "0 withdrawn" in client.get(f"/projects/{german.slug}/following").text
    beside = f"/projects/{german.slug}/examples/{translation.id}/translation"
    assert "secret question" not in client.get(beside).text
    assert client.post(f"/projects/{german.slug}/following/{test.id}").status_code == 404
    assert "A secret question?" in browser(people.lead).get(beside).text


def test_a_hidden_test_prompt_is_not_translated_into_a_project_that_shows_its_own(two, browser, api, database, people):
    german, _ = two
    with database.writing() as session:
        source = session.get_one(Project, people.project.id)
        roles.hide_tests(session, people.lead, source, hidden=True)
        alone = [{"role": "user", "content": "A secret question?"}]
        test = submitted(session, people.lead, source, messages=alone, split="test", source="authors_b")
        approve(session, people.reviewer, test, 1)
    address = f"/api/v1/projects/{german.slug}/followed/{test.id}/translation"
    page = browser(people.lead).get(f"/projects/{german.slug}/following").text
    assert ("A secret question?" in page, "Test prompts are left out" in page) == (False, True)
    refused = api(people.lead).post(address)
    assert refused.status_code == 409
    assert "Keep them out of sight here first" in refused.text
    with database.writing() as session:
        roles.hide_tests(session, people.lead, session.get_one(Project, german.id), hidden=True)
    assert "A secret question?" in browser(people.lead).get(f"/projects/{german.slug}/following").text
    made = api(people.lead).post(address)
    assert made.status_code == 201
    url = f"/projects/{german.slug}/examples/{made.json()['id']}/translation"
    assert [browser(one).get(url).status_code for one in (people.lead, people.colleague)] == [200, 404]


def test_what_a_project_follows_is_set_by_its_leads_from_projects_they_read(browser, api, database, people):
    with database.writing() as session:
        other = factories.project(session, people.admin)
    slug, lead = people.project.slug, browser(people.lead)
    address = f"/projects/{slug}/following"
    assert browser(people.reviewer).post(address, data={"project": other.slug, "language": "de"}).status_code == 403
    hidden = lead.post(address, data={"project": other.slug, "language": "de"})
    assert (hidden.status_code, f'value="{other.slug}"' in hidden.text) == (404, True)
    assert lead.post(address, data={"project": slug, "language": "de"}).status_code == 422
    assert lead.post(address, data={"project": slug, "language": ""}).status_code == 422
    admin = api(people.admin)
    assert admin.put(f"/api/v1/projects/{slug}/following", json={"project": other.slug, "language": "de"}).json() == {
        "project": other.slug, "language": "de",
    }  # fmt: skip
    ring = admin.put(f"/api/v1/projects/{other.slug}/following", json={"project": slug, "language": "en"})
    assert (ring.status_code, "itself the translation" in ring.text) == (422, True)
    assert lead.post(address, data={"project": "", "language": ""}).status_code == 303
    assert admin.get(f"/api/v1/projects/{slug}/following").json() == {"project": None, "language": None}


def test_the_page_costs_the_same_for_two_and_for_twenty(two, browser, database, people):
    german, _ = two
    client, costs = browser(people.colleague), []
    for number in range(2):
        with count_queries(database) as tally:
            assert client.get(f"/projects/{german.slug}/following").status_code == 200
        costs.append(tally.count)
        with database.writing() as session:
            source = session.get_one(Project, people.project.id)
            for more in range(20):
                approved(session, people, source, f"More {number} {more}?")
    assert costs[0] == costs[1]


def test_the_command_line_follows_translates_and_marks(closing, settings, monkeypatch, two, database, people):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))
    german, (first, *_) = two
    command = build()

    def run(*words, code=0):
        done = CliRunner().invoke(command, [*map(str, words), "--json"])
        assert code or done.exit_code == 0, done.exception
        return json.loads(done.stdout) if not code else str(done.exception)

    me = ("--as", people.colleague.email)
    assert len(run("example", "followed", german.slug, *me)["new"]) == 3
    made = run("example", "translate", german.slug, first.id, "--followed", *me)
    assert (made["language"], made["translation_of"]) == ("de", first.id)
    with database.writing() as session:
        reworded(session, people, session.get_one(Example, first.id))
    assert run("example", "original", german.slug, made["id"], *me)["behind"] is True
    assert run("example", "original", german.slug, made["id"], "--seen", 2, *me)["behind"] is False
    assert "Name a language" in run("example", "translate", people.project.slug, first.id, "Deutsch", code=1)
    assert run("example", "translate", people.project.slug, first.id, "fr", *me)["language"] == "fr"
    assert run("project", "follow", german.slug, "--stop", "--as", people.lead.email)["follows"] is None
    assert "follows no project" in run("example", "followed", german.slug, *me, code=1)


def test_followed_examples_are_approved_ones(two, database, people):
    german, _ = two
    with database.writing() as session:
        here = session.get_one(Project, german.id)
        draft = session.scalar(select(Example).where(Example.state == ExampleState.DRAFT))
        with pytest.raises(NotFound):
            translations.followed_example(session, people.colleague, here, draft.id)
