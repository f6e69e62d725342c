"""The curves are what the trainer wrote."""

from typing import Any

import pytest

from app.runs.charts import Length, loss_chart, means_around, rate_chart, scale, thinned, window_of


def steps(count: int, of: int) -> list[dict[str, Any]]:
    return [
        {"step": at, "loss": 3 - 2 * at / of + (0.1 if at % 2 else 0), "lr": 1e-5 - 9e-6 * (at - 1) / of}
        for at in range(1, count + 1)
    ]


def numbers(points: str) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for pair in points.split())
    return [(float(x), float(y)) for x, y in pairs]


def test_losses_can_be_read_back_from_the_line() -> None:
    written = steps(112, 240)
    chart = loss_chart(written, Length(240, 15), [80, 96])
    top, bottom = float(chart.y[0]), float(chart.y[-1])
    drawn = numbers(dict(chart.curves)["raw"])
    assert len(drawn) == 112
    for (x, y), step in zip(drawn, written, strict=True):
        assert x == pytest.approx(960 * (step["step"] - 1) / 239, abs=0.06)
        assert top - (top - bottom) * y / 240 == pytest.approx(step["loss"], abs=0.001)
    assert chart.now == drawn[-1][0] == pytest.approx(445.9, abs=0.1)
    assert chart.marks == pytest.approx((317.3, 381.6), abs=0.05)
    assert chart.label == "Training loss falls from 3.09 to 2.07 at step 112 of 240"


def test_the_learning_rate_is_drawn_from_where_it_stands_to_its_end() -> None:
    chart = rate_chart(steps(112, 240), Length(240, 15), 1e-5, 1e-6)
    curves = {kind: numbers(points) for kind, points in chart.curves}
    assert curves["curve"][0] == (0.0, 0.0)
    assert curves["curve"][-1] == curves["plan"][0]
    assert curves["plan"][-1][0] == 960
    assert 80 * (1 - curves["plan"][-1][1] / 80) == pytest.approx(80 * (1e-6 + 9e-6 / 240) / 1e-5, abs=0.1)


def test_a_long_run_is_thinned_to_its_first_and_last() -> None:
    long = steps(10_000, 10_000)
    shown = thinned(long)
    assert len(shown) == 400
    assert (shown[0]["step"], shown[-1]["step"]) == (1, 10_000)
    assert len({step["step"] for step in shown}) == 400


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([2.43, 1.49], ("2.5", "2.0", "1.5", "1.0")),
        ([6.09, 0.02], ("8", "6", "4", "2", "0")),
        ([0.0013, 0.0011], ("0.00130", "0.00125", "0.00120", "0.00115", "0.00110")),
        ([], ("1.0", "0.5", "0.0")),
        ([2.0, 2.0], ("2.5", "2.0", "1.5")),
        ([250_000.0, 100_000.0], ("250000", "200000", "150000", "100000")),
    ],
)
def test_axes_have_round_numbers_that_hold_the_values(values: list[float], labels: tuple[str, ...]) -> None:
    top, bottom, shown = scale(values)
    assert shown == labels
    assert all(bottom - 1e-9 <= value <= top + 1e-9 for value in values)


def test_a_run_without_a_step_draws_no_line() -> None:
    chart = loss_chart([], Length(240, 15), [])
    assert (chart.now, chart.marks, chart.label) == (None, (), "No step is done yet")
    assert not any(points for _, points in chart.curves)


def test_the_smooth_line_is_a_mean_of_the_steps_around() -> None:
    means = means_around([{"step": at, "loss": float(at * at)} for at in range(1, 5)], 3)
    assert means == {1: 2.5, 2: 14 / 3, 3: 29 / 3, 4: 12.5}
    assert (window_of(10), window_of(240), window_of(100_000)) == (1, 11, 51)


def test_epochs_are_named_evenly() -> None:
    assert Length(240, 15).labels == ("0", "epoch 3", "6", "9", "12", "15")
    assert Length(7, 7).labels == ("0", "epoch 7")
    assert Length(40, 10).labels == ("0", "epoch 2", "4", "6", "8", "10")
