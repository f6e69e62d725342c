"""What people type into the search of the pool: words that must all occur, "a phrase", -not. Nothing is an error."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_TERMS = 12
PREFIX_FROM = 3  # from this many letters a word finds longer ones as well: keep, keeps
BEFORE, AFTER = 16, 120

_TERM = re.compile(r'(?P<no>-?)(?:"(?P<phrase>[^"]*)"|(?P<word>\S+))')
_WORD = re.compile(r"[^\W_]")


@dataclass(frozen=True)
class Term:
    """A word or phrase. One without a letter or digit is a sign: looked for in titles as it stands."""

    text: str
    phrase: bool = False

    @property
    def sign(self) -> bool:
        """Whether no index of words could hold it."""
        return not _WORD.search(self.text)

    @property
    def prefix(self) -> bool:
        """Whether longer words that begin so are meant as well."""
        return not self.phrase and len(self.text) >= PREFIX_FROM and self.text.isalnum()


@dataclass(frozen=True)
class Wanted:
    """The terms that must occur, and those that must not."""

    all: tuple[Term, ...] = ()
    none: tuple[Term, ...] = ()


@dataclass(frozen=True)
class Piece:
    """A stretch of a passage; `hit` is a word that was looked for."""

    text: str
    hit: bool = False


def parse(typed: str) -> Wanted:
    """The terms of a search; whatever is typed means something."""
    parts: dict[str, list[Term]] = {"": [], "-": []}
    for found in list(_TERM.finditer(typed.replace("\0", " ")))[:MOST_TERMS]:
        phrase = found["phrase"]
        term = Term(found["word"] or "") if phrase is None else Term(" ".join(phrase.split()), phrase=True)
        if not term.text:
            continue
        if found["no"] and term.sign:
            parts[""].append(Term(found[0]))
        else:
            parts[found["no"]].append(term)
    return Wanted(tuple(parts[""]), tuple(parts["-"]))


def fts5(terms: Sequence[Term], *, any_of: bool = False) -> str:
    """The terms in the language of FTS5, quoted, so that none of them is an operator."""
    said = ['"{}"{}'.format(term.text.replace('"', '""'), "*" if term.prefix else "") for term in terms]
    return (" OR " if any_of else " AND ").join(said)


def prefix_query(term: Term) -> str:
    """A word in the language of to_tsquery, quoted."""
    quoted = term.text.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}':*"


def pattern_of(wanted: Wanted) -> re.Pattern[str] | None:
    """A pattern of the passages that a hit shows marked; None where nothing is looked for."""
    terms = sorted((_spelt(term) for term in wanted.all), key=len, reverse=True)
    return re.compile("|".join(terms), re.IGNORECASE) if terms else None


def _spelt(term: Term) -> str:
    words = r"[\W_]+".join(map(re.escape, re.findall(r"[^\W_]+", term.text))) or re.escape(term.text)
    if term.sign:
        return words
    return rf"\b{words}\w*" if term.prefix else rf"\b{words}\b"


def marked(text: str, pattern: re.Pattern[str] | None) -> tuple[Piece, ...]:
    """A text with what was found in it marked."""
    pieces, at = [], 0
    for found in pattern.finditer(text) if pattern else ():
        pieces += [Piece(text[at : found.start()]), Piece(found[0], hit=True)]
        at = found.end()
    return tuple(piece for piece in (*pieces, Piece(text[at:])) if piece.text)


def passage(texts: Sequence[str], pattern: re.Pattern[str] | None) -> tuple[Piece, ...]:
    """The first passage of these texts where something was found, marked, some words round it; empty where nothing."""
    for text in texts if pattern else ():
        found = pattern.search(text) if pattern else None
        if found:
            start, end = max(0, found.start() - BEFORE), min(len(text), found.end() + AFTER)
            cut = " ".join(text[start:end].split())
            return marked(f"{'… ' if start else ''}{cut}{' …' if end < len(text) else ''}", pattern)
    return ()
