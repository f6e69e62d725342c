"""After each action at the desk the focus is where somebody goes on: in the text, or on the button they pressed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from app.accounts.models import Role
from app.config import Settings
from app.db import Database
from app.projects import operations as projects
from tests import factories
from tests.browser.looking import Complaints, expect
from tests.duplicates.desks import KETTLE, encode
from tests.examples import rows

ANSWER = "As an AI language model, I boil **vinegar** in it."


@pytest.fixture
def desk(database: Database, settings: Settings, signed_in: Callable[..., BrowserContext]) -> Page:
    """An example whose prompt is near another and whose response has remarks."""
    with database.writing() as session:
        lead, writer = (factories.user(session) for _ in range(2))
        made = factories.project(session, lead)
        projects.add_member(session, lead, made, writer, Role.ANNOTATOR)
        rows.example(session, lead, made, messages=rows.pair(KETTLE, "Boil vinegar in it."))
        mine = rows.example(session, writer, made, messages=rows.pair(KETTLE, ANSWER)).id
    encode(database, settings)
    page = signed_in(writer).new_page()
    page.goto(f"/projects/{made.slug}/examples/{mine}")
    expect(page.locator("#nearness .near")).to_have_count(1)
    expect(page.locator("[data-leave]").first).to_be_attached()
    return page


def has_focus(page: Page, selector: str) -> None:
    """Also a moment later: nothing that comes after the answer takes it away."""
    expect(page.locator(selector)).to_be_focused()
    page.wait_for_load_state("networkidle")
    expect(page.locator(selector)).to_be_focused()


def test_turns_that_are_added_moved_joined_and_removed(desk: Page, complaints: Complaints) -> None:
    page = desk
    page.locator("#turn-2").focus()
    page.keyboard.press("Alt+a")
    has_focus(page, "#turn-3")
    page.keyboard.type("And with what else?")
    page.keyboard.press("Alt+ArrowUp")
    has_focus(page, "#turn-1")
    expect(page.locator("#turn-1")).to_have_value("And with what else?")
    page.keyboard.press("Alt+ArrowDown")
    has_focus(page, "#turn-3")
    page.keyboard.press("Alt+a")
    has_focus(page, "#turn-5")
    page.locator("#turn-3").focus()
    page.keyboard.press("Alt+j")
    expect(page.locator("#turn-5")).to_have_count(0)
    has_focus(page, "#turn-3")
    page.locator("#add-turn").focus()
    page.keyboard.press("Enter")
    has_focus(page, "#turn-5")
    page.locator("#remove-turn").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#turn-5")).to_have_count(0)
    has_focus(page, "#remove-turn")
    page.keyboard.press("Enter")
    expect(page.locator("#turn-3")).to_have_count(0)
    has_focus(page, "#turn-2")
    complaints.none()


def test_what_is_dismissed_left_mended_and_set(desk: Page, complaints: Complaints) -> None:
    page = desk
    page.locator("#turn-2").focus()
    page.locator("#nearness .near button", has_text="Not a duplicate").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#nearness .near")).to_have_count(0)
    has_focus(page, "#turn-2")
    left = page.locator("[data-leave]")
    many = left.count()
    left.first.focus()
    page.keyboard.press("Enter")
    expect(left).to_have_count(many - 1)
    has_focus(page, "#turn-2")
    page.locator("#roles > summary").focus()
    page.keyboard.press("Enter")
    page.locator("#set-roles").focus()
    page.keyboard.press("Enter")
    has_focus(page, "#set-roles")
    page.keyboard.press("Control+s")
    has_focus(page, "#set-roles")
    complaints.none()


def test_the_search_gives_the_focus_back_wherever_it_was(desk: Page, complaints: Complaints) -> None:
    page = desk
    for here in ("#turn-2", "#add-turn", "#language"):
        for ends in ("Control+k", "Escape"):
            page.locator(here).first.focus() if here != "#language" else open_about(page)
            page.keyboard.press("Control+k")
            has_focus(page, "#colleagues-q")
            page.keyboard.press(ends)
            expect(page.locator("#colleagues-panel")).to_be_hidden()
            has_focus(page, here)
    complaints.none()


def open_about(page: Page) -> None:
    page.locator(".about").evaluate("(one) => { one.open = true; }")
    page.locator("#language").focus()
