"""Why a candidate would help, in words; pure."""

from dataclasses import dataclass

from app.web.words import plural


@dataclass(frozen=True)
class Facts:
    """What is known of a suggested candidate.

    `short` is what its source lacks, 0 where its quota is filled or nothing is asked of it; `nearest` the cosine of the
    set's nearest example, None while the set is empty; `near` the cosine from which two are alike; `alike` counts the
    pool's candidates that are like it, `bare` those of them that no example is like; `like_above` is the place of a
    suggestion above that is like it; `asked` says who asked for more of its kind, in whose words; `region` is what
    people call the part of the map where it lies.
    """

    source: str
    short: int
    nearest: float | None
    near: float
    alike: int
    bare: int
    like_above: int | None = None
    asked: str = ""
    region: str = ""

    @property
    def is_covered(self) -> bool:
        """Whether an example is like it already."""
        return self.nearest is not None and self.nearest > self.near


def reason(facts: Facts) -> str:
    """A few clauses: what people asked for first, then the quota."""
    clauses = [facts.asked] if facts.asked else []
    if facts.short:
        clauses.append(f"{facts.source} is {facts.short:,} short")
    clauses.append(_coverage(facts))
    if facts.like_above:
        clauses.append(f"like number {facts.like_above} above")
    if facts.region:
        clauses.append(f"in {facts.region} on the map")
    words = "; ".join(clauses)
    return f"{words[:1].upper()}{words[1:]}."


def _coverage(facts: Facts) -> str:
    if facts.nearest is None:
        like = f"{plural(facts.alike, 'candidate')} in the pool {'is' if facts.alike == 1 else 'are'}"
        return f"the set is empty yet, and {like if facts.alike else 'nothing in the pool is'} like it"
    if facts.is_covered and not facts.bare:
        return "the set has its like already, and little is left that has not"
    if facts.is_covered:
        return f"the set has its like, but not that of {facts.bare:,} of the {plural(facts.alike, 'candidate')} near it"
    if facts.bare:
        return f"nothing in the set is near it, nor near {plural(facts.bare, 'candidate')} like it"
    return f"nothing in the set is near it{'' if facts.alike else ', and nothing in the pool either'}"


def cosine_words(cosine: float) -> str:
    """A cosine as people read it here: .41, and 1 where two say the same."""
    said = f"{max(0.0, cosine):.2f}"
    return said.removeprefix("0") if said.startswith("0") else "1"
