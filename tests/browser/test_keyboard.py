"""A whole day without a mouse, and the focus can be seen at every step."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from app.accounts.models import Role, User
from app.db import Database
from app.examples import operations as examples
from app.projects import operations as projects
from tests import factories
from tests.browser.looking import Complaints, Keys, expect
from tests.browser.walk import PASSWORD, said
from tests.examples import rows

PROMPT = "What keeps a saw from binding?"
OUTLINE = """() => { const one = document.activeElement, style = getComputedStyle(one);
  if (one === document.body) return "nothing";
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return outlined ? "" : one.outerHTML.slice(0, 200); }"""


@pytest.fixture
def team(database: Database) -> tuple[str, str, str]:
    """The short name of a project with one prompt to answer, and the e-mails of its writer and its reviewer."""
    with database.writing() as session:
        lead = factories.user(session)
        writer = factories.user(session, name="Wilma Writer", password=PASSWORD)
        reader = factories.user(session, name="Ruth Reader", password=PASSWORD)
        made = factories.project(session, lead)
        projects.add_member(session, lead, made, writer, Role.ANNOTATOR)
        projects.add_member(session, lead, made, reader, Role.REVIEWER)
        found = rows.candidate(session, made, rows.import_run(session, made), messages=rows.pair(PROMPT, "")[:1])
        examples.example_from_candidate(session, lead, found)
        return made.slug, writer.email, reader.email


def test_the_desk_hears_its_keys_wherever_the_focus_is(
    people: factories.People, database: Database, signed_in: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    """A page opens with the focus in the text, and a click beside it takes no key away."""
    with database.writing() as session:
        begun = rows.example(session, people.annotator, people.project, messages=rows.pair(PROMPT, "A dry"))
    page = signed_in(people.annotator).new_page()
    page.goto(f"/projects/{people.project.slug}/examples/{begun.id}")
    expect(page.locator("#turn-2")).to_be_focused()
    page.locator("#turn-2").press_sequentially("Set. ")
    page.locator("h1").click()
    expect(page.locator("#turn-2")).not_to_be_focused()
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 2")
    page.get_by_role("link", name="History").focus()
    page.keyboard.press("Control+Enter")
    said(page, "Submitted")


def test_from_sign_in_to_submitted_and_from_sign_in_to_approved(
    team: tuple[str, str, str], visitor: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    """Counted in keys beside the words themselves: the numbers stand in docs/writing.md and docs/reviewing.md."""
    slug, writer, reader = team
    page = visitor().new_page()
    keys = sign_in(page, writer)
    keys.press("Control+]")
    page.wait_for_url(f"**/projects/{slug}/examples/*")
    expect(page.locator("#turn-2")).to_be_focused()
    keys.type("Set, a dry kerf and patience.")
    keys.press("Control+Enter")
    said(page, "Submitted")
    print("from sign-in to submitted:", *keys.pressed)
    assert keys.pressed == ["Tab", "Enter", "Control+]", "Control+Enter"]
    second = visitor().new_page()
    keys = sign_in(second, reader)
    keys.press("r")
    second.wait_for_url(f"**/projects/{slug}/review**")
    expect(second.locator("h1")).to_contain_text("binding")
    keys.press("a")
    said(second, "pproved")
    print("from sign-in to approved:", *keys.pressed)
    assert keys.pressed == ["Tab", "Enter", "r", "a"]
    keys.press("u")
    said(second, "Taken back")
    keys.press("a")
    expect(second.locator("h1")).to_have_text("Review")
    complaints.none()


def test_from_sign_in_to_submitted_with_a_prompt_of_ones_own(
    team: tuple[str, str, str], visitor: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    slug, writer, _ = team
    page = visitor().new_page()
    keys = sign_in(page, writer)
    go(keys, "Write")
    page.wait_for_url(f"**/projects/{slug}/examples")
    keys.press("n")
    page.wait_for_url("**/examples/new")
    expect(page.locator("#turn-1")).to_be_focused()
    keys.type("How sharp is sharp?")
    keys.press("Alt+n")
    expect(page.locator("#turn-2")).to_be_focused()
    keys.type("Sharp enough to shave the arm.")
    keys.press("Control+Enter")
    said(page, "Submitted")
    print("from sign-in to submitted, from nothing:", *keys.pressed)
    assert keys.pressed == ["Tab", "Enter", *["Tab"] * 8, "Enter", "n", "Alt+n", "Control+Enter"]
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


def sign_in(page: Page, email: str) -> Keys:
    """Through the door, by keyboard: the first field has the focus already."""
    keys = Keys(page)
    page.goto("/sign-in")
    expect(page.get_by_label("E-mail")).to_be_focused()
    keys.type(email)
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    page.wait_for_url("**/projects/**")
    page.wait_for_load_state("load")
    return keys


def go(keys: Keys, place: str) -> None:
    """To a place of the rail."""
    for _ in range(40):
        keys.press("Tab")
        text = keys.page.evaluate("document.activeElement.innerText ?? ''")
        if text.split("\n")[0].strip().startswith(place):
            break
    keys.press("Enter")
    keys.page.wait_for_load_state("load")
