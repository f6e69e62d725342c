"""Two people on the path, each in a browser of their own, and the eyes that go with them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page

from tests.browser.looking import WORK_PATIENCE, Complaints, Eyes, expect, wait_until
from tests.browser.serving import Site

SLUG = "workshop"
FIRST = "Mira Lindqvist"
FIRST_EMAIL = "mira@example.org"
SECOND = "Jonas Adeyemi"
SECOND_EMAIL = "jonas@example.org"
PASSWORD = "a quiet sentence about limes"


@dataclass
class Walk:
    """What the steps of the path share: `first` made the house, `second` was invited and reviews."""

    site: Site
    eyes: Eyes
    complaints: Complaints
    visitor: Callable[..., BrowserContext]
    folder: Path
    first: Page
    second: Page

    def at(self, path: str = "") -> str:
        """The address of a page of the project."""
        return f"/projects/{SLUG}{path}"

    def open(self, page: Page, path: str, name: str = "", status: int = 200) -> None:
        """Go to an address, which answers as it should, and look at it under a name if one is given."""
        response = page.goto(path)
        assert response
        assert response.status == status, f"{path} answered {response.status}; the server said: {self.site.last_words}"
        if name:
            self.eyes.look(page, name)


def heading(page: Page, words: str) -> None:
    """The page is the one with this heading."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)


def button(page: Page | Locator, words: str) -> Locator:
    """The button with these words."""
    return page.get_by_role("button", name=words)


def link(page: Page | Locator, words: str) -> Locator:
    """The link with these words."""
    return page.get_by_role("link", name=words)


def said(page: Page, words: str) -> None:
    """The page says this in a message."""
    expect(page.locator("#said")).to_contain_text(words)
    page.wait_for_load_state("load")  # a key pressed before the scripts are there is lost


FUNNEL = "From read to kept"


def to_its_funnel(page: Page) -> None:
    """The worker imports, and the page that shows it is opened anew."""
    link(page, "Go on").or_(page.get_by_role("heading", name=FUNNEL)).first.wait_for(timeout=WORK_PATIENCE)
    page.goto(page.url)


def to_its_funnel_without_script(page: Page) -> None:
    """The same where no page goes on by itself: it is opened again and again."""

    def there() -> bool:
        if page.get_by_role("heading", name=FUNNEL).count():
            return True
        page.goto(page.url)
        return False

    wait_until(page, there, "the import ends")


__all__ = [
    "FIRST",
    "FIRST_EMAIL",
    "PASSWORD",
    "SECOND",
    "SECOND_EMAIL",
    "SLUG",
    "Walk",
    "button",
    "expect",
    "heading",
    "link",
    "said",
    "to_its_funnel",
    "to_its_funnel_without_script",
]
