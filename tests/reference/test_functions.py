"""Functions as Arb and MPFR have them: whole tables of FP16 and BFLOAT16, drawn numbers of wide formats.

By default every fifth code of FP16, and of BFLOAT16 for some functions; nightly, every code of both.
"""

import numpy as np
import pytest

from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.reference.functions import (
    BALLS,
    BALLS_OF_TWO,
    MPFR,
    MPFR_MODES,
    MPFR_OF_TWO,
    NUMPY,
    NUMPY_OF_TWO,
    TORCH,
    by_arb,
    by_mpfr,
    by_numpy,
    by_torch,
    doubles,
    nearest_codes,
)
from spikeproof.specs import functions_of_two
from spikeproof.specs.formats import (
    BFLOAT16,
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP8_E5M2,
    FP8_E5M2FNUZ,
    FP16,
    FP32,
    FP64,
    OverflowPolicy,
    RoundingMode,
)
from spikeproof.specs.functions import FUNCTIONS, compute, every_result, results_from
from tests.support.profile import NIGHTLY

SEED = 20261129
FIFTH = 1 if NIGHTLY else 5
NEAREST = RoundingMode.NEAREST_EVEN
ALSO = ("exp2", "sin", "gelu")
"""Functions of which all of BFLOAT16 is compared by default too."""
TABLES = [(FP16, function) for function in FUNCTIONS] + [
    (BFLOAT16, function) for function in (FUNCTIONS if NIGHTLY else ALSO)
]
TABLE_IDS = [f"{fmt.name}.{function}" for fmt, function in TABLES]


def domain(fmt, function, codes):
    """The codes of numbers other than zero where a function is a real number."""
    x = doubles(fmt, codes)
    least = {"log": 0, "log2": 0, "rsqrt": 0, "log1p": -1}.get(function, -np.inf)
    return codes[np.isfinite(x) & (x != 0) & (x > least)]


def differ(fmt, expected, found):
    """Where codes differ, all NaNs being alike."""
    nan = [np.isnan(doubles(fmt, each)) for each in (expected, found)]
    return np.flatnonzero((expected != found) & ~(nan[0] & nan[1]))


@pytest.mark.parametrize(("fmt", "function"), TABLES, ids=TABLE_IDS)
def test_whole_tables(fmt, function):
    codes = np.arange(1 << fmt.width)[len(function) % FIFTH :: FIFTH]
    table = every_result(function, fmt, NEAREST, OverflowPolicy.IEEE).astype(np.int64)
    numbers = domain(fmt, function, codes)
    results = np.where(table == fmt.sign_mask, 0, table)[numbers]
    assert numbers[by_arb(function, fmt, numbers) != results].tolist() == []
    if function in MPFR:
        given = codes[codes != fmt.sign_mask] if function == "rsqrt" else codes
        mode = list(MPFR_MODES)[len(function) % len(MPFR_MODES)]
        directed = every_result(function, fmt, mode, OverflowPolicy.IEEE).astype(np.int64)[given]
        assert differ(fmt, by_mpfr(function, fmt, mode, given), directed).tolist() == []
    for code in codes[:: 997 // FIFTH].tolist():
        assert table[code] == compute(function, fmt, NEAREST, OverflowPolicy.IEEE, code)


@pytest.mark.parametrize("fmt", [FP32, FP64], ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("function", MPFR)
def test_wide_formats(fmt, function):
    """Numbers drawn by class: of arguments of 2^1000, and results beyond all numbers."""
    codes = many_codes(fmt, 40, SEED, 1)[0].astype(np.uint64)
    codes = codes[codes != fmt.sign_mask]
    for mode in MPFR_MODES:
        expected = by_mpfr(function, fmt, mode, codes)
        found = [compute(function, fmt, mode, OverflowPolicy.IEEE, code) for code in codes.tolist()]
        assert differ(fmt, expected, np.array(found, np.uint64).astype(np.int64)).tolist() == []


@pytest.mark.parametrize("function", ["sin", "cos", "cos_pi", "log", "tanh"])
def test_fp64_as_arb_has_it(function):
    """Numbers drawn by class, and small ones, whose cosines no double tells from 1."""
    small = np.ldexp(1.5, -np.arange(20, 60, 3)).view(np.uint64)
    codes = np.concatenate([many_codes(FP64, 20, SEED, 1)[0].astype(np.uint64), small])
    codes = domain(FP64, function, codes)
    found = [compute(function, FP64, NEAREST, OverflowPolicy.IEEE, code) for code in codes.tolist()]
    expected = by_arb(function, FP64, codes)
    assert differ(FP64, expected, np.array(found, np.uint64)).tolist() == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_blocks_of_fp32(function):
    """Blocks around numbers drawn by class, each of 2^15 codes, of which every 257th is compared."""
    size = 1 << 15
    for code in many_codes(FP32, 200 if NIGHTLY else 6, SEED, 1)[0]:
        first = int(code) // size * size
        results = results_from(function, FP32, NEAREST, OverflowPolicy.IEEE, first, size)[::257]
        codes = np.arange(first, first + size, 257)
        numbers = np.isin(codes, domain(FP32, function, codes))
        results = np.where(results == FP32.sign_mask, 0, results)[numbers]
        assert codes[numbers][by_arb(function, FP32, codes[numbers]) != results].tolist() == []


@pytest.mark.parametrize("fmt", [FP16, BFLOAT16, FP32], ids=lambda fmt: fmt.name)
def test_what_is_not_correctly_rounded_is_near(fmt):
    """PyTorch's and NumPy's functions do not all round correctly; a wrong adapter is far off."""
    codes = many_codes(fmt, 300, SEED, 1)[0].astype(np.int64)
    for adapters, by in ((TORCH, by_torch), (NUMPY, by_numpy)):
        for function in adapters:
            given = domain(fmt, function, codes)
            given = given[np.abs(doubles(fmt, given)) < 8]
            found = doubles(fmt, by(function, fmt, given).astype(np.int64))
            expected = doubles(fmt, by_arb(function, fmt, given))
            assert np.allclose(found, expected, rtol=2.0**-5, atol=2.0**-14, equal_nan=True), function


@pytest.mark.parametrize("fmt", [FP16, BFLOAT16], ids=lambda fmt: fmt.name)
def test_codes_of_doubles(fmt):
    codes = np.arange(1 << fmt.width)
    back = nearest_codes(fmt, doubles(fmt, codes))
    assert differ(fmt, codes, back).tolist() == []
    if fmt is FP16:
        machine = codes.astype(np.uint16).view(np.float16).astype(np.float64)
        assert np.array_equal(doubles(fmt, codes), machine, equal_nan=True)


def test_every_function_has_a_ball():
    assert list(BALLS) == list(FUNCTIONS)
    assert (
        list(BALLS_OF_TWO) == list(MPFR_OF_TWO) == list(NUMPY_OF_TWO) == list(functions_of_two.FUNCTIONS)
    )


# --- of two operands ----------------------------------------------------------------------------

IN_DOUBLE = {"hypot": np.hypot, "pow": np.power, "atan2": lambda x, y: np.arctan2(y, x)}


@pytest.mark.parametrize("function", IN_DOUBLE)
def test_every_pair_of_eight_bits(function):
    """As Arb, MPFR and the C library in doubles say; Arb of numbers where there is a real one.

    By default every fifth pair.
    """
    fmt = FP8_E5M2
    some = np.arange(0, 1 << 16, FIFTH)
    y, x = divmod(some, 1 << 8)
    tables = {
        mode: functions_of_two.every_result(function, fmt, mode, OverflowPolicy.IEEE).astype(np.int64)
        for mode in MPFR_MODES
    }
    tables = {mode: table[some] for mode, table in tables.items()}
    for mode, table in tables.items():
        assert differ(fmt, by_mpfr(function, fmt, mode, x, y), table).tolist() == []
    operands = doubles(fmt, x), doubles(fmt, y)
    with np.errstate(all="ignore"):
        found = IN_DOUBLE[function](*operands)
    assert differ(fmt, nearest_codes(fmt, found), tables[NEAREST]).tolist() == []
    numbers = np.isfinite(operands).all(axis=0) & np.all(operands, axis=0)
    if function == "pow":
        numbers &= (operands[0] > 0) | (operands[1] == np.floor(operands[1]))
        numbers &= (found > 2.0**-900) & (found < 2.0**900) | (found < 0)
    places = np.flatnonzero(numbers)
    results = np.where(tables[NEAREST] == fmt.sign_mask, 0, tables[NEAREST])[places]
    assert len(places) > 24000 // FIFTH
    assert places[by_arb(function, fmt, x[places], y[places]) != results].tolist() == []


ROUNDED_TWICE = 60
"""Of atan2 in E5M2 and its kin ml_dtypes has a float32 first, a tie where the angle is just below."""


@pytest.mark.parametrize("function", NUMPY_OF_TWO)
@pytest.mark.parametrize(
    "fmt",
    [FP8_E4M3FN, FP8_E4M3FNUZ, FP8_E5M2, FP8_E5M2FNUZ][1 - NIGHTLY : None if NIGHTLY else 3],
    ids=lambda fmt: fmt.name,
)
def test_every_pair_in_ml_dtypes(fmt, function):
    """What overflows is an infinity, or NaN where there is none."""
    y, x = divmod(np.arange(1 << 16), 1 << 8)
    policy = OverflowPolicy.IEEE if fmt.has_infinity else OverflowPolicy.NAN
    expected = functions_of_two.every_result(function, fmt, NEAREST, policy).astype(np.int64)
    found = by_numpy(function, fmt, x, y).astype(np.int64)
    is_nan = np.array([fmt.is_nan(code) for code in range(1 << 8)])
    wrong = np.flatnonzero((expected != found) & ~(is_nan[expected] & is_nan[found]))
    assert len(wrong) == (ROUNDED_TWICE if function == "atan2" and fmt.fraction_bits == 2 else 0)
    assert set((found - expected)[wrong].tolist()) <= {1}
    assert set(((found & 1) != 0)[wrong].tolist()) <= {False}


@pytest.mark.parametrize("fmt", [FP16, FP32, FP64], ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("function", MPFR_OF_TWO)
def test_pairs_of_wide_formats(function, fmt):
    """Drawn by class; and small whole numbers, of which powers are exact."""
    x, y = (each.astype(np.uint64) for each in many_codes(fmt, 150, SEED))
    small = nearest_codes(fmt, np.arange(-6.0, 6.5, 0.5)).astype(np.uint64)
    x = np.concatenate((x, np.repeat(small, len(small))))
    y = np.concatenate((y, np.tile(small, len(small))))
    turn = fmt.width // 16 % 3
    for mode in MPFR_MODES if NIGHTLY else list(MPFR_MODES)[turn::3]:
        expected = by_mpfr(function, fmt, mode, x, y)
        pairs = zip(x.tolist(), y.tolist(), strict=True)
        found = [
            functions_of_two.compute(function, fmt, mode, OverflowPolicy.IEEE, *pair) for pair in pairs
        ]
        assert differ(fmt, expected, np.array(found, np.uint64).astype(np.int64)).tolist() == []
