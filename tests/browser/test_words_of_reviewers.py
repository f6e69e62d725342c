"""A reviewer's words, too, are there until they are sent: through another view, a comment, and a look at the next."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext
from sqlalchemy import select

from app.db import Database
from app.examples.models import Example
from app.reviews.models import Comment
from tests import factories
from tests.browser.looking import Complaints, expect
from tests.browser.test_review import FIRST, SECOND, arrived, waiting
from tests.browser.walk import button


def test_what_a_reviewer_has_typed_stays_with_its_example_until_it_is_sent(
    signed_in: Callable[..., BrowserContext], people: factories.People, database: Database, complaints: Complaints
) -> None:
    first, _ = waiting(database, people)
    browser = signed_in(people.reviewer)
    page = browser.new_page()
    page.goto(f"/projects/{people.project.slug}/review")
    arrived(page, FIRST)
    words = page.locator("#words")
    words.fill("Say which oaks.")
    words.blur()
    page.keyboard.press("d")
    expect(page.locator("#sheet ins")).to_have_count(0)
    expect(words).to_have_value("Say which oaks.")
    page.keyboard.press("m")
    page.locator("#quote").fill("Dig with care")
    page.locator("#comment-words").fill("With which spade?")
    button(page, "Leave it").click()
    page.keyboard.press("j")
    arrived(page, SECOND)
    expect(words).to_have_value("")
    page.keyboard.press("k")
    arrived(page, FIRST)
    expect(words).to_have_value("Say which oaks.")
    page.keyboard.press("m")
    expect(page.locator("#quote")).to_have_value("Dig with care")
    page.locator("#comment-words").press("Control+Enter")
    expect(page.locator("#sheet .person-said")).to_contain_text("With which spade?")
    expect(page.locator("#comment-words")).to_have_value("")
    expect(words).to_have_value("Say which oaks.")
    button(page, "Ask for changes").click()
    arrived(page, SECOND)
    expect(words).to_have_value("")
    with database.reading() as session:
        assert session.get_one(Example, first).verdict_words == "Say which oaks."
        assert session.scalars(select(Comment.words).where(Comment.example_id == first)).all() == ["With which spade?"]
    complaints.none()


def test_what_a_reviewer_has_typed_is_shown_to_nobody_else_in_that_tab(
    signed_in: Callable[..., BrowserContext], people: factories.People, database: Database, complaints: Complaints
) -> None:
    first, _ = waiting(database, people)
    browser = signed_in(people.reviewer)
    page = browser.new_page()
    page.goto(f"/projects/{people.project.slug}/review/{first}")
    page.locator("#words").fill("Mine alone.")
    token = factories.signed_in(database, people.lead)
    browser.add_cookies([{"name": "handpicked_session", "value": token, "url": complaints.address}])
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.locator("#words")).to_have_value("")
    complaints.none()
