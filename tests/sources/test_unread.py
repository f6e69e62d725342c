"""Files of an input that are not read: named with their reason wherever an import is told of, or refused as broken."""

import io
import json
import zipfile

import pytest
from openpyxl import Workbook

from app.sources.formats import open_source
from app.sources.models import ImportState
from app.sources.readers.base import ReadOptions
from app.sources.records import BadLine, BadLines, bad_lines_in
from tests.sources import rooms
from tests.sources.test_cli import document, environment, handpicked  # noqa: F401 - fixtures
from tests.sources.test_pages import brought_in, started

GOOD = "".join(json.dumps({"conversations": [f"q{number}", "a"]}) + "\n" for number in range(9))
BROKEN = 'prompt,response\n"never closed,b\nc,d\n'
REASONS = {
    "bin.dat": "Byte 1 is NUL; this is no text.",
    "notes.txt": "It is neither XML nor JSON, and no table with a header.",
    "tbl.csv": "Its rows are not read as LIMA; import it by itself.",
}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "in"
    made.mkdir()
    (made / "good.jsonl").write_text(GOOD, encoding="utf-8")
    (made / "tbl.csv").write_text("x,y\n1,2\n", encoding="utf-8")
    (made / "notes.txt").write_text("[a link](to somewhere)\nand some words\n", encoding="utf-8")
    (made / "bin.dat").write_bytes(b"a\x00b" * 9 + b"zz" * 99)
    return made


def named(reader):
    return {one.path: one.reason for one in reader.left_out}


@pytest.mark.parametrize("format", ["auto", "lima"])
def test_every_file_of_a_folder_is_read_or_named(folder, format):
    (folder / "notes.txt").write_text("some words", encoding="utf-8")
    reader = open_source(folder, format)
    assert len(list(reader.records())) == 9
    assert named(reader) == REASONS


@pytest.mark.parametrize("format", ["auto", "lima"])
@pytest.mark.parametrize(
    ("name", "content"), [("broken.csv", BROKEN), ("b.jsonl", '{"a": 1\n'), ("b.json", '[{"a": 1')]
)
def test_a_broken_file_of_rows_refuses_the_others_or_counts_as_unreadable(folder, format, name, content):
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(BadLines, match=f"1 line cannot be read: {name}, line "):
        list(open_source(folder, format).records())
    reader = open_source(folder, format, options=ReadOptions(skip_bad=True))
    assert len(list(reader.records())) == 9
    assert [bad.file for bad in reader.errors] == [name]
    assert name not in named(reader)


def test_a_note_that_begins_with_a_bracket_is_named_and_refuses_nothing(folder):
    reader = open_source(folder)
    assert len(list(reader.records())) == 9
    assert "notes.txt" in named(reader)


def test_the_command_names_them_to_people_and_in_its_document(handpicked, folder):  # noqa: F811
    (folder / "notes.txt").write_text("some words", encoding="utf-8")
    found = document(handpicked(folder, "--json"))
    assert {one["path"]: one["reason"] for one in found["left_out"]} == REASONS
    for number in range(30):
        (folder / f"z{number:02}.txt").write_text("words", encoding="utf-8")
    ended = handpicked(folder)
    said = ended.stderr.splitlines()
    assert said[0] == f"in: bin.dat is not read. {REASONS['bin.dat']}"
    assert (len(said), said[-1]) == (21, "in: 13 more files are not read.")
    (folder / "broken.csv").write_text(BROKEN, encoding="utf-8")
    ended = handpicked(folder)
    assert (ended.returncode, "broken.csv" in ended.stderr) == (1, True)
    found = document(handpicked(folder, "--skip-bad", "--json"))
    assert [error["file"] for error in found["errors"]] == ["broken.csv"]
    assert not any(" in broken.csv" in error["reason"] for error in found["errors"])


def test_the_pages_of_a_zip_and_the_api_name_them(browser, database, settings, people, tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("ok.jsonl", GOOD)
        packed.writestr("foo.csv", "x,y\n1,2\n")
        packed.writestr("broken.jsonl", '{"conversations": ["q"\n')
    client = browser(people.annotator)
    at = brought_in(client, f"/projects/{people.project.slug}", rooms.upload("x.zip", path.read_bytes()))
    page = client.get(at).text
    assert "<bdi>broken.jsonl</bdi>, <span>line 1</span>" in page
    page = client.get(f"{at}?skip_bad=true").text
    assert "Its rows are not read as LIMA" in page
    started(client, at, skip_bad="true", site="")
    run = rooms.work(database, settings, people, int(at.rsplit("/", 1)[1]))
    assert run.state is ImportState.PUBLISHED
    assert run.result["left_out"] == [{"path": "foo.csv", "reason": REASONS["tbl.csv"]}]
    page = client.get(at).text
    assert "1 file or sheet is not read" in page
    assert "foo.csv" in page
    assert "<bdi>broken.jsonl</bdi>, <span>line 1</span>" in page


def test_the_reference_answers_of_fastchat_are_named(shared_data, handpicked):  # noqa: F811
    found = document(handpicked(shared_data / "fastchat_questions", "--json"))
    assert {one["path"] for one in found["left_out"]} >= {"mt_bench_reference_answer_gpt-4.jsonl", "SOURCE.md"}


LIST = 'prompt\nhello there\n"quoted, with a comma"\nWhy, and how?\n'


def test_a_list_of_prompts_is_read_where_somebody_says_that_it_is_a_table(handpicked, tmp_path):  # noqa: F811
    path = tmp_path / "prompts.csv"
    path.write_text(LIST, encoding="utf-8")
    ended = handpicked(path)
    assert (ended.returncode, "no table with a header" in ended.stderr) == (1, True)
    ended = handpicked(path, "--format", "table")
    assert (ended.returncode, "--map prompt=prompt" in ended.stderr) == (1, True)
    found = document(handpicked(path, "--map", "prompt=prompt", "--json"))
    assert (found["created"], found["errors"]) == (3, [])
    reader = open_source(path, "table", options=ReadOptions(settings={"columns": {"prompt": "prompt"}}))
    read = list(reader.records())
    assert [one.prompt for one in read] == ["hello there", "quoted, with a comma", "Why, and how?"]
    assert [reader.record_at(one.place).prompt for one in read] == [one.prompt for one in read]


def test_a_list_of_prompts_comes_by_the_api_and_is_set_up_again_by_page(api, browser, database, settings, people):
    url = f"/api/v1/projects/{people.project.slug}/imports"
    data = {"format": "table", "settings": json.dumps({"columns": {"prompt": "prompt"}})}
    client = api(people.annotator)
    assert client.post(url, files=rooms.upload("p.csv", LIST)).status_code == 422
    begun = client.post(url, files=rooms.upload("p.csv", LIST), data=data).json()
    run = rooms.work(database, settings, people, begun["id"])
    assert (run.state, run.result["created"]) == (ImportState.PUBLISHED, 3)
    client = browser(people.annotator)
    at = f"/projects/{people.project.slug}/imports/{run.id}"
    page = client.get(client.post(f"{at}/again").headers["location"]).text
    assert "Why, and how?" in page
    assert "no table with a header" not in page


def test_a_sheet_that_is_not_read_stands_under_the_name_of_its_upload(browser, people):
    book = Workbook()
    for sheet in (book.active, book.create_sheet("Notes")):
        sheet.append(["prompt", "response"])
        sheet.append(["Why?", "Because."])
    content = io.BytesIO()
    book.save(content)
    client = browser(people.annotator)
    at = brought_in(client, f"/projects/{people.project.slug}", rooms.upload("calls.xlsx", content.getvalue()))
    page = client.get(at).text
    assert "calls.xlsx, sheet Notes" in page


def test_a_refusal_of_thousands_of_lines_is_read_back_from_its_words():
    refusal = BadLines([BadLine(line, "it is cut off") for line in range(1, 30)], 1234)
    assert refusal.message.startswith("1,234 lines cannot be read: lines 1, 2, 3, ")
    assert ", 19, 20: it is cut off; and 1,214 more. " in refusal.message
    lines, total = bad_lines_in(refusal.message)
    assert (len(lines), total) == (20, 1234)
    assert [bad.line for bad in lines] == list(range(1, 21))


def test_equal_reasons_of_a_refusal_are_said_once_and_read_back():
    bad = [BadLine(1, "it is cut off"), BadLine(5, "the id 'x' is that of line 4, with other words")]
    bad += [BadLine(2000, "it is cut off")]
    refusal = BadLines(bad, 3)
    told = "lines 1, 2000: it is cut off; line 5: the id 'x' is that of line 4, with other words. Nothing"
    assert told in refusal.message
    assert set(bad_lines_in(refusal.message)[0]) == set(bad)


def test_a_line_of_one_of_several_files_is_named_with_its_file():
    fault = "it has 3 cells; there are 4"
    bad = [BadLine(488, fault, "train.csv"), BadLine(490, fault, "train.csv"), BadLine(2, "no text", "part 1/dev.csv"),
           BadLine(7, "a quote is never closed")]  # fmt: skip
    refusal = BadLines(bad, 4)
    assert "train.csv, lines 488, 490: it has 3 cells; there are 4; part 1/dev.csv, line 2: no text" in refusal.message
    assert "; line 7: a quote is never closed" in refusal.message
    assert bad_lines_in(refusal.message) == (tuple(bad), 4)
    assert str(bad[0]) == "train.csv, line 488: it has 3 cells; there are 4"
    assert str(bad[3]) == "line 7: a quote is never closed"


@pytest.mark.parametrize("name", ["train.csv", "a, b.csv", 'line 3: "x"; line 4.csv', "part-00001", "früh/é\\.jsonl"])
def test_a_name_that_reads_like_more_is_told_and_read_back(name):
    bad = BadLine(4, "message 4 is the user's; in words, not", name)
    assert BadLine.from_stored(bad.line, bad.stored) == bad
    assert bad_lines_in(BadLines([bad, BadLine(9, "no text")], 2).message) == ((bad, BadLine(9, "no text")), 2)
    assert str(bad).endswith(", line 4: message 4 is the user's; in words, not")
    assert BadLine.from_stored(4, "in words, not") == BadLine(4, "in words, not")
