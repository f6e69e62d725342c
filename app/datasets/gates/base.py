"""What a gate is: it finds something or nothing, and by what the project makes of that it passes, warns or blocks."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from enum import IntEnum, StrEnum
from typing import Any

from app.projects.models import Split
from app.web.words import plural

TRAIN = Split.TRAIN.value
NOTHING_YET = "No example to look at yet."
# All that is said of a pair with a side that is kept out of sight.
ALIKE = "are alike"
# How the key of a prompt of a benchmark begins: benchmark:NAME/LINE.
BENCHMARK = "benchmark:"
# How many are named in a sentence.
SHOWN = 5
# So many are quoted with their words.
SPELLED = 2
# Of a text, as much as is needed to know which one it is.
EXCERPT = 160
# On each side of a passage that a rule remarks on.
AROUND = 50


class Policy(StrEnum):
    """What a project makes of what a gate finds."""

    BLOCK = "block"
    WARN = "warn"
    OFF = "off"


class GateState(StrEnum):
    """How a gate judges the set."""

    PASS = "pass"  # noqa: S105 - a verdict, no secret
    WARN = "warn"
    BLOCK = "block"
    OVERRIDDEN = "overridden"
    OFF = "off"


class Weight(IntEnum):
    """What was found: nothing, what is only told, or what the project's policy is about."""

    NOTHING = 0
    NOTED = 1
    FOUND = 2


@dataclass(frozen=True)
class Side:
    """One text that a finding is about: its key among duplicates (example:7), its split, and some of its words.

    `mark` says from where to where in `words` what was found stands; nowhere where it is about all of them. `turn` is
    which of a dialogue's prompts the words are. A benchmark's prompt is `called` by list and line.
    """

    key: str
    split: str | None = None
    words: str = ""
    mark: tuple[int, int] = (0, 0)
    turn: int = 1
    called: str = ""

    @property
    def listed(self) -> bool:
        """Whether it is a prompt of a benchmark, and neither an example nor a candidate."""
        return self.key.startswith(BENCHMARK)

    def hidden_from(self, readable: AbstractSet[int] | None) -> bool:
        """Whether whoever may read these examples alone may not read it; None is all.

        Whom a project keeps from its test prompts it keeps from those of benchmarks as well.
        """
        if readable is None or self.example_id is None:
            return readable is not None and self.listed
        return self.example_id not in readable

    @property
    def example_id(self) -> int | None:
        """The example's number, None for a candidate of the pool."""
        kind, _, number = self.key.partition(":")
        return int(number) if kind == "example" else None

    @property
    def label(self) -> str:
        """How it is called in a sentence."""
        if self.example_id is None:
            return self.called or self.key
        split = f" ({self.split})" if self.split else ""
        return f"example {self.example_id}{split}" + (f", prompt {self.turn}" if self.turn > 1 else "")


@dataclass(frozen=True)
class Finding:
    """What was found in a few words of ours, and the texts it is about: none, one, or the two of a pair.

    `noted` holds nobody up. `source` is the row of the composition; `pair` the pair's number among duplicates, which a
    pair that only the gate has found has not; then `method` and `score` say how duplicates would call it.
    """

    words: str
    sides: tuple[Side, ...] = ()
    noted: bool = False
    pair: int | None = None
    source: str | None = None
    method: str = ""
    score: float = 1.0

    @property
    def keys(self) -> frozenset[str]:
        """The texts by their keys."""
        return frozenset(side.key for side in self.sides)

    @property
    def listed(self) -> bool:
        """Whether it is about an example and a prompt of a benchmark."""
        return any(side.listed for side in self.sides)

    def hidden_from(self, readable: AbstractSet[int] | None) -> bool:
        """Whether it is a pair with a side that is not among these examples; None is all."""
        return len(self.sides) > 1 and any(side.hidden_from(readable) for side in self.sides)

    def told(self, *, quoting: bool = False) -> str:
        """The finding as a part of a sentence; `quoting` with words of the texts, for those who may read them."""
        named = " and ".join(side.label for side in self.sides)
        texts = dict.fromkeys(side.words for side in self.sides if side.words) if quoting else ()
        quoted = " and ".join(f"“{text}”" for text in texts)
        told = f"{named} {self.words}" if len(self.sides) > 1 else ": ".join(filter(None, [named, self.words]))
        return told + (f": {quoted}" if quoted else "")


@dataclass(frozen=True)
class Compared:
    """How many first prompts were compared by meaning, and how many were not, because they have no vector yet."""

    compared: int
    without_vector: int

    @property
    def words(self) -> str:
        """The same in a sentence, with what mends it."""
        prompts = plural(self.compared + self.without_vector, "first prompt")
        if not self.without_vector:
            return f"All {prompts} were compared by meaning."
        verb = "was" if self.without_vector == 1 else "were"
        return (
            f"{self.without_vector:,} of {prompts} {verb} not compared by meaning, for want of a vector: a worker "
            "makes one within seconds of a save, the command “handpicked gates --encode” at once."
        )


@dataclass(frozen=True)
class Judgement:
    """What a gate found, in a sentence without words of the texts, before the project's policy is asked."""

    gate: str
    detail: str
    weight: Weight = Weight.NOTHING
    findings: tuple[Finding, ...] = ()
    # The benchmarks that it compared with, each with its hash and what was found.
    lists: tuple[Mapping[str, Any], ...] = ()
    meaning: Compared | None = None


@dataclass(frozen=True)
class Gate:
    """One gate's judgement in a sentence under the project's policy, and the reason of whoever went past it.

    `rows` are filled in at a freeze: the lines by their SHA-256 of what an override is about. `meaning` is that of
    leakage, where there is something to compare.
    """

    gate: str
    state: GateState
    detail: str
    reason: str | None = None
    policy: Policy = Policy.BLOCK
    findings: tuple[Finding, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    lists: tuple[Mapping[str, Any], ...] = ()
    meaning: Compared | None = None

    def document(self) -> dict[str, Any]:
        """Give the gate as manifest, card, API and command line print it."""
        shown: dict[str, Any] = {"gate": self.gate, "state": self.state.value, "policy": self.policy.value}
        shown |= {"detail": self.detail} | ({"reason": self.reason} if self.reason else {})
        shown |= {"lists": [dict(one) for one in self.lists]} if self.lists else {}
        shown |= {"meaning": asdict(self.meaning)} if self.meaning else {}
        return shown | ({"rows": [list(row) for row in self.rows]} if self.rows else {})

    def spelled(self) -> str:
        """What blocks, by the first texts with their words: only for an admin, who may read them all.

        Pairs say it all; what is about one text stands behind the sentence that counts it.
        """
        held = [finding for finding in self.findings if not finding.noted]
        pairs = [finding for finding in held if len(finding.sides) == 2]
        if pairs:
            return spelled(pairs)
        named = [finding for finding in held if finding.sides]
        return f"{self.detail} {sentence(spelled(named)[:-1])}" if named else self.detail


def ruled(found: Judgement, policy: Policy) -> Gate:
    """Apply the project's policy: what is only noted never blocks."""
    state = GateState.PASS
    if found.weight:
        state = GateState(policy.value) if found.weight is Weight.FOUND else GateState.WARN
    return Gate(
        found.gate,
        state,
        found.detail,
        policy=policy,
        findings=found.findings,
        lists=found.lists,
        meaning=found.meaning,
    )


def switched_off(gate: str) -> Gate:
    """A gate that the project does not ask."""
    return Gate(gate, GateState.OFF, "Not looked at: the project has switched this gate off.", policy=Policy.OFF)


def override(gates: Sequence[Gate], reasons: Mapping[str, str]) -> tuple[Gate, ...]:
    """Give the gates with the blocking ones overridden where a reason is given; the others stand as they are."""
    return tuple(
        replace(gate, state=GateState.OVERRIDDEN, reason=reasons[gate.gate])
        if gate.state is GateState.BLOCK and gate.gate in reasons
        else gate
        for gate in gates
    )


def frozen(
    gates: Iterable[Gate], lines: Mapping[str, str], readable: AbstractSet[int] | None = None, most: int = 20
) -> tuple[Gate, ...]:
    """The gates as a manifest has them, which people read who may read only the examples `readable`; None for all.

    An overridden one names the lines that it is about, by `lines`: key of a text -> SHA-256. What has a hidden side is
    counted: neither its line stands there nor that of the other side.
    """
    open_to_all = [(gate, masked(gate, readable)) for gate in gates]
    return tuple(
        replace(shown, rows=_rows(gate, lines, readable)[:most]) if gate.reason else shown
        for gate, shown in open_to_all
    )


def _rows(gate: Gate, lines: Mapping[str, str], readable: AbstractSet[int] | None) -> tuple[tuple[str, ...], ...]:
    held = (finding for finding in gate.findings if not finding.noted and not _out_of_sight(finding, readable))
    rows = (tuple(lines[side.key] for side in finding.sides if side.key in lines) for finding in held)
    return tuple(row for row in rows if row)


def _out_of_sight(found: Finding, readable: AbstractSet[int] | None) -> bool:
    return any(side.hidden_from(readable) for side in found.sides)


def masked(gate: Gate, readable: AbstractSet[int] | None) -> Gate:
    """The gate for whoever may read only these examples; None for all.

    Of a pair with another one nobody is told its words, nor those of its other side, nor how alike they are: each of
    these would tell what the hidden one says.
    """
    findings = tuple(replace(one, words=ALIKE, sides=_bare(one), method="", score=1.0) if one.hidden_from(readable)
                     else one for one in gate.findings)  # fmt: skip
    if findings == gate.findings:
        return gate
    return replace(gate, findings=findings, detail=counted(gate) if gate.gate == "leakage" else gate.detail)


def _bare(found: Finding) -> tuple[Side, ...]:
    return tuple(_unnamed(side) if side.listed else replace(side, words="", mark=(0, 0), turn=1)
                 for side in found.sides)  # fmt: skip


def _unnamed(side: Side) -> Side:
    """Of a benchmark's prompt the benchmark: anybody can look its line up."""
    key, _, _ = side.key.rpartition("/")
    return Side(key, called=key.removeprefix(BENCHMARK))


def counted(gate: Gate) -> str:
    """How many pairs a gate found, where each is listed below or not to be told."""
    open_pairs = [finding for finding in gate.findings if not finding.noted]
    near = sum(finding.listed for finding in open_pairs)
    between, kept = len(open_pairs) - near, len(gate.findings) - len(open_pairs)
    words = [f"{plural(between, 'pair')} of texts, one trained on and one held out"] if between else []
    words += [f"{plural(near, 'pair')} of an example and a benchmark's prompt"] if near else []
    words += [f"{plural(kept, 'pair')} kept on purpose"] if kept else []
    said = "; ".join(words) + "."
    return f"{said} {gate.meaning.words}" if gate.meaning else said


def sentence(words: str) -> str:
    """Begin with a capital, end with a full stop."""
    return words[0].upper() + words[1:] + "."


def some(words: Sequence[str]) -> str:
    """The first few with commas, and how many more there are."""
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def spelled(findings: Sequence[Finding]) -> str:
    """The first few findings with words of their texts, and how many more there are."""
    more = len(findings) - SPELLED
    told = "; ".join(finding.told(quoting=True) for finding in findings[:SPELLED])
    return told + (f"; and {more:,} more." if more > 0 else ".")


def excerpt(text: str) -> str:
    """The beginning of a text in one line."""
    line = " ".join(text[: 4 * EXCERPT].split())
    return line if len(line) <= EXCERPT else line[: EXCERPT - 1].rstrip() + "…"


def around(text: str, start: int, end: int) -> tuple[str, tuple[int, int]]:
    """A passage with some words before and behind it in one line, and where in that line it stands."""
    before, after = text[max(0, start - EXCERPT) : start], text[end : end + EXCERPT]
    lead = " ".join(before.split())[-AROUND:].lstrip() + (" " if before[-1:].isspace() else "")
    found = excerpt(text[start:end])
    rest = (" " if after[:1].isspace() else "") + " ".join(after.split())[:AROUND].rstrip()
    lead = f"…{lead}" if start > len(before) or len(before) > AROUND else lead
    rest += "…" if end + AROUND < len(text) else ""
    return lead + found + rest, (len(lead), len(lead) + len(found))
