"""A large file goes up in pieces: a lost connection is waited out, and a new page goes on where the old one ended."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page

from app.db import Database
from tests import factories
from tests.browser.looking import PATIENCE, Complaints, Eyes, expect
from tests.browser.serving import Site
from tests.browser.walk import button

LINE = json.dumps({"conversations": ["Why is the sky blue?", "Because of Rayleigh scattering. " * 30]}) + "\n"
ROWS = 30_000  # some 29 MB: eight pieces


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_text(LINE * ROWS)
    return path


def choose(page: Page, slug: str, path: Path) -> None:
    page.goto(f"/projects/{slug}/sources/new")
    page.get_by_label("From this computer").set_input_files(path)
    button(page, "Look at it").click()


def test_a37_an_upload_survives_a_lost_connection_and_a_new_page(
    database: Database,
    signed_in: Callable[..., BrowserContext],
    complaints: Complaints,
    eyes: Eyes,
    large: Path,
    site: Site,
) -> None:
    with database.writing() as session:
        people = factories.people(session)
    slug = people.project.slug
    page = signed_in(people.annotator).new_page()
    pieces: list[str] = []
    page.on("requestfinished", lambda request: request.method == "PUT" and pieces.append(request.url))
    cut = True

    def wire(route) -> None:  # type: ignore[no-untyped-def]
        if cut and len(pieces) >= 2:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/uploads/*/0?*", wire)
    choose(page, slug, large)
    expect(page.get_by_text("The connection is lost")).to_be_visible()
    eyes.look(page, "upload-lost")
    cut = False
    page.wait_for_url("**/imports/*")
    expect(page.locator(".found")).to_contain_text("LIMA")
    assert len({url.rpartition("=")[2] for url in pieces}) == 8

    # The page is left in the middle; another one goes on with what had not arrived.
    cut = True
    pieces.clear()
    choose(page, slug, large)
    expect(page.get_by_text("The connection is lost")).to_be_visible()
    page.goto(f"/projects/{slug}/sources/new")
    expect(page.get_by_label("Uploads on their way")).to_contain_text("pairs.jsonl")
    eyes.look(page, "upload-half")
    sent = len(pieces)
    choose(page, slug, large)
    expect(page.get_by_text("The connection is lost")).to_be_visible()
    assert page.locator("[data-upload]").count() == 1
    expect(page.get_by_text("Half sent")).to_be_hidden()
    cut = False
    page.wait_for_url("**/imports/*")
    assert len(pieces) - sent == 8 - 2
    sizes = {path.stat().st_size for path in (site.data_dir / "uploads").glob("*/upload")}
    assert sizes == {large.stat().st_size}
    complaints.forgive("failed: ")
    complaints.forgive("console: Failed to load resource: net::ERR_CONNECTION_RESET")
    eyes.clean()
    complaints.none()


def test_a_refusal_is_said_on_the_page_and_a_stopped_upload_waits(
    database: Database, signed_in: Callable[..., BrowserContext], complaints: Complaints, tmp_path: Path
) -> None:
    with database.writing() as session:
        people = factories.people(session)
    page = signed_in(people.annotator).new_page()
    page.route("**/uploads/*/0?offset=0", lambda _: None)  # answered by nobody
    large = tmp_path / "words.txt"
    large.write_text("words " * 1_000_000)
    choose(page, people.project.slug, large)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_label("From this computer")).to_be_visible()

    # Stopped while a piece is read from the disk, before anything of it is sent.
    page.evaluate(
        "() => { const read = Blob.prototype.arrayBuffer; Blob.prototype.arrayBuffer = async function () {"
        " document.body.dataset.reading = 'yes'; await new Promise((go) => setTimeout(go, 1000));"
        " return read.call(this); } }"
    )
    button(page, "Look at it").click()
    expect(page.locator("body[data-reading]")).to_be_attached()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_label("From this computer")).to_be_visible()
    page.unroute("**/uploads/*/0?offset=0")
    button(page, "Look at it").click()
    expect(page.locator("[role=alert]").first).to_contain_text("neither XML nor JSON")
    complaints.none()


DROP = """([names, text]) => {
  const carried = new DataTransfer();
  for (const name of names) carried.items.add(new File([text], name));
  const tell = (kind) => document.querySelector("main").dispatchEvent(
    new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
  return [!tell("dragover"), document.querySelector(".drop.over") !== null, !tell("drop")];
}"""


def test_a_file_dropped_anywhere_on_the_page_is_the_one_that_is_looked_at(
    database: Database, signed_in: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    with database.writing() as session:
        people = factories.people(session)
    page = signed_in(people.annotator).new_page()
    page.goto(f"/projects/{people.project.slug}/sources/new")
    expect(page.get_by_text("Or drop it here.")).to_be_visible()
    assert page.evaluate(DROP, [["pairs.jsonl"], LINE]) == [True, True, True]
    files = page.get_by_label("From this computer")
    expect(files).to_be_focused()
    assert files.evaluate("field => [...field.files].map((file) => file.name)") == ["pairs.jsonl"]
    expect(page.locator(".drop.over")).to_have_count(0)
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/imports/*")
    expect(page.locator(".found")).to_contain_text("pairs.jsonl")
    complaints.none()


@pytest.mark.parametrize("said", [10_000_000, 6_000_100])
def test_a37_a_connection_cut_at_sixty_percent_leaves_nothing(
    database: Database, site: Site, said: int, large: Path
) -> None:
    with database.writing() as session:
        people = factories.people(session)
    token = factories.signed_in(database, people.annotator)
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="x.jsonl"\r\n\r\n'
    address = urlsplit(site.address)
    with socket.create_connection((address.hostname, address.port), timeout=10) as wire:
        wire.sendall(
            f"POST /projects/{people.project.slug}/sources/new HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Cookie: handpicked_session={token}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: {said}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode()
        )
        wire.sendall(head + large.read_bytes()[:6_000_000])
    time.sleep(1)  # the server has begun to write by now
    folder = site.data_dir / "uploads"
    until = time.monotonic() + PATIENCE / 1000
    while folder.exists() and list(folder.iterdir()):
        assert time.monotonic() < until, "what had arrived is still there"
        time.sleep(0.05)
