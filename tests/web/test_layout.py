"""The frame around every page, as a browser gets it."""

import re
from collections.abc import Callable
from pathlib import Path

from starlette.testclient import TestClient

from app.web.templating import environment
from tests.factories import People

Browser = Callable[..., TestClient]
TEMPLATES = Path(__file__).parents[2] / "templates"


def test_the_page_of_all_components_draws_every_part(browser: Browser, people: People) -> None:
    answer = browser(people.admin).get("/components")
    assert answer.status_code == 200
    for part in ("buttons", "badges", "tables", "forms", "notes", "work", "texts", "pictures", "lists"):
        assert f'id="{part}"' in answer.text


def test_no_id_stands_twice_on_the_page_of_all_components(browser: Browser, people: People) -> None:
    found = re.findall(r'\sid="([^"]+)"', browser(people.admin).get("/components").text)
    assert sorted(found) == sorted(set(found))


def test_every_style_and_script_of_a_page_is_served(browser: Browser, people: People) -> None:
    client = browser(people.admin)
    links = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/components").text)
    assert len(links) >= 12
    for link in links:
        answer = client.get(link)
        assert answer.status_code == 200
        if ".mjs" in link:
            assert "javascript" in answer.headers["content-type"]


def test_no_template_holds_what_the_policy_refuses() -> None:
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"\sstyle=|\son[a-z]+=\"|<style|<script(?![^>]*\ssrc=)|javascript:", text), path


def test_the_chosen_theme_stands_on_the_page(browser: Browser, people: People) -> None:
    client = browser(people.admin)
    client.post("/theme", data={"theme": "dark", "next": "/components"})
    assert 'data-theme="dark"' in client.get("/components").text


def test_every_macro_of_ui_is_one() -> None:
    module = environment.get_template("components/ui.html").module
    names = re.findall(r"set (\w+) =", (TEMPLATES / "components" / "ui.html").read_text("utf-8"))
    assert len(names) > 40
    for name in names:
        assert callable(getattr(module, name))


def test_a_page_says_where_it_is_to_those_who_do_not_see_it(browser: Browser, people: People) -> None:
    text = browser(people.admin).get("/components").text
    assert '<html lang="en">' in text
    assert text.index('class="skip"') < text.index('class="rail"') < text.index('id="main"')
    assert text.count("<h1>") == 1
