"""What people see of the pool's vectors: how many there are, what is under way, and the way to the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from fastapi import Request
from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.config import Settings
from app.embeddings import measured
from app.embeddings.choosing import as_typed, change_of, model_of, title_of
from app.embeddings.forms import ModelForm
from app.embeddings.operations import light_encoder_within, live_encoding
from app.embeddings.queries import pool_standing
from app.errors import Refusal
from app.jobs.pages import JobPanel, job_panel
from app.projects.access import ProjectAccess
from app.web.forms import Posted

# A page waits so long for a model that is not loaded yet, and then says that it is under way.
PATIENCE = 0.5


@dataclass(frozen=True)
class PoolStanding:
    """How much of a project's pool is encoded, with the addresses that its fragment asks; `next` is where to go on.

    `model` is empty while it is being loaded, or where there is none: `reason` says why. `engine` says what encodes on
    this machine, once that was tried. `next_model` is the one that the project changes to, `problem` why that ended.
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
    next_model: str = ""
    next_encoded: int = 0
    problem: str = ""

    @property
    def loading(self) -> bool:
        """Whether the model will be there in a moment."""
        return not self.model and not self.reason

    @property
    def whole(self) -> bool:
        """Whether nothing is left to encode."""
        return bool(self.model) and not self.next_model and self.encoded >= self.total

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
        encoder = light_encoder_within(PATIENCE, model_of(session, settings, access.project.id))
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
    change = change_of(session, request.app.state.settings, access.project)
    return PoolStanding(
        slug=slug,
        url=f"{path_for('embeddings:standing', slug=slug)}{query}",
        start_url=f"{path_for('embeddings:start', slug=slug)}{query}",
        stop_url=str(path_for("jobs:cancel", slug=slug, job_id=job.id)) if job else "",
        job=job_panel(job, access, after) if job else None,
        next=after,
        next_model=change.model if change else "",
        next_encoded=change.encoded if change else 0,
        problem=(change.problem or "") if change else "",
    )


@dataclass(frozen=True)
class ModelPanel:
    """The model of a project, and the form for another; `named` where the person may name any."""

    in_use: str
    usual: str
    url: str
    may_change: bool
    named: bool
    typed: Mapping[str, str]
    errors: Mapping[str, str]
    # Those that hold the form's fields for giving a change up.
    back: Mapping[str, str]


@dataclass(frozen=True)
class EncodingPage:
    """The page of a pool's vectors."""

    standing: PoolStanding
    model: ModelPanel


def encoding_page(
    request: Request, session: Session, access: ProjectAccess, after: str = "", form: Posted[ModelForm] | None = None,
    refused: str = "",
) -> EncodingPage:  # fmt: skip
    """How far the pool is encoded, by what, and the way to another model."""
    project, settings = access.project, request.app.state.settings
    wanted = project.encoder if project.next_encoder is None else project.next_encoder
    panel = ModelPanel(
        in_use=title_of(model_of(session, settings, project.id)),
        usual=title_of(settings.embedding_model),
        url=str(request.app.url_path_for("embeddings:set_model", slug=project.slug)),
        may_change=access.role is Role.ADMIN and project.archived_at is None,
        named=access.user.role is Role.ADMIN,
        typed=form.typed if form else as_typed(wanted),
        errors=(form.errors if form else {}) | ({"model": refused} if refused else {}),
        back=as_typed(project.encoder),
    )
    # Who watches a change sees the page anew once it is over.
    here = (
        str(request.app.url_path_for("embeddings:standing", slug=project.slug))
        if project.next_encoder is not None
        else ""
    )
    return EncodingPage(pool_standing_of(request, session, access, after or here), panel)
