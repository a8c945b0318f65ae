"""Extrema, neighbours, comparisons by convention: formula, circuit, spec of record, faults, names."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from pysmt.shortcuts import BV, BVType, Symbol

from spikeproof.circuits.meanings import boolean
from spikeproof.proofs.exact_units import EXACT_OPERATIONS, ExactUnit, under_conventions
from spikeproof.proofs.names import unit_named
from spikeproof.prover.claims.catalogue import CatalogueError, own, select
from spikeproof.prover.claims.obligation import Outcome, Profile
from spikeproof.prover.refutation.drawing import every_input
from spikeproof.prover.refutation.exhaustion import enumerate_all
from spikeproof.prover.refutation.mutation import mutants, stuck_at_zero
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs import exact, exact_general
from spikeproof.specs.conventions import (
    BUNDLES,
    EXTREMA,
    OF_2008,
    NanOperands,
    NanResult,
    convention_named,
)
from spikeproof.specs.formats import (
    FLAGS,
    FP4_E2M1,
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP16,
    FP32,
    ieee_format,
)
from tests.support.faults import some_kinds_for
from tests.support.formula_evaluation import evaluate_all
from tests.support.refusals import refused

pytestmark = pytest.mark.usefixtures("cadical_alone", "counterexamples_as_found")

TINY = ieee_format(2, 2)
"""Small enough to try all, and with NaNs of several payloads, quiet and signalling."""

SEED = 20261128
SUBNORMALS = [convention_named(name) for name in ("", "daz", "daz.unsigned_flush")]
CONVENTIONS = [
    replace(SUBNORMALS[index % 3], nan=nan, nan_operands=operands)
    for index, (operands, nan) in enumerate(product(NanOperands, NanResult))
]
"""All that matters where nothing is rounded: every choice of NaNs, with every one of subnormals."""
ROUNDLESS = (
    *((operation, True) for operation in (*EXTREMA, *exact_general.NEIGHBOURS)),
    *((operation, True) for operation in exact_general.COMPARISONS),
    *((operation, False) for operation in exact.RELATIONS),
)
"""What has conventions, with flags or without."""


def obligation(name):
    return unit_named(f"fp8_e5m2.{name}").obligation(Profile.WIDE)


def circuit(name):
    return unit_named(f"fp8_e5m2.{name}").circuit()


# --- spec of record, formula, circuit -----------------------------------------------------------


@pytest.mark.parametrize(("operation", "flags"), ROUNDLESS)
def test_formula_and_circuit_are_the_spec_of_record(operation, flags):
    coded = ExactUnit(operation, TINY, flags).family.coded
    for convention in CONVENTIONS if coded else SUBNORMALS:
        require_right(ExactUnit(operation, TINY, flags, convention), step=1)


@pytest.mark.parametrize("fmt", [FP4_E2M1, FP8_E4M3FN, FP8_E4M3FNUZ], ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("operation", ["minimum", "max_num_magnitude", "x86_maximum", "next_down"])
def test_so_they_are_in_other_formats(fmt, operation):
    for convention in (each for each in CONVENTIONS if each.is_possible(fmt)):
        require_right(ExactUnit(operation, fmt, True, convention), step=1 if "next" in operation else 97)


def require_right(unit, step):
    netlist = unit.circuit()
    given = {name: codes[::step] for name, codes in every_input(netlist.inputs).items()}
    rows = zip(*(codes.tolist() for codes in given.values()), strict=True)
    expected = [unit.trace(dict(zip(given, row, strict=True))) for row in rows]
    symbols = {name: Symbol(name, BVType(width)) for name, width in netlist.inputs.items()}
    formula, shown = evaluate_all(unit.spec(symbols), given), boolean.evaluate(netlist, given)
    for name in netlist.outputs:
        wanted = [row[name] for row in expected]
        assert shown[name].tolist() == wanted, (unit.name, name)
        assert formula[name].tolist() == wanted, (unit.name, name)


def shown(unit, inputs):
    """What the circuit gives for one input."""
    found = boolean.evaluate(unit.circuit(), {name: np.array([code]) for name, code in inputs.items()})
    return {name: int(codes[0]) for name, codes in found.items()}


QUIET, OTHER, SIGNALLING, NEGATIVE = 0x7FC00001, 0xFFC00002, 0x7F800003, 0xFFA00004
QUIETED, QUIETED_NEGATIVE = SIGNALLING | 1 << 22, NEGATIVE | 1 << 22
ONE, MINUS_ONE, ZERO, MINUS_ZERO, SUBNORMAL = 0x3F800000, 0xBF800000, 0, 1 << 31, 0x80000001

BY_THE_MANUALS = [
    # IEEE 754-2019 clause 9.6
    ("minimum.signalling", (ONE, SIGNALLING), FP32.canonical_nan, True),
    ("minimum.signalling", (QUIET, ONE), FP32.canonical_nan, False),
    ("minimum_number.signalling", (ONE, SIGNALLING), ONE, True),
    ("maximum_number.first_nan.signalling", (QUIET, SIGNALLING), QUIET, True),
    ("minimum_magnitude", (ONE, MINUS_ONE), MINUS_ONE, False),
    ("maximum_magnitude", (MINUS_ONE, ONE), ONE, False),
    ("maximum_magnitude", (0xC0000000, ONE), 0xC0000000, False),
    ("minimum_magnitude", (ZERO, MINUS_ZERO), MINUS_ZERO, False),
    # IEEE 754-2008 clauses 5.3.1, 6.2
    ("min_num.signalling", (ONE, SIGNALLING), FP32.canonical_nan, True),
    ("min_num.signalling", (ONE, QUIET), ONE, False),
    ("max_num_magnitude.signalling", (ONE, SIGNALLING), FP32.canonical_nan, True),
    # RISC-V, volume I, F.6: FMIN.S and FMAX.S are minimumNumber and maximumNumber; if both inputs are
    # NaNs the result is the canonical NaN; signalling NaN inputs set invalid
    ("minimum_number.riscv", (QUIET, OTHER), FP32.canonical_nan, False),
    ("maximum_number.riscv", (SIGNALLING, MINUS_ONE), MINUS_ONE, True),
    ("minimum_number.riscv", (ZERO, MINUS_ZERO), MINUS_ZERO, False),
    # Arm: FMIN by FPProcessNaNs; FMINNM makes a quiet NaN beside a number infinity, a signalling one not
    ("minimum.arm", (QUIET, SIGNALLING), QUIETED, True),
    ("minimum.arm", (OTHER, QUIET), OTHER, False),
    ("min_num.arm", (SIGNALLING, ONE), QUIETED, True),
    ("minimum.arm.daz", (SUBNORMAL, ONE), MINUS_ZERO, False),
    # SDM, MINSS: the second operand as it is, and invalid for every NaN
    ("x86_minimum.x86_sse", (ONE, SIGNALLING), SIGNALLING, True),
    ("x86_minimum.x86_sse", (QUIET, ONE), ONE, True),
    ("x86_maximum", (QUIET, ONE), ONE, True),
    # PTX, min.ftz.f32: subnormal operands are zero of their sign
    ("minimum.cuda", (SUBNORMAL, ONE), MINUS_ZERO, False),
    ("minimum.daz.unsigned_flush", (SUBNORMAL, ONE), ZERO, False),
    # IEEE 754-2019 clause 5.3.1
    ("next_up.signalling", (SIGNALLING,), FP32.canonical_nan, True),
    ("next_up.x86_sse", (NEGATIVE,), QUIETED_NEGATIVE, True),
    ("next_down.x86_sse", (OTHER,), OTHER, False),
    ("next_up.daz", (0x00000005,), 0x00000001, False),
]


@pytest.mark.parametrize(("name", "codes", "result", "invalid"), BY_THE_MANUALS)
def test_what_standards_and_manuals_say(name, codes, result, invalid):
    unit = unit_named(f"fp32.{name}.flags")
    inputs = dict(zip("xy", codes, strict=False))
    expected = {"result": result, "flags": invalid << FLAGS.index("invalid")}
    assert unit.trace(inputs) == shown(unit, inputs) == expected


@pytest.mark.parametrize("fmt", [TINY, FP8_E4M3FN, FP16, FP32], ids=lambda fmt: fmt.name)
def test_signs_are_changed_of_every_nan_and_nothing_else(fmt):
    """Clause 5.5.1: payload and signalling bit are as they were, and nothing is signalled."""
    nans = [fmt.canonical_nan, fmt.canonical_nan | fmt.sign_mask]
    if fmt.has_infinity:
        nans += [fmt.infinity + 1, fmt.infinity + 1 | fmt.sign_mask]
    below = fmt.sign_mask - 1
    for x in nans:
        wanted = {"negate": x ^ fmt.sign_mask, "absolute": x & below, "copy_sign": x & below}
        for operation, result in wanted.items():
            unit = ExactUnit(operation, fmt)
            inputs = {"x": x, "y": 0} if operation == "copy_sign" else {"x": x}
            assert unit.trace(inputs) == shown(unit, inputs) == {"result": result}


# --- several right results ----------------------------------------------------------------------


@pytest.mark.parametrize("nan", ["", "first_nan", "last_nan", "x86_nan", "arm_nan"])
@pytest.mark.parametrize("operation", ["minimum", "min_num", "maximum_magnitude_number", "next_up"])
def test_where_any_nan_will_do_every_rule_is_right(operation, nan):
    given = circuit(f"{operation}.{nan}" if nan else operation)
    assert discharge(obligation(f"{operation}.any_nan"), circuit=given).green
    found = discharge(obligation(f"{operation}.x86_nan"), circuit=given)
    same = nan in ("x86_nan", "first_nan") or (nan == "arm_nan" and operation == "next_up")
    same |= nan == "last_nan" and operation == "next_up"
    assert found.green == same


@pytest.mark.parametrize(("meant", "given"), [("minimum", "minimum_number"), ("min_num", "minimum")])
def test_a_number_in_place_of_nan_is_not(meant, given):
    for claim, netlist in ((meant, given), (given, meant)):
        found = discharge(obligation(f"{claim}.any_nan"), circuit=circuit(f"{netlist}.any_nan"))
        assert found.outcome is Outcome.REFUTED
        assert enumerate_all(obligation(f"{claim}.any_nan"), circuit(netlist), ("spec",), 1).failures


@pytest.mark.parametrize("operation", OF_2008)
def test_of_zeros_either_will_do_and_of_those_that_were_flushed(operation):
    """Beside any NaN."""
    unit = unit_named(f"fp8_e5m2.{operation}.daz.any_nan")

    def counts(x, y, result):
        x, y, result = (BV(code, 8) for code in (x, y, result))
        return unit.observed({"x": x, "y": y}, {"result": result})["result"].simplify()

    for x, y in ((0x00, 0x81), (0x82, 0x00), (0x80, 0x00)):
        assert counts(x, y, 0x00) == counts(x, y, 0x80)
        assert counts(x, y, 0x00) != counts(x, y, 0x01)
    assert counts(0x00, 0x3C, 0x00) != counts(0x00, 0x3C, 0x80)
    assert counts(0x7D, 0x7D, 0x7D) == counts(0x7D, 0x7D, 0xFE)
    claim = unit.obligation(Profile.WIDE)
    assert discharge(claim, circuit=circuit(f"{operation}.first_nan.daz")).green
    assert discharge(claim, circuit=circuit(f"{operation}.first_nan")).outcome is Outcome.REFUTED


# --- proofs can fail ----------------------------------------------------------------------------

TELLING = {
    "minimum.first_nan": "last_nan",
    "maximum.last_nan": "first_nan",
    "minimum_number.arm_nan": "first_nan",
    "minimum_magnitude.signalling": "",
    "min_num.daz": "",
    "x86_maximum.daz.unsigned_flush": "daz",
    "next_up.x86_nan": "",
    "next_down.signalling": "",
    "next_up.daz": "",
    "less.daz": "",
    "signalling_equal.daz": "",
}
"""Theorems, and for each the nearest convention that is not meant."""


@pytest.mark.parametrize(("name", "given"), TELLING.items())
def test_every_choice_is_told_from_its_neighbour(name, given):
    claim = replace(obligation(f"{name}.flags"), engines=("cadical",))
    assert discharge(claim).green
    words = (name.split(".")[0], *filter(None, [given]), "flags")
    assert discharge(claim, circuit=circuit(".".join(words))).outcome is Outcome.REFUTED


@pytest.mark.parametrize("operation", EXTREMA)
def test_every_extremum_is_told_from_all_others(operation):
    claim = replace(obligation(operation), engines=("cadical",))
    for other in EXTREMA:
        outcome = discharge(claim, circuit=circuit(other)).outcome
        assert outcome is (Outcome.PROVED if other == operation else Outcome.REFUTED), other


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("convention", ["arm", "wasm.daz"])
@pytest.mark.parametrize(
    "operation", ["minimum", "max_num_magnitude", "x86_minimum", "next_down", "signalling_less"]
)
def test_faulty_units_are_refuted(operation, convention):
    claim = replace(obligation(f"{operation}.{convention}.flags"), engines=("cadical",))
    netlist = claim.circuit()
    for kind in some_kinds_for(netlist, len(operation + convention)):
        faulty = next(
            mutant
            for mutant in mutants(netlist, kind, SEED)
            if enumerate_all(claim, mutant.netlist, ("spec",), 1).failures
        )
        assert discharge(claim, circuit=faulty.netlist).outcome is Outcome.REFUTED, faulty.fault


@pytest.mark.parametrize("operation", [*EXTREMA, *exact_general.NEIGHBOURS])
def test_a_flag_stuck_at_zero_is_refuted(operation):
    claim = replace(obligation(f"{operation}.riscv.flags"), engines=("cadical",))
    flags = dict(zip(FLAGS, claim.circuit().outputs["flags"], strict=True))
    invalid = flags.pop("invalid")
    assert len(set(flags.values())) == 1  # all others are the same constant
    stuck = stuck_at_zero(claim.circuit(), invalid).netlist
    assert discharge(claim, circuit=stuck).outcome is Outcome.REFUTED


# --- names --------------------------------------------------------------------------------------


def test_every_unit_is_found_by_its_name():
    for unit in under_conventions():
        assert unit_named(unit.name) == unit
        assert unit.name in own()
    for operation in EXACT_OPERATIONS - {"class"}:
        names = [name for name in own() if name.startswith(f"fp16.{operation}")]
        assert all(unit_named(name).name == name for name in names), operation
    assert unit_named("fp16.class").name == "fp16.class"


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("fp16.minimum.flags.riscv.any_nan", "fp16.minimum.riscv.any_nan.flags"),
        ("fp_e4m3.next_up.daz", "e4m3.next_up.daz"),
        ("e3m2.class", "e3m2.class"),
        ("fp8_e4m3fn.maximum_number.ieee", "fp8_e4m3fn.maximum_number"),
    ],
)
def test_what_a_name_describes_need_not_be_promised(name, canonical):
    (found,) = select(name)
    assert found.name == canonical


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fp16.minimum.rne", "unknown convention 'rne'; choose one of ieee, riscv, arm, "),
        ("fp16.minimum.saturate", "unknown convention 'saturate'; choose one"),
        ("fp16.minimum.nexus", "unknown convention 'nexus'; choose one"),
        ("fp16.minimum.first_nan.last_nan", "'last_nan' contradicts 'first_nan'; leave out one"),
        ("fp16.minimum.flags.flags", "'flags' is said beside another flags; leave out one of them"),
        ("fp16.add.rne.nexus.shallow", "library 'nexus' cannot be shallow, which needs any fan-in"),
        (
            "fp16.add.rne.shallow_radix8",
            "add has no rows, so it cannot be shallow_radix8; choose shallow",
        ),
        (
            "fp16.square_root.rne.shallow_redundant_radix8",
            "square_root has no redundant rows, so it cannot be shallow_redundant_radix8",
        ),
        ("fp8_e4m3fn.minimum.arm", "format fp8_e4m3fn has no NaN with a payload, so no 'arm_nan'; use"),
        ("fp17.minimum", "unknown format 'fp17'"),
        ("fp16.class.flags", "class has no flags; leave out 'flags'"),
        ("fp16.negate.flags", "negate has no flags; leave out 'flags'"),
        ("fp16.signalling_less", "signalling_less is there with its flags alone; add 'flags'"),
        ("fp16.total_order.riscv", "total_order is the same by all conventions; leave them out"),
        ("fp16.copy_sign.any_nan", "copy_sign is the same by all conventions; leave them out"),
    ],
)
def test_what_no_name_describes_is_refused_in_one_line(name, words):
    with refused(error=CatalogueError) as error:
        select(name)
    assert str(error.value).startswith(f"no theorem is named {name!r}: {words}")


@pytest.mark.parametrize("operation", ["minimum", "next_up"])
def test_specs_and_circuits_refuse_a_convention_that_a_format_cannot_have(operation):
    unit = ExactUnit(operation, FP8_E4M3FN, convention=BUNDLES["arm"])
    for wanted in (unit.circuit, lambda: unit.trace({"x": 0, "y": 0})):
        with pytest.raises(ValueError, match="no NaN with a payload"):
            wanted()
    assert convention_named("any_nan").is_possible(FP8_E4M3FN)
