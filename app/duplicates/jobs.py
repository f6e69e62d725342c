"""The handler of scans for duplicates."""

from app.duplicates.scanning import run_scan
from app.jobs.running import JobContext, handles


@handles("scan_duplicates")
def scan_duplicates(context: JobContext) -> None:
    """Find pairs among candidates and examples; a restart starts over and ends in the same pairs."""
    run_scan(context)
