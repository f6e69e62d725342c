"""Whose words: runs of eight words that two texts share."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app.text.overlap import RUN, own_runs, runs_of, shared_words, words_of

SAID = "Rinse the rice until the water stays clear, then let it rest under a lid for ten minutes."
WORD = st.text(alphabet="abcdefgh", min_size=1, max_size=4)


def test_words_are_compared_without_case_markup_or_punctuation():
    assert words_of("*Don’t* — rinse; `THE` rice_bowl (10 min)") == [
        "don't",
        "rinse",
        "the",
        "rice",
        "bowl",
        "10",
        "min",
    ]
    assert words_of("ﬁne Straße") == words_of("FINE strasse")


def test_eight_words_in_a_row_count_and_seven_do_not():
    runs = own_runs(SAID, [])
    assert shared_words(["then LET it: rest\n\n> under a lid"], runs) == 0
    assert shared_words(["so then LET it: rest\n\n> under a lid **for** an hour"], runs) == 8
    assert shared_words([SAID], runs) == len(words_of(SAID))


def test_a_run_does_not_reach_from_one_message_into_the_next():
    assert shared_words(["then let it rest", "under a lid for ten minutes"], own_runs(SAID, [])) == 0


def test_what_the_model_only_quoted_is_not_its_own():
    quoted = f"You write “{SAID}”, and that is too short a time to let the grains soak it all up."
    runs = own_runs(quoted, [f"[Response]\n{SAID}"])
    assert shared_words([SAID], runs) == 0
    assert shared_words(["That is too short a time to let the grains soak it."], runs) == 12


def test_a_word_in_two_runs_counts_once_and_repeated_words_each_time():
    runs = own_runs(SAID, [])
    assert shared_words([f"{SAID} {SAID}"], runs) == 2 * len(words_of(SAID))


def test_texts_without_runs_share_nothing():
    assert own_runs("", ["x"]) == runs_of(["one two"]) == frozenset()
    assert shared_words(["", "one two three"], own_runs(SAID, [])) == 0


@settings(max_examples=60)
@given(st.lists(WORD, max_size=30), st.lists(WORD, max_size=30), st.integers(0, 29))
def test_the_count_is_that_of_the_definition(mine, theirs, start):
    mine = mine[:start] + theirs[:12] + mine[start:]
    runs = {tuple(theirs[at : at + RUN]) for at in range(len(theirs) - RUN + 1)}
    covered = {
        at + step for at in range(len(mine) - RUN + 1) if tuple(mine[at : at + RUN]) in runs for step in range(RUN)
    }
    assert shared_words([" ".join(mine)], own_runs(" ".join(theirs), [])) == len(covered)
