"""A sampling plan carried out: looked at, taken into the set as drafts, and put back as a whole."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import Role, User
from app.db import now
from app.errors import Conflict, Denied, Refusal
from app.examples import operations as examples
from app.examples import queries as example_queries
from app.examples.models import Example, ExampleState
from app.projects.limits import require_open
from app.projects.models import Project, Split
from app.projects.queries import composition_of, role_in
from app.selection.operations import titled
from app.selection.sampling.drawing import Drawn, Pick, Shelf, draw
from app.selection.sampling.models import Sampling, SamplingPick
from app.selection.sampling.plans import Part, Plan
from app.selection.sampling.shelves import Pool
from app.sources.models import Candidate
from app.sources.rules.language import language_of

AT_ONCE = 200
T = TypeVar("T")
LARGEST_SEED = 2**53 - 1


class UndoneAlready(Conflict):
    """This sampling was put back already; nothing was changed."""


@dataclass(frozen=True)
class PutBack:
    """How many drafts went back into the pool, and how many stayed because somebody had worked on them."""

    put_back: int
    stayed: int


def look(session: Session, project: Project, plan: Plan, seed: int) -> list[Drawn]:
    """What the plan would take now; nothing moves."""
    if not 0 <= seed <= LARGEST_SEED:
        raise Refusal(f"The seed is a whole number from 0 to {LARGEST_SEED:,}; nothing was sampled.")
    missing, pool = _missing(session, project, plan), Pool(session, project.id)

    def shelf_of(part: Part) -> Shelf:
        return pool.shelf_of(plan, part, missing[part.source, part.split] or 0)

    return draw(plan, shelf_of, missing, seed, lambda numbers: dict(_spoken(session, numbers)))


def _spoken(session: Session, numbers: Sequence[int]) -> Iterator[tuple[int, str | None]]:
    """What the last message of each is written in, by its letters."""
    for some in _batches(numbers):
        query = select(Candidate.id, Candidate.messages).where(Candidate.id.in_(some))
        for number, messages in session.execute(query).all():
            yield number, language_of(str(messages[-1]["content"])) if messages else None


def take(session: Session, actor: User, project: Project, plan: Plan, seed: int) -> tuple[Sampling | None, list[Drawn]]:
    """Make drafts of what the plan takes; None where it takes nothing, so that a second call changes nothing."""
    if role_in(session, project, actor) is not Role.ADMIN:
        raise Denied
    require_open(project)
    # Two people press the button at once: the second waits here and finds the quotas filled.
    session.execute(select(Project.id).where(Project.id == project.id).with_for_update(key_share=True))
    drawn = look(session, project, plan, seed)
    picks = [pick for part in drawn for pick in part.picks]
    if not picks:
        return None, drawn
    made = Sampling(
        project_id=project.id, created_by=actor.id, plan=plan.as_dict(), plan_sha256=plan.sha256, seed=seed, result={}
    )
    session.add(made)
    session.flush()
    session.add_all(SamplingPick(sampling_id=made.id, candidate_id=pick.candidate.id) for pick in picks)
    _make_examples(session, actor, picks, f"sampled by plan {plan.name} {plan.sha256[:12]}, seed {seed}")
    made.result = document(plan, seed, drawn, made)
    record(
        session, actor, "sample", f"sampling:{made.id}", project_id=project.id,
        plan=plan.sha256, seed=seed, taken=len(picks),
    )  # fmt: skip
    return made, drawn


def _make_examples(session: Session, actor: User, picks: Sequence[Pick], note: str) -> None:
    for some in _batches(picks):
        found = select(Candidate).where(Candidate.id.in_([pick.candidate.id for pick in some]))
        by_id = {candidate.id: candidate for candidate in session.scalars(found)}
        for pick in some:
            candidate = by_id[pick.candidate.id]
            words = titled(candidate) if pick.as_title else None
            examples.example_from_candidate(session, actor, candidate, messages=words, note=note)


def _batches(many: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(many), AT_ONCE):
        yield many[start : start + AT_ONCE]


def put_back(session: Session, actor: User, project: Project, sampling: Sampling) -> PutBack:
    """Undo a sampling: what nobody has worked on is open in the pool again, the rest stays as it is."""
    if role_in(session, project, actor) is not Role.ADMIN:
        raise Denied
    require_open(project)
    session.refresh(sampling, with_for_update=True)
    if sampling.undone_at is not None:
        raise UndoneAlready
    back = stayed = 0
    picked = select(SamplingPick.candidate_id).where(SamplingPick.sampling_id == sampling.id)
    for example in session.scalars(select(Example).where(Example.candidate_id.in_(picked))).all():
        try:
            examples.put_back(session, actor, example)
            back += 1
        except examples.WorkedOn:
            stayed += 1
    sampling.undone_at = now()
    record(
        session, actor, "undo sample", f"sampling:{sampling.id}", project_id=project.id, put_back=back, stayed=stayed
    )
    return PutBack(back, stayed)


def _missing(session: Session, project: Project, plan: Plan) -> dict[tuple[str, str], int | None]:
    targets = {(row.source, row.split.value): row.target for row in session.scalars(composition_of(project))}
    there = select(Example.source, Example.split, func.count()).where(
        Example.project_id == project.id, Example.state != ExampleState.REJECTED, example_queries.arrived()
    )
    have = {(source, split.value): count for source, split, count in
            session.execute(there.group_by(Example.source, Example.split))}  # fmt: skip
    missing: dict[tuple[str, str], int | None] = {}
    for part in plan.parts:
        row = (part.source, Split(part.split).value)
        wanted = part.count if part.count is not None else targets.get(row)
        missing[row] = None if wanted is None else max(0, wanted - have.get(row, 0))
    return missing


def document(plan: Plan, seed: int, drawn: Sequence[Drawn], sampling: Sampling | None) -> dict[str, Any]:
    """The JSON document of a sampling or of its preview; its keys are a contract."""
    return {
        "sampling": sampling.id if sampling else None,
        "plan": plan.name,
        "plan_sha256": plan.sha256,
        "seed": seed,
        "taken": sum(len(part.picks) for part in drawn),
        "parts": [_part(part) for part in drawn],
        "candidates": [
            {
                "id": pick.candidate.id,
                "site": pick.candidate.site,
                "external_id": pick.candidate.external_id,
                "stratum": pick.stratum,
                "prompt": "title" if pick.as_title else "as is",
            }
            for part in drawn
            for pick in part.picks
        ],
    }


def _part(drawn: Drawn) -> dict[str, Any]:
    return {
        "source": drawn.part.source,
        "split": drawn.part.split,
        "missing": drawn.missing,
        "eligible": drawn.eligible,
        "taken": len(drawn.picks),
        "why": drawn.why,
        "strata": [
            {"stratum": one.name, "eligible": one.eligible, "share": round(one.share, 6), "taken": one.taken}
            for one in drawn.strata
        ],
    }
