"""Of inputs drawn by class the first are corners."""

from itertools import product

import numpy as np
import pytest

from spikeproof import check
from spikeproof.circuits.meanings import boolean
from spikeproof.proofs.names import unit_named
from spikeproof.prover.claims.catalogue import stated
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.refutation.drawing import (
    DRAWN,
    every_input_or_some,
    far_apart,
    landmarks,
    many_codes,
)
from spikeproof.prover.refutation.minimisation import violating
from spikeproof.specs import exact
from spikeproof.specs.formats import (
    FORMATS,
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP16,
    FP32,
    Integer,
    format_named,
    ieee_format,
)
from tests.support.foreign.adders import compare_and_swap, two_path


@pytest.mark.parametrize("fmt", [FP16, FP32], ids=lambda fmt: fmt.name)
def test_every_pair_of_special_codes_is_tried(fmt):
    """Infinities, NaNs of both kinds, zeros, ones, ends of the ranges: of each sign but of NaNs once."""
    widths = {"x": fmt.width, "y": fmt.width}
    inputs, every = every_input_or_some(widths, {"x": fmt, "y": fmt, "result": fmt})
    assert not every
    assert {len(codes) for codes in inputs.values()} == {DRAWN}
    met = set(zip(inputs["x"].tolist(), inputs["y"].tolist(), strict=True))
    normal, one = 1 << fmt.fraction_bits, fmt.bias << fmt.fraction_bits
    magnitudes = (0, one, fmt.infinity, normal, normal - 1, 1, fmt.largest_finite)
    special = [m | sign for m in magnitudes for sign in (0, fmt.sign_mask)]
    special += [fmt.canonical_nan, fmt.infinity | 1]
    assert met >= set(product(special, repeat=2))


def test_of_triples_and_of_integers_there_are_corners_too():
    widths = dict.fromkeys("xyz", 16)
    inputs, _ = every_input_or_some(widths, dict.fromkeys(("x", "y", "z", "result"), FP16))
    met = set(zip(*(codes.tolist() for codes in inputs.values()), strict=True))
    special = [0, FP16.sign_mask, FP16.infinity, FP16.canonical_nan, FP16.largest_finite]
    assert met >= set(product(special, repeat=3))
    integer = Integer(16, signed=True)
    inputs, _ = every_input_or_some({"x": 16, "n": 16}, {"x": FP16, "n": integer, "result": FP16})
    met = set(zip(inputs["x"].tolist(), inputs["n"].tolist(), strict=True))
    assert met >= set(product([0, FP16.infinity], [0, 1, 0x7FFF, 0x8000, 0xFFFF]))


@pytest.mark.parametrize(
    "fmt", [*FORMATS.values(), format_named("e2m1"), format_named("e15m112")], ids=lambda fmt: fmt.name
)
def test_landmarks_are_codes_none_of_them_twice(fmt):
    codes = landmarks(fmt)
    assert len(set(codes)) == len(codes)
    assert all(0 <= code < 1 << fmt.width for code in codes)
    classes = {exact.classify(fmt, code) for code in codes}
    assert classes >= {"zero", "subnormal"} | ({"nan"} if fmt.has_nan else set())
    assert ("infinity" in classes) == fmt.has_infinity


def test_formats_of_one_nan_have_it_among_their_landmarks_once():
    for fmt in (FP8_E4M3FN, FP8_E4M3FNUZ):
        nans = {code for code in range(1 << fmt.width) if fmt.is_nan(code)}
        assert nans & set(landmarks(fmt)) == nans


@pytest.mark.parametrize(
    ("unit", "other"),
    [
        ("fp16.multiply.rne.ftz", "ftz_after"),
        ("fp16.multiply.rne.flags", "tiny_after.flags"),
        ("fp32.multiply.rne.ftz", "ftz_before"),
        ("bfloat16.fma.rne.ftz", "ftz_after"),
        ("fp16.convert_from_fp32.rne.ftz", "ftz_after"),
        ("fp16.convert_from_fp32.rna.ftz", "ftz_before"),
    ],
)
def test_results_beside_the_smallest_normal_number_tell_when_a_result_is_tiny(unit, other):
    one, two = unit_named(unit), unit_named(".".join([*unit.split(".")[:3], other]))
    circuits = one.circuit(), two.circuit()
    inputs, _ = every_input_or_some(circuits[0].inputs, one.reading.formats)
    outputs = [boolean.evaluate(circuit, inputs) for circuit in circuits]
    differ = np.any([outputs[0][name] != outputs[1][name] for name in outputs[0]], axis=0)
    assert differ.sum() > 1


def test_what_is_drawn_is_the_same_each_time():
    one, two = (every_input_or_some({"x": 32}, {"x": FP32, "result": FP16})[0]["x"] for _ in range(2))
    assert one.tolist() == two.tolist()


WIDE = [ieee_format(11, 53), ieee_format(15, 49), ieee_format(15, 112)]


@pytest.mark.parametrize("fmt", WIDE, ids=lambda fmt: fmt.name)
def test_codes_wider_than_a_machine_word_are_of_every_class_and_sign(fmt):
    """Found in review: none was negative, or none could be drawn. Zeros are rare, but landmarks."""
    wanted = set(product(("normal", "subnormal", "nan"), (0, 1)))
    for codes in many_codes(fmt, 4096, seed=1, operands=3):
        met = {(exact.classify(fmt, code), code >> fmt.magnitude_bits) for code in codes.tolist()}
        assert wanted <= met
        fractions = {exact.fields(fmt, code)[2] for code in codes.tolist()}
        assert {1, (1 << fmt.fraction_bits) - 1, 1 << fmt.fraction_bits - 1} <= fractions


def test_what_is_wrong_with_wide_operands_is_refuted_and_told():
    theorem = "fp8_e5m2.convert_from_e15m49.rne"
    circuit = stated("fp8_e5m2.convert_from_e15m49.rtz").circuit()
    found = check(circuit, theorem)
    assert found.outcome is Outcome.REFUTED
    assert found.nearest == "fp8_e5m2.convert_from_e15m49.rtz"


# --- just deciding ------------------------------------------------------------------------------


@pytest.mark.parametrize("adder", [compare_and_swap, two_path])
@pytest.mark.parametrize("fmt", [FP16, FP32], ids=lambda fmt: fmt.name)
def test_an_operand_that_is_dropped_where_it_just_decides_is_missed(adder, fmt):
    """Only a power of two, less just more than a quarter of its ULP, shows it."""
    obligation = unit_named(f"{fmt.name}.add.rne").obligation()
    wrong, right = adder(fmt, fault="small_operand_dropped"), adder(fmt)
    assert violating(obligation, obligation.state(wrong)) is not None
    assert violating(obligation, obligation.state(right)) is None


def test_operands_far_apart_are_of_one_format_and_two_or_three():
    pairs = far_apart({"x": 16, "y": 16}, {"x": FP16, "y": FP16, "result": FP16})
    one, half_ulp_below = FP16.bias << 10, FP16.sign_mask | (FP16.bias - 12) << 10 | 1
    met = set(zip(pairs["x"].tolist(), pairs["y"].tolist(), strict=True))
    assert {(one, half_ulp_below), (half_ulp_below, one)} <= met
    triples = far_apart(dict.fromkeys("xyz", 16), dict.fromkeys("xyz", FP16))
    assert set(triples["y"].tolist()) == {one}
    assert far_apart({"x": 16}, {"x": FP16}) == {}
    assert far_apart({"x": 16, "y": 32}, {"x": FP16, "y": FP32}) == {}
    assert far_apart({"x": 16, "n": 16}, {"x": FP16, "n": Integer(16, signed=True)}) == {}
