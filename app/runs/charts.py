"""Loss and learning rate as lines over the whole planned length, for the macro `chart`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 960
MOST_POINTS = 400

Steps = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Chart:
    """A box of 960 by `height`, y downwards; labels from the top down and from left to right, evenly spaced."""

    label: str
    height: int
    y: tuple[str, ...]
    x: tuple[str, ...]
    curves: tuple[tuple[str, str], ...]
    now: float | None
    marks: tuple[float, ...]


@dataclass(frozen=True)
class Length:
    """The planned length of a run: the x axis."""

    steps: int
    epochs: int

    def x(self, step: float) -> float:
        """Where a step stands; the first at the left edge, the last at the right."""
        return WIDTH * (step - 1) / max(1, self.steps - 1)

    @property
    def labels(self) -> tuple[str, ...]:
        """Epochs, at most six, evenly spaced; so many of them as divide the length."""
        parts = next((n for n in (5, 4, 3, 2) if self.epochs % n == 0), 1)
        each = self.epochs // parts
        return ("0", *(f"epoch {each}" if at == 1 else str(each * at) for at in range(1, parts + 1)))


def loss_chart(steps: Steps, length: Length, kept: Sequence[int]) -> Chart:
    """Every loss as it was written (thinned to 400 points) and the mean around it."""
    shown = thinned(steps)
    top, bottom, labels = scale([step["loss"] for step in shown])

    def y(loss: float) -> float:
        return 240 * (top - loss) / (top - bottom)

    means = means_around(steps, window_of(length.steps))
    raw = points((length.x(step["step"]), y(step["loss"])) for step in shown)
    mean = points((length.x(step["step"]), y(means[step["step"]])) for step in shown)
    now = round(length.x(steps[-1]["step"]), 1) if steps else None
    marks = tuple(round(length.x(step), 1) for step in kept)
    return Chart(loss_words(steps, length), 240, labels, length.labels, (("raw", raw), ("curve", mean)), now, marks)


def rate_chart(steps: Steps, length: Length, peak: float, floor: float) -> Chart:
    """The learning rate so far as it was written, and as it is planned to go on."""

    def y(rate: float) -> float:
        return 80 * (1 - rate / peak)

    shown = thinned(steps)
    done = points((length.x(step["step"]), y(step["lr"])) for step in shown)
    last = steps[-1] if steps else {"step": 1, "lr": peak}
    end = floor + (peak - floor) / max(1, length.steps)  # the floor is reached only after the last step
    plan = points([(length.x(last["step"]), y(last["lr"])), (WIDTH, y(end))])
    words = f"Learning rate falls in a straight line from {peak:g} to {floor:g}; now {last['lr']:.2g}"
    return Chart(words, 80, (f"{peak:g}", "0"), length.labels, (("plan", plan), ("curve", done)), None, ())


def loss_words(steps: Steps, length: Length) -> str:
    """The loss curve for those who do not see it."""
    if not steps:
        return "No step is done yet"
    first, last = steps[0]["loss"], steps[-1]["loss"]
    verb = "falls" if last < first else "rises" if last > first else "stays"
    return f"Training loss {verb} from {first:.2f} to {last:.2f} at step {steps[-1]['step']} of {length.steps}"


def thinned(steps: Steps, most: int = MOST_POINTS) -> Steps:
    """At most so many steps, evenly apart, the first and the last among them."""
    if len(steps) <= most:
        return steps
    apart = (len(steps) - 1) / (most - 1)
    return [steps[round(at * apart)] for at in range(most)]


def window_of(steps: int) -> int:
    """Over how many steps the smooth line is a mean: about a twentieth of the run, an odd number up to 51."""
    return 2 * min(25, steps // 48) + 1


def means_around(steps: Steps, window: int) -> dict[int, float]:
    """The mean loss of the steps around each, by step; at the ends of those that are there."""
    losses, half = [step["loss"] for step in steps], window // 2
    around = (losses[max(0, at - half) : at + half + 1] for at in range(len(losses)))
    return {step["step"]: math.fsum(near) / len(near) for step, near in zip(steps, around, strict=True)}


def scale(values: Sequence[float]) -> tuple[float, float, tuple[str, ...]]:
    """Top and bottom of an axis around the values, both multiples of a round step, and four to seven labels between."""
    high, low = (max(values), min(values)) if values else (1.0, 0.0)
    if high - low < 1e-9:
        high, low = high + 0.5, low - 0.5
    apart = round_step((high - low) / 4)
    bottom, top = math.floor(low / apart), math.ceil(high / apart)
    digits = max(0, -math.floor(math.log10(apart) + 1e-9))
    return top * apart, bottom * apart, tuple(f"{apart * at:.{digits}f}" for at in range(top, bottom - 1, -1))


def round_step(least: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * times for times in (1, 2, 5, 10) if power * times >= least * (1 - 1e-9))


def points(pairs: Any) -> str:
    """Pairs as a polyline takes them."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)
