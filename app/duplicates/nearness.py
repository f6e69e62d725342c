"""How near a prompt that is being written is to the prompts that are there: equal, alike in wording, alike in meaning.

The thresholds are those of the project's look for duplicates, so whatever is said here is what a scan will find.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.duplicates.encoding import lately_stale
from app.duplicates.lexical import alike, runs, signature
from app.duplicates.means import Asking, Means, means_of
from app.duplicates.models import DuplicatePair, DuplicateScan, ExampleText, Method, On, Verdict
from app.duplicates.narrowing import HAIR
from app.duplicates.normal import normal_form
from app.duplicates.operations import THRESHOLD
from app.duplicates.queries import pairs_with, scans_of
from app.duplicates.texts import example_key, parsed
from app.embeddings.vectors import Vectors, text_hash
from app.errors import Conflict
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import arrived, head_revision
from app.examples.sight import everything, is_kept
from app.projects.models import Split
from app.text.dialogue import prompt_of, prompts_in

# Of 350,000 pairs of questions of two real sites two share so much of their wording, both nearly word for word.
WORDING = 0.7
# So far below the threshold a held-out prompt is still named: far enough to keep, and good to know.
CLOSE = 0.1
# Nearly four times the standard deviation of a guess of the wording (0.054); what it lets through is measured.
GUESS = 0.2
CANDIDATES = 20
# Whoever has typed less has not asked anything yet.
SHORTEST = 8
SHOWN = 3


class NotNear(Conflict):
    """These two prompts are not near any more, so there is nothing to settle; nothing was changed."""


@dataclass(frozen=True)
class Draft:
    """What somebody is writing: the words of all its prompts, its split, and which example it is, if it is one.

    `turns` are the prompts one by one; without them the one is all of it.
    """

    prompt: str
    split: str = Split.TRAIN.value
    example_id: int | None = None
    # Examples that were said to be no duplicates of what is no example itself, each with why both may stay.
    dismissed: Mapping[int, str] = field(default_factory=dict)
    turns: Sequence[str] = ()


def saved_draft(session: Session, example: Example) -> Draft:
    """The newest revision of an example, as it is compared."""
    messages = head_revision(session, example).messages
    return Draft(prompt_of(messages), example.split.value, example.id, turns=prompts_in(messages))


@dataclass(frozen=True)
class Near:
    """An example whose prompt is near; of one that is `kept_out` of sight nothing is said but that it is there.

    `counts` says that it reaches the threshold; `leak` that one would be trained on and the other held out.
    """

    example_id: int
    method: Method
    score: float
    leak: bool
    counts: bool
    split: str
    state: str
    prompt: str
    messages: Sequence[Any]
    title: str
    kept_out: bool = False


@dataclass(frozen=True)
class Nearness:
    """What is near, the worst first, and the thresholds; what could not be compared says so."""

    near: Sequence[Near]
    threshold: float
    wording: float = WORDING
    more: int = 0
    under_way: bool = False
    reason: str = ""


@dataclass
class Prompt:
    """A prompt in the forms in which it is compared."""

    prompt: str
    unit: Vectors | None
    form: str = field(init=False)
    runs: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Both forms are made once."""
        self.form, self.runs = normal_form(self.prompt), runs(self.prompt)


def nearness(session: Session, asking: Asking, project_id: int, draft: Draft) -> Nearness:
    """Compare a prompt with every other of the project, in a constant number of queries; nothing is kept."""
    if len("".join(draft.prompt.split())) >= SHORTEST:
        return _told(*all_near(session, asking, project_id, draft))
    with everything(session):
        linked = _linked(session, project_id, draft)
    if not linked:
        return Nearness((), threshold_of(session, project_id))
    return _told(*all_near(session, asking, project_id, draft, linked))


def all_near(
    session: Session, asking: Asking, project_id: int, draft: Draft, among: Collection[int] = ()
) -> tuple[list[Near], float, Means]:
    """Everything, or of these examples those, that is near and not settled; the threshold; by what it was compared."""
    threshold = threshold_of(session, project_id)
    with everything(session):
        means = means_of(session, asking, project_id)
        ours = Prompt(draft.prompt, means.vector_of(draft.prompt))
        linked = _linked(session, project_id, draft)
        ids = sorted(among or linked | _candidates(session, means, ours, project_id, threshold))
        rows = rows_of(session, project_id, ids)
        mine = session.get(Example, draft.example_id) if draft.example_id else None
    decided = settled(session, project_id, draft)
    seen = set(session.scalars(select(Example.id).where(Example.id.in_(ids)))) if is_kept(session) else set(ids)
    found = [
        _near(row, ours, means, draft, threshold, linked=row.id in linked, kept_out=row.id not in seen)
        for row in rows if not belongs_together(row, mine, draft)
    ]  # fmt: skip
    return [one for one in found if one and not _is_settled(one, decided)], threshold, means


def _is_settled(one: Near, decided: Mapping[int, bool]) -> bool:
    """Whether it was decided; what was kept as two texts of one split is spoken of again once it is a leak."""
    return one.example_id in decided and (decided[one.example_id] or not one.leak)


def near_one(session: Session, asking: Asking, project_id: int, draft: Draft, other_id: int) -> Near:
    """The example of that number as it is near to the draft, however many are nearer; raises NotNear."""
    found = all_near(session, asking, project_id, draft)[0]
    for one in found:
        if one.example_id == other_id:
            return one
    raise NotNear


def threshold_of(session: Session, project_id: int) -> float:
    """The cosine from which the project's last look at prompts took two for the same; without any, the usual one."""
    last = session.scalar(scans_of(project_id).where(DuplicateScan.on == On.PROMPT).limit(1))
    return last.threshold if last else THRESHOLD


def _linked(session: Session, project_id: int, draft: Draft) -> set[int]:
    """The project's examples that are this one's original, its translations, or translations of its original."""
    mine = session.get(Example, draft.example_id) if draft.example_id else None
    if mine is None:
        return set()
    root = mine.translation_of_id or mine.id
    kin = or_(Example.id == root, Example.translation_of_id == root)
    return set(session.scalars(select(Example.id).where(Example.project_id == project_id, kin))) - {mine.id}


def _candidates(session: Session, means: Means, ours: Prompt, project_id: int, threshold: float) -> set[int]:
    """Everything that may be near: by the index of normal forms, by the shelf, and all that is not on it yet."""
    here = (ExampleText.project_id == project_id, ExampleText.prompt_form == text_hash(ours.form))
    found = set(session.scalars(select(ExampleText.example_id).where(*here).limit(CANDIDATES)))
    found |= set(session.scalars(lately_stale(project_id)))
    if means.shelf is not None and ours.unit is not None:
        by_meaning = means.shelf.near_prompts(ours.unit, CANDIDATES)
        by_wording = means.shelf.alike(signature(ours.prompt), CANDIDATES)
        found |= {match.example_id for match in by_meaning if match.score >= threshold - CLOSE - HAIR}
        found |= {match.example_id for match in by_wording if match.score >= WORDING - GUESS}
    return found


def rows_of(session: Session, project_id: int, ids: Sequence[int]) -> Sequence[Any]:
    """Those of these examples that stand in the project, with their newest words."""
    head = and_(Revision.example_id == Example.id, Revision.number == Example.revision_number)
    # What is not encoded as it stands now has a vector of other words.
    encoded = and_(ExampleText.example_id == Example.id, ExampleText.revision_number == Example.revision_number)
    query = select(
        Example.id, Example.split, Example.state, Example.site, Example.thread_id, Example.beside_id,
        Example.translation_of_id, Revision.title, Revision.messages, ExampleText.id.label("encoded"),
    ).join(Revision, head).outerjoin(ExampleText, encoded)  # fmt: skip
    query = query.where(Example.project_id == project_id, Example.id.in_(ids), arrived())
    return session.execute(query.where(Example.state != ExampleState.REJECTED)).all()


def belongs_together(row: Any, mine: Example | None, draft: Draft) -> bool:
    """Whether two have their prompt in common by nature: one and itself, answers to one question, translations.

    Of translations only those that are both trained on or both held out.
    """
    if row.id == draft.example_id or mine is None:
        return bool(row.id == draft.example_id)
    same_question = row.thread_id is not None and (row.site, row.thread_id) == (mine.site, mine.thread_id)
    ours, theirs = {mine.id, mine.beside_id} - {None}, {row.id, row.beside_id}
    if not _leaks(row, draft):
        ours, theirs = ours | {mine.translation_of_id or mine.id}, theirs | {row.translation_of_id}
    return same_question or bool(ours & theirs)


def _leaks(row: Any, draft: Draft) -> bool:
    return bool((row.split == Split.TRAIN) != (draft.split == Split.TRAIN))


def settled(session: Session, project_id: int, draft: Draft) -> dict[int, bool]:
    """The examples that were said to be no duplicates of this one; whether even as a leak, for a reason."""
    if draft.example_id is None:
        return {number: bool(reason.strip()) for number, reason in draft.dismissed.items()}
    key = example_key(draft.example_id)
    decided = pairs_with(project_id, [key]).where(
        DuplicatePair.verdict == Verdict.KEEP_BOTH, DuplicatePair.on == On.PROMPT
    )
    found = {}
    for pair in session.scalars(decided):
        kind, _, name = parsed(pair.right_key if pair.left_key == key else pair.left_key)
        if kind == "example":
            found[int(name)] = bool(pair.kept_because)
    return found


def _near(
    row: Any, ours: Prompt, means: Means, draft: Draft, threshold: float, *, linked: bool, kept_out: bool
) -> Near | None:
    prompt = prompt_of(row.messages)
    cosine = None
    if row.encoded is not None and means.shelf is not None and ours.unit is not None:
        cosine = means.shelf.cosine(row.id, ours.unit)
    method, score, counts = likeness(ours, prompt, cosine, threshold)
    if linked and method is not Method.EXACT:
        method, score, counts = Method.TRANSLATION, 1.0, True
    leak = _leaks(row, draft)
    close = leak and not kept_out and method is Method.EMBEDDING and score >= threshold - CLOSE
    if not (counts or close):
        return None
    return Near(
        row.id, method, score, leak, counts, row.split.value, row.state.value, prompt, row.messages, row.title, kept_out
    )


def likeness(ours: Prompt, prompt: str, cosine: float | None, threshold: float) -> tuple[Method, float, bool]:
    """By what two prompts are nearest, how near, and whether it counts: equality first, then meaning, then wording."""
    if ours.form and ours.form == normal_form(prompt):
        return Method.EXACT, 1.0, True
    if cosine is not None and cosine >= threshold - HAIR:
        return Method.EMBEDDING, cosine, True
    wording = alike(ours.runs, runs(prompt))
    if wording >= WORDING:
        return Method.LEXICAL, wording, True
    return Method.EMBEDDING, cosine or 0.0, False


def _told(found: Iterable[Near], threshold: float, means: Means) -> Nearness:
    """The worst few: leaks before copies, what counts before what is only close; of the hidden ones one for all."""
    ordered = sorted(found, key=lambda one: (not one.counts, not one.leak, one.kept_out, -one.score, one.example_id))
    hidden = [one for one in ordered if one.kept_out]
    shown = [one for one in ordered if not one.kept_out or one is hidden[0]]
    counting = [one for one in shown if one.counts]
    # What is only close is named where nothing worse is.
    first = counting[:SHOWN] or shown[:1]
    return Nearness(first, threshold, WORDING, max(0, len(counting) - SHOWN), means.under_way, means.reason)
