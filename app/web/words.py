"""Numbers, times and sizes in words, the same on pages and in the command line."""

from datetime import UTC, datetime


def number(value: float | None, digits: int = 0) -> str:
    """1234.5 -> 1,234; None -> a dash."""
    return "–" if value is None else f"{value:,.{digits}f}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """2, 'pair' -> '2 pairs'."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def ago(moment: datetime | None) -> str:
    """How long ago, in the largest unit that fits."""
    if moment is None:
        return "never"
    seconds = max(0.0, (datetime.now(UTC) - moment).total_seconds())
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "min")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} min ago" if unit == "min" else f"{plural(count, unit)} ago"
    return "just now"


def day(moment: datetime | None) -> str:
    """25 November 2026."""
    return "–" if moment is None else f"{moment.day} {moment:%B %Y}"


def moment(value: datetime | None) -> str:
    """25 November 2026, 14:05 UTC."""
    return "–" if value is None else f"{day(value)}, {value:%H:%M} UTC"


def duration(seconds: float | None) -> str:
    """3700 -> '1 h 2 min'."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def filesize(size: float, of: float = 0) -> str:
    """1,500,000 -> '1.5 MB'; beside a larger size it is part `of`, in the unit of that."""
    largest = max(size, of)
    for unit in ("bytes", "kB", "MB", "GB"):
        if largest < 1000 or unit == "GB":
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size, largest = size / 1000, largest / 1000
    raise AssertionError
