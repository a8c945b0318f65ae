"""Functions of two operands: tables against float64 and clause 9.2.1, circuits on every pair."""

import random

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.functions.building import CONSTRUCTIONS
from spikeproof.circuits.units.functions.of_two import FUNCTIONS, build_function_of_two, results
from spikeproof.reference.functions import doubles, nearest_codes
from spikeproof.specs import functions_of_two
from spikeproof.specs.conventions import BUNDLES, convention_named
from spikeproof.specs.formats import (
    FP4_E2M1,
    FP6_E3M2,
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP8_E5M2,
    FP16,
    OverflowPolicy,
    RoundingMode,
    UnknownNameError,
    format_named,
)
from tests.support.profile import NIGHTLY

RNE = RoundingMode.NEAREST_EVEN
IEEE, SATURATE = OverflowPolicy.IEEE, OverflowPolicy.SATURATE

LIKE_E4M3FN, LIKE_E4M3FNUZ, LIKE_E5M2 = (
    (FP8_E4M3FN, FP8_E4M3FNUZ, FP8_E5M2)
    if NIGHTLY
    else map(format_named, ("e4m2fn", "e4m2fnuz", "e4m2"))
)
"""Of special codes of every kind: by default of 7 bits, so of a quarter of the pairs."""

IN_DOUBLE = {"hypot": np.hypot, "pow": np.power, "atan2": lambda x, y: np.arctan2(y, x)}


def every_pair(fmt) -> dict[str, np.ndarray]:
    y, x = divmod(np.arange(1 << 2 * fmt.width, dtype=np.uint64), 1 << fmt.width)
    return {"x": x, "y": y}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_pair_by_float64(function):
    """All NaNs being alike."""
    x, y = (doubles(FP8_E5M2, codes.astype(np.int64)) for codes in every_pair(FP8_E5M2).values())
    with np.errstate(all="ignore"):
        expected = nearest_codes(FP8_E5M2, IN_DOUBLE[function](x, y))
    assert np.array_equal(results(function, FP8_E5M2, RNE, IEEE), expected)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("fmt", "policy"),
    [(LIKE_E4M3FN, SATURATE), (LIKE_E4M3FNUZ, OverflowPolicy.NAN), (FP6_E3M2, SATURATE)],
)
def test_tables_by_the_spec(function, fmt, policy):
    mode = random.Random(f"{function} {fmt.name}").choice(list(RoundingMode))
    expected = functions_of_two.every_result(function, fmt, mode, policy)
    assert np.array_equal(results(function, fmt, mode, policy), expected)


@pytest.mark.parametrize(
    "convention", [*BUNDLES.values(), convention_named("daz.unsigned_flush.last_nan.signalling")]
)
def test_conventions(convention):
    for function in FUNCTIONS:
        expected = functions_of_two.every_result(function, LIKE_E5M2, RNE, IEEE, convention=convention)
        assert np.array_equal(results(function, LIKE_E5M2, RNE, IEEE, convention), expected)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("fmt", [FP8_E4M3FN, FP6_E3M2, FP4_E2M1], ids=lambda fmt: fmt.name)
def test_circuits_are_their_tables(function, fmt):
    for construction in CONSTRUCTIONS if fmt.width < 8 else ("segments",):
        netlist = build_function_of_two(function, fmt, RNE, SATURATE, construction=construction)
        assert netlist.inputs == {"x": fmt.width, "y": fmt.width}
        found = boolean.evaluate(netlist, every_pair(fmt))["result"]
        assert np.array_equal(found, results(function, fmt, RNE, SATURATE))
        assert (
            netlist.statistics.depth
            <= {"segments": 4, "thermometer": 2, "multiplexers": 24}[construction]
        )


def test_sizes():
    """Of FP8 E4M3FN: no more than these, in depth 3; signs that play no part are not read."""
    for function, most in {"hypot": 290, "pow": 380, "atan2": 300}.items():
        netlist = build_function_of_two(function, FP8_E4M3FN, RNE, SATURATE)
        assert netlist.statistics.neurons <= most
        assert netlist.statistics.depth == 3
        read = {source for neuron in netlist.neurons for source, _ in neuron.synapses}
        assert (function == "hypot") == (not read & {7, 15})


def test_what_is_refused():
    with pytest.raises(UnknownNameError, match=r"unknown function 'exp'; known: hypot, pow, atan2$"):
        build_function_of_two("exp", FP8_E5M2, RNE, IEEE)
    with pytest.raises(UnknownNameError, match="unknown construction of functions 'small'"):
        build_function_of_two("pow", FP8_E5M2, RNE, IEEE, construction="small")
    with pytest.raises(ValueError, match="segments needs threshold neurons"):
        build_function_of_two("pow", FP8_E5M2, RNE, IEEE, "ionic", construction="segments")
    with pytest.raises(
        ValueError, match="pow is of formats of up to 8 bits, hypot of up to 16; fp16 has 16"
    ):
        build_function_of_two("pow", FP16, RNE, IEEE)
    with pytest.raises(ValueError, match="has no policy 'ieee'"):
        build_function_of_two("pow", FP8_E4M3FN, RNE, IEEE)
