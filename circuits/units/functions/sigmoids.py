"""sigmoid of wide formats: with E = e^|x| by short factors, 1 / (1 + E) is a quotient.

    1  E = 2^n S, S between 1 and 2: as ``exponentials`` has it; the last ``CUT`` places are cut off
    2  D = S + 2^-n, so that 1 / (1 + E) = 2^-n / D, which is from 1/3 to 1 of 2^-n
    3  of negative x that is the result. Its significand is the quotient of a constant and D: of twice
       that if D is 2 or more, and of halves of it where the result is subnormal
    4  of positive x it is 1 - 2^-n / D: a constant less a quotient

Quotients are found in two parts, what remains of the first being a word, so that numbers stay short.
Half of the last place is added to the second.

sigmoid(x) is nearly 1/2 + x/4 - x^3/48, and for small x, of which the cubic is beyond all places, 1/2 +
x/4 is often midway between two numbers, or one itself: what counts is on which side of it the result is.
That is the right one if E is never too large: so ``BELOW`` is taken from S.
"""

from __future__ import annotations

from itertools import pairwise

from spikeproof.circuits.units.functions.exponentials import Exponential, fixed, normalised, weights_of
from spikeproof.circuits.units.functions.mended import Found
from spikeproof.circuits.units.functions.words import Form, Machine, Word

CUT = 3
"""Places of S that are not used."""

BELOW = 8
"""By how many units of its last place S may be too large."""

LATER = 2
"""Of the quotient's digits one of so many is in the second part."""


class Sigmoid(Exponential):
    """``sigmoid``."""

    @property
    def divisor_places(self) -> int:
        """Binary places of D."""
        return self.places - CUT

    @property
    def later(self) -> int:
        """Digits of the second part of a quotient, which may be 1 more than they can tell."""
        return self.fmt.precision // LATER

    @property
    def margin(self) -> int:
        """Of what remains of a quotient: eight times as much as errors of 16 units of S make of it."""
        return 1 << self.fmt.precision + 6

    def program(self, machine: Machine, x: Word) -> Found:
        """What a machine makes of a word x."""
        fmt, f = self.fmt, self.fmt.fraction_bits
        region = machine.comparators(machine.number(x), self.regions.starts)
        free = machine.table(region, self.regions.free)
        exponent, significand = self._power(machine, x, machine.digits(free, 1)[0])
        positive = machine.digits(1 - x[fmt.width - 1], 1)
        places, cases = self._cases(len(exponent))
        signed = machine.number(exponent) + machine.number(positive) * (1 << len(exponent))
        case = machine.comparators(signed, places)
        added, numerators, normal = zip(*cases, strict=True)
        divisor = machine.digits(
            machine.number(significand) + machine.table(case, added), self.divisor_places + 2
        )
        top = divisor[self.divisor_places + 1 :]
        doubled = machine.number(machine.given(top, machine.digits(machine.table(case, normal), 1)[0]))
        numerator = machine.table(case, numerators) + doubled * max(numerators)
        words, rest = self._quotient(machine, numerator, divisor)
        subtracted = [machine.given(word, positive[0]) for word in words]
        found, less = (
            machine.number(high) * (1 << self.later) + machine.number(low)
            for high, low in (words, subtracted)
        )
        field = machine.digits(fmt.bias - 2 - signed, fmt.exponent_bits - 1)
        code = (machine.number(field) - doubled) * (1 << f) + found - less * 2
        return Found(
            code + machine.number(positive) * (fmt.bias << f) + machine.table(region, self._constants),
            rest,
            lost=0,
            inexact=free,
            negative=machine.table(region, [0] * len(self.regions.results)),
            divisor=machine.number(divisor),
        )

    def _power(self, machine: Machine, x: Word, ordinary: Form) -> tuple[Word, Word]:
        """n, and S without the places that are cut off."""
        magnitude = fixed(machine, x, self, ordinary)
        scaled = machine.weighted(magnitude, weights_of(self, len(magnitude)))
        size = (self.fmt.bias + self.fmt.fraction_bits).bit_length()
        power = machine.digits(scaled, self.places + size)
        total = normalised(machine, power[: self.places], self) - BELOW
        return power[self.places :], machine.digits(total, self.places + 1)[CUT:]

    def _cases(self, size: int) -> tuple[list[int], list[tuple[int, int, int]]]:
        """Kinds of n, or of 2^size more if x is positive: where all but the first begin, and of each

        2^-n, the numerator, and whether that is doubled if D is 2 or more.
        """
        fmt, places = self.fmt, self.divisor_places
        most, least = places + fmt.precision - self.later, fmt.bias - 2

        def case(n: int, positive: bool) -> tuple[int, int, int]:
            n = min(n, fmt.precision + 1 if positive else fmt.bias + fmt.fraction_bits)  # which it is
            lost = n if positive else max(n - least, 0)
            return 1 << places >> n, 1 << most >> lost, int(n < least and not positive)

        every = [case(n, positive) for positive in (False, True) for n in range(1 << size)]
        turns = [place for place, (a, b) in enumerate(pairwise(every), 1) if a != b]
        return turns, [every[place] for place in (0, *turns)]

    def _quotient(
        self, machine: Machine, numerator: Form, divisor: Word
    ) -> tuple[tuple[Word, Word], Form]:
        """The rounded quotient's two parts, and what remains."""
        first, rest = machine.quotient(numerator, divisor, self.fmt.precision - self.later + 1)
        rest = machine.number(machine.digits(rest, len(divisor))) * (1 << self.later)
        half = machine.number(divisor[1:]) if self.nearest else 0
        second, rest = machine.quotient(rest + half, divisor, self.later + 1)
        return (first, second), rest

    @property
    def _constants(self) -> list[int]:
        """Of each region, what is added to 1/2; or 0, or what 1 - y is less than 1 less y cut off."""
        half = self.fmt.bias - 1 << self.fmt.fraction_bits
        starts = (0, *self.regions.starts)
        return [
            result - half
            if result is not None
            else -int(not self.nearest and start < self.fmt.sign_mask)
            for start, result in zip(starts, self.regions.results, strict=True)
        ]
