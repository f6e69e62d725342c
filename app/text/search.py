"""What people type into a search: words that must all occur, "a phrase", -not. Nothing is an error.

Here are the terms, the words of a text as an index holds them, and the passages that a hit shows marked. The words are
the same on every database, because Python makes them: letters and digits without accents, capitals or width.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from app.text.plain import plain_words

MOST_TERMS = 12
PREFIX_FROM = 3  # from this many letters a word finds longer ones as well: keep, keeps
BEFORE, AFTER = 24, 120
LONGEST_WORD = 64
MOST_PIECES = 64
MOST_INDEXED = 16_000  # a tsvector knows no places behind 16,383
MOST_BYTES = 500_000  # and holds 1 MB with them
MOST_SIGNS = 1000
TELLING = frozenset("+#")  # without them C++ and C# were C
GAP = "§"  # neither letter nor digit, and nothing that an index would read as more than a letter

# Scripts that put no space between words: each of their letters is a word, and what is typed of them a phrase.
_UNSPACED = "\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # noqa: E501
_SPACED = rf"[^\W_{_UNSPACED}]"
_WORDS = re.compile(rf"(?![\W_])[{_UNSPACED}]|{_SPACED}+")
_SIGNS = re.compile(r"[^\w\s]|_")
_TERM = re.compile(r'(?P<no>-?)(?:"(?P<phrase>[^"]*)"|(?P<word>\S+))')
_KEPT_MARKS = 9  # up to this class a mark makes another letter: nuktas, voiced kana, viramas


class _Folds(dict[int, str]):
    """Each character without accent, capital or width, if that is one character again: places stay what they were."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        apart = unicodedata.normalize("NFKD", character)
        bare = "".join(part for part in apart if unicodedata.combining(part) <= _KEPT_MARKS).lower()
        lower = character.lower()
        self[code] = bare if len(bare) == 1 else lower if len(lower) == 1 else character
        return self[code]


_FOLDS = _Folds()


def folded(text: str) -> str:
    """A composed text as the index compares it, character by character."""
    return text.lower() if text.isascii() else text.translate(_FOLDS)


def composed(text: str) -> str:
    """A text in Unicode's composed form (NFC), in which a letter with its accent is one character."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def words_of(text: str) -> list[str]:
    """The words of a text in their order, as an index holds them."""
    return [word[:LONGEST_WORD] for word in _WORDS.findall(folded(composed(text)))]


def signs_of(text: str) -> set[str]:
    """What stands in a text and is neither word nor space."""
    return set(_SIGNS.findall(folded(composed(text))))


@dataclass(frozen=True)
class Term:
    """A word or phrase. One without a letter or digit is a sign: looked for as it stands."""

    text: str
    phrase: bool = False

    @cached_property
    def pieces(self) -> tuple[str, ...]:
        """The words that have to follow each other: several for e-mail or "hard cheese", none for a sign."""
        return tuple(words_of(self.text)[:MOST_PIECES])

    @property
    def sign(self) -> bool:
        """Whether no index of words could hold it."""
        return not self.pieces

    @property
    def prefix(self) -> bool:
        """Whether longer words that begin so are meant as well."""
        whole = composed(self.text)
        return not self.phrase and len(whole) >= PREFIX_FROM and whole.isalnum() and len(self.pieces) == 1


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


def sentence(typed: str) -> str:
    """What is typed as a model of meaning reads it: without quotation marks, and without what must not occur."""
    found = _TERM.finditer(typed.replace("\0", " "))
    said = (one["word"] if one["phrase"] is None else one["phrase"] for one in found if not one["no"])
    return " ".join(" ".join(said).split())


def exactly(wanted: Wanted) -> Wanted:
    """What holds whichever way is searched: a phrase must occur, and what is left out is left out."""
    return Wanted(tuple(term for term in wanted.all if term.phrase), wanted.none)


def says_too_much(typed: str) -> bool:
    """Whether more was typed than is looked for."""
    return len(_TERM.findall(typed.replace("\0", " "))) > MOST_TERMS


def pattern_of(wanted: Wanted) -> re.Pattern[str] | None:
    """A pattern of the passages that a hit shows marked, for folded texts; None where nothing is looked for."""
    terms = sorted((_spelt(term) for term in wanted.all), key=len, reverse=True)
    return re.compile("|".join(terms)) if terms else None


def _spelt(term: Term) -> str:
    if term.sign:
        return re.escape(folded(composed(term.text)))
    *begun, last = (_piece(piece) for piece in term.pieces)
    longer = term.prefix or len(term.pieces[-1]) == LONGEST_WORD
    end = rf"{_SPACED}*" if longer else rf"(?!{_SPACED})" if _is_spaced(term.pieces[-1]) else ""
    return r"[\W_]*".join((*begun, last + end))


def _piece(piece: str) -> str:
    return (rf"(?<!{_SPACED})" if _is_spaced(piece) else "") + re.escape(piece)


def _is_spaced(piece: str) -> bool:
    return re.match(_SPACED, piece) is not None


def marked(text: str, pattern: re.Pattern[str] | None) -> tuple[Piece, ...]:
    """A text with what was found in it marked."""
    pieces, at, text = [], 0, composed(text)
    for found in pattern.finditer(folded(text)) if pattern else ():
        pieces += [Piece(text[at : found.start()]), Piece(text[found.start() : found.end()], hit=True)]
        at = found.end()
    return tuple(piece for piece in (*pieces, Piece(text[at:])) if piece.text)


def missing_in(text: str, wanted: Wanted) -> Wanted:
    """The terms that must occur and do not in this text."""
    there = folded(composed(text))
    return Wanted(tuple(term for term in wanted.all if not re.search(_spelt(term), there)))


def passage(
    texts: Sequence[str], pattern: re.Pattern[str] | None, marks: re.Pattern[str] | None = None
) -> tuple[Piece, ...]:
    """The first passage of these texts where something was found, some words round it; empty where nothing was.

    It is marked, by another pattern if there is one.
    """
    for text in map(composed, texts if pattern else ()):
        found = pattern.search(folded(text)) if pattern else None
        if pattern and found:
            start, end = _whole_words(text, found.start(), found.end())
            # What stands in the address of a link alone is shown as it was written.
            plain = plain_words(text[start:end])
            cut = " ".join((plain if pattern.search(folded(plain)) else text[start:end]).split())
            return marked(f"{'… ' if start else ''}{cut}{' …' if end < len(text) else ''}", marks or pattern)
    return ()


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Where a passage round this place begins and ends, at spaces if there are any near."""
    begin, stop = max(0, start - BEFORE), min(len(text), end + AFTER)
    before = text.find(" ", begin, start) if begin else -1
    after = text.rfind(" ", end, stop) if stop < len(text) else -1
    return before + 1 if before >= 0 else begin, after if after >= 0 else stop


def entry_of(texts: Sequence[str]) -> list[str]:
    """What an index keeps of a document: its first 16,000 words (at most 0.5 MB) in their order, then every sign once.

    No phrase goes from one text into the next.
    """
    words: list[str] = []
    left = MOST_BYTES
    for text in texts:
        for word in (*words_of(text), GAP):
            left -= len(word) if word.isascii() else len(word.encode())
            if left < 0 or len(words) >= MOST_INDEXED:
                break
            words.append(word)
    signs = {sign for text in texts for sign in signs_of(text)}
    return [*words, *sorted(map(sign_word, signs))[:MOST_SIGNS]]


def sign_word(sign: str) -> str:
    """A sign as an index of words holds it; no word looks so."""
    return f"{GAP}{ord(sign):x}"


def fts5_entry(entry: Sequence[str]) -> str:
    """An entry for a table of FTS5 whose tokenizer is `ascii`: it takes every other character for a letter."""
    return " ".join(entry)


def tsvector_entry(entry: Sequence[str]) -> str:
    """An entry as PostgreSQL reads a tsvector."""
    places: dict[str, list[int]] = {}
    for place, word in enumerate(entry, start=1):
        places.setdefault(word, []).append(place)
    # It keeps no more places of one word.
    return " ".join(f"'{word}':{','.join(map(str, where[:255]))}" for word, where in places.items())


def fts5_query(wanted: Wanted) -> str:
    """What is wanted as FTS5 is asked for such entries; where nothing must occur, what must not."""
    every, none = " AND ".join(map(_asked_fts5, wanted.all)), " OR ".join(map(_asked_fts5, wanted.none))
    return f"({every}) NOT ({none})" if every and none else every or none


def tsquery(wanted: Wanted) -> str:
    """The same as PostgreSQL reads a tsquery."""
    every, none = " & ".join(map(_asked_tsquery, wanted.all)), " | ".join(map(_asked_tsquery, wanted.none))
    return f"{every} & !({none})" if every and none else every or none


def _asked_fts5(term: Term) -> str:
    parts = [f'"{word}"' for word in _sign_words(term)]
    if term.pieces:
        parts.append(f'"{" ".join(term.pieces)}"{"*" if term.prefix else ""}')
    return f"({' AND '.join(parts)})"


def _asked_tsquery(term: Term) -> str:
    parts = [f"'{word}'" for word in _sign_words(term)]
    if term.pieces:
        parts.append(f"({' <-> '.join(map(_lexeme, term.pieces))}{':*' if term.prefix else ''})")
    # PostgreSQL takes a phrase for as frequent as its words and would go through the newest examples until a page is
    # full, which for most phrases is all of them. The words said once more, it takes it for rarer and asks its index.
    parts += map(_lexeme, term.pieces if len(term.pieces) > 1 else ())
    return f"({' & '.join(parts)})"


def _lexeme(word: str) -> str:
    return f"'{word}'"


def _sign_words(term: Term) -> list[str]:
    signs = signs_of(term.text)
    wanted = signs if term.sign else set() if term.phrase else signs & TELLING
    return sorted(map(sign_word, wanted))[:MOST_PIECES]
