"""A file that is not what it seemed: its encoding is chosen, another format is near, missing answers are told."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from app import sample
from app.db import Database
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect, press_until
from tests.browser.test_sourcing import bring_in, imported
from tests.browser.walk import button, link

ROWS = [{"conversations": [f"Wie heißt Brücke {number}?", f"Sie heißt „Brücke {number}“."]} for number in range(3)]
ASKED = [
    {"messages": [{"role": "user", "content": f"{n} times 2?"}], "extra_info": {"answer": f"Twice {n}.", "index": n}}
    for n in range(3)
]


@pytest.fixture
def people(database: Database) -> factories.People:
    with database.writing() as session:
        return factories.people(session)


@pytest.fixture
def base(people: factories.People) -> str:
    return f"/projects/{people.project.slug}"


def lines(path: Path, rows: list[dict[str, object]], encoding: str = "utf-8") -> Path:
    path.write_bytes("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode(encoding))
    return path


def test_the_encoding_is_chosen_by_keyboard_and_what_is_missing_is_told(
    people: factories.People,
    base: str,
    signed_in: Callable[..., BrowserContext],
    eyes: Eyes,
    complaints: Complaints,
    tmp_path: Path,
) -> None:
    page = signed_in(people.annotator).new_page()
    bring_in(page, base, lines(tmp_path / "words.jsonl", ROWS, "utf-16-le"))
    expect(page.get_by_role("alert")).to_contain_text("UTF-16 without a byte-order mark")
    eyes.look(page, "sourcing-encoding-refused")
    press_until(page, "Tab", "a[href='#encoding']")
    page.keyboard.press("Enter")
    press_until(page, "Tab", "#encoding")
    page.keyboard.type("UTF-16-LE")
    start = page.locator("button[form=setup]", has_text="Import 3 records")
    expect(start).to_be_visible()
    expect(page.get_by_text("Sie heißt „Brücke 0“.").first).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    eyes.look(page, "sourcing-encoding-chosen")
    imported(page)

    bring_in(page, base, lines(tmp_path / "asked.jsonl", ASKED))
    expect(page.get_by_text("None of the 3 records has a response")).to_be_visible()
    eyes.look(page, "sourcing-no-responses")
    link(page, "say which column they are").click()
    expect(page.get_by_role("heading", name="What the columns are")).to_be_visible()
    expect(page.get_by_label("messages[0].content", exact=True)).to_have_value("prompt")
    expect(page.get_by_label("extra_info.answer", exact=True)).to_have_value("response")
    expect(page.get_by_text("Twice 0.").first).to_be_visible()
    expect(page.get_by_text("None of the 3 records has a response")).to_have_count(0)
    eyes.look(page, "sourcing-answers-mapped")

    page.goto(f"{base}/sources/new")
    folder = sample.dump_folder()
    page.get_by_label("From this computer").set_input_files([folder / "Posts.xml", folder / "Users.xml"])
    button(page, "Look at it").click()
    link(page, "Not right?").click()
    expect(page.locator("#format")).to_be_in_viewport()
    expect(page.get_by_text("No other format takes files of this kind.")).to_be_visible()
    eyes.look(page, "sourcing-not-right")
    complaints.none()
    eyes.clean()
