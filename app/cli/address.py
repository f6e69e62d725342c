"""Where people reach this installation: what a setting says, else what a running server left beside its data."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from app.config import Settings

USUAL = "http://127.0.0.1:8000"
FILE = "served-at"


def address(settings: Settings) -> str:
    """The address for links, without a slash at its end; where nothing serves, that at which it usually does."""
    if settings.base_url:
        return settings.base_url.rstrip("/")
    with suppress(OSError):
        return (settings.data_dir / FILE).read_text("utf-8").strip() or USUAL
    return USUAL


@contextmanager
def told(settings: Settings, here: str) -> Iterator[None]:
    """Leave word of where pages are served while the block runs; where none can be left, links name the usual one."""
    file = settings.data_dir / FILE
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(here, "utf-8")
    try:
        yield
    finally:
        # Another server may have come in the meantime and left its own.
        with suppress(OSError):
            if file.read_text("utf-8") == here:
                file.unlink()
