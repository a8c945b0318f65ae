"""sin and cos by quarters of a turn: small formats on every input, FP32 where it matters."""

from functools import cache

import mpmath
import numpy as np
import pytest

from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.meanings.programs import ProgramEvaluator
from spikeproof.circuits.units.functions import exceptions, radians
from spikeproof.circuits.units.functions.building import build_function
from spikeproof.circuits.units.functions.exceptions import exceptions_of
from spikeproof.circuits.units.functions.factors import REDUCED, plan_of
from spikeproof.circuits.units.functions.mended import mended_unit
from spikeproof.circuits.units.functions.values import results_at
from spikeproof.circuits.units.functions.words import Arrays, ArrayWord
from spikeproof.circuits.units.libraries import library_gates
from spikeproof.specs.formats import (
    BFLOAT16,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    FP32,
    OverflowPolicy,
    RoundingMode,
    ieee_format,
)
from spikeproof.specs.functions import compute
from tests.support.profile import NIGHTLY, parameter_id

RNE, IEEE = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE
SIGN, INFINITY = FP32.sign_mask, FP32.infinity

SIZES = {"sin": (3951, 387), "cos": (3857, 387)}


def results_of(netlist, codes):
    program = ProgramEvaluator(netlist, read_program(netlist))
    return program.evaluate({"x": np.asarray(codes, dtype=np.uint64)})["result"]


CASES = [
    (function, fmt, mode)
    for turn, (function, fmt) in enumerate([("sin", BFLOAT16), ("cos", FP16)])
    for place, mode in enumerate(RoundingMode)
    if NIGHTLY or place % 2 == turn
]
"""Modes by turns."""


@pytest.mark.parametrize(("function", "fmt", "mode"), CASES, ids=parameter_id)
def test_every_code(function, fmt, mode):
    netlist = build_function(function, fmt, mode, IEEE, construction="quarter_turns")
    codes = np.arange(1 << fmt.width)
    assert np.array_equal(results_of(netlist, codes), results_at(function, fmt, mode, IEEE, codes))


@cache
def near_multiples() -> list[int]:
    """Of pi/2, for each exponent the codes nearest to one: best approximations, by continued fractions.

    m 2^e is near k pi/2 if m/k is near pi/2^(e + 1), of which every convergent is a candidate.
    """
    found = []
    with mpmath.workprec(500):
        for field in range(1, 255):
            ratio = mpmath.pi / mpmath.mpf(2) ** (field - 149)
            before, last, rest = (0, 1), (1, int(ratio)), ratio - int(ratio)
            while last[1] < 1 << 24:
                significand = last[1] << max(0, 24 - last[1].bit_length())
                if significand >> 24 == 0 and significand >> 23:
                    found.append((field << 23) + significand - (1 << 23))
                whole = int(1 / rest)
                rest = 1 / rest - whole
                before, last = last, tuple(a + whole * b for a, b in zip(before, last, strict=True))
    return found


def telling_codes(function: str) -> list[int]:
    """Near powers of two, near multiples of pi/2, where small ones change, exceptions, special ones."""
    draw = np.random.default_rng(21)
    plan = plan_of(function, FP32, RNE, IEEE)
    powers = [field << 23 for field in range(256)]
    drawn = (draw.integers(0, 1 << 23, (4, 255)) + np.array(powers[:-1])).ravel().tolist()
    starts = [start for start, _ in (*plan.small, *plan.spans)]
    near = [code + step for code in (*powers, *starts, *near_multiples()) for step in (-1, 0, 1)]
    codes = {code for code in (*near, *drawn, *exceptions_of(plan), SIGN - 1) if 0 <= code < SIGN}
    return [*codes, *(code + SIGN for code in codes)]


def test_what_is_near_a_multiple():
    """Numbers of FP32 that come as near as 2^-29 are among those that are tried."""
    codes = near_multiples()
    assert len(codes) > 200
    with mpmath.workprec(300):
        values = [mpmath.ldexp(code & 0x7FFFFF | 1 << 23, (code >> 23) - 150) for code in codes]
        assert min(abs(mpmath.cos(x)) for x in values) < 2.0**-29
        assert min(abs(mpmath.sin(x)) for x in values) < 2.0**-28


@pytest.mark.parametrize("function", REDUCED)
def test_fp32_where_it_matters(function):
    codes = telling_codes(function)
    netlist = build_function(function, FP32, RNE, IEEE)
    found = results_of(netlist, codes).tolist()
    assert found == results_at(function, FP32, RNE, IEEE, np.array(codes)).tolist()
    for code, result in list(zip(codes, found, strict=True))[::40]:
        assert result == compute(function, FP32, RNE, IEEE, code)
    assert (netlist.statistics.neurons, netlist.statistics.depth) == SIZES[function]


@pytest.mark.parametrize("function", REDUCED)
def test_kept_exceptions_are_found_again(function):
    """Near each and where there is none, by the machine of arrays."""
    plan = plan_of(function, FP32, RNE, IEEE)
    kept = exceptions_of(plan)
    places = np.array([*kept, *range(plan.spans[0][0] + 500, INFINITY - 500, 40_000_000)])
    codes = np.unique(places[:, None] + np.arange(-100, 100))
    codes = codes[(codes >= plan.spans[0][0]) & (codes < INFINITY)]
    found = plan.program(Arrays(), ArrayWord(codes, FP32.width))
    assert dict(exceptions.wrong(plan, codes, found)) == kept


@pytest.mark.parametrize("function", REDUCED)
def test_one_digit_of_pi_that_is_wrong_is_noticed(function, monkeypatch):
    """In the last place of results, or the last that there is."""
    fmt = ieee_format(8, 8)
    plan, codes = plan_of(function, fmt, RNE, IEEE), np.arange(1 << fmt.magnitude_bits)
    right, mended = radians._multiples, exceptions_of(plan)
    expected = results_at(function, fmt, RNE, IEEE, codes)

    def made():
        gates = library_gates("threshold")
        x = gates.builder.input("x", fmt.width)
        return gates.builder.build({"result": mended_unit(gates, x, plan, mended)})

    assert np.array_equal(results_of(made(), codes), expected)
    for block in (0, 4, 8):

        def multiples(plan, first, blocks, places, block=block):
            for k, multiple in enumerate(right(plan, first, blocks, places)):
                off = 1 << places - fmt.fraction_bits - first if k == block else 0
                yield multiple ^ off

        monkeypatch.setattr(radians, "_multiples", multiples)
        assert not np.array_equal(results_of(made(), codes), expected)


def test_what_is_refused():
    with pytest.raises(
        ValueError, match=r"no exceptions are kept for e8m14.sin.rtz; there are those of"
    ):
        build_function("sin", ieee_format(8, 14), RoundingMode.TOWARD_ZERO, IEEE)
    for fmt in (FP8_E4M3FN, FP8_E5M2, ieee_format(3, 14)):
        with pytest.raises(ValueError, match=f"format {fmt.name} has no infinity, or too few digits or"):
            build_function("cos", fmt, RNE, fmt.policies[0], construction="quarter_turns")
