"""Comparing two sets of rows: every row counted once, the same both ways round, whatever their order."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.datasets.canonical import Line, line_of
from app.datasets.comparison.comparing import Change, Comparison, Kind, Match, Row, compare
from app.datasets.comparison.meaning import Way, sense, ways_of
from app.datasets.comparison.reworded import parts_of, turns_of
from app.text.diff import word_diff
from tests.datasets.material import dialogue

LONG = "A roux is flour and fat, stirred over a low flame until it smells of nuts and not of flour."


@dataclass(frozen=True)
class Example:
    """A row before it has a place."""

    example_id: int
    messages: tuple[tuple[str, str], ...]
    split: str = "train"
    source: str = "wikihow"
    licence: str | None = "CC BY-SA 4.0"
    author: str = ""
    flags: tuple[str, ...] = ()

    @property
    def line(self) -> Line:
        return line_of(
            split=self.split, source=self.source, licence=self.licence, attribution={"author": self.author},
            messages=[{"role": role, "content": said} for role, said in self.messages],
            told={"flags": list(self.flags)} if self.flags else {},
        )  # fmt: skip


def said(question: str, answer: str = LONG) -> tuple[tuple[str, str], ...]:
    return tuple((one["role"], one["content"]) for one in dialogue(question, answer))


class Set:
    """Examples in the places they are given in."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = examples
        self.asked: set[int] = set()

    def rows(self) -> list[Row]:
        return [
            Row(place, one.example_id, 1, one.split, one.source, one.line.sha256)
            for place, one in enumerate(self.examples)
        ]

    def lines(self, rows: Sequence[Row]) -> Mapping[int, str]:
        self.asked |= {row.position for row in rows}
        return {row.position: self.examples[row.position].line.text for row in rows}


def between(old: Sequence[Example], new: Sequence[Example], *, same_project: bool = True) -> Comparison:
    left, right = Set(old), Set(new)
    return compare(left.rows(), right.rows(), left.lines, right.lines, same_project=same_project)


def only(comparison: Comparison) -> Change:
    (change,) = comparison.changes
    return change


# Few words and few numbers, so that rows meet in every way.
TEXTS = st.sampled_from(
    ["What is a roux?", "What  is a roux?", "And now?", LONG, LONG + " Then milk.", "“No.”", '"No."']
)
EXAMPLES = st.builds(
    Example,
    example_id=st.integers(1, 12),
    messages=st.builds(said, TEXTS, TEXTS),
    split=st.sampled_from(["train", "dev", "test"]),
    source=st.sampled_from(["wikihow", "authors"]),
    licence=st.sampled_from([None, "CC BY-SA 4.0"]),
    author=st.sampled_from(["", "A. Baker"]),
    flags=st.sampled_from([(), ("sensitive",)]),
)
SETS = st.lists(EXAMPLES, max_size=10, unique_by=lambda one: one.example_id)


def told(comparison: Comparison) -> set[tuple[Any, ...]]:
    """Pairs by their numbers and lines, without places; every row has a number of its own."""
    return {
        (change.old and change.old[1:], change.new and change.new[1:], change.kinds, change.ways, change.match)
        for change in (*comparison.changes, *comparison.same)
    }


MIRRORED = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED}


@given(SETS)
@settings(deadline=None)
def test_a_set_compared_with_itself_has_no_changes(rows: list[Example]) -> None:
    found = between(rows, rows)
    assert not found.changes
    assert found.counts == ({Kind.UNCHANGED: len(rows)} if rows else {})


@given(SETS, SETS, st.booleans())
@settings(deadline=None)
def test_every_row_stands_in_exactly_one_pair(old: list[Example], new: list[Example], same_project: bool) -> None:
    found = between(old, new, same_project=same_project)
    every = (*found.changes, *found.same)
    assert sorted(change.old.position for change in every if change.old) == list(range(len(old)))
    assert sorted(change.new.position for change in every if change.new) == list(range(len(new)))
    counts = found.counts
    assert len(old) == counts[Kind.UNCHANGED] + len(found.changes) - counts[Kind.ADDED]
    assert len(new) == counts[Kind.UNCHANGED] + len(found.changes) - counts[Kind.REMOVED]
    assert all(change.kinds for change in every)


@given(SETS, SETS, st.booleans())
@settings(deadline=None)
def test_the_other_way_round_it_is_the_mirror_image(old: list[Example], new: list[Example], same_project: bool) -> None:
    mirrored = {
        (right, left, tuple(MIRRORED.get(kind, kind) for kind in kinds), ways, match)
        for left, right, kinds, ways, match in told(between(old, new, same_project=same_project))
    }
    assert told(between(new, old, same_project=same_project)) == mirrored


@given(SETS, SETS, st.randoms(use_true_random=False), st.booleans())
@settings(deadline=None)
def test_the_order_of_rows_does_not_matter(old: list[Example], new: list[Example], random: Any, same: bool) -> None:
    first = between(old, new, same_project=same)
    shuffled = random.sample(old, len(old)), random.sample(new, len(new))
    second = between(*shuffled, same_project=same)
    assert told(second) == told(first)
    numbers = [[(one.kinds, one.row.example_id) for one in found.changes] for found in (first, second)]
    assert numbers[0] == numbers[1]


@given(SETS, SETS)
@settings(deadline=None)
def test_the_numbers_by_source_are_those_of_their_rows(old: list[Example], new: list[Example]) -> None:
    found = between(old, new)
    for source, counts in found.by_source.items():
        for kind in Kind:
            assert counts[kind] == len(found.chosen(kind, source))
    for kind in Kind:
        assert found.counts[kind] == len(found.chosen(kind))
    assert sum(found.before.values()) == len(old)


def test_only_lines_of_rows_that_differ_are_read() -> None:
    old = Set([Example(number, said(f"Question {number}?", f"{number} {LONG}")) for number in range(50)])
    new = Set([*old.examples[:40], Example(40, said("Another?", f"40 {LONG}"))])
    compare(old.rows(), new.rows(), old.lines, new.lines)
    assert old.asked == set(range(40, 50))
    assert new.asked == {40}


def test_several_things_hold_at_once() -> None:
    old = Example(1, said("What is a roux?"))
    new = Example(1, said("What is a blond roux?"), split="test", source="authors", licence=None, author="B. Cook")
    kinds = only(between([old], [new])).kinds
    assert set(kinds) == {Kind.MOVED, Kind.REWORDED, Kind.LICENCE, Kind.SOURCE, Kind.ATTRIBUTION}


def test_a_row_that_left_its_source_is_counted_under_both() -> None:
    found = between([Example(1, said("What?"))], [Example(1, said("What?"), source="authors")])
    assert found.by_source["wikihow"][Kind.SOURCE] == found.by_source["authors"][Kind.SOURCE] == 1
    assert found.counts[Kind.SOURCE] == 1


@pytest.mark.parametrize(
    ("old", "new", "match", "kinds"),
    [
        (said("What is a roux?"), said("What is a roux?"), Match.LINE, None),
        (said("What  is a roux?"), said("What is a roux?"), Match.MESSAGES, {Kind.REWORDED, Kind.FORM}),
        (said("What is a roux?", "Flour."), said("What is a roux?", "Fat."), Match.PROMPT, {Kind.REWORDED}),
        (said("A roux?"), said("What is a roux?"), Match.RESPONSE, {Kind.REWORDED}),
    ],
)
def test_rows_of_other_examples_are_paired_by_what_they_say(
    old: Any, new: Any, match: Match, kinds: set[Kind] | None
) -> None:
    found = between([Example(1, old)], [Example(2, new)])
    change = (*found.changes, *found.same)[0]
    assert change.match is match
    assert set(change.kinds) == (kinds or {Kind.UNCHANGED})


def test_a_short_response_pairs_nothing() -> None:
    found = between([Example(1, said("Is it?", "Yes."))], [Example(2, said("Was it?", "Yes."))])
    assert found.counts == {Kind.ADDED: 1, Kind.REMOVED: 1}


def test_the_same_number_in_another_project_is_another_example() -> None:
    old, new = [Example(1, said("One?", "Flour."))], [Example(1, said("Two?", "Fat."))]
    assert between(old, new).counts == {Kind.REWORDED: 1}
    assert between(old, new, same_project=False).counts == {Kind.ADDED: 1, Kind.REMOVED: 1}


@pytest.mark.parametrize(
    ("old", "new", "ways"),
    [
        ("a\r\nb", "a\nb", [Way.LINE_ENDS]),
        ("a\n\nb ", "a\nb", [Way.SPACE]),
        ("caf\u00e9", "cafe\u0301", [Way.UNICODE]),
        ("“Yes”, it’s so", '"Yes", it\'s so', [Way.QUOTES]),
        ("“a”\r\nb", '"a"\nb', [Way.LINE_ENDS, Way.QUOTES]),
        ("a b", "ab", []),
        ("Yes", "yes", []),
        ("a - b", "a – b", []),
        # In code blanks and quotation marks mean something.
        ("```\nif x:\n    y\n```", "```\nif x:\n  y\n```", []),
        ("```\nif x:\n    y", "```\nif x:\n  y", []),
        ("say `a  b`", "say `a b`", []),
        ("so:\n\n    “x”", 'so:\n\n    "x"', []),
        ("```\nx\r\n```\n\nAnd  then", "```\nx\n```\n\nAnd then", [Way.LINE_ENDS, Way.SPACE]),
    ],
)
def test_which_differences_change_no_meaning(old: str, new: str, ways: list[Way]) -> None:
    assert list(ways_of(dialogue(old), dialogue(new))) == ways
    assert list(ways_of(dialogue(new), dialogue(old))) == ways


def test_a_turn_more_is_no_matter_of_form() -> None:
    assert ways_of(dialogue("One?"), [*dialogue("One?"), *dialogue(" ")]) == ()


PROSE = st.text(st.sampled_from("ab\"“”'’ \n\r\té`~\u0301\u00a0"), max_size=40)


@given(PROSE)
@settings(deadline=None)
def test_the_form_of_a_form_is_itself(text: str) -> None:
    assert unicodedata.is_normalized("NFC", sense(text))
    if "`" not in text and "~" not in text and "\t" not in text and "    " not in text:
        assert sense(sense(text)) == sense(text)


@given(PROSE, PROSE)
@settings(deadline=None)
def test_ways_are_told_where_the_sense_is_the_same(left: str, right: str) -> None:
    found = ways_of(dialogue(left), dialogue(right))
    assert bool(found) == (left != right and sense(left) == sense(right))


WORDS = st.lists(st.sampled_from(["flour ", "fat ", "milk. ", "\n\n", "and so on and so forth "]), max_size=60)


@given(WORDS, WORDS)
@settings(max_examples=200, deadline=None)
def test_what_is_folded_loses_no_character(left: list[str], right: list[str]) -> None:
    old, new = "".join(left), "".join(right)
    parts = parts_of(word_diff(old, new))
    # Blanks that stand alone are shown by marks, so the comparison leaves blanks out.
    told_old = "".join(p.text for part in parts if "insert" not in part.kind for p in part.pieces if not p.name)
    told_new = "".join(p.text for part in parts if "delete" not in part.kind for p in part.pieces if not p.name)
    assert "".join(told_old.split()) == "".join(old.split())
    assert "".join(told_new.split()) == "".join(new.split())


def test_long_stretches_that_are_the_same_are_folded_between_changes() -> None:
    text = " ".join(f"word{number}" for number in range(400))
    parts = parts_of(word_diff(f"One {text} end", f"Two {text} stop"))
    assert [part.kind for part in parts] == ["delete", "insert", "equal", "fold", "equal", "delete", "insert"]
    assert parts[3].folded > 2000
    assert len(parts[2].pieces[0].text) < 300


def test_a_turn_put_in_leaves_the_others_with_their_counterparts() -> None:
    old = [*dialogue("What is a roux?", "Flour and fat."), *dialogue("And then?", "Milk.")]
    new = [*old[:2], *dialogue("Which fat?", "Butter."), *old[2:]]
    assert [(turn.title, turn.change) for turn in turns_of(old, new) if turn.changed] == [
        ("Prompt 2", "added"), ("Response 2", "added"),
    ]  # fmt: skip


def test_characters_that_look_the_same_are_spelt_out() -> None:
    parts = parts_of(word_diff("caf\u00e9", "cafe\u0301"), spelt=True)
    marks = {piece.text for part in parts for piece in part.pieces if piece.name}
    assert marks == {"U+00E9", "U+0301"}


def test_blanks_alone_are_made_visible() -> None:
    (part,) = [part for part in parts_of(word_diff("a\r\nb", "a\nb")) if part.kind == "delete"]
    assert [piece.text for piece in part.pieces] == ["CR", "↵", "\n"]
