"""The circuits on which simulators are compared, on every input, and how their outputs are."""

from collections.abc import Mapping
from itertools import product

import numpy as np
import pytest

from spikeproof.circuits.meanings.boolean import Words
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.libraries import LIBRARIES
from spikeproof.proofs.units import OPERATIONS
from spikeproof.specs.formats import FP8_E4M3FN, OverflowPolicy, RoundingMode
from tests.support.netlists import gate_netlists, small_block_netlists
from tests.support.profile import one_of_each

GATES_AND_BLOCKS = [
    pytest.param(netlist, id=name)
    for name, netlist in one_of_each(
        (*gate_netlists(), *small_block_netlists()), kind=lambda named: named[0].partition(".")[2]
    )
]
"""By default each gate and block of one library or another."""

UNITS = one_of_each(product(LIBRARIES, OPERATIONS), kind=lambda case: case[1])
"""Libraries and operations."""


def unit_of_e4m3fn(library: str, operation: str) -> Netlist:
    """A unit to nearest even; overflow saturates."""
    return build_unit(operation, FP8_E4M3FN, RoundingMode.NEAREST_EVEN, OverflowPolicy.SATURATE, library)


def assert_same_outputs(found: Mapping[str, Words], wanted: Mapping[str, Words], who: str) -> None:
    """That a simulator gives the same words on the same buses."""
    assert set(found) == set(wanted)
    for name, words in wanted.items():
        assert found[name].dtype == words.dtype
        assert np.array_equal(found[name], words), f"{who} differs on {name}"
