"""README.md: the dataset card, written from the manifest for a stranger who knows nothing of the project."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.datasets.card import account, licensing
from app.datasets.card.head import bibtex, front_matter, title
from app.datasets.credits import link, plain
from app.datasets.formats import Format
from app.datasets.licences import of_manifest
from app.datasets.material import without_response
from app.datasets.told import has_columns, section
from app.web.words import plural

PICTURE = "composition.svg"
PICTURE_LINE = f"![The composition by source against its target; the table stands under Composition.]({PICTURE})\n\n"
# Mean lengths in tokens of LIMA's own sources (arXiv 2305.11206, Table 1), to hold ours against.
LIMA_MEANS = {
    "stackexchange_stem": (117, 523), "stackexchange_other": (119, 530), "wikihow": (12, 1811),
    "writingprompts": (34, 274), "natural_instructions": (236, 92), "authors": (40, 334),
}  # fmt: skip
LONGEST_SHOWN = 1200
# Rows of an overridden gate that the card names; the manifest has more.
ROWS_NAMED = 5


@dataclass(frozen=True)
class Part:
    """A section of the card: its title, empty for what stands before the first, and its Markdown."""

    title: str
    text: str


class Shown:
    """The example that a card shows: of train, short, without code, not flagged; chosen by its hash, not by anybody.

    Offered the lines in their order, it keeps the first that fits, else the shortest.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.example: Mapping[str, Any] | None = None
        # Nothing that comes later will be shown.
        self.found = False
        self._size = 0

    def offer(self, example: Mapping[str, Any]) -> None:
        """Look at one more example."""
        if self.found or example["split"] != "train" or example.get("flags"):
            return
        words = [said["content"] for said in example["messages"]]
        size = sum(map(len, words))
        self.found = size <= LONGEST_SHOWN and len(words) > 1 and not any("```" in text for text in words)
        if self.found or self.example is None or size < self._size:
            self.example, self._size = example, size


def card(manifest: Mapping[str, Any], form: Format, shown: Mapping[str, Any] | None = None) -> str:
    """Give the card of a version in one format; `shown` is an example of examples.jsonl to read in it."""
    parts = card_parts(manifest, form, shown)
    body = [f"## {part.title}\n\n{part.text}" if part.title else part.text for part in parts]
    return "\n".join((front_matter(manifest, form), f"# {plain(title(manifest))}\n", *body))


def card_parts(manifest: Mapping[str, Any], form: Format, shown: Mapping[str, Any] | None = None) -> list[Part]:
    """Give the sections of the card, without its head and title."""
    prompts = section(manifest).removeprefix("## ").partition("\n\n")
    parts = (
        Part("", _lead(manifest)),
        Part("What it is for", _purpose()),
        Part("An example", _example(shown)),
        Part("How to load it", _loading(form)),
        Part("Composition", _composition(manifest)),
        Part(prompts[0], prompts[2]),
        Part("Lengths", _lengths(manifest)),
        Part("What changed", f"{words}\n" if (words := account.before(manifest)) else ""),
        Part("Sources, licences and duties", _licences(manifest)),
        Part("How it was made", _process(manifest)),
        Part("Gates", _gates(manifest)),
        Part("Personal data and sensitive prompts", _list(account.personal(manifest, plain))),
        Part("Known limits", _list(account.limits(manifest))),
        Part("Files", _files(manifest, form)),
        Part("How to cite it", f"```bibtex\n{bibtex(manifest)}\n```\n"),
        Part("How to verify this copy", _verify(manifest)),
    )
    return [part for part in parts if part.text]


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, words: int = 1) -> str:
    """Give a Markdown table; the first `words` columns are text, the rest numbers."""
    rule = ["---"] * words + ["---:"] * (len(head) - words)
    lines = [head, rule, *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}".removesuffix(".0")
    return f"{value:,}" if isinstance(value, int) else str(value)


def _list(sentences: Iterable[str]) -> str:
    return "".join(f"- {words}\n" for words in sentences)


def _lead(manifest: Mapping[str, Any]) -> str:
    frozen = manifest["frozen"]
    return (
        f"{account.nature(manifest)}\n\n"
        + licensing.limit(manifest)
        + PICTURE_LINE
        + table(("At a glance", "In this version"), _facts(manifest), words=2)
        + f"\nFrozen as `{manifest['project']['slug']}@{manifest['version']}` on {frozen['at'][:10]} "
        f"by {plain(frozen['by']['name'])} with Handpicked.\n"
    )


def _facts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    examples, tokens = manifest["examples"], manifest.get("tokens")
    dialogues = sum(found.get("dialogues", 0) for found in manifest.get("shapes", {}).values())
    turns = f"; {plural(dialogues, 'dialogue')} of several turns" if dialogues else ""
    licences = ", ".join(f"{licensing.named(row['licence'])} ({row['examples']:,})" for row in of_manifest(manifest))
    facts = [
        ("Examples", f"{examples['train']:,} train, {examples['dev']:,} dev, {examples['test']:,} test{turns}"),
        ("Tokens", _tokens_fact(tokens) if tokens else ""),
        ("Languages", account.languages(manifest, plain)),
        ("Licences", licences),
        ("Approved", _approved_fact(manifest)),
        ("Identity", f"`{manifest['id']}`, the SHA-256 of `examples.jsonl`"),
    ]
    return [fact for fact in facts if fact[1]]


def _tokens_fact(tokens: Mapping[str, Any]) -> str:
    by = f"by {plain(tokens['name'] or 'a tokenizer')}" if tokens["exact"] else "estimated"
    cut = sum(tokens["cut"].values())
    rest = f"{plural(cut, 'row')} longer" if cut else "no row longer"
    return f"{tokens['total']:,} {by}; {rest} than {tokens['limit']:,}"


def _approved_fact(manifest: Mapping[str, Any]) -> str:
    found = manifest["approvals"]
    parts = (
        (found["second_person"], "by a second person"), (found["imported"], "elsewhere"),
        (found["unrecorded"], "without a record"), (found.get("own", 0), "by their own writer"),
    )  # fmt: skip
    return ", ".join(f"{count:,} {where}" for count, where in parts if count)


def _purpose() -> str:
    return _list(account.USES) + "\nWhat it is not for:\n\n" + _list(account.MISUSES)


def _example(shown: Mapping[str, Any] | None) -> str:
    if shown is None:
        return ""
    turns = [f"**{said['role'].capitalize()}**\n\n{_quoted(said['content'])}" for said in shown["messages"]]
    about = shown["attribution"]
    where = link(f"from {about.get('site') or 'its source'}", about.get("url")) if about.get("url") else ""
    author = f"by {link(str(about['author']), about.get('author_url'))}" if about.get("author") else ""
    licence = licensing.named(shown["licence"]) if shown["licence"] else "no licence stated"
    credit = ", ".join(part for part in (f"Source `{shown['source']}`", where, author, licence) if part)
    return "\n".join(turns) + f"\n{credit}. Shown as plain text; the words are Markdown.\n"


def _quoted(text: str) -> str:
    """A text as a quotation, line by line, nothing in it live."""
    cut = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN].rstrip() + "…"
    lines = cut.splitlines() or [""]
    # Two blanks at the end keep a line a line.
    return "".join(f"> {plain(line)}  \n" if line.strip() else ">\n" for line in lines)


def _loading(form: Format) -> str:
    path = form.path_of("train")
    plainly = {
        "jsonl": f'import json\n\nrows = [json.loads(line) for line in open("{path}", encoding="utf-8")]',
        "csv": f'import pandas\n\nrows = pandas.read_csv("{path}", keep_default_na=False)',
        "parquet": f'import pyarrow.parquet\n\nrows = pyarrow.parquet.read_table("{path}").to_pylist()',
    }[form.suffix]
    return (
        "With `datasets`, from the folder of this card or its name on the Hub:\n\n"
        '```python\nfrom datasets import load_dataset\n\ndata = load_dataset("FOLDER_OR_NAME")\n```\n\n'
        f"Without it:\n\n```python\n{plainly}\n```\n\n"
        "By its Croissant metadata, each file checked against its hash:\n\n"
        '```python\nimport mlcroissant\n\nrows = mlcroissant.Dataset("croissant.json").records("train")\n```\n'
    )


def _composition(manifest: Mapping[str, Any]) -> str:
    tokens = {(row["source"], row["split"]): row["tokens"]["total"] for row in manifest["lengths"] if "tokens" in row}
    rows = [
        (plain(row["title"]), f"`{row['source']}`", row["split"], row["count"], row["target"] or "–",
         *((tokens.get((row["source"], row["split"])) or "–",) if tokens else ()))
        for row in manifest["composition"]
    ]  # fmt: skip
    return table(("Source", "Key", "Split", "Examples", "Target", *(("Tokens",) if tokens else ())), rows, words=3)


def _lengths(manifest: Mapping[str, Any]) -> str:
    order = {(row["source"], row["split"]): place for place, row in enumerate(manifest["composition"])}
    rows = sorted(manifest["lengths"], key=lambda row: order.get((row["source"], row["split"]), len(order)))
    head = ("Source", "Split", "Examples", "Prompt mean", "median", "max", "Response mean", "median", "max")
    left_out = f"{words}.\n\n" if (words := without_response(manifest)) else ""
    in_characters = "### In characters\n\n" + table(head, [_lengths_row(row, row) for row in rows], words=2)
    if not all("tokens" in row for row in rows):
        return left_out + in_characters
    known = any(_lima(row) for row in rows)
    more = ("LIMA's means",) if known else ()
    tokens = [_lengths_row(row, row["tokens"]) + ((_lima(row) or "–",) if known else ()) for row in rows]
    note = "\nLIMA's means are those of its paper, for prompt and response of its own rows of that source.\n"
    told = account.tokenizer(manifest, plain)
    in_tokens = f"### In tokens\n\n{told}\n\n" + table((*head, *more), tokens, words=2) + (note if known else "")
    return f"{left_out}{in_tokens}\n{in_characters}"


def _lengths_row(row: Mapping[str, Any], sizes: Mapping[str, Any]) -> tuple[object, ...]:
    found = (sizes[part][size] or "–" for part in ("prompt", "response") for size in ("mean", "median", "max"))
    return (f"`{row['source']}`", row["split"], row["examples"], *found)


def _lima(row: Mapping[str, Any]) -> str:
    means = LIMA_MEANS.get(row["source"]) if row["split"] == "train" else None
    return f"{means[0]:,} / {means[1]:,}" if means else ""


def _licences(manifest: Mapping[str, Any]) -> str:
    rows = [(licensing.named(row["licence"]), row["examples"]) for row in of_manifest(manifest)]
    kinds = (("Sites", account.named_sites(manifest, plain)), ("Files", account.named_files(manifest, plain)))
    found = "".join(f"\n{title}: {', '.join(names)}.\n" for title, names in kinds if names)
    return (
        table(("Licence", "Examples"), rows)
        + found
        + "\n"
        + licensing.duties(manifest)
        + f"\n{licensing.credit(manifest)} `examples.jsonl` carries licence and attribution on each line; "
        f"`{licensing.LICENSE}` says which licences there are.\n"
    )


def _process(manifest: Mapping[str, Any]) -> str:
    steps = (
        ("Collecting", [*account.collection(manifest, plain), *account.rules(manifest),
                        *account.samplings(manifest, plain)]),
        ("Writing", [*account.writing(manifest), account.models(manifest, plain)]),
        ("Approving", [
            *account.approving(manifest, plain), account.agreement(manifest), account.people(manifest, plain),
        ]),
    )  # fmt: skip
    told = ((name, [words for words in sentences if words]) for name, sentences in steps)
    return "\n".join(f"### {name}\n\n{_list(sentences)}" for name, sentences in told if sentences)


def _gates(manifest: Mapping[str, Any]) -> str:
    rows = [
        (gate["gate"], gate["state"], plain(gate["detail"]), plain(gate.get("reason", "")))
        for gate in manifest["gates"]
    ]
    overridden = [gate for gate in manifest["gates"] if gate["state"] == "overridden"]
    names = ", ".join(gate["gate"] for gate in overridden)
    note = f"\n**Frozen against a gate: {names}.** An admin went past it for the reason in the table.\n"
    lines = [line for gate in overridden for line in _rows(gate)]
    concerned = "\nThe rows concerned, by the SHA-256 of their lines:\n\n" + _list(lines) if lines else ""
    return (
        "What was checked before the freeze.\n\n"
        + table(("Gate", "State", "What was found", "Reason of the override"), rows, words=4)
        + (note + concerned if overridden else "")
    )


def _rows(gate: Mapping[str, Any]) -> Iterator[str]:
    rows = gate.get("rows", ())
    for row in rows[:ROWS_NAMED]:
        yield f"{gate['gate']}: " + " and ".join(f"`{sha256}`" for sha256 in row)
    if len(rows) > ROWS_NAMED:
        yield f"{gate['gate']}: more in `manifest.json`, under `gates`"


def _files(manifest: Mapping[str, Any], form: Format) -> str:
    layout = form.layout
    columns = [(f"`{column.name}`", plain(column.about)) for column in layout(told=has_columns(manifest)).columns]
    return (
        f"- `{layout.path_of('train')}` and likewise `dev` and `test`, as far as they hold examples: {layout.holds}. "
        f"Read by {layout.read_by}. A dev or test prompt may come without a response.\n"
        "- `examples.jsonl`: every example with split, source, messages, licence and attribution, "
        "in canonical JSON (keys sorted, no blanks, UTF-8), the lines sorted by their SHA-256.\n"
        f"- `ATTRIBUTION.md` and `{licensing.LICENSE}`: credit and licences, text by text.\n"
        f"- `croissant.json`: Croissant 1.1 metadata; `{PICTURE}`: the picture above.\n"
        "- `manifest.json` (counts, people, gates, software, the hash of each file), `SHA256SUMS`.\n\n"
        f"The columns of `{layout.path_of('train')}`:\n\n" + table(("Column", "What it is"), columns, words=2)
    )


def _verify(manifest: Mapping[str, Any]) -> str:
    return (
        "```\n"
        f"handpicked verify . --id {manifest['id']}\n"
        "sha256sum --check SHA256SUMS\n"
        "sha256sum examples.jsonl\n"
        "```\n\n"
        "The last gives the identity. The first needs no database: it recomputes the hash of every file, the identity "
        "from `examples.jsonl` and the seal of the manifest, and compares the data files with `examples.jsonl`, "
        f"example by example.\n\n{account.MAINTENANCE}\n"
    )
