"""The page of leakage: what stands between the splits, what is near to a benchmark, and the lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.duplicates import queries as pairs
from app.duplicates.benchmarks import queries
from app.duplicates.benchmarks.models import BenchmarkList, BenchmarkMatch, MatchVerdict
from app.duplicates.benchmarks.near import NearBenchmark, near_candidate
from app.duplicates.benchmarks.operations import live_comparing
from app.duplicates.benchmarks.queries import Progress, Tally
from app.duplicates.means import Asking
from app.duplicates.models import DuplicatePair, Method
from app.duplicates.sheet import KEPT_OUT, METHOD_WORDS, scored
from app.embeddings.vectors import text_hash
from app.errors import NotFound
from app.examples.sight import is_kept
from app.projects.access import ProjectAccess
from app.sources.models import Candidate
from app.text.diff import Piece, side_by_side
from app.web.paging import Pager, page_of

A_PAGE = 20
FIRST_PAIRS = 20
SHOWN = 4000


@dataclass(frozen=True)
class PairRow:
    """An open pair of duplicates between two splits."""

    id: int
    title: str
    found: str


@dataclass(frozen=True)
class ListRow:
    """A benchmark; `near` examples of train and dev wait, `kept` may stay for a reason."""

    id: int
    name: str
    prompts: int
    records: int
    licence: str
    url: str
    file_name: str
    sha256: str
    created_at: datetime
    near: int
    kept: int


@dataclass(frozen=True)
class MatchRow:
    """An example beside the listed prompt that it is near to; of one that is kept out of sight only that it is there.

    `pieces` join to the words, marked where the other side lacks them.
    """

    id: int
    example_id: int
    split: str
    benchmark: str
    line: int
    turn: int
    found: str
    ours: Sequence[Piece]
    theirs: Sequence[Piece]
    kept_out: bool
    open: bool
    verdict: str
    reason: str
    by: str
    at: datetime | None


@dataclass(frozen=True)
class LeakagePage:
    """All leaks. `only` is the benchmark that matches are shown of, `asked` the match that needs a reason."""

    slug: str
    pairs: Sequence[PairRow]
    pair_count: int
    lists: Sequence[ListRow]
    matches: Sequence[MatchRow]
    pager: Pager
    show: str
    only: ListRow | None
    waiting: int
    kept: int
    compared: int
    # Of these, how many by words alone: they have no vector.
    by_words: int
    total: int
    job_id: int | None
    may_change: bool
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    asked: int | None = None

    @property
    def here(self) -> str:
        """The query of what is shown."""
        return f"show={self.show}" + (f"&list={self.only.id}" if self.only else "")


def leakage_page(
    session: Session,
    access: ProjectAccess,
    *,
    show: str = "open",
    only: int | None = None,
    number: int = 1,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    asked: int | None = None,
) -> LeakagePage:
    """The page in a constant number of queries. Raises NotFound for a list that is none of the project's."""
    project = access.project
    tallies = queries.tallies(session, project.id)
    lists = [_list_row(one, tallies.get(one.id, Tally())) for one in session.scalars(queries.lists_of(project.id))]
    chosen = next((one for one in lists if one.id == only), None)
    if only and chosen is None:
        raise NotFound
    wanted = queries.matches_of(project.id, only or None)
    is_open = BenchmarkMatch.verdict == MatchVerdict.OPEN
    matches, pager = page_of(session, wanted.where(is_open if show == "open" else ~is_open), number, A_PAGE)
    leaks, count = _leaks(session, project.id)
    far = queries.progress(session, project.id) if lists else Progress(0, 0, 0)
    job = live_comparing(session, project.id)
    return LeakagePage(
        slug=project.slug,
        pairs=leaks,
        pair_count=count,
        lists=lists,
        matches=_match_rows(session, matches),
        pager=pager,
        show=show,
        only=chosen,
        waiting=sum(one.near for one in lists),
        kept=sum(one.kept for one in lists),
        compared=far.compared,
        by_words=far.compared - far.by_meaning,
        total=far.total,
        job_id=job.id if job else None,
        may_change=access.role is Role.ADMIN and project.archived_at is None,
        typed=typed or {},
        errors=errors or {},
        asked=asked,
    )


def _list_row(one: BenchmarkList, tally: Tally) -> ListRow:
    return ListRow(
        one.id, one.name, one.prompts, one.records, one.licence, one.url, one.file_name, one.sha256, one.created_at,
        tally.open, tally.stays,
    )  # fmt: skip


def _leaks(session: Session, project_id: int) -> tuple[list[PairRow], int]:
    """The first open pairs of which one text is trained on and the other held out, and how many there are."""
    wanted = pairs.pairs_of(project_id).where(pairs.OPEN, DuplicatePair.leak)
    rows = session.scalars(wanted.limit(FIRST_PAIRS)).all()
    count = session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0
    keys = {key for row in rows for key in (row.left_key, row.right_key)}
    titles, kept_out = pairs.titles(session, project_id, keys), pairs.out_of_sight(session, project_id, keys)
    found = []
    for row in rows:
        hidden = not {row.left_key, row.right_key}.isdisjoint(kept_out)
        title = titles.get(row.left_key) or titles.get(row.right_key) or (KEPT_OUT if hidden else row.left_key)
        words = "kept out of sight" if hidden else scored(row.method, row.score) or METHOD_WORDS[row.method]
        found.append(PairRow(row.id, title, words))
    return found, count


def _match_rows(session: Session, matches: Sequence[BenchmarkMatch]) -> list[MatchRow]:
    kept = is_kept(session)
    texts = {} if kept else queries.listed_texts(session, [one.prompt_id for one in matches])
    asked = queries.asked_by(session, [one.example_id for one in matches])
    return [_match_row(one, texts.get(one.prompt_id), asked.get(one.example_id, [])) for one in matches]


def _match_row(match: BenchmarkMatch, listed: tuple[int, str] | None, asked: Sequence[str]) -> MatchRow:
    line, theirs = listed or (0, "")
    ours = next((text for text in asked if text_hash(text) == match.text_hash), asked[0] if asked else "")
    apart = side_by_side(ours[:SHOWN], theirs[:SHOWN])
    return MatchRow(
        id=match.id,
        example_id=match.example_id,
        split=match.example.split.value,
        benchmark=match.benchmark.name,
        line=line,
        turn=match.turn,
        found="" if listed is None else scored(match.method, match.score) or "the same prompt",
        ours=apart.left if listed else (),
        theirs=apart.right if listed else (),
        kept_out=listed is None,
        open=match.verdict is MatchVerdict.OPEN,
        verdict=match.verdict.value,
        reason=match.reason,
        by=match.decider.name if match.decider else "",
        at=match.decided_at,
    )


@dataclass(frozen=True)
class CandidateNearPage:
    """The benchmarks that a candidate's prompts are near to, in words."""

    slug: str
    candidate_id: int
    title: str
    near: Sequence[str]


def candidate_near_page(
    session: Session, access: ProjectAccess, asking: Asking, candidate: Candidate
) -> CandidateNearPage:
    """What is told beside a candidate that is about to be taken: each benchmark that it is near to, and how."""
    found = near_candidate(session, asking, access.project.id, candidate)
    return CandidateNearPage(access.project.slug, candidate.id, candidate.title, [_in_words(one) for one in found])


def _in_words(one: NearBenchmark) -> str:
    if one.method is Method.EXACT:
        return f"The same as a benchmark prompt of {one.benchmark}"
    if one.kept_out or one.score is None or one.method is None:
        return f"Too close to a benchmark prompt of {one.benchmark}"
    return f"Near a benchmark prompt of {one.benchmark}, {scored(one.method, one.score)}"
