"""While people save, submit and approve, a freeze takes each example wholly or not at all, and what it took stays."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import func, select

from app.accounts.models import User
from app.datasets import checking, queries
from app.datasets.canonical import line_of, set_sha256
from app.datasets.models import Version, VersionRow
from app.datasets.operations import freeze_version
from app.db import Database
from app.examples import operations as examples
from app.examples.models import Example, ExampleState, Revision
from app.projects.models import Project
from app.reviews import operations as reviews
from app.reviews.models import Review, ReviewVerdict
from app.text.canonical import sha256_hex
from tests import factories
from tests.datasets.material import LICENSED, approve, dialogue


@dataclass
class Desk(threading.Thread):
    """A writer with a reviewer, by the product's own operations: save, submit, approve, and again; seconds of each."""

    database: Database
    writer: User
    reviewer: User
    numbers: list[int]
    stop: threading.Event
    seconds: list[float] = field(default_factory=list)
    failure: BaseException | None = None

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                number = random.choice(self.numbers)
                for act in (self.save, self.submit, self.approve):
                    began = time.monotonic()
                    act(number)
                    self.seconds.append(time.monotonic() - began)
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.failure = error
        finally:
            self.database.dispose()

    def save(self, number: int) -> None:
        with self.database.writing() as session:
            example = session.get_one(Example, number)
            based_on = example.revision_number
            words = dialogue(f"Q{number} {based_on + 1}", f"A{number} {based_on + 1}")
            examples.save_revision(session, self.writer, example, based_on=based_on, messages=words)

    def submit(self, number: int) -> None:
        with self.database.writing() as session:
            examples.submit_example(session, self.writer, session.get_one(Example, number))

    def approve(self, number: int) -> None:
        with self.database.writing() as session:
            example = session.get_one(Example, number)
            reviews.approve(session, self.reviewer, example, example.revision_number)


@contextmanager
def desks(database: Database, people: factories.People, writers: int, each: int = 2) -> Iterator[list[Desk]]:
    """So many at work within the block."""
    with database.writing() as session:
        made = [
            approve(session, people.project, people.annotator, people.reviewer, dialogue(f"Q{at} 1", f"A{at} 1"))
            for at in range(writers * each)
        ]
        for example in made:  # its own number in its words
            revision = session.scalars(select(Revision).where(Revision.example_id == example.id)).one()
            revision.messages = dialogue(f"Q{example.id} 1", f"A{example.id} 1")
        numbers = [example.id for example in made]
    stop = threading.Event()
    found = [
        Desk(Database(database.settings), people.annotator, people.reviewer, numbers[at * each : (at + 1) * each], stop)
        for at in range(writers)
    ]
    for desk in found:
        desk.start()
    try:
        yield found
    finally:
        stop.set()
        for desk in found:
            desk.join(60)
    assert [desk.failure for desk in found if desk.failure is not None] == []
    assert all(desk.seconds for desk in found), "everybody came to write"


def freeze(database: Database, people: factories.People, name: str) -> tuple[int, str]:
    """The number of a version, and the bytes of its lines as they are read in a transaction of their own."""
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        number = freeze_version(session, people.lead, project, name=name).id
    return number, lines_of(database, number)


def lines_of(database: Database, number: int) -> str:
    with database.reading() as session:
        version = session.get_one(Version, number)
        return "".join(frozen.line.text + "\n" for frozen in queries.frozen_lines(session, version))


def check(database: Database, number: int, frozen: str) -> None:
    """Every count and hash of a version equals a recount, and its words are those of its revisions."""
    assert lines_of(database, number) == frozen, "frozen text never changes"
    with database.reading() as session:
        version = session.get_one(Version, number)
        checking.recheck(session, version)
        rows = session.scalars(select(VersionRow).where(VersionRow.version_id == number)).all()
        manifest = version.manifest
        lines = [json.loads(line) for line in frozen.splitlines()]
        assert sha256_hex(frozen) == version.sha256 == set_sha256(frozen.splitlines())
        assert version.row_count == len(rows) == len(lines) == sum(manifest["examples"].values())
        assert manifest["examples_file"]["records"] == len(lines)
        assert manifest["examples_file"]["bytes"] == len(frozen.encode())
        by_source = Counter((line["source"], line["split"]) for line in lines)
        told = {(one["source"], one["split"]): one["count"] for one in manifest["composition"] if one["count"]}
        assert told == dict(by_source)
        assert manifest["approvals"]["second_person"] == len(lines)
        for row in rows:
            revision = session.scalars(
                select(Revision).where(Revision.example_id == row.example_id, Revision.number == row.revision_number)
            ).one()
            asked, answered = (said["content"] for said in revision.messages)
            assert asked[1:] == answered[1:] == f"{row.example_id} {row.revision_number}", "wholly in"
            line = line_of(
                split=row.split.value, source=row.source, messages=revision.messages, licence="CC BY-SA 3.0",
                attribution=LICENSED,
            )  # fmt: skip
            assert (line.text, line.sha256) == (row.line, row.sha256)
            approved = select(func.count(Review.id)).where(
                Review.example_id == row.example_id, Review.revision_number == row.revision_number,
                Review.verdict == ReviewVerdict.APPROVED,
            )  # fmt: skip
            assert session.scalar(approved), "a second person had approved just these words"


def test_a59_a_freeze_among_savers_takes_each_example_wholly(database: Database, people: factories.People) -> None:
    with desks(database, people, writers=6) as working:
        found = []
        for at in range(3):
            time.sleep(0.2)
            found.append(freeze(database, people, f"v{at}"))
    for number, lines in found:
        check(database, number, lines)
    assert sum(len(desk.seconds) for desk in working) >= 6


@pytest.mark.long
def test_a59_thirty_two_people_save_for_a_minute_and_ten_freezes_are_taken(
    database: Database, people: factories.People
) -> None:
    with desks(database, people, writers=32) as working:
        time.sleep(10)
        alone = [second for desk in working for second in desk.seconds]
        before = [len(desk.seconds) for desk in working]
        found = []
        for at in range(10):
            time.sleep(4)
            found.append(freeze(database, people, f"v{at}"))
        time.sleep(5)
        beside = [second for desk, at in zip(working, before, strict=True) for second in desk.seconds[at:]]
    for number, lines in found:
        check(database, number, lines)
    print(
        f"\nsaves alone {len(alone):,}, p95 {p95(alone):.3f} s; beside freezes {len(beside):,}, p95 {p95(beside):.3f} s"
    )
    assert len({lines for _, lines in found}) > 1, "people were at work between the freezes"
    assert p95(beside) < p95(alone) + 1, "a freeze holds up nobody for long"


def p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(0.95 * (len(seconds) - 1))]


def test_what_is_being_edited_stays_out(database: Database, people: factories.People) -> None:
    with database.writing() as session:
        one, other = (
            approve(session, people.project, people.annotator, people.reviewer, dialogue(f"Q{at}", "A")).id
            for at in range(2)
        )
        example = session.get_one(Example, one)
        examples.save_revision(session, people.annotator, example, based_on=1, messages=dialogue("Q0 again", "A"))
        assert example.state is ExampleState.DRAFT
        version = freeze_version(session, people.lead, people.project, name="v1")
        assert [row.example_id for row in session.scalars(queries.rows_of(version))] == [other]
