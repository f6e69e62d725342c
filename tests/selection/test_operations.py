"""Candidates are rejected, restored and used; everything can be undone."""

import pytest

from app.accounts.models import AuditEntry
from app.errors import Gone, NotFound
from app.examples import operations as examples
from app.examples import queries as example_queries
from app.selection import operations, queries
from app.selection.queries import Order, PoolFilter
from app.sources.models import CandidateStatus, ImportState
from tests.examples import rows


@pytest.fixture
def run(session, people):
    return rows.import_run(session, people.project)


def titles(session, people, **wanted):
    return [c.title for c in session.scalars(queries.searched(session, people.project.id, PoolFilter(**wanted)))]


def test_a_rejected_candidate_keeps_its_reason_and_can_be_restored(session, people, run):
    candidate = rows.candidate(session, people.project, run)
    operations.reject_candidate(session, people.annotator, candidate, " out of\ndate ")
    assert (candidate.status, candidate.status_reason) == (CandidateStatus.REJECTED, "out of date")
    operations.restore_candidate(session, people.colleague, candidate)
    assert (candidate.status, candidate.status_reason) == (CandidateStatus.OPEN, None)


def test_a_used_candidate_is_not_rejected(session, people, run):
    candidate = rows.candidate(session, people.project, run)
    operations.use_candidate(session, people.annotator, candidate)
    with pytest.raises(operations.AlreadyUsed):
        operations.reject_candidate(session, people.annotator, candidate, "dull")


def test_using_is_undone_while_nobody_has_worked_on_the_example(session, people, run):
    candidate = rows.candidate(session, people.project, run)
    example = operations.use_candidate(session, people.annotator, candidate)
    operations.restore_candidate(session, people.annotator, candidate)
    assert candidate.status is CandidateStatus.OPEN
    with pytest.raises((NotFound, Gone)):
        example_queries.example_in(session, people.project.id, example.id)
    again = operations.use_candidate(session, people.annotator, candidate)
    examples.submit_example(session, people.annotator, again)
    with pytest.raises(examples.WorkedOn):
        operations.restore_candidate(session, people.annotator, candidate)


def test_a_rejected_candidate_can_still_be_used(session, people, run):
    candidate = rows.candidate(session, people.project, run)
    operations.reject_candidate(session, people.annotator, candidate)
    operations.use_candidate(session, people.annotator, candidate)
    assert (candidate.status, candidate.status_reason) == (CandidateStatus.USED, None)


def test_a_kept_candidate_stays_kept_through_what_is_undone_and_opens_when_it_is_put_back(session, people, run):
    one = rows.candidate(session, people.project, run)
    operations.keep_candidate(session, people.annotator, one)
    operations.keep_candidate(session, people.colleague, one)
    assert (one.status, one.kept_by) == (CandidateStatus.KEPT, people.annotator.id)
    operations.reject_candidate(session, people.annotator, one, "dull")
    assert one.status is CandidateStatus.REJECTED
    operations.restore_candidate(session, people.colleague, one)
    assert (one.status, one.status_reason) == (CandidateStatus.KEPT, None)
    operations.use_candidate(session, people.annotator, one)
    operations.restore_candidate(session, people.annotator, one)
    assert (one.status, one.kept_by) == (CandidateStatus.KEPT, people.annotator.id)
    operations.restore_candidate(session, people.annotator, one)
    assert (one.status, one.kept_by) == (CandidateStatus.OPEN, None)
    done = [entry.action for entry in session.query(AuditEntry).order_by(AuditEntry.id)]
    assert done.count("keep candidate") == 1


def test_undo_takes_back_each_step_of_a_kept_candidate(session, people, run):
    one = rows.candidate(session, people.project, run)
    operations.reject_candidate(session, people.annotator, one, "dull")
    operations.keep_candidate(session, people.annotator, one)
    operations.use_candidate(session, people.annotator, one)
    seen = []
    while operations.undo_last(session, people.annotator, people.project):
        seen.append((one.status.value, one.status_reason, one.kept_by))
    assert seen == [("kept", None, people.annotator.id), ("rejected", "dull", None), ("open", None, None)]


def test_many_are_kept_as_one_act_but_those_that_are_used(session, people, run):
    many = [rows.candidate(session, people.project, run, number) for number in (1, 2, 3)]
    operations.use_candidate(session, people.colleague, many[0])
    with pytest.raises(operations.AlreadyUsed):
        operations.keep_candidate(session, people.annotator, many[0])
    assert operations.keep_candidates(session, people.annotator, many) == 2
    assert titles(session, people, status=CandidateStatus.KEPT) == ["Question 3?", "Question 2?"]
    assert operations.keep_candidates(session, people.annotator, many) == 0
    undone = operations.undo_last(session, people.annotator, people.project)
    assert (set(undone.candidates), undone.stayed) == ({many[1].id, many[2].id}, ())
    assert [one.status.value for one in many] == ["used", "open", "open"]


def test_many_are_used_and_submitted_at_once(session, people, run):
    many = [rows.candidate(session, people.project, run, number) for number in (1, 2, 3)]
    made = operations.use_candidates(session, people.annotator, many, submit=True)
    assert [example.state.value for example in made] == ["review"] * 3


def test_only_published_imports_show_in_the_pool(session, people):
    hidden = rows.import_run(session, people.project, ImportState.RUNNING)
    candidate = rows.candidate(session, people.project, hidden)
    assert titles(session, people) == []
    with pytest.raises(NotFound):
        queries.candidate_in(session, people.project.id, candidate.id)


def test_filters_narrow_and_orders_sort(session, people, run):
    rows.candidate(session, people.project, run, 1, title="Butter without a fridge?", source="a", licence="CC0")
    rows.candidate(session, people.project, run, 2, title="Cheese in a rucksack?", source="b", site="other.example.org")
    assert titles(session, people) == ["Cheese in a rucksack?", "Butter without a fridge?"]
    assert titles(session, people, order=Order.TITLE) == ["Butter without a fridge?", "Cheese in a rucksack?"]
    assert titles(session, people, source="a") == ["Butter without a fridge?"]
    assert titles(session, people, site="other.example.org") == ["Cheese in a rucksack?"]
    assert titles(session, people, licence="CC0") == ["Butter without a fridge?"]
    assert titles(session, people, status=CandidateStatus.REJECTED) == []
    assert titles(session, people, words="RUCKSACK cheese") == ["Cheese in a rucksack?"]
    assert titles(session, people, least_score=12) == ["Cheese in a rucksack?"]
    assert titles(session, people, least_score=13) == []


@pytest.mark.parametrize("words", ["%", "_", '"', "*", "NEAR(", "AND", "' OR 1=1 --", "\\", "/"])
def test_a62_signs_of_a_search_language_are_words_like_any_other(session, people, run, words):
    rows.candidate(session, people.project, run, 1, title="plain")
    rows.candidate(session, people.project, run, 2, title=f"with {words} in it")
    assert titles(session, people, words=words) == [f"with {words} in it"]


def test_counts_say_what_was_made_of_the_pool(session, people, run):
    first, _ = (rows.candidate(session, people.project, run, number) for number in (1, 2))
    operations.reject_candidate(session, people.annotator, first)
    assert queries.status_counts(session, people.project.id) == {
        CandidateStatus.OPEN: 1, CandidateStatus.KEPT: 0, CandidateStatus.REJECTED: 1, CandidateStatus.USED: 0,
    }  # fmt: skip
