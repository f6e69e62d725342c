"""Which benchmarks a text is near to that somebody writes or is about to take, by all ways; nothing is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.duplicates.benchmarks.crossing import Asked, Crossing, Meant, asked_in, crossings
from app.duplicates.benchmarks.queries import thresholds_of
from app.duplicates.benchmarks.shelf import Shelf, shelf_of
from app.duplicates.means import Asking
from app.duplicates.models import Method
from app.duplicates.nearness import SHORTEST, Draft
from app.embeddings.choosing import model_of
from app.embeddings.operations import light_encoder_within
from app.errors import Refusal
from app.examples.sight import everything, is_kept
from app.projects.models import Split
from app.sources.models import Candidate
from app.text.dialogue import prompts_in


@dataclass(frozen=True)
class NearBenchmark:
    """The listed prompt of a benchmark that a text is nearest to; where it is kept out of sight only the benchmark."""

    benchmark: str
    turn: int = 1
    method: Method | None = None
    score: float | None = None
    line: int | None = None
    listed: str | None = None

    @property
    def kept_out(self) -> bool:
        """Whether whoever asks may not read the prompt."""
        return self.listed is None


def near_benchmarks(
    session: Session, asking: Asking, project_id: int, prompts: Sequence[str]
) -> Sequence[NearBenchmark]:
    """Of each benchmark of the project the nearest prompt that one of these is near to, the nearest first."""
    shelf = shelf_of(session, project_id)
    wanted = asked_in(0, prompts) if shelf else []
    if shelf is None or not wanted:
        return ()
    found = crossings(
        wanted, shelf.listed, thresholds_of(session, project_id), _meant(session, asking, shelf, wanted, project_id)
    )  # fmt: skip
    nearest: dict[int, NearBenchmark] = {}
    for one in sorted(found, key=lambda one: -one.score):
        nearest.setdefault(shelf.list_ids[one.right], _near(shelf, one))
    # How near it is, and by what, would tell what the prompt says.
    kept = is_kept(session)
    return [NearBenchmark(one.benchmark) if kept else one for one in nearest.values()]


def near_draft(session: Session, asking: Asking, project_id: int, draft: Draft) -> Sequence[NearBenchmark]:
    """The benchmarks that a draft is near to; a prompt of the test split may well be one's."""
    if draft.split == Split.TEST or len("".join(draft.prompt.split())) < SHORTEST:
        return ()
    return near_benchmarks(session, asking, project_id, draft.turns or (draft.prompt,))


def near_candidate(session: Session, asking: Asking, project_id: int, candidate: Candidate) -> Sequence[NearBenchmark]:
    """The same of a candidate of the pool that is about to be taken."""
    if candidate.split is Split.TEST:
        return ()
    return near_benchmarks(session, asking, project_id, prompts_in(candidate.messages))


def _near(shelf: Shelf, one: Crossing) -> NearBenchmark:
    return NearBenchmark(
        shelf.list_at(one.right).name, one.turn, one.method, one.score, shelf.lines[one.right],
        shelf.listed.texts[one.right],
    )  # fmt: skip


def _meant(session: Session, asking: Asking, shelf: Shelf, wanted: Sequence[Asked], project_id: int) -> Meant | None:
    """Vectors as far as the model is there within the asker's patience, and the listed prompts are encoded."""
    try:
        encoder = light_encoder_within(asking.patience, model_of(session, asking.settings, project_id))
    except Refusal:
        return None
    with everything(session):
        theirs = shelf.vectors_of(session, encoder.key) if encoder else None
    if encoder is None or theirs is None:
        return None
    return Meant(encoder.encode([one.text for one in wanted]), theirs)
