"""exp, log and their like by short factors: 17 bits on every input, FP32 where it matters."""

from functools import cache
from itertools import chain

import numpy as np
import pytest

from benchmarks.function_exceptions import wrong
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.meanings.programs import ProgramEvaluator
from spikeproof.circuits.units.forms import bits
from spikeproof.circuits.units.functions import exceptions, logarithm_of_sum
from spikeproof.circuits.units.functions.building import build_function
from spikeproof.circuits.units.functions.exceptions import exceptions_of
from spikeproof.circuits.units.functions.factors import FACTORED, plan_of
from spikeproof.circuits.units.functions.mended import mended_unit
from spikeproof.circuits.units.functions.words import Arrays, ArrayWord, Neurons, choice, powers_of
from spikeproof.circuits.units.libraries import library_gates
from spikeproof.specs.conventions import Convention, SubnormalOperands
from spikeproof.specs.formats import FP32, OverflowPolicy, RoundingMode, ieee_format
from spikeproof.specs.functions import compute, results_from
from tests.support.profile import NIGHTLY, one_of_each, parameter_id

RNE, RTZ, UP, DOWN, ODD = (
    RoundingMode.NEAREST_EVEN,
    RoundingMode.TOWARD_ZERO,
    RoundingMode.UP,
    RoundingMode.DOWN,
    RoundingMode.TO_ODD,
)
IEEE = OverflowPolicy.IEEE
SMALL = ieee_format(8, 8)
FEW = ieee_format(5, 11 if NIGHTLY else 8)
"""Of fewer exponents."""

OF_FP32 = [(f, mode) for f in FACTORED for mode in RoundingMode]
KEPT = [(f, mode) for f, mode in OF_FP32 if mode in (RNE, RTZ)]

MOST = {"exp": 1700, "exp2": 1730, "log": 1750, "log2": 1750, "log1p": 3530, "sigmoid": 3000}
"""Neurons of FP32."""


def results_of(netlist, codes):
    program = ProgramEvaluator(netlist, read_program(netlist))
    return program.evaluate({"x": np.asarray(codes, dtype=np.uint64)})["result"]


@cache
def right(function, fmt=SMALL, mode=RNE, policy=IEEE):
    """Every result, by the spec."""
    return results_from(function, fmt, mode, policy, 0, 1 << fmt.width)


def made(plan, mended):
    gates = library_gates("threshold")
    x = gates.builder.input("x", plan.fmt.width)
    return gates.builder.build({"result": mended_unit(gates, x, plan, mended)})


FUNCTIONS_AND_MODES = [
    (function, mode)
    for place, function in enumerate(FACTORED)
    for number, mode in enumerate(RoundingMode)
    if NIGHTLY or number in (0, 1 + place % 5)
]
"""Each function to nearest even and in another mode, by turns."""


@pytest.mark.parametrize(("function", "mode"), FUNCTIONS_AND_MODES, ids=parameter_id)
def test_every_code(function, mode):
    netlist = build_function(function, SMALL, mode, IEEE)
    assert np.array_equal(results_of(netlist, np.arange(1 << SMALL.width)), right(function, mode=mode))


@pytest.mark.parametrize("policy", [OverflowPolicy.SATURATE, OverflowPolicy.NAN])
def test_policies_and_fewer_exponents(policy):
    for function, mode in (
        *(("exp", RNE), ("exp2", UP), ("log", DOWN), ("log2", ODD), ("log1p", UP), ("log1p", ODD)),
        *(("sigmoid", mode) for mode in (RNE, DOWN, ODD)),
    ):
        netlist = build_function(function, FEW, mode, policy)
        expected = right(function, FEW, mode, policy)
        assert np.array_equal(results_of(netlist, np.arange(1 << FEW.width)), expected)


def telling_codes(plan) -> list[int]:
    """Where results cease to be constant, powers of two, exceptions, and drawn ones."""
    fmt, draw = plan.fmt, np.random.default_rng(21)
    powers = [(field << fmt.fraction_bits) for field in range(90, 140)]
    special = 0, fmt.infinity, fmt.sign_mask, fmt.sign_mask + fmt.infinity
    ends = [end + step for end in (*special, *chain(*plan.spans)) for step in range(-2, 3)]
    places = [*powers, *(power + fmt.sign_mask for power in powers), *ends, *exceptions_of(plan)]
    drawn = [
        int(code) for start, end in plan.spans for code in draw.integers(start, end, 150, endpoint=False)
    ]
    return sorted({code for code in (*places, *drawn) if 0 <= code < 2 * fmt.sign_mask})


def nearest_and_another(case):
    function, mode = case
    return function, mode is RNE


@pytest.mark.parametrize(("function", "mode"), one_of_each(OF_FP32, kind=nearest_and_another))
def test_fp32_where_it_matters(function, mode):
    codes = telling_codes(plan_of(function, FP32, mode, IEEE))
    netlist = build_function(function, FP32, mode, IEEE)
    expected = [compute(function, FP32, mode, IEEE, code) for code in codes]
    assert results_of(netlist, codes).tolist() == expected
    assert netlist.statistics.neurons <= MOST[function]


@pytest.mark.parametrize(("function", "mode"), KEPT)
def test_kept_exceptions_are_found_again(function, mode):
    """Near each and where there is none, by the machine of arrays."""
    plan = plan_of(function, FP32, mode, IEEE)
    kept = exceptions_of(plan)
    span = np.arange(-500, 500)
    elsewhere = [start + 4_000_000 for start, _ in plan.spans]
    codes = np.unique(np.concatenate([code + span for code in (*kept, *elsewhere)]))
    inside = [(start <= codes) & (codes < end) for start, end in plan.spans]
    codes = codes[np.any(inside, axis=0)]
    found = plan.program(Arrays(), ArrayWord(codes, FP32.width))
    assert dict(exceptions.wrong(plan, codes, found)) == kept


@pytest.mark.parametrize(
    ("function", "mode"), [("exp", RNE), ("log", RTZ), ("log1p", RNE), ("sigmoid", RNE)]
)
def test_machine_code_finds_the_same_exceptions(function, mode):
    plan = plan_of(function, SMALL, mode, IEEE)
    assert dict(wrong(plan)) == exceptions_of(plan)


def test_an_exception_that_is_left_out_is_wrong():
    plan = plan_of("exp", SMALL, RNE, IEEE)
    mended = dict(exceptions_of(plan))
    code, more = mended.popitem()
    expected = right("exp").astype(np.int64)
    found = results_of(made(plan, mended), np.arange(1 << SMALL.width)).astype(np.int64)
    assert np.flatnonzero(found != expected).tolist() == [code]
    assert expected[code] - found[code] == more


@pytest.mark.parametrize("function", ["exp", "log2"])
def test_a_constant_that_is_wrong_is_noticed(function, monkeypatch):
    """An entry of a table, or a weight, that is off by 1/32 of the last place of 1."""
    plan, expected = plan_of(function, SMALL, RNE, IEEE), right(function)
    constant_of, mended, codes = type(plan).constant, exceptions_of(plan), np.arange(1 << SMALL.width)
    asked = [0]
    assert np.array_equal(results_of(made(plan, mended), codes), expected)
    for wrong_one in (3, 20, 60):

        def constant(self, number, place=0, wrong_one=wrong_one):
            asked[0] += 1
            off = 1 << plan.places - SMALL.fraction_bits - 5 if asked[0] == wrong_one else 0
            return constant_of(self, number, place) + off

        asked[0] = 0
        monkeypatch.setattr(type(plan), "constant", constant)
        assert not np.array_equal(results_of(made(plan, mended), codes), expected)
        assert asked[0] >= wrong_one


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_coefficient_that_is_wrong_is_noticed(which, monkeypatch):
    """Of one row of t, of log1p: by 1/16 of what it is to be, by 4 times that, by 256 times."""
    plan, expected = plan_of("log1p", SMALL, RNE, IEEE), right("log1p")
    rows, mended, codes = logarithm_of_sum._rows(plan), exceptions_of(plan), np.arange(1 << SMALL.width)
    row = len(rows) // 2 + 1
    off = [each * (1 + (k == which) * 4.0 ** (3 * which - 2)) for k, each in enumerate(rows[row])]
    assert np.array_equal(results_of(made(plan, mended), codes), expected)
    monkeypatch.setattr(
        logarithm_of_sum, "_rows", lambda plan: [*rows[:row], tuple(off), *rows[row + 1 :]]
    )
    assert not np.array_equal(results_of(made(plan, mended), codes), expected)


def test_a_factor_that_is_left_out_is_noticed():
    plan = plan_of("log1p", SMALL, RNE, IEEE)
    codes, mended = np.arange(1 << SMALL.width), exceptions_of(plan)
    plan.__dict__["factors"] = plan.factors[:-1]
    assert not np.array_equal(results_of(made(plan, mended), codes), right("log1p"))


@pytest.mark.parametrize("function", FACTORED)
def test_machines_agree(function):
    """Neurons and arrays, on drawn codes of FP32: what they come to, right or wrong."""
    plan = plan_of(function, FP32, RTZ, IEEE)
    codes = np.random.default_rng(3).integers(0, 1 << FP32.width, 20_000)
    found = plan.program(Arrays(), ArrayWord(codes, FP32.width))
    expected = found.code + (found.negative << FP32.width - 1)
    assert np.array_equal(results_of(made(plan, {}), codes), expected)


def test_parts_of_programs():
    """Shifts by arrays; powers beyond a count are 0."""
    word, by = ArrayWord(np.array([200, 200, 200]), 8), ArrayWord(np.array([0, 5, 6]), 3)
    few, fours = powers_of(Arrays(), by, 6, 4)
    assert (few.value.tolist(), fours.value.tolist()) == ([1, 2, 4], [1, 2, 2])
    partly = ArrayWord(choice(Arrays(), [word[k:] for k in range(4)], few), 8)
    assert choice(Arrays(), [partly, partly[4:]], fours).tolist() == [200, 6, 3]
    assert Arrays().powers(by, 6).value.tolist() == [1, 32, 0]
    gates = library_gates("threshold")
    machine = Neurons(gates)
    assert len(machine.powers(bits(gates.builder.input("x", 3)), 6)) == 6


@pytest.mark.parametrize("function", FACTORED)
def test_what_is_refused(function):
    with pytest.raises(ValueError, match="e4m12 has too few exponents"):
        build_function(function, ieee_format(4, 12), RNE, IEEE)
    with pytest.raises(ValueError, match=r"no exceptions are kept for e8m14.*; there are those of fp32"):
        build_function(function, ieee_format(8, 14), RNE, IEEE)
    with pytest.raises(ValueError, match="IEEE 754's convention alone"):
        build_function(
            function, FP32, RNE, IEEE, convention=Convention(subnormal_operands=SubnormalOperands.ZERO)
        )
