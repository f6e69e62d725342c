"""Splits by keyboard alone: numbers, the preview, the move, and taking it back."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext
from sqlalchemy import func, select

from app.db import Database
from app.duplicates.models import DuplicatePair, DuplicateScan, Method
from app.examples.models import Example
from app.projects.models import Split
from tests import factories
from tests.browser.looking import Complaints, Eyes, expect
from tests.datasets.material import approve, dialogue

WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2


def prepared(database: Database) -> factories.People:
    """Forty approved examples; pairs found alike, one in two splits, one bigger than the room."""
    with database.writing() as session:
        people = factories.people(session)
        ids = [
            approve(
                session, people.project, people.annotator, people.reviewer,
                dialogue(f"Question {at}: {WORD if at == 1 else ''}?"), source="authors" if at % 2 else "wikihow",
            ).id
            for at in range(40)
        ]  # fmt: skip
        scan = DuplicateScan(project_id=people.project.id, methods=["embedding"], on="prompt", threshold=0.9)
        session.add(scan)
        session.flush()
        for left, right in ((0, 1), (2, 3), (38, 39), *((at, at + 1) for at in range(20, 35))):
            session.add(
                DuplicatePair(
                    project_id=people.project.id, scan_id=scan.id, left_key=f"example:{ids[left]}",
                    right_key=f"example:{ids[right]}", on="prompt", method=Method.EMBEDDING, score=0.95, leak=False,
                )
            )  # fmt: skip
        session.get_one(Example, ids[38]).split, session.get_one(Example, ids[39]).split = Split.DEV, Split.TEST
        return people


def in_test(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count(Example.id)).where(Example.split == Split.TEST)) or 0


def test_splits_are_drawn_and_taken_back_without_a_mouse(
    database: Database, signed_in: Callable[..., BrowserContext], eyes: Eyes, complaints: Complaints
) -> None:
    people = prepared(database)
    page = signed_in(people.lead).new_page()
    page.goto(f"/projects/{people.project.slug}/splits?dev=4&test=8&seed=3")
    page.get_by_label("Test, in all").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("10")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The rule would move 12 examples:")).to_be_visible()
    expect(page.get_by_role("heading", name="In two splits, and left there")).to_be_visible()
    expect(page.get_by_role("heading", name="Bigger than any split has room for")).to_be_visible()
    page.locator("#moves > summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#moves li")).to_have_count(12)
    eyes.look(page, "splits")
    assert in_test(database) == 1
    page.get_by_role("button", name="Move 12 examples").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Moved: 12 examples. No approval has fallen.")).to_be_visible()
    assert in_test(database) == 10
    page.locator("section[aria-labelledby='past']").get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Moved back: 12 examples.")).to_be_visible()
    assert in_test(database) == 1
    eyes.clean()
    complaints.none()


def test_an_empty_project_teaches(
    database: Database, signed_in: Callable[..., BrowserContext], eyes: Eyes, complaints: Complaints
) -> None:
    with database.writing() as session:
        people = factories.people(session)
    page = signed_in(people.lead).new_page()
    page.goto(f"/projects/{people.project.slug}/splits")
    expect(page.get_by_role("heading", name="Nothing to draw from")).to_be_visible()
    eyes.look(page, "splits-empty")
    eyes.clean()
    complaints.none()
