"""The pool is encoded from its page: none, under way, stopped, the rest, all."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext
from sqlalchemy import insert

from app.db import Database
from app.sources.models import Candidate
from app.text.canonical import content_hash
from tests import factories
from tests.browser.looking import WORK_PATIENCE, Complaints, Eyes, expect
from tests.browser.walk import button
from tests.duplicates.rooms import SITE, import_run, messages

MANY = 600


def test_a_pool_is_encoded_and_stopped_and_encoded_to_its_end(
    database: Database, signed_in: Callable[..., BrowserContext], eyes: Eyes, complaints: Complaints
) -> None:
    with database.writing() as session:
        people = factories.people(session)
        run = import_run(session, people)
        said = [messages(f"What is {number} times {number + 7}, and why?") for number in range(MANY)]
        rows = [
            {
                "project_id": run.project_id, "import_run_id": run.id, "site": SITE, "external_id": str(number),
                "title": one[0]["content"], "messages": one, "content_hash": content_hash(one), "published": True,
                "source": "stackexchange_other", "score": 1,
            }
            for number, one in enumerate(said)
        ]  # fmt: skip
        session.execute(insert(Candidate), rows)
    page = signed_in(people.annotator).new_page()
    page.goto(f"/projects/{people.project.slug}/encoding")
    expect(page.get_by_text("None of 600 candidates is encoded yet.")).to_be_visible()
    eyes.look(page, "encoding-none")
    button(page, "Encode the pool").click()
    expect(page.locator("#encoding-standing progress")).to_be_visible()
    expect(page.locator("#encoding-standing")).to_contain_text("a second", timeout=WORK_PATIENCE)
    eyes.look(page, "encoding-under-way")
    page.goto(f"/projects/{people.project.slug}/encoding")
    if page.get_by_role("button", name="Stop").count():  # a fast machine may be done by now
        button(page, "Stop").click()
        expect(page.get_by_text("Stopped by request.")).to_be_visible(timeout=WORK_PATIENCE)
        page.goto(f"/projects/{people.project.slug}/encoding")
        eyes.look(page, "encoding-stopped")
        page.locator("#encoding-start").click()
    expect(page.get_by_text("All 600 candidates are encoded by all-MiniLM-L6-v2.")).to_be_visible(timeout=WORK_PATIENCE)
    eyes.look(page, "encoding-all")
    complaints.none()
    eyes.clean()
