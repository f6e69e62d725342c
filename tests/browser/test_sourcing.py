"""Sourcing by hand: an unknown table is mapped, judged by rules, imported, opened, put right; and what goes wrong."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route

from app.db import Database
from tests import factories
from tests.browser.looking import PHONE, WIDE, WORK_PATIENCE, Complaints, Eyes, expect, press_until, wait_until
from tests.browser.serving import Site
from tests.browser.walk import button, to_its_funnel, to_its_funnel_without_script

ASKED = "What they asked"
SAID = "What we said"
# A name of 100 characters, which a table may well have.
REMARKS = "Remarks of the desk: how the call went, and what should be looked at if the same question comes back"
HEAD = ("Nr.", ASKED, SAID, "By", REMARKS)
LONG = "Water boils at a lower temperature the higher the kettle stands, because less air presses on it. " * 16
SHORT = "It depends on the kettle."
TITLE = ("How long should one wait " + "before the second pour of a slow filter, " * 8)[:299] + "?"
QUESTIONS = (
    TITLE,
    "Why does water boil sooner on a mountain?",
    "Whom does one ask about a burnt element?",
    "Which kettle is quietest?",
    "How is limescale taken out of a spout?",
    "Does the lid change how fast water boils?",
    "May rain water be used for tea?",
    "What is the small hole in the lid for?",
    "How much water does a thermostat need?",
    "Why do kettles sing before they boil?",
    "Is a copper base worth its price?",
    "Can a kettle be mended at home?",
)
OWN = "I would let it stand for a night"


def answer(number: int) -> str:
    """Three are too short, one has an e-mail address, one speaks in the first person."""
    if number in (3, 7, 11):
        return f"{SHORT} That is all there is to say of case {number}."
    more = {2: "Write to repairs@kettle.org, who know. ", 4: f"{OWN}, with a spoon of vinegar. "}
    return f"Case {number}. {more.get(number, '')}{LONG}".strip()


def table(path: Path, questions: tuple[str, ...] = QUESTIONS, first: int = 0) -> Path:
    """A file of rows as a help desk may keep them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(HEAD)
        for number, question in enumerate(questions, start=first):
            rows.writerow((f"K-{number}", question, answer(number), "Ada" if number % 2 else "Ben", "went well"))
    return path


@pytest.fixture
def people(database: Database) -> factories.People:
    with database.writing() as session:
        return factories.people(session)


@pytest.fixture
def base(people: factories.People) -> str:
    return f"/projects/{people.project.slug}"


def bring_in(page: Page, base: str, path: Path) -> None:
    page.goto(f"{base}/sources/new")
    page.get_by_label("From this computer").set_input_files(path)
    button(page, "Look at it").click()
    page.wait_for_url("**/imports/*")


def column(page: Page, name: str) -> Locator:
    return page.get_by_label(name, exact=True)


def dropped(page: Page, rule: str) -> Locator:
    """The number beside a rule of the set-up that says how many it drops."""
    return page.locator("table.rules tbody tr", has=page.get_by_role("switch", name=rule)).locator("td.num").first


def switch(page: Page, rule: str) -> Locator:
    return page.get_by_role("switch", name=rule)


def left(page: Page) -> Locator:
    return page.locator("table.rules tfoot td").last


def imported(page: Page) -> None:
    """The import is started and ends in its funnel."""
    page.locator("button[form=setup]").click()
    to_its_funnel(page)
    expect(page.get_by_role("heading", name="From read to kept")).to_be_visible()


def test_an_unknown_table_goes_from_its_columns_to_the_pool(
    people: factories.People,
    base: str,
    signed_in: Callable[..., BrowserContext],
    eyes: Eyes,
    complaints: Complaints,
    tmp_path: Path,
) -> None:
    page = signed_in(people.lead).new_page()
    bring_in(page, base, table(tmp_path / "desk.csv"))
    map_columns(page, eyes)
    set_rules(page, eyes)
    imported(page)
    expect(page.locator(".state")).to_contain_text("8 of 12 records were kept")
    eyes.look(page, "sourcing-funnel")
    page.set_viewport_size(PHONE)
    for number in page.locator("table.funnel :is(td.num, th) a").all():
        box = number.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 24, number.inner_text()
    page.set_viewport_size(WIDE)
    restore(page, eyes)
    find_it(page, base)
    bring_in(page, base, table(tmp_path / "more.csv", ("What is a thermos for?",), first=20))
    expect(page.get_by_text("as for the last file with these columns")).to_be_visible()
    expect(column(page, SAID)).to_have_value("response")
    expect(page.locator("#first ~ *, section[aria-labelledby=first]").first).to_contain_text("What is a thermos for?")
    page.goto(f"{base}/sources")
    eyes.look(page, "sourcing-list")
    complaints.none()
    eyes.clean()


def map_columns(page: Page, eyes: Eyes) -> None:
    """Nothing is known of these columns; with each choice the page says more, and never leaves."""
    expect(page.get_by_text("Not mapped yet")).to_be_visible()
    expect(page.locator("button[form=setup]")).to_have_count(0)
    eyes.look(page, "sourcing-unmapped")
    page.evaluate("window.stayed = true")
    first = page.locator("section[aria-labelledby=first]")
    column(page, ASKED).select_option("prompt")
    expect(first).to_contain_text("a prompt without an answer")
    column(page, SAID).select_option("response")
    expect(first).to_contain_text("Water boils at a lower temperature")
    column(page, "Nr.").select_option("id")
    column(page, "By").select_option("author")
    expect(first).to_contain_text("by Ben")
    expect(first).to_contain_text("record K-0")
    assert page.evaluate("window.stayed")
    eyes.look(page, "sourcing-mapped")


def set_rules(page: Page, eyes: Eyes) -> None:
    """Rules are switched on, off and on again, and moved; the counts follow."""
    page.get_by_text("More rules").click()
    for name in ("Length", "First person", "Personal data"):
        switch(page, name).check()
        expect(dropped(page, name)).to_be_visible()
    expect(dropped(page, "Length")).to_have_text("3 by Length: see the first")
    expect(dropped(page, "Personal data")).to_contain_text("1")
    expect(left(page)).to_have_text("8")
    switch(page, "Length").uncheck()
    expect(left(page)).to_have_text("11")
    switch(page, "Length").check()
    expect(left(page)).to_have_text("8")
    switch(page, "Titles once").check()
    button(page, "Move “First person” up").click()
    expect(page.locator("table.rules tbody tr").first).to_contain_text("First person")
    expect(left(page)).to_have_text("8")
    longest = page.get_by_label("at most").first
    for characters, kept in (("1,580", "7"), ("4,096", "8")):
        longest.fill(characters)
        longest.press("Tab")
        expect(left(page)).to_have_text(kept)
    eyes.look(page, "sourcing-rules")


def restore(page: Page, eyes: Eyes) -> None:
    """A bar opens what its rule dropped, the passage marked; one click brings a record back."""
    page.locator("table.funnel tr", has_text="First person").locator("td.picture a").click()
    page.wait_for_url("**rule=first_person**")
    opened = page.locator("section[aria-labelledby=opened]")
    expect(opened.locator("li")).to_have_count(1)
    expect(opened.locator("mark.pin")).to_have_text("I")
    eyes.look(page, "sourcing-opened")
    button(page, "Restore").click()
    expect(page.locator("#said")).to_contain_text("Restored: it is a candidate in the pool now")
    expect(opened).to_contain_text("Restored by")
    expect(page.locator("table.funnel")).to_contain_text("1 restored since")
    expect(page.locator(".state")).to_contain_text("1 that was dropped is restored")
    eyes.look(page, "sourcing-restored")


def find_it(page: Page, base: str) -> None:
    """The pool finds the restored record by its words."""
    page.goto(f"{base}/pool")
    page.get_by_role("searchbox").fill("vinegar night")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="1 found")).to_be_visible()
    expect(page.locator(".hits")).to_contain_text("How is limescale taken out of a spout?")


def test_what_is_chosen_while_the_page_still_counts_is_not_lost(
    people: factories.People,
    base: str,
    signed_in: Callable[..., BrowserContext],
    complaints: Complaints,
    tmp_path: Path,
) -> None:
    page = signed_in(people.lead).new_page()
    bring_in(page, base, table(tmp_path / "desk.csv"))
    counted = page.locator("#counted")
    with slow_counts(page) as held:
        for number, (name, what) in enumerate(((ASKED, "prompt"), (SAID, "response"), ("By", "author")), start=1):
            column(page, name).select_option(what)
            held(number)
        expect(counted).to_have_attribute("aria-busy", "true")
    expect(page.locator("section[aria-labelledby=first]")).to_contain_text("by Ben")
    expect(counted).not_to_have_attribute("aria-busy", "true")
    page.get_by_text("More rules").click()
    for name in ("Length", "First person"):
        switch(page, name).check()
        expect(dropped(page, name)).to_be_visible()
    with slow_counts(page) as held:
        button(page, "Move “First person” up").click()
        held(1)
        switch(page, "Length").uncheck()
        held(2)
    expect(left(page)).to_have_text("11")
    expect(page.locator("table.rules tbody tr").first).to_contain_text("First person")
    complaints.none()


@contextmanager
def slow_counts(page: Page) -> Iterator[Callable[[int], None]]:
    """No count is answered before the end; what is given waits until so many were asked for."""
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route(lambda url: "/imports/" in url, hold)

    def held(many: int) -> None:
        wait_until(page, lambda: len(waiting) >= many, f"{many} counts are asked for")

    yield held
    for route in waiting:
        route.continue_()
    page.unroute_all()


def test_columns_are_mapped_and_a_record_restored_by_keyboard(
    people: factories.People,
    base: str,
    signed_in: Callable[..., BrowserContext],
    complaints: Complaints,
    tmp_path: Path,
) -> None:
    page = signed_in(people.lead).new_page()
    bring_in(page, base, table(tmp_path / "desk.csv"))
    for name, keys in ((ASKED, "P"), (SAID, "R")):
        press_until(page, "Tab", f"#{column(page, name).get_attribute('id')}")
        page.keyboard.press(keys)
        expect(page.locator("section[aria-labelledby=first]")).to_be_visible()
    expect(column(page, SAID)).to_be_focused()
    press_until(page, "Tab", "#more-rules > summary")
    page.keyboard.press("Enter")
    press_until(page, "Tab", "#on-length")
    page.keyboard.press("Space")
    expect(left(page)).to_have_text("9")
    press_until(page, "Shift+Tab", "button[form=setup]")
    page.keyboard.press("Enter")
    to_its_funnel(page)
    press_until(page, "Tab", "a[href*='rule=length']")
    page.keyboard.press("Enter")
    page.wait_for_url("**rule=length**")
    press_until(page, "Tab", "button[aria-label^=Restore]")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("Restored")
    complaints.none()


def test_columns_are_mapped_without_script(
    people: factories.People,
    base: str,
    signed_in: Callable[..., BrowserContext],
    complaints: Complaints,
    tmp_path: Path,
) -> None:
    page = signed_in(people.lead, java_script_enabled=False).new_page()
    bring_in(page, base, table(tmp_path / "desk.csv"))
    column(page, ASKED).select_option("prompt")
    column(page, SAID).select_option("response")
    button(page, "Show the records").click()
    expect(page.locator("section[aria-labelledby=first]")).to_contain_text("Water boils at a lower temperature")
    expect(column(page, SAID)).to_have_value("response")
    page.locator("button[form=setup]").click()
    to_its_funnel_without_script(page)
    expect(page.locator(".state")).to_contain_text("12 of 12 records were kept")
    complaints.none()


def pairs(path: Path, broken: int) -> Path:
    """Lines of which some are cut in the middle."""
    sound = [json.dumps({"conversations": [f"Why {number}?", f"Because of {number}. {LONG}"]}) for number in range(9)]
    bad = ['{"conversations": ["Why', '{"conversations": ["Why?", 3]}', "[1, 2]"]
    path.write_text("\n".join(sound + [bad[number % 3] for number in range(broken)]) + "\n", "utf-8")
    return path


@pytest.mark.parametrize("script", [True, False])
def test_unreadable_records_are_listed_and_left_out_by_one_click(
    people: factories.People,
    base: str,
    signed_in: Callable[..., BrowserContext],
    eyes: Eyes,
    complaints: Complaints,
    tmp_path: Path,
    script: bool,
) -> None:
    page = signed_in(people.lead, java_script_enabled=script).new_page()
    bring_in(page, base, pairs(tmp_path / "pairs.jsonl", 31))
    refused = page.locator("#file-found")
    expect(refused.get_by_role("alert")).to_contain_text("31 records cannot be read")
    expect(refused.get_by_role("alert")).not_to_contain_text("--skip-bad")
    expect(refused.locator("tbody tr")).to_have_count(20)
    expect(page.locator("button[form=setup]", has_text="Import")).to_have_count(0)
    if script:
        eyes.look(page, "sourcing-refused")
    button(page, "Leave them out").click()
    start = page.locator("button[form=setup]", has_text="Import 9 records")
    expect(start).to_be_visible()
    expect(page.get_by_label("Leave unreadable records out")).to_be_checked()
    if script:
        page.get_by_label("Leave unreadable records out").uncheck()
        expect(start).to_have_count(0)
        page.get_by_label("Leave unreadable records out").check()
        expect(start).to_be_visible()
        eyes.look(page, "sourcing-left-out")
        imported(page)
        eyes.look(page, "sourcing-left-out-funnel")
    complaints.none()
    eyes.clean()


def test_an_empty_file_is_refused_where_it_was_chosen(
    people: factories.People,
    base: str,
    signed_in: Callable[..., BrowserContext],
    eyes: Eyes,
    complaints: Complaints,
    tmp_path: Path,
) -> None:
    page = signed_in(people.lead).new_page()
    page.goto(f"{base}/sources/new")
    for name, content in (("empty.csv", ""), ("heads.csv", ",".join(HEAD[:3]) + "\n")):
        path = tmp_path / name
        path.write_text(content)
        page.get_by_label("From this computer").set_input_files(path)
        button(page, "Look at it").click()
        expect(page.get_by_role("alert").first).to_be_visible()
        eyes.look(page, f"sourcing-{path.stem}")
    complaints.none()
    eyes.clean()


@contextmanager
def held(site: Site) -> Iterator[None]:
    """The worker stands still, so that what it is in the midst of can be looked at."""
    assert site.process
    workers = psutil.Process(site.process.pid).children(recursive=True)
    for one in workers:
        one.suspend()
    try:
        yield
    finally:
        for one in workers:
            one.resume()


def test_an_import_says_how_far_it_is_and_what_refused_it_at_its_end(
    people: factories.People,
    base: str,
    site: Site,
    signed_in: Callable[..., BrowserContext],
    eyes: Eyes,
    complaints: Complaints,
    tmp_path: Path,
) -> None:
    rows = [json.dumps({"conversations": [f"Why {number}?", f"{number}. {LONG}"]}) for number in range(20_000)]
    path = tmp_path / "many.jsonl"
    # Beyond what the set-up counts, so that the import itself is the first to see them.
    path.write_text("\n".join(rows + ["[1, 2]"] * 21), "utf-8")
    page = signed_in(people.lead).new_page()
    bring_in(page, base, path)
    page.locator("button[form=setup]").click()
    expect(page.locator(".refused")).to_contain_text("21 records cannot be read", timeout=WORK_PATIENCE)
    expect(page.locator(".refused tbody tr")).to_have_count(20)
    eyes.look(page, "sourcing-failed")
    button(page, "Leave them out").click()
    expect(page.get_by_label("Leave unreadable records out")).to_be_checked()
    page.locator("button[form=setup]", has_text="Import").click()
    expect(page.locator("#job-panel")).to_contain_text("records read", timeout=WORK_PATIENCE)
    expect(page.locator("#so-far")).to_contain_text("records read", timeout=WORK_PATIENCE)
    with held(site):
        # One count of the records, since two would be of two moments.
        expect(page.locator("#job-panel .told")).to_be_hidden()
        eyes.look(page, "sourcing-running")
    # The page goes on to the funnel by itself.
    expect(page.locator(".state")).to_contain_text("20,000 of 20,000 records were kept", timeout=WORK_PATIENCE)
    complaints.none()
    eyes.clean()
