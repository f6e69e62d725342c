"""Rules of what a text brings along from where it stood: tags, links, images, a fence that nobody closed."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from app.examples.style.base import Draft, Fix, Remark, Rule, line_starts
from app.text.marks import runs

EVERYBODY = ("system", "user", "assistant")

_ELEMENTS = (
    r"p|br|hr|b|i|u|s|em|strong|a|div|span|ul|ol|li|dl|dt|dd|img|h[1-6]|table|tr|td|th|thead|tbody|pre|code|blockquote|"
    r"font|sub|sup|center|kbd|small|big|section|article|del|ins|strike|iframe|script|style|html|body|head|form|input|button"
)
_TAG = re.compile(rf"<(/?)({_ELEMENTS})(?:\s[^<>\n]{{0,400}})?/?>|<!--.{{0,400}}?-->", re.IGNORECASE | re.DOTALL)
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{2,6}|#x[0-9a-fA-F]{2,5});")
# What Markdown writes for a tag, and what says nothing at all without a style sheet. Others carry a meaning that no
# replacement keeps for certain.
_MARKDOWN = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`"}
_EMPTY = {"p", "div", "span", "font", "center", "section", "article", "small", "big"}


@dataclass(frozen=True)
class LeftoverHtml(Rule):
    """Asks for Markdown where HTML was left."""

    name: ClassVar[str] = "html"
    title: ClassVar[str] = "Leftover HTML"
    why: ClassVar[str] = "A tag or an entity outside code is shown as it stands, and a model learns to write it."
    roles: ClassVar[tuple[str, ...]] = EVERYBODY

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on each tag, comment and entity outside code and quotations."""
        tags = list(_TAG.finditer(draft.own)) if "<" in draft.own else []
        if tags and _is_meant(draft):
            yield from self._pages(draft, tags)
        else:
            yield from self._tags(draft, tags)
        if "&" in draft.own:
            yield from self._entities(draft)

    def _tags(self, draft: Draft, tags: list[re.Match[str]]) -> Iterator[Remark]:
        """One remark for each tag; an opening tag and the closing one after it are one where Markdown says both."""
        joined: re.Match[str] | None = None
        for found, after in zip(tags, [*tags[1:], None], strict=False):
            if found is joined:
                continue
            joined = after if after is not None and _are_pair(draft.own, found, after) else None
            end = joined.end() if joined else found.end()
            fix = _fix_of_pair(draft.text, found, joined) if joined else _fix_of(found)
            named = found.group()[:40] + ("…" + joined.group() if joined else "")
            yield self.at(draft, found.start(), end, f"{named} is shown as it stands. {_WAY_OUT}", fix)

    def _pages(self, draft: Draft, tags: list[re.Match[str]]) -> Iterator[Remark]:
        """One remark for each stretch of HTML that is meant as such: it belongs into a code block as a whole."""
        start, end = tags[0].span()
        for found in tags[1:]:
            if draft.own.count("\n", end, found.start()) > _NEAR:
                yield self.at(draft, start, end, _MEANT)
                start = found.start()
            end = found.end()
        yield self.at(draft, start, end, _MEANT)

    def _entities(self, draft: Draft) -> Iterator[Remark]:
        for found in _ENTITY.finditer(draft.own):
            plain = html.unescape(found.group())
            if plain != found.group():
                fix = Fix(found.start(), found.end(), plain.replace("\xa0", " "))
                words = f"{found.group()} is written out here. Put the character itself, or set it as code."
                yield self.at(draft, found.start(), found.end(), words, fix)


_MEANT = "HTML outside a code block is shown as it stands. Put it between fences."
# Lines without a tag that end a stretch.
_NEAR = 40


def _is_meant(draft: Draft) -> bool:
    """Whether the text is about HTML: its tags are no leftovers, and to take them out would be wrong."""
    return (
        re.search(r"\b(?:html|web ?pages?|websites?|tags?|xml)\b", draft.prompt + draft.text, re.IGNORECASE) is not None
    )


_WAY_OUT = "Take it out, or set it as code."


def _are_pair(text: str, found: re.Match[str], after: re.Match[str]) -> bool:
    """Whether two tags enclose a few words of one line, without blanks at their edges, as Markdown needs it."""
    between = text[found.end() : after.start()]
    same = found.group(2) and after.group(2) and found.group(2).lower() == after.group(2).lower()
    fits = 0 < len(between) <= _SHORT and "\n" not in between and between == between.strip()
    return bool(same and not found.group(1) and after.group(1) and fits and found.group(2).lower() in _MARKDOWN)


_SHORT = 200


def _fix_of_pair(text: str, found: re.Match[str], after: re.Match[str]) -> Fix:
    sign = _MARKDOWN[found.group(2).lower()]
    return Fix(found.start(), after.end(), f"{sign}{text[found.end() : after.start()]}{sign}")


def _fix_of(found: re.Match[str]) -> Fix | None:
    name = (found.group(2) or "").lower()
    if name == "br":
        return Fix(found.start(), found.end(), "" if found.string[found.end() :].startswith("\n") else "\n")
    return Fix(found.start(), found.end(), "") if name in _EMPTY or not name else None


_LINK = re.compile(
    r"(?<!!)\[(?P<words>[^\]\n]{0,400})\]\((?P<to>(?:[^()\s]|\([^()\s]*\))+)[^)\n]{0,200}\)"
    r"|<https?://[^\s<>]+>|\bhttps?://[^\s<>)\]]+[^\s<>)\].,;:!?'\"]|\bwww\.[\w-]+\.[a-z]{2,}[^\s<>)\]]*[\w/]"
)


@dataclass(frozen=True)
class Links(Rule):
    """Asks that an answer says what it knows itself."""

    name: ClassVar[str] = "links"
    title: ClassVar[str] = "Link"
    why: ClassVar[str] = "Nobody can follow a link from a model's answer, and a model that learns them makes them up."

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on each link; the fix keeps its words."""
        if not any(sign in draft.own for sign in ("](", "://", "www.")):
            return
        for found in _LINK.finditer(draft.own):
            said = found["words"]
            if said is None:
                yield self.at(draft, found.start(), found.end(), "An address. Say what stands there, or leave it out.")
            elif "://" in found["to"] or found["to"].startswith(("/", "www.")):
                words = draft.text[found.start("words") : found.end("words")]
                fix = Fix(found.start(), found.end(), words)
                yield self.at(draft, found.start(), found.end(), "A link. Keep its words without the address.", fix)


_IMAGE = re.compile(r"!\[[^\]\n]{0,400}\]\([^)\n]{1,1000}\)[ \t]*")
_SEEN = re.compile(
    r"\b(?:the|this|following|attached|in|see)\s+(?:image|picture|photo|screenshot|screen shot|diagram|graphic)s?\s+"
    r"(?:above|below|attached)\b"
    r"|\b(?:in|see|from) the (?:attached|following|above|below) (?:image|picture|photo|screenshot|diagram|graphic)s?\b"
    r"|\b(?:here is|here['’]s) an? (?:image|picture|photo|screenshot)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Images(Rule):
    """Asks that a text needs no picture."""

    name: ClassVar[str] = "images"
    title: ClassVar[str] = "Image"
    why: ClassVar[str] = "Only words are trained on: a picture, or a word about one, leads nowhere."
    roles: ClassVar[tuple[str, ...]] = ("user", "assistant")

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on each image, and on words that point to one."""
        for found in _IMAGE.finditer(draft.own):
            fix = Fix(found.start(), found.end(), "")
            words = "An image. Say in words what it shows, or take it out."
            yield self.at(draft, found.start(), found.end(), words, fix)
        for found in _SEEN.finditer(draft.own):
            words = "Points to a picture that is not here. Say in words what it shows."
            yield self.at(draft, found.start(), found.end(), words)


# Of what stands before such a sign so many characters, to find it by.
_BESIDE = 12
_FROM_THE_RIGHT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069"


@dataclass(frozen=True)
class Invisible(Rule):
    """Asks for signs that can be seen."""

    name: ClassVar[str] = "invisible"
    title: ClassVar[str] = "Invisible sign"
    why: ClassVar[str] = (
        "Nobody sees it, and a model is trained on it: it parts words for the tokenizer, or shows them out of order."
    )
    roles: ClassVar[tuple[str, ...]] = EVERYBODY

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on control characters, blanks without width and marks of direction, in code too; the fix drops them.

        Where a text has letters that run from right to left, such marks belong to it; overrides never do.
        """
        place, said, passed = 0, "", _DIRECTIONS if _FROM_THE_RIGHT.search(draft.text) else ""
        for run in runs(draft.text):
            end = place + len(run.text)
            if run.mark is None:
                said = run.text
            elif run.text not in passed:
                after = f"after “{' '.join(said[-_BESIDE:].split())}”" if said.strip() else "at the beginning"
                words = f"{run.mark}, {run.name}, stands {after} and is not seen. Take it out."
                yield self.at(draft, place, end, words, Fix(place, end, ""))
            place = end


_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^`\n]*)$")


@dataclass(frozen=True)
class Fences(Rule):
    """Asks that code ends where it ends."""

    name: ClassVar[str] = "fences"
    title: ClassVar[str] = "Unclosed code"
    why: ClassVar[str] = "A code block that is not closed swallows the rest of the text."
    roles: ClassVar[tuple[str, ...]] = EVERYBODY

    def remarks(self, draft: Draft) -> Iterator[Remark]:
        """Remark on a fence that nothing closes; the fix closes it at the end."""
        opened: tuple[int, str, str] | None = None
        for place, line in line_starts(draft.text):
            found = _FENCE.match(line)
            if found is None:
                continue
            if opened is None:
                opened = (place, line, found[1])
            elif found[1].startswith(opened[2]) and not found[2].strip():
                opened = None
        if opened is not None:
            start, line, fence = opened
            end = len(draft.text)
            fix = Fix(end, end, ("" if draft.text.endswith("\n") else "\n") + fence)
            yield self.at(draft, start, start + len(line), "This code block is never closed.", fix)
