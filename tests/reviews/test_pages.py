"""Review in a browser: one example a screen, one key a decision, never on one's own words."""

import pytest
from sqlalchemy import func, select

from app.accounts.models import AuditEntry
from app.examples import operations as examples
from app.examples.models import Example, ExampleState
from app.reviews import operations
from app.reviews.models import Review
from tests import factories
from tests.examples import counting, rows


@pytest.fixture
def path(people):
    return f"/projects/{people.project.slug}/review"


@pytest.fixture
def made(database, people):
    with database.writing() as session:
        return rows.submitted(session, people.annotator, people.project)


def verdict(what="approved", **more):
    return {"verdict": what, "revision": "1", "words": "", **more}


def state(database, example):
    with database.reading() as session:
        return session.get_one(Example, example.id).state


def test_members_and_admins_read_and_strangers_do_not(browser, people, path, made):
    for url in (path, f"{path}/{made.id}"):
        for person in (people.annotator, people.reviewer, people.lead, people.admin):
            assert browser(person).get(url).status_code == 200
        assert browser(people.stranger).get(url).status_code == 404
        assert browser().get(url).status_code == 303


def test_a17_an_annotator_decides_nothing_and_the_trail_says_who_tried(browser, database, people, path, made):
    assert browser(people.colleague).post(f"{path}/{made.id}", data=verdict()).status_code == 403
    assert browser(people.stranger).post(f"{path}/{made.id}", data=verdict()).status_code == 404
    assert browser().post(f"{path}/{made.id}", data=verdict()).status_code == 401
    assert state(database, made) is ExampleState.REVIEW
    with database.reading() as session:
        refused = select(AuditEntry.actor_id).where(AuditEntry.action == "was refused")
        assert people.colleague.id in session.scalars(refused).all()


def test_a17_own_words_are_explained_and_refused(browser, database, people, path):
    with database.writing() as session:
        own = rows.submitted(session, people.reviewer, people.project)
    page = browser(people.reviewer).get(f"{path}/{own.id}").text
    assert "partly your own words" in page
    assert 'value="approved"' not in page
    assert browser(people.reviewer).post(f"{path}/{own.id}", data=verdict()).status_code == 403
    assert state(database, own) is ExampleState.REVIEW


def test_a03_an_example_of_another_project_is_not_decided_through_ones_own(browser, database, people, made):
    with database.writing() as session:
        own = factories.project(session, people.stranger)
    url = f"/projects/{own.slug}/review/{made.id}"
    assert browser(people.stranger).get(url).status_code == 404
    assert browser(people.stranger).post(url, data=verdict()).status_code == 404
    assert browser(people.stranger).post(f"{url}/withdrawal?revision=1").status_code == 404
    assert state(database, made) is ExampleState.REVIEW


@pytest.mark.parametrize("field", ["reviewer_id", "approved_by", "state"])
def test_a04_a_field_that_is_not_on_the_form_is_refused(browser, database, people, path, made, field):
    answer = browser(people.reviewer).post(f"{path}/{made.id}", data=verdict(**{field: "1"}))
    assert answer.status_code == 422
    assert state(database, made) is ExampleState.REVIEW


def test_after_a_decision_the_next_one_is_there_and_undo_takes_it_back(browser, database, people, path, made):
    with database.writing() as session:
        following = rows.submitted(session, people.colleague, people.project, "The next one")
    client = browser(people.reviewer)
    answer = client.post(f"{path}/{made.id}", data=verdict())
    assert answer.headers["location"] == f"{path}/{following.id}"
    page = client.get(answer.headers["location"]).text
    assert f"{path}/{made.id}/withdrawal?revision=1" in page
    assert state(database, made) is ExampleState.APPROVED
    assert client.post(f"{path}/{made.id}/withdrawal?revision=1").status_code == 303
    assert state(database, made) is ExampleState.REVIEW


def test_the_last_decision_leads_to_an_empty_queue(browser, people, path, made):
    client = browser(people.reviewer)
    assert client.post(f"{path}/{made.id}", data=verdict()).headers["location"] == path
    assert "Nothing waits for a second person" in client.get(path).text


def test_a54_approving_twice_says_that_it_stands(browser, database, people, path, made):
    for person in (people.reviewer, people.lead):
        assert browser(person).post(f"{path}/{made.id}", data=verdict()).status_code == 303
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Review)) == 1


def test_a_verdict_that_was_taken_back_is_not_shown_as_standing(browser, people, path, made):
    client = browser(people.reviewer)
    client.post(f"{path}/{made.id}", data=verdict("returned", words="Say how deep."))
    assert "Say how deep." in client.get(f"{path}/{made.id}").text
    client.post(f"{path}/{made.id}/withdrawal?revision=1")
    assert "Say how deep." not in client.get(f"{path}/{made.id}").text


def test_words_that_come_with_an_approval_reach_the_writer(browser, people, path, made):
    browser(people.reviewer).post(f"{path}/{made.id}", data=verdict(words="Lovely, but keep the commas."))
    writer = browser(people.annotator)
    for url in (f"{path}/{made.id}", f"/projects/{people.project.slug}/examples/{made.id}"):
        assert "Lovely, but keep the commas." in writer.get(url).text


def test_nobody_is_called_faster_where_nobody_was(browser, database, people, path, made):
    with database.writing() as session:
        draft = rows.example(session, people.annotator, people.project)
    client = browser(people.reviewer)
    answer = client.post(f"{path}/{draft.id}", data=verdict())
    assert answer.status_code == 409
    assert "This does not wait for a verdict: its state is draft" in answer.text
    client.post(f"{path}/{made.id}", data=verdict())
    again = client.post(f"{path}/{made.id}", data=verdict("rejected"))
    assert again.status_code == 409
    assert "You approved this just now. Take that back first" in again.text
    assert "faster" not in answer.text + again.text


def test_a53_the_second_of_two_verdicts_is_told_who_was_first(browser, people, path, made):
    browser(people.reviewer).post(f"{path}/{made.id}", data=verdict())
    late = browser(people.lead).post(f"{path}/{made.id}", data=verdict("rejected"))
    assert late.status_code == 409
    assert people.reviewer.name in late.text


def test_changes_are_not_asked_for_without_words_and_the_words_are_kept(browser, database, people, path, made):
    client = browser(people.reviewer)
    answer = client.post(f"{path}/{made.id}", data=verdict("returned", words=" "))
    assert answer.status_code == 422
    assert "Say what should change" in answer.text
    assert state(database, made) is ExampleState.REVIEW
    client.post(f"{path}/{made.id}", data=verdict("returned", words="Say how deep."))
    assert state(database, made) is ExampleState.RETURNED
    assert "Say how deep." in client.get(f"{path}/{made.id}").text


def test_the_difference_from_the_last_approval_is_shown(browser, database, people, path, made):
    with database.writing() as session:
        example = session.get_one(Example, made.id)
        operations.approve(session, people.reviewer, example, 1)
        changed = rows.pair("How deep do tree roots go?")
        examples.save_revision(session, people.annotator, example, based_on=1, messages=changed)
        examples.submit_example(session, people.annotator, example)
    page = browser(people.reviewer).get(f"{path}/{made.id}").text
    assert "<ins>tree </ins>" in page
    assert "Reopened by an edit" in page
    assert "<ins>" not in browser(people.reviewer).get(f"{path}/{made.id}?view=clean").text


def test_a_text_edited_while_it_was_read_is_not_approved(browser, database, people, path, made):
    with database.writing() as session:
        example = session.get_one(Example, made.id)
        examples.save_revision(session, people.annotator, example, based_on=1, messages=rows.pair("Changed"))
    answer = browser(people.reviewer).post(f"{path}/{made.id}", data=verdict())
    assert answer.status_code == 409
    assert "edited" in answer.text
    assert state(database, made) is ExampleState.REVIEW


def test_only_who_leads_approves_an_imported_set(browser, database, people, path):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        brought = rows.submitted(session, people.annotator, people.project, import_run_id=run.id)
    url, form = f"/projects/{people.project.slug}/review-imported", {"reason": "approved elsewhere"}
    assert browser(people.reviewer).post(url, data=form).status_code == 403
    assert "approved elsewhere" in browser(people.lead).get(path).text
    assert "Approve 1 imported example" not in browser(people.reviewer).get(path).text
    assert browser(people.lead).post(url, data={"reason": " "}).status_code == 422
    assert browser(people.lead).post(url, data=form).status_code == 303
    assert state(database, brought) is ExampleState.APPROVED


def test_two_rows_and_twenty_cost_the_same(browser, database, people, path):
    client, costs = browser(people.reviewer), []
    for more in (2, 18):
        with database.writing() as session:
            for number in range(more):
                rows.submitted(session, people.annotator, people.project, f"Prompt {more} {number}")
        with counting.queries(database) as seen:
            assert client.get(path).status_code == 200
        costs.append(len(seen))
    assert costs[0] == costs[1]
