"""Pages of sources that no other walk opens: forty columns, saved mappings, notes of a source, an archive put away."""

import csv
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from app.db import Database
from tests import factories
from tests.browser.looking import WORK_PATIENCE, Complaints, Eyes, expect, press_until
from tests.browser.serving import Site
from tests.browser.walk import button, link, said, to_its_funnel

LONG = "Water boils at a lower temperature the higher the kettle stands, because less air presses on it. " * 14
HEADS = (
    "ID of the call, as the telephone system numbers it (not that of the ticket)",
    "What they asked",
    "What we said",
    *(f"measurement_{number:02}_of_the_noise_in_decibels_one_metre_from_the_spout" for number in range(1, 36)),
    "Bemerkungen der Nachtschicht, die niemand liest, aber jede Schicht ausfüllen muss, weil es so im Handbuch steht",
    "ملاحظات",
)
POST = (
    '<row Id="{id}" PostTypeId="{kind}" {more} CreationDate="2018-04-01T10:00:00.000" Score="{score}" Body="{body}" />'
)


@pytest.fixture
def people(database: Database) -> factories.People:
    with database.writing() as session:
        return factories.people(session)


@pytest.fixture
def desk(people: factories.People, signed_in: Callable[..., BrowserContext]) -> Page:
    return signed_in(people.lead).new_page()


@pytest.fixture
def base(people: factories.People) -> str:
    return f"/projects/{people.project.slug}"


def bring_in(page: Page, base: str, *paths: Path) -> None:
    page.goto(f"{base}/sources/new")
    page.get_by_label("From this computer").set_input_files(paths)
    button(page, "Look at it").click()
    page.wait_for_url("**/imports/*", timeout=WORK_PATIENCE)


def imported(page: Page) -> None:
    page.locator("button[form=setup]", has_text="Import").click()
    to_its_funnel(page)
    expect(page.get_by_role("heading", name="From read to kept")).to_be_visible()


def table(path: Path, heads: tuple[str, ...]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(heads)
        for number in range(5):
            rows.writerow(
                (f"K-{number}", f"Why does kettle {number} sing?", f"{number}. {LONG}", *"x" * (len(heads) - 3))
            )
    return path


def test_forty_columns_are_mapped_and_their_mapping_is_kept_renamed_used_and_deleted(
    desk: Page, base: str, eyes: Eyes, complaints: Complaints, tmp_path: Path
) -> None:
    bring_in(desk, base, table(tmp_path / "calls of March.csv", HEADS))
    first = desk.locator("section[aria-labelledby=first]")
    desk.get_by_label("What they asked").select_option("prompt")
    desk.get_by_label("What we said").select_option("response")
    desk.get_by_label(HEADS[0]).select_option("id")
    desk.get_by_label(HEADS[-2]).select_option("author")
    expect(first).to_contain_text("record K-0")
    eyes.look(desk, "sources-forty-columns")
    imported(desk)
    bring_in(desk, base, table(tmp_path / "april.csv", (*HEADS, "one more")))
    eyes.look(desk, "sources-mapping-offered")
    button(desk, "calls of March.csv").click()
    expect(desk.get_by_text("as the saved mapping has them")).to_be_visible()
    expect(desk.get_by_label(HEADS[0])).to_have_value("id")
    link(desk, "saved mappings").click()
    desk.wait_for_url("**/sources/mappings")
    eyes.look(desk, "sources-mappings")
    desk.locator("summary", has_text="Rename").first.click()
    name = desk.get_by_label("Name")
    name.fill("  ")
    name.press("Enter")
    expect(desk.locator(".error")).to_contain_text("1 to 120 characters")
    eyes.look(desk, "sources-mapping-refused")
    complaints.found.clear()
    name.fill("telephone")
    button(desk, "Rename").click()
    said(desk, "The mapping is called telephone now.")
    desk.locator("#said button", has_text="Close").click()
    press_until(desk, "Tab", "button[popovertarget$=delete]")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("dialog")).to_contain_text("What was imported by it stays")
    eyes.look(desk, "sources-mapping-delete")
    button(desk, "Delete it").click()
    said(desk, "The mapping telephone is deleted")
    expect(desk.get_by_text("Mappings come from tables")).to_be_visible()
    eyes.look(desk, "sources-mappings-none")
    complaints.none()
    eyes.clean()


def posts(folder: Path) -> list[Path]:
    """A dump whose scores its votes do not make."""
    rows = []
    for number in range(1, 13):
        rows.append(
            POST.format(id=number, kind=1, score=3, body="How?", more=f'Title="Why does kettle {number} sing?"')
        )
        answer = f"&lt;p&gt;{number}. {LONG}&lt;/p&gt;"
        rows.append(POST.format(id=100 + number, kind=2, score=9 + number, body=answer, more=f'ParentId="{number}"'))
    votes = [f'<row Id="{number}" PostId="{100 + number}" VoteTypeId="2" />' for number in range(1, 13)]
    files = {"Posts.xml": ("posts", rows), "Votes.xml": ("votes", votes)}
    for name, (root, lines) in files.items():
        (folder / name).write_text(f"<{root}>\n" + "\n".join(lines) + f"\n</{root}>\n", "utf-8")
    return [folder / name for name in files]


def test_what_is_to_be_known_of_a_source_stands_with_its_import(
    desk: Page, base: str, eyes: Eyes, complaints: Complaints, tmp_path: Path
) -> None:
    bring_in(desk, base, *posts(tmp_path))
    desk.get_by_label("Site").fill("quantumcomputing.stackexchange.com")
    desk.get_by_label("Site").press("Tab")
    imported(desk)
    expect(desk.locator("main")).to_contain_text(
        "Of the whole fileThe scores of 24 of 24 posts are not what Votes.xml makes"
    )
    eyes.look(desk, "sources-notes")
    desk.goto(f"{base}/sources")
    for width, lines in ((780, 4), (1024, 2), (1280, 1), (2560, 1)):
        desk.set_viewport_size({"width": width, "height": 900})
        box = desk.get_by_role("row").filter(has_text="quantumcomputing.stackexchange.com").bounding_box()
        assert box
        assert box["height"] <= 14 + 24 * lines, (width, box)
        assert desk.evaluate("document.documentElement.scrollWidth") <= width
    eyes.look(desk, "sources-list")
    complaints.none()
    eyes.clean()


def test_copies_that_a_site_names_are_listed_and_a_file_that_was_imported_is_known(
    desk: Page, base: str, eyes: Eyes, complaints: Complaints, tmp_path: Path
) -> None:
    dump = [*posts(tmp_path), tmp_path / "PostLinks.xml"]
    link_ = '<row Id="{id}" CreationDate="2018-05-01T10:00:00.000" PostId="{id}" RelatedPostId="{of}" LinkTypeId="3" />'
    rows = "\n".join(link_.format(id=number, of=number - 1) for number in range(2, 9))
    dump[-1].write_text(f"<postlinks>\n{rows}\n</postlinks>\n", "utf-8")
    bring_in(desk, base, *dump)
    expect(desk.locator("#earlier")).to_have_count(1)
    desk.get_by_label("Site").fill("quantumcomputing.stackexchange.com")
    desk.get_by_label("Site").press("Tab")
    imported(desk)
    eyes.look(desk, "sources-known-told")
    desk.get_by_role("link", name="7 pairs").click()
    expect(desk.locator(".known-pairs tbody tr")).to_have_count(7)
    eyes.look(desk, "sources-known-pairs")
    bring_in(desk, base, *dump)
    known = desk.locator("#earlier")
    expect(known).to_contain_text("This very file was imported before")
    eyes.look(desk, "sources-imported-before")
    known.get_by_role("link").click()
    expect(desk.get_by_role("heading", name="From read to kept")).to_be_visible()
    complaints.none()
    eyes.clean()


def test_an_archive_that_was_put_away_is_unpacked_by_a_worker_and_leads_back(
    desk: Page, base: str, site: Site, eyes: Eyes, complaints: Complaints, tmp_path: Path
) -> None:
    dice = random.Random(3)
    with zipfile.ZipFile(tmp_path / "many.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        lines = (
            f'{{"prompt": "Why {number}?", "completion": "{dice.randbytes(900).hex()}"}}' for number in range(4700)
        )
        archive.writestr("many.jsonl", "\n".join(lines))
        archive.writestr("short.jsonl", '{"prompt": "Why?", "completion": "Because."}')
    bring_in(desk, base, tmp_path / "many.zip")
    desk.get_by_role("switch", name="Length").check()
    expect(desk.locator("#counted")).not_to_have_attribute("aria-busy", "true")
    imported(desk)
    shutil.rmtree(site.data_dir / "unpacked")
    desk.locator("td.num a[href*='rule=length']").first.click()
    expect(desk.get_by_text("These records lie in an archive")).to_be_visible()
    eyes.look(desk, "sources-packed")
    button(desk, "Unpack it again").click()
    expect(desk.locator("section[aria-labelledby=opened] li")).to_have_count(1, timeout=WORK_PATIENCE)
    eyes.look(desk, "sources-unpacked")
    complaints.none()
    eyes.clean()
