"""Markdown to HTML that is safe on a page: HTML made first, sanitised last.

Raw HTML shows as text; links lead to http, https and mailto only; images give way to their description,
so that no other host learns who reads; formulas become `span.math` for the browser to set.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from app.text import marks
from app.text.formulas import FORMULA, tex_of

_TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code"),
    *("em", "strong", "s", "a", "span", "table", "thead", "tbody", "tr", "th", "td"),
}
# A column of a table that is set to the right holds numbers.
_CLASSES = {"span": {"math", "math-display", "hidden-character"}, "th": {"num"}, "td": {"num"}}
_LANGUAGE = re.compile(r"language-[\w+#.-]{1,40}")
_SCHEME = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_DEEPEST = 100


def render_markdown(text: str, *, heading_offset: int = 2) -> str:
    """Give the sanitised HTML of a Markdown text; headings start `heading_offset` levels lower.

    The offset keeps a page's own headings in order: a text's first level becomes h3 by default.
    """
    tokens = _PARSER.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + heading_offset)}"
        if token.type in {"th_open", "td_open"} and "right" in str(token.attrGet("style")):
            token.attrs = {"class": "num"}
    html: str = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return _SANITISER.clean(html)


def _allowed_attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "code" and name == "class":
        return value if _LANGUAGE.fullmatch(value) else None
    if tag == "a" and name == "href":
        return value if _SCHEME.match(value) else None
    return value


_SANITISER = nh3.Cleaner(
    tags=_TAGS,
    attributes={"a": {"href"}, "code": {"class"}, "ol": {"start"}, "span": {"title"}},
    attribute_filter=_allowed_attribute,
    allowed_classes=_CLASSES,
    # A code block wider than its column scrolls, and what scrolls must be reachable by keyboard.
    set_tag_attribute_values={"pre": {"tabindex": "0"}},
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto"},
)


def _visible(text: str) -> str:
    """Escape a text for HTML, with hidden characters shown as marks."""
    parts = (
        escapeHtml(run.text)
        if run.mark is None
        else f'<span class="hidden-character" title="{escapeHtml(run.name)}">{run.mark}</span>'
        for run in marks.runs(text)
    )
    return "".join(parts)


def _render_text(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    return _visible(tokens[index].content)


def _render_code(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    return f"<code>{_visible(tokens[index].content)}</code>"


def _render_block(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    words = tokens[index].info.split(maxsplit=1)
    language = f' class="language-{escapeHtml(words[0])}"' if words else ""
    return f"<pre><code{language}>{_visible(tokens[index].content)}</code></pre>\n"


def _render_image(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return _visible(renderer.renderInlineAsText(tokens[index].children or [], options, env))


def _render_formula(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    token = tokens[index]
    body = f"<span{_MATH[token.type]}>{_visible(token.content.strip())}</span>"
    return f"<p>{body}</p>\n" if token.block else body


_MATH = {
    "math_inline": ' class="math"',
    "math_inline_double": ' class="math math-display"',
    "math_block": ' class="math math-display"',
}


def _formula(state: StateInline, silent: bool) -> bool:
    """Read a formula where one begins, by the project's own definition (dollarmath's takes money)."""
    if state.src[state.pos] not in "$\\":
        return False
    found = FORMULA.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        tex, set_apart = tex_of(found.group())
        token = state.push("math_inline_double" if set_apart else "math_inline", "span", 0)
        token.content = tex
    state.pos = found.end()
    return True


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _DEEPEST})
    parser.enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin, allow_labels=False, allow_blank_lines=False)
    parser.inline.ruler.at("math_inline", _formula)
    rules = {"text": _render_text, "code_inline": _render_code, "image": _render_image}
    rules |= {"fence": _render_block, "code_block": _render_block}
    rules |= dict.fromkeys(_MATH, _render_formula)
    for name, rule in rules.items():
        parser.add_render_rule(name, rule)
    return parser


_PARSER = _parser()
