"""Merging: one text stays and takes words of the other; the other goes; the credit of both stays; one undo."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEntry
from app.db import now
from app.duplicates import operations, queries
from app.duplicates.gathering import clusters_of
from app.duplicates.merged import EditedSince, LicencesTooLong, NothingTaken
from app.duplicates.merging import Merging, OtherIsGone, ShowsTest, TextChanged, merge
from app.duplicates.models import DuplicatePair, Method, Verdict
from app.duplicates.operations import DecidedOtherwise, Follows, KeptIsGone, TestKeptOut
from app.duplicates.parts import composed, parts_between
from app.duplicates.removing import all_removals
from app.duplicates.settling import ClusterChanged
from app.errors import Gone
from app.examples import operations as examples
from app.examples import queries as of_examples
from app.examples.claims import HeldByAnother
from app.examples.merging import Turns
from app.examples.messages import BadMessages
from app.examples.models import Example, ExampleState, Revision
from app.projects.limits import keep_from_tests
from app.projects.models import Project, Split
from app.sources.models import Candidate, CandidateStatus
from tests.duplicates.rooms import (
    ANSWER,
    KETTLE,
    KETTLE_AGAIN,
    OTHER_ANSWER,
    SITE,
    candidate,
    example,
    import_run,
    known_pair,
    messages,
    pairs,
    scan,
)

BOTH = messages(KETTLE_AGAIN, f"{ANSWER} Vinegar does as well.")


def key(name: str) -> str:
    return f"candidate:{SITE}/{name}"


@pytest.fixture
def two(database, people):
    """An approved example of the set, an example beside it, and their pair."""
    with database.writing() as session:
        left, right = example(session, people, KETTLE), example(session, people, KETTLE_AGAIN, OTHER_ANSWER)
        left.state, left.approved_number = ExampleState.APPROVED, 1
        return left.id, right.id, known_pair(session, people, f"example:{left.id}", f"example:{right.id}").id


@pytest.fixture
def mixed(database, people):
    """A candidate and an example that was written here, and their pair."""
    with database.writing() as session:
        candidate(session, import_run(session, people), "1", KETTLE)
        made = example(session, people, KETTLE_AGAIN)
        return made.id, known_pair(session, people, key("1"), f"example:{made.id}").id


def merged(database, people, pair_id, keep=Verdict.KEEP_LEFT, words=BOTH, actor=None, whole=False, **more):
    with database.writing() as session:
        pair = session.get_one(DuplicatePair, pair_id)
        cluster = clusters_of(session, people.project.id)[0] if whole else None
        wanted = Merging(keep=keep, messages=words, cluster=cluster, **more)
        return merge(session, actor or people.annotator, people.project, pair, wanted)


def undo(database, people, pair_id):
    with database.writing() as session:
        operations.undo(session, people.colleague, people.project, session.get_one(DuplicatePair, pair_id))


def revisions(database, example_id):
    with database.reading() as session:
        rows = session.scalars(select(Revision).where(Revision.example_id == example_id).order_by(Revision.number))
        return [(row.number, row.messages, row.note, row.author_id) for row in rows]


def one(database, example_id) -> Example:
    with database.reading() as session:
        return session.get_one(Example, example_id)


def everything(database, people):
    """All that a refusal must leave as it was."""
    with database.reading() as session:
        found = session.scalars(select(Example).order_by(Example.id))
        told = [(row.id, row.state, row.revision_number, row.licence, row.attribution) for row in found]
        pool = [
            (row.external_id, row.status, row.status_reason)
            for row in session.scalars(select(Candidate).order_by(Candidate.id))
        ]
        trail = len(session.scalars(select(AuditEntry.id)).all())
    return told, pool, trail, [(pair.verdict, pair.effect) for pair in pairs(database, people)]


def test_the_kept_one_gets_a_revision_and_the_other_goes(database, people, two):
    left, right, pair = two
    merged(database, people, pair, reason="Better  said.")
    assert revisions(database, left)[1] == (2, BOTH, f"merged with example {right}: Better said.", people.annotator.id)
    assert (one(database, left).state, one(database, right).state) == (ExampleState.DRAFT, ExampleState.REJECTED)
    assert one(database, left).approved_number == 1
    with database.reading() as session:
        [row] = all_removals(session, people.project.id)
        trail = session.scalars(select(AuditEntry).where(AuditEntry.subject == f"pair:{pair}").order_by(AuditEntry.id))
        last = list(trail)[-1]
    assert (row["removed"], row["kept"], row["merged"], row["why"]) == (
        f"example:{right}", f"example:{left}", 2, "Better said.",
    )  # fmt: skip
    assert (last.action, last.detail["revision"], last.detail["reason"]) == ("merge duplicates", 2, "Better said.")


def test_one_undo_brings_both_back_and_the_earlier_words_as_a_further_revision(database, people, two):
    left, right, pair = two
    merged(database, people, pair, Verdict.KEEP_RIGHT)
    undo(database, people, pair)
    assert [(row[0], row[1]) for row in revisions(database, right)] == [
        (1, messages(KETTLE_AGAIN, OTHER_ANSWER)), (2, BOTH), (3, messages(KETTLE_AGAIN, OTHER_ANSWER)),
    ]  # fmt: skip
    assert revisions(database, right)[2][2:] == (
        "revision 1 brought back: the merge was undone", people.colleague.id,
    )  # fmt: skip
    assert (one(database, left).state, one(database, right).state) == (ExampleState.APPROVED, ExampleState.DRAFT)
    assert [(row.verdict, row.effect) for row in pairs(database, people)] == [(Verdict.OPEN, {})]
    merged(database, people, pair)  # and again


def test_an_undo_over_later_words_is_refused_with_a_reason_and_changes_nothing(database, people, two):
    left, _, pair = two
    merged(database, people, pair)
    with database.writing() as session:
        row = session.get_one(Example, left)
        examples.save_revision(session, people.annotator, row, based_on=2, messages=messages(KETTLE, "Later."))
    before = everything(database, people)
    with pytest.raises(EditedSince, match=f"Example {left} was changed or rejected since"):
        undo(database, people, pair)
    assert everything(database, people) == before


def test_an_undo_does_not_bring_back_what_was_rejected_since(database, people, two):
    left, _, pair = two
    merged(database, people, pair)
    with database.writing() as session:
        session.get_one(Example, left).state = ExampleState.REJECTED
    with pytest.raises(EditedSince):
        undo(database, people, pair)
    assert one(database, left).state is ExampleState.REJECTED


def test_an_undo_over_a_licence_that_was_given_since_is_refused(database, people, two):
    left, _, pair = two
    merged(database, people, pair)
    with database.writing() as session:
        session.get_one(Example, left).licence = "MIT"
    with pytest.raises(EditedSince):
        undo(database, people, pair)
    assert one(database, left).licence == "MIT"


def test_words_of_a_candidate_bring_its_credit_and_an_undo_takes_it_off(database, people, mixed):
    made, pair = mixed
    merged(database, people, pair, Verdict.KEEP_RIGHT)
    row = one(database, made)
    assert (row.licence, row.attribution["author"], row.attribution["url"]) == (
        "CC BY-SA 4.0", "Ada", f"https://{SITE}/a/1",
    )  # fmt: skip
    assert "merged" not in row.attribution  # what was written here is credited to nobody
    undo(database, people, pair)
    row = one(database, made)
    assert (row.licence, row.attribution, row.revision_number) == (None, {}, 3)
    with database.reading() as session:
        assert session.scalars(select(Candidate.status)).all() == [CandidateStatus.OPEN]


def test_two_sources_are_both_credited_and_both_licences_count(database, people):
    with database.writing() as session:
        run = import_run(session, people)
        first, second = candidate(session, run, "1", KETTLE), candidate(session, run, "2", KETTLE_AGAIN)
        second.licence, second.author, second.source = "MIT", "Grace", "wikihow"
        kept = examples.example_from_candidate(session, people.annotator, first)
        pair = known_pair(session, people, key("2"), f"example:{kept.id}").id
    merged(database, people, pair, Verdict.KEEP_RIGHT)
    row = one(database, kept.id)
    assert row.licence == "CC BY-SA 4.0 AND MIT"
    assert (row.attribution["author"], row.attribution["licence"]) == ("Ada", "CC BY-SA 4.0")
    assert row.attribution["merged"] == [
        {"author": "Grace", "author_url": "https://example.org/ada", "url": f"https://{SITE}/a/2", "site": SITE,
         "licence": "MIT", "source": "wikihow"}
    ]  # fmt: skip
    undo(database, people, pair)
    row = one(database, kept.id)
    assert (row.licence, row.attribution["author"], "merged" in row.attribution) == ("CC BY-SA 4.0", "Ada", False)


def test_a_third_text_adds_its_own_credit_and_the_same_post_none(database, people):
    with database.writing() as session:
        run = import_run(session, people)
        rows = [candidate(session, run, name, f"{KETTLE} {name}") for name in "123"]
        rows[1].licence, rows[1].author = None, "Grace"
        kept = examples.example_from_candidate(session, people.annotator, rows[0])
        known = [known_pair(session, people, key(name), f"example:{kept.id}").id for name in "23"]
    for number, pair in enumerate(known):
        merged(database, people, pair, Verdict.KEEP_RIGHT, messages(f"{KETTLE} {number}", ANSWER))
    row = one(database, kept.id)
    assert row.licence == "CC BY-SA 4.0 AND unknown"
    assert [credit.get("author") for credit in row.attribution["merged"]] == ["Grace", "Ada"]
    assert [credit.get("licence") for credit in row.attribution["merged"]] == [None, "CC BY-SA 4.0"]
    with pytest.raises(EditedSince):  # the later merge is undone first
        undo(database, people, known[0])
    for pair in reversed(known):
        undo(database, people, pair)
    assert one(database, kept.id).licence == "CC BY-SA 4.0"


def test_a_candidate_that_stays_becomes_an_example_and_is_a_candidate_again(database, people):
    with database.writing() as session:
        run = import_run(session, people)
        candidate(session, run, "1", KETTLE)
        candidate(session, run, "2", KETTLE_AGAIN)
        pair = known_pair(session, people, key("1"), key("2")).id
    merged(database, people, pair)
    with database.reading() as session:
        made = session.scalars(select(Example)).one()
        told = {row.external_id: row.status.value for row in session.scalars(select(Candidate))}
    assert [words for _, words, _, _ in revisions(database, made.id)] == [messages(KETTLE, ANSWER), BOTH]
    assert revisions(database, made.id)[1][2] == f"merged with candidate {SITE}/2"
    assert told == {"1": "used", "2": "rejected"}
    undo(database, people, pair)
    with database.reading() as session:
        assert session.scalars(select(Example)).all() == []
        assert {row.status.value for row in session.scalars(select(Candidate))} == {"open"}
        assert "put back" in session.scalars(select(AuditEntry.action)).all()


def test_a_candidate_stays_an_example_where_somebody_has_taken_it_further(database, people):
    with database.writing() as session:
        run = import_run(session, people)
        for name in "12":
            candidate(session, run, name, KETTLE)
        pair = known_pair(session, people, key("1"), key("2")).id
    merged(database, people, pair)
    with database.writing() as session:
        made = session.scalars(select(Example)).one()
        examples.submit_example(session, people.annotator, made)
    undo(database, people, pair)
    assert [words for _, words, _, _ in revisions(database, made.id)][2] == messages(KETTLE, ANSWER)
    assert one(database, made.id).state is ExampleState.REVIEW


@pytest.mark.parametrize(
    ("keep", "words", "refusal"),
    [
        (Verdict.KEEP_LEFT, messages(KETTLE, ANSWER), NothingTaken),
        (Verdict.KEEP_LEFT, [{"role": "assistant", "content": "No prompt."}], BadMessages),
        (Verdict.KEEP_LEFT, [], examples.NothingWritten),
    ],
)
def test_what_makes_no_merge_changes_nothing(database, people, two, keep, words, refusal):
    before = everything(database, people)
    with pytest.raises(refusal):
        merged(database, people, two[2], keep, words)
    assert everything(database, people) == before


def test_a_text_that_was_changed_since_it_was_shown_is_not_merged(database, people, two):
    left, right, pair = two
    with database.writing() as session:
        row = session.get_one(Example, right)
        examples.save_revision(session, people.annotator, row, based_on=1, messages=messages(KETTLE_AGAIN, "New."))
    before = everything(database, people)
    with pytest.raises(TextChanged):
        merged(database, people, pair, seen=(1, 1))
    assert everything(database, people) == before
    merged(database, people, pair, seen=(1, 2))
    assert one(database, left).revision_number == 2


def test_what_somebody_else_writes_on_is_not_merged_over(database, people, two):
    left, _, pair = two
    with database.writing() as session:
        row = session.get_one(Example, left)
        row.claimed_by, row.claimed_until = people.colleague.id, now() + timedelta(minutes=5)
    before = everything(database, people)
    with pytest.raises(HeldByAnother):
        merged(database, people, pair)
    assert everything(database, people) == before


def test_whoever_merges_takes_nothing_over(database, people, two):
    left, _, pair = two
    with database.writing() as session:
        row = session.get_one(Example, left)
        row.claimed_by, row.claimed_until = people.colleague.id, now() - timedelta(minutes=5)
    merged(database, people, pair)
    row = one(database, left)
    assert (row.claimed_by, row.claimed_until < now()) == (people.colleague.id, True)


def test_what_is_out_cannot_stay_and_what_is_gone_cannot_be_merged(database, people, two):
    left, right, pair = two
    with database.writing() as session:
        session.get_one(Example, left).state = ExampleState.REJECTED
    with pytest.raises(KeptIsGone):
        merged(database, people, pair)
    with database.writing() as session:
        session.delete(session.get_one(Example, left))
    with pytest.raises(OtherIsGone):
        merged(database, people, pair, Verdict.KEEP_RIGHT)
    assert one(database, right).revision_number == 1


def test_a_settled_pair_and_an_archived_project_are_refused(database, people, two):
    merged(database, people, two[2])
    with pytest.raises(DecidedOtherwise, match="keep left"):
        merged(database, people, two[2])
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        project.archived_at = project.created_at
        wanted = Merging(Verdict.KEEP_LEFT, BOTH)
        with pytest.raises(Gone):
            merge(session, people.annotator, project, session.get_one(DuplicatePair, two[2]), wanted)


def test_licences_that_are_too_long_together_are_refused(database, people, two):
    left, right, pair = two
    with database.writing() as session:
        session.get_one(Example, left).licence, session.get_one(Example, right).licence = "a" * 50, "b" * 50
    before = everything(database, people)
    with pytest.raises(LicencesTooLong, match="at most 80"):
        merged(database, people, pair)
    assert everything(database, people) == before


def test_test_prompts_are_shown_to_nobody_by_a_merge(database, people):
    with database.writing() as session:
        session.get_one(Project, people.project.id).tests_hidden = True
        train = example(session, people, KETTLE)
        test = examples.create_example(
            session, people.lead, people.project, split=Split.TEST, source="authors", messages=messages(KETTLE_AGAIN)
        )
        pair = known_pair(session, people, f"example:{train.id}", f"example:{test.id}", leak=True).id
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        keep_from_tests(session, project, people.annotator, people.annotator.role)
        chosen, wanted = session.get_one(DuplicatePair, pair), Merging(Verdict.KEEP_LEFT, BOTH)
        with pytest.raises(TestKeptOut):
            merge(session, people.annotator, project, chosen, wanted)
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        chosen = session.get_one(DuplicatePair, pair)
        with pytest.raises(ShowsTest):
            merge(session, people.lead, project, chosen, Merging(Verdict.KEEP_LEFT, BOTH))
        merge(session, people.lead, project, chosen, Merging(Verdict.KEEP_RIGHT, messages(f"{KETTLE_AGAIN} Quickly.")))
    assert (one(database, train.id).state, one(database, test.id).revision_number) == (ExampleState.REJECTED, 2)


def test_the_rest_of_a_cluster_goes_with_it_and_comes_back_with_one_undo(database, people):
    with database.writing() as session:
        run = import_run(session, people)
        for name in "1234":
            candidate(session, run, name, f"{KETTLE} {name}")
        ids = [known_pair(session, people, key("1"), key(name), score=0.95).id for name in "234"]
    before = everything(database, people)[1]
    with pytest.raises(ClusterChanged):
        merged(database, people, ids[1], Verdict.KEEP_RIGHT, whole=True, cluster_seen="0" * 16)
    leader = merged(database, people, ids[1], Verdict.KEEP_RIGHT, whole=True, reason="One kettle.")
    with database.reading() as session:
        made = session.scalars(select(Example)).one()
        rows = {row["removed"]: (row["kept"], row["merged"]) for row in all_removals(session, people.project.id)}
    assert revisions(database, made.id)[1][2] == f"merged with candidate {SITE}/1: One kettle."
    assert rows == {key("1"): (key("3"), 2), key("2"): (key("3"), None), key("4"): (key("3"), None)}
    other = next(pair for pair in ids if pair != leader.id)
    with pytest.raises(Follows):
        undo(database, people, other)
    undo(database, people, leader.id)
    assert everything(database, people)[1] == before
    assert {(row.verdict, str(row.effect)) for row in pairs(database, people)} == {(Verdict.OPEN, "{}")}


def test_the_next_look_asks_nothing_of_what_was_merged(database, settings, people):
    with database.writing() as session:
        run = import_run(session, people)
        for name in "12":
            candidate(session, run, name, KETTLE)
    scan(database, settings, people, methods=[Method.EXACT])
    [pair] = pairs(database, people)
    merged(database, people, pair.id, words=messages(KETTLE, f"{ANSWER} Vinegar, too."))
    scan(database, settings, people, methods=[Method.EXACT])
    assert [(row.id, row.verdict) for row in pairs(database, people)] == [(pair.id, Verdict.KEEP_LEFT)]


def test_of_two_who_merge_at_once_one_is_told(database, people, two):
    said: list[str] = []
    ready = threading.Barrier(2)

    def work(keep):
        ready.wait()
        try:
            merged(database, people, two[2], keep, seen=(1, 1))
            said.append("merged")
        except DecidedOtherwise:
            said.append("told")

    threads = [threading.Thread(target=work, args=(keep,)) for keep in (Verdict.KEEP_LEFT, Verdict.KEEP_RIGHT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["merged", "told"]
    assert sorted(one(database, number).revision_number for number in two[:2]) == [1, 2]


def test_a_candidate_that_was_made_into_an_example_is_read_in_its_newest_words(database, people, mixed):
    with database.writing() as session:
        row = session.scalars(select(Candidate)).one()
        made = examples.example_from_candidate(session, people.annotator, row)
        examples.save_revision(session, people.annotator, made, based_on=1, messages=messages(KETTLE, "New."))
    with database.reading() as session:
        found = queries.standing_members(session, people.project.id, [key("1"), "example:999"])
        head = of_examples.head_revision(session, session.get_one(Example, made.id))
    assert {name: (one.messages, one.revision) for name, one in found.items()} == {key("1"): (head.messages, 2)}


def test_turns_are_taken_from_either_side_or_written_anew():
    left = [{"role": "system", "content": "Be brief."}, *messages("A?", "B.")]
    right = [*messages("A2?", "B2."), {"role": "user", "content": "C2?"}]
    parts = parts_between(left, right)
    assert [(part.number, part.title, part.left, part.right) for part in parts] == [
        (0, "System message", "Be brief.", ""), (1, "Prompt 1", "A?", "A2?"), (2, "Response 1", "B.", "B2."),
        (3, "Prompt 2", "", "C2?"), (4, "Response 2", "", ""),
    ]  # fmt: skip
    takes = {0: "right", 1: "left", 2: "own", 3: "right", 4: "left"}
    said = composed(parts, takes, Turns("", ("", "Mine.", "")))
    assert [message["content"] for message in said if message["content"]] == ["A?", "Mine.", "C2?"]
    assert [part.title for part in parts_between(messages("A?"), [])] == ["Prompt", "Response"]
