"""Colleagues' examples that say something: found by their words, by their meaning, or both, the approved ones first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.duplicates.encoding import count_stale
from app.duplicates.means import Asking, Means, means_of
from app.duplicates.shelf import Match
from app.examples.labels import shown_title
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import ExampleFilter, heads_by_id
from app.examples.searching import beginning, search_examples
from app.projects.models import Project
from app.text.plain import plain_words
from app.text.search import Piece

MOST_HITS = 20
# So many of each kind of text are looked at; what is further away than all of them is no neighbour.
NEAREST = 100
# Of questions drawn at random from real sites nineteen in twenty pairs lie below .24.
LEAST_COSINE = 0.3
# Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009).
RANKS = 60

WORDS, MEANING = "words", "meaning"


@dataclass(frozen=True)
class Hit:
    """An example and how it was found; `cosine` is that of its nearer text, where meaning found it."""

    id: int
    source: str
    state: ExampleState
    split: str
    language: str
    title: Sequence[Piece]
    snippet: Sequence[Piece]
    by: str
    changed_at: datetime
    ways: tuple[str, ...]
    cosine: float | None = None


@dataclass(frozen=True)
class Sought:
    """What was found; `waiting` of `total` examples are not encoded yet, so meaning cannot find them as they stand."""

    hits: Sequence[Hit]
    waiting: int
    total: int
    under_way: bool = False
    reason: str = ""


def seek(session: Session, asking: Asking, project: Project, typed: str, *, but: int | None = None) -> Sought:
    """Find examples by what is typed, all `but` that one, at most MOST_HITS, in a constant number of queries.

    Rejected examples, and those that this session's person may not see, are not found.
    """
    waiting, total = count_stale(session, project.id)
    if not typed.strip():
        return Sought((), waiting, total)
    by_words = _by_words(session, project.id, typed)
    means = means_of(session, asking, project.id)
    cosines = _by_meaning(means, typed)
    hits = _joined(session, by_words, cosines, but)
    return Sought(hits, waiting, total, means.under_way, means.reason)


def _by_words(session: Session, project_id: int, typed: str) -> dict[int, Hit]:
    approved = ExampleFilter(state=ExampleState.APPROVED)
    found = search_examples(session, project_id, typed, filters=approved, limit=MOST_HITS)
    found += search_examples(session, project_id, typed, limit=MOST_HITS)
    return {
        one.id: Hit(
            one.id, one.source, one.state, one.split.value, one.language, one.title, one.snippet, one.by,
            one.changed_at, (WORDS,),
        )
        for one in found if one.state is not ExampleState.REJECTED
    }  # fmt: skip


def _by_meaning(means: Means, typed: str) -> dict[int, float]:
    """The cosine of the nearer text of each neighbour, the nearest first."""
    unit = means.vector_of(typed)
    if unit is None or means.shelf is None:
        return {}
    near: list[Match] = [*means.shelf.near_prompts(unit, NEAREST), *means.shelf.near_responses(unit, NEAREST)]
    found: dict[int, float] = {}
    for match in sorted(near, key=lambda match: (-match.score, match.example_id)):
        if match.score >= LEAST_COSINE:
            found.setdefault(match.example_id, match.score)
    return found


def _joined(session: Session, by_words: Mapping[int, Hit], cosines: Mapping[int, float], but: int | None) -> list[Hit]:
    """The best of both, each with the ways in which it was found; only what is shown is read."""
    ranks: dict[int, float] = {}
    for order in (list(by_words), list(cosines)):
        for place, example_id in enumerate(order):
            ranks[example_id] = ranks.get(example_id, 0.0) + 1 / (RANKS + place)
    query = select(Example.id, Example.state == ExampleState.APPROVED)
    query = query.where(Example.id.in_(ranks), Example.id != (but or 0), Example.state != ExampleState.REJECTED)
    seen: dict[int, bool] = dict(iter(session.execute(query)))
    best = sorted(seen, key=lambda example_id: (not seen[example_id], -ranks[example_id], example_id))[:MOST_HITS]
    heads = session.scalars(heads_by_id([example_id for example_id in best if example_id not in by_words]))
    hits = dict(by_words) | {head.example_id: _hit(head) for head in heads}
    return [_marked(hits[example_id], cosines.get(example_id)) for example_id in best if example_id in hits]


def _marked(hit: Hit, cosine: float | None) -> Hit:
    return hit if cosine is None else replace(hit, ways=(*hit.ways, MEANING), cosine=cosine)


def _hit(head: Revision) -> Hit:
    """What meaning alone has found: no word of it is one that was looked for, so none is marked."""
    example, writer = head.example, head.author or head.example.creator
    return Hit(
        id=example.id,
        source=example.source,
        state=example.state,
        split=example.split.value,
        language=example.language,
        title=(Piece(shown_title(plain_words(head.title))),),
        snippet=(Piece(beginning(head)),),
        by=writer.name if writer else "nobody here",
        changed_at=example.changed_at,
        ways=(),
    )
