"""What a prompt is near to: equal, alike in wording, alike in meaning; leaks first; nothing told of what is hidden."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from sqlalchemy import event, select

from app.duplicates import encoding, jobs, operations, scanning, shelf
from app.duplicates.dismissing import dismiss
from app.duplicates.lexical import alike, guessed, runs, signature
from app.duplicates.means import means_of
from app.duplicates.models import DuplicatePair, ExampleText, Method, On, Verdict
from app.duplicates.nearness import CLOSE, WORDING, Draft, NotNear, near_one, nearness, saved_draft
from app.duplicates.operations import DecidedOtherwise, LeakNeedsReason, TestKeptOut
from app.embeddings import operations as embeddings
from app.embeddings.encoder import EncoderMissing
from app.errors import Refusal
from app.examples import linking
from app.examples.models import Example, ExampleState
from app.projects.limits import keep_from_tests
from app.projects.models import Project, Split
from app.projects.queries import role_in
from app.worker import Worker
from tests import factories
from tests.duplicates.desks import GIT, KETTLE, KETTLE_MEANT, SCALE, asking, encode, rewrite, write
from tests.duplicates.rooms import pairs, scan


@pytest.fixture(autouse=True)
def light(monkeypatch):
    """A scan of a few texts waits for no torch either: the light encoder's vectors are the same (tests/embeddings)."""
    monkeypatch.setattr(scanning, "encoder_for", lambda name: embeddings.light_encoder_within(60.0, name))


@pytest.fixture
def near(database, settings, people):
    """`near(prompt)`: what it is near to, as that person sees it."""

    def ask(prompt, split="train", example_id=None, *, dismissed=None, person=None):
        with database.reading() as session:
            if person is not None:
                project = session.get_one(Project, people.project.id)
                keep_from_tests(session, project, person, role_in(session, project, person))
            draft = Draft(prompt, split, example_id, dismissed or {})
            return nearness(session, asking(database, settings), people.project.id, draft)

    return ask


def told(found):
    return [(one.example_id, one.method.value, one.leak, one.counts) for one in found.near]


def test_equal_alike_and_meant_prompts_are_named_by_the_strongest_way(database, settings, people, near):
    equal, worded, meant = (write(database, people, text) for text in (KETTLE, f"{KETTLE} Please?", KETTLE_MEANT))
    write(database, people, GIT)
    encode(database, settings)
    found = near(KETTLE.upper().replace(" ", "  "))
    assert (found.near[0].example_id, found.near[0].method) == (equal, Method.EXACT)
    assert {one.example_id for one in found.near} == {equal, worded, meant}
    assert all(one.counts and not one.leak for one in found.near)
    assert found.near[0].score == 1
    assert found.near[1].score >= found.near[2].score
    assert not found.under_way
    assert told(near("What is a fair split of the rent in a shared flat?")) == []


def test_a_few_letters_are_no_prompt_yet(database, settings, people, near):
    write(database, people, "How do")
    encode(database, settings)
    assert told(near("How do ")) == []
    assert told(near("")) == []


def test_a_translation_of_what_is_held_out_is_a_leak_whatever_its_words(database, settings, people, near):
    first = write(database, people, KETTLE)
    second = write(database, people, "Wie geht das?", split=Split.TEST)
    third = write(database, people, "怎么办？", split=Split.DEV)
    with database.writing() as session:
        for number, language in ((second, "de"), (third, "zh")):
            made = session.get_one(Example, number)
            made.language = language
            linking.link(session, people.annotator, made, session.get_one(Example, first))
    encode(database, settings)
    leak = "translation", True, True
    assert told(near(KETTLE, example_id=first)) == [(second, *leak), (third, *leak)]
    assert told(near("怎么办？", "dev", third)) == [(first, *leak)]
    assert told(near("怎么办？", "train", third)) == [(second, *leak)]
    with database.writing() as session:
        draft = saved_draft(session, session.get_one(Example, first))
        found = near_one(session, asking(database, settings), people.project.id, draft, second)
        dismiss(
            session, people.annotator, people.project, session.get_one(Example, first), found, "Measured on purpose."
        )
    assert told(near(KETTLE, example_id=first)) == [(third, *leak)]


def test_what_is_not_encoded_yet_is_compared_by_its_words(database, settings, people, near):
    number = write(database, people, KETTLE)
    assert told(near(KETTLE)) == [(number, "exact", False, True)]
    assert told(near(f"{KETTLE} Thanks")) == [(number, "lexical", False, True)]
    assert told(near(KETTLE_MEANT)) == []
    encode(database, settings)
    assert told(near(KETTLE_MEANT)) == [(number, "embedding", False, True)]


def test_a_save_takes_the_place_of_the_words_before(database, settings, people, near):
    number = write(database, people, KETTLE)
    encode(database, settings)
    assert told(near(KETTLE))
    rewrite(database, people, number, GIT)
    assert told(near(KETTLE)) == []
    encode(database, settings)
    assert told(near(KETTLE)) == []
    assert told(near(GIT)) == [(number, "exact", False, True)]
    with database.reading() as session:
        assert len(session.scalars(select(ExampleText)).all()) == 1


def test_the_other_split_makes_it_a_leak_that_comes_first(database, settings, people, near):
    copy = write(database, people, KETTLE)
    test = write(database, people, KETTLE_MEANT, "", split=Split.TEST)
    encode(database, settings)
    assert told(near(KETTLE)) == [(test, "embedding", True, True), (copy, "exact", False, True)]
    # A held-out prompt beside a held-out one is a copy; the training prompt is the leak.
    assert told(near(KETTLE, "dev")) == [(copy, "exact", True, True), (test, "embedding", False, True)]


def test_a_held_out_prompt_is_named_a_little_before_it_counts(database, settings, people, near):
    with database.writing() as session:
        operations.start_scan(
            session, people.annotator, people.project, methods=[Method.EMBEDDING], on=On.PROMPT, threshold=0.99
        )
    train, test = write(database, people, KETTLE_MEANT), write(database, people, KETTLE_MEANT, "", split=Split.TEST)
    encode(database, settings)
    found = near(KETTLE)
    assert found.threshold == 0.99
    assert told(found) == [(test, "embedding", True, False)]
    assert 0.99 - CLOSE <= found.near[0].score < 0.99
    assert told(near(KETTLE_MEANT))[0][0] == test
    assert train


def test_the_threshold_is_that_of_the_last_look_at_prompts(database, settings, people, near):
    write(database, people, SCALE)
    encode(database, settings)
    assert told(near(KETTLE)) == []
    scan(database, settings, people, on=On.RESPONSE, threshold=0.95)
    assert near(KETTLE).threshold == operations.THRESHOLD
    scan(database, settings, people, on=On.PROMPT, threshold=0.55)
    assert near(KETTLE).threshold == 0.55
    assert len(near(KETTLE).near) == 1


def test_what_belongs_together_or_is_out_is_left_alone(database, settings, people, near):
    mine = write(database, people, KETTLE)
    answer, rejected, translated = (write(database, people, KETTLE) for _ in range(3))
    with database.writing() as session:
        session.get_one(Example, answer).beside_id = mine
        session.get_one(Example, translated).translation_of_id = mine
        session.get_one(Example, rejected).state = ExampleState.REJECTED
    encode(database, settings)
    assert told(near(KETTLE, example_id=mine)) == []
    assert told(near(KETTLE, example_id=answer)) == []
    assert {one for one, *_ in told(near(KETTLE))} == {mine, answer, translated}


def test_a_translation_that_is_held_out_is_a_leak_all_the_same(database, settings, people, near):
    mine, held = write(database, people, KETTLE), write(database, people, KETTLE, split=Split.TEST)
    with database.writing() as session:
        session.get_one(Example, held).translation_of_id = mine
    encode(database, settings)
    assert [(one.example_id, one.leak) for one in near(KETTLE, example_id=mine).near] == [(held, True)]


def test_of_a_hidden_test_prompt_nothing_is_told_but_that_it_is_there(database, settings, people, near):
    test = write(database, people, KETTLE, "", split=Split.TEST, author=people.lead)
    encode(database, settings)
    with database.writing() as session:
        session.get_one(Project, people.project.id).tests_hidden = True
    seen = near(KETTLE, person=people.lead).near
    assert [(one.example_id, one.kept_out) for one in seen] == [(test, False)]
    hidden = near(KETTLE, person=people.annotator).near
    assert [(one.leak, one.counts, one.kept_out) for one in hidden] == [(True, True, True)]
    # What is only close is not told: whoever may not read it could feel their way to its words.
    assert near(SCALE, person=people.annotator).near == []


def test_a_dismissal_is_remembered_and_found_by_the_next_scan(database, settings, people, near):
    mine, other = write(database, people, KETTLE_MEANT), write(database, people, KETTLE)
    encode(database, settings)
    with database.writing() as session:
        example = session.get_one(Example, mine)
        one = near_one(session, asking(database, settings), people.project.id, saved_draft(session, example), other)
        dismiss(session, people.annotator, people.project, example, one)
    assert told(near(KETTLE_MEANT, example_id=mine)) == []
    assert told(near(KETTLE, example_id=other)) == []
    assert len(near(KETTLE_MEANT).near) == 2
    scan(database, settings, people)
    (pair,) = pairs(database, people)
    assert (pair.verdict, pair.decided_by, pair.scan_id is None) == (Verdict.KEEP_BOTH, people.annotator.id, False)
    with database.writing() as session:
        operations.undo(session, people.annotator, people.project, session.get_one(DuplicatePair, pair.id))
    assert told(near(KETTLE_MEANT, example_id=mine)) == [(other, "embedding", False, True)]


def test_a_leak_is_dismissed_only_for_a_reason_and_asked_again_when_it_becomes_one(database, settings, people, near):
    mine, other = write(database, people, KETTLE_MEANT), write(database, people, KETTLE)
    encode(database, settings)

    def settle(reason=""):
        with database.writing() as session:
            example = session.get_one(Example, mine)
            one = near_one(session, asking(database, settings), people.project.id, saved_draft(session, example), other)
            return dismiss(session, people.annotator, people.project, example, one, reason).id

    first = settle()
    with database.writing() as session:
        session.get_one(Example, other).split = Split.TEST
    assert told(near(KETTLE_MEANT, example_id=mine)) == [(other, "embedding", True, True)]
    with pytest.raises(LeakNeedsReason):
        settle()
    assert settle("They ask for different things.") == first
    assert told(near(KETTLE_MEANT, example_id=mine)) == []
    with pytest.raises(NotNear):
        settle("again")


def test_what_was_settled_otherwise_stands(database, settings, people):
    mine, other = write(database, people, KETTLE_MEANT), write(database, people, KETTLE)
    encode(database, settings)
    with database.writing() as session:
        example = session.get_one(Example, mine)
        one = near_one(session, asking(database, settings), people.project.id, saved_draft(session, example), other)
    scan(database, settings, people)
    with database.writing() as session:
        pair = session.scalars(select(DuplicatePair)).one()
        operations.decide(session, people.annotator, people.project, pair, Verdict.KEEP_LEFT)
    with database.writing() as session, pytest.raises(DecidedOtherwise):
        dismiss(session, people.annotator, people.project, session.get_one(Example, mine), one)


def test_a_hidden_test_prompt_is_not_dismissed_by_whoever_may_not_read_it(database, settings, people):
    mine = write(database, people, KETTLE)
    test = write(database, people, KETTLE, "", split=Split.TEST, author=people.lead)
    with database.writing() as session:
        session.get_one(Project, people.project.id).tests_hidden = True
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        keep_from_tests(session, project, people.annotator, people.annotator.role)
        example = session.get_one(Example, mine)
        one = near_one(session, asking(database, settings), project.id, saved_draft(session, example), test)
        with pytest.raises(TestKeptOut):
            dismiss(session, people.annotator, project, example, one, "No.")


def test_without_a_model_words_are_compared_and_the_page_is_told_why(database, settings, people, near, monkeypatch):
    number = write(database, people, KETTLE)
    encode(database, settings)

    def missing(*_):
        raise EncoderMissing(name="mine", reason="no such folder")

    monkeypatch.setattr("app.duplicates.means.light_encoder_within", missing)
    found = near(KETTLE)
    assert told(found) == [(number, "exact", False, True)]
    assert "no such folder" in found.reason
    monkeypatch.setattr("app.duplicates.means.light_encoder_within", lambda *_: None)
    assert near(KETTLE).under_way


def test_what_is_gone_is_forgotten_and_a_shelf_of_spent_rows_is_filled_anew(
    database, settings, people, near, monkeypatch
):
    gone, stays = write(database, people, KETTLE), write(database, people, KETTLE_MEANT)
    encode(database, settings)
    assert len(near(KETTLE).near) == 2
    with database.writing() as session:
        session.delete(session.get_one(Example, gone))
    assert [one.example_id for one in near(KETTLE).near] == [stays]
    monkeypatch.setattr(shelf, "MOST_SPENT", -1)
    for text in (GIT, KETTLE):
        rewrite(database, people, stays, text)
        encode(database, settings)
        assert told(near(text)) == [(stays, "exact", False, True)]
    with database.reading() as session:
        kept = means_of(session, asking(database, settings), people.project.id).shelf
    assert kept.known == {stays}
    assert kept.spent == 0


def test_only_so_many_projects_are_kept_in_memory(database, settings, people, near, monkeypatch):
    monkeypatch.setattr(shelf, "SHELVES", 1)
    number = write(database, people, KETTLE)
    encode(database, settings)
    with database.writing() as session:
        other = factories.project(session, people.lead).id
    for _ in range(2):
        assert told(near(KETTLE)) == [(number, "exact", False, True)]
        with database.reading() as session:
            assert nearness(session, asking(database, settings), other, Draft(KETTLE)).near == []
        assert len(shelf._shelves) == 1


def test_the_same_number_of_queries_for_two_and_for_twenty(database, settings, people, near):
    counts = []

    def counted(*_):
        counts[-1] += 1

    for more in (2, 18):
        for number in range(more):
            write(database, people, f"{KETTLE} {number} {more}")
        encode(database, settings)
        near(KETTLE)  # the shelf follows once
        counts.append(0)
        event.listen(database.engine, "before_cursor_execute", counted)
        assert near(KETTLE).near
        event.remove(database.engine, "before_cursor_execute", counted)
    assert counts[0] == counts[1]


def test_a_worker_encodes_what_is_new_between_two_jobs(database, settings, people):
    write(database, people, KETTLE)
    worker = Worker(settings, database)
    worker.look(worker._taken[0])
    with database.reading() as session:
        assert encoding.count_stale(session, people.project.id) == (0, 1)
    asked = jobs._seen[database.url]
    worker._looks_at = 0.0
    worker.look(worker._taken[0])
    assert jobs._seen[database.url] == asked
    number = write(database, people, GIT)
    worker._looks_at = 0.0
    worker.look(worker._taken[0])
    with database.writing() as session:
        assert encoding.count_stale(session, people.project.id) == (0, 2)
        session.delete(session.get_one(Example, number))
    with database.reading() as session:
        assert len(session.scalars(select(ExampleText)).all()) == 1


def test_a_model_that_is_missing_stops_no_worker(database, settings, people, monkeypatch, caplog):
    write(database, people, KETTLE)

    def missing(*_):
        raise EncoderMissing(name="mine", reason="no such folder")

    monkeypatch.setattr(encoding, "light_encoder_within", missing)
    worker = Worker(settings, database)
    worker.look(worker._taken[0])
    assert "no such folder" in caplog.text


def test_many_are_encoded_by_the_full_encoder_and_each_once(database, settings, people, monkeypatch):
    monkeypatch.setattr(encoding, "MANY", 3)
    monkeypatch.setattr(encoding, "EXAMPLES_AT_ONCE", 2)
    loaded = []

    def full(name):
        loaded.append(name)
        return embeddings.light_encoder_within(30.0, name)

    monkeypatch.setattr(encoding, "encoder_for", full)
    for number in range(4):
        write(database, people, f"{KETTLE} {number}")
    assert not encoding.bring_up_to_date(database, settings, seconds=0)
    with database.reading() as session:
        assert encoding.count_stale(session, people.project.id) == (2, 4)
    encode(database, settings)
    encode(database, settings)
    assert loaded == [""]
    with database.reading() as session:
        assert encoding.count_stale(session, people.project.id) == (0, 4)


@limits(max_examples=40)
@given(st.text(max_size=80), st.text(max_size=80))
def test_the_wording_is_symmetric_and_a_guess_of_equal_ones_is_certain(left, right):
    one, other = runs(left), runs(right)
    assert alike(one, other) == alike(other, one)
    assert 0 <= alike(one, other) <= 1
    if one and one == other:
        assert alike(one, other) == 1
        assert guessed(signature(right)[np.newaxis], signature(left))[0] == 1
    if not one:
        assert not signature(left).any()
        assert guessed(signature(right)[np.newaxis], signature(left))[0] == 0


def test_a_guess_of_the_wording_is_near_the_measure():
    words = [f"{number} bottles of tea" for number in range(15)]
    for kept in range(4, 15):
        left, right = " ".join(words), " ".join(words[:kept])
        measured, guess = alike(runs(left), runs(right)), guessed(signature(right)[np.newaxis], signature(left))[0]
        assert abs(measured - guess) < 0.2
    assert alike(runs(" ".join(words)), runs(" ".join([*words[:-1], "sixteen"]))) > WORDING
    assert issubclass(NotNear, Refusal)
