"""A whole day without a mouse, and the focus can be seen at every step."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from app.accounts.models import Role, User
from app.db import Database
from app.projects import operations as projects
from tests import factories
from tests.browser.looking import Complaints, expect, press_until
from tests.browser.walk import PASSWORD, said

OUTLINE = """() => { const one = document.activeElement, style = getComputedStyle(one);
  if (one === document.body) return "nothing";
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return outlined ? "" : one.outerHTML.slice(0, 200); }"""


@pytest.fixture
def team(database: Database) -> tuple[str, str, str]:
    """The short name of a project, and the e-mails of its writer and its reviewer, who can sign in."""
    with database.writing() as session:
        lead = factories.user(session)
        writer = factories.user(session, name="Wilma Writer", password=PASSWORD)
        reader = factories.user(session, name="Ruth Reader", password=PASSWORD)
        made = factories.project(session, lead)
        projects.add_member(session, lead, made, writer, Role.ANNOTATOR)
        projects.add_member(session, lead, made, reader, Role.REVIEWER)
        return made.slug, writer.email, reader.email


def test_from_sign_in_to_submitted_and_from_the_queue_to_approved(
    team: tuple[str, str, str], visitor: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    slug, writer, reader = team
    page = visitor().new_page()
    sign_in(page, writer)
    go(page, "Write")
    page.wait_for_url(f"**/projects/{slug}/examples")
    page.keyboard.press("n")
    page.wait_for_url("**/examples/new")
    press_until(page, "Tab", "#turn-1")
    page.keyboard.type("What keeps a saw from binding?")
    press_until(page, "Tab", "#turn-2")
    page.keyboard.type("Set, a dry kerf and patience.")
    page.keyboard.press("Control+Enter")
    said(page, "Submitted")
    second = visitor().new_page()
    sign_in(second, reader)
    go(second, "Review")
    second.wait_for_url(f"**/projects/{slug}/review**")
    expect(second.locator("h1")).to_contain_text("binding")
    second.keyboard.press("a")
    said(second, "pproved")
    second.keyboard.press("u")
    said(second, "Taken back")
    second.keyboard.press("a")
    expect(second.locator("h1")).to_have_text("Review")
    complaints.none()


def test_the_question_mark_shows_the_keys(
    team: tuple[str, str, str], visitor: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    slug, writer, _ = team
    page = visitor().new_page()
    sign_in(page, writer)
    keys = page.locator("#keys-help")
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    expect(page.locator("#keys-help button")).to_be_focused()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.goto(f"/projects/{slug}/examples/new")
    page.locator("#turn-1").focus()
    page.keyboard.type("Why?")
    expect(keys).to_be_hidden()
    expect(page.locator("#turn-1")).to_have_value("Why?")
    complaints.none()


def test_the_focus_is_seen_wherever_it_stands(
    team: tuple[str, str, str], database: Database, signed_in: Callable[..., BrowserContext]
) -> None:
    slug, writer, _ = team
    with database.reading() as session:
        person = session.scalars(select(User).where(User.email == writer)).one()
    page = signed_in(person).new_page()
    for place in ("", "/sources", "/pool", "/examples", "/examples/new", "/settings", "/versions"):
        page.goto(f"/projects/{slug}{place}")
        if page.evaluate("document.activeElement === document.body"):  # an empty desk begins in its text
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.className") == "skip", place
            expect(page.locator(".skip")).to_be_in_viewport()
        assert unseen_stops(page) == set(), place


def unseen_stops(page: Page) -> set[str]:
    """Where the focus stands without being seen, from here to the end of the page."""
    unseen = set()
    for _ in range(60):
        if (found := page.evaluate(OUTLINE)) == "nothing":
            break
        unseen.add(found)
        page.keyboard.press("Tab")
    return unseen - {""}


def sign_in(page: Page, email: str) -> None:
    """Through the door, by keyboard: the first field has the focus already."""
    page.goto("/sign-in")
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/projects/**")


def go(page: Page, place: str) -> None:
    """To a place of the rail."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText ?? ''").split("\n")[0].strip().startswith(place):
            break
    page.keyboard.press("Enter")
    page.wait_for_load_state("load")
