"""Writing in a browser: turns and tabs by keyboard, comments that follow the text, the cut where it falls."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from app.accounts.models import Role
from app.db import Database
from app.examples import claims
from app.projects import operations as projects
from app.reviews import commenting
from app.reviews.commenting import Passage
from tests import factories
from tests.browser.looking import PHONE, WIDE, Complaints, Eyes, expect
from tests.examples import rows

RYE = "Wheat is no thirsty grain 🥖 and rye is one; give the second more water than the first, and give it slowly."
TURNS = [*rows.pair("First, of flour?", RYE), *rows.pair("Second?", "Water it well.")]
LAYER = "document.querySelector('#turn-2').previousElementSibling"


@pytest.fixture
def desk(database: Database) -> tuple[object, object, str, int]:
    """A writer, a colleague, a project's short name, and an example of four turns with comments on it."""
    with database.writing() as session:
        lead, writer, colleague = (factories.user(session) for _ in range(3))
        made = factories.project(session, lead)
        for person in (writer, colleague):
            projects.add_member(session, lead, made, person, Role.ANNOTATOR)
        example = rows.example(session, writer, made, messages=TURNS)
        claims.claim(session, writer, example)
        commenting.comment(session, colleague, example, "How much?", Passage(message=1, quote="more water"))
        commenting.comment(session, colleague, example, "Which flour?", Passage(message=0, quote="flour"))
        return writer, colleague, made.slug, example.id


def test_a_desk_to_write_on_all_day(
    desk: tuple[object, object, str, int],
    signed_in: Callable[..., BrowserContext],
    complaints: Complaints,
    eyes: Eyes,
) -> None:
    writer, colleague, slug, number = desk
    page = signed_in(colleague).new_page()
    nothing_moves(page, f"/projects/{slug}/examples/{number}")
    page = signed_in(writer).new_page()
    nothing_moves(page, f"/projects/{slug}/examples/{number}")
    comments_follow(page)
    turns_by_keyboard(page)
    only_the_text(page)
    the_cut_is_drawn(page, eyes)
    tabs(page, eyes)
    page.get_by_role("button", name="Save").last.click()
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 2")
    leaving(page, slug)
    eyes.clean()
    complaints.none()


def nothing_moves(page: Page, url: str) -> None:
    """What a page loads later moves neither text box."""
    page.goto(url, wait_until="domcontentloaded")
    first = [page.locator(box).bounding_box() for box in ("#turn-1", "#turn-2")]
    expect(page.locator("#comments-margin > .remark")).to_have_count(1)
    page.wait_for_load_state("networkidle")
    after = [page.locator(box).bounding_box() for box in ("#turn-1", "#turn-2")]
    assert [box["y"] for box in after if box] == [box["y"] for box in first if box]


def marked(page: Page, box: str) -> list[str]:
    """The passages that are marked under a text box."""
    marks = "(box) => [...box.previousElementSibling.querySelectorAll('mark.pin')].map((one) => one.textContent)"
    return list(page.locator(box).evaluate(marks))


def comments_follow(page: Page) -> None:
    """A comment stands at its words while they move, while somebody types into them, and after a reload."""
    assert marked(page, "#turn-2") == ["more water"]
    assert marked(page, "#turn-1") == ["flour"]
    page.locator("#turn-2").focus()
    page.keyboard.press("Control+Home")
    page.keyboard.type("In fact: ")
    page.wait_for_function(f"() => {LAYER}.textContent.startsWith('In fact')")
    assert marked(page, "#turn-2") == ["more water"]
    page.locator("#turn-2").evaluate("(box) => box.setSelectionRange(...Array(2).fill(box.value.indexOf('ter than')))")
    page.keyboard.type("-i-")
    page.wait_for_function(f"() => {LAYER}.textContent.includes('more wa-i-ter')")
    assert marked(page, "#turn-2") == ["more wa-i-ter"]
    expect(page.locator("#kept")).to_contain_text("Kept on the server")
    page.reload()
    page.wait_for_function(f"() => {LAYER}?.querySelector('mark.pin')")
    assert marked(page, "#turn-2") == ["more wa-i-ter"]


def values(page: Page) -> list[str]:
    """What all turns say."""
    return list(page.locator("#desk-form textarea[name^=turn_]").evaluate_all("(all) => all.map((one) => one.value)"))


def turns_by_keyboard(page: Page) -> None:
    """Two turns move down and up and join with the next two."""
    before = values(page)
    page.locator("#turn-2").focus()
    page.keyboard.press("Alt+ArrowDown")
    assert values(page) == [*before[2:], *before[:2]]
    expect(page.locator("#turn-4")).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowUp")
    assert values(page) == before
    expect(page.locator("#turn-2")).to_be_focused()
    page.keyboard.press("Alt+j")
    expect(page.locator("#turn-3")).to_have_count(0)
    assert values(page) == ["First, of flour?\n\nSecond?", f"{before[1]}\n\nWater it well."]
    page.keyboard.press("Alt+a")
    expect(page.locator("#turn-4")).to_have_value("")


def only_the_text(page: Page) -> None:
    """Everything else goes and comes back."""
    page.locator("#turn-2").focus()
    page.keyboard.press("Control+Shift+F")
    expect(page.locator(".rail")).to_be_hidden()
    expect(page.locator("#turn-2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".rail")).to_be_visible()


def the_cut_is_drawn(page: Page, eyes: Eyes) -> None:
    """Training stops in the middle of the text: a line there, the words beside it, and the rest on a wash."""
    text = "\n\n".join(f"Paragraph {number} says a little of dough. " * 4 for number in range(60))
    # What is typed while an answer is on its way is asked about as well.
    held: list[Route] = []
    page.route("**/remarks", lambda route: route.continue_() if held else held.append(route))
    page.locator("#turn-2").fill("A short one.")
    page.wait_for_event("request", lambda request: request.url.endswith("/remarks"))
    page.locator("#turn-2").fill(text)
    held[0].continue_()
    expect(page.locator("#remarks .remark[data-cut]")).to_contain_text("Training stops reading here")
    page.wait_for_function("() => document.querySelector('.cut-layer .unread')?.textContent.length > 100")
    apart = """() => { const [line] = document.querySelector(".cut-layer .unread").getClientRects();
      return Math.abs(line.top - document.querySelector("#remarks .remark[data-cut]").getBoundingClientRect().top); }"""
    page.wait_for_function(f"() => ({apart})() < 12")
    unread = str(page.locator(".cut-layer .unread").evaluate("(one) => one.textContent"))
    assert text.endswith(unread)
    eyes.look(page, "desk-cut")


def tabs(page: Page, eyes: Eyes) -> None:
    """On a phone one of three is shown; arrows, Ctrl P and F8 lead from one to the other, and the foot stays."""
    page.set_viewport_size(PHONE)
    shown = {"prompt": "#turn-1", "response": "#turn-2", "preview": "#preview"}
    page.locator("#tab-prompt").focus()
    for name in ("prompt", "response", "preview"):
        expect(page.locator(f"#tab-{name}")).to_be_checked()
        for other, box in shown.items():
            expect(page.locator(box)).to_be_visible(visible=other == name)
        expect(page.get_by_role("button", name="Submit for review")).to_be_in_viewport()
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.locator("#turn-2").focus()
    page.keyboard.press("Control+p")
    expect(page.locator("#preview")).to_be_visible()
    page.keyboard.press("Control+p")
    expect(page.locator("#turn-2")).to_be_focused()
    page.locator("#tab-prompt").check()
    page.locator("#turn-1").focus()
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    expect(page.locator("#turn-2")).to_be_focused()
    eyes.look(page, "desk-tabs")
    page.set_viewport_size(WIDE)


def leaving(page: Page, slug: str) -> None:
    """Who leaves a new example finds it where it was."""
    page.goto(f"/projects/{slug}/examples/new")
    page.locator("#turn-1").fill("Only half a")
    page.get_by_role("button", name="Leave").click()
    expect(page.locator("#said")).to_contain_text("Kept as it is")
    page.goto(f"/projects/{slug}/examples/new")
    page.get_by_role("link", name="Write on").click()
    expect(page.locator("#turn-1")).to_have_value("Only half a")
