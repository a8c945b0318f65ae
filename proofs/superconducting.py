"""How many inputs a superconducting neuron can have, and how far off its couplings and bias may be.

Every coupling is its nominal value times 1 + d, and so is the bias that sets the threshold, each with a
d of its own of at most the spread. ``proofs.margins`` has the gates of the ``ternary`` library, full
adder included; here are single neurons of many inputs, with limits in closed form.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.physics.substrates import SUPERCONDUCTING
from spikeproof.circuits.physics.uncertainty import perturbed, uncertain_netlist
from spikeproof.circuits.units.libraries import HALF
from spikeproof.prover.claims.obligation import Obligation, Outcome, equivalence
from spikeproof.prover.margins.limits import BEYOND, THRESHOLD_AND_WEIGHT, both_ways
from spikeproof.specs import integers
from spikeproof.specs.integers import Meaning


@dataclass(frozen=True)
class Decision:
    """What one neuron with couplings of 1 decides about n inputs.

    Attributes:
        threshold: from n, what the sum must reach.
        spread: from n, the largest spread at which it is right.
        fan_ins: those for which that is proved.
        step: between numbers of inputs for which it makes sense.
        largest: by spread in percent, the largest fan-in at which it is right.
    """

    name: str
    meaning: Meaning
    threshold: Callable[[int], Fraction]
    spread: Callable[[int], Fraction]
    fan_ins: tuple[int, ...]
    step: int
    largest: dict[int, int]

    def netlist(self, fan_in: int) -> Netlist:
        """The neuron."""
        synapses = tuple((signal, 1) for signal in range(fan_in))
        return Netlist({"x": fan_in}, (Neuron(synapses, self.threshold(fan_in)),), {"out": (fan_in,)})

    def uncertain(self, fan_in: int, spread: Fraction) -> Netlist:
        """The neuron with couplings and bias off by up to a spread."""
        netlist = self.netlist(fan_in)
        tolerance = THRESHOLD_AND_WEIGHT.tolerance(both_ways(spread))
        return uncertain_netlist(netlist, perturbed(netlist, tolerance))


DECISIONS = (
    Decision(
        "and",
        integers.wide_and,
        threshold=lambda n: n - HALF,
        spread=lambda n: Fraction(1, 4 * n - 1),
        fan_ins=(2, 3, 5, 8, 16),
        step=1,
        largest={10: 2, 5: 5, 2: 12, 1: 25},
    ),
    Decision(
        "or",
        integers.wide_or,
        threshold=lambda n: HALF,
        spread=lambda n: Fraction(1, 3),
        fan_ins=(2, 3, 5, 8, 16),
        step=1,
        largest={},
    ),
    Decision(
        "majority",
        integers.wide_majority,
        threshold=lambda n: Fraction(n, 2),
        spread=lambda n: Fraction(1, 2 * n + 1),
        fan_ins=(3, 5, 7, 9, 15),
        step=2,
        largest={10: 3, 5: 9, 2: 23},
    ),
)


def obligations() -> Iterator[Obligation]:
    """``margin.superconducting.DECISION.FAN_IN.spread`` and ``.fan_in.PERCENT_percent``; ``.beyond``."""
    for decision in DECISIONS:
        for fan_in in decision.fan_ins:
            name, spread = f"{fan_in}.spread", decision.spread(fan_in)
            yield right(decision, name, fan_in, spread)
            yield right(decision, f"{name}.beyond", fan_in, spread * BEYOND, Outcome.REFUTED)
        for percent, fan_in in decision.largest.items():
            name, spread = f"fan_in.{percent}_percent", Fraction(percent, 100)
            yield right(decision, name, fan_in, spread)
            more = fan_in + decision.step
            yield right(decision, f"{name}.beyond", more, spread, Outcome.REFUTED)


def right(
    decision: Decision,
    name: str,
    fan_in: int,
    spread: Fraction,
    expected: Outcome = Outcome.PROVED,
) -> Obligation:
    """The obligation that a decision is right for so many inputs, at a spread."""
    return equivalence(
        f"margin.superconducting.{decision.name}.{name}",
        f"a superconducting neuron decides {decision.name} of {fan_in} inputs for all couplings and "
        f"biases off by at most {spread} of their nominal values, each with its own",
        circuit=partial(decision.uncertain, fan_in, spread),
        meaning=decision.meaning,
        expected=expected,
        parameters={
            "family": "margin",
            "library": SUPERCONDUCTING.library,
            "operation": decision.name,
            "width": str(fan_in),
            "substrate": SUPERCONDUCTING.name,
            "kind": name.removeprefix(f"{fan_in}."),
        },
    )
