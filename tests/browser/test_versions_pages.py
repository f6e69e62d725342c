"""Versions by keyboard alone: a freeze that is refused and let through, its comparison, and the way back from a row."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from app.datasets.operations import freeze_version
from app.db import Database
from app.examples.models import Example
from app.projects.models import Project
from tests import factories
from tests.browser.looking import Complaints, Eyes, Keys, expect
from tests.datasets.material import add_revision, approve, dialogue, reasons_for

MANY = 30


@pytest.fixture
def changed(database: Database, people: factories.People) -> factories.People:
    """v1, since which more examples were reworded than a page of a comparison shows, and one has lost its licence."""
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        for at in range(MANY):
            approve(session, project, people.annotator, people.reviewer, dialogue(f"How do I sow seed {at}?"))
        freeze_version(session, people.lead, project, name="v1", overrides=reasons_for(session, project))
        for at, example in enumerate(session.scalars(select(Example).order_by(Example.id)).all()):
            example.revision_number = example.approved_number = 2
            add_revision(session, example, people.annotator, dialogue(f"How do I sow seed {at}?", "Thinly."), 2)
            example.licence = None if at == 3 else example.licence
    return people


def test_from_versions_to_a_frozen_version_and_its_comparison_by_keyboard_alone(
    changed: factories.People,
    signed_in: Callable[..., BrowserContext],
    eyes: Eyes,
    complaints: Complaints,
) -> None:
    page = signed_in(changed.lead).new_page()
    keys, here = Keys(page), f"/projects/{changed.project.slug}/versions"
    page.goto(f"/projects/{changed.project.slug}")
    keys.until("Tab", f"a[href='{here}']")
    keys.press("Enter")
    page.wait_for_url(f"**{here}")
    eyes.look(page, "timeline-growing")
    keys.until("Tab", ".page-head a[href='#freeze']")
    keys.press("Enter")
    keys.until("Tab", "#name")
    keys.press("Control+a")
    keys.type("v 2")
    keys.until("Tab", "#reason-licences")
    keys.type("Mine, and in print.")
    keys.press("Enter")
    _is_refused_here(page, here, "Mine, and in print.")
    eyes.look(page, "freeze-refused")
    keys.until("Tab", "#name")
    keys.press("Control+a")
    keys.type("v2")
    keys.press("Enter")
    page.wait_for_url(f"**{here}/v2")
    complaints.forgive("422: ")
    # Back is the page as it was asked for, and no question whether to send something again.
    page.go_back()
    page.wait_for_url(f"**{here}*")
    expect(page.locator("h2", has_text="v3, in preparation").or_(page.locator("#freeze")).first).to_be_visible()
    page.goto(f"{here}")
    keys.until("Tab", "a[href*='comparison?old=v1&new=v2']")
    keys.press("Enter")
    page.wait_for_url("**/comparison?old=v1&new=v2")
    expect(page.locator("h1")).to_have_text("From v1 to v2")
    eyes.clean()
    complaints.none()


def _is_refused_here(page: Page, here: str, reason: str) -> None:
    expect(page.locator("#name-error")).to_be_visible()
    assert page.url.split("#")[0].endswith(here)
    expect(page.locator("#name")).to_have_value("v 2")
    expect(page.locator("#name")).to_be_focused()
    expect(page.locator("#reason-licences")).to_have_value(reason)


def test_back_from_a_row_stands_on_the_change_again_with_filter_and_page(
    changed: factories.People,
    signed_in: Callable[..., BrowserContext],
    complaints: Complaints,
) -> None:
    page = signed_in(changed.annotator).new_page()
    keys = Keys(page)
    page.goto(f"/projects/{changed.project.slug}/comparison?old=v1&new=draft&kind=reworded&page=2")
    expect(page.locator(".change")).to_have_count(MANY - 25)
    keys.press("j", "j", "j")
    expect(page.locator("#change-28 a.number")).to_be_focused()
    keys.press("Enter")
    page.wait_for_url("**/examples/*")
    page.go_back()
    page.wait_for_url("**kind=reworded&page=2#stand-28")
    expect(page.locator("#change-28 a.number")).to_be_focused()
    keys.press("j")
    expect(page.locator("#change-29 a.number")).to_be_focused()
    complaints.none()


def test_pages_without_a_version_say_what_comes_next(
    people: factories.People,
    signed_in: Callable[..., BrowserContext],
    eyes: Eyes,
    complaints: Complaints,
) -> None:
    page = signed_in(people.lead).new_page()
    for path, title in (("comparison", "Nothing to compare yet"), ("gates", "Nothing to look at yet")):
        page.goto(f"/projects/{people.project.slug}/{path}")
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        eyes.look(page, f"{path}-nothing")
    page.goto(f"/projects/{people.project.slug}/splits?dev=-1")
    expect(page.locator("#dev-error")).to_have_text("This must be at least 0.")
    eyes.look(page, "splits-refused")
    eyes.clean()
    complaints.none()
