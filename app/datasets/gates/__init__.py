"""What stands between a set and its freeze: each gate passes, warns, or blocks until it is settled or overridden.

Pure: what is found is read by `app.datasets.gate_queries`. docs/gates.md says what each looks at.
"""

from app.datasets.gates.base import (
    TRAIN,
    Compared,
    Finding,
    Gate,
    GateState,
    Judgement,
    Policy,
    Side,
    Weight,
    counted,
    frozen,
    masked,
    override,
    ruled,
    switched_off,
)  # fmt: skip
from app.datasets.gates.counts import (
    Approvals,
    Filling,
    Licensed,
    Look,
    approvals_gate,
    composition_gate,
    duplicates_gate,
    licences_gate,
    limited,
)  # fmt: skip
from app.datasets.gates.kinds import BY_NAME, GATES, KINDS, Kind
from app.datasets.gates.leaks import KnownPair, Leak, Leaks, Prompt, exact_leaks, leakage_gate, linked_leaks
from app.datasets.gates.likeness import Likenesses, likenesses
from app.datasets.gates.listed import AgainstLists, NearListed
from app.datasets.gates.seen import seen, unseen
from app.datasets.gates.wording import LEAST_ALONE, is_long_enough
from app.datasets.gates.words import Long, Remarked, personal_gate, style_gate, tokenizer_gate

__all__ = [
    "BY_NAME",
    "GATES",
    "KINDS",
    "LEAST_ALONE",
    "TRAIN",
    "AgainstLists",
    "Approvals",
    "Compared",
    "Filling",
    "Finding",
    "Gate",
    "GateState",
    "Judgement",
    "Kind",
    "KnownPair",
    "Leak",
    "Leaks",
    "Licensed",
    "Likenesses",
    "Long",
    "Look",
    "NearListed",
    "Policy",
    "Prompt",
    "Remarked",
    "Side",
    "Weight",
    "approvals_gate",
    "composition_gate",
    "counted",
    "duplicates_gate",
    "exact_leaks",
    "frozen",
    "is_long_enough",
    "leakage_gate",
    "licences_gate",
    "likenesses",
    "limited",
    "linked_leaks",
    "masked",
    "override",
    "personal_gate",
    "ruled",
    "seen",
    "style_gate",
    "switched_off",
    "tokenizer_gate",
    "unseen",
]  # fmt: skip
