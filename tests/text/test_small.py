"""Counting, canonical JSON, storable text, hidden characters, and a writer's own words."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text import marks
from app.text.canonical import canonical_json, content_hash, quoted, sha256_hex
from app.text.prose import MASK, own_words
from app.text.wellformed import MalformedText, first_fault, require_wellformed

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abé", max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_canonical_json_reads_back_and_ignores_the_order_of_keys(value):
    data = canonical_json(value)
    assert json.loads(data) == value
    if isinstance(value, dict):
        assert canonical_json(dict(reversed(value.items()))) == data


def test_canonical_json_is_pinned():
    assert canonical_json({"é": [1, True], "a": "\u2028"}) == '{"a":"\u2028","é":[1,true]}'.encode()
    assert content_hash({}) == sha256_hex(b"{}") == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", [float("-inf")]])
def test_canonical_json_refuses_what_json_is_not(value):
    with pytest.raises(ValueError, match=r"."):
        canonical_json(value)


def test_canonical_json_refuses_keys_that_are_no_strings():
    with pytest.raises(TypeError):
        canonical_json({"a": [{1: 2}]})


@pytest.mark.parametrize(("text", "name"), [("ab\x00", "a NUL character at character 3"), ("\ud800", "U+D800")])
def test_a34_unstorable_text_is_refused_with_its_place(text, name):
    assert name in str(first_fault(text))
    with pytest.raises(MalformedText, match=name.replace("+", r"\+")) as caught:
        require_wellformed(text, "The prompt")
    assert caught.value.status == 422


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_all_other_text_passes_unchanged(text):
    assert require_wellformed(text) == text


@given(st.text())
def test_marked_runs_join_back(text):
    assert "".join(run.text for run in marks.runs(text)) == text


def test_a26_joiners_of_emoji_and_scripts_are_not_marked():
    def hidden(text):
        return [run.mark for run in marks.runs(text) if run.mark]

    assert not hidden("👩\u200d🔬 می\u200cخواهم 🏴\U000e0067\U000e0062\U000e007f")
    assert hidden("ad\u200dmin") == ["U+200D"]
    assert hidden("a\u202eb") == ["U+202E"]
    assert marks.without_hidden(" ad\u200dmin\u202e\n\x07 of all ") == "admin of all"
    assert marks.runs("x\u202e")[1].mark == "U+202E"


@given(
    st.lists(st.sampled_from(["`", "```\n", "$", "> ", '"', "I ", "\n", "    ", "- ", "x"]), max_size=30).map("".join)
)
def test_own_words_keep_every_place(text):
    masked = own_words(text)
    assert len(masked) == len(text)
    assert all(new in (old, MASK) for old, new in zip(text, masked, strict=True))
    assert masked.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "`I`", "```\nI\n```", "~~~py\nI\n\nI\n~~~", "- ```\n  I\n  ```", "$\\mathbb{I}$", "$$\nI\n$$", "> I said",
        '"I am" he said',
        "\\$I\\$", "\\(I\\)", "\\\\( I \\\\)", "\\[I = V/R\\]", "“I am”", "‘I am’",
        "he said 'I am'.", "\\begin{align}I\\end{align}", "``a ` I``", "- > I", "text\n\n    I = 1",
    ],
)  # fmt: skip
def test_code_formulas_and_quotations_are_not_ones_own_words(text):
    assert "I" not in own_words(text)


@pytest.mark.parametrize(
    "text",
    [
        "I",
        "it costs $5, and I paid $6",
        "it costs \\$5, and I paid \\$6",
        "\\(I",
        "see \\[I\\]",
        "don't I, won't",
        "- a\n\n    I go on",
        "`a` I `b`",
        '5" I 6"',
    ],
)
def test_ones_own_words_stay(text):
    assert "I" in own_words(text)


@given(st.text() | st.text(st.characters(max_codepoint=0x17F)))
def test_a_quoted_text_is_its_canonical_json(text):
    assert quoted(text).encode() == canonical_json(text)


@given(st.text(st.characters() | st.sampled_from("\x00\ud800\udfff")))
def test_the_first_fault_is_the_first_character_that_cannot_be_stored(text):
    found, fault = re.search("[\x00\ud800-\udfff]", text), first_fault(text)
    assert (found and found.start()) == (fault and fault.position)


@given(st.text("ab \n>~`\t-\"'I", max_size=40))
def test_masking_keeps_each_character_s_place(text):
    masked = own_words(text)
    assert len(masked) == len(text)
    assert all(new in {old, MASK} and (old != "\n" or new == old) for old, new in zip(text, masked, strict=True))
