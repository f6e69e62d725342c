"""The gate of leakage: prompts that are trained on and held out, whatever way that can be seen."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations

from app.datasets.gates.base import TRAIN, Compared, Finding, Judgement, Side, Weight, around, excerpt, sentence, some
from app.datasets.gates.listed import MEASURES, AgainstLists
from app.duplicates.models import Method
from app.duplicates.normal import normal_form
from app.duplicates.texts import example_key


@dataclass(frozen=True)
class Prompt:
    """An example's first question, or a later one of a dialogue by its `turn`, for the search of leaks."""

    example_id: int
    split: str
    text: str
    turn: int = 1

    @property
    def key(self) -> str:
        """How duplicates name the example."""
        return example_key(self.example_id)


@dataclass(frozen=True)
class Leak:
    """Two prompts of different splits that are alike; equal ones and translations have 1.

    `passage` is where in the longer one, by its example's key, the words of the other stand.
    """

    left: Prompt
    right: Prompt
    score: float = 1.0
    passage: tuple[str, int, int] | None = None

    @property
    def keys(self) -> frozenset[str]:
        """Both by their keys."""
        return frozenset((self.left.key, self.right.key))


@dataclass(frozen=True)
class KnownPair:
    """A pair that duplicates remember, by its keys; `kept_because` is why both were kept, where they were."""

    pair_id: int
    left: str
    right: str
    kept_because: str = ""

    @property
    def keys(self) -> frozenset[str]:
        """Both sides."""
        return frozenset((self.left, self.right))


@dataclass(frozen=True)
class Leaks:
    """All that was found between splits.

    `exact`, `linked`, `reworded`, `inside` and `meant` were found in the approved words themselves; `waiting` are
    matches between splits that a look for duplicates found and nobody decided; `kept` those that people kept.
    """

    exact: Sequence[Leak] = ()
    linked: Sequence[Leak] = ()
    reworded: Sequence[Leak] = ()
    inside: Sequence[Leak] = ()
    meant: Sequence[Leak] = ()
    waiting: Sequence[KnownPair] = ()
    kept: Sequence[KnownPair] = ()
    # What is near to the benchmarks that the project names.
    against: AgainstLists = field(default_factory=AgainstLists)
    # How many could be compared by meaning; None where nothing is held out, or nothing trained on.
    compared: Compared | None = None
    # Whatever is known of the pairs, so that each finding leads to where it is settled; and every prompt by its key.
    pairs: Mapping[frozenset[str], int] | None = None
    prompts: Mapping[str, Prompt] | None = None


@lru_cache(maxsize=4)
def exact_leaks(prompts: tuple[Prompt, ...]) -> tuple[Leak, ...]:
    """Give pairs of examples in different splits with a prompt of the same normal form, by example.

    One of the two is the first of its example: what two dialogues go on with says little about either. The last few
    sets are remembered, because a page asks again and again about one that has not changed.
    """
    by_form: dict[str, dict[str, Prompt]] = defaultdict(dict)
    for prompt in sorted(prompts, key=_first_ones):
        by_form[normal_form(prompt.text)].setdefault(prompt.split, prompt)
    leaks = []
    for form, of_split in by_form.items():
        first, *others = sorted(of_split.values(), key=_first_ones)
        leaks += [_in_order(first, other) for other in others if form and first.turn == 1]
    return tuple(sorted(leaks, key=_numbers))


def linked_leaks(prompts: Iterable[Prompt], originals: Mapping[int, int]) -> list[Leak]:
    """Give pairs of one that is trained on and one that is held out, linked as original and translations."""
    kin: dict[int, list[Prompt]] = defaultdict(list)
    for prompt in prompts:
        kin[originals.get(prompt.example_id, prompt.example_id)].append(prompt)
    pairs = (Leak(*pair) for group in kin.values() for pair in combinations(sorted(group, key=_number), 2))
    return sorted((pair for pair in pairs if (pair.left.split == TRAIN) != (pair.right.split == TRAIN)), key=_numbers)


def _in_order(one: Prompt, other: Prompt) -> Leak:
    left, right = sorted((one, other), key=_number)
    return Leak(left, right)


def _first_ones(prompt: Prompt) -> tuple[int, int]:
    return prompt.turn, prompt.example_id


def _number(prompt: Prompt) -> int:
    return prompt.example_id


def _numbers(leak: Leak) -> tuple[int, int]:
    return leak.left.example_id, leak.right.example_id


def leakage_gate(found: Leaks) -> Judgement:
    """Find prompts that stand in two splits, and matches between splits that wait for a decision.

    What people kept for a reason is noted, and what was not compared by meaning; of equal prompts none can be kept: one
    goes, or an admin overrides the gate.
    """
    findings = (*_findings(found), *(one.finding for one in found.against.near))
    held = [finding.told() for finding in findings if not finding.noted]
    noted = [finding.told() for finding in findings if finding.noted and not finding.listed]
    stays = [finding.told() for finding in findings if finding.noted and finding.listed]
    parts = [some(held)] if held else []
    parts += [f"kept on purpose between splits: {some(noted)}"] if noted else []
    parts += [f"kept on purpose beside a benchmark: {some(stays)}"] if stays else []
    clean = "; ".join(filter(None, ["no prompt stands in two splits, no match between splits is open",
                                    found.against.clean]))  # fmt: skip
    meaning = found.compared
    missing = meaning is not None and meaning.without_vector > 0
    weight = Weight.FOUND if held else Weight.NOTED if parts or missing else Weight.NOTHING
    words = sentence("; ".join(parts) or clean)
    detail = f"{words} {meaning.words}" if meaning else words
    return Judgement("leakage", detail, weight, findings, tuple(found.against.lists), meaning)


def _findings(found: Leaks) -> Iterator[Finding]:
    """Each pair once, by the plainest way in which it is one."""
    pairs, prompts = found.pairs or {}, found.prompts or {}
    settled = {pair.keys for pair in found.kept}
    seen: set[frozenset[str]] = set()
    ways = (
        ("have the same prompt", Method.EXACT, found.exact),
        ("are translations", Method.TRANSLATION, found.linked),
        ("have one prompt word for word inside the other", Method.LEXICAL, found.inside),
        ("have nearly the same prompt", Method.LEXICAL, found.reworded),
        ("mean nearly the same", Method.EMBEDDING, found.meant),
    )
    for words, way, leak in ((words, way, leak) for words, way, leaks in ways for leak in leaks):
        # What a dialogue goes on with may mean something else there, so that people may keep it for a reason.
        method = Method.LEXICAL if way is Method.EXACT and _is_later(leak) else way
        if leak.keys not in seen and (method is Method.EXACT or leak.keys not in settled):
            seen.add(leak.keys)
            sides, score = (_told(leak.left, leak), _told(leak.right, leak)), leak.score
            told = f"{words} ({MEASURES[method]} {score:.2f})" if score < 1 else words
            yield Finding(told, sides, pair=pairs.get(leak.keys), method=method.value, score=score)
    for pair in found.waiting:
        if pair.keys not in seen:
            seen.add(pair.keys)
            yield Finding("wait for a decision", _sides(pair, prompts), pair=pair.pair_id)
    for pair in found.kept:
        if pair.keys not in seen:
            yield Finding(f"({pair.kept_because})", _sides(pair, prompts), noted=True, pair=pair.pair_id)


def _sides(pair: KnownPair, prompts: Mapping[str, Prompt]) -> tuple[Side, Side]:
    return tuple(_side(prompts[key]) if key in prompts else Side(key) for key in (pair.left, pair.right))  # type: ignore[return-value]


def _is_later(leak: Leak) -> bool:
    return leak.left.turn > 1 or leak.right.turn > 1


def _told(prompt: Prompt, leak: Leak) -> Side:
    if leak.passage is None or leak.passage[0] != prompt.key:
        return _side(prompt)
    words, _ = around(prompt.text, *leak.passage[1:])
    return Side(prompt.key, prompt.split, words, turn=prompt.turn)


def _side(prompt: Prompt) -> Side:
    return Side(prompt.key, prompt.split, excerpt(prompt.text), turn=prompt.turn)
