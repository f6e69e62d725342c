"""Saving in a browser: what stands on the desk is what is saved, whatever was answered, under its writer's name."""

from playwright.sync_api import BrowserContext, Route
from sqlalchemy import select, update

from app.db import Database
from app.examples import claims, working_copies
from app.examples.models import Example, Revision, WorkingCopy
from app.examples.working_copies import Desk, Written
from app.projects.models import Project
from tests import factories
from tests.browser.looking import Eyes, expect, wait_until
from tests.browser.test_nothing_lost import KEPT, Place, place, reads
from tests.browser.test_words_kept import emptied, journal, last, saved, writer
from tests.browser.walk import button
from tests.examples import rows

__all__ = ["place", "writer"]


def copies(database: Database) -> list[WorkingCopy]:
    """Everybody's working copies."""
    with database.reading() as session:
        return list(session.scalars(select(WorkingCopy).order_by(WorkingCopy.id)))


def test_words_after_a_save_whose_answer_was_lost_are_kept_and_saved(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    page.goto(place.path)
    lost: list[Route] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route)
            route.fetch(max_redirects=0)
            return route.abort()
        return route.continue_()

    page.route(f"**{place.path}", lose)
    text = page.locator("#turn-2")
    text.fill("First words.")
    expect(page.locator("#kept")).to_have_text(KEPT)
    page.keyboard.press("Control+s")
    expect(page.locator("#said")).not_to_be_empty()
    text.press("Control+End")
    page.keyboard.type(" And five hundred more.")
    expect(page.locator("#kept")).to_have_text(KEPT)
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 3")
    assert last(database, place) == (3, "First words. And five hundred more.")
    emptied(page)
    assert copies(database) == []
    page.reload()
    reads(page, "First words. And five hundred more.")


def test_a_save_knows_the_copy_that_is_still_on_its_way(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    page.goto(place.path)
    page.wait_for_load_state("networkidle")
    unheard: list[Route] = []

    def lose(route: Route) -> None:
        route.fetch()
        unheard.append(route)

    page.route("**/working-copy", lose)
    text = page.locator("#turn-2")
    with page.expect_request("**/working-copy"):
        text.fill("Half a")
    wait_until(page, lambda: copies(database), "a copy is kept")
    text.press("Control+End")
    page.keyboard.type(" sentence.")
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 2")
    assert copies(database) == []


def test_words_of_an_open_page_are_not_kept_under_the_name_of_who_signs_in_meanwhile(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    page.goto(place.new)
    page.wait_for_load_state("networkidle")
    address = page.evaluate("location.origin")
    mine = writer.cookies(address)
    theirs = {"name": "handpicked_session", "value": factories.signed_in(database, place.other), "url": address}
    writer.add_cookies([theirs])  # type: ignore[list-item]
    page.locator("#turn-1").fill("A secret of Wilma?")
    expect(page.locator("#kept")).to_contain_text("Somebody else wrote this")
    page.keyboard.press("Control+s")
    expect(page.locator("#said")).to_contain_text("Somebody else wrote this")
    expect(page.locator("#turn-1")).to_have_value("A secret of Wilma?")
    assert copies(database) == []
    assert [entry["person"] for entry in journal(page)] == [str(place.writer.id)]
    with database.reading() as session:
        assert [one.id for one in session.scalars(select(Example))] == [place.example_id]
    writer.add_cookies(mine)  # type: ignore[arg-type]
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("#kept")).to_have_text(KEPT)
    assert [copy.user_id for copy in copies(database)] == [place.writer.id]


def test_why_this_change_is_there_after_a_reload_and_goes_with_its_revision(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    page.goto(place.path)
    page.locator("#turn-2").fill("A cut at an angle.")
    page.get_by_text("What it is for", exact=True).click()
    page.get_by_label("Why this change").fill("Says at what angle")
    expect(page.locator("#kept")).to_have_text(KEPT)
    page.reload()
    expect(page.get_by_label("Why this change")).to_have_value("Says at what angle")
    page.locator("#turn-2").press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 2")
    expect(page.get_by_label("Why this change")).to_have_value("")
    expect(page.locator("#kept")).to_be_empty()
    page.wait_for_timeout(1500)
    emptied(page)
    assert copies(database) == []
    with database.reading() as session:
        assert session.scalar(select(Revision.note).where(Revision.number == 2)) == "Says at what angle"


def test_an_unresolved_conflict_is_asked_again_after_a_reload(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    page.goto(place.path)
    page.wait_for_load_state("networkidle")
    saved(database, place, "A cut, by Ruth.")
    page.locator("#turn-2").fill("A cut, by Wilma.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".whose")).to_have_count(1)
    page.locator("#turn-2").press("Control+End")
    page.keyboard.type("!")
    expect(page.locator("#kept")).to_have_text(KEPT)
    page.reload()
    reads(page, "A cut, by Ruth.")
    page.get_by_role("link", name="Take them").click()
    expect(page.locator(".whose")).to_have_count(1)
    reads(page, "A cut, by Wilma.!")
    assert last(database, place) == (2, "A cut, by Ruth.")


def test_a_second_answer_is_what_stands_on_the_desk_to_the_last_word(
    database: Database, place: Place, writer: BrowserContext, eyes: Eyes
) -> None:
    with database.writing() as session:
        session.execute(update(Example).values(claimed_by=None, claimed_until=None))
        claims.claim(session, place.other, session.get_one(Example, place.example_id))
    page = writer.new_page()
    page.goto(place.path)
    text = page.locator("#turn-2")
    text.fill("A sloping edge.")
    expect(page.locator("#kept")).to_have_text(KEPT)
    text.press("Control+End")
    page.keyboard.type(" The last words.")
    eyes.look(page, "held-by-another")
    button(page, "Send mine in as a second answer").click()
    expect(page).not_to_have_url(place.path)
    page.wait_for_url(lambda url: not url.endswith(place.path))
    reads(page, "A sloping edge. The last words.")
    emptied(page)
    assert copies(database) == []
    eyes.clean()


def test_a_stale_bring_back_is_told_on_the_history_and_can_be_pressed_again(
    database: Database, place: Place, writer: BrowserContext, eyes: Eyes
) -> None:
    saved(database, place, "A cut, by Ruth.")
    page = writer.new_page()
    page.goto(f"{place.path}/history")
    saved(database, place, "A cut, by Ruth again.", based_on=2)
    button(page, "Bring back revision 1").click()
    expect(page.locator("#error-words")).to_contain_text("Revision 1 is not back")
    expect(page.get_by_role("heading", name="Revision 3")).to_be_visible()
    eyes.look(page, "not-brought-back")
    button(page, "Bring back revision 1").click()
    expect(page.locator("#turn-2")).to_have_value("A cut.")
    assert last(database, place) == (4, "A cut.")
    eyes.clean()


def test_what_was_begun_long_ago_is_reached_page_by_page(
    database: Database, place: Place, writer: BrowserContext, eyes: Eyes
) -> None:
    with database.writing() as session:
        example = session.get_one(Example, place.example_id)
        project = session.get_one(Project, example.project_id)
        for number in range(25):
            desk = Desk(place.writer, project, creation_key=f"begun-key-{number:02}")
            written = Written(rows.pair(f"Begun as number {number}?"), {}, 0)
            working_copies.keep(session, desk, written, follows=0, key=f"copy-key-{number:02}")
    page = writer.new_page()
    page.goto(place.new)
    page.get_by_text("18 more begun").click()
    eyes.look(page, "begun")
    page.get_by_role("link", name="Next", exact=True).click()
    page.get_by_text("3 more begun").click()
    page.locator(".note", has_text="Begun as number 0?").get_by_role("link", name="Write on").click()
    expect(page.locator("#turn-1")).to_have_value("Begun as number 0?")
    eyes.clean()
