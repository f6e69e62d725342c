"""Gates in a browser: seen from the draft, set and settled by keyboard alone, in light, dark and on a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from app.accounts.models import Role
from app.db import Database
from app.projects import operations as projects
from app.projects.models import Split
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect, press_until
from tests.datasets.material import approve, dialogue

LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 6
ASKED = "How do I keep a sourdough starter alive during a long holiday?"


@pytest.fixture
def kitchen(database: Database) -> tuple[object, object, str]:
    """A lead, a writer and a project's short name: a leak, texts without a licence, remarks, long words."""
    with database.writing() as session:
        lead, writer, reader = (factories.user(session) for _ in range(3))
        made = factories.project(session, lead)
        for person, role in ((writer, Role.ANNOTATOR), (reader, Role.REVIEWER)):
            projects.add_member(session, lead, made, person, role)

        def put(asked: str, answer: str | None = "Slowly.", **more: object) -> None:
            approve(session, made, writer, reader, dialogue(asked, answer), **more)  # type: ignore[arg-type]

        put(ASKED)
        put(ASKED.replace("keep", "get").replace("alive", "through"), None, split=Split.TEST)
        put(f"What is a {LONG}?", "As an AI, I cannot say. Ask jane.miller@corp-mail.com.", licence=None)
        for number in range(24):
            put(f"{'abcdefghijkl'[number % 12] * 7} number {number}?", licence=None)
        return lead, writer, made.slug


def test_gates_are_read_set_and_settled_by_keyboard(
    kitchen: tuple[object, object, str],
    signed_in: Callable[..., BrowserContext],
    complaints: Complaints,
    eyes: Eyes,
) -> None:
    lead, writer, slug = kitchen
    page = signed_in(lead).new_page()
    page.goto(f"/projects/{slug}/versions")
    expect(page.locator("#gates")).to_contain_text("Leakage")
    press_until(page, "Tab", "a[href$='/gates']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/gates")
    expect(page.locator(".state")).to_contain_text("2 gates block the next version of 27 approved examples")
    leak = page.locator("#leakage .finding")
    expect(leak).to_contain_text(ASKED)
    expect(leak.locator("mark.only")).to_have_text(["keep", "alive", "get", "through"])
    expect(page.locator("#licences .finding")).to_have_count(20)
    for gate in ("personal", "style"):
        page.locator(f"#{gate} details.gate-found > summary").click()
    eyes.look(page, "gates-mixed")

    press_until(page, "Tab", "#licences-block")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#licences .status").first).to_have_text("Warns")
    expect(page.locator("#licences-warn")).to_be_focused()
    expect(page.locator(".state")).to_contain_text("1 gate blocks")

    page.goto(f"/projects/{slug}/gates?gate=licences")
    expect(page.locator(".finding")).to_have_count(25)
    eyes.look(page, "gates-one")

    page.goto(f"/projects/{slug}/gates")
    page.keyboard.press("j")
    expect(page.locator(":focus")).to_contain_text("Example")
    press_until(page, "Tab", "#leakage .finding form button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/duplicates/*")
    expect(page.locator(".pair")).to_contain_text("sourdough")
    page.goto(f"/projects/{slug}/gates")
    page.locator("#licences summary", has_text="findings").click()
    page.get_by_label("A licence for all that have none").fill("CC BY 4.0")
    page.keyboard.press("Enter")
    expect(page.locator("#licences .status").first).to_have_text("Passes")

    theirs = signed_in(writer).new_page()
    theirs.goto(f"/projects/{slug}/gates")
    expect(theirs.locator("#leakage .gate-policy")).to_have_text("A finding blocks")
    eyes.look(theirs, "gates-of-a-member")
    eyes.clean()
    complaints.none()
