"""Examples beside the prompts of benchmarks: found by all ways, compared again after changes, settled and undone."""

import time

import numpy as np
import pytest
from sqlalchemy import func, select

from app.accounts.models import AuditEntry
from app.duplicates.benchmarks import operations, queries
from app.duplicates.benchmarks.checking import compare_what_is_new
from app.duplicates.benchmarks.crossing import Asked, Listed, Meant, crossings, near_in_meaning, run_numbers
from app.duplicates.benchmarks.jobs import _seen, compare_after_a_save
from app.duplicates.benchmarks.models import BenchmarkCheck, BenchmarkMatch, BenchmarkPrompt, MatchVerdict
from app.duplicates.lexical import LENGTH, alike, runs
from app.duplicates.matching import pairs_at_least
from app.duplicates.models import Method
from app.embeddings.models import Embedding
from app.errors import Refusal
from app.examples.models import Example, ExampleState
from app.jobs.models import JobState
from app.jobs.running import run_now
from app.projects.models import Project, Split
from app.sources.models import Candidate
from tests.duplicates.desks import rewrite, write
from tests.duplicates.listing import ASKED, MEANT, OTHER, WORDED, brought, compare, match_of, name_list, near
from tests.duplicates.rooms import ANSWER, scan

THRESHOLDS = {Method.LEXICAL: 0.6, Method.EMBEDDING: 0.9}
WORDS = ("river", "stone", "market", "violin", "winter", "garden", "signal", "copper", "letter", "harbour", "candle")


def texts(count, seed=1):
    drawn = np.random.default_rng(seed)
    return [" ".join(drawn.choice(WORDS, size=drawn.integers(1, 9))) for _ in range(count)]


def test_a_run_has_its_number_and_a_short_text_one_of_its_own():
    for text in ("", "  ", "ab", "abcde", "abcdef abcdef", "Straße „x“ — 🍜🍜🍜🍜🍜🍜", "ab\u00adcde"):
        assert len(run_numbers(text)) == len(runs(text, LENGTH)), text
    assert not set(run_numbers("ab").tolist()) & set(run_numbers("abcde").tolist())


@pytest.mark.parametrize("least", [0.3, 0.6, 0.9])
def test_every_pair_alike_in_wording_is_found_and_no_other(least):
    listed, ours = texts(200), texts(80, seed=2)
    ready = Listed(listed)
    for text in ours:
        by_hand = {
            place: alike(runs(text, LENGTH), runs(other, LENGTH))
            for place, other in enumerate(listed)
            if alike(runs(text, LENGTH), runs(other, LENGTH)) >= least
        }
        assert dict(ready.alike_to(text, least)) == by_hand


def test_every_pair_near_in_meaning_is_found_as_the_engine_finds_it():
    drawn = np.random.default_rng(3).normal(size=(300, 16)).astype(np.float32)
    rows = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    ours, theirs = rows[:100], rows[100:]
    whole = {
        (int(left), int(right) - 100): float(score)
        for left, right, score in pairs_at_least(rows, 0.7)
        if left < 100 <= right
    }
    assert whole
    assert {(one, other): score for one, other, score in near_in_meaning(Meant(ours, theirs), 0.7)} == whole


def test_a_pair_is_told_once_by_the_way_that_says_most():
    asked = [Asked(7, 1, ASKED), Asked(7, 3, ASKED.upper()), Asked(8, 1, WORDED), Asked(9, 1, OTHER)]
    found = crossings(asked, Listed([ASKED]), THRESHOLDS)
    assert [(one.left, one.turn, one.method) for one in found] == [(7, 1, Method.EXACT), (8, 1, Method.LEXICAL)]


def test_examples_of_train_and_dev_are_found_by_all_three_ways(database, settings, people):
    numbers = [write(database, people, text) for text in (ASKED.upper(), WORDED, OTHER)]
    meant = write(database, people, MEANT, split=Split.DEV)
    name_list(database, people, ASKED)
    assert compare(database, settings, people) == 4
    found = near(database, people)
    assert [(number, way) for number, _, way, _ in found] == [
        (numbers[0], "exact"), (numbers[1], "lexical"), (meant, "embedding"),
    ]  # fmt: skip
    assert all(0.6 <= score <= 1 for *_, score in found)


def test_a_later_prompt_of_a_dialogue_is_compared(database, settings, people):
    said = [
        {"role": "user", "content": OTHER}, {"role": "assistant", "content": ANSWER},
        {"role": "user", "content": ASKED}, {"role": "assistant", "content": ANSWER},
    ]  # fmt: skip
    number = write(database, people, OTHER)
    with database.writing() as session:
        from app.examples import operations as examples

        examples.save_revision(session, people.annotator, session.get_one(Example, number), based_on=1, messages=said)
    name_list(database, people, ASKED)
    compare(database, settings, people)
    with database.reading() as session:
        (match,) = session.scalars(select(BenchmarkMatch))
    assert (match.turn, match.method) == (2, Method.EXACT)


def test_what_changed_is_compared_again_and_nothing_else(database, settings, people):
    first, second = write(database, people, ASKED), write(database, people, OTHER)
    name_list(database, people, ASKED)
    assert compare(database, settings, people) == 2
    assert compare(database, settings, people) == 0
    rewrite(database, people, first, "How do I keep rice from sticking to the pot?")
    assert compare(database, settings, people) == 1
    assert near(database, people) == []
    rewrite(database, people, second, ASKED)
    assert compare(database, settings, people) == 1
    assert [number for number, *_ in near(database, people)] == [second]
    name_list(database, people, "How do I keep rice from sticking to the pot?", name="Kitchen")
    assert compare(database, settings, people) == 2
    assert [(number, name) for number, name, *_ in near(database, people)] == [(first, "Kitchen"), (second, "TinyEval")]


def test_no_listed_prompt_is_encoded_twice(database, settings, people, monkeypatch):
    from app.embeddings import operations as embeddings

    write(database, people, OTHER)
    name_list(database, people, ASKED, WORDED)
    compare(database, settings, people)
    with database.reading() as session:
        before = session.scalar(select(func.count(Embedding.id)))
    asked = []
    whole = embeddings._encode_missing

    def count(store, encoder, missing, total, progress):
        asked.extend(missing)
        whole(store, encoder, missing, total, progress)

    monkeypatch.setattr(embeddings, "_encode_missing", count)
    name_list(database, people, WORDED, "Why does bread rise?", name="More")
    compare(database, settings, people)
    assert len(asked) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count(Embedding.id))) == before + 1


def test_a_look_for_duplicates_compares_at_its_thresholds(database, settings, people):
    number = write(database, people, MEANT)
    name_list(database, people, ASKED)
    scan(database, settings, people, threshold=0.99, wording=0.99)
    assert near(database, people) == []
    scan(database, settings, people, threshold=0.8)
    assert [(found, way) for found, _, way, _ in near(database, people)] == [(number, "embedding")]


def test_a_worker_compares_after_a_save_by_itself(database, settings, people):
    _seen.clear()
    name_list(database, people, ASKED)
    number = write(database, people, ASKED)
    compare_after_a_save(database, settings)
    # The list's own job is waiting, and compares all.
    assert near(database, people) == []
    with database.reading() as session:
        job = operations.live_comparing(session, people.project.id).id
    assert run_now(database, settings, job, "test") is JobState.SUCCEEDED
    assert [found for found, *_ in near(database, people)] == [number]
    later = write(database, people, WORDED)
    compare_after_a_save(database, settings)
    assert [found for found, *_ in near(database, people)] == [number, later]


def test_without_a_model_words_are_compared_and_meaning_once_there_is_one(database, settings, people, monkeypatch):
    from app.duplicates.benchmarks import checking

    numbers = [write(database, people, ASKED), write(database, people, MEANT)]
    name_list(database, people, ASKED)

    def missing(_name):
        raise Refusal("There is no model.")

    with monkeypatch.context() as without:
        without.setattr(checking, "encoder_for", missing)
        assert compare(database, settings, people) == 2
    assert [found for found, *_ in near(database, people)] == numbers[:1]
    with database.reading() as session:
        assert queries.progress(session, people.project.id) == queries.Progress(2, 0, 2)
    from tests.duplicates.desks import encode

    encode(database, settings)
    assert compare(database, settings, people) == 2
    assert [found for found, *_ in near(database, people)] == numbers


def test_lists_that_changed_meanwhile_are_compared_again(database, settings, people, monkeypatch):
    from app.duplicates.benchmarks import checking

    write(database, people, ASKED)
    number = name_list(database, people, ASKED)
    whole = checking.crossings

    def removed_meanwhile(*asked):
        found = whole(*asked)
        with database.writing() as session:
            operations.remove_list(
                session, people.lead, people.project, session.scalar(queries.list_in(people.project.id, number))
            )
            operations.add_list(session, people.lead, people.project, brought(OTHER), name="Later")
        return found

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(checking, "crossings", removed_meanwhile)
        compare(database, settings, people)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(BenchmarkCheck)) == 0
    assert compare(database, settings, people) == 1
    assert near(database, people) == []


@pytest.fixture
def matched(database, settings, people):
    """An example that is the same as a listed prompt: its number and its match's."""
    number = write(database, people, ASKED, state=ExampleState.APPROVED)
    name_list(database, people, ASKED)
    compare(database, settings, people)
    return number, match_of(database, people, number)


def settle(database, people, match_id, verdict, reason=""):
    with database.writing() as session:
        chosen = session.scalar(queries.match_in(people.project.id, match_id))
        return operations.settle(session, people.lead, people.project, chosen, verdict, reason)


def state_of(database, number):
    with database.reading() as session:
        return session.get_one(Example, number).state


def test_an_example_is_rejected_and_put_back(database, people, matched):
    number, match_id = matched
    settle(database, people, match_id, MatchVerdict.REJECTED)
    assert state_of(database, number) is ExampleState.REJECTED
    with database.writing() as session:
        chosen = session.scalar(queries.match_in(people.project.id, match_id))
        assert operations.undo(session, people.lead, people.project, chosen).verdict is MatchVerdict.OPEN
    assert state_of(database, number) is ExampleState.APPROVED
    with database.reading() as session:
        acts = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"benchmark_match:{match_id}"))
        assert list(acts) == ["settle benchmark match", "undo benchmark decision"]


def test_what_may_stay_needs_a_reason_and_keeps_it_over_the_next_comparison(database, settings, people, matched):
    number, match_id = matched
    with pytest.raises(operations.StaysForAReason):
        settle(database, people, match_id, MatchVerdict.STAYS, "  ")
    settle(database, people, match_id, MatchVerdict.STAYS, "Everybody  asks\nthis.")
    with pytest.raises(operations.AlreadySettled):
        settle(database, people, match_id, MatchVerdict.REJECTED)
    name_list(database, people, OTHER, name="More")
    assert compare(database, settings, people) == 1
    with database.reading() as session:
        kept = session.get_one(BenchmarkMatch, match_id)
        assert (kept.verdict, kept.reason) == (MatchVerdict.STAYS, "Everybody asks this.")
    rewrite(database, people, number, ASKED + " Quickly!")
    compare(database, settings, people)
    with database.reading() as session:
        again = session.get_one(BenchmarkMatch, match_id)
        assert (again.verdict, again.reason, again.decided_by) == (MatchVerdict.OPEN, "", None)


def test_a_list_goes_with_all_that_was_near_to_it_and_the_trail_keeps_its_hash(database, settings, people, matched):
    with database.writing() as session:
        found = queries.list_named(session, people.project.id, "TinyEval")
        sha256 = found.sha256
        operations.remove_list(session, people.lead, people.project, found)
    with database.reading() as session:
        for table in (BenchmarkPrompt, BenchmarkMatch):
            assert session.scalar(select(func.count(table.id))) == 0
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "remove benchmark list"))
        assert (entry.detail["name"], entry.detail["sha256"]) == ("TinyEval", sha256)


@pytest.mark.parametrize(
    ("about", "refusal"),
    [
        ({"name": "tinyeval"}, operations.ListNameTaken),
        ({"name": "Other"}, operations.SameFile),
        ({"name": "[x](http://evil.example)"}, operations.BadListName),
        ({"name": " "}, operations.BadListName),
        ({"name": "Fresh", "url": "javascript:alert(1)"}, operations.BadListUrl),
        ({"name": "Fresh", "licence": "x" * 201}, operations.BadListLicence),
    ],
)
def test_a_list_that_does_not_fit_is_refused_and_nothing_is_kept(database, people, about, refusal):
    name_list(database, people, ASKED)
    with pytest.raises(refusal), database.writing() as session:
        operations.add_list(session, people.lead, people.project, brought(ASKED), **about)
    with database.reading() as session:
        assert session.scalar(select(func.count(BenchmarkPrompt.id))) == 1


def test_its_prompts_are_neither_candidates_nor_examples(database, people):
    name_list(database, people, ASKED, OTHER)
    with database.reading() as session:
        assert session.scalar(select(func.count(Candidate.id))) == 0
        assert session.scalar(select(func.count(Example.id))) == 0


def test_whom_a_project_keeps_from_its_tests_no_statement_shows_a_listed_prompt(database, people):
    from app.projects.limits import keep_from_tests

    name_list(database, people, ASKED)
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        project.tests_hidden = True
        session.flush()
        keep_from_tests(session, project, people.annotator, people.annotator.role)
        assert session.scalars(select(BenchmarkPrompt)).all() == []
        assert session.scalar(select(BenchmarkPrompt.text)) is None
    with database.writing() as session:
        keep_from_tests(session, session.get_one(Project, people.project.id), people.lead, people.lead.role)


def test_another_projects_lists_are_not_compared(database, settings, people):
    write(database, people, ASKED)
    with database.writing() as session:
        from tests import factories

        other = factories.project(session, people.lead)
        operations.add_list(session, people.lead, other, brought(ASKED), name="Theirs")
    assert compare(database, settings, people) == 0
    assert near(database, people) == []


def test_ten_thousand_listed_prompts_beside_a_thousand_are_quick():
    """A few seconds of one core, by exact and wording; far from the minutes that each with each would take."""
    drawn = np.random.default_rng(5)
    vocabulary = np.array([f"{WORDS[n % 11]}{n:x}" for n in range(5000)])
    listed = [" ".join(drawn.choice(vocabulary, size=18)) for _ in range(10_000)]
    copies = {n: listed[n * 7].replace(" ", "  ", 1) for n in range(0, 1000, 10)}
    ours = [Asked(n, 1, copies.get(n) or " ".join(drawn.choice(vocabulary, size=18))) for n in range(1000)]
    began = time.process_time()
    found = crossings(ours, Listed(listed), THRESHOLDS)
    assert time.process_time() - began < 20
    assert [(one.left, one.right) for one in found if one.method is Method.EXACT] == [(n, n * 7) for n in copies]


def test_user_prompts_of_self_instruct_stand_in_alpaca_eval(database, settings, people, shared_data):
    """SOURCE.md of the shared data counts 252 of them, and 80 of Vicuna: 332 exact copies."""
    from app.duplicates.benchmarks.reading import read_list
    from app.sources.formats import open_source

    files = {
        "self": shared_data / "self_instruct" / "user_oriented_instructions.jsonl",
        "vicuna": shared_data / "fastchat_questions" / "vicuna_bench_question.jsonl",
    }
    listed = shared_data / "alpaca_eval" / "text_davinci_003_model_outputs.json"
    for name, path in files.items():
        reader = open_source(path)
        reader.prepare()
        prompts = [record.prompt for record in reader.records()]
        assert len(prompts) == {"self": 252, "vicuna": 80}[name]
        for prompt in prompts:
            write(database, people, prompt)
    read = read_list(listed, listed.name, 1 << 23)
    assert (read.records, len(read.prompts)) == (805, 805)
    with database.writing() as session:
        operations.add_list(session, people.lead, people.project, read, name="AlpacaEval", licence="CC BY-NC 4.0")
    assert compare_what_is_new(database, settings, people.project.id) == 332
    exact = {number for number, _, way, _ in near(database, people) if way == "exact"}
    assert len(exact) == 332
