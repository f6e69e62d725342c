import decimal
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from pyarrow import parquet

from app.sources.formats import open_source
from app.sources.readers.base import ReadOptions
from app.sources.readers.containers import item_at, items_of
from app.sources.readers.files import sniff
from app.sources.records import BadInput


@pytest.fixture
def written(tmp_path):
    def write(columns, **options):
        path = tmp_path / "no_name"
        parquet.write_table(pa.table(columns), path, **options)
        return sniff(path)

    return write


def test_nested_values_become_objects_and_lists(written):
    day, moment = date(2024, 5, 6), datetime(2024, 5, 6, 7, 8, tzinfo=UTC)
    columns = {"a": [{"b": ["x", None]}], "d": [day], "m": [moment], "n": [decimal.Decimal("1.50")], "z": [None]}
    item = next(items_of(written(columns)))
    assert item.value == {"a": {"b": ["x", None]}, "d": "2024-05-06", "m": moment.isoformat(), "n": "1.50", "z": None}


def test_a_row_is_found_by_its_number_in_any_row_group(written):
    file = written({"n": list(range(2500))}, row_group_size=700)
    items = list(items_of(file))
    assert [(item.line, item.position, item.value["n"]) for item in items] == [(n + 1, n, n) for n in range(2500)]
    assert items[-1].end == file.path.stat().st_size
    assert [item_at(file, number).value["n"] for number in (0, 699, 700, 2499)] == [0, 699, 700, 2499]
    with pytest.raises(BadInput, match="changed since"):
        item_at(file, 2500)


@pytest.mark.parametrize("column", [[b"\x80\x04."], [{"bytes": b"x", "path": "p"}], [[b"x"]]])
def test_a32_columns_of_bytes_are_refused_and_never_opened(written, column):
    with pytest.raises(BadInput, match="column 'o' holds bytes and no text"):
        open_source(written({"prompt": ["q"], "o": column}).path)


def test_a32_a_broken_file_is_refused(written):
    file = written({"prompt": ["q"] * 50, "response": ["a"] * 50})
    whole = file.path.read_bytes()
    for data in (whole[:-1], whole[:100], b"PAR1\x15\x04"):
        file.path.write_bytes(data)
        with pytest.raises(BadInput, match="broken or cut off"):
            open_source(file.path)


def test_a36_a_row_longer_than_the_limit_is_bad(written):
    file = written({"prompt": ["q", "x" * (2 << 20), "r"], "response": ["a", "b", "c"]})
    reader = open_source(file.path, options=ReadOptions(longest=1 << 20, skip_bad=True))
    assert [record.prompt for record in reader.records()] == ["q", "r"]
    assert [(bad.line, bad.reason) for bad in reader.errors] == [
        (2, "the row is longer than 1 MB (HANDPICKED_MAX_RECORD_MB)")
    ]


def test_a33_a_text_that_is_not_utf8_is_bad_and_its_neighbours_are_read(written):
    bad = pa.array([b"q", b"\xff", b"r"]).view(pa.string())
    reader = open_source(written({"prompt": bad, "response": ["a", "b", "c"]}).path, options=ReadOptions(skip_bad=True))
    assert [record.prompt for record in reader.records()] == ["q", "r"]
    assert [(bad.line, bad.reason) for bad in reader.errors] == [(2, "a text in this row is not valid UTF-8")]


def test_splits_come_from_the_names_of_shards(tmp_path):
    (tmp_path / "data").mkdir()
    for number, name in enumerate(("train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001")):
        table = pa.table({"prompt": [f"q{number}"], "completion": ["a"]})
        parquet.write_table(table, tmp_path / "data" / f"{name}.parquet")
    records = list(open_source(tmp_path).records())
    assert [(record.prompt, record.split) for record in records] == [("q0", "train"), ("q1", "train"), ("q2", "dev")]


def test_shared_gsm8k_is_read_by_paths(shared_data):
    path = shared_data / "finetune_formats/gsm8k_test.parquet"
    columns = {"prompt": "extra_info.question", "response": "extra_info.answer", "split": "extra_info.split"}
    reader = open_source(path, "table", options=ReadOptions(settings={"columns": columns}))
    records = list(reader.records())
    assert len(records) == len({record.prompt for record in records}) == 1319
    assert all(record.responses[0].text.split("\n")[-1].startswith("#### ") for record in records)
    assert {record.split for record in records} == {"test"}
    assert reader.record_at(records[1000].place) == records[1000]
    asked = list(open_source(path).records())
    assert {tuple(message.role for message in record.messages) for record in asked} == {("system", "user")}
    assert len(asked) == 1319
