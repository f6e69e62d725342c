"""A sampling plan: a small document that says which candidates go into the set, and in which shares."""

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from app.errors import Refusal
from app.text.canonical import content_hash

LONGEST = 100_000
MOST_PARTS = 200


class BadPlan(Refusal):
    """The plan cannot be read: {why}. Nothing was sampled; see docs/sampling.md for what a plan says."""


class Strata(StrEnum):
    """What the candidates of a part are divided by."""

    NONE = "none"
    SITE = "site"
    CATEGORY = "category"
    TASK = "task"


class Within(StrEnum):
    """Which candidate of a stratum comes first."""

    SCORE = "score"
    RANDOM = "random"


class Prompt(StrEnum):
    """What an example asks: as imported, the title, or either by a seeded coin."""

    ASIS = "as is"
    TITLE = "title"
    EITHER = "either"


@dataclass(frozen=True)
class Part:
    """How one row of the composition is filled.

    `temperature` T gives a stratum of n candidates a share proportional to n^(1/T); infinity gives equal shares.
    `each` is the most that one stratum gives; `count` stands in for the composition's target; with `generation`, tasks
    whose answers are chosen and not written are left out.
    """

    source: str
    split: str = "train"
    strata: Strata = Strata.NONE
    temperature: float = 3.0
    within: Within = Within.RANDOM
    each: int | None = None
    count: int | None = None
    prompt: Prompt = Prompt.ASIS
    title_share: float = 0.5
    generation: bool = False


@dataclass(frozen=True)
class Plan:
    """The parts in their order, the languages that may be taken (all where none is named), and those that may not."""

    name: str
    parts: tuple[Part, ...]
    languages: tuple[str, ...] = ()
    excluded_languages: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The plan as JSON; equal temperatures are written "equal", since JSON has no infinity."""
        parts = [asdict(part) | {"temperature": _written(part.temperature)} for part in self.parts]
        return {
            "name": self.name,
            "languages": sorted(self.languages),
            "excluded_languages": sorted(self.excluded_languages),
            "parts": parts,
        }

    @property
    def sha256(self) -> str:
        """SHA-256 of what the plan decides; its name does not count."""
        return content_hash({key: value for key, value in self.as_dict().items() if key != "name"})


def _written(temperature: float) -> float | str:
    return "equal" if math.isinf(temperature) else temperature


_EXCHANGE = {"strata": Strata.SITE, "temperature": 3.0, "within": Within.SCORE, "prompt": Prompt.EITHER}
LIMA = Plan(
    "lima",
    (
        Part("stackexchange_stem", **_EXCHANGE),  # type: ignore[arg-type]
        Part("stackexchange_other", **_EXCHANGE),  # type: ignore[arg-type]
        # One of the categories first, then an article in it.
        Part("wikihow", strata=Strata.CATEGORY, temperature=math.inf),
        Part("writingprompts", within=Within.SCORE),
        Part("natural_instructions", strata=Strata.TASK, temperature=math.inf, each=1, generation=True),
        Part("askreddit", split="test", within=Within.SCORE, prompt=Prompt.TITLE),
    ),
    languages=("en",),
)
PLANS = {LIMA.name: LIMA}


def plan_named(wanted: str) -> Plan:
    """A plan of the house by name, else the file of that path. Raises BadPlan."""
    if wanted in PLANS:
        return PLANS[wanted]
    path = Path(wanted)
    if not path.is_file():
        raise BadPlan(why=f"there is neither a plan nor a file {wanted[:200]}")
    if path.stat().st_size > LONGEST:
        raise BadPlan(why=f"{path.name} is larger than {LONGEST:,} bytes")
    return plan_from_text(path.read_bytes().decode("utf-8", "replace"), path.stem[:60])


def plan_from_text(text: str, name: str = "plan") -> Plan:
    """The plan of a TOML or JSON document. Raises BadPlan with what is wrong."""
    try:
        said = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadPlan(why=str(error)[:200].rstrip(".")) from error
    return plan_from(said, name)


def plan_from(said: Mapping[str, Any], name: str = "plan") -> Plan:
    """The plan that a mapping describes. Raises BadPlan with what is wrong."""
    unknown = set(said) - {"name", "languages", "excluded_languages", "parts", "part"}
    parts = said.get("parts", said.get("part"))
    if unknown:
        raise BadPlan(why=f"it says {', '.join(sorted(unknown))[:80]}, which means nothing")
    if not isinstance(parts, list) or not 0 < len(parts) <= MOST_PARTS:
        raise BadPlan(why=f"it needs 1 to {MOST_PARTS} parts")
    made = tuple(_part(part, number) for number, part in enumerate(parts, 1))
    if len({(part.source, part.split) for part in made}) < len(made):
        raise BadPlan(why="two parts fill the same source and split")
    return Plan(
        _word(said.get("name", name), "name"), made, _codes(said, "languages"), _codes(said, "excluded_languages")
    )


def _word(value: object, what: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 64:
        raise BadPlan(why=f"{what} must be a word of up to 64 characters")
    return value


def _codes(said: Mapping[str, Any], key: str) -> tuple[str, ...]:
    codes = said.get(key, [])
    if not isinstance(codes, list):
        raise BadPlan(why=f'{key} must be a list such as ["en"]')
    return tuple(sorted({_word(code, key).lower() for code in codes}))


def _part(said: object, number: int) -> Part:
    known = {field.name for field in fields(Part)}
    if not isinstance(said, Mapping) or not set(said) <= known:
        wrong = sorted(set(said) - known) if isinstance(said, Mapping) else ["no table"]
        raise BadPlan(why=f"part {number} says {', '.join(map(str, wrong))[:80]}, which means nothing")
    if said.get("split", "train") not in {"train", "dev", "test"}:
        raise BadPlan(why=f"the split of part {number} must be train, dev or test")
    try:
        kinds = {key: kind(said[key]) for key, kind in _KINDS.items() if key in said}
    except ValueError as error:
        raise BadPlan(why=f"part {number}: {str(error)[:120]}") from error
    values = {key: value for key, value in said.items() if value is not None}
    return Part(**{**values, "source": _word(said.get("source"), f"the source of part {number}"), **kinds})


def _temperature(value: object) -> float:
    if value == "equal":
        return math.inf
    number = _number(value, "temperature")
    if not number >= 1:
        raise ValueError('temperature must be 1 or more, or "equal"')
    return number


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{what} must be a number")  # noqa: TRY004 - told to people as one of what a plan gets wrong
    return float(value)


def _share(value: object) -> float:
    share = _number(value, "title_share")
    if not 0 <= share <= 1:
        raise ValueError("title_share lies between 0 and 1")
    return share


def _whole(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 1_000_000:
        raise ValueError("count and each are whole numbers from 1 on")
    return value


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("generation is true or false")  # noqa: TRY004 - as above
    return value


_KINDS: dict[str, Any] = {
    "strata": Strata, "within": Within, "prompt": Prompt, "temperature": _temperature, "title_share": _share,
    "each": _whole, "count": _whole, "generation": _yes_or_no,
}  # fmt: skip
