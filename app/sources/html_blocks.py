"""Elements that stand by themselves, as a Markdown draft: paragraphs, headings, quotations, code blocks and lists."""

from __future__ import annotations

import re
from typing import Any

from bs4.element import Tag

from app.sources.html_inline import Inline, Parents, code_of
from app.sources.plain_html import Element

_LANGUAGE = re.compile(r"(?:lang|language)-([\w+#.-]{1,40})")
_RUNS = re.compile(r"`+")


class Blocks(Inline):
    """Drafts of blocks; syntax that begins their lines stands between the marks of a prefix."""

    def convert_div(self, el: Tag, text: str, parent_tags: Parents) -> str:  # noqa: ARG002
        """Set a block apart by blank lines."""
        inner = text.strip(" \t\r\n")
        if "_inline" in parent_tags:
            return f" {inner} "
        return f"\n\n{inner}\n\n" if inner else "\n\n"

    convert_p = convert_article = convert_section = convert_main = convert_header = convert_footer = convert_div
    convert_aside = convert_nav = convert_center = convert_address = convert_figure = convert_div
    convert_figcaption = convert_details = convert_summary = convert_form = convert_fieldset = convert_div
    convert_dl = convert_dt = convert_caption = convert_div

    def convert_hN(self, n: int, el: Tag, text: str, parent_tags: Parents) -> str:  # noqa: ARG002, N802
        """Write a heading on one line."""
        inner = re.sub(r"\s+", " ", text).strip()
        if "_inline" in parent_tags or not inner:
            return f" {inner} "
        return f"\n\n{self._prefix('#' * min(6, max(1, n)) + ' ')}{inner}{self.syntax.heading}\n\n"

    def convert_hr(self, el: Tag, text: str, parent_tags: Parents) -> str:
        """Write a rule; html.parser never puts text in it."""
        return self.convert_div(el, self.syntax.rule + text, parent_tags)

    def convert_blockquote(self, el: Tag, text: str, parent_tags: Parents) -> str:  # noqa: ARG002
        """Put `> ` before each line."""
        inner = text.strip(" \t\r\n")
        if "_inline" in parent_tags or not inner:
            return f" {inner} "
        lines = (self._prefix("> ") + line for line in inner.split("\n"))
        return "\n\n" + "\n".join(lines) + "\n\n"

    def convert_pre(self, el: Tag | Element, text: str, parent_tags: Parents) -> str:
        """Keep a code block, fenced by more backticks than it holds in a row, with its language."""
        if "pre" in parent_tags:
            return text
        code = code_of(el).replace("\r\n", "\n").replace("\r", "\n")
        code = re.sub(r"\A[ \t]*\n|\s+\Z", "", code)
        if not code.strip():
            return "\n\n"
        if "_inline" in parent_tags:
            return self.convert_code(el, text, parent_tags - {"_noformat"})
        fence = "`" * max(3, max(map(len, _RUNS.findall(code)), default=0) + 1)
        return "\n\n" + self.keep(f"{fence}{_language_of(el)}\n{code}\n{fence}") + "\n\n"

    def convert_list(self, el: Tag | Element, text: str, parent_tags: Parents) -> str:
        """Set a list apart; inside an item it may follow its line at once."""
        inner = text.strip("\n")
        if "_inline" in parent_tags or not inner:
            return f" {inner} "
        starts_low = el.name == "ul" or _first_number(el) == 1
        return ("\n" if "li" in parent_tags and starts_low else "\n\n") + inner + "\n\n"

    convert_ul = convert_ol = convert_list

    def convert_li(self, el: Tag | Element, text: str, parent_tags: Parents) -> str:
        """Write an item: its bullet or number, further lines indented below its text."""
        inner = text.strip(" \t\r\n")
        if "_inline" in parent_tags:
            return f" {inner}; "
        if not inner:
            return "\n"
        bullet = self._bullet(el)
        first, *rest = inner.split("\n")
        indent = self._prefix(" " * len(bullet))
        lines = [self._prefix(bullet) + first, *((indent + line) if line else "" for line in rest)]
        return "\n" + "\n".join(lines) + "\n"

    convert_dd = convert_li

    def _prefix(self, text: str) -> str:
        opened, closed = self.syntax.prefix
        return f"{opened}{text}{closed}"

    def _bullet(self, el: Tag | Element) -> str:
        parent = el.parent
        if parent is None or parent.name != "ol":
            return "* " if parent is not None and _follows_its_like(parent) else "- "
        # Counting siblings for each item would take the square of a list's length.
        number = getattr(parent, "next_number", None) or _first_number(parent)
        parent.next_number = number + 1  # type: ignore[union-attr]
        return f"{number}{')' if _follows_its_like(parent) else '.'} "


def _language_of(el: Tag | Element) -> str:
    code = el.find("code")
    found = _LANGUAGE.search(" ".join((_classes(el), _classes(code) if code is not None else "")))
    return found.group(1) if found else ""


def _classes(el: Any) -> str:
    if isinstance(el, Element):
        return el.get("class")
    return " ".join(name for name in el.get_attribute_list("class") if name)


def _first_number(el: Tag | Element) -> int:
    start = str(el.get("start", "1"))
    return int(start) if re.fullmatch(r"[0-9]{1,8}", start) else 1


def _follows_its_like(el: Tag | Element) -> bool:
    """Say whether a list of the same kind stands right before: Markdown would join the two."""
    flips = False
    for before in el.before if isinstance(el, Element) else el.previous_siblings:
        if isinstance(before, Tag | Element) and before.name == el.name:
            flips = not flips
        elif isinstance(before, Tag | Element) or str(before).strip():
            break
    return flips
