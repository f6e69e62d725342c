"""In which form rows are multiplied fastest here: what the compiler knows of the processor decides."""

from enum import Enum
from functools import cache


class Form(Enum):
    """Small integers or floats in the registers of a compiled tile, or blocks of floats by the library.

    Integers are added four at once where the processor knows how (VNNI), else in pairs.
    """

    QUADS = "quads"
    BYTES = "bytes"
    FLOATS = "floats"
    BLOCKS = "blocks"


@cache
def form_here() -> Form:
    """Give the form for this processor, or for the one that NUMBA_CPU_NAME names; asked once a process."""
    from numba import config
    from numba.core.registry import cpu_target

    if getattr(config, "DISABLE_JIT", 0):
        return Form.BLOCKS
    machine, _, features = cpu_target.target_context.codegen().magic_tuple()
    return form_of(machine, features.split(","))


def form_of(machine: str, features: list[str]) -> Form:
    """Give the form for a machine by LLVM's names of it and of what it can do."""
    if "+avx512vnni" in features:
        return Form.QUADS
    if "+avx2" in features:
        return Form.BYTES
    # Every 64-bit ARM adds a product in one step; elsewhere LLVM would call a function for each.
    return Form.FLOATS if "+fma" in features or machine.startswith(("aarch64", "arm64")) else Form.BLOCKS
