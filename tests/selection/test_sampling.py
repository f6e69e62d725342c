"""A sampler's shares follow its temperature; the same seed takes the same rows; quotas and languages hold."""

import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.selection.sampling.drawing import Choosable, InHand, draw, shares
from app.selection.sampling.plans import LIMA, BadPlan, Part, Plan, Prompt, Strata, Within, plan_from, plan_from_text


def rows(sizes, **more):
    return [
        Choosable(id=first + number, site=site, external_id=f"{site}-{number}", source="s", score=number, **more)
        for first, (site, size) in zip(range(0, 10**9, 10**6), sizes.items(), strict=False)
        for number in range(size)
    ]


def plan(**part):
    return Plan("p", (Part("s", **part),))


def taken(plan, candidates, missing, seed=0, **more):
    (drawn,) = draw(plan, lambda part: InHand(plan, part, candidates), {("s", "train"): missing}, seed, **more)
    return drawn


def test_shares_follow_the_temperature():
    sizes = {"a": 1, "b": 8, "c": 27}
    assert shares(sizes, 3) == pytest.approx({"a": 1 / 6, "b": 2 / 6, "c": 3 / 6})
    assert shares(sizes, 1) == pytest.approx({"a": 1 / 36, "b": 8 / 36, "c": 27 / 36})
    assert shares(sizes, 1e9) == pytest.approx(dict.fromkeys(sizes, 1 / 3))
    assert shares(sizes, math.inf) == pytest.approx(dict.fromkeys(sizes, 1 / 3))


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 10**6), min_size=1), st.floats(1, 1e6))
def test_shares_are_a_distribution_in_which_no_smaller_stratum_has_more(sizes, temperature):
    found = shares(sizes, temperature)
    assert sum(found.values()) == pytest.approx(1 if any(sizes.values()) else 0)
    for one in sizes:
        assert (found[one] == 0) == (sizes[one] == 0)
        assert all(found[one] <= found[other] + 1e-12 for other in sizes if sizes[other] >= sizes[one])


@pytest.mark.parametrize("temperature", [1, 3, math.inf])
def test_draws_follow_the_shares(temperature):
    sizes = {"a": 1000, "b": 8000, "c": 27000}
    wanted = shares(sizes, temperature)
    drawn = taken(plan(strata=Strata.SITE, temperature=temperature), rows(sizes), 2400, seed=7)
    for one in drawn.strata:
        # Four standard deviations of a binomial.
        expected, spread = 2400 * wanted[one.name], math.sqrt(2400 * wanted[one.name] * (1 - wanted[one.name]))
        assert abs(one.taken - expected) < 4 * spread


SOME = st.lists(
    st.builds(
        Choosable,
        id=st.just(0), site=st.sampled_from("ab"), external_id=st.integers(0, 10**9).map(str), source=st.just("s"),
        language=st.sampled_from(["en", "de", "pt-BR", "EN"]), score=st.none() | st.integers(0, 5),
        category=st.sampled_from(["", "x", "y"]), task=st.sampled_from(["", "t", "u"]),
    ),
    max_size=40, unique_by=lambda one: (one.site, one.external_id),
)  # fmt: skip
PARTS = st.builds(
    Part, source=st.just("s"), strata=st.sampled_from(Strata), within=st.sampled_from(Within),
    temperature=st.sampled_from([1.0, 3.0, math.inf]),
    each=st.none() | st.integers(1, 3), prompt=st.sampled_from(Prompt),
)  # fmt: skip


@settings(max_examples=200)
@given(SOME, PARTS, st.integers(0, 50), st.integers(0, 5), st.randoms(use_true_random=False))
def test_same_seed_same_rows_in_any_order_and_no_limit_is_passed(candidates, part, missing, seed, dice):
    wanted = Plan("p", (part,), excluded_languages=("de", "pt"))
    first = taken(wanted, candidates, missing, seed)
    shuffled = list(candidates)
    dice.shuffle(shuffled)
    assert taken(wanted, shuffled, missing, seed).picks == first.picks
    assert len(first.picks) <= missing
    assert len({(pick.candidate.site, pick.candidate.external_id) for pick in first.picks}) == len(first.picks)
    assert all(pick.candidate.language.lower() == "en" for pick in first.picks)
    counts = Counter(pick.stratum for pick in first.picks)
    assert part.each is None or max(counts.values(), default=0) <= part.each
    reachable = sum(min(one.eligible, part.each or one.eligible) for one in first.strata)
    assert len(first.picks) == min(missing, reachable)
    assert (first.why == "") == (missing > 0 and len(first.picks) == missing)


@pytest.mark.parametrize(
    ("within", "seven", "titles"),
    [
        (Within.SCORE, ["b-7", "c-19", "c-18", "b-6", "c-17", "b-5", "a-2"], "-t---tt"),
        (Within.RANDOM, ["b-3", "c-17", "c-15", "b-6", "c-14", "b-4", "a-2"], "t----tt"),
    ],
)
def test_a_seed_takes_the_rows_that_it_took_when_plans_were_new(within, seven, titles):
    part = {"strata": Strata.SITE, "temperature": 3, "within": within, "prompt": Prompt.EITHER}
    drawn = taken(plan(**part), rows({"a": 3, "b": 8, "c": 20}), 7, seed=7)
    assert [pick.candidate.external_id for pick in drawn.picks] == seven
    assert "".join("-t"[pick.as_title] for pick in drawn.picks) == titles


def test_another_seed_takes_other_rows():
    there = rows({"a": 500})
    assert taken(plan(), there, 50, 1).picks != taken(plan(), there, 50, 2).picks


def test_the_best_score_comes_first_within_a_stratum():
    drawn = taken(plan(within=Within.SCORE), rows({"a": 30}), 3)
    assert [pick.candidate.score for pick in drawn.picks] == [29, 28, 27]


def test_one_a_task_takes_each_task_once():
    there = [replace(one, task=f"task{index % 5}") for index, one in enumerate(rows({"a": 50}))]
    drawn = taken(plan(strata=Strata.TASK, temperature=math.inf, each=1), there, 50)
    assert sorted(pick.stratum for pick in drawn.picks) == [f"task{number}" for number in range(5)]
    assert "45 short" in drawn.why
    assert "gives 1 at most" in drawn.why


def test_thousands_are_told_apart_where_a_quota_is_not_filled():
    there = [*rows({"a": 1268}), *rows({"b": 1000}, language="de")]
    drawn = taken(Plan("p", (Part("s"),), languages=("en",)), there, 2500)
    assert drawn.why.startswith("1,232 short: 1,268 of 2,268 open candidates are in a language of the plan")


def test_a_pool_in_another_language_is_not_read_to_its_end():
    asked = []
    one = replace(plan(), languages=("en",))
    drawn = taken(one, rows({"a": 9000}), 5, ask=lambda some: asked.extend(some) or dict.fromkeys(some, "de"))
    assert (len(asked), drawn.picks) == (3000, ())
    assert "3,000 turned out to be in another language, and no more were read" in drawn.why


def test_a_part_for_generation_leaves_out_tasks_whose_answers_are_chosen():
    there = [replace(one, task=f"task{one.score % 3}", generation=[True, False, None][one.score % 3])
             for one in rows({"a": 30})]  # fmt: skip
    by_task = {"strata": Strata.TASK, "temperature": math.inf, "each": 1}
    drawn = taken(plan(**by_task, generation=True), there, 50)
    assert sorted(pick.stratum for pick in drawn.picks) == ["task0", "task2"]
    assert len(taken(plan(**by_task), there, 50).picks) == 3


def test_the_coin_is_fair_and_a_title_that_does_not_stand_alone_is_never_asked():
    part = {"prompt": Prompt.EITHER}
    drawn = taken(plan(**part), rows({"a": 2000}), 2000)
    assert 900 < sum(pick.as_title for pick in drawn.picks) < 1100
    for more in ({"title_alone": False}, {"tossed": True}):
        assert not any(pick.as_title for pick in taken(plan(**part), rows({"a": 50}, **more), 50).picks)


def test_a_plan_survives_writing_and_reading_and_keeps_its_hash():
    again = plan_from(LIMA.as_dict())
    assert (again, again.sha256) == (LIMA, LIMA.sha256)
    assert replace(LIMA, name="other").sha256 == LIMA.sha256
    assert replace(LIMA, languages=("de",)).sha256 != LIMA.sha256


def test_a_plan_is_read_from_toml():
    made = plan_from_text(
        'excluded_languages = ["de"]\n[[part]]\nsource = "s"\nstrata = "site"\ntemperature = "equal"\n'
    )
    assert made.parts == (Part("s", strata=Strata.SITE, temperature=math.inf),)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "1 to 200 parts"),
        ("{", "Expecting"),
        ("colour = 1", "colour"),
        ('[[part]]\nsource = ""', "source of part 1"),
        ('[[part]]\nsource = "s"\ntemperature = 0', "1 or more"),
        ('[[part]]\nsource = "s"\ntemperature = nan', "1 or more"),
        ('[[part]]\nsource = "s"\nstrata = "moon"', "moon"),
        ('[[part]]\nsource = "s"\nsplit = "moon"', "train, dev or test"),
        ('[[part]]\nsource = "s"\ncount = 0', "whole numbers"),
        ('[[part]]\nsource = "s"\n[[part]]\nsource = "s"', "same source"),
    ],
)
def test_what_is_no_plan_is_refused_with_the_reason(text, why):
    with pytest.raises(BadPlan, match=why):
        plan_from_text(text)


@settings(max_examples=100)
@given(SOME, PARTS, st.integers(0, 50), st.sets(st.integers(0, 39)))
def test_what_turns_out_to_be_in_another_language_is_never_taken(candidates, part, missing, german):
    numbered = [replace(one, id=index) for index, one in enumerate(candidates)]
    asked = []

    def ask(numbers):
        asked.extend(numbers)
        return {number: "de" if number in german else None for number in numbers}

    drawn = taken(Plan("p", (part,), languages=("en",)), numbered, missing, ask=ask)
    assert not {pick.candidate.id for pick in drawn.picks if pick.candidate.language == "en"} & german
    assert len(asked) == len(set(asked))
    assert all(numbered[number].language == "en" for number in asked)
    refused = german & set(asked)
    assert (f"words of {len(refused)} turned out" in drawn.why) == (len(refused) > 0 and len(drawn.picks) < missing)
    asked.clear()
    taken(Plan("p", (part,)), numbered, missing, ask=ask)
    assert asked == []  # a plan without languages reads no words
