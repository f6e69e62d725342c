"""Which remembered pairs are leaks, told anew after examples have moved to another split."""

from collections.abc import Collection, Iterable
from itertools import islice

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.duplicates.models import DuplicatePair, Verdict
from app.duplicates.texts import Kind, example_key, parsed
from app.examples.models import Example
from app.examples.sight import everything
from app.projects.models import Split
from app.sources.models import Candidate

AT_ONCE = 500


def tell_leaks(session: Session, project_id: int, moved: Collection[int]) -> int:
    """Look again at the pairs of these examples; how many became leaks or are none any more.

    A pair that was kept without a reason and has become a leak is asked again, as a scan would ask.
    """
    keys = {example_key(number) for number in moved}
    query = select(DuplicatePair).where(DuplicatePair.project_id == project_id)
    with everything(session):
        pairs = [pair for pair in session.scalars(query) if keys & {pair.left_key, pair.right_key}]
        splits = _splits(session, project_id, {key for pair in pairs for key in (pair.left_key, pair.right_key)})
    changed = 0
    for pair in pairs:
        left, right = splits.get(pair.left_key), splits.get(pair.right_key)
        leak = left is not None and right is not None and (left is Split.TRAIN) != (right is Split.TRAIN)
        if leak == pair.leak:
            continue
        changed += 1
        pair.leak = leak
        if leak and pair.verdict is Verdict.KEEP_BOTH and not pair.kept_because:
            pair.verdict = Verdict.OPEN
    session.flush()
    return changed


def _splits(session: Session, project_id: int, keys: Iterable[str]) -> dict[str, Split]:
    """Where the members with these keys stand."""
    told = {key: parsed(key) for key in keys}
    ids = (int(name) for kind, _, name in told.values() if kind is Kind.EXAMPLE)
    names = ((site, name) for kind, site, name in told.values() if kind is Kind.CANDIDATE)
    found: dict[str, Split] = {}
    while some := list(islice(ids, AT_ONCE)):
        rows = session.execute(select(Example.id, Example.split).where(Example.id.in_(some)))
        found |= {example_key(number): split for number, split in rows}
    while few := list(islice(names, AT_ONCE)):
        query = select(Candidate.site, Candidate.external_id, Candidate.split).where(
            Candidate.project_id == project_id, tuple_(Candidate.site, Candidate.external_id).in_(few)
        )
        found |= {f"{Kind.CANDIDATE}:{site}/{name}": split for site, name, split in session.execute(query)}
    return found
