"""Marks and remarks stand at their places in the rendered text, and nothing else is added to it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reviews.pins import Pin
from app.reviews.rendered import Insert, Span, changes, found, put, shown
from app.text.markdown import render_markdown

MARKDOWN = st.lists(
    st.sampled_from(
        ["word ", "**bold** ", "`code` ", "\n\n", "- item\n", "1. first\n", "# Head\n", "> said\n", "```\nx < y\n```\n",
         "$x^2$ ", "[link](http://a.example) ", "&amp; ", "<b>", "\u202e", "| a | b |\n|---|---|\n| c | d |\n"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


def html(old, new):
    before, after = shown(old), shown(new)
    found = changes(before, after)
    return "".join(part.html for part in put(after, found.spans, found.inserts))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Roots go deep.", "Tree roots go deep.", "<p><del>Roots</del><ins>Tree roots</ins> go deep.</p>"),
        ("One **two** three", "One **two** four", "<p>One <strong>two</strong> <del>three</del><ins>four</ins></p>"),
        ("A.\n\nGone.\n\nB.", "A.\n\nB.", "<p>A.</p> <p><del>Gone.</del></p> <p>B.</p>"),
        ("Same", "Same\n\n- <new>", "<p>Same</p> <ul> <li><ins>&lt;new&gt;</ins></li> </ul>"),
        ("All gone", "", "<p><del>All gone</del></p>"),
    ],
)
def test_what_changed_is_marked_in_the_rendered_text(old, new, expected):
    assert " ".join(html(old, new).split()) == expected


def test_a_rewritten_paragraph_does_not_run_into_the_next():
    old = "First it was so.\n\nThe second tells of frost and snow.\n\nThe third is short."
    new = "Zeroth.\n\nFirst it was not so.\n\nThe second tells of rain and snow.\n\nThe third is long."
    marked = html(old, new)
    assert "<p><ins>Zeroth.</ins></p>" in marked
    assert "tells of <del>frost</del><ins>rain</ins> and snow." in marked
    assert "The third is <del>short</del><ins>long</ins>." in marked


@pytest.mark.parametrize(
    ("old", "new", "formed"),
    [
        ("One two", "One **two**", True),
        ("See [it](http://a.example)", "See [it](http://b.example)", True),
        ("One two", "One two, and **three**", False),
        ("One two", "One three", False),
        ("# One", "## One", True),
    ],
)
def test_a_change_of_form_round_words_that_stay_is_told(old, new, formed):
    assert changes(shown(old), shown(new)).formed is formed


@given(MARKDOWN)
def test_without_changes_it_is_the_rendered_text(text):
    assert html(text, text) == render_markdown(text)


@given(MARKDOWN, MARKDOWN)
def test_marks_taken_out_again_leave_the_rendered_text(old, new):
    marked = html(old, new)
    gone = r"<del>(?:[^<]|<br>)*</del>"
    without = re.sub(rf"<p>{gone}</p>\n|\s?{gone}\s?(?:<br>)?|</?ins>", "", marked)
    assert "".join(without.split()) == "".join(render_markdown(new).split())


@given(MARKDOWN, st.integers(0, 200), st.integers(1, 40))
def test_every_remark_is_shown_once_and_never_inside_a_link(text, start, length):
    one = shown(text)
    span = Span(start, start + length, "<mark>", "</mark>")
    parts = put(one, [span], [Insert(min(start + length, len(one.text)), remark=7)])
    assert [part.remark for part in parts if part.remark is not None] == [7]
    before = "".join(part.html for part in parts[: [part.remark for part in parts].index(7) + 1])
    assert before.count("<a ") == before.count("</a>")


def test_a_quote_is_found_as_it_is_read_and_as_it_is_written():
    text = "It **never** goes\nwrong. It **never** goes wrong twice."
    first = found(text, "It never goes wrong")
    assert first
    assert first.of(text) == "It **never** goes\nwrong"
    second = found(text, "It never goes wrong", 1)
    assert second
    assert second.start > first.end
    assert found(text, "**never**") == Pin(3, 12)
    assert found(text, "always") is None
    assert found(text, " ") is None


def test_a_quote_is_found_in_its_own_case_before_any_other():
    text = "An **oak** grows. Oak lasts."
    assert found(text, "Oak") == Pin(text.index("Oak"), text.index("Oak") + 3)
    assert found(text, "an oak GROWS").of(text) == "An **oak** grows"
    assert found(text, "elm") is None
