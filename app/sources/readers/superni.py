"""Super-NaturalInstructions: a task a file, its definition with each instance's input as the prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from app.sources.readers.base import Format, Reader, ReadOptions, together
from app.sources.readers.chat_rows import BadRow, Row, is_blank
from app.sources.readers.containers import Item, items_of
from app.sources.readers.files import Sniffed
from app.sources.readers.rows import LONGEST_ID, first_line
from app.sources.records import BadInput, Message, Place, Record
from app.text.wellformed import first_fault

SITE = "natural-instructions"
SOURCE = "natural_instructions"
GENERATION = frozenset(
    {
        *("code to text", "data to text", "dialogue generation", "explanation", "grammar error correction"),
        *("paraphrasing", "poem generation", "question decomposition", "question generation", "question rewriting"),
        *("sentence composition", "sentence compression", "sentence expansion", "sentence perturbation"),
        *("story composition", "style transfer", "summarization", "text completion", "text simplification"),
        *("text to code", "title generation", "translation", "wrong candidate generation"),
    }
)
"""The categories whose answers are written and not chosen, in small letters: LIMA took its tasks from such."""

# A task is one JSON value with all its instances, so the limit of a record does not fit it.
_LARGEST_TASK = 64 << 20
_KEYS = re.compile(
    r'"(Contributors|Categories|Reasoning|Definition|Positive Examples|Negative Examples|Instances|Domains)"\s*:'
)
_CODES = (
    "arabic ar, bengali bn, bulgarian bg, catalan ca, chinese zh, croatian hr, czech cs, danish da, "
    "dutch nl, english en, finnish fi, french fr, german de, greek el, gujarati gu, hebrew he, hindi hi, "
    "hungarian hu, indonesian id, italian it, japanese ja, korean ko, malay ms, marathi mr, norwegian no, "
    "persian fa, polish pl, portuguese pt, romanian ro, russian ru, spanish es, swahili sw, swedish sv, "
    "tamil ta, telugu te, thai th, turkish tr, ukrainian uk, urdu ur, vietnamese vi"
)
_LANGUAGES = dict(pair.split() for pair in _CODES.split(", "))


@dataclass(frozen=True)
class Task:
    """What all instances of a task share."""

    name: str
    definition: str
    categories: tuple[str, ...]
    contributors: tuple[str, ...]
    language: str | None
    licence: str | None
    url: str | None
    instances: tuple[Any, ...]

    @property
    def is_generation(self) -> bool:
        """Whether its answers are written and not chosen."""
        return any(category.casefold() in GENERATION for category in self.categories)


class TaskReader(Reader):
    """Reads task files, one record an instance; a task is held in memory whole, one at a time."""

    format = "superni"

    def __init__(self, files: Sequence[Sniffed], options: ReadOptions) -> None:
        """Take task files."""
        super().__init__(files, options)
        self.site = options.site or SITE

    def records(self) -> Iterator[Record]:
        """Yield the sound instances in the order of the files."""
        self.errors, self.error_count = [], 0
        seen: set[str] = set()
        count, before = 0, 0
        for member, file in enumerate(self.files):
            for item in items_of(file, max(_LARGEST_TASK, self.options.longest)):
                for record in self._instances(member, item, seen):
                    count += 1
                    yield record
                self.progress(before + item.end)
                if self.options.sample_bytes is not None and before + item.end >= self.options.sample_bytes:
                    return
            before += file.path.stat().st_size
            self.progress(before)
        self.settle(count, "instance of a task")

    def record_at(self, place: Place) -> Record:
        """Read one instance again. Raises BadInput (422) when it is not there any more."""
        file = self.files[place.member]
        for item in items_of(file, max(_LARGEST_TASK, self.options.longest)):
            if item.position == place.beside:
                try:
                    return self._record(place.member, item, _task(item, file), place.position)
                except (BadRow, IndexError):
                    break
        raise BadInput(f"{file.name} changed since it was imported")

    def _instances(self, member: int, item: Item, seen: set[str]) -> Iterator[Record]:
        """Yield a task's sound instances and note the others."""
        file = self.files[member]
        try:
            task = _task(item, file)
        except BadRow as error:
            self.note(item.line, str(error), file)
            return
        for number in range(len(task.instances)):
            try:
                record = self._record(member, item, task, number)
                _unlike(record, seen)
            except BadRow as error:
                self.note(item.line, f"instance {number + 1} of {task.name}: {error}", file)
            else:
                yield record

    def _record(self, member: int, item: Item, task: Task, number: int) -> Record:
        instance = task.instances[number]
        if not isinstance(instance, dict):
            raise BadRow("it is not a JSON object")
        asked, answers = _input(instance), _outputs(instance)
        said = [Message("assistant", one) for one in answers[:1]]
        prompt = f"{task.definition}\n\n{asked}" if asked else task.definition
        return Record(
            site=self.site,
            external_id=_id(instance, task.name, number),
            title=first_line([Message("user", asked)]) or task.name,
            messages=(Message("user", prompt), *said),
            source=SOURCE,
            language=task.language,
            thread_id=task.name[:LONGEST_ID],
            author=", ".join(task.contributors)[:200] or None,
            url=task.url,
            licence=task.licence or self.options.licence,
            line=item.line,
            place=Place(member, number, item.position),
            extra=_facts(task, answers[1:]),
        )


def _unlike(record: Record, seen: set[str]) -> None:
    """Raise BadRow for an id that was there before."""
    if record.external_id in seen:
        raise BadRow(f"the id {record.external_id[:60]!r} stands there twice")
    seen.add(record.external_id)


def _task(item: Item, file: Sniffed) -> Task:
    """Read what the instances share. Raises BadRow with a sentence part."""
    if item.fault is not None:
        raise BadRow(item.fault)
    row = item.value
    if not isinstance(row, dict) or not isinstance(row.get("Instances"), list):
        raise BadRow("the task has no list of Instances")
    definition = "\n".join(_texts(row, "Definition")).strip()
    if not definition:
        raise BadRow("the task has no Definition")
    languages = _texts(row, "Output_language")
    licence = ", ".join(_texts(row, "Instance License"))
    return Task(
        name=_name(file, row),
        definition=definition,
        categories=_texts(row, "Categories"),
        contributors=_texts(row, "Contributors"),
        language=_language(languages[0]) if languages else None,
        licence=licence if len(licence) <= 80 else f"{licence[:79]}…",
        url=next((one for one in _texts(row, "URL") if one.startswith(("https://", "http://"))), None),
        instances=tuple(row["Instances"]),
    )


def _texts(row: Row, name: str) -> tuple[str, ...]:
    """A field that is one text in the early tasks and a list of them in the later ones."""
    value = row.get(name) or []
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise BadRow(f"{name} is neither a text nor a list of texts")
    if fault := first_fault("\n".join(texts)):
        raise BadRow(f"{name} holds {fault}, which cannot be stored")
    return tuple(text for text in texts if text.strip())


def _name(file: Sniffed, row: Row) -> str:
    """A task's name, which is its file's; of one in a file of another name what its instances' ids begin with."""
    stem = PurePosixPath(file.name).stem
    first = row["Instances"][0] if row["Instances"] else None
    own = str(first.get("id", "")).partition("-")[0] if isinstance(first, dict) else ""
    is_task = re.match(r"(?:sub)?task\d+", stem)
    return stem if is_task or not re.fullmatch(r"(?:sub)?task\d+\w*", own) else own


def _language(name: str) -> str:
    """A language's code; one that has none here is called by its name."""
    return _LANGUAGES.get(name.strip().casefold(), name.strip().casefold()[:16])


def _input(instance: Row) -> str:
    value = instance.get("input", "")
    if not isinstance(value, str):
        raise BadRow("its input is not a string")
    return _sound(value, "input")


def _outputs(instance: Row) -> list[str]:
    """The answers of an instance: one text, or a list of equally good ones; none where they are blank."""
    value = instance.get("output")
    answers = [] if is_blank(value) else [value] if isinstance(value, str) else value
    if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
        raise BadRow("its output is neither a text nor a list of texts")
    return [_sound(answer, "output") for answer in answers if answer.strip()]


def _sound(value: str, what: str) -> str:
    if fault := first_fault(value):
        raise BadRow(f"its {what} holds {fault}, which cannot be stored")
    return value.strip()


def _id(instance: Row, task: str, number: int) -> str:
    own = instance.get("id")
    return own[:LONGEST_ID] if isinstance(own, str) and own else f"{task[: LONGEST_ID - 12]}-{number + 1}"


def _facts(task: Task, others: list[str]) -> dict[str, Any]:
    facts: dict[str, Any] = {"task": task.name, "generation": task.is_generation}
    if task.categories:
        facts |= {"category": task.categories[0], "categories": list(task.categories)}
    return {**facts, "other_outputs": others} if others else facts


def _is_task(file: Sniffed) -> bool:
    """Whether a JSON file begins with the fields of a task: its first bytes tell, for it may be large."""
    return file.kind in _KINDS and len(set(_KEYS.findall(file.head))) > 1


_KINDS = frozenset({"object", "lines"})

FORMAT = Format(
    "superni",
    "Super-NaturalInstructions (task JSON)",
    together(_is_task),
    TaskReader,
    kinds=_KINDS,
    noun="instance",
)
