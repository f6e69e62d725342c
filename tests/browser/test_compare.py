"""Two versions compared by keyboard: kinds by their letters, changes by j and k over pages, folds, the example."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from app.datasets.operations import freeze_version
from app.db import Database
from app.examples.models import Example, ExampleState
from app.projects.models import Split
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect
from tests.datasets.material import add_revision, approve, dialogue, reasons_for

MANY = 30
LONG = "\n\n".join(f"Step {step}: whisk for {step} minutes, and taste it before you go on." for step in range(1, 40))
WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2


@pytest.fixture
def people(database: Database) -> factories.People:
    """v1 and v2 with more reworded examples than a page shows."""
    with database.writing() as session:
        made = factories.people(session)
        for number in range(MANY):
            asked = WORD if number == 7 else f"How do I bind sauce number {number}?"
            approve(session, made.project, made.annotator, made.reviewer, dialogue(asked, LONG))
        freeze_version(session, made.lead, made.project, name="v1", overrides=reasons_for(session, made.project))
        examples = list(session.scalars(select(Example).order_by(Example.id)))
        for example in examples[:-2]:
            asked = dialogue(f"How do I bind sauce number {example.id - examples[0].id}?")[0]["content"]
            said = LONG.replace("Step 20: whisk", "Step 20: stir <b>slowly</b>") + " Then rest."
            add_revision(session, example, made.colleague, dialogue(asked, said), 2)
            example.revision_number = example.approved_number = 2
        add_revision(
            session,
            examples[-2],
            made.colleague,
            dialogue(f"How do I bind sauce number {MANY - 2}?", LONG.replace("\n\n", "\r\n\r\n", 1)),
            2,
        )
        examples[-2].revision_number = examples[-2].approved_number = 2
        examples[0].split, examples[1].licence = Split.DEV, "CC0 1.0"
        examples[-1].state, examples[-1].approved_number = ExampleState.RETURNED, None
        approve(session, made.project, made.annotator, made.reviewer, dialogue("What is new?", f"{WORD} is."))
        freeze_version(session, made.lead, made.project, name="v2", overrides=reasons_for(session, made.project))
        return made


@pytest.fixture
def base(people: factories.People) -> str:
    return f"/projects/{people.project.slug}/comparison"


@pytest.fixture
def page(people: factories.People, base: str, signed_in: Callable[..., BrowserContext]) -> Page:
    page = signed_in(people.annotator).new_page()
    page.goto(base)
    return page


def standing(page: Page) -> str:
    """The change that one stands on."""
    found: str = page.evaluate("document.activeElement.closest('.change')?.id ?? ''")
    return found


CUT = """(all) => all.filter((one) => one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight + 1)
  .map((one) => one.textContent)"""


def test_the_names_of_both_sides_are_read_whole(
    people: factories.People, page: Page, base: str, database: Database, eyes: Eyes
) -> None:
    """Be it that of the next version, or one as long as a name may be."""
    long = "the-third-draft-after-the-kitchen-was-rebuilt-in-november-1999"
    with database.writing() as session:
        freeze_version(session, people.lead, people.project, name=long, overrides=reasons_for(session, people.project))
    for address in (f"{base}?old={long}&new=draft", base.replace("comparison", "versions")):
        page.goto(address)
        for width in (1440, 1100, 360):
            page.set_viewport_size({"width": width, "height": 900})
            names = page.locator(".composition th[scope='row']")
            expect(names).to_have_count(2)
            assert names.evaluate_all(CUT) == [], (address, width)
        eyes.look(page, f"names-whole-{address.rsplit('/', 1)[-1].partition('?')[0]}")
    eyes.clean()


def test_changes_are_worked_through_without_a_mouse(
    page: Page, base: str, complaints: Complaints, eyes: Eyes, database: Database
) -> None:
    eyes.look(page, "comparison")
    page.keyboard.press("w")
    page.wait_for_url("**kind=reworded**")
    expect(page.locator("[aria-current=true] .count")).to_have_text("29")
    expect(page.locator(".change")).to_have_count(25)
    page.keyboard.press("j")
    assert standing(page) == "change-1"
    for _ in range(24):
        page.keyboard.press("j")
    assert standing(page) == "change-25"
    page.keyboard.press("j")
    page.wait_for_url("**page=2#stand-26")
    expect(page.locator("#change-26 a.number")).to_be_focused()
    page.keyboard.press("k")
    page.wait_for_url("**page=1#stand-25")
    expect(page.locator("#change-25 a.number")).to_be_focused()
    complaints.none()
    eyes.clean()


def test_f_unfolds_the_change_that_one_stands_on_or_all(page: Page, complaints: Complaints, eyes: Eyes) -> None:
    page.keyboard.press("w")
    page.wait_for_url("**kind=reworded**")
    folds = page.locator(".folded[open]")
    expect(page.locator("#change-2 .read ins").first).to_have_text("stir <b>slowly</b>")
    words = page.locator("#change-1 .read").last
    expect(words).not_to_contain_text("Step 10: whisk", use_inner_text=True)
    page.keyboard.press("j")
    page.keyboard.press("f")
    assert folds.count() == page.locator("#change-1 .folded").count() > 0
    expect(words).to_contain_text("Step 10: whisk", use_inner_text=True)
    eyes.look(page, "comparison-unfolded")
    page.keyboard.press("f")
    expect(folds).to_have_count(0)
    page.get_by_role("button", name="Unfold, fold").click()
    expect(folds).to_have_count(page.locator(".folded").count())
    complaints.none()
    eyes.clean()


def test_enter_opens_the_example(page: Page, people: factories.People, complaints: Complaints) -> None:
    page.keyboard.press("m")
    page.wait_for_url("**kind=moved**")
    expect(page.locator(".change")).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/examples/*")
    expect(page.locator("#turn-1")).to_have_value("How do I bind sauce number 0?")
    complaints.none()


@pytest.mark.parametrize("query", ["?kind=form", "?kind=unchanged", "?old=v2&new=draft", "?old=v1&new=v1"])
def test_other_lists_are_looked_at(page: Page, base: str, complaints: Complaints, eyes: Eyes, query: str) -> None:
    page.goto(base + query)
    eyes.look(page, f"comparison-{query[1:].replace('&', '-').replace('=', '-')}")
    complaints.none()
    eyes.clean()


def test_the_choice_of_versions_and_the_notes_need_no_script(
    people: factories.People, base: str, signed_in: Callable[..., BrowserContext]
) -> None:
    page = signed_in(people.annotator, java_script_enabled=False).new_page()
    page.goto(base)
    page.get_by_label("From").select_option("v2")
    page.get_by_label("to", exact=True).select_option("v1")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("h1")).to_have_text("From v2 to v1")
    page.locator("summary").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Release notes").click()
    assert download.value.suggested_filename == f"{people.project.slug}-v2-to-v1.md"


def test_long_names_of_versions_stay_in_their_places(
    people: factories.People, base: str, signed_in: Callable[..., BrowserContext], database: Database
) -> None:
    old, new = "old-" + "a" * 60, "new-" + "b" * 60
    with database.writing() as session:
        for name in (old, new):
            freeze_version(
                session, people.lead, people.project, name=name, overrides=reasons_for(session, people.project)
            )
            approve(session, people.project, people.annotator, people.reviewer, dialogue(f"After {name}?", "Yes."))
    page = signed_in(people.annotator).new_page()
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{base}?old={old}&new={new}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sides, room = (
            page.locator(".sides").bounding_box(),
            page.locator(".before-after > section").first.bounding_box(),
        )
        assert sides is not None
        assert room is not None
        assert sides["x"] + sides["width"] <= room["x"] + room["width"] + 1


def test_the_words_of_the_cards_picture_are_to_be_read_on_a_small_screen(
    people: factories.People, signed_in: Callable[..., BrowserContext]
) -> None:
    page = signed_in(people.annotator).new_page()
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"/projects/{people.project.slug}/versions/v1/card")
    shown = page.locator(".card-picture img")
    scale = shown.evaluate("image => image.clientWidth / image.naturalWidth")
    assert 14 * scale >= 11
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
