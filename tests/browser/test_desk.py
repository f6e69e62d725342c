"""Every page of the desk is looked at: in light, in dark, at 360 px and at 200%, with little and with much."""

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import BrowserContext, Page
from sqlalchemy.orm import Session

from app.db import Database, now
from app.examples import claims, operations, skips, working_copies
from app.examples.models import Example, SkipReason
from app.reviews import operations as reviews
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect
from tests.browser.walk import button
from tests.examples import rows
from tests.home.test_inbox import named

LONG = "How long does hard cheese last in a rucksack " + "that hangs on the shady side of a hut, " * 7 + "in July?"
WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
PROMPTS = ("How deep do the roots of an old oak go?", LONG, WORD, "Which knots hold in wet rope?")
FIRST = (
    "Most roots stay in the top metre.\n\n- Oaks differ.\n- Pines as well.\n\nDig with care, and fill the hole again."
)
SECOND = FIRST.replace("top", "upper").replace("Pines as well", "Pines do too, on sand")
THIRD = SECOND.replace("Dig with care", "Dig by hand")


def full(session: Session, people: factories.People) -> tuple[int, int]:
    """Something of every kind, for the annotator and for all; the numbers of one with a history and of a draft."""
    writer, project = people.annotator, people.project
    for prompt in PROMPTS:
        back = rows.submitted(session, writer, project, prompt)
        reviews.return_example(session, people.reviewer, back, 1, "Say how deep in metres. " * (len(prompt) // 40 + 1))
        given = rows.example(session, people.colleague, project, prompt)
        skips.hand_over(session, people.colleague, given, writer, "You know gardens.")
        held = rows.example(session, writer, project, prompt)
        claims.claim(session, writer, held)
        named(session, people, held)
        left = rows.example(session, people.lead, project, prompt)
        skips.skip(session, people.colleague, left, SkipReason.OTHER, "Neither the hut nor the month is known. " * 3)
    ending = rows.example(session, writer, project, "Which mushrooms grow under birches?")
    ending.claimed_by, ending.claimed_until = writer.id, now() + timedelta(minutes=5)
    told = rows.example(session, writer, project, messages=rows.pair(PROMPTS[0], FIRST))
    for based_on, words, why in ((1, SECOND, "On sand"), (2, THIRD, ""), (3, FIRST, "Back to the start " * 8)):
        operations.save_revision(
            session, writer, told, based_on=based_on, messages=rows.pair(PROMPTS[0], words), note=why
        )
    draft = rows.example(session, writer, project, messages=rows.pair(PROMPTS[0], FIRST))
    return told.id, draft.id


def many(session: Session, people: factories.People, count: int = 120) -> None:
    """More being written than a page shows."""
    for number in range(count):
        claims.claim(session, people.annotator, rows.example(session, people.annotator, people.project, f"{number}?"))


def test_queue_inbox_history_and_style_with_much_and_with_nothing(
    people: factories.People,
    database: Database,
    signed_in: Callable[..., BrowserContext],
    eyes: Eyes,
    complaints: Complaints,
) -> None:
    base = f"/projects/{people.project.slug}"
    page, lead = signed_in(people.annotator).new_page(), signed_in(people.lead).new_page()
    see(page, eyes, f"{base}/inbox", "inbox-empty")
    see(lead, eyes, f"{base}/queue", "queue-empty")
    with database.writing() as session:
        told, _ = full(session, people)
    see(page, eyes, f"{base}/inbox", "inbox")
    see(lead, eyes, f"{base}/queue", "queue")
    see(page, eyes, f"{base}/examples/{told}/history", "history")
    see(page, eyes, f"{base}/examples/{told}/history?left=1&right=3", "history-compared")
    for place in ("style", "style/guide", "style/voices", "review-agreement"):
        see(lead, eyes, f"{base}/{place}", f"desk-{place.replace('/', '-')}")
    with database.writing() as session:
        many(session, people)
    see(lead, eyes, f"{base}/queue", "queue-many")
    complaints.none()
    eyes.clean()


def test_skipping_handing_over_kept_words_and_two_people_at_once(
    people: factories.People,
    database: Database,
    signed_in: Callable[..., BrowserContext],
    eyes: Eyes,
    complaints: Complaints,
) -> None:
    base = f"/projects/{people.project.slug}/examples"
    with database.writing() as session:
        _, number = full(session, people)
        for key in ("a-first-key-of-three", "a-second-key-of-three", "a-third-key-of-three"):
            begun = working_copies.Desk(people.annotator, people.project, None, key)
            words = working_copies.Written(rows.pair(LONG, "Half a thought"), {}, 0)
            working_copies.keep(session, begun, words, follows=0, key=f"{key}-saved")
    page = signed_in(people.annotator).new_page()
    see(page, eyes, f"{base}/new", "kept-begun")
    page.goto(f"{base}/{number}")
    page.locator("#claim > summary").press("Enter")
    eyes.look(page, "desk-hand-over")
    page.locator("#turn-2").fill(FIRST.replace("top metre", "topmost 60 centimetres").replace("Dig with", "Take"))
    expect(page.locator("#kept")).to_contain_text("Kept on the server")
    page.reload()
    expect(page.locator("#kept-words")).to_contain_text("are on the desk")
    eyes.look(page, "kept-shown")
    with database.writing() as session:
        example = session.get_one(Example, number)
        claims.release(session, people.annotator, example)
        operations.save_revision(session, people.lead, example, based_on=1, messages=rows.pair(PROMPTS[0], THIRD))
        example.claimed_by = example.claimed_until = None  # they have finished
    page.locator("#turn-2").press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("saved revision 2")
    button(page, "Compare both").click()
    expect(page.locator(".whose").first).to_be_visible()
    eyes.look(page, "merge")
    page.goto(f"{base}/{number}")
    eyes.look(page, "kept-offered")
    complaints.forgive("409: ")
    complaints.none()
    eyes.clean()


def see(page: Page, eyes: Eyes, path: str, name: str) -> None:
    answer = page.goto(path)
    assert answer
    assert answer.status == 200, path
    eyes.look(page, name)
