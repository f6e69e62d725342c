"""Where a formula begins and ends: one definition for the preview, the cleaner and the rules.

A lone dollar sign is money more often than mathematics. `$…$` is a formula unless its inside begins or
ends with a blank and holds nothing that only TeX would write, and unless a digit follows its end.
"""

from __future__ import annotations

import re

_TEX = r"[\\^_={}]"
_BODY = r"(?:\\.|(?!\n[ \t]*\n)[^$\\])"
INLINE = (
    rf"\$(?=\S)(?:{_BODY})+?(?<=\S)\$(?![\d$])"
    rf"|\$(?=[^$]{{0,2000}}{_TEX})(?:{_BODY})+?\$(?![\d$])"
)
DISPLAY = rf"\$\$(?:{_BODY})+?\$\$"
ENVIRONMENT = r"\\begin\{([A-Za-z]{1,20}\*?)\}(?:(?!\n[ \t]*\n)[\s\S]){0,20000}?\\end\{\1\}"

FORMULA = re.compile(rf"{ENVIRONMENT}|(?<![\\$])(?:{DISPLAY}|{INLINE})", re.DOTALL)
