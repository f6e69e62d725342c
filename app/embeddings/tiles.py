"""A tile of a product of matrices that never leaves the processor's registers, written for LLVM and compiled by numba.

Sums of ROWS rows by WIDTH columns: of halves (16 bits, two products added at once) or bytes (four), by the instructions
that AVX512-VNNI has for them, or of floats. Rows lie as they are; columns lie WIDTH by WIDTH, group after group, where
a group is what goes into 32 bits.
"""

from typing import Any

from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

# Twenty-four registers of sums, two of columns and one of a row, of the thirty-two that AVX512 has.
ROWS, REGISTERS, LANES = 12, 2, 16
WIDTH = REGISTERS * LANES
BYTES = 4

INT32, INT64, FLOAT = ir.IntType(32), ir.IntType(64), ir.FloatType()
WORDS, FLOATS = ir.VectorType(INT32, LANES), ir.VectorType(FLOAT, LANES)
# What the row's kind says: of which vectors, and by which instruction. LLVM would take two slower ones for the first.
FORMS = {
    types.int16: (WORDS, "vpdpwssd $2, $1, $0"),
    types.uint8: (WORDS, "vpdpbusd $2, $1, $0"),
    types.float32: (FLOATS, "vfmadd231ps $2, $1, $0"),
}
binding.initialize_native_asmparser()


def processor_has_them() -> bool:
    """Whether this processor has the instructions."""
    features = binding.get_host_cpu_features()
    return bool(features.get("avx512f") and features.get("avx512vnni"))


class _Writing:
    """A tile's code, as it is written for LLVM."""

    def __init__(self, builder: Any, kind: Any) -> None:
        self.to = builder
        self.vectors, self.instruction = FORMS[kind]

    def tile(self, rows: Any, step: Any, columns: Any, groups: Any, sums: Any, room: Any) -> None:
        """Sum up over all groups and store; addresses, and steps in bytes from one row to the next."""
        totals = self._summed([self._after(rows, step, row) for row in range(ROWS)], columns, groups)
        for number, total in enumerate(totals):
            row, register = divmod(number, REGISTERS)
            place = self.to.add(self._after(sums, room, row), self._number(register * LANES * BYTES))
            self.to.store(total, self.to.inttoptr(place, self.vectors.as_pointer()), align=4)

    def _summed(self, rows: list[Any], columns: Any, groups: Any) -> list[Any]:
        to, before = self.to, self.to.block
        loop, after = to.append_basic_block("groups"), to.append_basic_block("summed")
        to.branch(loop)
        to.position_at_end(loop)
        group = to.phi(INT64)
        totals = [to.phi(self.vectors) for _ in range(ROWS * REGISTERS)]
        first = to.add(columns, to.mul(group, self._number(WIDTH * BYTES)))
        held = [self._loaded(first, self.vectors, register * LANES * BYTES) for register in range(REGISTERS)]
        offset = to.mul(group, self._number(BYTES))
        sums = []
        for row, address in enumerate(rows):
            word = self._spread(self._loaded(to.add(address, offset), self.vectors.element))
            sums += [self._added(totals[row * REGISTERS + at], word, column) for at, column in enumerate(held)]
        following = to.add(group, self._number(1))
        group.add_incoming(self._number(0), before)
        group.add_incoming(following, loop)
        for total, one in zip(totals, sums, strict=True):
            total.add_incoming(ir.Constant(self.vectors, None), before)
            total.add_incoming(one, loop)
        to.cbranch(to.icmp_signed("<", following, groups), loop, after)
        to.position_at_end(after)
        return sums

    def _added(self, total: Any, word: Any, column: Any) -> Any:
        # $0 is the total, which comes in where it goes out; then the row's, which bytes have without a sign.
        kind = ir.FunctionType(self.vectors, [self.vectors] * 3)
        return self.to.asm(kind, self.instruction, "=v,v,v,0", [word, column, total], side_effect=False)

    def _spread(self, value: Any) -> Any:
        """One value in all lanes."""
        empty = ir.Constant(self.vectors, ir.Undefined)
        one = self.to.insert_element(empty, value, ir.Constant(INT32, 0))
        return self.to.shuffle_vector(one, empty, ir.Constant(ir.VectorType(INT32, LANES), None))

    def _loaded(self, address: Any, kind: Any, offset: int = 0) -> Any:
        place = self.to.add(address, self._number(offset))
        return self.to.load(self.to.inttoptr(place, kind.as_pointer()), align=4)

    def _after(self, address: Any, step: Any, count: int) -> Any:
        return self.to.add(address, self.to.mul(step, self._number(count)))

    @staticmethod
    def _number(value: int) -> Any:
        return ir.Constant(INT64, value)


def _typed_tile(_: Any, kind: Any, rows: Any, step: Any, columns: Any, groups: Any, sums: Any, room: Any) -> Any:
    """Write the sums of a tile. What `kind` is tells the form; the rest are addresses, steps in bytes, and a count."""

    def generate(context: Any, builder: Any, __: Any, given: Any) -> Any:
        _Writing(builder, kind).tile(*given[1:])
        return context.get_dummy_value()

    return types.void(kind, rows, step, columns, groups, sums, room), generate


tile: Any = intrinsic(_typed_tile)


class _Reducing:
    """Code that makes one float of many, a multiple of WIDTH, by two registers; numba makes it one after the other."""

    def __init__(self, builder: Any, how: str) -> None:
        self.to, self.how = builder, how

    def one(self, address: Any, count: Any) -> Any:
        """Go through them, then fold what is left until one is left."""
        to, before = self.to, self.to.block
        loop, after = to.append_basic_block("floats"), to.append_basic_block("folded")
        to.branch(loop)
        to.position_at_end(loop)
        done, totals = to.phi(INT64), [to.phi(FLOATS) for _ in range(REGISTERS)]
        place = to.add(address, to.mul(done, ir.Constant(INT64, BYTES)))
        values = [
            to.load(to.inttoptr(to.add(place, ir.Constant(INT64, at * LANES * BYTES)), FLOATS.as_pointer()), align=4)
            for at in range(REGISTERS)
        ]
        sums = [self._joined(total, self._told(value)) for total, value in zip(totals, values, strict=True)]
        following = to.add(done, ir.Constant(INT64, WIDTH))
        nothing = ir.Constant(FLOATS, [ir.Constant(FLOAT, float("-inf") if self.how == "highest" else 0.0)] * LANES)
        for phi, first, then in zip(
            [done, *totals], [ir.Constant(INT64, 0), nothing, nothing], [following, *sums], strict=True
        ):
            phi.add_incoming(first, before)
            phi.add_incoming(then, loop)
        to.cbranch(to.icmp_signed("<", following, count), loop, after)
        to.position_at_end(after)
        return self._folded(self._joined(*sums))

    def _folded(self, lanes: Any) -> Any:
        width = LANES
        while width > 1:
            width //= 2
            places = [ir.Constant(INT32, (at + width) % LANES) for at in range(LANES)]
            lanes = self._joined(lanes, self.to.shuffle_vector(lanes, lanes, ir.Constant(WORDS, places)))
        return self.to.extract_element(lanes, ir.Constant(INT32, 0))

    def _told(self, value: Any) -> Any:
        if self.how == "squares":
            return self.to.fmul(value, value)
        if self.how == "largest":
            without_sign = ir.Constant(WORDS, [ir.Constant(INT32, 0x7FFFFFFF)] * LANES)
            return self.to.bitcast(self.to.and_(self.to.bitcast(value, WORDS), without_sign), FLOATS)
        return value

    def _joined(self, one: Any, other: Any) -> Any:
        if self.how in {"sum", "squares"}:
            return self.to.fadd(one, other)
        return self.to.select(self.to.fcmp_ordered(">", one, other), one, other)


def _reduction(how: str) -> Any:
    def typed(_: Any, address: Any, count: Any) -> Any:
        def generate(_: Any, builder: Any, __: Any, given: Any) -> Any:
            return _Reducing(builder, how).one(*given)

        return types.float32(address, count), generate

    typed.__doc__ = f"The {how} of so many floats from an address on."
    return intrinsic(typed)


total_of: Any = _reduction("sum")
squares_of: Any = _reduction("squares")
largest_of: Any = _reduction("largest")
highest_of: Any = _reduction("highest")
