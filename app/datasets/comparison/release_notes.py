"""Release notes: what changed from one version to the next, as Markdown that a stranger can read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy.orm import Session

from app.datasets.comparison.comparing import TITLES, Change, Comparison, Kind
from app.datasets.comparison.comparisons import Side, called, compared
from app.datasets.comparison.documents import Pair, in_words, joined, kept_out_words, pairs_of, readable
from app.datasets.comparison.entries import facts_of, labels_between
from app.datasets.comparison.reworded import Turn, turns_of
from app.datasets.credits import plain
from app.examples.labels import SourceLabels
from app.text.diff import Segment
from app.web.words import day, plural

# So many changes of a section are listed; of a text so many characters round a change, of a change itself, and changes.
LISTED = 200
AROUND = 45
LONGEST = 240
CHANGES_OF_A_TEXT = 4

# In this order, each change under the first that holds.
_SECTIONS = {
    Kind.MOVED: "Moved between splits",
    Kind.REWORDED: "Reworded",
    Kind.LICENCE: "Under another licence",
    Kind.SOURCE: "From another source",
    Kind.ATTRIBUTION: "Attributed otherwise",
    Kind.GROUP: "Of another group",
    Kind.FLAGS: "Flagged otherwise",
    Kind.OTHER: "Changed otherwise",
    Kind.ADDED: "Added",
    Kind.REMOVED: "Removed",
}


def section_of(change: Change) -> Kind:
    """The heading under which a change stands."""
    return next(kind for kind in _SECTIONS if kind in change.kinds)


def listed(changes: Iterable[Change]) -> list[Change]:
    """The changes whose words the notes show: the first so many of each section."""
    room = dict.fromkeys(_SECTIONS, LISTED)
    found = []
    for change in changes:
        section = section_of(change)
        if room[section]:
            room[section] -= 1
            found.append(change)
    return found


def release_notes(session: Session, project: str, old: Side, new: Side) -> str:
    """Give the notes, as far as the acting person may read what changed; of two projects both are named."""
    comparison, allowed = compared(old, new), readable(session)
    may_read = [change for change in comparison.changes if allowed(change)]
    pairs = pairs_of(old, new, listed(may_read))
    titles = labels_between(old, new)
    names = tuple(map(plain, called(old, new)))
    kept_out = kept_out_words(len(comparison.changes) - len(may_read))
    parts = [
        f"# {_heading(project, old, new)}{names[0]} to {names[1]}",
        _lead(names, comparison),
        kept_out,
        _both(names, old, new),
        _by_source(comparison, titles),
        *_sections(may_read, pairs, titles),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(project: str, old: Side, new: Side) -> str:
    return f"{plain(project)}: from " if old.project_id == new.project_id else "From "


def _lead(names: Sequence[str], comparison: Comparison) -> str:
    same, total = len(comparison.same), sum(comparison.after.values())
    if not comparison.changes:
        return f"{names[0]} and {names[1]} hold the same {plural(total, 'example')}, letter for letter."
    verb = "is" if same == 1 else "are"
    return f"**{in_words(comparison)}** {same:,} of {plural(total, 'example')} {verb} the same, letter for letter."


def _both(names: Sequence[str], old: Side, new: Side) -> str:
    rows = [("Examples", *(f"{sum(side.splits.values()):,}" for side in (old, new)))]
    rows += [(name, *(f"{side.splits[name]:,}" for side in (old, new))) for name in old.splits]
    means = ("Characters of a mean prompt", "Characters of a mean response")
    rows += [(name, *(f"{side.means[place]:,.1f}" for side in (old, new))) for place, name in enumerate(means)]
    rows += [("Frozen", *(day(side.frozen_at) if side.frozen_at else "not yet" for side in (old, new)))]
    rows += [("Identity", *(f"`{side.id}`" if side.id else "none yet" for side in (old, new)))]
    return _table(("", *names), rows, words=1)


def _by_source(comparison: Comparison, titles: SourceLabels) -> str:
    kinds = [kind for kind in TITLES if comparison.counts[kind]]
    rows = [
        (plain(titles.of(source).short),
         *(_count(held.get(source, 0)) for held in (comparison.before, comparison.after)),
         *(_count(comparison.by_source[source][kind]) for kind in kinds))
        for source in titles.in_order(comparison.by_source)
    ]  # fmt: skip
    return "## By source\n\n" + _table(("Source", "Before", "After", *(TITLES[kind] for kind in kinds)), rows, words=1)


def _count(count: int) -> str:
    return f"{count:,}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words: int) -> str:
    rules = ["---"] * words + ["---:"] * (len(head) - words)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rules, *rows))


def _sections(may_read: Sequence[Change], pairs: Sequence[Pair], titles: SourceLabels) -> Iterator[str]:
    counts = Counter(section_of(change) for change in may_read)
    every = Counter(kind for change in may_read for kind in change.kinds)
    shown: Mapping[Kind, list[Pair]] = {kind: [] for kind in _SECTIONS}
    for pair in pairs:
        shown[section_of(pair.change)].append(pair)
    for kind, title in _SECTIONS.items():
        # What holds of a change that stands under another heading is counted here as in the numbers above.
        if not counts[kind]:
            continue
        entries = [line for pair in shown[kind] for line in _entry(pair, titles)]
        rest = counts[kind] - len(shown[kind])
        more = [f"- … and {rest:,} more."] if rest else []
        said = [f"{every[kind]:,}"]
        said += [f"of these {every[Kind.FORM]:,} only in form"] if kind is Kind.REWORDED and every[Kind.FORM] else []
        said += [f"{above:,} of them listed above"] if (above := every[kind] - counts[kind]) else []
        yield f"## {title} ({', '.join(said)})\n\n" + "\n".join(entries + more)


def _entry(pair: Pair, titles: SourceLabels) -> Iterator[str]:
    row = pair.change.row
    place = f"row {row.position + 1:,} of {plain(pair.version)}" if pair.version else f"example {row.example_id:,}"
    yield f"- **{plain(pair.title) or 'No prompt'}** ({plain(titles.of(row.source).short)}, {row.split}, {place})"
    for what, before, after in facts_of(pair, titles):
        yield f"  - {plain(what)}: {plain(before)} → {plain(after)}"
    if pair.change.ways:
        yield f"  - Differs only in {joined(pair.change.ways)}."
    elif pair.old and pair.new and Kind.REWORDED in pair.change.kinds:
        yield from (_turn(turn) for turn in turns_of(pair.old["messages"], pair.new["messages"]) if turn.changed)


def _turn(turn: Turn) -> str:
    words = f" {turn.change}" if turn.change else ""
    return f"  - {turn.title}{words}: {excerpt(turn.segments)}"


def excerpt(segments: Sequence[Segment]) -> str:
    """A word diff in short, as Markdown on one line: what was deleted struck out, what is new underlined."""
    said, changes, last = "", 0, len(segments) - 1
    for place, segment in enumerate(segments):
        if segment.kind == "equal":
            said += _around(segment.text, opens=place == 0, closes=place == last)
            continue
        # A deletion and the insertion in its place are one change.
        changes += segment.kind == "delete" or place == 0 or segments[place - 1].kind != "delete"
        if changes > CHANGES_OF_A_TEXT:
            rest = sum(1 for at, one in enumerate(segments[place:], place) if _begins(segments, at, one))
            return f"{said.rstrip()} _and {plural(rest, 'further change')}_"
        tag = "ins" if segment.kind == "insert" else "del"
        said += f"<{tag}>{_changed(segment.text)}</{tag}>"
    return said.strip()


def _begins(segments: Sequence[Segment], place: int, segment: Segment) -> bool:
    follows = place > 0 and segments[place - 1].kind == "delete"
    return segment.kind == "delete" or (segment.kind == "insert" and not follows)


def _around(text: str, *, opens: bool, closes: bool) -> str:
    if len(text) <= 2 * AROUND + 10:
        cut = text
    elif opens:
        cut = "… " + text[-AROUND:].partition(" ")[2]
    elif closes:
        cut = text[:AROUND].rpartition(" ")[0] + " …"
    else:
        cut = text[:AROUND].rpartition(" ")[0] + " … " + text[-AROUND:].partition(" ")[2]
    return _in_line(cut)


def _changed(text: str) -> str:
    if text.isspace():
        return "¶" if "\n" in text else "␣"
    return _in_line(text if len(text) <= LONGEST else text[:LONGEST].rstrip() + "…")


def _in_line(text: str) -> str:
    """As Markdown on one line, with the blanks at its ends, which stand between it and the next words."""
    before = " " if text[:1].isspace() else ""
    after = " " if text[-1:].isspace() and text.strip() else ""
    return before + plain(text) + after
