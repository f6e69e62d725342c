"""What a page says of the formats in which a version can be taken away."""

from dataclasses import dataclass

from app.datasets.formats import Format
from app.datasets.formats.base import Layout


@dataclass(frozen=True)
class ExportOption:
    """A format: its name, what its files hold and who reads them, with `code` between backticks, and what comes along.

    `elsewhere` is what of an example stands in examples.jsonl alone, `trainers` are those for which a configuration
    lies in the export.
    """

    value: str
    title: str
    holds: str
    read_by: str
    elsewhere: tuple[str, ...]
    trainers: tuple[str, ...]


def export_options() -> tuple[ExportOption, ...]:
    """Every format, in its order."""
    return tuple(_option(form) for form in Format)


def _option(form: Format) -> ExportOption:
    layout = form.layout
    trainers = (("Axolotl", layout.axolotl), ("LLaMA-Factory", layout.llamafactory))
    with_one = tuple(name for name, settings in trainers if settings is not None)
    elsewhere = tuple(part for part in ("source", "licence", "attribution") if not _keeps(layout, part))
    return ExportOption(form.value, layout.title, layout.holds, layout.read_by, elsewhere, with_one)


def _keeps(layout: type[Layout], part: str) -> bool:
    # Author and link are what of the attribution somebody looks for.
    return part in layout.keeps or (part == "attribution" and "author" in layout.keeps)
