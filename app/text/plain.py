"""A piece of a Markdown text as plain words, for lists: no signs of emphasis or headings, of a link its text.

By patterns and not by the parser: a list shows many pieces, and most of them are cut out of the middle of a text.
"""

import re

_STEPS = (
    (re.compile(r"!?\[([^\[\]\n]{0,300})\]\((?:[^()\s]|\([^()\s]*\)){0,2000}(?:\s+\"[^\"\n]*\")?\)"), r"\1"),
    (re.compile(r"^ {0,3}(?:`{3,}|~{3,})[^\n`]*$", re.MULTILINE), ""),
    (re.compile(r"^(?: {0,3}>)*[ \t]*(?:#{1,6}[ \t]+|[-*+][ \t]+|(?<=>)[ \t]*)", re.MULTILINE), ""),
    (re.compile(r"(?<![\\`])(`{1,3})(?!`)([^`\n]{1,500})\1(?!`)"), r"\2"),
    (re.compile(r"(?<![\\*])(\*{1,3})(?![\s*])([^*\n]{1,500})(?<![\s\\])\1(?!\*)"), r"\2"),
    (re.compile(r"(?<![\w\\])(_{1,3})(?![\s_])([^\n]{1,500}?)(?<![\s\\_])\1(?!\w)"), r"\2"),
    (re.compile(r"~~(?!\s)([^~\n]{1,500})(?<!\s)~~"), r"\1"),
    # Of a pair whose other half was cut off.
    (re.compile(r"(?<!\S)\*\*(?=\w)|(?<=[\w.,:;!?])\*\*(?!\S)"), ""),
)

# What any of them begins with: most titles hold none, and need none of them.
_SIGNS = re.compile(r"[\[`*_~#>+-]")


def plain_words(markdown: str) -> str:
    """The words that a reader of the rendered text would see; signs that mark nothing stay."""
    if not _SIGNS.search(markdown):
        return markdown
    for pattern, kept in _STEPS:
        markdown = pattern.sub(kept, markdown)
    return markdown
