"""By how much of itself every weight of a unit may be off, for every neuron to do what it does without.

``spreads.tsv`` has the limits as ``prover.margins.bearing`` finds them; theorems say that they are
right, and others that no larger ones are.
"""

from fractions import Fraction
from importlib.resources import files
from itertools import product

from spikeproof.circuits.units.libraries import STRUCTURE_NAMES
from spikeproof.proofs.units import Unit
from spikeproof.prover.margins.limits import Limit
from spikeproof.specs.formats import FP8_E4M3FN, FP16, FP32, FP64

FORMATS = (FP8_E4M3FN, FP16, FP32, FP64)

OPERATIONS = ("add", "multiply", "divide", "square_root", "fma")


def _limit(text: str) -> Limit:
    """The inverse of ``str`` of a limit."""
    value = text.removeprefix("< ")
    return Limit(Fraction(value), attained=value == text)


def _spreads() -> dict[Unit, Limit]:
    lines = (files("spikeproof.proofs") / "spreads.tsv").read_text().splitlines()
    limits = dict(line.split("\t") for line in lines)
    units = (
        Unit(operation, fmt, policy=fmt.policies[0], structure=structure)
        for fmt, operation, structure in product(FORMATS, OPERATIONS, STRUCTURE_NAMES)
    )
    return {unit: _limit(limits[unit.name]) for unit in units if unit.name in limits}


SPREADS = _spreads()
"""Of some units to nearest even, in every structure that ``spikeproof sizes`` shows; of FP64 in one."""
