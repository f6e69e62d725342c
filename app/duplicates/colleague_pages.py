"""Colleagues' work beside the desk: what a search finds, one example opened in place, and what a prompt is near to."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from markupsafe import Markup
from sqlalchemy.orm import Session

from app.duplicates.benchmarks.near import NearBenchmark, near_draft
from app.duplicates.colleague_forms import DismissedForm
from app.duplicates.comparing import marked
from app.duplicates.means import Asking
from app.duplicates.models import Method
from app.duplicates.nearness import Draft, Near, near_one, nearness
from app.duplicates.operations import LeakNeedsReason
from app.duplicates.seeking import MEANING, WORDS, Hit, Sought, seek
from app.duplicates.sheet import score_words, scored
from app.examples import queries
from app.examples.forms import messages_of, turns_in
from app.examples.labels import SourceLabel, SourceLabels, shown_title, turn_title
from app.examples.models import Example, Revision
from app.projects.access import ProjectAccess
from app.projects.models import Split
from app.projects.queries import composition_of
from app.text.dialogue import prompt_of, prompts_in
from app.text.search import Piece
from app.web.forms import check

WAY_WORDS = {(WORDS,): "by words", (MEANING,): "by meaning", (WORDS, MEANING): "by words and meaning"}
LONGEST_COMPARED = 4000
# Fragments that show nothing of what is found.
UNSOUGHT = ("colleagues", "colleague_text")


@dataclass(frozen=True)
class HitRow:
    """An example that was found, and which way."""

    id: int
    title: Sequence[Piece]
    snippet: Sequence[Piece]
    source: SourceLabel
    state: str
    split: str
    by: str
    changed_at: datetime
    ways: str
    at: bool


@dataclass(frozen=True)
class Opened:
    """One example to read in place: its turns as Markdown, who wrote them, where it stands."""

    id: int
    title: str
    turns: Sequence[tuple[str, str, str]]
    source: SourceLabel
    state: str
    split: str
    language: str
    by: str
    changed_at: datetime
    revision: int


@dataclass(frozen=True)
class ColleaguesPage:
    """The search beside the desk, or a page of its own; `example_id` is the one on the desk, if it is one already."""

    slug: str
    typed: str
    example_id: int | None
    asked: bool
    hits: Sequence[HitRow]
    opened: Opened | None
    waiting: int
    total: int
    under_way: bool
    reason: str
    # Whether the desk asks for its panel.
    panel: bool = False


@dataclass(frozen=True)
class NearRow:
    """A prompt that is near: `theirs` and `ours` with the words marked that stand in one only."""

    id: int
    method: Method
    score: str
    leak: bool
    counts: bool
    split: str
    state: str
    title: str
    theirs: Markup
    ours: Markup
    kept_out: bool

    @property
    def exact(self) -> bool:
        """Whether the two say the same."""
        return self.method is Method.EXACT

    @property
    def linked(self) -> bool:
        """Whether one translates the other, or both the same original."""
        return self.method is Method.TRANSLATION


@dataclass(frozen=True)
class BenchmarkRow:
    """A benchmark that the prompt is near to; `theirs` is its prompt with the words marked that stand there alone."""

    name: str
    exact: bool
    score: str
    kept_out: bool
    theirs: Markup


@dataclass(frozen=True)
class NearPage:
    """What the prompt on the desk is near to; `dismissed` is, as JSON, what one that is not made yet leaves aside."""

    slug: str
    example_id: int | None
    title: str
    split: str
    near: Sequence[NearRow]
    more: int
    threshold: str
    dismissed: str
    under_way: bool
    reason: str
    open: bool
    benchmarks: Sequence[BenchmarkRow] = ()
    # Whether it is a page of its own, about what is saved.
    alone: bool = False
    error: str = ""
    asked_for: int | None = None


def colleagues_page(
    session: Session,
    access: ProjectAccess,
    asking: Asking,
    typed: str,
    *,
    example_id: int | None = None,
    opened: Example | None = None,
    only: str = "",
) -> ColleaguesPage:
    """The hits with one example opened; `only` names the one fragment that is wanted, which may show no hits."""
    labels = SourceLabels(session.scalars(composition_of(access.project)))
    sought = Sought((), 0, 0) if only in UNSOUGHT else seek(session, asking, access.project, typed, but=example_id)
    return ColleaguesPage(
        slug=access.project.slug,
        typed=typed,
        example_id=example_id,
        asked=bool(typed.strip()),
        hits=[_hit_row(hit, labels, opened) for hit in sought.hits],
        opened=_opened(queries.head_revision(session, opened), opened, labels) if opened else None,
        waiting=sought.waiting,
        total=sought.total,
        under_way=sought.under_way,
        reason=sought.reason,
        panel=only == "colleagues",
    )


def _hit_row(hit: Hit, labels: SourceLabels, opened: Example | None) -> HitRow:
    ways = WAY_WORDS[hit.ways] + (f" {score_words(hit.cosine)}" if hit.cosine is not None else "")
    here = opened is not None and opened.id == hit.id
    return HitRow(
        hit.id, hit.title, hit.snippet, labels.of(hit.source), hit.state.value, hit.split, hit.by, hit.changed_at,
        ways, here,
    )  # fmt: skip


def _opened(head: Revision, example: Example, labels: SourceLabels) -> Opened:
    writer = head.author or example.creator
    turns = [
        (turn_title(head.messages, index), str(message["role"]), str(message["content"]))
        for index, message in enumerate(head.messages)
    ]
    return Opened(
        example.id, shown_title(head.title), turns, labels.of(example.source), example.state.value,
        example.split.value, example.language, writer.name if writer else "nobody here", example.changed_at,
        head.number,
    )  # fmt: skip


def typed_near_page(
    session: Session, access: ProjectAccess, asking: Asking, example: Example | None, typed: Mapping[str, str]
) -> NearPage:
    """What the prompt as it stands on the desk is near to; nothing is saved.

    Of one that is not made yet the desk carries what was said to be no duplicate; `dismiss` names one more.
    """
    draft = draft_of(typed, example)
    named = typed.get("dismiss", "")
    if example is not None or not named.isdecimal():
        return near_page(session, access, asking, example, draft)
    number = int(named[:15])
    reason = " ".join(typed.get(f"reason_{number}", "").split())[:1000]
    one = near_one(session, asking, access.project.id, draft, number)
    if one.leak and not reason:
        return near_page(session, access, asking, None, draft, problem=(number, LeakNeedsReason().message))
    return near_page(session, access, asking, None, replace(draft, dismissed={**draft.dismissed, number: reason}))


def draft_of(typed: Mapping[str, str], example: Example | None) -> Draft:
    """What is typed, as it is compared: the words of all prompts, and the split that the form says."""
    split = typed.get("split", example.split.value if example else Split.TRAIN.value)
    posted = check(DismissedForm, {"not_duplicates": typed.get("not_duplicates", "{}")})
    messages = messages_of("", turns_in(typed))
    return Draft(
        prompt=prompt_of(messages),
        split=split if split in set(Split) else Split.TRAIN.value,
        example_id=example.id if example else None,
        turns=prompts_in(messages),
        dismissed=posted.value.not_duplicates if example is None and not posted.errors else {},
    )


def near_page(
    session: Session,
    access: ProjectAccess,
    asking: Asking,
    example: Example | None,
    draft: Draft,
    *,
    problem: tuple[int, str] | None = None,
    alone: bool = False,
) -> NearPage:
    """What a draft is near to; `problem` says why one could not be dismissed, `alone` that no desk is round it."""
    found = nearness(session, asking, access.project.id, draft)
    return NearPage(
        slug=access.project.slug,
        example_id=example.id if example else None,
        title=f"Example {example.id}" if example else "New example",
        split=draft.split,
        near=[_near_row(one, draft) for one in found.near],
        more=found.more,
        threshold=score_words(found.threshold),
        dismissed=json.dumps(draft.dismissed),
        under_way=found.under_way,
        reason=found.reason,
        open=access.project.archived_at is None,
        benchmarks=[_benchmark_row(one, draft) for one in near_draft(session, asking, access.project.id, draft)],
        alone=alone,
        error=problem[1] if problem else "",
        asked_for=problem[0] if problem else None,
    )


def _near_row(one: Near, draft: Draft) -> NearRow:
    if one.kept_out:
        nothing = Markup()
        return NearRow(0, one.method, "", one.leak, one.counts, one.split, "", "", nothing, nothing, kept_out=True)
    theirs, ours = marked(one.prompt[:LONGEST_COMPARED], draft.prompt[:LONGEST_COMPARED])
    return NearRow(
        one.example_id, one.method, score_words(one.score), one.leak, one.counts, one.split, one.state,
        shown_title(one.title), theirs, ours, kept_out=False,
    )  # fmt: skip


def _benchmark_row(one: NearBenchmark, draft: Draft) -> BenchmarkRow:
    ours = draft.turns[one.turn - 1] if draft.turns else draft.prompt
    theirs = Markup() if one.listed is None else marked(one.listed[:LONGEST_COMPARED], ours[:LONGEST_COMPARED])[0]
    score = "" if one.score is None or one.method is None else scored(one.method, one.score)
    return BenchmarkRow(one.benchmark, one.method is Method.EXACT, score, one.kept_out, theirs)
