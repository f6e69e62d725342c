"""Text that wants to be more than text is shown as text on every page of Pool, Write and Review."""

import pytest

from app.examples import operations
from app.examples.models import Example
from app.reviews import operations as reviews
from tests.examples import rows

SCRIPTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
]
LINKS = [
    "[x](javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "<javascript:alert(1)>",
    '<a href="jav&#x09;ascript:alert(1)">x</a>',
    "[x][1]\n\n[1]: javascript:alert(1)",
    "![x](http://canary.example.org/a.png)",
]
HTMX = [
    '<a hx-get="/x" hx-trigger="load">x</a>',
    '<b hx-on:click="alert(1)">x</b>',
    '<i data-hx-post="/x">x</i>',
]
TEMPLATES = ["{{7*7}}", "{% include 'layout/app.html' %}", "${7*7}"]


@pytest.fixture
def pages(browser, database, people):
    """Every page that shows a text, after it went through pool, two revisions, a return and a second submission."""

    def walk(text):
        with database.writing() as session:
            run = rows.import_run(session, people.project)
            candidate = rows.candidate(
                session, people.project, run, 1, title=text, author=text, author_url=text, url=text
            )
            spare = rows.candidate(session, people.project, run, 2, title=text)
            operations.example_from_candidate(session, people.annotator, candidate)
            made = rows.submitted(
                session, people.annotator, people.project, messages=rows.pair(text, text), flags=[text[:30]]
            )
            reviews.return_example(session, people.reviewer, made, 1, text)
            operations.save_revision(
                session, people.annotator, made, based_on=1, messages=rows.pair(f"{text} a", f"b {text}"), note=text
            )
            example_id, spare_id, used_id = made.id, spare.id, candidate.id
        base, shown = f"/projects/{people.project.slug}", []
        for where in (
            "/examples",
            f"/examples/{example_id}",
            f"/examples/{example_id}/history",
            f"/pool/{spare_id}",
            f"/pool/{used_id}",
        ):
            shown.append(browser(people.annotator).get(base + where))  # noqa: PERF401
        with database.writing() as session:
            operations.submit_example(session, people.annotator, session.get_one(Example, example_id))
        for where in (f"/review/{example_id}", f"/review/{example_id}?view=clean"):
            shown.append(browser(people.reviewer).get(base + where))  # noqa: PERF401
        assert [answer.status_code for answer in shown] == [200] * 7
        return [answer.text for answer in shown]

    return walk


@pytest.mark.parametrize("text", SCRIPTS)
def test_a20_markup_in_a_text_is_text(pages, text):
    for page in pages(text):
        assert text not in page
        assert "<img src=x" not in page
        assert "<svg onload" not in page
        assert "alert(1)" in page


@pytest.mark.parametrize("text", LINKS)
def test_a21_no_link_leads_to_a_script_and_no_picture_is_fetched(pages, text):
    for page in pages(text):
        lowered = page.lower()
        assert 'href="javascript:' not in lowered
        assert 'href="data:' not in lowered
        assert "jav&#x09;ascript" not in lowered
        assert "<img" not in lowered


@pytest.mark.parametrize("text", HTMX)
def test_a22_no_attribute_of_htmx_comes_out_of_a_text(pages, text):
    for page in pages(text):
        assert text not in page
        assert "<b hx-on" not in page
        assert "<i data-hx" not in page
        assert '<a hx-get="/x"' not in page


@pytest.mark.parametrize("text", TEMPLATES)
def test_a24_template_text_is_shown_as_it_is(pages, text):
    for page in pages(text):
        assert text.replace("'", "&#39;") in page or text in page


def test_a23_a_closing_script_tag_or_line_separator_ends_nothing(pages):
    for page in pages("</script>\u2028<b>x"):
        assert "</script>\u2028" not in page


def test_a26_marks_of_direction_are_kept_in_the_data_and_seen_on_the_page(pages, database):
    text = "safe \u202eevil\u202c end"
    for page in pages(text):
        assert "U+202E" in page
    with database.reading() as session:
        assert session.get_one(Example, 2).revision_number == 2
