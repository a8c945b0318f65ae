"""Conventions: formulas against the spec of record, that against x86, and what manuals say."""

import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from pysmt.shortcuts import BV, BVType, Equals, Symbol

from spikeproof.specs import exact, symbolic
from spikeproof.specs.conventions import BUNDLES, IEEE, convention_named
from spikeproof.specs.formats import (
    ARITY,
    FLAGS,
    FP4_E2M1,
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP8_E5M2,
    FP16,
    FP32,
    OPERANDS,
    OverflowPolicy,
    RoundingMode,
    UnknownNameError,
    ieee_format,
)
from tests.support import x86
from tests.support.conventions import CONVENTIONS, SOME, some_operands
from tests.support.formula_evaluation import evaluate_all
from tests.support.profile import NIGHTLY
from tests.support.refusals import refused

DOCS = Path(__file__).parents[2] / "docs" / "conventions.md"

TINY = ieee_format(2, 2)
"""Small enough to try all, and with NaNs of several payloads, quiet and signalling."""

MODES = tuple(RoundingMode)

OF_OTHER_FORMATS = ("multiply", "divide", "fma")
"""Conventions take turns with them, in the nightly profile all have all."""


def compared(operation, fmt, convention, mode, policy, codes, source=None):
    """Results and flags by formula and by the spec of record."""
    form = source or fmt
    symbols = [Symbol(f"{name}_{form.width}", BVType(form.width)) for name in OPERANDS[: len(codes)]]
    same = {"source": source, "convention": convention}
    formulas = {
        "result": symbolic.compute(operation, fmt, mode, policy, *symbols, **same),
        "flags": symbolic.flags(operation, fmt, mode, *symbols, **same),
    }
    named = {symbol.symbol_name(): each for symbol, each in zip(symbols, codes, strict=True)}
    found = evaluate_all(formulas, named)
    rows = [[int(code) for code in row] for row in zip(*codes, strict=True)]
    record = {
        "result": [exact.compute(operation, fmt, mode, policy, *row, **same) for row in rows],
        "flags": [exact.flags(operation, fmt, mode, *row, **same) for row in rows],
    }
    return rows, {name: each.tolist() for name, each in found.items()}, record


@pytest.mark.parametrize("operation", ARITY)
def test_formulas_are_the_spec_of_record(operation):
    for index, convention in enumerate(CONVENTIONS):
        mode = MODES[index % len(MODES)]
        rows, found, record = compared(
            operation, TINY, convention, mode, OverflowPolicy.IEEE, some_operands(TINY, operation, index)
        )
        for name, values in found.items():
            wrong = [each for each in zip(rows, values, record[name], strict=True) if each[1] != each[2]]
            assert not wrong, f"{name} of {convention.name}, {mode.value}: {wrong[0]}"


@pytest.mark.parametrize("fmt", [FP4_E2M1, FP8_E4M3FN, FP8_E4M3FNUZ, FP8_E5M2], ids=lambda f: f.name)
@pytest.mark.parametrize("operation", OF_OTHER_FORMATS)
def test_formulas_are_the_spec_of_record_in_other_formats(fmt, operation):
    possible = [c for c in CONVENTIONS if c.is_possible(fmt)]
    turns = 1 if NIGHTLY else len(OF_OTHER_FORMATS)
    turn = OF_OTHER_FORMATS.index(operation) % turns
    for index, convention in list(enumerate(possible))[turn::turns]:
        mode = MODES[index % len(MODES)]
        policy = fmt.policies[index % len(fmt.policies)]
        rows, found, record = compared(
            operation, fmt, convention, mode, policy, some_operands(fmt, operation, index)
        )
        assert (found, rows) == (record, rows), f"{convention.name}, {mode.value}"


@pytest.mark.parametrize(
    ("source", "target"), [(TINY, FP8_E5M2), (FP8_E5M2, TINY), (ieee_format(3, 4), TINY)], ids=str
)
def test_conversions_keep_what_they_can_of_a_payload(source, target):
    for index, convention in enumerate(CONVENTIONS):
        codes = [np.arange(1 << source.width, dtype=np.uint64)]
        mode = MODES[index % len(MODES)]
        rows, found, record = compared(
            "convert", target, convention, mode, OverflowPolicy.IEEE, codes, source
        )
        assert (found, rows) == (record, rows), f"{convention.name}, {mode.value}"


# --- x86 ------------------------------------------------------------------------------------------

LANDMARKS = [
    *(0x00000000, 0x00000001, 0x00400000, 0x007FFFFF, 0x00800000, 0x00800001, 0x00FFFFFF),
    *(0x33800000, 0x34000000, 0x3EFFFFFF, 0x3F000000, 0x3F7FFFFF, 0x3F800000, 0x3F800001),
    *(0x4B7FFFFF, 0x7F7FFFFF, 0x7F800000, 0x7F800001, 0x7FA00000, 0x7FC00000, 0x7FD00007),
]
"""Codes of FP32: the ends of every class, neighbours of 1 and 1/2, signalling and quiet NaNs."""


def near_the_least_normal(generator, count, operands):
    """Operands whose products, quotients and sums are about as large as the least normal number."""
    codes = generator.integers(1 << 32, size=(operands, count), dtype=np.uint32) & np.uint32(0x807FFFFF)
    fields = generator.integers(62, 67, size=(operands, count), dtype=np.uint32)
    fields[:, ::2] = generator.integers(3, size=(operands, (count + 1) // 2), dtype=np.uint32)
    if operands > 1:
        fields[1, ::2] = generator.integers(124, 130, size=(count + 1) // 2, dtype=np.uint32)
    return codes | fields << np.uint32(23)


def fp32_cases(operation):
    generator, operands = np.random.default_rng(3), ARITY[operation]
    signed = np.array([*LANDMARKS, *(code | 1 << 31 for code in LANDMARKS)], dtype=np.uint32)
    landmarks = signed[generator.integers(len(signed), size=(operands, SOME))]
    uniform = generator.integers(1 << 32, size=(operands, SOME // 2), dtype=np.uint32)
    return np.hstack([landmarks, near_the_least_normal(generator, SOME, operands), uniform])


CONTROLS = {
    "x86_sse": 0,
    "x86_sse.daz": x86.DAZ,
    "x86_sse.ftz_after": x86.FTZ,
    "x86_sse.daz.ftz_after": x86.DAZ | x86.FTZ,
}


@pytest.mark.skipif(not x86.AVAILABLE, reason="this is no x86 with fused multiply-add")
@pytest.mark.parametrize("name", CONTROLS)
@pytest.mark.parametrize("operation", x86.INSTRUCTIONS)
def test_what_x86_does(operation, name):
    """Results with their NaNs, and all five flags, of the machine at hand."""
    codes, convention = fp32_cases(operation), convention_named(name)
    turn = (list(CONTROLS).index(name) + list(x86.INSTRUCTIONS).index(operation)) % 2
    modes = list(x86.MODES.items())
    for mode, control in modes if NIGHTLY else modes[turn::2]:
        results, flags = x86.fp32(operation, control | CONTROLS[name], *codes)
        rounding = RoundingMode(mode)
        for row, result, raised in zip(codes.T.tolist(), results, flags, strict=True):
            wanted = exact.compute(
                operation, FP32, rounding, OverflowPolicy.IEEE, *row, convention=convention
            )
            signalled = exact.flags(operation, FP32, rounding, *row, convention=convention)
            assert (int(result), int(raised)) == (wanted, signalled), [hex(code) for code in row]


NEIGHBOURS = [
    *((name, 0) for name in ("", "riscv", "arm", "x86_sse.last_nan")),
    *(
        (name, x86.FTZ)
        for name in ("x86_sse.ftz_before", "x86_sse.ftz", "x86_sse.ftz_after.silent_flush")
    ),
    ("x86_sse", x86.DAZ),
    ("x86_sse.daz.ftz_after.unsigned_flush", x86.DAZ | x86.FTZ),
]
"""Conventions that x86, so controlled, does not have."""


@pytest.mark.skipif(not x86.AVAILABLE, reason="this is no x86 with fused multiply-add")
@pytest.mark.parametrize(("name", "control"), NEIGHBOURS)
def test_that_cases_tell_conventions_apart(name, control):
    """Else the test above would say little."""
    codes, convention = fp32_cases("multiply"), convention_named(name)
    mode, policy = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE
    results, flags = x86.fp32("multiply", control, *codes)
    spec = [
        (
            exact.compute("multiply", FP32, mode, policy, *row, convention=convention),
            exact.flags("multiply", FP32, mode, *row, convention=convention),
        )
        for row in codes.T.tolist()
    ]
    assert spec != list(zip(results.tolist(), flags.tolist(), strict=True))


def test_the_products_that_tell_flushing_apart_are_as_the_documentation_has_them():
    rows = re.findall(r"^\| `(0x\w+)` x `(0x\w+)` (.*)$", DOCS.read_text(), re.M)
    assert len(rows) == 2
    for x, y, results in rows:
        given = (
            "multiply",
            FP16,
            RoundingMode.NEAREST_EVEN,
            OverflowPolicy.IEEE,
            int(x, 16),
            int(y, 16),
        )
        found = [
            exact.compute(*given, convention=convention_named(word))
            for word in ("", "ftz_before", "ftz_after", "ftz")
        ]
        assert found == [int(code, 16) for code in re.findall(r"0x\w+", results)]


# --- manuals --------------------------------------------------------------------------------------

ONE, INFINITY, ZERO, LEAST = 0x3F800000, 0x7F800000, 0x00000000, 0x00800000
QUIET, OTHER, SIGNALLING = 0x7FC00001, 0xFFC00002, 0x7F800003
CANONICAL, INDEFINITE = 0x7FC00000, 0xFFC00000

BELOW = (0x00800001, 0x3F7FFFFE)
"""Their product is 2^-172 below the least normal number, and rounds to it with any exponent."""


@pytest.mark.skipif(not x86.AVAILABLE, reason="no x86")
@pytest.mark.parametrize("name", CONTROLS)
@pytest.mark.parametrize("operation", ["x86_minimum", "x86_maximum"])
def test_the_extrema_of_x86_with_their_flags(operation, name):
    codes, convention = fp32_cases("add"), convention_named(name)
    found = x86.fp32(operation, CONTROLS[name], *codes)
    for x, y, *shown in zip(*(each.tolist() for each in (*codes, *found)), strict=True):
        wanted = exact.extremum_with_flags(operation, FP32, x, y, convention=convention)
        assert tuple(shown) == wanted, (hex(x), hex(y))


BY_THE_MANUALS = [
    # RISC-V, volume I, F.3: a result that is NaN is the canonical NaN
    ("riscv", "add", (QUIET, ONE), CANONICAL, ()),
    ("riscv", "add", (SIGNALLING, ONE), CANONICAL, ("invalid",)),
    # F.6: fused multiply-add raises invalid when the multiplicands are infinity and zero, even when the
    # addend is a quiet NaN
    ("riscv", "fma", (INFINITY, ZERO, QUIET), CANONICAL, ("invalid",)),
    # F.3: tininess is detected after rounding
    ("riscv", "multiply", BELOW, LEAST, ("inexact",)),
    ("ieee", "multiply", BELOW, LEAST, ("underflow", "inexact")),
    # Arm, FPProcessNaNs: a signalling operand before a quiet one, the first before the second
    ("arm", "add", (QUIET, SIGNALLING), 0x7FC00003, ("invalid",)),
    ("arm", "add", (OTHER, QUIET), OTHER, ()),
    ("arm", "multiply", (INFINITY, ZERO), CANONICAL, ("invalid",)),
    # FPMulAdd: the addend's NaN first; but of infinity times zero plus a quiet NaN, the default NaN
    ("arm", "fma", (QUIET, ONE, OTHER), OTHER, ()),
    ("arm", "fma", (INFINITY, ZERO, OTHER), CANONICAL, ("invalid",)),
    ("arm", "fma", (INFINITY, ZERO, SIGNALLING), 0x7FC00003, ("invalid",)),
    # FPRound with FZ: tiny before rounding is flushed, and raises underflow alone
    ("arm.ftz_before.silent_flush", "multiply", BELOW, ZERO, ("underflow",)),
    # SDM table 4-7; a NaN that no operand is, is the real indefinite
    ("x86_sse", "add", (SIGNALLING, QUIET), 0x7FC00003, ("invalid",)),
    ("x86_sse", "multiply", (INFINITY, ZERO), INDEFINITE, ("invalid",)),
    ("x86_sse", "fma", (INFINITY, ZERO, QUIET), QUIET, ()),
    # PTX, .ftz: subnormal operands and results are zero of their sign
    # CUDA C++ Programming Guide: what yields NaN yields 0x7fffffff
    ("cuda", "add", (OTHER, ONE), 0x7FFFFFFF, ()),
    ("cuda", "multiply", (INFINITY, ZERO), 0x7FFFFFFF, ("invalid",)),
    ("cuda", "add", (0x80000001, 0x80000001), 0x80000000, ()),
    ("cuda", "multiply", (0x80800000, 0x3F000000), 0x80000000, ("underflow", "inexact")),
]


@pytest.mark.parametrize(("name", "operation", "codes", "result", "raised"), BY_THE_MANUALS)
def test_what_the_manuals_say(name, operation, codes, result, raised):
    convention, mode = convention_named(name), RoundingMode.NEAREST_EVEN
    found = exact.compute(operation, FP32, mode, OverflowPolicy.IEEE, *codes, convention=convention)
    assert found == result
    flags = exact.flags(operation, FP32, mode, *codes, convention=convention)
    assert {name for place, name in enumerate(FLAGS) if flags >> place & 1} == set(raised)


# --- what is allowed, names -----------------------------------------------------------------------


@pytest.mark.parametrize("fmt", [TINY, FP8_E4M3FN, FP8_E4M3FNUZ, FP4_E2M1], ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("name", ["", "any_nan", "wasm_nan"])
@pytest.mark.parametrize("operand", [0b00001, 0b11110, 0b01111], ids=["number", "-NaN", "payload"])
def test_which_nans_are_allowed_and_no_numbers(fmt, name, operand):
    convention = convention_named(name)
    codes = [code for code in range(1 << fmt.width) if not fmt.is_nan(code) or not name]
    codes += [fmt.canonical_nan] if name and fmt.has_nan else []
    pairs = list(product(codes, range(1 << fmt.width)))
    expected, result = np.array(pairs, dtype=np.uint64).T
    symbols = [Symbol(f"{each}_{fmt.width}", BVType(fmt.width)) for each in ("expected", "result")]
    operands = [(TINY, BV(operand, TINY.width))]
    seen = (symbolic.observed(fmt, convention, symbol, operands) for symbol in symbols)
    named = {
        symbol.symbol_name(): each for symbol, each in zip(symbols, (expected, result), strict=True)
    }
    found = evaluate_all({"same": Equals(*seen)}, named)["same"]
    # WebAssembly: quiet ones, of fraction 10, and 11 if an operand has a payload
    quiet = {0b01110, 0b11110, *((0b01111, 0b11111) if operand == 0b01111 else ())}
    nans = {code for code in range(1 << fmt.width) if fmt.is_nan(code)}
    nans = {"": set(), "any_nan": nans, "wasm_nan": quiet if fmt is TINY else nans}[name]
    wanted = [w == r or (fmt.is_nan(w) and r in nans) for w, r in pairs]
    assert found.astype(bool).tolist() == wanted
    given = [(TINY, operand)]
    assert [exact.allows(fmt, convention, *pair, given) for pair in pairs] == wanted


def test_names_are_read_as_they_are_written():
    for convention in CONVENTIONS:
        assert convention_named(convention.name) == convention
    assert convention_named("") == convention_named("ieee") == IEEE
    assert convention_named("signalling.ftz.any_nan").name == "any_nan.signalling.ftz"
    assert convention_named("daz.ftz.all_ones_nan.tiny_after").name == "cuda.tiny_after"
    words = "ftz_after.tiny_after.signalling.indefinite.x86_nan"
    assert convention_named(words).name == "x86_sse.ftz_after"
    assert all(
        convention.name == name for name, convention in BUNDLES.items() if len(convention.words) > 1
    )
    assert len({convention.name for convention in BUNDLES.values()}) == len(BUNDLES)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rscv", "unknown convention 'rscv'; did you mean riscv? choose one of ieee, riscv, arm, "),
        (
            "qqq",
            "unknown convention 'qqq'; choose one of ieee, riscv, arm, arm_default_nan, x86_sse, cuda",
        ),
        ("ftz.riscv", "'riscv' is a bundle; name one, before all other words"),
        ("ftz.ftz_after", "'ftz_after' contradicts 'ftz'; leave out one of them"),
    ],
)
def test_what_is_no_name_is_told_in_one_line(name, words):
    with refused(error=UnknownNameError) as error:
        convention_named(name)
    assert str(error.value).startswith(words)


@pytest.mark.parametrize("name", ["first_nan", "last_nan", "x86_sse", "arm"])
@pytest.mark.parametrize("module", [exact, symbolic])
def test_a_format_without_payloads_has_no_convention_about_them(name, module):
    convention = convention_named(name)
    code = Symbol("code", BVType(8)) if module is symbolic else 1
    given = ("convert", FP8_E4M3FN, RoundingMode.NEAREST_EVEN, OverflowPolicy.SATURATE, code)
    can = (
        "ieee, riscv, arm_default_nan, cuda, wasm, opencl, or of words all_ones_nan, wasm_nan, any_nan$"
    )
    with pytest.raises(
        ValueError, match=rf"fp8_e4m3fn has no NaN with a payload, so no '.*'; use of bundles {can}"
    ):
        module.compute(*given, convention=convention)
    with pytest.raises(ValueError, match="fp8_e4m3fn has no NaN with a payload"):
        module.compute("convert", FP8_E5M2, *given[2:], source=FP8_E4M3FN, convention=convention)
