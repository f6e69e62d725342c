"""Finding an example without a mouse: / and words, marked hits, j and Enter; looked at with and without hits."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext

from app.db import Database
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect
from tests.examples import rows

LONG = "Why does a rope that hangs on the shady side of a hut " + "and is looked at by nobody " * 9 + "fray?"


def test_an_example_is_found_and_opened_without_a_mouse(
    database: Database, signed_in: Callable[..., BrowserContext], complaints: Complaints, eyes: Eyes
) -> None:
    with database.writing() as session:
        people = factories.people(session)
        for number in range(60):
            pair = rows.pair(f"Question {number}?", f"Answer {number} ends with a knot in the café.")
            rows.example(
                session, people.colleague, people.project, messages=pair, language="de" if number % 2 else "en"
            )
        wanted = rows.example(session, people.annotator, people.project, messages=rows.pair(LONG, "Whip it: cafe."))
    page = signed_in(people.annotator).new_page()
    page.goto(f"/projects/{people.project.slug}/examples")
    eyes.look(page, "examples")
    page.keyboard.press("/")
    page.keyboard.type("cafe -knot")
    page.keyboard.press("Enter")
    expect(page.locator("#all")).to_have_text("Found, 1")
    page.wait_for_load_state()
    page.keyboard.press("/")
    page.keyboard.type('cafe "knot in"')
    page.keyboard.press("Enter")
    expect(page.locator("#all")).to_have_text("Found, 60")
    expect(page.locator("mark.hit").first).to_have_text("knot in")
    eyes.look(page, "examples-found")
    page.keyboard.press("/")
    page.keyboard.type("xylophone %")
    page.keyboard.press("Enter")
    expect(page.locator("#all")).to_have_text("Found, 0")
    eyes.look(page, "examples-none")
    page.keyboard.press("/")
    page.keyboard.type("rope cafe")
    page.keyboard.press("Enter")
    expect(page.locator("mark.hit")).to_have_text(["rope", "cafe"])
    page.wait_for_load_state()
    page.keyboard.press("Escape")
    page.locator("[data-search]").blur()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/examples/{wanted.id}")
    complaints.none()
    eyes.clean()
