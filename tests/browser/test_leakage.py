"""Leakage in a browser: a benchmark is named, what is near is settled, and the desk and Add next say so."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from app.config import Settings
from app.db import Database
from app.duplicates.benchmarks import operations
from app.duplicates.encoding import bring_up_to_date
from app.jobs.models import JobState
from app.jobs.running import run_now
from app.projects.models import Split
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect
from tests.datasets.material import approve, dialogue
from tests.duplicates.listing import ASKED, MEANT, OTHER, WORDED, brought
from tests.duplicates.rooms import known_pair

LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 4


@pytest.fixture
def kitchen(database: Database, settings: Settings) -> tuple[object, object, str]:
    """A lead, a writer and a project's short name: three examples near to a benchmark, and a leak between splits."""
    with database.writing() as session:
        people = factories.people(session)
        made = people.project

        def put(asked: str, answer: str | None = "Slowly.", **more: object) -> int:
            who = (session, made, people.annotator, people.reviewer)
            return approve(*who, dialogue(asked, answer), **more).id  # type: ignore[arg-type]

        put(ASKED)
        put(WORDED)
        put(MEANT, split=Split.DEV)
        put(f"What is a {LONG}?")
        one, other = put("How do I keep rice from sticking to the pot?"), put(OTHER, None, split=Split.TEST)
        known_pair(session, people, f"example:{one}", f"example:{other}", leak=True)
        listed = brought(ASKED, "Why does bread rise?", f"What is a {LONG} for?")
        about = {"name": "TinyEval", "licence": "CC BY-NC 4.0", "url": "https://example.org/tiny"}
        _, job = operations.add_list(session, people.lead, made, listed, **about)
    bring_up_to_date(database, settings)
    assert run_now(database, settings, job.id, "test") is JobState.SUCCEEDED
    return people.lead, people.annotator, made.slug


def test_leaks_are_seen_named_and_settled(
    kitchen: tuple[object, object, str],
    signed_in: Callable[..., BrowserContext],
    complaints: Complaints,
    eyes: Eyes,
    tmp_path,
) -> None:
    lead, _, slug = kitchen
    page = signed_in(lead).new_page()
    page.goto(f"/projects/{slug}/duplicates")
    page.get_by_role("link", name="Leakage").click()
    page.wait_for_url("**/duplicates/leakage")
    expect(page.locator(".state")).to_contain_text("near to a benchmark and 1 leak between splits")
    matches = page.locator(".matches > li")
    expect(matches).to_have_count(4)
    expect(matches.first).to_contain_text("the same prompt")
    eyes.look(page, "leakage")
    matches.first.get_by_text("It may stay").click()
    matches.first.get_by_label("Why?").fill("Everybody asks this.")
    eyes.look(page, "leakage-may-stay")
    page.keyboard.press("Enter")
    expect(matches).to_have_count(3)
    matches.first.get_by_role("button", name="Reject example").click()
    expect(matches).to_have_count(2)
    page.get_by_role("link", name="Settled").click()
    expect(matches).to_have_count(2)
    expect(page.locator("main")).to_contain_text("Because: Everybody asks this.")
    eyes.look(page, "leakage-settled")
    page.get_by_text("Name a benchmark").click()
    file = tmp_path / "more.jsonl"
    file.write_text(json.dumps({"prompt": "Why is the sky blue?"}) + "\n", "utf-8")
    page.get_by_label("Name", exact=True).fill("SkyEval")
    page.get_by_label("File of prompts").set_input_files(file)
    eyes.look(page, "leakage-naming")
    page.get_by_role("button", name="Name it").click()
    expect(page.locator("#lists ~ article")).to_have_count(2)
    page.locator("article", has_text="SkyEval").get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.locator("#lists ~ article")).to_have_count(1)
    assert complaints.found == []


def test_the_desk_warns_while_somebody_writes(
    kitchen: tuple[object, object, str], signed_in: Callable[..., BrowserContext], complaints: Complaints, eyes: Eyes
) -> None:
    _, writer, slug = kitchen
    page = signed_in(writer).new_page()
    page.goto(f"/projects/{slug}/examples/new")
    page.locator("#turn-1").fill("Why does   BREAD rise?")
    expect(page.locator("#nearness")).to_contain_text("The same as a benchmark prompt of TinyEval")
    eyes.look(page, "desk-near-a-benchmark")
    assert complaints.found == []
