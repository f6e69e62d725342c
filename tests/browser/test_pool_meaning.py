"""The pool searched by meaning, in a browser: while one types, more and less like a row by a key, all in an address."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page

from app.config import Settings
from app.db import Database
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect
from tests.browser.walk import said
from tests.selection.pools import encode, fill

PROMPTS = (
    "How do I get rid of limescale in my electric kettle?",
    "My kettle is full of white crust; what takes it off?",
    "Does vinegar harm the seals of a coffee machine?",
    "How often should a coffee machine be descaled where the water is hard?",
    "Why does hard water leave marks on glasses?",
    "How long does hard cheese last in a rucksack?",
    "Which vegetables keep a month in a cool stairwell?",
    "How do I keep butter spreadable and safe without a fridge?",
    "Why does my sourdough bread not rise overnight?",
    "How do I undo the last commit but keep my changes?",
    "Which strings suit an old violin?",
    "What did sailors eat in the fourth month?",
)
ASKED = "removing calcium from a water boiler"


@pytest.fixture
def people(database: Database, settings: Settings) -> factories.People:
    with database.writing() as session:
        made = factories.people(session)
        fill(session, made, *PROMPTS)
    encode(database, settings, made)
    return made


@pytest.fixture
def base(people: factories.People) -> str:
    return f"/projects/{people.project.slug}/pool"


@pytest.fixture
def desk(people: factories.People, base: str, signed_in: Callable[..., BrowserContext]) -> Page:
    page = signed_in(people.annotator).new_page()
    page.goto(base)
    return page


def asked(page: Page) -> dict[str, list[str]]:
    """What the address asks for."""
    return parse_qs(urlsplit(page.url).query)


def titles(page: Page) -> list[str]:
    return page.locator(".hits tbody td.clip a").all_inner_texts()


def test_what_is_meant_is_found_while_one_types_and_one_key_leads_on(
    desk: Page, people: factories.People, signed_in: Callable[..., BrowserContext], complaints: Complaints, eyes: Eyes
) -> None:
    desk.keyboard.press("/")
    desk.keyboard.type(ASKED, delay=5)
    expect(desk.locator("#how")).to_contain_text("by meaning")
    expect(desk.locator("#words")).to_be_focused()
    expect(desk.locator("#words")).to_have_value(ASKED)
    assert asked(desk) == {"words": [ASKED]}
    assert "kettle" in titles(desk)[0]
    expect(desk.locator("#c-title")).to_contain_text("kettle")
    expect(desk.locator("#found-said")).to_contain_text("found")
    expect(desk.get_by_role("link", name="Clear")).to_be_visible()
    eyes.look(desk, "pool-meaning")
    go_on_by_keys(desk, eyes)
    share(desk, signed_in(people.reviewer).new_page())
    complaints.none()
    eyes.clean()


def go_on_by_keys(page: Page, eyes: Eyes) -> None:
    page.locator("#c-title").click()
    first = page.locator("#c-title").inner_text()
    page.keyboard.press("m")
    expect(page.locator(".chip.towards")).to_contain_text(first)
    assert first not in titles(page)
    second = page.locator("#c-title").inner_text()
    page.keyboard.press("l")
    expect(page.locator(".chip.away")).to_contain_text(second)
    assert second not in titles(page)
    assert set(asked(page)) == {"words", "like", "unlike"}
    page.keyboard.press("?")
    help_ = page.locator("#keys-help")
    expect(help_).to_contain_text("More like this")
    expect(help_).to_contain_text("Less like this")
    page.keyboard.press("Escape")
    eyes.look(page, "pool-more-like-this")
    # What is typed further goes on from there, and a decision keeps all of it.
    page.keyboard.press("/")
    page.keyboard.press("End")
    page.keyboard.type(" in a kitchen")
    expect(page.locator(".chip")).to_have_count(2)
    page.wait_for_url("**in+a+kitchen**")
    page.locator("#c-title").click()
    page.keyboard.press("a")
    said(page, "Kept")
    assert set(asked(page)) == {"words", "like", "unlike"}
    page.get_by_role("link", name="No longer less like").click()
    expect(page.locator(".chip")).to_have_count(1)
    expect(page.locator(".chip.towards")).to_contain_text(first)
    assert set(asked(page)) == {"words", "like"}


def share(page: Page, other: Page) -> None:
    """Somebody else opens the address and finds the same."""
    other.goto(page.url)
    expect(other.locator(".chip.towards")).to_have_count(1)
    assert titles(other) == titles(page)


def test_words_meaning_and_both_are_one_choice(desk: Page, eyes: Eyes, complaints: Complaints) -> None:
    desk.locator("#words").fill("hard water")
    expect(desk.locator("#how")).to_contain_text("2 by their words")
    both = len(titles(desk))
    desk.get_by_label("Words", exact=True).check()
    expect(desk.locator("#hits")).to_have_text("2 found")
    assert both > 2
    assert asked(desk) == {"words": ["hard water"], "by": ["words"]}
    desk.get_by_label("Meaning", exact=True).check()
    expect(desk.locator("#how")).to_have_text("the nearest first")
    desk.locator("#words").fill("a lute tuned by a hussar")
    expect(desk.locator("#hits")).not_to_have_text("2 found")
    desk.locator("#words").fill("quarterly tax returns of a public limited company")
    expect(desk.locator("#hits")).to_have_text("0 found")
    expect(desk.get_by_text("is near to what you look for")).to_be_visible()
    eyes.look(desk, "pool-meaning-nothing")
    complaints.none()
    eyes.clean()


def test_without_script_it_is_found_all_the_same(
    people: factories.People, base: str, signed_in: Callable[..., BrowserContext], complaints: Complaints
) -> None:
    page = signed_in(people.annotator, java_script_enabled=False).new_page()
    page.goto(base)
    page.get_by_label("Search titles and answers").fill(ASKED)
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.locator("#how")).to_contain_text("by meaning")
    first = page.locator("#c-title").inner_text()
    page.get_by_role("link", name="More like this", exact=True).click()
    expect(page.locator(".chip.towards")).to_contain_text(first)
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.locator(".chip.towards")).to_contain_text(first)
    complaints.none()


def test_what_is_not_encoded_is_said_and_encoded(
    database: Database, signed_in: Callable[..., BrowserContext], eyes: Eyes, complaints: Complaints
) -> None:
    # What comes into a pool that was encoded is encoded by itself; this one nobody had encoded.
    with database.writing() as session:
        others = factories.people(session)
        fill(session, others, "Is a late kettle found by its meaning as well?")
    page = signed_in(others.annotator).new_page()
    page.goto(f"/projects/{others.project.slug}/pool?words=kettle")
    expect(page.locator("#encoded")).to_contain_text("0 of 1 candidate can be found by meaning")
    eyes.look(page, "pool-not-encoded")
    page.get_by_role("button", name="Encode the pool").click()
    expect(page.locator("#words")).to_have_value("kettle")
    expect(page.locator("#encoded")).not_to_contain_text("Encode the pool")
    complaints.none()
    eyes.clean()
