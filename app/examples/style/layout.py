"""Rules of the layout: headings and lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from app.examples.style.base import Draft, Fix, Remark, Rule, line_starts
from app.text.prose import MASK

HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(?=\S)")
_CLOSE = re.compile(r"^ {0,3}(#{2,6})(?=[^\s#!\d])")
_BARE = re.compile(r"^ {0,3}#{1,6}[ \t]*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-+)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Headings(Rule):
    """Asks for headings that a reader can follow."""

    name: ClassVar[str] = "headings"
    title: ClassVar[str] = "Headings"
    why: ClassVar[str] = "Headings are the outline of a text: one alone divides nothing, and a skipped level breaks it."

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on a skipped level, a heading that stands alone above all, one without a blank or without words."""
        if "#" not in draft.own and not _UNDERLINE.search(draft.own):
            return
        headings = list(_underlined(draft.own))
        for place, line in line_starts(draft.own):
            if found := HEADING.match(line):
                headings.append((place + found.start(1), place + len(line), len(found[1])))
            elif found := _CLOSE.match(line):
                yield self._without_blank(draft, place + found.start(1), place + found.end(1))
                headings.append((place + found.start(1), place + len(line), len(found[1])))
            elif _BARE.match(line):
                yield self.at(draft, place, place + len(line), "A heading without words. Give it some, or take it out.")
        yield from self._outline(draft, sorted(headings))

    def _without_blank(self, draft: Draft, start: int, end: int) -> Remark:
        fix = Fix(end, end, " ")
        return self.at(draft, start, end, "Without a blank after its signs this is no heading.", fix)

    def _outline(self, draft: Draft, headings: list[tuple[int, int, int]]) -> Iterator[Remark]:
        if len(headings) == 1 and not draft.text[: headings[0][0]].strip():
            start, end, _ = headings[0]
            yield self.at(draft, start, end, "The only heading. One part needs none; begin with the words below it.")
        for (_, _, above), (start, end, level) in pairwise(headings):
            if level > above + 1:
                fix = Fix(start, start + level, "#" * (above + 1))
                words = f"Level {level} follows level {above}: a level is skipped."
                yield self.at(draft, start, end, words, fix)


def _underlined(own: str) -> Iterator[tuple[int, int, int]]:
    """The headings that a line of = or - below a paragraph makes, as start, end and level."""
    begins: int | None = None  # where the paragraph began that such a line would make a heading of
    open_ended = False  # the line goes on with something that it makes none of: an item, a quotation
    for place, line in line_starts(own):
        if not line.strip() or HEADING.match(line):
            begins, open_ended = None, False
        elif begins is not None and (found := _UNDERLINE.match(line)):
            yield begins, place + len(line), 1 if found[1][0] == "=" else 2
            begins = None
        elif _RULE.match(line):
            begins, open_ended = None, False
        elif ITEM.match(line) or not line.strip(MASK) or (begins is None and line[:4].isspace()):
            begins, open_ended = None, True
        elif begins is None and not open_ended:
            begins = place


ITEM = re.compile(r"^(?P<indent>[ \t]*)(?P<mark>[-*+]|(?P<number>\d{1,3})(?P<stop>[.)]))[ \t]+(?=\S)")
_RULE = re.compile(r"^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,})$")


@dataclass(frozen=True)
class _Item:
    """One item of the outermost level: where its mark stands, and its number if it has one."""

    start: int
    end: int
    line_end: int
    mark: str
    number: int | None
    follows_text: bool


# More bullets than this that stand alone are no lists: they are somebody's headings.
_LONE = 2


@dataclass(frozen=True)
class Lists(Rule):
    """Asks for lists that count right and look alike."""

    name: ClassVar[str] = "lists"
    title: ClassVar[str] = "Lists"
    why: ClassVar[str] = "A list that counts wrong, changes its signs or has one item makes a reader look for a reason."

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on broken numbering, changing bullets, and lists of one item."""
        for items in _numbered(draft.own):
            yield from self._numbering(draft, items)
        lists = list(_bulleted(draft.own))
        lone = sum(len(items) == 1 for items in lists)
        for items in lists:
            if len(items) == 1 and lone <= _LONE:
                yield self._alone(draft, items[0])
            yield from self._bullets(draft, items)

    def _numbering(self, draft: Draft, items: list[_Item]) -> Iterator[Remark]:
        numbers = [item.number or 0 for item in items]
        if len(items) == 1 and numbers == [1]:
            yield self._alone(draft, items[0])
        if len(set(numbers)) == 1:
            return  # 1. 1. 1. is Markdown's own way
        for at, (before, number) in enumerate(pairwise(numbers), start=1):
            if number != before + 1:
                last = items[-1]
                fix = Fix(items[at].start, last.end, _renumbered(draft.text, items[at:], before + 1))
                words = f"{number} follows {before}: the numbering breaks here."
                yield self.at(draft, items[at].start, items[at].end, words, fix)
                return

    def _bullets(self, draft: Draft, items: list[_Item]) -> Iterator[Remark]:
        for item in items[1:]:
            if item.mark != items[0].mark:
                fix = Fix(item.start, item.end, items[0].mark)
                words = f"This bullet is {item.mark}, the first of the list is {items[0].mark}."
                yield self.at(draft, item.start, item.end, words, fix)

    def _alone(self, draft: Draft, item: _Item) -> Remark:
        return self.at(draft, item.start, item.line_end, "A list of one item. Make it a sentence.")


def _renumbered(text: str, items: list[_Item], first: int) -> str:
    """The text from the first item's mark to the last one's, counted on."""
    parts = []
    for offset, item in enumerate(items):
        after = items[offset + 1].start if offset + 1 < len(items) else item.end
        parts.append(f"{first + offset}{item.mark[-1]}{text[item.end : after]}")
    return "".join(parts)


def _numbered(own: str) -> Iterator[list[_Item]]:
    """The numbered lists: paragraphs between items do not end one, a heading and a new 1 do."""
    found: list[_Item] = []
    for block in _blocks(own):
        for item in [item for item in block if item.number is not None]:
            if found and (item.number in {0, 1} and (found[-1].number or 0) >= 1 and not _all_same(found, item)):
                yield found
                found = []
            found.append(item)
        if not block and found:
            yield found
            found = []
    if found:
        yield found


def _all_same(found: list[_Item], item: _Item) -> bool:
    return {one.number for one in found} == {item.number} and not item.follows_text


def _bulleted(own: str) -> Iterator[list[_Item]]:
    """The bullet lists: whatever stands at the margin between two items ends one.

    Bullets among numbers are what is said of each number, whether they stand further in or not.
    """
    for block in _blocks(own):
        if any(item.number is not None for item in block):
            continue
        found: list[_Item] = []
        for item in block:
            if item.follows_text and found:
                yield found
                found = []
            found.append(item)
        if found:
            yield found


def _blocks(own: str) -> Iterator[list[_Item]]:
    """The items of the outermost level; an empty block stands for each heading or rule between them."""
    found: list[_Item] = []
    follows_text, blank = True, True
    for place, line in line_starts(own):
        if HEADING.match(line) or _RULE.match(line):
            yield found
            yield []
            found, follows_text = [], True
        elif (item := ITEM.match(line)) and len(item["indent"].expandtabs(4)) <= 1:
            if blank or found or item["number"] is None:
                found.append(_item(item, place, len(line), follows_text))
                follows_text = False
        elif line.strip() and not line[0].isspace() and blank and line.strip(MASK):
            follows_text = True  # a quotation or a block of code below an item is a part of it
        blank = not line.strip()
    yield found


def _item(found: re.Match[str], place: int, length: int, follows_text: bool) -> _Item:
    number = int(found["number"]) if found["number"] else None
    start, end = place + found.start("mark"), place + found.end("mark")
    return _Item(start, end, place + length, found["mark"], number, follows_text)
