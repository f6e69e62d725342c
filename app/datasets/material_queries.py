"""What is approved now, with everything that a freeze has to know of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.datasets.gate_queries import Whose, judged
from app.datasets.gates import Approvals, Filling, limited
from app.datasets.helped import Helped, helped_from
from app.datasets.material import Draw, Item, Material, Person, fillings
from app.datasets.told import told_of
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import approved_revisions, arrived
from app.examples.roles import FLAGS
from app.examples.sight import everything
from app.projects.models import Project
from app.projects.queries import composition_of
from app.reviews.models import Review, ReviewVerdict
from app.reviews.queries import APPROVING
from app.selection.sampling.models import Sampling, SamplingPick
from app.text.licences import keys_of


def approved_items(session: Session, project: Project) -> tuple[Item, ...]:
    """All approved examples at their approved revisions: one statement, so each is wholly in or out."""
    query = approved_revisions(project.id).with_only_columns(
        Example.id, Revision.number, Example.split, Example.source, Example.language,
        Revision.messages, Example.licence, Example.attribution, Example.translation_of_id, Example.author_group,
        *(getattr(Example, flag) for flag in FLAGS),
    )  # fmt: skip
    return tuple(_item(row) for row in session.execute(query))


def _item(row: Any) -> Item:
    example_id, number, split, source, language, messages, licence, attribution, original, group, *flags = row
    told = told_of(group, _set(flags))
    return Item(
        example_id, number, split.value, source, language, messages, licence, attribution, told, original is not None
    )


def _set(flags: Sequence[bool]) -> list[str]:
    return [name for name, on in zip(FLAGS, flags, strict=True) if on]


def material_of(session: Session, project: Project, licences: Sequence[str] = ()) -> Material:
    """The approved set, or what of it is under these licences, with people, counts and the gates' judgement.

    All of it, test prompts that the asking person may not read as well: pages count it and show none of its words.
    """
    with everything(session):
        return _material_of(session, project, licences)


def _material_of(session: Session, project: Project, licences: Sequence[str]) -> Material:
    wanted = {key for licence in licences for key in keys_of(licence)}
    items = tuple(item for item in approved_items(session, project) if not wanted or keys_of(item.licence) <= wanted)
    # What was written and approved up to a revision never changes, so these later statements, cut down to the
    # revisions held here, tell the same whatever is saved in the meantime.
    held = {item.example_id: item.revision_number for item in items}
    writers, author_of = _writers(session, project, held)
    found, whose, approvers, reasons = _approvals(session, project, held, author_of)
    filled = fillings(_targets(session, project), items)
    gates = limited(judged(session, project, items, filled, found, whose), licences)
    draws = _draws(session, project, held)
    helped = _helped(session, project, items)
    return Material(items, filled, found, reasons, writers, approvers, gates, tuple(licences), draws, helped)


def _helped(session: Session, project: Project, items: tuple[Item, ...]) -> Helped | None:
    """What models had a part in, as the approved revisions carry it."""
    query = select(Revision.example_id, Revision.number, Revision.help).join(Example, Example.id == Revision.example_id)
    marked = query.where(Example.project_id == project.id, Revision.help.is_not(None))
    marks = {(example_id, number): found for example_id, number, found in session.execute(marked)}
    held = [(item, marks.get((item.example_id, item.revision_number))) for item in items]
    return helped_from([(item.line.sha256, found) for item, found in held if found])


def _draws(session: Session, project: Project, held: Mapping[int, int]) -> tuple[Draw, ...]:
    """The samplings that examples of the set come from, in their order; one that was drawn twice counts last."""
    last = (
        select(Example.id, func.max(SamplingPick.sampling_id))
        .join(SamplingPick, SamplingPick.candidate_id == Example.candidate_id)
        .where(Example.project_id == project.id)
        .group_by(Example.id)
    )
    counts = Counter(sampling for example_id, sampling in session.execute(last) if example_id in held)
    if not counts:
        return ()
    drawn = select(Sampling).where(Sampling.id.in_(list(counts))).order_by(Sampling.id)
    return tuple(
        Draw(str(one.plan["name"]), one.plan_sha256, one.seed, counts[one.id]) for one in session.scalars(drawn)
    )


def _targets(session: Session, project: Project) -> list[Filling]:
    return [
        Filling(row.source, row.split.value, row.title, row.short_title, row.colour, row.target, 0)
        for row in session.scalars(composition_of(project))
    ]


def _writers(
    session: Session, project: Project, held: Mapping[int, int]
) -> tuple[tuple[Person, ...], dict[int, int | None]]:
    query = (
        select(Revision.example_id, Revision.number, User.id, User.name)
        .join(Example, Example.id == Revision.example_id)
        .join(User, User.id == Revision.author_id, isouter=True)
        .where(Example.project_id == project.id, Revision.number <= Example.approved_number)
    )
    people: dict[int, Person] = {}
    author_of: dict[int, int | None] = {}
    for example_id, number, person_id, name in session.execute(query):
        if number > held.get(example_id, 0):
            continue
        if person_id is not None:
            people[person_id] = Person(person_id, name)
        if number == held[example_id]:
            author_of[example_id] = person_id
    return tuple(people[key] for key in sorted(people)), author_of


def _approvals(
    session: Session, project: Project, held: Mapping[int, int], author_of: Mapping[int, int | None]
) -> tuple[Approvals, Whose, tuple[Person, ...], tuple[str, ...]]:
    query = (
        select(Review.example_id, Review.revision_number, Review.verdict, Review.words, User.id, User.name)
        .join(Example, Example.id == Review.example_id)
        .join(User, User.id == Review.reviewer_id, isouter=True)
        .where(Example.project_id == project.id, Review.verdict.in_(APPROVING))
        .order_by(Review.id)
    )
    last = {
        example_id: (verdict, words, person_id, name)
        for example_id, number, verdict, words, person_id, name in session.execute(query)
        if held.get(example_id) == number
    }
    kinds: dict[str, list[int]] = {"imported": [], "own": [], "second_person": []}
    for example_id, (verdict, _, person_id, _) in last.items():
        own = person_id is not None and person_id == author_of.get(example_id)
        kinds["imported" if verdict is ReviewVerdict.IMPORTED else "own" if own else "second_person"].append(example_id)
    whose = Whose(sorted(kinds["own"]), sorted(held.keys() - last.keys()))
    counts = {kind: len(numbers) for kind, numbers in kinds.items()}
    found = Approvals(**counts, unrecorded=len(whose.unrecorded), waiting=_waiting(session, project))
    # Who let in what was approved elsewhere approved none of it; `making_queries` names them.
    here = [row[2:] for row in last.values() if row[0] is not ReviewVerdict.IMPORTED]
    people = {person_id: Person(person_id, name) for person_id, name in here if person_id}
    reasons = {words for verdict, words, _, _ in last.values() if verdict is ReviewVerdict.IMPORTED and words}
    return found, whose, tuple(people[key] for key in sorted(people)), tuple(sorted(reasons))


def _waiting(session: Session, project: Project) -> int:
    query = select(func.count(Example.id)).where(Example.project_id == project.id)
    return session.scalar(query.where(Example.state == ExampleState.REVIEW, arrived())) or 0
