"""Where the proof of a shallow sum is cut at its exponent, besides where it is before rounding.

The exponent that is rounded is no word, but what linear forms add up to: its field before the sum is
shifted, less the thermometer that counts how far, by neurons that borrow. Those that carry from place to
place of the field read all of these. So these are taken as free, each as the circuit computes it from
the cuts before, and behind ``raised`` nothing reads a thermometer but a place of the result:

    field      the signals of the field of the sum's first place, less one
    zeros      a thermometer: how far the sum is shifted
    borrow_K   what place K lends the places below it where that is subtracted from the field
    shift      the signals of ``zeros``: they count what the spec shifts by
    raised_K   what is carried out of place K of what is left when the significand is rounded
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial, reduce
from typing import cast

from pysmt.fnode import FNode
from pysmt.shortcuts import And, BVConcat, BVOr, BVSub, Equals, Iff, Not, Or

from spikeproof.circuits.netlist import Netlist
from spikeproof.proofs.circuit_cuts import CircuitCuts
from spikeproof.proofs.shallow_fma import count, is_borrow, is_shift, is_thermometer
from spikeproof.proofs.shallow_rounding import ShallowRounding
from spikeproof.proofs.shallow_sums import word_of
from spikeproof.prover.claims.obligation import Step
from spikeproof.specs.formats import Format
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import Probe, bit, from_bool, zero_extend


@dataclass(frozen=True)
class ShallowExponent:
    """The cut between what is subtracted from the exponent and what is carried into it.

    Attributes:
        rounding: the cut before rounding, of which this continues the steps.
        circuit: the unit with all its cuts.
    """

    fmt: Format
    rounding: ShallowRounding
    circuit: Callable[[], Netlist] = field(compare=False)

    @property
    def steps(self) -> tuple[Step, ...]:
        """From the operands and the magnitude to what is carried into the exponent."""
        counted = ("field", "zeros")
        return (
            Step(("field",), fact=_is_field),
            Step(("zeros",), ("magnitude", "field"), fact=_of_field(is_thermometer)),
            *(
                Step((name,), counted, fact=_of_field(partial(is_borrow, power)))
                for power, name in enumerate(self._borrows, start=1)
            ),
            Step(("shift",), ("magnitude", "field"), fact=_of_field(is_shift)),
            Step(
                self._raised,
                (*counted, *self._borrows, "places", *self.rounding.carries),
                fact=self._are_raised,
            ),
        )

    def last(self, whole: Step) -> Step:
        """The outputs, from there too."""
        cuts = ("field", "zeros", *self._borrows, "shift", *self._raised)
        return replace(whole, given=(*whole.given, *cuts))

    @property
    def _borrows(self) -> tuple[str, ...]:
        return tuple(f"borrow_{power}" for power in range(1, self.fmt.exponent_bits))

    @property
    def _raised(self) -> tuple[str, ...]:
        return tuple(f"raised_{k}" for k in range(self.fmt.exponent_bits))

    @cached_property
    def _probed(self) -> Netlist:
        return self.circuit()

    def spec(self, inputs: Buses, probe: Probe) -> Buses:
        """The unit's spec, with probes for all cuts."""
        cuts = CircuitCuts(self._probed, inputs, probe, ("magnitude", "places", *self.rounding.carries))
        outputs = self.rounding.spec(inputs, cuts.probe)
        for names in (("field",), ("zeros",), self._borrows, ("shift",), self._raised):
            cuts.compute(names)
        return outputs

    def _are_raised(self, values: Buses) -> FNode:
        """That each place has a carry if it is 1 and gets one; the first may get two."""
        word = _field(values)
        left = BVSub(word, count(values, "zeros", word.bv_width()))
        hidden = bit(word_of(values["kept"], self.fmt.precision), self.fmt.precision - 1)
        carried = bit(values[self.rounding.carries[-1]], 0)
        raised = Or(And(hidden, carried), And(bit(left, 0), Or(hidden, carried)))
        said = []
        for k, name in enumerate(self._raised):
            raised = raised if k == 0 else And(raised, bit(left, k))
            said.append(Iff(bit(values[name], 0), raised))
        return And(said)


NORMAL = 2
"""Which signal of ``field`` says that it is not of a subnormal number, whose field is 1 in effect."""


def _places(values: Buses) -> list[tuple[FNode, FNode]]:
    """The two signals of each place, without ``NORMAL``."""
    signals = values["field"]
    return [(bit(signals, k), bit(signals, k + 1)) for k in range(0, signals.bv_width(), 3)]


def _field(values: Buses) -> FNode:
    """The word that its signals add up to."""
    first, *others = (from_bool(Or(place), 1) for place in _places(values))
    subnormal = from_bool(Not(bit(values["field"], NORMAL)), 1)
    return reduce(lambda low, high: BVConcat(high, low), others, BVOr(first, subnormal))


def _is_field(values: Buses) -> FNode:
    """That this is the spec's; that one signal at most of each place is 1, and of a subnormal none."""
    room, normal = values["room"], bit(values["field"], NORMAL)
    exclusive = (Not(And(place)) for place in _places(values))
    subnormal = (Or(normal, Not(Or(place))) for place in _places(values))
    return And(Equals(zero_extend(_field(values), room.bv_width()), room), *exclusive, *subnormal)


def _of_field(fact: Callable[[Buses], FNode]) -> Callable[[Buses], FNode]:
    """A fact about the spec's ``room``, said of the word of ``field``."""

    def said(values: Buses) -> FNode:
        room = zero_extend(_field(values), values["room"].bv_width())
        return fact(ChainMap({"room": room}, cast("dict[str, FNode]", values)))

    return said
