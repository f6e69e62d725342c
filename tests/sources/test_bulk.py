"""Rows that go past SQLAlchemy are the rows that it would have written, on either database."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from app.db import Base, now
from app.projects.models import Split
from app.sources import publishing
from app.sources.bulk import write_rows
from app.sources.models import Candidate, ImportRecord, ImportRun, Into
from app.sources.once import once
from app.sources.readers.rows import words_of
from app.sources.records import Decision, Message, Place, Record
from app.sources.rules import KEPT
from app.text.canonical import content_hash

WORDS = 'Plain\n"quoted" \\ and \x7f, ’ü’, 漢, 😀, </script> ```\ncode\n```'
EAST = timezone(timedelta(hours=5, minutes=30))
BARE = Record("site", "1", "A title", (Message("user", "Why?"), Message("assistant", "Because.")), line=1)
FULL = Record(
    "site",
    "2",
    WORDS,
    (Message("system", "Be brief."), Message("user", WORDS), Message("assistant", WORDS)),
    split="dev",
    source="stem",
    language="de",
    score=-3,
    thread_id="7",
    author="Zoë 😀",
    author_url="https://example.org/u/1",
    url="https://example.org/1",
    licence="CC BY-SA 4.0",
    posted_at=datetime(2024, 2, 29, 1, 2, 3, 4, EAST),
    line=5,
    place=Place(1, 77, 3),
    extra={"tags": ["a", "é"], "accepted": None, "deep": {"n": 1.5}},
)
FLAGGED = Decision(True, None, "kept, and marked for a look", ("e-mail address",))
DROPPED = Decision(False, "length", "its length is 8 characters, below 1,200")


@pytest.fixture
def run(database, people) -> ImportRun:
    with database.writing() as session:
        made = ImportRun(
            project_id=people.project.id, created_by=people.lead.id, name="x", path="x", format="lima", site="",
            into=Into.POOL, ruleset={}, ruleset_hash="",
        )  # fmt: skip
        session.add(made)
    return made


def _rows(database, table: type[Base], order: str) -> list[dict]:
    """What stands in the table, as the driver gives it and with the types that it is stored in."""
    with database.reading() as session:
        found = session.execute(select(text("*")).select_from(table.__table__).order_by(text(order))).mappings()
        return [dict(one) for one in found]


def _orm_candidate(run: ImportRun, record: Record, decision: Decision, made: datetime) -> Candidate:
    return Candidate(
        project_id=run.project_id, import_run_id=run.id, site=record.site, external_id=record.external_id + "/orm",
        thread_id=record.thread_id, source=record.source, split=Split(record.split or "train"),
        language=record.language or "en", title=record.title, messages=record.messages_as_json(), score=record.score,
        author=record.author, author_url=record.author_url, url=record.url, licence=record.licence,
        posted_at=record.posted_at, extra=record.extra, flags=list(decision.flags), content_hash=record.content_hash,
        created_at=made,
    )  # fmt: skip


@pytest.mark.parametrize("decided", [[(BARE, KEPT)], [(FULL, FLAGGED)], [(BARE, KEPT), (FULL, FLAGGED)]])
def test_a_candidate_of_an_import_equals_one_of_the_orm(database, run, monkeypatch, decided):
    made = now()
    monkeypatch.setattr(publishing, "now", lambda: made)
    with database.writing() as session:
        assert publishing.add_candidates(session, run, decided).created == len(decided)
    with database.writing() as session:
        session.add_all([_orm_candidate(run, record, decision, made) for record, decision in decided])
    found = _rows(database, Candidate, "external_id")
    assert len(found) == 2 * len(decided)
    for bulk, orm in zip(found[::2], found[1::2], strict=True):
        assert orm["external_id"] == f"{bulk['external_id']}/orm"
        assert [type(value) for value in bulk.values()] == [type(value) for value in orm.values()]
        assert {**bulk, "id": 0, "external_id": ""} == {**orm, "id": 0, "external_id": ""}


def test_a_candidate_of_an_import_reads_as_it_was_written(database, run):
    with database.writing() as session:
        publishing.add_candidates(session, run, [(BARE, KEPT), (FULL, FLAGGED)])
    with database.reading() as session:
        bare, full = session.query(Candidate).order_by(Candidate.external_id)
    assert (bare.score, bare.posted_at, bare.extra, bare.flags, bare.has_code) == (None, None, {}, [], False)
    assert full.messages == FULL.messages_as_json()
    assert full.posted_at == datetime(2024, 2, 28, 19, 32, 3, 4, UTC)
    assert (full.extra, full.flags, full.length, full.has_code) == (FULL.extra, ["e-mail address"], len(WORDS), True)


def test_a_noted_record_equals_one_of_the_orm(database, run):
    decided = [(BARE, KEPT), (FULL, DROPPED), (FULL, FLAGGED)]
    with database.writing() as session:
        publishing.note_records(session, run, 0, decided)
    bulk = _rows(database, ImportRecord, "number")
    with database.writing() as session:
        session.query(ImportRecord).delete()
    with database.writing() as session:
        session.add_all(
            ImportRecord(
                import_run_id=run.id, number=number, member=record.place.member, position=record.place.position,
                beside=record.place.beside, line=record.line, external_id=record.external_id, rule=decision.rule,
                reason=None if decision is KEPT else decision.reason,
            )
            for number, (record, decision) in enumerate(decided, start=1)
        )  # fmt: skip
    assert bulk == _rows(database, ImportRecord, "number")
    assert [row["rule"] for row in bulk] == [None, "length", None]


def test_a_default_that_nobody_fills_in_is_missed(database, run):
    columns = ("import_run_id", "number", "line", "external_id")
    with database.writing() as session, pytest.raises(ValueError, match="no values for member"):
        write_rows(session, insert(ImportRecord), columns, [(run.id, 1, 1, "1")])
    assert _rows(database, ImportRecord, "number") == []


def test_no_rows_are_no_statement(database):
    with database.reading() as session:
        write_rows(session, insert(ImportRecord), ("import_run_id",), [])
        assert not session.in_transaction()


@given(st.lists(st.text(), max_size=3))
def test_messages_as_text_are_what_json_dumps_writes(texts):
    record = Record("s", "1", "t", tuple(Message("user", one) for one in [*texts, WORDS]))
    assert record.messages_as_text() == json.dumps(record.messages_as_json())
    assert record.content_hash == content_hash(record.messages_as_json())


@given(st.text())
def test_the_id_of_a_row_without_one_is_the_hash_of_its_roles_and_texts(words):
    record = Record("s", "", "t", (Message("user", words), Message("assistant", f"<p>{words}</p>", "html")))
    said = [[one.role, one.text] for one in record.messages]
    assert words_of(record) == content_hash(said)[:32]


def test_a_value_is_made_once():
    class Counted:
        made = 0

        @once
        def value(self) -> int:
            """How often it was made."""
            self.made += 1
            return self.made

    one, other = Counted(), Counted()
    assert (one.value, one.value, one.made, other.made) == (1, 1, 1, 0)
    assert Counted.value.__doc__ == "How often it was made."
