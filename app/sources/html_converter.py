"""The converter from HTML to a Markdown draft, on markdownify: it walks the tree and folds the text between elements.

What becomes of each element is said in `html_inline`, `html_blocks` and `html_tables`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag
from markdownify import MarkdownConverter

from app.sources.html_inline import Parents
from app.sources.html_tables import Tables
from app.sources.plain_html import Element, ended, ended_by, plain_tree
from app.sources.weblinks import without_addresses
from app.text.formulas import FORMULA, may_hold_formula

_BLOCKS = {
    *("p", "div", "article", "section", "main", "header", "footer", "aside", "nav", "center", "address"),
    *("figure", "figcaption", "details", "summary", "blockquote", "pre", "hr", "form", "fieldset"),
    *("ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
}
_STARTS_BLOCK = re.compile(r"\n(?=[ \t]*(?:(?:[-+*>]|#{1,6}|\d{1,9}[.)])(?:\s)|(?:=+|-+)[ \t]*$))", re.MULTILINE)

_ENTITY = re.compile(r"&#?\w{1,32};?")
_LINE_ENDS = re.compile(r"[\t \r\n]*[\r\n][\t \r\n]*")
_BLANKS = re.compile(r"[\t ]+")
_EDGES = re.compile(r"^(\n*)((?:.*[^\n])?)(\n*)$", re.DOTALL)
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
# What markdownify takes for blocks whose inner edges hold no blanks, and whose outer edges hold none.
_TIGHT = {"p", "blockquote", "div", "ol", "ul", "li", *_HEADINGS}
_SET_APART = {*_TIGHT, "pre"}
_ADDED = {
    "pre": {"_noformat"},
    "code": {"_noformat"},
    "kbd": {"_noformat"},
    **{name: {"_inline"} for name in _HEADINGS},
}


class _Soup(BeautifulSoup):
    """The parser's tree, with the ends that HTML lets one leave out."""

    def handle_starttag(self, name: str, *args: Any, **more: Any) -> Tag | None:
        """End what this beginning ends."""
        before = ended_by(name, (one.name for one in reversed(self.tagStack)))
        if before is not None:
            self.handle_endtag(before)
        return super().handle_starttag(name, *args, **more)


def _known(entity: re.Match[str]) -> str:
    """What a browser makes of an entity: one that there is not stays as it is written, which the parser would cut."""
    return escape(unescape(entity.group()))


class Converter(Tables):
    """Turns one HTML fragment into a draft; `kept` then holds its code and formulas."""

    def convert(self, html: str) -> str:
        """Give a fragment's draft: by the small tree where it is plain, by the parser where it is not."""
        tree = plain_tree(html)
        if tree is not None:
            return self._plain(tree, set()).strip("\n")
        MarkdownConverter.__init__(self)
        # Without a tag or a line end the parser would warn of what looks like the name of a file.
        html = _ENTITY.sub(_known, ended(html) if "<" in html else f"{html}\n")
        return str(self.convert_soup(_Soup(html, "html.parser")))

    def _plain(self, el: Element, parents: Parents) -> str:
        """Give the draft of a small tree, as `process_tag` does of the parser's."""
        name, children = el.name, el.children
        inside = {*parents, name, *_ADDED.get(name, ())}
        is_block, last = name in _TIGHT, len(children) - 1
        drafts = []
        for index, child in enumerate(children):
            if not isinstance(child, str):
                drafts.append(self._plain(child, inside))
                continue
            before = _name_of(children[index - 1]) if index else None
            after = _name_of(children[index + 1]) if index < last else None
            edge = is_block and (not index or index == last)
            if not child.strip() and (edge or before in _SET_APART or after in _SET_APART):
                continue
            drafts.append(self._plain_text(child, inside, name, (before, after)))
        text = "".join(drafts) if "pre" in inside else _collapsed(drafts)
        write = _METHODS.get(name)
        return text if write is None else write(self, el, text, parents)

    def _plain_text(self, text: str, parents: Parents, name: str, beside: tuple[str | None, str | None]) -> str:
        if "pre" in parents:
            return text
        text = self._folded(text, parents)
        before, after = beside
        if before in _BLOCKS or (before is None and name in _BLOCKS):
            text = text.lstrip(" \n")
        if after in _BLOCKS or (after is None and name in _BLOCKS):
            text = text.rstrip(" \n")
        return text

    def _folded(self, text: str, parents: Parents) -> str:
        """Keep a text's formulas, leave the hosts of its addresses and fold its blanks."""
        if "_noformat" not in parents:
            if may_hold_formula(text):
                text = FORMULA.sub(lambda found: self.keep(_one_paragraph(found.group())), text)
            text = without_addresses(text)
        if "\n" in text or "\r" in text:
            text = _LINE_ENDS.sub("\n", text)
        return _BLANKS.sub(" ", text) if "  " in text or "\t" in text else text

    def process_text(self, el: NavigableString, parent_tags: Parents | None = None) -> str:
        """Give a text node with its formulas kept and its blanks folded."""
        parents = parent_tags or set()
        if isinstance(el, PreformattedString):  # comments, declarations, processing instructions
            return ""
        if "pre" in parents:
            return str(el)
        return _trimmed_at_blocks(el, self._folded(str(el), parents))


def _is_block(node: Any) -> bool:
    return isinstance(node, Tag) and node.name in _BLOCKS


def _trimmed_at_blocks(el: NavigableString, text: str) -> str:
    """Drop the blanks between a text and the edge of a block: they are layout, not words."""
    before, after = el.previous_sibling, el.next_sibling
    if _is_block(before) or (before is None and _is_block(el.parent)):
        text = text.lstrip(" \n")
    if _is_block(after) or (after is None and _is_block(el.parent)):
        text = text.rstrip(" \n")
    return text


def _one_paragraph(formula: str) -> str:
    """Join a formula's line that would begin a list or a heading to the one before; TeX sees no difference."""
    return formula if "%" in formula else _STARTS_BLOCK.sub(" ", formula)


def _name_of(node: Element | str) -> str:
    return "" if isinstance(node, str) else node.name


def _collapsed(drafts: list[str]) -> str:
    """Join drafts; where line ends meet, the longer run of them stays, two at most."""
    out = [""]
    for draft in drafts:
        if draft.startswith("\n") or draft.endswith("\n"):
            lead, inner, tail = _EDGES.match(draft).groups()  # type: ignore[union-attr]
            if out[-1] and lead:
                lead = "\n" * min(2, max(len(out.pop()), len(lead)))
            out += (lead, inner, tail)
        elif draft:
            out += (draft, "")
    return "".join(out)


def _heading(converter: Converter, el: Any, text: str, parents: Parents) -> str:
    return converter.convert_hN(int(el.name[1]), el, text, parents)


_METHODS: dict[str, Callable[[Converter, Any, str, Parents], str]] = {
    **dict.fromkeys(("em", "i"), Converter.convert_em),
    **dict.fromkeys(("strong", "b"), Converter.convert_strong),
    **dict.fromkeys(("s", "del", "strike"), Converter.convert_del),
    **dict.fromkeys(("code", "kbd"), Converter.convert_code),
    **dict.fromkeys(("p", "div"), Converter.convert_div),
    **dict.fromkeys(("ul", "ol"), Converter.convert_list),
    "sup": Converter.convert_sup,
    "sub": Converter.convert_sub,
    "img": Converter.convert_img,
    "br": Converter.convert_br,
    "hr": Converter.convert_hr,
    "pre": Converter.convert_pre,
    "li": Converter.convert_li,
    "blockquote": Converter.convert_blockquote,
    **dict.fromkeys(_HEADINGS, _heading),
}
