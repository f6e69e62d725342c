"""The second person decides, once, and never on their own words."""

import threading

import pytest
from sqlalchemy import func, select

from app.accounts import operations as accounts
from app.accounts.models import AuditEntry
from app.errors import Denied
from app.examples import claims
from app.examples import operations as examples
from app.examples.models import Example, ExampleState
from app.reviews import operations, queries
from app.reviews.models import Review, ReviewVerdict
from app.sources.models import ImportState
from tests.examples import rows


def edit(session, person, example, words):
    saved = examples.save_revision(
        session, person, example, based_on=example.revision_number, messages=rows.pair(words)
    )
    claims.release(session, person, example)
    return saved


def test_a_reviewer_approves_what_somebody_else_wrote(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    review = operations.approve(session, people.reviewer, made, 1)
    assert (made.state, made.approved_number) == (ExampleState.APPROVED, 1)
    assert (review.verdict, review.reviewer_id) == (ReviewVerdict.APPROVED, people.reviewer.id)


def test_a54_a_repeated_approval_stays_one_approval(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    first = operations.approve(session, people.reviewer, made, 1)
    assert operations.approve(session, people.reviewer, made, 1).id == first.id
    assert operations.approve(session, people.lead, made, 1).id == first.id
    assert session.scalar(select(func.count()).where(AuditEntry.action == "approve example")) == 1


def test_a17_nobody_approves_their_own_words(session, people):
    made = rows.submitted(session, people.reviewer, people.project)
    for verdict in (operations.approve, operations.reject):
        with pytest.raises(operations.OwnWords):
            verdict(session, people.reviewer, made, 1)
    with pytest.raises(operations.OwnWords):
        operations.return_example(session, people.reviewer, made, 1, "Mine")
    assert made.state is ExampleState.REVIEW
    assert operations.OwnWords.status == 403


def test_a17_whoever_wrote_any_of_the_new_words_is_no_second_person(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    edit(session, people.reviewer, made, "Half mine")
    edit(session, people.annotator, made, "All of us")
    with pytest.raises(operations.OwnWords):
        operations.approve(session, people.reviewer, made, 3)
    assert operations.approve(session, people.lead, made, 3)


def test_words_from_before_the_last_approval_do_not_count_against_a_reviewer(session, people):
    made = rows.submitted(session, people.reviewer, people.project)
    operations.approve(session, people.lead, made, 1)
    edit(session, people.annotator, made, "New words")
    examples.submit_example(session, people.annotator, made)
    operations.approve(session, people.reviewer, made, 2)
    assert made.approved_number == 2


def test_the_local_operator_is_nobodys_second_person(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    with pytest.raises(operations.NoSecondPerson):
        operations.approve(session, accounts.local_operator(session), made, 1)


def test_a_return_needs_words_and_keeps_them(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    with pytest.raises(operations.WordsNeeded):
        operations.return_example(session, people.reviewer, made, 1, "  ")
    review = operations.return_example(session, people.reviewer, made, 1, "Say how deep.")
    assert (made.state, review.words) == (ExampleState.RETURNED, "Say how deep.")


def test_a_text_edited_meanwhile_is_not_approved(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    edit(session, people.annotator, made, "Typo mended")
    with pytest.raises(operations.AlreadyDecided, match="edited"):
        operations.approve(session, people.reviewer, made, 1)
    assert made.state is ExampleState.REVIEW


def test_the_second_of_two_different_verdicts_hears_who_was_first(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    operations.approve(session, people.reviewer, made, 1)
    with pytest.raises(operations.AlreadyDecided, match=people.reviewer.name):
        operations.reject(session, people.lead, made, 1)
    assert made.state is ExampleState.APPROVED


@pytest.mark.parametrize("second", [ReviewVerdict.APPROVED, ReviewVerdict.REJECTED])
def test_a53_two_reviewers_at_once_end_in_one_state_and_one_trail(database, people, second):
    with database.writing() as session:
        example_id = rows.submitted(session, people.annotator, people.project).id

    def decide(person, verdict):
        act = operations.approve if verdict is ReviewVerdict.APPROVED else operations.reject
        barrier.wait(timeout=60)
        try:
            with database.writing() as session:
                reviews.append(act(session, person, session.get_one(Example, example_id), 1).id)
        except operations.AlreadyDecided as refused:
            refusals.append(refused.message)

    barrier, reviews, refusals = threading.Barrier(2), [], []
    calls = [(people.reviewer, ReviewVerdict.APPROVED), (people.lead, second)]
    threads = [threading.Thread(target=decide, args=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(set(reviews)) == 1
    assert len(refusals) == (0 if second is ReviewVerdict.APPROVED else 1)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Review)) == 1
        verbs = ("approve example", "reject example")
        assert session.scalar(select(func.count()).where(AuditEntry.action.in_(verbs))) == 1


def test_a_verdict_can_be_taken_back_by_who_gave_it_until_something_else_happens(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    operations.approve(session, people.reviewer, made, 1)
    with pytest.raises(Denied):
        operations.withdraw_verdict(session, people.lead, made, 1)
    operations.withdraw_verdict(session, people.reviewer, made, 1)
    assert (made.state, made.approved_number) == (ExampleState.REVIEW, None)
    operations.return_example(session, people.reviewer, made, 1, "Shorter.")
    edit(session, people.annotator, made, "Shorter")
    with pytest.raises(operations.NothingToDecide):
        operations.withdraw_verdict(session, people.reviewer, made, 1)


def test_what_was_taken_back_waits_at_its_old_place(session, people):
    made, later = [rows.submitted(session, people.annotator, people.project) for _ in range(2)]
    operations.approve(session, people.reviewer, made, 1)
    operations.withdraw_verdict(session, people.reviewer, made, 1)
    waiting = session.scalars(queries.awaiting_review(people.project.id))
    assert [head.example_id for head in waiting] == [made.id, later.id]


def test_taking_a_second_approval_back_restores_the_first(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    operations.approve(session, people.reviewer, made, 1)
    operations.withdraw_verdict(session, people.reviewer, made, 1)
    operations.approve(session, people.reviewer, made, 1)
    edit(session, people.annotator, made, "Second")
    examples.submit_example(session, people.annotator, made)
    operations.approve(session, people.reviewer, made, 2)
    operations.withdraw_verdict(session, people.reviewer, made, 2)
    assert (made.state, made.approved_number) == (ExampleState.REVIEW, 1)


def test_an_imported_set_is_approved_by_an_admin_with_a_reason(session, people):
    run = rows.import_run(session, people.project)
    brought = [rows.submitted(session, people.lead, people.project, import_run_id=run.id) for _ in range(3)]
    own = rows.submitted(session, people.annotator, people.project)
    edit(session, people.annotator, brought[0], "Edited since")
    with pytest.raises(Denied):
        operations.approve_imported(session, people.reviewer, people.project, "elsewhere")
    with pytest.raises(operations.WordsNeeded):
        operations.approve_imported(session, people.lead, people.project, " ")
    assert operations.approve_imported(session, people.lead, people.project, "approved elsewhere") == 2
    assert operations.approve_imported(session, people.lead, people.project, "approved elsewhere") == 0
    assert [example.state.value for example in (*brought, own)] == ["review", "approved", "approved", "review"]
    verdicts = session.scalars(select(Review.verdict)).all()
    assert verdicts == [ReviewVerdict.IMPORTED] * 2


def test_the_local_operator_may_approve_an_imported_set(session, people):
    operator = accounts.local_operator(session)
    run = rows.import_run(session, people.project)
    candidate = rows.candidate(session, people.project, run)
    made = examples.example_from_candidate(session, operator, candidate)
    examples.submit_example(session, operator, made)
    assert operations.approve_imported(session, operator, people.project, "the bundled sample") == 1


def test_nothing_of_an_unpublished_import_is_approved(session, people):
    run = rows.import_run(session, people.project, ImportState.RUNNING)
    rows.submitted(session, people.lead, people.project, import_run_id=run.id)
    assert operations.approve_imported(session, people.lead, people.project, "early") == 0
