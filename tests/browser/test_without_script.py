"""Everything on the path's way to a version works by plain forms, with scripts switched off."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Page

from app import sample
from app.db import Database
from tests import factories
from tests.browser.looking import PHONE, WIDE, Complaints, expect
from tests.browser.walk import PASSWORD, button, said, to_its_funnel_without_script


def test_sign_in_import_submit_approve_and_freeze_by_plain_forms(
    database: Database, visitor: Callable[..., BrowserContext], complaints: Complaints, tmp_path: Path
) -> None:
    with database.writing() as session:
        people = factories.people(session)
        lead = factories.user(session, name="Lena Lead", password=PASSWORD)
        factories.projects.add_member(session, people.lead, people.project, lead, factories.Role.ADMIN)
        reader = factories.user(session, name="Ruth Reader", password=PASSWORD)
        factories.projects.add_member(session, people.lead, people.project, reader, factories.Role.REVIEWER)
        slug = people.project.slug
    page = visitor(java_script_enabled=False).new_page()
    sign_in(page, lead.email)
    import_a_dump(page, slug)
    number = write(page, slug)
    second = visitor(java_script_enabled=False).new_page()
    sign_in(second, reader.email)
    second.goto(f"/projects/{slug}/review")
    button(second, "Approve").click()
    said(second, "pproved")
    page.goto(f"/projects/{slug}/examples/{number}")
    expect(page.locator("#main")).to_contain_text("Approved at revision")
    freeze(page, slug)
    button(page, "Sign out").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    complaints.none()


def sign_in(page: Page, email: str) -> None:
    """Through the door."""
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    button(page, "Sign in").click()
    page.wait_for_url("**/projects/**")


def import_a_dump(page: Page, slug: str) -> None:
    """The sample, its rules counted again by a button, and its progress by looking again."""
    dump = sample.dump_folder()
    page.goto(f"/projects/{slug}/sources/new")
    page.get_by_label("From this computer").set_input_files([dump / "Posts.xml", dump / "Users.xml"])
    button(page, "Look at it").click()
    left = page.locator("table.rules tfoot td").last
    expect(left).to_have_text("31")
    page.get_by_label("Site").fill(sample.SITE)
    page.get_by_role("switch", name="Length").uncheck()
    button(page, "Count again").click()
    expect(left).not_to_have_text("31")
    expect(page.get_by_label("Site")).to_have_value(sample.SITE)
    page.get_by_role("switch", name="Length").check()
    page.locator("button[form=setup]").click()
    to_its_funnel_without_script(page)
    expect(page.locator(".state")).to_contain_text("31 of 102 records were kept")


def write(page: Page, slug: str) -> int:
    """A candidate becomes an example; looked at, saved, submitted."""
    page.goto(f"/projects/{slug}/pool")
    button(page, "Turn into an example").click()
    page.wait_for_url("**/examples/*")
    number = int(page.url.rsplit("/", 1)[1])
    page.locator("#turn-2").fill("A **short** answer.\n\n- and a list")
    page.locator("label:has(#as-preview)").click()
    button(page, "Look again").click()
    expect(page.locator("#preview strong")).to_have_text("short")
    page.goto(f"/projects/{slug}/examples/{number}")
    page.set_viewport_size(PHONE)
    expect(page.locator("#turn-2")).to_be_hidden()
    page.locator("label:has(#tab-response)").click()
    expect(page.locator("#turn-1")).to_be_hidden()
    page.locator("#turn-2").fill("A **short** answer.")
    page.set_viewport_size(WIDE)
    button(page, "Save").last.click()
    said(page, "Saved.")
    button(page, "Submit for review").click()
    said(page, "Submitted")
    return number


def freeze(page: Page, slug: str) -> None:
    """A version, by its form."""
    page.goto(f"/projects/{slug}/versions")
    drawer = page.locator("details", has_text="Freeze with a reason")
    if drawer.count():
        drawer.locator("summary").click()
        for reason in page.locator("input[name^=reason_]").all():
            reason.fill("A first version, to try the path with.")
    page.get_by_label("Name of the version").fill("v1")
    page.locator("#freeze button").click()
    page.wait_for_url("**/versions/v1")
    expect(page.locator(".state")).to_contain_text("1 example")
