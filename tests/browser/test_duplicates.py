"""Clusters settled by keyboard alone, a threshold read and judged, what was removed; in light, dark and on a phone."""

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext

from app.db import Database
from app.duplicates import operations
from app.duplicates.models import Method, On
from app.jobs.running import wait_for
from app.projects.models import Split
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect
from tests.duplicates.rooms import KETTLE, KETTLE_AGAIN, candidate, import_run
from tests.factories import People

LIMESCALE = "What is the best way to get rid of limescale in an electric kettle?"
SUBJECTS = (
    "sourdough bread", "tomato plants", "a bicycle chain", "an old oak table", "watercolour paper", "a slow laptop",
    "a leaking tap", "a letter of thanks", "a garden pond", "a first marathon", "an index fund", "a piano piece",
)  # fmt: skip
ASKED = ("How do I take good care of {}?", "How can I take good care of {}?", "What should I know about {} at first?")
WAYS = [Method.EXACT, Method.LEXICAL, Method.EMBEDDING]


def fill(database: Database, people: People) -> None:
    """A leak, a cluster of four, pairs by meaning and wording, and pairs that only a lower threshold would find."""
    with database.writing() as session:
        run = import_run(session, people)
        for number, prompt in enumerate((KETTLE, KETTLE_AGAIN, KETTLE, LIMESCALE), 1):
            candidate(session, run, str(number), prompt, f"Fill it with water and citric acid, and wait. ({number})")
        candidate(session, run, "20", "How can I make friends in a new town?", split=Split.TEST)
        candidate(session, run, "21", "How can I make friends in a new town?")
        for number, subject in enumerate(SUBJECTS):
            for way, asked in enumerate(ASKED):
                candidate(session, run, f"{100 + 10 * number + way}", asked.format(subject))
        job = operations.start_scan(
            session, people.annotator, people.project, methods=WAYS, on=On.PROMPT, threshold=operations.THRESHOLD
        ).job_id
    wait_for(database, job)


def test_clusters_are_settled_by_keyboard_and_thresholds_read(
    database: Database,
    signed_in: Callable[..., BrowserContext],
    complaints: Complaints,
    eyes: Eyes,
) -> None:
    with database.writing() as session:
        people = factories.people(session)
    fill(database, people)
    slug = people.project.slug
    page = signed_in(people.annotator).new_page()

    page.goto(f"/projects/{slug}/duplicates")
    expect(page.locator(".state")).to_contain_text("one of them a leak")
    expect(page.locator(".inbox [data-row]").first).to_contain_text("Leak")
    eyes.look(page, "duplicates-leak")
    page.keyboard.press("b")
    page.get_by_label("Why may both stay?").fill("The town is another one.")
    page.keyboard.press("Enter")
    expect(page.locator("#said, .toast, [role=status]").first).to_contain_text("Kept both")

    cluster = page.locator(".inbox [data-row]", has_text="texts").first
    cluster.click()
    expect(page.locator("#cluster-title")).to_contain_text("texts, each paired with the first")
    size = int(re.match(r"\d+", page.locator("#cluster-title").inner_text()).group())  # type: ignore[union-attr]
    eyes.look(page, "duplicates-cluster")
    page.keyboard.press("n")
    expect(page.locator(".members [aria-current]")).to_have_count(1)
    page.get_by_label("Why, for all of them").fill("One kettle is enough.")
    page.keyboard.press("Enter")  # no decision
    expect(page.locator("#cluster-title")).to_contain_text("texts, each paired with the first")
    page.get_by_role("button", name="Keep left alone").press("Enter")
    expect(page.locator("body")).to_contain_text(f"the other {size - 1} are rejected")

    page.goto(f"/projects/{slug}/duplicates/removed")
    expect(page.locator(".removals > li", has_text="Because: One kettle is enough.")).to_have_count(size - 1)
    eyes.look(page, "duplicates-removed")
    page.get_by_role("link", name="See and undo").first.click()
    expect(page.locator(".decisions.settled")).to_contain_text("is rejected as a duplicate")
    page.wait_for_load_state("load")  # its modules listen
    page.keyboard.press("u")
    expect(page.locator("body")).to_contain_text("open again")
    page.goto(f"/projects/{slug}/duplicates/removed")
    expect(page.locator(".removals > li")).to_have_count(0)

    page.goto(f"/projects/{slug}/duplicates/thresholds")
    page.keyboard.press("1")
    expect(page.locator(".state")).to_contain_text("judged pair")
    page.keyboard.press("n")
    page.keyboard.press("2")
    slider = page.get_by_label("Threshold", exact=True)
    slider.focus()
    before = page.locator("#threshold-read h2").inner_text()
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
    expect(page.locator("#threshold-read h2")).not_to_have_text(before)
    eyes.look(page, "duplicates-thresholds")
    eyes.clean()
    complaints.none()
