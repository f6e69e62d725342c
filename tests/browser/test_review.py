"""Review by keyboard alone: from the queue to approved in one key, a comment on a sentence in three and its words."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from app.db import Database
from app.examples import operations as examples
from app.examples.models import Example
from app.reviews import commenting, operations
from app.reviews.commenting import Passage
from app.reviews.models import Comment
from tests import factories
from tests.browser.looking import WIDE, ZOOMED, Complaints, Eyes, Keys, expect
from tests.browser.walk import said
from tests.examples import rows

FIRST = "How deep do the roots of an old oak go?"
SECOND = "What keeps a saw from binding?"
OLD = "Most of them stay in the top metre.\n\n- Oaks differ.\n- Pines as well.\n\nDig with care."
NEW = "Most of them stay in the **upper** metre.\n\n- Oaks differ.\n\nDig with care. Then water it."


def test_from_the_queue_to_approved_by_keyboard_alone(
    signed_in: Callable[..., BrowserContext],
    people: factories.People,
    database: Database,
    eyes: Eyes,
    complaints: Complaints,
) -> None:
    path = f"/projects/{people.project.slug}/review"
    first, second = waiting(database, people)
    page = signed_in(people.reviewer).new_page()
    keys = Keys(page)
    page.goto(path)
    arrived(page, FIRST)
    expect(page.locator("#sheet ins", has_text="upper")).to_be_visible()
    keys.press("d")
    expect(page.locator("#sheet ins")).to_have_count(0)
    keys.press("d")
    expect(page.locator("#sheet ins")).not_to_have_count(0)
    comment(page, keys)
    keys.pressed.clear()
    keys.press("c")  # an open comment is enough to ask for changes
    arrived(page, SECOND)
    keys.press("a")
    expect(page.locator("h1")).to_have_text("Review")
    assert keys.count == 2
    said(page, "approved")
    keys.press("u")
    said(page, "Taken back")
    arrived(page, SECOND)
    stand_beside_their_passages(page, eyes)
    the_first_screen_shows_the_text(page)
    eyes.look(page, "review-thirty-comments")
    keys.press("a")
    expect(page.locator("h1")).to_have_text("Review")
    states = [(first, "returned"), (second, "approved")]
    with database.reading() as session:
        assert [(number, session.get_one(Example, number).state.value) for number, _ in states] == states
    page.goto(f"{path}/{first}")
    eyes.look(page, "review-returned")
    judged_twice(database, people)
    lead = signed_in(people.lead).new_page()
    lead.goto(f"{path}-agreement")
    expect(lead.locator("h1 + .state")).to_contain_text("said the same of 1")
    eyes.look(lead, "review-agreement")
    eyes.clean()
    complaints.none()


def stand_beside_their_passages(page: Page, eyes: Eyes) -> None:
    """Thirty comments on one paragraph are lines with the numbers of their passages; each opens where it stands."""
    last = page.locator("#sheet .remark").last
    expect(last).to_have_class("remark person-said folded")
    passage = page.locator("#sheet mark.pin").last
    assert last.bounding_box()["y"] - passage.bounding_box()["y"] < WIDE["height"] * 0.4, "both fit on a screen"
    settled = last.get_by_role("button", name="Settled")
    closed = last.bounding_box()["height"]
    page.get_by_role("link", name="Note 30", exact=True).click()
    expect(last).to_be_in_viewport()
    assert last.bounding_box()["height"] > 2 * closed
    if eyes.folder:
        page.screenshot(path=eyes.folder / "review-comment-opened.png", caret="initial")
    page.mouse.move(0, 0)
    page.get_by_role("link", name="Note 1", exact=True).click()
    expect(passage).to_be_in_viewport()
    assert last.bounding_box()["height"] == closed
    settled.focus()  # whoever comes by keyboard sees what they are about to press
    assert last.bounding_box()["height"] > 2 * closed
    settled.blur()


def the_first_screen_shows_the_text(page: Page) -> None:
    """At 200% the example and all decisions are there before anybody scrolls, and the queue is behind its summary."""
    page.set_viewport_size(ZOOMED)
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator("#sheet p").first).to_be_in_viewport()
    for name in ("Approve", "Ask for changes", "Reject", "Comment"):
        expect(page.locator("#decide-form").get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    row = page.locator("nav[aria-label=Queue] .item")
    expect(row).to_be_hidden()
    page.locator("nav[aria-label=Queue] summary").click()
    expect(row).to_be_visible()
    page.locator("nav[aria-label=Queue] summary").click()
    page.set_viewport_size(WIDE)
    expect(row).to_be_visible()


def waiting(database: Database, people: factories.People) -> tuple[int, int]:
    """One example that was approved and edited, and a new one with thirty comments on it."""
    with database.writing() as session:
        first = rows.submitted(session, people.annotator, people.project, messages=rows.pair(FIRST, OLD))
        operations.approve(session, people.lead, first, 1)
        examples.save_revision(session, people.annotator, first, based_on=1, messages=rows.pair(FIRST, NEW))
        examples.submit_example(session, people.annotator, first)
        long = "A dry kerf and patience keep it free. " * 40
        second = rows.submitted(session, people.annotator, people.project, messages=rows.pair(SECOND, long))
        for number in range(30):
            passage = Passage(1, "A dry kerf", number)
            commenting.comment(session, people.lead, second, f"Comment {number} asks for a reason.", passage)
        return first.id, second.id


def judged_twice(database: Database, people: factories.People) -> None:
    """One text that two people judged alike, so that there is a number with its row."""
    with database.writing() as session:
        project = session.get_one(type(people.project), people.project.id)
        operations.set_reviews_needed(session, people.lead, project, 2)
        made = rows.submitted(session, people.annotator, project, "How sharp is sharp?")
        for person in (people.reviewer, people.lead):
            operations.approve(session, person, made, 1)


def comment(page: Page, keys: Keys) -> None:
    """Select the second sentence and say something of it."""
    before = keys.count
    keys.press("]", "]", "m")
    expect(page.locator("#comment-words")).to_be_focused()
    expect(page.locator("#quote")).to_have_value("Oaks differ.")
    page.keyboard.type("Which oaks?")
    keys.press("Control+Enter")
    expect(page.locator("#sheet .person-said")).to_contain_text("Which oaks?")
    expect(page.locator("#sheet mark.pin")).to_have_text("Oaks differ.")
    assert keys.count - before == 4
    said(page, "beside the text")


def arrived(page: Page, prompt: str) -> None:
    """The page of that example is there, and so are its scripts."""
    expect(page.locator("h1")).to_have_text(prompt)
    page.wait_for_load_state("load")


def test_a_comment_that_cannot_be_pinned_is_still_there_to_be_mended(
    signed_in: Callable[..., BrowserContext], people: factories.People, database: Database, complaints: Complaints
) -> None:
    first, _ = waiting(database, people)
    page = signed_in(people.reviewer).new_page()
    page.goto(f"/projects/{people.project.slug}/review/{first}")
    arrived(page, FIRST)
    page.keyboard.press("m")
    page.locator("#quote").fill("No such words")
    page.locator("#comment-words").fill("Where is that?")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#comment-error")).to_contain_text("do not stand in that text")
    expect(page.locator("#comment-words")).to_have_value("Where is that?")
    page.locator("#quote").fill("Dig with care.")
    page.get_by_role("button", name="Comment Ctrl Enter").click()
    expect(page.locator("#sheet mark.pin")).to_have_text("Dig with care.")
    page.get_by_role("button", name="Settled: ").first.click()
    said(page, "Settled")
    expect(page.locator("#sheet mark.pin")).to_have_count(0)
    with database.reading() as session:
        found = session.scalars(select(Comment).where(Comment.example_id == first)).one()
        assert found.settled_by == people.reviewer.id
    complaints.forgive("422")
    complaints.none()
