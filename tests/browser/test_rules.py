"""The rules of an import in a browser: moved, switched on from the others, opened, with the counts following."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from app import sample
from app.db import Database
from app.sources import operations
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect


@pytest.fixture
def page(database: Database, signed_in: Callable[..., BrowserContext], request: pytest.FixtureRequest) -> Page:
    """The set-up of the sample dump; with `script: False` in a browser without JavaScript."""
    with database.writing() as session:
        people = factories.people(session)
        run = operations.draft_import(
            session, people.annotator, people.project, sample.dump_folder(), "dump", "stackexchange"
        )
        path = f"/projects/{people.project.slug}/imports/{run.id}"
    page = signed_in(people.annotator, **getattr(request, "param", {})).new_page()
    page.goto(path)
    return page


def order(page: Page) -> list[str]:
    return page.locator("table.rules tbody label.toggle").all_inner_texts()


def test_rules_are_moved_and_added_without_a_new_page(
    page: Page, eyes: Eyes, complaints: Complaints, tmp_path: Path
) -> None:
    rows = page.locator("table.rules tbody tr")
    before = order(page)
    assert before == ["Top answer", "Score", "Length", "First person", "References"]
    page.evaluate("window.stayed = true")
    page.get_by_role("button", name="Move “Score” down").click()
    expect(rows.nth(1)).to_contain_text("Length")
    assert order(page) == ["Top answer", "Length", "Score", "First person", "References"]
    expect(page.get_by_role("button", name="Move “Score” down")).to_be_focused()
    page.get_by_text("More rules").click()
    page.get_by_role("switch", name="Titles once").check()
    expect(rows.last).to_contain_text("Titles once")
    # The others stay open, so that a second one is a single click.
    page.get_by_role("switch", name="Links").check()
    expect(rows.nth(2)).to_contain_text("Links")
    assert page.evaluate("window.stayed")
    rows.filter(has_text="First person").locator("td.num a").click()
    passage = page.locator("#behind-first_person mark.pin").first
    expect(passage).to_be_visible()
    eyes.look(page, "import-rules-open")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download these rules").click()
    download.value.save_as(tmp_path / "rules.toml")
    # A file that came is no reason to hold the form back.
    page.get_by_text("Use a rules file").click()
    page.get_by_label("Or its text").fill("lima")
    page.get_by_role("button", name="Use these rules").click()
    expect(page.get_by_text("The rules are those of the text now")).to_be_visible()
    assert order(page) == before
    page.get_by_text("Use a rules file").click()
    page.get_by_label("File", exact=True).set_input_files(tmp_path / "rules.toml")
    page.get_by_role("button", name="Use these rules").click()
    expect(page.get_by_text("The rules are those of rules.toml now")).to_be_visible()
    assert order(page)[1:4] == ["Length", "Links", "Score"]
    complaints.none()


def test_what_is_set_is_there_after_a_reload_and_a_step_back(page: Page, complaints: Complaints) -> None:
    longest = page.get_by_label("at most").first
    longest.fill("3,000")
    longest.press("Tab")
    page.get_by_role("button", name="Move “Score” down").click()
    page.get_by_role("switch", name="References").uncheck()
    expect(page.locator("table.rules tbody tr", has_text="References")).to_have_class("off")
    page.get_by_label("Site").fill("kettles.example.org")
    page.wait_for_url("**site=kettles.example.org**")  # with no key that leaves the field
    for again in (page.reload, lambda: page.goto("/projects"), page.go_back):
        again()
    assert order(page)[1:3] == ["Length", "Score"]
    expect(longest).to_have_value("3,000")
    expect(page.get_by_role("switch", name="References")).not_to_be_checked()
    expect(page.get_by_label("Site")).to_have_value("kettles.example.org")
    complaints.none()


def test_a_rule_moved_to_an_end_keeps_the_focus(page: Page, complaints: Complaints) -> None:
    rows = page.locator("table.rules tbody tr:has([role=switch])")
    down = page.get_by_role("button", name="Move “First person” down")
    for _ in range(2):
        down.press("Enter")
        expect(rows.last).to_contain_text("First person")
        expect(down).to_be_focused()
    expect(down).to_have_attribute("aria-disabled", "true")
    assert "move=" not in page.url
    complaints.none()


def test_a_limit_that_is_none_is_said_at_its_field_and_switches_no_rule_off(
    page: Page, eyes: Eyes, complaints: Complaints
) -> None:
    least = page.locator("#rule-length-minimum")
    least.fill("many")
    least.press("Tab")
    expect(least).to_have_attribute("aria-invalid", "true")
    expect(least).to_have_accessible_description("It must be a whole number, not 'many'.")
    expect(page.locator(".order b", has_text="off")).to_have_count(0)
    expect(page.locator(".order b")).to_have_text(["1", "2", "3", "4", "5"])
    eyes.look(page, "import-rules-refused")
    least.fill("1,200")
    least.press("Tab")
    expect(least).not_to_have_attribute("aria-invalid", "true")
    complaints.none()
    eyes.clean()


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_all_of_it_works_without_script(page: Page, complaints: Complaints) -> None:
    page.get_by_role("button", name="Move “Score” down").click()
    page.wait_for_url("**move=score**")
    assert order(page)[1:3] == ["Length", "Score"]
    page.get_by_text("More rules").click()
    page.get_by_role("switch", name="Titles once").check()
    page.get_by_role("button", name="Count again").click()
    page.wait_for_url("**duplicate_titles**")
    assert order(page)[-1] == "Titles once"
    page.locator("tr", has_text="First person").locator("td.num a").click()
    expect(page.locator("#behind-first_person mark.pin").first).to_be_visible()
    complaints.none()


def test_what_was_set_is_there_after_another_way_in_and_begins_again_when_asked(
    page: Page, eyes: Eyes, complaints: Complaints
) -> None:
    fresh = page.url
    score = page.locator("[name='rule.score.minimum']")
    with page.expect_response("**/set-up"):
        score.fill("3")
    page.locator("[name='name']").fill("The dump of the workshop")
    page.get_by_role("link", name="Sources").first.click()
    page.wait_for_url("**/sources")
    page.goto(fresh)
    expect(page.locator("#left-so")).to_contain_text("as it was left")
    expect(score).to_have_value("3")
    expect(page.locator("[name='name']")).to_have_value("The dump of the workshop")
    eyes.look(page, "import-left")
    page.get_by_role("button", name="Begin again").click()
    expect(page.locator("#said")).to_contain_text("Set up from the beginning")
    assert page.url == fresh
    expect(score).to_have_value("10")
    page.locator("#said").get_by_role("button", name="Undo").click()
    expect(page.locator("#said")).to_contain_text("as it was before")
    expect(score).to_have_value("3")
    complaints.none()
