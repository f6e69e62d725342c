import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sources.readers.containers import item_at, items_of
from app.sources.readers.files import sniff
from app.sources.records import BadInput


@pytest.fixture
def rows(tmp_path):
    def look(data, encoding="utf-8", longest=8 << 20):
        path = tmp_path / "table"
        path.write_bytes(data.encode(encoding) if isinstance(data, str) else data)
        file = sniff(path)
        return file, list(items_of(file, longest))

    return look


def values(items):
    return [item.value for item in items]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a,b\n1,2\n", "csv"),
        ("a;b\n1;2,5\n", "csv"),
        ("a\tb\n1\t2\n", "tsv"),
        ("a,b\n", "csv"),
        ('{"a": 1}\n{"a": 2}\n', "lines"),
        ('{"a": "cut off', "lines"),
        ('{"a": ["cut off",\n{"a": ["b"]}\n', "lines"),
        ('{\n  "a": 1\n}\n', "object"),
        ('{"a": [\r\n  1\r\n]}\r\n', "object"),
        ('a,b\n"one\ntwo', "csv"),
        ("Dear all, this is a note.\nIt has no cells.\nNone.\n", "text"),
        ("just words\n", "text"),
        ("a b\n", "text"),
        ('"a"x,b\n1,2\n', "text"),
    ],
)
def test_a_table_is_told_from_text_by_its_rows(tmp_path, text, kind):
    path = tmp_path / "x.txt"
    path.write_text(text, encoding="utf-8")
    assert sniff(path).kind == kind


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_quoted_cells_keep_what_they_hold(rows, encoding, end, delimiter):
    text = end.join(("a|b", '1|"x, y;\t\u2028z"', '"two', 'lines ""quoted"""|', "", '5" pipe|ü', ""))
    file, items = rows(text.replace("|", delimiter), encoding)
    assert [(item.line, item.fault) for item in items] == [(2, None), (3, None), (6, None)]
    assert values(items) == [
        {"a": "1", "b": "x, y;\t\u2028z"},
        {"a": f'two{end}lines "quoted"', "b": ""},
        {"a": '5" pipe', "b": "ü"},
    ]
    assert [item_at(file, item.position).value for item in items] == values(items)
    assert items[-1].end == file.path.stat().st_size


def test_a_row_that_does_not_fit_its_header_is_bad_and_the_rest_goes_on(rows):
    good = b"1,2\n" * 30
    _, items = rows(b"a,b\n" + good + b'1,2,3\n"x\ny"\n"p"q,2\nA\x00B,2\n\xff,2\n"\xff\n",2\nr\rs,2\n3,4\n')
    assert [(item.line - 30, item.fault) for item in items[30:]] == [
        (2, "the row has 3 cells where the header names 2 columns"),
        (3, "the row has one cell where the header names 2 columns"),
        (5, "there is text after the closing quote of a cell"),
        (6, "there is a NUL character at character 2"),
        (7, "byte 149 of the file is not valid UTF-8"),
        (8, "byte 154 of the file is not valid UTF-8"),
        (10, "a carriage return stands in a cell without quotes"),
        (11, None),
    ]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("a,b,a", "the first row names two columns 'a'"),
        ("a,,b", "column 2 has no name"),
        ("a, ,b", "column 2 has no name"),
    ],
)
def test_a_header_names_each_column_once(tmp_path, header, reason):
    path = tmp_path / "x"
    path.write_text(f"{header}\n1,2,3\n", encoding="utf-8")
    with pytest.raises(BadInput, match=f"Line 1: .*{reason}"):
        list(items_of(sniff(path)))


def test_a36_a_row_longer_than_the_limit_is_stepped_over(rows):
    long = "\n".join("x" * 1000 for _ in range(3000))
    _, items = rows(f'a,b\n1,2\n"{long}",2\n3,4\n', longest=1 << 20)
    assert [(item.line, item.fault) for item in items] == [
        (2, None),
        (3, "the row is longer than 1 MB"),
        (3003, None),
    ]


def test_a36_a_quote_that_never_ends_says_that_the_rest_is_lost(rows):
    _, items = rows('a,b\n1,2\n3,"4\n5,6\n')
    assert [(item.line, item.fault is None) for item in items] == [(2, True), (3, False)]
    assert "nothing after it can be read" in items[1].fault


def test_a_row_that_moved_is_not_taken_for_another(rows, tmp_path):
    for text in ("a,b\n1,2\n3,4\n", json.dumps({"a": 1}) + "\n" + json.dumps({"a": 2}) + "\n"):
        file, items = rows(text)
        for position in (items[-1].position + 1, len(text), len(text) + 5):
            with pytest.raises(BadInput, match="changed since"):
                item_at(file, position)


def test_lines_are_found_by_their_byte_whatever_the_encoding(rows):
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        file, items = rows("".join(json.dumps({"ü": n}, ensure_ascii=False) + "\n" for n in range(5)), encoding)
        assert [item_at(file, item.position).value for item in items] == [{"ü": n} for n in range(5)]


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(CELL, CELL), max_size=6), st.sampled_from([",", "\t", ";"]))
def test_what_the_standard_library_writes_is_read_back(tmp_path_factory, written, delimiter):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("first", "second"), *written])
    path = tmp_path_factory.mktemp("csv") / "table"
    path.write_bytes(out.getvalue().encode())
    found = list(items_of(sniff(path)))
    assert [tuple(item.value.values()) for item in found] == written


def test_an_object_over_several_lines_is_one_row(rows):
    file, items = rows(json.dumps({"a": [1, {"ü": 2}]}, indent=2), "utf-16")
    assert values(items) == [{"a": [1, {"ü": 2}]}]
    assert item_at(file, items[0].position) == items[0]
    _, items = rows(json.dumps({"a": 1}, indent=1) + "\n" + json.dumps({"a": 2}, indent=1))
    assert [item.fault for item in items] == ["there is more after the JSON ends, at character 13"]
    _, items = rows(json.dumps({"a": ["x" * 999] * 1200}, indent=1), longest=1 << 20)
    assert [item.fault for item in items] == ["the object is longer than 1 MB"]
    _, items = rows('{\n "a": 1,\n')
    assert "cut off" in items[0].fault
