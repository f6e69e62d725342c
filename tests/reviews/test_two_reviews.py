"""Where a project asks for two second persons: both judge unseen, the stricter verdict counts, agreement is told."""

import threading

import pytest
from sqlalchemy import func, select

from app.accounts.models import AuditEntry, Role
from app.errors import Denied, Refusal
from app.examples import operations as examples
from app.examples.models import Example, ExampleState
from app.projects import operations as projects
from app.reviews import operations, queries
from app.reviews.agreement import agreement
from app.reviews.models import Review, ReviewVerdict
from tests import factories
from tests.examples import rows


@pytest.fixture
def third(session, people):
    person = factories.user(session)
    projects.add_member(session, people.lead, people.project, person, Role.REVIEWER)
    return person


@pytest.fixture
def made(session, people):
    project = session.get_one(type(people.project), people.project.id)
    operations.set_reviews_needed(session, people.lead, project, 2)
    return rows.submitted(session, people.annotator, project)


def test_an_approval_takes_two_different_second_persons(session, people, third, made):
    first = operations.approve(session, people.reviewer, made, 1)
    assert (made.state, made.approved_number, first.outcome) == (ExampleState.REVIEW, None, None)
    assert operations.approve(session, people.reviewer, made, 1).id == first.id
    assert made.state is ExampleState.REVIEW
    second = operations.approve(session, third, made, 1)
    assert (made.state, made.approved_number) == (ExampleState.APPROVED, 1)
    assert (second.second_to, second.outcome) == (first.id, ReviewVerdict.APPROVED)
    trail = session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("%example")).order_by(AuditEntry.id))
    assert trail.all()[-2:] == ["review example", "approve example"]


def test_both_have_to_have_read_the_same_revision(session, people, third, made):
    operations.approve(session, people.reviewer, made, 1)
    examples.save_revision(session, people.annotator, made, based_on=1, messages=rows.pair("Edited"))
    operations.approve(session, third, made, 2)
    assert made.state is ExampleState.REVIEW
    with pytest.raises(operations.AlreadyDecided, match="edited"):
        operations.approve(session, people.lead, made, 1)
    operations.approve(session, people.reviewer, made, 2)
    assert made.approved_number == 2


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        ("approve", "reject", ExampleState.REJECTED),
        ("return", "approve", ExampleState.RETURNED),
        ("return", "reject", ExampleState.REJECTED),
        ("approve", "approve", ExampleState.APPROVED),
    ],
)
def test_of_two_different_verdicts_the_stricter_one_counts(session, people, third, made, first, second, state):
    for person, what in ((people.reviewer, first), (third, second)):
        judge(session, person, made, what)
    assert made.state is state
    if "return" in (first, second):
        assert "Say how deep." in made.verdict_words


def judge(session, person, made, what, revision=1):
    if what == "approve":
        return operations.approve(session, person, made, revision)
    act = operations.return_example if what == "return" else operations.reject
    return act(session, person, made, revision, "Say how deep." if what == "return" else "")


def test_who_judged_does_not_judge_again_but_may_take_it_back(session, people, third, made):
    operations.approve(session, people.reviewer, made, 1)
    with pytest.raises(operations.NothingToDecide, match="You approved this just now"):
        operations.reject(session, people.reviewer, made, 1)
    with pytest.raises(Denied):
        operations.withdraw_verdict(session, third, made, 1)
    assert queries.judged_by(session, people.reviewer, [made.id]) == {made.id}
    operations.withdraw_verdict(session, people.reviewer, made, 1)
    assert queries.judged_by(session, people.reviewer, [made.id]) == set()
    operations.approve(session, third, made, 1)
    assert made.state is ExampleState.REVIEW
    operations.approve(session, people.reviewer, made, 1)
    assert made.state is ExampleState.APPROVED


def test_the_deciding_verdict_taken_back_leaves_the_first_one_waiting(session, people, third, made):
    operations.approve(session, people.reviewer, made, 1)
    operations.approve(session, third, made, 1)
    operations.withdraw_verdict(session, third, made, 1)
    assert (made.state, made.approved_number) == (ExampleState.REVIEW, None)
    operations.reject(session, people.lead, made, 1)
    assert made.state is ExampleState.REJECTED
    [(second, first)] = session.execute(queries.judged_twice(made.project_id)).all()
    assert (first.reviewer_id, second.reviewer_id) == (people.reviewer.id, people.lead.id)


@pytest.mark.parametrize("verdicts", [("approve", "approve"), ("approve", "reject")])
def test_a53_two_second_persons_at_once_decide_once(database, people, verdicts):
    with database.writing() as session:
        project = session.get_one(type(people.project), people.project.id)
        operations.set_reviews_needed(session, people.lead, project, 2)
        example_id = rows.submitted(session, people.annotator, project).id

    def decide(person, what):
        barrier.wait(timeout=60)
        with database.writing() as session:
            done.append(judge(session, person, session.get_one(Example, example_id), what).id)

    barrier, done = threading.Barrier(2), []
    calls = zip((people.reviewer, people.lead), verdicts, strict=True)
    threads = [threading.Thread(target=decide, args=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(set(done)) == 2
    with database.reading() as session:
        expected = ExampleState.APPROVED if verdicts[1] == "approve" else ExampleState.REJECTED
        assert session.get_one(Example, example_id).state is expected
        decided = select(func.count()).where(Review.outcome.is_not(None))
        assert session.scalar(decided) == 1


def two_needed(database, people):
    with database.writing() as session:
        project = session.get_one(type(people.project), people.project.id)
        operations.set_reviews_needed(session, people.lead, project, 2)
        return rows.submitted(session, people.annotator, project)


def test_a_first_verdict_that_was_taken_back_is_told_to_nobody(browser, api, database, people):
    example = two_needed(database, people)
    url = f"/api/v1/projects/{people.project.slug}/examples/{example.id}/reviews"
    said = {"verdict": "returned", "revision": 1, "words": "Say how deep."}
    reviewer = api(people.reviewer)
    assert reviewer.post(url, json=said).status_code == 201
    assert len(reviewer.get(url).json()["reviews"]) == 1
    assert reviewer.post(f"{url}/withdrawal?revision=1").status_code == 200
    for person in (people.reviewer, people.annotator, people.lead):
        assert api(person).get(url).json() == {"reviews": []}
        page = browser(person).get(f"/projects/{people.project.slug}/review/{example.id}").text
        assert "Say how deep." not in page


def test_the_trail_tells_nobody_the_words_of_a_verdict_that_waits_for_another(browser, api, database, people):
    example = two_needed(database, people)
    with database.writing() as session:
        operations.reject(session, people.reviewer, session.get_one(Example, example.id), 1, "Much too weak.")
    pages = [browser(people.lead).get(f"/projects/{people.project.slug}/trail"), browser(people.admin).get("/trail")]
    for answer in (*pages, api(people.admin).get("/api/v1/trail")):
        assert "review example" in answer.text
        assert "Much too weak." not in answer.text
    with database.writing() as session:
        operations.approve(session, people.lead, session.get_one(Example, example.id), 1)
    page = browser(people.annotator).get(f"/projects/{people.project.slug}/review/{example.id}").text
    assert "Much too weak." in page


def test_only_a_lead_says_how_many_and_only_one_or_two(session, people, made):
    project = session.get_one(type(people.project), people.project.id)
    with pytest.raises(Denied):
        operations.set_reviews_needed(session, people.reviewer, project, 1)
    with pytest.raises(Refusal):
        operations.set_reviews_needed(session, people.lead, project, 3)
    operations.set_reviews_needed(session, people.lead, project, 1)
    operations.approve(session, people.reviewer, made, 1)
    assert made.state is ExampleState.APPROVED


def test_agreement_by_hand():
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: p0 = 35/50, pe = 0.5 * 0.6 + 0.5 * 0.4 = 0.5, kappa = 0.2 / 0.5.
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    found = agreement(pairs)
    assert (found.texts, found.agreed, found.percent) == (50, 35, 70)
    assert found.kappa == pytest.approx(0.4)


@pytest.mark.parametrize(("pairs", "percent"), [([], None), ([("y", "y")] * 3, 100)])
def test_where_there_is_nothing_to_agree_on_kappa_says_nothing(pairs, percent):
    assert (agreement(pairs).percent, agreement(pairs).kappa) == (percent, None)


def test_agreement_below_chance_is_negative():
    assert agreement([("y", "n"), ("n", "y")]).kappa == pytest.approx(-1)
