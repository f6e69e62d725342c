"""House style on the desk, in a browser: beside the line, mended by a key, left for good; the guide one key away."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import BrowserContext, Page

from app.accounts.models import Role
from app.db import Database
from app.examples import style_operations
from app.projects import operations as projects
from app.reviews import operations as reviews
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect
from tests.examples import rows

ANSWER = "\n\n".join(
    (
        "Dough is kept cold 🥖 and covered.",
        "Put it into the <b>coldest</b> corner, as the accepted answer says.",
        "In a warm kitchen it doubles within six hours, and then it falls; a cold one gives it days.",
        "I would not trust the door of the fridge, which is the warmest place in it.",
    )
)
HERE = 3
LINE = """(name) => { const box = document.querySelector("#turn-2"); const mark = box.previousElementSibling
  .querySelectorAll("mark")[name]; return mark.getBoundingClientRect().top; }"""


@pytest.fixture
def desk(database: Database) -> tuple[object, object, str, int]:
    """A writer, a lead, a project's short name, and the number of an example with things to remark upon."""
    with database.writing() as session:
        lead, writer, reader = (factories.user(session) for _ in range(3))
        made = factories.project(session, lead)
        projects.describe_project(session, lead, made, name="Bread", guide="# Voice\n\nPlain and kind.")
        for person, role in ((writer, Role.ANNOTATOR), (reader, Role.REVIEWER)):
            projects.add_member(session, lead, made, person, role)
        good = rows.submitted(session, writer, made, messages=rows.pair("What is a levain?", "A levain is a starter."))
        reviews.approve(session, reader, good, 1)
        style_operations.set_model(session, lead, made, good, shown=True)
        example = rows.example(session, writer, made, messages=rows.pair("How is dough kept?", ANSWER))
        return writer, lead, made.slug, example.id


def test_remarks_stand_at_their_lines_and_are_worked_by_keys(
    desk: tuple[object, object, str, int],
    signed_in: Callable[..., BrowserContext],
    complaints: Complaints,
    eyes: Eyes,
) -> None:
    writer, lead, slug, number = desk
    page = signed_in(writer).new_page()
    page.goto(f"/projects/{slug}/examples/{number}")
    remarks = page.locator("#remarks > .remark:visible")
    expect(remarks).to_have_count(HERE)
    expect(page.locator("#remarks-count")).to_contain_text(f"{HERE} remarks")
    stand_beside_their_lines(page)
    eyes.look(page, "desk-remarks")

    text = page.locator("#turn-2")
    text.focus()
    page.keyboard.press("Control+Home")
    page.keyboard.press("F8")
    assert selected(page) == "<b>coldest</b>"
    expect(page.locator("#remark-said")).to_contain_text("Leftover HTML")
    page.keyboard.press("Control+.")
    expect(text).to_have_value(ANSWER.replace("<b>coldest</b>", "**coldest**"))
    page.keyboard.press("Control+z")
    expect(text).to_have_value(ANSWER)
    expect(remarks).to_have_count(HERE)
    page.keyboard.press("Shift+F8")
    assert selected(page) == "I"
    page.keyboard.press("Control+.")
    expect(page.locator("#remark-said")).to_contain_text("yours to write")

    page.keyboard.press("Control+Home")
    page.keyboard.type("First of all. ")
    expect(remarks).to_have_count(HERE)
    stand_beside_their_lines(page)
    page.keyboard.press("F8")
    assert selected(page) == "<b>coldest</b>"

    page.get_by_role("button", name="Leave this: First person").click()
    expect(remarks).to_have_count(HERE - 1)
    expect(page.locator("#remarks .left-remarks")).to_have_text("1 left as it is")

    text.focus()
    page.keyboard.press("Control+/")
    expect(page.locator("#guide-panel")).to_contain_text("A levain is a starter.")
    expect(page.locator("#guide-panel")).to_contain_text("Plain and kind.")
    page.keyboard.press("Escape")
    expect(page.locator("#guide-panel")).to_be_hidden()
    look_at_the_pages(signed_in(lead).new_page(), slug, number, eyes)
    eyes.clean()
    complaints.none()


def test_a_sign_that_nobody_sees_is_told_at_its_line_and_taken_out(
    desk: tuple[object, object, str, int], signed_in: Callable[..., BrowserContext], eyes: Eyes
) -> None:
    writer, _, slug, number = desk
    page = signed_in(writer).new_page()
    page.goto(f"/projects/{slug}/examples/{number}")
    text = page.locator("#turn-2")
    text.fill("Dough is kept cold.\n\nFeed\u200bit twice, \u202eylwols\u202c.")
    remarks = page.locator("#remarks > .remark:visible", has_text="Invisible sign")
    expect(remarks).to_have_count(3)
    expect(remarks.first).to_contain_text("U+200B, zero width space, stands after “cold. Feed”")
    expect(remarks.first).to_contain_text("line 3")
    eyes.look(page, "desk-invisible")
    for left in (2, 1, 0):
        remarks.first.get_by_role("button", name="Take it out").click()
        expect(remarks).to_have_count(left)
    expect(text).to_have_value("Dough is kept cold.\n\nFeedit twice, ylwols.")
    eyes.clean()


def look_at_the_pages(page: Page, slug: str, number: int, eyes: Eyes) -> None:
    for where in ("style", "style/guide", "style/voices", f"examples/{number}/remarks"):
        page.goto(f"/projects/{slug}/{where}")
        eyes.look(page, where.replace("/", "-").replace(f"-{number}", ""))
    page.goto(f"/projects/{slug}/style")
    page.locator("#on-first_person").uncheck()
    expect(page.locator("#first_person .num").first).to_have_text("off")
    page.get_by_role("button", name="Save the rules").click()
    expect(page.locator(".state")).to_contain_text("14 of 15 rules are on")


def selected(page: Page) -> str:
    chosen = "({ value, selectionStart, selectionEnd }) => value.slice(selectionStart, selectionEnd)"
    return str(page.locator(":focus").evaluate(chosen))


def stand_beside_their_lines(page: Page) -> None:
    """The first remark stands at the line of its passage; none lies on another."""
    tops = """() => [...document.querySelectorAll("#remarks > .remark")].filter((one) => one.checkVisibility())
      .map((one) => one.getBoundingClientRect()).map(({ top, bottom }) => [top, bottom])"""
    # As a function: the content policy refuses to evaluate an expression a second time.
    page.wait_for_function(f"() => Math.abs(({tops})()[0][0] - ({LINE})(0)) < 8")
    places = page.evaluate(tops)
    assert all(above[1] <= below[0] for above, below in pairwise(places))
