"""One writer at a time, each person another example, and nothing that two people begin at once."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.accounts.models import AuditEntry, Role, User
from app.db import now
from app.errors import Refusal
from app.examples import answers, claims, operations, queries, queueing, skips, working_copies
from app.examples.models import Example, ExampleState, Revision, SkipReason
from app.examples.queueing import Why, claim_next
from app.projects import operations as projects
from app.projects.limits import Archived
from app.projects.models import Project, Split
from app.projects.operations import Target
from tests import factories
from tests.examples import rows


def untouched(session, people, count=1, start=1, **more):
    run = rows.import_run(session, people.project)
    made = []
    for number in range(start, start + count):
        candidate = rows.candidate(session, people.project, run, number, **more)
        made.append(operations.example_from_candidate(session, people.lead, candidate))
    return made


def after_its_time(session, example):
    session.execute(update(Example).where(Example.id == example.id).values(claimed_until=now() - timedelta(seconds=1)))
    session.refresh(example)


def write_on(session, person, example, words="Another answer."):
    return operations.save_revision(
        session, person, example, based_on=example.revision_number, messages=rows.pair("Q?", words)
    )


def returned(session, person, example):
    operations.submit_example(session, person, example)
    operations.record_verdict(session, example, ExampleState.RETURNED, example.revision_number)


def test_next_gives_each_person_another_example_and_says_until_when(session, people):
    first, second = untouched(session, people, 2)
    mine = claim_next(session, people.annotator, people.project)
    theirs = claim_next(session, people.colleague, people.project)
    assert (mine.example.id, theirs.example.id) == (first.id, second.id)
    assert mine.why is Why.NEW
    assert first.claimed_by == people.annotator.id
    assert timedelta(minutes=29) < first.claimed_until - now() <= timedelta(minutes=30)
    assert claim_next(session, people.reviewer, people.project) is None


def test_asking_twice_gives_the_same_and_going_on_gives_another(session, people):
    first, second = untouched(session, people, 2)
    assert claim_next(session, people.annotator, people.project).example.id == first.id
    assert claim_next(session, people.annotator, people.project).example.id == first.id
    assert claim_next(session, people.annotator, people.project, after=first).example.id == second.id
    assert first.claimed_by is None, "whoever goes on without a word leaves it to others"
    assert claim_next(session, people.colleague, people.project).example.id == first.id
    assert claim_next(session, people.annotator, people.project, after=second) is None
    claims.release(session, people.colleague, first)
    assert claim_next(session, people.annotator, people.project, after=second).example.id == first.id


def test_the_order_is_returned_handed_drafts_then_the_source_most_short(session, people):
    targets = [Target(name, Split.TRAIN, name, name, target, 1) for name, target in (("near", 3), ("far", 9))]
    projects.set_composition(session, people.lead, people.project, targets)
    near = untouched(session, people, 2, source="near")
    far = untouched(session, people, 1, start=10, source="far")[0]
    draft = rows.example(session, people.annotator, people.project, "Mine?")
    handed = rows.example(session, people.colleague, people.project, "Theirs?")
    skips.hand_over(session, people.colleague, handed, people.annotator, "You know gardens.")
    back = rows.example(session, people.annotator, people.project, "Back?")
    returned(session, people.annotator, back)
    seen = []
    for _ in range(6):
        found = claim_next(session, people.annotator, people.project)
        seen.append((found.example.id, found.why))
        skips.skip(session, people.annotator, found.example, SkipReason.UNCLEAR)
    assert seen == [
        (back.id, Why.RETURNED), (handed.id, Why.HANDED), (draft.id, Why.DRAFT),
        (far.id, Why.NEW), (near[0].id, Why.NEW), (near[1].id, Why.NEW),
    ]  # fmt: skip
    assert claim_next(session, people.annotator, people.project) is None


def test_what_is_approved_makes_a_source_less_short(session, people):
    targets = [Target(name, Split.TRAIN, name, name, 2, 1) for name in ("one", "two")]
    projects.set_composition(session, people.lead, people.project, targets)
    untouched(session, people, 1, source="one")
    two = untouched(session, people, 1, start=5, source="two")[0]
    rows.submitted(session, people.annotator, people.project, source="one")
    assert queueing.places_by_shortage(session, people.project) == [("two", Split.TRAIN), ("one", Split.TRAIN)]
    assert claim_next(session, people.colleague, people.project).example.id == two.id


def test_what_a_colleague_has_begun_is_not_handed_out(session, people):
    begun, typed, fresh = untouched(session, people, 3)
    write_on(session, people.colleague, begun)
    after_its_time(session, begun)
    desk = working_copies.Desk(people.colleague, people.project, typed)
    written = working_copies.Written(rows.pair("Half", "a thought"), {}, 1)
    working_copies.keep(session, desk, written, follows=0, key="a-key-of-one-save")
    rows.example(session, people.colleague, people.project, "From nothing?")
    assert claim_next(session, people.annotator, people.project).example.id == fresh.id
    assert claim_next(session, people.colleague, people.project).example.id == begun.id


def test_unsaved_words_of_a_colleague_keep_it_out_for_a_week_and_stay_theirs(session, people):
    typed = untouched(session, people)[0]
    desk = working_copies.Desk(people.colleague, people.project, typed)
    written = working_copies.Written(rows.pair("Half", "a thought"), {}, 1)
    copy = working_copies.keep(session, desk, written, follows=0, key="a-key-of-one-save")
    copy.changed_at = now() - timedelta(days=6)
    session.flush()
    assert claim_next(session, people.annotator, people.project) is None
    copy.changed_at = now() - timedelta(days=8)
    session.flush()
    assert claim_next(session, people.annotator, people.project).example.id == typed.id
    assert working_copies.copy_on(session, desk).messages == rows.pair("Half", "a thought")


def test_what_was_returned_goes_to_who_wrote_it(session, people):
    example = untouched(session, people)[0]
    write_on(session, people.annotator, example)
    returned(session, people.annotator, example)
    assert claim_next(session, people.lead, people.project) is None
    assert claim_next(session, people.annotator, people.project).why is Why.RETURNED


def test_a_claim_ends_by_itself_and_by_submitting(session, people):
    example = untouched(session, people)[0]
    claims.claim(session, people.annotator, example)
    with pytest.raises(claims.HeldByAnother, match=people.annotator.name):
        claims.claim(session, people.colleague, example)
    after_its_time(session, example)
    assert claim_next(session, people.colleague, people.project).example.id == example.id
    write_on(session, people.colleague, example)
    operations.submit_example(session, people.colleague, example)
    assert (example.claimed_by, example.claimed_until) == (None, None)


def test_typing_renews_a_claim_and_takes_one_that_nobody_has(session, people):
    example = rows.example(session, people.annotator, people.project)
    assert claims.renew(session, people.annotator, example)
    assert not claims.renew(session, people.colleague, example)
    soon = now() + timedelta(minutes=5)
    session.execute(update(Example).values(claimed_until=soon))
    session.refresh(example)
    assert claims.renew(session, people.annotator, example)
    assert example.claimed_until > now() + timedelta(minutes=29)


def test_a56_who_lost_the_claim_loses_no_text(session, people):
    example = untouched(session, people)[0]
    claims.claim(session, people.annotator, example)
    after_its_time(session, example)
    claims.claim(session, people.colleague, example)
    with pytest.raises(claims.HeldByAnother) as refused:
        write_on(session, people.annotator, example, "Written while the claim ran out.")
    assert refused.value.status == 409
    assert people.colleague.name in refused.value.message
    assert example.revision_number == 1
    words = rows.pair("Q?", "Written while the claim ran out.")
    answers.keep_words(session, people.annotator, people.project, example, words, 1)
    second = answers.answer_with_words(session, people.annotator, people.project, example)
    assert (second.beside_id, second.claimed_by, example.answers) == (example.id, people.annotator.id, 2)
    assert queries.head_revision(session, second).messages == words
    desk = working_copies.Desk(people.annotator, people.project, example)
    assert working_copies.copy_on(session, desk) is None


def test_a_save_without_a_claim_is_taken_when_nobody_holds_it_and_makes_one(session, people):
    example = rows.example(session, people.annotator, people.project)
    write_on(session, people.colleague, example)
    assert example.claimed_by == people.colleague.id
    with pytest.raises(claims.HeldByAnother):
        operations.submit_example(session, people.annotator, example)


def test_with_overlap_a_prompt_goes_to_as_many_people_as_wanted(session, people):
    first = untouched(session, people)[0]
    third = factories.user(session)
    projects.add_member(session, people.lead, people.project, third, Role.ANNOTATOR)
    people.project.overlap = 2
    assert claim_next(session, people.annotator, people.project).example.id == first.id
    found = claim_next(session, people.colleague, people.project)
    assert (found.why, found.example.beside_id) == (Why.ANSWER, first.id)
    assert queries.head_revision(session, found.example).messages == rows.pair("Question 1?")[:1]
    assert claim_next(session, people.colleague, people.project).example.id == found.example.id
    assert claim_next(session, third, people.project) is None
    assert first.answers == 2


def test_nobody_answers_their_own_prompt_twice(session, people):
    first = untouched(session, people)[0]
    people.project.overlap = 3
    write_on(session, people.annotator, first)
    operations.submit_example(session, people.annotator, first)
    assert claim_next(session, people.annotator, people.project) is None
    assert claim_next(session, people.colleague, people.project).why is Why.ANSWER
    assert session.scalar(select(func.count(Example.id))) == 2


@pytest.mark.parametrize("came_answered", [True, False])
def test_a_second_answer_credits_the_prompt_and_not_the_first_answer(session, people, came_answered):
    people.project.overlap = 2
    author, link = {"author": "A. Baker", "author_url": "https://x.test/users/1"}, "https://x.test/a/7"
    words = rows.pair("Why is bread sour?", "Because.")[: 2 if came_answered else 1]
    first = operations.create_example(
        session, people.annotator, people.project, split=Split.TRAIN, source="stackexchange_other", language="en",
        messages=words, licence="CC BY-SA 4.0", attribution=author | {"url": link, "site": "x.test"},
    )  # fmt: skip
    made = answers.make_answer(session, people.colleague, people.project, first)
    assert made.licence == first.licence
    asker = {} if came_answered else {"question_author": "A. Baker", "question_author_url": "https://x.test/users/1"}
    assert made.attribution == {"question_url": link, "site": "x.test"} | asker


def test_a_skip_is_said_to_the_lead_and_can_be_taken_back(session, people):
    example = untouched(session, people)[0]
    claim_next(session, people.annotator, people.project)
    with pytest.raises(skips.WordsNeeded):
        skips.skip(session, people.annotator, example, SkipReason.OTHER)
    skips.skip(session, people.annotator, example, SkipReason.NOT_MY_FIELD, "Wiring.")
    assert claim_next(session, people.annotator, people.project) is None
    assert claim_next(session, people.colleague, people.project).example.id == example.id
    said = session.scalars(skips.skipped_in(people.project.id)).one()
    assert (said.user.name, said.reason, said.words) == (people.annotator.name, SkipReason.NOT_MY_FIELD, "Wiring.")
    claims.release(session, people.colleague, example)
    skips.unskip(session, people.annotator, example)
    skips.unskip(session, people.annotator, example)
    assert claim_next(session, people.annotator, people.project).example.id == example.id
    done = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"example:{example.id}"))
    assert list(done)[-2:] == ["skip example", "take back skip"]


def test_a_hand_over_reaches_one_person_and_can_be_undone_until_they_begin(session, people):
    example = untouched(session, people)[0]
    claim_next(session, people.annotator, people.project)
    with pytest.raises(skips.AlreadyYours):
        skips.hand_over(session, people.annotator, example, people.annotator)
    with pytest.raises(skips.NotAMember):
        skips.hand_over(session, people.annotator, example, people.stranger)
    with pytest.raises(claims.HeldByAnother):
        skips.hand_over(session, people.lead, example, people.colleague)
    skips.hand_over(session, people.annotator, example, people.colleague, "Yours, I think.")
    assert claim_next(session, people.annotator, people.project) is None
    skips.take_back(session, people.annotator, example)
    skips.take_back(session, people.annotator, example)
    assert example.handed_to is None
    skips.hand_over(session, people.annotator, example, people.colleague)
    assert claim_next(session, people.colleague, people.project).why is Why.HANDED
    with pytest.raises(skips.NotHandedByYou):
        skips.take_back(session, people.annotator, example)


def test_what_was_handed_over_and_skipped_goes_back(session, people):
    example = rows.example(session, people.annotator, people.project)
    skips.hand_over(session, people.annotator, example, people.colleague)
    skips.skip(session, people.colleague, example, SkipReason.NOT_MY_FIELD)
    assert claim_next(session, people.annotator, people.project).example.id == example.id


def test_nothing_in_the_queue_moves_in_an_archived_project(session, people):
    example = untouched(session, people)[0]
    project = session.merge(people.project)
    projects.archive_project(session, people.lead, project)
    for act in (
        lambda: claim_next(session, people.annotator, project),
        lambda: claims.claim(session, people.annotator, example),
        lambda: skips.skip(session, people.annotator, example, SkipReason.UNCLEAR),
        lambda: skips.unskip(session, people.annotator, example),
        lambda: skips.hand_over(session, people.annotator, example, people.colleague),
        lambda: skips.take_back(session, people.annotator, example),
    ):
        with pytest.raises(Archived):
            act()


def test_only_unfinished_examples_are_skipped_and_handed_over(session, people):
    example = rows.submitted(session, people.annotator, people.project)
    with pytest.raises(skips.NotUnfinished):
        skips.skip(session, people.annotator, example, SkipReason.UNCLEAR)
    with pytest.raises(Refusal, match="at most 1,000"):
        skips._checked("x" * 1001)


def ask_at_once(database, project, persons):
    """Everybody asks for the next example at the same moment; the numbers they got."""
    ready, got = threading.Barrier(len(persons)), []

    def ask(person):
        ready.wait()
        with database.writing() as session:
            found = claim_next(session, session.get(User, person.id), session.get(Project, project.id))
            got.append(found.example.id if found else None)

    threads = [threading.Thread(target=ask, args=(person,)) for person in persons]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def crowd(database, people, size, examples):
    with database.writing() as session:
        persons = [factories.user(session) for _ in range(size)]
        for person in persons:
            projects.add_member(session, people.lead, people.project, person, Role.ANNOTATOR)
        untouched(session, people, examples)
    return persons


def test_a55_thirty_two_ask_at_once_and_nobody_gets_what_another_has(database, people):
    persons = crowd(database, people, 32, 30)
    got = ask_at_once(database, people.project, persons)
    handed = [number for number in got if number is not None]
    assert len(got) == 32
    assert len(handed) == len(set(handed)) == 30
    with database.reading() as session:
        holders = list(session.scalars(select(Example.claimed_by).where(Example.claimed_until > now())))
    assert len(holders) == len(set(holders)) == 30


@pytest.mark.long
def test_a55_a_thousand_times(database, people):
    persons = crowd(database, people, 8, 10)
    for _ in range(125):
        got = ask_at_once(database, people.project, persons)
        assert len(set(got)) == 8
        assert None not in got
        with database.writing() as session:
            session.execute(update(Example).values(claimed_until=None, claimed_by=None))


def test_with_overlap_two_at_once_make_no_third_answer(database, people):
    persons = crowd(database, people, 6, 1)
    with database.writing() as session:
        session.merge(people.project).overlap = 3
    got = [number for number in ask_at_once(database, people.project, persons) if number is not None]
    assert len(got) == len(set(got)) <= 3
    with database.reading() as session:
        first = session.scalars(select(Example).where(Example.beside_id.is_(None))).one()
        assert first.answers == queries.answers_to(session, first) == session.scalar(select(func.count(Example.id)))
        assert session.scalar(select(func.count(Revision.id))) == first.answers
