"""Where the proof of a shallow fused multiply-add is cut, besides at its product.

Words that circuit and spec have alike, and what lies before is no matter behind them:

    distance         how far the addend is shifted
    aligned          the addend, shifted; its last place stands for all that is lost
    magnitude, sign  of the sum
    room             how far the exponent of the sum's first place is above the least one

Before rounding, as in ``proofs.shallow_rounding``, neurons of the circuit alone, each as it computes it
from the cuts before, with a fact that is proved:

    zeros            a thermometer: how far the sum is shifted, left
    borrow_K         what place K lends the places below it where that is subtracted from ``room``: a
                     lemma each, since search takes these, one by one, a second and less
    left             ``room`` less the shift, or 0 if the sum is
    shift            the signals of ``zeros``: they count what the spec shifts by
    exponent         the signals of ``left``: the exponent that the spec has left
    kept, guard, sticky  the sum shifted

A thermometer that is counted has a decision diagram for each place, of as many nodes as it has steps
times what they may count: half of a unit's nodes. Behind ``exponent`` nothing reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial, reduce
from itertools import pairwise

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVUGT,
    BVULE,
    FALSE,
    TRUE,
    And,
    BVConcat,
    BVExtract,
    BVSub,
    Equals,
    Iff,
    Implies,
    Ite,
    Not,
)

from spikeproof.circuits.meanings.formula import bus_formulas, input_symbols
from spikeproof.circuits.netlist import ONE, ZERO, Netlist
from spikeproof.circuits.units.floating_point.shallow_fma import exponent_places
from spikeproof.proofs.shallow_rounding import NORMALISED, is_normalised
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Step
from spikeproof.specs.formats import Format
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import Probe, bit, from_bool, nonzero, zero_extend

SHIFTED = ("magnitude", "room")


@dataclass(frozen=True)
class ShallowMultiplyAdd:
    """The cuts of a shallow x * y + z.

    Attributes:
        circuit: the unit with all its cuts.
        whole: what its outputs should be, with the spec's probes.
    """

    fmt: Format
    circuit: Callable[[], Netlist] = field(compare=False)
    whole: Callable[[Buses, Probe], Buses] = field(compare=False)

    def probed(self) -> Netlist:
        """The circuit, with words as long as the spec has them, where more zeros are above."""
        return self._probed

    @cached_property
    def _probed(self) -> Netlist:
        netlist, widths = self.circuit(), {}

        def measured(name: str, value: FNode) -> FNode:
            widths[name] = value.bv_width()
            return value

        with passing_formulas():
            self.whole(input_symbols(netlist), measured)
        probes = {
            name: (*bus, *(ZERO,) * (widths.get(name, 0) - len(bus)))
            for name, bus in netlist.probes.items()
        }
        return replace(netlist, probes=probes)

    @property
    def steps(self) -> tuple[Step, ...]:
        """From the product to what is rounded."""
        counted = ("room", "zeros")
        return (
            Step(("distance",)),
            Step(("aligned",), given=("distance",)),
            Step(("magnitude", "sign"), given=("product", "aligned")),
            Step(("room",), fact=_is_some),
            Step(("zeros",), SHIFTED, fact=is_thermometer),
            *(
                Step((name,), counted, fact=partial(is_borrow, int(name.partition("_")[2])))
                for name in self._borrows
            ),
            Step(("left",), (*SHIFTED, "zeros", *self._borrows), fact=_is_difference),
            Step(("shift",), SHIFTED, fact=is_shift),
            Step(("exponent",), (*SHIFTED, "shift", "left"), fact=_is_left),
            Step(NORMALISED, SHIFTED, fact=partial(is_normalised, self.fmt)),
        )

    @property
    def last(self) -> Step:
        """The outputs."""
        return Step((), given=(*SHIFTED, "sign", "exponent", *NORMALISED))

    @property
    def _borrows(self) -> tuple[str, ...]:
        """By name; steps are stated for every listing, so nothing is built for them."""
        return tuple(f"borrow_{power}" for power in range(1, exponent_places(self.fmt)))

    def spec(self, inputs: Buses, probe: Probe) -> Buses:
        """The unit's spec, with probes for all cuts."""
        netlist = self._probed
        free = {ZERO: FALSE(), ONE: TRUE()}

        def taken(name: str, value: FNode) -> FNode:
            found = probe(name, value)
            if name in SHIFTED:
                free.update((signal, bit(found, k)) for k, signal in enumerate(netlist.probes[name]))
            return found

        outputs = self.whole(inputs, taken)
        for names in (("zeros",), self._borrows, ("left",), ("shift",), ("exponent",), NORMALISED):
            buses = {name: netlist.probes[name] for name in names}
            for name, value in bus_formulas(netlist, buses, inputs, free).items():
                found = probe(name, value)
                free.update((signal, bit(found, k)) for k, signal in enumerate(buses[name]))
        return outputs


def _steps(values: Buses, name: str) -> list[FNode]:
    """A thermometer from its first step, which is told by a signal that is 0 where it is reached."""
    word = values[name]
    return [Not(bit(word, 0)), *(bit(word, k) for k in range(1, word.bv_width()))]


def count(values: Buses, name: str, width: int) -> FNode:
    """How many of its steps are reached, as a word."""
    steps = _steps(values, name)

    def place(k: int) -> FNode:
        changes = steps[(1 << k) - 1 :: 1 << k]
        return from_bool(reduce(lambda a, b: Not(Iff(a, b)), changes), 1)

    places = [place(k) for k in range(len(steps).bit_length())]
    return zero_extend(reduce(lambda low, high: BVConcat(high, low), places), width)


def _is_some(values: Buses) -> FNode:
    return nonzero(values["room"])


def is_thermometer(values: Buses) -> FNode:
    """That no step is reached before the one below it, and not more of them than there is room."""
    room = values["room"]
    in_turn = (Implies(higher, lower) for lower, higher in pairwise(_steps(values, "zeros")))
    return And(*in_turn, BVULE(count(values, "zeros", room.bv_width()), room))


def is_borrow(power: int, values: Buses) -> FNode:
    """That it says whether the last places of the count are more than those of ``room``."""
    room = values["room"]
    last = (BVExtract(each, 0, power - 1) for each in (count(values, "zeros", room.bv_width()), room))
    return Iff(bit(values[f"borrow_{power}"], 0), BVUGT(*last))


def _unless_zero(values: Buses, word: FNode) -> FNode:
    return Ite(nonzero(values["magnitude"]), word, BV(0, word.bv_width()))


def _is_difference(values: Buses) -> FNode:
    room = values["room"]
    difference = BVSub(room, count(values, "zeros", room.bv_width()))
    return Equals(zero_extend(values["left"], room.bv_width()), _unless_zero(values, difference))


def is_shift(values: Buses) -> FNode:
    """Of a sum that is not zero; how far that is shifted does not matter."""
    shifted = BVSub(values["room"], values["room_left"])
    return Implies(
        nonzero(values["magnitude"]), Equals(count(values, "shift", shifted.bv_width()), shifted)
    )


def _is_left(values: Buses) -> FNode:
    left = values["room_left"]
    return Equals(zero_extend(values["exponent"], left.bv_width()), _unless_zero(values, left))
