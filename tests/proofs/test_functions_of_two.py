"""Theorems of functions of two operands: their names, that they hold, and that faults are noticed."""

from dataclasses import replace
from itertools import islice, product

import numpy as np
import pytest

from spikeproof.circuits.meanings import carry_save
from spikeproof.proofs.functions_of_two import OF_HYPOT, FunctionOfTwoUnit, functions_of_two_units
from spikeproof.proofs.names import unit_named
from spikeproof.prover.claims.obligation import Outcome, Profile
from spikeproof.prover.claims.tabulated import tabulated
from spikeproof.prover.refutation.mutation import FAULTS, mutants
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import (
    FP4_E2M1,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    SMALL_FORMATS,
    OverflowPolicy,
    RoundingMode,
)
from spikeproof.specs.functions_of_two import FUNCTIONS
from tests.support.profile import NIGHTLY

pytestmark = pytest.mark.usefixtures("counterexamples_as_found")

NEAREST, SATURATE = RoundingMode.NEAREST_EVEN, OverflowPolicy.SATURATE


def test_every_name_is_that_of_its_unit():
    units = [unit for unit, _ in functions_of_two_units()]
    assert len({unit.name for unit in units}) == len(units)
    assert [unit_named(unit.name) for unit in units] == units


def test_what_is_promised():
    units = list(functions_of_two_units())
    cases = {(unit.operation, unit.fmt, unit.mode, unit.policy) for unit, _ in units}
    assert cases == {
        (name, fmt, mode, policy)
        for name, fmt, mode in product(FUNCTIONS, SMALL_FORMATS, RoundingMode)
        for policy in fmt.policies
    } | {("hypot", FP16, mode, OverflowPolicy.IEEE) for mode in OF_HYPOT}
    default = {(unit.fmt.width, unit.mode) for unit, profile in units if profile is Profile.DEFAULT}
    assert default == {(4, NEAREST), (6, NEAREST)}


def test_names_and_statements_for_people():
    unit = unit_named("fp8_e4m3fn.atan2.rtz.saturate")
    assert unit == FunctionOfTwoUnit("atan2", FP8_E4M3FN, RoundingMode.TOWARD_ZERO, SATURATE)
    assert unit.statement == (
        "fp8_e4m3fn: the angle of the point (x, y) rounded toward zero, overflow saturates, "
        "of threshold gates, by segments"
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fp16.pow.rne", "pow is of formats of up to 8 bits, hypot of up to 16; fp16 has 16"),
        ("fp32.hypot.rne", "fp32 has 32"),
        ("fp8_e5m2x2.pow.rne", "pow is of single numbers; leave out x2"),
        ("fp8_e5m2.pow.stochastic3", "pow does not round stochastically"),
        ("fp8_e4m3fn.pow.rne", "has no policy 'ieee'"),
    ],
)
def test_what_no_function_can_be_is_refused_in_a_line(name, said):
    with pytest.raises(ValueError, match=said) as refused:
        unit_named(name)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("fmt", [FP8_E4M3FN, FP4_E2M1], ids=lambda fmt: fmt.name)
def test_theorems(fmt, function):
    """In two modes each; `--wide` has them all."""
    modes = list(RoundingMode)
    for mode in (NEAREST, modes[1 + len(function) % 5]):
        result = discharge(FunctionOfTwoUnit(function, fmt, mode, SATURATE).obligation())
        assert result.green, result.message


@pytest.mark.parametrize("name", ["e4m3.hypot.rto.digits", "e3m5.hypot.rne", "e2m6.hypot.rtp"])
def test_hypot_digit_by_digit(name):
    """As a table of 2^16 pairs, and in blocks of more."""
    result = discharge(unit_named(name).obligation())
    assert result.green, result.message


@pytest.mark.parametrize("kind", FAULTS)
def test_faulty_hypotenuses_are_refuted(kind):
    """In blocks: as their results on all 2^18 pairs say they must be."""
    obligation = unit_named("e3m5.hypot.rne").obligation()
    y, x = divmod(np.arange(1 << 18, dtype=np.uint64), 1 << 9)
    right = carry_save.evaluate(obligation.circuit(), {"x": x, "y": y})["result"]
    for mutant in islice(mutants(obligation.circuit(), kind, 20261130), 2 if NIGHTLY else 1):
        wrong = carry_save.evaluate(mutant.netlist, {"x": x, "y": y})["result"] != right
        result = discharge(obligation, circuit=mutant.netlist)
        assert result.outcome is (Outcome.REFUTED if wrong.any() else Outcome.PROVED), mutant.fault
        if wrong.any():
            assert wrong[result.counterexample["x"] + (result.counterexample["y"] << 9)]


@pytest.mark.parametrize(
    ("function", "words"), [("hypot", "daz.ftz"), ("pow", "any_nan"), ("atan2", "arm")]
)
def test_conventions(function, words):
    result = discharge(unit_named(f"fp8_e5m2.{function}.rne.{words}").obligation())
    assert result.green, result.message


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("kind", FAULTS)
def test_faulty_units_are_refuted(function, kind):
    """As what their results are, evaluated by another meaning of the netlist, says they must be."""
    unit = FunctionOfTwoUnit(function, FP4_E2M1, policy=SATURATE)
    obligation, right = unit.obligation(), unit.results()["result"]
    y, x = divmod(np.arange(len(right), dtype=np.uint64), 1 << 4)
    for mutant in islice(mutants(obligation.circuit(), kind, 20261129), 3 if NIGHTLY else 1):
        wrong = carry_save.evaluate(mutant.netlist, {"x": x, "y": y})["result"] != right
        result = discharge(obligation, circuit=mutant.netlist)
        assert result.outcome is (Outcome.REFUTED if wrong.any() else Outcome.PROVED), mutant.fault
        if wrong.any():
            assert wrong[result.counterexample["x"] + (result.counterexample["y"] << 4)]


@pytest.mark.parametrize("step", [1, -1])
def test_one_wrong_entry_of_a_table_is_found(step):
    """2^2 is 4: another number in its place, at x = 0x40 and y = 0x40."""
    unit, place = FunctionOfTwoUnit("pow", FP8_E4M3FN, policy=SATURATE), 0x4040
    changed = unit.results()["result"].astype(np.int64)
    changed[place] += step
    results = {"result": changed.astype(np.uint16)}
    result = discharge(tabulated("pow.changed", "but for one result", unit.circuit, lambda: results))
    assert result.outcome is Outcome.REFUTED
    assert result.counterexample == {"x": 0x40, "y": 0x40}


def test_operands_that_are_exchanged_are_noticed():
    """hypot is symmetric; the others are not."""
    for function in FUNCTIONS:
        unit = FunctionOfTwoUnit(function, FP4_E2M1, policy=SATURATE)
        table = unit.results()["result"].reshape(16, 16).T.ravel()
        result = discharge(tabulated("exchanged", "y and x", unit.circuit, lambda: {"result": table}))  # noqa: B023
        assert result.outcome is (Outcome.PROVED if function == "hypot" else Outcome.REFUTED)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_another_mode_is_another_function(function):
    """But for the nearest ones of an angle, which is never a tie."""
    unit = FunctionOfTwoUnit(function, FP4_E2M1, policy=SATURATE)
    for mode in RoundingMode:
        same = mode is NEAREST or (function == "atan2" and mode is RoundingMode.NEAREST_AWAY)
        result = discharge(unit.obligation(), circuit=replace(unit, mode=mode).circuit())
        assert result.outcome is (Outcome.PROVED if same else Outcome.REFUTED), mode


def test_another_policy_is_another_function():
    unit = FunctionOfTwoUnit("pow", FP8_E5M2)
    result = discharge(unit.obligation(), circuit=replace(unit, policy=SATURATE).circuit())
    assert result.outcome is Outcome.REFUTED
