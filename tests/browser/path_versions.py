"""The set is frozen, exported, proved, and a model trained on it."""

import re
import zipfile

from tests.browser.looking import WORK_PATIENCE
from tests.browser.walk import Walk, button, expect, heading, link, said

LOSS = "#run-live figure[aria-labelledby=loss-title] .chart svg"


def freeze(walk: Walk) -> None:
    """Freeze v1; a gate that blocks wants a reason first."""
    page = walk.first
    walk.open(page, walk.at("/versions"), "versions-before")
    drawer = page.locator("details", has_text="Freeze with a reason")
    if drawer.count():
        drawer.locator("summary").click()
        for reason in page.locator("input[name^=reason_]").all():
            reason.fill("A first version, to try the path with.")
    page.get_by_label("Name of the version").fill("v 1")
    page.locator("#freeze button").click()
    expect(page.locator("#name-error")).to_be_visible()
    walk.complaints.forgive("422: ")
    expect(page.get_by_label("Name of the version")).to_have_value("v 1")
    walk.eyes.look(page, "versions-refused")
    page.get_by_label("Name of the version").fill("v1")
    page.locator("#freeze button").click()
    page.wait_for_url("**/versions/v1")
    expect(page.locator(".state")).to_contain_text("30 examples")
    walk.eyes.look(page, "version")
    button(page, "Verify").click()
    said(page, "Verified")
    walk.open(page, walk.at("/versions/v1/card"), "card")
    walk.open(page, walk.at("/versions"), "versions")
    walk.open(walk.second, walk.at("/versions/v1"), "version-reviewer")


def export(walk: Walk) -> None:
    """Download the version in LIMA's form, unpack it, and let the command line prove it."""
    page = walk.first
    page.goto(walk.at("/versions/v1"))
    identity = page.get_by_label("Identity").input_value()
    with page.expect_download() as download:
        button(page, "Export as LIMA").click()
    archive = walk.folder / "v1.zip"
    download.value.save_as(archive)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(walk.folder / "v1")
    copy = next((walk.folder / "v1").rglob("manifest.json")).parent
    proved = walk.site.command("verify", str(copy))
    assert proved.returncode == 0, proved.stderr
    assert identity in proved.stdout
    victim = next(copy.rglob("examples.jsonl"))
    victim.write_bytes(victim.read_bytes().replace(b"e", b"a", 1))
    denied = walk.site.command("verify", str(copy))
    assert denied.returncode == 1
    assert "examples.jsonl" in denied.stdout + denied.stderr


def register_model(walk: Walk) -> None:
    """The tiny model, made on the spot."""
    page = walk.first
    walk.open(page, walk.at("/runs"), "runs-no-model")
    walk.open(page, "/models")
    page.get_by_label("Name").fill("tiny")
    button(page, "Add").last.click()
    expect(page.locator("#model-rows")).to_contain_text("Ready", timeout=WORK_PATIENCE)
    walk.eyes.look(page, "models")


def train(walk: Walk) -> None:
    """Plan a smoke run, read the plan, start it, and see the loss move without a reload."""
    page = walk.first
    walk.open(page, walk.at("/runs"), "runs-first")
    link(page, "New run").first.click()
    walk.eyes.look(page, "run-new")
    page.locator("#recipe-smoke").check(force=True)
    expect(page.locator("#set-epochs")).to_have_value("12")
    page.locator("#set-epochs").fill("10")
    button(page, "See the plan").click()
    heading(page, "a plan")
    expect(button(page, "Start the run")).to_be_visible()
    expect(page.locator("#run-live")).not_to_contain_text("Being planned", timeout=WORK_PATIENCE)
    walk.eyes.look(page, "run-plan")
    page.evaluate("window.stayed = true")
    button(page, "Start the run").click()
    page.wait_for_load_state("load")
    page.evaluate("window.stayed = true")
    _watch(walk)


def _watch(walk: Walk) -> None:
    """The curve changes and the run ends under one's eyes: the page is never loaded anew."""
    page = walk.first
    curve = page.locator(LOSS)
    curve.wait_for(timeout=WORK_PATIENCE)
    seen = curve.inner_html()
    page.wait_for_function(
        "([loss, seen]) => document.querySelector(loss)?.innerHTML !== seen", arg=[LOSS, seen], timeout=WORK_PATIENCE
    )
    walk.eyes.look(page, "run-live")
    strip = page.locator("#run-live .strip")
    expect(strip).to_contain_text(re.compile("Done|Finished"), timeout=WORK_PATIENCE)
    expect(page.locator("#run-live .state")).to_contain_text("down from")
    assert page.evaluate("window.stayed"), "the page was loaded anew"
    walk.eyes.look(page, "run")


def ask(walk: Walk) -> None:
    """The checkpoint answers on the page of its run."""
    page = walk.first
    page.get_by_label("Prompt").fill("How do I keep a plane iron sharp?")
    page.locator("#ask summary").click()
    page.get_by_label("Longest answer").fill("24")
    page.get_by_label("Temperature").fill("9")
    button(page, "Ask").last.click()
    expect(page.locator("#ask .error").first).to_be_visible()
    walk.complaints.forgive("422: ")
    page.get_by_label("Temperature").fill("0.7")
    button(page, "Ask").last.click()
    answered = page.locator("#run-answers li.answered")
    answered.first.wait_for()
    expect(answered.first).not_to_contain_text("being answered", timeout=WORK_PATIENCE)
    expect(answered.first.locator("div.read, p.quiet").first).to_be_visible()
    walk.eyes.look(page, "run-answered")
    walk.open(page, walk.at("/runs/1/steps"), "run-steps")
    walk.open(page, walk.at("/runs"), "runs")
    walk.open(walk.second, walk.at("/runs/1"), "run-reviewer")
    walk.open(page, walk.at("/jobs"), "jobs-all")
    walk.open(page, walk.at(), "home-lead-end")
