"""HTML to clean Markdown, and to the visible text that lengths are counted in.

Code blocks and lists stay, links shrink to their text, images go, formulas stay as they are written.
The converter writes its own syntax in private characters first; only when the whole text stands are the
author's characters escaped where Markdown would misread them, and the private ones turned into syntax.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from app.sources.html_converter import Converter
from app.sources.markup import Syntax, write_markdown
from app.sources.plain_html import ended, plain_text

_HIDDEN_TAGS = {"script", "style"}


def visible_text(html: str) -> str:
    """Give the text of an HTML fragment: tags dropped, entities decoded, newlines and code kept, ends stripped.

    Its length in code points is the length that LIMA's rule counts.
    """
    plain = plain_text(html)
    if plain is not None:
        return plain.strip()
    reader = _TextReader()
    reader.feed(ended(html))
    reader.close()
    return "".join(reader.parts).strip()


class _TextReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._hidden += tag in _HIDDEN_TAGS

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in _HIDDEN_TAGS))

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def html_to_markdown(html: str) -> str:
    """Give an HTML fragment as Markdown without a tag, a link or an image outside code.

    HTML nested too deep to be anybody's prose comes out as its visible text, in paragraphs.
    """
    syntax = Syntax.unused_in(html)
    converter = Converter(syntax)
    try:
        draft = converter.convert(html)
    except RecursionError:
        converter = Converter(syntax)
        draft = re.sub(r"\n\s*\n", "\n\n", visible_text(html))
    return write_markdown(draft, syntax, converter.kept)
