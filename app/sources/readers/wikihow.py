"""wikiHow as people save it: one article a page, its title as the question and its steps as the answer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from bs4.exceptions import ParserRejectedMarkup

from app.sources.readers.base import Format, Reader, ReadOptions, together
from app.sources.readers.chat_rows import BadRow
from app.sources.readers.files import Sniffed, chunks, too_long
from app.sources.readers.settings import Setting
from app.sources.readers.wikihow_page import PRUNED, Article, article_of
from app.sources.records import BadInput, Message, Place, Record
from app.text.wellformed import first_fault

SITE = "wikihow.com"
AUTHOR = "wikiHow"
AUTHOR_URL = "https://www.wikihow.com/"
LICENCE = "CC BY-NC-SA 3.0"
SOURCE = "wikihow"
SECTIONS = Setting(
    "pruned", "Sections that are left out", "One heading a line; the rest of an article stays.", "headings", PRUNED
)
_LOOKED_AT = 1 << 16
_LONGEST_ID = 120


class WikihowReader(Reader):
    """Reads a folder of saved pages, one record each; `settings["pruned"]` names the sections that are left out."""

    format = "wikihow"

    def __init__(self, files: Sequence[Sniffed], options: ReadOptions) -> None:
        """Take saved pages. Raises BadInput (422) where the setting is no list of headings."""
        super().__init__(files, options)
        self.site = options.site or SITE
        self.pruned = SECTIONS.of(options.settings)

    def records(self) -> Iterator[Record]:
        """Yield the articles in the order of the files."""
        self.errors, self.error_count = [], 0
        seen: dict[str, tuple[str, bytes]] = {}
        count, done = 0, 0
        for number, file in enumerate(self.files):
            done += file.path.stat().st_size
            self.progress(done)
            try:
                record = _compared(self._record(number), file.name, seen)
            except BadRow as error:
                self.note(1, str(error), file)
            else:
                count += 1
                yield record
            if self.options.sample_bytes is not None and done >= self.options.sample_bytes:
                return
        self.settle(count, "page")

    def record_at(self, place: Place) -> Record:
        """Read one page again. Raises BadInput (422) where it is no article any more."""
        try:
            return self._record(place.member)
        except BadRow as error:
            raise BadInput(str(error)) from None

    def _record(self, number: int) -> Record:
        file = self.files[number]
        if file.path.stat().st_size > self.options.longest:
            raise BadRow(too_long("the page", self.options.longest))
        try:
            article = article_of(_text(file), self.pruned)
        except RecursionError:
            raise BadRow("its elements are nested too deep to be a page's") from None
        except ParserRejectedMarkup:
            raise BadRow("its HTML is broken") from None
        if article is None:
            raise BadRow("there is no wikiHow article in it: no title in an h1, or no step in a div.step")
        if fault := first_fault(article.title + article.body):
            raise BadRow(f"the article holds {fault}, which cannot be stored")
        return self._of(article, number)

    def _of(self, article: Article, number: int) -> Record:
        return Record(
            site=self.site,
            external_id=_name(article),
            title=article.title,
            messages=(Message("user", question_of(article.title)), Message("assistant", article.body, "html")),
            source=SOURCE,
            language="en",
            author=AUTHOR,
            author_url=AUTHOR_URL,
            url=article.url,
            licence=LICENCE,
            posted_at=_day(article.published or article.updated),
            line=1,
            place=Place(number, 0),
            extra=_facts(article),
        )


def question_of(title: str) -> str:
    """A title as a question, as LIMA's prompts are: "How to Grill Zucchini?"."""
    return title.rstrip(" .?!") + "?"


def name_of(title: str) -> str:
    """The name under which wikiHow keeps an article of that title: "Grill-Zucchini"."""
    return re.sub(r"\s+", "-", re.sub(r"^how to\s+", "", title.strip(), flags=re.IGNORECASE))


def short(name: str) -> str:
    """A name as an id that the database takes."""
    return name if len(name) <= _LONGEST_ID else hashlib.sha256(name.encode()).hexdigest()


def _name(article: Article) -> str:
    in_address = unquote(urlsplit(article.url or "").path).strip("/")
    return short(in_address or name_of(article.title))


def _compared(record: Record, name: str, seen: dict[str, tuple[str, bytes]]) -> Record:
    """Mark a page that repeats another; one with the same article in other words is bad, for one would be lost."""
    own = name, hashlib.sha256(record.messages[-1].text.encode()).digest()[:16]
    first = seen.setdefault(record.external_id, own)
    if first is own:
        return record
    if first[1] != own[1]:
        raise BadRow(f"its article stands in {first[0]} too, in other words; keep one of the two")
    return replace(record, repeats=1)


def _facts(article: Article) -> dict[str, Any]:
    facts: dict[str, Any] = {"steps": article.steps}
    if article.categories:
        facts |= {"category": article.categories[0], "categories": list(article.categories)}
    if article.updated:
        facts["updated"] = article.updated
    return facts


def _day(value: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC) if value else None
    except ValueError:
        return None


def _text(file: Sniffed) -> str:
    try:
        return "".join(text for text, _ in chunks(file.path, file.encoding))
    except BadInput as error:
        raise BadRow(f"line {error.line}: {error.reason}") from None


def _is_wikihow(file: Sniffed) -> bool:
    """Whether a web page names wikiHow in its first 64 KB, where its head stands."""
    if file.kind != "html":
        return False
    if "wikihow" not in file.memo:
        with file.path.open("rb") as page:
            file.memo["wikihow"] = b"wikihow" in page.read(_LOOKED_AT).lower()
    return bool(file.memo["wikihow"])


FORMAT = Format(
    "wikihow",
    "wikiHow pages (saved HTML)",
    together(_is_wikihow),
    WikihowReader,
    kinds=frozenset({"html"}),
    rules="lima-wikihow",
    noun="article",
    settings=(SECTIONS,),
)
