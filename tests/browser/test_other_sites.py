"""What another site, a lost session or a frame can do to somebody who is signed in: nothing."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import BrowserContext
from sqlalchemy import delete

from app.accounts.models import LoginSession
from app.db import Database
from tests import factories
from tests.browser.looking import Complaints, expect
from tests.browser.serving import Site
from tests.browser.walk import PASSWORD, button

PAGES = {
    "/sign-out": "<form method=post action='{site}/sign-out'></form>",
    "/sign-in": "<form method=post action='{site}/sign-in'>"
    "<input name=email value='{email}'><input name=password value='{password}'></form>",
    "/project": "<form method=post action='{site}/projects'><input name=name value=Stolen></form>",
    "/frame": "<iframe src='{site}/projects'></iframe>",
}
SEND = "document.forms[0].submit()"


@pytest.fixture
def elsewhere(site: Site) -> Iterator[Callable[..., str]]:
    """Another origin: `elsewhere(email=…)` is its address, with pages that try to act on the site."""
    values = {"site": site.address, "email": "", "password": PASSWORD}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = PAGES.get(self.path, "").format(**values).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def address(**more: str) -> str:
        values.update(more)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield address
    server.shutdown()
    server.server_close()
    thread.join()


def test_a09_a13_another_site_can_neither_act_nor_frame(
    database: Database, signed_in: Callable[..., BrowserContext], elsewhere: Callable[..., str]
) -> None:
    with database.writing() as session:
        people = factories.people(session)
        other = factories.user(session, name="Otto Other", password=PASSWORD)
    evil = elsewhere(email=other.email)
    page = signed_in(people.admin).new_page()
    for path in ("/sign-out", "/sign-in", "/project"):
        page.goto(evil + path)
        with page.expect_navigation() as answer:
            page.evaluate(SEND)
        assert answer.value.status == 403, path
    page.goto("/projects")
    expect(page.locator("nav.rail")).to_contain_text(people.admin.name)
    expect(page.locator("#main")).not_to_contain_text("Stolen")
    page.goto(f"{evil}/frame")
    page.wait_for_load_state("networkidle")
    assert all("Projects" not in frame.content() for frame in page.frames[1:])


def test_a07_a_session_that_ends_while_somebody_writes_costs_no_word(
    database: Database,
    signed_in: Callable[..., BrowserContext],
    complaints: Complaints,
) -> None:
    with database.writing() as session:
        people = factories.people(session)
        writer = factories.user(session, name="Wilma Writer", password=PASSWORD)
        factories.projects.add_member(session, people.lead, people.project, writer, factories.Role.ANNOTATOR)
    browser = signed_in(writer)
    page = browser.new_page()
    page.goto(f"/projects/{people.project.slug}/examples/new")
    page.locator("#turn-1").fill("What is a bevel?")
    page.locator("#turn-2").fill("An edge cut at an angle.")
    button(page, "Save").last.click()
    expect(page.locator("#said")).to_contain_text("Saved")
    with database.writing() as session:
        session.execute(delete(LoginSession))
    page.locator("#turn-2").fill("An edge that is cut at an angle.")
    page.keyboard.press("Control+s")
    expect(page.locator("#said .danger")).to_contain_text("sign in", ignore_case=True)
    expect(page.locator("#turn-2")).to_have_value("An edge that is cut at an angle.")
    with browser.expect_page() as opened:
        page.locator("#said").get_by_role("link", name="Sign in").click()
    door = opened.value
    door.get_by_label("E-mail").fill(writer.email)
    door.get_by_label("Password").fill(PASSWORD)
    button(door, "Sign in").click()
    door.wait_for_url("**/projects/**")
    page.locator("#turn-2").focus()
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.status == 303):
        page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved")
    page.reload()
    expect(page.locator("#turn-2")).to_have_value("An edge that is cut at an angle.")
    complaints.forgive("401: ")
    complaints.none()
