"""A project changes its model from its page: refused in words, under way with the old one in use, then all at once."""

import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext

from app.db import Database
from app.embeddings.encoder import packaged_folder
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect, press_until
from tests.browser.walk import button
from tests.duplicates.rooms import GIT, KETTLE, candidate, import_run


def test_a_model_is_changed_by_keyboard(
    database: Database, signed_in: Callable[..., BrowserContext], eyes: Eyes, complaints: Complaints, tmp_path: Path
) -> None:
    other = shutil.copytree(packaged_folder(), tmp_path / "small-english")
    with database.writing() as session:
        people = factories.people(session)
        run = import_run(session, people)
        for name, prompt in (("1", KETTLE), ("2", GIT)):
            candidate(session, run, name, prompt)
    url = f"/projects/{people.project.slug}/encoding"
    page = signed_in(people.admin).new_page()
    page.goto(url)
    button(page, "Encode the pool").click()
    expect(page.get_by_text("All 2 candidates are encoded by all-MiniLM-L6-v2.")).to_be_visible(timeout=180_000)
    press_until(page, "Tab", "#model-change > summary")
    page.keyboard.press("Enter")
    press_until(page, "Tab", "#model")
    page.keyboard.type("nowhere")
    eyes.look(page, "model-form")
    page.keyboard.press("Enter")
    expect(page.locator("#model-error")).to_contain_text("neither a folder on this machine nor a name of the Hub")
    eyes.look(page, "model-refused")
    page.locator("#model").fill(str(other))
    page.keyboard.press("Enter")
    # A fast machine may be done by now.
    expect(page.locator("#encoding-standing")).to_contain_text("encoded by small-english")
    eyes.look(page, "model-changing")
    expect(page.get_by_text("All 2 candidates are encoded by small-english.")).to_be_visible(timeout=180_000)
    eyes.look(page, "model-changed")
    page = signed_in(people.lead).new_page()
    page.goto(url)
    page.locator("#model-change > summary").click()
    expect(page.locator("#model")).to_have_count(0)
    eyes.look(page, "model-form-of-a-lead")
    complaints.none()
    eyes.clean()
