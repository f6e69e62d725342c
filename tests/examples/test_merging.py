"""Three texts become one: nothing that either person wrote is lost, and what meets is asked about."""

from hypothesis import given
from hypothesis import strategies as st

from app.examples.merging import Turns, choose_again, merge_turns, turns_of
from app.text.merge import merge

BASE = "Hone it often.\n\nUse a fine stone.\n\nThen a strop.\n"


def joined(base: str, mine: str, theirs: str) -> str:
    pieces = merge(base, mine, theirs)
    assert not any(piece.conflict for piece in pieces), pieces
    return "".join(piece.mine for piece in pieces)


def test_changes_of_other_paragraphs_are_joined():
    mine = BASE.replace("often", "daily")
    theirs = BASE.replace("Then a strop.", "Then a leather strop.\n\nThat is all.")
    assert (
        joined(BASE, mine, theirs) == "Hone it daily.\n\nUse a fine stone.\n\nThen a leather strop.\n\nThat is all.\n"
    )


def test_changes_of_other_words_of_one_line_are_joined():
    base = "It draws a line along the grain at a fixed distance from an edge."
    mine = "It scratches a line at a fixed distance from an edge."
    theirs = "It draws a line at a fixed distance from an edge, along or across the grain."
    assert (
        joined(base, mine, theirs) == "It scratches a line at a fixed distance from an edge, along or across the grain."
    )


def test_the_same_change_by_both_is_made_once():
    both = BASE.replace("fine", "very fine")
    assert joined(BASE, both, both) == both


def test_the_same_words_changed_by_both_are_one_conflict_and_not_a_soup_of_both():
    [piece] = merge("A cut.", "An edge that is cut at an angle, at length.", "Theirs.")
    assert (piece.mine, piece.theirs, piece.base) == (
        "An edge that is cut at an angle, at length.",
        "Theirs.",
        "A cut.",
    )
    [rewritten] = merge("How deep do roots go?", "Mine, later", "Theirs, first")
    assert rewritten.conflict


def test_additions_at_one_place_are_a_conflict_as_nothing_says_which_goes_first():
    pieces = merge("One.\n", "One.\nMine.\n", "One.\nTheirs.\n")
    assert [(piece.mine, piece.theirs) for piece in pieces if piece.conflict] == [("Mine.\n", "Theirs.\n")]


TEXTS = st.lists(st.sampled_from(["a ", "b ", "long ", "c.\n", "\n", "d"]), max_size=9).map("".join)


@given(TEXTS, TEXTS)
def test_one_side_alone_is_taken_whole(base, other):
    assert joined(base, other, base) == other
    assert joined(base, base, other) == other
    assert joined(base, other, other) == other


@given(TEXTS, TEXTS, TEXTS)
def test_neither_side_is_better_off_and_no_line_of_mine_is_lost(base, mine, theirs):
    there, back = merge(base, mine, theirs), merge(base, theirs, mine)
    assert [(piece.mine, piece.theirs) for piece in there] == [(piece.theirs, piece.mine) for piece in back]
    kept = "".join(piece.mine for piece in there)
    new = [word for word in mine.split() if word not in base.split()]
    assert all(word in kept for word in new)


def test_turns_are_joined_one_by_one_and_a_choice_keeps_what_was_typed_since():
    base, theirs = Turns("", ("Prompt", "Old answer here")), Turns("Be brief.", ("Prompt", "Their answer"))
    mine = Turns("", ("Prompt, mine", "My answer", "More", "Yes"))
    merged = merge_turns(base, mine, theirs)
    assert merged.with_choices({}) == Turns("Be brief.", ("Prompt, mine", "My answer", "More", "Yes"))
    [conflict] = merged.conflicts
    assert (conflict.number, conflict.turn, conflict.mine, conflict.theirs) == (1, 2, "My answer", "Their answer")
    assert merged.with_choices({1: "both"}).spoken[1] == "Their answer\nMy answer"
    typed = Turns("Be brief.", ("Prompt, mine, reworded", "My answer", "More", "Yes"))
    chosen = choose_again(merged, {}, {1: "theirs"}, typed)
    assert chosen.spoken[:2] == ("Prompt, mine, reworded", "Their answer")


def test_a_turn_that_i_removed_and_they_left_alone_stays_removed():
    base = Turns("", ("One", "Two", "Three", "Four"))
    merged = merge_turns(base, Turns("", ("One", "Two")), Turns("", ("One!", "Two", "Three", "Four")))
    assert (merged.with_choices({}), merged.joins) == (Turns("", ("One!", "Two")), True)


def test_messages_become_turns():
    said = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
    assert turns_of(said) == Turns("S", ("U",))
    assert turns_of(said[1:]) == Turns("", ("U",))


def test_changes_of_neighbouring_lines_are_joined_and_only_the_shared_one_is_asked_about():
    base = "1. At noon.\n2. Put 20 g of it in.\n\nThat is all.\n"
    mine = base.replace("20 g", "50 g").replace("all.", "nearly all.")
    assert joined(base, mine, base.replace("noon.", "noon, no later.")) == mine.replace("noon.", "noon, no later.")
    [conflict] = [piece for piece in merge(base, mine, base.replace("20 g", "30 g")) if piece.conflict]
    assert (conflict.mine, conflict.theirs) == ("2. Put 50 g of it in.\n", "2. Put 30 g of it in.\n")


@given(st.integers(0, 5), st.randoms(use_true_random=False))
def test_no_line_is_lost_or_doubled(lines, chance):
    base = [f"base {number}" for number in range(lines)]

    def edited(name):
        made = []
        for number, line in enumerate([*base, ""]):
            made += [f"{name} new {number}"] * (chance.random() < 0.3)
            made += [line] * (chance.random() < 0.6) if line else []
        return made

    mine, theirs = edited("mine"), edited("theirs")
    pieces = merge(*("".join(f"{line}\n" for line in side) for side in (base, mine, theirs)))
    for side, own in (("mine", mine), ("theirs", theirs)):
        kept = "".join(getattr(piece, side) for piece in pieces).splitlines()
        assert all(kept.count(line) == 1 for line in own if line.startswith(side))
        assert all(kept.count(line) <= 1 for line in base)
