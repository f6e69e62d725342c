import zipfile
from datetime import datetime

import openpyxl
import pytest

from app.sources.formats import open_source
from app.sources.readers import spreadsheet
from app.sources.readers.base import ReadOptions
from app.sources.readers.containers import item_at, items_of
from app.sources.readers.files import sniff
from app.sources.records import BadInput

ROWS = [("prompt", "response"), ("q", "a"), ("r", "b")]


@pytest.fixture
def book(tmp_path):
    def write(*rows, change=None):
        made = openpyxl.Workbook()
        for row in rows:
            made.active.append(row)
        if change is not None:
            change(made)
        made.save(tmp_path / "no_name")
        return sniff(tmp_path / "no_name")

    return write


def rewritten(file, replace):
    """The same archive with parts replaced or added."""
    with zipfile.ZipFile(file.path) as old:
        parts = {part.filename: old.read(part) for part in old.infolist()}
    with zipfile.ZipFile(file.path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in (parts | replace(parts)).items():
            new.writestr(name, data)
    return file


def test_a_sheet_is_a_table(book):
    day, moment = datetime(2024, 5, 6), datetime(2024, 5, 6, 7, 8)  # noqa: DTZ001 - a spreadsheet knows no zones
    file = book(("a", "b", "c"), ("x\ny", 1, day), (), (1.5, True, moment), ("only",))
    items = list(items_of(file))
    assert [(item.line, item.value) for item in items] == [
        (2, {"a": "x\ny", "b": 1, "c": "2024-05-06"}),
        (4, {"a": 1.5, "b": True, "c": "2024-05-06T07:08:00"}),
        (5, {"a": "only", "b": "", "c": ""}),
    ]
    assert [item_at(file, item.position) for item in items] == items


def test_a41_formulas_give_their_kept_values_or_are_refused(book):
    def cached(parts):
        sheet = parts["xl/worksheets/sheet1.xml"].decode()
        return {"xl/worksheets/sheet1.xml": sheet.replace("<f>1+1</f><v />", "<f>1+1</f><v>2</v>").encode()}

    file = rewritten(book(("prompt", "response"), ("=1+1", "a"), ("=2+2", "b"), ("r", "c")), cached)
    assert [(item.value, item.fault) for item in items_of(file)] == [
        ({"prompt": 2, "response": "a"}, None),
        (None, "cell A3 is a formula without a value; open the file and save it again"),
        ({"prompt": "r", "response": "c"}, None),
    ]


def test_a41_hidden_sheets_are_left_out_and_said(book):
    def hide(made):
        made.active.title = "Old"
        made.active.sheet_state = "hidden"
        for name, rows in (("New", ROWS), ("Next", [*ROWS, ("s", "c")])):
            sheet = made.create_sheet(name)
            for row in rows:
                sheet.append(row)

    file = book(("prompt", "response"), ("secret", "x"), change=hide)
    reader = open_source(file.path)
    assert [record.prompt for record in reader.records()] == ["q", "r"]
    assert [(one.path, one.reason) for one in reader.left_out] == [
        ("no_name, sheet Old", "The sheet is hidden."),
        ("no_name, sheet Next", "The sheet is not the one that is read."),
    ]
    chosen = open_source(file.path, options=ReadOptions(settings={"sheet": "Next"}))
    assert [record.prompt for record in chosen.records()] == ["q", "r", "s"]
    with pytest.raises(BadInput, match="no visible sheet 'Old'; there are New, Next"):
        list(open_source(file.path, options=ReadOptions(settings={"sheet": "Old"})).records())


def test_a41_a_lie_about_the_used_range_costs_nothing(book):
    def lie(parts):
        sheet = parts["xl/worksheets/sheet1.xml"].decode()
        return {"xl/worksheets/sheet1.xml": sheet.replace('ref="A1:B3"', 'ref="A1:XFD1048576"').encode()}

    file = rewritten(book(*ROWS), lie)
    assert [item.value["prompt"] for item in items_of(file)] == ["q", "r"]


def test_a41_a_cell_far_away_is_no_column(book):
    file = book(*ROWS, change=lambda made: made.active.cell(2, 9000, "far"))
    assert [item.fault for item in items_of(file)] == [
        "the row has 9,000 cells where the header names 2 columns",
        None,
    ]


def test_a41_external_links_are_not_followed(book, monkeypatch):
    file = rewritten(
        book(*ROWS),
        lambda parts: {
            "xl/workbook.xml": parts["xl/workbook.xml"].replace(b"</workbook>", b"<externalReferences/></workbook>"),
            "xl/externalLinks/externalLink1.xml": b"<externalLink/>",
        },
    )
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a connection was opened"))
    assert len(list(items_of(file))) == 2


def test_a41_bombs_are_refused_by_the_directory_alone(book, monkeypatch):
    file = rewritten(book(*ROWS), lambda _: {"xl/media/zeros": b"\x00" * 150_000_000})
    monkeypatch.setattr(spreadsheet, "_book", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(BadInput, match="unpacks to 150 MB"):
        list(items_of(file))
    file = rewritten(book(*ROWS), lambda _: {f"xl/media/{number}": b"" for number in range(2001)})
    with pytest.raises(BadInput, match="more than 2,000 parts"):
        list(items_of(file))


def test_a41_declarations_of_entities_are_refused(book):
    def declare(parts):
        declared = parts["xl/worksheets/sheet1.xml"].replace(
            b"<worksheet", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet', 1
        )
        return {"xl/worksheets/sheet1.xml": declared}

    with pytest.raises(BadInput, match="declares XML entities"):
        list(items_of(rewritten(book(*ROWS), declare)))


def test_a_broken_or_empty_spreadsheet_is_refused(book):
    with pytest.raises(BadInput, match="sheet is empty"):
        list(items_of(book()))
    with pytest.raises(BadInput, match="two columns 'a'"):
        list(items_of(book(("a", "a"), (1, 2))))
    file = book(*ROWS)
    file.path.write_bytes(file.path.read_bytes()[:3000])
    with pytest.raises(BadInput, match="broken, cut off or locked"):
        open_source(file.path)
    file = rewritten(book(*ROWS), lambda _: {"xl/workbook.xml": b"<workbook"})
    with pytest.raises(BadInput, match="spreadsheet is broken"):
        list(items_of(file))


def test_an_error_in_a_cell_is_bad_and_the_rest_goes_on(book):
    assert [item.fault for item in items_of(book(*ROWS, ("#N/A", "c")))][2] == "cell A4 holds the error #N/A"
