"""What published systems say of noise, thresholds, leak and energy: their figures, as they stand, with
the source."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

S1, S2 = "S1, arXiv 2512.07724", "S2, arXiv 2601.21279"


@dataclass(frozen=True)
class Figure:
    """A published accuracy.

    Attributes:
        library: of our gates, which are those of the system.
        gate: as our libraries call it.
        size: of the disturbance: sigma of noise in units of the weights, relative deviation of
            thresholds, or beta.
        accuracy: in percent, as published.
    """

    source: str
    library: str
    gate: str
    size: Fraction
    accuracy: str

    @property
    def range(self) -> tuple[Fraction, Fraction]:
        """What it may have been before it was rounded, in percent; a range from its least to its
        most."""
        digits = [part.strip() for part in self.accuracy.lstrip("> ").split("to")]
        slack = [Fraction(5, 10 ** (len(part.partition(".")[2]) + 1)) for part in digits]
        if self.accuracy.startswith(">"):
            return Fraction(digits[0]), Fraction(100)
        return Fraction(digits[0]) - slack[0], Fraction(digits[-1]) + slack[-1]


def _fractions(*texts: str) -> tuple[Fraction, ...]:
    return tuple(map(Fraction, texts))


_SIGMAS = _fractions("0.15", "0.2", "0.3", "0.5")

_S1_NOISE = {
    "and": ("99.9", "98.9", "94.8", "85.1"),
    "or": ("99.4", "99.1", "94.6", "87.2"),
    "xor": ("99.2", "98.0", "89.6", "73.6"),
}

_S2_GATES = ("and", "or", "not", "xor", "mux", "half_adder", "full_adder")

NOISE = (
    *(
        Figure(S1, "ionic", gate, sigma, accuracy)
        for gate, accuracies in _S1_NOISE.items()
        for sigma, accuracy in zip(_SIGMAS, accuracies, strict=True)
    ),
    *(Figure(S2, "nexus", gate, Fraction(1, 5), "> 98") for gate in _S2_GATES),
)
"""Under Gaussian noise on the drive of every neuron. S2 gives one figure for its gates, up to sigma
0.2."""

THRESHOLD = tuple(
    Figure(S2, "nexus", gate, size, accuracy)
    for size, accuracy in zip(_fractions("0.1", "0.2"), ("96 to 98", "85 to 92"), strict=True)
    for gate in _S2_GATES
)
"""Under variation of the thresholds by so much; one figure for all gates."""

LEAK = (
    *(
        Figure(S1, "ionic", gate, beta, "100")
        for beta in _fractions("1", "0.5", "0.1", "0.01")
        for gate in ("and", "or", "not", "xor")
    ),
    *(Figure(S2, "nexus", gate, beta, "100") for beta in _fractions("1", "0.1") for gate in _S2_GATES),
)
"""With so much of the potential kept; of S2, the ends of its range."""


@dataclass(frozen=True)
class Spent:
    """A published energy of one operation.

    Attributes:
        spikes: as published.
        energy: in joules, as published.
    """

    source: str
    spikes: int
    energy: Fraction


_TABLE_10 = f"{S2}, Eq. 8 and Table 10, as public reviews of the paper quote them"

ENERGY = {
    ("fp32", "add"): Spent(_TABLE_10, 1674, Fraction("0.040e-9")),
    ("fp32", "multiply"): Spent(_TABLE_10, 2045, Fraction("0.048e-9")),
}
"""By format and operation. The spikes are half of the published neurons, 3,348 and 4,089."""
