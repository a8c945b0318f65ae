"""Blocks of results: equal to every result where there is that, and to the definition elsewhere."""

import random

import numpy as np
import pytest

from spikeproof.specs import functions
from spikeproof.specs.conventions import IEEE, convention_named
from spikeproof.specs.formats import (
    BFLOAT16,
    FP16,
    FP32,
    FP64,
    OverflowPolicy,
    RoundingMode,
    format_named,
)
from spikeproof.specs.functions import FUNCTIONS, Line, compute, every_result, results_from
from tests.support.profile import NIGHTLY

NEAREST = RoundingMode.NEAREST_EVEN
MODES = list(RoundingMode)
POLICY = OverflowPolicy.IEEE
SEED = 20261129


def require_all_equal(function, fmt, mode, policy=POLICY, convention=IEEE):
    found = results_from(function, fmt, mode, policy, 0, 1 << fmt.width, convention=convention)
    every = every_result(function, fmt, mode, policy, convention=convention)
    assert np.flatnonzero(found != every).tolist() == []


def require_equal(function, fmt, mode, first, count, places, policy=POLICY, convention=IEEE):
    found = results_from(function, fmt, mode, policy, first, count, convention=convention)
    for place in places:
        right = compute(function, fmt, mode, policy, first + place, convention=convention)
        assert found[place] == right, (mode, hex(first + place))


def in_turn(function):
    """One mode or another."""
    return MODES if NIGHTLY else [MODES[list(FUNCTIONS).index(function) % len(MODES)]]


# --- formats of 16 bits -------------------------------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS)
def test_all_of_fp16(function):
    for mode in in_turn(function):
        require_all_equal(function, FP16, mode)


@pytest.mark.parametrize("function", FUNCTIONS if NIGHTLY else ("exp", "cos"))
def test_all_of_bfloat16(function):
    for mode in in_turn(function):
        require_all_equal(function, BFLOAT16, mode)


WORDS = ("daz", "ftz", "ftz_before.daz", "ftz_after", "ftz.unsigned_flush", "x86_nan", "first_nan")


@pytest.mark.parametrize("word", WORDS)
def test_conventions(word):
    """Functions that have subnormal results, of both signs or next to a multiple of the operand."""
    chosen = ("exp", "tanh", "silu", "reciprocal", "expm1", "log1p", "sin", "gelu")
    fmt = FP16 if NIGHTLY else format_named("e5m6")
    turn = WORDS.index(word)
    for function in chosen if NIGHTLY else (chosen[turn], "gelu"):
        require_all_equal(function, fmt, MODES[(turn + 3) % 6], convention=convention_named(word))


@pytest.mark.parametrize("name", ["e5m6", "e5m6fn", "e5m6fnuz", *(["e5m10fn"] if NIGHTLY else [])])
def test_policies(name):
    fmt = format_named(name)
    for policy in fmt.policies:
        for mode in (NEAREST, RoundingMode.DOWN, RoundingMode.TO_ODD):
            require_all_equal("exp", fmt, mode, policy)


# --- wider formats ------------------------------------------------------------------------------


def drawn(fmt, count, size=1 << 11):
    """Blocks at both ends of binades, and anywhere in them."""
    choose = random.Random(SEED)
    for index in range(count):
        start = choose.randrange(1 << fmt.exponent_bits + 1) << fmt.fraction_bits
        inside = choose.randrange(1 << fmt.fraction_bits) // size * size
        yield start + (0, (1 << fmt.fraction_bits) - size, inside)[index % 3]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("fmt", [FP32, format_named("e6m13")], ids=lambda fmt: fmt.name)
def test_drawn_blocks(function, fmt):
    choose = random.Random(SEED)
    size = min(1 << 11, 1 << fmt.fraction_bits)
    for index, first in enumerate(drawn(fmt, 600 if NIGHTLY else 20, size)):
        places = (0, 1, size - 1, *choose.sample(range(size), 3))
        require_equal(function, fmt, MODES[index % len(MODES)], first, size, places)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_large_blocks_of_fp32(function):
    """With infinity, NaN and zeros among them, of more than one binade, and across the sign."""
    choose, blocks = random.Random(SEED), (0x3F000000, 0xC0000000, 0x7F000000)
    turn = list(FUNCTIONS).index(function) % len(blocks)
    for first in blocks if NIGHTLY else blocks[turn : turn + 1]:
        places = [0, *choose.sample(range(1 << 24), 8)]
        require_equal(function, FP32, choose.choice(MODES), first, 1 << 24, places)


def test_conventions_of_fp32():
    """The least normal number is a result of these operands, and a NaN in the last block."""
    for word in (*WORDS, "cuda", "x86_sse"):
        convention = convention_named(word)
        for function, first in (
            ("exp", 0xC2AEA000),  # e^-87.336...
            ("silu", 0x00FFF000),
            ("reciprocal", 0x7E7FF000),
            ("tanh", 0x007FF000),
            ("exp", 0xFFBFF000),
        ):
            places = range(0, 1 << 13, 127)
            for mode in (NEAREST, RoundingMode.UP):
                require_equal(function, FP32, mode, first, 1 << 12, places[:33], POLICY, convention)


def test_formats_of_many_exponents_are_done_code_by_code():
    require_equal("log", format_named("e11m8"), NEAREST, 1 << 18, 64, range(64))


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fmt", "first", "count", "words"),
    [
        (FP64, 0, 16, "at most 32"),
        (FP32, 0, 48, "no block"),
        (FP32, 0, 0, "no block"),
        (FP32, 8, 16, "no block"),
        (FP32, 1 << 32, 16, "no block"),
        (FP32, -16, 16, "no block"),
    ],
)
def test_what_is_no_block_is_refused(fmt, first, count, words):
    with pytest.raises(ValueError, match=words):
        results_from("exp", fmt, NEAREST, POLICY, first, count)


def test_what_the_format_has_not_is_refused():
    with pytest.raises(KeyError):
        results_from("sinh", FP32, NEAREST, POLICY, 0, 16)
    with pytest.raises(ValueError, match="policy"):
        results_from("exp", format_named("e5m14fn"), NEAREST, POLICY, 0, 16)
    given = "exp", format_named("e5m14fn"), NEAREST, OverflowPolicy.SATURATE, 0, 16
    with pytest.raises(ValueError, match="payload"):
        results_from(*given, convention=convention_named("x86_nan"))


# --- planted faults -----------------------------------------------------------------------------


FAULTS = {
    "a line too long": ("LINES", {"tanh": (Line(0, 2.0**-3, 1, (-1, -1)),)}, "tanh", "rtz", "e5m8"),
    "a line on the wrong side": (
        "LINES",
        {"silu": (Line(0, 2.0**-11, 0.5, (-1, 1)),)},
        "silu",
        "rtp",
        "e5m8",
    ),
    "a line of another slope": (
        "LINES",
        {"silu": (Line(0, 2.0**-9, 1, (1, -1)),)},
        "silu",
        "rne",
        "e5m8",
    ),
    "monotone where it is not": ("MONOTONE", {"sin_pi": (-np.inf, np.inf)}, "sin_pi", "rne", "e5m8"),
    "a period where there is none": ("PERIODIC", ("tanh",), "tanh", "rne", "fp16"),
    "large angles of another function": ("CIRCULAR", {"sin": 1}, "sin", "rne", "e5m8"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_noticed(monkeypatch, fault):
    name, value, function, mode, fmt = FAULTS[fault]
    fmt, mode = format_named(fmt), RoundingMode(mode)
    require_all_equal(function, fmt, mode)
    monkeypatch.setattr(functions, name, value)
    with pytest.raises(AssertionError):
        require_all_equal(function, fmt, mode)
