"""Every template loads; names are strict; pages hold no rows of the database."""

from dataclasses import dataclass

import pytest
from jinja2 import StrictUndefined

from app.accounts.models import User
from app.config import ROOT
from app.web.templating import environment
from tests.web.watching import WatchedContext, mapped_object

TEMPLATES = sorted(str(path.relative_to(ROOT / "templates")) for path in (ROOT / "templates").rglob("*.html"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_template_loads(name):
    environment.get_template(name)


def test_unknown_names_are_errors():
    assert environment.undefined is StrictUndefined
    assert environment.autoescape


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_template_has_no_inline_style_or_script(name):
    text = (ROOT / "templates" / name).read_text()
    assert " style=" not in text
    assert " onclick=" not in text
    assert "hx-on" not in text
    assert "<script>" not in text
    assert "javascript:" not in text


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_template_is_no_longer_than_120_lines(name):
    assert len((ROOT / "templates" / name).read_text().splitlines()) <= 120 or name.startswith("components/")


@dataclass(frozen=True)
class _Page:
    """A page with a row deep inside."""

    rows: tuple[object, ...]


def test_the_watch_finds_a_row_of_the_database():
    user = User(email="x@example.org", name="X")
    assert mapped_object(_Page(({"who": [user]},))) == "page.rows.0.who.0 is a User"
    assert mapped_object(_Page(({"who": ["X"]},))) is None


def test_every_page_is_looked_through_whatever_came_before():
    clean, held = (_Page((one,)) for one in ("X", User(email="x@example.org", name="X")))
    for _ in range(2):
        WatchedContext(environment, {"page": clean}, None, {})
        with pytest.raises(AssertionError, match=r"page\.rows\.0 is a User"):
            WatchedContext(environment, {"page": held}, None, {})


def test_no_page_of_the_house_holds_one(monkeypatch, browser, database, people, app):
    monkeypatch.setattr(environment, "context_class", WatchedContext)
    slug = people.project.slug
    paths = sorted(
        {
            route.path.replace("{slug}", slug)
            for route in app.routes
            if "GET" in (getattr(route, "methods", None) or ()) and route.path.replace("{slug}", "").count("{") == 0
        }
    )
    assert len(paths) > 10
    for person in (people.admin, people.annotator):
        client = browser(person)
        for path in paths:
            answer = client.get(path)
            assert answer.status_code < 500, (path, answer.text[-2000:])
