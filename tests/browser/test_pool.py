"""The pool by keyboard: search with a phrase, judge titles, select many, undo, and a sample looked at and put back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from app.db import Database
from app.selection import searching
from app.sources.models import Candidate
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect, press_until
from tests.browser.walk import said
from tests.examples import rows

MANY = 120
LONG = "How long does hard cheese last in a rucksack " + "that hangs on the shady side of a hut, " * 7 + "in July?"
WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
# Rows of the list, the best score first.
TITLES = {MANY: LONG, MANY - 1: WORD, MANY - 2: "Which vegetables keep a month in a stairwell?"}

# What showed that it works when the page was left.
LEAVING = """() => addEventListener("pagehide", () => {
  sessionStorage.busy = document.querySelector("[aria-busy=true]")?.textContent;
})"""


@pytest.fixture
def people(database: Database) -> factories.People:
    with database.writing() as session:
        made = factories.people(session)
        run = rows.import_run(session, made.project)
        for number in range(1, MANY + 1):
            title = TITLES.get(number, f"How warm may lunch number {number} get by noon?")
            words = f"It lasts {number} days.\n\nWithout a fridge three things decide.\n\n```\nx = {number}\n```"
            more = {"flags": ["e-mail"]} if number % 9 == 0 else {"language": "de"} if number % 7 == 0 else {}
            made_up = rows.pair(title, words if number % 2 else "A fridge without a lamp is dark.")
            rows.candidate(session, made.project, run, number, title=title, messages=made_up, published=True, **more)
        searching.index_all(session)
        return made


@pytest.fixture
def base(people: factories.People) -> str:
    return f"/projects/{people.project.slug}/pool"


@pytest.fixture
def desk(people: factories.People, base: str, signed_in: Callable[..., BrowserContext]) -> Page:
    page = signed_in(people.lead).new_page()
    page.goto(base)
    return page


def chosen(page: Page, words: str) -> None:
    expect(page.locator("#c-title")).to_contain_text(words)
    page.wait_for_load_state("load")


def boxes(page: Page) -> list[bool]:
    return [box.is_checked() for box in page.locator("[data-select]").all()]


def test_a_phrase_is_found_and_titles_are_judged_without_a_mouse(
    desk: Page, complaints: Complaints, eyes: Eyes, database: Database
) -> None:
    eyes.look(desk, "pool")
    desk.keyboard.press("/")
    desk.keyboard.type('"without a fridge" -lamp')
    desk.keyboard.press("Enter")
    expect(desk.locator("#hits")).to_have_text(f"{MANY // 2} found")
    expect(desk.locator("mark.hit").first).to_be_visible()
    eyes.look(desk, "pool-found")
    first = desk.locator("#c-title").inner_text()
    desk.keyboard.press("y")
    said(desk, "stands alone")
    expect(desk.locator("#c-title")).not_to_have_text(first)
    desk.keyboard.press("n")
    said(desk, "does not stand alone")
    desk.keyboard.press("u")
    said(desk, "Undone")
    desk.keyboard.press("a")
    said(desk, "Kept")
    expect(desk.locator("#hits")).to_have_text(f"{MANY // 2 - 1} found")
    desk.keyboard.press("u")
    said(desk, "Undone")
    expect(desk.locator("#hits")).to_have_text(f"{MANY // 2} found")
    with database.reading() as session:
        judged = session.scalars(select(Candidate).where(Candidate.title_alone.is_not(None))).all()
        assert [(one.title, one.title_alone) for one in judged] == [(first, True)]
    desk.keyboard.press("?")
    help_ = desk.locator("#keys-help")
    expect(help_).to_be_visible()
    listed = [key.inner_text() for key in help_.locator("dt:visible").all()]
    assert {"s", "y", "n", "u", "e", "x", "a"} <= set(listed)
    expect(help_).to_contain_text("Yes, the title stands alone")
    desk.keyboard.press("Escape")
    complaints.none()
    eyes.clean()


def test_many_are_selected_rejected_and_taken_back(desk: Page, complaints: Complaints, eyes: Eyes) -> None:
    bulk = desk.locator("#many")
    expect(bulk).to_be_hidden()
    desk.keyboard.press("s")
    expect(desk.locator("[data-selected]")).to_have_text("1 selected:")
    desk.keyboard.press("j")
    chosen(desk, WORD[:40])
    desk.keyboard.press("s")
    assert boxes(desk)[:3] == [True, True, False]  # the first row stays selected when j has moved on
    desk.locator("[data-select]").nth(4).click()
    desk.locator("[data-select]").nth(7).click(modifiers=["Shift"])
    expect(desk.locator("[data-selected]")).to_have_text("6 selected:")
    assert boxes(desk)[:9] == [True, True, False, False, True, True, True, True, False]
    desk.keyboard.press("y")
    said(desk, "stands alone")
    expect(desk.locator("[data-selected]")).to_have_text("6 selected:")  # the page is another, the list is not
    expect(bulk).to_be_visible()
    eyes.look(desk, "pool-selected")
    desk.keyboard.press("?")
    expect(desk.locator("#keys-help")).to_contain_text("Reject the selected")
    desk.keyboard.press("Escape")
    desk.keyboard.press("Shift+X")
    said(desk, "Rejected: 6 candidates")
    expect(desk.locator("#hits")).to_have_text(f"{MANY - 6} found")
    desk.keyboard.press("u")
    said(desk, "Undone for 6 candidates")
    expect(desk.locator("#hits")).to_have_text(f"{MANY} found")
    whole = desk.locator("[data-select-all]")
    whole.check()
    expect(desk.locator("[data-selected]")).to_have_text("50 selected:")
    whole.uncheck()
    expect(bulk).to_be_hidden()
    complaints.none()
    eyes.clean()


def test_boxes_that_a_swap_has_just_brought_lose_no_selection(desk: Page) -> None:
    desk.keyboard.press("s")
    expect(desk.locator("[data-selected]")).to_have_text("1 selected:")
    # As they come with a swap, a moment before the page is told of it; on a busy machine moments are long.
    desk.evaluate("for (const box of document.querySelectorAll('[data-select]')) box.checked = false")
    desk.locator("[data-select]").nth(2).focus()
    desk.keyboard.press("s")
    assert boxes(desk)[:3] == [True, False, True]


@pytest.mark.parametrize("width", [1440, 1280, 1100])
def test_the_button_stands_in_the_row_of_its_filters(
    desk: Page, base: str, people: factories.People, database: Database, width: int
) -> None:
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        stem = {"source": "stackexchange_stem", "published": True}
        rows.candidate(session, people.project, run, 1000, title="Why?", messages=rows.pair("Why?", "So."), **stem)
    desk.set_viewport_size({"width": width, "height": 800})
    desk.goto(f"{base}?words=lunch")
    expect(desk.get_by_label("Source", exact=True)).to_be_visible()  # the row as full as it gets
    middles = []
    for one in (desk.get_by_text("More filters"), desk.get_by_role("button", name="Find", exact=True)):
        box = one.bounding_box()
        assert box
        middles.append(box["y"] + box["height"] / 2)
    assert abs(middles[0] - middles[1]) < 6


def test_on_a_phone_the_filters_are_folded_and_the_list_comes_first(desk: Page, eyes: Eyes) -> None:
    desk.set_viewport_size({"width": 360, "height": 780})
    state, row = desk.get_by_label("State"), desk.locator(".hits tbody tr").first
    expect(state).to_be_hidden()
    expect(row).to_be_in_viewport()
    desk.get_by_text("Filters", exact=True).click()
    expect(state).to_be_visible()
    desk.set_viewport_size({"width": 1440, "height": 900})
    expect(state).to_be_visible()


def test_on_a_phone_what_is_opened_is_read_at_once_and_the_foot_leaves_it_room(
    desk: Page, complaints: Complaints, eyes: Eyes
) -> None:
    desk.set_viewport_size({"width": 360, "height": 780})
    row = desk.locator(".hits td.clip a").nth(2)
    words = row.inner_text()
    row.click()
    chosen(desk, words[:40])
    title, foot = desk.locator("#c-title"), desk.locator("#decide")
    expect(title).to_be_in_viewport()
    at, below = title.bounding_box(), foot.bounding_box()
    assert at
    assert below
    assert at["y"] < 780 / 2
    assert at["y"] + at["height"] < below["y"]
    assert below["height"] < 100
    assert all(one.bounding_box()["height"] >= 24 for one in foot.locator("a:visible, button:visible").all())
    # What is scrolled half below a heading that stays is no target of its size.
    desk.evaluate("() => { for (const one of document.querySelectorAll('*')) one.scrollTop = 0; }")
    eyes.look(desk, "pool-phone-opened")
    desk.set_viewport_size({"width": 360, "height": 780})
    foot.get_by_role("button", name="Keep").click()
    expect(title).not_to_have_text(words)
    expect(title).to_be_in_viewport()
    link = desk.get_by_role("link", name="Back to the list")
    link.click()
    expect(desk.locator(".hits tbody tr.at")).to_be_in_viewport()
    desk.set_viewport_size({"width": 1440, "height": 900})
    expect(link).to_be_hidden()
    complaints.none()
    eyes.clean()


def test_on_a_phone_the_list_stays_in_sight_while_somebody_types(desk: Page) -> None:
    desk.set_viewport_size({"width": 360, "height": 780})
    row = desk.locator(".hits td.clip a").nth(2)
    words = row.inner_text()
    row.click()
    chosen(desk, words[:40])
    expect(desk.locator("#c-title")).to_be_in_viewport()
    desk.get_by_role("searchbox").press_sequentially("days", delay=120)
    expect(desk.locator("#hits")).to_have_text(f"{MANY // 2} found")
    expect(desk.get_by_role("searchbox")).to_be_in_viewport()


@pytest.mark.parametrize("query", ["?words=elephant", "?status=used"])
def test_nothing_found_says_so(desk: Page, base: str, eyes: Eyes, complaints: Complaints, query: str) -> None:
    desk.goto(base + query)
    expect(desk.locator("#hits")).to_have_text("0 found")
    eyes.look(desk, f"pool-nothing-{query[1:5]}")
    complaints.none()
    eyes.clean()


def test_without_script_many_are_rejected_as_well(
    people: factories.People, base: str, signed_in: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    page = signed_in(people.annotator, java_script_enabled=False).new_page()
    page.goto(base)
    expect(page.locator("[data-select-all]")).to_be_hidden()
    for number in range(3):
        page.locator("[data-select]").nth(number).check()
    page.get_by_role("button", name="Reject the selected").click()
    expect(page.locator("#hits")).to_have_text(f"{MANY - 3} found")
    page.locator(".decisions").get_by_role("button", name="Undo").click()
    expect(page.locator("#hits")).to_have_text(f"{MANY} found")
    complaints.none()


def test_a_sample_is_looked_at_taken_and_put_back_by_keyboard(
    desk: Page, complaints: Complaints, eyes: Eyes, database: Database
) -> None:
    desk.keyboard.press("/")
    press_until(desk, "Shift+Tab", "a[href$='/pool/sample']", most=9)  # it stands just above the search
    desk.evaluate(LEAVING)
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/pool/sample")
    assert desk.evaluate("sessionStorage.busy") == "Sample by a plan"
    press_until(desk, "Tab", "#seed")
    desk.keyboard.press("ControlOrMeta+a")
    desk.keyboard.type("7")
    desk.evaluate(LEAVING)
    desk.keyboard.press("Enter")
    desk.wait_for_url("**seed=7**")
    assert desk.evaluate("sessionStorage.busy") == "Preview"
    expect(desk.locator(".state")).to_contain_text("Nothing has moved yet")
    eyes.look(desk, "pool-sample")
    press_until(desk, "Tab", ".decisions button")
    desk.keyboard.press("Enter")
    said(desk, "Taken as drafts")
    taken = desk.locator("section[aria-labelledby=past]")
    expect(taken).to_be_visible()
    eyes.look(desk, "pool-sampled")
    press_until(desk, "Tab", "section[aria-labelledby=past] button")
    desk.keyboard.press("Enter")
    said(desk, "Open in the pool again")
    with database.reading() as session:
        assert session.scalars(select(Candidate).where(Candidate.status != "open")).all() == []
    complaints.none()
    eyes.clean()
