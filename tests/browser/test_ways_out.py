"""Every way out of a desk keeps its words: signing out, Back and Forward, Next, and a refusal that passes."""

import json

from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select, update

from app.db import Database, now
from app.examples.models import WorkingCopy
from app.projects.models import Project
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect
from tests.browser.test_nothing_lost import KEPT, Place, place, reads
from tests.browser.test_words_kept import emptied, journal, left_unsent, writer
from tests.browser.walk import button

__all__ = ["place", "writer"]


def responses(page: Page) -> list[str]:
    """The responses in the journal."""
    return sorted(dict(json.loads(entry["words"]))["turn_2"] for entry in journal(page))


def test_signing_out_names_words_that_no_server_has_and_keeps_them_for_their_writer_alone(
    database: Database, place: Place, writer: BrowserContext, complaints: Complaints, eyes: Eyes
) -> None:
    left_unsent(writer, place.path, "A cut. Nobody has these.")
    page = writer.new_page()
    page.goto(place.path.rsplit("/", 1)[0])
    button(page, "Sign out").first.click()
    expect(page.locator("#unsent")).to_contain_text("What is a bevel?")
    eyes.look(page, "sign-out-unsent")
    button(page.locator("#unsent"), "keep them").click()
    page.wait_for_url("**/sign-in**")
    assert responses(page) == ["A cut. Nobody has these."]
    for person, stands, left in ((place.other, "A cut.", 1), (place.writer, "A cut. Nobody has these.", 0)):
        token = factories.signed_in(database, person)
        writer.add_cookies([{"name": "handpicked_session", "value": token, "url": complaints.address}])
        page.goto(place.path)
        reads(page, stands)
        page.wait_for_load_state("networkidle")
        if not left:
            expect(page.locator("#kept")).to_have_text(KEPT)
            emptied(page)
        assert len(journal(page)) == left
    eyes.clean()


def test_signing_out_in_another_tab_waits_for_words_and_says_where_they_are_not_kept(
    database: Database, place: Place, writer: BrowserContext, complaints: Complaints
) -> None:
    page, other = writer.new_page(), writer.new_page()
    page.goto(place.path)
    other.goto(place.path.rsplit("/", 1)[0])
    page.bring_to_front()
    page.locator("#turn-2").fill("A cut. Typed a moment ago.")
    page.wait_for_timeout(300)
    button(other, "Sign out").first.click()
    other.wait_for_url("**/sign-in**")
    with database.reading() as session:
        assert session.scalar(select(WorkingCopy.messages))[1]["content"] == "A cut. Typed a moment ago."
    token = factories.signed_in(database, place.writer)
    writer.add_cookies([{"name": "handpicked_session", "value": token, "url": complaints.address}])
    other.goto(place.path.rsplit("/", 1)[0])
    page.route("**/working-copy", lambda route: route.fulfill(status=503))
    page.locator("#turn-2").fill("A cut. Not on the server.")
    expect(page.locator("#kept")).to_contain_text("Kept in this browser; the server has not")
    button(other, "Sign out").first.click()
    button(other.locator("#unsent"), "throw away").click()
    other.wait_for_url("**/sign-in**")
    expect(page.locator("#kept")).to_contain_text("Not kept yet")
    expect(page.locator("#desk-form")).to_have_attribute("data-kept", "no")
    assert not journal(page)


def test_back_and_forward_lose_no_word_and_a_second_tab_takes_none(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    page.goto(place.new)
    page.locator("#turn-1").fill("How is a plane iron sharpened?")
    page.locator("#turn-2").fill("Flat first.")
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 1")
    writer.route("**/working-copy", lambda route: route.fulfill(status=503))
    page.locator("#turn-2").fill("Flat first. And then five hundred words.")
    expect(page.locator("#kept")).to_contain_text("Kept in this browser")
    second = writer.new_page()
    second.goto(page.url)
    second.wait_for_load_state("networkidle")
    reads(second, "Flat first.")
    second.close()
    page.evaluate("() => { window.before = true; }")
    page.go_back()
    page.wait_for_url("**/new*")
    page.wait_for_function("() => !window.before && document.readyState === 'complete'")
    expect(page.locator("#turn-2")).to_have_value("")
    assert "Flat first. And then five hundred words." in responses(page)
    page.go_forward()
    reads(page, "Flat first. And then five hundred words.")
    writer.unroute("**/working-copy")
    expect(page.locator("#kept")).to_have_text(KEPT)


def test_next_sends_what_was_typed_first(database: Database, place: Place, writer: BrowserContext) -> None:
    page = writer.new_page()
    page.goto(place.path)
    page.locator("#turn-2").fill("A cut, and on to the next.")
    page.keyboard.press("Control+]")
    page.wait_for_url(lambda url: place.path not in url or "?" in url)
    with database.reading() as session:
        assert session.scalar(select(WorkingCopy.messages))[1]["content"] == "A cut, and on to the next."


def test_after_a_refusal_other_words_are_tried_again(database: Database, place: Place, writer: BrowserContext) -> None:
    page = writer.new_page()
    page.goto(place.path)
    page.wait_for_load_state("networkidle")
    archive(database, is_archived=True)
    page.locator("#turn-2").fill("A cut, while it is archived.")
    expect(page.locator("#kept")).to_contain_text("not on the server")
    archive(database, is_archived=False)
    page.locator("#turn-2").press("End")
    page.keyboard.type(" And after.")
    expect(page.locator("#kept")).to_have_text(KEPT)


def archive(database: Database, *, is_archived: bool) -> None:
    with database.writing() as session:
        session.execute(update(Project).values(archived_at=now() if is_archived else None))
