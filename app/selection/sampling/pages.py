"""A sampling plan as a page: what it would take, the shares as bars with their table, and what each quota lacks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.examples.labels import SourceLabel, SourceLabels, shown_title
from app.projects.access import ProjectAccess
from app.projects.queries import composition_of, role_in
from app.selection import queries as pool
from app.selection.sampling import queries, taking
from app.selection.sampling.drawing import Drawn
from app.selection.sampling.forms import SampleForm
from app.selection.sampling.plans import PLANS, BadPlan

MOST_STRATA = 30
MOST_ROWS = 20
MOST_SAMPLINGS = 10


@dataclass(frozen=True)
class Bar:
    """A stratum; `share` and `expected` are in per cent, `width` that of the bar against the widest."""

    name: str
    eligible: int
    share: str
    taken: int
    width: int


@dataclass(frozen=True)
class PickedRow:
    """A candidate that would be taken."""

    id: int
    title: str
    stratum: str
    as_title: bool


@dataclass(frozen=True)
class PartPanel:
    """One part of the plan."""

    source: SourceLabel
    split: str
    missing: int | None
    eligible: int
    taken: int
    why: str
    rule: str
    bars: Sequence[Bar]
    more_bars: int
    rows: Sequence[PickedRow]
    more_rows: int


@dataclass(frozen=True)
class PastSampling:
    """A plan that was carried out."""

    number: int
    plan: str
    sha256: str
    seed: int
    taken: int
    at: datetime
    undone: bool


@dataclass(frozen=True)
class SamplePage:
    """The form, what would be taken, and what was taken before; `problem` says why the plan cannot be read."""

    slug: str
    form: SampleForm
    plans: Sequence[tuple[str, str]]
    problem: str
    sha256: str
    taken: int
    missing: int
    parts: Sequence[PartPanel]
    past: Sequence[PastSampling]
    may_take: bool


def sample_page(session: Session, access: ProjectAccess, wanted: SampleForm) -> SamplePage:
    """The preview of a plan."""
    problem, drawn, sha256 = "", [], ""
    try:
        plan = wanted.as_plan()
        sha256, drawn = plan.sha256, taking.look(session, access.project, plan, wanted.seed)
    except BadPlan as bad:
        problem = bad.message
    return SamplePage(
        slug=access.project.slug,
        form=wanted,
        plans=[(name, "LIMA, sections 3 to 6" if name == "lima" else name) for name in PLANS],
        problem=problem,
        sha256=sha256,
        taken=sum(len(part.picks) for part in drawn),
        missing=sum(part.missing or 0 for part in drawn),
        parts=_panels(session, access, drawn),
        past=_past(session, access),
        may_take=role_in(session, access.project, access.user) is Role.ADMIN,
    )


def _panels(session: Session, access: ProjectAccess, drawn: Sequence[Drawn]) -> list[PartPanel]:
    labels = SourceLabels(session.scalars(composition_of(access.project)))
    shown = [pick.candidate.id for part in drawn for pick in part.picks[:MOST_ROWS]]
    titles = pool.titles_of(session, shown)
    return [_panel(part, labels, titles) for part in drawn]


def _panel(drawn: Drawn, labels: SourceLabels, titles: dict[int, str]) -> PartPanel:
    widest = max((one.share for one in drawn.strata), default=0) or 1
    strata = sorted(drawn.strata, key=lambda one: (-one.share, one.name))
    rows = [
        PickedRow(one.candidate.id, shown_title(titles[one.candidate.id]), one.stratum, one.as_title)
        for one in drawn.picks[:MOST_ROWS]
    ]
    return PartPanel(
        source=labels.of(drawn.part.source),
        split=drawn.part.split,
        missing=drawn.missing,
        eligible=drawn.eligible,
        taken=len(drawn.picks),
        why=drawn.why,
        rule=_in_words(drawn),
        bars=[
            Bar(shown_title(one.name), one.eligible, f"{one.share:.1%}", one.taken, round(100 * one.share / widest))
            for one in strata[:MOST_STRATA]
        ],
        more_bars=max(0, len(strata) - MOST_STRATA),
        rows=rows,
        more_rows=len(drawn.picks) - len(rows),
    )


def _in_words(drawn: Drawn) -> str:
    part = drawn.part
    first = "the best score first" if part.within == "score" else "in a seeded order"
    if part.strata == "none":
        return f"Not divided; {first}."
    equal = part.temperature == float("inf")
    how = "each as likely" if equal else f"share ∝ n^(1/{part.temperature:g})"
    most = f", {part.each} of each at most" if part.each else ""
    kind = ", generation only" if part.generation else ""
    return f"By {part.strata.value}{kind}, {how}{most}; within one {first}."


def _past(session: Session, access: ProjectAccess) -> list[PastSampling]:
    found = session.scalars(queries.samplings_of(access.project.id).limit(MOST_SAMPLINGS))
    return [
        PastSampling(
            one.id, str(one.plan["name"]), one.plan_sha256[:12], one.seed, one.result.get("taken", 0), one.created_at,
            one.undone_at is not None,
        )
        for one in found
    ]  # fmt: skip
