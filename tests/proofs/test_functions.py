"""Theorems of elementary functions: their names, that they hold, and that faults are noticed."""

import re
from dataclasses import replace
from functools import cache
from itertools import islice, product

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean, carry_save
from spikeproof.circuits.meanings.in_a_row import compiled, interpreted
from spikeproof.circuits.units.functions.building import CONSTRUCTIONS
from spikeproof.circuits.units.functions.kept_rows import rows_of
from spikeproof.circuits.units.functions.modes import simplest
from spikeproof.circuits.units.functions.polynomials import Polynomials, polynomials_unit
from spikeproof.circuits.units.libraries import library_gates
from spikeproof.proofs.functions import IN_BLOCKS, FunctionUnit, function_units
from spikeproof.proofs.names import unit_named
from spikeproof.prover.checking.every_block import (
    require_all_true_of_every_block,
    require_true_of_every_block,
)
from spikeproof.prover.checking.every_input import ViolatedError
from spikeproof.prover.claims.blocked import blocked
from spikeproof.prover.claims.obligation import Obligation, Outcome, Profile, StatementError
from spikeproof.prover.claims.tabulated import tabulated
from spikeproof.prover.refutation.mutation import FAULTS, mutants, sample
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.conventions import convention_named
from spikeproof.specs.formats import (
    BFLOAT16,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    FP32,
    SMALL_FORMATS,
    OverflowPolicy,
    RoundingMode,
    format_named,
)
from spikeproof.specs.functions import FUNCTIONS
from tests.support.profile import NIGHTLY, one_of_each, parameter_id
from tests.support.shared import shared

made, right_in_a_row = cache(FunctionUnit.circuit), FunctionUnit.block


@shared
def right_everywhere(function, fmt, mode, policy) -> np.ndarray:
    return right_in_a_row(FunctionUnit(function, fmt, mode, policy), 0, 1 << fmt.width)["result"]


def whole(unit: FunctionUnit) -> np.ndarray:
    """What is right on every input, whatever makes it: computed once for all processes."""
    return right_everywhere(unit.operation, unit.fmt, unit.mode, unit.policy)


@pytest.fixture(autouse=True)
def what_tests_share_is_made_once(monkeypatch):
    """Circuits, and what is right on every input, where that is kept at all."""

    def block(unit, first, count):
        if unit.fmt.width > 19:
            return right_in_a_row(unit, first, count)
        return {"result": whole(unit)[first : first + count]}

    monkeypatch.setattr(FunctionUnit, "circuit", made)
    monkeypatch.setattr(FunctionUnit, "block", block)


NEAREST = RoundingMode.NEAREST_EVEN
SMALL = [(fmt, function) for fmt in (FP8_E4M3FN, FP8_E5M2) for function in FUNCTIONS]


def test_every_name_is_that_of_its_unit():
    units = [unit for unit, _ in function_units()]
    assert len({unit.name for unit in units}) == len(units)
    assert [unit_named(unit.name) for unit in units] == units


def test_what_is_promised():
    units = list(function_units())
    default = [unit for unit, profile in units if profile is Profile.DEFAULT]
    kinds = {(unit.fmt, unit.operation, unit.mode) for unit in default if unit.library == "threshold"}
    formats = (*SMALL_FORMATS, BFLOAT16, FP16)
    assert kinds == {(f, name, mode) for f in formats for name in FUNCTIONS for mode in RoundingMode}
    tables = [unit for unit, _ in units if unit.fmt.width <= 16]
    assert {(unit.fmt, unit.policy) for unit in tables} == {(f, p) for f in formats for p in f.policies}
    of_gates = [unit for unit in default if unit.library != "threshold"]
    assert {(unit.fmt, unit.library, unit.mode) for unit in of_gates} == {(FP8_E4M3FN, "nexus", NEAREST)}
    assert {unit.operation for unit in of_gates} == set(FUNCTIONS)
    assert {unit.construction for unit in tables} == set(CONSTRUCTIONS)
    programs = [(unit.fmt, unit.operation) for unit, _ in units if unit.fmt.width > 16]
    assert list(dict.fromkeys(programs)) == list(IN_BLOCKS)
    assert all(profile is Profile.WIDE for unit, profile in units if unit.fmt.width > 16)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("fp32.expm1.rtp", "no rows of polynomials are kept for expm1 in fp32, rounded up"),
        ("e8m14.sin_pi.rtz", "no rows of sin_pi are kept for e8m14, rounded toward zero"),
        ("fp32.rsqrt.rne.daz", "functions are made under IEEE 754's convention alone; not under daz"),
        ("fp32.exp.rne.segments", "tables of functions are of formats of up to 16 bits; fp32 has 32"),
    ],
)
def test_what_no_construction_makes_is_refused_in_a_line(name, why):
    with pytest.raises(StatementError, match=f"^{re.escape(name)} has no circuit: .*{why}"):
        unit_named(name).circuit()


def test_programs_may_be_said():
    with pytest.raises(ValueError, match="unknown convention 'factors'"):
        unit_named("fp8_e5m2.pow.rne.factors")
    with pytest.raises(StatementError, match="by digits, hypot can be made; not pow"):
        unit_named("fp8_e5m2.pow.rne.digits").circuit()
    assert unit_named("fp32.exp.rne.factors") == unit_named("fp32.exp.rne")
    unit = unit_named("fp16.reciprocal.rne.digits")
    assert unit.name == "fp16.reciprocal.rne.digits"
    assert discharge(unit.obligation()).green


def test_names_and_statements_for_people():
    unit = unit_named("fp16.tanh.rtz.thermometer")
    assert unit == FunctionUnit("tanh", FP16, RoundingMode.TOWARD_ZERO, construction="thermometer")
    assert unit.statement == (
        f"fp16: {FUNCTIONS['tanh']} rounded toward zero, IEEE overflow, of threshold gates, "
        "by a thermometer"
    )
    assert unit.parameters["construction"] == "thermometer"


def test_the_library_may_be_said():
    assert unit_named("fp16.exp.rne.threshold") == unit_named("fp16.exp.rne")
    unit = unit_named("fp16.exp.rne.nexus")
    assert (unit.library, unit.construction, unit.name) == (
        "nexus",
        "multiplexers",
        "fp16.exp.rne.nexus",
    )
    assert unit_named("fp16.exp.rne.multiplexers").name == "fp16.exp.rne.multiplexers"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fp64.exp.rne", "exp is of formats of up to 32 bits; fp64 has 64"),
        ("e8m14.silu.rne", "silu is not made in e8m14, of 23 bits: reciprocal, rsqrt, exp, "),
        ("fp8_e5m2x2.exp.rne", "exp is of single numbers; leave out x2"),
        ("fp16.exp.stochastic3", "exp does not round stochastically"),
        ("fp16.exp.rne.flags", "functions have no 'flags': neither flags nor structures"),
        ("fp16.exp.rne.dual_rail", "functions are not made on two rails yet; choose ionic, nexus"),
        ("fp16.exp.rne.ionic.thermometer", "thermometer needs threshold neurons; of ionic gates leave"),
        ("fp8_e5m2.exp.rne.shallow", "functions have no 'shallow': neither flags nor structures"),
    ],
)
def test_what_no_function_can_be_is_refused_in_a_line(name, said):
    with pytest.raises(ValueError, match=said) as refused:
        unit_named(name)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(("fmt", "function"), SMALL, ids=parameter_id)
def test_eight_bits(fmt, function):
    """To nearest even and in another mode, under any policy: ``proofs`` has every mode."""
    cases = product(RoundingMode, fmt.policies)
    for mode, policy in one_of_each(cases, kind=lambda case: case[0] is NEAREST):
        result = discharge(FunctionUnit(function, fmt, mode, policy).obligation())
        assert result.green, result.message


@pytest.mark.parametrize("convention", ["daz", "ftz", "any_nan", "x86_sse"])
def test_conventions(convention):
    unit = unit_named(f"fp8_e5m2.silu.rne.{convention}")
    assert unit.convention == convention_named(convention)
    result = discharge(unit.obligation())
    assert result.green, result.message


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("make", ["", ".thermometer", ".nexus", ".ionic", ".ternary"])
@pytest.mark.parametrize("kind", FAULTS)
def test_faulty_units_are_refuted(make, kind):
    """As what their results are, evaluated by another meaning of the netlist, says they must be."""
    unit = unit_named(f"fp8_e5m2.gelu.rne{make}")
    obligation, right = unit.obligation(), unit.results()["result"]
    every = {"x": np.arange(len(right), dtype=np.uint64)}
    for mutant in islice(mutants(obligation.circuit(), kind, 20261129), 5 if NIGHTLY else 2):
        wrong = carry_save.evaluate(mutant.netlist, every)["result"] != right
        result = discharge(obligation, circuit=mutant.netlist)
        assert result.outcome is (Outcome.REFUTED if wrong.any() else Outcome.PROVED), mutant.fault
        if wrong.any():
            assert wrong[result.counterexample["x"]]


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("step", [1, -1])
def test_one_wrong_entry_of_a_table_is_found(step):
    unit, place = FunctionUnit("sigmoid", format_named("e5m6")), 0x355
    changed = unit.results()["result"].astype(np.int64)
    changed[place] += step
    results = {"result": changed.astype(np.uint16)}
    result = discharge(tabulated("sigmoid.changed", "but for one result", unit.circuit, lambda: results))
    assert result.outcome is Outcome.REFUTED
    assert result.counterexample == {"x": place}


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("mode", [mode for mode in RoundingMode if mode is not NEAREST])
def test_another_mode_is_another_function(mode):
    """But for the nearest ones: of logarithms that are not whole none lies midway."""
    unit = FunctionUnit("log1p", FP8_E4M3FN, policy=OverflowPolicy.SATURATE)
    result = discharge(unit.obligation(), circuit=replace(unit, mode=mode).circuit())
    same = mode is RoundingMode.NEAREST_AWAY
    assert result.outcome is (Outcome.PROVED if same else Outcome.REFUTED)


@pytest.mark.usefixtures("counterexamples_as_found")
def test_another_policy_is_another_function():
    saturating = FunctionUnit("exp", FP8_E4M3FN, policy=OverflowPolicy.SATURATE)
    result = discharge(
        saturating.obligation(), circuit=replace(saturating, policy=OverflowPolicy.NAN).circuit()
    )
    assert result.outcome is Outcome.REFUTED


# --- in blocks ----------------------------------------------------------------------------------

OF_17_BITS = (
    *("e5m11.reciprocal.rne", "e6m10.reciprocal.rtz", "e6m10.rsqrt.rna"),
    *("e5m11.tanh.rne", "e6m10.silu.rtp"),
    *(f"e8m8.{function}.rne" for function in ("reciprocal", "rsqrt", "sin", "cos", "sin_pi", "cos_pi")),
    *(
        f"{'e5m11' if function in ('reciprocal', 'rsqrt') else 'e8m8'}.{function}.{mode.value}"
        for function, mode in one_of_each(
            [(name, mode) for (_, name), modes in IN_BLOCKS.items() for mode in modes[1:]],
            kind=lambda case: case[0],
        )
    ),
    *(f"e8m8.{function}.nexus" for function in ("exp.rne", "sigmoid.rne", "rsqrt.rtp", "cos_pi.rne")),
    *("e5m11.tanh.rne.ternary", "e8m8.log.rne.ionic"),
)
"""Theorems that take a second, as those of FP32 take minutes."""


@pytest.mark.parametrize("name", OF_17_BITS)
def test_functions_in_blocks(name):
    unit = unit_named(name)
    assert unit.name == name
    result = discharge(unit.obligation())
    assert result.green, result.message
    assert [lemma.kind for lemma in result.lemmas] == ["every input"]


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("kind", FAULTS)
def test_faulty_units_are_refuted_in_blocks(kind):
    """As what their results are, evaluated by another meaning of the netlist, says they must be."""
    unit = unit_named("e5m11.reciprocal.rne")
    obligation, right = unit.obligation(), unit.block(0, 1 << unit.fmt.width)["result"]
    every = {"x": np.arange(len(right), dtype=np.uint64)}
    for mutant in islice(mutants(obligation.circuit(), kind, 20261129), 1):
        wrong = boolean.evaluate(mutant.netlist, every)["result"] != right
        result = discharge(obligation, circuit=mutant.netlist)
        assert result.outcome is (Outcome.REFUTED if wrong.any() else Outcome.PROVED), mutant.fault
        if wrong.any():
            assert wrong[result.counterexample["x"]]


NARROWEST = {
    "digits": "e5m5",
    "factors": "e8m8",
    "half_turns": "e5m5",
    "polynomials": "e5m6",
    "quarter_turns": "e8m8",
}
"""Formats of few bits in which a program still makes its functions as it does in wide ones."""


def in_blocks(unit: FunctionUnit) -> Obligation:
    """The theorem of a unit in the way of those of wide formats."""
    how = {"results": unit.block, "line": unit.line, "definition": unit.definition}
    return blocked(unit.name, unit.statement, unit.circuit, **how)


@pytest.mark.parametrize(
    ("function", "mode"),
    one_of_each(
        [(function, mode) for (_, function), modes in IN_BLOCKS.items() for mode in modes],
        kind=lambda case: (case[0], simplest(case[1])),
    ),
    ids=parameter_id,
)
def test_faults_of_every_promised_function_are_refuted(function, mode):
    """Where they change a result, which neurons one by one decide, and what is right one line."""
    program = FunctionUnit.of(function, FP32, mode).construction
    unit = FunctionUnit(function, format_named(NARROWEST[program]), mode, construction=program)
    obligation = in_blocks(unit)
    every = {"x": np.arange(1 << unit.fmt.width, dtype=np.uint64)}
    refuted, enough = 0, 2 if NIGHTLY else 1
    for _, mutant in sample(obligation.circuit(), 8, 20261129):
        if refuted == enough:
            break
        claim = obligation.state(mutant.netlist)
        try:
            require_true_of_every_block(claim, claim.table, interpreted)
        except ViolatedError as error:
            x = error.inputs["x"]
            found = boolean.evaluate(mutant.netlist, {"x": every["x"][x : x + 1]})["result"]
            assert found[0] != unit.line(x)["result"], mutant.fault
            refuted += 1
        else:
            found = carry_save.evaluate(mutant.netlist, every)["result"]
            assert np.array_equal(found, whole(unit)), mutant.fault
    assert refuted == enough


@pytest.mark.parametrize("name", ["e8m8.reciprocal.rne.ionic", *["e8m8.exp.rne.nexus"] * NIGHTLY])
def test_faults_of_gates_are_refuted_in_blocks(name):
    """Where they change a result, as they are evaluated when a theorem is proved, and verified."""
    unit = unit_named(name)
    obligation, every = unit.obligation(), np.arange(1 << unit.fmt.width, dtype=np.uint64)
    right = unit.block(0, len(every))["result"]
    refuted = 0
    for _, mutant in sample(obligation.circuit(), 4, 20261129):
        claim = obligation.state(mutant.netlist)
        found = carry_save.evaluate(mutant.netlist, {"x": every})["result"]
        for evaluator in (compiled, interpreted):
            if np.array_equal(found, right):
                require_true_of_every_block(claim, claim.table, evaluator)
            else:
                with pytest.raises(ViolatedError) as error:
                    require_true_of_every_block(claim, claim.table, evaluator)
                assert error.value.inputs["x"] == np.flatnonzero(found != right)[0], mutant.fault
                refuted += 1
    assert refuted > 2


@pytest.mark.parametrize("function", ["rsqrt", "tanh", "exp", *["exp2", "log", "reciprocal"] * NIGHTLY])
def test_another_mode_is_another_function_in_blocks(function):
    """Of few bits; by the program of digits, by polynomials and by factors."""
    program = FunctionUnit.of(function, FP32, NEAREST).construction
    unit = FunctionUnit(function, format_named(NARROWEST[program]), construction=program)
    circuit = unit.circuit()
    for mode in ("rtz", "rtp", "rtn", "rto"):
        claim = in_blocks(replace(unit, mode=RoundingMode(mode))).state(circuit)
        with pytest.raises(ViolatedError):
            require_true_of_every_block(claim, claim.table, interpreted)


@pytest.mark.parametrize("function", ["exp2", *["sin"] * NIGHTLY])
def test_all_modes_are_decided_together_as_one_by_one(function):
    """Three of the modes; in the nightly profile all."""
    modes = list(RoundingMode)[:: 1 if NIGHTLY else 2]
    units = [unit_named(f"e8m8.{function}.{mode.value}") for mode in modes]
    claims = [unit.obligation().state(unit.circuit()) for unit in units]
    pairs = [(claim, claim.table) for claim in claims]
    alone = [require_true_of_every_block(*pair, compiled) for pair in pairs]
    assert require_all_true_of_every_block(pairs, compiled) == alone
    turned = units[1].obligation().state(units[0].circuit())
    with pytest.raises(ViolatedError) as error:
        require_true_of_every_block(turned, turned.table, compiled)
    with pytest.raises(ViolatedError) as together:
        require_all_true_of_every_block([*pairs, (turned, turned.table)], compiled)
    assert together.value.inputs == error.value.inputs


@pytest.mark.parametrize("name", ["tf32.reciprocal.rne", *["e6m11.reciprocal.rne"] * NIGHTLY])
def test_refutations_of_wide_formats_are_simplified_without_formulas(name):
    obligation = unit_named(name).obligation()
    mutant = next(mutants(obligation.circuit(), "constant", 20261129))
    result = discharge(obligation, circuit=mutant.netlist)
    assert result.outcome is Outcome.REFUTED, result.message


def moved(numbers, index: int, by: int):
    """The numbers, one of them another."""
    return (*numbers[:index], numbers[index] + by, *numbers[index + 1 :])


def faulty_rows(found: Polynomials) -> dict[str, Polynomials]:
    """Rows with one fault each."""
    row = len(found.starts) // 2
    constants, slopes, *others = found.coefficients
    unit = 1 << found.shape.fraction
    return {
        "a result off by one": replace(
            found, coefficients=(moved(constants, row, unit), slopes, *others)
        ),
        "a slope off": replace(found, coefficients=(constants, moved(slopes, row, unit), *others)),
        "a start moved": replace(found, starts=moved(found.starts, row, 1)),
        "an exception dropped": replace(found, exceptions=dict([*found.exceptions.items()][1:])),
    }


def test_faulty_rows_are_refuted():
    unit = unit_named("e5m11.tanh.rne")
    right = rows_of("tanh", unit.fmt, unit.mode, unit.policy)
    for found in faulty_rows(right).values():
        gates = library_gates("threshold")
        x = gates.builder.input("x", unit.fmt.width)
        circuit = gates.builder.build({"result": polynomials_unit(gates, x, found)})
        claim = unit.obligation().state(circuit)
        with pytest.raises(ViolatedError):
            require_true_of_every_block(claim, claim.table, compiled)


def test_a_block_is_what_its_lines_are():
    unit = unit_named("fp32.tanh.rne")
    codes = unit.block(0x3F80_0000, 256)["result"]
    assert codes.tolist() == [unit.line(0x3F80_0000 + k)["result"] for k in range(256)]


def test_definitions_tell_functions_apart():
    names = [f"fp32.{f}.{m}" for f in ("reciprocal", "rsqrt") for m in ("rne", "rtz")]
    units = [*map(unit_named, names), unit_named("e5m11.rsqrt.rne"), unit_named("fp32.rsqrt.rne.daz")]
    assert len({unit.definition for unit in units}) == len(units)
    assert '"specials": "ieee"' in units[0].definition
