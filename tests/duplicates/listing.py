"""Benchmarks for tests: lists of prompts as an admin names them, and examples compared with them."""

from collections.abc import Sequence

from sqlalchemy import select

from app.db import Database
from app.duplicates.benchmarks import operations, queries
from app.duplicates.benchmarks.checking import compare_what_is_new
from app.duplicates.benchmarks.models import BenchmarkList, BenchmarkMatch
from app.duplicates.benchmarks.reading import Brought
from app.text.canonical import sha256_hex
from tests.factories import People

ASKED = "What is a good way to get coffee stains out of a white cotton shirt without ruining it?"
MEANT = "How can I remove coffee stains from a white cotton shirt without damaging it?"
# Mistyped: the wording is alike, and the vectors are not.
WORDED = "What is a goood way to get cofee stains out of a wite coton shirt wihtout ruining it?"
OTHER = "How do I undo the last commit but keep my changes?"


def brought(*prompts: str) -> Brought:
    rows = list(enumerate(prompts, 1))
    return Brought("prompts.jsonl", sha256_hex("\n".join(prompts)), len(rows), rows)


def name_list(database: Database, people: People, *prompts: str, name: str = "TinyEval", **about: str) -> int:
    with database.writing() as session:
        added, _ = operations.add_list(session, people.lead, people.project, brought(*prompts), name=name, **about)
        return added.id


def compare(database: Database, settings, people: People) -> int:  # type: ignore[no-untyped-def]
    """What a worker does after a save: how many examples that were."""
    return compare_what_is_new(database, settings, people.project.id)


def near(database: Database, people: People) -> list[tuple[int, str, str, float]]:
    """(example, list, way, score) of what is near, by example and list."""
    query = select(BenchmarkMatch.example_id, BenchmarkList.name, BenchmarkMatch.method, BenchmarkMatch.score)
    query = query.join(BenchmarkList, BenchmarkList.id == BenchmarkMatch.list_id)
    with database.reading() as session:
        rows: Sequence[tuple[int, str, str, float]] = [
            (number, name, method.value, round(score, 3)) for number, name, method, score in session.execute(query)
        ]
    return sorted(rows)


def match_of(database: Database, people: People, example_id: int) -> int:
    with database.reading() as session:
        wanted = queries.matches_of(people.project.id).where(BenchmarkMatch.example_id == example_id)
        return session.scalars(wanted).one().id
