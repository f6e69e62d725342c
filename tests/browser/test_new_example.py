"""An example that is not made yet: what is ticked and what is dismissed before the first save is there after it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from app.accounts.models import Role
from app.config import Settings
from app.db import Database
from app.duplicates.models import DuplicatePair, Verdict
from app.examples import roles
from app.examples.models import Example
from app.projects import operations as projects
from app.projects import roles as project_roles
from app.projects.models import AuthorGroup
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect
from tests.browser.walk import button, said
from tests.duplicates.desks import KETTLE, KETTLE_MEANT, encode
from tests.examples import rows

TOKENIZER = {
    "version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"},
    "model": {"type": "BPE", "vocab": {sign: at for at, sign in enumerate("Atex.,")}, "merges": []},
}  # fmt: skip


@pytest.mark.own_server  # what another one knows of other tests' vectors would be of no use here
def test_flags_and_dismissals_of_a_new_example_and_a_prompt_that_is_trained_on(
    signed_in: Callable[..., BrowserContext],
    database: Database,
    settings: Settings,
    complaints: Complaints,
    eyes: Eyes,
) -> None:
    with database.writing() as session:
        lead, writer = (factories.user(session) for _ in range(2))
        made = factories.project(session, lead)
        projects.add_member(session, lead, made, writer, Role.ANNOTATOR)
        project_roles.set_author(session, lead, made, writer.id, group=AuthorGroup.B, reads_tests=True)
        there = rows.example(session, lead, made, messages=rows.pair(KETTLE, "Boil vinegar in it.")).id
    encode(database, settings)
    page = signed_in(writer).new_page()
    page.goto(f"/projects/{made.slug}/examples/new")
    tick_and_dismiss(page, there, eyes)
    page.get_by_role("button", name="Save").first.click()
    page.wait_for_url(re.compile("/examples/[0-9]+$"))
    expect(page.locator("#roles")).to_contain_text("sensitive, fixes the answer's form")
    expect(page.locator("#nearness .near")).to_have_count(0)
    with database.reading() as session:
        pair = session.scalars(select(DuplicatePair)).one()
        assert pair.verdict is Verdict.KEEP_BOTH
        new = session.scalars(select(Example).order_by(Example.id.desc())).first()
        assert new is not None
        assert roles.roles_of(new).flags == ["sensitive", "format_constraint"]
    be_refused_and_say_why(page, made.slug, there, eyes)
    eyes.clean()
    complaints.forgive("422: ")
    complaints.none()


def tick_and_dismiss(page: Page, there: int, eyes: Eyes) -> None:
    page.locator("#roles > summary").click()
    page.get_by_label("Sensitive").check()
    page.get_by_label("Fixes the form of the answer").check()
    eyes.look(page, "new-flags")
    page.locator("#turn-1").fill(KETTLE_MEANT)
    note = page.locator("#nearness .near")
    expect(note).to_contain_text(f"Close to example {there}")
    note.get_by_role("button", name="Not a duplicate").click()
    expect(note).to_have_count(0)
    expect(page.locator("#turn-1")).to_be_focused()
    expect(page.locator("#not-duplicates")).to_have_value(json.dumps({str(there): ""}))
    # What is typed on is compared again, and what was dismissed stays so.
    with page.expect_response("**/nearness"):
        page.locator("#turn-1").press_sequentially(" ")
    expect(note).to_have_count(0)
    expect(page.locator("#kept")).to_contain_text("Kept on the server")
    page.reload()
    page.goto(page.locator("a", has_text="Write on").first.get_attribute("href") or "")
    expect(page.get_by_label("Sensitive")).to_be_checked()
    expect(note).to_have_count(1)  # of what is dismissed and not saved the page alone knows
    note.get_by_role("button", name="Not a duplicate").click()
    expect(note).to_have_count(0)


def be_refused_and_say_why(page: Page, slug: str, there: int, eyes: Eyes) -> None:
    page.goto(f"/projects/{slug}/examples/new")
    page.get_by_label("Split").select_option("test")
    page.locator("#turn-1").fill(f"{KETTLE} Please?")
    note = page.locator("#nearness .near.danger", has_text=f"Read example {there}")
    expect(note).to_contain_text("a train prompt")
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("trains on nearly the same words")
    expect(page.locator("#turn-1")).to_have_value(f"{KETTLE} Please?")
    expect(note).to_have_count(1)
    eyes.look(page, "group-b-refused")
    note.get_by_text("Both may stay").click()
    note.get_by_role("button", name="Not a duplicate").click()
    expect(note).to_contain_text("Say why both may stay")
    note.get_by_label("Why?").fill("Another kettle altogether.")
    note.get_by_role("button", name="Not a duplicate").click()
    expect(note).to_have_count(0)
    page.keyboard.press("Control+s")
    page.wait_for_url(re.compile("/examples/[0-9]+$"))
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 1")


def test_a_tokenizer_is_brought_in_by_the_browser_and_removed(
    signed_in: Callable[..., BrowserContext],
    people: factories.People,
    tmp_path: Path,
    complaints: Complaints,
    eyes: Eyes,
) -> None:
    page = signed_in(people.lead).new_page()
    page.goto(f"/projects/{people.project.slug}/tokenizer")
    good, bad = tmp_path / "tokenizer.json", tmp_path / "notes.json"
    good.write_text(json.dumps(TOKENIZER))
    bad.write_text('{"vocab": {}}')
    page.get_by_label("A tokenizer.json").set_input_files(bad)
    button(page, "Count by this file").click()
    expect(page.locator("#file-error")).to_contain_text("it is JSON, but has no model of a tokenizer")
    eyes.look(page, "tokenizer-refused")
    page.get_by_label("A tokenizer.json").set_input_files(good)
    button(page, "Count by this file").click()
    said(page, "Tokens are counted by the tokenizer tokenizer.json.")
    expect(page.locator("#main dl.facts")).to_contain_text(people.lead.name)
    eyes.look(page, "tokenizer-set")
    button(page, "Remove it").first.click()
    eyes.look(page, "tokenizer-removing")
    page.locator("#estimate").get_by_role("button", name="Remove it").click()
    said(page, "Tokens are estimated.")
    eyes.clean()
    complaints.none()
