"""The work of a scan: read the texts, group the equal, encode, match, remember the pairs.

Guarantee: a scan that is run again after its worker died ends in the same pairs. Vectors are kept as they are
made and pairs are written by their keys, so nothing is done twice and nothing is there twice.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TypeVar

import numpy as np
from sqlalchemy.orm import Session

from app.duplicates import operations, queries
from app.duplicates.benchmarks.checking import compare_what_is_new
from app.duplicates.engine.shortening import products
from app.duplicates.lexical import LENGTH, alike, runs
from app.duplicates.looking import Looking
from app.duplicates.matching import pairs_at_least
from app.duplicates.models import DuplicateScan, Method, On
from app.duplicates.normal import normal_form
from app.duplicates.operations import WORDING
from app.duplicates.pairing import Found, Group, Pairing, united
from app.duplicates.texts import Text
from app.duplicates.wording import wording_pairs
from app.embeddings.choosing import model_of
from app.embeddings.encoder import Encoder
from app.embeddings.operations import encoder_for, vectors_for
from app.embeddings.vectors import Vectors
from app.errors import NotFound
from app.jobs.memory import Peak
from app.jobs.running import JobContext

TELL_EVERY = 0.3
# What a step writes, a few milliseconds; and how many steps a transaction has where nobody waits.
PAIRS_A_STEP = 100
STEPS = 5

Item = TypeVar("Item")


def run_scan(context: JobContext) -> None:
    """Do one scan from its row to its result; who else writes has a turn after every step."""
    peak = Peak()
    with context.reading() as session:
        scan = queries.scan_by_id(session, context.args["duplicate_scan_id"])
        if scan is None:
            raise NotFound("The scan is not there any more.")
        # A scan that was asked for before there was a threshold of wording has none.
        wording = context.args.get("lexical_permille", round(WORDING * 1000)) / 1000
        thresholds = {Method.EMBEDDING: scan.threshold, Method.LEXICAL: wording}
        texts, links = queries.texts_of(session, scan.project_id), queries.links_of(session, scan.project_id)
        looking = Looking(texts, scan.on, scan.methods, thresholds, links)
        model = model_of(session, context.settings, scan.project_id)
    look(context, looking, model)
    parts = _parts(looking.found, PAIRS_A_STEP)
    context.in_turns((partial(_remember, scan, looking.texts, part) for part in parts), STEPS)
    with context.reading() as session:
        stale = operations.stale_pairs(session, scan, {text.key for text in looking.texts}, thresholds)
    context.in_turns((partial(_drop, scan, part) for part in _parts(stale, PAIRS_A_STEP)), STEPS)
    with context.writing() as session:
        session.add(scan)
        operations.finish_scan(scan, looking.document() | peak.document())
    # At the thresholds of this look, as far as they are others than before or words are new.
    compare_what_is_new(context, context.settings, scan.project_id)


def _remember(scan: DuplicateScan, texts: Sequence[Text], found: Sequence[Found], session: Session) -> None:
    operations.remember_pairs(session, scan, texts, found)


def _drop(scan: DuplicateScan, stale: Sequence[int], session: Session) -> None:
    operations.drop_pairs(session, scan, stale)


def look(context: JobContext, looking: Looking, model: str) -> None:
    """Find the pairs: equal texts by groups, then near ones among one text of each group."""
    pairing = Pairing(looking.texts, looking.on)
    exact = Method.EXACT in looking.methods
    started = time.monotonic()
    groups = grouped(looking.texts, looking.on, normal_form if exact else _as_it_is)
    # Without the exact method equal texts are what they are to the others: as near as can be.
    other = Method.EMBEDDING if Method.EMBEDDING in looking.methods else Method.LEXICAL
    found = list(pairing.equal_pairs(groups, Method.EXACT if exact else other))
    if Method.LEXICAL in looking.methods:
        found += _by_wording(context, looking, pairing, groups)
    looking.seconds["match"] = time.monotonic() - started
    if Method.EMBEDDING in looking.methods:
        found += _by_meaning(context, looking, model, pairing, groups)
    looking.found = united(found, looking.thresholds)


def _by_wording(context: JobContext, looking: Looking, pairing: Pairing, groups: Sequence[Group]) -> list[Found]:
    words = [looking.texts[group[0]].words(looking.on) for group in groups]
    tell = _teller(context, "texts", "comparing the wording")

    def likeness(left: int, right: int) -> float:
        return alike(runs(words[left], LENGTH), runs(words[right], LENGTH))

    return looking.near(
        Method.LEXICAL, pairing, groups, lambda least, most: wording_pairs(words, least, tell, most=most), likeness
    )


def _by_meaning(
    context: JobContext, looking: Looking, model: str, pairing: Pairing, groups: Sequence[Group]
) -> list[Found]:
    started = time.monotonic()
    encoder = encoder_for(model)
    looking.model = encoder.key
    vectors = _vectors(context, encoder, [looking.texts[group[0]] for group in groups], looking.on)
    looking.seconds["encode"] = time.monotonic() - started
    tell = _teller(context, "texts", "comparing the meaning")

    def likeness(left: int, right: int) -> float:
        return min(1.0, float(products(vectors, np.array([left]), np.array([right]))[0]))

    started = time.monotonic()
    found = looking.near(
        Method.EMBEDDING, pairing, groups, lambda least, most: pairs_at_least(vectors, least, tell, most=most), likeness
    )
    looking.seconds["match"] += time.monotonic() - started
    return found


def grouped(texts: Sequence[Text], on: On, form: Callable[[str], str]) -> list[list[int]]:
    """Group positions by the form of their words, in order; texts with nothing to compare are in no group."""
    groups: dict[str, list[int]] = {}
    for position, text in enumerate(texts):
        if key := form(text.words(on)):
            groups.setdefault(key, []).append(position)
    return list(groups.values())


def _as_it_is(text: str) -> str:
    return text if text.strip() else ""


def _vectors(context: JobContext, encoder: Encoder, texts: Sequence[Text], on: On) -> Vectors:
    """Give unit rows. A pair is the vectors of both halves side by side: its cosine is the mean of theirs.

    So a long prompt does not drown the response, which the encoder would not even see. A prompt alone has
    zeros in the other half: it is near to other lone prompts, and never to a whole pair.
    """
    tell = _teller(context, "texts", "encoding")
    if on is not On.PAIR:
        return vectors_for(context, encoder, [text.words(on) for text in texts], tell)
    halves = [
        vectors_for(context, encoder, [text.prompt for text in texts], tell),
        vectors_for(context, encoder, [text.response for text in texts], tell),
    ]
    whole = np.hstack(halves)
    rows: Vectors = (whole / np.linalg.norm(whole, axis=1, keepdims=True)).astype(np.float32)
    return rows


def _teller(context: JobContext, unit: str, note: str) -> Callable[[int, int], None]:
    """Progress a few times a second: each telling is a transaction."""
    told = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal told
        context.check()
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            context.progress(done, total, unit, note)

    return tell


def _parts(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part
