"""Finds a browser for the tests, or gets one: an installed Chromium or Chrome, else Debian's, else Playwright's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """Path of a browser that Playwright can drive, or None."""
    if chosen := os.environ.get("HANDPICKED_TEST_BROWSER"):
        return chosen
    for name in NAMES:
        if found := shutil.which(name):
            return found
    return playwright_browser()


def playwright_browser() -> str | None:
    """Playwright's own Chromium, if it was downloaded."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if path and Path(path).exists() else None


def install_browser() -> str | None:
    """As root on Debian or Ubuntu the system's package, else Playwright's download."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("No browser found; installing Debian's chromium for the browser tests.", flush=True)
        quiet = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
        subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)
        install = ["apt-get", "install", "-y", "-qq", "chromium"]
        subprocess.run(install, env=quiet, check=False, stdout=subprocess.DEVNULL)
        if found := find_browser():
            return found
    print("Trying Playwright's own browser.", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return playwright_browser()


def main() -> int:
    """Say which browser the tests will drive; 1 and what is missing if there is none."""
    browser = find_browser() or install_browser()
    if browser is None:
        print(
            "The browser tests need Chromium or Chrome, and none could be installed here. "
            "Install the package `chromium`, or set HANDPICKED_TEST_BROWSER to a browser's path.",
            file=sys.stderr,
        )
        return 1
    print(f"Browser for the tests: {browser}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
