from hypothesis import given
from hypothesis import strategies as st

from app.text.diff import Segment, side_by_side, word_diff

words = st.lists(st.sampled_from(["a", "the ", "cat", " ", "\n", "sat.", "é", "\u202e", "-", "42"]), max_size=40).map(
    "".join
)


def joined(segments, *kinds):
    return "".join(part.text for part in segments if part.kind in kinds)


@given(words | st.text(), words | st.text())
def test_segments_join_back_to_both_texts(left, right):
    segments = word_diff(left, right)
    assert joined(segments, "equal", "delete") == left
    assert joined(segments, "equal", "insert") == right
    assert all(part.text for part in segments)


@given(words, words)
def test_sides_join_back_and_mark_nothing_when_equal(left, right):
    sides = side_by_side(left, right)
    assert "".join(piece.text for piece in sides.left) == left
    assert "".join(piece.text for piece in sides.right) == right
    if left == right:
        assert not any(piece.only for piece in sides.left + sides.right)


def test_a_changed_phrase_reads_as_one_change():
    assert word_diff("I saw a big dog.", "I saw the small dog.") == (
        Segment("equal", "I saw "),
        Segment("delete", "a big"),
        Segment("insert", "the small"),
        Segment("equal", " dog."),
    )


def test_a_wholly_new_paragraph_reads_as_one_change_and_paragraphs_stay_apart():
    left = "The cup is warm and it was on the shelf.\n\nRinse it."
    right = "A kettle boils water; the heat is enough to make it sing.\n\nRinse it."
    segments = word_diff(left, right)
    assert [part.kind for part in segments] == ["delete", "insert", "equal"]
    assert segments[-1].text.endswith("\n\nRinse it.")


def test_two_small_changes_in_a_sentence_stay_two():
    segments = word_diff("The red cat and the blue dog met.", "The green cat and the yellow dog met.")
    assert [part.text for part in segments if part.kind == "insert"] == ["green", "yellow"]


def test_very_long_texts_fall_back_to_lines():
    left = "\n".join(f"line {number} alpha" for number in range(9000))
    right = "\n".join(f"line {number} beta" for number in range(9000))
    segments = word_diff(left, right)
    assert joined(segments, "equal", "delete") == left
    assert joined(segments, "equal", "insert") == right
