"""LIMA's two straight lines."""

from itertools import pairwise

import pytest

from training.schedule import layer_dropout, learning_rate


@pytest.mark.parametrize(("step", "rate"), [(0, 1e-5), (160, 7e-6), (320, 4e-6), (480, 1e-6)])
def test_learning_rate_of_lima(step: int, rate: float) -> None:
    assert learning_rate(step, 480, 1e-5, 1e-6) == pytest.approx(rate, rel=1e-12)


def test_the_last_applied_rate_is_one_step_above_the_floor() -> None:
    assert learning_rate(479, 480, 1e-5, 1e-6) == pytest.approx(1.01875e-6, rel=1e-12)


@pytest.mark.parametrize(("layers", "top"), [(4, 0.3), (32, 0.2), (80, 0.3)])
def test_dropout_rises_by_equal_steps_from_nothing_to_the_top(layers: int, top: float) -> None:
    rates = layer_dropout(layers, top)
    assert (rates[0], rates[-1], len(rates)) == (0.0, top, layers)
    for low, high in pairwise(rates):
        assert high - low == pytest.approx(top / (layers - 1))


def test_layer_16_of_32_has_about_a_tenth() -> None:
    assert round(layer_dropout(32, 0.2)[16], 4) == 0.1032


def test_a_single_layer_has_none() -> None:
    assert layer_dropout(1, 0.3) == [0.0]
