"""Versions, their rows, and the approved set that the next one will be frozen from."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.datasets import gates
from app.datasets.canonical import Line
from app.datasets.exports import FrozenLine
from app.datasets.gates import Approvals, Filling, Gate
from app.datasets.material import Draw, Item, Material, Person, fillings
from app.datasets.models import Version, VersionRow
from app.duplicates.models import DuplicatePair, Verdict
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import approved_revisions, arrived
from app.projects.models import Project, Split
from app.projects.queries import composition_of
from app.reviews.models import Review, ReviewVerdict
from app.selection.models import Sampling, SamplingPick

APPROVING = (ReviewVerdict.APPROVED, ReviewVerdict.IMPORTED)
ROWS_AT_ONCE = 500


def versions_of(project: Project) -> Select[Version]:
    """The project's versions, the newest first."""
    return select(Version).where(Version.project_id == project.id).order_by(Version.id.desc())


def version_by_name(session: Session, project: Project, name: str) -> Version | None:
    """The project's version of that name."""
    return session.scalar(select(Version).where(Version.project_id == project.id, Version.name == name))


def latest_version(session: Session, project: Project) -> Version | None:
    """The version frozen last."""
    return session.scalar(versions_of(project).limit(1))


def project_of(session: Session, version: Version) -> Project:
    """The project that a version belongs to."""
    return session.get_one(Project, version.project_id)


def rows_of(version: Version, split: Split | None = None) -> Select[VersionRow]:
    """The rows in the order of examples.jsonl, of one split or of all."""
    query = select(VersionRow).where(VersionRow.version_id == version.id).order_by(VersionRow.position)
    return query.where(VersionRow.split == split) if split else query


def versions_holding(example_id: int) -> Select[Version]:
    """The versions that hold an example, the newest first."""
    held = select(VersionRow.version_id).where(VersionRow.example_id == example_id)
    return select(Version).where(Version.id.in_(held)).order_by(Version.id.desc())


def frozen_lines(session: Session, version: Version) -> Iterator[FrozenLine]:
    """The lines of examples.jsonl, streamed; a first revision holds the words as they came in."""
    columns = select(VersionRow.sha256, VersionRow.line, VersionRow.revision_number)
    query = columns.where(VersionRow.version_id == version.id).order_by(VersionRow.position)
    with session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)) as rows:
        for sha256, text, number in rows:
            yield FrozenLine(Line(sha256, text), edited=number > 1)


def approved_items(session: Session, project: Project) -> tuple[Item, ...]:
    """All approved examples at their approved revisions: one statement, so each is wholly in or out."""
    query = approved_revisions(project.id).with_only_columns(
        Example.id, Revision.number, Example.split, Example.source, Example.language,
        Revision.messages, Example.licence, Example.attribution,
    )  # fmt: skip
    return tuple(
        Item(example_id, number, split.value, source, language, messages, licence, attribution)
        for example_id, number, split, source, language, messages, licence, attribution in session.execute(query)
    )


def material_of(session: Session, project: Project, licences: Sequence[str] = ()) -> Material:
    """The approved set, or what of it is under these licences, with people, counts and the gates' judgement."""
    items = tuple(item for item in approved_items(session, project) if not licences or item.licence in licences)
    # What was written and approved up to a revision never changes, so these later statements, cut down to the
    # revisions held here, tell the same whatever is saved in the meantime.
    held = {item.example_id: item.revision_number for item in items}
    writers, author_of = _writers(session, project, held)
    found, approvers, reasons = _approvals(session, project, held, author_of)
    filled = fillings(_targets(session, project), items)
    judged = gates.limited(_judge(session, project, items, filled, found), licences)
    draws = _draws(session, project, held)
    return Material(items, filled, found, reasons, writers, approvers, judged, tuple(licences), draws)


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
) -> tuple[Approvals, tuple[Person, ...], tuple[str, ...]]:
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
    kinds = {"imported": 0, "own": 0, "second_person": 0}
    for example_id, (verdict, _, person_id, _) in last.items():
        own = person_id is not None and person_id == author_of.get(example_id)
        kinds["imported" if verdict is ReviewVerdict.IMPORTED else "own" if own else "second_person"] += 1
    found = Approvals(**kinds, unrecorded=len(held) - len(last), waiting=_waiting(session, project))
    people = {person_id: Person(person_id, name) for _, _, person_id, name in last.values() if person_id}
    reasons = {words for verdict, words, _, _ in last.values() if verdict is ReviewVerdict.IMPORTED and words}
    return found, tuple(people[key] for key in sorted(people)), tuple(sorted(reasons))


def _kept_leaks(session: Session, project: Project) -> list[tuple[str, str, str]]:
    """Both sides of each leak that was kept on purpose, and why."""
    query = select(DuplicatePair).where(
        DuplicatePair.project_id == project.id, DuplicatePair.verdict == Verdict.KEEP_BOTH, DuplicatePair.leak.is_(True)
    )
    rows = session.scalars(query.order_by(DuplicatePair.left_key, DuplicatePair.right_key))
    return [(row.left_key, row.right_key, row.kept_because or "no reason on record") for row in rows]


def _waiting(session: Session, project: Project) -> int:
    query = select(func.count(Example.id)).where(Example.project_id == project.id)
    return session.scalar(query.where(Example.state == ExampleState.REVIEW, arrived())) or 0


def _judge(
    session: Session, project: Project, items: tuple[Item, ...], filled: tuple[Filling, ...], found: Approvals
) -> tuple[Gate, ...]:
    query = select(DuplicatePair.left_key, DuplicatePair.right_key, DuplicatePair.leak).where(
        DuplicatePair.project_id == project.id, DuplicatePair.verdict == Verdict.OPEN
    )
    pairs = session.execute(query.order_by(DuplicatePair.left_key, DuplicatePair.right_key)).all()
    inside = {f"example:{item.example_id}" for item in items}
    plain = [{left, right} <= inside for left, right, leak in pairs if not leak]
    leaks = [(left, right) for left, right, leak in pairs if leak]
    kept = [leak for leak in _kept_leaks(session, project) if set(leak[:2]) <= inside]
    return (
        gates.composition_gate(filled),
        gates.approvals_gate(found),
        gates.duplicates_gate(sum(plain), len(plain) - sum(plain)),
        gates.leakage_gate(gates.exact_leaks(item.prompt for item in items), leaks, kept),
        gates.licences_gate(
            Counter(item.licence or None for item in items),
            sum(1 for item in items if item.licence and not item.attributed),
        ),
    )
