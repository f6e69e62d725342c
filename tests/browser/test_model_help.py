"""Help from a model in a browser: registered, allowed, asked on the desk, copied by hand, marked in the history."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from app.accounts.models import Role
from app.db import Database
from app.examples.models import Revision, Suggestion
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect
from tests.browser.walk import button, said
from tests.endpoints.modelserver import ModelServer, refusing

SAID = """\
- **It does not say why.** “Rinse it until” gives the step, not the reason: loose starch glues the grains.
- *How long* is told for the lid and not for the rest; ten minutes off the heat let the grains firm up and part from \
one another.
- The rule “Does not take up the question”: begin with the sticking, then with the water.

1. `heavy pot` wants a word: which one, and what if there is none?
2. Check the time for brown rice."""


def typed(page: Page, prompt: str, response: str) -> None:
    """Write both texts, and wait until the server keeps them."""
    page.get_by_label("Prompt, in Markdown").fill(prompt)
    page.locator("#turn-2").fill(response)


def test_a_model_is_asked_on_the_desk_and_writes_nothing(
    signed_in: Callable[..., BrowserContext],
    database: Database,
    people: factories.People,
    eyes: Eyes,
    complaints: Complaints,
) -> None:
    slug = people.project.slug
    with ModelServer(words=SAID) as model:
        _registered_and_allowed(signed_in, people, eyes, model)
        context = signed_in(people.annotator, permissions=["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.goto(f"/projects/{slug}/examples/new")
        typed(page, "How do I keep rice from sticking?", "Rinse it until the water stays clear, then use a heavy pot.")
        model.answer = model.hold
        button(page, "Suggest a critique").click()
        helper = page.locator("#helper")
        expect(helper).to_contain_text("Being asked")
        page.locator("#turn-2").press_sequentially(" And so on.")  # one writes on meanwhile
        eyes.look(page, "help-asked")
        model.let_go.set()
        expect(helper.get_by_text("It does not say why.", exact=True)).to_be_visible()
        expect(page.locator("#turn-2")).to_have_value(
            "Rinse it until the water stays clear, then use a heavy pot. And so on."
        )
        assert "And so on" not in model.asked[0]["messages"][1]["content"], "the text as it was typed then"
        eyes.look(page, "help-said")
        button(helper, "Copy").click()
        expect(helper.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("() => navigator.clipboard.readText()") == SAID
        model.let_go.clear()
        button(page, "Suggest an outline").click()
        expect(helper).to_contain_text("Being asked")
        button(helper, "Stop").click()
        expect(helper).to_contain_text("Stopped; nothing of an answer was kept.")
        model.answer = refusing(401)
        button(page, "Suggest an outline").click()
        expect(helper).to_contain_text("the API key is not one that it takes")
        eyes.look(page, "help-refused")
        page.locator("#turn-2").fill("Rinse it: ten minutes off the heat let the grains firm up and part.")
        page.keyboard.press("Control+s")
        said(page, "Saved")
        expect(page.locator("#helper")).to_contain_text("It does not say why.")
        page.get_by_role("link", name="History").click()
        expect(page.get_by_text("With words of a model")).to_be_visible()
        eyes.look(page, "help-history")
        page.get_by_role("link", name="Critique by qwen").click()
        expect(page.get_by_role("heading", name="All that was sent")).to_be_visible()
        eyes.look(page, "help-trail")
    with database.reading() as session:
        marks = session.scalars(select(Revision)).one().help
        assert marks is not None
        assert (marks[0]["copied"], marks[0]["words"]) == (True, 12)
        assert [one.words is None for one in session.scalars(select(Suggestion).order_by(Suggestion.id))] == [
            False, True, True,
        ]  # fmt: skip
    complaints.none()
    eyes.clean()


def _registered_and_allowed(
    signed_in: Callable[..., BrowserContext], people: factories.People, eyes: Eyes, model: ModelServer
) -> None:
    page = signed_in(people.admin).new_page()
    page.goto("/endpoints")
    eyes.look(page, "endpoints-none")
    page.get_by_label("Name", exact=True).fill("local")
    page.get_by_label("Base address").fill(model.url)
    page.get_by_label("It stands in our own network").check()
    page.get_by_label("Model", exact=True).fill("qwen")
    page.get_by_label("API key, if it wants one").fill("sk-canary-0091")
    button(page, "Add and test").click()
    expect(page.locator("#endpoint-rows")).to_contain_text("answered in")
    assert people.admin.role is Role.ADMIN
    eyes.look(page, "endpoints")
    button(page, "Change").click()
    page.locator(".dialog:popover-open").get_by_label("Seconds to wait").fill("90")
    eyes.look(page, "endpoints-change")
    button(page, "Change and test").click()
    expect(page.locator("#endpoint-rows")).to_contain_text("waits 90 s")
    expect(page.locator("#endpoint-rows")).to_contain_text("answered in")
    model.asked.clear()
    model.begun.clear()
    lead = signed_in(people.lead).new_page()
    lead.goto(f"/projects/{people.project.slug}/model-help")
    eyes.look(lead, "help-off")
    lead.get_by_label("From the model server local").check()
    button(lead, "Save").click()
    said(lead, "Whoever writes here can ask for help now.")
    eyes.look(lead, "help-on")
