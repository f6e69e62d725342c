"""Imports as a whole: the funnel, idempotence, refusal of bad files, cancellation, death of the worker."""

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from app import sample
from app.accounts.models import AuditEntry
from app.config import Settings
from app.db import Database, now
from app.jobs import operations as jobs
from app.jobs.models import Job, JobState, Lane
from app.jobs.running import JobContext, run_now
from app.projects.limits import Archived
from app.projects.models import Project
from app.sources import importing, operations, publishing, queries, restoring
from app.sources.excerpts import excerpt_of
from app.sources.formats import open_source
from app.sources.models import Candidate, ImportRecord, ImportRemark, ImportRun, ImportState
from app.sources.opening import read_again
from app.sources.operations import ImportPlan
from app.sources.records import Decision, Message, Record
from app.sources.rules import KEPT
from app.sources.rulesets import LIMA, NONE, ruleset_from
from app.text.canonical import content_hash
from app.worker import Worker, worker_name
from tests.factories import People
from tests.jobs.processes import WorkerProcess

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


def test_whatever_is_left_out_can_be_listed_and_costs_no_memory(
    api, browser, database, settings, people, tmp_path, monkeypatch
):
    """More unreadable records than a result lists, with no sound one among them, of two files; and one left alone."""
    first = tmp_path / "first.jsonl"
    first.write_text(json.dumps({"conversations": ["Why?", "So."], "id": "7"}), "utf-8")
    _import(database, settings, people, first, format="lima", ruleset=NONE, site="here")
    folder = tmp_path / "both"
    folder.mkdir()
    rows = [json.dumps({"conversations": ["Why?", f"So {name}."], "id": f"{name}"}) for name in (7, 8)]
    (folder / "a.jsonl").write_text("\n".join([rows[0], *["{broken"] * 1300]), "utf-8")
    (folder / "b.jsonl").write_text("\n".join([rows[1], *["{broken"] * 1201]), "utf-8")
    waiting, add = [], importing._Remarks.add
    monkeypatch.setattr(
        importing._Remarks, "add", lambda self, bad: (add(self, bad), waiting.append(len(self._waiting)))
    )
    run = _import(database, settings, people, folder, format="lima", ruleset=NONE, site="here", skip_bad=True)
    assert (run.state, run.result["created"], run.result["unchanged"]) == (ImportState.PUBLISHED, 1, 1)
    assert max(waiting) < importing.BATCH
    assert (len(run.result["errors"]), run.result["errors_total"]) == (importing.MOST_LISTED, 2502)

    client, url = api(people.annotator), f"/api/v1/projects/{people.project.slug}/imports/{run.id}"
    pages = [client.get(f"{url}/remarks", params={"page": page}).json() for page in range(1, 52)]
    listed = [one for page in pages for one in page["remarks"]]
    assert (pages[0]["total"], len(listed)) == (2502, 2502)
    lines = {(one["file"], one["line"]) for one in listed if one["unreadable"]}
    assert lines == {("a.jsonl", n) for n in range(2, 1302)} | {("b.jsonl", n) for n in range(2, 1203)}
    left_alone = [one for one in listed if not one["unreadable"]]
    assert [("'7' is in the pool" in one["reason"], one["file"]) for one in left_alone] == [(True, "a.jsonl")]

    report = [json.loads(line) for line in client.get(f"{url}/report.jsonl").text.splitlines()]
    assert [line["decision"] for line in report] == ["kept"] * 2 + ["unreadable"] * 2501
    assert report[-1] == {"external_id": None, "rule": None, "line": 1202, **report[-1]}
    page = browser(people.annotator).get(f"/projects/{people.project.slug}/imports/{run.id}?page=126").text
    assert "2,502 lines" in page
    assert page.count(">line 1,20") == 2

    with database.writing() as session:
        for step in publishing.forgetting(session, session.get_one(ImportRun, run.id)):
            step(session)
    assert _count(database, ImportRemark) == 0


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


def _wait_until(true, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_candidates_count_from_the_moment_that_their_import_is_published(database, settings, people):
    run = _start(database, people, sample.dump_folder())
    keys = [(sample.SITE, str(one)) for one in EXPECTED["final_answer_ids"]]
    with database.writing() as session:
        record = next(open_source(sample.dump_folder(), site=sample.SITE).records())
        publishing.add_candidates(session, session.get_one(ImportRun, run.id), [(record, KEPT)])
        own = [(record.site, record.external_id)]
        assert queries.published_words(session, people.project.id, own) == {}
        publishing.begin_import(session, session.get_one(ImportRun, run.id))
    run_now(database, settings, run.job_id, worker_name())
    with database.reading() as session:
        assert set(queries.published_words(session, people.project.id, keys)) == set(keys)


def test_two_imports_of_one_dump_end_with_each_record_once(database, settings, people):
    first = _start(database, people, sample.dump_folder())
    second = _start(database, people, sample.dump_folder())
    workers = [Worker(settings, database), Worker(settings, database)]

    def work(worker: Worker) -> None:
        while worker.work_once(Lane.QUICK):  # on a busy machine one may take over what the other was late to renew
            pass

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, workers))
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
                    re.sub(
                        r'\b(Id|ParentId|AcceptedAnswerId)="(\d+)"',
                        lambda m, shift=shift: f'{m[1]}="{int(m[2]) + shift}"',
                        row,
                    )
                    + "\n"
                )
        out.write(rows[-1] + "\n")
    return folder


def _state(database: Database, run: ImportRun) -> ImportState:
    with database.reading() as session:
        return session.get_one(ImportRun, run.id).state


class Standing(NamedTuple):
    """How many records are noted, how many candidates count already, and the import's state."""

    written: int
    published: int
    state: ImportState


def _standing(database: Database, run: ImportRun) -> Standing:
    written = _count(database, ImportRecord, import_run_id=run.id)
    return Standing(written, _count(database, Candidate, published=True), _state(database, run))


def _killed_and_restarted(
    database, settings, people, tmp_path, dump: Path, copies: int, there: Callable[[Standing], bool]
) -> None:
    """Kill a worker once the import stands so, and let another one finish it."""
    run = _start(database, people, dump)

    def look() -> Standing:
        return _standing(database, run)

    with WorkerProcess(settings, database, tmp_path / "first.log") as first:
        first.wait_until(there, look, "the moment of its death")
        first.kill()
    assert there(look())
    assert look().state is ImportState.RUNNING
    with WorkerProcess(settings, database, tmp_path / "second.log") as second:
        second.wait_until(lambda seen: seen.state is not ImportState.RUNNING, look, "the end of the import")
        second.stop()
    with database.reading() as session:
        done = session.get_one(ImportRun, run.id)
    assert done.state is ImportState.PUBLISHED, done.error
    assert done.result["records"] == copies * EXPECTED["answers"] == look().written
    assert done.result["created"] == copies * len(EXPECTED["final_answer_ids"]) == look().published
    assert _count(database, Candidate) == look().published


def test_a39_a_worker_killed_in_the_middle_of_an_import_leaves_each_record_once(database, settings, people, tmp_path):
    dump = _big_dump(tmp_path / "dump", 40)
    _killed_and_restarted(database, settings, people, tmp_path, dump, 40, lambda seen: seen.written >= 1000)


LONG = 180


@pytest.fixture(scope="module")
def long_dump(tmp_path_factory) -> Path:
    return _big_dump(tmp_path_factory.mktemp("long") / "dump", LONG)


@pytest.mark.long
@pytest.mark.parametrize("after", [1, 1500, 2500, 3500, 4500, 5500, 6500, 7500, 8500])
def test_a39_a_worker_killed_anywhere_in_an_import_leaves_each_record_once(
    after, database, settings, people, tmp_path, long_dump
):
    # Batches have a thousand records: each point falls into another one, the first and the last ones among them.
    _killed_and_restarted(database, settings, people, tmp_path, long_dump, LONG, lambda seen: seen.written >= after)


@pytest.mark.long
def test_a39_a_worker_killed_while_it_publishes_leaves_each_record_once(
    database, settings, people, tmp_path, long_dump
):
    _killed_and_restarted(database, settings, people, tmp_path, long_dump, LONG, lambda seen: seen.published >= 1)


def _rows(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def _pair(prompt: str, response: str, **fields: object) -> dict[str, object]:
    return {"conversations": [prompt, response], **fields}


CHAT = {"format": "lima", "ruleset": NONE, "site": ""}


def test_what_stands_in_a_file_twice_is_dropped_the_second_time_and_can_be_opened(database, settings, people, tmp_path):
    path = _rows(tmp_path / "x.jsonl", _pair("a", "b"), _pair("c", "d"), _pair("a", "b"))
    run = _import(database, settings, people, path, **CHAT)
    assert (run.result["records"], run.result["created"], run.result["unchanged"]) == (3, 2, 0)
    assert run.result["funnel"] == [{"rule": "repeated", "kept": 2, "dropped": 1}]
    with database.reading() as session:
        lines = list(queries.report_lines(session, run.id))
    assert [line["decision"] for line in lines] == ["kept", "kept", "dropped"]
    assert "line 1" in lines[2]["reason"]
    assert _import(database, settings, people, path, **CHAT).result["created"] == 0


def test_the_second_may_come_in_a_later_batch(database, settings, people, tmp_path):
    rows = [_pair(f"prompt {number}", "r") for number in range(700)]
    run = _import(database, settings, people, _rows(tmp_path / "x.jsonl", *rows, rows[0]), **CHAT)
    assert (run.result["created"], run.result["funnel"][0]["dropped"]) == (700, 1)


def test_ids_of_two_files_do_not_meet(database, settings, people, tmp_path):
    first = _import(database, settings, people, _rows(tmp_path / "a.jsonl", _pair("a", "b", id="1")), **CHAT)
    second = _import(database, settings, people, _rows(tmp_path / "b.jsonl", _pair("c", "d", id="1")), **CHAT)
    assert (first.result["created"], second.result["created"]) == (1, 1)
    with database.reading() as session:
        assert {(one.site, one.external_id) for one in session.scalars(select(Candidate))} == {
            ("a.jsonl", "1"),
            ("b.jsonl", "1"),
        }


def test_words_without_an_id_are_the_same_record_in_every_file(database, settings, people, tmp_path):
    _import(database, settings, people, _rows(tmp_path / "a.jsonl", _pair("a", "b")), **CHAT)
    second = _import(database, settings, people, _rows(tmp_path / "b.jsonl", _pair("a", "b"), _pair("c", "d")), **CHAT)
    assert (second.result["created"], second.result["unchanged"]) == (1, 1)


def test_an_id_that_has_other_words_by_now_is_named_and_nothing_is_overwritten(database, settings, people, tmp_path):
    path = _rows(tmp_path / "a.jsonl", _pair("a", "b", id="1"), _pair("c", "d", id="2"))
    _import(database, settings, people, path, **CHAT)
    _rows(path, _pair("a", "b", id="1"), _pair("c", "otherwise", id="2"))
    run = _import(database, settings, people, path, **CHAT)
    assert (run.result["created"], run.result["unchanged"]) == (0, 2)
    assert [error["line"] for error in run.result["errors"]] == [2]
    assert "other words" in run.result["errors"][0]["reason"]


def test_a_post_that_was_edited_since_is_named_and_nothing_is_overwritten(database, settings, people, tmp_path):
    path = tmp_path / "Posts.xml"
    answers = [f"<p>Answer {number}, which is long.</p>" for number in range(3)]

    def imported(**plan):
        question = _post(1, 1, "<p>How?</p>", Title="How is it done?")
        rows = [_post(2 + number, 2, words, ParentId=1) for number, words in enumerate(answers)]
        path.write_text("<posts>\n" + "\n".join([question, *rows]) + "\n</posts>")
        return _import(database, settings, people, path, ruleset=NONE, **plan).result

    first = imported()
    answers[1] = answers[1].replace("long", "longer")
    second = imported()
    assert (first["created"], second["created"], second["unchanged"]) == (3, 0, 3)
    reason = "the id '3' is in the pool with other words, which stay; it was edited, or asked otherwise"
    assert second["errors"] == [{"line": 4, "reason": reason}]
    with database.reading() as session:
        words = session.scalars(select(Candidate).where(Candidate.external_id == "3")).one().messages[-1]["content"]
    assert words == "Answer 1, which is long."


def _post(number, kind, body, **more):
    facts = {"Id": number, "PostTypeId": kind, "CreationDate": "2015-01-01T00:00:00.000", "Score": 1, "Body": body}
    return f"<row {' '.join(f'{name}={quoteattr(str(value))}' for name, value in (facts | more).items())}/>"


def test_a_candidate_names_who_asked_as_well(database, settings, people):
    _import(database, settings, people, sample.dump_folder())
    with database.reading() as session:
        extras = [candidate.extra for candidate in session.scalars(select(Candidate))]
    assert all(extra["question_url"].startswith(f"https://{sample.SITE}/questions/") for extra in extras)
    assert all(extra["question_licence"].startswith("CC BY-SA ") for extra in extras)
    assert any(extra["question_author"] for extra in extras)


def test_a_licence_that_a_record_names_is_not_replaced(database, settings, people, tmp_path):
    path = _rows(tmp_path / "x.jsonl", _pair("a", "b", licence="MIT"), _pair("c", "d"))
    _import(database, settings, people, path, licence="CC0 1.0", **CHAT)
    _import(database, settings, people, sample.dump_folder(), licence="CC0 1.0")
    with database.reading() as session:
        found = session.scalars(select(Candidate.licence).order_by(Candidate.id)).all()
    assert found[:2] == ["MIT", "CC0 1.0"]
    assert all(licence.startswith("CC BY-SA") for licence in found[2:])


def test_an_unknown_source_is_refused_with_those_that_there_are(database, people):
    with pytest.raises(operations.NoSuchRow, match="wikihow"):
        _start(database, people, sample.dump_folder(), source="nonsense")
    assert _count(database, ImportRun) == 0


def _kept_of_the_sample():
    decided = ((one, LIMA.decide(one)) for one in open_source(sample.dump_folder(), site=sample.SITE).records())
    return [one for one in decided if one[1].kept]


def test_a_cancelled_import_takes_nothing_of_another_one_s_away(database, settings, people):
    """Both write the same records; one is published, the other then stopped."""
    stopped = _start(database, people, sample.dump_folder())
    with database.writing() as session:
        records = _kept_of_the_sample()
        publishing.begin_import(session, session.get_one(ImportRun, stopped.id))
        publishing.add_candidates(session, session.get_one(ImportRun, stopped.id), records)
    done = _import(database, settings, people, sample.dump_folder())
    with database.writing() as session:
        publishing.fail_import(session, {"import_run_id": stopped.id}, "Stopped by request.", JobState.CANCELLED)
    assert _count(database, Candidate, import_run_id=done.id, published=True) == done.result["created"] == len(records)


def test_of_two_imports_at_once_the_later_one_counts_what_was_there_first(database, settings, people):
    slow = _start(database, people, sample.dump_folder())
    with database.writing() as session:
        records = _kept_of_the_sample()
        publishing.add_candidates(session, session.get_one(ImportRun, slow.id), records)
    first = _import(database, settings, people, sample.dump_folder())
    with database.writing() as session:
        result = publishing.ImportResult("stackexchange", created=len(records))
        publishing.publish_import(session, session.get_one(ImportRun, slow.id), result)
    assert (first.result["created"], result.created, result.unchanged) == (len(records), 0, len(records))
    assert _count(database, Candidate) == len(records)


@pytest.fixture
def between(monkeypatch):
    """Calls what a test puts there before each transaction of an import that may be put off, a small one."""
    monkeypatch.setattr(publishing, "STEP", 3)
    monkeypatch.setattr(publishing, "PART", 3)
    looks = []
    go_on = JobContext.go_on

    def look(context):
        for one in looks:
            one(context)
        go_on(context)

    monkeypatch.setattr(JobContext, "go_on", look)
    return looks


def _published(database, run):
    """How many candidates count already, and whether the import shows them."""
    with database.reading() as session:
        own = select(func.count()).select_from(Candidate).where(Candidate.published)
        return session.scalar(own), session.get_one(ImportRun, run.id).state is ImportState.PUBLISHED


def _eight_rows(database, people, tmp_path):
    path = _rows(tmp_path / "x.jsonl", *(_pair(f"question {n}", f"answer {n}") for n in range(8)))
    return _start(database, people, path, format="lima", ruleset=NONE, site="")


def test_publishing_goes_part_by_part_and_shows_all_at_once(database, settings, people, between, tmp_path):
    """Between two parts anybody may write, nothing shows yet, and it is too late to stop."""
    run = _eight_rows(database, people, tmp_path)
    seen = []

    def look(context):
        if not context.heeds_cancel:
            with database.writing() as session:
                jobs.request_cancellation(session, people.lead, session.get_one(Job, run.job_id))
            seen.append(_published(database, run))

    between.append(look)
    run_now(database, settings, run.job_id, worker_name())
    assert seen == [(0, False), (3, False), (6, False)]
    with database.reading() as session:
        done = session.get_one(ImportRun, run.id)
    assert (done.state, done.result["created"]) == (ImportState.PUBLISHED, 8)


def test_a_worker_that_ends_while_it_publishes_leaves_the_rest_to_the_next(
    database, settings, people, between, tmp_path
):
    """The file is not read again: it need not even be there any more."""
    run = _eight_rows(database, people, tmp_path)
    worker = Worker(settings, database)
    between.append(lambda _context: worker.stop() if _published(database, run)[0] else None)
    assert worker.work_once(Lane.QUICK)
    assert _published(database, run) == (3, False)
    with database.reading() as session:
        job = session.get_one(Job, run.job_id)
        assert (job.state, job.attempts) == (JobState.QUEUED, 0)
    (tmp_path / "x.jsonl").unlink()
    between.clear()
    run_now(database, settings, run.job_id, worker_name())
    assert _published(database, run) == (8, True)
    with database.reading() as session:
        done = session.get_one(ImportRun, run.id)
    assert (done.result["records"], done.result["created"], done.result["unchanged"]) == (8, 8, 0)
    assert publishing.READ not in done.options


def test_a_worker_told_to_end_in_the_middle_of_an_import_ends_within_a_batch(
    database, settings, people, between, tmp_path
):
    """What it has written goes when the next one starts over."""
    run = _eight_rows(database, people, tmp_path)
    worker = Worker(settings, database)

    def stop_it(_context):
        if _count(database, ImportRecord):
            worker.stop()

    between.append(stop_it)
    assert worker.work_once(Lane.QUICK)
    with database.reading() as session:
        assert session.get_one(Job, run.job_id).state is JobState.QUEUED
    assert _count(database, ImportRecord) > 0
    between.clear()
    run_now(database, settings, run.job_id, worker_name())
    assert _published(database, run) == (8, True)
    assert _count(database, ImportRecord) == 8


def test_a_stopped_import_is_taken_away_piece_by_piece(database, settings, people, between, monkeypatch, tmp_path):
    """So that nobody waits for the end of it; nothing of it is there afterwards."""
    monkeypatch.setattr(importing, "BATCH", 4)
    run = _eight_rows(database, people, tmp_path)
    left = []

    def stop_it(context):
        if _count(database, Candidate) == 4:
            context.cancel_requested.set()
        left.append(_count(database, Candidate))

    between.append(stop_it)
    assert run_now(database, settings, run.job_id, worker_name()) is JobState.CANCELLED
    assert [one for one in left if 0 < one < 4]
    assert _count(database, Candidate) == _count(database, ImportRecord) == 0


def test_a_record_above_the_limit_is_refused_with_its_line(database, settings, people, tmp_path):
    path = _rows(tmp_path / "x.jsonl", _pair("a", "b"), _pair("c", "d" * 1_100_000))
    small = settings.model_copy(update={"max_record_mb": 1})
    run = _import(database, small, people, path, **CHAT)
    assert run.state is ImportState.FAILED
    assert "line 2: the line is longer than 1 MB" in run.error.lower().replace("mb", "MB")


def test_of_two_starts_one_is_refused(database, people, tmp_path):
    path = _rows(tmp_path / "x.jsonl", _pair("a", "b"))
    with database.writing() as session:
        run = operations.draft_import(session, people.annotator, people.project, path, "x.jsonl", "lima")
    plan = ImportPlan(path=path, name="x", **CHAT)
    for refused in (False, True):
        with database.writing() as session:
            run = session.get_one(ImportRun, run.id)
            if refused:
                with pytest.raises(operations.BegunAlready):
                    operations.begin_draft(session, people.annotator, people.project, run, plan)
            else:
                operations.begin_draft(session, people.annotator, people.project, run, plan)
    assert _count(database, Job) == 1


def test_every_dropped_record_is_read_again_from_its_file(database, settings, people, tmp_path):
    rows = [_pair("prompt é", "x"), _pair("another prompt", "long enough " * 200), _pair("third", "y")]
    rules = ruleset_from({"rules": {"length": {"minimum": 1200, "maximum": 4096}}})
    run = _import(database, settings, people, _rows(tmp_path / "x.jsonl", *rows), **{**CHAT, "ruleset": rules})
    with database.reading() as session:
        dropped = session.scalars(queries.records_dropped_by(run, "length")).all()
    opened = read_again(run, settings, dropped)
    assert [opened[row.number].prompt for row in dropped] == ["prompt é", "third"]


def test_of_a_dump_as_well(database, settings, people):
    run = _import(database, settings, people, sample.dump_folder())
    with database.reading() as session:
        dropped = session.scalars(queries.records_dropped_by(run, "first_person").limit(3)).all()
    opened = read_again(run, settings, dropped)
    assert [opened[row.number].external_id for row in dropped] == [row.external_id for row in dropped]
    marked = [excerpt_of(opened[row.number], Decision(False, row.rule, row.reason)).marks for row in dropped]
    assert all(marked)


def test_a_file_that_changed_since_opens_nothing(database, settings, people, tmp_path):
    path = _rows(tmp_path / "x.jsonl", _pair("a", "b"), _pair("a", "b"))
    run = _import(database, settings, people, path, **CHAT)
    with database.reading() as session:
        rows = session.scalars(queries.records_of(run.id)).all()
    assert len(read_again(run, settings, rows)) == 2
    _rows(path, _pair("c", "d"), _pair("a", "b"))
    assert read_again(run, settings, rows) == {}
    path.unlink()
    assert read_again(run, settings, rows) == {}


def test_another_record_is_never_shown_in_its_place(database, settings, people, tmp_path):
    path = _rows(tmp_path / "x.jsonl", _pair("a", "b"), _pair("c", "d"))
    run = _import(database, settings, people, path, **CHAT)
    moment = path.stat().st_mtime_ns
    _rows(path, _pair("e", "f"), _pair("c", "d"))
    os.utime(path, ns=(moment, moment))
    with database.reading() as session:
        rows = session.scalars(queries.records_of(run.id)).all()
    assert list(read_again(run, settings, rows)) == [2]


def _dropped(database, run, rule):
    with database.reading() as session:
        return session.scalars(queries.records_dropped_by(run, rule).limit(1)).one()


def _restore(database, settings, people, run, row):
    with database.writing() as session:
        own = session.scalars(queries.record_of(run, row.number)).one()
        record = read_again(run, settings, [own]).get(row.number)
        return restoring.restore_dropped(session, people.annotator, session.get_one(ImportRun, run.id), own, record)


def test_a_restored_record_is_a_candidate_that_says_so(database, settings, people):
    run = _import(database, settings, people, sample.dump_folder())
    row = _dropped(database, run, "score")
    first = _restore(database, settings, people, run, row)
    again = _restore(database, settings, people, run, row)
    assert first.id == again.id
    assert (first.external_id, first.published, first.import_run_id) == (row.external_id, True, run.id)
    said = {"by": people.annotator.name, "rule": "score", "reason": row.reason, "import": run.id, "number": row.number}
    assert first.extra["restored"] == said
    with database.reading() as session:
        assert queries.restored_of(session, run) == {"score": 1}
        trail = session.scalars(select(AuditEntry).where(AuditEntry.action == "restore record")).all()
    assert [entry.detail for entry in trail] == [{"number": row.number, "rule": "score"}]
    assert _import(database, settings, people, sample.dump_folder()).result["created"] == 0


def test_what_nobody_can_put_right_is_not_restored(database, settings, people, tmp_path):
    path = _rows(tmp_path / "x.jsonl", _pair("a", "b"), _pair("a", "b"))
    run = _import(database, settings, people, path, **CHAT)
    with pytest.raises(restoring.NotToRestore):
        _restore(database, settings, people, run, _dropped(database, run, "repeated"))
    with database.reading() as session:
        kept = session.scalars(queries.record_of(run, 1)).one()
    with pytest.raises(restoring.KeptAlready):
        _restore(database, settings, people, run, kept)


def test_without_its_file_a_record_is_not_restored(database, settings, people, tmp_path):
    folder = _big_dump(tmp_path / "dump", 1)
    run = _import(database, settings, people, folder)
    (folder / "Posts.xml").unlink()
    with pytest.raises(restoring.NotThereAnyMore):
        _restore(database, settings, people, run, _dropped(database, run, "score"))


def test_nothing_is_restored_in_an_archived_project(database, settings, people):
    run = _import(database, settings, people, sample.dump_folder())
    with database.writing() as session:
        session.get_one(Project, people.project.id).archived_at = now()
    with pytest.raises(Archived):
        _restore(database, settings, people, run, _dropped(database, run, "score"))


def test_the_same_file_by_the_same_rules_shows_the_earlier_funnel(database, settings, people):
    first = _import(database, settings, people, sample.dump_folder())
    second = _import(database, settings, people, sample.dump_folder())
    assert second.noted_under == first.id
    assert second.result["funnel"] == first.result["funnel"]
    assert _count(database, ImportRecord) == first.result["records"]
    with database.reading() as session:
        row = session.scalars(queries.records_dropped_by(second, "score").limit(1)).one()
    assert read_again(second, settings, [row])


def test_other_rules_or_another_licence_read_the_file_anew(database, settings, people, tmp_path):
    path = _rows(tmp_path / "x.jsonl", _pair("a", "b"), _pair("c", "d"))
    first = _import(database, settings, people, path, **CHAT)
    second = _import(database, settings, people, path, licence="MIT", **CHAT)
    third = _import(database, settings, people, path, **{**CHAT, "ruleset": ruleset_from({"rules": {"length": True}})})
    assert {run.noted_under for run in (first, second, third)} == {first.id, second.id, third.id}


def test_a_kept_record_with_a_flag_keeps_it(database, settings, people, tmp_path):
    path = _rows(tmp_path / "x.jsonl", _pair("a", "Write to mira@hansens-press.no about it."), _pair("c", "d"))
    rules = ruleset_from({"rules": {"personal_data": True}})
    run = _import(database, settings, people, path, **{**CHAT, "ruleset": rules})
    assert run.result["flagged"] == 1
    with database.reading() as session:
        flags = session.scalars(select(Candidate.flags).order_by(Candidate.id)).all()
        lines = list(queries.report_lines(session, run.id))
    assert [bool(one) for one in flags] == [True, False]
    assert lines[0]["reason"] != lines[1]["reason"] == KEPT.reason


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=3))
def test_a_record_s_hash_is_that_of_its_messages_in_canonical_json(words):
    record = Record("s", "1", "t", tuple(Message("user", one) for one in words))
    assert record.content_hash == content_hash(record.messages_as_json())


def test_a_dump_whose_names_came_later_is_read_again(database, settings, people, tmp_path):
    posts = tmp_path / "Posts.xml"
    posts.write_bytes((sample.dump_folder() / "Posts.xml").read_bytes())
    first = _import(database, settings, people, posts)
    (tmp_path / "Users.xml").write_bytes((sample.dump_folder() / "Users.xml").read_bytes())
    second = _import(database, settings, people, posts)
    third = _import(database, settings, people, posts)
    assert second.noted_under == second.id
    assert third.noted_under == second.id
    assert first.result["funnel"] == second.result["funnel"] == third.result["funnel"]
