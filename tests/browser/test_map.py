"""The pool's map in a browser: seen, drawn around, acted on, undone; without a mouse, and without the picture."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from app.config import Settings
from app.db import Database
from app.selection import operations as pool
from app.selection.map_models import FULL, MapPoint
from app.sources.models import Candidate, CandidateStatus
from tests import factories
from tests.browser.looking import WORK_PATIENCE, Complaints, Eyes, expect
from tests.browser.walk import said
from tests.selection.mapped import draw, small_pool

# Paints nothing but what the page drew: whether any pixel of the picture has another colour than the ground.
PAINTED = """() => {
  const canvas = document.querySelector(".stage canvas");
  const data = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return new Set(data).size;
}"""


@pytest.fixture
def people(database: Database) -> factories.People:
    with database.writing() as session:
        return factories.people(session)


@pytest.fixture
def base(people: factories.People) -> str:
    return f"/projects/{people.project.slug}/pool/map"


@pytest.fixture
def desk(
    people: factories.People, base: str, database: Database, settings: Settings,
    signed_in: Callable[..., BrowserContext],
) -> Page:  # fmt: skip
    with database.writing() as session:
        made = small_pool(session, people)
        pool.use_candidate(session, people.lead, session.get_one(Candidate, made[0].id))
    draw(database, settings, people)
    page = signed_in(people.annotator).new_page()
    page.goto(base)
    drawn(page)
    return page


def drawn(page: Page) -> None:
    expect(page.locator(".stage[data-drawn]")).to_be_visible()


def states(database: Database) -> list[str]:
    with database.reading() as session:
        return [one.status.value for one in session.scalars(select(Candidate).order_by(Candidate.id))]


def line_around_all(page: Page) -> None:
    box = page.locator(".over").bounding_box()
    assert box
    left, top, right, bottom = box["x"] + 3, box["y"] + 3, box["x"] + box["width"] - 3, box["y"] + box["height"] - 3
    page.keyboard.press("l")
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 9)):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()


def test_a_line_is_drawn_acted_on_and_undone(
    desk: Page, base: str, database: Database, complaints: Complaints, eyes: Eyes
) -> None:
    assert desk.evaluate(PAINTED) > 3
    eyes.look(desk, "map")
    line_around_all(desk)
    panel = desk.locator("#map-chosen")
    expect(panel.locator("[data-part=count]")).to_have_text("6 candidates")
    expect(panel.locator("[data-part=own]")).to_have_text("and 1 example")
    expect(panel.locator("[data-part=states]")).to_have_text("5 not judged, 1 used")
    expect(panel.locator(".item").first).to_contain_text("Python")
    assert "lasso=" in desk.url
    eyes.look(desk, "map-lasso")
    panel.get_by_label("Reason to reject the chosen").select_option("dull")
    panel.get_by_role("button", name="Reject the chosen").click()
    said(desk, "Rejected: 5 candidates.")
    assert states(database).count("rejected") == 5
    drawn(desk)
    expect(desk.locator("[data-part=states]")).to_have_text("5 rejected, 1 used")
    desk.locator("#said").get_by_role("button", name="Undo").click()
    said(desk, "Undone for 5 candidates.")
    assert states(database) == ["used", *["open"] * 5]
    assert "lasso=" in desk.url
    desk.locator("[data-part=open]").click()
    expect(desk.get_by_text("Within a line drawn on the map.")).to_be_visible()
    eyes.clean()
    complaints.none()


def test_regions_are_chosen_and_opened_by_keys(
    desk: Page, database: Database, complaints: Complaints, settings: Settings
) -> None:
    desk.keyboard.press("1")
    expect(desk.locator("#chosen")).to_contain_text("1 ")
    expect(desk.locator(".regions tr.at")).to_have_count(1)
    desk.get_by_role("button", name="Keep the chosen").focus()
    desk.keyboard.press("Enter")
    said(desk, "Kept: 5 candidates.")
    assert states(database) == ["used", *["kept"] * 5]
    drawn(desk)
    desk.keyboard.press("Escape")
    expect(desk.locator("#chosen")).to_have_text("Nothing is chosen")
    desk.keyboard.press("1")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("In region 1 of the map.")).to_be_visible()
    complaints.none()


def test_a_region_is_named_ten_of_it_suggested_and_all_of_it_assigned_by_keys(
    desk: Page, base: str, database: Database, people: factories.People, complaints: Complaints, eyes: Eyes
) -> None:
    desk.keyboard.press("1")
    desk.keyboard.press("n")
    field = desk.get_by_label("Name of region 1")
    expect(field).to_be_focused()
    desk.keyboard.type("Woodwork")
    eyes.look(desk, "map-naming")
    desk.keyboard.press("Enter")
    said(desk, "Region 1 is called Woodwork.")
    drawn(desk)
    expect(desk.locator("#chosen")).to_have_text("1 Woodwork")
    expect(desk.locator(".over a[data-region='1']")).to_contain_text("Woodwork")
    expect(desk.locator(".regions tr.at th")).to_contain_text("Woodwork")
    desk.locator("#said").get_by_role("button", name="Undo").click()
    said(desk, "Undone: region 1 is called")
    expect(desk.locator(".regions tr.at th")).not_to_contain_text("Woodwork")
    drawn(desk)
    desk.keyboard.press("n")
    desk.keyboard.type("Kitchen and code")
    desk.keyboard.press("Enter")
    said(desk, "Region 1 is called Kitchen and code.")
    drawn(desk)
    eyes.look(desk, "map-named")
    desk.keyboard.press("t")
    expect(desk.get_by_role("heading", name="Ten that would help most, of Kitchen and code")).to_be_visible()
    expect(desk.locator("ol a.item")).to_have_count(5)
    eyes.look(desk, "next-of-a-region")
    desk.get_by_role("link", name="On the map").first.click()
    drawn(desk)
    expect(desk.locator(".regions tr.at")).to_have_count(1)
    desk.get_by_label("Colleague to assign the chosen to").select_option(label=people.colleague.name)
    desk.get_by_role("button", name="Assign the chosen").focus()
    desk.keyboard.press("Enter")
    said(desk, f"Handed to {people.colleague.name}: 5 candidates.")
    assert states(database) == ["used"] * 6
    desk.locator("#said").get_by_role("button", name="Undo").click()
    said(desk, "Undone for 5 candidates.")
    assert states(database) == ["used", *["open"] * 5]
    eyes.clean()
    complaints.none()


def test_a_point_tells_its_title_and_opens(desk: Page, base: str, database: Database, complaints: Complaints) -> None:
    with database.reading() as session:
        open_ones = select(MapPoint).join(Candidate).where(Candidate.status == CandidateStatus.OPEN)
        point = session.scalars(open_ones.order_by(MapPoint.candidate_id)).first()
        assert point
        title = session.get_one(Candidate, point.candidate_id).title
    box = desk.locator(".over").bounding_box()
    assert box
    x, y = box["x"] + point.x / FULL * box["width"], box["y"] + point.y / FULL * box["height"]
    desk.mouse.move(x + 2, y + 1)
    expect(desk.locator(".tip .what")).to_have_text(title)
    desk.mouse.click(x + 2, y + 1)
    expect(desk.locator("#c-title")).to_have_text(title)
    complaints.none()


def test_it_is_looked_at_closer_and_coloured_otherwise(desk: Page, complaints: Complaints) -> None:
    label = desk.locator(".over a[data-region]").first
    expect(label).to_be_visible()
    desk.keyboard.press("+")
    desk.keyboard.press("+")
    # It stands near an edge, which is no longer looked at.
    expect(label).to_be_hidden()
    desk.keyboard.press("0")
    expect(label).to_be_visible()
    desk.locator("#map-by").select_option("state")
    expect(desk.locator("#map-legend").get_by_text("Used")).to_be_visible()
    expect(desk.locator("#map-legend").get_by_text("Rejected")).to_be_hidden()
    assert "by=state" in desk.url
    shown = desk.evaluate(PAINTED)
    desk.locator("#map-legend").get_by_text("Not judged").click()
    expect(desk.locator("#map-legend [aria-pressed=false]")).to_have_count(1)
    desk.wait_for_function(f"({PAINTED})() < {shown}")
    complaints.none()


def test_a_map_is_drawn_from_the_page_and_comes_by_itself(
    people: factories.People, base: str, database: Database, signed_in: Callable[..., BrowserContext],
    complaints: Complaints, eyes: Eyes,
) -> None:  # fmt: skip
    with database.writing() as session:
        small_pool(session, people)
    page = signed_in(people.annotator).new_page()
    page.goto(base)
    expect(page.get_by_role("button", name="Draw the map")).to_be_visible()
    eyes.look(page, "map-empty")
    page.get_by_role("button", name="Draw the map").click()
    expect(page.locator(".stage[data-drawn]")).to_be_visible(timeout=WORK_PATIENCE)
    eyes.clean()
    complaints.none()


def test_without_script_the_table_says_the_same(
    desk: Page, base: str, people: factories.People, signed_in: Callable[..., BrowserContext]
) -> None:
    page = signed_in(people.annotator, java_script_enabled=False).new_page()
    page.goto(base)
    row = page.locator(".regions tbody tr").first
    assert "5" in row.locator("[data-label=Candidates]").inner_text() or "6" in row.inner_text()
    row.get_by_role("link").first.click()
    assert "region=1" in page.url
    page.goto(base)
    row = page.locator(".regions tbody tr").first
    row.get_by_text("Rename").first.click()
    row.get_by_label("Name of region 1").fill("Woodwork")
    row.get_by_role("button", name="Rename").click()
    expect(page.locator(".regions tbody tr").first).to_contain_text("Woodwork")
    page.get_by_role("link", name="Suggest ten of Woodwork").click()
    expect(page.get_by_role("heading", name="Ten that would help most, of Woodwork")).to_be_visible()
