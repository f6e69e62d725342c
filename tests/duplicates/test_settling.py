"""Clusters are settled at once and opened at once; what goes is remembered with the copy that was kept."""

import csv
import io
import json

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEntry
from app.duplicates import operations, queries
from app.duplicates.documents import cluster_documents
from app.duplicates.gathering import Edge, cluster_with, clusters_of, gathered, next_after
from app.duplicates.models import DuplicatePair, Method, On, Verdict
from app.duplicates.operations import Follows, KeptIsGone, LeakNeedsReason, TestKeptOut
from app.duplicates.removing import all_removals, as_csv, as_jsonl
from app.duplicates.settling import ClusterChanged, NotInCluster, settle_cluster
from app.errors import Gone
from app.examples import operations as examples
from app.examples.models import Example, ExampleState
from app.projects.limits import keep_from_tests
from app.projects.models import Project, Split
from app.sources.models import Candidate, CandidateStatus
from tests.duplicates.rooms import KETTLE, SITE, candidate, example, import_run, known_pair, messages, pairs, scan


def key(name: str) -> str:
    return f"candidate:{SITE}/{name}"


@pytest.fixture
def cluster(database, people):
    """1 is like 2, 3 and 4; 3 is like 4; 4 is like 5, which is like 6: two stars with a pair between them."""
    with database.writing() as session:
        run = import_run(session, people)
        for name in "123456":
            candidate(session, run, name, f"{KETTLE} {name}")
        for left, right, score in (("1", "2", 0.97), ("1", "3", 0.95), ("1", "4", 0.93), ("3", "4", 0.99)):
            known_pair(session, people, key(left), key(right), score=score)
        known_pair(session, people, key("4"), key("5"), score=0.91)
        known_pair(session, people, key("5"), key("6"), score=0.92)


def settle(database, people, keep, reason="", actor=None, seen=""):
    with database.writing() as session:
        found = clusters_of(session, people.project.id)
        whole = next(one for one in found if key("1") in one.members)
        return settle_cluster(
            session, actor or people.annotator, people.project, whole, keep and key(keep), reason, seen=seen
        )


def standing(database) -> dict[str, str]:
    with database.reading() as session:
        return {row.external_id: row.status.value for row in session.scalars(select(Candidate))}


def state_of(database, people):
    return [(pair.verdict, pair.effect, pair.decided_by) for pair in pairs(database, people)], standing(database)


def test_clusters_are_stars_in_the_order_of_the_inbox(database, people, cluster):
    with database.reading() as session:
        first, second = clusters_of(session, people.project.id)
    assert first.members == tuple(map(key, "1234"))
    assert [(edge.left, edge.right) for edge in first.pairs] == [
        (key("3"), key("4")), (key("1"), key("2")), (key("1"), key("3")), (key("1"), key("4")),
    ]  # fmt: skip
    assert second.members == (key("5"), key("6"))


def test_one_is_kept_the_others_go_and_one_undo_brings_all_back(database, people, cluster):
    before = state_of(database, people)
    leader = settle(database, people, "3", "The clearest  wording.")
    assert standing(database) == {
        "1": "rejected", "2": "rejected", "3": "open", "4": "rejected", "5": "open", "6": "open"
    }  # fmt: skip
    with database.reading() as session:
        reasons = {row.external_id: row.status_reason for row in session.scalars(select(Candidate))}
    assert {reasons[name] for name in "124"} == {f"duplicate of {key('3')}"}
    # The pair between the stars went with the text that went; the other star waits.
    assert sorted(pair.left_key for pair in pairs(database, people) if pair.verdict is Verdict.OPEN) == [key("5")]
    with database.writing() as session:
        other = next(pair.id for pair in pairs(database, people) if pair.effect.get("follows") == leader.id)
        with pytest.raises(Follows):
            operations.undo(session, people.annotator, people.project, session.get_one(DuplicatePair, other))
    with database.writing() as session:
        operations.undo(session, people.colleague, people.project, session.get_one(DuplicatePair, leader.id))
    assert state_of(database, people) == before
    with database.reading() as session:
        trail = session.scalars(
            select(AuditEntry).where(AuditEntry.subject == f"pair:{leader.id}").order_by(AuditEntry.id)
        )
        assert [entry.action for entry in trail] == ["settle cluster", "undo duplicate decision"]


def test_all_are_kept_and_the_next_look_remembers(database, settings, people):
    with database.writing() as session:
        run = import_run(session, people)
        for name in "123":
            candidate(session, run, name, KETTLE)
    scan(database, settings, people, methods=[Method.EXACT])
    leader = settle(database, people, None, "Three kettles.")
    scan(database, settings, people, methods=[Method.EXACT])
    assert {(pair.verdict, pair.reason) for pair in pairs(database, people)} == {(Verdict.KEEP_BOTH, "Three kettles.")}
    with database.writing() as session:
        operations.undo(session, people.annotator, people.project, session.get_one(DuplicatePair, leader.id))
    assert {pair.verdict for pair in pairs(database, people)} == {Verdict.OPEN}
    assert set(standing(database).values()) == {"open"}


def test_all_of_a_leak_are_kept_for_a_reason_alone(database, people, cluster):
    with database.writing() as session:
        session.scalars(select(DuplicatePair).where(DuplicatePair.score == 0.93)).one().leak = True
    with pytest.raises(LeakNeedsReason):
        settle(database, people, None)
    assert {pair.verdict for pair in pairs(database, people)} == {Verdict.OPEN}
    settle(database, people, None, "Other subjects.")
    assert [pair.kept_because for pair in pairs(database, people) if pair.leak] == ["Other subjects."]


def test_a_leak_comes_first_even_between_two_stars(database, people, cluster):
    with database.writing() as session:
        session.scalars(select(DuplicatePair).where(DuplicatePair.score == 0.91)).one().leak = True
    with database.reading() as session:
        found = clusters_of(session, people.project.id)
    assert (found[0].leak, found[0].members) == (True, (key("4"), key("5")))
    assert len(found) == 3


def test_what_changed_since_it_was_seen_is_refused(database, people, cluster):
    with database.reading() as session:
        [seen] = [one.seen for one in clusters_of(session, people.project.id) if key("1") in one.members]
    with database.writing() as session:
        pair = session.scalars(select(DuplicatePair).where(DuplicatePair.score == 0.97)).one()
        operations.decide(session, people.colleague, people.project, pair, Verdict.KEEP_BOTH)
    before = state_of(database, people)
    with pytest.raises(ClusterChanged):
        settle(database, people, "1", seen=seen)
    assert state_of(database, people) == before


def test_a_cluster_that_somebody_settled_while_it_was_read_is_refused(database, people, cluster):
    with database.reading() as session:
        [old] = [one for one in clusters_of(session, people.project.id) if key("1") in one.members]
    settle(database, people, "1")
    before = state_of(database, people)
    with database.writing() as session, pytest.raises(ClusterChanged):
        settle_cluster(session, people.annotator, people.project, old, key("2"))
    assert state_of(database, people) == before


def test_what_is_out_or_elsewhere_cannot_be_kept(database, people, cluster):
    with database.writing() as session:
        session.scalars(select(Candidate).where(Candidate.external_id == "2")).one().status = CandidateStatus.REJECTED
    with pytest.raises(KeptIsGone):
        settle(database, people, "2")
    with pytest.raises(NotInCluster):
        settle(database, people, "6")
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        project.archived_at = project.created_at
        whole = clusters_of(session, project.id)[0]
        with pytest.raises(Gone):
            settle_cluster(session, people.annotator, project, whole, None)
    assert {pair.verdict for pair in pairs(database, people)} == {Verdict.OPEN}


def test_examples_and_candidates_go_together_and_come_back_as_they_were(database, people):
    with database.writing() as session:
        row = candidate(session, import_run(session, people), "1", KETTLE)
        kept, gone = example(session, people, KETTLE), example(session, people, KETTLE)
        gone.state = ExampleState.APPROVED
        for one in (kept, gone):
            known_pair(session, people, key(row.external_id), f"example:{one.id}")
    with database.writing() as session:
        [whole] = clusters_of(session, people.project.id)
        leader = settle_cluster(session, people.annotator, people.project, whole, f"example:{kept.id}")
        states = [session.get_one(Example, one.id).state for one in (kept, gone)]
    assert (states, standing(database)) == ([ExampleState.DRAFT, ExampleState.REJECTED], {"1": "rejected"})
    with database.writing() as session:
        operations.undo(session, people.annotator, people.project, session.get_one(DuplicatePair, leader.id))
        assert session.get_one(Example, gone.id).state is ExampleState.APPROVED
    assert standing(database) == {"1": "open"}


def test_who_may_not_read_a_test_prompt_settles_no_cluster_with_it(database, people):
    with database.writing() as session:
        session.get_one(Project, people.project.id).tests_hidden = True
        train, copy = example(session, people, KETTLE), example(session, people, KETTLE)
        test = examples.create_example(
            session, people.lead, people.project, split=Split.TEST, source="authors", messages=messages(KETTLE)
        )
        for other in (copy, test):
            left, right = f"example:{train.id}", f"example:{other.id}"
            known_pair(session, people, left, right, score=0.9 if other is test else 0.95, leak=other is test)
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        keep_from_tests(session, project, people.annotator, people.annotator.role)
        [whole] = clusters_of(session, project.id)
        for keep in (f"example:{train.id}", None):
            with pytest.raises(TestKeptOut):
                settle_cluster(session, people.annotator, project, whole, keep, "Why not.")
        [told] = cluster_documents(session, project.id, [whole])
        assert (told["texts"], told["score"]) == ([f"example:{train.id}", f"example:{copy.id}", None], None)
    with database.writing() as session:
        [whole] = clusters_of(session, people.project.id)
        settle_cluster(session, people.lead, people.project, whole, f"example:{train.id}")
    with database.writing() as session:
        keep_from_tests(session, session.get_one(Project, people.project.id), people.annotator, people.annotator.role)
        rows = {row["removed"]: (row["prompt"], row["score"]) for row in all_removals(session, people.project.id)}
        assert rows == {f"example:{copy.id}": (KETTLE, 0.95), None: (None, None)}


def test_what_was_removed_is_told_with_the_copy_that_was_kept(database, people, cluster):
    settle(database, people, "3", "=The clearest wording.")
    with database.reading() as session:
        rows = list(all_removals(session, people.project.id))
    assert {(row["removed"], row["kept"], row["why"], row["decided_by"]) for row in rows} == {
        (key(name), key("3"), "=The clearest wording.", people.annotator.name) for name in "124"
    }
    assert {row["removed"]: row["prompt"] for row in rows}[key("2")] == f"{KETTLE} 2"
    assert all(row["kept_prompt"] == f"{KETTLE} 3" and row["decided_at"] for row in rows)
    assert [json.loads(line) for line in as_jsonl(rows)] == rows
    read = list(csv.DictReader(io.StringIO("".join(as_csv(rows)))))
    assert [row["removed"] for row in read] == [row["removed"] for row in rows]
    assert {row["why"] for row in read} == {"'=The clearest wording."}


def test_what_was_out_already_or_came_back_was_not_removed(database, people, cluster):
    with database.writing() as session:
        session.scalars(select(Candidate).where(Candidate.external_id == "2")).one().status = CandidateStatus.REJECTED
    leader = settle(database, people, "1")
    with database.writing() as session:
        assert {row["removed"] for row in all_removals(session, people.project.id)} == {key("3"), key("4")}
        operations.undo(session, people.annotator, people.project, session.get_one(DuplicatePair, leader.id))
        assert list(all_removals(session, people.project.id)) == []


def test_a_decision_on_one_pair_may_have_a_reason(database, people, cluster):
    with database.writing() as session:
        pair = session.scalars(queries.pairs_of(people.project.id)).first()
        operations.decide(session, people.annotator, people.project, pair, Verdict.KEEP_LEFT, "Older.")
    with database.reading() as session:
        assert [(row["why"], row["removed"]) for row in all_removals(session, people.project.id)] == [
            ("Older.", key("4"))
        ]


def edge(number: int, left: str, right: str, score: float = 0.9, leak: bool = False, on: On = On.PROMPT) -> Edge:
    return Edge(number, key(left), key(right), on, Method.EMBEDDING, score, leak)


def test_what_is_compared_differently_is_another_cluster():
    found = gathered([edge(1, "1", "2"), edge(2, "2", "3", on=On.RESPONSE)])
    assert [one.members for one in found] == [(key("1"), key("2")), (key("2"), key("3"))]


def test_next_is_the_same_texts_then_the_following_cluster_then_the_first():
    edges = [edge(1, "1", "2", 0.99), edge(2, "3", "4", 0.95), edge(3, "3", "5", 0.94), edge(4, "7", "8", 0.91)]
    found = gathered(edges)
    assert next_after(found, [key("3")], (True, -0.95, 2)).id == 2
    assert next_after(found, [key("9")], (True, -0.93, 9)).id == 4
    assert next_after(found, [key("9")], (True, -0.90, 9)).id == 1
    assert next_after([], [key("9")], (True, -0.90, 9)) is None


def test_a_pair_that_waits_between_two_stars_can_be_looked_at(database, people, cluster):
    with database.reading() as session:
        pair = session.scalars(select(DuplicatePair).where(DuplicatePair.score == 0.91)).one()
        alone = cluster_with(clusters_of(session, people.project.id), pair)
    assert (alone.members, alone.head.id) == ((key("4"), key("5")), pair.id)
