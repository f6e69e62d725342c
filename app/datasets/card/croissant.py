"""croissant.json: a version described for machines as Croissant 1.1 asks, with its files, records and RAI fields.

Specifications: http://mlcommons.org/croissant/1.1 and http://mlcommons.org/croissant/RAI/1.0. Records are read from the
files beside it, each of which is checked against its hash.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from app.datasets.canonical import PREFIX
from app.datasets.card import account, licensing
from app.datasets.card.head import TAGS, bibtex, title
from app.datasets.credits import is_file
from app.datasets.formats import Format
from app.datasets.formats.base import FLAGS, GROUP, LICENCE, MESSAGES, SOURCE, Column
from app.datasets.manifest import CREDITS, EXAMPLES
from app.datasets.material import SPLITS
from app.datasets.told import has_columns, most_first
from app.web.words import plural

CROISSANT = "croissant.json"
CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
KINDS = {
    "jsonl": "application/jsonlines", "parquet": "application/x-parquet", "csv": "text/csv", "md": "text/markdown",
}  # fmt: skip
SPLIT_TYPES = {"train": "cr:TrainingSplit", "dev": "cr:ValidationSplit", "test": "cr:TestSplit"}
# The context of the specification's appendix, and the terms that mlcroissant knows besides.
_TERMS = (
    "annotation arrayShape citeAs column containedIn equivalentProperty excludes extract field fileProperty fileObject "
    "fileSet format includes isArray isLiveDataset jsonPath key md5 parentField path readLines recordSet references "
    "regex repeated replace samplingRate sdVersion separator source subField transform unArchive"
)
CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    **{term: f"cr:{term}" for term in _TERMS.split()},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
}


def croissant_document(manifest: Mapping[str, Any], form: Format, files: Sequence[Mapping[str, Any]]) -> bytes:
    """Give croissant.json for an export whose files are `{"path", "sha256", "bytes"}`; equal input, equal bytes."""
    listed = {file["path"]: file for file in files}
    splits = [split for split in SPLITS if form.path_of(split) in listed]
    described = [*(form.path_of(split) for split in splits), EXAMPLES, CREDITS]
    document = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": title(manifest),
        "alternateName": f"{manifest['project']['slug']}@{manifest['version']}",
        "description": _description(manifest, form),
        "identifier": manifest["id"],
        "url": named_by_hash(manifest["id"]),
        "version": _version(manifest["version"]),
        "license": _licences(manifest),
        "creator": _creators(manifest),
        "citeAs": bibtex(manifest),
        "datePublished": manifest["frozen"]["at"][:10],
        "dateCreated": manifest["frozen"]["at"][:10],
        **({"inLanguage": languages} if (languages := sorted(manifest["languages"])) else {}),
        "keywords": list(TAGS),
        "isLiveDataset": False,
        **({"isBasedOn": sites} if (sites := _sites(manifest)) else {}),
        "distribution": [_file(listed[path]) for path in described if path in listed],
        "recordSet": [_splits(splits), *(_records(manifest, form, split) for split in splits)],
        **_rai(manifest),
    }
    if EXAMPLES in listed:
        document["recordSet"].append(_examples(manifest))
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def named_by_hash(identity: str) -> str:
    """Give an address for `sha256:…` that holds wherever a copy lies: a name by hash as RFC 6920 has it."""
    digest = bytes.fromhex(identity.removeprefix(PREFIX))
    return "ni:///sha-256;" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _version(name: str) -> str:
    """The version as MAJOR.MINOR.PATCH where its name is a number: data of another one is other data."""
    found = re.fullmatch(r"v?(0|[1-9]\d*)(\.(?:0|[1-9]\d*))?(\.(?:0|[1-9]\d*))?", name)
    return f"{found[1]}{found[2] or '.0'}{found[3] or '.0'}" if found else name


def _description(manifest: Mapping[str, Any], form: Format) -> str:
    counts = ", ".join(f"{manifest['examples'][split]:,} {split}" for split in SPLITS)
    return f"{account.nature(manifest)} As {form.layout.title}: {counts}. README.md says more, manifest.json all of it."


def _licences(manifest: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = [licence.url or _work(licence.name) for licence in licensing.stated(manifest)]
    if count := licensing.without_one(manifest):
        found.append(_work(f"No licence stated for {count:,} of the examples; see {licensing.LICENSE}"))
    return found


def _work(name: str) -> dict[str, str]:
    return {"@type": "sc:CreativeWork", "name": name}


def _creators(manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    writers = () if account.is_taken_over(manifest) else manifest["people"]["writers"]
    people = [{"@type": "sc:Person", "name": person["name"]} for person in writers]
    return people or [{"@type": "sc:Organization", "name": manifest["project"]["name"]}]


def _sites(manifest: Mapping[str, Any]) -> list[str]:
    return [
        f"https://{site}"
        for site, _ in most_first(manifest["sites"])
        if not is_file(site) and re.fullmatch(r"[\w-]+(\.[\w-]+)+", site)
    ]


def _file(file: Mapping[str, Any]) -> dict[str, Any]:
    path = file["path"]
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": PurePosixPath(path).name,
        "contentUrl": path,
        "contentSize": f"{file['bytes']} B",
        "encodingFormat": KINDS[path.rpartition(".")[2]],
        "sha256": file["sha256"],
    }


def _splits(splits: Sequence[str]) -> dict[str, Any]:
    text = {"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"}
    url = {"@type": "cr:Field", "@id": "splits/url", "name": "url", "dataType": ["sc:URL", "cr:Split"]}
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "What each split is for.",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [text, url],
        "data": [{"splits/name": split, "splits/url": SPLIT_TYPES[split]} for split in splits],
    }


def _records(manifest: Mapping[str, Any], form: Format, split: str) -> dict[str, Any]:
    path = form.path_of(split)
    found = {
        "fileObject": {"@id": path},
        "extract": {"fileProperty": "filename"},
        "transform": {"regex": f"^({split})"},
    }
    fields = [_field(split, path, column) for column in _columns(manifest, form, split)]
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": f"The {manifest['examples'][split]:,} examples of {split}, one a record.",
        "field": [_split_field(split, found), *fields],
    }


def _split_field(record_set: str, source: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/split",
        "name": "split",
        "description": "The split that the example belongs to.",
        "dataType": "sc:Text",
        "source": source,
        "references": {"field": {"@id": "splits/name"}},
    }


def _columns(manifest: Mapping[str, Any], form: Format, split: str) -> Iterator[Column]:
    """The columns that the file of a split has: in JSON those that some line of it says something in."""
    layout = form.layout(told=has_columns(manifest))
    always = set(layout.record_of("", _BARE))
    sometimes = manifest.get("shapes", {}).get(split, {})
    for column in layout.columns:
        if column.name in always or column.name in sometimes or form.suffix != "jsonl":
            yield column


_BARE: Mapping[str, Any] = {
    "split": "train", "source": "", "messages": [{"role": "user", "content": ""}], "licence": None, "attribution": {},
}  # fmt: skip


def _field(record_set: str, path: str, column: Column) -> dict[str, Any]:
    """A column as a field: text, a list of texts, pairs of texts, or objects with parts of their own."""
    place = f"{record_set}/{column.name}"
    field = {"@type": "cr:Field", "@id": place, "name": column.name, "description": column.about}
    source = {"fileObject": {"@id": path}, "extract": {"column": column.name}}
    inside = column.feature.get("list")
    if inside is None:
        return field | {"dataType": "sc:Text", "source": source}
    if isinstance(inside, list):
        parts = [
            {
                "@type": "cr:Field",
                "@id": f"{place}/{part['name']}",
                "name": part["name"],
                "dataType": "sc:Text",
                "source": source | {"transform": {"jsonPath": part["name"]}},
            }
            for part in inside
        ]
        return field | {"isArray": True, "arrayShape": "-1", "subField": parts}
    shape = "-1" if inside == "string" else "-1,2"
    return field | {"dataType": "sc:Text", "isArray": True, "arrayShape": shape, "source": source}


def _examples(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """All examples with licence and credit, whatever the format of the other files leaves out."""
    shapes = manifest.get("shapes", {}).values()
    told = [column for column in (GROUP, FLAGS) if any(column.name in found for found in shapes)]
    columns = (SOURCE, MESSAGES, LICENCE, *told)
    split = {"fileObject": {"@id": EXAMPLES}, "extract": {"column": "split"}}
    credit = [
        {
            "@type": "cr:Field",
            "@id": f"examples/{name}",
            "name": name,
            "description": about,
            "dataType": "sc:Text",
            "source": {
                "fileObject": {"@id": EXAMPLES}, "extract": {"column": "attribution"}, "transform": {"jsonPath": name},
            },
        }
        for name, about in (("author", "who wrote the words"), ("url", "where they stand"), ("site", "on which site"))
    ]  # fmt: skip
    return {
        "@type": "cr:RecordSet",
        "@id": "examples",
        "name": "examples",
        "description": "All examples of all splits with licence and credit; their file is what the identity is of.",
        "field": [
            _split_field("examples", split), *(_field("examples", EXAMPLES, column) for column in columns), *credit,
        ],
    }  # fmt: skip


def _rai(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of responsible AI, as far as the manifest knows; what it does not know is left out, not guessed."""
    found = manifest.get("help") or {"models": []}
    approved = [*account.approving(manifest, str), account.people(manifest, str)]
    written = manifest.get("written")
    own = manifest.get("credited", {}).get("own", 0)
    second = manifest["approvals"]["second_person"]
    needed = plural(manifest.get("reviews_needed", 1), "second person", "second persons")
    fields: dict[str, Any] = {
        "dataCollection": " ".join([*account.collection(manifest, str), *account.samplings(manifest, str)]),
        "dataCollectionType": [
            kind
            for kind, holds in (
                ("Manual Human Curator", account.is_by_hand(manifest)),
                ("User-generated content data", bool(_sites(manifest))),
                ("Others", bool(own)),
            )
            if holds
        ],
        "dataCollectionTimeframe": [written["first"], written["last"]] if written else [],
        "dataPreprocessingProtocol": account.rules(manifest),
        "dataAnnotationProtocol": " ".join([*account.writing(manifest), *approved]),
        "dataAnnotationPlatform": [f"Handpicked {manifest['software']['handpicked']}"],
        "dataAnnotationAnalysis": [account.agreement(manifest)],
        "annotationsPerItem": f"{needed} beside the writer" if second else "",
        "annotatorDemographics": [account.UNRECORDED],
        "machineAnnotationTools": [one["model"] for one in found["models"]],
        "dataUseCases": list(account.USES),
        "dataLimitations": [*account.limits(manifest), *account.MISUSES],
        "personalSensitiveInformation": account.personal(manifest, str),
        "dataReleaseMaintenancePlan": account.MAINTENANCE,
    }  # fmt: skip
    told = (
        (name, [one for one in value if one] if isinstance(value, list) else value) for name, value in fields.items()
    )
    return {f"rai:{name}": value for name, value in told if value}
