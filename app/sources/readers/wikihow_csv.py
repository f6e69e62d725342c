"""wikiHow as the data set of Koupaee and Wang: a row an article, or a row a step, in CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import groupby

from app.sources.readers.base import Format, Reader, ReadOptions, each
from app.sources.readers.chat_rows import BadRow, Row
from app.sources.readers.containers import Item, first_items, item_at, items_of
from app.sources.readers.files import Sniffed
from app.sources.readers.rows import RowReader, Shape
from app.sources.readers.wikihow import AUTHOR, AUTHOR_URL, LICENCE, SITE, SOURCE, name_of, question_of, short
from app.sources.readers.wikihow_page import opening_of
from app.sources.records import BadInput, Message, Place, Record
from app.sources.weblinks import without_addresses
from app.text.wellformed import first_fault

# "How to Be an Organized Artist1" is the first method of its article; "MP3" and "Windows 10" are words.
_NUMBERED = re.compile(r"(?<=[a-zäöüéèñ)\"'’])\d{1,3}$")
# Where one step's text ends and the next one's begins: what is left of a list that was written as a text.
_BETWEEN = re.compile(r"(?:;\s*|(?<=[.!?:)\"”’])\s*|\n\s*),\s+(?=\S)")


@dataclass(frozen=True)
class Step:
    """One step: its first sentence, and what follows."""

    lead: str
    text: str


def title_of(title: str) -> str:
    """A title without the number that the data set puts behind it."""
    return _NUMBERED.sub("", title.strip())


def steps_of(headline: str, text: str) -> tuple[list[Step], bool]:
    """The steps of a row that holds a whole article; and whether each text was found to its first sentence.

    Where they cannot be told apart, the last step is followed by the text of all.
    """
    leads = [" ".join(lead.split()) for lead in re.split(r",\s*\n", headline) if lead.strip()]
    texts = [piece.strip() for piece in _BETWEEN.split(_tidy(text))]
    if len(texts) == len(leads):
        return [Step(*pair) for pair in zip(leads, texts, strict=True)], True
    return [Step(lead, "") for lead in leads], False


def article_html(title: str, steps: Sequence[Step]) -> str:
    """A heading with numbered steps; what a step says in lines of its own is a list below it."""
    return f"<h2>{escape(title)}</h2><ol>{''.join(map(_step_html, steps))}</ol>"


def _step_html(step: Step) -> str:
    first, *rest = [" ".join(line.split()) for line in step.text.split("\n") if line.strip()] or [""]
    below = "".join(f"<li>{escape(line)}</li>" for line in rest)
    return f"<li><b>{escape(step.lead)}</b> {escape(first)}{f'<ul>{below}</ul>' if below else ''}</li>"


def _tidy(text: str) -> str:
    """A text without its addresses, the end of the list it was cut from, and the gaps that lost links leave."""
    text = re.sub(r"[;,\s]+\Z", "", without_addresses(text)).strip()
    return re.sub(r"(?<=\w) +(?=[.,](?:\s|\Z))", "", text)


def _field(row: Row, name: str, *, needed: bool = True) -> str:
    value = row.get(name)
    if not isinstance(value, str) or (needed and not value.strip()):
        raise BadRow(f"{name} is empty")
    if fault := first_fault(value):
        raise BadRow(f"{name} holds {fault}, which cannot be stored")
    return value.strip()


def _record(title: str, body: str, steps: int, line: int, *, matched: bool = True) -> Record:
    plain = title_of(title)
    return Record(
        site=SITE,
        external_id=short(name_of(title)),
        title=plain,
        messages=(Message("user", question_of(plain)), Message("assistant", body, "html")),
        source=SOURCE,
        language="en",
        thread_id=short(name_of(plain)),
        author=AUTHOR,
        author_url=AUTHOR_URL,
        url=f"{AUTHOR_URL}{name_of(plain)}",
        licence=LICENCE,
        line=line,
        extra={"steps": steps} if matched else {"steps": steps, "steps_apart": True},
    )


def _read_article(item: Item, options: ReadOptions) -> Record:
    row = item.value
    text = _field(row, "text")
    steps, matched = steps_of(_field(row, "headline"), text)
    if not steps:
        raise BadRow("headline names no step")
    body = article_html("Steps", steps)
    if not matched:
        body += "".join(f"<p>{escape(' '.join(part.split()))}</p>" for part in re.split(r"\n\s*\n", _tidy(text)))
    record = _record(_field(row, "title"), body, len(steps), item.line, matched=matched)
    return replace(record, site=options.site or SITE)


class StepReader(Reader):
    """Reads files with a row a step: the rows of one title in a row are one record.

    A file beside them may have a row an article.
    """

    format = "wikihow_csv"

    def __init__(self, files: Sequence[Sniffed], options: ReadOptions) -> None:
        """Take such files."""
        super().__init__(files, options)
        self.site = options.site or SITE

    def records(self) -> Iterator[Record]:
        """Yield the articles in file order."""
        self.errors, self.error_count = [], 0
        seen: dict[str, int] = {}
        count = 0
        for member, file in enumerate(self.files):
            for _, rows in groupby(self._items(member), key=_title):
                try:
                    record = _once(self._article(member, list(rows)), seen)
                except BadRow as error:
                    self.note(self._line, str(error), file)
                else:
                    count += 1
                    yield record
            if self.options.sample_bytes is not None and self.bytes_read >= self.options.sample_bytes:
                return
        self.settle(count, "step")

    def record_at(self, place: Place) -> Record:
        """Read one article again, from its first row on. Raises BadInput (422) when it is not there any more."""
        file = self.files[place.member]
        rows = [item_at(file, place.position, self.options.longest)]
        while rows[-1].end < file.path.stat().st_size and file.encoding.startswith("utf-8"):
            rows.append(item_at(file, rows[-1].end, self.options.longest))
            if _title(rows[-1]) != _title(rows[0]):
                rows.pop()
                break
        try:
            return self._article(place.member, rows)
        except BadRow as error:
            raise BadInput(f"{file.name} changed since it was imported: {error}") from None

    def _items(self, member: int) -> Iterator[Item]:
        """Yield a file's rows, and of a sample its beginning."""
        before = sum(file.path.stat().st_size for file in self.files[:member])
        for item in items_of(self.files[member], self.options.longest):
            self.progress(before + item.end)
            yield item
            if self.options.sample_bytes is not None and before + item.end >= self.options.sample_bytes:
                return

    def _article(self, member: int, rows: Sequence[Item]) -> Record:
        """One article of its rows. Raises BadRow, with the line in `_line`."""
        if isinstance(rows[0].value, dict) and _is_article(rows[0].value):
            self._line = rows[0].line
            return replace(_read_article(rows[0], self.options), place=Place(member, rows[0].position))
        parts, overview, count = [], "", 0
        for label, section in groupby(rows, key=self._label):
            steps = [self._step(item) for item in section]
            parts.append(article_html(label, steps))
            count += len(steps)
        self._line = rows[0].line
        row = rows[0].value
        overview = " ".join(_tidy(_field(row, "overview", needed=False)).split())
        opening = f"<p>{escape(opening_of(overview))}</p>" if overview else ""
        record = _record(_field(row, "title"), opening + "".join(parts), count, rows[0].line)
        return replace(record, site=self.site, place=Place(member, rows[0].position))

    def _label(self, item: Item) -> str:
        self._line = item.line
        if item.fault is not None:
            raise BadRow(item.fault)
        return _field(item.value, "sectionLabel", needed=False) or "Steps"

    def _step(self, item: Item) -> Step:
        self._line = item.line
        text = _tidy(_field(item.value, "text", needed=False))
        return Step(" ".join(_field(item.value, "headline").strip(",").split()), text)


def _title(item: Item) -> str:
    """What the rows of one article share; a row that cannot be read, or is an article, is one of its own."""
    by_step = isinstance(item.value, dict) and not _is_article(item.value)
    return str(item.value.get("title")) if by_step else f"\0{item.line}"


def _once(record: Record, seen: dict[str, int]) -> Record:
    """Raise BadRow for an article that was there before, with other rows between."""
    first = seen.setdefault(record.external_id, record.line)
    if first != record.line:
        raise BadRow(f"the article of line {first} stands here again; put the steps of an article one after another")
    return record


def _is_article(row: Row) -> bool:
    return row.keys() >= {"headline", "title", "text"} and "sectionLabel" not in row


def _is_step(row: Row) -> bool:
    return row.keys() >= {"overview", "headline", "text", "sectionLabel", "title"}


def _is_dataset(file: Sniffed) -> bool:
    rows = [item.value for item in first_items(file) if isinstance(item.value, dict)]
    return file.kind in _KINDS and any(_is_article(row) or _is_step(row) for row in rows)


def _reader(files: Sequence[Sniffed], options: ReadOptions) -> Reader:
    rows = (item.value for file in files for item in first_items(file))
    steps = any(_is_step(row) for row in rows if isinstance(row, dict))
    return StepReader(files, options) if steps else RowReader(files, options, _ARTICLES)


_KINDS = frozenset({"csv", "tsv"})
_ARTICLES = Shape("wikihow_csv", "wikiHow data set (wikihowAll.csv, wikihowSep.csv)", _is_article, _read_article)

FORMAT = Format(
    _ARTICLES.name,
    _ARTICLES.title,
    each(_is_dataset),
    _reader,
    kinds=_KINDS,
    rules="lima-wikihow",
    noun="article",
)
