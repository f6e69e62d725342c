import gzip
import json
import pickle
import zipfile

import pytest

from app.sources.formats import FORMATS, open_source
from app.sources.readers.base import ReadOptions
from app.sources.readers.files import lines
from app.sources.records import BadInput, BadLines

ROW = json.dumps({"conversations": ["é?", "ü!"]}, ensure_ascii=False)


def write(tmp_path, data, name="upload.jsonl"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("data", [b"", b"\n \t\n", b"\xef\xbb\xbf", "".encode("utf-16")])
def test_a38_empty_files_are_refused(tmp_path, data):
    with pytest.raises(BadInput, match=r"The file upload\.jsonl is empty"):
        open_source(write(tmp_path, data))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(b"{}", mtime=0), "gzip"),
        (pickle.dumps({"a": [1]}), "pickle"),
        (pickle.dumps(["x"], protocol=2), "pickle"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"\x93NUMPY\x01\x00", "NumPy"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"x.txt".ljust(257, b"\x00") + b"ustar\x0000", "tar archive"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"\x28\xb5\x2f\xfd\x00", "Zstandard"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"just words\n", "neither XML nor JSON"),
        (b"a,b\n1,2\n", "they are a, b"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b'{\n  "a": 1\n}', "one JSON object over several lines"),
        (b'{"task": {"items": [{"q": 1}]},\n "rows": [{"a": 1}]}', r"lists of objects in it \('rows'\)"),
        (b'{"frage": "x"}\n', "known form"),
        (b'{"a": "\x00"}', "NUL"),
        ('{"a": 1}'.encode("utf-16-le"), "UTF-16 without a byte-order mark"),
    ],
)
def test_a32_the_content_is_recognised_and_not_the_name(tmp_path, data, reason, monkeypatch):
    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, lambda *_: pytest.fail("a pickle was opened"))
    with pytest.raises(BadInput, match=reason):
        open_source(write(tmp_path, data))


def test_a32_a_zip_is_refused_by_its_content(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.jsonl", "w") as archive:
        archive.writestr("x", "y")
    with pytest.raises(BadInput, match="ZIP"):
        open_source(tmp_path / "x.jsonl")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("array", [False, True])
def test_a33_byte_order_marks_are_understood(tmp_path, encoding, array):
    text = f"[{ROW}]" if array else ROW + "\n" + ROW.replace("?", "x")
    record = next(open_source(write(tmp_path, text.encode(encoding))).records())
    assert [message.content for message in record.messages] == ["é?", "ü!"]


@pytest.mark.parametrize("chosen", ["latin-1", "cp1252", "utf-8", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a33_a_byte_order_mark_says_more_than_what_is_chosen(tmp_path, encoding, chosen):
    for text in (ROW + "\n", "prompt,completion\né?,ü!\n"):
        reader = open_source(write(tmp_path, text.encode(encoding)), options=ReadOptions(encoding=chosen))
        assert [message.content for message in next(reader.records()).messages] == ["é?", "ü!"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-be", "utf-16-le"])
def test_a33_an_encoding_may_be_chosen(tmp_path, encoding):
    path = write(tmp_path, (ROW + "\n").encode(encoding))
    with pytest.raises(BadInput):
        list(open_source(path).records())
    record = next(open_source(path, options=ReadOptions(encoding=encoding)).records())
    assert record.prompt == "é?"


def test_a33_invalid_utf8_names_line_and_byte(tmp_path):
    data = f"{ROW}\n".encode() + b'{"conversations": ["\xff", "a"]}\n'
    with pytest.raises(BadLines, match=f"line 2: byte {data.index(0xFF)} of the file is not valid UTF-8"):
        list(open_source(write(tmp_path, data)).records())
    data = f"[{ROW},\n".encode() + b'{"conversations": ["\xff", "a"]}]'
    with pytest.raises(BadInput, match=f"Line 2: byte {data.index(0xFF)} of the file is not valid UTF-8"):
        list(open_source(write(tmp_path, data)).records())


def test_a33_lines_end_at_line_feeds_alone(tmp_path):
    text = "\u2028\u0085\x0b\x0c\x1c"
    rows = [json.dumps({"conversations": [f"{n}{text}", "a\r\nb"]}, ensure_ascii=False) for n in range(2)]
    records = list(open_source(write(tmp_path, "\r\n".join(rows).encode())).records())
    assert [record.messages[0].content for record in records] == [f"0{text}", f"1{text}"]
    assert [record.line for record in records] == [1, 2]
    assert records[0].messages[1].content == "a\r\nb"


def test_a34_nul_bytes_are_refused_with_their_place(tmp_path):
    data = f"{ROW}\n".encode() * 3 + b'{"conversations": ["a\x00", "b"]}\n'
    with pytest.raises(BadLines, match="line 4: there is a NUL character at character 22"):
        list(open_source(write(tmp_path, data)).records())


def test_a36_long_lines_are_stepped_over_in_bounded_memory(tmp_path):
    path = write(tmp_path, b"x" * (20 << 20) + b"\nlast\n")
    found = list(lines(path))
    assert [(line.number, line.fault is None, line.text) for line in found] == [(1, False, ""), (2, True, "last\n")]
    assert found[-1].end == path.stat().st_size


def test_a_minified_array_longer_than_a_line_may_be_is_read(tmp_path):
    rows = ",".join(json.dumps({"conversations": [f"{n} " + "x" * 3000, "a"]}) for n in range(3500))
    reader = open_source(write(tmp_path, f"[{rows}]".encode()))
    assert len(list(reader.records())) == 3500
    assert reader.bytes_read == reader.total_bytes


def test_a_folder_is_read_by_its_posts_or_by_what_it_holds(tmp_path):
    with pytest.raises(BadInput, match="nothing at"):
        open_source(tmp_path / "none")
    with pytest.raises(BadInput, match="is empty"):
        open_source(tmp_path)
    write(tmp_path, f"{ROW}\n".encode())
    assert open_source(tmp_path).format == "lima"
    write(tmp_path, b"<posts/>", "Posts.xml")
    assert open_source(tmp_path, site="x.example.org").format == "stackexchange"


def test_a_dump_needs_its_site(tmp_path):
    with pytest.raises(BadInput, match="does not name its site"):
        open_source(write(tmp_path, b"<posts/>"))


def test_a_named_format_must_be_the_files(tmp_path):
    path = write(tmp_path, f"{ROW}\n".encode())
    with pytest.raises(BadInput, match="which is not Stack Exchange dump"):
        open_source(path, "stackexchange", "x.example.org")
    with pytest.raises(BadInput, match="no format"):
        open_source(path, "csv")
    with pytest.raises(BadLines, match="no list 'messages'"):
        list(open_source(path, "messages").records())
    assert len(list(open_source(path, "lima").records())) == 1
    assert next(iter(FORMATS)) == "auto"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a33_a_dump_may_have_a_byte_order_mark(tmp_path, encoding):
    answer = '<row Id="2" PostTypeId="2" ParentId="1" Score="1" CreationDate="2020-01-01" Body="&lt;p&gt;é&lt;/p&gt;"/>'
    question = '<row Id="1" PostTypeId="1" Score="1" CreationDate="2020-01-01" Body="b" Title="tü"/>'
    path = write(tmp_path, f"<posts>\n{answer}\n{question}\n</posts>".encode(encoding), "Posts.xml")
    record = next(open_source(path, site="x.example.org").records())
    assert (record.title, record.responses[0].content, record.licence) == ("tü", "é", "CC BY-SA 4.0")


def test_a38_the_form_is_found_past_a_broken_first_line(tmp_path):
    path = write(tmp_path, f"{{broken\n{ROW}\n".encode())
    reader = open_source(path, options=ReadOptions(skip_bad=True))
    assert (reader.format, len(list(reader.records())), reader.error_count) == ("lima", 1, 1)
