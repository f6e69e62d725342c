"""Scans, pairs and the members of pairs: candidates and examples by their keys."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload

from app.duplicates.links import Link
from app.duplicates.models import DuplicatePair, DuplicateScan, Verdict
from app.duplicates.narrowing import at_least, told_score
from app.duplicates.texts import Kind, Text, candidate_key, example_key, parsed, place
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import arrived
from app.examples.sight import everything, is_kept
from app.jobs.models import Job
from app.sources.models import Candidate, CandidateStatus, ImportRun, ImportState
from app.text.dialogue import prompt_of, response_of

ROWS_AT_ONCE = 500

SETTLED = DuplicatePair.verdict != Verdict.OPEN
OPEN = DuplicatePair.verdict == Verdict.OPEN


def texts_of(session: Session, project_id: int) -> list[Text]:
    """What a scan compares, in the order of the keys: every live candidate and example, each once.

    A candidate that an example was made from is left out: the example speaks for it, in its newest words.
    """
    examples = _with_threads_of_originals(list(_example_texts(session, project_id)))
    texts = [*_candidate_texts(session, project_id), *examples]
    return sorted(texts, key=lambda text: place(text.key))


def _candidate_texts(session: Session, project_id: int) -> Iterator[Text]:
    query = (
        select(Candidate.site, Candidate.external_id, Candidate.thread_id, Candidate.split, Candidate.messages)
        .join(ImportRun, ImportRun.id == Candidate.import_run_id)
        .where(
            Candidate.project_id == project_id,
            Candidate.status != CandidateStatus.REJECTED,
            ImportRun.state == ImportState.PUBLISHED,
            ~exists().where(Example.candidate_id == Candidate.id),
        )
    )
    for site, name, thread, split, messages in session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        asked, answered = prompt_of(messages), response_of(messages)
        yield Text(candidate_key(site, name), asked, answered, split.value, (site, thread) if thread else None)


def _with_threads_of_originals(texts: Sequence[Text]) -> Iterator[Text]:
    threads = {text.key: text.thread for text in texts}
    for text in texts:
        original = example_key(text.says or 0)
        yield text if text.key == original else replace(text, thread=threads.get(original))


def links_of(session: Session, project_id: int) -> list[Link]:
    """The questions of a project's published imports that their sites closed as copies of others."""
    query = select(ImportRun.site, ImportRun.result).where(
        ImportRun.project_id == project_id, ImportRun.state == ImportState.PUBLISHED
    )
    return [
        Link(site, str(copy), str(first))
        for site, result in session.execute(query.order_by(ImportRun.id))
        for copy, first in (result or {}).get("known_duplicates", ())
    ]


def originals(session: Session, project_id: int) -> dict[int, int]:
    """What each translation of a project says, by their numbers; of a translation's translation the first original."""
    query = select(Example.id, Example.translation_of_id).where(
        Example.project_id == project_id, Example.translation_of_id.is_not(None)
    )
    above = {number: original for number, original in session.execute(query) if original is not None}
    found = {}
    for number, original in above.items():
        first = original
        while first in above:
            first = above[first]
        found[number] = first
    return found


def _example_texts(session: Session, project_id: int) -> Iterator[Text]:
    first = originals(session, project_id)
    query = (
        select(
            Example.id,
            Example.split,
            Revision.messages,
            Candidate.site,
            Candidate.external_id,
            # Of a candidate, or of a record that came straight into the set.
            func.coalesce(Candidate.site, Example.site).label("asked_on"),
            func.coalesce(Candidate.thread_id, Example.thread_id).label("thread_id"),
        )
        .join(Revision, and_(Revision.example_id == Example.id, Revision.number == Example.revision_number))
        .outerjoin(Candidate, Candidate.id == Example.candidate_id)
        .where(Example.project_id == project_id, Example.state != ExampleState.REJECTED, arrived())
    )
    for row in session.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
        yield Text(
            example_key(row.id),
            prompt_of(row.messages),
            response_of(row.messages),
            row.split.value,
            (row.asked_on, row.thread_id) if row.thread_id else None,
            candidate_key(row.site, row.external_id) if row.site else None,
            first.get(row.id, row.id),
        )


def scan_by_id(session: Session, scan_id: int) -> DuplicateScan | None:
    """One scan."""
    return session.get(DuplicateScan, scan_id)


def scan_in(project_id: int, scan_id: int) -> Select[DuplicateScan]:
    """One scan, if it belongs to the project."""
    return select(DuplicateScan).where(DuplicateScan.id == scan_id, DuplicateScan.project_id == project_id)


def scans_of(project_id: int) -> Select[DuplicateScan]:
    """A project's scans, newest first."""
    return select(DuplicateScan).where(DuplicateScan.project_id == project_id).order_by(DuplicateScan.id.desc())


def jobs_of_scans(session: Session, scans: Sequence[DuplicateScan]) -> dict[int, Job]:
    """The work of these scans by its id."""
    ids = [scan.job_id for scan in scans if scan.job_id is not None]
    return {job.id: job for job in session.scalars(select(Job).where(Job.id.in_(ids)))} if ids else {}


def pairs_of(project_id: int) -> Select[DuplicatePair]:
    """A project's pairs in the order of the inbox: leaks, then the likest, then the oldest."""
    query = select(DuplicatePair).where(DuplicatePair.project_id == project_id)
    return query.order_by(DuplicatePair.leak.desc(), DuplicatePair.score.desc(), DuplicatePair.id)


def listed(
    session: Session, project_id: int, verdict: Verdict | None = None, threshold: float = 0.0
) -> Select[DuplicatePair]:
    """A project's pairs with who decided them, in the order of the inbox; all verdicts, or one."""
    query = pairs_of(project_id).where(at_least(session, threshold)).options(joinedload(DuplicatePair.decider))
    return query if verdict is None else query.where(DuplicatePair.verdict == verdict)


def pairs_found_by(scan: DuplicateScan) -> Select[DuplicatePair]:
    """The pairs that a scan found and no later one has found again, in the order of the inbox."""
    return pairs_of(scan.project_id).where(DuplicatePair.scan_id == scan.id)


def pairs_with(project_id: int, keys: Collection[str]) -> Select[DuplicatePair]:
    """The pairs that one of these keys is a member of."""
    member = or_(DuplicatePair.left_key.in_(keys), DuplicatePair.right_key.in_(keys))
    return pairs_of(project_id).where(member)


def pair_in(project_id: int, pair_id: int) -> Select[DuplicatePair]:
    """One pair with who decided it, if it belongs to the project."""
    query = select(DuplicatePair).where(DuplicatePair.id == pair_id, DuplicatePair.project_id == project_id)
    return query.options(joinedload(DuplicatePair.decider))


def before(pair: DuplicatePair) -> ColumnElement[bool]:
    """What stands before a pair in the order of the inbox."""
    likelier = or_(
        DuplicatePair.score > pair.score, and_(DuplicatePair.score == pair.score, DuplicatePair.id < pair.id)
    )
    if pair.leak:
        return and_(DuplicatePair.leak.is_(True), likelier)
    return or_(DuplicatePair.leak.is_(True), likelier)


def position_of(session: Session, pair: DuplicatePair, *conditions: ColumnElement[bool]) -> int:
    """How many pairs that meet the conditions stand before this one."""
    query = select(func.count(DuplicatePair.id)).where(DuplicatePair.project_id == pair.project_id)
    return session.scalar(query.where(before(pair), *conditions)) or 0


def kept_both(session: Session, project_id: int, on: str) -> dict[tuple[str, str], DuplicatePair]:
    """The pairs of which both were kept, by their keys."""
    query = select(DuplicatePair).where(DuplicatePair.project_id == project_id, DuplicatePair.on == on)
    rows = session.scalars(query.where(DuplicatePair.verdict == Verdict.KEEP_BOTH))
    return {(row.left_key, row.right_key): row for row in rows}


@dataclass(frozen=True)
class PairCount:
    """How many pairs have a verdict and are leaks or not: in all, and at each threshold asked for."""

    verdict: Verdict
    leak: bool
    total: int
    lowest: float
    reaching: Sequence[int]


def counts_at(session: Session, project_id: int, thresholds: Sequence[float]) -> list[PairCount]:
    """A project's pairs counted by verdict and leak, in one query."""
    columns = [func.sum(case((at_least(session, threshold), 1), else_=0)) for threshold in thresholds]
    heads = (DuplicatePair.verdict, DuplicatePair.leak)
    query = select(*heads, func.count(DuplicatePair.id), func.min(told_score(session)), *columns)
    rows = session.execute(query.where(DuplicatePair.project_id == project_id).group_by(*heads))
    return [PairCount(verdict, leak, total, lowest, counts) for verdict, leak, total, lowest, *counts in rows]


@dataclass(frozen=True)
class Member:
    """One side of a pair as it stands now; `state` is a candidate's status or an example's state."""

    key: str
    kind: Kind
    id: int
    title: str
    messages: Sequence[Any]
    split: str
    source: str | None
    site: str | None
    external_id: str | None
    score: int | None
    author: str | None
    author_url: str | None
    url: str | None
    licence: str | None
    state: str
    example_id: int | None
    # The number of its newest revision; 0 of a candidate, whose words never change.
    revision: int = 0

    @property
    def rejected(self) -> bool:
        """Whether it is out already."""
        return self.state in {CandidateStatus.REJECTED, ExampleState.REJECTED}


def members(session: Session, project_id: int, keys: Iterable[str]) -> dict[str, Member]:
    """The members with these keys, with all their words; a key that names nothing any more is left out."""
    names, ids = _split_keys(keys)
    found: dict[str, Member] = {}
    if names:
        query = select(Candidate, Example.id).outerjoin(Example, Example.candidate_id == Candidate.id)
        query = query.where(Candidate.project_id == project_id, _named(names))
        found |= {member.key: member for member in (_candidate(*row) for row in session.execute(query))}
    if ids:
        head = and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)
        rows = select(Example, Revision.title, Revision.messages).join(Revision, head)
        rows = rows.where(Example.project_id == project_id, Example.id.in_(ids), arrived())
        found |= {member.key: member for member in (_example(*row) for row in session.execute(rows))}
    return found


def standing_members(session: Session, project_id: int, keys: Collection[str]) -> dict[str, Member]:
    """The same, and for a candidate that was made into an example since, that example in its newest words."""
    found = members(session, project_id, keys)
    made = {key: member.example_id for key, member in found.items() if member.example_id and not member.revision}
    examples = members(session, project_id, map(example_key, made.values())) if made else {}
    return found | {key: examples[name] for key, one in made.items() if (name := example_key(one)) in examples}


def titles(session: Session, project_id: int, keys: Iterable[str]) -> dict[str, str]:
    """Only the titles of the members with these keys: two queries, however many."""
    names, ids = _split_keys(keys)
    found: dict[str, str] = {}
    if names:
        query = select(Candidate.site, Candidate.external_id, Candidate.title)
        query = query.where(Candidate.project_id == project_id, _named(names))
        found |= {candidate_key(site, name): title for site, name, title in session.execute(query)}
    if ids:
        head = and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)
        rows = select(Example.id, Revision.title).join(Revision, head)
        rows = rows.where(Example.project_id == project_id, Example.id.in_(ids), arrived())
        found |= {example_key(example_id): title for example_id, title in session.execute(rows)}
    return found


def out_of_sight(session: Session, project_id: int, keys: Iterable[str]) -> set[str]:
    """Which of these members are test prompts that this session's person may not read."""
    if not is_kept(session):
        return set()
    wanted = set(keys)
    seen = titles(session, project_id, wanted)
    with everything(session):
        return set(titles(session, project_id, wanted)) - set(seen)


def _split_keys(keys: Iterable[str]) -> tuple[list[tuple[str, str]], list[int]]:
    names, ids = [], []
    for kind, site, name in (parsed(key) for key in set(keys)):
        if kind is Kind.EXAMPLE:
            ids.append(int(name))
        else:
            names.append((site, name))
    return names, ids


def _named(names: Sequence[tuple[str, str]]) -> ColumnElement[bool]:
    return tuple_(Candidate.site, Candidate.external_id).in_(names)


def _candidate(row: Candidate, example_id: int | None) -> Member:
    return Member(
        key=candidate_key(row.site, row.external_id),
        kind=Kind.CANDIDATE,
        id=row.id,
        title=row.title,
        messages=row.messages,
        split=row.split.value,
        source=row.source,
        site=row.site,
        external_id=row.external_id,
        score=row.score,
        author=row.author,
        author_url=row.author_url,
        url=row.url,
        licence=row.licence,
        state=row.status.value,
        example_id=example_id,
    )


def _example(row: Example, title: str, messages: Sequence[Any]) -> Member:
    return Member(
        key=example_key(row.id),
        kind=Kind.EXAMPLE,
        id=row.id,
        title=title,
        messages=messages,
        split=row.split.value,
        source=row.source,
        site=row.site or row.attribution.get("site"),
        external_id=row.external_id,
        score=None,
        author=row.attribution.get("author"),
        author_url=row.attribution.get("author_url"),
        url=row.attribution.get("url"),
        licence=row.licence,
        state=row.state.value,
        example_id=row.id,
        revision=row.revision_number,
    )
