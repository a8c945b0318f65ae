"""Remainders: formula and circuit against the spec of record, faults, names."""

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from pysmt.shortcuts import BVULT, BVType, Symbol

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.floating_point import remainder as circuits
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.libraries import FAST, LIBRARIES, SMALL
from spikeproof.proofs import described
from spikeproof.proofs.remainders import Remainder
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.refutation.drawing import every_input, many_codes
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs import exact, symbolic
from spikeproof.specs.conventions import IEEE, convention_named
from spikeproof.specs.formats import (
    BFLOAT16,
    FORMATS,
    FP8_E5M2,
    FP16,
    FP32,
    REMAINDERS,
    SMALL_FORMATS,
    RoundingMode,
    format_named,
    ieee_format,
)
from tests.support.faults import assert_faults_are_refuted
from tests.support.formula_evaluation import evaluate_all
from tests.support.graphs import Encoded
from tests.support.profile import NIGHTLY, one_of_each, parameter_id
from tests.support.refusals import assert_not_described

SEED = 20261128
MODE = RoundingMode.TOWARD_ZERO
INVALID = 1
FORMAT_IDS = {"ids": lambda fmt: fmt.name}


def recorded(operation, fmt, codes, convention=IEEE):
    """Results and flags by the spec of record."""
    rows = list(zip(*(each.tolist() for each in codes), strict=True))
    given, how = (operation, fmt, MODE), {"convention": convention}
    results = [exact.compute(*given, fmt.policies[0], *row, **how) for row in rows]
    return {"result": results, "flags": [exact.flags(*given, *row, **how) for row in rows]}


def formulas(operation, fmt, convention=IEEE):
    """Results and flags, of symbols whose names the codes are given by."""
    x, y = (Symbol(f"{name}{fmt.width}", BVType(fmt.width)) for name in "xy")
    return {
        "result": symbolic.compute(operation, fmt, MODE, fmt.policies[0], x, y, convention=convention),
        "flags": symbolic.flags(operation, fmt, MODE, x, y, convention=convention),
    }


def pairs(fmt, count=600):
    """Operands drawn by class, a third of them with exponents that are near."""
    x, y = many_codes(fmt, count, SEED)
    places = np.uint64(fmt.fraction_bits)
    fields = (x[::3] >> places) + np.arange(len(x[::3]), dtype=np.uint64) % np.uint64(5)
    mask = np.uint64((1 << fmt.exponent_bits) - 1)
    below = np.uint64((1 << fmt.fraction_bits) - 1)
    y[::3] = (y[::3] & (below | np.uint64(fmt.sign_mask))) | (fields - np.uint64(2) & mask) << places
    return x, y


@pytest.mark.parametrize("operation", REMAINDERS)
@pytest.mark.parametrize("fmt", [*SMALL_FORMATS, ieee_format(2, 1), ieee_format(2, 4)], **FORMAT_IDS)
def test_formula_and_circuit_on_every_pair(fmt, operation):
    """And nothing but invalid is ever signalled: the result is exact."""
    step = 1 if NIGHTLY or fmt.width < 7 else 31
    given = {
        name: codes[::step] for name, codes in every_input({"x": fmt.width, "y": fmt.width}).items()
    }
    expected = recorded(operation, fmt, given.values())
    netlist = Remainder.of(operation, fmt).changed(flags=True).circuit()
    shown = boolean.evaluate(netlist, given)
    named = {f"{name}{fmt.width}": codes for name, codes in given.items()}
    for name, found in evaluate_all(formulas(operation, fmt), named).items():
        assert found.tolist() == expected[name]
        assert shown[name].tolist() == expected[name]
    assert set(expected["flags"]) == {0, INVALID}


# With an exponent of 8 bits there are 254 rows and more: both operations once.
ABOVE_8_BITS = one_of_each(
    product((BFLOAT16, FP16, FORMATS["tf32"], FP32), REMAINDERS),
    kind=lambda case: case if case[0] in (BFLOAT16, FP16) else case[0],
)


@pytest.mark.parametrize(("fmt", "operation"), ABOVE_8_BITS, ids=parameter_id)
def test_formula_and_circuit_on_pairs_drawn_by_class(fmt, operation):
    convention = convention_named("x86_sse.daz.ftz_after" if fmt is FP32 else "")
    codes = pairs(fmt)
    expected = recorded(operation, fmt, codes, convention)
    unit = Remainder.of(operation, fmt).changed(flags=True, convention=convention)
    shown = boolean.evaluate(unit.circuit(), dict(zip("xy", codes, strict=True)))
    named = {f"{name}{fmt.width}": each for name, each in zip("xy", codes, strict=True)}
    for name, formula in formulas(operation, fmt, convention).items():
        assert Encoded(formula).evaluate(named).tolist() == expected[name]
        assert shown[name].tolist() == expected[name]


@cache
def results_on_every_pair(operation, fmt):
    given = every_input({"x": fmt.width, "y": fmt.width})
    return recorded(operation, fmt, given.values())["result"]


@pytest.mark.parametrize("structure", [SMALL, FAST])
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("operation", REMAINDERS)
def test_circuits_of_every_library_and_structure(operation, library, structure):
    fmt = ieee_format(3, 2)
    netlist = replace(Remainder.of(operation, fmt), library=library, structure=structure).circuit()
    given = every_input(netlist.inputs)
    assert boolean.evaluate(netlist, given)["result"].tolist() == results_on_every_pair(operation, fmt)


@pytest.mark.parametrize("operation", REMAINDERS)
def test_mode_and_policy_play_no_part(operation):
    fmt = ieee_format(2, 2)
    given = [each.tolist() for each in every_input({"x": fmt.width, "y": fmt.width}).values()]
    for x, y in zip(*given, strict=True):
        found = {
            (exact.compute(operation, fmt, mode, policy, x, y), exact.flags(operation, fmt, mode, x, y))
            for mode, policy in product(RoundingMode, fmt.policies)
        }
        assert len(found) == 1, (x, y)


LANDMARKS = [  # x, y, remainder, truncated remainder
    (5.0, 3.0, -1.0, 2.0),
    (-5.0, 3.0, 1.0, -2.0),
    (3.0, 2.0, -1.0, 1.0),  # n = 1.5 goes to 2
    (5.0, 2.0, 1.0, 1.0),  # n = 2.5 goes to 2
    (1.0, 2.0, 1.0, 1.0),  # n = 0.5 goes to 0
    (-3.0, 2.0, 1.0, -1.0),
    (6.0, -3.0, 0.0, 0.0),
    (-6.0, 3.0, -0.0, -0.0),
    (1.0, float("inf"), 1.0, 1.0),
    (-0.0, 3.0, -0.0, -0.0),
    (65504.0, 2.0**-24, 0.0, 0.0),
    (65504.0, 3 * 2.0**-24, -(2.0**-24), 2.0**-23),
    (2.0**-24, 65504.0, 2.0**-24, 2.0**-24),
]


def half(number):
    return int(np.float16(number).view(np.uint16))


@pytest.mark.parametrize(("x", "y", "nearest", "truncated"), LANDMARKS)
def test_landmarks(x, y, nearest, truncated):
    for operation, expected in zip(REMAINDERS, (nearest, truncated), strict=True):
        found = exact.compute(operation, FP16, MODE, FP16.policies[0], half(x), half(y))
        assert found == half(expected)


# --- proofs -------------------------------------------------------------------------------------


def test_circuit_and_spec_are_cut_at_the_same_places():
    assert circuits.CUT == symbolic.CUT


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("operation", REMAINDERS)
@pytest.mark.parametrize(
    "fmt", [*([FP8_E5M2] if NIGHTLY else []), ieee_format(3, 2), FORMATS["fp4_e2m1"]], **FORMAT_IDS
)
def test_faulty_units_are_refuted(fmt, operation):
    obligation = replace(
        Remainder.of(operation, fmt).changed(flags=True).obligation(), engines=("cadical",)
    )
    assert_faults_are_refuted(obligation, SEED, REMAINDERS.index(operation))
    netlist = obligation.circuit()
    invalid = stuck_at_zero(netlist, netlist.outputs["flags"][0]).netlist
    assert discharge(obligation, circuit=invalid).outcome is Outcome.REFUTED


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("fmt", [*([FP16] if NIGHTLY else []), ieee_format(4, 6)], **FORMAT_IDS)
def test_a_row_that_is_wrong_is_refuted(fmt):
    """The first one, that hardly any pair of exponents reaches. Of FP16 it takes three minutes."""
    obligation = replace(Remainder.of("remainder", fmt).obligation(), engines=("cadical",))
    netlist = obligation.circuit()
    first = fmt.precision + 2 * fmt.bias - 2
    (row,) = (each for each in netlist.blocks if each.name == f"row_{first}")
    mutant = stuck_at_zero(netlist, row.outputs["no_borrow"][0])
    assert discharge(obligation, circuit=mutant.netlist).outcome is Outcome.REFUTED


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("operation", REMAINDERS)
def test_a_unit_of_the_other_operation_is_refuted(operation):
    fmt = FORMATS["fp6_e2m3"]
    obligation = Remainder.of(operation, fmt).obligation()
    for other in REMAINDERS:
        circuit = build_unit(other, fmt, MODE, fmt.policies[0])
        outcome = discharge(obligation, circuit=circuit).outcome
        assert outcome is (Outcome.PROVED if other == operation else Outcome.REFUTED)


def test_a_circuit_without_rows_is_proved_as_a_whole():
    """A unit somebody else made has no such waypoints."""
    obligation = Remainder.of("remainder", FORMATS["fp6_e3m2"]).obligation()
    circuit = replace(obligation.circuit(), probes={})
    assert discharge(obligation, circuit=circuit).outcome is Outcome.PROVED


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize(
    "name",
    ["spec.fp4_e2m1.remainder.definition", "spec.fp4_e2m1.long_division", "spec.fp16.long_division.row"],
)
def test_a_wrong_division_is_not_that_of_whole_numbers(name, monkeypatch):
    """One that takes the divisor away only from more than it."""
    assert discharge(catalogue()[name]).outcome is Outcome.PROVED
    monkeypatch.setattr(symbolic, "BVULE", BVULT)
    assert discharge(catalogue()[name]).outcome is Outcome.REFUTED


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("operation", REMAINDERS)
def test_a_wrong_choice_of_the_quotient_is_not_the_definition(operation, monkeypatch):
    obligation = catalogue()[f"spec.fp6_e2m3.{operation}.definition"]
    (other,) = set(REMAINDERS) - {operation}
    monkeypatch.setitem(symbolic.OPERATIONS, operation, symbolic.OPERATIONS[other])
    assert discharge(obligation).outcome is Outcome.REFUTED


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "fp16.remainder",
        "fp16.remainder.flags",
        "fp16.truncated_remainder.x86_sse.nexus.flags",
        "e4m5.remainder.daz.ftz_after.fast",
    ],
)
def test_units_are_described_by_their_names(name):
    assert described(name).name == name


def test_what_is_promised_is_described_by_its_name():
    promised = [
        (name, each)
        for name, each in catalogue().items()
        if each.parameters.get("operation") in REMAINDERS and each.circuit
    ]
    assert len(promised) > 40
    for name, each in promised:
        assert described(name).parameters == each.parameters
        assert {"mode", "policy"}.isdisjoint(each.parameters)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fp16.remainder.rne", "unknown convention 'rne'"),
        ("fp16.remainder.saturate", "unknown convention 'saturate'"),
        ("fp8_e4m3fn.remainder.x86_sse", "has no NaN with a payload"),
        ("fp9.truncated_remainder", "unknown format 'fp9'"),
        ("e12m1.remainder", "has a row of division for each step between exponents, and e12m1 has 4,0"),
    ],
)
def test_what_no_name_describes_is_refused_in_one_line(name, words):
    assert_not_described(name, words)


def test_neighbours_differ_in_the_convention_alone():
    names = [each.name for each in described("fp8_e5m2.remainder.flags").neighbours()]
    assert "fp8_e5m2.remainder.cuda.flags" in names
    assert all(format_named(name.split(".")[0]) is FP8_E5M2 for name in names)
    assert all(not {"rne", "rtz", "saturate"} & set(name.split(".")) for name in names)
