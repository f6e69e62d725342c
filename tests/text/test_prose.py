"""The writer's own words are those that the preview shows outside quotations and code."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text.markdown import render_markdown
from app.text.prose import own_words

BEGINNINGS = ("", "> ", ">", "- ", "1. ", "2. ", "10. ", "* ", "> # ", ">     ", "# ")
INDENTED = ("  ", "   ", "    ", "      ", "        ", "\t")
BARE = ("", "```", "> ```", "  ```", "    ```", "---", "***", ">")
LINES = st.lists(
    st.sampled_from([f"{begin}word" for begin in (*BEGINNINGS, *INDENTED)]) | st.sampled_from(BARE),
    min_size=2,
    max_size=8,
).map(lambda lines: "\n".join(line.replace("word", f"w{number}w") for number, line in enumerate(lines)))


class Held(HTMLParser):
    """The words of a page that stand in a block quote or in code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.depth, self.words = 0, set()
        self.feed(html)

    def handle_starttag(self, tag, _attrs):
        self.depth += tag in {"blockquote", "code"}

    def handle_endtag(self, tag):
        self.depth -= tag in {"blockquote", "code"}

    def handle_data(self, data):
        if self.depth:
            self.words |= words(data)


def words(text):
    return set(re.findall(r"w\dw", text))


@given(text=LINES)
def test_what_the_preview_puts_into_quotes_and_code_is_masked_and_nothing_else(text):
    assert words(text) - words(own_words(text)) == Held(render_markdown(text)).words


@pytest.mark.parametrize(
    "text",
    [
        "> quote\nI am lazy", "- > quote\nI am lazy", "1. a\n   > q\n   I go on", "- a\n\n      I am code in a list",
        "10. a\n\n        I am code", "# Head\n    I = code", "「I am」", "『I am』", "»I am«", "›I am‹", "‚I am‘",
        "“I am\nvery ill”", '"I am\nvery ill"', "“I came.\n\n“I saw.\n\n“I won.”", '"I came.\n\n"I saw.\n\n"I won."',
        "« I came.\n\n» I won. »", "<blockquote>I came</blockquote>", "<pre class='x'>\nI am code\n</pre>", "<q>I</q>",
        "<blockquote>\n\nI <code>I</code> I\n\n</blockquote>", "> ```\n> I\n> ```",
    ],
)  # fmt: skip
def test_what_is_somebody_else_s_is_masked(text):
    assert "I" not in own_words(text)


@pytest.mark.parametrize(
    "text",
    [
        "> quote\n\nI am back", "> quote\n- I am back", "> # Head\nI am back", "> ```\n> code\n\nI am back",
        "- a\n\n    I go on", "text\n    I go on", "“so” I “say”", "«so» I «say»", "“So he said.\n\nI say",
        '- a 5" pipe\n- I have a 6" one', "<pre>so</pre> I <pre>so</pre>", "Use <pre>, I say", "- ```\n  so\n\nI go on",
    ],
)  # fmt: skip
def test_ones_own_words_around_it_stay(text):
    assert "I" in own_words(text)
    assert "so" not in own_words(text)
