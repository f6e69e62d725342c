"""Words and tokens: exact by a tokenizer, as training counts them; estimated without one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from app.text.counting import ESTIMATE, LONG, Tokens, count_words, estimate_tokens, read_tokenizer


def tokenizer(*, bos: bool = False, cuts_at: int = 0) -> bytes:
    """A tokenizer of one token a word and sign, which knows a control token."""
    made = Tokenizer(models.WordLevel({"?": 0, "<s>": 1, "a": 2}, unk_token="?"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.add_special_tokens(["<s>"])
    if bos:
        made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    if cuts_at:
        made.enable_truncation(cuts_at)
    return made.to_str().encode()


@pytest.fixture(scope="module")
def exact() -> Tokens:
    return read_tokenizer(tokenizer())


def test_words_are_counted_and_tokens_estimated():
    assert count_words(" a  é\n") == 2
    assert estimate_tokens("x" * 3600) == ESTIMATE.count("x" * 3600) == ESTIMATE.total(["x" * 3600, ""]) == 1000
    assert not ESTIMATE.counts_exactly([])


def test_a_row_has_its_texts_an_end_after_each_and_bos_where_the_tokenizer_begins_with_it(exact):
    assert exact.count("a b a") == 3
    assert exact.total(["a b", "a", ""]) == 5
    assert read_tokenizer(tokenizer(bos=True)).total(["a b", "a"]) == 6


def test_many_texts_at_once_are_what_each_is_alone_and_are_cut_into_tokens_once(exact, monkeypatch):
    texts = ["a b a", "", "é <s> x", "a b a", "a " * LONG]
    alone = [exact.count(text) for text in texts]
    assert exact.counts(texts) == alone == exact.counts(texts)
    assert ESTIMATE.counts(texts) == [estimate_tokens(text) for text in texts]
    # A text that is known is not looked at again, and forgetting all is no error.
    monkeypatch.setattr("app.text.counting.MOST_COUNTED", 3)
    assert exact.counts(["b"]) == [1]
    assert exact.counts(texts) == alone


def test_what_somebody_types_is_no_control_token_and_a_files_own_limit_is_none(exact):
    assert exact.count("<s>") == 3
    assert read_tokenizer(tokenizer(cuts_at=2)).count("a a a a") == 4


def test_reading_stops_at_the_first_character_that_does_not_fit(exact):
    assert exact.place(["a b", "🥖 a c"], 7) is None
    found = exact.place(["a b", "🥖 a c"], 5)
    assert (found.text, found.start) == (1, len("🥖 a "))
    # Everything is read but the end of the last turn.
    ends = exact.place(["a b", "🥖 a c"], 6)
    assert (ends.text, ends.start) == (1, 5)
    assert ESTIMATE.place(["x" * 36, "x" * 36], 15).start == 18


@settings(max_examples=30)
@given(st.lists(st.text(st.sampled_from("ab .🥖\n"), max_size=12), max_size=5), st.integers(1, 20))
def test_what_stands_before_the_place_fits_and_what_stands_there_does_not(texts, limit):
    exact = read_tokenizer(tokenizer())
    place = exact.place(texts, limit)
    assert (place is None) == (exact.total(texts) <= limit)
    if place is not None:
        before = exact.total(texts[: place.text])
        read, text = texts[place.text][: place.start], texts[place.text]
        assert before + exact.count(read) <= limit
        assert before + exact.count(text) + 1 > limit


def test_a_text_beyond_all_measure_is_counted_in_proportion_and_soon(exact):
    text = "a " * LONG
    assert exact.count(text) == LONG
    assert not exact.counts_exactly([text])
    assert exact.place([text], 2048).start == 2 * 2048


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\x00", b'{"model": {"type": "Pickle"}}'])
def test_what_is_no_tokenizer_is_refused_in_words(data):
    with pytest.raises(ValueError, match=r"\w"):
        read_tokenizer(data)
