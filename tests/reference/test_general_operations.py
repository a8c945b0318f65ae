"""Whole numbers, scaling, exponents, neighbours, total order, comparisons: as other implementations."""

import ctypes
from functools import cache
from itertools import product

import ml_dtypes
import numpy as np
import pytest
from pysmt.shortcuts import BVType, Symbol

from spikeproof.prover.refutation.drawing import inputs_by_class, many_codes
from spikeproof.specs import exact as exact_codes
from spikeproof.specs import exact_general as exact
from spikeproof.specs import symbolic_general as symbolic
from spikeproof.specs.conventions import BUNDLES, OF_2008, convention_named
from spikeproof.specs.formats import (
    BFLOAT16,
    CLASSES,
    FLAGS,
    FORMATS,
    FP16,
    FP32,
    FP64,
    OverflowPolicy,
    RoundingMode,
    scale_integer,
)
from tests.support import x86
from tests.support.graphs import Encoded
from tests.support.profile import NIGHTLY

SEED = 20261128
IEEE = OverflowPolicy.IEEE
NEAREST = RoundingMode.NEAREST_EVEN

MACHINE = {FP16: (np.float16, np.uint16), FP32: (np.float32, np.uint32), FP64: (np.float64, np.uint64)}
ML_DTYPES = {
    FORMATS[name]: getattr(ml_dtypes, name.replace("fp", "float") + suffix)
    for name, suffix in (
        ("fp8_e4m3fn", ""),
        ("fp8_e5m2", ""),
        ("fp8_e4m3fnuz", ""),
        ("fp8_e5m2fnuz", ""),
        ("fp6_e2m3", "fn"),
        ("fp6_e3m2", "fn"),
        ("fp4_e2m1", "fn"),
    )
}
ALL = {**MACHINE, BFLOAT16: (ml_dtypes.bfloat16, np.uint16)}
ALL |= {fmt: (kind, np.uint8) for fmt, kind in ML_DTYPES.items()}
FORMAT_IDS = {"ids": lambda fmt: fmt.name}


def some_codes(fmt):
    """Every code of up to 16 bits; of others as many drawn by class."""
    if fmt.width <= 16:
        return np.arange(1 << fmt.width, dtype=np.uint64)
    return many_codes(fmt, 1 << 16, SEED, 1)[0]


@cache
def nans(fmt):
    """All of them, of up to 16 bits."""
    return np.array([fmt.is_nan(code) for code in range(1 << fmt.width)])


def canonical(fmt, codes):
    """Codes with every NaN replaced by the canonical one."""
    if fmt.width > 16:
        nan = codes & np.uint64(fmt.sign_mask - 1) > np.uint64(fmt.infinity)
    else:
        nan = nans(fmt)[codes.astype(np.intp)]
    return np.where(nan, np.uint64(fmt.canonical_nan if fmt.has_nan else 0), codes)


def codes_of(fmt, numbers):
    """The codes of numbers, with the canonical NaN."""
    kind, word = ALL[fmt]
    codes = np.asarray(numbers).astype(kind, copy=False).view(word).astype(np.uint64)
    return canonical(fmt, codes & np.uint64((1 << fmt.width) - 1))


def numbers_of(fmt, codes):
    kind, word = ALL[fmt]
    return codes.astype(word).view(kind)


def symbol(name, width):
    return Symbol(f"{name}{width}", BVType(width))


def formula_of(operation, fmt, mode, *codes):
    """The results of an operation that rounds, by the symbolic spec."""
    widths = (fmt.width, scale_integer(fmt).width)
    operands = [symbol(name, width) for name, width, _ in zip("xn", widths, codes, strict=False)]
    formula = symbolic.compute(operation, fmt, mode, fmt.policies[0], *operands)
    given = {operand.symbol_name(): each for operand, each in zip(operands, codes, strict=True)}
    return Encoded(formula).evaluate(given)


# --- NumPy and ml_dtypes ------------------------------------------------------------------------

FUNCTIONS = {"rne": np.rint, "rtz": np.trunc, "rtp": np.ceil, "rtn": np.floor}


@pytest.mark.parametrize("mode", FUNCTIONS)
@pytest.mark.parametrize("fmt", ALL, **FORMAT_IDS)
def test_whole_numbers(fmt, mode):
    codes = some_codes(fmt)
    with np.errstate(invalid="ignore"):
        expected = codes_of(fmt, FUNCTIONS[mode](numbers_of(fmt, codes)))
    assert np.array_equal(formula_of("round_to_integral", fmt, RoundingMode(mode), codes), expected)


@pytest.mark.parametrize("fmt", ALL, **FORMAT_IDS)
def test_scaling(fmt):
    """To nearest even; ml_dtypes rounds what it has from single precision, once."""
    integer = scale_integer(fmt)
    given = inputs_by_class(
        {"x": fmt.width, "n": integer.width}, {"x": fmt, "n": integer}, 1 << 16, SEED
    )
    n = np.where(
        given["n"] > integer.maximum, given["n"].astype(np.int64) - (1 << integer.width), given["n"]
    )
    numbers = numbers_of(fmt, given["x"])
    with np.errstate(all="ignore"):
        if fmt in MACHINE and fmt is not FP16:
            scaled = np.ldexp(numbers, n.astype(np.int32))
        else:  # exact in doubles, but for what overflows in any case
            scaled = np.ldexp(numbers.astype(np.float64), n.astype(np.int32))
        expected = codes_of(fmt, scaled.astype(ALL[fmt][0]))
    found = formula_of("scale_b", fmt, NEAREST, given["x"], given["n"])
    usual = np.ones(len(found), dtype=bool)
    if not fmt.has_infinity:  # beyond the largest number ml_dtypes has NaN or saturates, as it likes
        largest = float(exact.decode(fmt, fmt.largest_finite).rational)
        usual = ~(np.abs(scaled) > largest)
    assert usual.sum() > 10000
    assert np.array_equal(found[usual], expected[usual])


def neighbours(fmt, operation, codes):
    signed = np.inf if operation == "next_up" else -np.inf
    if not fmt.has_infinity:
        largest = float(exact.decode(fmt, fmt.largest_finite).rational)
        signed = np.copysign(largest, signed)
    kind, _ = ALL[fmt]
    with np.errstate(all="ignore"):
        return np.nextafter(numbers_of(fmt, codes), np.array(signed).astype(kind))


@pytest.mark.parametrize("operation", exact.NEIGHBOURS)
@pytest.mark.parametrize("fmt", ALL, **FORMAT_IDS)
def test_neighbours(fmt, operation):
    codes = some_codes(fmt)
    expected = codes_of(fmt, neighbours(fmt, operation, codes))
    formula = symbolic.neighbour(operation, fmt, symbol("x", fmt.width))
    found = Encoded(formula).evaluate({f"x{fmt.width}": codes})
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("fmt", [fmt for fmt in ALL if fmt.width <= 16], **FORMAT_IDS)
def test_exponents_of_every_code(fmt):
    """As doubles' frexp has them, rounded to the format by a cast; zero where there is infinity."""
    codes = some_codes(fmt)
    with np.errstate(all="ignore"):
        numbers = numbers_of(fmt, codes).astype(np.float64)
        exponent = np.frexp(numbers)[1].astype(np.float64) - 1
        special = np.where(numbers == 0, -np.inf, np.abs(numbers))
        exponent = np.where((numbers == 0) | ~np.isfinite(numbers), special, exponent)
        expected = codes_of(fmt, exponent.astype(ALL[fmt][0]))
    usual = (numbers != 0) | fmt.has_infinity
    assert np.array_equal(formula_of("log_b", fmt, NEAREST, codes)[usual], expected[usual])


# --- the C library ------------------------------------------------------------------------------

LIBM = ctypes.CDLL("libm.so.6")
C_MODES = {"rne": 0, "rtn": 0x400, "rtp": 0x800, "rtz": 0xC00}
C_FLAGS = {"invalid": 1, "divide_by_zero": 4, "overflow": 8, "underflow": 16, "inexact": 32}


class Single(ctypes.Structure):
    """A float of which no bit is touched on the way: passed in a register as float is."""

    _fields_ = [("value", ctypes.c_float)]


def single(code):
    return Single.from_buffer_copy(int(code).to_bytes(4, "little"))


def code_of(number):
    return int.from_bytes(bytes(number), "little")


def in_c(name, mode, *arguments):
    """Result and exceptions of a C function of floats, in one of ``C_MODES``."""
    function = getattr(LIBM, name)
    function.restype = Single
    LIBM.fesetround(C_MODES[mode])
    try:
        LIBM.feclearexcept(63)
        result = function(*arguments)
        raised = LIBM.fetestexcept(63)
    finally:
        LIBM.fesetround(0)
    flags = sum(1 << place for place, flag in enumerate(FLAGS) if raised & C_FLAGS[flag])
    return code_of(result), flags


on_x86 = pytest.mark.skipif(not x86.AVAILABLE, reason="needs an x86-64 processor with FMA")
COUNT = 3000 if NIGHTLY else 1000


@on_x86
@pytest.mark.parametrize("mode", C_MODES)
def test_exact_functions_of_the_c_library_with_their_flags(mode):
    """Tininess as x86 tells it; signalling NaNs raise invalid."""
    integer, rounding = scale_integer(FP32), RoundingMode(mode)
    given = inputs_by_class({"x": 32, "n": integer.width}, {"x": FP32, "n": integer}, COUNT, SEED)
    convention = BUNDLES["x86_sse"]
    for x, n in zip(*(each.tolist() for each in given.values()), strict=True):
        number = n - (1 << integer.width) if n > integer.maximum else n
        for operation, (found, flags) in {
            "round_to_integral": in_c("rintf", mode, single(x)),
            "scale_b": in_c("scalbnf", mode, single(x), ctypes.c_int(number)),
            "log_b": in_c("logbf", mode, single(x)),
        }.items():
            codes = (x, n) if operation == "scale_b" else (x,)
            expected = exact.compute(operation, FP32, rounding, IEEE, *codes, convention=convention)
            assert found == expected, (operation, hex(x), number)
            assert flags == exact.flags(operation, FP32, rounding, *codes, convention=convention), (
                operation,
                hex(x),
                number,
            )


@pytest.mark.parametrize("mode", C_MODES)
def test_whole_numbers_that_never_signal_inexact_in_c(mode):
    given = "round_to_integral", FP32, RoundingMode(mode)
    convention = convention_named("x86_sse.silent_conversion")
    for x in many_codes(FP32, COUNT, SEED, 1)[0].tolist():
        expected = exact.compute(*given, IEEE, x, convention=convention)
        flags = exact.flags(*given, x, convention=convention)
        assert in_c("nearbyintf", mode, single(x)) == (expected, flags), hex(x)


@pytest.mark.parametrize(("name", "mode"), [("roundf", "rna"), ("roundevenf", "rne")])
def test_other_ways_of_the_c_library_to_whole_numbers(name, mode):
    for x in many_codes(FP32, COUNT, SEED, 1)[0].tolist():
        found, _ = in_c(name, "rne", single(x))
        expected = exact.compute("round_to_integral", FP32, RoundingMode(mode), IEEE, x)
        assert found == expected or (FP32.is_nan(x) and FP32.is_nan(found)), hex(x)


C_EXTREMA = {
    "fminimumf": "minimum",
    "fmaximumf": "maximum",
    "fminimum_numf": "minimum_number",
    "fmaximum_numf": "maximum_number",
    "fminf": "min_num",
    "fmaxf": "max_num",
    "fminimum_magf": "minimum_magnitude",
    "fmaximum_magf": "maximum_magnitude",
    "fminimum_mag_numf": "minimum_magnitude_number",
    "fmaximum_mag_numf": "maximum_magnitude_number",
    "fminmagf": "min_num_magnitude",
    "fmaxmagf": "max_num_magnitude",
}
"""C23, and TS 18661-1 for those of 2008."""


@on_x86
@pytest.mark.parametrize(("name", "operation"), C_EXTREMA.items())
def test_extrema_of_the_c_library_with_their_flags(name, operation):
    """Which NaN it is, C does not say."""
    x, y = many_codes(FP32, COUNT, SEED)
    y[::7], y[1::7] = x[::7], x[1::7] ^ np.uint64(FP32.sign_mask)
    convention = convention_named("signalling")
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        found, raised = in_c(name, "rne", single(a), single(b))
        expected, flags = exact_codes.extremum_with_flags(operation, FP32, a, b, convention=convention)
        alike = found == expected or (FP32.is_nan(found) and FP32.is_nan(expected))
        alike |= operation in OF_2008 and {found, expected} == {0, FP32.sign_mask}
        assert (alike, raised) == (True, flags), (hex(a), hex(b), hex(found))


@on_x86
@pytest.mark.parametrize(("name", "operation"), [("nextupf", "next_up"), ("nextdownf", "next_down")])
def test_neighbours_of_the_c_library_with_their_flags(name, operation):
    convention = convention_named("first_nan.signalling")
    for x in many_codes(FP32, COUNT, SEED, 1)[0].tolist():
        found = in_c(name, "rne", single(x))
        assert found == exact.neighbour_with_flags(operation, FP32, x, convention=convention), hex(x)


C_TOTAL_ORDERS = {"total_order": "totalorder", "total_order_magnitude": "totalordermag"}


@pytest.mark.parametrize("fmt", [FP32, FP64], **FORMAT_IDS)
@pytest.mark.parametrize("operation", exact.TOTAL_ORDERS)
def test_total_order_in_c(fmt, operation):
    function = getattr(LIBM, C_TOTAL_ORDERS[operation] + ("f" if fmt is FP32 else ""))
    x, y = many_codes(fmt, COUNT, SEED)
    y[::7], y[1::7] = x[::7], x[1::7] ^ np.uint64(fmt.sign_mask)
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        words = [ctypes.create_string_buffer(code.to_bytes(fmt.width // 8, "little")) for code in (a, b)]
        assert exact.total_order(operation, fmt, a, b) == (function(*words) != 0), (hex(a), hex(b))


def test_classes_in_c():
    kinds = ["nan", "infinity", "zero", "subnormal", "normal"]
    for x in many_codes(FP32, COUNT, SEED, 1)[0].tolist():
        kind = kinds[LIBM.__fpclassifyf(single(x))]
        sign = "negative" if x >> 31 else "positive"
        if kind == "nan":
            sign = "signalling" if LIBM.__issignalingf(single(x)) else "quiet"
        assert exact.class_word(FP32, x) == 1 << CLASSES.index(f"{sign}_{kind}")


def test_predicates_in_c():
    names = ("is_nan", "is_infinite", "is_zero", "is_subnormal", "is_normal")
    functions = {"is_sign_minus": "signbit", "is_finite": "finite", "is_signalling": "issignaling"}
    for x in many_codes(FP32, COUNT, SEED, 1)[0].tolist():
        kind = LIBM.__fpclassifyf(single(x))
        expected = {name: place == kind for place, name in enumerate(names)}
        for name, function in functions.items():
            expected[name] = getattr(LIBM, f"__{function}f")(single(x)) != 0
        assert {name: exact.holds(name, FP32, x) for name in exact.PREDICATES} == expected, hex(x)


# --- the processor ------------------------------------------------------------------------------


@on_x86
@pytest.mark.parametrize("operation", exact.COMPARISONS)
@pytest.mark.parametrize("daz", [0, x86.DAZ])
def test_comparisons_of_the_processor_with_their_flags(operation, daz):
    x, y = many_codes(FP32, COUNT, SEED)
    y[::7] = x[::7]
    convention = convention_named("daz" if daz else "")
    masks, flags = x86.fp32(operation, x86.MODES["rne"] | daz, x, y)
    for each in zip(*(column.tolist() for column in (x, y, masks, flags)), strict=True):
        a, b, mask, raised = each
        found = exact.compare_with_flags(operation, FP32, a, b, convention=convention)
        assert found == (mask & 1, raised), each


@on_x86
@pytest.mark.parametrize(("mode", "daz"), list(product(x86.MODES, (0, x86.DAZ))))
def test_whole_numbers_of_the_processor_with_their_flags(mode, daz):
    codes = many_codes(FP32, COUNT, SEED, 1)[0]
    convention = convention_named("x86_sse.daz" if daz else "x86_sse")
    found = x86.fp32("round_to_integral", x86.MODES[mode] | daz, codes)
    for x, result, raised in zip(codes.tolist(), *(column.tolist() for column in found), strict=True):
        given = ("round_to_integral", FP32, RoundingMode(mode))
        assert result == exact.compute(*given, IEEE, x, convention=convention), hex(x)
        assert raised == exact.flags(*given, x, convention=convention), hex(x)
