"""What another site, a lost session or network, or a frame can do to somebody who is signed in: nothing."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import BrowserContext, Page, Route
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.accounts.models import LoginSession, User
from app.db import Database
from app.examples import operations as examples
from app.examples.models import Example
from app.projects.models import Split
from tests import factories
from tests.browser.looking import Complaints, expect, wait_until
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


@dataclass(frozen=True)
class Pair:
    """Two people of a project, an example that one writes on and one that the other decides on."""

    place: str
    writer: User
    reader: User
    draft: int
    waiting: int


@dataclass(frozen=True)
class Act:
    """Somebody writes into `field` on a page and presses a button or key; `done` is what the page then says."""

    path: str
    field: str
    press: str
    done: str
    person: User


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


WORDS = "An edge that is cut at an angle, at length."


@pytest.fixture
def pair(database: Database) -> Pair:
    """A project with a writer who has a draft in it, and a reviewer for whom an example waits."""
    with database.writing() as session:
        people = factories.people(session)
        team = [factories.user(session, name=name, password=PASSWORD) for name in ("Wilma Writer", "Ruth Reader")]
        for person, role in zip(team, (factories.Role.ANNOTATOR, factories.Role.REVIEWER), strict=True):
            factories.projects.add_member(session, people.lead, people.project, person, role)
        draft, waiting = (_example(session, people) for _ in range(2))
        examples.submit_example(session, people.annotator, waiting)
        return Pair(f"/projects/{people.project.slug}", *team, draft.id, waiting.id)


def _example(session: Session, people: factories.People) -> Example:
    said = [{"role": "user", "content": "What is a bevel?"}, {"role": "assistant", "content": "A cut."}]
    return examples.create_example(
        session, people.annotator, people.project, split=Split.TRAIN, source="authors", messages=said
    )


def new_example(pair: Pair) -> Act:
    """Save what was written on an empty desk."""
    return Act("/examples/new", "#turn-2", "Control+s", "Saved", pair.writer)


def new_submitted(pair: Pair) -> Act:
    """Submit what was written on an empty desk."""
    return Act("/examples/new", "#turn-2", "Control+Enter", "Submitted", pair.writer)


def draft_saved(pair: Pair) -> Act:
    """Save a draft."""
    return Act(f"/examples/{pair.draft}", "#turn-2", "Control+s", "", pair.writer)


def draft_submitted(pair: Pair) -> Act:
    """Submit a draft."""
    return Act(f"/examples/{pair.draft}", "#turn-2", "Control+Enter", "Submitted", pair.writer)


def changes_asked_for(pair: Pair) -> Act:
    """Ask for changes, in words."""
    return Act(f"/review/{pair.waiting}", "#words", "Ask for changes", "returned", pair.reader)


ACTS = [new_example, new_submitted, draft_saved, draft_submitted, changes_asked_for]


def write(page: Page, pair: Pair, act: Act) -> None:
    page.goto(pair.place + act.path)
    if act.path.endswith("new"):
        page.locator("#turn-1").fill("What is a bevel, and what is it for?")
    page.locator(act.field).fill(WORDS)


def press(page: Page, act: Act) -> None:
    if act.press.startswith("Control"):
        page.locator(act.field).focus()
        page.keyboard.press(act.press)
    else:
        button(page, act.press).click()


def has_worked(page: Page, pair: Pair, act: Act) -> None:
    """The same press now does what it says, and the text is where it belongs."""
    press(page, act)
    expect(page.locator("#said") if act.done else page.locator("#save-state")).to_contain_text(act.done or "Saved")
    expect(page.locator("#said .danger")).to_have_count(0)
    if act.path == "/examples/new" and act.done == "Saved":
        page.wait_for_url(re.compile(r"/examples/[0-9]+$"))
        expect(page.locator(act.field)).to_be_focused()
        page.reload()
        expect(page.locator(act.field)).to_have_value(WORDS)
    elif act.field == "#words":
        page.goto(f"{pair.place}/examples/{pair.waiting}")
        expect(page.locator("#main")).to_contain_text(WORDS)


@pytest.mark.parametrize("make", ACTS)
def test_a07_a_session_that_ends_while_somebody_writes_costs_no_word(
    database: Database, signed_in: Callable[..., BrowserContext], complaints: Complaints, pair: Pair,
    make: Callable[[Pair], Act],
) -> None:  # fmt: skip
    act = make(pair)
    browser = signed_in(act.person)
    page = browser.new_page()
    write(page, pair, act)
    with database.writing() as session:
        session.execute(delete(LoginSession))
    press(page, act)
    expect(page.locator("#said .danger")).to_contain_text("Please sign in first; nothing was changed. Your text is")
    expect(page.locator(act.field)).to_have_value(WORDS)
    assert page.url.endswith(act.path)
    with browser.expect_page() as opened:
        page.locator("#said").get_by_role("link", name="Sign in").click()
    door = opened.value
    door.get_by_label("E-mail").fill(act.person.email)
    door.get_by_label("Password").fill(PASSWORD)
    button(door, "Sign in").click()
    door.wait_for_url(f"**{pair.place}{act.path}")
    has_worked(page, pair, act)
    complaints.forgive("401: ")
    complaints.none()


@pytest.mark.parametrize("make", ACTS)
def test_a07_a_network_that_goes_while_somebody_writes_costs_no_word(
    signed_in: Callable[..., BrowserContext], complaints: Complaints, pair: Pair, make: Callable[[Pair], Act]
) -> None:
    act = make(pair)
    browser = signed_in(act.person)
    page = browser.new_page()
    write(page, pair, act)
    browser.set_offline(True)
    press(page, act)
    expect(page.locator("#said .danger")).to_contain_text("Not saved: no connection to the server. Your text is still")
    expect(page.locator(act.field)).to_have_value(WORDS)
    browser.set_offline(False)
    has_worked(page, pair, act)
    complaints.forgive("failed: ")
    complaints.forgive("console: ")
    complaints.none()


def test_a07_what_is_typed_while_the_answer_is_awaited_stays(
    signed_in: Callable[..., BrowserContext], complaints: Complaints, pair: Pair
) -> None:
    page = signed_in(pair.writer).new_page()
    write(page, pair, new_example(pair))
    held: list[Route] = []
    page.route("**/examples", lambda route: held.append(route))  # noqa: PLW0108 - a built-in is no handler
    page.keyboard.press("Control+s")
    wait_until(page, lambda: held, "the save is on its way")
    page.keyboard.type(" More.")
    held.pop().continue_()
    page.wait_for_url(re.compile(r"/examples/[0-9]+$"))
    expect(page.locator("#turn-2")).to_have_value(WORDS + " More.")
    expect(page.locator("#turn-2")).to_be_focused()
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.status == 303):
        page.keyboard.press("Control+s")
    page.reload()
    expect(page.locator("#turn-2")).to_have_value(WORDS + " More.")
    expect(page.locator("#main")).to_contain_text("2 revisions")
    complaints.none()


def test_the_keys_of_bold_and_italic_work_and_the_list_of_keys_is_true(
    signed_in: Callable[..., BrowserContext], complaints: Complaints, pair: Pair
) -> None:
    page = signed_in(pair.writer).new_page()
    page.goto(f"{pair.place}/examples/{pair.draft}")
    page.locator("#turn-2").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+b")
    expect(page.locator("#turn-2")).to_have_value("**A cut.**")
    page.keyboard.press("Control+i")
    expect(page.locator("#turn-2")).to_have_value("**_A cut._**")
    page.locator("h1").click()
    page.keyboard.press("?")
    keys = page.locator("#keys-help dt:visible, #keys-help dd:visible").all_inner_texts()
    told = dict(zip(keys[::2], keys[1::2], strict=True))
    wanted = {
        "Ctrl S": "Save",
        "Ctrl Enter": "Submit for review",
        "Alt A": "Add a turn",
        "Ctrl B": "bold, in a response",
    }
    assert told.items() >= (wanted | {"Ctrl P": "preview, and back"}).items()
    assert "search" not in keys
    page.keyboard.press("Escape")
    page.goto(f"{pair.place}/examples")
    page.keyboard.press("?")
    keys = page.locator("#keys-help dd:visible").all_inner_texts()
    assert keys[-4:] == ["next and previous row", "open the row", "search", "this list"]
    assert "Write a new one" in keys
    complaints.none()


def test_a07_without_scripts_the_refusal_hands_the_words_back(
    database: Database, signed_in: Callable[..., BrowserContext], pair: Pair
) -> None:
    page = signed_in(pair.writer, java_script_enabled=False).new_page()
    write(page, pair, new_example(pair))
    with database.writing() as session:
        session.execute(delete(LoginSession))
    button(page, "Submit for review").click()
    expect(page.locator("#main")).to_contain_text("Please sign in first")
    kept = [box.input_value() for box in page.locator("#main textarea").all()]
    assert kept == ["What is a bevel, and what is it for?", WORDS]
    expect(page.locator("#sign-in-again")).to_have_attribute("href", f"/sign-in?next={pair.place}/examples/new")


def test_what_somebody_else_saved_is_compared_then_saved_over_submitted_and_taken_back(
    database: Database, signed_in: Callable[..., BrowserContext], complaints: Complaints, pair: Pair
) -> None:
    page = signed_in(pair.writer).new_page()
    write(page, pair, draft_saved(pair))
    with database.writing() as session:
        example = session.get_one(Example, pair.draft)
        theirs = [{"role": "user", "content": "What is a bevel?"}, {"role": "assistant", "content": "Theirs."}]
        reader = session.get_one(User, pair.reader.id)
        examples.save_revision(session, reader, example, based_on=1, messages=theirs)
        example.claimed_by = example.claimed_until = None  # they have finished
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Ruth Reader saved revision 2")
    button(page, "Compare both").click()
    expect(page.locator("#main del").first).to_contain_text("Theirs")
    expect(page.locator("#turn-2")).to_have_value(WORDS)
    page.locator("#turn-2").focus()
    page.keyboard.press("Control+s")
    expect(page.locator("#main")).to_contain_text("3 revisions")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said")).to_contain_text("Submitted")
    page.goto(f"{pair.place}/examples/{pair.draft}")
    button(page, "Take back").click()
    expect(page.locator("#said")).to_contain_text("it is a draft again")
    expect(page.locator("#turn-2")).to_have_value(WORDS)
    complaints.forgive("409: ")
    complaints.none()
