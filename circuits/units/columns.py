"""Shallow products: bits of one weight counted at once, by a neuron for each number they may come to.

A count's thermometer has its bits in binary as sums of its steps, which are no neurons: the next counts
read them. Two columns or one are counted together, until no column has more than two bits; these are
added by groups of places. Partial products, counts and the sum are cells, by whose equations the product
is proved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate

from spikeproof.circuits.netlist import UNUSED, ZERO, Bus
from spikeproof.circuits.units.forms import (
    ALWAYS,
    NEVER,
    Form,
    bit,
    number,
    reaches,
    signals,
    total,
)
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.circuits.units.shallow import Thermometer, carries

Columns = list[list[Form]]
"""Bits by the place that they count in."""

PartialProduct = Callable[[GateLibrary, int, int], int]


def column_product(gates: GateLibrary, x: Bus, y: Bus, partial_product: PartialProduct) -> Bus:
    """The full product of x and y.

    Args:
        partial_product: of two bits, recorded as a cell.
    """
    columns: Columns = [[] for _ in range(len(x) + len(y))]
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            columns[i + j].append(bit(partial_product(gates, a, b)))
    counting = _Counting(gates)
    while (tallest := max(map(len, columns))) > 2:
        # Of four or five bits a count of two columns leaves two; of three a count of one does.
        columns = counting.counted(columns, 2 if tallest in (4, 5) else 1)
    return _summed(gates, columns)


class _Counting:
    """Counts so far, by each of their steps."""

    def __init__(self, gates: GateLibrary) -> None:
        self.gates = gates
        self.steps: dict[int, Bus] = {}

    def counted(self, columns: Columns, size: int) -> Columns:
        """The columns, each ``size`` of them counted together where they have too many bits.

        That is more than there are of one place in the longest counts, one from each.
        """
        longest = ((1 << size) - 1) * max(map(len, columns))
        most = -(-longest.bit_length() // size)
        found: Columns = [[] for _ in columns]
        for start in range(0, len(columns), size):
            group, carried = columns[start : start + size], found[start : start + size]
            pairs = list(zip(carried, group, strict=True))
            if all(len(here) + len(column) <= most for here, column in pairs):
                for here, column in pairs:
                    here += column
                continue
            count = self._count(number([total(column) for column in group]))
            for place in range(min(count.most.bit_length(), len(columns) - start)):
                found[start + place].append(count.place(place))
        return found

    def _count(self, form: Form) -> Thermometer:
        """A sum of bits that is never negative, as a thermometer and a cell."""
        most = self._most(form)
        given = by_weight(form)
        with self.gates.builder.barrier(given.values()):
            steps = [reaches(self.gates, form.within(0, most), k) for k in range(1, most + 1)]
        bus = signals(self.gates, steps)
        self.steps |= dict.fromkeys(bus, bus)
        self.gates.builder.cell("count", given, {"1": bus})
        return Thermometer((ALWAYS, *steps))

    def _most(self, form: Form) -> int:
        """What it comes to at most: steps of one count are 1 in their order."""
        counts = {self.steps.get(each, (each,)) for each in form.weights}
        weights = ([form.weights.get(step, 0) for step in count] for count in counts)
        return sum(max(accumulate(each, initial=0)) for each in weights)


def _summed(gates: GateLibrary, columns: Columns) -> Bus:
    """The bits of columns of at most two each, which have no carry out of the last."""
    digits = [total(column) for column in columns]
    whole = next((k for k, digit in enumerate(digits) if not _is_signal(digit)), len(digits))
    low = tuple(next(iter(digit.weights)) for digit in digits[:whole])
    given = by_weight(number(digits[whole:]))
    if not given:
        return low + (ZERO,) * (len(digits) - whole)
    with gates.builder.barrier(given.values()):
        # A step of a count is in several of its bits, and so weighs more than any of them.
        found = carries(gates, digits[whole:], NEVER, max(1, gates.structure.places - 1))
        places = (digit + found[k] - 2 * found[k + 1] for k, digit in enumerate(digits[whole:]))
        high = signals(gates, (place.within(0, 1) for place in places))
    summed = {str(1 << k): (each,) for k, each in enumerate(high)}
    gates.builder.cell("sum", given, {**summed, str(1 << len(high)): (UNUSED,)})
    return low + high


def _is_signal(form: Form) -> bool:
    return form.constant == 0 and list(form.weights.values()) == [1]


def by_weight(form: Form) -> Mapping[str, Bus]:
    """The signals of a form without a constant, on buses named by their weights as cells have them."""
    buses: dict[str, Bus] = {}
    for signal, weight in sorted(form.weights.items()):
        name = str(weight) if weight > 0 else f"minus{-weight}"
        buses[name] = (*buses.get(name, ()), signal)
    return buses
