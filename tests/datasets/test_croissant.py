"""Croissant metadata: valid by mlcroissant, which checks the files and reads every record of every format by it."""

import json
import logging
from pathlib import Path
from typing import Any

import mlcroissant
import pytest

from app.datasets.card.croissant import CROISSANT, croissant_document, named_by_hash
from app.datasets.formats import Format
from app.datasets.models import Version
from app.datasets.operations import export_version, freeze_version
from app.projects.models import Project, Split
from tests.datasets.material import LICENSED, approve, dialogue, fixed_set, reasons_for

# mlcroissant's own: it reads by a class of rdflib that has a new name, and by a word of pandas that is to go.
pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]
SYSTEM = [{"role": "system", "content": "Be brief."}]


@pytest.fixture
def version(database, people) -> Version:
    """The fixed set, and rows with a group and flags, numbers and dates for words, one prompt alone in train."""
    with database.writing() as session:
        project, lead = session.get_one(Project, people.project.id), session.merge(people.lead)
        fixed_set(session, project, people.annotator, people.reviewer)
        more: dict[str, Any] = {"source": "authors", "licence": None, "attribution": {}}
        made = approve(session, project, people.annotator, people.reviewer, dialogue("2016-01-01", "42"), **more)
        made.author_group, made.sensitive = "A", True
        approve(session, project, people.annotator, people.reviewer, dialogue("Alone in train", None), **more)
        approve(session, project, people.annotator, people.reviewer, SYSTEM + dialogue("=1+1, \n“and”?", None),
                split=Split.TEST, **more)  # fmt: skip
        return freeze_version(session, lead, project, name="v3", overrides=reasons_for(session, project))


def exported(database, version: Version, form: Format, out: Path) -> tuple[Path, list[dict[str, Any]]]:
    with database.reading() as session:
        files = export_version(session, version, form, out)["files"]
    described = [file for file in files if file["path"] != CROISSANT]
    (out / CROISSANT).write_bytes(croissant_document(version.manifest, form, described))
    return out, files


def read(folder: Path, record_set: str) -> list[dict[str, Any]]:
    """The records as mlcroissant gives them, their names without the record set's and texts for bytes."""
    data = mlcroissant.Dataset(folder / CROISSANT)
    return [_short(record) for record in data.records(record_set)]


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.rpartition("/")[2]: _short(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_short(one) for one in value]
    return value.decode() if isinstance(value, bytes) else value


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "examples.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("form", list(Format))
def test_it_is_valid_croissant_1_1_and_every_record_can_be_read(database, version, tmp_path, form, caplog):
    folder, _ = exported(database, version, form, tmp_path / "out")
    with caplog.at_level(logging.WARNING):
        data = mlcroissant.Dataset(folder / CROISSANT)
    assert data.metadata.ctx.is_v1_1()
    assert not data.metadata.ctx.issues.errors
    assert not data.metadata.ctx.issues.warnings
    assert caplog.text == ""
    for split, count in version.manifest["examples"].items():
        assert [_short(record)["split"] for record in data.records(split)] == [split] * count


@pytest.mark.parametrize("form", [Format.MESSAGES, Format.PARQUET, Format.HF])
def test_messages_come_back_word_for_word(database, version, tmp_path, form):
    folder, _ = exported(database, version, form, tmp_path / "out")
    for split in ("train", "dev", "test"):
        found = [record["messages"] for record in read(folder, split)]
        assert found == [line["messages"] for line in lines(folder) if line["split"] == split]


def test_limas_turns_group_flags_and_system_come_back(database, version, tmp_path):
    folder, _ = exported(database, version, Format.LIMA, tmp_path / "out")
    records = {record["conversations"][0]: record for record in read(folder, "train")}
    assert records["What is a roux?"]["conversations"][2:] == ["And a blond one?", "The same, cooked longer."]
    assert records["What is a roux?"]["system"] == "Answer in one line."
    assert (records["2016-01-01"]["group"], records["2016-01-01"]["flags"]) == ("A", ["sensitive"])
    # No line of dev has any of these, so its file has no such columns.
    assert set(read(folder, "dev")[0]) == {"split", "conversations", "source"}


def test_alpacas_history_comes_back_as_pairs(database, version, tmp_path):
    folder, _ = exported(database, version, Format.ALPACA, tmp_path / "out")
    found = next(record for record in read(folder, "train") if record["instruction"] == "And a blond one?")
    assert found["history"] == [["What is a roux?", "Flour and fat."]]


@pytest.mark.parametrize("form", [Format.LIMA, Format.PARQUET])
def test_all_examples_come_with_licence_and_credit_whatever_the_format_leaves_out(database, version, tmp_path, form):
    folder, _ = exported(database, version, form, tmp_path / "out")
    for record, line in zip(read(folder, "examples"), lines(folder), strict=True):
        assert record["messages"] == line["messages"]
        assert (record["split"], record["source"], record["licence"]) == (
            line["split"],
            line["source"],
            line["licence"],
        )
        assert record["author"] == line["attribution"].get("author")
    assert LICENSED["url"] in {record["url"] for record in read(folder, "examples")}


def test_a_changed_file_is_refused(database, version, tmp_path):
    folder, _ = exported(database, version, Format.PARQUET, tmp_path / "out")
    data = (folder / "train.parquet").read_bytes()
    (folder / "train.parquet").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(Exception, match=r"Download\(train\.parquet\)") as refused:
        read(folder, "train")
    assert "is not identical with the reference" in str(refused.value.__cause__)


def test_it_says_what_the_manifest_says(database, version, tmp_path):
    folder, files = exported(database, version, Format.LIMA, tmp_path / "out")
    found = json.loads((folder / CROISSANT).read_bytes())
    assert found["conformsTo"] == ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
    assert (found["version"], found["identifier"]) == ("3.0.0", version.manifest["id"])
    assert found["license"] == [
        "https://creativecommons.org/licenses/by-sa/3.0/",
        "https://creativecommons.org/licenses/by-sa/4.0/",
        {"@type": "sc:CreativeWork", "name": "No licence stated for 6 of the examples; see LICENSE.md"},
    ]
    sums = {file["path"]: file["sha256"] for file in files}
    listed = {file["contentUrl"]: file["sha256"] for file in found["distribution"]}
    assert listed == {path: sums[path] for path in
                      ("train.jsonl", "dev.jsonl", "test.jsonl", "examples.jsonl", "ATTRIBUTION.md")}  # fmt: skip
    assert found["isBasedOn"] == ["https://cooking.stackexchange.com"]
    assert "1 prompt is flagged as sensitive by people." in found["rai:personalSensitiveInformation"]
    assert found["rai:annotationsPerItem"] == "1 second person beside the writer"
    assert found["rai:dataCollectionTimeframe"][0] == version.manifest["written"]["first"]
    assert "rai:machineAnnotationTools" not in found
    loaded = mlcroissant.Dataset(folder / CROISSANT).metadata
    assert loaded.data_limitations == found["rai:dataLimitations"]
    assert [one.name for one in loaded.creators] == [one["name"] for one in version.manifest["people"]["writers"]]


@pytest.mark.parametrize("form", list(Format))
def test_an_export_brings_it_with_the_same_bytes_each_time(database, version, tmp_path, form):
    with database.reading() as session:
        files = export_version(session, version, form, tmp_path / "out")["files"]
    written = (tmp_path / "out" / CROISSANT).read_bytes()
    others = [file for file in files if file["path"] not in {CROISSANT, "manifest.json", "SHA256SUMS"}]
    assert written == croissant_document(version.manifest, form, others)
    assert {CROISSANT, "composition.svg", "LICENSE.md"} <= {file["path"] for file in files}


def test_an_identity_has_an_address_that_holds_everywhere():
    # RFC 6920's own example, of the words "Hello World!".
    digest = "7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069"
    assert named_by_hash(f"sha256:{digest}") == "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"


@pytest.mark.parametrize(
    ("name", "expected"), [("v3", "3.0.0"), ("2.1", "2.1.0"), ("v1.2.3", "1.2.3"), ("pilot", "pilot"), ("v01", "v01")]
)
def test_a_number_for_a_version_is_a_semantic_one(version, name, expected):
    document = json.loads(croissant_document(version.manifest | {"version": name}, Format.LIMA, []))
    assert document["version"] == expected
