"""Two tabs at one desk: whatever becomes of the last save of a page that is closed, nothing of either is lost."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from app.db import Database
from tests.browser.looking import Eyes, expect
from tests.browser.test_nothing_lost import KEPT, Place, cut_off, place, reads
from tests.browser.test_words_kept import JOURNAL, arrives, emptied, journal, writer
from tests.browser.walk import button

__all__ = ["place", "writer"]

TABS = ("A cut. The first tab.", "A cut. The second tab.")


@pytest.fixture
def tabs(place: Place, writer: BrowserContext) -> list[Page]:
    """Two pages that are open at one desk."""
    pages = [writer.new_page() for _ in TABS]
    for page in pages:
        page.goto(place.path)
        page.wait_for_load_state("networkidle")
    return pages


def written(page: Page, words: str) -> None:
    """Somebody writes, and this browser alone has it."""
    page.locator("#turn-2").fill(words)
    expect(page.locator("#kept")).to_contain_text("Kept in this browser; the server has not")


def both_are_taken(browser: BrowserContext, path: str, eyes: Eyes | None = None) -> None:
    """The words of both tabs are told on a page that comes, and come to be on its desk: nothing is lost."""
    page = browser.new_page()
    page.goto(path)
    expect(page.locator("#kept-words, #offers > .note")).to_have_count(2)
    expect(page.locator("#offers > .note > bdi")).to_have_text(re.compile("^“A cut. The (first|second) tab.”$"))
    if eyes:
        eyes.look(page, "offers-of-a-tab")
        eyes.clean()
    button(page.locator("#offers"), "Take them").click()
    expect(page.locator("#offers")).to_contain_text("In one place both had changed the same words")
    said = page.locator("#turn-2").input_value()
    assert [said.count(words.removeprefix("A cut. ")) for words in TABS] == [1, 1], said


def test_two_tabs_left_unsent_are_both_on_the_desk(place: Place, writer: BrowserContext, tabs: list[Page]) -> None:
    for page, words in zip(tabs, TABS, strict=True):
        written(cut_off(page), words)
    for page in tabs:
        page.close()
    both_are_taken(writer, place.path)


def test_of_two_tabs_the_server_has_one_and_the_other_is_offered(
    database: Database, place: Place, writer: BrowserContext, tabs: list[Page], eyes: Eyes
) -> None:
    written(cut_off(tabs[1]), TABS[1])
    tabs[0].locator("#turn-2").fill(TABS[0])
    arrives(tabs[0], database, TABS[0])
    for page in tabs:
        page.close()
    both_are_taken(writer, place.path, eyes)


def test_two_tabs_that_are_closed_without_a_network_lose_nothing(
    place: Place, writer: BrowserContext, tabs: list[Page]
) -> None:
    """Whether or not a page that is being closed still reaches the server."""
    writer.set_offline(True)
    for page, words in zip(tabs, TABS, strict=True):
        written(page, words)
    for page in tabs:
        page.close()
    writer.set_offline(False)
    both_are_taken(writer, place.path)


def test_what_cannot_be_put_on_the_desk_is_offered_and_so_is_what_comes_after_it(
    place: Place, writer: BrowserContext, tabs: list[Page]
) -> None:
    """The later tab has two turns more, whose places the server has to draw, and it does not answer."""
    tabs[1].route("**/working-copy", lambda route: route.abort())
    tabs[1].locator("#add-turn").click()
    tabs[1].locator("#turn-3").fill("And how is it honed?")
    for page, words in zip(tabs, TABS, strict=True):
        written(cut_off(page), words)
    for page in tabs:
        page.close()
    page = writer.new_page()
    page.route("**/examples/preview", lambda route: route.abort())
    page.goto(place.path)
    expect(page.locator("#offers > .note")).to_have_count(2)
    expect(page.locator("#offers > .warn")).to_have_count(1)
    reads(page, TABS[0])


def test_the_entry_of_a_page_that_goes_names_the_save_that_is_under_way(place: Place, writer: BrowserContext) -> None:
    """Whoever goes on from the entry follows that save, however late it arrives."""
    page = writer.new_page()
    page.goto(place.path)
    page.wait_for_load_state("networkidle")
    held: list[Route] = []
    page.route("**/working-copy", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    with page.expect_request("**/working-copy"):
        page.locator("#turn-2").fill("A cut, under way.")
    [before] = journal(page)
    assert before["copyKey"] == ""
    page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    key = page.locator("[name='copy_key']").input_value()
    page.wait_for_function(f"async (key) => (await ({JOURNAL})())[0].copyKey === key", arg=key)
    assert key
    held[0].continue_()
    expect(page.locator("#kept")).to_have_text(KEPT)
    emptied(page)
