"""What an example is for, in a browser: what nobody touched on a desk is as somebody else has made it since."""

from playwright.sync_api import BrowserContext, Route

from app.db import Database
from app.examples import describing
from app.examples.describing import Purpose, purpose_of
from app.examples.models import Example
from app.projects.models import Split
from tests.browser.looking import expect
from tests.browser.test_nothing_lost import Place, place
from tests.browser.test_words_kept import emptied, writer
from tests.browser.test_words_saved import copies

__all__ = ["place", "writer"]


def test_a_page_follows_what_it_has_saved_and_shows_anew_what_another_has_changed(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    page.goto(place.path)
    page.wait_for_load_state("networkidle")
    page.get_by_text("What it is for").click()
    page.locator("[name='language']").fill("de")
    text = page.locator("#turn-2")
    text.fill("Tief.")
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 2")
    expect(page.locator("#kept")).to_have_attribute("data-kind", "saved")
    emptied(page)
    assert copies(database) == [], "what the answer brought with it is nothing that somebody typed"

    with database.writing() as session:
        made = session.get_one(Example, place.example_id)
        describing.describe_example(
            session, place.other, made, split="dev", source=made.source, language="fr", flags=made.flags
        )
    text.fill("Tiefer.")
    page.keyboard.press("Control+s")
    expect(page.locator("#said")).to_contain_text("that stays: split dev, language fr")
    expect(page.locator("[name='split']")).to_have_value("dev")
    expect(text).to_have_value("Tiefer.")
    page.wait_for_load_state("networkidle")
    text.fill("Am tiefsten.")
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 4")
    with database.reading() as session:
        assert purpose_of(session.get_one(Example, place.example_id)) == Purpose("dev", "x", "fr", ())
    emptied(page)
    assert copies(database) == []


def test_a_move_while_the_answer_to_a_save_is_on_its_way_is_shown_and_stays(
    database: Database, place: Place, writer: BrowserContext
) -> None:
    page = writer.new_page()
    page.goto(place.path)
    page.wait_for_load_state("networkidle")

    def moved_after_the_save(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        with database.writing() as session:
            made = session.get_one(Example, place.example_id)
            if made.split is Split.TRAIN:
                describing.describe_example(
                    session, place.other, made, split="dev", source=made.source, language="en", flags=made.flags
                )
        route.fulfill(response=answer)

    page.route(
        f"**{place.path}",
        lambda route: moved_after_the_save(route) if route.request.method == "POST" else route.fallback(),
    )
    text = page.locator("#turn-2")
    text.fill("Deep.")
    page.keyboard.press("Control+s")
    expect(page.locator("#said")).to_contain_text("Somebody has changed what it is for")
    expect(page.locator("[name='split']")).to_have_value("dev")
    page.wait_for_load_state("networkidle")
    text.fill("Deeper.")
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved as revision 3")
    with database.reading() as session:
        assert purpose_of(session.get_one(Example, place.example_id)).split == "dev"
