"""What to add next as it is asked for: by a page that cannot wait long, by the API, by somebody at a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import Database
from app.embeddings.encoder import Encoder
from app.embeddings.light import one_thread
from app.embeddings.operations import light_encoder_within
from app.embeddings.queries import pool_standing
from app.errors import Refusal
from app.projects.models import Project
from app.selection.adding.grounds import ground_within
from app.selection.adding.suggesting import Advice, By, set_of, suggest
from app.selection.adding.thin import ThinRegion, thin_regions
from app.sources.models import Candidate

# A page waits so long for what is measured for the first time.
PATIENCE = 1.0


@dataclass(frozen=True)
class Asking:
    """Where to look, and how long whoever asks can wait."""

    database: Database
    settings: Settings
    patience: float = PATIENCE


@dataclass(frozen=True)
class Answer:
    """What there is to say: advice, or how far it is from that.

    `problem` says why there is no encoder; `under_way` that asking again in a moment will do.
    """

    encoded: int = 0
    total: int = 0
    problem: str = ""
    under_way: bool = False
    advice: Advice | None = None
    thin: Sequence[ThinRegion] = ()
    candidates: Sequence[Candidate] = ()


def ask(session: Session, asking: Asking, project: Project, by: By, count: int = 10, skip: int = 0) -> Answer:
    """Advice as far as it can be given within the asker's patience."""
    try:
        encoder = light_encoder_within(asking.patience, asking.settings.embedding_model)
    except Refusal as refusal:
        return Answer(problem=refusal.message)
    if encoder is None:
        return Answer(under_way=True)
    encoded, total = pool_standing(session, encoder.key, project.id)
    if not encoded:
        return Answer(encoded, total)
    return _advised(session, asking, project, encoder, by, count, skip, (encoded, total))


def _advised(
    session: Session, asking: Asking, project: Project, encoder: Encoder, by: By, count: int, skip: int,
    standing: tuple[int, int],
) -> Answer:  # fmt: skip
    measured = ground_within(asking.patience, session, asking.database, encoder, project.id)
    if measured is None:
        return Answer(*standing, under_way=True)
    the_set = set_of(session, encoder, project.id)
    # Of products this small two threads only wait for each other.
    with one_thread():
        advice = suggest(session, measured, the_set, project, by=by, count=count, skip=skip)
        thin = thin_regions(session, measured, the_set)
    numbers = [one.id for one in advice.suggestions]
    found = {one.id: one for one in session.scalars(select(Candidate).where(Candidate.id.in_(numbers)))}
    return Answer(*standing, advice=advice, thin=thin, candidates=[found[number] for number in numbers])
