"""Two examples that are there already, linked as original and translation, and unlinked."""

import json
import threading

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app.accounts.models import AuditEntry, Role
from app.cli import build
from app.errors import NotFound
from app.examples import linking, operations, queries, translations
from app.examples.models import Example, ExampleState
from app.projects import operations as projects
from app.projects import roles
from app.projects.models import Project, Split
from app.reviews.operations import approve
from tests import factories
from tests.counting import count_queries
from tests.examples.rows import example, pair, submitted

GERMAN = "Wie tief reichen Wurzeln?"


@pytest.fixture
def two(database, people):
    """An English example that is approved, and a German one that somebody wrote apart from it."""
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        original = submitted(session, people.annotator, project)
        approve(session, people.reviewer, original, 1)
        return original, example(session, people.colleague, project, GERMAN, language="de")


def linked(session, people, translation, original, **more):
    mine, other = (session.get_one(Example, one.id) for one in (translation, original))
    linking.link(session, people.annotator, mine, other, **more)
    return mine


def test_a_link_says_what_fits_and_changes_no_text_and_no_verdict(two, database, people):
    original, translation = two
    with database.writing() as session:
        mine = linked(session, people, translation, original)
        assert (mine.translation_of_id, mine.translation_seen) == (original.id, 1)
        assert linked(session, people, translation, original).translation_seen == 1
        assert session.get_one(Example, original.id).state is ExampleState.APPROVED
        assert queries.head_revision(session, mine).messages[0]["content"] == GERMAN
    with database.writing() as session:
        mine = session.get_one(Example, translation.id)
        assert linking.unlink(session, people.annotator, mine) == original.id
        with pytest.raises(translations.NoTranslation):
            linking.unlink(session, people.annotator, mine)
    with database.reading() as session:
        trail = select(AuditEntry.action, AuditEntry.detail).where(AuditEntry.action.like("%link translation"))
        assert session.execute(trail.order_by(AuditEntry.id)).all() == [
            ("link translation", {"original": original.id}), ("unlink translation", {"original": original.id}),
        ]  # fmt: skip


def test_what_fits_an_older_revision_is_behind(two, database, people):
    original, translation = two
    with database.writing() as session:
        there = session.get_one(Example, original.id)
        operations.save_revision(session, people.annotator, there, based_on=1, messages=pair("How deep do trees root?"))
        operations.submit_example(session, people.annotator, there)
        approve(session, people.reviewer, there, 2)
        mine = linked(session, people, translation, original, seen=1)
        assert translations.is_behind(mine, there)
        linking.unlink(session, people.annotator, mine)
        with pytest.raises(NotFound):
            linked(session, people, translation, original, seen=3)


def test_neither_chains_nor_circles_nor_equal_languages_nor_a_second_original(two, database, people):
    original, translation = two
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        french = example(session, people.annotator, project, "Jusqu'où vont les racines ?", language="fr")
        dutch = example(session, people.annotator, project, "Hoe diep gaan wortels?", language="nl")
        second = example(session, people.annotator, project, "Wie tief gehen Wurzeln?", language="de")
        with pytest.raises(linking.LanguagesAlike, match="Both are in German"):
            linked(session, people, second, translation)
        with pytest.raises(linking.LanguagesAlike):
            linked(session, people, original, original)
        linked(session, people, translation, original)
        with pytest.raises(linking.LinkedAlready):
            linked(session, people, translation, french)
        with pytest.raises(linking.OriginalIsTranslation):
            linked(session, people, french, translation)
        with pytest.raises(linking.TranslationIsOriginal):
            linked(session, people, original, dutch)
        with pytest.raises(linking.OriginalIsTranslation):
            linked(session, people, original, translation)
        with pytest.raises(linking.TranslatedAlready, match="into German"):
            linked(session, people, second, original)
        assert linked(session, people, french, original).translation_of_id == original.id
        assert session.get_one(Example, original.id).translation_of_id is None


def test_two_who_link_at_once_make_no_chain(two, database, people):
    original, translation = two
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        dutch = example(session, people.annotator, project, "Hoe diep gaan wortels?", language="nl")
    begin, ends = threading.Barrier(2), []

    def run(mine, other):
        begin.wait()
        try:
            with database.writing() as session:
                linked(session, people, mine, other)
            ends.append("linked")
        except (linking.OriginalIsTranslation, linking.TranslationIsOriginal):
            ends.append("refused")

    both = [threading.Thread(target=run, args=pair) for pair in ((translation, original), (original, dutch))]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(ends) == ["linked", "refused"]


def test_after_unlinking_the_same_language_is_made_anew(two, database, people):
    original, _ = two
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        first = translations.translate(session, people.colleague, project, original, "fr")
        linking.unlink(session, people.colleague, first)
        again = [translations.translate(session, people.annotator, project, original, "fr").id for _ in range(2)]
        assert len({first.id, *again}) == 2
        assert session.get_one(Example, first.id).translation_of_id is None


def test_the_page_finds_by_words_and_by_number_links_and_takes_back(two, browser, database, people):
    original, translation = two
    client, base = browser(people.annotator), f"/projects/{people.project.slug}/examples"
    here, there = (f"{base}/{one.id}/translations" for one in (original, translation))
    link = f"{base}/{translation.id}/translation/link/{original.id}"
    assert "This is a translation" not in client.get(here).text
    found = client.get(here, params={"q": "wurzeln"}, headers={"HX-Target": "div#link-hits"}).text
    assert (f'action="{link}"' in found, "<html" in found) == (True, False)
    assert f'action="{link}"' in client.get(there, params={"q": f"#{original.id}"}).text
    assert "Nothing in another language fits" in client.get(here, params={"q": "How deep"}).text

    done = client.post(link)
    assert (done.status_code, done.headers["location"]) == (303, f"{base}/{translation.id}/translation")
    page = client.get(done.headers["location"]).text
    assert f'action="{base}/{translation.id}/translation/unlink"' in page
    assert "in English, approved" in page
    again = client.post(f"{base}/{original.id}/translation/link/{translation.id}")
    assert (again.status_code, "Not linked" in again.text) == (409, True)
    assert "itself the translation of example" in client.get(there).text

    back = client.post(f"{base}/{translation.id}/translation/unlink")
    assert back.headers["location"] == there
    assert f'action="{link}?seen=1"' in client.get(there).text
    assert client.post(f"{base}/{translation.id}/translation/unlink").status_code == 409
    assert client.post(f"{link}?seen=1").status_code == 303
    assert client.post(f"{base}/{translation.id}/translation/link/99999").status_code == 404
    assert browser(people.stranger).post(link).status_code == 404


def test_the_search_costs_the_same_for_two_and_for_twenty(two, browser, database, people):
    original, _ = two
    client, costs = browser(people.colleague), []
    for number in range(2):
        with count_queries(database) as tally:
            answer = client.get(f"/projects/{people.project.slug}/examples/{original.id}/translations?q=wurzeln")
        assert answer.status_code == 200
        costs.append(tally.count)
        with database.writing() as session:
            project = session.get_one(Project, people.project.id)
            for more in range(20):
                example(session, people.colleague, project, f"Wurzeln {number} {more}?", language="de")
    assert costs[0] == costs[1]


def test_an_original_of_another_project_is_one_that_is_followed_approved_and_readable(two, browser, database, people):
    original, _ = two
    with database.writing() as session:
        german = factories.project(session, people.lead, "auf-deutsch")
        for person in (people.colleague, people.annotator):
            projects.add_member(session, people.lead, german, person, Role.ANNOTATOR)
        source = session.get_one(Project, people.project.id)
        mine = example(session, people.colleague, german, GERMAN, language="de")
        draft = example(session, people.annotator, source, "A draft of roots?")
    base = f"/projects/{german.slug}/examples/{mine.id}"
    client = browser(people.colleague)
    assert client.post(f"{base}/translation/link/{original.id}").status_code == 404
    with database.writing() as session:
        project, source = (session.get_one(Project, one) for one in (german.id, people.project.id))
        roles.follow_project(session, people.lead, project, source, "de")
    assert client.post(f"{base}/translation/link/{draft.id}").status_code == 404
    page = client.get(f"{base}/translations", params={"q": "roots"}).text
    assert f"{base}/translation/link/{original.id}" in page
    assert f"/link/{draft.id}" not in page
    with database.writing() as session:
        stranger = session.merge(people.stranger)
        projects.add_member(session, people.lead, session.get_one(Project, german.id), stranger, Role.ANNOTATOR)
    other = browser(people.stranger)
    assert f"/link/{original.id}" not in other.get(f"{base}/translations", params={"q": "roots"}).text
    assert other.post(f"{base}/translation/link/{original.id}").status_code == 404
    assert client.post(f"{base}/translation/link/{original.id}").status_code == 303


def test_a_hidden_test_prompt_is_neither_found_nor_linked_nor_told_of(two, browser, database, people):
    _, german = two
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        test = example(session, people.lead, project, "A secret of roots?", split=Split.TEST)
        roles.hide_tests(session, people.lead, project, hidden=True)
    client = browser(people.annotator)
    base = f"/projects/{people.project.slug}/examples/{german.id}"
    for words in ("secret", str(test.id)):
        assert "secret of roots" not in client.get(f"{base}/translations", params={"q": words}).text
    assert client.post(f"{base}/translation/link/{test.id}").status_code == 404
    lead = browser(people.lead)
    assert lead.post(f"{base}/translation/link/{test.id}").status_code == 303
    for place in ("translation", "translations"):
        assert "secret of roots" not in client.get(f"{base}/{place}").text
    assert "A secret of roots?" in lead.get(f"{base}/translation").text


def test_the_api_links_shows_and_unlinks(two, api, people):
    original, translation = two
    client, address = (
        api(people.annotator),
        f"/api/v1/projects/{people.project.slug}/examples/{translation.id}/original",
    )
    made = client.post(address, json={"example": original.id})
    assert (made.status_code, made.json()["example"], made.json()["behind"]) == (201, original.id, False)
    assert client.post(address, json={"example": translation.id}).status_code == 422
    assert client.post(address, json={"example": 99999}).status_code == 404
    assert client.delete(address).json()["translation_of"] is None
    assert client.delete(address).status_code == 409
    assert client.get(address).status_code == 409


def test_the_command_line_links_and_unlinks(closing, settings, monkeypatch, two, people):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))
    original, translation = two
    command, slug = build(), people.project.slug

    def run(*words):
        return CliRunner().invoke(command, ["example", *map(str, words), "--as", people.annotator.email, "--json"])

    done = run("link", slug, translation.id, original.id, "--seen", 1)
    document = json.loads(done.stdout)
    assert (document["translation_of"], document["translation_seen"]) == (original.id, 1)
    refused = run("link", slug, original.id, translation.id)
    assert isinstance(refused.exception, linking.OriginalIsTranslation)
    assert json.loads(run("unlink", slug, translation.id).stdout)["translation_of"] is None
    assert isinstance(run("unlink", slug, translation.id).exception, translations.NoTranslation)


def test_a_language_that_is_typed_by_name_stays_a_code_in_what_is_shown_and_saved(two, browser, database, people):
    _, german = two
    client, address = browser(people.colleague), f"/projects/{people.project.slug}/examples/{german.id}"
    form = {
        "act": "save", "split": "train", "source": "wikihow", "language": "Dutch", "flags": "", "based_on": "1",
        "key": "k" * 16, "counter": "0", "turn_1": "Hoe diep?", "turn_2": "Diep.", "system": "", "note": "",
    }  # fmt: skip
    wrong = client.post(address, data={**form, "split": "none of them"})
    assert (wrong.status_code, 'lang="nl"' in wrong.text, 'lang="Dutch"' in wrong.text) == (422, True, False)
    assert client.post(address, data=form).status_code == 303
    with database.reading() as session:
        assert session.get_one(Example, german.id).language == "nl"
    listed = client.get(f"/projects/{people.project.slug}/examples").text
    assert '<option value="nl">Dutch (nl)</option>' in listed
