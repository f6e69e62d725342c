"""Copies that somebody forged and sealed anew: what the id proves, a forger does not get past."""

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.datasets.formats import Format
from app.datasets.manifest import sealed, sums
from app.datasets.models import Version
from app.datasets.operations import freeze_version
from app.datasets.verify import NOT_PROVEN, BadId, verify_folder
from app.db import Database
from tests import factories
from tests.datasets.test_exports import contents, export, reseal

Change = Callable[[Any], object]


@pytest.fixture
def version(database: Database, kitchen: factories.People) -> Version:
    with database.writing() as session:
        return freeze_version(session, kitchen.lead, kitchen.project, name="v1")


@pytest.fixture
def problems(database: Database, version: Version, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """`problems(form, forge)` exports, lets somebody forge, seals anew; what verify says then, by path."""

    def found(form: Format, forge: Callable[[Path], object], wanted: str | None = version.sha256) -> dict[str, str]:
        out = tmp_path / "out"
        shutil.rmtree(out, ignore_errors=True)
        export(database, version, form, out)
        forge(out)
        reseal(out)
        return {one["path"]: one["problem"] for one in verify_folder(out, wanted)["problems"]}

    return found


def rewritten(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Puts other words into a file, as bytes."""

    def forge(out: Path) -> None:
        before = (out / name).read_bytes()
        assert old.encode() in before
        (out / name).write_bytes(before.replace(old.encode(), new.encode(), 1))

    return forge


def changed(name: str, change: Change) -> Callable[[Path], None]:
    """Changes what a file of JSON says."""

    def forge(out: Path) -> None:
        document = json.loads((out / name).read_bytes())
        change(document)
        (out / name).write_bytes(sealed(document) if name == "manifest.json" else json.dumps(document).encode())

    return forge


def listed(out: Path, path: str, *, there: bool) -> None:
    def change(manifest: Any) -> None:
        manifest["files"] = [file for file in manifest["files"] if file["path"] != path]
        manifest["files"] += [{"path": path, "sha256": "", "bytes": 0, "records": None}] if there else []

    changed("manifest.json", change)(out)


def test_sealing_anew_what_nobody_forged_is_no_problem(problems: Callable[..., dict[str, str]]) -> None:
    for form in Format:
        assert problems(form, lambda _: None) == {}, form


def test_a_file_more_to_which_the_head_leads_does_not_belong(problems: Callable[..., dict[str, str]]) -> None:
    more = "data/train-00000-of-00002.parquet"

    def forge(out: Path) -> None:
        rows = pq.read_table(out / Format.HF.path_of("train"))
        pq.write_table(rows.slice(0, 1), out / more)
        rewritten("README.md", f"path: {Format.HF.path_of('train')}", f"path: {more}")(out)
        listed(out, more, there=True)

    assert set(problems(Format.HF, forge)) == {more}


@pytest.mark.parametrize("name", [
    "LICENSE.md", "ATTRIBUTION.md", "README.md", "composition.svg", "croissant.json", "axolotl.yml",
    "llamafactory/dataset_info.json", "dev.jsonl",
])  # fmt: skip
def test_a_file_that_the_format_has_is_missed_though_nothing_lists_it(
    problems: Callable[..., dict[str, str]], name: str
) -> None:
    def forge(out: Path) -> None:
        (out / name).unlink()
        listed(out, name, there=False)

    assert problems(Format.MESSAGES, forge) == {name: "It is missing: every export of this format has it."}


@pytest.mark.parametrize(("old", "new"), [
    ("path: train.jsonl", "path: examples.jsonl"),
    ("path: train.jsonl", "path: https://example.org/train.jsonl"),
    ("config_name: default", "config_name: default\n  data_dir: more"),
    ("configs:\n", "configs: [{config_name: default, data_files: examples.jsonl}]\nconfigs:\n"),
    ("  - split: dev", "  - split: train\n    path: dev.jsonl\n  - split: dev"),
    ('"name": "role"', '"name": "part"'),
    ("license: other", "license: mit"),
    ("license_name: ", "license_name: mit #"),
    ("license_link: LICENSE.md", "license_link: https://example.org/free"),
    ("---\n", "---\ndataset_infos: {}\n"),
    ("---\n", "- - -\n"),
    ("---\n", "---\na: &a [x, x]\nb: &b [*a, *a]\n"),
    ("configs:", "\r---\nconfigs:"),
])  # fmt: skip
def test_a_head_leads_to_the_formats_files_and_names_the_lines_licences(
    problems: Callable[..., dict[str, str]], old: str, new: str
) -> None:
    assert set(problems(Format.MESSAGES, rewritten("README.md", old, new))) == {"README.md"}


def set_in(*path: Any) -> Change:
    """Sets a value deep in a document; the last of the path is the value."""

    def change(document: Any) -> None:
        *places, last, value = path
        for place in places:
            document = document[place]
        assert document.get(last) != value
        document[last] = value

    return change


@pytest.mark.parametrize("change", [
    set_in("distribution", 0, "contentUrl", "examples.jsonl"),
    set_in("distribution", 0, "sha256", "0" * 64),
    set_in("recordSet", 1, "field", 0, "source", "fileObject", {"@id": "dev.jsonl"}),
    set_in("recordSet", 1, "data", [{"train/messages": []}]),
    set_in("license", ["https://opensource.org/license/mit"]),
    set_in("license", []),
    set_in("@context", "distribution", "cr:other"),
    set_in("@graph", []),
    set_in("identifier", "sha256:0"),
])  # fmt: skip
def test_croissant_leads_to_the_formats_files(problems: Callable[..., dict[str, str]], change: Change) -> None:
    assert set(problems(Format.MESSAGES, changed("croissant.json", change))) == {"croissant.json"}


@pytest.mark.parametrize(("name", "old", "new"), [
    ("axolotl.yml", "path: train.jsonl", "path: examples.jsonl"),
    ("axolotl.yml", "sequence_len:", "pretraining_dataset: more\nsequence_len:"),
    ("axolotl.yml", "field_messages: messages", "field_messages: others"),
    ("llamafactory/train.yaml", "dataset_dir: llamafactory", "dataset_dir: elsewhere"),
    ("llamafactory/train.yaml", "cutoff_len:", "tokenized_path: more\ncutoff_len:"),
    ("llamafactory/dataset_info.json", "../train.jsonl", "../examples.jsonl"),
    ("llamafactory/dataset_info.json", '"file_name"', '"hf_hub_url": "x/y", "file_name"'),
])  # fmt: skip
def test_configurations_lead_to_the_formats_files(
    problems: Callable[..., dict[str, str]], name: str, old: str, new: str
) -> None:
    assert set(problems(Format.MESSAGES, rewritten(name, old, new))) == {name}


def doubled_column(out: Path) -> None:
    head, *rows = (out / "dev.csv").read_bytes().decode().split("\r\n")
    assert len(rows) == 2
    (out / "dev.csv").write_text(f"response,{head}\r\nForged.,{rows[0]}\r\n", "utf-8", newline="")


@pytest.mark.parametrize(("form", "forge"), [
    (Format.CSV, doubled_column),
    (Format.CSV, rewritten("dev.csv", "prompt,response", "response,prompt")),
    (Format.CSV, rewritten("dev.csv", "author,url\r\n", "author,url\r\n\r\n")),
    (Format.CSV, lambda out: (out / "dev.csv").write_bytes((out / "dev.csv").read_bytes() + b"\r\n")),
    (Format.MESSAGES, rewritten("dev.jsonl", '{"messages"', '{"messages": [], "messages"')),
    (Format.MESSAGES, rewritten("dev.jsonl", '{"role"', '{"role": "system", "role"')),
    (Format.MESSAGES, lambda out: (out / "dev.jsonl").write_bytes((out / "dev.jsonl").read_bytes() + b"\n")),
])  # fmt: skip
def test_data_that_readers_would_read_otherwise_is_refused(
    problems: Callable[..., dict[str, str]], form: Format, forge: Callable[[Path], object]
) -> None:
    assert set(problems(form, forge)) == {form.path_of("dev")}


def test_a_formula_whose_apostrophe_was_taken_is_refused(tmp_path: Path) -> None:
    layout = Format.CSV_SAFE.layout()
    writer = layout.writer(tmp_path / "dev.csv")
    record = {column.name: "x" for column in layout.columns if column.name != "escaped"} | {"prompt": "=1+1"}
    writer.add(record)
    writer.close()
    assert list(layout.records(tmp_path / "dev.csv")) == [record]
    rewritten("dev.csv", "'=1+1", "=1+1")(tmp_path)
    rewritten("dev.csv", ",prompt\r\n", ",\r\n")(tmp_path)
    with pytest.raises(ValueError, match="not escaped"):
        list(layout.records(tmp_path / "dev.csv"))


def test_a_table_with_a_column_twice_or_words_of_its_own_is_refused(problems: Callable[..., dict[str, str]]) -> None:
    def twice(out: Path) -> None:
        rows = pq.read_table(out / "dev.parquet")
        pq.write_table(rows.append_column("source", pa.array(["x"] * rows.num_rows)), out / "dev.parquet")

    def told(out: Path) -> None:
        rows = pq.read_table(out / "dev.parquet")
        pq.write_table(rows.replace_schema_metadata({"huggingface": "{}"}), out / "dev.parquet")

    for forge in (twice, told):
        assert set(problems(Format.PARQUET, forge)) == {"dev.parquet"}


def test_lines_with_a_key_twice_are_no_version(problems: Callable[..., dict[str, str]]) -> None:
    forge = rewritten("examples.jsonl", '"split":"train"', '"split":"dev","split":"train"')

    def forged(out: Path) -> None:
        forge(out)
        digest = hashlib.sha256((out / "examples.jsonl").read_bytes()).hexdigest()
        changed("manifest.json", set_in("id", f"sha256:{digest}"))(out)

    assert set(problems(Format.MESSAGES, forged, None)) == {"examples.jsonl"}


@pytest.mark.parametrize(("part", "change"), [
    ("examples", lambda said: said["examples"].update(train=50)),
    ("composition", lambda said: said["composition"][0].update(count=said["composition"][0]["count"] + 1)),
    ("licences", lambda said: said["licences"].reverse() or said["licences"][0].update(licence="MIT")),
    ("licences", lambda said: said["licences"].append({"licence": "MIT", "examples": 0})),
    ("sites", lambda said: said["sites"].update({"example.org": 1})),
    ("lengths", lambda said: said["lengths"][0]["prompt"].update(max=1)),
    ("lengths", lambda said: said["lengths"][0]["response"].update(mean=1)),
    ("lengths", lambda said: said["lengths"].pop()),
    ("shapes", lambda said: said["shapes"]["train"].update(dialogues=7)),
    ("roles", lambda said: said.setdefault("roles", {}).update(without_response={})),
    ("credited", lambda said: said["credited"].update(unknown=70)),
    ("credited", lambda said: said["credited"].update(own=70)),
    ("size of dev.jsonl", lambda said: next(
        file for file in said["files"] if file["path"] == "dev.jsonl").update(records=9)),
])  # fmt: skip
def test_what_a_manifest_counts_is_counted_again(
    problems: Callable[..., dict[str, str]], part: str, change: Change
) -> None:
    found = problems(Format.MESSAGES, changed("manifest.json", change))
    if part == "examples":  # by it the head is told which splits there are; the count is looked at before
        assert part in found["manifest.json"]
    assert set(found) == {"manifest.json"}
    assert part in found["manifest.json"]


def test_what_the_id_does_not_prove_is_said(
    database: Database, version: Version, tmp_path: Path, problems: Callable[..., dict[str, str]]
) -> None:
    def forge(manifest: Any) -> None:
        manifest["gates"], manifest["approvals"]["second_person"] = [], 9_999
        manifest["people"]["approvers"] = [{"id": 1, "name": "Somebody"}]

    assert problems(Format.MESSAGES, changed("manifest.json", forge)) == {}
    export(database, version, Format.LIMA, tmp_path / "sound")
    assert verify_folder(tmp_path / "sound")["not_proven"] == NOT_PROVEN
    assert "gates, approvals, people and the prose" in NOT_PROVEN


@pytest.mark.parametrize("said", ["", "  ", "sha256:", "hello", "0" * 63, "sha256:" + "g" * 64])
def test_what_is_no_id_is_refused(tmp_path: Path, said: str) -> None:
    with pytest.raises(BadId):
        verify_folder(tmp_path, said)


@pytest.mark.parametrize("name", ["manifest.json", "SHA256SUMS", "examples.jsonl", "README.md"])
def test_a_link_is_no_file_of_a_copy(database: Database, version: Version, tmp_path: Path, name: str) -> None:
    export(database, version, Format.LIMA, tmp_path / "out")
    shutil.move(tmp_path / "out" / name, tmp_path / "elsewhere")
    (tmp_path / "out" / name).symlink_to(tmp_path / "elsewhere")
    found = {one["path"]: one["problem"] for one in verify_folder(tmp_path / "out", version.sha256)["problems"]}
    assert found == {name: "It is a link, and no file of this folder."}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["a" * 5_000, "../x", "\0", "train", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abé", max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def places_in(document: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a document a value stands: each field, and those inside it."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [found for name, value in inner for found in ((*above, name), *places_in(value, (*above, name)))]


@pytest.mark.parametrize("form", [Format.MESSAGES, Format.CSV])
def test_whatever_a_manifest_says_verify_finds_words_for_it(
    database: Database, version: Version, tmp_path: Path, form: Format
) -> None:
    out = tmp_path / "out"
    export(database, version, form, out)
    sound = (out / "manifest.json").read_bytes()
    places = [place for place in places_in(json.loads(sound)) if place != ("seal",)]
    before = contents(out).keys()

    @settings(max_examples=250, deadline=None)
    @given(st.sampled_from(places), JSON_VALUES, st.booleans())
    def check(place: tuple[Any, ...], value: Any, is_gone: bool) -> None:
        manifest = json.loads(sound)
        holder = manifest
        for name in place[:-1]:
            holder = holder[name]
        if is_gone:
            del holder[place[-1]]
        else:
            holder[place[-1]] = value
        body = sealed(manifest)
        (out / "manifest.json").write_bytes(body)
        with suppress(Exception):  # of what lists no files there are no sums
            (out / "SHA256SUMS").write_bytes(sums(manifest["files"], hashlib.sha256(body).hexdigest()))
        found = verify_folder(out, version.sha256)
        assert set(found) == {"ok", "id", "problems", "not_proven"}
        assert found["id"] == f"sha256:{version.sha256}"
        if place[0] in {"examples", "files", "id", "sites"} and manifest != json.loads(sound):
            assert not found["ok"]

    check()
    assert contents(out).keys() == before
