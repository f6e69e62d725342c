"""What the gates of a project find in its approved set, and what the project makes of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial

import numpy as np
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.datasets import gates
from app.datasets.gate_models import GateSettings
from app.datasets.gates import (
    GATES,
    AgainstLists,
    Approvals,
    Compared,
    Filling,
    Finding,
    Gate,
    Judgement,
    KnownPair,
    Leak,
    Leaks,
    Licensed,
    Long,
    Look,
    NearListed,
    Policy,
    Prompt,
    Remarked,
    Side,
)  # fmt: skip
from app.datasets.gates.base import around, excerpt
from app.datasets.making_queries import counting_of
from app.datasets.material import Item
from app.datasets.readings import Passage, passages
from app.datasets.tokens import cut_at, row_tokens
from app.duplicates.benchmarks.leaks import listed_leaks
from app.duplicates.models import DuplicatePair, DuplicateScan, ExampleText, Verdict
from app.duplicates.narrowing import HAIR
from app.duplicates.nearness import threshold_of
from app.duplicates.queries import originals
from app.duplicates.texts import example_key
from app.embeddings.models import Embedding
from app.embeddings.vectors import STORED, Vectors, stack
from app.examples.models import Example, LeftRemark, Revision
from app.examples.sight import is_kept
from app.examples.style import RULES
from app.examples.style.base import Rule
from app.examples.style.fit import PersonalData
from app.examples.style.sheet import BY_NAME, Sheet
from app.examples.style_queries import sheet_of
from app.projects.models import Project, Split
from app.text.dialogue import prompts_in

# Those that are plain mistakes wherever they stand.
STYLE_RULES = ("references", "as_an_ai", "html", "fences")
# A length is compared with that of others, and so is no fault of a text.
NO_REASON = "no reason on record"
COUNTABLE = tuple(kind.name for kind in RULES if kind.name not in {"length", PersonalData.name})


@dataclass(frozen=True)
class Chosen:
    """What a project makes of its gates, whole: a policy for each, and the rules of style whose remarks count."""

    policies: Mapping[str, Policy]
    style_rules: tuple[str, ...] = STYLE_RULES


def chosen_of(session: Session, project_id: int) -> Chosen:
    """The project's policies and rules, with the defaults where it has set none."""
    row = session.get(GateSettings, project_id)
    defaults = {kind.name: kind.default for kind in gates.KINDS}
    if row is None:
        return Chosen(defaults)
    kept = {gate: Policy(policy) for gate, policy in row.policies.items() if gate in defaults}
    return Chosen(defaults | kept, tuple(name for name in COUNTABLE if name in row.style_rules))


@dataclass(frozen=True)
class Whose:
    """The examples of a set that were approved by their own writer, and those without an approval on record."""

    own: Sequence[int] = ()
    unrecorded: Sequence[int] = ()


def judged(
    session: Session, project: Project, items: Sequence[Item], filled: Sequence[Filling], found: Approvals, whose: Whose
) -> tuple[Gate, ...]:
    """The judgement of each gate on an approved set, under the project's policies; what is off is not looked at."""
    chosen = chosen_of(session, project.id)
    policies, looking = chosen.policies, _Looking(session, project, items, chosen)
    ways: dict[str, Callable[[], Judgement]] = {
        "composition": partial(gates.composition_gate, filled),
        "approvals": partial(looking.approvals, found, whose),
        "duplicates": looking.duplicates,
        "leakage": looking.leakage,
        "licences": looking.licences,
        "personal": looking.personal,
        "style": looking.style,
        "tokenizer": looking.tokenizer,
    }
    return tuple(
        gates.switched_off(gate) if policies[gate] is Policy.OFF else gates.ruled(ways[gate](), policies[gate])
        for gate in GATES
    )


@dataclass(frozen=True)
class _Looking:
    """One look at a set: what several gates ask for is read once."""

    session: Session
    project: Project
    items: Sequence[Item]
    chosen: Chosen

    @cached_property
    def by_key(self) -> dict[str, Item]:
        return {example_key(item.example_id): item for item in self.items}

    @cached_property
    def pairs(self) -> list[tuple[KnownPair, bool, bool]]:
        """(pair, is a leak, is open) of all that waits for a decision, and of the leaks that were kept."""
        columns = (DuplicatePair.id, DuplicatePair.left_key, DuplicatePair.right_key, DuplicatePair.leak,
                   DuplicatePair.verdict, DuplicatePair.effect)  # fmt: skip
        query = select(*columns).where(
            DuplicatePair.project_id == self.project.id,
            or_(
                DuplicatePair.verdict == Verdict.OPEN,
                and_(DuplicatePair.verdict == Verdict.KEEP_BOTH, DuplicatePair.leak),
            ),
        )
        rows = self.session.execute(query.order_by(DuplicatePair.left_key, DuplicatePair.right_key))
        return [
            (KnownPair(number, left, right, effect.get("kept_because") or NO_REASON), leak, verdict is Verdict.OPEN)
            for number, left, right, leak, verdict, effect in rows
        ]

    @cached_property
    def sheet(self) -> Sheet:
        return sheet_of(self.session, self.project.id)

    @cached_property
    def left(self) -> set[tuple[int, str]]:
        """The remarks that somebody left as they are, by example and key."""
        query = select(LeftRemark.example_id, LeftRemark.key).join(Example, Example.id == LeftRemark.example_id)
        rows = self.session.execute(query.where(Example.project_id == self.project.id))
        return {(number, key) for number, key in rows}

    def side(self, item: Item, passage: Passage | None = None) -> Side:
        key = example_key(item.example_id)
        if passage is None:
            return Side(key, item.split, excerpt(item.prompt.text))
        text = str(item.messages[passage.message]["content"])
        words, mark = around(text, passage.start, passage.end) if passage.end else (excerpt(text), (0, 0))
        return Side(key, item.split, words, mark)

    def asked(self, item: Item, turn: int) -> Side:
        """One of its prompts, by its place in the dialogue."""
        return Side(example_key(item.example_id), item.split, excerpt(prompts_in(item.messages)[turn - 1]), turn=turn)

    def sides(self, numbers: Iterable[int]) -> list[Side]:
        return [self.side(self.by_key[example_key(number)]) for number in numbers]

    def approvals(self, found: Approvals, whose: Whose) -> Judgement:
        return gates.approvals_gate(found, self.sides(whose.own), self.sides(whose.unrecorded))

    def duplicates(self) -> Judgement:
        waiting = [(pair, leak) for pair, leak, is_open in self.pairs if is_open]
        inside = [(pair, leak) for pair, leak in waiting if pair.keys <= self.by_key.keys()]
        findings = [
            Finding("wait for a decision" + (", as a leak" if leak else ""),
                    tuple(self.side(self.by_key[key]) for key in (pair.left, pair.right)), pair=pair.pair_id)
            for pair, leak in inside
        ]  # fmt: skip
        leaks = sum(leak for _, leak in inside)
        return gates.duplicates_gate(findings, len(waiting) - len(inside), leaks=leaks, look=self._last_look())

    def _last_look(self) -> Look:
        """When the last look for duplicates that was brought to its end began, and what of the set is newer."""
        query = select(func.max(DuplicateScan.created_at))
        at = self.session.scalar(
            query.where(DuplicateScan.project_id == self.project.id, DuplicateScan.finished_at.is_not(None))
        )
        if at is None:
            return Look(None, len(self.items))
        written = select(Revision.example_id, Revision.number).join(Example, Example.id == Revision.example_id)
        newer = self.session.execute(written.where(Example.project_id == self.project.id, Revision.created_at > at))
        held = {(item.example_id, item.revision_number) for item in self.items}
        return Look(at, len(held & {(number, revision) for number, revision in newer}))

    def leakage(self) -> Judgement:
        prompts = tuple(item.prompt for item in self.items)
        asked = (*prompts, *(later for item in self.items for later in item.later_prompts))
        alike = gates.likenesses(asked)
        known = {prompt.key: prompt for prompt in prompts}
        # What was kept while both were in one split is open again once one of them is held out.
        told = [(pair, is_open) for pair, leak, is_open in self.pairs if leak and pair.keys <= known.keys()]
        meant, compared = self._near_in_meaning(known)
        return gates.leakage_gate(
            Leaks(
                exact=gates.exact_leaks(asked),
                linked=gates.linked_leaks(prompts, originals(self.session, self.project.id)),
                reworded=alike.reworded,
                inside=alike.inside,
                meant=meant,
                compared=compared,
                waiting=[pair for pair, is_open in told if is_open],
                kept=[pair for pair, is_open in told if not is_open],
                pairs={pair.keys: pair.pair_id for pair, leak, is_open in self.pairs if leak or is_open},
                against=self._against_lists(),
                prompts=known,
            )
        )

    def _against_lists(self) -> AgainstLists:
        """What of train and dev is near to the benchmarks that the project names; tests may well be theirs."""
        items = {item.example_id: item for item in self.items if item.split != Split.TEST}
        held = {number: (item.revision_number, item.messages) for number, item in items.items()}
        found = listed_leaks(self.session, self.project.id, held)
        if found.shelf is None:
            return AgainstLists()
        shelf = found.shelf
        near = [
            NearListed(self.asked(items[leak.example_id], leak.turn), shelf.list_at(leak.place).name,
                       shelf.lines[leak.place], shelf.listed.texts[leak.place], leak.method, leak.score, leak.because)
            for leak in found.leaks
        ]  # fmt: skip
        return AgainstLists(near, [asdict(one) for one in found.counts()])

    def _near_in_meaning(self, known: Mapping[str, Prompt]) -> tuple[list[Leak], Compared | None]:
        """Prompts of two splits whose stored vectors are as near as the project's look for duplicates asks."""
        if len({prompt.split == gates.TRAIN for prompt in known.values()}) < 2:
            return [], None
        held = {item.example_id: item.revision_number for item in self.items}
        newest = select(ExampleText.model).where(ExampleText.project_id == self.project.id)
        model = newest.order_by(ExampleText.id.desc()).limit(1).scalar_subquery()
        stored = and_(Embedding.model == ExampleText.model, Embedding.text_hash == ExampleText.prompt_hash)
        query = select(ExampleText.example_id, ExampleText.revision_number, Embedding.vector).join(Embedding, stored)
        query = query.where(ExampleText.project_id == self.project.id, ExampleText.model == model)
        rows = [
            (known[example_key(number)], vector)
            for number, revision, vector in self.session.execute(query)
            if held.get(number) == revision
        ]
        near = near_in_meaning(rows, threshold_of(self.session, self.project.id) - HAIR)
        return near, Compared(len(rows), len(known) - len(rows))

    def licences(self) -> Judgement:
        return gates.licences_gate(
            [Licensed(self.side(item), item.licence, attributed=item.attributed) for item in self.items]
        )

    def personal(self) -> Judgement:
        rules = [rule for rule in (*self.sheet.rules, *self.sheet.off) if rule.name == PersonalData.name]
        found = self._remarked(rules, _kind_of_data)
        return gates.personal_gate(found, len(self.items))

    def style(self) -> Judgement:
        rules = [rule for rule in self.sheet.rules if rule.name in self.chosen.style_rules]
        found = self._remarked(rules, lambda passage: BY_NAME[passage.rule].title)
        return gates.style_gate(found, [rule.title for rule in rules], len(self.items))

    def _remarked(self, rules: Sequence[Rule], titled: Callable[[Passage], str]) -> list[Remarked]:
        found = []
        for item in self.items if rules else ():
            said = passages(rules, item.messages, item.language)
            kept = [one for one in said if (item.example_id, one.key) not in self.left]
            if kept:
                found.append(Remarked(self.side(item, kept[0]), Counter(map(titled, kept))))
        return found

    def tokenizer(self) -> Judgement:
        counting = counting_of(self.session, self.project)
        rows = row_tokens([item.messages for item in self.items], counting.tokens)
        cut = [Long(self.side(self.items[place]), rows[place].total) for place in cut_at(rows, counting.limit)]
        named = counting.name if counting.sha256 else ""
        return gates.tokenizer_gate(cut, len(self.items), counting.limit, named)


def _kind_of_data(found: Passage) -> str:
    """An e-mail address. Put … -> e-mail address."""
    return found.words.partition(".")[0].split(" ", 1)[-1]


def visible(session: Session, findings: Sequence[Finding]) -> set[int] | None:
    """Which of the examples of these findings this session's person may read; None for all."""
    if not is_kept(session):
        return None
    numbers = {side.example_id for finding in findings for side in finding.sides} - {None}
    return set(session.scalars(select(Example.id).where(Example.id.in_(numbers))))


def as_read(session: Session, found: Sequence[Gate]) -> tuple[Gate, ...]:
    """The gates as this session's person may read them: of a pair with a hidden side only that it is one."""
    readable = visible(session, [finding for gate in found for finding in gate.findings])
    return tuple(gates.masked(gate, readable) for gate in found)


def near_in_meaning(rows: Sequence[tuple[Prompt, bytes]], threshold: float) -> list[Leak]:
    """Prompts trained on and held out whose vectors (float32, unit length) have at least that cosine."""
    trained = [row for row in rows if row[0].split == gates.TRAIN]
    held = [row for row in rows if row[0].split != gates.TRAIN]
    if not trained or not held:
        return []
    ours, theirs = _stacked(held), _stacked(trained)
    leaks = []
    for one, other in np.argwhere(ours @ theirs.T >= threshold):
        left, right = sorted((held[one][0], trained[other][0]), key=lambda prompt: prompt.example_id)
        leaks.append(Leak(left, right, round(min(1.0, float(ours[one] @ theirs[other])), 4)))
    return sorted(leaks, key=lambda leak: (leak.left.example_id, leak.right.example_id))


def _stacked(rows: Sequence[tuple[Prompt, bytes]]) -> Vectors:
    return stack((vector for _, vector in rows), len(rows[0][1]) // STORED.itemsize)
