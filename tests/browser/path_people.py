"""The house is opened, a project made, a second person invited; at the end they go."""

from tests.browser.walk import (
    FIRST,
    FIRST_EMAIL,
    PASSWORD,
    SECOND,
    SECOND_EMAIL,
    SLUG,
    Walk,
    button,
    expect,
    heading,
    link,
    said,
)


def set_up(walk: Walk) -> None:
    """The printed link makes the first admin, once."""
    page = walk.first
    walk.open(page, "/sign-in", "sign-in")
    page.get_by_label("E-mail").fill(FIRST_EMAIL)
    page.get_by_label("Password").fill("not this one")
    button(page, "Sign in").click()
    expect(page.locator(".error, .note.danger").first).to_be_visible()
    walk.eyes.look(page, "sign-in-refused")
    walk.open(page, walk.site.set_up_link, "set-up")
    page.get_by_label("E-mail").fill(FIRST_EMAIL)
    page.get_by_label("Name to show").fill(FIRST)
    page.get_by_label("Password").fill(PASSWORD)
    button(page, "Make the admin and go in").click()
    page.wait_for_url("**/")
    walk.eyes.look(page, "first-page")
    walk.open(walk.second, walk.site.set_up_link, "set-up-used", status=409)


def make_project(walk: Walk) -> None:
    """A project with LIMA's composition, by the form; a form with an error keeps what was typed."""
    page = walk.first
    walk.open(page, "/projects", "projects-empty")
    page.get_by_label("Name", exact=True).fill("Workshop")
    page.get_by_label("Short name").fill("Not A Slug!")
    button(page, "Make the project").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Workshop")
    walk.eyes.look(page, "projects-refused")
    page.get_by_label("Short name").fill(SLUG)
    button(page, "Make the project").click()
    page.wait_for_url(f"**/projects/{SLUG}")
    walk.eyes.look(page, "home-empty")
    for place in ("sources", "pool", "duplicates", "examples", "review", "versions", "runs", "jobs"):
        walk.open(page, walk.at(f"/{place}"), f"{place}-empty")
    walk.open(page, "/models", "models-empty")


def invite(walk: Walk) -> None:
    """The second person comes in by a link as reviewer of the project."""
    first, second = walk.first, walk.second
    walk.open(first, walk.at("/settings"), "settings")
    members = first.locator("section", has=first.get_by_role("heading", name="Members"))
    members.get_by_label("E-mail").fill(SECOND_EMAIL)
    members.get_by_label("Role", exact=True).select_option("reviewer")
    button(members, "Add or make a link").click()
    heading(first, "invitation")
    walk.eyes.look(first, "invitation-made")
    address = first.get_by_label("Link", exact=True).input_value()
    walk.open(second, address, "invitation")
    second.get_by_label("Name to show").fill(SECOND)
    second.get_by_label("Password").fill("short")
    second.get_by_label("Password").evaluate("one => one.removeAttribute('minlength')")
    button(second, "Make the account and go in").click()
    expect(second.get_by_label("Name to show")).to_have_value(SECOND)
    walk.eyes.look(second, "invitation-refused")
    second.get_by_label("Password").fill(PASSWORD)
    button(second, "Make the account and go in").click()
    expect(second.get_by_role("navigation", name="Places")).to_contain_text(SECOND)
    walk.open(second, walk.at(), "home-reviewer-empty")
    walk.open(second, "/people", "not-allowed", status=403)
    walk.open(second, walk.at("/settings"), "settings-reviewer")
    walk.open(first, walk.at("/versions/nothing"), "not-found", status=404)


def look_at_people(walk: Walk) -> None:
    """People, one's own account with a token, the trail, the page of components."""
    page = walk.first
    walk.open(page, "/people", "people")
    button(page, f"Change {SECOND}").click()
    walk.eyes.look(page, "people-change")
    walk.open(page, "/account", "account")
    page.get_by_label("Name", exact=True).and_(page.locator("#token-name")).fill("nightly export")
    button(page, "Make the token").click()
    walk.eyes.look(page, "token")
    link(page, "Back to your account").click()
    walk.eyes.look(page, "account-token")
    walk.open(page, "/trail", "trail")
    walk.open(page, walk.at("/trail"), "trail-project")
    walk.open(page, "/components", "components")


def sign_out(walk: Walk) -> None:
    """Signing out ends the session on the server: the old cookie opens nothing."""
    page = walk.first
    cookies = page.context.cookies()
    walk.open(page, walk.at())
    button(page, "Sign out").first.click()
    heading(page, "Sign in")
    said(page, "You are signed out.")
    walk.eyes.look(page, "signed-out")
    old = walk.visitor()
    old.add_cookies([one for one in cookies if one["name"] == "handpicked_session"])
    again = old.new_page()
    again.goto(walk.at())
    heading(again, "Sign in")
    walk.complaints.none()
