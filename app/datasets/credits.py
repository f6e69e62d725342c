"""ATTRIBUTION.md: for each text from elsewhere its author, its link, its licence, and whether it was changed.

What CC BY-SA asks (3.0, section 4c; 4.0, section 3a): author, title, source, licence, changes, and that there are no
warranties.
"""

import re
from collections.abc import Mapping
from typing import Any, TextIO
from urllib.parse import quote

from app.datasets.licences import is_named, unnamed
from app.datasets.material import first_question
from app.examples.credit import MERGED, called
from app.text.licences import licence_of
from app.web.words import plural

TITLE_LENGTH = 90
OF_THE_TEXT, OF_THE_QUESTION = ("author", "url"), ("question_author", "question_url")
_LIVE = re.compile(r"[\\`*_{}\[\]#+!|~$&<>]")
_QUIET = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]#+!|~$"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"})

HEAD = """# Attribution

Texts in this data set that come from elsewhere, one an entry: its first words with a link to it, who wrote it with a
link to them, where and when, its licence with a link to the licence's text, and whether its words were changed. Where
question and answer have different writers, both are named, and where a text was merged of several, the writers of all,
each under its own licence. What is not known is left out or said to be not known.

Licences of Creative Commons with BY ask this of everybody who passes the texts on; those with SA ask besides that they
are passed on, changed or not, under the same licence. They come without warranties of any kind, and none of these
authors endorses this data set or what is made of it.

What an import changes: HTML and other markup become Markdown, links are reduced to their words, and images are left
out; of articles, sections beside the matter are left out. "Edited" marks texts whose words, of the question or of
the answer, were changed after that, be it by translation; the changes are not their authors'.

"""


# An import calls texts that name no site by the file that they came in.
FILES = (
    ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".xml", ".txt", ".gz", ".bz2", ".xz", ".zst",
    ".zip", ".7z",
)  # fmt: skip


def is_file(site: str) -> bool:
    """Whether what stands for a site is the name of a file."""
    return site.lower().endswith(FILES)


def plain(text: str) -> str:
    """Give text of people as Markdown that shows exactly that text, on one line, with nothing in it live."""
    line = " ".join(text.split())
    # A round bracket makes a link only behind a square one.
    return line.translate(_QUIET).replace(r"\](", r"\]\(") if _LIVE.search(line) else line


def link(words: str, url: object) -> str:
    """Give a Markdown link; for anything but a web address the words alone."""
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        return plain(words)
    return f"[{plain(words)}]({quote(url, safe=':/?#@!$&*+,;=%~')})"


class Credits:
    """Writes the entries as the examples pass, and counts those written for this set alone."""

    def __init__(self, file: TextIO) -> None:
        """Begin the file."""
        self._file = file
        self._own = 0
        self._listed = 0
        self._unknown = 0
        file.write(HEAD)

    def add(self, example: Mapping[str, Any], *, edited: bool) -> None:
        """Take one example of examples.jsonl; what its licence asks to credit is listed, be its author known or not."""
        about, owing = example["attribution"], unnamed(example["licence"], example["attribution"])
        if not about and not owing:
            self._own += 1
            return
        self._listed += 1
        self._unknown += not is_named(about)
        self._file.write(_entry(example, edited=edited))

    def close(self) -> None:
        """Say of how many entries nobody is known, and how many texts have none."""
        if not self._listed:
            self._file.write("No text in this data set names a source elsewhere.\n")
        verb = "was" if self._own == 1 else "were"
        own = plural(self._own, "further example")
        if self._unknown:
            names = "names" if self._unknown == 1 else "name"
            of_these = f"{self._unknown:,} of {plural(self._listed, 'entry', 'entries')}"
            self._file.write(f"\n{of_these} {names} neither author nor link, because none is known.\n")
        self._file.write(f"\n{own} {verb} written for this data set or credited to nobody.\n")


def _entry(example: Mapping[str, Any], *, edited: bool) -> str:
    about = example["attribution"]
    title = first_question(example["messages"])
    short = title if len(title) <= TITLE_LENGTH else title[:TITLE_LENGTH].rstrip() + "…"
    written = about.get("licence") if MERGED in about else example["licence"]
    licence = licence_of(written or "licence unknown")
    theirs, asked = (any(about.get(key) for key in keys) for keys in (OF_THE_TEXT, OF_THE_QUESTION))
    writer = _writer(about.get("author"), about.get("author_url"))
    own = asked and not theirs
    parts = [link(short or "Untitled", about.get("url")), "the answer written for this data set" if own else writer]
    where = called(about.get("site"), None)
    parts += [plain(str(known)) for known in (where, about.get("date")) if known]
    parts += [link(licence.name, licence.url)]
    parts += [] if own else ["edited" if edited else "words as imported"]
    return "- " + ", ".join(parts) + _question(about) + "".join(map(_merged, about.get(MERGED, ()))) + "\n"


def _merged(about: Mapping[str, Any]) -> str:
    """The credit of another text whose words went into this one."""
    licence = licence_of(about.get("licence") or "licence unknown")
    parts = [link("another text", about.get("url")), _writer(about.get("author"), about.get("author_url"))]
    where = called(about.get("site"), None)
    parts += [plain(str(known)) for known in (where, about.get("date")) if known]
    return "; merged with " + ", ".join([*parts, link(licence.name, licence.url)]) + _question(about)


def _writer(name: object, url: object) -> str:
    """By whom: a name, a link alone, or that nobody is known."""
    if name:
        return "by " + link(str(name), url)
    return "by " + link("the author at this link", url) if url else "author not known"


def _question(about: Mapping[str, Any]) -> str:
    """The credit of the question, whose words are the prompt and whose writer is another."""
    if not any(about.get(key) for key in OF_THE_QUESTION):
        return ""
    asker = link(str(about.get("question_author") or "somebody who is not named"), about.get("question_author_url"))
    parts = [link("the question", about.get("question_url")), f"by {asker}"]
    if written := about.get("question_licence"):
        licence = licence_of(str(written))
        parts.append(link(licence.name, licence.url))
    return "; " + ", ".join(parts)
