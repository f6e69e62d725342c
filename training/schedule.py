"""LIMA's two straight lines: the learning rate over steps and the dropout over layers."""


def learning_rate(step: int, steps: int, peak: float, floor: float) -> float:
    """Rate applied at step 0, 1, …, steps - 1: from `peak` in a straight line to `floor`, no warm-up.

    The floor belongs to `step == steps`, that is, it is reached after the last step and never applied.
    """
    done = step / steps
    return peak * (1 - done) + floor * done


def layer_dropout(layers: int, top: float) -> list[float]:
    """Dropout of each layer from the bottom up: 0 for the first, `top` for the last; a single layer has none."""
    if layers < 2:
        return [0.0] * layers
    return [top * layer / (layers - 1) for layer in range(layers)]
