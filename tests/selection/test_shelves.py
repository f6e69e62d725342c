"""What a plan reads of a large pool: the rows that it would take of all of it, without reading all of it."""

import math
import random
from itertools import product

import pytest
from sqlalchemy import event, update

from app.selection.sampling import shelves, taking
from app.selection.sampling.drawing import Choosable, InHand, draw
from app.selection.sampling.plans import Part, Plan, Strata, Within
from app.sources.models import Candidate, CandidateStatus, ImportState
from tests.examples import rows

SOURCE = "stackexchange_other"
STATUSES = [CandidateStatus.OPEN] * 5 + [CandidateStatus.KEPT, CandidateStatus.REJECTED, CandidateStatus.USED]


@pytest.fixture
def pool(session, people):
    """Some eighty candidates with many equal scores, a few without, of three exchanges and none; and unseen ones."""
    dice = random.Random(5)
    seen = rows.import_run(session, people.project)
    unseen = rows.import_run(session, people.project, state=ImportState.RUNNING)
    for number in range(110):
        rows.candidate(
            session, people.project, seen if number < 95 else unseen, number,
            site=dice.choice(["a", "b", "b", "c", ""]),
            source=SOURCE if number % 9 else "wikihow", language=dice.choice(["en", "en", "en", "de"]),
            score=dice.choice([None, -2, 0, 1, 1, 5, 5, 5, 9, 12]), status=dice.choice(STATUSES),
            title_alone=dice.choice([None, True, False]), messages=rows.pair(f"Question {number}", "Short."),
        )  # fmt: skip
    return seen


def in_hand(session, run):
    """All of the pool as a plan sees it."""
    found = session.query(Candidate).filter_by(import_run_id=run.id)
    return [
        Choosable(
            one.id, one.site, one.external_id, one.source, one.language, one.score, one.split.value,
            title_alone=one.title_alone, kept=one.status is CandidateStatus.KEPT,
        )
        for one in found
        if one.status in shelves.ELIGIBLE
    ]  # fmt: skip


@pytest.mark.parametrize("strata", [Strata.NONE, Strata.SITE])
def test_a_large_pool_gives_the_rows_that_it_would_give_read_whole(monkeypatch, session, people, pool, strata):
    monkeypatch.setattr(shelves, "MORE", 2)
    everything = in_hand(session, pool)
    for head, languages, missing in product([4, 1, 9, 60], [("en",), (), ("en", "de")], [0, 1, 7, 30, 200]):
        part = Part(SOURCE, strata=strata, within=Within.SCORE, temperature=math.inf, count=500)
        plan = Plan("p", (part,), languages=languages)
        monkeypatch.setattr(shelves, "HEAD", head)
        by_score = shelves.Pool(session, people.project.id).shelf_of(plan, part, 0)
        lacks, seed = {(SOURCE, "train"): missing}, head + missing
        (found,) = draw(plan, lambda _, shelf=by_score: shelf, lacks, seed)
        (whole,) = draw(plan, lambda part, plan=plan: InHand(plan, part, everything), lacks, seed)
        assert [pick.candidate.id for pick in found.picks] == [pick.candidate.id for pick in whole.picks]
        assert (found.strata, found.eligible, found.why) == (whole.strata, whole.eligible, whole.why)


def test_what_others_judge_meanwhile_ends_no_look_in_a_loop(monkeypatch, session, people, pool):
    monkeypatch.setattr(shelves, "HEAD", 1)
    part = Part(SOURCE, within=Within.SCORE)
    shelf = shelves.Pool(session, people.project.id).shelf_of(Plan("p", (part,)), part, 0)
    assert shelf.sizes["all"] > 5
    session.execute(update(Candidate).values(status=CandidateStatus.REJECTED))
    assert list(shelf.queue("all", 0)) == []


def test_generation_counts_whatever_a_part_is_divided_by(session, people):
    run = rows.import_run(session, people.project)
    for number, written in enumerate([True, False, True]):
        rows.candidate(session, people.project, run, number, extra={"category": "c", "generation": written})
    part = Part(SOURCE, strata=Strata.CATEGORY, generation=True)
    (drawn,) = taking.look(session, people.project, Plan("p", (part,)), 0)
    assert drawn.eligible == 2


def test_a_look_asks_as_often_for_twenty_as_for_two(session, people):
    run, plan = rows.import_run(session, people.project), Plan("p", (Part(SOURCE, count=50),), languages=("en",))
    asked = []
    event.listen(session.connection(), "before_cursor_execute", lambda *_: asked.append(1))
    counts = []
    for upto in (2, 20):
        for number in range(upto):
            rows.candidate(session, people.project, run, 100 * upto + number)
        session.flush()
        asked.clear()
        (drawn,) = taking.look(session, people.project, plan, 0)
        counts.append(len(asked))
    assert len(drawn.picks) == 22
    assert counts[0] == counts[1]
