"""What a manifest says of the words, counted anew from examples.jsonl: only that is proven by the id."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.datasets.licences import is_named, tallied, unnamed
from app.datasets.manifest import EXAMPLES
from app.datasets.material import SPLITS, spread
from app.datasets.told import TOLD
from app.text.licences import key_of

Place = tuple[str, str]


@dataclass
class _Lengths:
    """Code points of the rows of one source and split."""

    prompts: list[int] = field(default_factory=list)
    responses: list[int] = field(default_factory=list)


class Recount:
    """Counts examples as they pass, and says what of a manifest disagrees."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._places: Counter[Place] = Counter()
        self._licences: Counter[str | None] = Counter()
        self._sites: Counter[str] = Counter()
        self._shapes: dict[str, Counter[str]] = defaultdict(Counter)
        self._credited: Counter[str] = Counter()
        self._lengths: dict[Place, _Lengths] = defaultdict(_Lengths)
        self._groups: Counter[str] = Counter()
        self._flags: Counter[str] = Counter()
        self._alone: Counter[str] = Counter()

    def add(self, example: Mapping[str, Any]) -> None:
        """Count one line of examples.jsonl."""
        place, about = (example["source"], example["split"]), example["attribution"]
        self._places[place] += 1
        self._licences[example["licence"]] += 1
        self._sites[str(about.get("site") or "")] += 1
        self._add_credit(example)
        self._add_shape(example)
        lengths, messages = self._lengths[place], example["messages"]
        answered = sum(len(said["content"]) for said in messages if said["role"] == "assistant")
        lengths.prompts.append(sum(len(said["content"]) for said in messages) - answered)
        if any(said["role"] == "assistant" for said in messages):
            lengths.responses.append(answered)

    def _add_credit(self, example: Mapping[str, Any]) -> None:
        about = example["attribution"]
        owing = bool(about) or unnamed(example["licence"], about)
        self._credited.update({"elsewhere": bool(about), "own": not about, "listed": owing})
        self._credited["unknown"] += owing and not is_named(about)

    def _add_shape(self, example: Mapping[str, Any]) -> None:
        roles = Counter(said["role"] for said in example["messages"])
        alone = example["messages"][-1]["role"] == "user"
        told = [name for name in TOLD if name in example]
        has = {"dialogues": roles["user"] > 1, "system": roles["system"] > 0, "without_response": alone}
        self._shapes[example["split"]].update([*(name for name, there in has.items() if there), *told])
        self._groups.update([example["group"]] if "group" in told else [])
        self._flags.update(example.get("flags", ()))
        self._alone.update([example["split"]] if alone else [])

    def records(self, paths: Mapping[str, str]) -> dict[str, int]:
        """How many records each data file has, by the path of its split, and examples.jsonl."""
        splits = self._splits()
        return {EXAMPLES: self._places.total()} | {
            path: splits[split] for split, path in paths.items() if splits[split]
        }

    def _splits(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for (_, split), count in self._places.items():
            found[split] += count
        return found

    def disagreeing(self, manifest: Mapping[str, Any]) -> Iterator[str]:
        """Name the parts of a manifest that the lines gainsay; parts that earlier manifests lack may be absent.

        Whatever a forger wrote there may raise anything that comes of taking it for a manifest.
        """
        for name, agrees in (
            ("examples", manifest["examples"] == {split: self._splits()[split] for split in SPLITS}),
            ("composition", self._agrees_composition(manifest["composition"])),
            ("licences", self._agrees_licences(manifest["licences"])),
            ("sites", manifest["sites"] == self._sites),
            ("lengths", self._agrees_lengths(manifest["lengths"])),
            ("shapes", "shapes" not in manifest or self._agrees_shapes(manifest["shapes"])),
            ("roles", self._agrees_roles(manifest.get("roles"))),
            ("credited", "credited" not in manifest or self._agrees_credited(manifest["credited"])),
        ):
            if not agrees:
                yield name

    def _agrees_composition(self, rows: Any) -> bool:
        found: Counter[Place] = Counter()
        for row in rows:
            found[row["source"], row["split"]] += row["count"]
        return all(row["count"] >= 0 for row in rows) and found == self._places

    def _agrees_licences(self, rows: Any) -> bool:
        """Each licence once, however it is written: earlier manifests count each way to write it apart."""
        said, found = tallied((row["licence"], row["examples"]) for row in rows), tallied(self._licences.items())
        return all(row["examples"] > 0 for row in rows) and _by_key(said) == _by_key(found)

    def _agrees_lengths(self, rows: Any) -> bool:
        said = {(row["source"], row["split"]): row for row in rows}
        return (
            len(said) == len(rows)
            and said.keys() == self._lengths.keys()
            and all(_same_lengths(said[place], found) for place, found in self._lengths.items())
        )

    def _agrees_shapes(self, said: Any) -> bool:
        return bool(said == {split: dict(counts) for split, counts in self._shapes.items() if counts})

    def _agrees_roles(self, said: Any) -> bool:
        found = {"groups": self._groups, "flags": self._flags}
        # Before there were roles nobody counted the prompts without a response.
        found |= {} if said is None else {"without_response": self._alone}
        return all((said or {}).get(name, {}) == counts for name, counts in found.items())

    def _agrees_credited(self, said: Any) -> bool:
        found = self._credited
        return (
            said["own"] == found["own"]
            and said["as_imported"] >= 0
            and said["edited"] >= 0
            and said["as_imported"] + said["edited"] == found["elsewhere"]
            and all(said.get(name, found[name]) == found[name] for name in ("listed", "unknown"))
        )


def _by_key(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {key_of(row["licence"]): row["examples"] for row in rows}


def _same_lengths(said: Any, found: _Lengths) -> bool:
    """Whether a line of `lengths` is of these rows; an earlier one counts prompts without a response as empty ones."""
    if said["examples"] != len(found.prompts) or said["prompt"] != spread(found.prompts):
        return False
    if "responses" not in said:
        return True
    return bool(said["responses"] == len(found.responses) and said["response"] == spread(found.responses))
