"""The circuits on which simulators are compared, on every input."""

from itertools import product

import pytest

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.libraries import LIBRARIES
from spikeproof.proofs.units import OPERATIONS
from spikeproof.specs.formats import FP8_E4M3FN, OverflowPolicy, RoundingMode
from tests.support.netlists import gate_netlists, small_block_netlists
from tests.support.profile import one_of_each

GATES_AND_BLOCKS = [
    pytest.param(netlist, id=name) for name, netlist in (*gate_netlists(), *small_block_netlists())
]

UNITS = one_of_each(product(LIBRARIES, OPERATIONS), kind=lambda case: case[1])
"""Libraries and operations."""


def unit_of_e4m3fn(library: str, operation: str) -> Netlist:
    """A unit to nearest even; overflow saturates."""
    return build_unit(operation, FP8_E4M3FN, RoundingMode.NEAREST_EVEN, OverflowPolicy.SATURATE, library)
