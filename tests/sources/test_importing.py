"""Imports as a whole: the funnel, idempotence, refusal of bad files, cancellation, death of the worker."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app import sample
from app.config import Settings
from app.db import Database
from app.jobs import operations as jobs
from app.jobs.models import Job, JobState, Lane
from app.jobs.running import run_now
from app.sources import operations, queries
from app.sources.formats import open_source
from app.sources.models import Candidate, ImportRecord, ImportRun, ImportState
from app.sources.operations import ImportPlan
from app.sources.rulesets import LIMA, NONE, ruleset_from
from app.worker import Worker, worker_name
from tests.factories import People

EXPECTED = json.loads(sample.expected_file().read_text("utf-8"))["dump"]


def _start(database: Database, people: People, path: Path, **plan) -> ImportRun:
    plan = {"name": "An import", "format": "stackexchange", "ruleset": LIMA, "site": sample.SITE, **plan}
    with database.writing() as session:
        return operations.start_import(session, people.annotator, people.project, ImportPlan(path=path, **plan))


def _import(database: Database, settings: Settings, people: People, path: Path, **plan) -> ImportRun:
    run = _start(database, people, path, **plan)
    run_now(database, settings, run.job_id, worker_name())
    with database.reading() as session:
        return session.get_one(ImportRun, run.id)


def _count(database: Database, table, **by) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table).filter_by(**by)) or 0


def test_the_sample_ends_in_its_funnel(database, settings, people):
    run = _import(database, settings, people, sample.dump_folder())
    assert run.state is ImportState.PUBLISHED
    expected = [{key: row[key] for key in ("rule", "kept", "dropped")} for row in EXPECTED["funnel"]]
    assert run.result["funnel"] == expected
    with database.reading() as session:
        kept = session.scalars(select(Candidate.external_id).where(Candidate.import_run_id == run.id))
        assert sorted(map(int, kept)) == sorted(EXPECTED["final_answer_ids"])


def test_each_number_of_the_funnel_opens_as_many_records(database, settings, people):
    run = _import(database, settings, people, sample.dump_folder())
    order = [row["rule"] for row in run.result["funnel"]]
    with database.reading() as session:
        for at, row in enumerate(run.result["funnel"]):
            dropped = session.scalars(queries.records_dropped_by(run, row["rule"])).all()
            left = session.scalars(queries.records_left_after(run, order[at + 1 :])).all()
            assert (len(left), len(dropped)) == (row["kept"], row["dropped"])
            assert all(record.reason for record in dropped)


def test_a_second_import_creates_nothing(database, settings, people):
    first = _import(database, settings, people, sample.dump_folder())
    second = _import(database, settings, people, sample.dump_folder())
    assert second.result["created"] == 0
    assert second.result["unchanged"] == first.result["created"]
    assert _count(database, Candidate) == first.result["created"]


def test_a_candidate_carries_author_licence_and_link(database, settings, people):
    _import(database, settings, people, sample.dump_folder())
    with database.reading() as session:
        for candidate in session.scalars(select(Candidate)):
            assert candidate.licence.startswith("CC BY-SA ")
            assert candidate.url == f"https://{sample.SITE}/a/{candidate.external_id}"
            assert candidate.posted_at is not None
            assert candidate.source == "stackexchange_other"


def test_rules_can_be_switched_and_changed(database, settings, people):
    rules = ruleset_from({"rules": {"top_answer": True, "score": {"minimum": 30}}})
    run = _import(database, settings, people, sample.dump_folder(), ruleset=rules)
    assert [row["rule"] for row in run.result["funnel"]] == ["top_answer", "score"]
    with database.reading() as session:
        assert all(candidate.score >= 30 for candidate in session.scalars(select(Candidate)))


def test_a_dump_without_its_site_is_refused(database, people):
    with pytest.raises(operations.NoSite):
        _start(database, people, sample.dump_folder(), site="")
    assert _count(database, ImportRun) == 0


def test_a_discarded_exchange_is_refused_unless_a_source_is_named(database, people, settings):
    with database.writing() as session:
        operations.set_exchange_group(session, people.lead, people.project, sample.SITE, "discarded")
    with pytest.raises(operations.DiscardedExchange):
        _start(database, people, sample.dump_folder())
    run = _import(database, settings, people, sample.dump_folder(), source="authors")
    assert run.state is ImportState.PUBLISHED


BAD_FILES = {
    "empty.xml": (b"", "empty"),
    "cut.xml": (b'<?xml version="1.0"?>\n<posts>\n  <row Id="1" PostTypeId="1" Score="1" Body="x" Ti', "Line 3"),
    "entities.xml": (b'<!DOCTYPE posts [<!ENTITY a "x">]>\n<posts><row Id="1" Body="&a;"/></posts>', "entit"),
    "latin.jsonl": (b'{"conversations": ["caf\xe9", "x"]}\n', "UTF-8"),
}


@pytest.mark.parametrize("name", sorted(BAD_FILES))
def test_a_bad_file_is_refused_with_its_place_and_nothing_is_kept(name, database, settings, people, tmp_path):
    content, words = BAD_FILES[name]
    path = tmp_path / name
    path.write_bytes(content)
    kind = "stackexchange" if name.endswith(".xml") else "lima"
    run = _import(database, settings, people, path, format=kind)
    assert run.state is ImportState.FAILED
    assert words.lower() in run.error.lower()
    assert _count(database, Candidate) == _count(database, ImportRecord) == 0


def _thousand_lines(path: Path, broken: int) -> None:
    lines = [json.dumps({"conversations": [f"Prompt {n}?", f"Response {n}."]}) for n in range(1, 1001)]
    lines[broken - 1] = lines[broken - 1][:-4]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def test_one_broken_line_in_a_thousand_is_named_and_nothing_is_imported(database, settings, people, tmp_path):
    _thousand_lines(tmp_path / "x.jsonl", 617)
    run = _import(database, settings, people, tmp_path / "x.jsonl", format="lima", ruleset=NONE, site="")
    assert run.state is ImportState.FAILED
    assert "line 617" in run.error.lower()
    assert _count(database, Candidate) == 0


def test_bad_lines_can_be_left_out(database, settings, people, tmp_path):
    _thousand_lines(tmp_path / "x.jsonl", 617)
    run = _import(database, settings, people, tmp_path / "x.jsonl", format="lima", ruleset=NONE, site="", skip_bad=True)
    assert run.result["created"] == 999
    assert [bad["line"] for bad in run.result["errors"]] == [617]


def test_an_import_cancelled_in_the_middle_leaves_nothing(database, settings, people, tmp_path):
    run = _start(database, people, _big_dump(tmp_path / "dump", 40))
    worker = Worker(settings.model_copy(update={"lease_seconds": 0.4}), database)
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(worker.work_once, Lane.QUICK)
        _wait_until(lambda: _count(database, ImportRecord, import_run_id=run.id) >= 500)
        with database.writing() as session:
            jobs.request_cancellation(session, people.lead, session.get_one(Job, run.job_id))
        assert working.result(60)
    with database.reading() as session:
        assert session.get_one(ImportRun, run.id).state is ImportState.CANCELLED
        assert session.get_one(Job, run.job_id).state is JobState.CANCELLED
    assert _count(database, Candidate) == _count(database, ImportRecord) == 0


def _wait_until(true, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_candidates_count_from_the_moment_that_their_import_is_published(database, settings, people):
    run = _start(database, people, sample.dump_folder())
    keys = [(sample.SITE, str(one)) for one in EXPECTED["final_answer_ids"]]
    with database.writing() as session:
        record = next(open_source(sample.dump_folder(), site=sample.SITE).records())
        operations.add_candidates(session, session.get_one(ImportRun, run.id), [record])
        own = [(record.site, record.external_id)]
        assert queries.published_words(session, people.project.id, own) == {}
        operations.begin_import(session, session.get_one(ImportRun, run.id))
    run_now(database, settings, run.job_id, worker_name())
    with database.reading() as session:
        assert set(queries.published_words(session, people.project.id, keys)) == set(keys)


def test_two_imports_of_one_dump_end_with_each_record_once(database, settings, people):
    first = _start(database, people, sample.dump_folder())
    second = _start(database, people, sample.dump_folder())
    workers = [Worker(settings, database), Worker(settings, database)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda worker: worker.work_once(Lane.QUICK), workers))
    with database.reading() as session:
        states = {session.get_one(ImportRun, run.id).state for run in (first, second)}
    assert states == {ImportState.PUBLISHED}
    assert _count(database, Candidate) == len(EXPECTED["final_answer_ids"])


def _big_dump(folder: Path, copies: int) -> Path:
    """The sample's rows again and again under other Ids: long enough to be killed in the middle."""
    import re

    rows = (sample.dump_folder() / "Posts.xml").read_text("utf-8-sig").splitlines()
    folder.mkdir()
    with (folder / "Posts.xml").open("w", encoding="utf-8") as out:
        out.write("\n".join(rows[:2]) + "\n")
        for copy in range(copies):
            for row in rows[2:-1]:
                shift = copy * 1000
                out.write(
                    re.sub(r'\b(Id|ParentId|AcceptedAnswerId)="(\d+)"', lambda m: f'{m[1]}="{int(m[2]) + shift}"', row)
                    + "\n"
                )
        out.write(rows[-1] + "\n")
    return folder


def _worker_process(settings: Settings) -> "subprocess.Popen[bytes]":
    environment = {
        **os.environ,
        "HANDPICKED_DATABASE_URL": settings.url,
        "HANDPICKED_DATA_DIR": str(settings.data_dir),
        "HANDPICKED_LEASE_SECONDS": "2",
        "HANDPICKED_POLL_SECONDS": "0.05",
    }
    return subprocess.Popen([sys.executable, "-m", "app.worker"], env=environment, stderr=subprocess.DEVNULL)


def _kill_in_the_middle(database: Database, settings: Settings, run: ImportRun, after: int) -> bool:
    """Kill -9 a worker once `after` records are written; True if it had not finished by then."""
    process = _worker_process(settings)
    try:
        _wait_until(lambda: _count(database, ImportRecord, import_run_id=run.id) >= after)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    return _state(database, run) is ImportState.RUNNING


def _state(database: Database, run: ImportRun) -> ImportState:
    with database.reading() as session:
        return session.get_one(ImportRun, run.id).state


def _killed_and_restarted(database, settings, people, tmp_path, after: int) -> None:
    copies = 40
    run = _start(database, people, _big_dump(tmp_path / "dump", copies))
    assert _kill_in_the_middle(database, settings, run, after)
    assert _count(database, ImportRecord, import_run_id=run.id) >= after
    process = _worker_process(settings)
    try:
        _wait_until(lambda: _state(database, run) is ImportState.PUBLISHED)
    finally:
        process.terminate()
        process.wait()
    with database.reading() as session:
        done = session.get_one(ImportRun, run.id)
    assert done.state is ImportState.PUBLISHED
    assert done.result["records"] == copies * EXPECTED["answers"]
    assert _count(database, ImportRecord, import_run_id=run.id) == copies * EXPECTED["answers"]
    assert _count(database, Candidate) == copies * len(EXPECTED["final_answer_ids"]) == done.result["created"]


def test_a_worker_killed_in_the_middle_of_an_import_leaves_each_record_once(database, settings, people, tmp_path):
    _killed_and_restarted(database, settings, people, tmp_path, 1000)


@pytest.mark.long
@pytest.mark.parametrize("after", [1, 500, 900, 1300, 1700, 2100, 2500, 2900, 3300, 3700])
def test_a_worker_killed_anywhere_in_an_import_leaves_each_record_once(after, database, settings, people, tmp_path):
    _killed_and_restarted(database, settings, people, tmp_path, after)
