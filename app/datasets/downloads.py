"""Files that are sent: in one piece, or the parts that a download asks for when it goes on after a break."""

from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse

from app.datasets.archive import Packing
from app.errors import Refusal

# Whoever goes on with a download asks for one; each of many would be found and sent by itself.
MOST_RANGES = 100


class TooManyRanges(Refusal):
    """The request asks for {asked:,} parts of the file, and {most} is the most; nothing was sent. Ask for one."""

    status = 416
    title = "Too many parts"


def require_few_ranges(request: Request) -> None:
    """Refuse a request for more parts of a file than anybody needs; before the file is made."""
    asked = request.headers.get("range", "").count(",") + 1
    if asked > MOST_RANGES:
        raise TooManyRanges(asked=asked, most=MOST_RANGES)


def sent(archive: Path, name: str, packing: Packing) -> FileResponse:
    """The file under a name of its own."""
    return FileResponse(archive, media_type=packing.media_type, filename=f"{name}.{packing}")
