"""hypot digit by digit: small formats on every pair, as MPFR says; FP16 where exponents lie near."""

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.meanings.programs import Root
from spikeproof.circuits.units.functions.of_two import DIGITS, build_function_of_two, results
from spikeproof.reference.functions import MPFR_MODES, by_mpfr
from spikeproof.specs.formats import (
    BFLOAT16,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    OverflowPolicy,
    RoundingMode,
    ieee_format,
)

NEAREST, IEEE = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE


def unit(fmt, mode=NEAREST, policy=IEEE, **said):
    return build_function_of_two("hypot", fmt, mode, policy, construction=DIGITS, **said)


@pytest.mark.parametrize("mode", RoundingMode)
@pytest.mark.parametrize("fmt", [ieee_format(4, 3), ieee_format(3, 4), ieee_format(2, 4)], ids=str)
def test_every_pair(fmt, mode):
    y, x = divmod(np.arange(1 << 2 * fmt.width, dtype=np.uint64), 1 << fmt.width)
    found = boolean.evaluate(unit(fmt, mode), {"x": x, "y": y})["result"]
    assert np.array_equal(found, results("hypot", fmt, mode, IEEE))


@pytest.mark.parametrize("mode", MPFR_MODES)
@pytest.mark.parametrize("fmt", [FP16, BFLOAT16], ids=lambda fmt: fmt.name)
def test_pairs_drawn(fmt, mode):
    random = np.random.default_rng(20261130)
    x = random.integers(0, 1 << fmt.width, 4000)
    apart = random.integers(
        -(fmt.precision << fmt.fraction_bits), fmt.precision << fmt.fraction_bits, 4000
    )
    landmarks = np.array([0, 1, fmt.sign_mask, fmt.largest_finite, fmt.infinity, fmt.canonical_nan])
    y = np.where(
        random.random(4000) < 0.1, random.choice(landmarks, 4000), (x + apart) % (1 << fmt.width)
    )
    inputs = {"x": x.astype(np.uint64), "y": y.astype(np.uint64)}
    found = boolean.evaluate(unit(fmt, mode), inputs)["result"].astype(np.int64)
    expected = by_mpfr("hypot", fmt, mode, x, y)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("mode", RoundingMode)
def test_it_is_read_as_words(mode):
    words = read_program(unit(FP16, mode)).words
    assert sum(isinstance(word, Root) for word in words) == 1
    assert len(words) < 60


def test_sizes():
    fp16, bfloat16 = unit(FP16).statistics, unit(BFLOAT16).statistics
    assert (fp16.neurons, fp16.depth) == (443, 99)
    assert (bfloat16.neurons, bfloat16.depth) == (291, 88)


def test_what_is_refused():
    with pytest.raises(
        ValueError, match="of 3 fraction bits or more, and of its overflow; not of fp8_e5m2"
    ):
        unit(FP8_E5M2)
    with pytest.raises(ValueError, match="not of fp8_e4m3fn, overflow saturates"):
        unit(FP8_E4M3FN, policy=OverflowPolicy.SATURATE)
    with pytest.raises(ValueError, match="not of fp16, overflow saturates"):
        unit(FP16, policy=OverflowPolicy.SATURATE)
    with pytest.raises(ValueError, match="neurons that read sums, not of nexus gates"):
        unit(FP16, library="nexus")
    with pytest.raises(ValueError, match="by digits, hypot can be made; not pow"):
        build_function_of_two("pow", FP16, NEAREST, IEEE, construction=DIGITS)
