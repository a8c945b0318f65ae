"""The symbolic spec of formats above 8 bits, through the encoder to clauses.

Against the spec of record on cases drawn by class, in all modes and policies, and against the machine's
own arithmetic on many more. ``SPIKEPROOF_CASES`` sets how many cases a format and operation has of the
first (default 1,000; nightly 100,000), and of the second (64 times as many, up to a million).
"""

from functools import partial
from itertools import cycle, permutations, product
from math import isqrt

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from pysmt.shortcuts import BVType, Symbol

from spikeproof.proofs.units import OPERATIONS
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.reference.oracles import fused_multiply_add
from spikeproof.specs import exact, symbolic
from spikeproof.specs.conventions import EXTREMA
from spikeproof.specs.formats import (
    ARITY,
    BFLOAT16,
    FORMATS,
    FP16,
    FP32,
    FP64,
    OPERANDS,
    SMALL_FORMATS,
    OverflowPolicy,
    RoundingMode,
)
from spikeproof.strategies import batches
from tests.support.graphs import Encoded
from tests.support.profile import CASES, NIGHTLY

OF_THE_MACHINE = min(64 * CASES, 1 << 20)

WIDE = [fmt for fmt in FORMATS.values() if fmt not in SMALL_FORMATS]
BATCH = 84


def division(dividend, divisor):
    """As ``specs.integers.divide``, in Python's integers."""
    return divmod(dividend << divisor.bit_length() + 1, divisor)


def root(radicand):
    """As ``specs.integers.square_root``, in Python's integers."""
    return isqrt(radicand), radicand - isqrt(radicand) ** 2


CORES = {
    "divide": (("dividend", "divisor"), ("quotient", "remainder"), division),
    "square_root": (("radicand",), ("root", "remainder"), root),
}
"""Integer operations of large formulas, between probes: here Python's integers take their place.

``tests/proofs/test_integers.py`` compares these formulas with Python's integers on narrow words.
"""


def encoded(fmt, operation, wanted) -> tuple[Evaluation, Evaluation]:
    """The operands of the operation's integer core; and given what it yields, all that is wanted.

    Args:
        wanted: pairs of a mode and a policy, for a result, or of a mode and None, for the flags.
    """
    codes = [Symbol(f"{name}{fmt.width}", BVType(fmt.width)) for name in OPERANDS[: ARITY[operation]]]
    operands, yields, _ = CORES.get(operation, ((), (), None))
    values, outputs = {}, {}

    def probe(name, value):
        values[name] = value
        return Symbol(f"{name}.{fmt.name}", value.get_type()) if name in yields else value

    for mode, policy in wanted:
        if policy is None:
            outputs[mode, None] = symbolic.flags(operation, fmt, mode, *codes, probe=probe)
        else:
            outputs[mode, policy] = symbolic.compute(operation, fmt, mode, policy, *codes, probe=probe)
    return Evaluation({name: values[name] for name in operands}), Evaluation(outputs)


def evaluated(fmt, operation, encodings, codes):
    """What is wanted of an operation, for arrays of operands."""
    core, outputs = encodings
    inputs = dict(zip([f"{name}{fmt.width}" for name in OPERANDS], codes, strict=False))
    if operation in CORES:
        _, yields, function = CORES[operation]
        operands = core.evaluate(inputs).values()
        found = zip(*(function(*map(int, each)) for each in zip(*operands, strict=True)), strict=True)
        inputs |= {
            f"{name}.{fmt.name}": np.array(column, dtype=object)
            for name, column in zip(yields, found, strict=True)
        }
    return outputs.evaluate(inputs)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fmt", WIDE, ids=lambda fmt: fmt.name)
def test_against_the_spec_of_record(fmt, operation):
    """Batches of cases drawn by class; the modes take turns, and each case has every policy."""
    encodings = encoded(fmt, operation, product(RoundingMode, (None, *fmt.policies)))

    @settings(
        max_examples=1 + -(-CASES // BATCH),  # the first one is always all zeros
        suppress_health_check=[HealthCheck.large_base_example, HealthCheck.data_too_large],
    )
    @given(batches(fmt, ARITY[operation], BATCH))
    def check(drawn):
        codes = [np.array(side, dtype=np.uint64) for side in zip(*drawn, strict=True)]
        outputs = evaluated(fmt, operation, encodings, codes)
        for index, (case, mode) in enumerate(zip(drawn, cycle(RoundingMode), strict=False)):
            what = (mode.value, [hex(code) for code in case])
            flags = exact.flags(operation, fmt, mode, *case)
            assert int(outputs[mode, None][index]) == flags, ("flags", *what)
            operands = (exact.decode(fmt, code) for code in case)
            unrounded = exact.EXACT_OPERATIONS[operation](mode, *operands)
            for policy in fmt.policies:
                expected = exact.round_to(fmt, mode, policy, unrounded)
                assert int(outputs[mode, policy][index]) == expected, (policy.value, *what)

    check()


HARDWARE = {FP16: np.float16, FP32: np.float32, FP64: np.float64, BFLOAT16: ml_dtypes.bfloat16}
WORDS = {16: np.uint16, 32: np.uint32, 64: np.uint64}


OPERATORS = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "square_root": np.sqrt,
    "fma": fused_multiply_add,
}
HARDWARE_CASES = [
    pytest.param(fmt, operation, id=f"{fmt.name}.{operation}")
    for fmt, operation in product(HARDWARE, OPERATORS)
    if operation != "fma" or fmt in (FP32, FP64)  # no C library has the others
]


@pytest.mark.parametrize(("fmt", "operation"), HARDWARE_CASES)
def test_against_the_machine_on_many_cases(fmt, operation):
    codes = many_codes(fmt, OF_THE_MACHINE, fmt.width, ARITY[operation])
    word = WORDS[fmt.width]
    with np.errstate(all="ignore"):
        expected = OPERATORS[operation](*(c.astype(word).view(HARDWARE[fmt]) for c in codes))
    nan = np.isnan(expected)
    expected = np.where(nan, fmt.canonical_nan, expected.view(word))
    wanted = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE
    actual = evaluated(fmt, operation, encoded(fmt, operation, [wanted]), codes)[wanted]
    differing = np.flatnonzero(actual != expected)
    assert not len(differing), [hex(code[differing[0]]) for code in codes]


PREDICATES = {
    "equal": np.equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "unordered": lambda x, y: np.isnan(x) | np.isnan(y),
}


@pytest.mark.parametrize("predicate", PREDICATES)
@pytest.mark.parametrize("fmt", HARDWARE, ids=lambda fmt: fmt.name)
def test_comparisons_against_the_machine(fmt, predicate):
    codes = many_codes(fmt, OF_THE_MACHINE, seed=fmt.width)
    left, right = (side.astype(WORDS[fmt.width]).view(HARDWARE[fmt]) for side in codes)
    x, y = (Symbol(f"{name}{fmt.width}", BVType(fmt.width)) for name in ("x", "y"))
    actual = Encoded(symbolic.compare(predicate, fmt, x, y)).evaluate(
        {f"x{fmt.width}": codes[0], f"y{fmt.width}": codes[1]}
    )
    with np.errstate(all="ignore"):
        expected = PREDICATES[predicate](left, right)
    assert np.array_equal(actual.astype(bool), expected)


@pytest.mark.parametrize("operation", [*EXTREMA, *exact.SIGN_OPERATIONS, *exact.RELATIONS])
@pytest.mark.parametrize("fmt", WIDE, ids=lambda fmt: fmt.name)
def test_operations_that_do_not_round_against_the_spec_of_record(fmt, operation):
    formula, record = next(
        (f, r)
        for f, r, operations in (
            (symbolic.extremum, exact.extremum, EXTREMA),
            (symbolic.change_sign, exact.change_sign, exact.SIGN_OPERATIONS),
            (symbolic.compare, exact.compare, tuple(exact.RELATIONS)),
        )
        if operation in operations
    )
    x, y = (Symbol(f"{name}{fmt.width}", BVType(fmt.width)) for name in ("x", "y"))
    codes = many_codes(fmt, CASES, seed=1)
    # Equal operands and the two zeros are rare among drawn pairs, and what matters most here.
    zeros = np.array([0, fmt.sign_mask], dtype=np.uint64)
    left = np.concatenate([codes[0], codes[0], zeros, zeros])
    right = np.concatenate([codes[1], codes[0], zeros, zeros[::-1]])
    encoded_formula = Encoded(formula(operation, fmt, x, y))
    actual = encoded_formula.evaluate({f"x{fmt.width}": left, f"y{fmt.width}": right})
    expected = [record(operation, fmt, int(a), int(b)) for a, b in zip(left, right, strict=True)]
    assert [int(code) for code in actual] == expected


@pytest.mark.parametrize(("source", "target"), list(permutations(HARDWARE, 2)), ids=lambda fmt: fmt.name)
def test_conversions_against_the_machine_on_many_codes(source, target):
    (codes,) = many_codes(source, OF_THE_MACHINE, source.width, operands=1)
    with np.errstate(all="ignore"):
        values = codes.astype(WORDS[source.width]).view(HARDWARE[source])
        if (source, target) == (FP64, BFLOAT16):
            # A finding: ml_dtypes converts by way of float32, and so rounds twice.
            codes = codes[values.astype(np.float32).astype(np.float64) == values]
            values = codes.view(np.float64)
        expected = values.astype(HARDWARE[target])
    nan = np.isnan(expected)
    expected = np.where(nan, target.canonical_nan, expected.view(WORDS[target.width]))
    x = Symbol(f"x{source.width}", BVType(source.width))
    mode, policy = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE
    rne = symbolic.compute("convert", target, mode, policy, x, source=source)
    actual = Encoded(rne).evaluate({f"x{source.width}": codes})
    differing = np.flatnonzero(actual != expected)
    assert not len(differing), f"x = {codes[differing[0]]:#x}"


def test_ml_dtypes_rounds_doubles_to_bfloat16_twice():
    """The witness: a double just above half way between two bfloat16 numbers."""
    half_way = 1 + 2.0**-8
    above = half_way + 2.0**-40
    assert float(np.float64(above).astype(ml_dtypes.bfloat16)) == 1.0
    code = int(np.float64(above).view(np.uint64))
    rne, ieee = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE
    rounded_once = exact.compute("convert", BFLOAT16, rne, ieee, code, source=FP64)
    assert float(exact.decode(BFLOAT16, rounded_once).signed) == 1 + 2.0**-7


# tests/proofs/test_spec_binding.py has all codes of small formats.
CONVERSIONS = [
    (source, target)
    for source, target in permutations(FORMATS.values(), 2)
    if not {source, target} <= set(SMALL_FORMATS)
]


@pytest.mark.parametrize(("source", "target"), CONVERSIONS, ids=lambda fmt: fmt.name)
def test_conversions_against_the_spec_of_record(source, target):
    (codes,) = many_codes(source, max(50, CASES // 20), seed=2, operands=1)
    x = Symbol(f"x{source.width}", BVType(source.width))
    turn = 0 if NIGHTLY else CONVERSIONS.index((source, target)) % 3
    wanted = list(product(RoundingMode, target.policies))[turn :: 1 if NIGHTLY else 3]
    convert = partial(symbolic.compute, "convert", target, source=source)
    record = partial(exact.compute, "convert", target, source=source)
    formulas = {(mode, policy): convert(mode, policy, x) for mode, policy in wanted}
    actual = Evaluation(formulas).evaluate({f"x{source.width}": codes})
    for mode, policy in wanted:
        expected = [record(mode, policy, int(code)) for code in codes]
        assert actual[mode, policy].tolist() == expected, (mode.value, policy.value)


def test_the_drawn_pairs_cover_every_class():
    """Zeros, subnormals, infinities and NaNs all occur."""
    for fmt in HARDWARE:
        x, _ = many_codes(fmt, OF_THE_MACHINE, seed=fmt.width)
        classes = {exact.classify(fmt, int(code)) for code in x[:20000].tolist()}
        assert classes == {"zero", "subnormal", "normal", "infinity", "nan"}
