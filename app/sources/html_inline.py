"""Elements inside a line, as a Markdown draft: emphasis, code, links, images, powers and line ends.

Each method takes an element, the text of its children and the names of its parents, and gives the element's
draft. Syntax is written in the private characters of `Syntax`; `markup.write_markdown` ends it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bs4.element import NavigableString, PreformattedString, Tag
from markdownify import MarkdownConverter

from app.sources.markup import Kept, Syntax, kept_code
from app.sources.plain_html import Element

Parents = set[str]


class Inline(MarkdownConverter):
    """Drafts of what stands inside a line; `kept` holds the code and formulas that were put out of Markdown's reach."""

    def __init__(self, syntax: Syntax) -> None:
        """Start with nothing kept."""
        # markdownify's own start takes a sixth of the time of a plain text, which needs none of it: see `convert`.
        self.syntax = syntax
        self.kept: list[Kept] = []

    def keep(self, piece: str | Kept) -> str:
        """Put a piece out of Markdown's reach and give the mark that stands for it."""
        self.kept.append(Kept(piece) if isinstance(piece, str) else piece)
        opened, closed = self.syntax.kept
        return f"{opened}{len(self.kept) - 1}{closed}"

    def escape(self, text: str, parent_tags: Parents) -> str:  # noqa: ARG002
        """Leave the text as it is: `write_markdown` escapes, when it can see the whole line."""
        return text

    def _wrapped(self, text: str, parents: Parents, names: set[str], marks: tuple[str, str]) -> str:
        inner = text.strip()
        is_block = "\n\n" in text or any(mark in text for mark in self.syntax.prefix)
        if not inner or is_block or names & parents or "_noformat" in parents:
            return text
        lead = text[: len(text) - len(text.lstrip())]
        return f"{lead}{marks[0]}{inner}{marks[1]}{text[len(text.rstrip()) :]}"

    def convert_em(self, el: Tag, text: str, parent_tags: Parents) -> str:  # noqa: ARG002
        """Mark emphasis, once."""
        return self._wrapped(text, parent_tags, {"em", "i"}, self.syntax.em)

    def convert_strong(self, el: Tag, text: str, parent_tags: Parents) -> str:  # noqa: ARG002
        """Mark strong emphasis, once."""
        return self._wrapped(text, parent_tags, {"strong", "b"}, self.syntax.strong)

    def convert_del(self, el: Tag, text: str, parent_tags: Parents) -> str:  # noqa: ARG002
        """Mark struck text, once."""
        return self._wrapped(text, parent_tags, {"del", "s", "strike"}, self.syntax.strike)

    convert_i = convert_em
    convert_b = convert_strong
    convert_s = convert_strike = convert_del

    def convert_code(self, el: Tag | Element, text: str, parent_tags: Parents) -> str:
        """Keep inline code, fenced by one backtick more than it holds."""
        if "_noformat" in parent_tags or el.find("pre"):
            return text
        code = re.sub(r"\s*[\r\n]\s*", " ", code_of(el))
        if not code.strip():
            return " " if code else ""
        lead, tail = " " * code.startswith(" "), " " * code.endswith(" ")
        return f"{lead}{self.keep(kept_code(code.strip(' ')))}{tail}"

    convert_kbd = convert_samp = convert_tt = convert_code

    def _raised(self, sign: str) -> Callable[[Tag, str, Parents], str]:
        def convert(el: Tag | Element, text: str, parent_tags: Parents) -> str:
            touches = bool(re.search(r"[\w)\]]$", _text_before(el)))
            # Small print is often set in <sup>: only a short index at a word gets its sign.
            is_index = touches and len(text) <= 8 and not re.search(r"\s", text)
            return f"{sign}{text}" if is_index and text and "_noformat" not in parent_tags else text

        return convert

    def convert_sup(self, el: Tag, text: str, parent_tags: Parents) -> str:
        """Write a power as `2^10`."""
        return self._raised("^")(el, text, parent_tags)

    def convert_sub(self, el: Tag, text: str, parent_tags: Parents) -> str:
        """Write an index as `H_2`."""
        return self._raised("_")(el, text, parent_tags)

    def convert_a(self, el: Tag, text: str, parent_tags: Parents) -> str:  # noqa: ARG002
        """Keep a link's text alone."""
        return text

    def convert_img(self, el: Tag, text: str, parent_tags: Parents) -> str:  # noqa: ARG002
        """Drop an image and its description."""
        return ""

    convert_iframe = convert_object = convert_svg = convert_script = convert_style = convert_img
    convert_audio = convert_video = convert_img

    def convert_br(self, el: Tag, text: str, parent_tags: Parents) -> str:  # noqa: ARG002
        """End the line; a space where a line cannot end."""
        return " " + text if "_inline" in parent_tags else f"{self.syntax.line_break}\n{text}"


def _text_before(el: Tag | Element) -> str:
    """The text of what stands right before an element."""
    before = next(el.before, None) if isinstance(el, Element) else el.previous_sibling
    if isinstance(before, Element):
        return "".join(before.texts)
    return before.get_text() if isinstance(before, NavigableString | Tag) else str(before or "")


def code_of(el: Tag | Element) -> str:
    """What stands in a piece of code, its line ends too."""
    if isinstance(el, Element):
        return "".join(el.texts)
    parts = []
    for node in el.descendants:
        if isinstance(node, Tag):
            parts.append("\n" if node.name == "br" else "")
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            parts.append(str(node))
    return "".join(parts)
