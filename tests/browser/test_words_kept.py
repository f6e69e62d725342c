"""Words stay with whoever wrote them: joined and not replaced, thrown away and had back, through every way out."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route
from sqlalchemy import select

from app.db import Database
from app.examples import operations
from app.examples.models import Example, Revision, WorkingCopy
from tests.browser.looking import Complaints, Eyes, expect
from tests.browser.test_nothing_lost import KEPT, Place, cut_off, place, reads
from tests.browser.walk import button
from tests.examples import rows

THREE = "Alpha line.\n\nBeta line.\n\nGamma line."
WILMA = THREE.replace("Alpha line.", "Alpha line, by Wilma.")
RUTH = THREE.replace("Gamma line.", "Gamma line, by Ruth.")
BOTH = WILMA.replace("Gamma line.", "Gamma line, by Ruth.")
JOURNAL = """() => new Promise((done) => {
  const opening = indexedDB.open("handpicked-journal", 1);
  opening.onsuccess = () => {
    const all = opening.result.transaction("words").objectStore("words").getAll();
    all.onsuccess = () => { done(all.result); opening.result.close(); };
  };
})"""

__all__ = ["place"]


def saved(database: Database, place: Place, response: str, *, based_on: int = 1) -> None:
    """Ruth saves a revision, and lets go of the example."""
    with database.writing() as session:
        example = session.get_one(Example, place.example_id)
        example.claimed_by = example.claimed_until = None
        words = rows.pair("What is a bevel?", response)
        operations.save_revision(session, place.other, example, based_on=based_on, messages=words)
        example.claimed_by = example.claimed_until = None


def last(database: Database, place: Place) -> tuple[int, str]:
    """The newest revision: its number and its response."""
    with database.reading() as session:
        newest = select(Revision).where(Revision.example_id == place.example_id).order_by(Revision.number.desc())
        revision = session.scalars(newest.limit(1)).one()
        return revision.number, revision.messages[1]["content"]


def journal(page: Page) -> list[dict[str, Any]]:
    """What this browser keeps, of anybody."""
    found: list[dict[str, Any]] = page.evaluate(JOURNAL)
    return found


def emptied(page: Page) -> None:
    """The journal comes to be empty, once what it had is on the server."""
    for _ in range(100):
        if not (left := journal(page)):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"still in the journal: {left}")


def arrives(page: Page, database: Database, response: str) -> None:
    """The server's copy comes to have this response."""
    for _ in range(100):
        with database.reading() as session:
            messages = session.scalar(select(WorkingCopy.messages))
        if messages and messages[1]["content"] == response:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{messages} and not {response}")


def unsent(browser: BrowserContext, path: str, words: str) -> Page:
    """A desk that somebody writes on while the server does not answer; left open."""
    page = browser.new_page()
    page.goto(path)
    page.wait_for_load_state("networkidle")
    browser.set_offline(True)
    page.locator("#turn-2").fill(words)
    expect(page.locator("#kept")).to_contain_text("Kept in this browser; the server has not")
    return page


def left_unsent(browser: BrowserContext, path: str, words: str) -> None:
    """The same, and the tab is closed before the network is back."""
    cut_off(unsent(browser, path, words)).close()
    browser.set_offline(False)


@pytest.fixture
def writer(place: Place, signed_in: Callable[..., BrowserContext], complaints: Complaints) -> Iterator[BrowserContext]:
    """Wilma's browser, in which no script breaks; that requests fail is meant."""
    yield signed_in(place.writer)
    assert not [words for words in complaints.found if words.startswith("script: ")]


def test_a_merge_is_on_the_desk_also_in_the_text_that_has_the_focus(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    saved(database, place, THREE)
    page = writer.new_page()
    page.goto(place.path)
    saved(database, place, RUTH, based_on=2)
    text = page.locator("#turn-2")
    text.fill(WILMA)
    text.evaluate("(box) => box.setSelectionRange(...Array(2).fill(box.value.indexOf(' by Wilma')))")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#error-words")).to_contain_text("both are joined on the desk")
    reads(page, BOTH)
    expect(text).to_be_focused()
    page.keyboard.type("!")
    reads(page, BOTH.replace(" by Wilma", "! by Wilma"))
    saved(database, place, RUTH.replace("Beta line.", "Beta line, by Ruth."), based_on=3)
    page.keyboard.press("Control+s")
    expect(page.locator("#error-words")).to_contain_text("saved revision 4")
    reads(page, BOTH.replace(" by Wilma", "! by Wilma").replace("Beta line.", "Beta line, by Ruth."))
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 5")
    assert last(database, place)[1] == page.locator("#turn-2").input_value()


def test_words_typed_while_a_merge_is_on_its_way_are_in_it(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    saved(database, place, THREE)
    page = writer.new_page()
    page.goto(place.path)
    saved(database, place, RUTH, based_on=2)
    page.locator("#turn-2").fill(WILMA)
    held: list[Route] = []
    page.route(f"**{place.path}", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    page.locator("#turn-2").press("Control+End")
    with page.expect_request(f"**{place.path}"):
        page.keyboard.press("Control+Enter")
    page.keyboard.type(" Typed meanwhile.")
    held[0].continue_()
    expect(page.locator("#error-words")).to_be_visible()
    reads(page, f"{BOTH} Typed meanwhile.")


def test_comparing_twice_from_the_foot_saves_nothing(database: Database, place: Place, writer: BrowserContext) -> None:
    page = writer.new_page()
    page.goto(place.path)
    page.wait_for_load_state("networkidle")
    saved(database, place, "A cut, by Ruth.")
    page.locator("#turn-2").fill("A cut, by Wilma.")
    compare = button(page.locator("#kept"), "Compare both")
    compare.click()
    expect(page.locator(".whose")).to_have_count(1)
    expect(compare).to_have_count(0)
    assert last(database, place) == (2, "A cut, by Ruth.")


def test_words_of_this_browser_are_joined_with_a_revision_and_with_what_is_on_the_desk(
    database: Database, place: Place, writer: BrowserContext, eyes: Eyes
) -> None:
    saved(database, place, THREE)
    left_unsent(writer, place.path, WILMA)
    saved(database, place, RUTH, based_on=2)
    page = writer.new_page()
    page.goto(place.path)
    expect(page.locator("#offers")).to_contain_text("that were not saved")
    page.locator("#turn-2").fill(RUTH.replace("Beta line.", "Beta line, typed now."))
    button(page.locator("#offers"), "Take them").click()
    whole = BOTH.replace("Beta line.", "Beta line, typed now.")
    reads(page, whole)
    expect(page.locator("#offers")).to_contain_text("are joined on the desk")
    eyes.look(page, "offers-joined")
    page.locator("#turn-2").press("Control+End")
    page.keyboard.type(" More.")
    button(page.locator("#offers"), "Undo").click()
    reads(page, RUTH.replace("Beta line.", "Beta line, typed now.") + " More.")
    eyes.clean()


def test_an_entry_of_two_turns_leaves_the_other_turns_of_a_desk_where_they_are(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    left_unsent(writer, place.path, "A cut, two turns.")
    with database.writing() as session:
        example = session.get_one(Example, place.example_id)
        four = [*rows.pair("What is a bevel for?", "A cut."), *rows.pair("And then?", "Hone it.")]
        operations.save_revision(session, place.other, example, based_on=1, messages=four)
        example.claimed_by = example.claimed_until = None
    page = writer.new_page()
    page.goto(place.path)
    button(page.locator("#offers"), "Take them").click()
    reads(page, "A cut, two turns.")
    expect(page.locator("#turn-1")).to_have_value("What is a bevel for?")
    expect(page.locator("#turn-3")).to_have_value("And then?")
    expect(page.locator("#turn-4")).to_have_value("Hone it.")


def test_throwing_away_takes_only_what_the_note_names_and_can_be_undone(
    database: Database, place: Place, writer: BrowserContext, eyes: Eyes
) -> None:
    left_unsent(writer, place.path, "A cut. Offline words.")
    page = writer.new_page()
    page.goto(place.path)
    expect(page.locator("#offers")).to_contain_text("are back")
    text = page.locator("#turn-2")
    text.press("Control+End")
    page.keyboard.type("\n\nA paragraph more.")
    button(page.locator("#offers"), "Throw away").click()
    reads(page, "A cut.\n\nA paragraph more.")
    eyes.look(page, "offers-thrown-away")
    button(page.locator("#offers"), "Undo").click()
    reads(page, "A cut. Offline words.\n\nA paragraph more.")
    arrives(page, database, "A cut. Offline words.\n\nA paragraph more.")
    page.reload()
    expect(page.locator("#kept-words")).to_contain_text("are on the desk")
    text.press("Control+Home")
    page.keyboard.type("First of all.\n\n")
    button(page.locator("#kept-words"), "Throw away").click()
    reads(page, "First of all.\n\nA cut.")
    button(page.locator("#offers"), "Undo").click()
    reads(page, "First of all.\n\nA cut. Offline words.\n\nA paragraph more.")
    arrives(page, database, "First of all.\n\nA cut. Offline words.\n\nA paragraph more.")
    page.reload()
    button(page.locator("#kept-words"), "Throw away").click()
    reads(page, "A cut.")
    with database.reading() as session:
        assert session.scalar(select(WorkingCopy.example_id)) is None
    button(page.locator("#offers"), "Undo").click()
    reads(page, "First of all.\n\nA cut. Offline words.\n\nA paragraph more.")
    eyes.clean()


def test_offered_words_that_waited_aside_are_not_thrown_away_from_an_old_note(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    page.goto(place.path)
    page.locator("#turn-2").fill("A cut, kept.")
    expect(page.locator("#kept")).to_have_text(KEPT)
    saved(database, place, "A cut, by Ruth.")
    page.reload()
    expect(page.locator("#kept-words")).to_contain_text("were not saved")
    page.locator("#turn-2").fill("A cut, by Ruth and me.")
    expect(page.locator("#kept")).to_have_text(KEPT)
    button(page.locator("#kept-words"), "Throw away").click()
    expect(page.locator("#kept-words")).to_contain_text("wait under New example")
    with database.reading() as session:
        kept = {copy.messages[1]["content"] for copy in session.scalars(select(WorkingCopy))}
    assert kept == {"A cut, kept.", "A cut, by Ruth and me."}


def test_removed_and_joined_turns_come_back_and_code_keeps_its_indentation(
    place: Place, writer: BrowserContext, eyes: Eyes
) -> None:
    page = writer.new_page()
    page.goto(place.path)
    page.locator("#add-turn").click()
    page.locator("#turn-3").fill("And how is it honed?")
    page.locator("#turn-4").fill("\n    code = 1\n")
    page.locator("#remove-turn").click()
    expect(page.locator("#turn-3")).to_have_count(0)
    eyes.look(page, "offers-removed")
    button(page.locator("#offers"), "Undo").click()
    expect(page.locator("#turn-3")).to_have_value("And how is it honed?")
    expect(page.locator("#turn-2")).to_be_focused()
    expect(page.locator("#turn-4")).to_have_value("\n    code = 1\n")
    page.locator("#turn-2").focus()
    page.keyboard.press("Alt+j")
    reads(page, "A cut.\n\n    code = 1\n")
    expect(page.locator("#turn-3")).to_have_count(0)
    button(page.locator("#offers"), "Undo").click()
    expect(page.locator("#turn-4")).to_have_value("\n    code = 1\n")
    reads(page, "A cut.")
    eyes.clean()


def test_removed_turns_come_back_after_a_reload_and_what_was_typed_since_stays(
    database: Database, place: Place, writer: BrowserContext, eyes: Eyes
) -> None:
    page = writer.new_page()
    page.goto(place.path)
    page.wait_for_load_state("networkidle")
    page.locator("#add-turn").click()
    page.locator("#turn-3").fill("And how is it honed?")
    page.locator("#turn-4").fill("On a stone.")
    page.locator("#remove-turn").click()
    expect(page.locator("#turn-3")).to_have_count(0)
    page.locator("#turn-2").fill("A cut, or a slope.")
    arrives(page, database, "A cut, or a slope.")
    page.reload()
    offers = page.locator("#offers")
    expect(offers).to_contain_text("The last prompt and its response are removed")
    eyes.look(page, "offers-removed-before")
    button(offers, "Undo").click()
    expect(page.locator("#turn-4")).to_have_value("On a stone.")
    reads(page, "A cut, or a slope.")
    expect(offers).to_be_empty()

    page.locator("#remove-turn").click()
    expect(offers).to_contain_text("are removed")
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 2")
    emptied(page)
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(offers).to_be_empty()
    eyes.clean()
