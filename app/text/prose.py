"""The writer's own words in a Markdown text: what is left without code, formulas and quotations.

Masks keep every character's place, so that a match in the masked text is a match in the text itself.
"""

from __future__ import annotations

import re

from app.text.formulas import FORMULA, may_hold_formula

MASK = "\ufffc"
"""Stands for each masked character: neither a letter nor a blank, so that no word grows out of it."""

_MARKS = r"[ \t]*(?:(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))[ \t]*)*"
_FENCE = re.compile(rf"^({_MARKS})(`{{3,}}(?=[^`\n]*$)|~{{3,}})")
_QUOTED_LINE = re.compile(r"^\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)*>")
_QUOTED_CODE = re.compile(r"^\s*>[ \t]{5,}\S")
_ITEM = re.compile(r"^([ \t]*)([-*+]|\d{1,9}[.)])([ \t]+|$)")
# What ends a paragraph without a blank line, and so a block quote that goes on without its sign.
_BREAKS = re.compile(r"#{1,6}(?:\s|$)|(?:[-*+]|\d{1,9}[.)])(?:\s|$)|([-*_])[ \t]*(?:\1[ \t]*){2,}$|`{3}|~{3}")
_NUMBER = re.compile(r"(?!0*1[.)])\d+[.)]")
_UNDERLINE = re.compile(r"(?:=+|-+)$")
_SIGNS = ("```", "~~~", ">", "    ", "\t")
_CODE = re.compile(r"(?<![`\\])(`+)(?!`)((?:(?!\n[ \t]*\n).){1,20000}?)(?<!`)\1(?!`)", re.DOTALL)
# A quotation goes on in the next line of its paragraph; one of several paragraphs opens each and closes the last.
_ON = r"\n(?![ \t]*(?:\n|\Z|[-*+>#]\s|\d{1,9}[.)]\s))"
_NEXT = r"\n(?:[ \t]*\n)+[ \t]*"


def _up_to(sign: str) -> str:
    """What stands inside a quotation that one of these signs would end."""
    return rf"(?=[^{sign}])[^{sign}\n]{{0,2000}}+(?:{_ON}[^{sign}\n]{{0,2000}}+){{0,40}}+"


_STRAIGHT = _up_to('"')
# Each way begins with its own sign and only then looks at what stands before it: so the search can leap from sign to
# sign, which takes a tenth of the time.
_QUOTATION = re.compile(
    rf"“{_up_to('”')}(?:”|(?={_NEXT}“))|„{_up_to('“”')}[“”]|‚{_up_to('‘’')}[‘’]"
    rf"|«{_up_to('»')}(?:»|(?={_NEXT}[«»]))|»{_up_to('«»')}«"
    rf"|»(?<![^\n]»){_up_to('«»')}(?:»|(?={_NEXT}»))|‹{_up_to('‹›')}›|›{_up_to('‹›')}‹"
    rf"|「{_up_to('」')}」|『{_up_to('』')}』"
    rf"|\"(?<![\w\"]\")(?=\S){_STRAIGHT}(?:(?<=\S)\"(?![\w\"])|(?<=\S)(?={_NEXT}\"\w))"
    r"|'(?<![\w'’]')(?=\S)[^'’\n]{1,200}(?<=\S)'(?!\w)"
    r"|‘(?<![\w'’]‘)(?=\S)[^‘’\n]{1,200}(?<=\S)’(?!\w)"
)
# HTML that says whose its words are; the tags themselves are the writer's.
_TAGGED = re.compile(r"<(/?)(blockquote|pre|code|q|samp|kbd)(?:\s[^<>\n]{0,400})?>", re.IGNORECASE)
_TAG = re.compile(r"(<[^<>\n]*>)")


def own_words(markdown: str) -> str:
    """Mask code, formulas, block quotes and quoted speech; same length, same line ends, same places."""
    text = _mask_blocks(markdown)
    if "`" in text:
        text = _CODE.sub(_masked, text)
    if may_hold_formula(text):
        text = FORMULA.sub(_masked, text)
    if "</" in text:
        text = _mask_tagged(text)
    return _QUOTATION.sub(_masked, text)


def _mask_tagged(text: str) -> str:
    """Mask what stands between a tag of HTML that quotes or shows code and the one that closes it."""
    opened: dict[str, int] = {}
    spans: list[tuple[int, int]] = []
    for found in _TAGGED.finditer(text):
        name = found[2].lower()
        if not found[1]:
            opened.setdefault(name, found.end())
        elif name in opened:
            start = opened.pop(name)
            while spans and spans[-1][0] >= start:
                spans.pop()
            spans.append((start, found.start()))
    parts, last = [], 0
    for start, end in spans:
        parts += [text[last:start], *(one if one[:1] == "<" else _hide(one) for one in _TAG.split(text[start:end]))]
        last = end
    return "".join([*parts, text[last:]])


def _masked(found: re.Match[str]) -> str:
    return _hide(found.group())


def _hide(text: str) -> str:
    return "\n".join([MASK * len(line) for line in text.split("\n")])


def _mask_blocks(markdown: str) -> str:
    """Mask fenced code, indented code and block quotes, line by line; most texts have none of their signs."""
    if not any(sign in markdown for sign in _SIGNS):
        return markdown
    blocks = _Blocks()
    return "\n".join([_hide(line) if blocks.holds(line) else line for line in markdown.split("\n")])


class _Blocks:
    """Which block a line is in, told line after line."""

    def __init__(self) -> None:
        self.fence = ""
        self.fence_is_quoted = False
        self.paragraph = False  # the line before may go on in this one
        self.quoted = False  # and it stood in a block quote
        self.items: list[int] = []  # the columns at which the words of the open list items begin

    def holds(self, line: str) -> bool:
        """Whether this line is code or stands in a block quote."""
        quoted, column = _QUOTED_LINE.match(line) is not None, _column(line)
        if self.fence and self._is_in_fence(line, quoted, column):
            mark = line.strip(" >\t") if self.fence_is_quoted else line.strip()
            if column < self._margin() + 4 and len(mark) >= len(self.fence) and not mark.strip(self.fence[0]):
                self.fence = ""
            return True
        if not line.strip():
            self.paragraph = self.quoted = False
            return False
        if self.paragraph and not quoted and not self._is_interrupted(line.strip(), column):
            self.paragraph = self.quoted or _UNDERLINE.match(line.strip()) is None
            return self.quoted
        self._leave(column)
        if not self.paragraph and column >= self._margin() + 4:
            return True
        self._enter(line)
        self._begin(line, quoted)
        return quoted or bool(self.fence)

    def _is_in_fence(self, line: str, quoted: bool, column: int) -> bool:
        """Whether a fence is still open: it ends with the quote or the list item that it stands in."""
        inside = quoted if self.fence_is_quoted else not line.strip() or column >= self._margin()
        self.fence = self.fence if inside else ""
        return inside

    def _is_interrupted(self, words: str, column: int) -> bool:
        """Whether a line without a quote's sign begins a block where a paragraph might go on."""
        if column >= self._margin() + 4 or not _BREAKS.match(words):
            return False
        # A paragraph that is no list item's goes on with any number but 1.
        return self.quoted or column < self._margin() or not _NUMBER.match(words)

    def _begin(self, line: str, quoted: bool) -> None:
        """Note what kind of block this line begins or goes on with."""
        opening = _FENCE.match(line)
        self.fence, self.fence_is_quoted = (opening[2] if opening else ""), quoted
        inside = re.sub(_MARKS, "", line, count=1)
        code = bool(_QUOTED_CODE.match(line)) and not self.quoted
        self.paragraph = bool(inside) and not code and not _BREAKS.match(inside)
        self.quoted = quoted and self.paragraph

    def _margin(self) -> int:
        return self.items[-1] if self.items else 0

    def _leave(self, column: int) -> None:
        """Close the list items whose words begin further in."""
        while self._margin() > column:
            self.items.pop()

    def _enter(self, line: str) -> None:
        """Open the list items that this line begins."""
        wide, at = line.expandtabs(4), 0
        while found := _ITEM.match(wide[at:]):
            self._leave(at + len(found[1]))
            blanks = len(found[3])
            self.items.append(at + found.end(2) + (blanks if 1 <= blanks <= 4 else 1))
            at += found.end()


def _column(line: str) -> int:
    wide = line.expandtabs(4)
    return len(wide) - len(wide.lstrip())
