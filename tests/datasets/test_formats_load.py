"""Each format is read by the libraries that its users use, and says there what examples.jsonl says."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from app.datasets.exports import write_folder
from app.datasets.formats import Format
from app.datasets.verify import verify_folder
from tests.datasets.large import frozen, items

Row = dict[str, Any]
SPLITS = ("train", "dev", "test")
JSON_LINES = [form for form in Format if form.suffix == "jsonl"]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[Format, Path]:
    folder = tmp_path_factory.mktemp("exports")
    manifest, lines = frozen(items())
    for form in Format:
        write_folder(manifest, lines, form, folder / form.value)
    return {form: folder / form.value for form in Format}


@pytest.fixture(scope="module")
def lines(exports: dict[Format, Path]) -> dict[str, list[Row]]:
    text = (exports[Format.LIMA] / "examples.jsonl").read_text("utf-8")
    found = [json.loads(line) for line in text.split("\n")[:-1]]
    return {split: [line for line in found if line["split"] == split] for split in SPLITS}


def said(role: str, *texts: str) -> list[Row]:
    return [{"role": role, "content": text} for text in texts]


def turns(texts: list[str]) -> list[Row]:
    return [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]


def of_pairs(system: str | None, history: list[list[str]], prompt: str, response: str | None) -> list[Row]:
    last = [prompt] if not response else [prompt, response]
    return said("system", *([system] if system else [])) + turns([text for pair in history for text in pair] + last)


def of_csv(row: Row) -> list[Row]:
    return of_pairs(row["system"], json.loads(row["history"] or "[]"), row["prompt"], row["response"])


def plainly(row: Row) -> Row:
    """A row of the safe CSV as its documentation says to read it."""
    return row | {name: row[name][1:] for name in row["escaped"].split()}


# What the messages of a row are, for somebody who knows the format alone.
READ: dict[Format, Callable[[Row], list[Row]]] = {
    Format.LIMA: lambda row: said("system", *filter(None, [row.get("system")])) + turns(row["conversations"]),
    Format.MESSAGES: lambda row: row["messages"],
    Format.SHAREGPT: lambda row: [
        {"role": {"human": "user", "gpt": "assistant"}.get(turn["from"], turn["from"]), "content": turn["value"]}
        for turn in row["conversations"]
    ],
    Format.ALPACA: lambda row: of_pairs(row["system"], row["history"], row["instruction"], row["output"]),
    Format.COMPLETION: lambda row: row["prompt"] + row["completion"],
    Format.CSV: of_csv,
    Format.CSV_SAFE: lambda row: of_csv(plainly(row)),
    Format.PARQUET: lambda row: row["messages"],
    Format.HF: lambda row: row["messages"],
}


def require_same(form: Format, rows: list[Row], wanted: list[Row]) -> None:
    assert [READ[form](row) for row in rows] == [line["messages"] for line in wanted]
    if "source" in form.layout.keeps:
        assert [row["source"] for row in rows] == [line["source"] for line in wanted]
    if "licence" in form.layout.keeps:
        assert [row["licence"] or None for row in rows] == [line["licence"] for line in wanted]
    if "author" in form.layout.keeps:
        read = plainly if form is Format.CSV_SAFE else dict
        assert [read(row)["author"] or None for row in rows] == [line["attribution"].get("author") for line in wanted]
    if "group" in form.layout.keeps:
        assert [row.get("group") or None for row in rows] == [line.get("group") for line in wanted]


@pytest.fixture
def load_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The library, offline, with a cache of its own."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    datasets.disable_progress_bars()
    return lambda *named, **options: datasets.load_dataset(*named, cache_dir=str(tmp_path / "cache"), **options)


@pytest.mark.parametrize("form", list(Format))
def test_datasets_loads_the_folder(
    exports: dict[Format, Path], lines: dict[str, list[Row]], form: Format, load_dataset: Callable[..., Any]
) -> None:
    found = load_dataset(str(exports[form]))
    assert list(found) == list(SPLITS)
    for split in SPLITS:
        assert found[split].column_names == [column.name for column in form.layout(told=True).columns]
        require_same(form, found[split].to_list(), lines[split])


@pytest.mark.parametrize("form", [form for form in Format if form.suffix != "csv"])
def test_datasets_loads_the_train_file_by_itself(
    exports: dict[Format, Path], lines: dict[str, list[Row]], form: Format, load_dataset: Callable[..., Any]
) -> None:
    """As Axolotl and LLaMA-Factory do, who know nothing of the card."""
    kind = {"jsonl": "json", "parquet": "parquet"}[form.suffix]
    found = load_dataset(kind, data_files=str(exports[form] / form.path_of("train")), split="train")
    require_same(form, found.to_list(), lines["train"])


@pytest.mark.parametrize("form", JSON_LINES)
def test_json_reads_each_line(exports: dict[Format, Path], lines: dict[str, list[Row]], form: Format) -> None:
    for split in SPLITS:
        text = (exports[form] / form.path_of(split)).read_text("utf-8")
        require_same(form, [json.loads(line) for line in text.split("\n")[:-1]], lines[split])


@pytest.mark.parametrize("form", [Format.PARQUET, Format.HF])
def test_pyarrow_reads_the_tables(exports: dict[Format, Path], lines: dict[str, list[Row]], form: Format) -> None:
    for split in SPLITS:
        rows = pq.read_table(exports[form] / form.path_of(split)).to_pylist()
        require_same(form, rows, lines[split])
        assert [json.loads(row["attribution"]) for row in rows] == [line["attribution"] for line in lines[split]]


@pytest.mark.parametrize(("form", "encoding"), [(Format.CSV, "utf-8"), (Format.CSV_SAFE, "utf-8-sig")])
def test_csv_and_pandas_read_the_cells(
    exports: dict[Format, Path], lines: dict[str, list[Row]], form: Format, encoding: str
) -> None:
    for split in SPLITS:
        path = exports[form] / form.path_of(split)
        with path.open(encoding=encoding, newline="") as file:
            require_same(form, list(csv.DictReader(file, strict=True)), lines[split])
        table = pd.read_csv(path, keep_default_na=False, dtype=str)
        require_same(form, table.to_dict("records"), lines[split])


@pytest.mark.parametrize("form", list(Format))
def test_the_large_export_verifies(exports: dict[Format, Path], form: Format) -> None:
    found = verify_folder(exports[form])
    assert (found["ok"], found["id"], found["problems"]) == (True, frozen(items())[0]["id"], [])


def test_every_format_says_what_it_is() -> None:
    for form in Format:
        layout = form.layout(told=True)
        assert layout.title
        assert layout.holds
        assert layout.read_by
        names = [column.name for column in layout.columns]
        assert len(names) == len(set(names))
        assert {"group", "flags"} & set(names) == {"group", "flags"} & layout.keeps
        assert not {"group", "flags"} & {column.name for column in form.layout().columns}
