"""What to add next: by what is short and what is not covered, always the same; accepted, put off, undone."""

import pytest
from sqlalchemy import func, select

from app.accounts.models import AuditEntry
from app.examples import operations as examples
from app.examples.models import Example, ExampleState
from app.projects.limits import Archived
from app.projects.queries import composition_of
from app.selection import operations
from app.selection.adding import deciding
from app.selection.adding.advising import Asking, ask
from app.selection.adding.deciding import AGAIN_AFTER, JudgedMeanwhile, NothingToUndo
from app.selection.adding.models import NextDecision, NextVerdict
from app.selection.adding.reasons import Facts, cosine_words, reason
from app.selection.adding.suggesting import By, Wish
from app.sources.models import Candidate, CandidateStatus
from tests.examples import rows
from tests.selection.encoded import BREAD, DOGS, FERRIES, TIDES, encode, pool

OTHER, STEM = "stackexchange_other", "stackexchange_stem"
ABOUT = [FERRIES] * 8 + [DOGS] * 6 + [BREAD] * 4 + [TIDES] * 2


@pytest.fixture
def asking(database, settings):
    return Asking(database, settings, patience=60)


@pytest.fixture
def twenty(database, settings, people):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        return pool(session, settings, people.project, run, ABOUT)


def asked(database, asking, people, **more):
    with database.reading() as session:
        return ask(session, asking, people.project, Wish(**more))


def about(answer):
    """What each suggestion is about, by its place in the pool."""
    return [ABOUT[int(one.external_id) - 1] for one in answer.candidates]


def test_the_first_four_are_of_the_four_regions_the_largest_first(database, asking, people, twenty):
    answer = asked(database, asking, people)
    assert about(answer)[:4] == [FERRIES, DOGS, BREAD, TIDES]
    assert len(answer.candidates) == 10
    assert answer.advice.eligible == 20
    assert answer.advice.more


def test_what_the_set_has_is_not_suggested_first(database, asking, people, twenty):
    with database.writing() as session:
        for candidate in (twenty[0], twenty[8]):
            operations.use_candidate(session, people.annotator, session.get_one(Candidate, candidate.id))
    answer = asked(database, asking, people)
    assert about(answer)[:2] == [BREAD, TIDES]
    first = answer.advice.suggestions[0]
    assert first.facts.nearest < 0.3
    assert (first.facts.alike, first.facts.bare) == (3, 3)
    assert "200 short" not in first.reason
    assert "is 198 short; nothing in the set is near it, nor near 3 candidates like it." in first.reason


def test_a_rejected_example_covers_nothing(database, asking, people, twenty):
    with database.writing() as session:
        made = operations.use_candidate(session, people.annotator, session.get_one(Candidate, twenty[0].id))
        made.state = ExampleState.REJECTED
    assert about(asked(database, asking, people))[0] == FERRIES
    with database.writing() as session:
        session.get_one(Example, made.id).state = ExampleState.DRAFT
    assert about(asked(database, asking, people))[0] == DOGS


def test_the_same_state_suggests_the_same_in_any_order_and_past_any_number(database, asking, people, twenty):
    first, again = (asked(database, asking, people) for _ in range(2))
    assert [one.id for one in first.candidates] == [one.id for one in again.candidates]
    rest = asked(database, asking, people, skip=10)
    longer = asked(database, asking, people, count=20)
    assert [one.id for one in first.candidates + rest.candidates] == [one.id for one in longer.candidates]
    assert not rest.advice.more
    for by in (By.LONGEST, By.CHANCE):
        orders = {tuple(one.id for one in asked(database, asking, people, by=by, count=20).candidates) for _ in "ab"}
        assert len(orders) == 1
        assert set(*orders) == {one.id for one in twenty}


def test_a_source_that_is_short_comes_before_one_that_is_not(database, settings, asking, people, twenty):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        pool(session, settings, people.project, run, [DOGS] * 3, source="nobody_asked_for", first=50)
    answer = asked(database, asking, people, count=30)
    assert {one.source for one in answer.candidates} == {OTHER}
    assert len(answer.candidates) == 20
    assert not answer.advice.widened


def test_where_nothing_that_is_short_is_in_the_pool_any_source_may(database, settings, asking, people):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        pool(session, settings, people.project, run, [DOGS] * 3, source="nobody_asked_for")
    answer = asked(database, asking, people)
    assert answer.advice.widened
    assert len(answer.candidates) == 3
    assert "short" not in answer.advice.suggestions[0].reason


def test_a_quota_is_not_overfilled(database, settings, asking, people, twenty):
    """Of a source that lacks two no third is suggested while another lacks more."""
    with database.writing() as session:
        for row in session.scalars(composition_of(people.project)):
            row.target = {OTHER: 2, STEM: 50}.get(row.source, 0)
        run = rows.import_run(session, people.project)
        pool(session, settings, people.project, run, [DOGS, BREAD, TIDES, FERRIES] * 3, source=STEM, first=50)
    answer = asked(database, asking, people)
    assert sum(one.source == OTHER for one in answer.candidates) == 2


def test_better_scores_and_kept_ones_are_preferred(database, asking, people, twenty):
    with database.writing() as session:
        for one in twenty[:8]:
            session.get_one(Candidate, one.id).score = 1
        session.get_one(Candidate, twenty[5].id).score = 900
    assert asked(database, asking, people).candidates[0].id == twenty[5].id
    with database.writing() as session:
        operations.keep_candidate(session, people.annotator, session.get_one(Candidate, twenty[2].id))
    assert asked(database, asking, people).candidates[0].id == twenty[2].id


def test_test_prompts_and_what_is_judged_are_not_suggested(database, settings, asking, people, twenty):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        pool(session, settings, people.project, run, [DOGS] * 2, first=70, split="test")
        operations.reject_candidate(session, people.annotator, session.get_one(Candidate, twenty[0].id))
    answer = asked(database, asking, people, count=50)
    assert {one.id for one in answer.candidates} == {one.id for one in twenty[1:]}
    assert answer.encoded == answer.total == 22


def test_thin_regions_are_named_and_counted(database, asking, people, twenty):
    with database.writing() as session:
        operations.use_candidate(session, people.annotator, session.get_one(Candidate, twenty[0].id))
    thin = asked(database, asking, people).thin
    assert [(one.candidates, one.examples, one.bare) for one in thin] == [(6, 0, 6), (4, 0, 4)]
    assert "grieving" in thin[0].name.lower()
    assert "rye" in thin[1].name.lower()
    assert thin[0].bare_share == 100


def test_accepting_is_the_pool_s_own_act_and_covers_at_once(database, asking, people, twenty):
    first = asked(database, asking, people).candidates[0]
    with database.writing() as session:
        candidate = session.get_one(Candidate, first.id)
        made = deciding.accept(session, people.annotator, people.project, candidate)
        assert candidate.status is CandidateStatus.USED
        assert made.candidate_id == first.id
    answer = asked(database, asking, people)
    assert first.id not in [one.id for one in answer.candidates]
    assert about(answer)[0] == DOGS
    with database.writing() as session:
        candidate = session.get_one(Candidate, first.id)
        assert deciding.take_back(session, people.annotator, people.project, candidate) is NextVerdict.ACCEPTED
    assert asked(database, asking, people).candidates[0].id == first.id


def test_never_rejects_with_a_reason_and_is_undone(database, people, twenty):
    with database.writing() as session:
        candidate = session.get_one(Candidate, twenty[0].id)
        deciding.never(session, people.annotator, people.project, candidate)
        assert (candidate.status, candidate.status_reason) == (CandidateStatus.REJECTED, "not for this set")
        deciding.never(session, people.annotator, people.project, candidate, "dull")
        assert candidate.status_reason == "dull"
        (done,) = deciding.decided_by(session, people.project.id, people.annotator, 3)
        assert (done.candidate.id, done.verdict) == (candidate.id, NextVerdict.NEVER)
        assert deciding.decided_by(session, people.project.id, people.reviewer, 3) == []
        deciding.take_back(session, people.annotator, people.project, candidate)
        assert candidate.status is CandidateStatus.OPEN
        with pytest.raises(NothingToUndo):
            deciding.take_back(session, people.annotator, people.project, candidate)


def test_what_is_put_off_comes_back_when_the_set_has_grown(database, asking, people, twenty):
    first = asked(database, asking, people).candidates[0]
    with database.writing() as session:
        deciding.put_off(session, people.annotator, people.project, session.get_one(Candidate, first.id))
    answer = asked(database, asking, people, count=30)
    assert first.id not in [one.id for one in answer.candidates]
    assert answer.advice.put_off == 1
    with database.writing() as session:
        for number in range(AGAIN_AFTER):
            examples.create_example(
                session, people.annotator, people.project, split="train", source="authors",
                messages=rows.pair(f"Prompt {number}", "Answer"),
            )  # fmt: skip
    answer = asked(database, asking, people, count=30)
    assert first.id in [one.id for one in answer.candidates]
    assert answer.advice.put_off == 0


def test_what_is_put_off_is_brought_back_by_undo_and_a_second_word_replaces_the_first(database, people, twenty):
    with database.writing() as session:
        candidate = session.get_one(Candidate, twenty[0].id)
        deciding.put_off(session, people.annotator, people.project, candidate)
        deciding.put_off(session, people.reviewer, people.project, candidate)
        assert session.scalar(select(func.count(NextDecision.id))) == 1
        assert deciding.take_back(session, people.annotator, people.project, candidate) is NextVerdict.LATER
        assert session.scalar(select(func.count(NextDecision.id))) == 0
        kinds = set(session.scalars(select(AuditEntry.action)))
        assert {"put off candidate", "bring back candidate"} <= kinds


def test_what_somebody_judged_in_the_pool_is_not_put_off_and_its_undo_there_ends_what_was_said(
    database, people, twenty
):
    with database.writing() as session:
        candidate = session.get_one(Candidate, twenty[0].id)
        deciding.never(session, people.annotator, people.project, candidate)
        with pytest.raises(JudgedMeanwhile):
            deciding.put_off(session, people.annotator, people.project, candidate)
        operations.restore_candidate(session, people.annotator, candidate)
        assert deciding.decided_by(session, people.project.id, people.annotator, 3) == []
        with pytest.raises(NothingToUndo):
            deciding.take_back(session, people.annotator, people.project, candidate)


def test_an_archived_project_takes_no_word(database, people, twenty):
    with database.writing() as session:
        people.project.archived_at = func.now()
        session.merge(people.project)
        session.flush()
        candidate = session.get_one(Candidate, twenty[0].id)
        for act in (deciding.accept, deciding.never, deciding.put_off):
            with pytest.raises(Archived):
                act(session, people.annotator, people.project, candidate)


def test_without_vectors_it_says_how_far_the_pool_is(database, settings, asking, people):
    assert asked(database, asking, people).advice is None
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        made = [rows.candidate(session, people.project, run, number, published=True) for number in (1, 2)]
    answer = asked(database, asking, people)
    assert (answer.encoded, answer.total, answer.advice, answer.under_way) == (0, 2, None, False)
    with database.writing() as session:
        encode(session, settings, people.project, [session.get_one(Candidate, made[0].id)], [DOGS])
    answer = asked(database, asking, people)
    assert (answer.encoded, answer.total, len(answer.candidates)) == (1, 2, 1)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (Facts("wikiHow", 48, 0.41, 0.5, 37, 37),
         "WikiHow is 48 short; nothing in the set is near it, nor near 37 candidates like it."),
        (Facts("wikiHow", 0, 0.41, 0.5, 9, 0), "Nothing in the set is near it."),
        (Facts("wikiHow", 0, 0.41, 0.5, 0, 0), "Nothing in the set is near it, and nothing in the pool either."),
        (Facts("STEM", 1, 0.7, 0.5, 9, 2),
         "STEM is 1 short; the set has its like, but not that of 2 of the 9 candidates near it."),
        (Facts("STEM", 0, 0.7, 0.5, 9, 0), "The set has its like already, and little is left that has not."),
        (Facts("STEM", 3, None, 0.5, 1, 1),
         "STEM is 3 short; the set is empty yet, and 1 candidate in the pool is like it."),
        (Facts("STEM", 0, None, 0.5, 0, 0, 2),
         "The set is empty yet, and nothing in the pool is like it; like number 2 above."),
        (Facts("STEM", 7, 0.1, 0.5, 3, 0, asked="Anna asked for more about “joints”", region="Woodwork"),
         "Anna asked for more about “joints”; STEM is 7 short; nothing in the set is near it; in Woodwork on the map."),
    ],
)  # fmt: skip
def test_reasons_say_what_is_so(facts, words):
    assert reason(facts) == words


def test_cosines_are_said_in_two_places():
    assert [cosine_words(one) for one in (0.412, 1.0, -0.2, 0.999)] == [".41", "1", ".00", "1"]
