"""The seeded rule: the same draw for the same words, groups kept whole, nobody moved who stands fast."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from app.datasets.splits.splitting import DEV, TEST, TRAIN, Asked, Drawn, Link, Member, draw
from app.text.canonical import sha256_hex

SOURCES = ("authors", "stackexchange", "wikihow")


def example(number: int, source: str = "authors", split: str = TRAIN, **more: object) -> Member:
    return Member(number, sha256_hex(f"words {number}"), source, split, **more)  # type: ignore[arg-type]


def pair(left: int, right: int) -> Link:
    return ("example", left), ("example", right)


def splits_after(drawn: Drawn, members: list[Member]) -> dict[int, str]:
    moved = {move.id: move.after for move in drawn.moves}
    return {member.id: moved.get(member.id, member.split) for member in members}


def set_of(size: int) -> list[Member]:
    return [example(number, SOURCES[number % 3]) for number in range(size)]


def test_dev_and_test_get_what_is_asked_and_each_source_gives_its_share() -> None:
    members = set_of(300)
    drawn = draw(Asked(dev=30, test=90, seed=7), members, [])
    after = splits_after(drawn, members)
    assert Counter(after.values()) == {TRAIN: 180, TEST: 90, DEV: 30}
    by_source = Counter((member.source, after[member.id]) for member in members)
    assert {by_source[source, TEST] for source in SOURCES} == {30}
    assert {by_source[source, DEV] for source in SOURCES} == {10}
    assert drawn.total(TEST, after=False) == 0
    assert drawn.total(TEST, after=True) == 90


def test_a_source_that_does_not_divide_gives_the_nearest_number() -> None:
    members = [example(number, "authors") for number in range(7)] + [example(100 + n, "wikihow") for n in range(4)]
    after = splits_after(draw(Asked(dev=0, test=5, seed=1), members, []), members)
    assert Counter(after.values())[TEST] == 5
    assert Counter(member.source for member in members if after[member.id] == TEST) == {"authors": 3, "wikihow": 2}


def test_without_sources_chance_decides() -> None:
    members = set_of(300)
    draws = [draw(Asked(0, 90, seed, by_source=False), members, []) for seed in range(5)]
    shares = {sum(1 for move in drawn.moves if move.id % 3 == 0) for drawn in draws}
    assert all(len(drawn.moves) == 90 for drawn in draws)
    assert shares != {30}


def test_another_seed_draws_others_and_the_same_seed_the_same() -> None:
    members = set_of(300)
    one, again, other = (draw(Asked(30, 90, seed), members, []) for seed in (7, 7, 8))
    assert one.moves == again.moves
    assert {move.id for move in one.moves} != {move.id for move in other.moves}


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 40), st.integers(0, 40), st.integers(0, 2**32).map(random.Random))
def test_neither_order_nor_numbers_of_the_rows_change_the_draw(
    seed: int, dev: int, test: int, chance: random.Random
) -> None:
    members = set_of(60)
    links = [pair(chance.randrange(60), chance.randrange(60)) for _ in range(30)]
    asked = Asked(dev, test, seed)
    new_number = list(range(1000, 1060))
    chance.shuffle(new_number)
    elsewhere = [Member(new_number[m.id], m.sha256, m.source, m.split) for m in members]
    relinked = [pair(new_number[right[1]], new_number[left[1]]) for left, right in links]
    chance.shuffle(elsewhere)
    chance.shuffle(relinked)
    here, there = draw(asked, members, links), draw(asked, elsewhere, relinked)
    assert {(new_number[move.id], move.before, move.after) for move in here.moves} == {
        (move.id, move.before, move.after) for move in there.moves
    }


@settings(deadline=None)
@given(
    st.integers(0, 2**32), st.integers(0, 30), st.integers(0, 30), st.booleans(), st.booleans(),
    st.integers(0, 2**32).map(random.Random),
)  # fmt: skip
def test_whatever_is_asked_the_rule_keeps_its_word(
    seed: int, dev: int, test: int, by_source: bool, redraw: bool, chance: random.Random
) -> None:
    members = [
        example(
            n, chance.choice(SOURCES), chance.choice((TRAIN, TRAIN, TRAIN, DEV, TEST)), counts=chance.random() < 0.8
        )
        for n in range(50)
    ]
    links = [pair(chance.randrange(50), chance.randrange(50)) for _ in range(chance.randrange(40))]
    drawn = draw(Asked(dev, test, seed, by_source, redraw), members, links)
    after = splits_after(drawn, members)
    torn = {member.id for group in drawn.torn for member in group.members}
    for (_, left), (_, right) in links:
        assert after[left] == after[right] or {left, right} <= torn
    if redraw:
        assert torn == set()
        counted = Counter(after[member.id] for member in members if member.counts)
        assert counted[TEST] <= test
        assert counted[DEV] <= dev
    else:
        assert all(move.before == TRAIN for move in drawn.moves), "nothing leaves dev or test"
    for split, wanted in ((DEV, dev), (TEST, test)):
        drawn_there = sum(
            1 for move in drawn.moves if move.after == split and not move.follows and members[move.id].counts
        )
        assert drawn_there <= wanted
    assert drawn.total(TRAIN, after=True) + drawn.total(DEV, after=True) + drawn.total(TEST, after=True) == sum(
        member.counts for member in members
    )


def test_near_duplicates_and_translations_stay_together() -> None:
    members = set_of(40)
    links = [pair(at, at + 1) for at in range(0, 40, 4)] + [
        (("example", 2), ("prompt", "x")),
        (("example", 3), ("prompt", "x")),
    ]
    drawn = draw(Asked(8, 12, 3, by_source=False), members, links)
    after = splits_after(drawn, members)
    assert all(after[at] == after[at + 1] for at in range(0, 40, 4))
    assert after[2] == after[3]
    assert drawn.torn == ()
    assert drawn.together


def test_what_stands_in_dev_or_test_stays_and_counts_and_draws_its_like_after_it() -> None:
    members = [example(0, split=TEST), example(1), *(example(number) for number in range(2, 20))]
    drawn = draw(Asked(dev=0, test=5, seed=1), members, [pair(0, 1)])
    after = splits_after(drawn, members)
    assert after[0] == after[1] == TEST
    assert next(move for move in drawn.moves if move.id == 1).follows
    assert Counter(after.values())[TEST] == 5


def test_a_redraw_moves_what_stands_there_too() -> None:
    members = [example(number, split=TEST if number < 10 else TRAIN) for number in range(40)]
    drawn = draw(Asked(dev=0, test=4, seed=1, redraw=True), members, [])
    after = splits_after(drawn, members)
    assert Counter(after.values()) == {TRAIN: 36, TEST: 4}
    again = [Member(m.id, m.sha256, m.source, after[m.id]) for m in members]
    assert draw(Asked(dev=0, test=4, seed=1, redraw=True), again, []).moves == ()


def test_a_group_that_stands_in_dev_and_test_is_named_and_left() -> None:
    members = [example(0, split=TEST), example(1, split=DEV), example(2)]
    drawn = draw(Asked(1, 1, 1), members, [pair(0, 1), pair(1, 2)])
    assert drawn.moves == ()
    assert [[member.id for member in sorted(group.members, key=lambda m: m.id)] for group in drawn.torn] == [[0, 1, 2]]


def test_a_group_bigger_than_the_splits_is_named_and_stays_in_train() -> None:
    members = [example(number) for number in range(20)]
    drawn = draw(Asked(2, 3, 1), members, [pair(at, at + 1) for at in range(9)])
    assert [group.weight for group in drawn.too_big] == [10]
    after = splits_after(drawn, members)
    assert {after[number] for number in range(10)} == {TRAIN}
    assert Counter(after.values()) == {TRAIN: 15, TEST: 3, DEV: 2}


def test_a_place_that_only_single_ones_fit_is_filled_with_single_ones() -> None:
    members = [example(number) for number in range(11)]
    links = [pair(at, at + 1) for at in range(0, 10, 2)]
    for seed in range(20):
        after = splits_after(draw(Asked(0, 3, seed), members, links), members)
        assert Counter(after.values())[TEST] == 3
        assert after[10] == TEST


def test_who_wrote_a_prompt_decides_where_it_may_go() -> None:
    only_a, only_b = frozenset({TRAIN, DEV}), frozenset({TEST})
    members = [example(n, may=only_a) for n in range(5)] + [example(n, split=TEST, may=only_b) for n in range(5, 8)]
    after = splits_after(draw(Asked(dev=2, test=8, seed=1, redraw=True), members, []), members)
    assert {after[number] for number in range(5, 8)} == {TEST}
    assert Counter(after[number] for number in range(5)) == {DEV: 2, TRAIN: 3}


def test_a_prompt_without_a_response_is_not_drawn_into_train() -> None:
    unanswered = frozenset({DEV, TEST})
    members = [example(n, split=TEST, may=unanswered) for n in range(3)] + [example(n) for n in range(3, 30)]
    for seed in range(10):
        after = splits_after(draw(Asked(dev=2, test=2, seed=seed, redraw=True), members, []), members)
        assert TRAIN not in {after[number] for number in range(3)}


def test_what_is_not_approved_goes_along_and_fills_no_place() -> None:
    members = [example(0), example(1, counts=False), *(example(n, counts=False) for n in range(2, 9))]
    drawn = draw(Asked(0, 1, 1), members, [pair(0, 1)])
    assert {move.id for move in drawn.moves} == {0, 1}
