"""Plain gates of two inputs, and integer arithmetic of them in other structures than ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from spikeproof.circuits.netlist import ONE, ZERO, Bus, NetlistBuilder

Sum = tuple[Bus, int]
"""The sum and the carry out."""


class Gates:
    """Gates as a synthesis tool would map them: inverters, AND, OR, NAND; all else is made of these."""

    def __init__(self) -> None:
        self.builder = NetlistBuilder()

    def not_(self, a: int) -> int:
        return self.builder.neuron([(a, -1)], 0)

    def and_(self, a: int, b: int) -> int:
        return self.builder.neuron([(a, 1), (b, 1)], 2)

    def or_(self, a: int, b: int) -> int:
        return self.builder.neuron([(a, 1), (b, 1)], 1)

    def nand(self, a: int, b: int) -> int:
        return self.builder.neuron([(a, -1), (b, -1)], -1)

    def xor(self, a: int, b: int) -> int:
        return self.and_(self.or_(a, b), self.nand(a, b))

    def mux(self, select: int, a: int, b: int) -> int:
        """a where ``select`` is 1, else b."""
        return self.nand(self.nand(select, a), self.nand(self.not_(select), b))

    def all_(self, bits: Sequence[int]) -> int:
        return self._tree(self.and_, bits, ONE)

    def any_(self, bits: Sequence[int]) -> int:
        return self._tree(self.or_, bits, ZERO)

    def _tree(self, gate: Callable[[int, int], int], bits: Sequence[int], none: int) -> int:
        """Halves first, unlike a tree by layers."""
        if len(bits) < 2:
            return bits[0] if bits else none
        half = len(bits) // 2
        return gate(self._tree(gate, bits[:half], none), self._tree(gate, bits[half:], none))

    # --- words -----------------------------------------------------------------------------------

    def invert(self, word: Bus) -> Bus:
        return tuple(map(self.not_, word))

    def mask(self, word: Bus, bit: int) -> Bus:
        return tuple(self.and_(each, bit) for each in word)

    def flip(self, word: Bus, bit: int) -> Bus:
        """The word, inverted where a bit is 1."""
        return tuple(self.xor(each, bit) for each in word)

    def choose(self, select: int, a: Bus, b: Bus) -> Bus:
        return tuple(self.mux(select, p, q) for p, q in zip(a, b, strict=True))

    def full_adder(self, a: int, b: int, c: int) -> tuple[int, int]:
        """(sum, carry)."""
        half = self.xor(a, b)
        return self.xor(half, c), self.nand(self.nand(a, b), self.nand(half, c))

    def ripple(self, x: Bus, y: Bus, carry: int = ZERO) -> Sum:
        total = []
        for a, b in zip(x, y, strict=True):
            digit, carry = self.full_adder(a, b, carry)
            total.append(digit)
        return tuple(total), carry

    def kogge_stone(self, x: Bus, y: Bus, carry: int = ZERO) -> Sum:
        half = [self.xor(a, b) for a, b in zip(x, y, strict=True)]
        spans = [(self.and_(a, b), p) for a, b, p in zip(x, y, half, strict=True)]
        spans.insert(0, (carry, ZERO))
        reach = 1
        while reach < len(spans):
            spans = [
                (
                    self.or_(generate, self.and_(propagate, spans[place - reach][0])),
                    self.and_(propagate, spans[place - reach][1]),
                )
                if place >= reach
                else (generate, propagate)
                for place, (generate, propagate) in enumerate(spans)
            ]
            reach *= 2
        carries = [generate for generate, _ in spans]
        return tuple(map(self.xor, half, carries)), carries[-1]

    def subtract(self, x: Bus, y: Bus) -> Sum:
        """x - y, and whether x >= y."""
        return self.kogge_stone(x, self.invert(y), ONE)

    def increment(self, x: Bus, bit: int) -> Bus:
        """The sum is as wide as x."""
        total = []
        for each in x:
            total.append(self.xor(each, bit))
            bit = self.and_(each, bit)
        return tuple(total)

    def shift_left(self, x: Bus, amount: Bus) -> Bus:
        for stage in reversed(range(len(amount))):
            shifted = (*(ZERO,) * min(1 << stage, len(x)), *x)[: len(x)]
            x = self.choose(amount[stage], shifted, x)
        return x

    def shift_right(self, x: Bus, amount: Bus, forgetting: int | None = None) -> tuple[Bus, int]:
        """The word shifted, and whether anything but zeros was shifted out.

        Args:
            forgetting: from so many places on, by a wrong circuit, what is shifted out is forgotten.
        """
        stages = (len(x) - 1).bit_length()
        far, near = self.any_(amount[stages:]), amount[:stages]
        lost = self.and_(far, self.any_(x))
        x = self.mask(x, self.not_(far))
        for stage, bit in enumerate(near):
            step = min(1 << stage, len(x))
            lost = self.or_(lost, self.and_(bit, self.any_(x[:step])))
            x = self.choose(bit, (*x, *(ZERO,) * step)[step:], x)
        if forgetting is not None:
            width = max(len(amount), forgetting.bit_length())
            _, forgets = self.subtract(extend(amount, width), constant(forgetting, width))
            lost = self.and_(lost, self.not_(forgets))
        return x, lost

    def leading_zeros(self, x: Bus) -> tuple[Bus, int]:
        """How many zeros are above the first one, and whether there is none; by halves."""
        size = 1 << (len(x) - 1).bit_length()
        return self._leading_zeros((*(ZERO,) * (size - len(x)), *x))

    def _leading_zeros(self, x: Bus) -> tuple[Bus, int]:
        if len(x) == 1:
            return (), self.not_(x[0])
        (low, no_low), (high, no_high) = (
            self._leading_zeros(half) for half in (x[: len(x) // 2], x[len(x) // 2 :])
        )
        return (*self.choose(no_high, low, high), no_high), self.and_(no_low, no_high)


def constant(value: int, width: int) -> Bus:
    """A constant, negative ones in two's complement."""
    return tuple(ONE if value >> place & 1 else ZERO for place in range(width))


def extend(word: Bus, width: int, bit: int = ZERO) -> Bus:
    """The word with copies of a bit above it."""
    return (*word, *(bit,) * (width - len(word)))
