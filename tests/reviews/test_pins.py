"""A pin stays at its words through edits, and is told to be gone when they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reviews.pins import Pin, carried

OLD = "Let Git remember. It never goes wrong. Give it less to replay."
QUOTE = "It never goes wrong."
AT = Pin(OLD.index(QUOTE), OLD.index(QUOTE) + len(QUOTE))


def now_at(new: str, pin: Pin = AT, old: str = OLD) -> str | None:
    [found] = carried(old, new, [pin])
    return found.of(new) if found else None


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (OLD, QUOTE),
        ("More before. " + OLD, QUOTE),
        (OLD.replace("Let Git remember.", ""), QUOTE),
        (OLD.replace("never", "hardly ever"), "It hardly ever goes wrong."),
        (OLD.replace(QUOTE, "Stored solutions fail when files move."), "Stored solutions fail when files move."),
        ("Give it less to replay. Let Git remember. It never goes wrong.", QUOTE),
        (OLD.replace(QUOTE + " ", ""), None),
        ("", None),
    ],
)
def test_where_a_passage_is_after_an_edit(new, expected):
    assert now_at(new) == expected


def test_of_several_equal_passages_the_nearest_one_is_taken():
    old = "Stir well.\n\nHeat the pan.\n\nServe."
    new = "Stir well now.\n\nServe.\n\nThen Heat the pan. And again Heat the pan."
    [found] = carried(old, new, [Pin(old.index("Heat"), old.index("Heat") + 13)])
    assert found is not None
    assert found.start == new.index("Heat")


@pytest.mark.parametrize(
    ("old", "quote", "new", "expected"),
    [
        # Moved into a sentence, or to its head.
        ("Oaks grow slowly. Water them.", "Oaks grow slowly", "Water them, for oaks grow slowly.", "oaks grow slowly"),
        ("Water them. They, as oaks, grow.", "as oaks, grow", "As oaks, grow. Water them.", "As oaks, grow"),
        # Its own case comes first, even if another is nearer.
        ("An Oak grows. Wait.", "An Oak grows.", "Wait. So an oak grows. And on: An Oak grows.", "An Oak grows."),
        # Neither another word that has its letters nor a word that stood there before.
        ("The oak is big. We soak it.", "oak", "The elm is big. We soak it.", "elm"),
        ("The Oak is big. An oak is small.", "Oak", "The Elm is big. An oak is small.", "Elm"),
        ("The Oak is big. An oak is small.", "Oak", "An oak is small.", None),
        # Scripts that part no words.
        ("我喜欢橡树。它很大。", "橡树", "它很大。所以我们都喜欢橡树。", "橡树"),
    ],
)
def test_a_moved_passage_is_found_in_its_own_case_first_and_as_whole_words(old, quote, new, expected):
    assert now_at(new, Pin(old.index(quote), old.index(quote) + len(quote)), old) == expected


def test_a_coincidence_of_small_words_does_not_keep_a_passage():
    old = "Boil the stock down to a thick glaze before you add the cream to it."
    new = "Roast the bones until they are brown."
    assert now_at(new, Pin(0, len(old)), old) in {None, new}
    inner = Pin(old.index("before"), len(old))
    assert now_at("Boil the stock down to a thick glaze.", inner, old) is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_words_added_before_and_after_never_lose_the_passage(before, after):
    new = f"{before}\n{OLD}\n{after}"
    assert now_at(new) == QUOTE


@given(st.text(max_size=80), st.text(max_size=80), st.integers(0, 80), st.integers(1, 20))
def test_a_pin_never_leaves_the_text(old, new, start, length):
    pin = Pin(min(start, len(old)), min(start + length, len(old)))
    [found] = carried(old, new, [pin])
    if found is not None:
        assert 0 <= found.start <= found.end <= len(new)
        assert found.of(new).strip() or old == new
