"""Clusters are the connected parts of a graph of pairs, stars parts without chains; always in one order."""

from hypothesis import given
from hypothesis import strategies as st

from app.duplicates.clusters import clusters, stars

NODES = st.integers(0, 30)
PAIRS = st.lists(st.tuples(NODES, NODES), max_size=60)


def test_no_pairs_make_no_clusters():
    assert clusters([]) == []


def test_pairs_that_share_a_text_are_one_cluster():
    assert clusters([(5, 2), (9, 7), (2, 4)]) == [(2, 4, 5), (7, 9)]


def test_a_text_paired_with_itself_is_no_cluster():
    assert clusters([(3, 3)]) == []


def test_items_may_be_kinds_and_ids():
    found = clusters([(("example", 1), ("candidate", 7)), (("candidate", 7), ("candidate", 2))])
    assert found == [(("candidate", 2), ("candidate", 7), ("example", 1))]


def test_a_long_chain_is_one_cluster():
    assert clusters((step, step + 1) for step in range(100_000)) == [tuple(range(100_001))]


@given(PAIRS)
def test_clusters_are_what_walking_the_pairs_reaches(pairs):
    beside = {node: {node} for node in range(31)}
    for left, right in pairs:
        beside[left].add(right)
        beside[right].add(left)
    expected = set()
    for node in range(31):
        reached, frontier = {node}, [node]
        while frontier:
            new = beside[frontier.pop()] - reached
            reached |= new
            frontier += new
        if len(reached) > 1:
            expected.add(tuple(sorted(reached)))
    assert clusters(pairs) == sorted(expected)


@given(PAIRS, st.randoms(use_true_random=False))
def test_neither_order_nor_direction_of_pairs_changes_anything(pairs, random):
    shuffled = [(right, left) if random.random() < 0.5 else (left, right) for left, right in pairs]
    random.shuffle(shuffled)
    assert clusters(shuffled) == clusters(pairs)


def test_a_chain_falls_into_stars():
    found = stars([(1, 2), (2, 3), (3, 4), (4, 5)])
    assert [star.members for star in found] == [(2, 1, 3), (4, 5)]


def test_the_text_with_most_pairs_is_the_centre_and_of_as_many_the_first():
    assert [star.members for star in stars([(1, 9), (2, 9), (3, 9)])] == [(9, 1, 2, 3)]
    assert [star.members for star in stars([(5, 4)])] == [(4, 5)]


@given(PAIRS)
def test_every_text_of_a_star_is_paired_with_its_centre_and_each_text_is_in_one(pairs):
    given_pairs = {frozenset(pair) for pair in pairs}
    found = stars(pairs)
    members = [member for star in found for member in star.members]
    assert len(members) == len(set(members))
    for star in found:
        assert star.others
        assert all(frozenset((star.centre, other)) in given_pairs for other in star.others)
    # Whoever is in no star has lost all that it was paired with to stars.
    left_over = {item for pair in pairs for item in pair if pair[0] != pair[1]} - set(members)
    for item in left_over:
        assert all(other in members for pair in given_pairs if item in pair for other in pair - {item})


@given(PAIRS, st.randoms(use_true_random=False))
def test_stars_hang_on_the_set_of_pairs_alone(pairs, random):
    shuffled = [(right, left) if random.random() < 0.5 else (left, right) for left, right in pairs]
    random.shuffle(shuffled)
    assert stars(shuffled) == stars(pairs)
