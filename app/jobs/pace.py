"""How fast a job goes, and how long it will take, in words."""

from datetime import datetime

from app.jobs.models import Job, JobState
from app.web.words import duration, number

# Guesses from the first moments would jump about.
GUESS_AFTER = 2.0


def pace(job: Job, at: datetime) -> tuple[str, str]:
    """("1,090 kB a second", "50 s left"); empty where nothing can be said yet."""
    rate = _rate(job, at)
    if not rate:
        return "", ""
    unit = f" {job.unit}" if job.unit else ""
    words = f"{number(rate, 0 if rate >= 10 else 1)}{unit} a second"
    return words, f"{duration((job.total - job.done) / rate)} left" if job.total > job.done else ""


def _rate(job: Job, at: datetime) -> float:
    if job.state is not JobState.RUNNING or job.started_at is None or not job.done:
        return 0.0
    seconds = (at - job.started_at).total_seconds()
    return job.done / seconds if seconds > GUESS_AFTER else 0.0
