"""The normal form in which two texts that are "exactly" the same are equal."""

import re
import unicodedata

# Signs that differ by keyboard, editor or site and never in meaning. Nothing is dropped that a reader sees:
# "C++" is not "C", and "f(x)" is not "f x".
_LIKENESSES = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u02bc",
    '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    "...": "\u2026",
    # Soft hyphen, zero-width space, word joiner, byte order mark, and marks of writing direction.
    "": "\u00ad\u200b\u2060\ufeff\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
}
_FOLDED = str.maketrans({sign: plain for plain, signs in _LIKENESSES.items() for sign in signs})
_WHITE = re.compile(r"\s+")


def normal_form(text: str) -> str:
    """Give the form that exact duplicates share.

    Two texts count as exactly the same when they differ only in letter case, in white space (any run is one
    space, none at the ends), in how quotation marks, dashes and ellipses are drawn, in invisible format
    characters, or in how Unicode composes their accents. Letters, digits, visible signs, superscripts and
    the order of words all count. A blank text has the empty form.
    """
    # Case is folded on decomposed text, as Unicode's canonical caseless match asks.
    folded = unicodedata.normalize("NFD", text.translate(_FOLDED)).casefold()
    return _WHITE.sub(" ", unicodedata.normalize("NFC", folded)).strip()
