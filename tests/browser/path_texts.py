"""One example is written, submitted, sent back, written again and approved by the second person; the pairs follow."""

from playwright.sync_api import Page

from tests.browser.walk import Walk, button, expect, heading, link, said


def write(walk: Walk) -> int:
    """Edit prompt and response, look at the preview, save twice, submit; returns the example's number."""
    page = walk.first
    number = int(page.url.rsplit("/", 1)[1].split("?")[0])
    walk.eyes.look(page, "write")
    page.locator("#turn-1").fill("How do I keep a plane iron sharp?")
    response = page.locator("#turn-2")
    response.fill("Hone it **often** and lightly.\n\n- a fine stone\n- a strop\n\n`30` degrees will do.")
    button(page, "Save").last.click()
    expect(page.locator("#save-state")).to_contain_text("Saved")
    page.get_by_role("radiogroup", name="Show the response as").get_by_text("Preview").click()
    expect(page.locator("#preview")).to_contain_text("30 degrees will do")
    expect(page.locator("#preview strong")).to_have_text("often")
    expect(page.locator("#preview li")).to_have_count(2)
    walk.eyes.look(page, "write-preview")
    page.get_by_text("Write", exact=True).last.click()
    response.fill("Hone it **often** and lightly: a fine stone, then a strop.\n\nThirty degrees will do for soft wood.")
    page.keyboard.press("Control+s")
    expect(page.locator("#save-state")).to_contain_text("Saved")
    walk.open(page, walk.at(f"/examples/{number}/history"), "history")
    page.goto(walk.at(f"/examples/{number}"))
    page.locator("#turn-2").focus()
    page.keyboard.press("Control+Enter")
    said(page, "Submitted")
    walk.eyes.look(page, "examples")
    return number


def refuse_own(walk: Walk, number: int) -> None:
    """Nobody approves their own words: the page says so and offers no key."""
    page = walk.first
    walk.open(page, walk.at(f"/review/{number}"), "review-own")
    expect(page.locator(".decisions")).to_contain_text("own words")
    expect(button(page, "Approve").and_(page.locator("[name=verdict]"))).to_have_count(0)


def review(walk: Walk, number: int) -> None:
    """The second person asks for changes, gets them, and approves by key."""
    first, second = walk.first, walk.second
    walk.open(second, walk.at(), "home-reviewer")
    walk.open(second, walk.at(f"/review/{number}"), "review")
    second.keyboard.press("c")
    expect(second.locator(".error")).to_be_visible()
    walk.complaints.forgive("422: ")
    walk.eyes.look(second, "review-words-needed")
    second.get_by_label("Words for the writer").fill("Say which stone, in a word or two.")
    button(second, "Ask for changes").click()
    said(second, "Example")
    walk.open(first, walk.at("?view=day"), "home-day-returned")
    walk.open(first, walk.at(f"/examples/{number}"), "write-returned")
    first.locator("#turn-2").fill("Hone it often and lightly: a 6,000 grit water stone, then a strop.")
    first.keyboard.press("Control+Enter")
    said(first, "Submitted")
    walk.open(second, walk.at(f"/review/{number}"), "review-diff")
    _approve_by_key(second)
    walk.open(second, walk.at(f"/review/{number}"), "review-approved")
    walk.open(first, walk.at(f"/examples/{number}"), "write-approved")


def _approve_by_key(page: Page) -> None:
    page.keyboard.press("a")
    said(page, "pproved")


def save_stale(walk: Walk) -> None:
    """Two tabs write at once: the later save is shown both texts joined and loses neither."""
    first = walk.first
    second = first.context.new_page()
    walk.open(first, walk.at("/examples/new"), "write-new")
    first.locator("#turn-1").fill("What is a marking gauge for?")
    first.locator("#turn-2").fill("It draws a line along the grain at a fixed distance from an edge.")
    button(first, "Save").last.click()
    said(first, "Saved")
    address = first.url
    second.goto(address)
    second.locator("#turn-2").fill("It scratches a line at a fixed distance from an edge.")
    first.locator("#turn-2").fill("It draws a line at a fixed distance from an edge, along or across the grain.")
    button(first, "Save").last.click()
    expect(first.locator("#save-state")).to_contain_text("Saved")
    button(second, "Save").last.click()
    expect(second.locator("#save-state")).to_contain_text("You saved revision")
    button(second, "Compare both").click()
    joined = "It scratches a line at a fixed distance from an edge, along or across the grain."
    expect(second.locator("#turn-2")).to_have_value(joined)
    expect(second.locator("#main")).to_contain_text("both are joined on the desk")
    walk.complaints.forgive("409: ")
    walk.eyes.look(second, "write-stale")
    button(second, "Save").last.click()  # or signing out asks what is to become of words that nobody saved
    expect(second.locator("#save-state")).to_contain_text("Saved")
    second.close()


def approve_imported(walk: Walk) -> None:
    """The admin approves what was approved elsewhere, with the reason."""
    page = walk.first
    walk.open(page, walk.at("/review"), "review-queue")
    button(page, "Approve 30 imported examples").click()
    walk.eyes.look(page, "review-imported")
    page.get_by_label("Where was the set approved?").fill("Written and read twice for the sample.")
    button(page, "Approve them").click()
    said(page, "Approved as imported: 30 examples.")
    walk.open(page, walk.at("/review"), "review-done")
    walk.open(page, walk.at("/examples?state=approved"), "examples-found")
    walk.open(page, walk.at(), "home-lead")
    walk.open(page, walk.at("?view=day"), "home-day")
    heading(page, "")
    link(page, "All projects")
