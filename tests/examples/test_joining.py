"""A change of one's own words joined with what stands on the desk: nothing of either goes, or stands there twice."""

import pytest

from app.examples.merging import Turns, keep_both
from tests.examples import rows

KEPT = "A cut. Offline words."


def joined(base, mine, theirs):
    turns, both = keep_both(Turns("", ("", base)), Turns("", ("", mine)), Turns("", ("", theirs)))
    return (turns.spoken or ("", ""))[1], both


@pytest.mark.parametrize(
    ("desk", "after"),
    [
        (f"{KEPT}\n\nMore.", "A cut.\n\nMore."),
        (f"More.\n\n{KEPT}", "More.\n\nA cut."),
        (f"Before. {KEPT} After.", "Before. A cut. After."),
        (KEPT, "A cut."),
    ],
)
def test_a_change_is_taken_out_again_and_what_was_added_around_it_stays(desk, after):
    assert joined(KEPT, "A cut.", desk) == (after, 0)


def test_words_that_both_added_at_one_place_stand_once_and_their_own_one_after_the_other():
    assert joined("A cut.", "A cut. It is ground, mine.", "A cut. It is ground, theirs.") == (
        "A cut. It is ground, theirs.\nIt is ground, mine.",
        1,
    )
    assert joined("A cut.", "A cut. It is.", "A cut. It is. And more.") == ("A cut. It is. And more.", 0)


def test_a_turn_that_one_side_never_had_stays():
    two, four = Turns("", ("Ask", "Mine")), Turns("", ("Ask", "Say", "Again", "More"))
    assert keep_both(Turns("", ("Ask", "Say")), two, four)[0].spoken == ("Ask", "Mine", "Again", "More")


def test_the_page_joins_a_change_in_a_revision_with_what_is_on_the_desk(browser, database, people):
    with database.writing() as session:
        made = rows.example(session, people.annotator, people.project, messages=rows.pair("Ask", "One.\n\nTwo.\n"))
    path = f"/projects/{people.project.slug}/examples"
    writer = browser(people.annotator)
    form = {"base_revision": "1", "mine_1": "Ask", "mine_2": "One, mine.\n\nTwo.\n"}
    desk = {"turn_1": "Ask", "turn_2": "One.\n\nTwo, typed.\n"}
    answer = writer.post(f"{path}/{made.id}/joining", data=form | desk)
    assert answer.json() == {"system": "", "turns": ["Ask", "One, mine.\n\nTwo, typed.\n"], "both": 0}
    back = {"base_1": "Ask", "base_2": "One, mine.\n\nTwo.\n", "mine_revision": "1"}
    desk = {"turn_1": "Ask", "turn_2": "One, mine.\n\nTwo, typed.\n"}
    answer = writer.post(f"{path}/{made.id}/joining", data=back | desk)
    assert answer.json()["turns"] == ["Ask", "One.\n\nTwo, typed.\n"]
    answer = writer.post(f"{path}/joining", data={"mine_1": "Begun", "turn_1": "Begun", "turn_2": "Here"})
    assert answer.json() == {"system": "", "turns": ["Begun", "Here"], "both": 0}
