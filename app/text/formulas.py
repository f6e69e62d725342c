r"""Where a formula begins and ends: one definition for the preview, the cleaner and the rules.

A lone dollar sign is money more often than mathematics. `$…$` is a formula unless its inside begins or
ends with a blank and holds nothing that only TeX would write, and unless a digit follows its end. The same goes for
`\$…\$`, which sites write whose dollars are money. `\(…\)` is one always; `\[…\]` is one where its inside holds TeX,
for Markdown writes brackets that are no link's so. Either may have its backslashes doubled: Markdown takes one away.
"""

from __future__ import annotations

import re

_TEX = r"[\\^_={}]"
_GOES_ON = r"(?!\n[ \t]*\n)"
_BODY = rf"(?:\\.|{_GOES_ON}[^$\\])"
_ESCAPED_BODY = rf"(?:\\[^$]|{_GOES_ON}[^$\\])"
_INLINE = (
    rf"(?=\S)(?:{_BODY})+?(?<=\S)\$(?![\d$])"
    rf"|(?=[^$]{{0,2000}}{_TEX})(?:{_BODY})+?\$(?![\d$])"
)
_DISPLAY = rf"\$(?:{_BODY})+?\$\$"
_ESCAPED = (
    rf"\$(?=\S)(?:{_ESCAPED_BODY})+?(?<=\S)\\\$(?![\d$])"
    rf"|\$(?=[^$\\]{{0,2000}}(?:[\^_={{}}]|\\[^$]))(?:{_ESCAPED_BODY})+?\\\$(?![\d$])"
)
_ROUND = rf"(?P<round>\\?)\((?:{_GOES_ON}(?!\\[()])[\s\S])+?(?P=round)\\\)"
_SQUARE = (
    rf"(?P<square>\\?)\[(?=(?:(?!\\[\[\]])[\s\S]){{0,2000}}?(?:[\^_={{}}]|\\[^\[\]\\]))"
    rf"(?:{_GOES_ON}(?!\\[\[\]])[\s\S])+?(?P=square)\\\]"
)
_ENVIRONMENT = r"\\begin\{([A-Za-z]{1,20}\*?)\}(?:(?!\n[ \t]*\n)[\s\S]){0,20000}?\\end\{\1\}"

# Each way begins with its own sign and only then looks at what stands before it: so the search can leap to it.
FORMULA = re.compile(
    rf"{_ENVIRONMENT}|\\(?<!\\\\)(?:{_ESCAPED}|{_ROUND}|{_SQUARE})|\$(?<![\\$]\$)(?:{_DISPLAY}|{_INLINE})", re.DOTALL
)
_OPENING = re.compile(r"\$\$?|\\\$|\\{1,2}[(\[]")


def may_hold_formula(text: str) -> bool:
    """Whether it is worth to look for one."""
    return "$" in text or "\\" in text


def tex_of(formula: str) -> tuple[str, bool]:
    """Give what stands between a formula's signs, and whether it has a line of its own."""
    opening = _OPENING.match(formula)
    if opening is None:
        return formula.strip(), True
    signs = opening[0]
    return formula[len(signs) : -len(signs)].strip(), signs == "$$" or signs.endswith("[")
