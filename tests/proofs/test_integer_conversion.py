"""Conversions from and to integers: specs against each other and NumPy, circuits, mutants."""

from itertools import product

import numpy as np
import pytest
from pysmt.shortcuts import BVType, Symbol

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.integer_conversion import build_from_integer, build_to_integer
from spikeproof.circuits.units.libraries import FAST, LIBRARIES, SMALL
from spikeproof.proofs.integer_conversions import FromInteger, ToInteger
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.prover.refutation.mutation import mutants
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs import exact, symbolic
from spikeproof.specs.formats import (
    FORMATS,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    FP32,
    FP64,
    INTEGERS,
    SMALL_FORMATS,
    Integer,
    OverflowPolicy,
    RoundingMode,
    ieee_format,
)
from tests.support.faults import some_kinds_for
from tests.support.formula_evaluation import evaluate
from tests.support.graphs import Encoded
from tests.support.integers import many_integers
from tests.support.profile import NIGHTLY, parameter_id

pytestmark = pytest.mark.usefixtures("cadical_alone")

RNE, RTZ = RoundingMode.NEAREST_EVEN, RoundingMode.TOWARD_ZERO
IEEE, SATURATE = OverflowPolicy.IEEE, OverflowPolicy.SATURATE
INT8, UINT8 = INTEGERS["int8"], INTEGERS["uint8"]
SEED = 20261122


def every_code(width):
    return np.arange(1 << width, dtype=np.uint64)


def symbol(width):
    return Symbol(f"x{width}", BVType(width))


def from_integer_table(source, fmt, mode, policy):
    return [
        exact.convert_from_integer(source, fmt, mode, policy, int(c)) for c in every_code(source.width)
    ]


def to_integer_table(source, target, mode):
    return [exact.convert_to_integer(source, target, mode, int(c)) for c in every_code(source.width)]


# --- the spec of record -------------------------------------------------------------------------


def test_the_range_of_an_integer():
    assert (INT8.name, INT8.minimum, INT8.maximum) == ("int8", -128, 127)
    assert (UINT8.name, UINT8.minimum, UINT8.maximum) == ("uint8", 0, 255)
    assert exact.decode_integer(INT8, 0x80).signed == -128
    assert exact.decode_integer(UINT8, 0x80).signed == 128


@pytest.mark.parametrize(
    ("number", "rne", "rna", "rtz", "rtp", "rtn"),
    [
        (2.5, 2, 3, 2, 3, 2),
        (3.5, 4, 4, 3, 4, 3),
        (-2.5, -2, -3, -2, -2, -3),
        (-0.0, 0, 0, 0, 0, 0),
        (-0.5, 0, -1, 0, 0, -1),
        (127.5, 127, 127, 127, 127, 127),
        (-128.5, -128, -128, -128, -128, -128),
        (1e30, 127, 127, 127, 127, 127),
        (-np.inf, -128, -128, -128, -128, -128),
        (np.nan, 0, 0, 0, 0, 0),
    ],
)
def test_rounding_to_an_integer_in_every_mode_of_ieee_754(number, rne, rna, rtz, rtp, rtn):
    code = int(np.float64(number).view(np.uint64))
    for name, expected in {"rne": rne, "rna": rna, "rtz": rtz, "rtp": rtp, "rtn": rtn}.items():
        actual = exact.convert_to_integer(FP64, INT8, RoundingMode(name), code)
        assert exact.decode_integer(INT8, actual).signed == expected, name


def test_nothing_negative_fits_an_unsigned_integer():
    for mode, number in product(RoundingMode, (-0.25, -1.0, -200.0, -np.inf)):
        code = int(np.float64(number).view(np.uint64))
        assert exact.convert_to_integer(FP64, UINT8, mode, code) == 0


def test_refusals_say_what_is_wrong():
    with pytest.raises(ValueError, match="an integer format needs at least 2 bits, got 1"):
        Integer(1, signed=True)
    with pytest.raises(ValueError, match="0x100 is not a code of int8, which has 8 bits"):
        exact.decode_integer(INT8, 0x100)
    for convert in (exact.convert_from_integer, symbolic.convert_from_integer):
        code = 1 if convert is exact.convert_from_integer else symbol(8)
        with pytest.raises(ValueError, match="fp8_e4m3fn has no policy 'ieee'; it has: saturate, nan"):
            convert(INT8, FP8_E4M3FN, RNE, IEEE, code)
    with pytest.raises(ValueError, match="fp8_e4m3fn has no policy 'ieee'; it has: saturate, nan"):
        build_from_integer(INT8, FP8_E4M3FN, RNE, IEEE)


# --- the two specs ------------------------------------------------------------------------------


@pytest.mark.parametrize("integer", [INT8, UINT8], ids=lambda integer: integer.name)
@pytest.mark.parametrize("fmt", SMALL_FORMATS, ids=lambda fmt: fmt.name)
def test_symbolic_and_exact_agree_on_every_code(fmt, integer):
    for mode in RoundingMode:
        for policy in fmt.policies:
            formula = symbolic.convert_from_integer(integer, fmt, mode, policy, symbol(8))
            actual = evaluate(formula, {"x8": every_code(8)})
            assert actual.tolist() == from_integer_table(integer, fmt, mode, policy), (mode, policy)
        formula = symbolic.convert_to_integer(fmt, integer, mode, symbol(fmt.width))
        actual = evaluate(formula, {f"x{fmt.width}": every_code(fmt.width)})
        assert actual.tolist() == to_integer_table(fmt, integer, mode), mode


OF_16_BITS = (INTEGERS["int16"], INTEGERS["uint16"])


@pytest.mark.parametrize(
    ("integer", "mode"),
    list(product(OF_16_BITS, (RNE, RTZ)) if NIGHTLY else zip(OF_16_BITS, (RTZ, RNE), strict=True)),
    ids=parameter_id,
)
def test_fp16_and_16_bit_integers_on_every_code(integer, mode):
    """Both specs and both circuits."""
    codes = {"x": every_code(16)}
    expected = from_integer_table(integer, FP16, mode, IEEE)
    formula = symbolic.convert_from_integer(integer, FP16, mode, IEEE, symbol(16))
    assert evaluate(formula, {"x16": codes["x"]}).tolist() == expected
    netlist = build_from_integer(integer, FP16, mode, IEEE)
    assert boolean.evaluate(netlist, codes)["result"].tolist() == expected

    expected = to_integer_table(FP16, integer, mode)
    formula = symbolic.convert_to_integer(FP16, integer, mode, symbol(16))
    assert evaluate(formula, {"x16": codes["x"]}).tolist() == expected
    netlist = build_to_integer(FP16, integer, mode)
    assert boolean.evaluate(netlist, codes)["result"].tolist() == expected


WIDE = [fmt for fmt in FORMATS.values() if fmt not in SMALL_FORMATS]


def some_modes(*place):
    """Every third mode, others for each place in some enumeration; all in the nightly profile."""
    modes = list(RoundingMode)
    return modes if NIGHTLY else modes[sum(place) % 3 :: 3]


def codes_near_integers(fmt, integer, count, seed):
    """Codes drawn by class, and those of drawn integers with their neighbours."""
    drawn = many_codes(fmt, count, seed)[0]
    near = [
        exact.convert_from_integer(integer, fmt, RNE, SATURATE, int(code))
        for code in many_integers(integer, count, seed)
    ]
    shift = np.random.default_rng(seed).integers(-1, 2, count)
    moved = (np.array(near, dtype=np.uint64).view(np.int64) + shift).view(np.uint64)
    return np.concatenate([drawn, moved & np.uint64((1 << fmt.width) - 1)])


@pytest.mark.parametrize("integer", INTEGERS.values(), ids=lambda integer: integer.name)
@pytest.mark.parametrize("fmt", WIDE, ids=lambda fmt: fmt.name)
def test_symbolic_and_exact_agree_on_codes_drawn_by_class(fmt, integer):
    """In every third mode, others for each format and integer; in the nightly profile in all."""
    modes = some_modes(WIDE.index(fmt), list(INTEGERS.values()).index(integer))
    integers, codes = many_integers(integer, 100, SEED), codes_near_integers(fmt, integer, 50, SEED)
    x, code = symbol(integer.width), symbol(fmt.width)
    wanted = list(product(modes, fmt.policies))
    formulas = {
        (mode, policy): symbolic.convert_from_integer(integer, fmt, mode, policy, x)
        for mode, policy in wanted
    }
    found = Evaluation(formulas).evaluate({f"x{integer.width}": integers})
    for mode, policy in wanted:
        expected = [exact.convert_from_integer(integer, fmt, mode, policy, int(c)) for c in integers]
        assert found[mode, policy].tolist() == expected, (mode, policy)
    formulas = {mode: symbolic.convert_to_integer(fmt, integer, mode, code) for mode in modes}
    found = Evaluation(formulas).evaluate({f"x{fmt.width}": codes})
    for mode in modes:
        expected = [exact.convert_to_integer(fmt, integer, mode, int(c)) for c in codes]
        assert found[mode].tolist() == expected, mode


HARDWARE = {FP16: (np.float16, np.uint16), FP32: (np.float32, np.uint32), FP64: (np.float64, np.uint64)}


def machine_integer(integer):
    return np.dtype(integer.name)


@pytest.mark.parametrize("integer", [INTEGERS[n] for n in ("int32", "uint32", "int64", "uint64")])
@pytest.mark.parametrize("fmt", HARDWARE, ids=lambda fmt: fmt.name)
def test_against_the_machine(fmt, integer):
    """From integers to nearest even; to integers toward zero, where the number is in range."""
    kind, word = HARDWARE[fmt]
    count = 1 << (17 if NIGHTLY else 15)
    codes = many_integers(integer, count, SEED)
    values = codes.astype(f"uint{integer.width}").view(machine_integer(integer))
    with np.errstate(over="ignore"):
        expected = values.astype(kind).view(word)
    formula = symbolic.convert_from_integer(integer, fmt, RNE, IEEE, symbol(integer.width))
    assert np.array_equal(Encoded(formula).evaluate({f"x{integer.width}": codes}), expected)

    codes = np.concatenate([expected.astype(np.uint64), *many_codes(fmt, count, SEED)])
    numbers = codes.astype(word).view(kind)
    # Compared in doubles, where both ends of the range are exact or a power of two above it.
    with np.errstate(invalid="ignore"):
        whole = np.trunc(numbers.astype(np.float64))
    in_range = (whole >= float(integer.minimum)) & (whole < float(1 << integer.width - integer.signed))
    codes, numbers = codes[in_range], numbers[in_range]
    assert len(codes) > 10000
    expected = numbers.astype(machine_integer(integer)).view(f"uint{integer.width}")
    formula = symbolic.convert_to_integer(fmt, integer, RTZ, symbol(fmt.width))
    assert np.array_equal(Encoded(formula).evaluate({f"x{fmt.width}": codes}), expected)


# --- circuits -----------------------------------------------------------------------------------


NARROW = (INT8, UINT8, Integer(5, True), Integer(2, False))


@pytest.mark.parametrize("integer", NARROW)
@pytest.mark.parametrize("fmt", [*SMALL_FORMATS, ieee_format(3, 5)], ids=lambda fmt: fmt.name)
def test_circuits_on_every_code(fmt, integer):
    """In every third mode, others for each format and integer; in the nightly profile in all."""
    for mode in some_modes(len(fmt.name), NARROW.index(integer)):
        for policy in fmt.policies:
            netlist = build_from_integer(integer, fmt, mode, policy)
            actual = boolean.evaluate(netlist, {"x": every_code(integer.width)})["result"]
            assert actual.tolist() == from_integer_table(integer, fmt, mode, policy), (mode, policy)
        netlist = build_to_integer(fmt, integer, mode)
        actual = boolean.evaluate(netlist, {"x": every_code(fmt.width)})["result"]
        assert actual.tolist() == to_integer_table(fmt, integer, mode), mode


@pytest.mark.parametrize("structure", [SMALL, FAST])
@pytest.mark.parametrize("library", LIBRARIES)
def test_circuits_of_every_library_and_structure(library, structure):
    codes = {"x": every_code(8)}
    netlist = build_from_integer(INT8, FP8_E5M2, RNE, IEEE, library, structure)
    assert boolean.evaluate(netlist, codes)["result"].tolist() == from_integer_table(
        INT8, FP8_E5M2, RNE, IEEE
    )
    netlist = build_to_integer(FP8_E5M2, INT8, RNE, library, structure)
    assert boolean.evaluate(netlist, codes)["result"].tolist() == to_integer_table(FP8_E5M2, INT8, RNE)


CONVERSIONS = [
    FromInteger(INT8, FP8_E4M3FN, policy=SATURATE),
    FromInteger(INTEGERS["int64"], FP32),
    ToInteger(FP8_E5M2, INT8),
    ToInteger(FP32, INTEGERS["uint64"], RNE),
]


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("conversion", CONVERSIONS, ids=lambda conversion: conversion.name)
def test_faulty_conversions_are_refuted(conversion):
    obligation = conversion.obligation()
    netlist = obligation.circuit()
    if isinstance(conversion, FromInteger):
        inputs = {"x": many_integers(conversion.source, 4096, SEED)}
    else:
        inputs = {"x": many_codes(conversion.source, 4096, SEED)[0]}
    sound = boolean.evaluate(netlist, inputs)["result"]
    for kind in some_kinds_for(netlist, CONVERSIONS.index(conversion)):
        mutant = next(
            mutant
            for mutant in mutants(netlist, kind, SEED)
            if not np.array_equal(boolean.evaluate(mutant.netlist, inputs)["result"], sound)
        )
        result = discharge(obligation, circuit=mutant.netlist)
        assert result.outcome is Outcome.REFUTED, mutant.fault
        assert "the circuit differs from its spec" in result.message


def test_a_counterexample_shows_a_signed_integer_as_the_number_it_is():
    """Rounding down instead of toward zero is wrong for negative numbers, by one."""
    conversion = ToInteger(FP8_E5M2, INT8)
    circuit = build_to_integer(FP8_E5M2, INT8, RoundingMode.DOWN)
    result = discharge(conversion.obligation(), circuit=circuit)
    right = exact.convert_to_integer(FP8_E5M2, INT8, RTZ, result.counterexample["x"])
    number = exact.decode_integer(INT8, right).signed
    assert f"result, spec     {right:08b} = {number}\n" in result.message
    assert f"= {number - 1}\n" in result.message


@pytest.mark.usefixtures("counterexamples_as_found")
def test_a_conversion_of_another_mode_is_refuted():
    for mode in RoundingMode:
        wanted = Outcome.PROVED if mode is RTZ else Outcome.REFUTED
        circuit = build_to_integer(FP8_E5M2, INT8, mode)
        assert discharge(ToInteger(FP8_E5M2, INT8).obligation(), circuit=circuit).outcome is wanted, mode


@pytest.mark.parametrize("integer", [INT8, UINT8], ids=lambda integer: integer.name)
def test_the_trace_is_what_the_circuit_shows(integer):
    """Each probe of a sound circuit has the value that the spec of record implies."""
    for conversion in (
        ToInteger(FP8_E5M2, integer, RNE),
        ToInteger(FP8_E4M3FN, integer),
        FromInteger(integer, FP8_E5M2),
    ):
        netlist = conversion.circuit()
        signals = boolean.evaluate_signals(netlist, {"x": every_code(8)})
        shown = {name: boolean.bus_words(signals, bus) for name, bus in netlist.probes.items()}
        for code in range(1 << 8):
            for name, value in conversion.trace({"x": code}).items():
                live = sum(1 << i for i, s in enumerate(netlist.probes.get(name, ())) if s >= 0)
                assert name not in shown or int(shown[name][code]) & live == value & live, (code, name)
