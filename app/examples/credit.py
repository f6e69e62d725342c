"""Who is to be credited for the words that a candidate or an import brought.

Where texts were merged into one, the credit of each further one stands under `merged`, with its own licence and source;
then the first has its own licence beside it, too, and the example is under all of them (app.text.licences).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from app.examples.models import Example
from app.sources.models import Candidate, ImportRun
from app.sources.records import Record
from app.text.licences import is_stated, together

MERGED = "merged"
# A question has a writer of its own, and its words are the prompt.
OF_THE_QUESTION = ("question_url", "question_author", "question_author_url", "question_licence")
# Rows without an id and without a site are known by their words, whichever file they stand in: where others have a site
# they have the name of their form, which is nobody's name.
FORMS = frozenset({
    "alpaca", "lima", "messages", "pair", "preference", "questions", "reddit_csv", "self_instruct", "sharegpt", "table",
})  # fmt: skip


def attribution_of(origin: Candidate | Record) -> dict[str, Any]:
    """What giving credit needs: author, author_url, url, site, date and the question's own, as far as known."""
    date = origin.posted_at.astimezone(UTC).date().isoformat() if origin.posted_at else None
    extra: Mapping[str, Any] = origin.extra
    if "attribution" in extra:
        return dict(extra["attribution"])  # an export of our own, which says it in full
    known = {
        "author": origin.author,
        "author_url": origin.author_url,
        "url": origin.url,
        "site": origin.site,
        "date": date,
        **{key: extra.get(key) for key in OF_THE_QUESTION},
    }
    return {key: value for key, value in known.items() if value}


def called(site: str | None, run: ImportRun | None) -> str | None:
    """What people read in place of a site: of rows in one of the FORMS the file that they came in, if it is known."""
    if site not in FORMS:
        return site
    return str(run.options.get("file") or run.name) if run else None


def credit_of_prompt(credit: Mapping[str, Any], *, answered: bool) -> dict[str, Any]:
    """What of a credit is left for the prompt alone, where somebody else writes the answer.

    `answered`: whether an answer came with the prompt. Then author and link are that answer's, and of the two only the
    link says where the prompt is from; else they are the prompt's own.
    """
    asked = {"question_url": credit.get("url")}
    if not answered:
        asked |= {"question_author": credit.get("author"), "question_author_url": credit.get("author_url")}
    asked |= {key: credit.get(key) for key in (*OF_THE_QUESTION, "site", "licence", "source") if credit.get(key)}
    merged = [credit_of_prompt(one, answered=answered) for one in credit.get(MERGED, ())]
    return {key: value for key, value in (asked | {MERGED: merged}).items() if value}


def credits_in(attribution: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Each credit by itself: of a text that was merged of several there are several."""
    first = {key: value for key, value in attribution.items() if key != MERGED}
    return [first, *attribution.get(MERGED, ())]


def merged_credit(kept: Example, other: Candidate | Example) -> tuple[str | None, dict[str, Any]]:
    """The licence and the attribution of an example that takes words of another text: each credit once.

    What was written here, under no licence and credited to nobody, adds none; then all is as the other has it.
    """
    found: list[dict[str, Any]] = []
    for credit in (*_credits(kept), *_credits(other)):
        if not any(_same(credit, one) for one in found):
            found.append(credit)
    if not found:
        return kept.licence, kept.attribution
    first, *others = found
    told = {key: value for key, value in first.items() if key != "source"}
    if not others:
        return told.pop("licence", None), told
    return together(one.get("licence") for one in found), told | {MERGED: others}


def _credits(row: Candidate | Example) -> Iterator[dict[str, Any]]:
    attribution = row.attribution if isinstance(row, Example) else attribution_of(row)
    first, *others = credits_in(attribution)
    brought = isinstance(row, Candidate) or row.candidate_id is not None or row.import_run_id is not None
    if brought or first or row.licence:
        own = first.get("licence") or (None if others else row.licence)
        told = {**first, "licence": own, "source": row.source}
        yield {key: value for key, value in told.items() if value}
    yield from map(dict, others)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two credits say the same, whichever source their examples count towards."""
    return {**one, "source": ""} == {**other, "source": ""}


def with_licence(attribution: Mapping[str, Any], licence: str) -> dict[str, Any]:
    """A merged text's attribution, with that licence for each of its credits that states none."""
    if MERGED not in attribution:
        return dict(attribution)
    first, *others = (
        one if is_stated(one.get("licence")) else {**one, "licence": licence} for one in credits_in(attribution)
    )
    return {**first, MERGED: others}
