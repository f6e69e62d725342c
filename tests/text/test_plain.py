"""Pieces of Markdown as plain words: what a reader of the rendered text would see."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text.markdown import render_markdown
from app.text.plain import plain_words


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("Boil **vinegar** in *it*, ***twice***", "Boil vinegar in it, twice"),
        ("## Why it _works_\n\n- first\n* second\n> said", "Why it works\n\nfirst\nsecond\nsaid"),
        ('See [the page](https://example.org/a_(b)?c) and ![a pot](pot.png "Pot").', "See the page and a pot."),
        ("Use `ls -l` or ``a b``", "Use ls -l or a b"),
        ("```python\nx = 1\n```", "\nx = 1\n"),
        ("cut off **here and", "cut off here and"),
        ("and there** it goes", "and there it goes"),
        ("~~no~~ yes", "no yes"),
    ],
)
def test_marks_go_and_words_stay(markdown, words):
    assert plain_words(markdown) == words


@pytest.mark.parametrize(
    "text",
    ["2 * 3 * 4", "snake_case_name", "2**3", "[1]", "a[0](x y)", "#5 is it", "5 > 3", "C# and _", r"\*so\*", "3 - 2"],
)
def test_signs_that_mark_nothing_stay(text):
    assert plain_words(text) == text


@given(st.text(st.sampled_from('ab *_`[]()#>-~\n\\!".'), max_size=60))
def test_no_letter_of_what_is_shown_is_lost(text):
    shown = re.sub(r"<[^>]*>", "", render_markdown(text))
    kept, seen = re.sub("[^ab]", "", plain_words(text)), re.sub("[^ab]", "", shown)
    # An address, or the language of a code block, is shown by neither or by one of them.
    if "](" not in text and "```" not in text and "~~~" not in text:
        assert kept == seen
