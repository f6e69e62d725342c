"""Exports: reproducible, whole or absent, readable by others, and any changed byte is found."""

import hashlib
import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from app.datasets.exports import FolderTaken, VersionBroken, paths_in
from app.datasets.formats import Format
from app.datasets.manifest import sealed, sums
from app.datasets.models import Version
from app.datasets.operations import export_version, freeze_version
from app.datasets.verify import NOT_PROVEN, verify_folder
from app.db import Database
from app.projects.models import Split
from app.reviews.models import Review, ReviewVerdict
from tests import factories
from tests.datasets.material import LICENSED, add_revision, approve, dialogue

NAMES = {
    "ATTRIBUTION.md", "LICENSE.md", "README.md", "SHA256SUMS", "composition.svg", "croissant.json", "examples.jsonl",
    "manifest.json",
}  # fmt: skip
LLAMAFACTORY = {"llamafactory/dataset_info.json", "llamafactory/train.yaml"}
BOTH = {"axolotl.yml"} | LLAMAFACTORY
CONFIGURATIONS = {
    Format.MESSAGES: BOTH,
    Format.SHAREGPT: BOTH,
    Format.ALPACA: LLAMAFACTORY,
    Format.PARQUET: BOTH,
    Format.HF: BOTH,
}


@pytest.fixture
def version(database: Database, kitchen: factories.People) -> Version:
    with database.writing() as session:
        return freeze_version(session, kitchen.lead, kitchen.project, name="v1")


def export(database: Database, version: Version, form: Format, out: Path) -> dict[str, Any]:
    with database.reading() as session:
        return export_version(session, version, form, out)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("form", list(Format))
def test_two_exports_have_the_same_bytes(database: Database, version: Version, tmp_path: Path, form: Format) -> None:
    export(database, version, form, tmp_path / "a")
    export(database, version, form, tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    splits = {form.path_of(split) for split in ("train", "dev", "test")}
    assert set(contents(tmp_path / "a")) == NAMES | splits | CONFIGURATIONS.get(form, set())
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("form", list(Format))
def test_two_versions_of_equal_words_have_the_same_data_files(
    database: Database, kitchen: factories.People, version: Version, tmp_path: Path, form: Format
) -> None:
    with database.writing() as session:
        again = freeze_version(session, kitchen.lead, kitchen.project, name="v2")
    export(database, version, form, tmp_path / "a")
    export(database, again, form, tmp_path / "b")
    first, second = contents(tmp_path / "a"), contents(tmp_path / "b")
    named = {"README.md", "composition.svg", "croissant.json", "manifest.json", "SHA256SUMS", *BOTH}
    assert {name: data for name, data in first.items() if name not in named} == {
        name: data for name, data in second.items() if name not in named
    }


def test_the_document_names_every_file(database: Database, version: Version, tmp_path: Path) -> None:
    document = export(database, version, Format.MESSAGES, tmp_path / "out")
    found = contents(tmp_path / "out")
    assert [file["path"] for file in document["files"]] == sorted(found)
    for file in document["files"]:
        assert file["sha256"] == hashlib.sha256(found[file["path"]]).hexdigest()
        assert file["bytes"] == len(found[file["path"]])
    records = {file["path"]: file["records"] for file in document["files"]}
    assert (records["examples.jsonl"], records["train.jsonl"], records["README.md"]) == (7, 5, None)
    assert document["id"] == "sha256:" + hashlib.sha256(found["examples.jsonl"]).hexdigest()


def test_lima_has_turns_in_a_list(database: Database, version: Version, tmp_path: Path) -> None:
    export(database, version, Format.LIMA, tmp_path / "out")
    rows = [json.loads(line) for line in (tmp_path / "out/train.jsonl").read_text("utf-8").splitlines()]
    by_first = {row["conversations"][0]: row for row in rows}
    assert by_first["What is a roux?"] == {
        "conversations": ["What is a roux?", "Flour and fat.", "And a blond one?", "The same, cooked longer."],
        "source": "authors",
        "system": "Answer in one line.",
    }
    assert json.loads((tmp_path / "out/test.jsonl").read_text("utf-8")) == {
        "conversations": ["Write a poem about leeks."],
        "source": "authors_b",
    }


def test_messages_hold_nothing_but_messages(database: Database, version: Version, tmp_path: Path) -> None:
    export(database, version, Format.MESSAGES, tmp_path / "out")
    for line in (tmp_path / "out/train.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        assert set(row) == {"messages"}
        assert row["messages"][-1]["role"] == "assistant"


def test_parquet_is_read_by_pyarrow_and_gives_the_lines_back(
    database: Database, version: Version, tmp_path: Path
) -> None:
    export(database, version, Format.PARQUET, tmp_path / "out")
    lines = [json.loads(line) for line in (tmp_path / "out/examples.jsonl").read_text("utf-8").splitlines()]
    for split in ("train", "dev", "test"):
        found = [
            {"split": split, "source": row["source"], "messages": row["messages"], "licence": row["licence"],
             "attribution": json.loads(row["attribution"])}
            for row in pq.read_table(tmp_path / f"out/{split}.parquet").to_pylist()
        ]  # fmt: skip
        assert found == [line for line in lines if line["split"] == split]


def test_sha256sum_agrees(database: Database, version: Version, tmp_path: Path) -> None:
    export(database, version, Format.LIMA, tmp_path / "out")
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "out", capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b": OK") == len(contents(tmp_path / "out")) - 1


@pytest.mark.parametrize("form", list(Format))
def test_an_untouched_copy_passes(database: Database, version: Version, tmp_path: Path, form: Format) -> None:
    export(database, version, form, tmp_path / "out")
    sound = {"ok": True, "id": f"sha256:{version.sha256}", "problems": [], "not_proven": NOT_PROVEN}
    assert verify_folder(tmp_path / "out") == sound
    assert verify_folder(tmp_path / "out", f"sha256:{version.sha256}") == sound
    assert verify_folder(tmp_path / "out", version.sha256.upper()) == sound


@pytest.mark.parametrize("form", list(Format))
def test_any_flipped_byte_is_found_and_its_file_named(
    database: Database, version: Version, tmp_path: Path, form: Format
) -> None:
    export(database, version, form, tmp_path / "out")
    files = paths_in(tmp_path / "out")
    places = [(file, at) for file in files for at in range(file.stat().st_size)]
    dice = random.Random(20)
    chosen = [(file, dice.randrange(file.stat().st_size)) for file in files]
    for file, at in chosen + dice.sample(places, 200 - len(chosen)):
        sound = file.read_bytes()
        file.write_bytes(sound[:at] + bytes([sound[at] ^ (1 << dice.randrange(8))]) + sound[at + 1 :])
        found = verify_folder(tmp_path / "out")
        assert not found["ok"]
        name = file.relative_to(tmp_path / "out").as_posix()
        assert [problem["path"] for problem in found["problems"]] == [name], (name, at)
        file.write_bytes(sound)
    assert verify_folder(tmp_path / "out")["ok"]


@pytest.mark.parametrize("name", sorted(NAMES | {"train.jsonl"}))
def test_a_missing_or_shortened_file_is_named(database: Database, version: Version, tmp_path: Path, name: str) -> None:
    export(database, version, Format.LIMA, tmp_path / "out")
    file = tmp_path / "out" / name
    sound = file.read_bytes()
    for damage in (None, b"", sound[:-1], sound + b"\n"):
        file.unlink(missing_ok=True)
        if damage is not None:
            file.write_bytes(damage)
        assert [problem["path"] for problem in verify_folder(tmp_path / "out")["problems"]] == [name]


def test_what_does_not_belong_is_named(database: Database, version: Version, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(database, version, Format.LIMA, out)
    (out / "notes.txt").write_text("x")
    (out / "more").mkdir()
    (out / "more/train.jsonl").write_text("x")
    (out / ".gitattributes").write_text("x")  # what a download from the Hub keeps is no part of the copy
    (out / ".cache").mkdir()
    (out / ".cache/train.jsonl").write_text("x")
    paths = [problem["path"] for problem in verify_folder(out)["problems"]]
    assert paths == ["more/train.jsonl", "notes.txt"]


def test_a_link_in_place_of_a_file_is_no_copy(database: Database, version: Version, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(database, version, Format.LIMA, out)
    shutil.move(out / "train.jsonl", tmp_path / "elsewhere")
    (out / "train.jsonl").symlink_to(tmp_path / "elsewhere")
    assert [problem["path"] for problem in verify_folder(out)["problems"]] == ["train.jsonl"]


def test_another_id_than_the_expected_one(database: Database, version: Version, tmp_path: Path) -> None:
    export(database, version, Format.LIMA, tmp_path / "out")
    found = verify_folder(tmp_path / "out", "sha256:" + "0" * 64)
    assert not found["ok"]
    assert found["problems"][0]["path"] == "examples.jsonl"


def reseal(out: Path) -> None:
    manifest = json.loads((out / "manifest.json").read_bytes())
    for file in manifest["files"]:
        file["sha256"] = hashlib.sha256((out / file["path"]).read_bytes()).hexdigest()
        file["bytes"] = (out / file["path"]).stat().st_size
    body = sealed(manifest)
    (out / "manifest.json").write_bytes(body)
    (out / "SHA256SUMS").write_bytes(sums(manifest["files"], hashlib.sha256(body).hexdigest()))


def test_a_forger_who_seals_anew_is_caught_by_the_id_and_the_lines(
    database: Database, version: Version, tmp_path: Path
) -> None:
    for form in Format:
        out = tmp_path / form
        export(database, version, form, out)
        shutil.copyfile(out / form.path_of("dev"), out / form.path_of("train"))
        reseal(out)
        found = verify_folder(out, version.sha256)
        assert [problem["path"] for problem in found["problems"]] == [form.path_of("train")]
    out = tmp_path / "lima"
    (out / "examples.jsonl").write_text("{}\n")
    reseal(out)
    assert [problem["path"] for problem in verify_folder(out)["problems"]] == ["examples.jsonl"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"[" * 100_000, b'{"files": [{"path": "../../etc/passwd", "sha256": "x"}], "id": "y"}']
)
def test_a_strange_manifest_is_one_problem_and_no_crash(
    database: Database, version: Version, tmp_path: Path, body: bytes
) -> None:
    export(database, version, Format.LIMA, tmp_path / "out")
    (tmp_path / "out/manifest.json").write_bytes(body)
    assert [problem["path"] for problem in verify_folder(tmp_path / "out")["problems"]] == ["manifest.json"]


def test_a_path_outside_the_folder_is_not_read(database: Database, version: Version, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(database, version, Format.LIMA, out)
    manifest = json.loads((out / "manifest.json").read_bytes())
    manifest["files"].append({"path": "../secret", "sha256": "0" * 64, "bytes": 1, "records": None})
    (out / "manifest.json").write_bytes(sealed(manifest))
    problems = {problem["path"]: problem["problem"] for problem in verify_folder(out)["problems"]}
    assert "outside the folder" in problems["../secret"]


def test_no_folder_no_manifest(tmp_path: Path) -> None:
    assert verify_folder(tmp_path / "nothing")["problems"][0]["problem"] == "There is no such folder."
    found = verify_folder(tmp_path)
    assert not found["ok"]
    assert found["id"] is None


def test_an_archive_is_to_be_unpacked_first_and_an_empty_folder_is_no_part(
    database: Database, version: Version, tmp_path: Path
) -> None:
    for name in ("out.tar", "out.zip"):
        export(database, version, Format.LIMA, tmp_path / name)
        (problem,) = verify_folder(tmp_path / name)["problems"]
        assert problem["problem"] == "It is a file: unpack it and verify the folder."
    out = tmp_path / "out"
    export(database, version, Format.LIMA, out)
    (out / "more/empty").mkdir(parents=True)
    (out / ".cache/huggingface").mkdir(parents=True)
    assert [problem["path"] for problem in verify_folder(out)["problems"]] == ["more/empty"]


def test_a_folder_with_something_in_it_is_left_alone(database: Database, version: Version, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    export(database, version, Format.LIMA, out)
    before = contents(out)
    with pytest.raises(FolderTaken):
        export(database, version, Format.MESSAGES, out)
    assert contents(out) == before
    (tmp_path / "file").write_text("x")
    with pytest.raises(FolderTaken):
        export(database, version, Format.LIMA, tmp_path / "file")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_version_that_is_not_what_was_frozen_leaves_no_folder(
    database: Database, version: Version, tmp_path: Path
) -> None:
    broken = Version(
        id=version.id, name=version.name, sha256="0" * 64, manifest=version.manifest | {"id": "sha256:" + "0" * 64}
    )
    with pytest.raises(VersionBroken):
        export(database, broken, Format.LIMA, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_card_and_credits_tell_a_stranger(database: Database, kitchen: factories.People, tmp_path: Path) -> None:
    with database.writing() as session:
        approve(session, kitchen.project, kitchen.annotator, kitchen.reviewer, dialogue("Name three cheeses."))
        approve(
            session, kitchen.project, kitchen.annotator, kitchen.reviewer, dialogue("<b>Bold</b> [x](javascript:1)"),
            attribution={"author": "<script>x</script>|*x*", "author_url": "javascript:1", "url": "https://a/b c)"},
        )  # fmt: skip
        version = freeze_version(
            session, kitchen.lead, kitchen.project, name="v1", overrides={"leakage": "a pilot | to try the trainer"}
        )
    export(database, version, Format.LIMA, tmp_path / "out")
    card = (tmp_path / "out/README.md").read_text("utf-8")
    assert "Frozen against a gate: leakage." in card
    assert "| leakage | overridden | " in card
    assert r"a pilot \| to try the trainer" in card
    assert f"handpicked verify . --id sha256:{version.sha256}" in card
    assert "license: other" in card
    assert "  - split: test\n    path: test.jsonl" in card
    told = (tmp_path / "out/ATTRIBUTION.md").read_text("utf-8")
    assert f"[A. Baker]({LICENSED['author_url']})" in told
    assert "[CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/)" in told
    assert "<script>" not in told
    assert "](javascript:" not in told
    assert "(https://a/b%20c%29)" in told


def test_a_set_of_one_licence_says_so_to_the_hub(database: Database, people: factories.People, tmp_path: Path) -> None:
    with database.writing() as session:
        approve(session, people.project, people.annotator, people.reviewer, dialogue("One"))
        version = freeze_version(session, people.lead, people.project, name="v1")
    export(database, version, Format.LIMA, tmp_path / "out")
    card = (tmp_path / "out/README.md").read_text("utf-8")
    assert "license: cc-by-sa-3.0" in card
    assert not (tmp_path / "out/dev.jsonl").exists()
    assert verify_folder(tmp_path / "out")["ok"]


def test_an_edited_text_is_marked(database: Database, people: factories.People, tmp_path: Path) -> None:
    with database.writing() as session:
        example = approve(session, people.project, people.annotator, people.reviewer, dialogue("One"))
        approve(session, people.project, people.annotator, people.reviewer, dialogue("Two"), split=Split.TEST)
        add_revision(session, example, people.annotator, dialogue("One, edited"), 2)
        example.revision_number = example.approved_number = 2
        reviewer, verdict = people.reviewer.id, ReviewVerdict.APPROVED
        session.add(Review(example_id=example.id, revision_number=2, reviewer_id=reviewer, verdict=verdict))
        session.flush()
        version = freeze_version(session, people.lead, people.project, name="v1")
    export(database, version, Format.LIMA, tmp_path / "out")
    lines = (tmp_path / "out/ATTRIBUTION.md").read_text("utf-8").splitlines()
    assert [line.endswith(", edited") for line in lines if line.startswith("- [One")] == [True]
    assert [line.endswith(", words as imported") for line in lines if line.startswith("- [Two")] == [True]
