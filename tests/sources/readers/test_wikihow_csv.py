import csv
import re

import pytest

from app.sources.formats import open_source, recognise
from app.sources.readers.base import ReadOptions
from app.sources.readers.wikihow_csv import steps_of, title_of
from app.sources.records import BadLines

ALL = ("headline", "title", "text")
SEP = ("overview", "headline", "text", "sectionLabel", "title")
HEADLINE = "\nFill a pot.,\nHeat it, slowly."
TEXT = (
    " Use cold water, about 1 litre., Wait until it boils:\n\n\nSmall pots are fast .\n"
    "See http://example.org/pots for more.;\n"
)
OVERVIEW = " This article shows a  good  way."


@pytest.fixture
def table(tmp_path):
    def write(columns, *rows, **options):
        path = tmp_path / "wikihow.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([columns, *rows])
        return open_source(path, options=ReadOptions(**options))

    return write


def step(title, number, label="Steps", overview=OVERVIEW):
    return (overview, f"\nLead {number}.", f" Text {number}.;\n", label, title)


def test_an_article_of_one_row_has_its_steps_told_apart(table):
    reader = table(ALL, (HEADLINE, "How to Boil Water1", TEXT))
    (record,) = reader.records()
    assert (reader.format, record.title, record.prompt) == ("wikihow_csv", "How to Boil Water", "How to Boil Water?")
    assert record.responses[0].content == (
        "## Steps\n\n1. **Fill a pot.** Use cold water, about 1 litre.\n2. **Heat it, slowly.** Wait until it boils:\n"
        "   - Small pots are fast.\n   - See example.org for more."
    )
    assert (record.site, record.source, record.author, record.licence) == (
        "wikihow.com", "wikihow", "wikiHow", "CC BY-NC-SA 3.0")  # fmt: skip
    assert (record.url, record.extra) == ("https://www.wikihow.com/Boil-Water", {"steps": 2})


def test_where_steps_cannot_be_told_apart_no_word_is_lost(table):
    (record,) = table(ALL, (HEADLINE, "How to Boil Water1", "One text.\n\nFor both.")).records()
    assert record.responses[0].content == (
        "## Steps\n\n1. **Fill a pot.**\n2. **Heat it, slowly.**\n\nOne text.\n\nFor both."
    )
    assert record.extra == {"steps": 2, "steps_apart": True}
    assert steps_of("One.", "one., two.")[1] is False


def test_methods_of_one_article_are_one_thread_and_two_records(table):
    first, second = table(ALL, (HEADLINE, "How to Boil Water1", TEXT), (HEADLINE, "How to Boil Water2", TEXT)).records()
    assert (first.external_id, second.external_id) == ("Boil-Water1", "Boil-Water2")
    assert first.thread_id == second.thread_id == "Boil-Water"


def test_rows_of_one_title_are_one_record_with_a_heading_a_section(table):
    rows = (step("How to A", 1), step("How to A", 2), step("How to A", 3, "Ending"), step("How to B", 4, overview=""))
    reader = table(SEP, *rows)
    first, second = reader.records()
    assert reader.format == "wikihow_csv"
    assert first.responses[0].content == (
        "The following answer shows a good way.\n\n## Steps\n\n1. **Lead 1.** Text 1.\n2. **Lead 2.** Text 2.\n\n"
        "## Ending\n\n1. **Lead 3.** Text 3."
    )
    assert (first.extra["steps"], first.line, second.line) == (3, 2, 11)
    assert second.responses[0].content == "## Steps\n\n1. **Lead 4.** Text 4."


def test_a_site_of_ones_own_is_that_of_every_layout(table):
    for reader in (table(ALL, (HEADLINE, "How to A1", TEXT), site="x"), table(SEP, step("How to A", 1), site="x")):
        assert [record.site for record in reader.records()] == ["x"]


def test_articles_are_read_again_from_their_first_rows(table):
    reader = table(SEP, step("How to A", 1), step("How to A", 2), step("How to B", 3))
    records = list(reader.records())
    again = [reader.record_at(record.place) for record in records]
    assert [record.messages for record in again] == [record.messages for record in records]
    whole = table(ALL, (HEADLINE, "How to Boil Water1", TEXT))
    assert [whole.record_at(record.place) for record in whole.records()] == list(whole.records())


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ((step("How to A", 1), ("", "", "x", "Steps", "How to A")), "line 5: headline is empty"),
        ((step("How to A", 1), step("How to B", 2), step("How to A", 3)), "article of line 2 stands here again"),
        ((step("How to A", 1), ("a", "b")), "line 5: "),
    ],
)
def test_a38_a_bad_step_is_named_with_its_line(table, rows, reason):
    with pytest.raises(BadLines, match=reason):
        list(table(SEP, *rows).records())
    assert table(SEP, *rows, skip_bad=True).records() is not None


@pytest.mark.parametrize("row", [("", "How to A1", TEXT), (HEADLINE, "", TEXT), (HEADLINE, "How to A1", " ")])
def test_a38_an_article_lacking_a_cell_is_refused_or_left_out(table, row):
    with pytest.raises(BadLines, match="is empty"):
        list(table(ALL, (HEADLINE, "How to Bake1", TEXT), row).records())
    reader = table(ALL, (HEADLINE, "How to Bake1", TEXT), row, skip_bad=True)
    assert [record.title for record in reader.records()] == ["How to Bake"]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("How to Be an Organized Artist1", "How to Be an Organized Artist"),
        ("How to Cook (for One)2", "How to Cook (for One)"),
        ("How to Use Windows 10", "How to Use Windows 10"),
        ("How to Convert to MP3", "How to Convert to MP3"),
        ("How to Sell Fine Art Online", "How to Sell Fine Art Online"),
    ],
)
def test_the_number_behind_a_title_goes_and_names_stay(title, expected):
    assert title_of(title) == expected


def test_both_layouts_in_a_folder_are_read_whole_also_when_the_format_is_named(tmp_path):
    """As an import reads them: `recognise` names the format first."""
    layouts = {
        "wikihowAll.csv": (ALL, (HEADLINE, "How to Boil Water1", TEXT), (HEADLINE, "How to Boil Water2", TEXT)),
        "wikihowSep.csv": (SEP, step("How to Cool Water", 1), step("How to Cool Water", 2)),
    }
    for name, rows in layouts.items():
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    for format in ("auto", "wikihow_csv"):
        reader = open_source(tmp_path, format)
        records = list(reader.records())
        assert [one.title for one in records] == ["How to Boil Water"] * 2 + ["How to Cool Water"]
        assert "shows a good way" in records[2].responses[0].content
        assert [reader.record_at(one.place).messages for one in records] == [one.messages for one in records]


def test_shared_layouts_have_one_article_each(shared_data):
    folder = shared_data / "wikihow_csv_sample"
    reader = open_source(folder)
    whole, by_step = reader.records()
    assert (reader.format, [one.path for one in reader.left_out]) == ("wikihow_csv", ["SOURCE.md"])
    assert recognise(folder / "wikihowSep.csv") == "wikihow_csv"
    assert (whole.title, by_step.title) == ("How to Be an Organized Artist", "How to Sell Fine Art Online")
    assert (whole.extra["steps"], by_step.extra["steps"]) == (8, 1)
    answer = whole.responses[0].content
    assert len(re.findall(r"^\d\. \*\*[^*]+\.\*\* [A-Z]", answer, flags=re.MULTILINE)) == 8
    assert by_step.responses[0].content.count("\n## Steps\n") == 1
