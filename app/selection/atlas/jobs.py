"""The map is drawn, and follows the pool and the set without being asked."""

from datetime import timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import Database, now
from app.embeddings.operations import live_encoding
from app.jobs.running import JobContext, handles, look
from app.projects.models import Project
from app.selection.atlas import queries
from app.selection.atlas.drawing import draw_map
from app.selection.atlas.operations import KIND, enqueue_mapping, live_mapping
from app.selection.map_models import PoolMap

# A set that is written in changes every minute; the figures of its map need not.
SET_EVERY = timedelta(minutes=10)


def _shown() -> Select[PoolMap]:
    return select(PoolMap).where(PoolMap.shown).order_by(PoolMap.id)


def _is_behind(session: Session, drawn: PoolMap) -> bool:
    if queries.last_text_of(session, drawn.project_id, drawn.model) > drawn.through:
        return True
    return now() - drawn.followed_at > SET_EVERY and queries.set_changed(session, drawn)


@handles(KIND)
def draw(context: JobContext) -> None:
    """Draw a map, or place what is new; done again, it finds what is done."""
    draw_map(context, int(context.args["project"]), anew=bool(context.args.get("anew", 0)))


@look
def follow(database: Database, settings: Settings) -> None:  # noqa: ARG001
    """Have placed what was encoded since a map was drawn, and its figures told anew when the set has changed."""
    with database.reading() as session:
        behind = [drawn.project_id for drawn in session.scalars(_shown()) if _is_behind(session, drawn)]
    for project_id in behind:
        with database.writing() as session:
            project = session.get_one(Project, project_id)
            busy = live_mapping(session, project) or live_encoding(session, project)
            if busy is None and project.archived_at is None:
                enqueue_mapping(session, None, project)
