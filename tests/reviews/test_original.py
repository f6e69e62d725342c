"""The original beside its translation on the review screen."""

import pytest

from app.accounts.models import Role
from app.examples import linking, operations
from app.examples.models import Example
from app.projects import operations as projects
from app.projects import roles
from app.projects.access import ProjectAccess
from app.projects.models import Project, Split
from app.reviews.operations import approve
from app.reviews.original import original_of
from tests import factories
from tests.examples.rows import example, pair, submitted

GERMAN = pair("Wie tief reichen Wurzeln?", "Die meisten bleiben im obersten Meter.")


@pytest.fixture
def made(database, people):
    """An approved example and its translation, which waits for a second person."""
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        original = submitted(session, people.annotator, project)
        approve(session, people.reviewer, original, 1)
        translation = submitted(session, people.colleague, project, messages=GERMAN, language="de")
        linking.link(session, people.colleague, translation, original)
        return original, translation


def test_a_reviewer_reads_both_with_the_state_of_the_original(made, browser, people):
    original, translation = made
    page = browser(people.reviewer).get(f"/projects/{people.project.slug}/review/{translation.id}").text
    assert "Translation into German of <a" in page
    assert f">example {original.id}</a>, revision 1" in page
    assert '<div class="read prompt" dir="auto" lang="en" hx-ignore><p>How deep do roots go?</p>' in page
    assert '<div class="read" dir="auto" lang="de" data-message="1" hx-ignore>' in page
    assert "changed since" not in page.lower()
    other = browser(people.reviewer).get(f"/projects/{people.project.slug}/review/{original.id}").text
    assert "with-original" not in other


def test_it_says_when_and_where_the_original_has_changed_since(made, browser, database, people):
    original, translation = made
    address = f"/projects/{people.project.slug}/review/{translation.id}"
    with database.writing() as session:
        there = session.get_one(Example, original.id)
        longer = pair("How deep do the roots of trees go?")
        operations.save_revision(session, people.annotator, there, based_on=1, messages=longer)
        operations.submit_example(session, people.annotator, there)
    assert "Changed since" not in browser(people.reviewer).get(address).text, "the approved words stand"
    with database.writing() as session:
        approve(session, people.reviewer, session.get_one(Example, original.id), 2)
    page = browser(people.reviewer).get(address).text
    assert "The original changed since: revision 1 to 2" in page
    assert "<ins" in page


def test_an_original_that_may_not_be_read_is_not_shown(browser, database, people):
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        test = example(session, people.lead, project, "A secret question?", split=Split.TEST)
        hidden = submitted(session, people.colleague, project, messages=GERMAN, language="de")
        linking.link(session, people.lead, hidden, test)
        roles.hide_tests(session, people.lead, project, hidden=True)
        german = factories.project(session, people.lead, "auf-deutsch")
        projects.add_member(session, people.lead, german, people.stranger, Role.REVIEWER)
        roles.follow_project(session, people.lead, german, project, "de")
        theirs = submitted(session, people.lead, project, "Only for members?")
        approve(session, people.reviewer, theirs, 1)
        foreign = submitted(session, people.lead, german, messages=GERMAN, language="de")
        linking.link(session, people.lead, foreign, theirs)
    for person, slug, one in (
        (people.reviewer, people.project.slug, hidden), (people.stranger, german.slug, foreign),
    ):  # fmt: skip
        page = browser(person).get(f"/projects/{slug}/review/{one.id}")
        assert (page.status_code, "its original is gone, or lies where you may not read" in page.text) == (200, True)
        assert "secret question" not in page.text
        assert "Only for members" not in page.text
    assert "A secret question?" in browser(people.lead).get(f"/projects/{people.project.slug}/review/{hidden.id}").text


def test_turns_stand_beside_each_other_whatever_system_messages_there_are(database, people):
    system = [{"role": "system", "content": "Answer in verse."}]
    more = [*pair(), *pair("And the trunk?", "It carries the crown.")]
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        original = example(session, people.annotator, project, messages=[*system, *more])
        translation = example(session, people.colleague, project, messages=GERMAN, language="de")
        linking.link(session, people.colleague, translation, original)
        access = ProjectAccess(people.reviewer, project=project)
        beside = original_of(session, access, translation, GERMAN)
        assert (beside.texts[0], beside.texts[1]) == ("How deep do roots go?", "Most stay in the top metre.")
        assert beside.further == [
            ("System message", "Answer in verse."), ("Prompt 2", "And the trunk?"),
            ("Response 2", "It carries the crown."),
        ]  # fmt: skip
        both = original_of(session, access, translation, [{"role": "system", "content": "In Versen."}, *GERMAN])
        assert [both.texts[place] for place in range(3)] == ["Answer in verse.", *(one["content"] for one in pair())]
