"""Eyes on a page: pictures in light, dark and on a phone, axe on each, and all that a browser complains about."""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Response, expect

# Milliseconds. Two cores that also train and encode: what takes a blink elsewhere may take seconds. A limit costs
# nothing where a test passes, so there is one for what a page does and one for what a worker has to do first.
PATIENCE = 30_000
WORK_PATIENCE = 300_000
expect.set_options(timeout=PATIENCE)

WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 780}
ZOOMED = {"width": 720, "height": 450}
"""What a window of 1440 by 900 has room for at 200%."""
ALL_BUT_CONTRAST = {
    "preload": False,
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"color-contrast": {"enabled": False}},
}
CONTRAST = {"resultTypes": ["violations"], "runOnly": {"type": "rule", "values": ["color-contrast"]}}
# Two thirds of what axe would do is to measure the contrast of each text: one of each look stands for all, with the
# same colours, size and weight on the same grounds.
LOOKS = """() => {
  const grounds = new Map([[null, ""]]);
  const ground = (one) => {
    if (!grounds.has(one)) {
      const { backgroundColor, backgroundImage, opacity, filter, position } = getComputedStyle(one);
      const own = [backgroundColor, backgroundImage, opacity, filter, position].join(" ");
      grounds.set(one, `${ground(one.parentElement)}/${own}`);
    }
    return grounds.get(one);
  };
  const idle = (one) => one.closest(":disabled, [aria-disabled=true], [inert]") !== null ||
    one.closest("label")?.control?.disabled;
  const speaks = (one) => one.matches("input, textarea, select") ||
    [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const looks = new Map();
  for (const one of document.body.querySelectorAll("*")) {
    if (!speaks(one) || !one.checkVisibility()) continue;
    const { color, fontSize, fontWeight, textShadow } = getComputedStyle(one);
    const kind = [one.tagName, one.className, idle(one)];
    const look = [...kind, color, fontSize, fontWeight, textShadow, ground(one)].join("|");
    if (!looks.has(look)) looks.set(look, one);
  }
  return [...looks.values()];
}"""
EVERYTHING = "(options) => axe.run(options).then((found) => found.violations)"
EACH_LOOK = f"(options) => axe.run({{ include: ({LOOKS})() }}, options).then((found) => found.violations)"
WHOLE = [(EVERYTHING, ALL_BUT_CONTRAST), (EACH_LOOK, CONTRAST)]
# Another theme on the same page changes colours and nothing else; a phone shows other parts, and these otherwise.
RUNS = {"light": WHOLE, "dark": WHOLE[1:], "phone": WHOLE}
# A browser says this of every page that answers with an error, also of those that are meant to.
STATUS_NOTE = re.compile("Failed to load resource: the server responded with a status of")


def screenshots_folder() -> Path | None:
    """Where the pictures go: HANDPICKED_SCREENSHOTS; without it none are taken, since nobody would look at them."""
    if not (named := os.environ.get("HANDPICKED_SCREENSHOTS")):
        return None
    folder = Path(named)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass
class Complaints:
    """What went wrong in a browser without anybody looking: console errors, broken requests, dialogs, strange hosts."""

    address: str
    found: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Listen to every page of the context."""
        context.on("console", self._console)
        context.on("weberror", lambda error: self.found.append(f"script: {error.error}"))
        context.on("dialog", self._dialog)
        context.on("response", self._response)
        context.on("requestfailed", self._failed)
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not STATUS_NOTE.match(message.text):
            self.found.append(f"console: {message.text} at {message.location.get('url')}")

    def _dialog(self, dialog: Dialog) -> None:
        if dialog.type != "beforeunload":  # the page's own question whether to leave unsaved words
            self.found.append(f"dialog: {dialog.message}")
        dialog.accept()

    def _response(self, response: Response) -> None:
        # A page may refuse, and the test says which; a style sheet, font, script or fragment may not.
        if response.status >= 400 and not response.request.is_navigation_request():
            self.found.append(f"{response.status}: {response.url}")

    def _failed(self, request: object) -> None:
        # Leaving a page ends what it was asking for; a download is no page.
        if "ERR_ABORTED" not in (request.failure or ""):  # type: ignore[attr-defined]
            self.found.append(f"failed: {request.url} {request.failure}")  # type: ignore[attr-defined]

    def _request(self, request: object) -> None:
        url = str(request.url)  # type: ignore[attr-defined]
        if not url.startswith((self.address, "data:", "blob:", "about:")):
            self.found.append(f"left the site: {url}")

    def forgive(self, start: str) -> None:
        """Take back the complaint that a test provoked; there must be one."""
        meant = [words for words in self.found if words.startswith(start)]
        assert meant, f"nothing was said that begins with {start}: {self.found}"
        self.found = [words for words in self.found if words not in meant]

    def none(self) -> None:
        """Nothing so far."""
        assert not self.found, "\n".join(self.found)


class Eyes:
    """Looks at pages; `seen` are the names so far. Where they are `closed`, a page is only waited for."""

    def __init__(self, folder: Path | None, *, closed: bool = False) -> None:
        self.folder = folder
        self.closed = closed
        self.seen: list[str] = []
        self.findings: list[str] = []

    def look(self, page: Page, name: str) -> None:
        """Pictures and axe in light, dark and at 360 px; nothing found, nothing scrolls sideways, at 200% neither."""
        page.wait_for_load_state("load")
        page.evaluate("document.fonts.ready.then(() => true)")
        self._say_goodbye_to_toasts(page)
        self.seen.append(name)
        if self.closed:
            return
        for theme, size in (("light", WIDE), ("dark", WIDE), ("phone", PHONE)):
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
            page.set_viewport_size(size)
            styled = page.locator("[style]").evaluate_all("all => all.map((one) => one.outerHTML.slice(0, 200))")
            assert not styled, f"an inline style, which the policy forbids: {styled}"
            if self.folder:
                page.screenshot(path=self.folder / f"{name}-{theme}.png", full_page=True)
            self._axe(page, name, theme)
        self._narrow(page, f"{name} phone")
        page.set_viewport_size(ZOOMED)
        if self.folder:
            page.screenshot(path=self.folder / f"{name}-zoomed.png")
            self._tidy_up(page)
        self._narrow(page, f"{name} at 200%")
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.set_viewport_size(WIDE)

    def _say_goodbye_to_toasts(self, page: Page) -> None:
        # A message covers a corner of the page: it is looked at once, on the page of components, and closed elsewhere.
        for button in page.locator("#said > .toast > button", has_text="Close").all():
            button.click()

    def _axe(self, page: Page, name: str, theme: str) -> None:
        if not page.evaluate("Boolean(window.axe)"):
            page.evaluate(Axe().axe_script)
        violations = [one for run, options in RUNS[theme] for one in page.evaluate(run, options)]
        self._tidy_up(page)
        for violation in violations:
            places = "; ".join(
                f"{node['target']} {node['html'][:160]} {(node.get('failureSummary') or '')[:300]}"
                for node in violation["nodes"][:3]
            )
            self.findings.append(f"{name} {theme}: {violation['id']} {violation['help']}: {places}")

    def _tidy_up(self, page: Page) -> None:
        # What taking a picture leaves behind must not stay: htmx would copy it, and the policy refuses it.
        page.locator("[style]").evaluate_all("all => all.forEach(one => one.removeAttribute('style'))")

    def _narrow(self, page: Page, name: str) -> None:
        wide = page.evaluate(
            """() => { const root = document.documentElement;
            if (root.scrollWidth <= root.clientWidth) return null;
            const wide = (one) => one.getBoundingClientRect().right > root.clientWidth + 1;
            return [...document.querySelectorAll("body *")].filter(wide)
              .slice(0, 4).map((one) => one.outerHTML.slice(0, 160)).join(" | ") || String(root.scrollWidth); }"""
        )
        if wide:
            self.findings.append(f"{name}: scrolls sideways: {wide}")

    def clean(self) -> None:
        """Nothing was found on any page looked at."""
        assert not self.findings, "\n\n".join(self.findings)


def wait_until(page: Page, truth: Callable[[], object], what: str) -> None:
    """Until something is so that no locator can be asked; the page and its requests go on meanwhile."""
    until = time.monotonic() + PATIENCE / 1000
    while not truth():
        assert time.monotonic() < until, f"it did not come about that {what}"
        page.wait_for_timeout(25)


class Keys:
    """A keyboard that counts what is pressed; the letters of what somebody types are theirs and not counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pressed: list[str] = []

    @property
    def count(self) -> int:
        """How many keys so far, a chord as one."""
        return len(self.pressed)

    def press(self, *keys: str) -> None:
        """Press one after the other, once the page listens: its modules have run when it is loaded."""
        for key in keys:
            self.page.wait_for_load_state("load")
            self.page.keyboard.press(key)
            self.pressed.append(key)

    def until(self, key: str, selector: str, most: int = 80) -> None:
        """Press a key until the focus is on what the selector names; fails when it never gets there."""
        for _ in range(most):
            if self.page.evaluate("(selector) => Boolean(document.activeElement?.matches(selector))", selector):
                return
            self.press(key)
        raise AssertionError(f"{key} never reaches {selector} on {self.page.url}")

    def type(self, words: str) -> None:
        """Type words."""
        self.page.keyboard.type(words)


def press_until(page: Page, key: str, selector: str, most: int = 80) -> None:
    """Press a key until the focus is on what the selector names; fails when it never gets there."""
    Keys(page).until(key, selector, most)


__all__ = [
    "PATIENCE",
    "WORK_PATIENCE",
    "Complaints",
    "Eyes",
    "Keys",
    "expect",
    "press_until",
    "screenshots_folder",
    "wait_until",
]
