"""Desk, lists and history as they look: nothing cut or glued together, all counts in sight, each line its own way."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from app.db import Database
from app.examples import operations, skips
from app.examples.models import Example
from tests import factories
from tests.browser.looking import PHONE, WIDE, Complaints, Eyes, expect
from tests.examples import rows

LINK = "https://example.org/" + "a-page-about-the-roots-of-old-oaks-on-sand/" * 6
HEBREW = "כך סופרים שורשים:\n\n```python\nroots = 12\n```\n\nEnglish line, at the end.\n\nועוד מילה אחת."
LONG = "\n\n".join(f"Paragraph {number} says a little of oaks. " * 6 for number in range(60))
LINES = """(box) => { const found = {}; const walk = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  for (let node; (node = walk.nextNode()); ) for (const part of node.data.matchAll(/```|python|[.:]|[\\p{L}]+/gu)) {
    const range = document.createRange();
    range.setStart(node, part.index);
    range.setEnd(node, part.index + part[0].length);
    found[part[0]] ??= range.getBoundingClientRect().left; }
  return found; }"""


@pytest.fixture
def desk(database: Database, people: factories.People) -> Example:
    """An example in Hebrew with two revisions; one whose prompt is an address is handed to the annotator."""
    with database.writing() as session:
        given = rows.example(session, people.colleague, people.project, LINK)
        skips.hand_over(session, people.colleague, given, people.annotator, "You know oaks.")
        rows.example(session, people.annotator, people.project, LINK + "2")
        told = rows.example(session, people.annotator, people.project, messages=rows.pair("מה השורש?", HEBREW))
        longer = rows.pair("מה השורש?", HEBREW + "\n\nThe last line.")
        operations.save_revision(session, people.annotator, told, based_on=1, messages=longer)
    return told


def test_lists_keep_within_a_phone_and_their_parts_apart(
    desk: Example, people: factories.People, signed_in: Callable[..., BrowserContext], eyes: Eyes
) -> None:
    page = signed_in(people.annotator).new_page()
    base = f"/projects/{people.project.slug}"
    for path, name in (("/examples", "write"), ("", "home"), ("/inbox", "inbox"), ("/examples/queue", "queue")):
        page.goto(base + path)
        eyes.look(page, f"looks-{name}")
        page.set_viewport_size(PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
        assert no_keys(page), path
        page.set_viewport_size(WIDE)
    page.goto(base)
    apart = "(one) => one.getBoundingClientRect().top - one.previousElementSibling.getBoundingClientRect().bottom"
    assert page.locator("section[aria-labelledby=best]").evaluate(apart) >= 24
    assert page.locator("aside .keys").evaluate(apart) >= 12
    eyes.clean()


def test_the_history_sets_each_line_its_own_way(
    desk: Example, people: factories.People, signed_in: Callable[..., BrowserContext], eyes: Eyes
) -> None:
    page = signed_in(people.annotator).new_page()
    page.goto(f"/projects/{people.project.slug}/examples/{desk.id}/history")
    eyes.look(page, "looks-history")
    at = page.locator(".timeline > li:last-child .read").last.evaluate(LINES)
    assert at["```"] < at["python"], "a fence stands before its language"
    assert at["English"] < at["end"], "an English line reads from the left"
    assert at["כך"] > at["שורשים"] > at[":"], "a Hebrew line reads from the right"
    expect(page.get_by_role("button", name="Bring back")).to_have_accessible_name("Bring back revision 1")
    eyes.clean()


def test_the_foot_says_all_counts_and_takes_little(
    desk: Example,
    people: factories.People,
    signed_in: Callable[..., BrowserContext],
    eyes: Eyes,
    complaints: Complaints,
) -> None:
    page = signed_in(people.annotator).new_page()
    page.goto(f"/projects/{people.project.slug}/examples/{desk.id}")
    page.locator("#turn-2").fill(LONG)
    expect(page.locator("#kept")).to_contain_text("Kept on the server")
    expect(page.locator("#counts")).to_contain_text("cut")
    a_letter_changes_a_letter(page)
    eyes.look(page, "looks-desk")
    for width in (1440, 1280, 1024):
        page.set_viewport_size({"width": width, "height": 800})
        expect(page.locator("#counts").get_by_text("words")).to_be_visible()
        if eyes.folder:
            page.screenshot(path=eyes.folder / f"looks-desk-{width}.png")
        within(page)
    page.set_viewport_size(PHONE)
    page.locator("#tab-response").check()
    page.locator("#turn-2").focus()
    if eyes.folder:
        page.screenshot(path=eyes.folder / "looks-desk-response.png")
    within(page)
    taken = "innerHeight - document.querySelector('.desk-foot').getBoundingClientRect().top"
    assert page.evaluate(taken) <= PHONE["height"] / 5
    assert no_keys(page)
    complaints.none()
    eyes.clean()


def no_keys(page: Page) -> bool:
    """A phone has none to press."""
    return not [key for key in page.locator("main kbd").all() if key.is_visible()]


def a_letter_changes_a_letter(page: Page) -> None:
    """What marks the cut in a long text is changed where somebody types; to lay all of it out anew takes too long."""
    layer = ".cut-layer"
    page.wait_for_function(f"() => document.querySelector('{layer} > .unread')?.textContent.length > 100")
    nodes = f"[...document.querySelectorAll('{layer}, {layer} *')].flatMap((one) => [...one.childNodes])"
    page.evaluate(f"window.was = {nodes}")
    page.locator("#turn-2").focus()
    page.keyboard.press("Control+Home")
    page.keyboard.type("In fact: ")
    page.wait_for_function(f"() => document.querySelector('{layer}').textContent.startsWith('In fact: Para')")
    assert page.evaluate("window.was.length === 6 && window.was.every((one) => one.isConnected)")


def within(page: Page) -> None:
    """No part of the foot is cut at an edge, and no text touches the ring of its box."""
    edges = """(foot) => [...foot.querySelectorAll(':scope > *, #counts > *')].filter((one) => one.checkVisibility())
      .flatMap((one) => { const { left, right } = one.getBoundingClientRect(); return [left, innerWidth - right]; })"""
    assert min(page.locator(".desk-foot").evaluate(edges)) >= 0
    for box in page.locator("#desk-form textarea[name^=turn_]").all():
        assert int(box.evaluate("(box) => parseFloat(getComputedStyle(box).paddingInlineStart)")) >= 4
