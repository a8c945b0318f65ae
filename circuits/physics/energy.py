"""What spikes and synaptic operations cost: energies as products, with the source of every factor.

An energy is a count times its factors. What no factor includes is not in it: static power, the clock,
spikes on their way, memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from math import prod

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.physics.substrates import SUPERCONDUCTING
from spikeproof.circuits.units.libraries import LIBRARIES


class Event(Enum):
    """What is counted in an evaluation; see ``circuits.meanings.activity``."""

    SPIKE = "spikes"
    OPERATION = "synaptic operations"


@dataclass(frozen=True)
class Factor:
    """A number that an energy is a product of.

    Attributes:
        symbol: as in a product; with its unit.
        value: exact, in SI units.
    """

    symbol: str
    value: Fraction
    meaning: str
    source: str


@dataclass(frozen=True)
class Account:
    """A way to reckon energy.

    Attributes:
        event: what is counted.
        factors: what the count is multiplied by, for joules.
        ternary: whether it is of superconducting neurons.
    """

    name: str
    event: Event
    factors: tuple[Factor, ...]
    ternary: bool

    @property
    def per_event(self) -> Fraction:
        """Joules."""
        return prod((factor.value for factor in self.factors), start=Fraction(1))

    @property
    def product(self) -> str:
        """The energy in words."""
        return " x ".join((self.event.value, *(factor.symbol for factor in self.factors)))

    def suits(self, netlist: Netlist) -> bool:
        """Whether a circuit can be made of its neurons."""
        return has_ternary_couplings(netlist) or not self.ternary


def has_ternary_couplings(netlist: Netlist) -> bool:
    """Whether a circuit can be made of superconducting neurons."""
    couplings = LIBRARIES[SUPERCONDUCTING.library].allowed_weights
    assert couplings is not None
    return all(weight in couplings for neuron in netlist.neurons for _, weight in neuron.synapses)


# --- Loihi ---------------------------------------------------------------------------------------

LOIHI_OPERATION = Factor(
    "23.6 pJ",
    Fraction("23.6e-12"),
    "energy of a synaptic operation on Loihi, at its least",
    "M. Davies et al., IEEE Micro 38(1), 82 (2018); taken by S2, arXiv 2601.21279",
)

# --- superconducting loops -----------------------------------------------------------------------

PLANCK, ELEMENTARY_CHARGE = Fraction("6.62607015e-34"), Fraction("1.602176634e-19")
"""In J s and C; exact by definition (SI, 2019)."""

JUNCTIONS = Factor(
    "2",
    Fraction(2),
    "Josephson junctions of the loop that an input couples to, each switching once",
    "S3, arXiv 2402.16384: loops of two junctions, one for each input",
)
CRITICAL_CURRENT = Factor(
    "0.1 mA",
    Fraction("1e-4"),
    "critical current I_c of a junction",
    "usual for niobium processes of 10 kA/cm2, 1 square micrometre; S3's own is not known to us",
)
FLUX_QUANTUM = Factor(
    "Phi_0",
    PLANCK / (2 * ELEMENTARY_CHARGE),
    "flux quantum h / 2 e, 2.068e-15 Wb: a junction that switches dissipates about I_c Phi_0",
    "K. K. Likharev, V. K. Semenov, IEEE Trans. Appl. Supercond. 1(1), 3 (1991)",
)
COOLING = Factor(
    "400",
    Fraction(400),
    "watts at room temperature for a watt at 4 K, of a large refrigerator",
    "D. S. Holmes, A. L. Ripple, M. A. Manheimer, IEEE Trans. Appl. Supercond. 23(3), 1701610 (2013)",
)
SWITCHING = (JUNCTIONS, CRITICAL_CURRENT, FLUX_QUANTUM)

CLOCK = Factor("8.92 GHz", Fraction("8.92e9"), "decisions a second of a neuron", "S3, arXiv 2402.16384")

ACCOUNTS = (
    Account("S2's reading", Event.SPIKE, (LOIHI_OPERATION,), ternary=False),
    Account("Loihi's", Event.OPERATION, (LOIHI_OPERATION,), ternary=False),
    Account("S3's, at 4 K", Event.OPERATION, SWITCHING, ternary=True),
    Account("S3's, cooled", Event.OPERATION, (*SWITCHING, COOLING), ternary=True),
)


def clocked_latency(netlist: Netlist) -> Fraction:
    """Seconds from inputs to outputs if each neuron takes a cycle of S3's clock."""
    return netlist.statistics.depth / CLOCK.value
