"""What to add next as it is asked for: by a page that cannot wait long, by the API, by somebody at a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import Database
from app.embeddings.choosing import model_of
from app.embeddings.encoder import Encoder
from app.embeddings.light import one_thread
from app.embeddings.operations import light_encoder_within
from app.embeddings.queries import pool_standing
from app.errors import Refusal
from app.projects.models import Project
from app.selection.adding.asked import Request, asked_of
from app.selection.adding.grounds import ground_within
from app.selection.adding.suggesting import Advice, Stand, Wish, set_of, suggest
from app.selection.adding.thin import ThinRegion, thin_regions
from app.selection.areas import Area
from app.selection.atlas.queries import name_of_region
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

    `problem` says why there is no encoder; `under_way` that asking again in a moment will do. `area` names the part of
    the map that was asked for, empty for all of it; `requests` are what people asked for more of.
    """

    encoded: int = 0
    total: int = 0
    problem: str = ""
    under_way: bool = False
    advice: Advice | None = None
    thin: Sequence[ThinRegion] = ()
    candidates: Sequence[Candidate] = ()
    area: str = ""
    requests: Sequence[Request] = ()


def ask(session: Session, asking: Asking, project: Project, wish: Wish) -> Answer:
    """Advice as far as it can be given within the asker's patience. Raises NoSuchRegion and NoLine."""
    area = called(session, project, wish.area)
    try:
        encoder = light_encoder_within(asking.patience, model_of(session, asking.settings, project.id))
    except Refusal as refusal:
        return Answer(problem=refusal.message, area=area)
    if encoder is None:
        return Answer(under_way=True, area=area)
    standing = pool_standing(session, encoder.key, project.id)
    if not standing[0]:
        return Answer(*standing, area=area)
    return replace(_advised(session, asking, project, encoder, wish, standing), area=area)


def called(session: Session, project: Project, area: Area) -> str:
    """A part of the map in words, empty for all of it."""
    region = "" if area.region is None else name_of_region(session, project.id, area.region)
    if area.lasso:
        return f"what lies within the line{' in ' if region else ''}{region}"
    return region


def _advised(
    session: Session, asking: Asking, project: Project, encoder: Encoder, wish: Wish, standing: tuple[int, int]
) -> Answer:
    measured = ground_within(asking.patience, session, asking.database, encoder, project.id)
    if measured is None:
        return Answer(*standing, under_way=True)
    the_set = set_of(session, encoder, project.id)
    # Of products this small two threads only wait for each other.
    with one_thread():
        asked = asked_of(session, measured, (model_of(session, asking.settings, project.id), encoder.key), project.id)
        advice = suggest(session, Stand(measured, the_set, asked), project, wish)
        thin = thin_regions(session, measured, the_set, project.id)
    numbers = [one.id for one in advice.suggestions]
    found = {one.id: one for one in session.scalars(select(Candidate).where(Candidate.id.in_(numbers)))}
    shown = [found[number] for number in numbers]
    return Answer(*standing, advice=advice, thin=thin, candidates=shown, requests=asked.requests)
