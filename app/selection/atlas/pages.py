"""The map as a page: the picture's labels, its regions as a table, and what is under way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request
from sqlalchemy.orm import Session

from app.embeddings.choosing import model_of
from app.embeddings.operations import light_encoder_within
from app.embeddings.pages import PoolStanding, pool_standing_of
from app.errors import Refusal
from app.examples.labels import SourceLabels
from app.jobs.pages import JobPanel, job_panel
from app.projects.access import ProjectAccess
from app.projects.models import Project
from app.projects.queries import composition_of, members_of
from app.selection.atlas import queries
from app.selection.atlas.figures import NEAR, Figures, Region, figures_of, mostly, own_points
from app.selection.atlas.forms import MapQuery
from app.selection.atlas.layout import FEWEST
from app.selection.atlas.operations import live_mapping
from app.selection.map_models import FULL, Method, PoolMap
from app.selection.search.pages import REASONS

COLOURINGS = (("source", "Source"), ("state", "State"), ("region", "Region"), ("split", "Split"))


@dataclass(frozen=True)
class Label:
    """A region's name where it stands on the picture, in percent."""

    number: int
    name: str
    x: str
    y: str
    thin: bool
    at: bool


@dataclass(frozen=True)
class RegionRow:
    """A region in the table; bars are percents of the widest one, numbers are ready for people."""

    number: int
    name: str
    # Its own words, where somebody called it otherwise.
    words: str
    thin: bool
    far: int
    far_share: str
    candidates: int
    kept: int
    examples: int
    pool_bar: float
    set_bar: float
    pool_share: str
    set_share: str
    mostly: str
    at: bool


@dataclass(frozen=True)
class Drawn:
    """A map that is there; a rough one is by principal components, although there is enough for more."""

    id: int
    rough: bool
    older_model: bool
    waiting: int
    drawn_at: datetime
    labels: Sequence[Label]
    rows: Sequence[RegionRow]
    whole: RegionRow
    thinnest: RegionRow | None
    second: RegionRow | None
    sources: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class MapPage:
    """The map of a project's pool, or the way to one."""

    slug: str
    standing: PoolStanding
    job: JobPanel | None
    drawn: Drawn | None
    wanted: MapQuery
    colourings: Sequence[tuple[str, str]]
    reasons: Sequence[str]
    colleagues: Sequence[tuple[int, str]]
    near: str
    may_change: bool

    @property
    def encoded(self) -> int:
        """How many candidates a map would hold."""
        return self.standing.encoded


def map_page(request: Request, session: Session, access: ProjectAccess, wanted: MapQuery) -> MapPage:
    """The page of the map."""
    project = access.project
    here = str(request.app.url_path_for("selection:map", slug=project.slug))
    found = queries.map_of(session, project.id, whole=True)
    job = live_mapping(session, project)
    labels = SourceLabels(session.scalars(composition_of(project)))
    return MapPage(
        slug=project.slug,
        standing=pool_standing_of(request, session, access, here),
        job=job_panel(job, access, here) if job else None,
        drawn=_drawn(session, found, labels, wanted, _model(request, session, project)) if found else None,
        wanted=wanted,
        colourings=COLOURINGS,
        reasons=REASONS,
        colleagues=_colleagues(session, access),
        near=f".{NEAR}",
        may_change=project.archived_at is None,
    )


def _colleagues(session: Session, access: ProjectAccess) -> list[tuple[int, str]]:
    """To whom something can be assigned, as (number, name): every other member."""
    people = [one.user for one in session.scalars(members_of(access.project))]
    return [(one.id, one.name) for one in people if one.active and one.id != access.user.id]


def _model(request: Request, session: Session, project: Project) -> str:
    """The key of the model in force; empty while nobody knows it."""
    try:
        encoder = light_encoder_within(0, model_of(session, request.app.state.settings, project.id))
    except Refusal:
        return ""
    return encoder.key if encoder else ""


def _drawn(session: Session, drawn: PoolMap, labels: SourceLabels, wanted: MapQuery, model: str) -> Drawn:
    figures = figures_of(session, drawn, own_points(session, drawn))
    in_order = figures.thinnest_first()
    rows = {region.number: _row(figures, region, labels, wanted) for region in (*in_order, figures.whole)}
    thin = [rows[region.number] for region in in_order if figures.is_thin(region)]
    return Drawn(
        id=drawn.id,
        rough=drawn.method is Method.PCA and figures.whole.candidates >= FEWEST,
        older_model=bool(model) and model != drawn.model,
        waiting=queries.unplaced(session, drawn),
        drawn_at=drawn.created_at,
        labels=[_label(drawn, figures, region, wanted) for region in figures.regions],
        rows=[rows[region.number] for region in in_order],
        whole=rows[0],
        thinnest=thin[0] if thin else None,
        second=thin[1] if len(thin) > 1 else None,
        sources=[(labels.of(key or None).tint, labels.of(key or None).title) for key in _seen(figures, labels)],
    )


def _seen(figures: Figures, labels: SourceLabels) -> list[str]:
    return labels.in_order(figures.whole.source)


def _label(drawn: PoolMap, figures: Figures, region: Region, wanted: MapQuery) -> Label:
    stands = drawn.regions[region.number - 1]
    return Label(
        number=region.number,
        name=region.name,
        x=f"{100 * stands['x'] / FULL:.1f}%",
        y=f"{100 * stands['y'] / FULL:.1f}%",
        thin=figures.is_thin(region),
        at=wanted.region == region.number,
    )


def _row(figures: Figures, region: Region, labels: SourceLabels, wanted: MapQuery) -> RegionRow:
    shares = [share(one) for one in figures.regions for share in (figures.share_of_pool, figures.share_of_set)]
    widest = max(shares, default=0.0) or 1.0
    of_pool, of_set = figures.share_of_pool(region), figures.share_of_set(region)
    return RegionRow(
        number=region.number,
        name=region.name,
        words=region.words,
        thin=region.number > 0 and figures.is_thin(region),
        far=region.far,
        far_share=_percent(region.far_share),
        candidates=region.candidates,
        kept=region.status["kept"],
        examples=region.examples,
        pool_bar=95 * of_pool / widest,
        set_bar=95 * of_set / widest,
        pool_share=_percent(of_pool),
        set_share=_percent(of_set),
        mostly=mostly(labels, region.source) if region.source else "",
        at=region.number > 0 and wanted.region == region.number,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
