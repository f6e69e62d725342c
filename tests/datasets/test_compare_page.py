"""Comparing two versions on the page, in the API, on the command line, and as release notes."""

import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import event, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient
from tokenizers import Tokenizer, models, pre_tokenizers
from typer.testing import CliRunner

from app.cli import build
from app.datasets.comparison.comparisons import chosen_names, side_named
from app.datasets.comparison.pages import Measure
from app.datasets.credits import plain
from app.datasets.operations import freeze_version
from app.db import Database
from app.examples.models import Example, ExampleState, Revision
from app.projects import tokenizers
from app.projects.models import Project, Split
from app.projects.operations import archive_project
from tests import factories
from tests.datasets.material import add_revision, approve, dialogue

Browser = Callable[..., TestClient]
Run = Callable[..., Result]


def url(people: factories.People, query: str = "") -> str:
    return f"/projects/{people.project.slug}/comparison{query}"


def api_url(people: factories.People, query: str = "") -> str:
    return f"/api/v1{url(people, query)}"


def example_asking(session: Session, question: str) -> Example:
    titled = select(Revision.example_id).where(Revision.title == question)
    return session.scalars(select(Example).where(Example.id.in_(titled)).order_by(Example.id)).first()  # type: ignore[return-value]


def say(session: Session, people: factories.People, question: str, answer: str | None, asked: str = "") -> None:
    """Another approved revision, with another answer or another question."""
    example = example_asking(session, question)
    example.revision_number = example.approved_number = 2
    add_revision(session, example, people.colleague, dialogue(asked or question, answer), 2)


@pytest.fixture
def two(database: Database, kitchen: factories.People) -> factories.People:
    """v1 and v2 of the fixed set, between which one of everything happened."""
    with database.writing() as session:
        freeze_version(session, kitchen.lead, kitchen.project, name="v1")
        say(session, kitchen, "How do I keep rice from sticking?", "Slowly, and with <b>oil</b>.")
        say(session, kitchen, "Wie koche ich Spätzle? 🍜", "Mit „viel“ Wasser.\n\n1.  Salzen\n2. Schaben")
        say(session, kitchen, "Write a poem about leeks.", None, "Write a sonnet about leeks.")
        example_asking(session, "Answer in one line.").split = Split.DEV
        example_asking(session, "A twin").licence = "CC0 1.0"
        gone = example_asking(session, "Name three cheeses.")
        gone.state, gone.approved_number = ExampleState.RETURNED, None
        approve(session, kitchen.project, kitchen.annotator, kitchen.reviewer, dialogue("Something new", "New."))
        freeze_version(session, kitchen.lead, kitchen.project, name="v2")
    return kitchen


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, closing: None) -> Run:
    """`run(…)` is `handpicked diff …` in this process."""
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", database_url)
    command = build()
    return lambda *words: CliRunner().invoke(command, ["diff", *map(str, words)])


def hide_tests(database: Database, people: factories.People) -> None:
    with database.writing() as session:
        session.get_one(Project, people.project.id).tests_hidden = True


def test_the_page_begins_with_the_numbers(browser: Browser, two: factories.People) -> None:
    page = browser(two.annotator).get(url(two))
    assert page.status_code == 200
    assert "From v1 to v2" in page.text
    words = "1 added, 1 removed, 3 reworded (1 only in form), 1 moved between splits, 1 changed in licence."
    assert words in page.text
    assert "1 example is the same, letter for letter." in page.text


def test_every_number_opens_so_many_rows(browser: Browser, two: factories.People) -> None:
    client = browser(two.annotator)
    page = client.get(url(two)).text
    links = re.findall(r'<a href="([^"]+#changes)" aria-label="[^"]+: (\d+)"', page)
    assert len(links) >= 8
    for address, count in links:
        listed = client.get(address.replace("&amp;", "&").removesuffix("#changes")).text
        assert listed.count('<li class="change"') == int(count), address


def test_a_change_shows_its_words_its_people_and_its_places(browser: Browser, two: factories.People) -> None:
    page = browser(two.annotator).get(url(two, "?kind=reworded")).text
    assert "<del>butter</del>" in page
    assert "<ins>&lt;b&gt;oil&lt;/b&gt;</ins>" in page
    assert two.colleague.name in page
    assert "Revision 1 to 2" in page
    assert f"/projects/{two.project.slug}/versions/v2/rows/" in page
    form = browser(two.annotator).get(url(two, "?kind=form")).text
    assert "Only form" in form
    assert "white space" in form
    moved = browser(two.annotator).get(url(two, "?kind=moved")).text
    assert "<del>train</del>" in moved
    assert "<ins>dev</ins>" in moved


def test_swapped_it_says_the_opposite(browser: Browser, two: factories.People) -> None:
    page = browser(two.annotator).get(url(two, "?old=v2&new=v1&kind=removed")).text
    assert "From v2 to v1" in page
    assert "Something new" in page
    assert "kind=added" in re.findall(r'href="([^"]+)" data-key="x"', page)[0]


def test_the_draft_is_compared_with_the_last_version(
    browser: Browser, database: Database, two: factories.People
) -> None:
    client = browser(two.annotator)
    assert "Nothing changed." in client.get(url(two, "?old=v2&new=draft")).text
    with database.writing() as session:
        approve(session, two.project, two.annotator, two.reviewer, dialogue("Newer still", "Indeed."))
    page = client.get(url(two, "?new=draft")).text
    assert "From v2 to the next version" in page
    assert "1 added." in page
    assert "Newer still" in page


MEASURE = re.compile(
    r'<tr><th scope="row">([^<]+)</th><td class="num">([^<]*)</td><td class="num">([^<]*)</td>'
    r'<td class="num small quiet">([^<]*)</td></tr>'
)


def test_a_set_is_as_long_before_its_freeze_as_after_it(browser: Browser, two: factories.People) -> None:
    """Characters on average and tokens are counted by one way, and so are their differences."""
    page = browser(two.annotator).get(url(two, "?old=v2&new=draft")).text
    rows = MEASURE.findall(page)
    titles = [title for title, *_ in rows]
    assert titles[-4:] == ["Characters a prompt", "Characters a response", "Tokens, estimated", "Rows cut at 2,048"]
    assert [(before == after, by) for _, before, after, by in rows] == [(True, "")] * len(rows)
    assert "–" not in {value for _, *values in rows for value in values}


def test_sides_are_as_long_to_the_last_digit(database: Database, two: factories.People) -> None:
    with database.reading() as session:
        project = session.get_one(Project, two.project.id)
        draft, frozen = (side_named(session, project, name) for name in ("draft", "v2"))
        assert draft.means == frozen.means
        assert draft.tokens == frozen.tokens


def test_a_difference_is_that_of_the_numbers_that_are_shown() -> None:
    assert Measure("Characters a prompt", 56.24, 56.35, 1).difference == "+0.2"  # 56.2 and 56.4
    assert Measure("Characters a prompt", 56.21, 56.24, 1).difference == ""


def test_tokens_that_were_counted_in_two_ways_are_told_apart(
    browser: Browser, database: Database, two: factories.People
) -> None:
    words = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    with database.writing() as session:
        key = tokenizers.Checked("0" * 64, zlib.compress(words.to_str().encode()))
        project = session.get_one(Project, two.project.id)
        tokenizers.set_tokenizer(session, two.lead, project, "by words", key)
    page = browser(two.annotator).get(url(two, "?old=v2&new=draft")).text
    assert "Tokens," not in [title for title, *_ in MEASURE.findall(page)]
    assert (
        "Tokens are not compared: they were counted in two ways, v2 by an estimate up to 2,048 and the next version by "
        "the tokenizer of by words up to 2,048."
    ) in page


def test_one_version_is_compared_with_what_comes_next(
    browser: Browser, database: Database, kitchen: factories.People
) -> None:
    client = browser(kitchen.lead)
    nothing = client.get(url(kitchen))
    assert nothing.status_code == 404
    assert "Freeze one first." in nothing.text
    with database.writing() as session:
        freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    page = client.get(url(kitchen)).text
    assert "From v1 to the next version" in page
    assert "Both hold the same examples, letter for letter." in page


@pytest.mark.parametrize(
    ("names", "old", "new", "chosen"),
    [
        (["v1"], None, None, ("v1", "draft")),
        (["v3", "v2", "v1"], None, None, ("v2", "v3")),
        (["v3", "v2", "v1"], "v1", None, ("v1", "v3")),
        (["v3", "v2", "v1"], "v3", None, ("v3", "draft")),
        (["v3", "v2", "v1"], None, "v2", ("v1", "v2")),
        (["v3", "v2", "v1"], None, "draft", ("v3", "draft")),
        (["v3", "v2", "v1"], "draft", None, ("draft", "v3")),
        (["v3", "v2", "v1"], "v3", "v1", ("v3", "v1")),
        (["draft", "v1"], None, "draft", ("v1", "draft")),
    ],
)
def test_what_is_not_named_is_chosen(names: list[str], old: str, new: str, chosen: tuple[str, str]) -> None:
    assert chosen_names(names, old, new) == chosen


@pytest.mark.parametrize("query", ["?old=v9", "?new=v9", "?old=draft&new=v9"])
def test_an_unknown_version_is_named(browser: Browser, two: factories.People, query: str) -> None:
    page = browser(two.lead).get(url(two, query))
    assert page.status_code == 404
    assert "There is no version v9" in page.text


def test_strangers_find_nothing(browser: Browser, database: Database, two: factories.People) -> None:
    for path in (url(two), url(two).replace("/comparison", "/comparison/notes.md")):
        assert browser(two.stranger).get(path).status_code == 404
        assert browser().get(path).status_code in {303, 401}
    with database.writing() as session:
        other = factories.project(session, two.stranger)
    assert browser(two.stranger).get(f"/projects/{other.slug}/comparison?old=v1&new=v2").status_code == 404


def test_an_archived_project_is_compared_as_well(browser: Browser, database: Database, two: factories.People) -> None:
    with database.writing() as session:
        archive_project(session, two.lead, session.get_one(Project, two.project.id))
    assert browser(two.annotator).get(url(two)).status_code == 200


def test_hidden_test_prompts_are_counted_and_not_shown(
    browser: Browser, api: Browser, database: Database, two: factories.People, run: Run
) -> None:
    hide_tests(database, two)
    notes = url(two).replace("/comparison", "/comparison/notes.md")
    # The colleague wrote none of the test prompts of v1; a lead reads all.
    for path in (url(two), url(two, "?kind=reworded"), url(two, "?kind=unchanged"), notes):
        assert "leeks" not in browser(two.reviewer).get(path).text
    page = browser(two.reviewer).get(url(two, "?kind=reworded")).text
    assert "3 reworded" in page
    assert "1 change of test prompts is kept out of sight" in page
    assert "sonnet" in browser(two.lead).get(url(two, "?kind=reworded")).text
    answer = api(two.reviewer).get(api_url(two, "?kind=reworded")).json()
    assert (answer["total"], answer["kept_out"], len(answer["items"])) == (2, 1, 2)
    assert "leeks" not in json.dumps(answer)
    references = (f"{two.project.slug}@v1", f"{two.project.slug}@v2")
    said = run(*references, "--json", "--as", two.reviewer.email).stdout
    assert "leeks" not in said
    assert json.loads(said)["kept_out"] == 1


def test_what_was_moved_out_of_the_tests_is_kept_as_well(
    browser: Browser, database: Database, two: factories.People
) -> None:
    hide_tests(database, two)
    with database.writing() as session:
        example_asking(session, "Write a poem about leeks.").split = Split.DEV
        # And what has become a test since it was frozen among the others.
        example_asking(session, "How do I keep rice from sticking?").split = Split.TEST
        freeze_version(session, two.lead, two.project, name="v3")
    page = browser(two.reviewer).get(url(two)).text
    assert "2 moved between splits" in page
    assert "leeks" not in page
    assert "rice" not in page
    assert "rice" not in browser(two.reviewer).get(url(two, "?old=v1&new=v2")).text


def test_a_comparison_survives_the_example_and_its_people(
    browser: Browser, database: Database, two: factories.People
) -> None:
    with database.writing() as session:
        session.delete(example_asking(session, "How do I keep rice from sticking?"))
    page = browser(two.lead).get(url(two, "?kind=reworded")).text
    assert "How do I keep rice from sticking?" in page
    assert "which is gone" in page


def test_release_notes_are_for_strangers_and_escaped(browser: Browser, two: factories.People) -> None:
    answer = browser(two.annotator).get(url(two).replace("/comparison", "/comparison/notes.md?old=v1&new=v2"))
    assert answer.headers["content-disposition"] == f'attachment; filename="{two.project.slug}-v1-to-v2.md"'
    notes = answer.text
    assert notes.startswith(f"# {plain(two.project.name)}: from v1 to v2\n")
    assert "**1 added, 1 removed, 3 reworded (1 only in form), 1 moved between splits" in notes
    assert "with <del>butter</del><ins>&lt;b&gt;oil&lt;/b&gt;</ins>." in notes
    assert "## Moved between splits (1)" in notes
    assert "Split: train → dev" in notes
    assert "Differs only in white space." in notes
    assert "Licence: not stated → CC0 1.0" in notes
    assert "<b>" not in notes
    # Each change stands once.
    heading = r"^## .*\((\d+)(?:, of these \d+ only in form)?(?:, (\d+) of them listed above)?\)$"
    sections = re.findall(heading, notes, re.MULTILINE)
    assert (
        sum(int(all_of_it) - int(above or 0) for all_of_it, above in sections)
        == len(re.findall(r"^- \*\*", notes, re.MULTILINE))
        == 7
    )


def test_the_api_says_what_differs(api: Browser, two: factories.People) -> None:
    answer = api(two.annotator).get(api_url(two, "?old=v1&new=v2")).json()
    counts = {name: answer[name] for name in ("added", "removed", "reworded", "moved", "unchanged", "form", "licence")}
    assert counts == {
        "added": 1, "removed": 1, "reworded": 3, "moved": 1, "unchanged": 1, "form": 1, "licence": 1,
    }  # fmt: skip
    assert sum(answer["old"]["examples"].values()) == answer["unchanged"] + 6
    by_title = {item["title"]: item for item in answer["items"]}
    assert by_title["A twin"]["licence"] == [None, "CC0 1.0"]
    (turn,) = by_title["How do I keep rice from sticking?"]["turns"]
    joined = {
        side: "".join(part["text"] for part in turn["segments"] if part["kind"] != other)
        for side, other in (("old", "insert"), ("new", "delete"))
    }
    assert joined == {"old": "Slowly, and with butter.", "new": "Slowly, and with <b>oil</b>."}
    assert by_title["Something new"]["messages"] == dialogue("Something new", "New.")
    assert by_title["Wie koche ich Spätzle? 🍜"]["ways"] == ["white space"]
    assert api(two.stranger).get(api_url(two)).status_code == 404
    assert api(two.annotator).get(api_url(two, "?kind=painted")).status_code == 422


def test_the_command_prints_words_json_and_notes(run: Run, two: factories.People, tmp_path: Path) -> None:
    old, new = f"{two.project.slug}@v1", f"{two.project.slug}@v2"
    found = json.loads(run(old, new, "--json").stdout)
    assert list(found)[2:7] == ["added", "removed", "reworded", "moved", "unchanged"]
    assert len(found["items"]) == 7
    words = run(old, new).stdout
    assert words.startswith("1 added, 1 removed, 3 reworded")
    assert "How do I keep rice from sticking?" in words
    out = tmp_path / "notes.md"
    assert run(old, new, "--markdown", "--out", out).stdout == ""
    assert out.read_text("utf-8").startswith(f"# {plain(two.project.name)}: from v1 to v2")
    assert "is there already; nothing was written" in str(run(old, new, "--markdown", "--out", out).exception)
    assert run(old, new, "--markdown", "--json").exit_code == 2
    assert "There is no version v9" in str(run(old, f"{two.project.slug}@v9").exception)
    assert "There is no version nonsense" in str(run(old, "nonsense").exception)
    assert "There is no project" in str(run(old, new, "--as", two.stranger.email).exception)


def test_versions_of_two_projects_are_compared_by_what_they_say(
    run: Run, database: Database, two: factories.People
) -> None:
    with database.writing() as session:
        other = factories.project(session, two.lead)
        # Numbers of examples say nothing here: the same words stand under others.
        for question in ("How do I keep rice from sticking?", "Something else"):
            approve(session, other, two.annotator, two.reviewer, dialogue(question), source="stackexchange_other")
        freeze_version(session, two.lead, other, name="v1")
    found = json.loads(run(f"{two.project.slug}@v1", f"{other.slug}@v1", "--json").stdout)
    assert (found["added"], found["removed"], found["unchanged"]) == (1, 6, 1)


def test_two_and_twenty_changes_cost_the_same_queries(
    browser: Browser, database: Database, people: factories.People
) -> None:
    client = browser(people.lead)

    def grow(rows: int, name: str) -> None:
        with database.writing() as session:
            for at in range(rows):
                approve(session, people.project, people.annotator, people.reviewer, dialogue(f"{name} {at}"))
            freeze_version(session, people.lead, people.project, name=name)

    def queries(query: str) -> list[str]:
        seen: list[str] = []
        event.listen(database.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        assert client.get(url(people, query)).status_code == 200
        return seen

    grow(2, "a")
    grow(2, "b")
    grow(20, "c")
    assert len(queries("?old=a&new=b")) == len(queries("?old=b&new=c"))
    # Two frozen versions never compare otherwise: the second time no row is read but those that are shown.
    again = [one for one in queries("?old=b&new=c") if "version_row" in one]
    assert len(again) == 1
    assert "IN (" in again[0]


def test_without_a_version_the_page_says_what_comes_first(browser: Browser, people: factories.People) -> None:
    page = browser(people.annotator).get(url(people))
    assert page.status_code == 404
    assert "Nothing to compare yet" in page.text
    assert f'href="/projects/{people.project.slug}/versions"' in page.text


def test_versions_of_two_projects_are_named_with_them(database: Database, two: factories.People, run: Run) -> None:
    with database.writing() as session:
        other = factories.project(session, two.lead, slug="pantry")
        approve(session, other, two.annotator, two.reviewer, dialogue("How do I keep rice from sticking?"))
        freeze_version(session, two.lead, other, name="v1")
        name = session.get_one(Project, two.project.id).name
    first, second = f"{two.project.slug}@v1", "pantry@v1"
    notes = run(first, second, "--markdown").output
    assert notes.startswith(f"# From v1 of {plain(name)} to v1 of Pantry\n")
    assert f"\n|  | v1 of {plain(name)} | v1 of Pantry |\n" in notes
    assert run(first, second).output.startswith(f"From v1 of {name} to v1 of Pantry:\n")
    assert not run(first, f"{two.project.slug}@v2").output.startswith("From ")
