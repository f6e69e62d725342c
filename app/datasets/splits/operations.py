"""Drawing dev and test from a project's examples: what would move, moving it as one, and taking that back."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from sqlalchemy import Select, case, func, select, update
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import Role, User
from app.datasets.gates.rewording import alike
from app.datasets.material import first_question
from app.datasets.models import SplitPlan
from app.datasets.splits import splitting
from app.datasets.splits.splitting import DEV, TEST, TRAIN, Asked, Drawn, Group, Link, Member, Node
from app.db import now
from app.duplicates.leaks import tell_leaks
from app.duplicates.models import DuplicatePair
from app.duplicates.normal import normal_form
from app.duplicates.queries import originals
from app.duplicates.texts import Kind, candidate_key, parsed
from app.errors import Conflict, Denied, Refusal
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import arrived
from app.examples.sight import everything
from app.projects.limits import require_open
from app.projects.models import AuthorGroup, Project, Split
from app.projects.queries import composition_of, role_in
from app.sources.models import Candidate

AT_ONCE = 500
MOST = 1_000_000_000
# LIMA's rule for who wrote a prompt: group A for train and dev, group B for test.
MAY = {None: {TRAIN, DEV, TEST}, AuthorGroup.A: {TRAIN, DEV}, AuthorGroup.B: {TEST}}


class NothingMoves(Conflict):
    """Nothing would move: dev and test have as many examples as that already, or none fits. Nothing was changed."""


class OtherMoves(Conflict):
    """The examples have changed since that was shown, and other ones would move now; nothing was moved. Look again."""


class NothingToUndo(Conflict):
    """No drawn splits are left to take back; nothing was changed."""


def usual(session: Session, project: Project) -> dict[str, int]:
    """How many dev and test are to have where nobody says: their share of the target, for as many as are approved."""
    targets = dict.fromkeys((TRAIN, DEV, TEST), 0)
    for row in session.scalars(composition_of(project)):
        targets[row.split.value] += row.target
    here = (Example.project_id == project.id, Example.state == ExampleState.APPROVED)
    with everything(session):
        approved = session.scalar(select(func.count(Example.id)).where(*here)) or 0
    total = sum(targets.values()) or 1
    return {split: min(targets[split], round(approved * targets[split] / total)) for split in (DEV, TEST)}


def checked(asked: Asked) -> Asked:
    """What is asked, if it can be: whole numbers that are not negative."""
    if not (0 <= asked.dev <= MOST and 0 <= asked.test <= MOST and 0 <= asked.seed <= MOST):
        raise Refusal("Dev, test and seed are whole numbers from 0 to a billion; nothing was moved.")
    return asked


def look(session: Session, project: Project, asked: Asked) -> Drawn:
    """What the rule would move now; changes nothing."""
    with everything(session):
        rows = list(session.execute(_examples(project)))
        links = [*_links_of(rows), *_alike(rows), *_pairs(session, project), *_translations(session, project)]
    return splitting.draw(checked(asked), [_member(row) for row in rows], links)


def _examples(project: Project) -> Select[Any]:
    approved = Example.state == ExampleState.APPROVED
    words = Revision.number == case((approved, Example.approved_number), else_=Example.revision_number)
    query = select(
        Example.id, Example.state, Example.split, Example.source, Example.author_group, Example.beside_id,
        Revision.content_hash, Revision.messages,
    )  # fmt: skip
    query = query.join(Revision, (Revision.example_id == Example.id) & words)
    return query.where(Example.project_id == project.id, Example.state != ExampleState.REJECTED, arrived())


def _member(row: Any) -> Member:
    answered = bool(row.messages) and row.messages[-1]["role"] == "assistant"
    may = frozenset(MAY[row.author_group] - (set() if answered else {TRAIN}))
    counts = row.state is ExampleState.APPROVED
    return Member(row.id, row.content_hash, row.source, row.split.value, counts, may)


def _links_of(rows: Iterable[Any]) -> Iterator[Link]:
    """The same prompt but for case, blanks and signs; another answer to a prompt."""
    for row in rows:
        if form := normal_form(first_question(row.messages)):
            yield _node(row.id), ("prompt", form)
        if row.beside_id is not None:
            yield _node(row.id), _node(row.beside_id)


def _alike(rows: Sequence[Any]) -> Iterator[Link]:
    """Prompts in nearly the same words as the gate of leakage measures it; nobody has to look for duplicates before.

    The measure depends on the set: the gate sees approved examples alone, the rule the others as well.
    """
    approved = [row for row in rows if row.state is ExampleState.APPROVED]
    for some in (approved, rows) if len(approved) < len(rows) else (rows,):
        for left, right in alike(tuple(first_question(row.messages) for row in some)):
            yield _node(some[left].id), _node(some[right].id)


def _node(number: int) -> Node:
    return Kind.EXAMPLE.value, number


def _pairs(session: Session, project: Project) -> Iterator[Link]:
    """Whatever a look for duplicates has found alike, however that was decided."""
    made = select(Candidate.site, Candidate.external_id, Example.id).join(Example, Example.candidate_id == Candidate.id)
    of_candidate = {
        candidate_key(site, name): number
        for site, name, number in session.execute(made.where(Example.project_id == project.id))
    }
    query = select(DuplicatePair.left_key, DuplicatePair.right_key).where(DuplicatePair.project_id == project.id)
    for keys in session.execute(query):
        left, right = (_number(key, of_candidate) for key in keys)
        if left is not None and right is not None:
            yield _node(left), _node(right)


def _number(key: str, of_candidate: Mapping[str, int]) -> int | None:
    kind, _, name = parsed(key)
    return int(name) if kind is Kind.EXAMPLE else of_candidate.get(key)


def _translations(session: Session, project: Project) -> Iterator[Link]:
    for number, original in originals(session, project.id).items():
        yield _node(number), _node(original)


def apply(
    session: Session, actor: User, project: Project, asked: Asked, fingerprint: str | None = None
) -> tuple[SplitPlan, Drawn]:
    """Move what the rule draws, all of it or nothing; with a fingerprint only what was shown under it.

    No approval falls: the words that a second person read stay as they are. Raises Denied, NothingMoves, OtherMoves.
    """
    _require_lead(session, actor, project)
    drawn = look(session, project, asked)
    if fingerprint is not None and fingerprint != drawn.fingerprint:
        raise OtherMoves
    if not drawn.moves:
        raise NothingMoves
    moves = [(move.id, move.before, move.after) for move in drawn.moves]
    if _move(session, moves) != len(moves):
        raise OtherMoves
    plan = SplitPlan(project_id=project.id, asked=asdict(asked), moves=[list(move) for move in moves])
    plan.created_by = actor.id
    session.add(plan)
    session.flush()
    tell_leaks(session, project.id, [move.id for move in drawn.moves])
    record(
        session, actor, "draw splits", f"project:{project.id}", project_id=project.id, plan=plan.id,
        moved=len(moves), **asdict(asked),
    )  # fmt: skip
    return plan, drawn


def _require_lead(session: Session, actor: User, project: Project) -> None:
    if role_in(session, project, actor) is not Role.ADMIN:
        raise Denied("Only an admin of the project draws its splits; nothing was moved.")
    require_open(project)
    # One at a time, and no freeze in between: see operations.freeze_version.
    session.execute(select(Project.id).where(Project.id == project.id).with_for_update(key_share=True))


def _move(session: Session, moves: Sequence[tuple[int, str, str]]) -> int:
    """Move examples that still stand where they stood; how many that were."""
    by_way: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, before, after in moves:
        by_way[before, after].append(number)
    moved = 0
    for (before, after), numbers in sorted(by_way.items()):
        ids = iter(sorted(numbers))
        while some := list(islice(ids, AT_ONCE)):
            change = update(Example).where(Example.id.in_(some), Example.split == Split(before))
            moved += session.execute(change.values(split=Split(after))).rowcount  # type: ignore[attr-defined]
    return moved


def plans_of(project: Project) -> Select[SplitPlan]:
    """What was drawn in a project, the newest first."""
    return select(SplitPlan).where(SplitPlan.project_id == project.id).order_by(SplitPlan.id.desc())


def undo(session: Session, actor: User, project: Project) -> tuple[SplitPlan, int]:
    """Take the newest draw back that was not taken back yet; the plan, and how many examples went back.

    What somebody has moved since stays where they put it.
    """
    _require_lead(session, actor, project)
    plan = session.scalars(plans_of(project).where(SplitPlan.undone_at.is_(None)).limit(1)).first()
    if plan is None:
        raise NothingToUndo
    back = _move(session, [(number, after, before) for number, before, after in plan.moves])
    plan.undone_at = now()
    session.flush()
    tell_leaks(session, project.id, [number for number, _, _ in plan.moves])
    record(session, actor, "undo splits", f"project:{project.id}", project_id=project.id, plan=plan.id, moved=back)
    return plan, back


def document(drawn: Drawn) -> dict[str, Any]:
    """What the rule would do, or has done, as the API and the command line print it."""
    splits = (TRAIN, DEV, TEST)
    return {
        **asdict(drawn.asked),
        "before": {split: drawn.total(split, after=False) for split in splits},
        "after": {split: drawn.total(split, after=True) for split in splits},
        "moves": [asdict(move) for move in drawn.moves],
        "together": [_numbers(group) for group in drawn.together],
        "torn": [_numbers(group) for group in drawn.torn],
        "too_big": [_numbers(group) for group in drawn.too_big],
        "fingerprint": drawn.fingerprint,
    }


def _numbers(group: Group) -> list[int]:
    return [member.id for member in group.members]
