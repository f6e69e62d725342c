"""What is compared while somebody writes is kept up to date: the newest words of every example, with their vectors.

Guarantee: it can be done again, by two at once and after any stop; whoever comes second finds it done. A few texts are
encoded by the light encoder, which is there at once; many by the full one, which is faster and takes its time to load.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, select
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import Database
from app.duplicates.lexical import signature
from app.duplicates.models import ExampleText
from app.duplicates.normal import normal_form
from app.embeddings.choosing import follows, models_in_use
from app.embeddings.encoder import Encoder
from app.embeddings.operations import encoder_for, light_encoder_within, vectors_for
from app.embeddings.queries import stored_hashes
from app.embeddings.vectors import text_hash
from app.errors import Refusal
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import arrived
from app.examples.sight import everything
from app.examples.tallies import facet_counts
from app.sources.bulk import insert_ignoring
from app.text.dialogue import prompt_of, response_of

# Some seconds by the light encoder: so long is what one look may take too long.
EXAMPLES_AT_ONCE = 16
# From so many on the full encoder has made up for the seconds that it takes to load.
MANY = 200
LOADING = 600.0
# So many of the examples that were changed last are looked at one by one, whether they are encoded.
LATEST = 200
ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Stale:
    """An example whose newest words have no vectors yet."""

    example_id: int
    project_id: int
    revision_number: int
    prompt: str
    response: str


def stale(model: str, projects: Sequence[int]) -> Select[Any]:
    """(id, project_id, number, messages) of what is not encoded as it stands now, by this model, of these projects.

    The newest come first: they are what somebody is about to repeat.
    """
    head = and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)
    done = [ExampleText.example_id == Example.id, ExampleText.revision_number == Example.revision_number]
    done += [ExampleText.model == model]
    query = select(Example.id, Example.project_id, Revision.number, Revision.messages).join(Revision, head)
    query = query.outerjoin(ExampleText, and_(*done))
    here = Example.project_id.in_(projects)
    query = query.where(ExampleText.id.is_(None), Example.state != ExampleState.REJECTED, arrived(), here)
    return query.order_by(Example.id.desc())


def lately_stale(project_id: int) -> Select[Any]:
    """The numbers of those of a project's LATEST changed examples that are not encoded as they stand now."""
    latest = select(Example.id, Example.revision_number).where(
        Example.project_id == project_id, Example.state != ExampleState.REJECTED, arrived()
    )
    lately = latest.order_by(Example.changed_at.desc(), Example.id.desc()).limit(LATEST).subquery()
    done = and_(ExampleText.example_id == lately.c.id, ExampleText.revision_number == lately.c.revision_number)
    return select(lately.c.id).outerjoin(ExampleText, done).where(ExampleText.id.is_(None))


def count_stale(session: Session, project_id: int) -> tuple[int, int]:
    """How many of a project's examples are not encoded as they stand now, and of how many.

    Counted without looking at each: of those that have a vector of older words, only the latest changed are seen.
    """
    out = (Example.project_id == project_id, Example.state == ExampleState.REJECTED)
    with everything(session):
        standing = facet_counts(session, project_id)
        total = sum(row.count for row in standing if row.state is not ExampleState.REJECTED)
        texts = session.scalar(select(func.count(ExampleText.id)).where(ExampleText.project_id == project_id)) or 0
        of_rejected = select(func.count(ExampleText.id)).join(Example, Example.id == ExampleText.example_id).where(*out)
        encoded = texts - (session.scalar(of_rejected) or 0)
        late = set(session.scalars(lately_stale(project_id)))
        older = select(func.count(ExampleText.id)).where(ExampleText.example_id.in_(late))
        outdated = (session.scalar(older) or 0) if late else 0
    return max(total - encoded + outdated, len(late)), total


def bring_up_to_date(
    database: Database,
    settings: Settings,
    project_id: int | None = None,
    *,
    seconds: float = float("inf"),
    patience: float = LOADING,
) -> bool:
    """Encode what is not encoded, of one project or of all, for so long; whether all is done.

    Each few examples are kept as soon as they are done. Raises what an encoder raises, once the others are done.
    """
    until = time.monotonic() + seconds
    with database.reading() as session:
        models = models_in_use(session, settings, project_id)
    done, refused = True, None
    for model, projects in models.items():
        try:
            done = _bring(database, model, projects, until, patience) and done
        except Refusal as refusal:
            refused = refusal
    if refused is not None:
        raise refused
    return done


def _bring(database: Database, model: str, projects: Sequence[int], until: float, patience: float) -> bool:
    light = light_encoder_within(patience, model)
    if light is None:
        return False
    while waiting := _waiting(database, light.key, projects):
        encoder = encoder_for(model) if len(waiting) == MANY else light
        for start in range(0, len(waiting), EXAMPLES_AT_ONCE):
            _encode(database, encoder, waiting[start : start + EXAMPLES_AT_ONCE])
            if time.monotonic() >= until:
                return False
    return True


def _waiting(database: Database, model: str, projects: Sequence[int]) -> list[Stale]:
    with database.reading() as session:
        rows = session.execute(stale(model, projects).limit(MANY)).all()
    return [Stale(number, of, head, prompt_of(said), response_of(said)) for number, of, head, said in rows]


def _encode(database: Database, encoder: Encoder, part: Sequence[Stale]) -> None:
    vectors_for(database, encoder, [text for one in part for text in (one.prompt, one.response)])
    with database.writing() as session:
        keep_texts(session, encoder.key, part)


def keep_texts(session: Session, model: str, part: Sequence[Stale]) -> None:
    """Put new rows in the place of the old ones; of an example that is gone by now, none."""
    ids = sorted(one.example_id for one in part)
    held = select(Example.id).where(Example.id.in_(ids)).order_by(Example.id)
    there = set(session.scalars(held.with_for_update(read=True, key_share=True)))
    session.execute(delete(ExampleText).where(ExampleText.example_id.in_(ids)))
    rows = [_values(model, one) for one in part if one.example_id in there]
    if rows:
        session.execute(insert_ignoring(session, ExampleText), rows)


@follows
def follow_model(session: Session, project_id: int, model: str) -> None:
    """A project's rows go with it to another model, if their texts have its vectors; the next look makes the others."""
    columns = [column for column in ExampleText.__table__.columns if column.name != "id"]
    before = select(ExampleText.id, *columns).where(ExampleText.project_id == project_id, ExampleText.model != model)
    after = 0
    while (
        part := session.execute(before.where(ExampleText.id > after).order_by(ExampleText.id).limit(ROWS_AT_ONCE))
        .mappings()
        .all()
    ):
        after = part[-1]["id"]
        wanted = {one["id"]: {one["prompt_hash"], one["response_hash"]} - {""} for one in part}
        there = stored_hashes(session, model, sorted(set().union(*wanted.values())))
        moved = [one for one in part if wanted[one["id"]] <= there]
        session.execute(delete(ExampleText).where(ExampleText.id.in_([one["id"] for one in moved])))
        if moved:
            values = [{name: value for name, value in one.items() if name != "id"} | {"model": model} for one in moved]
            session.execute(insert(ExampleText), values)


def _values(model: str, one: Stale) -> dict[str, Any]:
    form = normal_form(one.prompt)
    return {
        "example_id": one.example_id,
        "project_id": one.project_id,
        "revision_number": one.revision_number,
        "model": model,
        "prompt_hash": text_hash(one.prompt) if one.prompt.strip() else "",
        "response_hash": text_hash(one.response) if one.response.strip() else "",
        "prompt_form": text_hash(form) if form else "",
        "prompt_signature": signature(one.prompt).astype("<u4").tobytes(),
    }
