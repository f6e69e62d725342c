"""Imports into the set: submitted examples with their splits, each once, whole or not at all."""

import json

import pytest
from sqlalchemy import event, func, select

from app import sample
from app.duplicates.queries import texts_of
from app.examples.arrivals import STEP, add_examples, fail_arrivals
from app.examples.models import Example, ExampleState, Revision
from app.jobs.models import JobState
from app.jobs.running import run_now
from app.sources import operations, publishing
from app.sources.formats import open_source
from app.sources.importing import BATCH
from app.sources.models import ImportRun, ImportState, Into
from app.sources.operations import ImportPlan
from app.sources.readers.base import ReadOptions
from app.sources.rules import KEPT
from app.sources.rulesets import NONE
from app.worker import worker_name


def _import(database, settings, people, path, **plan):
    plan = {"name": "pairs", "format": "lima", "ruleset": NONE, "source": "authors", "into": Into.SET, **plan}
    with database.writing() as session:
        run = operations.start_import(session, people.lead, people.project, ImportPlan(path=path, **plan))
    run_now(database, settings, run.job_id, worker_name())
    with database.reading() as session:
        return session.get_one(ImportRun, run.id)


def _by_split(database):
    with database.reading() as session:
        return dict(session.execute(select(Example.split, func.count()).group_by(Example.split)).all())


def test_pairs_become_submitted_examples_with_their_splits(database, settings, people):
    run = _import(database, settings, people, sample.pairs_file())
    assert run.state is ImportState.PUBLISHED
    assert _by_split(database) == {"train": 22, "dev": 4, "test": 4}
    with database.reading() as session:
        examples = session.scalars(select(Example)).all()
        revisions = session.scalars(select(Revision)).all()
    assert {example.state for example in examples} == {ExampleState.REVIEW}
    assert {revision.author_id for revision in revisions} == {None}
    assert sum(revision.messages[-1]["role"] == "assistant" for revision in revisions) == 22


def test_a_second_import_into_the_set_creates_nothing(database, settings, people):
    _import(database, settings, people, sample.pairs_file())
    assert _import(database, settings, people, sample.pairs_file()).result["created"] == 0
    assert sum(_by_split(database).values()) == 30


def test_a_train_prompt_without_a_response_refuses_the_whole_file(database, settings, people, tmp_path):
    lines = [{"conversations": ["A prompt?", "A response."]}, {"conversations": ["Only a prompt?"]}]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    run = _import(database, settings, people, tmp_path / "x.jsonl")
    assert run.state is ImportState.FAILED
    assert "line 2" in run.error.lower()
    assert _by_split(database) == {}


def test_where_bad_records_are_left_out_a_train_prompt_without_a_response_is(database, settings, people, tmp_path):
    lines = [{"conversations": ["A prompt?", "A response."]}, {"conversations": ["Only a prompt?"]}]
    lines += [{"conversations": ["And for the test?"], "split": "test"}, {"conversations": ["A", "b", "and then?"]}]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    run = _import(database, settings, people, tmp_path / "x.jsonl", skip_bad=True)
    assert (run.state, _by_split(database)) == (ImportState.PUBLISHED, {"train": 1, "test": 1})
    assert (run.result["created"], run.result["unchanged"], run.result["unanswered"]) == (2, 0, 1)
    assert [error["line"] for error in run.result["errors"]] == [2, 4]
    assert all("a train example needs one" in error["reason"] for error in run.result["errors"])


FORMS = {
    "pair": {"prompt": "Why?", "completion": ""},
    "alpaca": {"instruction": "Why?", "output": ""},
    "messages": {"messages": [{"role": "user", "content": "Why?"}]},
    "sharegpt": {"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": ""}]},
    "table": {"frage": "Why?", "antwort": ""},
}


@pytest.mark.parametrize("form", FORMS)
def test_what_the_set_says_to_a_prompt_alone_is_the_same_for_every_form(database, settings, people, tmp_path, form):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(FORMS[form]) + "\n", "utf-8")
    columns = {"columns": {"prompt": "frage", "response": "antwort"}} if form == "table" else {}

    def imported(into):
        with database.writing() as session:
            plan = ImportPlan(path, "alone", form, NONE, source="authors", into=into, settings=columns)
            run = operations.start_import(session, people.lead, people.project, plan)
        run_now(database, settings, run.job_id, worker_name())
        with database.reading() as session:
            return session.get_one(ImportRun, run.id)

    refused = imported(Into.SET)
    assert refused.state is ImportState.FAILED
    assert "ine 1: there is no response to the last prompt, and a train example needs one" in refused.error
    assert imported(Into.POOL).result["created"] == 1


def test_a_dialogue_stays_one_example(database, settings, people, tmp_path):
    turns = ["One?", "Two.", "Three?", "Four."]
    (tmp_path / "x.jsonl").write_text(json.dumps({"conversations": turns}) + "\n", "utf-8")
    _import(database, settings, people, tmp_path / "x.jsonl")
    with database.reading() as session:
        (revision,) = session.scalars(select(Revision)).all()
    assert [message["content"] for message in revision.messages] == turns


def test_rows_that_another_import_is_bringing_are_not_taken_for_rows_that_are_there(database, settings, people):
    with database.writing() as session:
        plan = ImportPlan(sample.pairs_file(), "pairs", "lima", NONE, source="authors", into=Into.SET)
        slow = operations.start_import(session, people.lead, people.project, plan)
        publishing.begin_import(session, slow)
        records = list(open_source(sample.pairs_file(), options=ReadOptions(name="pairs.jsonl")).records())
        add_examples(session, slow, [(record, KEPT) for record in records[:5]])
    refused = _import(database, settings, people, sample.pairs_file())
    assert refused.state is ImportState.FAILED
    assert "Another import" in refused.error
    with database.writing() as session:
        fail_arrivals(session, {"import_run_id": slow.id}, "Stopped by request.", JobState.CANCELLED)
    assert _by_split(database) == {}
    assert _import(database, settings, people, sample.pairs_file()).result["created"] == 30


def test_answers_to_one_question_are_no_duplicates_by_prompt_in_the_set_either(database, settings, people):
    run = _import(
        database, settings, people, sample.dump_folder(), format="stackexchange", site=sample.SITE, ruleset=NONE
    )
    assert run.state is ImportState.PUBLISHED
    with database.reading() as session:
        threads = session.scalars(select(Example.thread_id)).all()
        texts = [one for one in texts_of(session, people.project.id) if one.thread is not None]
    assert None not in threads
    assert len(set(threads)) < len(threads)
    assert sorted(one.thread for one in texts) == sorted((sample.SITE, thread) for thread in threads)


def test_what_a_failed_import_brought_goes_in_parts(database, settings, people, tmp_path):
    """Whoever saves meanwhile waits for one part of it, see JobContext.in_turns."""
    lines = [{"conversations": [f"Prompt {n}?", f"Response {n}."]} for n in range(BATCH)]
    lines.append({"conversations": ["Only a prompt?"]})
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    gone = []

    @event.listens_for(database.engine, "after_cursor_execute")
    def listen(connection, cursor, statement, *_):
        if statement.startswith("DELETE FROM example WHERE"):
            gone.append(cursor.rowcount)

    run = _import(database, settings, people, tmp_path / "x.jsonl")
    assert (run.state, _by_split(database)) == (ImportState.FAILED, {})
    assert (sum(gone), max(gone)) == (BATCH, STEP)
