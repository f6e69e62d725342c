"""Marks in rendered Markdown: only words of one side, never across a tag, and nothing lost."""

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from app.duplicates.comparing import compared, marked
from app.text.markdown import render_markdown
from tests.duplicates.rooms import messages

MARK = re.compile(r"</?mark[^>]*>")
words = st.text(alphabet="ab*_`<&>\n #-1.[]()|é\u202e", max_size=40)


def test_words_of_one_side_are_marked_inside_their_blocks():
    left, right = marked("Wait **ten** minutes.\n\n- stir", "Wait **five** minutes.\n\n- rest\n- stir")
    assert '<strong><mark class="only">ten</mark></strong>' in left
    assert '<strong><mark class="only">five</mark></strong>' in right
    assert '<li><mark class="only">rest</mark></li>' in right
    assert left.count("<mark") == 1


def test_what_looks_like_html_stays_text():
    left, _ = marked("<script>alert(1)</script> & more", "& more")
    assert "<script" not in left
    assert "&lt;script&gt;" in MARK.sub("", left)


@given(words, words)
def test_marks_change_nothing_else(left, right):
    for side, text in zip(marked(left, right), (left, right), strict=True):
        assert html.unescape(MARK.sub("", side)) == html.unescape(render_markdown(text))
        for inside in re.findall(r"<mark[^>]*>(.*?)</mark>", side, re.DOTALL):
            assert "<" not in inside


def test_a_response_that_stands_alone_is_not_marked():
    left, right = compared(messages("How?", "So."), messages("How?"))
    assert [turn.text.strip() for turn in left] == ["<p>How?</p>", "<p>So.</p>"]
    assert [turn.role for turn in right] == ["user"]
