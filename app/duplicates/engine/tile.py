"""Near rows by tiles of products that never leave the processor's registers, compiled for it by numba.

A tile is ROWS rows by REGISTERS registers of columns. Its sums begin so low that a sum above nothing is a hit; their
maximum tells whether there is any, and mostly there is none. Three forms: small integers, of which VNNI multiplies 64
at once (`Quads`) and AVX2 32 (`Bytes`), and floats elsewhere (`Floats`). Importing this module imports numba,
which takes a moment.
"""

from contextlib import suppress
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic

from app.duplicates.engine.coding import Coded, Question
from app.duplicates.engine.shortening import Positions

# Twelve registers of sums, two of columns, one of a row and one of products: the sixteen that AVX2 has.
ROWS, REGISTERS = 6, 2
# So many blocks of columns are crossed by all rows of a piece before the next, near the processor.
STRIP = 16
FIRST_ROOM = 4096
LINE = 64

INT16, INT32, INT64 = (ir.IntType(bits) for bits in (16, 32, 64))
_function: Any = cgutils.get_or_insert_function


class RowTiles:
    """Rows that are multiplied with each other in registers; see searching.Tiles."""

    def __init__(self, coded: Coded, question: Question) -> None:
        """Begin with the rows of the first question, and those that its hits are asked about."""
        self._coded, self._question, self._count = coded, question, len(coded.atoms)
        groups = coded.atoms.shape[1]
        self.block = REGISTERS * FORMS[coded.starts.dtype.name].lanes
        blocks = -(-self._count // self.block)
        self._packed = _aligned((blocks, groups, self.block), coded.atoms.dtype)
        whole = self._count // self.block
        blocked = coded.atoms[: whole * self.block].reshape(whole, self.block, groups)
        self._packed[:whole] = blocked.transpose(0, 2, 1)
        if whole < blocks:
            self._packed[whole] = 0
            self._packed[whole, :, : self._count % self.block] = coded.atoms[whole * self.block :].T

    def near(self, row: int, rows: int, column: int, columns: int) -> tuple[Positions, Positions]:
        """The pairs with left in row..rows, right in column..columns and left < right that may reach the threshold."""
        tiles = -(-(rows - row) // ROWS)
        words = self._rows_of(row, rows, tiles)
        starts = np.full((tiles, ROWS), -1, dtype=self._coded.starts.dtype)
        starts.reshape(-1)[: rows - row] = self._coded.starts[row:rows]
        limits = np.array([row, rows, column, columns], dtype=np.int64)
        room = FIRST_ROOM
        while True:
            found = np.empty((2, room), dtype=np.int32)
            count = _sweep(words, starts, self._packed, limits, self._question.codes, self._question.lowest, found)
            if count <= room:
                left, right = found[:, :count].astype(np.int64)
                return left, right
            room = count

    def _rows_of(self, row: int, rows: int, tiles: int) -> npt.NDArray[np.uint32]:
        """The words of these rows, (tiles, groups, ROWS); those of rows beyond the last are nothing."""
        atoms = self._coded.atoms[row:rows]
        words = np.zeros((tiles * ROWS, atoms.shape[1]), dtype=np.uint32)
        words[: len(atoms)] = self._coded.words(atoms)
        return np.ascontiguousarray(words.reshape(tiles, ROWS, -1).transpose(0, 2, 1))


def _aligned(shape: tuple[int, ...], kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Room that begins where a line of the processor's memory does: reading across two takes twice as long."""
    size = int(np.prod(shape)) * kind.itemsize
    raw = np.empty(size + LINE, dtype=np.uint8)
    first = -raw.ctypes.data % LINE
    return raw[first : first + size].view(kind).reshape(shape)


class Quads:
    """Unsigned columns by signed rows, four products added in each of 16 lanes of 32 bits."""

    size, lane, lanes, columns = 64, INT32, 16, ir.VectorType(ir.IntType(8), 64)

    @staticmethod
    def added(builder: Any, total: Any, column: Any, row: Any) -> Any:
        """The sums with one more atom's products."""
        kind = ir.FunctionType(total.type, [total.type] * 3)
        multiply = _function(builder.module, kind, "llvm.x86.avx512.vpdpbusd.512")
        return builder.call(multiply, [total, *(builder.bitcast(side, total.type) for side in (column, row))])

    @staticmethod
    def above(builder: Any, one: Any, other: Any) -> Any:
        """In which lanes one is above the other."""
        return builder.icmp_signed(">", one, other)


class Bytes:
    """Unsigned columns by signed rows, two products added in each of 16 lanes of 16 bits."""

    size, lane, lanes, columns = 32, INT16, 16, ir.VectorType(ir.IntType(8), 32)

    @staticmethod
    def added(builder: Any, total: Any, column: Any, row: Any) -> Any:
        """The sums with one more atom's products."""
        kind = ir.FunctionType(total.type, [Bytes.columns, Bytes.columns])
        multiply = _function(builder.module, kind, "llvm.x86.avx2.pmadd.ub.sw")
        return builder.add(total, builder.call(multiply, [column, row]))

    @staticmethod
    def above(builder: Any, one: Any, other: Any) -> Any:
        """See Quads.above."""
        return builder.icmp_signed(">", one, other)


class Floats:
    """One product in each of eight lanes."""

    size, lane, lanes, columns = 32, ir.FloatType(), 8, ir.VectorType(ir.FloatType(), 8)

    @staticmethod
    def added(builder: Any, total: Any, column: Any, row: Any) -> Any:
        """See Bytes.added."""
        kind = ir.FunctionType(total.type, [total.type] * 3)
        return builder.call(_function(builder.module, kind, "llvm.fma.v8f32"), [column, row, total])

    @staticmethod
    def above(builder: Any, one: Any, other: Any) -> Any:
        """See Quads.above."""
        return builder.fcmp_ordered(">", one, other)


# By what a row's sums begin with.
FORMS: dict[str, type[Quads | Bytes | Floats]] = {"int32": Quads, "int16": Bytes, "float32": Floats}


class _Writing:
    """A tile's code, as it is written for LLVM."""

    def __init__(self, builder: Any, form: type[Quads | Bytes | Floats]) -> None:
        self.to, self.form = builder, form
        self.words = ir.VectorType(INT32, form.size // 4)
        self.sums = ir.VectorType(form.lane, form.lanes)

    def tile(self, words: Any, starts: Any, packed: Any, groups: Any, hits: Any) -> Any:
        """Sum up, look at the maximum, and only on a hit write where: 1 or 0."""
        to, nothing = self.to, ir.Constant(self.sums, None)
        totals = self._summed(words, starts, packed, groups)
        highest = totals
        while len(highest) > 1:
            highest = [self._higher(*highest[at : at + 2]) for at in range(0, len(highest), 2)]
        any_hit = to.icmp_unsigned("!=", self._bits(self.form.above(to, highest[0], nothing)), ir.Constant(INT32, 0))
        with to.if_then(any_hit, likely=False):
            for number, total in enumerate(totals):
                to.store(self._bits(self.form.above(to, total, nothing)), self._at(hits, INT32, number))
        return any_hit

    def _summed(self, words: Any, starts: Any, packed: Any, groups: Any) -> list[Any]:
        """The sums of all registers after all groups, row by row."""
        to, before = self.to, self.to.block
        begun = [self._spread(to.load(self._at(starts, self.form.lane, row)), self.sums) for row in range(ROWS)]
        loop, after = to.append_basic_block("groups"), to.append_basic_block("summed")
        to.branch(loop)
        to.position_at_end(loop)
        group = to.phi(INT64)
        totals = [to.phi(self.sums) for _ in range(ROWS * REGISTERS)]
        columns = [
            to.load(self._at(packed, self.form.columns, number, group, REGISTERS), align=4)
            for number in range(REGISTERS)
        ]
        sums = []
        for row in range(ROWS):
            word = self._spread(to.load(self._at(words, INT32, row, group, ROWS)), self.words)
            word = to.bitcast(word, self.form.columns)
            sums += [
                self.form.added(to, totals[row * REGISTERS + number], column, word)
                for number, column in enumerate(columns)
            ]
        following = to.add(group, ir.Constant(INT64, 1))
        for phi, first, then in zip([group, *totals], self._firsts(begun), [following, *sums], strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(then, loop)
        to.cbranch(to.icmp_signed("<", following, groups), loop, after)
        to.position_at_end(after)
        return sums

    @staticmethod
    def _firsts(begun: list[Any]) -> list[Any]:
        return [ir.Constant(INT64, 0), *(start for start in begun for _ in range(REGISTERS))]

    def _higher(self, one: Any, other: Any = None) -> Any:
        return one if other is None else self.to.select(self.form.above(self.to, one, other), one, other)

    def _bits(self, lanes: Any) -> Any:
        """A bit a lane, as a number of 32."""
        return self.to.zext(self.to.bitcast(lanes, ir.IntType(self.form.lanes)), INT32)

    def _spread(self, value: Any, into: ir.VectorType) -> Any:
        """One value in all lanes."""
        empty = ir.Constant(into, ir.Undefined)
        one = self.to.insert_element(empty, value, ir.Constant(INT32, 0))
        return self.to.shuffle_vector(one, empty, ir.Constant(ir.VectorType(INT32, into.count), None))

    def _at(self, address: Any, kind: Any, number: int, group: Any = None, a_group: int = 0) -> Any:
        """Where the number-th of a kind lies, counted from the group's first."""
        place: Any = ir.Constant(INT64, number)
        if group is not None:
            place = self.to.add(self.to.mul(group, ir.Constant(INT64, a_group)), place)
        return self.to.gep(self.to.inttoptr(address, kind.as_pointer()), [place])


def _typed_tile(_: Any, start: Any, words: Any, starts: Any, packed: Any, groups: Any, hits: Any) -> Any:
    """Whether a tile has a hit; only then `hits` is written. What a start is tells the form; the rest are addresses."""
    form = FORMS[start.name]

    def generate(_: Any, builder: Any, __: Any, given: Any) -> Any:
        return _Writing(builder, form).tile(*given[1:])

    return types.boolean(start, words, starts, packed, groups, hits), generate


def _typed_lowest_bit(_: Any, bits: Any) -> Any:
    """Where the lowest bit stands in a number of 32 that has one."""

    def generate(_: Any, builder: Any, __: Any, given: Any) -> Any:
        return builder.zext(builder.cttz(given[0], ir.Constant(ir.IntType(1), 1)), INT64)

    return types.int64(bits), generate


_tile: Any = intrinsic(_typed_tile)
_lowest_bit: Any = intrinsic(_typed_lowest_bit)


@numba.njit(nogil=True)
def _sweep(words: Any, starts: Any, packed: Any, limits: Any, asked: Any, lowest: Any, found: Any) -> Any:
    """Write the pairs into `found` (2, room) as far as they have room there; how many there are."""
    row, _, column, columns = limits
    block, groups, count = packed.shape[2], packed.shape[1], 0
    hits = np.empty(ROWS * REGISTERS, np.uint32)
    last = (columns + block - 1) // block
    # Addresses: an array that is cut in the inner loop would be counted as in use each time.
    words_at, starts_at, packed_at = words.ctypes.data, starts.ctypes.data, packed.ctypes.data
    words_size, starts_size, packed_size = words.strides[0], starts.strides[0], packed.strides[0]
    for strip in range(column // block, last, STRIP):
        for tile in range(len(words)):
            for at in range(max(strip, (row + tile * ROWS) // block), min(strip + STRIP, last)):
                if _tile(
                    starts[0, 0], words_at + tile * words_size, starts_at + tile * starts_size,
                    packed_at + at * packed_size, groups, hits.ctypes.data,
                ):  # fmt: skip
                    place = row + tile * ROWS, at * block
                    count = _noted(hits, place, block // REGISTERS, limits, asked, lowest, found, count)
    return count


@numba.njit(nogil=True)
def _noted(hits: Any, place: Any, lanes: Any, limits: Any, asked: Any, lowest: Any, found: Any, count: Any) -> Any:
    """Ask about each hit of a tile: hits has a word of bits for each of its registers."""
    for register in range(ROWS * REGISTERS):
        bits = hits[register]
        while bits:
            left, right = place[0] + register // REGISTERS, place[1] + register % REGISTERS * lanes + _lowest_bit(bits)
            bits &= bits - np.uint32(1)
            if left < limits[1] and left < right < limits[3] and _product(asked, left, right) >= lowest:
                if count < found.shape[1]:
                    found[0, count], found[1, count] = left, right
                count += 1
    return count


@numba.njit(nogil=True)
def _product(asked: Any, left: Any, right: Any) -> Any:
    total = np.int32(0)
    for place in range(asked.shape[1]):
        total = np.int32(total + np.int32(np.int32(asked[left, place]) * np.int32(asked[right, place])))
    return total


# What was compiled is kept beside this file or in the person's cache folder; where neither can be written, not at all.
with suppress(RuntimeError):
    _sweep.enable_caching()
