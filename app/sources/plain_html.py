"""A small tree of plain HTML: what the editors of Stack Exchange and most others write, in a tenth of a parser's time.

Plain is a fragment of known elements in small letters, quoted attributes and the few entities that markup itself
needs. Everything else is for the real parser, which knows what browsers make of broken HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape
from itertools import islice

_VOID = {"br", "hr", "img"}
_KNOWN = _VOID | {
    *("p", "a", "em", "i", "strong", "b", "s", "del", "strike", "sup", "sub", "code", "kbd", "pre", "span", "div"),
    *("ul", "ol", "li", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"),
}
_DEEPEST = 100
_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+="[^"<>]*")*)\s*(/?)>')
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f]|&(?!(?:lt|gt|amp|quot|nbsp|#39);)")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
_ASCII_BLANKS = " \n\t"
_BARRIERS = {
    *("ul", "ol", "menu", "dl", "dt", "dd", "li", "blockquote", "pre", "table", "caption", "thead", "tbody", "tfoot"),
    *("tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "article", "section", "main", "header", "footer", "aside"),
    *("nav", "figure", "figcaption", "details", "summary", "form", "fieldset"),
}
_ROWS = {"table", "thead", "tbody", "tfoot"}
# The ends that HTML lets one leave out: what a beginning ends, and inside of what that is looked for.
_LEFT_OUT = {
    "p": ({"p"}, _BARRIERS | {"div", "center", "address"}),
    "li": ({"li"}, _BARRIERS),
    **dict.fromkeys(("dt", "dd"), ({"dt", "dd"}, _BARRIERS)),
    **dict.fromkeys(("td", "th"), ({"td", "th"}, {"table", "tr"})),
    "tr": ({"tr"}, _ROWS),
    **dict.fromkeys(("thead", "tbody", "tfoot"), ({"thead", "tbody", "tfoot"}, {"table"})),
}


class Element:
    """One element with its children, which are elements and texts."""

    __slots__ = ("_attributes", "children", "depth", "index", "name", "next_number", "parent", "verbatim")

    def __init__(self, name: str, parent: Element | None = None, attributes: str = "") -> None:
        """Begin without children."""
        self.name = name
        self.parent = parent
        self.children: list[Element | str] = []
        self.index = len(parent.children) if parent is not None else 0
        self.depth: int = parent.depth + 1 if parent is not None else 0
        self.verbatim: bool = name == "pre" or (parent is not None and parent.verbatim)
        self.next_number: int | None = None
        self._attributes = attributes

    def get(self, name: str, default: str = "") -> str:
        """Give an attribute's value."""
        return dict(_ATTRIBUTE.findall(self._attributes)).get(name, default) if self._attributes else default

    @property
    def before(self) -> Iterator[Element | str]:
        """The siblings before it, the nearest first."""
        siblings = self.parent.children[: self.index] if self.parent is not None else []
        return reversed(siblings)

    @property
    def names(self) -> Iterator[str]:
        """Its name, its parent's, and so on."""
        at: Element | None = self
        while at is not None:
            yield at.name
            at = at.parent

    @property
    def texts(self) -> Iterator[str]:
        """The texts in it in their order, a line end for each `<br>`."""
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.name == "br":
                yield "\n"
            else:
                yield from child.texts

    def find(self, name: str) -> Element | None:
        """Give the first element of that name in it."""
        for child in self.children:
            if not isinstance(child, str):
                found = child if child.name == name else child.find(name)
                if found is not None:
                    return found
        return None


def plain_text(html: str) -> str | None:
    """Give the text of a fragment without its tags, None where it is not plain."""
    if _ODD.search(html):
        return None
    pieces = _TAG.split(html)
    texts = pieces[::5]
    if any("<" in text for text in texts) or not _KNOWN.issuperset(pieces[2::5]):
        return None
    return "".join(unescape(text) if "&" in text else text for text in texts)


def plain_tree(html: str) -> Element | None:
    """Give a fragment as an element without a name, None where it is not plain."""
    if _ODD.search(html):
        return None
    pieces = _TAG.split(html)
    if any("<" in text for text in pieces[::5]) or not _KNOWN.issuperset(pieces[2::5]):
        return None
    return _grown(pieces)


def ended(html: str) -> str:
    """Write each `<` after the last `>` as the text that it is: the parser would look for its end to the end each time.

    Twenty thousand unended tags took it two minutes.
    """
    head, last, tail = html.rpartition(">")
    return head + last + tail.replace("<", "&lt;")


def ended_by(name: str, open_names: Iterable[str]) -> str | None:
    """Name the open element, looked for from the innermost out, whose missing end a beginning of `name` stands for."""
    if name not in _LEFT_OUT:
        return None
    ended, barriers = _LEFT_OUT[name]
    for one in islice(open_names, _DEEPEST):
        if one in ended:
            return one
        if one in barriers:
            return None
    return None


def _grown(pieces: list[str]) -> Element | None:
    """Build the tree of text, slash, name, attributes, slash, text, …; None where it is too deep or not plain.

    As the parser has it, an end closes all that stands open in its element, one without a beginning closes nothing,
    an end that may be left out is added, and what stays open ends with the fragment.
    """
    root = open_now = Element("")
    _add(open_now, pieces[0])
    for at in range(1, len(pieces), 5):
        closes, name, attributes, closed = pieces[at : at + 4]
        if closes:
            open_now = _closed(open_now, name)
        else:
            before = ended_by(name, open_now.names)
            if before is not None:
                open_now = _closed(open_now, before)
            child = Element(name, open_now, attributes)
            open_now.children.append(child)
            if name not in _VOID:
                open_now = child
                if closed or child.depth > _DEEPEST or ("&" in attributes and name in {"pre", "code", "ol"}):
                    return None
        _add(open_now, pieces[at + 4])
    return root


def _closed(open_now: Element, name: str) -> Element:
    """The element that is open after an end of that name."""
    at: Element | None = open_now
    while at is not None and at.name != name:
        at = at.parent
    return open_now if at is None or at.parent is None else at.parent


def _add(parent: Element, text: str) -> None:
    if not text:
        return
    if "&" in text:
        text = unescape(text)
    if not parent.verbatim and not text.strip(_ASCII_BLANKS):
        text = "\n" if "\n" in text else " "
    parent.children.append(text)
