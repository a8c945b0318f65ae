"""Products, quotients and roots digit by digit from the top: every input, and what they take."""

import math
from functools import cache
from itertools import product

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.integer import block_netlist
from spikeproof.circuits.units.libraries import (
    COMPACT,
    DEFAULT_LIBRARY,
    SHALLOW,
    SMALL,
    library_gates,
)
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.specs.formats import (
    ARITY,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    FP32,
    FP64,
    OPERANDS,
    OverflowPolicy,
    RoundingMode,
)
from tests.support.operands import expected_flags, expected_results, operands
from tests.support.profile import NIGHTLY, one_of_each, parameter_id


def block(kind, **widths):
    return block_netlist(DEFAULT_LIBRARY, kind, widths, COMPACT)


def every_input(**widths):
    axes = np.meshgrid(*(np.arange(1 << width, dtype=np.uint64) for width in widths.values()))
    return {name: axis.ravel() for name, axis in zip(widths, axes, strict=True)}


def size(netlist):
    return netlist.statistics.neurons, netlist.statistics.depth


@pytest.mark.parametrize("widths", [(1, 1), (1, 3), (2, 2), (3, 5), (5, 4), (8, 8)])
def test_products(widths):
    netlist = block("multiply", **dict(zip("xy", widths, strict=True)))
    inputs = every_input(**netlist.inputs)
    assert np.array_equal(boolean.evaluate(netlist, inputs)["product"], inputs["x"] * inputs["y"])


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8])
def test_quotients(width):
    netlist = block("divide", x=width, y=width)
    inputs = every_input(x=width, y=width)
    inputs = {name: words[inputs["y"] >> np.uint64(width - 1) == 1] for name, words in inputs.items()}
    actual = boolean.evaluate(netlist, inputs)
    quotient, remainder = divmod(inputs["x"] << np.uint64(width + 1), inputs["y"])
    assert np.array_equal(actual["quotient"], quotient)
    assert np.array_equal(actual["remainder"], remainder)


@pytest.mark.parametrize("width", [1, 2, 3, 6, 8])
def test_roots(width):
    netlist = block("square_root", x=2 * width)
    inputs = every_input(x=2 * width)
    root = np.array([math.isqrt(x) for x in range(1 << 2 * width)], dtype=np.uint64)
    actual = boolean.evaluate(netlist, inputs)
    assert np.array_equal(actual["root"], root)
    assert np.array_equal(actual["remainder"], inputs["x"] - root * root)


def test_what_they_take():
    """An AND for each pair of bits, a neuron for each digit, and a level for each of these."""
    assert size(block("multiply", x=24, y=24)) == (24 * 24 + 48, 49)
    assert size(block("divide", x=24, y=24)) == (26 * 24 + 26 + 24, 2 * 26 + 24)
    assert size(block("square_root", x=48)) == (24 * 23 // 2 + 24 + 25, 2 * 24 - 1 + 25)


@cache
def unit(operation, fmt, structure=COMPACT, mode=RoundingMode.NEAREST_EVEN, **choices):
    return build_unit(operation, fmt, mode, fmt.policies[0], structure=structure, **choices)


OPERATIONS = ("add", "multiply", "divide", "square_root", "fma")


def nearest_and_another(case):
    operation, mode = case
    return operation, mode is RoundingMode.NEAREST_EVEN


@pytest.mark.parametrize(
    ("operation", "mode"),
    one_of_each(
        product(("add", "multiply", "divide", "square_root"), RoundingMode), kind=nearest_and_another
    ),
    ids=parameter_id,
)
def test_units_with_flags(operation, mode):
    netlist = unit(operation, FP8_E5M2, mode=mode, flags=True)
    found = boolean.evaluate(netlist, operands(FP8_E5M2, operation))
    policy = OverflowPolicy.IEEE
    assert np.array_equal(found["result"], expected_results(FP8_E5M2, operation, mode, policy))
    assert np.array_equal(found["flags"], expected_flags(FP8_E5M2, operation, mode))


def one_of_fp64(case):
    """What is a kind of operation and format: any operation of FP64 is one."""
    return FP64 if FP64 in case else case


@pytest.mark.parametrize(
    ("operation", "fmt"),
    [*product(OPERATIONS, (FP16, FP32)), *product(OPERATIONS if NIGHTLY else ("add",), (FP64,))],
    ids=parameter_id,
)
def test_wide_operands(operation, fmt):
    """Against the small unit, which is proved: operands drawn by class."""
    count = 20 if fmt is FP64 else 500  # its sums do not fit a machine word
    given = dict(zip(OPERANDS, many_codes(fmt, count, seed=6, operands=ARITY[operation]), strict=False))
    ours, small = (
        boolean.evaluate(unit(operation, fmt, structure), given)["result"]
        for structure in (COMPACT, SMALL)
    )
    assert np.array_equal(ours, small)


MOST_NEURONS_AND_DEPTH = {
    ("add", FP8_E4M3FN): (155, 11),
    ("add", FP16): (380, 12),
    ("add", FP32): (870, 12),
    ("add", FP64): (2300, 13),
    ("multiply", FP8_E4M3FN): (120, 16),
    ("multiply", FP16): (370, 29),
    ("multiply", FP32): (1200, 56),
    ("multiply", FP64): (4400, 114),
    ("fma", FP8_E4M3FN): (365, 21),
    ("fma", FP16): (980, 35),
    ("fma", FP32): (2550, 62),
    ("fma", FP64): (7800, 120),
    ("divide", FP8_E4M3FN): (145, 24),
    ("divide", FP16): (490, 47),
    ("divide", FP32): (1500, 86),
    ("divide", FP64): (5300, 171),
    ("square_root", FP8_E4M3FN): (75, 23),
    ("square_root", FP16): (230, 44),
    ("square_root", FP32): (700, 83),
    ("square_root", FP64): (2450, 170),
}

MEASURED = one_of_each(MOST_NEURONS_AND_DEPTH, kind=one_of_fp64)
"""By default one of FP64; at night all."""


@pytest.mark.parametrize(("operation", "fmt"), MEASURED, ids=parameter_id)
def test_depth_and_neurons(operation, fmt):
    """And no structure that is there has fewer neurons."""
    found = size(unit(operation, fmt))
    neurons, depth = MOST_NEURONS_AND_DEPTH[operation, fmt]
    assert found[0] <= neurons
    assert found[1] <= depth
    assert all(found[0] <= size(unit(operation, fmt, each))[0] for each in (SMALL, SHALLOW))


def test_weights_as_large_as_numbers_are_no_sums_of_copies():
    with pytest.raises(ValueError, match="'ternary' cannot be compact, which needs weights as large as"):
        library_gates("ternary", COMPACT)
