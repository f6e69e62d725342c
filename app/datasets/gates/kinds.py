"""The gates there are, in the order in which everything lists them, with what each looks at and does by itself."""

from dataclasses import dataclass

from app.datasets.gates.base import Policy


@dataclass(frozen=True)
class Kind:
    """A gate: its name in documents, its title, what it looks at, and the policy where a project sets none."""

    name: str
    title: str
    looks_at: str
    default: Policy


KINDS = (
    Kind(
        "composition", "Composition", "Whether each row of the target is filled, and nothing stands outside it.",
        Policy.WARN,
    ),
    Kind(
        "approvals", "Approvals", "Whether a second person approved each text, or it was approved elsewhere.",
        Policy.BLOCK,
    ),
    Kind(
        "duplicates", "Duplicates", "Whether all pairs of the last look for duplicates are settled.", Policy.WARN,
    ),
    Kind(
        "leakage", "Leakage",
        "Whether a prompt of one split stands in another, be it later in a dialogue: the same, inside a longer one, "
        "nearly in the same words, translated, or the same in meaning; and whether one of train or dev is near to a "
        "benchmark's that the project names.",
        Policy.BLOCK,
    ),
    Kind(
        "licences", "Licences", "Whether each text has a licence, and names whom that licence asks to be named.",
        Policy.BLOCK,
    ),
    Kind(
        "personal", "Personal data", "E-mail addresses, phone numbers and secret keys in the approved words.",
        Policy.WARN,
    ),
    Kind("style", "House style", "Remarks of the rules that are chosen here, in the approved words.", Policy.WARN),
    Kind(
        "tokenizer", "Length", "Whether training would read each row to its end, by the project's tokenizer.",
        Policy.WARN,
    ),
)  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS}
GATES = tuple(BY_NAME)
