"""ATTRIBUTION.md: for each text from elsewhere its author, its link, its licence, and whether it was changed."""

import html
import re
from collections.abc import Mapping
from typing import Any, TextIO
from urllib.parse import quote

from app.datasets.material import first_question
from app.sources.licences import licence_url

TITLE_LENGTH = 90
_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|~$])")

HEAD = """# Attribution

Texts in this data set that come from elsewhere, one an entry: the question, who wrote the text, where it stands,
and its licence. Share-alike licences (CC BY-SA) ask that whoever passes the texts on names their authors, links to
them, says what was changed, and passes them on under the same licence.

What was changed: Stack Exchange posts were turned from HTML into Markdown, links were reduced to their words, and
images left out. "Edited" marks texts whose words were changed after that; the changes are not their authors'.

"""


def plain(text: str) -> str:
    """Give text of people as Markdown that shows exactly that text, on one line, with nothing in it live."""
    return _MARKS.sub(r"\\\1", html.escape(" ".join(text.split()), quote=False))


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
        self._credited = 0
        file.write(HEAD)

    def add(self, example: Mapping[str, Any], *, edited: bool) -> None:
        """Take one example of examples.jsonl."""
        if not example["attribution"]:
            self._own += 1
            return
        self._credited += 1
        self._file.write(_entry(example, edited=edited))

    def close(self) -> None:
        """Say how many texts carry no attribution."""
        if not self._credited:
            self._file.write("No text in this data set names a source elsewhere.\n")
        self._file.write(f"\n{self._own:,} further examples were written for this data set or name no author.\n")


def _entry(example: Mapping[str, Any], *, edited: bool) -> str:
    about = example["attribution"]
    title = first_question(example["messages"])
    short = title if len(title) <= TITLE_LENGTH else title[:TITLE_LENGTH].rstrip() + "…"
    author = link(str(about.get("author") or "an author who is not named"), about.get("author_url"))
    licence = example["licence"] or "licence unknown"
    parts = [link(short or "Untitled", about.get("url")), f"by {author}"]
    parts += [plain(str(about[key])) for key in ("site", "date") if about.get(key)]
    parts += [link(licence, licence_url(example["licence"])), "edited" if edited else "words as imported"]
    return "- " + ", ".join(parts) + _question(about) + "\n"


def _question(about: Mapping[str, Any]) -> str:
    """The credit of the question, whose words are the prompt and whose writer is another."""
    if not about.get("question_author") and not about.get("question_url"):
        return ""
    asker = link(str(about.get("question_author") or "somebody who is not named"), about.get("question_author_url"))
    licence = about.get("question_licence")
    parts = [link("the question", about.get("question_url")), f"by {asker}"]
    parts += [link(licence, licence_url(licence))] if licence else []
    return "; " + ", ".join(parts)
