"""What of an approved set is near to listed prompts: as it was noted, and where it was not, as it is compared now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.duplicates.benchmarks.crossing import Asked, Meant, asked_in, crossings
from app.duplicates.benchmarks.models import BenchmarkMatch, MatchVerdict
from app.duplicates.benchmarks.queries import compared_as_it_stands, thresholds_of
from app.duplicates.benchmarks.shelf import Head, Shelf, rows_of, shelf_of
from app.duplicates.models import ExampleText, Method
from app.embeddings.vectors import text_hash
from app.examples.models import Example
from app.text.dialogue import prompts_in

Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ListedLeak:
    """A prompt of an example that is near to a listed one, by its place; `because` says why it may stay, if it may."""

    example_id: int
    turn: int
    place: int
    method: Method
    score: float
    because: str = ""


@dataclass(frozen=True)
class ListCount:
    """A list by its hash, and how many examples of a set were compared with it, matched it, and of these may stay."""

    name: str
    sha256: str
    prompts: int
    licence: str
    url: str
    compared: int
    matched: int
    kept: int


@dataclass(frozen=True)
class ListedLeaks:
    """What was found among `compared` examples, by their numbers; without a shelf the project names no list."""

    shelf: Shelf | None = None
    leaks: Sequence[ListedLeak] = ()
    compared: int = 0

    def counts(self) -> list[ListCount]:
        """Each list with what was found near to it; an example counts as kept where nothing of it is undecided."""
        return [self._count(one) for one in self.shelf.lists] if self.shelf else []

    def _count(self, one: Head) -> ListCount:
        assert self.shelf is not None
        near = [leak for leak in self.leaks if self.shelf.list_ids[leak.place] == one.id]
        matched = {leak.example_id for leak in near}
        kept = matched - {leak.example_id for leak in near if not leak.because}
        return ListCount(
            one.name, one.sha256, one.prompts, one.licence, one.url, self.compared, len(matched), len(kept)
        )  # fmt: skip


def listed_leaks(session: Session, project_id: int, held: Mapping[int, tuple[int, Messages]]) -> ListedLeaks:
    """What of these examples (number -> revision and words) is near to a listed prompt, at the project's thresholds.

    What a worker has compared is read; all else is compared here, by meaning as far as its vectors are stored.
    """
    shelf = shelf_of(session, project_id)
    if shelf is None:
        return ListedLeaks()
    thresholds = thresholds_of(session, project_id)
    done = select(Example.id, Example.revision_number).where(Example.project_id == project_id)
    current = dict(iter(session.execute(done.where(compared_as_it_stands(thresholds)))))
    noted = {number for number, (revision, _) in held.items() if current.get(number) == revision}
    rest = [one for number in held.keys() - noted for one in asked_in(number, prompts_in(held[number][1]))]
    found = list(_known(session, project_id, shelf))
    leaks = [leak for leak, _ in found if leak.example_id in noted]
    because = {(leak.example_id, leak.place, said): leak.because for leak, said in found if leak.because}
    for one in crossings(rest, shelf.listed, thresholds, _meant(session, project_id, shelf, rest)):
        why = because.get((one.left, one.right, text_hash(one.text)), "")
        leaks.append(ListedLeak(one.left, one.turn, one.right, one.method, one.score, why))
    leaks.sort(key=lambda leak: (leak.example_id, -leak.score, leak.place))
    return ListedLeaks(shelf, leaks, len(held))


def _known(session: Session, project_id: int, shelf: Shelf) -> Iterator[tuple[ListedLeak, str]]:
    """What is noted as near, each with the hash of the words that it was noted of."""
    place_of = {number: place for place, number in enumerate(shelf.ids)}
    columns = (
        BenchmarkMatch.prompt_id, BenchmarkMatch.example_id, BenchmarkMatch.turn, BenchmarkMatch.method,
        BenchmarkMatch.score, BenchmarkMatch.text_hash, BenchmarkMatch.verdict, BenchmarkMatch.reason,
    )  # fmt: skip
    for row in session.execute(select(*columns).where(BenchmarkMatch.project_id == project_id)):
        if row.prompt_id in place_of:
            why = row.reason if row.verdict is MatchVerdict.STAYS else ""
            place = place_of[row.prompt_id]
            yield ListedLeak(row.example_id, row.turn, place, row.method, row.score, why), row.text_hash


def _meant(session: Session, project_id: int, shelf: Shelf, rest: Sequence[Asked]) -> Meant | None:
    """The stored vectors of both sides, under the model of the project's newest; None where there is none."""
    newest = select(ExampleText.model).where(ExampleText.project_id == project_id)
    model = session.scalar(newest.order_by(ExampleText.id.desc()).limit(1)) if rest else None
    theirs = shelf.vectors_of(session, model) if model else None
    if model is None or theirs is None:
        return None
    ours, _ = rows_of(session, model, [text_hash(one.text) for one in rest])
    return None if ours is None else Meant(ours, theirs)
