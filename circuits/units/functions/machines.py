"""The machine that makes a program's circuit: of neurons that read sums, or of gates that add them up.

Of gates, a form is the same sum of weighted signals, and whatever asks for its digits adds it up. But a
table is a word, whose bits are ORs of ranges of its steps; bits of what is exclusive are ORs too; and
quotients and roots are found by subtraction, digit by digit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from spikeproof.circuits.netlist import ONE, ZERO, Bus
from spikeproof.circuits.units.adders import at_least, choice, summed
from spikeproof.circuits.units.forms import (
    Bits,
    Form,
    all_of,
    any_of,
    bit,
    bits,
    number,
    reaches,
    signal,
    signals,
    total,
)
from spikeproof.circuits.units.functions.words import Neurons
from spikeproof.circuits.units.libraries import GateLibrary

Taken = Callable[[int, Form], Form]
"""What a digit of some weight takes away, beside the number that is found so far."""


def machine_of(gates: GateLibrary) -> Neurons:
    """The machine for a library."""
    return Gates(gates) if gates.adds_by_gates else Neurons(gates)


class Gates(Neurons):
    """The machine that makes gates. Its words are what those of ``Neurons`` are."""

    def held(self, form: Form, size: int) -> Form:
        """A form from 0 to less than 2^size, added up once."""
        return number(bits(self._modulo(form, size)))

    def digits(self, form: Form, size: int, step: int = 1) -> Bits:
        """min(max(form, 0), 2^size - 1); of gates no steps are told apart."""
        most = max(form.high, -1 - form.low, 0).bit_length()
        word = self._modulo(form, most + (form.low < 0))
        found = (*word[: min(size, most)], *(ZERO,) * (size - most))
        if most > size and form.high >> size:
            beyond = self.gates.wide_or(word[size:most])
            found = tuple(self.gates.or_(each, beyond) for each in found)
        if form.low < 0:
            positive = self.gates.not_(word[-1])
            found = tuple(self.gates.and_(each, positive) for each in found)
        return bits(found)

    def comparators(self, form: Form, places: Sequence[int]) -> Bits:
        """[form >= p] for each of rising places: the form is added up, and compared."""
        word = self._modulo(form - form.low, (form.high - form.low).bit_length())
        return bits(tuple(at_least(self.gates, word, place - form.low) for place in places))

    def table(self, steps: Bits, values: Sequence[int]) -> Form:
        """As of neurons: its least value, and a word for what is more."""
        found = super().table(steps, values)
        if len(steps) < 2:
            return found
        size = (found.high - found.low).bit_length()
        truths = ([value - found.low >> place & 1 for value in values] for place in range(size))
        bus = signals(self.gates, steps)
        word = bits(tuple(_told(self.gates, bus, each) for each in truths))
        return (number(word) + found.low).within(found.low, found.high)

    def chosen(self, matches: Bits, values: Sequence[int]) -> Form:
        """As of neurons: a word, the highest bit of which counts negatively."""
        size = max(map(abs, values), default=0).bit_length()
        pairs = list(zip(matches, values, strict=True))
        *word, sign = (
            any_of(self.gates, *(match for match, value in pairs if value >> place & 1))
            for place in range(size + 1)
        )
        found = number(word) - sign * (1 << size)
        return found.within(min((0, *values)), max((0, *values)))

    def exclusive(self, forms: Sequence[Form]) -> Form:
        """As of neurons, of forms without constants: an OR for each weight."""
        columns: dict[int, list[Form]] = defaultdict(list)
        for form in forms:
            for source, weight in form.weights.items():
                columns[weight].append(bit(source))
        found = total(any_of(self.gates, *column) * weight for weight, column in columns.items())
        return found.within(0, max(form.high for form in forms))

    def signed(self, word: Bits, sign: Form, weights: Sequence[int]) -> Form:
        """As of neurons: -S is the complement of S, and 1 more."""
        form = self.weighted(word, weights)
        size = form.high.bit_length()
        turn = signal(self.gates, sign)
        turned = bits(tuple(self.gates.xor(each, turn) for each in self._modulo(form, size)))
        return (number(turned) - sign * ((1 << size) - 1)).within(-form.high, form.high)

    def quotient(self, form: Form, divisor: Bits, size: int) -> tuple[Bits, Form]:
        """As of neurons; what remains is clamped where the digits are."""
        by = number(bits(signals(self.gates, divisor)))
        digits, rest = self._searched(form, lambda unit, found: by * unit, size)
        return digits, number(rest)

    def root(self, form: Form, size: int, scale: int = 1, less: int = 0) -> Bits:
        """As of neurons."""

        def taken(unit: int, found: Form) -> Form:
            return (2 * scale * found + (scale * unit - 2 * less)) * (scale * unit)

        digits = self._searched(form - less * less, taken, size)[0]
        first = (scale - less) ** 2
        if first >= less * less:
            return digits
        # Of what is less than the square of no digit, but not than that of one.
        lone = reaches(self.gates, form, first) - reaches(self.gates, form, less * less)
        return (any_of(self.gates, digits[0], lone.within(0, 1)), *digits[1:])

    def _searched(self, form: Form, taken: Taken, size: int) -> tuple[Bits, Bits]:
        """Digits from the top, each 1 if the form bears what that takes away; and what remains.

        All are 0 where the form is negative, and 1 where it bears one digit more, at the top.
        """
        gates, whole = self.gates, taken(1 << size, Form())
        positive = reaches(gates, form, 0)
        beyond = reaches(gates, form - whole, 0)
        rest = self._modulo(form, (whole.high - 1).bit_length())
        found, digits = Form(), list[Form]()
        for unit in (1 << place for place in reversed(range(size))):
            least = number(bits(rest)) - taken(unit, found)
            tried = self._modulo(least + (1 << len(rest)), len(rest) + 1)
            digits.insert(0, bit(tried[-1]))
            found = found + digits[0] * unit
            left = (taken(unit, found).high - 1).bit_length()
            pairs = zip(tried[:left], rest[:left], strict=True)
            rest = tuple(choice(gates, tried[-1], one, zero) for one, zero in pairs)

        def clamped(word: Iterable[Form]) -> Bits:
            return tuple(all_of(gates, any_of(gates, each, beyond), positive) for each in word)

        return clamped(digits), clamped(bits(rest))

    def _modulo(self, form: Form, size: int) -> Bus:
        """A form modulo 2^size."""
        return summed(self.gates, form.constant, form.weights, size)


def _told(gates: GateLibrary, steps: Bus, values: Sequence[int]) -> int:
    """The bit that has these values, by how many of the steps are 1."""
    turns = [step for step, (one, other) in zip(steps, pairwise(values), strict=True) if one != other]
    starts = [ONE, *turns] if values[0] else turns
    ends = [*starts[1::2], *[ZERO] * (len(starts) % 2)]
    ranges = [gates.and_(a, gates.not_(b)) for a, b in zip(starts[::2], ends, strict=True)]
    return gates.wide_or(ranges) if ranges else ZERO
