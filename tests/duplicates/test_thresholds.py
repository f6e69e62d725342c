"""Thresholds are read from what one look counted and from what people judged."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.accounts.models import AuditEntry
from app.duplicates import operations, queries
from app.duplicates.calibrating import Judged, read, share_words, wilson
from app.duplicates.judging import NothingToJudge, judge
from app.duplicates.links import Link, linked
from app.duplicates.models import DuplicatePair, Method, On, Verdict
from app.duplicates.operations import DecidedOtherwise, LeakNeedsReason
from app.duplicates.standing import A_STRATUM, BINS, bin_of
from app.duplicates.texts import Text
from app.duplicates.thresholds import readings_of
from app.projects.models import Split
from tests.duplicates.rooms import (
    GIT,
    KETTLE,
    KETTLE_AGAIN,
    SITE,
    candidate,
    example,
    import_run,
    known_pair,
    pairs,
    scan,
)

NEAR = "How can I undo my last commit in Git and not lose any changes to my files?"
WAYS = [Method.EXACT, Method.LEXICAL, Method.EMBEDDING]


def key(name: str) -> str:
    return f"candidate:{SITE}/{name}"


@pytest.fixture
def looked(database, settings, people):
    """A pair by meaning at the usual threshold, and one that only a lower one would find."""
    with database.writing() as session:
        run = import_run(session, people)
        run.result = {"known_duplicates": [[70, 60], [70, 999]]}
        candidate(session, run, "1", KETTLE, thread="60")
        candidate(session, run, "2", KETTLE_AGAIN, thread="70")
        candidate(session, run, "3", GIT)
        candidate(session, run, "4", NEAR)
        candidate(session, run, "5", "How do I undo the latest commit but keep the changes?", split=Split.TEST)
    return scan(database, settings, people, methods=WAYS)


def readings(database, people, method=Method.EMBEDDING, at=None):
    with database.reading() as session:
        return readings_of(session, people.project.id, method, at)


def test_one_look_tells_what_lower_thresholds_find(database, settings, people, looked):
    found = readings(database, people)
    by = {one.at: one.pairs for one in found.readings}
    assert (found.used, found.floor) == (90, 70)
    [ready] = [one for one in found.ready if set(one[:2]) == {key("3"), key("4")}]
    assert 0.7 <= ready[2] < 0.9
    for at, count in by.items():
        done = scan(database, settings, people, methods=[Method.EMBEDDING], threshold=at / 100)
        tests = sum(
            pair.score >= at / 100 and "/5" in pair.left_key + pair.right_key for pair in pairs(database, people)
        )
        assert done.result["pairs"]["embedding"] - tests == count
    assert "standing" in done.result


def test_a_look_by_wording_is_counted_as_well_and_no_test_prompt_is(database, people, looked):
    found = readings(database, people, Method.LEXICAL)
    assert found.used == 60
    told = {text for left, right, _ in found.ready for text in (left, right)}
    assert key("5") not in told
    # 3 and 5 share nearly all their words, and are not counted: 5 is a test prompt.
    assert any(pair.leak and key("5") in (pair.left_key, pair.right_key) for pair in pairs(database, people))
    assert sum(found.counts) == sum(1 for _ in found.ready)


def test_known_copies_are_measured_once_both_are_there(database, people, looked):
    assert readings(database, people).links == 1
    assert [one.links.share for one in readings(database, people).readings if one.at == 90] == [1.0]


def test_different_keeps_both_and_the_same_waits_in_the_inbox(database, people, looked):
    with database.writing() as session:
        pair = judge(session, people.annotator, people.project, key("4"), key("3"), On.PROMPT, same=True)
    assert (pair.verdict, pair.judged, pair.leak) == (Verdict.OPEN, True, False)
    with database.writing() as session:
        other = judge(session, people.annotator, people.project, key("1"), key("2"), On.PROMPT, same=False)
        trail = session.scalars(select(AuditEntry.action).where(AuditEntry.subject.like("pair:%")))
        assert list(trail) == ["judge pair", "judge pair"]
    assert other.verdict is Verdict.KEEP_BOTH
    found = readings(database, people)
    assert (found.judged, found.same) == (2, 1)
    with database.writing() as session, pytest.raises(DecidedOtherwise):
        judge(session, people.annotator, people.project, key("1"), key("2"), On.PROMPT, same=True)


def test_a_judgement_is_remembered_by_the_next_look_and_undone_without_a_trace(database, settings, people, looked):
    before = {pair.id for pair in pairs(database, people)}
    with database.writing() as session:
        pair = judge(session, people.annotator, people.project, key("3"), key("4"), On.PROMPT, same=False)
    scan(database, settings, people, methods=WAYS)
    found = readings(database, people)
    assert (found.judged, key("4") in {text for one in found.ready for text in one[:2]}) == (1, False)
    with database.writing() as session:
        operations.undo(session, people.annotator, people.project, session.get_one(DuplicatePair, pair.id))
    assert {pair.id for pair in pairs(database, people)} == before
    assert readings(database, people).judged == 0


def test_what_is_asked_again_because_it_leaks_now_is_no_judgement(database, people, looked):
    with database.writing() as session:
        pair = judge(session, people.annotator, people.project, key("1"), key("2"), On.PROMPT, same=False)
        pair.verdict = Verdict.OPEN  # as leaks.tell_leaks and the next look leave it
    assert readings(database, people).judged == 0


def test_only_what_a_look_named_can_be_judged(database, people, looked):
    with database.writing() as session:
        for left, right in (("1", "3"), ("3", "999")):
            with pytest.raises(NothingToJudge):
                judge(session, people.annotator, people.project, key(left), key(right), On.PROMPT, same=True)


def test_both_of_a_leak_are_no_matter_of_judging(database, people):
    with database.writing() as session:
        one, other = example(session, people, KETTLE), example(session, people, KETTLE_AGAIN, "", Split.DEV)
        left, right = f"example:{one.id}", f"example:{other.id}"
        known_pair(session, people, left, right, leak=True)
        with pytest.raises(LeakNeedsReason):
            judge(session, people.annotator, people.project, left, right, On.PROMPT, same=False)


def test_what_was_settled_along_with_others_is_no_judgement(database, people, looked):
    with database.writing() as session:
        known_pair(session, people, key("2"), key("3"), score=0.91)
        pair = session.scalars(queries.pairs_of(people.project.id).where(DuplicatePair.left_key == key("1"))).one()
        operations.decide(session, people.annotator, people.project, pair, Verdict.KEEP_LEFT)
    assert readings(database, people).judged == 1


def test_without_a_look_there_is_nothing_to_read(database, people):
    assert readings(database, people).readings == ()


def test_wilson_is_what_textbooks_print():
    # Newcombe 1998, table I, method 3 (score, no continuity correction): 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for found, of, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        share = wilson(found / of, of)
        assert (share.low, share.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert wilson(0.5, 0) is None


@given(st.floats(0, 1), st.floats(0.1, 1e6))
def test_an_interval_holds_its_share(share, count):
    found = wilson(share, count)
    assert 0 <= found.low <= share + 1e-9
    assert share - 1e-9 <= found.high <= 1


def test_judged_pairs_stand_for_what_was_counted_around_them():
    counts = [0] * BINS
    counts[95], counts[80] = 10, 90
    judged = [Judged(0.95, True), Judged(0.955, True), Judged(0.80, True), Judged(0.805, False), Judged(0.807, False)]
    reading = read(80, counts, judged, [])
    # 10 pairs, all the same, beside 90 of which a third is.
    assert reading.pairs == 100
    assert reading.precision.share == pytest.approx((10 + 30) / 100)
    high = read(95, counts, judged, [0.99, 0.7])
    assert (high.pairs, high.precision.share) == (10, 1.0)
    assert high.recall.share == pytest.approx(10 / 40)
    assert high.links.share == 0.5


def test_equal_weights_are_plain_shares():
    counts = [1] * BINS
    judged = [Judged(at / 100 + 0.005, at % 3 > 0) for at in range(70, 100)]
    reading = read(70, counts, judged, [])
    same = sum(one.same for one in judged)
    assert share_words(reading.precision) == share_words(wilson(same / 30, 30))


def test_nothing_is_told_where_nothing_was_judged():
    reading = read(90, [0] * BINS, [Judged(0.8, False)], [])
    assert (reading.precision, reading.recall, reading.links) == (None, None, None)
    assert share_words(None) == ""


@given(st.floats(0, 1))
def test_a_score_falls_into_its_hundredth(score):
    assert math.isclose(bin_of(score), min(99, math.floor(score * 100 + 1e-6)))


def test_few_of_each_stratum_are_held_ready(database, settings, people):
    with database.writing() as session:
        run = import_run(session, people)
        for number in range(40):
            candidate(
                session, run, str(number), f"Explain the word number {number} of this list to a child of ten years."
            )
    scan(database, settings, people, methods=[Method.LEXICAL], wording=0.97)
    found = readings(database, people, Method.LEXICAL)
    strata: dict[int, int] = {}
    for _, _, score in found.ready:
        strata[bin_of(score) // 2] = strata.get(bin_of(score) // 2, 0) + 1
    assert sum(found.counts) > len(found.ready) > 0
    assert max(strata.values()) <= A_STRATUM


def test_links_are_found_by_their_threads_and_each_once():
    texts = [
        Text("candidate:s/1", "a", "", "train", ("s", "10")), Text("candidate:s/2", "a", "", "train", ("s", "10")),
        Text("candidate:s/3", "b", "", "train", ("s", "20")), Text("candidate:s/4", "c", "", "test", ("s", "30")),
    ]  # fmt: skip
    links = [Link("s", "20", "10"), Link("s", "10", "20"), Link("s", "30", "10"), Link("t", "20", "10")]
    assert linked(texts, links) == [(0, 2)]
