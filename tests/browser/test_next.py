"""Add next by keyboard alone: two of ten accepted, one put off, one never, the last undone; looked at in all lights."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from app.config import Settings
from app.db import Database
from app.sources.models import Candidate, CandidateStatus
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect
from tests.browser.walk import said
from tests.examples import rows
from tests.selection.encoded import BREAD, DOGS, FERRIES, TIDES, pool


@pytest.fixture
def people(database: Database, settings: Settings) -> factories.People:
    with database.writing() as session:
        made = factories.people(session)
        run = rows.import_run(session, made.project)
        pool(session, settings, made.project, run, [FERRIES] * 8 + [DOGS] * 6 + [BREAD] * 4 + [TIDES] * 2)
        return made


@pytest.fixture
def page(people: factories.People, signed_in: Callable[..., BrowserContext]) -> Page:
    opened = signed_in(people.annotator).new_page()
    opened.goto(f"/projects/{people.project.slug}")
    return opened


def statuses(database: Database) -> list[str]:
    with database.reading() as session:
        judged = session.scalars(select(Candidate.status).where(Candidate.status != CandidateStatus.OPEN))
        return sorted(status.value for status in judged)


def chosen(page: Page) -> str:
    return page.locator("a.item.at .title").inner_text()


def test_two_of_ten_are_accepted_without_a_mouse(
    page: Page, complaints: Complaints, eyes: Eyes, database: Database
) -> None:
    page.get_by_role("link", name="Add next").focus()
    page.keyboard.press("Enter")
    expect(page.locator("ol a.item")).to_have_count(10)
    eyes.look(page, "next")
    first = chosen(page)
    page.keyboard.press("a")
    said(page, "Accepted as draft")
    expect(page.locator(".item.done")).to_have_count(1)
    expect(page.locator(".item.done .title")).to_have_text(first)
    page.keyboard.press("j")
    expect(page.locator("ol a.item").nth(1)).to_have_class("item at")
    second = chosen(page)
    page.keyboard.press("a")
    said(page, "Accepted as draft")
    assert statuses(database) == ["used", "used"]
    page.keyboard.press("n")
    said(page, "Put off")
    page.keyboard.press("x")
    said(page, "Rejected, not for this set.")
    expect(page.locator(".item.done")).to_have_count(3)
    eyes.look(page, "next-decided")
    page.keyboard.press("u")
    said(page, "Undone: it is not rejected any more.")
    page.keyboard.press("u")
    said(page, "Undone: it is not put off any more.")
    assert statuses(database) == ["used", "used"]
    page.keyboard.press("u")
    said(page, "Undone: it is a candidate again.")
    expect(page.locator("a.item.at .title")).to_have_text(second)
    assert statuses(database) == ["used"]
    page.keyboard.press("o")
    expect(page.get_by_role("link", name="The first ten")).to_be_visible()
    complaints.none()
    eyes.clean()


def test_more_is_asked_for_listed_and_withdrawn_by_keys(page: Page, complaints: Complaints, eyes: Eyes) -> None:
    page.goto(f"{page.url}/next")
    page.get_by_label("We need more about").focus()
    page.keyboard.type("grieving for a dog that has died")
    page.keyboard.press("Enter")
    said(page, "Asked for; the ten below go by it.")
    asked = page.locator(".requests .item")
    expect(asked).to_contain_text("grieving for a dog that has died")
    eyes.look(page, "next-asked")
    page.get_by_role("button", name="Withdraw: grieving").focus()
    page.keyboard.press("Enter")
    said(page, "Withdrawn: grieving for a dog that has died.")
    expect(asked).to_have_count(0)
    page.locator("#said").get_by_role("button", name="Undo").click()
    said(page, "Asked for again")
    expect(asked).to_have_count(1)
    complaints.none()
    eyes.clean()


def test_without_a_script_the_same_is_done_by_links_and_buttons(
    people: factories.People, signed_in: Callable[..., BrowserContext], database: Database
) -> None:
    page = signed_in(people.annotator, java_script_enabled=False).new_page()
    page.goto(f"/projects/{people.project.slug}/next")
    page.locator("ol a.item").nth(2).click()
    third = chosen(page)
    page.get_by_role("button", name="Accept as a draft").click()
    expect(page.locator(".item.done .title")).to_have_text(third)
    assert statuses(database) == ["used"]
    page.get_by_role("button", name=f"Undo: {third}").click()
    expect(page.locator(".item.done")).to_have_count(0)
    assert statuses(database) == []
