"""Scans with the real encoder: which texts, which pairs, and what the next scan makes of them."""

import json
import mmap
import resource

import pytest
from sqlalchemy import event, func, select, update

from app import handlers
from app.db import Database
from app.duplicates import operations, queries
from app.duplicates.models import DuplicatePair, DuplicateScan, Method, On, Verdict
from app.duplicates.scanning import PAIRS_A_STEP
from app.embeddings import operations as embeddings
from app.embeddings.models import Embedding
from app.examples import describing
from app.examples import operations as examples
from app.jobs.models import Job, JobState
from app.jobs.running import run_now
from app.projects.models import Split
from app.sample import SITE as SAMPLE_SITE
from app.sample import dump_folder, expected_file
from app.sources import operations as sources
from app.sources.models import Candidate, CandidateStatus, ImportState
from app.sources.operations import ImportPlan
from app.sources.rulesets import ruleset_from
from tests.duplicates.rooms import (
    ANSWER,
    GIT,
    KETTLE,
    KETTLE_AGAIN,
    OTHER_ANSWER,
    candidate,
    example,
    import_run,
    keys,
    pairs,
    scan,
)

assert handlers.ROOMS
LARGE = 300 << 20


@pytest.fixture
def run(database, people):
    with database.writing() as session:
        return import_run(session, people)


def test_equal_and_near_prompts_are_found_and_others_are_not(database, settings, people, run):
    with database.writing() as session:
        candidate(session, run, "5", KETTLE)
        candidate(session, run, "128", KETTLE_AGAIN, OTHER_ANSWER)
        candidate(session, run, "29", GIT)
        candidate(session, run, "97", GIT.upper(), OTHER_ANSWER)
        candidate(session, run, "40", "What is a fair split of the rent?")
    done = scan(database, settings, people)
    assert keys(database, people) == [("29", "97"), ("5", "128")]
    assert [pair.method for pair in pairs(database, people)] == [Method.EXACT, Method.EMBEDDING]
    assert done.result["pairs"] == {"exact": 1, "lexical": 0, "embedding": 1}
    assert done.result["texts"] == 5
    assert done.result["clusters"] == 2
    assert done.result["leaks"] == 0
    assert set(done.result["seconds"]) == {"encode", "match"}
    assert done.result["peak_rss_mb"] > 0
    assert done.finished_at is not None


def test_pairs_are_written_and_dropped_in_parts(database, settings, people, run):
    """Whoever saves meanwhile waits for one part of it, see JobContext.in_turns."""
    with database.writing() as session:
        copies = [candidate(session, run, str(number), GIT) for number in range(3 * PAIRS_A_STEP)]
    parts = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def listen(connection, cursor, statement, parameters, *_):
        if statement.startswith(("INSERT INTO duplicate_pair", "DELETE FROM duplicate_pair")):
            parts.append((statement[:6], len(parameters)))

    scan(database, settings, people, methods=[Method.EXACT])
    assert len(pairs(database, people)) == 3 * PAIRS_A_STEP - 1
    assert {verb for verb, _ in parts} == {"INSERT"}
    with database.writing() as session:
        for copy in copies[1:]:
            session.get_one(Candidate, copy.id).status = CandidateStatus.REJECTED
    scan(database, settings, people, methods=[Method.EXACT])
    assert pairs(database, people) == []
    assert {verb for verb, _ in parts} == {"INSERT", "DELETE"}
    # A part's ids, with the scan's and the verdict.
    assert max(size for _, size in parts) <= PAIRS_A_STEP + 5


def test_the_peak_of_a_scan_is_its_own(database, settings, people, run):
    with mmap.mmap(-1, LARGE) as pages:
        for at in range(0, LARGE, mmap.PAGESIZE):
            pages[at] = 1
        earlier = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    done = scan(database, settings, people, methods=[Method.EXACT])
    if done.result.get("peak_of_process"):
        pytest.skip("this system does not tell the peak of a piece of work")
    assert 1 < done.result["peak_rss_mb"] < earlier - 200


def test_many_copies_are_a_star(database, settings, people, run):
    with database.writing() as session:
        for number in range(1, 6):
            candidate(session, run, str(number), KETTLE)
    done = scan(database, settings, people, methods=[Method.EXACT])
    assert keys(database, people) == [("1", "2"), ("1", "3"), ("1", "4"), ("1", "5")]
    assert done.result["clusters"] == 1


def test_the_exact_method_alone_loads_no_model(database, settings, people, run, monkeypatch):
    monkeypatch.setattr(embeddings, "load_encoder", lambda _name: pytest.fail("a model was loaded"))
    embeddings.encoder_for.cache_clear()
    with database.writing() as session:
        candidate(session, run, "1", KETTLE)
        candidate(session, run, "2", KETTLE)
    scan(database, settings, people, methods=[Method.EXACT])
    assert keys(database, people) == [("1", "2")]


def test_the_embedding_method_alone_finds_copies_too(database, settings, people, run):
    with database.writing() as session:
        candidate(session, run, "1", KETTLE)
        candidate(session, run, "2", KETTLE)
    done = scan(database, settings, people, methods=[Method.EMBEDDING])
    assert [(pair.method, pair.score) for pair in pairs(database, people)] == [(Method.EMBEDDING, 1.0)]
    assert done.result["pairs"] == {"exact": 0, "lexical": 0, "embedding": 1}


def test_answers_to_one_question_are_no_duplicates_by_prompt(database, settings, people, run):
    with database.writing() as session:
        candidate(session, run, "1", KETTLE, ANSWER, thread="77")
        candidate(session, run, "2", KETTLE, ANSWER, thread="77")
        candidate(session, run, "3", KETTLE, OTHER_ANSWER, thread="78")
    scan(database, settings, people)
    assert keys(database, people) == [("1", "3"), ("2", "3")]
    scan(database, settings, people, on=On.RESPONSE)
    assert ("1", "2") in keys(database, people)


def test_an_example_keeps_the_question_of_its_candidate(database, settings, people, run):
    with database.writing() as session:
        examples.example_from_candidate(session, people.annotator, candidate(session, run, "1", KETTLE, thread="77"))
        candidate(session, run, "2", KETTLE, thread="77")
    scan(database, settings, people)
    assert keys(database, people) == []


def test_a_candidate_and_its_example_are_no_pair(database, settings, people, run):
    with database.writing() as session:
        made = examples.example_from_candidate(session, people.annotator, candidate(session, run, "1", KETTLE))
        candidate(session, run, "2", KETTLE_AGAIN)
    done = scan(database, settings, people)
    assert keys(database, people) == [("2", f"example:{made.id}")]
    assert done.result["texts"] == 2


def test_what_is_rejected_or_not_published_is_left_out(database, settings, people, run):
    with database.writing() as session:
        candidate(session, run, "1", KETTLE)
        candidate(session, run, "2", KETTLE).status = CandidateStatus.REJECTED
        candidate(session, import_run(session, people, ImportState.RUNNING), "3", KETTLE)
    done = scan(database, settings, people)
    assert done.result["texts"] == 1
    assert keys(database, people) == []


def test_train_beside_test_is_a_leak(database, settings, people):
    with database.writing() as session:
        train = example(session, people, KETTLE)
        test = example(session, people, KETTLE_AGAIN, "", Split.TEST)
        example(session, people, GIT, "", Split.DEV)
        example(session, people, GIT, "", Split.TEST)
    done = scan(database, settings, people)
    found = {(pair.left_key, pair.right_key): pair.leak for pair in pairs(database, people)}
    assert found[f"example:{train.id}", f"example:{test.id}"]
    assert sorted(found.values()) == [False, True]
    assert done.result["leaks"] == 1


def test_no_leak_hides_behind_a_copy(database, settings, people, run):
    with database.writing() as session:
        candidate(session, run, "1", KETTLE)
        candidate(session, run, "2", KETTLE)
        candidate(session, run, "3", KETTLE, split=Split.TEST)
    scan(database, settings, people, methods=[Method.EXACT])
    assert {(pair, row.leak) for pair, row in zip(keys(database, people), pairs(database, people), strict=True)} == {
        (("1", "2"), False),
        (("1", "3"), True),
        (("2", "3"), True),
    }


def test_a_pair_is_near_by_the_mean_of_both_halves(database, settings, people, run):
    with database.writing() as session:
        candidate(session, run, "1", KETTLE, ANSWER)
        candidate(session, run, "2", KETTLE_AGAIN, ANSWER)
        candidate(session, run, "3", KETTLE, OTHER_ANSWER)
    scan(database, settings, people, on=On.PAIR)
    assert keys(database, people) == [("1", "2")]
    encoder = embeddings.encoder_for()
    prompts = encoder.encode([KETTLE, KETTLE_AGAIN])
    assert pairs(database, people)[0].score == pytest.approx((float(prompts[0] @ prompts[1]) + 1) / 2, abs=1e-5)


def test_a_scan_that_runs_again_from_the_start_adds_nothing(database, settings, people, run):
    with database.writing() as session:
        candidate(session, run, "1", KETTLE)
        candidate(session, run, "2", KETTLE_AGAIN)
        candidate(session, run, "3", GIT)
    done = scan(database, settings, people)
    before = [(pair.id, pair.score) for pair in pairs(database, people)]
    with database.writing() as session:
        # As a killed worker leaves it: under way, its lease run out.
        session.execute(update(Job).where(Job.id == done.job_id).values(state=JobState.QUEUED, finished_at=None))
    assert run_now(database, settings, done.job_id, "another") is JobState.SUCCEEDED
    assert [(pair.id, pair.score) for pair in pairs(database, people)] == before
    with database.reading() as session:
        assert session.scalar(select(func.count(Embedding.id))) == 3
        assert session.scalar(select(func.count(DuplicateScan.id))) == 1


def test_the_next_scan_remembers_decisions(database, settings, people, run):
    with database.writing() as session:
        candidate(session, run, "1", KETTLE)
        candidate(session, run, "2", KETTLE_AGAIN)
    scan(database, settings, people)
    with database.writing() as session:
        pair = session.scalars(queries.pairs_of(people.project.id)).one()
        operations.decide(session, people.annotator, people.project, pair, Verdict.KEEP_BOTH)
    done = scan(database, settings, people)
    [again] = pairs(database, people)
    assert (again.id, again.verdict, again.decided_by) == (pair.id, Verdict.KEEP_BOTH, people.annotator.id)
    assert again.scan_id == done.id


def test_keeping_both_holds_when_a_candidate_becomes_an_example(database, settings, people, run):
    with database.writing() as session:
        first = candidate(session, run, "1", KETTLE)
        candidate(session, run, "2", KETTLE_AGAIN)
    scan(database, settings, people)
    with database.writing() as session:
        pair = session.scalars(queries.pairs_of(people.project.id)).one()
        operations.decide(session, people.annotator, people.project, pair, Verdict.KEEP_BOTH)
        made = examples.example_from_candidate(session, people.annotator, session.get_one(Candidate, first.id))
    scan(database, settings, people)
    assert {(row.right_key, row.verdict) for row in pairs(database, people)} == {
        (pair.right_key, Verdict.KEEP_BOTH),
        (f"example:{made.id}", Verdict.KEEP_BOTH),
    }


def test_both_kept_are_asked_about_again_once_they_leak(database, settings, people):
    with database.writing() as session:
        one, other = example(session, people, KETTLE), example(session, people, KETTLE_AGAIN)
    scan(database, settings, people)
    with database.writing() as session:
        pair = session.scalars(queries.pairs_of(people.project.id)).one()
        operations.decide(session, people.annotator, people.project, pair, Verdict.KEEP_BOTH)
        describing.describe_example(
            session, people.annotator, session.get_one(type(one), other.id),
            split=Split.TEST, source="authors", language="en", flags=[],
        )  # fmt: skip
    scan(database, settings, people)
    assert [(row.verdict, row.leak) for row in pairs(database, people)] == [(Verdict.OPEN, True)]


@pytest.mark.parametrize(("why", "verdict"), [("Other kettles.", Verdict.KEEP_BOTH), ("", Verdict.OPEN)])
def test_a_leak_of_an_example_takes_over_only_a_reason(database, settings, people, run, why, verdict):
    with database.writing() as session:
        first = candidate(session, run, "1", KETTLE, split=Split.TEST if why else Split.TRAIN)
        candidate(session, run, "2", KETTLE_AGAIN)
    scan(database, settings, people)
    with database.writing() as session:
        pair = session.scalars(queries.pairs_of(people.project.id)).one()
        operations.decide(session, people.annotator, people.project, pair, Verdict.KEEP_BOTH, why)
        made = examples.example_from_candidate(session, people.annotator, session.get_one(Candidate, first.id))
        made.split = Split.TEST
    scan(database, settings, people)
    [taken_over] = [row for row in pairs(database, people) if row.right_key == f"example:{made.id}"]
    assert (taken_over.leak, taken_over.verdict, taken_over.kept_because) == (True, verdict, why)


def test_open_pairs_that_hold_no_more_go(database, settings, people, run):
    with database.writing() as session:
        first = candidate(session, run, "1", KETTLE)
        candidate(session, run, "2", KETTLE_AGAIN)
        gone = candidate(session, run, "3", GIT)
        candidate(session, run, "4", GIT)
    scan(database, settings, people)
    assert len(pairs(database, people)) == 2
    with database.writing() as session:
        session.get_one(Candidate, first.id).messages = [{"role": "user", "content": "Is tap water safe for plants?"}]
        session.get_one(Candidate, gone.id).status = CandidateStatus.REJECTED
    scan(database, settings, people)
    assert pairs(database, people) == []


def test_pairs_stay_that_a_scan_did_not_look_for(database, settings, people, run):
    with database.writing() as session:
        candidate(session, run, "1", KETTLE)
        candidate(session, run, "2", KETTLE_AGAIN)
    scan(database, settings, people)
    scan(database, settings, people, methods=[Method.EXACT])
    scan(database, settings, people, threshold=1.0)
    scan(database, settings, people, on=On.RESPONSE)
    assert {row.on for row in pairs(database, people)} == {On.PROMPT, On.RESPONSE}


def test_a_scan_of_nothing_ends_well(database, settings, people):
    assert scan(database, settings, people).result["texts"] == 0


def test_the_planted_duplicates_of_the_sample_are_found(database: Database, settings, people):
    with database.writing() as session:
        plan = ImportPlan(dump_folder(), "sample", "stackexchange", ruleset_from("lima"), site=SAMPLE_SITE)
        job_id = sources.start_import(session, people.annotator, people.project, plan).job_id
    assert run_now(database, settings, job_id, "test") is JobState.SUCCEEDED
    scan(database, settings, people, on=On.RESPONSE)
    planted = json.loads(expected_file().read_text())["dump"]["duplicates"]
    expected = {(pair["left"], pair["right"], "exact" if pair["kind"] == "exact" else "embedding") for pair in planted}

    def found(pair: DuplicatePair) -> tuple[int, int, str]:
        left, right = (int(key.rpartition("/")[2]) for key in (pair.left_key, pair.right_key))
        return left, right, pair.method.value

    assert {found(pair) for pair in pairs(database, people)} == expected
