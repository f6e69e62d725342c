import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text.markdown import render_markdown

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "[x](data:text/html,<script>)",
    "[x](/accounts/1/deletion)",
    "<javascript:alert(1)>",
    '<a href="jav&#x09;ascript:alert(1)">x</a>',
    "[x][r]\n\n[r]: javascript:alert(1)",
    '<div hx-get="/x" hx-on:click="y" data-hx-post="/z" style="color:red">x</div>',
    '```" onmouseover="alert(1)\nx\n```',
    "![a](http://canary.example.org/x.png)",
    '![a" onerror="alert(1)](x)',
    "$<img src=x onerror=alert(1)>$",
]
ALLOWED_ATTRIBUTES = {"href", "rel", "class", "title", "tabindex", "start"}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a20_a21_a22_attacks_come_out_as_text(attack):
    check(render_markdown(attack))


@given(st.lists(st.sampled_from([*ATTACKS, "*", "`", "$", "\n", "> ", "- ", "[", "](", "&lt;", "x"]), max_size=12))
def test_no_mixture_of_attacks_gets_through(parts):
    check(render_markdown("".join(parts)))


def check(html):
    tags = re.findall(r"<[a-z][^>]*>", html)
    for tag in tags:
        name = re.match(r"<([a-z0-9]+)", tag).group(1)
        assert name not in {"script", "img", "svg", "div", "textarea", "iframe", "style"}
        assert set(re.findall(r' ([\w:-]+)="', tag)) <= ALLOWED_ATTRIBUTES
        href = re.search(r'href="([^"]*)"', tag)
        assert href is None or href.group(1).startswith(("http://", "https://", "mailto:"))


def test_links_are_marked_and_keep_their_address():
    html = render_markdown("[x](https://example.org/a?b=1&c=2)")
    assert 'href="https://example.org/a?b=1&amp;c=2"' in html
    assert 'rel="noopener noreferrer nofollow"' in html


def test_images_give_way_to_their_description():
    assert render_markdown("![a *chart* of](http://example.org/x.png)") == "<p>a chart of</p>\n"


def test_formulas_become_math_and_money_does_not():
    html = render_markdown("$x_1 < y$ costs $5 or $6, and $$a$$")
    assert '<span class="math">x_1 &lt; y</span> costs $5 or $6' in html
    assert '<span class="math math-display">a</span>' in html


@pytest.mark.parametrize(("text", "tex"), [(r"\$I\$", "I"), (r"\( x_1 \)", "x_1"), (r"\\(x\\)", "x")])
def test_formulas_with_escaped_signs_become_math(text, tex):
    assert render_markdown(f"current {text} flows") == f'<p>current <span class="math">{tex}</span> flows</p>\n'


def test_escaped_brackets_and_money_are_no_formulas_unless_they_hold_tex():
    assert "math" not in render_markdown(r"see \[1\] and \[2\], for \$5 or \$6")
    assert '<span class="math math-display">I = V</span>' in render_markdown(r"so \[I = V\]")


def test_a_formula_in_code_stays_code():
    assert render_markdown("`$a$`") == "<p><code>$a$</code></p>\n"


def test_code_names_its_language_and_can_be_scrolled_by_keyboard():
    html = render_markdown("```python\na < b\n```")
    assert html == '<pre tabindex="0"><code class="language-python">a &lt; b\n</code></pre>\n'


def test_headings_start_below_the_pages_own():
    assert render_markdown("# a\n\n##### b") == "<h3>a</h3>\n<h6>b</h6>\n"


def test_a24_template_text_is_shown_as_it_is():
    assert "{{7*7}} {% include 'x' %}" in render_markdown("{{7*7}} {% include 'x' %}")


def test_a26_hidden_characters_are_shown():
    html = render_markdown("a\u202eb `\u200b`")
    assert html.count('class="hidden-character"') == 2
    assert "\u202e" not in html
    assert "U+202E" in html


def test_a_column_of_numbers_is_told_by_a_class_since_no_style_is_let_through():
    html = render_markdown("| Name | Count |\n| --- | ---: |\n| a | 1 |")
    assert '<th class="num">Count</th>' in html
    assert '<td class="num">1</td>' in html
    assert "<td>a</td>" in html
    assert "style" not in render_markdown("| a |\n| :---: |\n| 1 |")
