"""Versions as people use them: the timeline, a version, a row and the way back from it, by keyboard alone."""

import pytest

from app.datasets.operations import freeze_version
from app.examples.models import Example
from app.projects.models import Project, Split
from app.runs.models import BaseModel, ModelKind, RunState, TrainingRun
from tests.browser.looking import Keys, expect
from tests.datasets.material import add_revision, approve, dialogue, reasons_for

LONG = (
    "A sentence that goes on, with a_word_that_nobody_can_break_because_it_has_no_blank_in_it_at_all_" + "x" * 80 + ". "
)
PILOT = "A pilot to try the trainer, not for a claim."
LONG_NAME = "second-" + "v" * 57


@pytest.fixture
def frozen(database, people):
    """Two versions of sixty examples: one was reworded between them, one has long texts; a run trained on the first."""
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        made = []
        for at in range(60):
            said = dialogue(f"How do I sow seed number {at}?", f"Thinly, in row {at}." if at else LONG * 40)
            split = Split.DEV if at == 7 else Split.TRAIN
            made.append(approve(session, project, people.annotator, people.reviewer, said, split=split))
        first = freeze_version(session, people.lead, project, name="v1", overrides=reasons_for(session, project, PILOT))
        one = session.get_one(Example, made[5].id)
        one.revision_number = one.approved_number = 2
        add_revision(
            session, one, people.annotator, dialogue("How do I sow seed number 5?", "Thinly, and water it."), 2
        )
        long = reasons_for(session, project, LONG * 2)
        freeze_version(session, people.lead, project, name=LONG_NAME, overrides=long)
        base = BaseModel(name="tiny", kind=ModelKind.TINY, path="tiny")
        session.add(base)
        session.flush()
        session.add(
            TrainingRun(
                project_id=project.id, version_id=first.id, base_model_id=base.id, recipe="lima", settings={},
                state=RunState.SUCCEEDED, token="t", step=3,
            )
        )  # fmt: skip
        return people


def test_from_the_timeline_to_the_post_and_back_by_keyboard_alone(frozen, signed_in, complaints):
    page = signed_in(frozen.annotator).new_page()
    keys, here = Keys(page), f"/projects/{frozen.project.slug}/versions"
    page.goto(here)
    # The runs come in where the timeline left a place for them.
    expect(page.locator("#used-2")).to_contain_text("run 1")
    expect(page.locator("#used-1")).to_contain_text("no run yet")
    keys.press("j", "j", "Enter")
    page.wait_for_url(f"**{here}/v1")
    keys.press("/")
    keys.type("thinly")
    keys.press("Enter")
    page.wait_for_url("**words=thinly*")
    expect(page.locator("tr[data-row]")).to_have_count(50)
    expect(page.locator("mark.hit").first).to_be_visible()
    keys.press("j", "j")
    second = page.evaluate("document.activeElement.getAttribute('href')")
    keys.press("k", "Enter")
    page.wait_for_url("**/rows/**")
    expect(page.locator(".crumbs")).to_contain_text("59 rows found")
    expect(page.locator("#runs-seen")).to_contain_text("learned from it")
    first = page.url
    keys.press("j")
    page.wait_for_url(f"**{second}")
    keys.press("k")
    page.wait_for_url(first)
    keys.press("e")
    page.wait_for_url("**/examples/*")
    page.locator("#held-drawer summary").focus()
    keys.press("Enter")
    expect(page.locator("#held")).to_contain_text("v1")
    expect(page.locator("#runs-seen")).to_contain_text("Run 1")
    complaints.none()


def test_every_page_of_versions_looks_right(frozen, signed_in, eyes, complaints):
    page = signed_in(frozen.lead).new_page()
    slug = frozen.project.slug
    for name, path in (
        ("timeline", "/versions"), ("timeline-table", "/version-table"), ("version-long", f"/versions/{LONG_NAME}"),
        ("version-rows", "/versions/v1?words=seed"), ("version-nothing", "/versions/v1?words=nowhere"),
        ("version-runs", "/version-runs?version=v1"), ("example-held", "/examples/6/versions"),
    ):  # fmt: skip
        page.goto(f"/projects/{slug}{path}")
        eyes.look(page, name)
    for words, name in (("water", "row"), ("goes", "row-long"), ('"number 5?"', "row-reworded")):
        version = "v1" if name == "row-reworded" else LONG_NAME
        page.goto(f"/projects/{slug}/versions/{version}?words={words}")
        page.locator("tr[data-row] a").first.click()
        page.wait_for_url("**/rows/**")
        expect(page.locator("#runs-seen")).not_to_contain_text("Look which runs")
        page.locator(".raw-line summary").click()
        eyes.look(page, name)
    eyes.clean()
    complaints.none()


def test_without_versions_the_timeline_teaches(people, signed_in, eyes, complaints):
    page = signed_in(people.lead).new_page()
    for name, path in (("timeline-empty", "/versions"), ("timeline-table-empty", "/version-table")):
        page.goto(f"/projects/{people.project.slug}{path}")
        eyes.look(page, name)
    expect(page.locator(".empty")).to_contain_text("No version yet")
    eyes.clean()
    complaints.none()


def test_without_script_every_way_is_a_link(frozen, signed_in):
    page = signed_in(frozen.annotator, java_script_enabled=False).new_page()
    page.goto(f"/projects/{frozen.project.slug}/versions/v1/rows/1")
    page.get_by_role("link", name="Look which runs").click()
    expect(page.locator("#runs-seen")).to_contain_text("learned from it")
    page.goto(f"/projects/{frozen.project.slug}/versions")
    page.locator("#used-2 a").click()
    expect(page.locator("h1")).to_contain_text("Runs")
