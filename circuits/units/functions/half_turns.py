"""sin(pi x) and cos(pi x) of wide formats: x folded to a quarter of a turn, and rows of polynomials.

    X     |x| modulo 2, in units of 2^-p, if |x| is 1/2 or more: its significand, of which each exponent
          keeps other bits; of cosines |x| + 1/2, in halves of that, if |x| is 1/4 or more
    R     how far X is from the nearest whole number, likewise; r is as far, or |x| itself below 1/2
    code  of r: R moved up until its first bit is 1. No bit is lost: r is a number of the format
    rows  of sin(pi r), for r up to 1/2; of cosines also of cos(pi x), for |x| below 1/4, at codes that
          lie beyond: ``polynomials``
    sign  turned if X is 1 or more and R is not 0; of sines that of x before

Sines of normal numbers below 2^-(p + 6) have the significands of those just there: the exponent that
they have less is taken from the result.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.forms import Bits, Form, all_of, bits, number, reaches, signals, total
from spikeproof.circuits.units.functions.fitting import Plan, fitted_to
from spikeproof.circuits.units.functions.kept_rows import FOUND, file_of, keep, small_plan
from spikeproof.circuits.units.functions.machines import machine_of
from spikeproof.circuits.units.functions.modes import MADE, simplest
from spikeproof.circuits.units.functions.polynomials import Polynomials, read, rounded_unit
from spikeproof.circuits.units.functions.targets import Target
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.formats import FP32, Format, OverflowPolicy, RoundingMode

PLAN = Plan(4, 20, 21, 4)
"""What is chosen in FP32."""


# --- rows ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Quarter(Target):
    """sin(pi r) for r up to 1/2, of magnitude codes; for cosines, cos(pi x) for x below 1/4 beyond them.

    Of other codes 0 or 1 is told, which costs a row.
    """

    @property
    def odd(self) -> bool:
        """Always: codes have no sign."""
        return True

    def rounded(self, codes: Iterable[int]) -> list[int]:
        """As of any target."""
        found = []
        for code in codes:
            target, asked = self._asked(code)
            found += target.rounded([asked])
        return found

    def value(self, code: int, beyond: float = 0.0) -> Any:
        """As of any target."""
        target, asked = self._asked(code)
        first = _cosines(self.fmt) if target.function == "cos_pi" else 0
        return target.value(asked, beyond if asked == code - first else 0.0)

    def _asked(self, code: int) -> tuple[Target, int]:
        """A function and a code of it."""
        fmt, cosine = self.fmt, self.function == "cos_pi"
        f, first = fmt.fraction_bits, _cosines(fmt)
        sine = Target("sin_pi", fmt, self.mode, self.policy)
        if code > fmt.infinity:
            return sine, code
        if cosine and first <= code < first + (fmt.bias - 2 << f):
            return Target("cos_pi", fmt, self.mode, self.policy), code - first
        least = (fmt.bias - fmt.precision - 1 if cosine else _least_field(fmt)) << f
        if (not cosine and code < 1 << f) or code >= least:
            return sine, min(code, fmt.bias - 1 << f)
        return sine, 0


def _cosines(fmt: Format) -> int:
    """Where codes of cosines begin: at that of 1."""
    return fmt.bias << fmt.fraction_bits


def _least_field(fmt: Format) -> int:
    """The exponent field of normal numbers below which significands alone matter."""
    return max(1, fmt.bias - fmt.precision - 6)


def _found(function: str, fmt: Format, mode: RoundingMode, plan: Plan) -> Polynomials:
    return fitted_to(Quarter(function, fmt, mode, fmt.policies[0]), plan)


@lru_cache(maxsize=4)
def _rows(function: str, fmt: Format, mode: RoundingMode) -> Polynomials:
    if fmt.width <= FOUND:
        return _found(function, fmt, simplest(mode), small_plan(fmt))
    kept = file_of(function, fmt, mode)
    if not kept.exists():
        raise ValueError(f"no rows of {function} are kept for {fmt.name}, rounded {mode.label}")
    return read(kept.read_text())


# --- the circuit --------------------------------------------------------------------------------


def half_turns_unit(
    function: str, gates: GateLibrary, x: Bus, fmt: Format, mode: RoundingMode, policy: OverflowPolicy
) -> Bus:
    """sin(pi x) or cos(pi x) of a code.

    Raises:
        ValueError: if the format is not of IEEE 754's shape, has few exponents for its precision, or is
            one of which no rows are kept.
    """
    if not fmt.has_infinity or fmt.bias < fmt.precision + 1:
        raise ValueError(f"{fmt.name} has no infinity, or too few exponents for sines by rows")
    rows = _rows(function, fmt, mode)
    return _HalfTurns(gates, bits(x), fmt, mode, function == "cos_pi").result(rows)


class _HalfTurns:
    def __init__(
        self, gates: GateLibrary, x: Bits, fmt: Format, mode: RoundingMode, cosine: bool
    ) -> None:
        self.gates, self.fmt, self.mode, self.cosine = gates, fmt, mode, cosine
        self.sums = machine_of(gates)
        *magnitude, self.sign = x
        self.magnitude = tuple(magnitude)
        f = fmt.fraction_bits
        self.fraction, self.field = self.magnitude[:f], self.magnitude[f:]
        self.places = fmt.precision + cosine  # of X behind the point
        self.first = fmt.bias - 1 - cosine  # the exponent field from which on x is folded
        steps = (1, self.first, (1 << fmt.exponent_bits) - 1)
        self.normal, self.folded, self.special = self.sums.comparators(number(self.field), steps)

    def result(self, rows: Polynomials) -> Bus:
        """The code of the result."""
        width, own = self.fmt.magnitude_bits, 1 - self.folded
        folded, turned = self._folded()
        code = number(self.sums.given(self.magnitude, own)) + folded + self.special * (1 << width)
        if self.cosine:
            return self._of_rows(rows, code + own * _cosines(self.fmt), turned - self.special)
        least = _least_field(self.fmt)
        below = self.sums.digits(least * self.normal - number(self.field), least.bit_length())
        moved = number(below) * (1 << self.fmt.fraction_bits)
        sign = self.sign + turned - 2 * all_of(self.gates, self.sign, turned)
        *magnitude, negative = bits(self._of_rows(rows, code + moved, sign - self.special))
        result = self.sums.digits(number(magnitude) - moved, width)
        return signals(self.gates, (*result, negative))

    def _of_rows(self, rows: Polynomials, code: Form, sign: Form) -> Bus:
        given = self.sums.digits(code, self.fmt.magnitude_bits)

        def cut() -> tuple[Form, Form]:
            return self._inexact(given), reaches(self.gates, sign, 1)

        found = rounded_unit(self.gates, signals(self.gates, given), rows, self.mode, cut)
        return (*found, *signals(self.gates, [reaches(self.gates, sign, 1)]))

    def _inexact(self, code: Bits) -> Form:
        """Whether a result of rows is: not those of 0 and 1/2, cos(0), and what is no number."""
        half, first = self.fmt.bias - 1 << self.fmt.fraction_bits, _cosines(self.fmt)
        places = (1, half, first + 1, self.fmt.infinity) if self.cosine else (1, half)
        steps = self.sums.comparators(number(code), places)
        return (total(steps[::2]) - total(steps[1::2])).within(0, 1)

    def _folded(self) -> tuple[Form, Form]:
        """The code of r, or 0 if x is not folded; and whether the sign is turned."""
        sums, size = self.sums, self.places
        *low, upper, odd = self._modulo_two()
        rest = number(low) + upper * (1 << size - 1) - 2 * sums.product((upper,), tuple(low))
        word = sums.digits(rest, size)
        ends = range(size - 1, -1, -1)
        below = sums.comparators(-number(word), [1 - (1 << end) for end in ends])
        zeros, none = total(below[:-1]), below[-1]
        # Twice the code of a cosine's, for R of one place more: the last is 0 where it is not moved.
        code = number(word) + (self.fmt.bias - 2 - zeros) * (1 << size - 1)
        for index, (end, step) in enumerate(zip(ends, below[:-1], strict=False)):
            code = code + (1 << index) * sums.product((step,), word[:end])
        code = code - none * ((self.fmt.bias - 1 - size) << size - 1)
        if self.cosine:
            code = number(sums.digits(code, self.fmt.magnitude_bits + 1)[1:])
        return code, all_of(self.gates, odd, 1 - none)

    def _modulo_two(self) -> Bits:
        """X, of a bit more than its places; 0 if x is not folded."""
        sums, size = self.sums, self.places + 1
        significand = (*self.fraction, self.normal)
        shifts = range(min(size, (1 << self.fmt.exponent_bits) - 1 - self.first))
        chosen = sums.matches(self.field, [self.first + shift for shift in shifts])
        parts = (
            sums.product((each,), significand[: size - shift]) * (1 << shift)
            for shift, each in zip(shifts, chosen, strict=True)
        )
        half = self.folded * (self.cosine << self.places - 1)
        return sums.digits(total(parts) + half, size + self.cosine)[:size]


if __name__ == "__main__":
    for name, mode in product(sys.argv[1:] or ("sin_pi", "cos_pi"), MADE):
        keep(name, FP32, mode, _found(name, FP32, mode, PLAN))
