import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sources.formats import recognise
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
        (3, "the row has one cell where the header names 2 columns; the row ends at line 34: 2 lines, 6 bytes"),
        (5, "there is text after the closing quote of a cell"),
        (6, "there is a NUL character at character 2"),
        (7, "byte 149 of the file is not valid UTF-8"),
        (8, "byte 154 of the file is not valid UTF-8; the row ends at line 39: 2 lines, 7 bytes"),
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
    long_row = "the row is longer than 1 MB (HANDPICKED_MAX_RECORD_MB)"
    _, items = rows(f'a,b\n1,2\n"{long}",2\n3,4\n', longest=1 << 20)
    assert [(item.line, item.fault) for item in items] == [
        (2, None),
        (
            3,
            f"{long_row}; the row ends at line 3,002: 3,000 lines, 3,003,004 bytes",
        ),
        (3003, None),
    ]


def test_a36_a_quote_that_never_ends_says_how_much_is_lost(rows):
    lost = "never closes, so nothing from this row on can be read"
    _, items = rows('a,b\n1,2\n"3","4\n5,6\n')
    assert [(item.line, item.fault) for item in items] == [
        (2, None),
        (
            3,
            f"the quote at line 3, character 5, {lost}: 2 lines, 11 bytes",
        ),
    ]
    # It need not stand in the line in which its row begins; where characters are wider no byte is known.
    _, items = rows('a,b\n"x\ny","z\n' + "5,6\n" * 1000, encoding="utf-16")
    assert [(item.line, item.fault) for item in items] == [
        (2, f"the quote at line 3, character 4, {lost}: 1,002 lines")
    ]


@pytest.mark.parametrize("header", ['id,"prompt,response', '"id,prompt,response', 'id,""",prompt'])
def test_a_table_whose_header_does_not_close_a_quote_is_refused_by_it(tmp_path, header):
    path = tmp_path / "x"
    path.write_text(f"{header}\n" + "1,Why?,So.\n" * 20, encoding="utf-8")
    assert sniff(path).kind == "csv"
    with pytest.raises(BadInput, match=r"Line 1: the quote at line 1, character [14], never closes"):
        list(items_of(sniff(path)))


@pytest.mark.parametrize("text", ['He said,"what', '"Well, yes, he said,\nand left.\nIt was late, and dark.\n'])
def test_a_quote_in_the_first_line_of_a_text_makes_it_no_table(tmp_path, text):
    path = tmp_path / "x"
    path.write_text(text, encoding="utf-8")
    assert sniff(path).kind == "text"


@pytest.mark.parametrize("text", ["a,b\r1,2\r3,4\r", "one\rtwo\rthree"])
def test_lines_that_end_in_cr_alone_are_named(tmp_path, text):
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    with pytest.raises(BadInput, match=r"the file x\.csv has lines that end in a carriage return alone \(CR\)"):
        recognise(path)


@pytest.mark.parametrize("far", [0, 1 << 17])
def test_a_fault_in_an_array_is_told_by_its_line_and_the_character_in_it(tmp_path, far):
    path, first = tmp_path / "x", json.dumps({"a": "x" * far})
    for element, line, character in (
        ('{"b" 1}', 1, len(first) + 9),
        ('{"b": 1,\n   "c" 2}', 2, 8),
        ('{"b": 1,\n\n "c": {]}', 3, 8),
    ):
        path.write_text(f"[{first}, {element},\n" + '{"a": 1},\n' * 9 + "{}]", encoding="utf-8")
        with pytest.raises(BadInput, match=rf"Line {line}: .* at character {character}\b"):
            list(items_of(sniff(path)))


LONG = "the element is longer than 0 MB (HANDPICKED_MAX_RECORD_MB)"


@pytest.mark.parametrize("size", [2500, 200_000])
@pytest.mark.parametrize("value", [{"a": '\\"]}[{,\n'}, ["ü"], 'x"\\', {"a": [{"b": [["}"]]}], "c": "\\"}])
def test_a36_an_element_of_an_array_that_is_too_long_is_stepped_over(rows, size, value):
    long = json.dumps([value] * (size // len(json.dumps(value))), indent=1)
    text = f'[{{"a": 1}},\n{long},\n\n{long} ,{{"a": 2}}\n,"{"x" * size}"]'
    file, items = rows(text, longest=2000)
    last = 5 + 2 * long.count("\n")
    assert [(item.line, item.fault) for item in items] == [
        (1, None),
        (2, LONG),
        (4 + long.count("\n"), LONG),
        (last - 1, None),
        (last, LONG),
    ]
    assert values(items) == [{"a": 1}, None, None, {"a": 2}, None]
    assert items[-1].end <= file.path.stat().st_size


def test_a36_an_element_counts_by_its_bytes(rows):
    text = json.dumps(["ü" * 1000], ensure_ascii=False)
    assert [item.fault for item in rows(text, longest=2001)[1]] == [LONG]
    assert [item.fault for item in rows(text, longest=2002)[1]] == [None]


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ('{"b": 1 2}', "Line 2: it is not valid JSON: .* at character 9"),
        ('{"b": [1}', "Line 2: it is not valid JSON: .* at character 9"),
        ('{"b": [1 ', "Line 2: an element is broken or is longer than 0 MB"),
        ('{"b": "x}', "Line 2: it is not valid JSON"),
    ],
)
def test_a_broken_element_before_a_long_rest_refuses_the_array(rows, element, reason):
    with pytest.raises(BadInput, match=reason):
        rows(f'[{{"a": 1}},\n{element},\n' + '{"a": "x"},\n' * 20_000 + "{}]", longest=2000)


@settings(max_examples=60)
@given(st.recursive(st.text(max_size=40) | st.integers(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_whatever_an_element_is_the_next_one_is_found(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("json") / "array"
    padded = [value, "x" * 300]
    path.write_text(json.dumps([padded, {"next": 1}]), encoding="utf-8")
    first, second = items_of(sniff(path), 200)
    assert (first.value, first.fault) == (None, LONG)
    assert (second.value, second.fault) == ({"next": 1}, None)


def test_a_fault_in_an_object_of_several_lines_is_told_by_its_line(tmp_path):
    path = tmp_path / "x"
    path.write_text('{\n "a": [1,\n  2 3]\n}', encoding="utf-8")
    (item,) = items_of(sniff(path))
    assert (item.line, item.fault) == (3, "it is not valid JSON: expecting ',' delimiter at character 5")


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


@settings(max_examples=150)
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
    assert [item.fault for item in items] == ["the object is longer than 1 MB (HANDPICKED_MAX_RECORD_MB)"]
    _, items = rows('{\n "a": 1,\n')
    assert "cut off" in items[0].fault
