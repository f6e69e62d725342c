"""How fast a job goes, and how long it will take, in words."""

from datetime import datetime

from app.jobs.models import Job, JobState
from app.web.words import duration, filesize, number

# Guesses from the first moments would jump about.
GUESS_AFTER = 2.0


def pace(job: Job, at: datetime) -> tuple[str, str]:
    """("1.1 MB a second", "50 s left"), bytes in the unit of the total; empty where nothing can be said yet."""
    rate = _rate(job, at)
    if not rate:
        return "", ""
    return (
        f"{_amount(job, rate)} a second",
        f"{duration((job.total - job.done) / rate)} left" if job.total > job.done else "",
    )


def how_far(job: Job) -> str:
    """0.9 MB of 31.9 MB, or 500 of 1,000 records."""
    if job.unit == "kB":
        done = filesize(1000 * job.done, 1000 * job.total)
        return f"{done} of {filesize(1000 * job.total)}" if job.total else done
    of = f" of {job.total:,}" if job.total else ""
    return f"{job.done:,}{of} {job.unit}".rstrip()


def _amount(job: Job, rate: float) -> str:
    if job.unit == "kB":
        return filesize(1000 * rate, 1000 * job.total)
    return f"{number(rate, 0 if rate >= 10 else 1)} {job.unit or ''}".rstrip()


def _rate(job: Job, at: datetime) -> float:
    if job.state is not JobState.RUNNING or job.started_at is None or not job.done:
        return 0.0
    seconds = (at - job.started_at).total_seconds()
    return job.done / seconds if seconds > GUESS_AFTER else 0.0
