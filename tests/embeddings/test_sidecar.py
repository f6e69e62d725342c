"""The pool's vectors in files: whatever happens to them, what is read is what the database has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, event, update

from app.embeddings.models import CandidateText, Embedding
from app.embeddings.pool_rows import PoolRows
from app.embeddings.vectors import STORED, text_hash, to_bytes
from tests.duplicates.rooms import candidate, import_run

MODEL, WIDTH = "made@0", 8


class Pool:
    """A project's pool with vectors made up by number; no encoder is needed to tell them apart."""

    def __init__(self, database, settings, people, run) -> None:
        self.database, self.settings, self.people, self.run = database, settings, people, run
        self.count = 0

    def add(self, *, model: str = MODEL, width: int = WIDTH, count: int = 5) -> None:
        with self.database.writing() as session:
            for _ in range(count):
                self.count += 1
                made = candidate(session, self.run, f"c{self.count}", f"Question {self.count}?")
                self.encode(session, made.id, f"Question {self.count}?", model, width)

    def encode(self, session, candidate_id: int, prompt: str, model: str = MODEL, width: int = WIDTH) -> None:
        row = np.random.default_rng(int(text_hash(prompt)[:8], 16)).normal(size=width)
        session.add(Embedding(model=model, text_hash=text_hash(prompt), vector=to_bytes(row / np.linalg.norm(row))))
        known = {"project_id": self.people.project.id, "model": model, "prompt_hash": text_hash(prompt)}
        session.add(CandidateText(candidate_id=candidate_id, **known))
        session.flush()

    def anew(self, model: str = MODEL, width: int = WIDTH) -> PoolRows:
        """What another process would hold: nothing yet."""
        return PoolRows(self.settings, self.people.project.id, model, width)

    def assert_right(self, held: PoolRows) -> None:
        """What it holds is, row for row, what the tables say."""
        with self.database.reading() as session:
            ids, rows = held.follow(session)
            wanted = session.query(CandidateText.candidate_id, Embedding.vector).join(
                Embedding, (Embedding.model == CandidateText.model) & (Embedding.text_hash == CandidateText.prompt_hash)
            )
            wanted = wanted.filter(CandidateText.model == held.model).order_by(CandidateText.id).all()
        assert ids.tolist() == [row[0] for row in wanted]
        assert rows.astype(STORED).tobytes() == b"".join(row[1] for row in wanted)

    def vectors_read(self, held: PoolRows) -> int:
        """How many vectors it reads from the database to be up to date."""
        seen = []

        def look(_connection, _cursor, statement, *_):
            seen.append("vector" in statement)

        event.listen(self.database.engine, "before_cursor_execute", look)
        before = held._head.count
        stored = held._sidecar.head()
        try:
            with self.database.reading() as session:
                held.follow(session)
        finally:
            event.remove(self.database.engine, "before_cursor_execute", look)
        known = stored.count if stored and stored.generation == held._head.generation else before
        return held._head.count - known if any(seen) else 0

    @property
    def folder(self) -> Path:
        [folder] = (self.settings.data_dir / "vectors").glob("pool-*")
        return folder

    def file(self, ending: str) -> Path:
        [file] = self.folder.glob(f"*{ending}")
        return file


@pytest.fixture
def pool(database, settings, people):
    with database.writing() as session:
        run = import_run(session, people)
    made = Pool(database, settings, people, run)
    made.add()
    made.assert_right(made.anew())
    return made


def flip(file: Path, at: int) -> None:
    with file.open("r+b") as stream:
        stream.seek(at)
        [byte] = stream.read(1)
        stream.seek(at)
        stream.write(bytes([byte ^ 0x10]))


def test_a_new_process_reads_no_vector_from_the_database(pool):
    held = pool.anew()
    assert pool.vectors_read(held) == 0
    pool.assert_right(held)


def test_what_is_new_is_read_once_for_all_processes(pool):
    first, second = pool.anew(), pool.anew()
    pool.assert_right(first)
    pool.assert_right(second)
    pool.add()
    assert pool.vectors_read(first) == 5
    assert pool.vectors_read(second) == 0
    pool.assert_right(first)
    pool.assert_right(second)


def test_who_compares_keeps_the_rows_that_were_there(pool):
    held = pool.anew()
    with pool.database.reading() as session:
        ids, rows = held.follow(session)
    kept = rows.copy()
    pool.add()
    with pool.database.writing() as session:
        session.execute(delete(CandidateText).where(CandidateText.candidate_id == int(ids[0])))
    pool.assert_right(held)
    assert (rows == kept).all()
    rows[:] = 0  # whoever scribbles on them does so alone
    pool.assert_right(pool.anew())


@pytest.mark.parametrize("ending", ["head.json", ".ids", ".rows"])
def test_a_file_that_is_gone_is_made_anew(pool, ending):
    pool.file(ending).unlink()
    pool.assert_right(pool.anew())
    assert pool.vectors_read(pool.anew()) == 0


@pytest.mark.parametrize("ending", ["head.json", ".ids", ".rows"])
@pytest.mark.parametrize("left", [0, 7, 31])
def test_a_file_that_was_cut_is_made_anew(pool, ending, left):
    os.truncate(pool.file(ending), left)
    pool.assert_right(pool.anew())


@pytest.mark.parametrize("ending", ["head.json", ".ids", ".rows"])
def test_a_flipped_bit_anywhere_is_seen(pool, ending):
    size = pool.file(ending).stat().st_size
    for at in range(0, size, max(1, size // 12)):
        flip(pool.file(ending), at)
        pool.assert_right(pool.anew())


@pytest.mark.parametrize("name", ["model", "dimensions", "project", "form", "count", "last", "said"])
def test_a_head_of_something_else_is_not_taken(pool, name):
    head = json.loads(pool.file("head.json").read_text())
    head[name] = f"{head[name]}x" if isinstance(head[name], str) else head[name] + 1
    pool.file("head.json").write_text(json.dumps(head))
    pool.assert_right(pool.anew())


def test_another_model_has_files_of_its_own(pool):
    pool.add(model="other@1", width=4, count=3)
    pool.assert_right(pool.anew("other@1", 4))
    pool.assert_right(pool.anew())
    assert len(list((pool.settings.data_dir / "vectors").glob("pool-*"))) == 2


def test_files_of_another_database_are_not_taken_though_its_numbers_are_the_same(pool):
    """A data folder whose database was put back from elsewhere: as many rows, with the same numbers, of other texts."""
    with pool.database.writing() as session:
        row = session.query(CandidateText).filter_by(model=MODEL).order_by(CandidateText.id).first()
        fresh = text_hash("Quite another question?")
        session.add(Embedding(model=MODEL, text_hash=fresh, vector=to_bytes([1, *[0] * (WIDTH - 1)])))
        session.execute(update(CandidateText).where(CandidateText.id == row.id).values(prompt_hash=fresh))
    pool.assert_right(pool.anew())


def test_one_that_goes_while_another_comes_is_seen(pool):
    """As many as before, and not the same."""
    held = pool.anew()
    pool.assert_right(held)
    with pool.database.writing() as session:
        first = session.query(CandidateText).order_by(CandidateText.id).first()
        session.delete(first)
    pool.add(count=1)
    pool.assert_right(held)


def test_what_a_process_that_died_left_behind_counts_for_nothing(pool):
    for ending in (".ids", ".rows"):
        with pool.file(ending).open("ab") as out:
            out.write(b"\x7f" * 100)
    pool.assert_right(pool.anew())
    pool.add()
    pool.assert_right(pool.anew())
    assert pool.vectors_read(pool.anew()) == 0


def test_old_files_go(pool):
    before = {file.name for file in pool.folder.iterdir()}
    pool.file(".rows").unlink()
    pool.assert_right(pool.anew())
    after = {file.name for file in pool.folder.iterdir()}
    assert len(after) == len(before) == 4
    assert after & before == {"head.json", "lock"}


FOLLOWING = """
import sys
from app.config import Settings
from app.db import Database
from app.embeddings.pool_rows import PoolRows

database = Database(Settings())
held = PoolRows(database.settings, int(sys.argv[1]), "made@0", 8)
for _ in range(30):
    with database.reading() as session:
        ids, rows = held.follow(session)
    assert len(ids) == len(rows)
print(len(ids))
"""


def test_processes_that_follow_at_once_agree(pool, settings):
    environment = os.environ | {"HANDPICKED_DATA_DIR": str(settings.data_dir), "HANDPICKED_DATABASE_URL": settings.url}
    argv = [sys.executable, "-c", FOLLOWING, str(pool.people.project.id)]
    others = [subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    held = pool.anew()
    for _ in range(8):
        pool.add(count=2)
        pool.assert_right(held)
    for other in others:
        said, _ = other.communicate(timeout=240)
        assert other.returncode == 0
        assert int(said) >= 5
    pool.assert_right(pool.anew())
    assert pool.vectors_read(pool.anew()) == 0
