"""A version of LIMA's size with everything in it that a format could spoil: 1,030 rows, 30 of them dialogues.

It needs no database: what is frozen is lines and a manifest.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.datasets.canonical import FrozenLine, set_sha256
from app.datasets.gates import Approvals
from app.datasets.manifest import build_manifest
from app.datasets.material import Item, Material, Person, fillings
from app.datasets.told import told_of
from app.examples.roles import FLAGS
from app.projects.models import AuthorGroup, Split
from app.text.canonical import content_hash

ROWS, DIALOGUES = 1030, 30
# What begins a cell that a spreadsheet computes, what a reader of tables takes for nothing, and what breaks lines.
NASTY = (
    "=SUM(A1:A9)", "+49 30 1234", "-5 degrees", "@team, look", "\tbegins with a tab", "＝全角の式", "＋＋", "－1",
    "＠x", "'quoted' at once", "''twice", 'He said "yes", and "no".', "a,b;c\td|e", "two\nlines", "CR LF\r\nmiddle",
    "a lone \r return", "NA", "None", "null", "true", "1e5", "0012", "🍜 👩\u200d🍳 and 👨\u200d👩\u200d👧",
    "مرحبا بالعالم", "שלום, עולם", "line\u2028separator\u0085next", "\ufeffa mark inside", "  blanks around  ",
    "```python\nprint('x')\n```\n", "\\n is no line feed", '{"json": [1, 2]}', "[]", "<b>bold</b> &amp; more",
    "bell \x07 and \x1f unit", "~", "#N/A",
)  # fmt: skip
SITES = {"author": "A. Baker", "url": "https://cooking.stackexchange.com/a/{}", "site": "cooking.stackexchange.com"}


def rows() -> Iterator[dict[str, Any]]:
    """Give the rows: words, split, source, licence, attribution, group and flags."""
    for number in range(ROWS):
        split = Split.TEST if number >= 980 else Split.DEV if number >= 930 else Split.TRAIN
        nasty = NASTY[number % len(NASTY)]
        # The nasty words come first, last, and alone as often as may be; the numbers make rows differ.
        question, answer = f"{nasty} {number}?", f"{nasty}\n\nAnswer {number}" if number % 2 else f"{number}\n{nasty}"
        messages = [{"role": "user", "content": question}]
        if split is not Split.TEST:
            messages.append({"role": "assistant", "content": answer})
        if number < DIALOGUES:
            for turn in range(1 + number % 3):
                messages += [
                    {"role": "user", "content": f"{NASTY[(number + turn) % len(NASTY)]} and then {turn}?"},
                    {"role": "assistant", "content": nasty},
                ]
        if number % 50 == 7:
            messages.insert(0, {"role": "system", "content": f"{nasty} Answer briefly."})
        yield {
            "messages": messages,
            "split": split,
            "source": ("stackexchange_stem", "wikihow", "authors")[number % 3],
            "licence": ("CC BY-SA 4.0", "CC BY-SA 3.0", None)[number % 3],
            "attribution": {name: text.format(number) for name, text in SITES.items()} if number % 3 < 2 else {},
            "group": AuthorGroup.B if split is Split.TEST and number % 2 else None,
            "flags": [FLAGS[number % 3]] if number % 40 == 1 else [],
        }


def words_of(example: Mapping[str, Any]) -> tuple[str, str]:
    """Split and hash of the messages."""
    return example["split"], content_hash([{"role": m["role"], "content": m["content"]} for m in example["messages"]])


def expected() -> Counter[tuple[str, str]]:
    """The words of the whole set."""
    return Counter(words_of({**row, "split": row["split"].value}) for row in rows())


def items() -> tuple[Item, ...]:
    """Give the rows as approved items, without a database."""
    return tuple(
        Item(
            number, 1 + (number % 5 == 0), row["split"].value, row["source"], "en", row["messages"], row["licence"],
            row["attribution"], told_of(row["group"].value if row["group"] else None, row["flags"]),
        )
        for number, row in enumerate(rows())
    )  # fmt: skip


def frozen(found: Sequence[Item]) -> tuple[dict[str, Any], list[FrozenLine]]:
    """Give the manifest and the lines of a version of these items, without a database."""
    held = sorted(found, key=lambda item: item.line)
    texts = [item.line.text for item in held]
    person = Person(1, "Ada Example")
    material = Material(
        tuple(found), fillings((), found), Approvals(second_person=len(found)), (), (person,), (person,), ()
    )
    manifest = build_manifest(
        material, (), name="v1", project={"slug": "large", "name": "Large"}, sha256=set_sha256(texts),
        size=sum(len(text.encode()) + 1 for text in texts), frozen_by=person,
        frozen_at=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    return manifest, [FrozenLine(item.line, edited=item.revision_number > 1) for item in held]
