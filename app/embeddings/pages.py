"""What people see of the pool's vectors: how many there are, what is under way, and the way to the rest."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from fastapi import Request
from sqlalchemy.orm import Session

from app.config import Settings
from app.embeddings import measured
from app.embeddings.operations import light_encoder_within, live_encoding
from app.embeddings.queries import pool_standing
from app.errors import Refusal
from app.jobs.pages import JobPanel, job_panel
from app.projects.access import ProjectAccess

# A page waits so long for a model that is not loaded yet, and then says that it is under way.
PATIENCE = 0.5


@dataclass(frozen=True)
class PoolStanding:
    """How much of a project's pool is encoded, with the addresses that its fragment asks; `next` is where to go on.

    `model` is empty while it is being loaded, or where there is none: `reason` says why. `engine` says what encodes on
    this machine, once that was tried.
    """

    slug: str
    url: str
    start_url: str
    stop_url: str
    job: JobPanel | None
    next: str = ""
    model: str = ""
    encoded: int = 0
    total: int = 0
    reason: str = ""
    engine: str = ""

    @property
    def loading(self) -> bool:
        """Whether the model will be there in a moment."""
        return not self.model and not self.reason

    @property
    def whole(self) -> bool:
        """Whether nothing is left to encode."""
        return bool(self.model) and self.encoded >= self.total

    @property
    def waits(self) -> bool:
        """Whether asking again in a moment will show more."""
        return self.loading or self.job is not None


def pool_standing_of(request: Request, session: Session, access: ProjectAccess, after: str = "") -> PoolStanding:
    """How far a project's pool is encoded, for `templates/embeddings/_standing.html`.

    `after` is the path of the page that shows it: where to go on once all is encoded.
    """
    settings: Settings = request.app.state.settings
    standing = _without_model(request, session, access, after)
    try:
        encoder = light_encoder_within(PATIENCE, settings.embedding_model)
    except Refusal as refusal:
        return replace(standing, reason=refusal.message)
    if encoder is None:
        return standing
    encoded, total = pool_standing(session, encoder.key, access.project.id)
    choice = measured.chosen(settings, encoder.key)
    engine = measured.in_words(choice) if choice else ""
    return replace(standing, model=encoder.name, encoded=encoded, total=total, engine=engine)


def _without_model(request: Request, session: Session, access: ProjectAccess, after: str) -> PoolStanding:
    slug, path_for = access.project.slug, request.app.url_path_for
    query = f"?{urlencode({'next': after})}" if after else ""
    job = live_encoding(session, access.project)
    return PoolStanding(
        slug=slug,
        url=f"{path_for('embeddings:standing', slug=slug)}{query}",
        start_url=f"{path_for('embeddings:start', slug=slug)}{query}",
        stop_url=str(path_for("jobs:cancel", slug=slug, job_id=job.id)) if job else "",
        job=job_panel(job, access, after) if job else None,
        next=after,
    )
