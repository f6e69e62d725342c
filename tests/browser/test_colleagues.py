"""Colleagues' work beside the desk, in a browser: one key to the search and back to the same place in the text, what is
found read in place, a warning while the prompt is typed; and nothing of it in the example."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from app.accounts.models import Role
from app.config import Settings
from app.db import Database
from app.examples.models import ExampleState, Revision
from app.projects import operations as projects
from app.projects.models import Split
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect
from tests.browser.test_words_kept import emptied, journal
from tests.duplicates.desks import GIT, KETTLE, KETTLE_MEANT, encode
from tests.examples import rows

VINEGAR = "Boil **vinegar** and water in it, wait for an hour, and rinse it twice.\n\n" + "Then rinse it again. " * 60
PLACE = "() => { const box = document.activeElement; return [box.id, box.selectionStart, box.selectionEnd]; }"


@pytest.fixture
def desk(database: Database, settings: Settings) -> tuple[object, str, dict[str, int]]:
    """A writer, a project's short name, and the numbers of its examples by what they are."""
    with database.writing() as session:
        lead, writer = (factories.user(session) for _ in range(2))
        made = factories.project(session, lead)
        projects.add_member(session, lead, made, writer, Role.ANNOTATOR)
        approved = rows.example(session, lead, made, messages=rows.pair(KETTLE, VINEGAR))
        approved.state, approved.approved_number = ExampleState.APPROVED, 1
        test = rows.example(session, lead, made, messages=rows.pair(GIT, "")[:1], split=Split.TEST)
        mine = rows.example(session, writer, made, messages=rows.pair("How is a pot cleaned?", "With sand and a rag."))
        numbers = {"approved": approved.id, "test": test.id, "mine": mine.id}
    encode(database, settings)
    return writer, made.slug, numbers


def test_colleagues_work_is_one_key_away_and_the_prompt_is_warned_of(
    desk: tuple[object, str, dict[str, int]],
    signed_in: Callable[..., BrowserContext],
    database: Database,
    complaints: Complaints,
    eyes: Eyes,
) -> None:
    writer, slug, numbers = desk
    page = signed_in(writer).new_page()
    page.goto(f"/projects/{slug}/examples/{numbers['mine']}")
    expect(page.locator("body > #colleagues-panel")).to_have_count(1)
    search_and_come_back(page, numbers["approved"], eyes)
    be_warned_of_a_copy(page, numbers["approved"], eyes)
    be_warned_of_a_leak(page, eyes)
    save_what_was_typed(page, database, numbers["mine"])
    page.goto(f"/projects/{slug}/colleagues?q=limescale")
    page.locator("[data-hit]").first.click()
    expect(page.locator("#colleague-text strong")).to_have_text("vinegar")
    eyes.look(page, "colleagues-page")
    eyes.clean()
    complaints.forgive("422: ")  # a leak without a reason
    complaints.none()


def search_and_come_back(page: Page, approved: int, eyes: Eyes) -> None:
    text = page.locator("#turn-2")
    text.focus()
    text.evaluate("(box) => box.setSelectionRange(5, 9)")
    page.keyboard.press("Control+k")
    field = page.locator("#colleagues-q")
    expect(field).to_be_focused()
    expect(field).to_have_value("sand")
    page.keyboard.type("a crust of lime in the kettle")
    hit = page.locator("#colleagues-panel [data-hit]")
    expect(hit).to_have_count(1)
    expect(hit).to_contain_text("by meaning")
    page.keyboard.press("ArrowDown")
    expect(hit).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#colleague-text strong")).to_have_text("vinegar")
    expect(page.locator(f"#colleague-text a[href$='/examples/{approved}']")).to_have_text("Open in a tab of its own")
    eyes.look(page, "desk-colleagues")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#colleague-text")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(hit).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#colleagues-panel")).to_be_hidden()
    assert page.evaluate(PLACE) == ["turn-2", 5, 9]
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    page.keyboard.press("Control+k")
    assert page.evaluate(PLACE) == ["turn-2", 5, 9]


def be_warned_of_a_copy(page: Page, approved: int, eyes: Eyes) -> None:
    page.locator("#turn-1").fill(KETTLE_MEANT)
    note = page.locator("#nearness .near")
    expect(note).to_have_count(1)
    expect(note).to_contain_text(f"Close to example {approved}, cosine .9")
    expect(page.locator("#nearness-said")).to_contain_text(f"Close to example {approved}")
    expect(note.locator("mark.only").first).to_be_visible()
    eyes.look(page, "desk-near-copy")
    note.get_by_role("link", name=f"Read example {approved}").click()
    expect(page.locator("#colleagues-panel #colleague-text strong")).to_have_text("vinegar")
    page.keyboard.press("Escape")
    note.get_by_role("button", name="Not a duplicate").click()
    expect(note).to_have_count(0)


def be_warned_of_a_leak(page: Page, eyes: Eyes) -> None:
    page.locator("#turn-1").fill(f"  {GIT.lower()}")
    note = page.locator("#nearness .near.danger")
    expect(note).to_contain_text("The same as a test prompt")
    note.get_by_text("Both may stay").click()
    note.get_by_role("button", name="Not a duplicate").click()
    expect(note).to_contain_text("Say why both may stay")
    eyes.look(page, "desk-near-leak")
    note.get_by_label("Why?").fill("One asks how, the other why.")
    note.get_by_role("button", name="Not a duplicate").click()
    expect(note).to_have_count(0)


def save_what_was_typed(page: Page, database: Database, mine: int) -> None:
    page.locator("#turn-2").focus()
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 2")
    with database.reading() as session:
        head = session.scalars(select(Revision).where(Revision.example_id == mine, Revision.number == 2)).one()
    assert [message["content"].strip() for message in head.messages] == [GIT.lower(), "With sand and a rag."]


def test_a_reason_that_is_typed_stays_over_a_comparison_and_a_reload_until_it_is_given(
    desk: tuple[object, str, dict[str, int]],
    signed_in: Callable[..., BrowserContext],
    complaints: Complaints,
    eyes: Eyes,
) -> None:
    writer, slug, numbers = desk
    page = signed_in(writer).new_page()
    page.goto(f"/projects/{slug}/examples/{numbers['mine']}")
    page.locator("#turn-1").fill(GIT)
    note = page.locator("#nearness .near.danger")
    note.get_by_text("Both may stay").click()
    why = note.get_by_label("Why?")
    why.press_sequentially("One asks how,")
    with page.expect_response("**/nearness*"):
        page.locator("#turn-1").evaluate("(box) => box.dispatchEvent(new Event('input', { bubbles: true }))")
    expect(why).to_have_value("One asks how,")
    why.press_sequentially(" the other why.")
    page.reload()
    expect(why).to_be_visible()
    expect(why).to_have_value("One asks how, the other why.")
    eyes.look(page, "desk-reason-kept")
    expect(page.locator("#kept")).not_to_contain_text("Not kept")
    note.get_by_role("button", name="Not a duplicate").click()
    expect(note).to_have_count(0)
    emptied(page)
    eyes.clean()
    complaints.none()


def test_a_reason_that_was_never_given_is_asked_about_when_its_writer_signs_out(
    desk: tuple[object, str, dict[str, int]], signed_in: Callable[..., BrowserContext]
) -> None:
    writer, slug, numbers = desk
    page = signed_in(writer).new_page()
    page.goto(f"/projects/{slug}/examples/{numbers['mine']}")
    page.locator("#turn-1").fill(GIT)
    note = page.locator("#nearness .near.danger")
    note.get_by_text("Both may stay").click()
    note.get_by_label("Why?").press_sequentially("One asks how.")
    page.locator("form[data-signs-out]").first.evaluate("(form) => form.requestSubmit()")
    expect(page.locator("#unsent")).to_contain_text("One asks how.")
    page.locator("#unsent").get_by_role("button", name="Sign out, throw away").click()
    page.wait_for_url("**/sign-in*")
    assert journal(page) == []
