"""Words that are typed in the moments between: before the scripts, while an answer is on its way, between two saves."""

import re
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import BrowserContext, Page, Route
from sqlalchemy import select

from app.db import Database
from app.examples import working_copies
from app.examples.models import Example, Revision
from app.examples.working_copies import Desk, Written
from app.projects.models import Project
from tests.browser.looking import Eyes, expect, wait_until
from tests.browser.test_nothing_lost import KEPT, Place, cut_off, place, reads
from tests.browser.test_ways_out import archive
from tests.browser.test_words_kept import arrives, emptied, journal, last, left_unsent, saved, writer
from tests.browser.walk import button
from tests.examples import rows

__all__ = ["place", "writer"]


TYPES_AND_GOES = """(words) => {
  const box = document.getElementById("turn-2");
  box.value = words;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  history.back();
}"""


IS_THERE = """(words) => document.getElementById("turn-2").value === words ||
  document.querySelector("#offers details")"""


class Slow:
    """Requests to an address that wait until they are told to go on, in the order in which they came."""

    def __init__(self, page: Page, address: str, method: str = "POST") -> None:
        self.waiting: list[Route] = []
        self._page, self._method = page, method
        page.route(address, self._hold)

    def _hold(self, route: Route) -> None:
        if route.request.method == self._method:
            self.waiting.append(route)
        else:
            route.fallback()

    def has(self, count: int) -> None:
        """Wait until so many wait here."""
        wait_until(self._page, lambda: len(self.waiting) >= count, f"{count} requests wait")

    def go(self) -> None:
        """Let the first of them through."""
        self.waiting.pop(0).continue_()


def test_words_typed_before_the_scripts_are_there_are_kept(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    slow = Slow(page, "**/js/autosave.mjs*", "GET")
    page.goto(place.path, wait_until="commit")
    slow.has(1)
    page.locator("#turn-2").press_sequentially("Typed at once. ")
    slow.go()
    expect(page.locator("#kept")).to_have_text(KEPT)
    arrives(page, database, page.locator("#turn-2").input_value())


def test_a_second_save_that_waits_for_the_first_says_only_what_it_saved(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    page.goto(place.path)
    slow = Slow(page, f"**{place.path}")
    text = page.locator("#turn-2")
    text.fill("One.")
    page.keyboard.press("Control+s")
    slow.has(1)
    text.press("Control+End")
    page.keyboard.type(" Two.")
    page.keyboard.press("Control+s")
    page.keyboard.type(" Three.")
    slow.go()
    slow.has(1)
    page.keyboard.type(" Four.")
    slow.go()
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 3")
    assert last(database, place) == (3, "One. Two. Three.")
    arrives(page, database, "One. Two. Three. Four.")
    page.reload()
    reads(page, "One. Two. Three. Four.")


def test_of_two_saves_at_once_the_one_that_failed_is_not_said_to_be_saved(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    page.goto(place.path)
    slow = Slow(page, f"**{place.path}")
    text = page.locator("#turn-2")
    text.fill("One.")
    page.keyboard.press("Control+s")
    slow.has(1)
    text.press("Control+End")
    page.keyboard.type(" Two.")
    page.keyboard.press("Control+Enter")
    slow.go()
    slow.has(1)
    slow.waiting.pop().abort()
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 2")
    arrives(page, database, "One. Two.")
    page.reload()
    reads(page, "One. Two.")


@pytest.mark.parametrize("act", ["#add-turn", "#remove-turn"])
def test_words_typed_while_turns_are_drawn_anew_stay(
    database: Database, place: Place, writer: BrowserContext, act: str
) -> None:
    page = writer.new_page()
    page.goto(place.path)
    if act == "#remove-turn":
        page.locator("#add-turn").click()
        page.locator("#turn-4").fill("Goes.")
    page.locator("#turn-1").fill("What is a bevel for?")
    slow = Slow(page, f"**{place.path}")
    text = page.locator("#turn-2")
    text.press("Control+End")
    page.locator(act).click()
    slow.has(1)
    text.focus()
    page.keyboard.type(" Typed meanwhile.")
    page.wait_for_timeout(500)
    slow.go()
    expect(page.locator("#turn-4")).to_have_count(1 if act == "#add-turn" else 0)
    reads(page, "A cut. Typed meanwhile.")
    expect(page.locator("#turn-1")).to_have_value("What is a bevel for?")
    arrives(page, database, "A cut. Typed meanwhile.")


def test_words_of_a_new_example_typed_while_it_is_saved_stay_in_every_box(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    page.goto(place.new)
    slow = Slow(page, place.new.replace("/new", "").join(["**", ""]))
    page.locator("#turn-1").fill("How is it honed?")
    page.locator("#turn-2").fill("On a stone.")
    page.keyboard.press("Control+s")
    slow.has(1)
    page.locator("#turn-2").press("Control+End")
    page.keyboard.type(" Wet.")
    page.locator("#turn-1").press("Control+End")
    page.keyboard.type(" And why?")
    slow.go()
    page.wait_for_url(re.compile("/examples/[0-9]+$"))
    expect(page.locator("#turn-1")).to_have_value("How is it honed? And why?")
    reads(page, "On a stone. Wet.")
    arrives(page, database, "On a stone. Wet.")
    emptied(page)
    with database.reading() as session:
        made = session.scalars(select(Revision).order_by(Revision.id.desc()).limit(1)).one()
        assert made.messages[1]["content"] == "On a stone."


def test_words_that_arrive_late_from_a_page_that_went_are_followed_by_the_page_that_came(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    page.goto(place.path)
    text = page.locator("#turn-2")
    text.fill("One.")
    expect(page.locator("#kept")).to_have_text(KEPT)
    writer.set_offline(True)
    text.press("Control+End")
    page.keyboard.type(" Two.")
    cut_off(page).close()
    writer.set_offline(False)
    page = writer.new_page()
    slow = Slow(page, "**/working-copy")
    page.goto(place.path)
    reads(page, "One. Two.")
    slow.has(1)
    sent = dict(parse_qsl(slow.waiting[0].request.post_data or ""))
    with database.writing() as session:
        example = session.get_one(Example, place.example_id)
        desk = Desk(place.writer, session.get_one(Project, example.project_id), example)
        late = Written(rows.pair("What is a bevel?", "One. Two."), {}, 1)
        working_copies.keep(session, desk, late, follows=int(sent["counter"]), key=sent["after"])
    page.locator("#turn-2").press("Control+End")
    page.keyboard.type(" Three.")
    slow.go()
    slow.has(1)
    slow.go()
    arrives(page, database, "One. Two. Three.")


def test_the_words_of_a_tab_are_offered_in_another_when_it_is_closed(place: Place, writer: BrowserContext) -> None:
    left = writer.new_page()
    left.goto(place.path)
    left.wait_for_load_state("networkidle")
    page = writer.new_page()
    page.goto(place.path)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(3500)
    writer.set_offline(True)
    left.locator("#turn-2").fill("A cut. Of the tab.")
    expect(left.locator("#kept")).to_contain_text("Kept in this browser; the server has not")
    cut_off(left).close()
    writer.set_offline(False)
    expect(page.locator("#offers")).to_contain_text("that were not saved")
    reads(page, "A cut.")
    button(page.locator("#offers"), "Take them").click()
    reads(page, "A cut. Of the tab.")


def test_the_journal_goes_on_when_the_browser_has_cleared_it(place: Place, writer: BrowserContext) -> None:
    page = writer.new_page()
    page.goto(place.path)
    page.locator("#turn-2").fill("One.")
    expect(page.locator("#kept")).to_have_text(KEPT)
    origin = {"origin": page.evaluate("location.origin"), "storageTypes": "indexeddb"}
    writer.new_cdp_session(page).send("Storage.clearDataForOrigin", origin)
    writer.set_offline(True)
    page.locator("#turn-2").fill("One. Two.")
    expect(page.locator("#kept")).to_contain_text("Kept in this browser; the server has not")
    assert ["One. Two." in entry["words"] for entry in journal(page)] == [True]


def test_words_for_an_example_that_is_gone_wait_as_those_of_a_new_one(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    left_unsent(writer, place.path, "Two hours of a train ride.")
    with database.writing() as session:
        session.delete(session.get_one(Example, place.example_id))
    page = writer.new_page()
    page.goto(place.new)
    expect(page.locator("#offers")).to_contain_text("never saved")
    page.locator("#offers").get_by_role("link", name="Write on").click()
    expect(page.locator("#offers")).to_contain_text("are back")
    reads(page, "Two hours of a train ride.")
    expect(page.locator("#kept")).to_have_text(KEPT)
    emptied(page)


def test_words_that_only_the_server_has_are_thrown_away_and_had_back(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    page.goto(place.path)
    page.locator("#turn-2").fill("A cut, kept.")
    expect(page.locator("#kept")).to_have_text(KEPT)
    saved(database, place, "A cut, by Ruth.")
    page.reload()
    button(page.locator("#kept-words"), "Throw away").click()
    expect(page.locator("#kept-words")).to_have_count(0)
    button(page.locator("#said"), "Undo").click()
    expect(page.locator("#said")).to_contain_text("Your words are back")
    page.get_by_role("link", name="Take them").click()
    expect(page.locator(".whose")).to_have_count(1)
    reads(page, "A cut, kept.")


def test_words_that_wait_for_an_archived_project_can_be_read(
    database: Database, place: Place, writer: BrowserContext, eyes: Eyes
) -> None:
    left_unsent(writer, place.path, "A cut. Typed on a train.")
    archive(database, is_archived=True)
    page = writer.new_page()
    page.goto(place.path)
    expect(page.locator("#offers")).to_contain_text("A cut. Typed on a train.")
    expect(page.locator("#turn-2")).to_have_value("A cut.")
    eyes.look(page, "words-wait-archived")
    archive(database, is_archived=False)
    page.reload()
    reads(page, "A cut. Typed on a train.")
    eyes.clean()


def test_the_last_key_before_a_page_goes_is_there(place: Place, writer: BrowserContext) -> None:
    stands = "A cut."
    writer.route("**/working-copy", lambda route: route.abort())
    for letter in "abcdef":
        page = writer.new_page()
        page.goto(place.path)
        page.wait_for_function(IS_THERE, arg=stands)
        if button(page, "Take them").is_visible():  # the page before took its time to go
            button(page, "Take them").click()
        reads(page, stands)
        stands += letter
        page.evaluate(TYPES_AND_GOES, stands)
        page.wait_for_url("about:blank")
        page.close()
