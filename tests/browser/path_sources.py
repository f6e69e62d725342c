"""Material comes in: the sample dump and the sample pairs, by upload; the pool; duplicates by key."""

import re

from app import sample
from tests.browser.looking import WORK_PATIENCE
from tests.browser.walk import Walk, button, expect, heading, said, to_its_funnel


def import_the_dump(walk: Walk) -> None:
    """Upload, look at the rules, switch one off and on, import, watch it end, open a number of the funnel."""
    page = walk.first
    walk.open(page, walk.at("/sources/exchanges"), "exchanges")
    walk.open(page, walk.at("/sources/new"), "source-new")
    refused = walk.folder / "empty.jsonl"
    refused.write_text("")
    page.get_by_label("From this computer").set_input_files(refused)
    button(page, "Look at it").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    walk.eyes.look(page, "source-new-refused")
    dump = sample.dump_folder()
    page.get_by_label("From this computer").set_input_files([dump / "Posts.xml", dump / "Users.xml"])
    button(page, "Look at it").click()
    page.wait_for_url("**/imports/*")
    would_keep = page.locator("table.rules tfoot td").last
    expect(would_keep).to_have_text("31")
    walk.eyes.look(page, "import-rules")
    _switch_a_rule(walk)
    page.get_by_label("Site").fill("no such place")
    start = page.locator("button[form=setup]")
    start.click()
    expect(page.locator(".error, .note.danger").first).to_be_visible()
    walk.eyes.look(page, "import-rules-refused")
    page.get_by_label("Site").fill(sample.SITE)
    start.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    to_its_funnel(page)
    expect(page.locator(".state")).to_contain_text("31 of 102 records were kept")
    walk.eyes.look(page, "funnel")
    _open_a_number(walk)


def _switch_a_rule(walk: Walk) -> None:
    page = walk.first
    rule = page.get_by_role("switch", name="Length")
    left = page.locator("table.rules tfoot td").last
    rule.click()
    expect(left).not_to_have_text("31")
    page.get_by_role("switch", name="Length").click()
    expect(left).to_have_text("31")


def _open_a_number(walk: Walk) -> None:
    """Every number opens as many records as it says."""
    page = walk.first
    number = page.locator("td.num a[href*='rule=length']").first
    dropped = int(re.sub(r"\D", "", number.inner_text()))
    number.click()
    page.wait_for_url("**rule=length**")
    expect(page.locator("section[aria-labelledby=opened] li")).to_have_count(dropped)
    walk.eyes.look(page, "funnel-opened")


def import_the_pairs(walk: Walk) -> None:
    """Thirty pairs go into the set and keep their splits."""
    page = walk.first
    walk.open(page, walk.at("/sources/new"))
    page.get_by_label("From this computer").set_input_files(sample.pairs_file())
    button(page, "Look at it").click()
    page.wait_for_url("**/imports/*")
    page.get_by_label("submitted examples").check()
    walk.eyes.look(page, "import-pairs")
    page.locator("button[form=setup]").click()
    to_its_funnel(page)
    expect(page.locator(".state")).to_contain_text("30 of 30 records were kept")
    walk.eyes.look(page, "funnel-pairs")
    walk.open(page, walk.at("/sources"), "sources")
    walk.open(page, walk.at("/jobs"), "jobs")
    page.locator("table a").first.click()
    walk.eyes.look(page, "job")


def settle_duplicates(walk: Walk) -> None:
    """Look for them, settle one by key, take it back, settle it again."""
    page = walk.first
    walk.open(page, walk.at("/duplicates"), "duplicates-form")
    page.get_by_label("Responses").check()
    button(page, "Look for duplicates").click()
    page.wait_for_url("**/duplicates")
    page.locator(".pair article").first.wait_for(timeout=WORK_PATIENCE)
    page.goto(walk.at("/duplicates"))
    expect(page.locator(".state")).to_contain_text("to settle")
    walk.eyes.look(page, "duplicates")
    page.keyboard.press("1")
    said(page, "Kept left")
    page.keyboard.press("u")
    said(page, "open again")
    page.keyboard.press("1")
    said(page, "Kept left")
    walk.open(page, walk.at("/duplicates?show=settled"), "duplicates-settled")
    walk.open(page, walk.at("/duplicates/scans"), "duplicates-scans")


def settle_the_rest(walk: Walk) -> None:
    """The other pairs, a key each, until nothing is left."""
    page = walk.first
    page.goto(walk.at("/duplicates"))
    for _ in range(20):
        if not page.locator("form.decisions").count():
            break
        page.keyboard.press("1")
        page.wait_for_url("**/duplicates**")
        page.wait_for_load_state("load")
        said(page, "Kept left")
    heading(page, "Duplicates")
    walk.eyes.look(page, "duplicates-done")


def pick_from_the_pool(walk: Walk) -> None:
    """Look through the pool by key, reject one and bring it back, turn one into an example."""
    page = walk.first
    walk.open(page, walk.at("/pool"), "pool")
    page.keyboard.press("j")
    expect(page.locator("tr.at")).to_have_count(1)
    page.keyboard.press("x")
    said(page, "Rejected")
    page.keyboard.press("u")
    said(page, "Undone.")
    walk.open(page, walk.at("/pool?words=nothinglikethis"), "pool-nothing-found")
    walk.open(page, walk.at("/pool?status=all"), "pool-all")
    page.goto(walk.at("/pool"))
    page.keyboard.press("e")
    page.wait_for_url("**/examples/*")
    said(page, "From the pool, as your draft.")
