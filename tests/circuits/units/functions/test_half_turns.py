"""Sines and cosines of half turns: small formats on every input, FP32 where folding and rows end."""

import random
from itertools import product

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.program_code import CompiledProgram
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.meanings.programs import ProgramEvaluator
from spikeproof.circuits.units.functions.building import build_function
from spikeproof.circuits.units.functions.kept_rows import file_of
from spikeproof.circuits.units.functions.polynomials import read
from spikeproof.circuits.units.functions.values import results, results_at
from spikeproof.specs.formats import (
    BFLOAT16,
    FP8_E4M3FN,
    FP16,
    FP32,
    OverflowPolicy,
    RoundingMode,
    ieee_format,
)
from spikeproof.specs.functions import compute
from tests.support.profile import NIGHTLY, parameter_id

FUNCTIONS = ["sin_pi", "cos_pi"]
RNE, IEEE = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE


CASES = [
    (function, fmt, mode)
    for turn, (function, fmt) in enumerate(product(FUNCTIONS, (FP16, BFLOAT16)))
    for place, mode in enumerate(RoundingMode)
    if NIGHTLY or place % 3 == turn % 3
]
"""Each function and format in two modes, by turns."""


@pytest.mark.parametrize(("function", "fmt", "mode"), CASES, ids=parameter_id)
def test_every_code(function, fmt, mode):
    netlist = build_function(function, fmt, mode, IEEE, construction="half_turns")
    every = np.arange(1 << fmt.width, dtype=np.uint64)
    found = boolean.evaluate(netlist, {"x": every})["result"].astype(int)
    assert np.array_equal(found, results(function, fmt, mode, IEEE))


def telling_codes(function: str) -> list[int]:
    """Codes near each power of two, drawn ones, multiples of 1/2 and what lies next to them."""
    draw = random.Random(function)
    codes = [0, 1, 2, 0x7F800000, 0x7F800001, 0x7FC00000, 0x7FFFFFFF]
    for field in range(255):
        codes += [field << 23, (field << 23) - 1 & 0x7FFFFFFF, field << 23 | draw.getrandbits(23)]
    for _ in range(100):
        turns = draw.randrange(1 << draw.randrange(1, 24))
        code = int(np.float32(turns / 2).view(np.uint32))
        codes += [code, code + 1, max(code - 1, 0)]
    codes += read(file_of(function, FP32, RNE).read_text()).starts[::7]
    return [*codes, *(code | 1 << 31 for code in codes)]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_fp32(function):
    """And compiled, some inputs in a row around a few."""
    netlist = build_function(function, FP32, RNE, IEEE)
    program, codes = read_program(netlist), telling_codes(function)
    found = ProgramEvaluator(netlist, program).evaluate({"x": np.array(codes)})["result"].tolist()
    compiled = CompiledProgram(netlist, program, threads=1)
    for code, result in list(zip(codes, found, strict=True))[::20]:
        assert compiled.evaluate(code & -64, 64)["result"][code & 63] == result
    expected = results_at(function, FP32, RNE, IEEE, np.array(codes)).tolist()
    assert found == expected
    for code, result in list(zip(codes, found, strict=True))[::20]:
        assert result == compute(function, FP32, RNE, IEEE, code)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_exceptions_are_needed(function):
    """Of the rows that are kept each exception mends a result; without it another is given."""
    kept = read(file_of(function, FP32, RNE).read_text())
    codes = np.array(sorted(kept.exceptions))
    first = 127 << 23
    own = codes if function == "sin_pi" else np.where(codes >= first, codes - first, codes)
    right = np.where(
        codes >= first,
        results_at("cos_pi", FP32, RNE, IEEE, own),
        results_at("sin_pi", FP32, RNE, IEEE, own),
    )
    assert np.array_equal(kept.results(codes), right)
    assert set(kept.exceptions.values()) <= {-1, 1}


SIZES = {"sin_pi": (3304, 289), "cos_pi": (3429, 293)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_sizes(function):
    """As docs/functions.md has them."""
    statistics = build_function(function, FP32, RNE, IEEE).statistics
    assert (statistics.neurons, statistics.depth) == SIZES[function]


def test_what_is_refused():
    with pytest.raises(ValueError, match="no rows of cos_pi are kept"):
        build_function("cos_pi", ieee_format(8, 14), RoundingMode.TOWARD_ZERO, IEEE)
    for fmt in (FP8_E4M3FN, ieee_format(4, 14)):
        with pytest.raises(ValueError, match="too few exponents"):
            build_function("sin_pi", fmt, RNE, fmt.policies[0], construction="half_turns")
