"""A source is called and coloured alike on every page, also in a split for which the target does not name it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.datasets.comparison.comparisons import side_named
from app.datasets.comparison.release_notes import release_notes
from app.datasets.formats import Format
from app.datasets.gates import Filling
from app.datasets.operations import export_version, freeze_version
from app.datasets.sourcenames import labels_of
from app.datasets.verify import verify_folder
from app.db import Database
from app.examples.credit import FORMS
from app.examples.labels import SourceLabels, in_words
from app.projects.models import Split
from app.sources.formats import FORMATS
from app.sources.readers import chats
from tests import factories
from tests.datasets.material import approve, dialogue, reasons_for
from tests.examples.rows import import_run

Browser = Callable[..., TestClient]


@pytest.fixture
def strays(database: Database, people: factories.People) -> factories.People:
    """Group B, which LIMA's target names in test alone, in dev as well; and a source that it does not name at all."""
    with database.writing() as session:
        for split, source in ((Split.TEST, "authors_b"), (Split.DEV, "authors_b"), (Split.TRAIN, "blog_posts")):
            said = dialogue(f"Who wrote of {source} in {split}?")
            approve(session, people.project, people.annotator, people.reviewer, said, split=split, source=source)
        freeze_version(session, people.lead, people.project, name="v1", overrides=reasons_for(session, people.project))
    return people


def badges(page: str) -> set[tuple[str, str]]:
    """Class and words of each source's badge."""
    return set(re.findall(r'<span class="badge source (s\d)">([^<]+)</span>', page))


def test_every_page_of_a_version_calls_and_draws_a_source_alike(browser: Browser, strays: factories.People) -> None:
    client, here = browser(strays.lead), f"/projects/{strays.project.slug}"
    seen: set[tuple[str, str]] = set()
    for path in (
        "/versions/v1", "/versions/v1/rows/1", "/versions/v1/rows/2", "/versions/v1/rows/3", "/version-table",
        "/versions", "/splits", "/comparison?old=v1&new=draft&kind=unchanged", "/examples", "",
    ):  # fmt: skip
        answer = client.get(here + path)
        assert answer.status_code == 200, path
        seen |= badges(answer.text)
    of_b = {tint for tint, words in seen if words in {"Group B", "Paper authors, Group B"}}
    assert of_b == {"s8"}
    assert {tint for tint, words in seen if words == "Blog posts"} == {"s0"}
    assert {words for _, words in seen if "_" in words} == set()


def test_rows_of_a_table_are_called_by_their_file_and_never_by_their_form(
    browser: Browser, database: Database, people: factories.People, tmp_path: Path
) -> None:
    with database.writing() as session:
        run = import_run(session, people.project)
        run.format, run.options = "table", {"file": "march.csv"}
        said, credit = dialogue("When is basil sown?"), {"site": "table", "author": "Ann"}
        made = approve(session, people.project, people.annotator, people.reviewer, said, attribution=credit)
        made.import_run_id = run.id
        version = freeze_version(
            session, people.lead, people.project, name="v1", overrides=reasons_for(session, people.project)
        )
    client, here = browser(people.lead), f"/projects/{people.project.slug}"
    row = client.get(f"{here}/versions/v1/rows/1").text
    assert "The text in march.csv" in row
    assert "on table" not in row
    assert "<dt>From</dt><dd>march.csv</dd>" in client.get(f"{here}/examples/{made.id}").text
    with database.reading() as session:
        export_version(session, version, Format.LIMA, tmp_path / "out")
    entry = (tmp_path / "out" / "ATTRIBUTION.md").read_text("utf-8")
    assert "When is basil sown?, by Ann, [CC BY-SA 3.0]" in entry
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "Texts whose site is not known came in files whose name is not on record (1)." in card
    assert "table (1)" not in card
    assert verify_folder(tmp_path / "out")["ok"]


def test_every_form_of_rows_that_may_stand_for_a_site_is_known() -> None:
    known = set(FORMATS)
    assert known >= FORMS
    assert {form.name for form in chats.FORMATS} <= FORMS


def test_a_manifest_has_a_stray_row_under_the_name_of_its_source(database: Database, strays: factories.People) -> None:
    with database.reading() as session:
        side = side_named(session, strays.project, "v1")
        stray = next(row for row in side.composition if (row["source"], row["split"]) == ("authors_b", "dev"))
        notes = release_notes(session, "Bread", side, side_named(session, strays.project, "draft"))
    assert (stray["title"], stray["short_title"], stray["colour"]) == ("Paper authors, Group B", "Group B", 8)
    assert "| Group B |" in notes
    assert "| Blog posts |" in notes


def test_a_manifest_from_before_is_read_alike() -> None:
    rows = [
        {"source": "b", "split": "dev", "title": "b", "short_title": "b", "colour": 0, "target": 0, "count": 1},
        {"source": "b", "split": "test", "title": "Group B", "short_title": "B", "colour": 8, "target": 9, "count": 1},
    ]
    label = labels_of(rows).of("b")
    assert (label.title, label.short, label.tint) == ("Group B", "B", "s8")


def test_of_two_names_that_of_the_train_row_counts_then_the_first() -> None:
    def row(split: str, title: str, colour: int) -> Filling:
        return Filling("authors", split, title, title, colour, 1, 0)

    both = SourceLabels([row("dev", "Held out", 3), row("train", "Trained on", 2), row("test", "Asked", 4)])
    assert (both.of("authors").title, both.of("authors").tint) == ("Trained on", "s2")
    alone = SourceLabels([row("dev", "Held out", 3), row("test", "Asked", 4)])
    assert alone.of("authors").title == "Held out"
    assert SourceLabels([]).of("authors").tint == "s0"


@pytest.mark.parametrize(
    ("key", "words"), [("blog_posts", "Blog posts"), ("ELI5", "ELI5"), ("a\u202eb", "A[U+202E]b"), ("_", "_")]
)
def test_a_key_in_words(key: str, words: str) -> None:
    assert in_words(key) == words
