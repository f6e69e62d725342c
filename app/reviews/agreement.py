"""How far two second persons agree: percent, and Cohen's kappa."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Agreement:
    """How many texts two people judged, on how many they agreed, and how far that is beyond chance.

    kappa = (p0 - pe) / (1 - pe): p0 is the share of texts with the same verdict twice, pe the sum over the verdicts of
    the first readers' share of it times the second readers' share of it. None where pe is 1: with one verdict for all
    there is nothing to agree on, and where nothing was judged.
    """

    texts: int
    agreed: int
    kappa: float | None

    @property
    def percent(self) -> float | None:
        """The share of texts with the same verdict twice, in percent."""
        return 100 * self.agreed / self.texts if self.texts else None


def agreement(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """The agreement of (first verdict, second verdict)s."""
    total = len(pairs)
    agreed = sum(first == second for first, second in pairs)
    firsts, seconds = (Counter(pair[side] for pair in pairs) for side in (0, 1))
    # In whole numbers: a share of 1 is told exactly.
    chance = sum(firsts[verdict] * seconds[verdict] for verdict in firsts)
    if not total or chance == total * total:
        return Agreement(total, agreed, None)
    return Agreement(total, agreed, (agreed * total - chance) / (total * total - chance))
