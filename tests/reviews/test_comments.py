"""Words beside passages: pinned, answered, settled once, naming people; they never move an example."""

import threading

import pytest
from sqlalchemy import func, select

from app.accounts.models import AuditEntry
from app.errors import Gone, NotFound, Refusal
from app.examples import operations as examples
from app.examples.models import Example, ExampleState
from app.projects import operations as projects
from app.reviews import commenting, operations, queries
from app.reviews.commenting import Passage
from app.reviews.models import Comment, CommentMention
from tests.examples import rows

IN_ANSWER = Passage(message=1, quote="the top metre")


@pytest.fixture
def made(session, people):
    return rows.submitted(session, people.annotator, people.project)


def actions(session, like="%comment%"):
    return session.scalars(select(AuditEntry.action).where(AuditEntry.action.like(like)).order_by(AuditEntry.id)).all()


def test_a_comment_keeps_its_passage_and_moves_nothing(session, people, made):
    said = commenting.comment(session, people.reviewer, made, "How deep is that?", IN_ANSWER)
    text = rows.pair()[1]["content"]
    assert (said.message, text[said.start : said.end], said.quote) == (1, "the top metre", "the top metre")
    assert (said.revision_number, made.state, made.revision_number) == (1, ExampleState.REVIEW, 1)
    assert actions(session) == ["comment example"]


def test_a_comment_without_a_passage_speaks_of_the_whole(session, people, made):
    said = commenting.comment(session, people.annotator, made, "Read it aloud once.")
    assert (said.quote, said.start, said.end) == ("", 0, 0)


@pytest.mark.parametrize(
    ("words", "passage", "refusal"),
    [
        ("  ", IN_ANSWER, commenting.NothingSaid),
        ("x" * 4001, IN_ANSWER, Refusal),
        ("NUL \x00", IN_ANSWER, Refusal),
        ("Where?", Passage(message=1, quote="not a word of it"), commenting.NotInTheText),
        ("Where?", Passage(message=7, quote="the"), commenting.NotInTheText),
        ("Where?", Passage(message=1, quote="the top metre", start=0), commenting.NotInTheText),
    ],
)
def test_what_cannot_be_pinned_or_says_nothing_is_refused(session, people, made, words, passage, refusal):
    with pytest.raises(refusal):
        commenting.comment(session, people.reviewer, made, words, passage)
    assert session.scalar(select(func.count(Comment.id))) == 0


def test_a50_the_same_form_twice_makes_one_comment_and_one_answer(session, people, made):
    first, again = (
        commenting.comment(session, people.reviewer, made, "Once.", IN_ANSWER, key="form-1") for _ in range(2)
    )
    assert again.id == first.id
    one, two = (commenting.answer(session, people.annotator, made, first.id, "Yes.", key="form-2") for _ in range(2))
    assert one.id == two.id
    assert session.scalar(select(func.count(Comment.id))) == 2


def test_either_side_answers_and_settles_and_settling_is_never_a_toggle(session, people, made):
    first = commenting.comment(session, people.reviewer, made, "How deep?", IN_ANSWER)
    reply = commenting.answer(session, people.annotator, made, first.id, "A metre.")
    later = commenting.answer(session, people.reviewer, made, reply.id, "Good.")
    assert (reply.answer_to, later.answer_to) == (first.id, first.id)
    for person in (people.annotator, people.reviewer, people.annotator):
        settled = commenting.settle(session, person, made, later.id)
        assert (settled.id, settled.settled_by) == (first.id, people.annotator.id)
    assert actions(session, "settle comment") == ["settle comment"]
    assert session.scalars(queries.open_comments(made)).all() == []
    for _ in range(2):
        assert commenting.open_again(session, people.reviewer, made, first.id).settled_at is None
    assert actions(session, "open comment again") == ["open comment again"]


def test_a53_two_people_settle_at_once_in_one_trail(database, people):
    with database.writing() as session:
        example_id = rows.submitted(session, people.annotator, people.project).id
        comment_id = commenting.comment(session, people.reviewer, session.get_one(Example, example_id), "How?").id

    def settle(person):
        barrier.wait(timeout=60)
        with database.writing() as session:
            done.append(commenting.settle(session, person, session.get_one(Example, example_id), comment_id).settled_by)

    barrier, done = threading.Barrier(2), []
    threads = [threading.Thread(target=settle, args=(person,)) for person in (people.annotator, people.reviewer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(done) == 2
    assert len(set(done)) == 1
    with database.reading() as session:
        assert actions(session, "settle comment") == ["settle comment"]


def test_a_comment_of_another_example_is_not_here(session, people, made):
    other = rows.submitted(session, people.annotator, people.project, "Another")
    said = commenting.comment(session, people.reviewer, other, "Here.")
    for act in (commenting.settle, commenting.open_again):
        with pytest.raises(NotFound):
            act(session, people.reviewer, made, said.id)
    with pytest.raises(NotFound):
        commenting.answer(session, people.reviewer, made, said.id, "There.")


def test_a_named_member_finds_the_mention_until_it_is_settled(session, people, made):
    first = commenting.comment(session, people.reviewer, made, f"@{people.annotator.name}: how deep?", IN_ANSWER)
    commenting.answer(session, people.annotator, made, first.id, f"@{people.annotator.name} asks herself.")
    found = session.scalars(queries.mentions_of(people.annotator.id)).all()
    assert [(one.id, one.author.id, one.example.id) for one in found] == [(first.id, people.reviewer.id, made.id)]
    assert session.scalars(queries.mentions_of(people.reviewer.id)).all() == []
    assert session.scalars(queries.mentions_of(people.annotator.id, made.project_id + 1)).all() == []
    commenting.settle(session, people.annotator, made, first.id)
    assert session.scalars(queries.mentions_of(people.annotator.id)).all() == []


def test_who_is_no_member_is_not_named(session, people, made):
    commenting.comment(session, people.reviewer, made, f"@{people.stranger.name} might know.")
    assert session.scalar(select(func.count()).select_from(CommentMention)) == 0


def test_changes_are_asked_for_by_an_open_comment_alone(session, people, made):
    said = commenting.comment(session, people.reviewer, made, "How deep?", IN_ANSWER)
    commenting.settle(session, people.reviewer, made, said.id)
    with pytest.raises(operations.WordsNeeded):
        operations.return_example(session, people.reviewer, made, 1, "")
    commenting.open_again(session, people.reviewer, made, said.id)
    operations.return_example(session, people.reviewer, made, 1, "")
    assert (made.state, made.verdict_words) == (ExampleState.RETURNED, "How deep? (beside the text)")


def test_of_many_open_comments_the_first_is_told(session, people, made):
    commenting.comment(session, people.reviewer, made, "How deep?\n\n" + "Or how far down? " * 40, IN_ANSWER)
    commenting.comment(session, people.reviewer, made, "And how wide?", IN_ANSWER)
    operations.return_example(session, people.reviewer, made, 1, "")
    assert made.verdict_words.startswith("How deep? Or how far down?")
    assert made.verdict_words.endswith(" … (and 1 more comment beside the text)")
    assert len(made.verdict_words) < 400


def test_a60_an_archived_project_takes_no_comments(session, people, made):
    said = commenting.comment(session, people.reviewer, made, "How deep?")
    projects.archive_project(session, people.lead, session.get_one(type(people.project), people.project.id))
    session.flush()
    for act in (
        lambda: commenting.comment(session, people.reviewer, made, "More."),
        lambda: commenting.answer(session, people.reviewer, made, said.id, "More."),
        lambda: commenting.settle(session, people.reviewer, made, said.id),
    ):
        with pytest.raises(Gone):
            act()


def test_comments_stay_when_the_example_is_edited(session, people, made):
    commenting.comment(session, people.reviewer, made, "How deep?", IN_ANSWER)
    examples.save_revision(session, people.annotator, made, based_on=1, messages=rows.pair("Changed", "All new."))
    [said] = session.scalars(queries.comments_of(made)).all()
    assert (said.revision_number, said.quote) == (1, "the top metre")
