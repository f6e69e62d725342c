"""What the eyes find: in the dark, on a phone and among many that look alike; and nothing where nothing is wrong."""

import pytest
from playwright.sync_api import Browser

from tests.browser.looking import WIDE, Eyes

ROWS = "<p>A text of a list.</p>" * 40
FAULTS = {
    "": "",
    "light: color-contrast": "<style>@media (min-width: 401px) and (prefers-color-scheme: light)"
    " { p:nth-of-type(30) { color: #aaa; } }</style>",
    "dark: color-contrast": "<style>@media (prefers-color-scheme: dark) { p:nth-of-type(30) { color: #555; } }</style>",
    "phone: color-contrast": "<style>@media (max-width: 400px) { p:nth-of-type(30) { color: #aaa; } }</style>",
    "phone: button-name": "<style>@media (min-width: 401px) { button { display: none; } }</style><button></button>",
    "phone: target-size": "<style>@media (max-width: 400px) { a { min-height: 0; font-size: 4px; line-height: 4px; } }"
    "</style><a href='#a'>one</a><a href='#b'>two</a><a href='#c'>three</a>",
}
PAGE = """<!doctype html><html lang="en"><head><title>A page</title><style>
  body {{ color: #111; background: #fff; }} button, a {{ display: block; min-height: 24px; }}
  @media (prefers-color-scheme: dark) {{ body {{ color: #eee; background: #111; }} a {{ color: #9cf; }} }}
</style></head><body><main><h1>A page</h1>{rows}{fault}</main></body></html>"""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_where_it_is(chromium: Browser, fault: str) -> None:
    context = chromium.new_context(viewport=WIDE)
    page = context.new_page()
    page.set_content(PAGE.format(rows=ROWS, fault=FAULTS[fault]))
    eyes = Eyes(None)
    eyes.look(page, "page")
    context.close()
    found = [" ".join(one.split(" ")[1:3]) for one in eyes.findings]
    assert found == ([fault] if fault else []), eyes.findings
