"""A translation beside its original, and what a prompt is, in a browser: by keys, and kept while it is typed."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from app.accounts.models import Role
from app.db import Database
from app.examples import operations
from app.examples.models import Example
from app.projects import operations as projects
from app.projects import roles
from app.projects.models import Project
from app.reviews import operations as reviews
from app.reviews.commenting import Passage, comment
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect
from tests.examples import rows

PROMPT = "How deep do the roots of an oak go, in three short points?"
ANSWER = (
    "The roots of an oak stay near the surface.\n\n1. Most lie in the top 60 cm.\n2. They reach far beyond the crown.\n"
    "3. A taproot fades after some years."
)
GERMAN = "Die Wurzeln einer Eiche bleiben nahe der Oberfläche."
GERMAN_ANSWER = (
    f"{GERMAN}\n\n1. Die meisten liegen in den oberen 60 cm.\n2. Sie reichen weit über die Krone hinaus.\n"
    "3. Die Pfahlwurzel verkümmert nach einigen Jahren."
)


@pytest.fixture
def grove(database: Database) -> tuple[object, object, str, str, int]:
    """A lead, a writer, a project, one that translates it, and the number of an approved example."""
    with database.writing() as session:
        lead, writer, reader = (factories.user(session) for _ in range(3))
        made, german = (factories.project(session, lead) for _ in range(2))
        for project in (made, german):
            for person, role in ((writer, Role.ANNOTATOR), (reader, Role.REVIEWER)):
                projects.add_member(session, lead, project, person, role)
        projects.describe_project(session, lead, made, name="Oaks", guide="")
        projects.describe_project(session, lead, german, name="Eichen", guide="")
        roles.follow_project(session, lead, german, made, "de")
        example = rows.submitted(session, lead, made, messages=rows.pair(PROMPT, ANSWER), source="authors")
        reviews.approve(session, reader, example, 1)
        return lead, writer, made.slug, german.slug, example.id


def test_a_translation_is_taken_typed_kept_saved_and_told_of_a_change(
    grove: tuple[object, object, str, str, int],
    signed_in: Callable[..., BrowserContext],
    database: Database,
    complaints: Complaints,
    eyes: Eyes,
) -> None:
    lead, writer, _, german, number = grove
    page = signed_in(writer).new_page()
    page.goto(f"/projects/{german}/following")
    eyes.look(page, "following")
    page.get_by_role("button", name=f"Translate {PROMPT[:20]}").press("Enter")
    page.wait_for_url(re.compile("/translation$"))
    expect(page.locator(".original").first).to_contain_text("How deep do the roots")
    page.locator("#turn-1").focus()
    page.keyboard.type("Wie tief reichen die Wurzeln einer Eiche, in drei kurzen Punkten?")
    page.keyboard.press("Tab")
    page.keyboard.type(GERMAN)
    expect(page.locator("#kept")).to_contain_text("Kept on the server")
    page.reload()
    expect(page.locator("#turn-2")).to_have_value(GERMAN)
    eyes.look(page, "translation")
    page.locator("#turn-2").focus()
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 2")
    expect(page.locator("#turn-2")).to_have_value(GERMAN)

    with database.writing() as session:
        original = session.get_one(Example, number)
        words = rows.pair(PROMPT, ANSWER.replace("60 cm", "metre"))
        operations.save_revision(session, lead, original, based_on=1, messages=words)
        operations.submit_example(session, lead, original)
        reviews.approve(session, session.merge(writer), original, 2)
    page.reload()
    expect(page.get_by_text("The original changed since: revision 1 to 2")).to_be_visible()
    eyes.look(page, "translation-behind")
    page.get_by_role("button", name="The translation fits this").press("Enter")
    expect(page.get_by_text("The original changed since")).to_have_count(0)
    page.wait_for_load_state()
    page.locator("#turn-2").focus()
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/examples$"))
    eyes.clean()
    complaints.none()


def test_two_that_are_there_are_linked_by_keys_and_reviewed_side_by_side(
    grove: tuple[object, object, str, str, int],
    signed_in: Callable[..., BrowserContext],
    database: Database,
    complaints: Complaints,
    eyes: Eyes,
) -> None:
    lead, writer, slug, _, number = grove
    with database.writing() as session:
        project = session.get_one(Project, session.get_one(Example, number).project_id)
        words = rows.pair("Wie tief reichen die Wurzeln einer Eiche, in drei kurzen Punkten?", GERMAN_ANSWER)
        german = rows.submitted(session, writer, project, messages=words, language="de", source="authors").id
        for language, prompt in (("de", "Wie alt werden Eichen?"), ("fr", "Quel âge atteignent les chênes ?")):
            rows.example(session, writer, project, prompt, language=language, source="authors")
    page = signed_in(lead).new_page()
    page.goto(f"/projects/{slug}/examples/{number}/translations")
    page.wait_for_load_state()
    page.keyboard.press("/")
    page.keyboard.type("wurzeln eiche")
    expect(page.locator(".link-hit")).to_have_count(1)
    expect(page.locator("#q")).to_be_focused()
    eyes.look(page, "link-found")
    for _ in ("Find", "the example", "original"):
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name=f"This is a translation: example {german}")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/{german}/translation$"))
    expect(page.locator("#said")).to_contain_text(f"Linked: this is the translation of example {number}.")
    eyes.look(page, "linked")

    with database.writing() as session:
        comment(
            session, session.merge(lead), session.get_one(Example, german), "Which part?", Passage(1, "Pfahlwurzel")
        )
    page.goto(f"/projects/{slug}/review/{german}")
    expect(page.locator(".with-original .original").last).to_contain_text("A taproot fades")
    eyes.look(page, "review-beside")
    reworded = rows.pair(PROMPT, ANSWER.replace("60 cm", "metre"))
    with database.writing() as session:
        original = session.get_one(Example, number)
        operations.save_revision(session, lead, original, based_on=1, messages=reworded)
        operations.submit_example(session, lead, original)
        reviews.approve(session, session.merge(writer), original, 2)
    page.reload()
    page.locator("summary", has_text="The original changed since").press("Enter")
    eyes.look(page, "review-behind")

    page.goto(f"/projects/{slug}/examples/{number}/translations")
    eyes.look(page, "linked-list")
    page.get_by_role("button", name=f"Unlink example {german}").press("Enter")
    page.wait_for_url(re.compile(f"/{german}/translations$"))
    page.keyboard.press("u")
    page.wait_for_url(re.compile(f"/{german}/translation$"))
    expect(page.get_by_text("The original changed since: revision 1 to 2")).to_be_visible()
    eyes.clean()
    complaints.none()


def test_what_a_prompt_is_is_set_on_the_desk_without_leaving_it(
    grove: tuple[object, object, str, str, int],
    signed_in: Callable[..., BrowserContext],
    complaints: Complaints,
    eyes: Eyes,
) -> None:
    lead, _, slug, _, number = grove
    page = signed_in(lead).new_page()
    page.goto(f"/projects/{slug}/examples/{number}")
    page.locator("#roles summary").press("Enter")
    expect(page.locator("#roles")).to_contain_text("It says “in three short points”.")
    page.locator("#turn-2").press_sequentially("More. ")
    page.get_by_label("Fixes the form of the answer").check()
    page.get_by_label("Author's group").select_option("A")
    page.locator("summary", has_text="What it is for").press("Enter")
    expect(page.locator(".about")).to_contain_text("English")
    page.get_by_role("button", name="Set these").press("Enter")
    expect(page.locator("#roles summary")).to_contain_text("group A, fixes the answer's form")
    expect(page.locator("#turn-2")).to_have_value(re.compile("More. "))
    eyes.look(page, "desk-roles")
    page.goto(f"/projects/{slug}/examples/{number}/translations")
    page.get_by_label("Language").fill("Portuguese (pt-BR)")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/translation$"))
    page.goto(f"/projects/{slug}/examples/{number}/translations")
    eyes.look(page, "translations")
    page.goto(f"/projects/{slug}/settings")
    page.get_by_role("button", name="Keep test prompts out of sight").press("Enter")
    expect(page.get_by_text("Kept out of sight.", exact=True)).to_be_visible()
    page.get_by_role("button", name=re.compile("^Change")).first.press("Enter")
    expect(page.get_by_role("checkbox", name="Reads test prompts that are")).to_be_visible()
    eyes.look(page, "settings-roles")
    page.goto(f"/projects/{slug}/examples?also=format_constraint")
    expect(page.locator("tr[data-row]")).to_have_count(2)  # the translation is what its original is
    eyes.look(page, "list-also")
    eyes.clean()
    complaints.none()
