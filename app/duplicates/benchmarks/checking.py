"""Examples are compared with the listed prompts: those that were not, as they stand, since words or lists changed.

Guarantee: it can be done again, by two at once and after any stop, and ends in the same matches. What was decided about
the same words stays; what was compared with lists that have changed meanwhile is not noted, and so compared again.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, delete, select
from sqlalchemy.orm import Session

from app.config import Settings
from app.duplicates.benchmarks.crossing import Asked, Crossing, Meant, asked_in, crossings
from app.duplicates.benchmarks.models import BenchmarkCheck, BenchmarkList, BenchmarkMatch, MatchVerdict
from app.duplicates.benchmarks.queries import in_words, thresholds_of, uncompared
from app.duplicates.benchmarks.shelf import Shelf, shelf_of
from app.embeddings.choosing import model_of
from app.embeddings.encoder import Encoder
from app.embeddings.operations import Store, encoder_for, vectors_for
from app.embeddings.vectors import Progress, text_hash
from app.errors import Refusal
from app.examples.models import Example
from app.sources.bulk import inserting
from app.text.dialogue import prompts_in

EXAMPLES_A_STEP = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compared:
    """An example whose words were compared, at its revision: the hashes of its prompts, and what is near to them."""

    example_id: int
    revision_number: int
    hashes: Collection[str]
    found: Sequence[Crossing]


def compare_what_is_new(store: Store, settings: Settings, project_id: int, progress: Progress | None = None) -> int:
    """Compare whatever of a project was not compared as it stands, and give how many examples that were.

    None where it names no list. Without a model they are compared by words alone, and by meaning once there is one.
    """
    with store.reading() as session:
        shelf, thresholds = shelf_of(session, project_id), thresholds_of(session, project_id)
        waiting = session.execute(uncompared(project_id, thresholds)).all() if shelf else []
        model = model_of(session, settings, project_id) if waiting else ""
    if shelf is None or not waiting:
        return 0
    prompts = [one for number, _, messages in waiting for one in asked_in(number, prompts_in(messages))]
    encoder = _encoder(model)
    meant = _meant(store, encoder, shelf, prompts, progress) if encoder else None
    near: dict[int, list[Crossing]] = {}
    for one in crossings(prompts, shelf.listed, thresholds, meant):
        near.setdefault(one.left, []).append(one)
    said: dict[int, set[str]] = {}
    for asked_one in prompts:
        said.setdefault(asked_one.example_id, set()).add(text_hash(asked_one.text))
    done = [Compared(number, revision, said.get(number, ()), near.get(number, ())) for number, revision, _ in waiting]
    how = {"thresholds": in_words(thresholds), "model": encoder.key if encoder else ""}
    for part in _parts(done):
        with store.writing() as session:
            _keep(session, project_id, shelf, part, how)
    return len(done)


def _encoder(model: str) -> Encoder | None:
    try:
        return encoder_for(model)
    except Refusal as refusal:
        log.warning("examples are compared with benchmarks by words alone: %s", refusal.message)
        return None


def _meant(store: Store, encoder: Encoder, shelf: Shelf, prompts: Sequence[Asked], progress: Progress | None) -> Meant:
    """Vectors of both sides; a listed prompt is encoded once, however often its lists are compared."""
    theirs = shelf.vectors.get(encoder.key)
    if theirs is None:
        theirs = vectors_for(store, encoder, shelf.listed.texts, progress)
        shelf.vectors = {encoder.key: theirs}
    return Meant(vectors_for(store, encoder, [one.text for one in prompts]), theirs)


def _parts(done: Sequence[Compared]) -> Iterator[Sequence[Compared]]:
    for start in range(0, len(done), EXAMPLES_A_STEP):
        yield done[start : start + EXAMPLES_A_STEP]


def _keep(session: Session, project_id: int, shelf: Shelf, part: Sequence[Compared], how: Mapping[str, str]) -> None:
    """Put what was found in the place of what was known of these examples, unless the lists are others by now."""
    held = select(BenchmarkList.id).where(BenchmarkList.project_id == project_id).order_by(BenchmarkList.id)
    numbers = set(session.scalars(held.with_for_update(read=True, key_share=True)))
    if numbers != shelf.list_numbers:
        return
    ids = sorted(one.example_id for one in part)
    living = select(Example.id).where(Example.id.in_(ids)).order_by(Example.id)
    there = set(session.scalars(living.with_for_update(read=True, key_share=True)))
    rows = [_values(project_id, shelf, found) for one in part for found in one.found if one.example_id in there]
    _forget(session, part, rows)
    rows.sort(key=lambda row: (row["prompt_id"], row["example_id"]))
    if rows:
        session.execute(_insert_or_refresh(session), rows)
    checks = [
        {"example_id": one.example_id, "project_id": project_id, "revision_number": one.revision_number, **how}
        for one in part if one.example_id in there
    ]  # fmt: skip
    if checks:
        session.execute(_note(session), checks)


def _values(project_id: int, shelf: Shelf, found: Crossing) -> dict[str, Any]:
    return {
        "project_id": project_id,
        "list_id": shelf.list_ids[found.right],
        "prompt_id": shelf.ids[found.right],
        "example_id": found.left,
        "turn": found.turn,
        "method": found.method,
        "score": found.score,
        "text_hash": text_hash(found.text),
        "verdict": MatchVerdict.OPEN,
        "reason": "",
        "effect": {},
        "decided_by": None,
        "decided_at": None,
    }


def _forget(session: Session, part: Sequence[Compared], rows: Sequence[Mapping[str, Any]]) -> None:
    """Take away what these examples are near to no more.

    A decision about words that are still there is kept even where a higher threshold finds the two no more.
    """
    found = {(row["prompt_id"], row["example_id"]) for row in rows}
    said = {one.example_id: one.hashes for one in part}
    columns = (BenchmarkMatch.id, BenchmarkMatch.prompt_id, BenchmarkMatch.example_id, BenchmarkMatch.verdict)
    known = select(*columns, BenchmarkMatch.text_hash).where(BenchmarkMatch.example_id.in_(said))
    gone = [
        row.id
        for row in session.execute(known)
        if (row.prompt_id, row.example_id) not in found
        and (row.verdict is MatchVerdict.OPEN or row.text_hash not in said[row.example_id])
    ]
    if gone:
        session.execute(delete(BenchmarkMatch).where(BenchmarkMatch.id.in_(gone)))


def _insert_or_refresh(session: Session) -> Any:
    statement = inserting(session, BenchmarkMatch)
    new = statement.excluded
    same = BenchmarkMatch.text_hash == new.text_hash
    # It was decided about these words; about others nobody has decided yet.
    decided = ("verdict", "reason", "effect", "decided_by", "decided_at")
    kept = {name: case((same, getattr(BenchmarkMatch, name)), else_=getattr(new, name)) for name in decided}
    values = {name: getattr(new, name) for name in ("turn", "method", "score", "text_hash")}
    return statement.on_conflict_do_update(index_elements=["prompt_id", "example_id"], set_=values | kept)


def _note(session: Session) -> Any:
    statement = inserting(session, BenchmarkCheck)
    values = {name: getattr(statement.excluded, name) for name in ("revision_number", "thresholds", "model")}
    return statement.on_conflict_do_update(index_elements=["example_id"], set_=values)
