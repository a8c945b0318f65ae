"""Conversions from and to integers, with flags and by every convention: specs, circuits, and others."""

from math import ceil, floor, trunc

import numpy as np
import pytest
from pysmt.shortcuts import BVType, Symbol

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.integer_conversion import build_from_integer, build_to_integer
from spikeproof.specs import exact, symbolic
from spikeproof.specs.conventions import convention_named
from spikeproof.specs.formats import (
    FLAGS,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    FP32,
    INTEGERS,
    Integer,
    RoundingMode,
)
from tests.support import x86
from tests.support.formula_evaluation import evaluate_all

NAMES = ["", "largest_for_nan", "indefinite", "wrapped", "silent_conversion", "wrapped.daz"]
INT32, UINT32 = INTEGERS["int32"], INTEGERS["uint32"]
INVALID, INEXACT = (1 << FLAGS.index(name) for name in ("invalid", "inexact"))
MODES = tuple(RoundingMode)


def every(width):
    return np.arange(1 << width, dtype=np.uint64)


def fp32(number):
    return int(np.float32(number).view(np.uint32))


# --- specs and circuits ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("integer", [Integer(3, True), INTEGERS["uint8"], INT32], ids=lambda i: i.name)
@pytest.mark.parametrize("fmt", [FP8_E5M2, FP8_E4M3FN], ids=lambda f: f.name)
def test_to_integers_on_every_code(fmt, integer, name):
    convention, codes = convention_named(name), every(fmt.width)
    x = Symbol(f"x{fmt.width}", BVType(fmt.width))
    for mode in MODES:
        formulas = {
            "result": symbolic.convert_to_integer(fmt, integer, mode, x, convention),
            "flags": symbolic.to_integer_flags(fmt, integer, mode, x, convention),
        }
        record = {
            "result": [exact.convert_to_integer(fmt, integer, mode, int(c), convention) for c in codes],
            "flags": [exact.to_integer_flags(fmt, integer, mode, int(c), convention) for c in codes],
        }
        found = evaluate_all(formulas, {f"x{fmt.width}": codes})
        netlist = build_to_integer(fmt, integer, mode, flags=True, convention=convention)
        simulated = boolean.evaluate(netlist, {"x": codes})
        for output, wanted in record.items():
            assert found[output].tolist() == wanted, (mode, output)
            assert simulated[output].tolist() == wanted, (mode, output)


@pytest.mark.parametrize("integer", [INTEGERS["int8"], Integer(11, False)], ids=lambda i: i.name)
@pytest.mark.parametrize("fmt", [FP8_E5M2, FP8_E4M3FN], ids=lambda f: f.name)
def test_flags_from_integers_on_every_code(fmt, integer):
    codes, policy = every(integer.width), fmt.policies[0]
    x = Symbol(f"i{integer.width}", BVType(integer.width))
    for mode in MODES:
        wanted = [exact.from_integer_flags(integer, fmt, mode, int(c)) for c in codes]
        formula = symbolic.from_integer_flags(integer, fmt, mode, x)
        assert evaluate_all({0: formula}, {f"i{integer.width}": codes})[0].tolist() == wanted
        netlist = build_from_integer(integer, fmt, mode, policy, flags=True)
        assert boolean.evaluate(netlist, {"x": codes})["flags"].tolist() == wanted


# --- what others do -------------------------------------------------------------------------------

LANDMARKS = [
    *(0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-40, -1e-40, 2147483520.0, 2147483648.0),
    *(-2147483648.0, -2147483904.0, 4294967040.0, 4294967296.0, -1.0, -0.99, 3e9, 1e20, -1e20),
    *(float(1 << 40) + (1 << 17), float("inf"), float("-inf"), float("nan")),
]


@pytest.mark.skipif(not x86.AVAILABLE, reason="no x86")
@pytest.mark.parametrize("mode", x86.MODES)
def test_what_x86_does(mode):
    generator = np.random.default_rng(5)
    near = generator.integers(0x4E000000, 0x50000000, 2000, dtype=np.uint32)
    small = generator.integers(0x3E000000, 0x4C000000, 2000, dtype=np.uint32)
    codes = np.concatenate([[fp32(number) for number in LANDMARKS], near, small, near | 1 << 31])
    codes = codes.astype(np.uint32)
    results, flags = x86.fp32("to_int32", x86.MODES[mode], codes)
    convention = convention_named("x86_sse")
    for code, result, raised in zip(codes.tolist(), results.tolist(), flags.tolist(), strict=True):
        given = (FP32, INT32, RoundingMode(mode), code, convention)
        assert exact.convert_to_integer(*given) == result, hex(code)
        assert exact.to_integer_flags(*given) == raised, hex(code)


def whole(mode, number):
    """The integer by Python's own rounding, which is exact."""
    away = floor(abs(number) + 0.5) if abs(number) < 1 << 24 else abs(int(number))
    return {
        "rne": round(number),
        "rna": away if number >= 0 else -away,
        "rtz": trunc(number),
        "rtp": ceil(number),
        "rtn": floor(number),
    }[mode]


@pytest.mark.parametrize("integer", [INTEGERS["int8"], UINT32], ids=lambda i: i.name)
@pytest.mark.parametrize("mode", ["rne", "rna", "rtz", "rtp", "rtn"])
def test_integers_wrap_as_those_of_python_modulo_a_power_of_two(mode, integer):
    numbers = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float64)
    convention = convention_named("wrapped")
    for code in range(0, 1 << 16, 7):
        number = float(numbers[code])
        wanted = whole(mode, number) % (1 << integer.width) if np.isfinite(number) else 0
        assert exact.convert_to_integer(FP16, integer, RoundingMode(mode), code, convention) == wanted


BY_THE_MANUALS = [
    # The RISC-V Instruction Set Manual, table of FCVT.int.fmt: NaN as +infinity
    ("riscv", INT32, float("nan"), 0x7FFFFFFF, INVALID),
    ("riscv", INT32, float("-inf"), 0x80000000, INVALID),
    ("riscv", UINT32, float("nan"), 0xFFFFFFFF, INVALID),
    ("riscv", UINT32, -1.0, 0, INVALID),
    ("riscv", UINT32, -0.75, 0, INEXACT),
    # Arm, FPToFixed: saturating, NaN is 0
    ("arm", INT32, float("nan"), 0, INVALID),
    ("arm", UINT32, 1e20, 0xFFFFFFFF, INVALID),
    # SDM: the indefinite integer; of unsigned ones all bits are set
    ("x86_sse", INT32, float("nan"), 0x80000000, INVALID),
    ("x86_sse", UINT32, -1.0, 0xFFFFFFFF, INVALID),
    # ECMAScript, ToInt32
    ("wrapped", INT32, 4294967296.0 + 512, 512, INVALID),
    ("wrapped", INT32, -4294967296.0 - 512, 0x100000000 - 512, INVALID),
    ("wrapped", INT32, float("inf"), 0, INVALID),
    # IEEE 754-2019 clause 5.8: convertToInteger without Exact does not signal inexact
    ("silent_conversion", INT32, 2.5, 2, 0),
]


@pytest.mark.parametrize(("name", "integer", "number", "result", "flags"), BY_THE_MANUALS)
def test_what_the_manuals_say(name, integer, number, result, flags):
    given = (FP32, integer, RoundingMode.TOWARD_ZERO, fp32(number), convention_named(name))
    assert exact.convert_to_integer(*given) == result
    assert exact.to_integer_flags(*given) == flags


def test_overflow_of_an_integer_is_told():
    """The largest numbers are 448 and 57,344; beyond them toward zero is the largest, with overflow."""
    overflow, mode = 1 << FLAGS.index("overflow"), RoundingMode.TOWARD_ZERO
    for fmt, largest, next_one in ((FP8_E4M3FN, 448, 480), (FP8_E5M2, 57344, 65535)):
        flags = [exact.from_integer_flags(Integer(16, False), fmt, mode, n) for n in (largest, next_one)]
        assert flags[0] == 0
        assert flags[1] == (INEXACT if fmt is FP8_E5M2 else overflow | INEXACT)
