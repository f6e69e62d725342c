"""Two texts merged and brought back by keyboard alone; in light, dark and on a phone."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext

from app.db import Database
from app.examples import operations as examples
from app.examples.models import Example
from tests import factories
from tests.browser.looking import Complaints, Eyes, Keys, expect
from tests.duplicates.rooms import (
    ANSWER,
    KETTLE,
    KETTLE_AGAIN,
    OTHER_ANSWER,
    candidate,
    example,
    import_run,
    known_pair,
    messages,
)


def test_two_are_merged_and_brought_back_by_keyboard(
    database: Database, signed_in: Callable[..., BrowserContext], complaints: Complaints, eyes: Eyes
) -> None:
    with database.writing() as session:
        people = factories.people(session)
        run = import_run(session, people)
        candidate(session, run, "7", KETTLE, f"{ANSWER}\n\nVinegar does as well, and smells.")
        candidate(session, run, "8", f"{KETTLE} It is made of steel.")
        made = example(session, people, KETTLE_AGAIN, OTHER_ANSWER)
        left = "candidate:cooking.example.org/7"
        pair = known_pair(session, people, left, f"example:{made.id}")
        known_pair(session, people, left, "candidate:cooking.example.org/8", score=0.93)
    slug = people.project.slug
    page = signed_in(people.annotator).new_page()
    keys = Keys(page)
    page.goto(f"/projects/{slug}/duplicates/{pair.id}")
    eyes.look(page, "duplicates-with-merge")
    keys.press("m")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Merge")
    eyes.look(page, "merge")

    keys.until("Tab", "[name=take_1]")
    keys.press("ArrowUp")  # the prompt from the left
    expect(page.locator("[name=take_1][value=left]")).to_be_checked()
    keys.press("r")  # the response in other words
    expect(page.locator("[name=take_2][value=own]")).to_be_checked()
    keys.press("Tab")
    expect(page.locator("[name=turn_2]")).to_be_focused()
    keys.press("Control+End")
    keys.type(" Rinse it.")
    eyes.look(page, "merge-other-words")

    # Somebody saves meanwhile: nothing is merged, and what was typed stays.
    with database.writing() as session:
        row = session.get_one(Example, made.id)
        examples.save_revision(session, people.annotator, row, based_on=1, messages=messages(KETTLE_AGAIN, "Newer."))
    keys.until("Shift+Tab", "[name=take_2]")
    keys.press("m")
    expect(page.locator("[role=alert]")).to_contain_text("was changed since it was shown")
    expect(page.locator("[name=turn_2]")).to_have_value(f"{OTHER_ANSWER} Rinse it.")
    eyes.look(page, "merge-stale")
    complaints.forgive("409: ")
    keys.press("m")
    expect(page.locator("#said")).to_contain_text(f"Merged into example {made.id}")
    page.wait_for_load_state("load")
    keys.press("u")
    expect(page.locator("#said")).to_contain_text("open again")
    with database.reading() as session:
        row = session.get_one(Example, made.id)
        assert row.revision_number == 4
    eyes.clean()
    complaints.none()
