"""The last step of cleaning: a draft with private marks becomes Markdown, the author's text escaped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Syntax:
    """One private character for each piece of syntax that the converter writes."""

    base: int

    @classmethod
    def unused_in(cls, html: str) -> Syntax:
        """Choose sixteen neighbouring private characters that the text does not use."""
        used = {ord(c) // _MARKS for c in unescape(html) if ord(c) >= 0xE000}
        blocks = range(0x10_0000 // _MARKS, 0x10_FFF0 // _MARKS)
        return cls(next(block for block in blocks if block not in used) * _MARKS)

    def mark(self, index: int) -> str:
        """Give the private character with that number."""
        return chr(self.base + index)

    @property
    def em(self) -> tuple[str, str]:
        """Open and close emphasis."""
        return self.mark(0), self.mark(1)

    @property
    def strong(self) -> tuple[str, str]:
        """Open and close strong emphasis."""
        return self.mark(2), self.mark(3)

    @property
    def strike(self) -> tuple[str, str]:
        """Open and close struck text."""
        return self.mark(4), self.mark(5)

    @property
    def line_break(self) -> str:
        """End a line for good."""
        return self.mark(6)

    @property
    def prefix(self) -> tuple[str, str]:
        """Open and close a marker at the head of a line: a bullet, `>`, `##`."""
        return self.mark(7), self.mark(8)

    @property
    def pipe(self) -> str:
        """Divide two cells of a table."""
        return self.mark(9)

    @property
    def kept(self) -> tuple[str, str]:
        """Open and close the number of a kept piece."""
        return self.mark(10), self.mark(11)

    @property
    def rule(self) -> str:
        """Write a horizontal rule."""
        return self.mark(12)

    @property
    def heading(self) -> str:
        """Stand at the end of a heading."""
        return self.mark(13)

    @property
    def delimiter(self) -> str:
        """Stand for one cell of the row below a table's head."""
        return self.mark(14)


def write_markdown(draft: str, syntax: Syntax, kept: list[Kept]) -> str:
    """Escape what the author's characters would do as Markdown, then write the syntax."""
    text = _joined_code(_settle_emphasis(draft, syntax), syntax, kept)
    lines = [_write_line(line, syntax, kept) for line in text.split("\n")]
    return "\n".join(_tidy(lines)).strip("\n")


def _joined_code(draft: str, syntax: Syntax, kept: list[Kept]) -> str:
    """Make one piece of neighbouring pieces of inline code: their backticks would run together."""
    opened, closed = syntax.kept

    def join(found: re.Match[str]) -> str:
        out: list[int] = []
        for number in map(int, re.findall(r"\d+", found.group())):
            left, right = kept[out[-1]].code if out else None, kept[number].code
            if left is not None and right is not None:
                kept[out[-1]] = kept_code(left + right, table_cell=kept[number].table_cell)
            else:
                out.append(number)
        return "".join(f"{opened}{number}{closed}" for number in out)

    return re.sub(f"(?:{opened}\\d+{closed}){{2,}}", join, draft)


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
    body = re.sub(" {2,}", " ", body.replace(syntax.line_break, "").rstrip(" "))
    if not body:
        return prefix.rstrip(" ")
    written = prefix + _write_syntax(_escape(body, syntax), syntax)
    return _restore(written, prefix, syntax, kept) + line_end


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

_DIVIDER = re.compile(r"(?=.*-)(?=.*\|)[|:\s-]+")


def _escape(body: str, syntax: Syntax) -> str:
    """Put a backslash before each character of one line that Markdown would take for syntax."""
    text = _INLINE.sub(r"\\\g<0>", body)
    if syntax.pipe in text or _DIVIDER.fullmatch(text):
        text = text.replace("|", "\\|")
    if text.endswith(syntax.heading):
        text = re.sub(rf"(#+)\s*(?={syntax.heading}$)", lambda m: "\\" + m.group(1), text)
    found = _BLOCK.match(text)
    if found is None or text.startswith("\\"):
        return text
    if found.group("number"):
        return f"{found.group('number')}\\{text[found.end('number') :]}"
    return "\\" + text


def _write_syntax(text: str, syntax: Syntax) -> str:
    table = {
        **dict.fromkeys(map(ord, syntax.em), "*"),
        **dict.fromkeys(map(ord, syntax.strong), "**"),
        **dict.fromkeys(map(ord, syntax.strike), "~~"),
        ord(syntax.pipe): "|",
        ord(syntax.rule): "***",
        ord(syntax.delimiter): "---",
        ord(syntax.heading): "",
    }
    return text.translate(table)


def _restore(line: str, prefix: str, syntax: Syntax, kept: list[Kept]) -> str:
    """Put the kept pieces back; their further lines take the line's prefix, bullets as blanks."""
    opened, closed = syntax.kept
    below = re.sub(r"[^>\s]", " ", prefix)

    def piece(found: re.Match[str]) -> str:
        item = kept[int(found.group(1))]
        if item.table_cell:
            return item.text.replace("|", "\\|").replace("\n", " ")
        first, *rest = item.text.split("\n")
        return "\n".join([first, *((below + more) if more else below.rstrip(" ") for more in rest)])

    return re.sub(f"{opened}(\\d+){closed}", piece, line)


def _settle_emphasis(draft: str, syntax: Syntax) -> str:
    """Drop the emphasis that Markdown could not read back: `**"a"**b` would show its asterisks."""
    pairs = (syntax.em, syntax.strong, syntax.strike)
    opening = {pair[0] for pair in pairs}
    closing = {pair[1] for pair in pairs}
    dropped: set[int] = set()
    stack: list[int] = []
    for found in re.finditer(f"[{''.join(opening | closing)}]", draft):
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
