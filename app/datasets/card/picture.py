"""composition.svg: a version's thousand cells with their legend, as one file that needs nothing beside it.

The card shows it on the Hub, where the page may be light or dark and no style sheet is at hand: so it brings its own
ground, colours for both, and a description for whoever does not see it. Equal manifests give equal bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from app.datasets.material import SPLITS
from app.web.cells import Cell, CellBlock, CellSource, draw_cells, size_of

# The colours of static/tokens.css in sRGB, light and dark, the grey of what the target does not name first.
SOURCES = (
    ("#7f8179", "#73766e"), ("#1f3c80", "#3673b4"), ("#a15421", "#c67a41"), ("#03635c", "#36a996"),
    ("#c26a8d", "#a04d76"), ("#a98c2d", "#d3b961"), ("#7357a4", "#a890dd"), ("#4f2015", "#fdddcf"),
    ("#3797c6", "#6fd4f5"),
)  # fmt: skip
PAPER, INK, QUIET = ("#fafaf7", "#131511"), ("#1d211a", "#e6e7e1"), ("#575b52", "#a7a9a0")
MARGIN, CELL, LINE, BAR = 24, 15, 26, 14
# Squares that a picture has at most; of a larger set each stands for several examples.
MOST = 1500
LONGEST_TITLE = 40


@dataclass(frozen=True)
class _Row:
    """A source in a split, with the number of its colour."""

    title: str
    split: str
    colour: int
    count: int
    target: int

    @property
    def size(self) -> int:
        return max(self.count, self.target)

    @property
    def words(self) -> str:
        return f"{self.count:,} of {self.target:,}" if self.target else f"{self.count:,}"


def composition_svg(manifest: Mapping[str, Any]) -> str:
    """Give the picture of a version's composition as a whole SVG document."""
    rows = _rows(manifest)
    shown = [row for row in rows if row.split == SPLITS[0]] or rows
    others = [split for split in SPLITS[1:] if shown is not rows and any(row.split == split for row in rows)]
    unit = -(-sum(row.size for row in shown) // MOST) or 1
    width, height, cells = _cells(shown, unit)
    legend_at = MARGIN + height + LINE
    legend = list(_legend(shown, legend_at, width))
    bars_at = legend_at + LINE * -(-len(shown) // 2) + LINE // 2
    bars = [
        part
        for place, split in enumerate(others)
        for part in _bar([row for row in rows if row.split == split], bars_at + place * 2 * LINE, width)
    ]
    bottom = bars_at + len(others) * 2 * LINE + (LINE // 2 if unit > 1 else 0)
    note = [_text(MARGIN, bottom - LINE // 2, f"One square is {unit:,} examples.", "q")] if unit > 1 else []
    return _document(manifest, rows, (width + 2 * MARGIN, bottom), [*cells, *legend, *bars, *note])


def _rows(manifest: Mapping[str, Any]) -> list[_Row]:
    """The rows of the composition; without a target each source gets a colour in its turn, not all of them grey."""
    found = [row for row in manifest["composition"] if row["count"] or row["target"]]
    named = sorted({row["source"] for row in found})
    given = any(row["colour"] for row in found)
    colours = {source: place % 8 + 1 for place, source in enumerate(named)}
    return [
        _Row(row["title"], row["split"], _eighth(row["colour"]) if given else colours[row["source"]],
             row["count"], row["target"])
        for row in found
    ]  # fmt: skip


def _eighth(colour: int) -> int:
    return (colour - 1) % 8 + 1 if colour else 0


def _cells(rows: Sequence[_Row], unit: int) -> tuple[int, int, list[str]]:
    """Width, height, and the squares: one path a source and state, full where there is an example."""
    sources = [
        CellSource(row.title, row.colour, _in_units(row.target, unit), [_FULL] * _in_units(row.count, unit))
        for row in rows
    ]
    if not any(map(size_of, sources)):
        return 796, 0, []
    picture = draw_cells(sources)
    return picture.width, picture.height, [part for block in picture.blocks for part in _block(block)]


_FULL = Cell("approved", None, "")


def _in_units(count: int, unit: int) -> int:
    return max(1, round(count / unit)) if count else 0


def _block(block: CellBlock) -> Iterator[str]:
    for full in (True, False):
        places = [(cell.x, cell.y) for cell in block.cells if (cell.status == _FULL.status) == full]
        if places:
            path = "".join(f"M{MARGIN + x} {MARGIN + y}h{CELL}v{CELL}h-{CELL}z" for x, y in places)
            yield f'<path {_fill(block.number, faint=not full)} d="{path}"/>'


def _fill(colour: int, *, faint: bool = False) -> str:
    return f'class="s{colour}" fill="{SOURCES[colour][0]}"' + (' fill-opacity="0.25"' if faint else "")


def _legend(rows: Sequence[_Row], top: int, width: int) -> Iterator[str]:
    """Two columns: square, title, count of the target."""
    half = (width + LINE) // 2
    for place, row in enumerate(rows):
        x, y = MARGIN + place % 2 * half, top + place // 2 * LINE
        yield f'<rect {_fill(row.colour)} x="{x}" y="{y - 11}" width="12" height="12"/>'
        yield _text(x + 22, y, _short(row.title))
        yield _text(x + half - LINE, y, row.words, "q", end=True)


def _bar(rows: Sequence[_Row], top: int, width: int) -> Iterator[str]:
    """One split: its name and counts over a bar that is full when the target is met."""
    size = sum(row.size for row in rows)
    count, target = sum(row.count for row in rows), sum(row.target for row in rows)
    names = [_short(row.title) + (f" {row.words}" if len(rows) > 1 else "") for row in rows[:2]]
    more = f" and {len(rows) - 2} more" if len(rows) > 2 else ""
    yield _text(MARGIN, top, f"{rows[0].split}: {', '.join(names)}{more}")
    yield _text(MARGIN + width, top, f"{count:,} of {target:,}" if target else f"{count:,}", "q", end=True)
    before = 0
    for row in rows:
        for part, faint in ((row.count, False), (row.size - row.count, True)):
            left, right = (round(width * at / size) for at in (before, before + part))
            before += part
            if right > left:
                place = f'x="{MARGIN + left}" y="{top + 10}" width="{right - left}" height="{BAR}"'
                yield f"<rect {_fill(row.colour, faint=faint)} {place}/>"


def _short(title: str) -> str:
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1].rstrip() + "…"


def _text(x: int, y: int, words: str, kind: str = "i", *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    fill = (QUIET if kind == "q" else INK)[0]
    return f'<text class="{kind}" fill="{fill}" x="{x}" y="{y}"{anchor}>{_safe(words)}</text>'


def _safe(words: str) -> str:
    # XML has no word for control characters, not even escaped.
    return escape("".join(sign if sign.isprintable() else " " for sign in words), quote=False)


def _document(manifest: Mapping[str, Any], rows: Sequence[_Row], size: tuple[int, int], parts: Sequence[str]) -> str:
    width, height = size
    title = f"Composition of {manifest['project']['name']}, {manifest['version']}"
    told = "; ".join(f"{row.title} ({row.split}) {row.words}" for row in rows) or "no examples"
    dark = [f".s{number}{{fill:{colours[1]}}}" for number, colours in enumerate(SOURCES)]
    dark += [f".{name}{{fill:{colours[1]}}}" for name, colours in (("p", PAPER), ("i", INK), ("q", QUIET))]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'role="img" aria-labelledby="title desc" font-family="Inter, system-ui, sans-serif" font-size="14">'
    )
    meaning = "Each full square is an example, each faint one is missing from the target."
    return "\n".join(
        (
            head,
            f'<title id="title">{_safe(title)}</title>',
            f'<desc id="desc">{meaning} {_safe(told)}.</desc>',
            f"<style>@media (prefers-color-scheme: dark) {{{''.join(dark)}}}</style>",
            f'<rect class="p" fill="{PAPER[0]}" width="{width}" height="{height}" rx="6"/>',
            *parts,
            "</svg>\n",
        )
    )
