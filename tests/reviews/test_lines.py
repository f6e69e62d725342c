"""The diff by paragraphs joins back to both texts."""

from hypothesis import given
from hypothesis import strategies as st

from app.reviews.lines import text_diff

TEXT = st.lists(st.sampled_from(["one two ", "three", "\n", "\n\n", "a long line of words ", ". "])).map("".join)


@given(TEXT, TEXT)
def test_it_loses_nothing(old, new):
    found = text_diff(old, new)
    assert "".join(part.text for part in found if part.kind != "insert") == old
    assert "".join(part.text for part in found if part.kind != "delete") == new


def test_the_same_text_has_no_changes():
    assert [part.kind for part in text_diff("a\n\nb", "a\n\nb")] == ["equal"]


def test_texts_of_very_many_lines_are_compared_within_bounds():
    old, new = ("".join(f"{word} {number}\n" for number in range(12_000)) for word in ("old", "new"))
    found = text_diff(old, new)
    assert "".join(part.text for part in found if part.kind != "insert") == old
    assert "".join(part.text for part in found if part.kind != "delete") == new
