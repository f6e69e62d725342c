"""Add next as a page: ten candidates with their reasons, what was said to the last ones, and what the set lacks."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import Request
from sqlalchemy.orm import Session

from app.embeddings.pages import PoolStanding, pool_standing_of
from app.examples.labels import SourceLabel, shown_text, shown_title
from app.examples.queries import heads_by_id
from app.projects.access import ProjectAccess
from app.selection.adding.advising import Answer, Asking, ask
from app.selection.adding.asked import Request as CoverageRequest
from app.selection.adding.deciding import AGAIN_AFTER, NOT_WANTED, Decided, decided_by
from app.selection.adding.forms import TEN, NextQuery
from app.selection.adding.models import NextVerdict
from app.selection.adding.needs import Needs
from app.selection.adding.reasons import cosine_words
from app.selection.adding.suggesting import By, Suggestion
from app.selection.adding.thin import ThinRegion
from app.selection.search.pages import REASONS
from app.sources.models import Candidate, CandidateStatus
from app.text.dialogue import prompt_of, response_of
from app.web.words import plural

ORDERS = {By.NEED: "By need", By.LONGEST: "Longest", By.CHANCE: "By chance"}
SAID = {
    NextVerdict.ACCEPTED: ("approved", "Accepted"), NextVerdict.LATER: ("draft", "Not now"),
    NextVerdict.NEVER: ("rejected", "Never"),
}  # fmt: skip
MOST_DONE = 3
PROMPT, RESPONSE = 240, 420


@dataclass(frozen=True)
class NextRow:
    """A suggestion; `prompt` and `response` are how its words begin, shown of the chosen one."""

    number: int
    id: int
    title: str
    source: SourceLabel
    why: str
    nearest: str
    extent: str
    score: int | None
    kept: bool
    at: bool
    prompt: str
    response: str
    nearest_example: int | None
    nearest_title: str


@dataclass(frozen=True)
class DoneRow:
    """What was said to a suggestion, and its undo."""

    id: int
    title: str
    sign: tuple[str, str]
    words: str
    example_id: int | None


@dataclass(frozen=True)
class NeedRow:
    """A source of the target."""

    source: SourceLabel
    target: int
    begun: int
    short: int
    share: float


@dataclass(frozen=True)
class NextPage:
    """What to add next; `standing` says how far the pool is encoded, `query` carries the order from link to link.

    `area` names the part of the map that is looked at, empty for all of it; `everywhere` is the same without it.
    """

    slug: str
    standing: PoolStanding
    under_way: bool
    has_advice: bool
    rows: Sequence[NextRow]
    chosen: NextRow | None
    previous_id: int | None
    next_id: int | None
    done: Sequence[DoneRow]
    needs: Sequence[NeedRow]
    short: int
    begun: int
    eligible: int
    put_off: int
    widened: bool
    thin: Sequence[ThinRegion]
    requests: Sequence[CoverageRequest]
    area: str
    map_query: str
    everywhere: str
    near: str
    wanted: NextQuery
    query: str
    list_query: str
    after_query: str
    orders: Sequence[tuple[str, str, bool]]
    others: str | None
    first: str | None
    reasons: Sequence[str]
    again_after: int

    def query_at(self, candidate_id: int) -> str:
        """The same list with another one chosen."""
        return self.wanted.as_query(at=candidate_id)


def next_page(request: Request, session: Session, access: ProjectAccess, asking: Asking, wanted: NextQuery) -> NextPage:
    """The ten with one chosen: the one of that number, else the first."""
    here = str(request.app.url_path_for("selection:next", slug=access.project.slug))
    answer = ask(session, asking, access.project, wanted.as_wish())
    rows = _rows(session, answer, wanted)
    at = next((place for place, row in enumerate(rows) if row.at), 0)
    advice = answer.advice
    return NextPage(
        slug=access.project.slug,
        standing=pool_standing_of(request, session, access, here),
        under_way=answer.under_way,
        has_advice=advice is not None,
        rows=rows,
        chosen=rows[at] if rows else None,
        previous_id=rows[at - 1].id if at else None,
        next_id=rows[at + 1].id if at + 1 < len(rows) else None,
        done=[_done(one) for one in decided_by(session, access.project.id, access.user, MOST_DONE)],
        needs=_needs(advice.needs) if advice else (),
        short=advice.needs.short if advice else 0,
        begun=advice.needs.begun if advice else 0,
        eligible=advice.eligible if advice else 0,
        put_off=advice.put_off if advice else 0,
        widened=advice.widened if advice else False,
        thin=answer.thin,
        requests=answer.requests,
        area=answer.area,
        map_query=urlencode(wanted.model_dump(include={"region", "lasso"}, exclude_defaults=True)),
        everywhere=wanted.as_query(region=None, lasso="", skip=0, at=None),
        near=cosine_words(advice.near) if advice else "",
        wanted=wanted,
        query=wanted.as_query(),
        list_query=wanted.as_query(at=None),
        after_query=wanted.as_query(at=_other(rows, at)),
        orders=[(title, wanted.as_query(by=by, skip=0, at=None), by is wanted.by) for by, title in ORDERS.items()],
        others=wanted.as_query(skip=wanted.skip + TEN, at=None) if advice and advice.more else None,
        first=wanted.as_query(skip=0, at=None) if wanted.skip else None,
        reasons=(NOT_WANTED, *REASONS),
        again_after=AGAIN_AFTER,
    )


def _other(rows: Sequence[NextRow], at: int) -> int | None:
    """The one to choose once the one at this place is decided: the next, else the one before."""
    others = [*rows[at + 1 : at + 2], *rows[max(0, at - 1) : at]]
    return others[0].id if others else None


def _rows(session: Session, answer: Answer, wanted: NextQuery) -> list[NextRow]:
    if answer.advice is None or not answer.candidates:
        return []
    numbers = [one.id for one in answer.candidates]
    at = wanted.at if wanted.at in numbers else numbers[0]
    near = {one.nearest_example for one in answer.advice.suggestions if one.nearest_example is not None}
    titles = {head.example_id: head.title for head in session.scalars(heads_by_id(sorted(near)))}
    labels = answer.advice.needs.labels
    return [
        _row(wanted.skip + place, candidate, one, labels.of(candidate.source), candidate.id == at, titles)
        for place, (candidate, one) in enumerate(
            zip(answer.candidates, answer.advice.suggestions, strict=True), start=1
        )
    ]


def _row(
    number: int, candidate: Candidate, one: Suggestion, source: SourceLabel, at: bool, titles: dict[int, str]
) -> NextRow:
    prompt, response = prompt_of(candidate.messages), response_of(candidate.messages)
    title = shown_title(candidate.title)
    return NextRow(
        number=number,
        id=candidate.id,
        title=title,
        source=source,
        why=one.reason,
        nearest="" if one.facts.nearest is None else cosine_words(one.facts.nearest),
        extent=plural(len(response), "character") if response.strip() else "prompt only",
        score=candidate.score,
        kept=candidate.status is CandidateStatus.KEPT,
        at=at,
        prompt="" if " ".join(prompt.split()) == " ".join(candidate.title.split()) else _beginning(prompt, PROMPT),
        response=_beginning(response, RESPONSE),
        nearest_example=one.nearest_example,
        nearest_title=shown_title(titles.get(one.nearest_example or 0, "")),
    )


def _beginning(text: str, most: int) -> str:
    """How a text begins, in one line and not within a word."""
    words = shown_text(" ".join(text.split()))
    return words if len(words) <= most else words[:most].rsplit(" ", 1)[0] + " …"


def _done(one: Decided) -> DoneRow:
    words = {
        NextVerdict.ACCEPTED: f"Draft {one.example_id}" if one.example_id else "A draft",
        NextVerdict.LATER: f"comes back when the set has grown by {AGAIN_AFTER} examples",
        NextVerdict.NEVER: f"rejected in the pool, {one.candidate.status_reason}",
    }[one.verdict]
    return DoneRow(one.candidate.id, shown_title(one.candidate.title), SAID[one.verdict], words, one.example_id)


def _needs(needs: Needs) -> list[NeedRow]:
    return [NeedRow(row.source, row.target, row.begun, row.short, row.share) for row in needs.rows]
