"""Examples are made, saved, submitted; nothing is lost and nothing is there twice."""

import threading

import pytest
from sqlalchemy import func, select

from app.accounts.models import AuditEntry
from app.errors import Conflict, Refusal
from app.examples import describing, operations, queries
from app.examples.messages import BadMessages, TextTooLarge, draft_messages, validate_messages
from app.examples.models import Example, ExampleState, Revision
from app.projects import operations as projects
from app.projects.limits import Archived
from app.sources.models import CandidateStatus, ImportState
from app.text.wellformed import MalformedText
from tests.examples import rows


def save(session, person, example, words, based_on=1, key=None):
    return operations.save_revision(
        session, person, example, based_on=based_on, messages=rows.pair(words), idempotency_key=key
    )


def test_a_new_example_is_a_draft_with_its_first_revision(session, people):
    made = rows.example(session, people.annotator, people.project)
    assert (made.state, made.revision_number, made.created_by) == (ExampleState.DRAFT, 1, people.annotator.id)
    head = queries.head_revision(session, made)
    assert (head.messages, head.title, head.author_id) == (rows.pair(), "How deep do roots go?", people.annotator.id)


def test_a_save_makes_a_revision_and_keeps_the_old_one(session, people):
    made = rows.example(session, people.annotator, people.project)
    saved = save(session, people.annotator, made, "How deep do tree roots go?")
    assert saved.number == made.revision_number == 2
    assert [r.title for r in session.scalars(queries.revisions_of(made))] == [
        "How deep do tree roots go?", "How deep do roots go?",
    ]  # fmt: skip


def test_unchanged_words_make_no_revision(session, people):
    made = rows.example(session, people.annotator, people.project)
    assert save(session, people.annotator, made, "How deep do roots go?").number == 1


def test_a50_the_same_key_twice_gives_the_same_revision(session, people):
    made = rows.example(session, people.annotator, people.project)
    first = save(session, people.annotator, made, "Once", key="k1")
    again = save(session, people.annotator, made, "Once", based_on=1, key="k1")
    assert first.id == again.id
    assert made.revision_number == 2


def test_a50_the_same_creation_key_twice_gives_the_same_example(session, people):
    first = rows.example(session, people.annotator, people.project, creation_key="k1")
    again = rows.example(session, people.annotator, people.project, creation_key="k1")
    assert first.id == again.id


def test_a50_a_new_example_posted_in_parallel_is_there_once(database, people):
    def make():
        with database.writing() as session:
            made.append(rows.example(session, people.annotator, people.project, creation_key="k1").id)

    made: list[int] = []
    run_at_once(make, make, make)
    assert len(made) == 3
    assert len(set(made)) == 1


def test_a52_a_stale_save_is_refused_with_the_words_that_stand_there(session, people):
    made = rows.example(session, people.annotator, people.project)
    save(session, people.annotator, made, "Mine")
    with pytest.raises(operations.StaleSave) as refused:
        save(session, people.annotator, made, "Theirs")  # from another tab: a claim keeps others out
    assert refused.value.status == 409
    assert refused.value.messages == rows.pair("Mine")
    assert made.revision_number == 2


def test_a52_of_two_saves_at_once_one_wins_and_nothing_is_overwritten(database, people):
    with database.writing() as session:
        example_id = rows.example(session, people.annotator, people.project).id

    def writer(words):
        def write():
            try:
                with database.writing() as session:
                    save(session, people.annotator, session.get_one(Example, example_id), words)
                    outcomes.append("saved")
            except operations.StaleSave:
                outcomes.append("stale")

        return write

    outcomes: list[str] = []
    run_at_once(writer("left"), writer("right"))
    assert sorted(outcomes) == ["saved", "stale"]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Revision)) == 2


def run_at_once(*calls):
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)


def test_an_edit_after_approval_reopens_the_example_as_a_draft(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    assert operations.record_verdict(session, made, ExampleState.APPROVED, 1)
    save(session, people.annotator, made, "Reworded")
    assert (made.state, made.approved_number, made.revision_number) == (ExampleState.DRAFT, 1, 2)
    assert session.execute(queries.approved_revisions(people.project.id)).all() == []


@pytest.mark.parametrize("other", [{"split": "dev"}, {"source": "authors"}, {"language": "de"}])
def test_another_split_source_or_language_reopens_what_was_approved_and_a_flag_does_not(session, people, other):
    made = rows.submitted(session, people.annotator, people.project)
    operations.record_verdict(session, made, ExampleState.APPROVED, 1)
    values = {"split": "train", "source": "wikihow", "language": "en", "flags": ["long"]}
    assert describing.describe_example(session, people.annotator, made, **values)
    assert made.state is ExampleState.APPROVED
    assert not describing.describe_example(session, people.annotator, made, **values)
    describing.describe_example(session, people.annotator, made, **{**values, **other})
    assert made.state is ExampleState.DRAFT


def test_an_example_without_a_response_is_saved_but_not_submitted(session, people):
    made = rows.example(session, people.annotator, people.project, messages=rows.pair()[:1])
    with pytest.raises(BadMessages, match="no response"):
        operations.submit_example(session, people.annotator, made)
    assert made.state is ExampleState.DRAFT


def test_a_test_prompt_needs_no_response(session, people):
    made = rows.submitted(session, people.annotator, people.project, messages=rows.pair()[:1], split="test")
    assert made.state is ExampleState.REVIEW


def test_what_is_in_review_is_never_saved_half_written(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    with pytest.raises(BadMessages):
        operations.save_revision(session, people.annotator, made, based_on=1, messages=rows.pair()[:1])


def test_submitting_twice_changes_nothing_and_a_submission_can_be_taken_back(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    operations.submit_example(session, people.annotator, made)
    actions = select(func.count()).where(AuditEntry.action == "submit example")
    assert session.scalar(actions) == 1
    operations.withdraw_example(session, people.annotator, made)
    assert made.state is ExampleState.DRAFT


def test_an_approved_example_cannot_be_submitted(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    operations.record_verdict(session, made, ExampleState.APPROVED, 1)
    with pytest.raises(operations.NotSubmittable):
        operations.submit_example(session, people.annotator, made)


def test_a_candidate_becomes_one_example_with_its_provenance(session, people):
    run = rows.import_run(session, people.project)
    candidate = rows.candidate(session, people.project, run)
    made = operations.example_from_candidate(session, people.annotator, candidate)
    again = operations.example_from_candidate(session, people.colleague, candidate)
    assert made.id == again.id
    assert candidate.status is CandidateStatus.USED
    assert (made.licence, made.source, made.import_run_id) == ("CC BY-SA 4.0", "stackexchange_other", run.id)
    assert made.attribution["author"] == "A. Writer"
    assert queries.head_revision(session, made).messages == candidate.messages


def test_one_candidate_used_by_two_at_once_makes_one_example(database, people):
    with database.writing() as session:
        candidate_id = rows.candidate(session, people.project, rows.import_run(session, people.project)).id

    def use():
        with database.writing() as session:
            candidate = session.get_one(rows.Candidate, candidate_id)
            made.append(operations.example_from_candidate(session, people.annotator, candidate).id)

    made: list[int] = []
    run_at_once(use, use)
    assert len(made) == 2
    assert len(set(made)) == 1


def test_an_untouched_draft_goes_back_to_the_pool_and_a_touched_one_does_not(session, people):
    candidate = rows.candidate(session, people.project, rows.import_run(session, people.project))
    made = operations.example_from_candidate(session, people.annotator, candidate)
    operations.put_back(session, people.annotator, made)
    assert candidate.status is CandidateStatus.OPEN
    made = operations.example_from_candidate(session, people.annotator, candidate)
    save(session, people.annotator, made, "Touched")
    with pytest.raises(operations.WorkedOn):
        operations.put_back(session, people.annotator, made)


def test_examples_of_an_unpublished_import_are_not_there_yet(session, people):
    run = rows.import_run(session, people.project, ImportState.RUNNING)
    made = rows.submitted(session, people.lead, people.project, import_run_id=run.id)
    assert session.scalars(queries.examples_of(people.project.id)).all() == []
    run.state = ImportState.PUBLISHED
    session.flush()
    assert session.scalars(queries.examples_of(people.project.id)).all() == [made]
    assert queries.head_revision(session, made).author_id is None


def test_a_change_of_an_archived_project_is_refused(session, people):
    made = rows.example(session, people.annotator, people.project)
    project = session.merge(people.project)
    projects.archive_project(session, people.lead, project)
    for act in (
        lambda: save(session, people.annotator, made, "x"),
        lambda: operations.submit_example(session, people.annotator, made),
        lambda: rows.example(session, people.annotator, project),
    ):
        with pytest.raises(Archived):
            act()


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "assistant", "content": "x"}],
        [{"role": "user", "content": "x"}, {"role": "user", "content": "y"}],
        [{"role": "user", "content": " "}, {"role": "assistant", "content": "y"}],
        [{"role": "user", "content": "x"}, {"role": "system", "content": "y"}],
        [{"role": "tool", "content": "x"}],
        [{"role": "user", "content": 7}],
        [{"role": "user", "content": "x", "weight": 1}],
    ],
)
def test_messages_out_of_order_are_refused(messages):
    with pytest.raises(BadMessages):
        draft_messages(messages)


def test_empty_places_at_the_ends_are_left_out():
    places = [{"role": "system", "content": " "}, *rows.pair(), {"role": "user", "content": "\n"}]
    assert draft_messages(places) == rows.pair()


def test_a_system_message_alone_is_no_example():
    with pytest.raises(BadMessages, match="no prompt"):
        validate_messages([{"role": "system", "content": "Be brief."}], "train")


def test_a64_a_text_beyond_the_limit_is_refused_and_nothing_is_cut():
    with pytest.raises(TextTooLarge):
        draft_messages(rows.pair("x" * 1_000_001))


def test_a34_a_nul_or_a_lone_surrogate_is_named_with_its_place():
    for bad in ("a\x00b", "a\ud800b"):
        with pytest.raises(MalformedText, match="character 2"):
            draft_messages(rows.pair(bad))


def test_white_space_alone_is_no_save(session, people):
    made = rows.example(session, people.annotator, people.project)
    with pytest.raises(Refusal):
        save(session, people.annotator, made, "  \n")


def test_a_verdict_on_an_older_revision_moves_nothing(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    save(session, people.annotator, made, "Typo mended")
    assert not operations.record_verdict(session, made, ExampleState.APPROVED, 1)
    assert made.state is ExampleState.REVIEW


def test_every_change_is_in_the_trail(session, people):
    made = rows.submitted(session, people.annotator, people.project)
    save(session, people.annotator, made, "Another")
    trail = session.scalars(select(AuditEntry).where(AuditEntry.subject == f"example:{made.id}")).all()
    assert [entry.action for entry in trail] == ["create example", "submit example", "save example"]
    assert {entry.project_id for entry in trail} == {people.project.id}


def test_a_stale_form_with_the_same_words_as_the_head_is_no_conflict(session, people):
    made = rows.example(session, people.annotator, people.project)
    save(session, people.annotator, made, "Agreed")
    assert save(session, people.colleague, made, "Agreed", based_on=1).number == 2
    assert issubclass(operations.StaleSave, Conflict)
