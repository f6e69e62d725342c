"""Must be shown 1 of the desk: whatever dies while somebody writes, the words are there afterwards."""

import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Page, Playwright
from playwright.sync_api import Error as BrowserError
from sqlalchemy import delete, select

from app.accounts.models import LoginSession, User
from app.db import Database
from app.examples import operations
from app.examples.models import WorkingCopy
from tests import factories
from tests.browser.conftest import ARGUMENTS
from tests.browser.find_browser import find_browser
from tests.browser.looking import PATIENCE, Complaints, expect
from tests.browser.serving import Site
from tests.browser.walk import PASSWORD, button

VOCABULARY = ("edge", "grain", "plane", "iron", "hone", "strop", "bevel", "chisel", "tenon", "gauge", "bench", "oil")
KEPT = re.compile("Kept on the server")


def prose(words: int, start: int = 0) -> str:
    """So many words, numbered, so that no part of it could be another part."""
    said = (f"{VOCABULARY[number % len(VOCABULARY)]}{number}" for number in range(start, start + words))
    return " ".join(said)


@dataclass(frozen=True)
class Place:
    """A writer with a draft, and the address of its desk."""

    writer: User
    other: User
    example_id: int
    path: str

    @property
    def new(self) -> str:
        """The address of an empty desk."""
        return self.path.rsplit("/", 1)[0] + "/new"


@pytest.fixture
def place(database: Database) -> Place:
    with database.writing() as session:
        people = factories.people(session)
        team = [factories.user(session, name=name, password=PASSWORD) for name in ("Wilma Writer", "Ruth Reader")]
        for person in team:
            factories.projects.add_member(session, people.lead, people.project, person, factories.Role.REVIEWER)
        said = [{"role": "user", "content": "What is a bevel?"}, {"role": "assistant", "content": "A cut."}]
        made = operations.create_example(session, team[0], people.project, split="train", source="x", messages=said)
        return Place(*team, made.id, f"/projects/{people.project.slug}/examples/{made.id}")


@dataclass
class Profile:
    """A Chromium with a profile on the disk, which can be killed and opened again."""

    folder: Path
    address: str
    context: BrowserContext | None = None

    def open(self, playwright: Playwright, token: str) -> Page:
        """Start it on the same profile; the session cookie is set anew, as browsers forget it."""
        self.context = playwright.chromium.launch_persistent_context(
            str(self.folder), executable_path=find_browser(), args=ARGUMENTS, base_url=self.address
        )
        self.context.set_default_timeout(PATIENCE)
        cookie = {"name": "handpicked_session", "value": token, "url": self.address}
        self.context.add_cookies([cookie])  # type: ignore[list-item]
        return self.context.new_page()

    def kill(self) -> None:
        """Kill -9 of the browser and all its processes, by their ids."""
        mark = f"--user-data-dir={self.folder}"
        mine = [one for one in psutil.process_iter(["cmdline"]) if mark in (one.info["cmdline"] or [])]
        family = [*mine, *(child for one in mine for child in one.children(recursive=True))]
        assert family
        for one in family:
            if one.is_running():
                os.kill(one.pid, signal.SIGKILL)
        psutil.wait_procs(family, timeout=60)


def reads(page: Page, text: str) -> None:
    """The response on the desk comes to be exactly this; a difference is told by its place."""
    wait = "(text) => document.querySelector('#turn-2').value === text"
    try:
        page.wait_for_function(wait, arg=text)
    except BrowserError:
        stands = page.locator("#turn-2").input_value()
        place = next((at for at, pair in enumerate(zip(stands, text, strict=False)) if len(set(pair)) > 1), len(stands))
        raise AssertionError(
            f"from {place}: {stands[place:][:80]!r} ({len(stands)}), not {text[place:][:80]!r} ({len(text)})"
        ) from None


def cut_off(page: Page) -> Page:
    """A page that reaches no server any more.

    Offline alone does not do it: a browser ends that a moment before a page that is closed is gone, which sends then.
    """
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('no network')); }")
    return page


@pytest.fixture
def profile(site: Site, tmp_path: Path) -> Profile:
    return Profile(tmp_path / "profile", site.address)


@pytest.mark.own_server
@pytest.mark.long
def test_a61_the_server_is_killed_and_then_the_browser_and_every_word_is_there(
    database: Database, site: Site, place: Place, profile: Profile, playwright: Playwright
) -> None:
    page = profile.open(playwright, factories.signed_in(database, place.writer))
    page.goto(place.path)
    text = page.locator("#turn-2")
    text.fill("")
    page.keyboard.insert_text(prose(1000) + " ")
    expect(page.locator("#kept")).to_have_text(KEPT)
    with database.reading() as session:
        assert session.scalar(select(WorkingCopy.messages))[1]["content"] == prose(1000) + " "
    port = site.kill()
    page.keyboard.insert_text(prose(990, 1000) + " ")
    expect(page.locator("#kept")).to_contain_text("Kept in this browser; the server has not answered since")
    site.start(port)
    expect(page.locator("#kept")).to_have_text(KEPT)
    acknowledged = prose(1990) + " "
    site.kill()
    page.keyboard.type(prose(10, 1990), delay=2)
    whole = acknowledged + prose(10, 1990)
    expect(page.locator("#desk-form")).to_have_attribute("data-kept", "yes")
    profile.kill()
    site.start(port)
    page = profile.open(playwright, factories.signed_in(database, place.writer))
    page.goto(place.path)
    expect(page.locator("#offers")).to_contain_text("are back")
    reads(page, whole)
    expect(page.locator("#kept")).to_have_text(KEPT)
    button(page.locator("#offers"), "Throw away").click()
    reads(page, acknowledged)


@pytest.mark.own_server
@pytest.mark.long
@pytest.mark.parametrize("trouble", ["network", "session"])
def test_a61_the_network_or_the_session_goes_and_then_the_browser_is_killed(
    database: Database, place: Place, profile: Profile, playwright: Playwright, trouble: str
) -> None:
    page = profile.open(playwright, factories.signed_in(database, place.writer))
    page.goto(place.new)
    page.locator("#turn-1").fill("How is a plane iron sharpened?")
    page.locator("#turn-2").focus()
    page.keyboard.insert_text(prose(1000) + " ")
    expect(page.locator("#kept")).to_have_text(KEPT)
    if trouble == "network":
        page.context.set_offline(True)
    else:
        end_sessions(database)
    page.keyboard.insert_text(prose(1000, 1000))
    expect(page.locator("#kept")).to_contain_text("Kept in this browser; ")
    profile.kill()
    page = profile.open(playwright, factories.signed_in(database, place.writer))
    page.goto(place.new)
    page.get_by_role("link", name="Write on").click()
    expect(page.locator("#offers")).to_contain_text("are back")
    reads(page, prose(2000))
    page.keyboard.press("Control+s")
    expect(page.locator("#said")).to_contain_text("Saved")
    with database.reading() as session:
        assert session.scalar(select(WorkingCopy.id)) is None


def end_sessions(database: Database) -> None:
    with database.writing() as session:
        session.execute(delete(LoginSession))


def test_a61_the_page_says_what_is_kept_where_and_offers_it_again(
    database: Database, place: Place, signed_in: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    browser = signed_in(place.writer)
    page = browser.new_page()
    page.goto(place.path)
    expect(page.locator("#kept")).to_have_text("")
    page.locator("#turn-2").fill(prose(1000))
    expect(page.locator("#kept")).to_have_text(KEPT)
    browser.set_offline(True)
    page.locator("#turn-2").fill(prose(2000))
    expect(page.locator("#kept")).to_contain_text("Kept in this browser; the server has not answered since")
    cut_off(page).close()
    browser.set_offline(False)
    page = browser.new_page()
    page.goto(place.path)
    expect(page.locator("#offers")).to_contain_text("are back")
    reads(page, prose(2000))
    expect(page.locator("#kept")).to_have_text(KEPT)
    end_sessions(database)
    page.locator("#turn-2").fill(prose(2001))
    expect(page.locator("#kept")).to_contain_text("Kept in this browser; you are signed out")
    token = factories.signed_in(database, place.writer)
    browser.add_cookies([{"name": "handpicked_session", "value": token, "url": complaints.address}])
    expect(page.locator("#kept")).to_have_text(KEPT)
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 2")
    expect(page.locator("#kept")).to_have_text("")
    complaints.forgive("failed: ")
    complaints.forgive("console: ")
    complaints.forgive("401: ")
    complaints.none()


def test_a07_nobody_else_in_the_same_browser_sees_what_was_typed(
    database: Database, place: Place, signed_in: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    browser = signed_in(place.writer)
    page = browser.new_page()
    page.goto(place.path)
    end_sessions(database)
    page.locator("#turn-2").fill("Mine alone.")
    expect(page.locator("#kept")).to_contain_text("Kept in this browser; you are signed out")
    token = factories.signed_in(database, place.other)
    page.close()
    browser.add_cookies([{"name": "handpicked_session", "value": token, "url": complaints.address}])
    page = browser.new_page()
    page.goto(place.path)
    expect(page.locator("#turn-2")).to_have_value("A cut.")
    expect(page.locator("#offers")).to_have_text("")
    button(page, "Sign out").first.click()
    page.wait_for_url("**/sign-in**")
    complaints.forgive("401: ")
    complaints.none()
