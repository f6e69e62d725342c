"""What changes gates: a project sets what each finding means, and what stands between splits is put up for decision."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.datasets import material_queries
from app.datasets.gate_models import GateSettings
from app.datasets.gate_queries import COUNTABLE, Chosen, chosen_of
from app.datasets.gates import GATES, TRAIN, Finding, Policy
from app.db import now
from app.duplicates.leaks import tell_leaks
from app.duplicates.models import DuplicatePair, Method, On, Verdict
from app.duplicates.texts import place
from app.errors import NotFound, Refusal
from app.projects.limits import require_open
from app.projects.models import Project
from app.sources.bulk import insert_ignoring

PAIRS_AT_ONCE = 500


class NoSuchGate(Refusal):
    """There is no gate {gate}; nothing was changed. The gates are {gates}."""


class NoSuchPolicy(Refusal):
    """A gate can {policies}, not {policy}; nothing was changed."""


class NoSuchRule(Refusal):
    """No remarks of a rule {rule} can count; nothing was changed. There are {rules}."""


class NoLeak(NotFound):
    """These two do not stand between train and what is held out any more, so there is nothing to settle."""


def set_gates(
    session: Session,
    actor: User,
    project: Project,
    policies: Mapping[str, str],
    style_rules: Sequence[str] | None = None,
) -> Chosen:
    """Set what findings of the named gates mean, and with `style_rules` whose remarks count; all else stays.

    Raises NoSuchGate, NoSuchPolicy, NoSuchRule; then nothing is changed. A change stands in the trail.
    """
    require_open(project)
    before = chosen_of(session, project.id)
    wanted = {**before.policies, **_checked(policies)}
    rules = before.style_rules if style_rules is None else _known(style_rules)
    changed: dict[str, Any] = {gate: wanted[gate].value for gate in GATES if wanted[gate] is not before.policies[gate]}
    changed |= {"style_rules": list(rules)} if rules != before.style_rules else {}
    if changed:
        row = session.get(GateSettings, project.id) or GateSettings(project_id=project.id)
        row.policies = {gate: policy.value for gate, policy in wanted.items()}
        row.style_rules, row.changed_at = list(rules), now()
        session.add(row)
        session.flush()
        record(session, actor, "set gates", f"project:{project.id}", project_id=project.id, **changed)
    return chosen_of(session, project.id)


def _checked(policies: Mapping[str, str]) -> dict[str, Policy]:
    for gate, policy in policies.items():
        if gate not in GATES:
            raise NoSuchGate(gate=gate[:40], gates=", ".join(GATES))
        if policy not in set(Policy):
            raise NoSuchPolicy(policies=", ".join(Policy), policy=policy[:40])
    return {gate: Policy(policy) for gate, policy in policies.items()}


def _known(rules: Sequence[str]) -> tuple[str, ...]:
    for rule in rules:
        if rule not in COUNTABLE:
            raise NoSuchRule(rule=rule[:40], rules=", ".join(COUNTABLE))
    return tuple(rule for rule in COUNTABLE if rule in rules)


def put_up_leaks(session: Session, project: Project, only: frozenset[str] = frozenset()) -> list[DuplicatePair]:
    """Write what the gate of leakage found in the approved words among the duplicates, where people settle pairs.

    All of it, or the pair of `only` these two keys (NoLeak where it is none any more). A pair that is there stays, and
    is asked again if it was kept as two texts of one split.
    """
    require_open(project)
    leakage = next(gate for gate in material_queries.material_of(session, project).gates if gate.gate == "leakage")
    found = [one for one in leakage.findings if one.method and (not only or one.keys == only)]
    if only and not found:
        raise NoLeak
    rows = [_values(project, one) for one in found]
    if rows:
        session.execute(insert_ignoring(session, DuplicatePair), rows)
    tell_leaks(session, project.id, {side.example_id for one in found for side in one.sides if side.example_id})
    keys = [(row["left_key"], row["right_key"]) for row in rows]
    named = tuple_(DuplicatePair.left_key, DuplicatePair.right_key)
    query = select(DuplicatePair).where(DuplicatePair.project_id == project.id).order_by(DuplicatePair.id)
    parts = (keys[at : at + PAIRS_AT_ONCE] for at in range(0, len(keys), PAIRS_AT_ONCE))
    return [pair for part in parts for pair in session.scalars(query.where(named.in_(part)))]


def _values(project: Project, found: Finding) -> dict[str, Any]:
    left, right = sorted(found.sides, key=lambda side: place(side.key))
    return {
        "project_id": project.id, "left_key": left.key, "right_key": right.key, "on": On.PROMPT,
        "method": Method(found.method), "score": found.score, "verdict": Verdict.OPEN, "effect": {},
        # Of two that are both held out neither is trained on.
        "leak": (left.split == TRAIN) != (right.split == TRAIN),
    }  # fmt: skip
