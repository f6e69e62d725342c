"""What the page of gates shows: each gate with what it found, what settles it, and what the project makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.datasets import material_queries
from app.datasets.gate_queries import COUNTABLE, Chosen, chosen_of, visible
from app.datasets.gates import BY_NAME, Finding, Gate, GateState, Policy, Side, counted, masked
from app.errors import NotFound
from app.examples.style.sheet import BY_NAME as RULES
from app.examples.style_queries import sheet_of
from app.projects.access import ProjectAccess
from app.text.diff import Piece, side_by_side
from app.web.paging import Pager

FIRST = 20
A_PAGE = 100
NOT_TOLD = "Its words would tell what the other one says."
KEPT_OUT = "A test prompt, which is kept out of your sight."
LISTED_OUT = "A benchmark's prompt, which is kept out of your sight."
# Where most of what a gate finds is settled: the route and its words.
SETTLE = {
    "composition": ("selection:pool", "Find candidates"),
    "approvals": ("reviews:queue", "Review"),
    "duplicates": ("duplicates:inbox", "Look and settle in Duplicates"),
    "leakage": ("duplicates:leakage", "All leaks"),
    "style": ("examples:style", "Rules of the house style"),
    "tokenizer": ("runs:tokenizer", "The project's tokenizer"),
}
POLICIES = ((Policy.BLOCK.value, "Blocks"), (Policy.WARN.value, "Warns"), (Policy.OFF.value, "Off"))


@dataclass(frozen=True)
class SideView:
    """One text of a finding: some of its words, and its example, unless it is a candidate or kept out of sight.

    `pieces` join to the words; marked are those that a remark is about, or of two texts those that only one has.
    """

    label: str
    pieces: Sequence[Piece]
    example_id: int | None
    kept_out: bool
    # Whether our own words stand in place of the text's.
    quiet: bool = False


@dataclass(frozen=True)
class FindingView:
    """One finding: what was found in words, the texts, and the pair or the source that it leads to.

    `settles` names two texts whose pair is not among the duplicates yet; what is `listed` is settled on its own page.
    """

    words: str
    sides: Sequence[SideView]
    noted: bool
    pair: int | None
    source: str | None
    settles: tuple[str, str] | None
    listed: bool = False


@dataclass(frozen=True)
class RuleChoice:
    """A rule of house style whose remarks may count; one that is off in the project says nothing."""

    name: str
    title: str
    counts: bool
    on: bool


@dataclass(frozen=True)
class GateView:
    """A gate with what it found: the first few findings, or a page of them."""

    gate: str
    title: str
    looks_at: str
    state: str
    detail: str
    policy: str
    usual: str
    findings: Sequence[FindingView]
    total: int
    place: str | None
    place_label: str


@dataclass(frozen=True)
class GatesPage:
    """All gates of what would be frozen now, or one of them with all that it found."""

    slug: str
    examples: int
    gates: Sequence[GateView]
    rules: Sequence[RuleChoice]
    may_change: bool
    only: str | None
    pager: Pager | None
    policies: Sequence[tuple[str, str]] = POLICIES
    typed: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    @property
    def blocking(self) -> int:
        """How many stand in the way of a freeze."""
        return sum(gate.state == GateState.BLOCK for gate in self.gates)

    @property
    def warning(self) -> int:
        """How many warn."""
        return sum(gate.state == GateState.WARN for gate in self.gates)


def gates_page(
    session: Session,
    access: ProjectAccess,
    only: str | None = None,
    number: int = 1,
    typed: Mapping[str, str] | None = None,
    problem: str = "",
) -> GatesPage:
    """What each gate says of the approved set; `only` one, with a page of all that it found. Raises NotFound."""
    project = access.project
    if only is not None and only not in BY_NAME:
        raise NotFound
    material = material_queries.material_of(session, project)
    chosen = chosen_of(session, project.id)
    wanted = [gate for gate in material.gates if only in {None, gate.gate}]
    pager = _pager(number, len(wanted[0].findings)) if only else None
    start, most = ((pager.number - 1) * A_PAGE, A_PAGE) if pager else (0, FIRST)
    shown = {gate.gate: gate.findings[start : start + most] for gate in wanted}
    seen = visible(session, [finding for findings in shown.values() for finding in findings])
    shown = {gate.gate: masked(replace(gate, findings=shown[gate.gate]), seen).findings for gate in wanted}
    return GatesPage(
        slug=project.slug,
        examples=len(material.items),
        gates=[_view(gate, shown[gate.gate], seen) for gate in wanted],
        rules=_rules(session, project.id, chosen),
        may_change=access.role is Role.ADMIN and project.archived_at is None,
        only=only,
        pager=pager,
        typed=typed or {},
        problem=problem,
    )


def _pager(number: int, total: int) -> Pager:
    return Pager(min(number, max(1, -(-total // A_PAGE))), total, A_PAGE)


def _view(gate: Gate, findings: Sequence[Finding], seen: set[int] | None) -> GateView:
    kind = BY_NAME[gate.gate]
    place, label = SETTLE.get(gate.gate, (None, ""))
    return GateView(
        gate=gate.gate,
        title=kind.title,
        looks_at=kind.looks_at,
        state=gate.state.value,
        detail=counted(gate) if gate.gate == "leakage" and gate.findings else gate.detail,
        policy=gate.policy.value,
        usual=kind.default.value,
        findings=[_finding(finding, seen) for finding in findings],
        total=len(gate.findings),
        place=place if gate.state in {GateState.WARN, GateState.BLOCK} else None,
        place_label=label,
    )


def _finding(found: Finding, seen: set[int] | None) -> FindingView:
    # A pair with a hidden side is settled by whoever may read both.
    hidden = found.hidden_from(seen)
    settles = tuple(side.key for side in found.sides) if found.method and found.pair is None else ()
    return FindingView(
        words=found.words,
        sides=_sides(found.sides, seen),
        noted=found.noted,
        pair=None if hidden else found.pair,
        source=found.source,
        settles=(settles[0], settles[1]) if len(settles) == 2 else None,
        listed=found.listed,
    )


def _sides(sides: Sequence[Side], seen: set[int] | None) -> list[SideView]:
    views = [_side(side, seen) for side in sides]
    if len(views) != 2:
        return views
    if any(view.kept_out for view in views):
        return [view if view.kept_out else replace(view, pieces=[Piece(NOT_TOLD, only=False)], quiet=True)
                for view in views]  # fmt: skip
    apart = side_by_side(sides[0].words, sides[1].words)
    return [replace(view, pieces=pieces) for view, pieces in zip(views, (apart.left, apart.right), strict=True)]


def _side(side: Side, seen: set[int] | None) -> SideView:
    label = side.label[:1].upper() + side.label[1:]
    if side.hidden_from(seen):
        words = LISTED_OUT if side.listed else KEPT_OUT
        return SideView(label, [Piece(words, only=False)], None, kept_out=True)
    start, end = side.mark
    parts = ((side.words[:start], False), (side.words[start:end], True), (side.words[end:], False))
    return SideView(label, [Piece(text, only) for text, only in parts if text], side.example_id, kept_out=False)


def _rules(session: Session, project_id: int, chosen: Chosen) -> list[RuleChoice]:
    on = {rule.name for rule in sheet_of(session, project_id).rules}
    return [RuleChoice(name, RULES[name].title, name in chosen.style_rules, name in on) for name in COUNTABLE]
