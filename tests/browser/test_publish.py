"""A version on its way to the Hub in a browser: what will be sent, the progress, what came of it, and a refusal."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from app.datasets.operations import freeze_version
from app.db import Database
from app.projects.models import Project
from tests import factories
from tests.browser.looking import WORK_PATIENCE, Complaints, Eyes, expect
from tests.browser.serving import Site
from tests.browser.walk import button
from tests.datasets.material import fixed_set
from tests.hubstand import WRITE, HubStand, serving

REPOSITORY = "kitchen/cooking"


class Connected(Site):
    """A server that speaks to a Hub of the test's own."""

    hub: HubStand

    def environment(self) -> dict[str, str]:
        """With the Hub's address and a token."""
        return super().environment() | {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": self.hub.address, "HF_TOKEN": WRITE}


@pytest.fixture
def hub() -> Iterator[HubStand]:
    """The Hub."""
    with serving() as found:
        yield found


@pytest.fixture
def site(tmp_path: Path, fresh_database_url: str, hub: HubStand) -> Iterator[Site]:
    """The server."""
    site = Connected(tmp_path / "data", fresh_database_url)
    site.hub = hub
    site.start()
    yield site
    site.stop()


def frozen(database: Database, people: factories.People) -> None:
    """A version whose test prompt nobody else is to see."""
    with database.writing() as session:
        fixed_set(session, people.project, people.annotator, people.reviewer)
        session.get_one(Project, people.project.id).tests_hidden = True
        freeze_version(session, people.lead, people.project, name="v1")


def test_a_version_is_published_as_it_was_shown(
    signed_in: Callable[..., BrowserContext],
    database: Database,
    people: factories.People,
    hub: HubStand,
    eyes: Eyes,
    complaints: Complaints,
) -> None:
    frozen(database, people)
    go_on = threading.Event()

    def hold(method: str, _path: str) -> None:
        if method == "PUT":
            go_on.wait(60)

    hub.faults.append(hold)
    page = signed_in(people.lead).new_page()
    page.goto(f"/projects/{people.project.slug}/versions/v1/publication")
    eyes.look(page, "publish-form")
    page.get_by_label("Repository").fill(REPOSITORY)
    page.get_by_label("Public").check()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"To {REPOSITORY}")).to_be_visible()
    assert hub.asked == []
    eyes.look(page, "publish-preview")
    page.get_by_text("The card as it will read").click()
    page.get_by_text("What the Hub reads from its head").click()
    eyes.look(page, "publish-card")
    page.get_by_label("I know this, and publish it all the same").check()
    button(page, f"Publish to {REPOSITORY}").click()
    expect(page.locator("#job-panel")).to_contain_text("sending data/")
    eyes.look(page, "publish-running")
    go_on.set()
    state = page.locator(".page-head .state")
    expect(state).to_contain_text(f"Published: {REPOSITORY}, on main.", timeout=WORK_PATIENCE)
    head = hub.repositories[REPOSITORY].main
    expect(page.get_by_text(f"The Hub holds what was frozen, at {head.id[:8]} and on main.")).to_be_visible()
    eyes.look(page, "publish-done")

    head.files["README.md"] = b"# Somebody else's"
    button(page, "Compare again").click()
    expect(page.get_by_text("the Hub does not hold what was frozen: README.md.")).to_be_visible(timeout=WORK_PATIENCE)
    eyes.look(page, "publish-differs")

    hub.tokens.clear()
    page.get_by_label("A pull request").check()
    button(page, "See what will be sent").click()
    page.get_by_label("I know this, and publish it all the same").check()
    button(page, f"Propose it to {REPOSITORY}").click()
    expect(page.get_by_text("the Hub does not know the token in HF_TOKEN")).to_be_visible(timeout=WORK_PATIENCE)
    eyes.look(page, "publish-refused")
    assert len(hub.repositories[REPOSITORY].history) == 2
    complaints.none()
    eyes.clean()
