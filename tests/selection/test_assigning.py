"""Many candidates assigned to a colleague as one act: drafts in their inbox, or none at all; one undo for all."""

import json

import pytest
from sqlalchemy import func, select

from app.examples import operations as examples
from app.examples import skips
from app.examples.models import Example
from app.projects.models import Project, Split
from app.selection import operations
from app.selection.operations import Act
from app.sources.models import Candidate, CandidateStatus
from tests.examples import rows


@pytest.fixture
def three(database, people):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        return [rows.candidate(session, people.project, run, number, published=True).id for number in (1, 2, 3)]


def chosen(session, ids):
    return [session.get_one(Candidate, one) for one in ids]


def assign(database, people, ids, to, words="", person=None):
    with database.writing() as session:
        act = Act("assign", to=to, words=words)
        return operations.do_with_many(session, person or people.annotator, chosen(session, ids), act)


def handed(database):
    with database.reading() as session:
        rows_ = session.execute(
            select(Example.candidate_id, Example.handed_to, Example.handed_by, Example.handed_words)
        )
        return {row.candidate_id: tuple(row)[1:] for row in rows_}


def statuses(database, ids):
    with database.reading() as session:
        return {session.get_one(Candidate, one).status for one in ids}


def test_they_become_drafts_in_a_colleague_s_inbox(database, people, three, browser):
    done = assign(database, people, three, people.colleague.email, "You know wood.")
    assert (done.count, done.in_words) == (3, f"Handed to {people.colleague.name}")
    whose = (people.colleague.id, people.annotator.id, "You know wood.")
    assert handed(database) == dict.fromkeys(three, whose)
    assert statuses(database, three) == {CandidateStatus.USED}
    inbox = browser(people.colleague).get(f"/projects/{people.project.slug}/inbox").text
    assert "Handed to you" in inbox


def test_one_undo_makes_them_candidates_again_but_for_what_was_worked_on(database, people, three):
    with database.writing() as session:
        operations.keep_candidate(session, people.annotator, session.get_one(Candidate, three[0]))
    assign(database, people, three, people.colleague.id)
    with database.writing() as session:
        begun = session.scalar(select(Example).where(Example.candidate_id == three[2]))
        examples.save_revision(
            session, people.colleague, begun, based_on=1, messages=rows.pair("Mine now", "An answer of mine")
        )
    with database.writing() as session:
        undone = operations.undo_last(session, people.annotator, people.project)
    assert set(undone.candidates) == set(three[:2])
    assert undone.stayed == (three[2],)
    with database.reading() as session:
        assert session.get_one(Candidate, three[0]).status is CandidateStatus.KEPT
        assert session.get_one(Candidate, three[1]).status is CandidateStatus.OPEN
    assert set(handed(database)) == {three[2]}


def test_what_is_used_by_now_stays_with_whom_it_is(database, people, three):
    with database.writing() as session:
        operations.use_candidate(session, people.annotator, session.get_one(Candidate, three[0]))
    assert assign(database, people, three, people.colleague.id).count == 2
    assert handed(database)[three[0]][0] is None


def test_nobody_else_gets_any_and_nothing_is_half_done(database, people, three, api, browser):
    for whom in (people.stranger.id, people.stranger.email, "nobody@example.org", None):
        with pytest.raises(skips.NotAMember):
            assign(database, people, three, whom)
    with pytest.raises(skips.AlreadyYours):
        assign(database, people, three, people.annotator.id)
    with database.writing() as session:
        session.get_one(Project, people.project.id).tests_hidden = True
        session.get_one(Candidate, three[2]).split = Split.TEST
    with pytest.raises(skips.ReadsNoTests):
        assign(database, people, three, people.colleague.id, person=people.lead)
    with database.reading() as session:
        assert session.scalar(select(func.count(Example.id))) == 0
    assert statuses(database, three) == {CandidateStatus.OPEN}
    url = f"/api/v1/projects/{people.project.slug}/candidates/selected"
    refused = api(people.annotator).post(url, json={"ids": three[:2], "act": "assign"})
    assert refused.status_code == 404
    page = f"/projects/{people.project.slug}/pool/map/selected"
    data = {"ids": three[:2], "act": "assign", "person": people.stranger.id}
    assert browser(people.annotator).post(page, data=data).status_code == 404
    assert statuses(database, three) == {CandidateStatus.OPEN}


def test_the_map_the_api_and_the_command_assign_the_same_way(database, people, three, api, browser, handpicked):
    client, path = browser(people.annotator), f"/projects/{people.project.slug}/pool/map"
    data = {"ids": three[:1], "act": "assign", "person": people.colleague.id}
    answer = client.post(f"{path}/selected?region=1", data=data)
    assert answer.headers["location"] == f"{path}?region=1"
    page = client.get(path).text
    assert f"Handed to {people.colleague.name}: 1 candidate." in page
    assert f"{path}/undoing?region=1" in page
    url = f"/api/v1/projects/{people.project.slug}/candidates/selected"
    body = {"ids": three[1:2], "act": "assign", "to": people.reviewer.email, "words": "Please"}
    assert api(people.annotator).post(url, json=body).json() == {"act": "assign", "changed": 1}
    done = handpicked("pool", "assign", people.project.slug, three[2], "--to", people.lead.email, "--json")
    assert json.loads(done.stdout) == {"assigned": 1, "to": people.lead.email}
    whom = (people.colleague.id, people.reviewer.id, people.lead.id)
    assert [handed(database)[one][0] for one in three] == list(whom)
    client.post(f"{path}/undoing")
    assert three[0] in handed(database), "the newest act of this person, over the API, was undone and not that before"
    assert three[1] not in handed(database)
