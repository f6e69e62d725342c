"""The words of a prompt, and of its signs those that mean something there.

Most signs in a prompt are punctuation or Markdown, and two prompts that differ in them alone are the same. A sign
counts where it works on something: between numbers, single letters, indexed names and calls (`2 + 3`, `a / b`,
`cos(x) * y`), between any two words of an equation (`distance = speed * time`), in a name (`C++`, `C#`), in a sum of
money or a percentage, and where it stands in quotation marks or code by itself, as what a question is about.
"""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

LONGEST = 20_000
# So many words a later prompt of a dialogue has that is compared, and one that is looked for inside others: "Can you
# make it shorter?" says the same of anything.
LEAST_ALONE, LOOKED_AT = 6, 400
# Below it a text that differs in its numbers and signs alone is another exercise: 17 + 4 is not 17 - 4.
SHORT = 20
# So far on each side of a sign what it works on is looked for.
_AROUND = 40
# From Thai on, scripts that put no blanks between words: two letters at a time stand for them.
_UNSPACED = "\u0e00"
_SIGNS = r"(?:!=|[-+*/=<>^%&|~@\\#])+"
_TOKEN = re.compile(rf"[^\W_]+(?:'[^\W_]+)*|[$€£]|{_SIGNS}")
_ANY_SIGN = re.compile(r"\]\(|[*/=<>^%&|~@\\#$€£+-]|\d[.)]|\[x\]")
# One sign however it is drawn, and none that nobody sees: it would part a word.
_DRAWN = str.maketrans("’×÷∕\u2010\u2011\u2012\u2013\u2014\u2212", "'*//------", "\u00ad\u200b\u2060\ufeff")
_NAME_SIGNS = frozenset(("++", "#"))
_MONEY = frozenset("$€£")
_QUOTES = frozenset("`\"'“”«»„")
_LETTER = r"[^\W\d_\u0e00-\U0010ffff]"
_NAMED = re.compile(rf"(?<![^\W_])(?<!'){_LETTER}$")
_LEFT = re.compile(rf"(?<![^\W_])(?<!')(?:\d[^\W_]*|{_LETTER}\d*|{_LETTER}_[^\W_]+|[^\W_]+_[^\W_]+)[)\]}}_]*[ \t]*$")
_RIGHT = re.compile(rf"[ \t]*[-+(\[{{_]*[ \t]*(?:\d|{_LETTER}\d*(?![^\W_]|')|[^\W_]+_[^\W_]|{_LETTER}[^\W_]*\()")
_WORD_BEFORE, _WORD_BEHIND = re.compile(r"[^\W_][)\]}]*[ \t]*$"), re.compile(r"[ \t]*[(\[{]*[^\W_]")
_EQUATION = re.compile(r"[^\W_][)\]}]*[ \t]*=[ \t]*[(\[{]*[^\W_]")
# Numbers of lists and boxes of tasks at the head of a line.
_HEADS = re.compile(r"(?m)^[ \t>#*+-]*(?:\d{1,3}[.)](?=[ \t])(?:[ \t]+\[[ x]\](?=[ \t]))?|\[[ x]\](?=[ \t]))")
_ESCAPES = re.compile(r"\\(?=[^\w\s])")
# What stands on both sides of something: emphasis, formulas, tags. The second group stays.
_PAIRS = (
    re.compile(r"(?<![^\W_])(?<![`\"'*])(\*{1,3})(?=[^\s*])([^\n]{0,300}?[^\s*])(\1)(?![^\W_]|\*)"),
    re.compile(r"(~~)(?=[^\s~])([^\n]{0,300}?[^\s~])(~~)"),
    re.compile(r"(\$\$?)(?=[^\s$])([^$\n]{1,300})(?<=[^\s$])(\1)(?![\d$])"),
    re.compile(r"(<(b|i|u|s|p|em|strong|code|kbd|mark|small|sub|sup)>)([^\n]{0,300}?)(</\2>)"),
)
# A link whose words are prose; of "[this](…)" the target is what is asked about, and stays.
_LINK = re.compile(r"(!?\[)((?:[^\[\]\s]{1,60}[ \t]{1,3}){2,60}[^\[\]\s]{1,60})(\]\([^()\n]{0,2000}\))")
# And one that is all that a line says.
_ONLY_LINK = re.compile(r"(?m)^([^\w\n]{0,40}\[)([^\[\]\n]{1,500})(\]\([^()\n]{0,2000}\)[^\w\n]{0,40})$")
# A letter that is written by its name or number in HTML.
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_NESTED = 3


def is_long_enough(text: str) -> bool:
    """Whether a later prompt of a dialogue says enough by itself to be compared with others."""
    return len(words(text[:LOOKED_AT])) >= LEAST_ALONE


def words(text: str) -> tuple[str, ...]:
    """The words and the signs that mean something, case-folded, in their order; signs that stand together are one."""
    folded = _folded(text)
    found = [folded[start:end] for start, end in _spans(folded)]
    return tuple(found) if folded.isascii() else tuple(part for word in found for part in _parts(word))


def places_of(text: str) -> tuple[tuple[int, int], ...]:
    """From where to where in the text each of its words stands; nothing where folding letters moves them."""
    folded = _folded(text)
    if len(folded) != len(text[:LONGEST]):
        return ()
    found: list[tuple[int, int]] = []
    for start, end in _spans(folded):
        parts = (folded[start:end],) if folded.isascii() else tuple(_parts(folded[start:end]))
        found += [(start + place, start + place + len(part)) for place, part in enumerate(parts)]
    return tuple(found)


def is_sign(word: str) -> bool:
    """Whether it is no word and no number."""
    return not word[0].isalnum()


def are_other_exercises(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two short texts, by their words, differ in numbers or in operators alone: 17 + 4 is not 17 - 4.

    A sign that only one of them has makes no other exercise, for a comma or nothing says the same in the other one;
    but C++ and C# are not C.
    """
    mine, theirs = Counter(one), Counter(other)
    more, less = mine - theirs, theirs - mine
    apart = more.keys() | less.keys()
    if mine.total() >= SHORT or any(word[0].isalpha() for word in apart):
        return False
    return any(not is_sign(word) or word in _NAME_SIGNS for word in apart) or bool(more and less)


def _folded(text: str) -> str:
    """In small letters, with every sign drawn in one way and Markdown's marks blank, each letter in its place."""
    written = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text[:LONGEST])
    folded = unicodedata.normalize("NFKC", written).casefold().translate(_DRAWN)
    return _unmarked(folded) if _ANY_SIGN.search(folded) else folded


def _unmarked(text: str) -> str:
    text = _HEADS.sub(lambda mark: " " * len(mark[0]), text)
    text = _ONLY_LINK.sub(_bared, _LINK.sub(_bared, _ESCAPES.sub(" ", text)))
    for pair in _PAIRS:
        for _ in range(_NESTED):
            text, count = pair.subn(_bared, text)
            if not count:
                break
    return text


def _bared(pair: re.Match[str]) -> str:
    before, inside, behind = pair[1], pair[pair.re.groups - 1], pair[pair.re.groups]
    return " " * len(before) + inside + " " * len(behind)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Where words and the signs that count stand in a folded text."""
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if text[start].isalnum() or text[start] in _MONEY or _works(text, start, end):
            yield start, end


def _works(text: str, start: int, end: int) -> bool:
    """Whether a sign works on something, is part of a name, or is what the text is about."""
    sign, before, behind = text[start:end], text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    if sign == "%" and before.rstrip(" ")[-1:].isdigit():
        return True
    if sign in _NAME_SIGNS and _NAMED.search(before) and not behind[:1].isalnum():
        return True
    if before[-1:] in _QUOTES and behind[:1] in _QUOTES:
        return True
    if _LEFT.search(before) and _RIGHT.match(behind):
        # A-B testing is no difference, and A/B testing the same.
        return sign != "-" or before[-1].isspace() or before[-1].isdigit() or behind[0].isdigit()
    return sign != "=" and _is_in_an_equation(sign, before.rpartition("\n")[2], behind.partition("\n")[0])


def _is_in_an_equation(sign: str, before: str, behind: str) -> bool:
    """Whether a sign stands between two words of a line with an equals sign, and leans on neither of them."""
    between_words = _WORD_BEFORE.search(before) and _WORD_BEHIND.match(behind)
    if not between_words or before[-1].isspace() is not behind[0].isspace():
        return False
    if sign == "-" and not before[-1].isspace():
        return False
    return bool(_EQUATION.search(before) or _EQUATION.search(behind))


def _parts(word: str) -> Iterable[str]:
    if len(word) > 1 and max(word) >= _UNSPACED:
        return (word[at : at + 2] for at in range(len(word) - 1))
    return (word,)
