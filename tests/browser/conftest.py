"""A server of the test's own, a Chromium, and eyes that look at pages."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from app.config import Settings
from app.db import Database
from tests import factories
from tests.browser.find_browser import find_browser
from tests.browser.looking import PATIENCE, WIDE, Complaints, Eyes, screenshots_folder
from tests.browser.serving import Lent, Site

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_configure(config: pytest.Config) -> None:
    # xdist declares its mark itself, where it is switched on.
    config.addinivalue_line("markers", "xdist_group(name): tests that one worker runs")
    config.addinivalue_line(
        "markers", "own_server: a browser test that kills its server or needs it from the beginning"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker runs all browser tests: two Chromiums and two servers at once would only wait for each other."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """What drives browsers; a process can have only one of it at a time."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The browser that find_browser.py found. Every test opens contexts of its own in it."""
    path = find_browser()
    assert path, "No Chromium or Chrome here: `make browser` finds or installs one."
    browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def lent(migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lent]:
    """One server that tests have one after the other."""
    lent = Lent(migrated, tmp_path_factory.mktemp("site"))
    yield lent
    lent.stop()


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """`handpicked serve` with its worker and nothing in its database; a test marked own_server has one of its own."""
    if not request.node.get_closest_marker("own_server"):
        yield request.getfixturevalue("lent").emptied()
        return
    site = Site(tmp_path / "data", request.getfixturevalue("fresh_database_url"))
    site.start()
    yield site
    site.stop()


@pytest.fixture
def database_url(site: Site) -> str:
    """The database of the server."""
    return site.database_url


@pytest.fixture
def settings(site: Site, database_url: str) -> Settings:
    """The settings of the server, for what a test does beside it."""
    return Settings(data_dir=site.data_dir, database_url=database_url, lease_seconds=2, poll_seconds=0.05)


@pytest.fixture
def complaints(site: Site) -> Complaints:
    """Everything that the browsers of this test complain about."""
    return Complaints(site.address)


@pytest.fixture
def visitor(chromium: Browser, site: Site, complaints: Complaints) -> Iterator[Callable[..., BrowserContext]]:
    """`visitor()` opens a browser without cookies; options go to Playwright."""
    opened: list[BrowserContext] = []

    def open_context(**options: Any) -> BrowserContext:
        context = chromium.new_context(
            base_url=site.address, viewport=WIDE, reduced_motion="reduce", accept_downloads=True, **options
        )
        context.set_default_timeout(PATIENCE)
        complaints.watch(context)
        opened.append(context)
        return context

    yield open_context
    for context in opened:
        context.close()


@pytest.fixture
def signed_in(visitor: Callable[..., BrowserContext], site: Site, database: Database) -> Callable[..., BrowserContext]:
    """`signed_in(user)` opens a browser in which that person is signed in."""

    def open_context(user: object, **options: Any) -> BrowserContext:
        context = visitor(**options)
        token = factories.signed_in(database, user)
        context.add_cookies([{"name": "handpicked_session", "value": token, "url": site.address}])
        return context

    return open_context


@pytest.fixture
def eyes(backend: str) -> Eyes:
    """Eyes for every page; on PostgreSQL they stay closed, since the same templates have been looked at on SQLite."""
    return Eyes(screenshots_folder(), closed=backend == "postgresql")
