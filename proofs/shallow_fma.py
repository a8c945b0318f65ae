"""Where the proof of a shallow fused multiply-add is cut, besides at its product.

Words that circuit and spec have alike, and what lies before is no matter behind them:

    distance         how far the addend is shifted
    aligned          the addend, shifted; its last place stands for all that is lost
    magnitude, sign  of the sum
    room             how far the exponent of the sum's first place is above the least one
    denormalised     the magnitude, which the spec might shift right and never does here

Between the first two, neurons of the circuit alone, as ``proofs.circuit_cuts`` has them: ``moved``, what
the first of two stages leaves of the addend, and ``lost``, its last place.

Before rounding, as in ``proofs.shallow_rounding``, neurons of the circuit alone, each as it computes it
from the cuts before, with a fact that is proved:

    zeros            a thermometer: how far the sum is shifted, left
    borrow_K         what place K lends the places below it where that is subtracted from ``room``: a
                     lemma each, since search takes these, one by one, a second and less
    left             ``room`` less the shift, or 0 if the sum is
    shift            the signals of ``zeros``: places of their count say which stages of the spec shift
    exponent         the signals of ``left``: the exponent that the spec has left
    kept, guard, sticky  the sum shifted

A thermometer that is counted has a decision diagram for each place, of as many nodes as it has steps
times what they may count: half of a unit's nodes. Behind ``exponent`` nothing reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial, reduce
from itertools import pairwise

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVUGT,
    BVULE,
    And,
    BVConcat,
    BVExtract,
    BVLShr,
    BVSub,
    Equals,
    Iff,
    Implies,
    Ite,
    Not,
)

from spikeproof.circuits.meanings.formula import input_symbols
from spikeproof.circuits.netlist import ZERO, Netlist
from spikeproof.circuits.units.floating_point.shallow_fma import exponent_places, first_places
from spikeproof.proofs.circuit_cuts import CircuitCuts
from spikeproof.proofs.shallow_rounding import normalised, normalised_steps
from spikeproof.proofs.shallow_sums import is_word
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Step
from spikeproof.specs.formats import Format, Mode
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import (
    Probe,
    append_zeros,
    bit,
    from_bool,
    nonzero,
    shift_right_jamming,
    stages_left_within,
    unpack,
    zero_extend,
)

SHIFTED = ("denormalised", "room")


@dataclass(frozen=True)
class ShallowMultiplyAdd:
    """The cuts of a shallow x * y + z.

    Attributes:
        circuit: the unit with all its cuts.
        whole: what its outputs should be, with the spec's probes.
        mode, flags: how it rounds, and whether it flags exceptions.
    """

    fmt: Format
    circuit: Callable[[], Netlist] = field(compare=False)
    whole: Callable[[Buses, Probe], Buses] = field(compare=False)
    mode: Mode
    flags: bool = False

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
        counted = ("zeros", *SHIFTED)
        return (
            Step(("distance",)),
            Step(("moved",), ("distance",), fact=self._is_moved),
            Step(("lost",), ("distance",), fact=self._is_lost),
            Step(("aligned",), ("distance", "moved", "lost")),
            Step(("magnitude", "sign"), given=("product", "aligned")),
            Step(("room",), fact=_is_some),
            Step(("denormalised",), ("magnitude", "room")),
            Step(("zeros",), SHIFTED, fact=is_thermometer),
            *(
                Step((name,), counted, fact=partial(is_borrow, int(name.partition("_")[2])))
                for name in self._borrows
            ),
            Step(("left",), (*self._borrows, *counted), fact=_is_difference),
            Step(("shift",), SHIFTED, fact=is_shift),
            Step(("exponent",), (*counted, "shift", "left"), fact=_is_left),
            *normalised_steps(self.fmt, ("shift", *SHIFTED), self._rounded),
        )

    @property
    def last(self) -> Step:
        """The outputs."""
        return Step((), given=(*SHIFTED, "sign", "exponent", *self._rounded))

    @property
    def _rounded(self) -> tuple[str, ...]:
        return normalised(self.mode, self.flags)

    @property
    def _borrows(self) -> tuple[str, ...]:
        """By name; steps are stated for every listing, so nothing is built for them."""
        return tuple(f"borrow_{power}" for power in range(1, exponent_places(self.fmt)))

    def spec(self, inputs: Buses, probe: Probe) -> Buses:
        """The unit's spec, with probes for all cuts, and for the addend, which a fact is about."""
        probe("z", inputs["z"])
        cuts = CircuitCuts(self._probed, inputs, probe, ("distance", *SHIFTED))

        def moving(name: str, value: FNode) -> FNode:
            taken = cuts.probe(name, value)
            if name == "distance":
                cuts.compute(("moved", "lost"))
            return taken

        outputs = self.whole(inputs, moving)
        for names in (("zeros",), self._borrows, ("left",), ("shift",), ("exponent",), self._rounded):
            cuts.compute(names)
        return outputs

    # --- facts ----------------------------------------------------------------------------------

    def _is_moved(self, values: Buses) -> FNode:
        """That it is the addend shifted by the first places of the distance, but for the last place."""
        addend = self._addend(values)
        first = BVExtract(values["distance"], 0, first_places(self.fmt) - 1)
        moved = BVLShr(addend, zero_extend(first, addend.bv_width()))
        return is_word(values["moved"], BVExtract(moved, 1))

    def _is_lost(self, values: Buses) -> FNode:
        """That it is the last place of the addend shifted."""
        aligned = shift_right_jamming(self._addend(values), values["distance"])
        return Iff(bit(values["lost"], 0), bit(aligned, 0))

    def _addend(self, values: Buses) -> FNode:
        """Its significand where it is before it is shifted."""
        significand = unpack(self.fmt, values["z"]).significand
        return append_zeros(significand, len(self._probed.probes["aligned"]) - significand.bv_width())


def _steps(values: Buses, name: str) -> list[FNode]:
    """A thermometer from its first step, which is told by a signal that is 0 where it is reached."""
    word = values[name]
    return [Not(bit(word, 0)), *(bit(word, k) for k in range(1, word.bv_width()))]


def _in_turn(steps: Sequence[FNode]) -> Iterator[FNode]:
    """That no step is reached before the one below it."""
    return (Implies(higher, lower) for lower, higher in pairwise(steps))


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
    return And(*_in_turn(_steps(values, "zeros")), BVULE(count(values, "zeros", room.bv_width()), room))


def is_borrow(power: int, values: Buses) -> FNode:
    """That it says whether the last places of the count are more than those of ``room``."""
    room = values["room"]
    last = (BVExtract(each, 0, power - 1) for each in (count(values, "zeros", room.bv_width()), room))
    return Iff(bit(values[f"borrow_{power}"], 0), BVUGT(*last))


def _unless_zero(values: Buses, word: FNode) -> FNode:
    return Ite(nonzero(values["denormalised"]), word, BV(0, word.bv_width()))


def _is_difference(values: Buses) -> FNode:
    room = values["room"]
    difference = BVSub(room, count(values, "zeros", room.bv_width()))
    return Equals(zero_extend(values["left"], room.bv_width()), _unless_zero(values, difference))


def is_shift(values: Buses) -> FNode:
    """Of a sum that is not zero; how far that is shifted does not matter."""
    x, room = values["denormalised"], values["room"]
    stages = [shifts for shifts, _, _ in stages_left_within(x, room)]
    counted = count(values, "shift", len(stages))
    agree = (Iff(bit(counted, k), shifts) for k, shifts in enumerate(reversed(stages)))
    return And(*_in_turn(_steps(values, "shift")), Implies(nonzero(x), And(agree)))


def _is_left(values: Buses) -> FNode:
    left = values["room_left"]
    return Equals(zero_extend(values["exponent"], left.bv_width()), _unless_zero(values, left))
