"""The writer's own words in a Markdown text: what is left without code, formulas and quotations.

Masks keep every character's place, so that a match in the masked text is a match in the text itself.
"""

from __future__ import annotations

import re

from app.text.formulas import FORMULA

MASK = "\ufffc"
"""Stands for each masked character: neither a letter nor a blank, so that no word grows out of it."""

_FENCE = re.compile(r"^[ >]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(`{3,}|~{3,})(?=[^`\n]*$)")
_QUOTED_LINE = re.compile(r"^\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)*>")
_INDENTED = re.compile(r"^(?: {4}|\t)")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,9}[.)])\s")
_SIGNS = ("```", "~~~", ">", "    ", "\t")
_CODE = re.compile(r"(?<![`\\])(`+)(?!`)((?:(?!\n[ \t]*\n).){1,20000}?)(?<!`)\1(?!`)", re.DOTALL)
# Each way begins with its own sign and only then looks at what stands before it: so the search can leap from sign to
# sign, which takes a tenth of the time.
_QUOTATION = re.compile(
    r"“[^”\n]{1,2000}”|„[^“”\n]{1,2000}[“”]|«[^»\n]{1,2000}»"
    r"|\"(?<![\w\"]\")(?=\S)[^\"\n]{1,2000}(?<=\S)\"(?![\w\"])"
    r"|'(?<![\w'’]')(?=\S)[^'’\n]{1,200}(?<=\S)'(?!\w)"
    r"|‘(?<![\w'’]‘)(?=\S)[^‘’\n]{1,200}(?<=\S)’(?!\w)"
)


def own_words(markdown: str) -> str:
    """Mask code, formulas, block quotes and quoted speech; same length, same line ends, same places."""
    text = _mask_blocks(markdown)
    if "`" in text:
        text = _CODE.sub(_masked, text)
    if "$" in text or "\\begin" in text:
        text = FORMULA.sub(_masked, text)
    return _QUOTATION.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    return _hide(found.group())


def _hide(text: str) -> str:
    return "\n".join([MASK * len(line) for line in text.split("\n")])


def _mask_blocks(markdown: str) -> str:
    """Mask fenced code, indented code and block quotes, line by line; most texts have none of their signs."""
    if not any(sign in markdown for sign in _SIGNS):
        return markdown
    out: list[str] = []
    fence = ""
    blank, in_list = True, False
    for line in markdown.split("\n"):
        opening = _FENCE.match(line)
        if fence:
            fence = "" if _closes(line, fence) else fence
            out.append(_hide(line))
        elif opening:
            fence = opening.group(1)
            out.append(_hide(line))
        elif _QUOTED_LINE.match(line) or (blank and not in_list and _INDENTED.match(line)):
            out.append(_hide(line))
            continue
        else:
            out.append(line)
        blank = not line.strip()
        in_list = bool(_ITEM.match(line)) or (in_list and (blank or line[:1].isspace()))
    return "\n".join(out)


def _closes(line: str, fence: str) -> bool:
    mark = line.strip(" >\t")
    return len(mark) >= len(fence) and not mark.strip(fence[0])
