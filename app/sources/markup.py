"""The last step of cleaning: a draft with private marks becomes Markdown, the author's text escaped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from itertools import pairwise

_MARKS = 16


@dataclass(frozen=True)
class Kept:
    """A piece that no rule of Markdown may touch: code or a formula, restored line by line at the end."""

    text: str
    table_cell: bool = False
    code: str | None = None


def kept_code(code: str, *, table_cell: bool = False) -> Kept:
    """Fence inline code by one backtick more than it holds in a row."""
    fence = "`" * (max(map(len, re.findall("`+", code)), default=0) + 1)
    padding = " " if "`" in {code[0], code[-1]} else ""
    return Kept(f"{fence}{padding}{code}{padding}{fence}", table_cell, code)


_PRIVATE = re.compile("[\U00100000-\U0010ffff]")


class Syntax:
    """One private character for each piece of syntax that the converter writes."""

    def __init__(self, base: int) -> None:
        """Take sixteen neighbouring characters from `base` on."""
        marks = [chr(base + index) for index in range(_MARKS)]
        # Pairs open and close: emphasis, strong emphasis, struck text.
        self.em = marks[0], marks[1]
        self.strong = marks[2], marks[3]
        self.strike = marks[4], marks[5]
        # Ends a line for good.
        self.line_break = marks[6]
        # A marker at the head of a line: a bullet, `>`, `##`.
        self.prefix = marks[7], marks[8]
        # Divides two cells of a table.
        self.pipe = marks[9]
        # The number of a kept piece.
        self.kept = marks[10], marks[11]
        # A horizontal rule.
        self.rule = marks[12]
        # Stands at the end of a heading.
        self.heading = marks[13]
        # Stands for one cell of the row below a table's head.
        self.delimiter = marks[14]
        self.emphasis = re.compile(f"[{''.join(marks[:6])}]")
        self.number = re.compile(f"{marks[10]}(\\d+){marks[11]}")
        self.numbers = re.compile(f"(?:{marks[10]}\\d+{marks[11]}){{2,}}")
        self._written = self._table()
        self._marks = re.compile(f"[{''.join(self._written)}]")

    def _table(self) -> dict[str, str]:
        return {
            **dict.fromkeys(self.em, "*"),
            **dict.fromkeys(self.strong, "**"),
            **dict.fromkeys(self.strike, "~~"),
            self.pipe: "|",
            self.rule: "***",
            self.delimiter: "---",
            self.heading: "",
        }

    def write(self, text: str) -> str:
        """Put the syntax of Markdown in the place of its marks; kept pieces stay marked."""
        return self._marks.sub(lambda found: self._written[found.group()], text)

    @staticmethod
    def unused_in(html: str) -> Syntax:
        """Choose sixteen neighbouring private characters that the text does not use."""
        text = unescape(html) if "&#" in html else html
        used = set() if text.isascii() else {ord(one) // _MARKS for one in _PRIVATE.findall(text)}
        blocks = range(0x10_0000 // _MARKS, 0x10_FFF0 // _MARKS)
        return _syntax(next(block for block in blocks if block not in used) * _MARKS)


@lru_cache(maxsize=8)
def _syntax(base: int) -> Syntax:
    return Syntax(base)


def write_markdown(draft: str, syntax: Syntax, kept: list[Kept]) -> str:
    """Escape what the author's characters would do as Markdown, then write the syntax."""
    text = _joined_code(_settle_emphasis(draft, syntax), syntax, kept)
    lines = [_write_line(line, syntax, kept) for line in text.split("\n")]
    return "\n".join(_tidy(lines)).strip("\n")


def _joined_code(draft: str, syntax: Syntax, kept: list[Kept]) -> str:
    """Make one piece of neighbouring pieces of inline code: their backticks would run together."""
    opened, closed = syntax.kept
    if closed + opened not in draft:
        return draft

    def join(found: re.Match[str]) -> str:
        out: list[int] = []
        for number in map(int, re.findall(r"\d+", found.group())):
            left, right = kept[out[-1]].code if out else None, kept[number].code
            if left is not None and right is not None:
                kept[out[-1]] = kept_code(left + right, table_cell=kept[number].table_cell)
            else:
                out.append(number)
        return "".join(f"{opened}{number}{closed}" for number in out)

    return syntax.numbers.sub(join, draft)


def _tidy(lines: list[str]) -> Iterator[str]:
    """Drop the second of two blank lines, and a hard line end before a blank line."""
    for line, following in pairwise([*lines, ""]):
        blank_follows = not following.strip(" >")
        if not line.strip(" >") and blank_follows and line.strip() == following.strip():
            continue
        yield line.rstrip(" ") if blank_follows else line


def _write_line(line: str, syntax: Syntax, kept: list[Kept]) -> str:
    opened, closed = syntax.prefix
    head, _, body = line.rpartition(closed)
    prefix = head.replace(opened, "").replace(closed, "")
    body = body.strip(" ")
    line_end = "  " if body.endswith(syntax.line_break) else ""
    body = body.replace(syntax.line_break, "").rstrip(" ")
    if "  " in body:
        body = _BLANKS.sub(" ", body)
    if not body:
        return prefix.rstrip(" ")
    text = _escape(body, syntax)
    # Most lines are plain words, with nothing in them to write or to restore.
    if text.isascii():
        return prefix + text + line_end
    return _restore(prefix + syntax.write(text), prefix, syntax, kept) + line_end


_INLINE = re.compile(
    r"\\(?=[!-#%-/:-@\[-`{-~\U00100000-\U0010ffff]|$)"  # a backslash that would escape a sign or our syntax
    r"|`"
    r"|(?<![^\s])\*(?![\s])|(?<=[^\s])\*"  # an asterisk that touches a word
    r"|(?<![^\W_])_(?=[^\s])|(?<=[^\s])_(?![^\W_])"  # an underscore at the edge of a word
    r"|~(?=[~\U00100000-\U0010ffff])|(?<=[~\U00100000-\U0010ffff])~"
    r"|\](?=[(\[:])"
    r"|!(?=\[)"
    r"|<(?=[A-Za-z/!?])"
    r"|&(?=#?\w{1,31};)"
)
_BLOCK = re.compile(
    r"(?P<mark>[-+*](?=\s|$)|#{1,6}(?=\s|$)|>|~{3}|=+\s*$|-+\s*$|[-*_](?:\s*[-*_]){2,}\s*$|[|:][|:\s-]*-[|:\s-]*$)"
    r"|(?P<number>\d{1,9})(?P<stop>[.)](?=\s|$))"
)

_BLANKS = re.compile(" {2,}")
_SIGN = re.compile(r"[\\`*_~\]!<&]")
_DIVIDER = re.compile(r"(?=.*-)(?=.*\|)[|:\s-]+")


def _escape(body: str, syntax: Syntax) -> str:
    """Put a backslash before each character of one line that Markdown would take for syntax."""
    text = _INLINE.sub(r"\\\g<0>", body) if _SIGN.search(body) else body
    if "|" in text and (syntax.pipe in text or _DIVIDER.fullmatch(text)):
        text = text.replace("|", "\\|")
    if text.endswith(syntax.heading):
        text = re.sub(rf"(#+)\s*(?={syntax.heading}$)", lambda m: "\\" + m.group(1), text)
    found = _BLOCK.match(text)
    if found is None or text.startswith("\\"):
        return text
    if found.group("number"):
        return f"{found.group('number')}\\{text[found.end('number') :]}"
    return "\\" + text


def _restore(line: str, prefix: str, syntax: Syntax, kept: list[Kept]) -> str:
    """Put the kept pieces back; their further lines take the line's prefix, bullets as blanks."""
    if syntax.kept[0] not in line:
        return line
    below = re.sub(r"[^>\s]", " ", prefix)

    def piece(found: re.Match[str]) -> str:
        item = kept[int(found.group(1))]
        if item.table_cell:
            return item.text.replace("|", "\\|").replace("\n", " ")
        first, *rest = item.text.split("\n")
        return "\n".join([first, *((below + more) if more else below.rstrip(" ") for more in rest)])

    return syntax.number.sub(piece, line)


def _settle_emphasis(draft: str, syntax: Syntax) -> str:
    """Drop the emphasis that Markdown could not read back: `**"a"**b` would show its asterisks."""
    if not syntax.emphasis.search(draft):
        return draft
    pairs = (syntax.em, syntax.strong, syntax.strike)
    opening = {pair[0] for pair in pairs}
    closing = {pair[1] for pair in pairs}
    dropped: set[int] = set()
    stack: list[int] = []
    for found in syntax.emphasis.finditer(draft):
        if found.group() in opening:
            stack.append(found.start())
        elif stack:
            start, end = stack.pop(), found.start()
            if not _readable(draft, (start, end), (opening, closing), nested=bool(stack)):
                dropped |= {start, end}
    return "".join(c for i, c in enumerate(draft) if i not in dropped) if dropped else draft


def _readable(draft: str, pair: tuple[int, int], marks: tuple[set[str], set[str]], *, nested: bool) -> bool:
    (start, end), (opening, closing) = pair, marks
    before = _neighbour(draft, start, -1, opening)
    if before in closing:
        return False
    after = _neighbour(draft, end, 1, opening | closing)
    first = _neighbour(draft, start, 1, opening)
    last = _neighbour(draft, end, -1, closing)
    beside = {*draft[max(0, start - 1) : start + 2], *draft[end - 1 : end + 2]} - {draft[start], draft[end]}
    touches = not (before.isspace() and after.isspace())
    if (touches and beside & (opening | closing)) or (nested and (_plain(before) or _plain(after))):
        return False  # where emphasis meets words or emphasis, CommonMark counts asterisks by threes
    return not ((_plain(before) and not _plain(first)) or (_plain(after) and not _plain(last)))


def _neighbour(draft: str, index: int, step: int, skipped: set[str]) -> str:
    index += step
    while 0 <= index < len(draft) and draft[index] in skipped:
        index += step
    return draft[index] if 0 <= index < len(draft) else "\n"


def _plain(character: str) -> bool:
    # CommonMark asks for blanks or signs; private marks stand for signs or line heads.
    return not character.isspace() and unicodedata.category(character)[0] not in "PSC"
