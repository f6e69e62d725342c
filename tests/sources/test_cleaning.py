import re
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.sources.cleaning import html_to_markdown, visible_text
from app.sources.formats import open_source
from app.sources.plain_html import plain_tree
from app.sources.readers.xml_rows import rows
from app.sources.weblinks import without_addresses
from app.text.markdown import render_markdown
from app.text.prose import own_words

CASES = [
    ("<p>a</p>\n\n<p>b</p>", "a\n\nb"),
    ("<p>see <a href='http://x.org/y'>this page</a>.</p>", "see this page."),
    ("<p><a href='http://x.org/y_(z)?q'>http://www.x.org/y_(z)?q</a>, <em>www.z.org/a</em>.</p>", "x.org, *z.org*."),
    ("<p>do <code>curl http://x.org/y</code></p>", "do `curl http://x.org/y`"),
    ("<p>a <img src='x' alt='enter image description here'> b</p>", "a b"),
    ("<p><a href='x'><img src='y'></a></p><p>b</p>", "b"),
    ("<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul>", "- a\n- b\n  1. c\n  2. d"),
    ("<ol start='3'><li>a</li><li>b</li></ol>", "3. a\n4. b"),
    ("<ul><li>a<ul><li>b</li></ul>c</li></ul>", "- a\n  - b\n\n  c"),
    ("<ol><li>a<li>b<ul><li>c<li>d</ul><li><b>e</ol>", "1. a\n2. b\n   - c\n   - d\n3. **e**"),
    ("<dl><dt>a<dd>b<dt>c<dd>d</dl>", "a\n\n- b\n\nc\n\n- d"),
    ("<table><tr><th>a<th>b<tr><td>1<td>2</table>", "| a | b |\n| --- | --- |\n| 1 | 2 |"),
    ("<p>a<p>b", "a\n\nb"),
    ("<p>&bogus; &notit; &amp;lt; &copy &", "\\&bogus; ¬it; \\&lt; © &"),
    ("<ul><li>a</li></ul><ul><li>b</li></ul>", "- a\n\n* b"),
    ("<ul><li><p>a</p><pre><code>x\n\ny\n</code></pre></li></ul>", "- a\n\n  ```\n  x\n\n  y\n  ```"),
    ("<pre class='lang-py prettyprint-override'><code>a &lt; b  \n</code></pre>", "```py\na < b\n```"),
    ("<pre><code>```\nx\n```</code></pre>", "````\n```\nx\n```\n````"),
    ("<p>use <code>a`b</code> and <code>x</code></p>", "use ``a`b`` and `x`"),
    ("<blockquote><p>a</p><p>b</p></blockquote><p>c</p>", "> a\n>\n> b\n\nc"),
    ("<h2>A\n b</h2><p>c</p>", "## A b\n\nc"),
    ("<p>a<br>b<br><br>c</p>", "a  \nb\n\nc"),
    ("<p><strong>a</strong> <em>b</em> <s>c</s></p>", "**a** *b* ~~c~~"),
    ("<p>$a_1*b*c \\&lt; x$ and $$\\{y\\}$$</p>", "$a_1*b*c \\< x$ and $$\\{y\\}$$"),
    (r"<p>\$I_a*b*c\$ and \(x*y*z\)</p>", r"\$I_a*b*c\$ and \(x*y*z\)"),
    ("<p>2<sup>10</sup> H<sub>2</sub>O <sup>small print</sup></p>", "2^10 H_2O small print"),
    ("<p>costs $5 and $6</p>", "costs $5 and $6"),
    ("<table><tr><th>a|b</th><th>c</th></tr><tr><td>1</td><td><code>x|y</code></td></tr></table>",
     "| a\\|b | c |\n| --- | --- |\n| 1 | `x\\|y` |"),
    ("<p>&lt;div&gt; # 1. x</p><p># h</p><p>1. n</p><p>- b</p>", "\\<div> # 1. x\n\n\\# h\n\n1\\. n\n\n\\- b"),
    ("<p>a<!-- c --><script>x</script><?php y ?>b</p>", "ab"),
    ("a<b><p>x</p></b>y", "a\n\nx\n\ny"),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("html", "markdown"), CASES)
def test_html_becomes_this_markdown(html, markdown):
    assert html_to_markdown(html) == markdown


text = st.text(st.sampled_from("ab 1.*_`~[]()<>&#!-+=|\\>x\nI\u00e9"), min_size=1, max_size=12)


def escaped(value):
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


inline = st.recursive(
    text.map(escaped),
    lambda inner: (
        st.tuples(st.sampled_from(["em", "strong", "s", "a", "span", "b", "i"]), inner, inner).map(
            lambda parts: f"<{parts[0]}>{parts[1]}</{parts[0]}>{parts[2]}"
        )
        | text.map(lambda value: f"<code>{escaped(value)}</code>")
    ),
    max_leaves=6,
)
words = st.lists(
    st.sampled_from(["word", "I", "a,b", "(see)", "x+y", "done.", "\u00e9t\u00e9"]), min_size=1, max_size=8
).map(" ".join)
blocks = st.recursive(
    inline.map(lambda value: f"<p>{value}</p>\n") | text.map(lambda value: f"<pre><code>{escaped(value)}</code></pre>"),
    lambda inner: st.tuples(
        st.sampled_from(["blockquote", "ul", "ol", "div"]), st.lists(inner, min_size=1, max_size=3)
    ).map(lambda parts: wrap(*parts)),
    max_leaves=6,
)


def wrap(tag, parts):
    if tag in {"ul", "ol"}:
        return f"<{tag}>{''.join(f'<li>{part}</li>' for part in parts)}</{tag}>"
    return f"<{tag}>{''.join(parts)}</{tag}>"


SOUP = ["<p>", "</p>", "<li>", "<pre>", "<td>", "<b>", "<img alt=x>", "x", "\n", "<a", ">", "&"]


def squeezed(value):
    return re.sub(r"\s+", "", value)


@settings(max_examples=300)
@given(st.lists(blocks, min_size=1, max_size=3).map("".join))
def test_rendering_the_markdown_shows_every_word_again(html):
    assume("\\(" not in html and "\\[" not in html)  # a formula is shown set, without its signs
    shown = visible_text(render_markdown(html_to_markdown(html)))
    assert squeezed(shown) == squeezed(visible_text(html))


@settings(max_examples=200)
@given(st.text(max_size=60) | st.lists(st.sampled_from(SOUP), max_size=20).map("".join))
def test_no_tag_is_left_outside_code(html):
    assert not re.search(r"(?<!\\)<[a-zA-Z/!?][^>]*>", own_words(html_to_markdown(html)))


@settings(max_examples=100)
@given(st.lists(blocks, min_size=1, max_size=3).map("".join))
def test_cleaning_twice_by_way_of_html_changes_nothing(html):
    once = html_to_markdown(render_markdown(html_to_markdown(html), heading_offset=0))
    assert html_to_markdown(render_markdown(once, heading_offset=0)) == once


HEADINGS = ("h1", "h2", "h3")
inner = st.recursive(
    inline,
    lambda parts: st.tuples(
        st.sampled_from(
            ["sup", "sub", "kbd", "code", "pre", "del", "i", "br", "hr", "img", "p", "li", "ol", *HEADINGS]
        ),
        parts,
        st.sampled_from(["", " ", "\n", "  ", "\n\n ", "x", "&nbsp;", "&#39;"]),
        parts,
    ).map(lambda found: element(*found)),
    max_leaves=5,
)
plain = st.lists(blocks | inner, min_size=1, max_size=4).map("\n".join)


def element(tag, inside, between, after):
    if tag in {"br", "hr", "img"}:
        return f"{inside}<{tag}>{between}{after}"
    facts = {"ol": ' start="7"', "pre": ' class="lang-py x"'}.get(tag, "")
    return f"{between}<{tag}{facts}>{between}{inside}</{tag}>{between}{after}"


def by_the_parser(function, html):
    """The same by the real parser: what the small tree must give too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.sources.html_converter.plain_tree", lambda _html: None)
        patch.setattr("app.sources.cleaning.plain_text", lambda _html: None)
        return function(html)


TAGS = ["p", "li", "ul", "ol", "pre", "code", "b", "em", "s", "blockquote", "h2", "sup", "br", "hr", "a", "div"]
overlapping = st.lists(
    st.sampled_from(
        [f"<{tag}>" for tag in TAGS] + [f"</{tag}>" for tag in TAGS] + ["x", " ", "\n", "2", "  ", "$a_b$"]
    ),
    max_size=16,
).map("".join)


@settings(max_examples=400)
@given(plain | overlapping | st.lists(st.sampled_from(SOUP), max_size=20).map("".join))
def test_plain_html_is_cleaned_as_by_the_parser(html):
    assert html_to_markdown(html) == by_the_parser(html_to_markdown, html)
    assert visible_text(html) == by_the_parser(visible_text, html)


@settings(max_examples=50)
@given(plain | overlapping)
def test_most_of_what_is_made_here_is_plain(html):
    assert plain_tree(html) is not None


@pytest.mark.parametrize(
    "html",
    ["<p/>x", "<P>x</P>", "<td>x</td>", "a < b", "&copy;", "&", "<p title='x'>", "\r\n"],
)
def test_what_is_not_plain_is_left_to_the_parser(html):
    assert plain_tree(html) is None
    assert html_to_markdown(html) == by_the_parser(html_to_markdown, html)
    assert visible_text(html) == by_the_parser(visible_text, html)


@pytest.mark.parametrize("folder", ["se_coffee_2015", "se_quantumcomputing_2018"])
def test_every_real_post_is_cleaned_as_by_the_parser(shared_data, folder):
    found = [row.attributes.get("Body", "") for row in rows(shared_data / folder / "Posts.xml", "posts")]
    for html in found:
        assert html_to_markdown(html) == by_the_parser(html_to_markdown, html)
        assert visible_text(html) == by_the_parser(visible_text, html)
    assert sum(plain_tree(html) is not None for html in found) > 0.95 * len(found)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(["p", "li", "pre"]), words), min_size=1, max_size=5))
def test_no_word_of_a_paragraph_list_or_code_block_is_lost(found):
    shapes = {"p": "<p>{}</p>", "li": "<ul><li>{}</li></ul>", "pre": "<pre><code>{}</code></pre>"}
    cleaned = html_to_markdown("\n".join(shapes[tag].format(escaped(text)) for tag, text in found))
    at = 0
    for _, text in found:
        for word in text.split():
            at = cleaned.index(word, at) + len(word)


@settings(max_examples=200)
@given(st.lists(words, min_size=1, max_size=4).map("\n\n".join))
def test_cleaning_a_text_that_is_clean_already_changes_nothing(text):
    once = html_to_markdown(escaped(text))
    assert html_to_markdown(escaped(once)) == once


@pytest.mark.parametrize(
    "html",
    [
        "<b>" * 50_000,
        "<ul><li>" * 3000,
        "<b>" * 20_000 + "<li>" * 20_000,
        "<p>x" * 20_000,
        "<" * 50_000,
        "$" * 50_000,
        "`" * 50_000,
        "<ol>" + "<li>x</li>" * 20_000,
        "<p>" * 90 + "x" + "</p>" * 90,
        "<a " + " " * 50_000,
        '<a href="' * 20_000,
    ],
)
def test_hostile_html_is_cleaned_in_seconds(html):
    start = time.process_time()
    html_to_markdown(html + "end")
    visible_text(html + "end")
    assert time.process_time() - start < 10


def test_private_use_characters_of_the_author_survive():
    assert html_to_markdown("<p>\ue000\U00100000 <b>x</b></p>") == "\ue000\U00100000 **x**"


@pytest.mark.parametrize("html", ["<p>&#0;</p>", "<p>&#xD800;</p>"])
def test_a34_character_references_cannot_smuggle_in_what_cannot_be_stored(html):
    assert html_to_markdown(html) == "\ufffd"


def test_visible_text_is_what_the_rule_counts():
    assert visible_text("<p>a &amp; b</p>\n\n<pre><code>x\n y</code></pre>\n") == "a & b\n\nx\n y"


def test_coffee_answer_140_keeps_its_list_and_loses_its_image(shared_data):
    reader = open_source(shared_data / "se_coffee_2015", site="coffee.stackexchange.com")
    answer = next(record for record in reader.records() if record.external_id == "140").responses[0]
    assert "<img" in answer.text
    assert "<li>" in answer.text
    assert answer.content.count("\n- ") + answer.content.startswith("- ") == answer.text.count("<li>")
    for leftover in ("<img", "![", "imgur", "](", "<li", "enter image"):
        assert leftover not in answer.content


ODD = {
    ("quantumcomputing", "179"): "a formula that the site itself broke: emphasis inside of dollars",
    ("quantumcomputing", "1572"): r"the author wrote \, outside of a formula, which Markdown takes for a comma",
}


@pytest.mark.parametrize(
    ("folder", "site"), [("se_coffee_2015", "coffee"), ("se_quantumcomputing_2018", "quantumcomputing")]
)
def test_every_real_post_shows_the_same_words_after_cleaning(shared_data, folder, site):
    reader = open_source(shared_data / folder, site=f"{site}.stackexchange.com")
    differing = {record.external_id for record in reader.records() if not shows_the_same(record.responses[0])}
    assert differing <= {number for name, number in ODD if name == site}


def shows_the_same(message):
    """Compare the words, but for addresses, the dollar signs of formulas and the signs of indices."""
    shown, wanted = (
        without_addresses(text) for text in (visible_text(render_markdown(message.content)), message.visible)
    )
    return re.sub(r"[\s$^_]+", "", shown) == re.sub(r"[\s$^_]+", "", wanted)
