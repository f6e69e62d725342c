"""Decisions: what they change, what an undo puts back, and two people at once."""

import threading

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEntry
from app.duplicates import operations, queries
from app.duplicates.models import DuplicatePair, Method, On, Verdict
from app.duplicates.operations import DecidedOtherwise, Follows, KeptIsGone, NoMethod, ThresholdUnfit
from app.errors import Gone, NotFound, Refusal
from app.examples import operations as examples
from app.examples.models import Example, ExampleState
from app.jobs.models import Job
from app.projects.models import Project
from app.sources.models import Candidate, CandidateStatus
from tests.duplicates.rooms import (
    KETTLE,
    KETTLE_AGAIN,
    SITE,
    candidate,
    example,
    import_run,
    known_pair,
    messages,
)


@pytest.fixture
def pool(database, people):
    """Candidates 1, 2 and 3, alike in a row: 1 with 2, 2 with 3."""
    with database.writing() as session:
        run = import_run(session, people)
        for name in ("1", "2", "3"):
            candidate(session, run, name, KETTLE)
        known_pair(session, people, key("1"), key("2"))
        known_pair(session, people, key("2"), key("3"), score=0.93)


def key(name: str) -> str:
    return f"candidate:{SITE}/{name}"


def pair_of(session, left: str, right: str) -> DuplicatePair:
    query = select(DuplicatePair).where(DuplicatePair.left_key == left, DuplicatePair.right_key == right)
    return session.scalars(query).one()


def decide(database, people, verdict, left=key("1"), right=key("2"), actor=None):
    with database.writing() as session:
        pair = pair_of(session, left, right)
        return operations.decide(session, actor or people.annotator, people.project, pair, verdict)


def undo(database, people, left=key("1"), right=key("2")):
    with database.writing() as session:
        return operations.undo(session, people.colleague, people.project, pair_of(session, left, right))


def standing(database) -> dict[str, tuple[str, str | None]]:
    with database.reading() as session:
        return {row.external_id: (row.status.value, row.status_reason) for row in session.scalars(select(Candidate))}


def verdicts(database) -> list[str]:
    with database.reading() as session:
        return [pair.verdict.value for pair in session.scalars(select(DuplicatePair).order_by(DuplicatePair.id))]


def test_keeping_one_rejects_the_other_with_the_reason(database, people, pool):
    pair = decide(database, people, Verdict.KEEP_RIGHT)
    assert standing(database)["1"] == ("rejected", f"duplicate of {key('2')}")
    assert standing(database)["2"] == ("open", None)
    assert (pair.decided_by, pair.decided_at is not None) == (people.annotator.id, True)


def test_keeping_both_changes_nothing_else(database, people, pool):
    before = standing(database)
    decide(database, people, Verdict.KEEP_BOTH)
    assert standing(database) == before
    assert verdicts(database) == ["keep_both", "open"]


def test_the_same_decision_twice_is_one(database, people, pool):
    decide(database, people, Verdict.KEEP_LEFT)
    decide(database, people, Verdict.KEEP_LEFT, actor=people.colleague)
    with database.reading() as session:
        assert pair_of(session, key("1"), key("2")).decided_by == people.annotator.id
        trail = session.scalars(select(AuditEntry.action).where(AuditEntry.subject.like("pair:%")))
        assert list(trail) == ["settle duplicate"]


def test_another_decision_is_refused_until_an_undo(database, people, pool):
    decide(database, people, Verdict.KEEP_LEFT)
    with pytest.raises(DecidedOtherwise, match="keep left"):
        decide(database, people, Verdict.KEEP_RIGHT)
    assert standing(database)["1"] == ("open", None)
    undo(database, people)
    decide(database, people, Verdict.KEEP_RIGHT)
    assert standing(database)["1"][0] == "rejected"


def test_pairs_of_what_goes_are_settled_with_it_and_open_again_with_it(database, people, pool):
    decide(database, people, Verdict.KEEP_LEFT)
    assert verdicts(database) == ["keep_left", "keep_right"]
    with pytest.raises(Follows, match="Undo that decision"):
        undo(database, people, key("2"), key("3"))
    undo(database, people)
    assert verdicts(database) == ["open", "open"]


def test_an_undo_puts_exactly_that_back(database, people, pool):
    before = standing(database)
    decide(database, people, Verdict.KEEP_LEFT)
    pair = undo(database, people)
    assert standing(database) == before
    assert (pair.verdict, pair.decided_by, pair.decided_at, pair.effect) == (Verdict.OPEN, None, None, {})
    undo(database, people)
    with database.reading() as session:
        trail = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"pair:{pair.id}"))
        assert list(trail) == ["settle duplicate", "undo duplicate decision"]


def test_an_undo_leaves_alone_what_somebody_changed_since(database, people, pool):
    decide(database, people, Verdict.KEEP_LEFT)
    with database.writing() as session:
        row = session.scalars(select(Candidate).where(Candidate.external_id == "2")).one()
        row.status_reason = "off topic"
    undo(database, people)
    assert standing(database)["2"] == ("rejected", "off topic")


def test_what_was_rejected_already_stays_so_after_an_undo(database, people, pool):
    with database.writing() as session:
        row = session.scalars(select(Candidate).where(Candidate.external_id == "2")).one()
        row.status, row.status_reason = CandidateStatus.REJECTED, "off topic"
    decide(database, people, Verdict.KEEP_LEFT)
    undo(database, people)
    assert standing(database)["2"] == ("rejected", "off topic")


def test_what_is_rejected_cannot_be_the_one_to_keep(database, people, pool):
    with database.writing() as session:
        session.scalars(select(Candidate).where(Candidate.external_id == "1")).one().status = CandidateStatus.REJECTED
    with pytest.raises(KeptIsGone):
        decide(database, people, Verdict.KEEP_LEFT)
    assert standing(database)["2"] == ("open", None)
    assert verdicts(database) == ["open", "open"]


@pytest.mark.parametrize("state", [ExampleState.DRAFT, ExampleState.REVIEW, ExampleState.APPROVED])
def test_an_example_that_goes_is_rejected_and_comes_back_as_it_was(database, people, state):
    with database.writing() as session:
        kept, gone = example(session, people, KETTLE), example(session, people, KETTLE_AGAIN)
        gone.state = state
        known_pair(session, people, f"example:{kept.id}", f"example:{gone.id}")
    names = (f"example:{kept.id}", f"example:{gone.id}")
    decide(database, people, Verdict.KEEP_LEFT, *names)
    with database.reading() as session:
        assert session.get_one(Example, gone.id).state is ExampleState.REJECTED
    undo(database, people, *names)
    with database.reading() as session:
        assert session.get_one(Example, gone.id).state is state


def test_an_example_that_was_written_on_since_stays_as_it_is(database, people):
    with database.writing() as session:
        kept, gone = example(session, people, KETTLE), example(session, people, KETTLE_AGAIN)
        known_pair(session, people, f"example:{kept.id}", f"example:{gone.id}")
    names = (f"example:{kept.id}", f"example:{gone.id}")
    decide(database, people, Verdict.KEEP_LEFT, *names)
    with database.writing() as session:
        row = session.get_one(Example, gone.id)
        examples.save_revision(
            session, people.annotator, row, based_on=1, messages=messages("Something else entirely?", "Yes.")
        )
        reopened = row.state
    undo(database, people, *names)
    with database.reading() as session:
        assert session.get_one(Example, gone.id).state is reopened


def test_a_candidate_that_became_an_example_goes_as_that_example(database, people, pool):
    with database.writing() as session:
        row = session.scalars(select(Candidate).where(Candidate.external_id == "2")).one()
        made = examples.example_from_candidate(session, people.annotator, row)
    decide(database, people, Verdict.KEEP_LEFT)
    with database.reading() as session:
        assert session.get_one(Example, made.id).state is ExampleState.REJECTED
    assert standing(database)["2"] == ("used", None)
    undo(database, people)
    with database.reading() as session:
        assert session.get_one(Example, made.id).state is ExampleState.DRAFT


def test_two_who_decide_at_once_end_in_one_state(database, people, pool):
    outcomes: dict[Verdict, str] = {}
    ready = threading.Barrier(2)

    def settle(verdict: Verdict, actor) -> None:
        ready.wait()
        try:
            decide(database, people, verdict, actor=actor)
            outcomes[verdict] = "done"
        except DecidedOtherwise:
            outcomes[verdict] = "refused"

    both = [(Verdict.KEEP_LEFT, people.annotator), (Verdict.KEEP_RIGHT, people.colleague)]
    threads = [threading.Thread(target=settle, args=one) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes.values()) == ["done", "refused"]
    [winner] = [verdict for verdict, outcome in outcomes.items() if outcome == "done"]
    gone, kept = ("2", "1") if winner is Verdict.KEEP_LEFT else ("1", "2")
    assert standing(database)[gone][0] == "rejected"
    assert standing(database)[kept][0] == "open"
    assert verdicts(database)[0] == winner.value


def test_two_who_decide_about_one_text_never_reject_both(database, people, pool):
    # 1 and 2 are a pair by prompt and by response; one person keeps 1, the other keeps 2.
    with database.writing() as session:
        other = known_pair(session, people, key("1"), key("2"), on=On.RESPONSE)
        first = session.scalars(queries.pairs_of(people.project.id).where(DuplicatePair.on == On.PROMPT)).first()
    ready = threading.Barrier(2)

    def settle(pair_id: int, verdict: Verdict) -> None:
        ready.wait()
        try:
            with database.writing() as session:
                pair = session.get_one(DuplicatePair, pair_id)
                operations.decide(session, people.annotator, people.project, pair, verdict)
        except Refusal:
            pass

    both = [(first.id, Verdict.KEEP_LEFT), (other.id, Verdict.KEEP_RIGHT)]
    threads = [threading.Thread(target=settle, args=one) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(standing(database)[name][0] for name in ("1", "2")) == ["open", "rejected"]


def test_a_pair_that_a_scan_took_away_is_not_there(database, people, pool):
    with database.reading() as session:
        pair = pair_of(session, key("1"), key("2"))
    with database.writing() as session:
        session.delete(session.get_one(DuplicatePair, pair.id))
    with database.writing() as session, pytest.raises(NotFound, match="newer scan"):
        operations.decide(session, people.annotator, people.project, pair, Verdict.KEEP_LEFT)


def test_a_scan_and_its_job_stand_together(database, people):
    with database.writing() as session:
        scan = operations.start_scan(
            session,
            people.annotator,
            people.project,
            methods=[Method.EMBEDDING, Method.EXACT],
            on=On.PROMPT,
            threshold=0.8,
        )
    with database.reading() as session:
        job = session.get_one(Job, scan.job_id)
        assert (job.kind, job.args) == ("scan_duplicates", {"duplicate_scan_id": scan.id, "lexical_permille": 600})
        assert scan.methods == ["exact", "embedding"]
        assert session.scalar(select(AuditEntry.action).where(AuditEntry.subject == f"duplicate_scan:{scan.id}"))


@pytest.mark.parametrize(
    ("methods", "threshold", "refusal"),
    [((), 0.9, NoMethod), (tuple(Method), 0.2, ThresholdUnfit), (tuple(Method), 1.1, ThresholdUnfit)],
)
def test_scans_that_make_no_sense_are_refused(session, people, methods, threshold, refusal):
    with pytest.raises(refusal):
        operations.start_scan(
            session, people.annotator, people.project, methods=methods, on=On.PROMPT, threshold=threshold
        )


def test_an_archived_project_changes_no_more(database, people, pool):
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        project.archived_at = project.created_at
    for act in (
        lambda session: operations.decide(
            session, people.annotator, project, pair_of(session, key("1"), key("2")), Verdict.KEEP_LEFT
        ),
        lambda session: operations.undo(session, people.annotator, project, pair_of(session, key("1"), key("2"))),
        lambda session: operations.start_scan(
            session, people.annotator, project, methods=tuple(Method), on=On.PROMPT, threshold=0.9
        ),
    ):
        with database.writing() as session, pytest.raises(Gone):
            act(session)
