"""Where the files of an export lead whoever loads it: README's head, Croissant, the trainers' configurations.

A forger may seal any of them anew, so they are held against the format: its files, its columns, the lines' licences.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from app.datasets.canonical import read_json
from app.datasets.card import licensing
from app.datasets.card.card import PICTURE
from app.datasets.card.croissant import CONTEXT, CROISSANT, croissant_document
from app.datasets.card.head import front_matter
from app.datasets.formats import Format
from app.datasets.manifest import CARD, CREDITS, EXAMPLES
from app.datasets.material import SPLITS
from app.datasets.trainers import AXOLOTL, DATASET_INFO, LLAMAFACTORY, configurations

# Exports of an earlier make lack them: of the first edition, whose manifests name none.
LATER = frozenset((licensing.LICENSE, PICTURE, CROISSANT, AXOLOTL, DATASET_INFO, LLAMAFACTORY))
# Of a description of records only words may differ from one edition to the next.
_WORDS = "description"


def data_paths(manifest: Mapping[str, Any], form: Format) -> dict[str, str]:
    """Give the data files of an export by split: one where the version has examples of it."""
    return {split: form.path_of(split) for split in SPLITS if manifest["examples"][split]}


def paths_of(manifest: Mapping[str, Any], form: Format) -> set[str]:
    """Give the files that an export lists in its manifest: exactly what the format writes."""
    words = {CARD, CREDITS, EXAMPLES, licensing.LICENSE, PICTURE, CROISSANT}
    return words | set(data_paths(manifest, form).values()) | set(configurations(manifest, form))


def is_first_edition(manifest: Mapping[str, Any]) -> bool:
    """Whether an export says that it is of the first make, which had neither LICENSE.md nor configurations."""
    return "edition" not in manifest["export"]


def astray(folder: Path, manifest: Mapping[str, Any], form: Format) -> Iterator[tuple[str, str]]:
    """Give each file beside the data that leads elsewhere than the format does, with what is wrong."""
    for name, look in _LOOKS.items():
        if not (folder / name).is_file():
            continue
        try:
            problem = look((folder / name).read_text("utf-8"), manifest, form)
        except Exception:  # noqa: BLE001 - whatever a forged file makes its reader say, it is not our file
            problem = "It cannot be read as what it is to be."
        if problem:
            yield name, problem


class _Once(yaml.SafeLoader):  # type: ignore[misc]
    """YAML in which a key stands once, as dataset hubs read it, and nothing stands for something else."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse an alias: of some lines of them grow more words than a machine holds."""
        if self.check_event(yaml.AliasEvent):
            raise ValueError("an alias has no place here")
        return super().compose_node(parent, index)


def _mapping(loader: _Once, node: yaml.MappingNode) -> dict[Any, Any]:
    names = [loader.construct_object(key, deep=True) for key, _ in node.value]
    if len(set(names)) != len(names) or "<<" in names:
        raise ValueError("a key stands there twice")
    return {name: loader.construct_object(value, deep=True) for name, (_, value) in zip(names, node.value, strict=True)}


_Once.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _yaml(text: str) -> dict[str, Any]:
    found = yaml.load(text, _Once)  # noqa: S506 - it is a safe loader
    if not isinstance(found, dict):
        raise TypeError("no object")
    return found


def _head(card: str) -> dict[str, Any]:
    """The head of a card, where those find it who load by it: between the first line and the next of three dashes."""
    found = re.match(r"---\n(.*?\n)---\n", card, re.DOTALL)
    if found is None or "\r" in found[1]:
        raise ValueError("no head")
    return _yaml(found[1])


def _card(text: str, manifest: Mapping[str, Any], form: Format) -> str:
    found, wanted = _head(text), _head(front_matter(manifest, form))
    reading = form.layout.reading
    told = {key: value for one in found["configs"] for key, value in one.items() if key in reading}
    if _configs(found, reading) != _configs(wanted, reading) or any(told[key] != reading[key] for key in told):
        return "Its head leads to other files than the format's."
    # The first edition named no columns.
    if found.get("dataset_info", wanted["dataset_info"]) != wanted["dataset_info"] or "dataset_infos" in found:
        return "Its head names other columns than the format's."
    return "" if _same_licence(found, manifest) else "Its head names another licence than the examples have."


def _configs(head: Mapping[str, Any], reading: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a head has loaded, its files by split: a sealed manifest has its splits in another order."""
    rows = [{key: value for key, value in one.items() if key not in reading} for one in head["configs"]]
    return [row | {"data_files": sorted(row["data_files"], key=lambda file: str(file["split"]))} for row in rows]


def _same_licence(head: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    """Whether a head names the examples' licences, in the way of this edition or of an earlier one."""
    now = _yaml("\n".join(licensing.head_lines(manifest)))
    raw = [str(row["licence"]) for row in manifest["licences"] if row["licence"]]
    alone = {licensing.slug_of(raw[0])} if len(raw) == 1 and not licensing.without_one(manifest) else set()
    named = {now.get("license_name"), licensing.named_together(map(licensing.slug_of, raw), manifest), None}
    return (
        head["license"] in {now["license"], "other", *alone}
        and head.get("license_name") in named
        and head.get("license_link", licensing.LICENSE) == licensing.LICENSE
    )


def _croissant(text: str, manifest: Mapping[str, Any], form: Format) -> str:
    found = read_json(text)
    files = [file for file in manifest["files"] if file["path"] != CROISSANT]
    wanted = read_json(croissant_document(manifest, form, files))
    known = {name for name in found if not name.startswith("rai:")} <= wanted.keys()
    if not known or any(_bare(found[part]) != _bare(wanted[part]) for part in ("distribution", "recordSet")):
        return "It leads to other files or columns than the format's."
    if found["@context"] != CONTEXT or found["identifier"] != wanted["identifier"]:
        return "It describes another set."
    return "" if _same_works(found["license"], wanted["license"], manifest) else "It names other licences."


def _bare(value: Any) -> Any:
    """A description of files and records without its words."""
    if isinstance(value, dict):
        return {name: _bare(part) for name, part in value.items() if name != _WORDS}
    return [_bare(part) for part in value] if isinstance(value, list) else value


def _same_works(found: Sequence[Any], wanted: Sequence[Any], manifest: Mapping[str, Any]) -> bool:
    """Whether licences are the lines' own; an earlier edition called some by the words that came with the texts."""
    raw = [{"@type": "sc:CreativeWork", "name": row["licence"]} for row in manifest["licences"]]
    return bool(found) and all(one in wanted or one in raw for one in found) and len(found) >= len(wanted)


def _settings(read: Callable[[str], Any], name: str) -> Callable[[str, Mapping[str, Any], Format], str]:
    """What looks at a configuration: each of its keys is one of ours, and those that name data name ours."""

    def look(text: str, manifest: Mapping[str, Any], form: Format) -> str:
        found, wanted = read(text), read(configurations(manifest, form)[name])
        data = [key for key in found.keys() | wanted.keys() if "data" in key or name == DATASET_INFO]
        same = found.keys() <= wanted.keys() and all(found.get(key) == wanted.get(key) for key in data)
        return "" if same else "It leads to other files than the format's, or reads them otherwise."

    return look


_LOOKS: Mapping[str, Callable[[str, Mapping[str, Any], Format], str]] = {
    CARD: _card,
    CROISSANT: _croissant,
    AXOLOTL: _settings(_yaml, AXOLOTL),
    DATASET_INFO: _settings(read_json, DATASET_INFO),
    LLAMAFACTORY: _settings(_yaml, LLAMAFACTORY),
}
