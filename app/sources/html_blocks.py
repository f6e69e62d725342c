"""The converter from HTML elements to a Markdown draft, on markdownify.

Each method below takes an element, the text of its children and the names of its parents, and gives the
element's draft. Syntax is written in the private characters of `Syntax`; `markup.write_markdown` ends it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bs4.element import NavigableString, PreformattedString, Tag
from markdownify import MarkdownConverter

from app.sources.markup import Kept, Syntax, kept_code
from app.sources.plain_html import Element, ended, plain_tree
from app.text.formulas import FORMULA

_BLOCKS = {
    *("p", "div", "article", "section", "main", "header", "footer", "aside", "nav", "center", "address"),
    *("figure", "figcaption", "details", "summary", "blockquote", "pre", "hr", "form", "fieldset"),
    *("ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
}
_LANGUAGE = re.compile(r"(?:lang|language)-([\w+#.-]{1,40})")
_STARTS_BLOCK = re.compile(r"\n(?=[ \t]*(?:(?:[-+*>]|#{1,6}|\d{1,9}[.)])(?:\s)|(?:=+|-+)[ \t]*$))", re.MULTILINE)
_RUNS = re.compile(r"`+")

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

Parents = set[str]


class Converter(MarkdownConverter):
    """Turns one HTML fragment into a draft; `kept` then holds its code and formulas."""

    def __init__(self, syntax: Syntax) -> None:
        """Start with nothing kept."""
        # markdownify's own start takes a sixth of the time of a plain text, which needs none of it: see `convert`.
        self.syntax = syntax
        self.kept: list[Kept] = []
        self._columns: dict[int, int] = {}

    def keep(self, piece: str | Kept) -> str:
        """Put a piece out of Markdown's reach and give the mark that stands for it."""
        self.kept.append(Kept(piece) if isinstance(piece, str) else piece)
        opened, closed = self.syntax.kept
        return f"{opened}{len(self.kept) - 1}{closed}"

    def convert(self, html: str) -> str:
        """Give a fragment's draft: by the small tree where it is plain, by the parser where it is not."""
        tree = plain_tree(html)
        if tree is not None:
            return self._plain(tree, set()).strip("\n")
        super().__init__()
        # Without a tag or a line end the parser would warn of what looks like the name of a file.
        return str(super().convert(ended(html) if "<" in html else f"{html}\n"))

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
        """Keep a text's formulas and fold its blanks."""
        if "_noformat" not in parents and ("$" in text or "\\begin" in text):
            text = FORMULA.sub(lambda found: self.keep(_one_paragraph(found.group())), text)
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

    def escape(self, text: str, parent_tags: Parents) -> str:  # noqa: ARG002
        """Leave the text as it is: `write_markdown` escapes, when it can see the whole line."""
        return text

    # Inline elements.

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
        code = re.sub(r"\s*[\r\n]\s*", " ", _code_of(el))
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

    # Blocks.

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
        code = _code_of(el).replace("\r\n", "\n").replace("\r", "\n")
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

    # Tables.

    def convert_table(self, el: Tag, text: str, parent_tags: Parents) -> str:
        """Set a table apart."""
        return self.convert_div(el, text, parent_tags)

    def convert_td(self, el: Tag, text: str, parent_tags: Parents) -> str:
        """Write a cell on one line."""
        inner = re.sub(r"\s+", " ", text).strip(" ;").replace(self.syntax.line_break, " ")
        if "_inline" in parent_tags or el.find_parent("table") is None:
            return f" {inner} "
        opened, closed = self.syntax.kept
        for number in re.findall(f"{opened}(\\d+){closed}", inner):
            self.kept[int(number)] = replace(self.kept[int(number)], table_cell=True)
        return f" {inner} " + self.syntax.pipe * _span(el)

    convert_th = convert_td

    def convert_tr(self, el: Tag, text: str, parent_tags: Parents) -> str:
        """Write a row; the first has a head above or below it, for Markdown knows no table without."""
        table = el.find_parent("table")
        if "_inline" in parent_tags or table is None:
            return f" {text} "
        pipe = self.syntax.pipe
        row = f"\n{pipe}{text}\n"
        if table.find("tr") is not el:
            return row
        columns = self._width(table)
        divider = f"\n{pipe}{f' {self.syntax.delimiter} {pipe}' * columns}\n"
        cells = el.find_all(["td", "th"], recursive=False)
        if cells and all(cell.name == "th" for cell in cells):
            missing = columns - sum(map(_span, cells))
            return f"\n{pipe}{text}{f' {pipe}' * missing}{divider}"
        return f"\n{pipe}{f' {pipe}' * columns}{divider}{row[1:]}"

    def _width(self, table: Tag) -> int:
        rows = (row.find_all(["td", "th"], recursive=False) for row in table.find_all("tr"))
        return max((sum(map(_span, cells)) for cells in rows), default=1)


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


def _text_before(el: Tag | Element) -> str:
    """The text of what stands right before an element."""
    before = next(el.before, None) if isinstance(el, Element) else el.previous_sibling
    if isinstance(before, Element):
        return "".join(before.texts)
    return before.get_text() if isinstance(before, NavigableString | Tag) else str(before or "")


def _code_of(el: Tag | Element) -> str:
    if isinstance(el, Element):
        return "".join(el.texts)
    parts = []
    for node in el.descendants:
        if isinstance(node, Tag):
            parts.append("\n" if node.name == "br" else "")
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            parts.append(str(node))
    return "".join(parts)


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


def _span(cell: Tag) -> int:
    span = str(cell.get("colspan", "1"))
    return min(100, max(1, int(span))) if re.fullmatch(r"[0-9]{1,4}", span) else 1


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
