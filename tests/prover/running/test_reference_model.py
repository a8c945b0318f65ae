"""Specs as functions of arrays: against the spec of record, against NumPy, and what they refuse."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import spikeproof
from spikeproof.prover.running.reference_model import ReferenceModel
from spikeproof.specs.formats import FP8_E4M3FN, FP8_E5M2, RoundingMode
from tests.support.operands import expected_flags, expected_results, operands

ADD = "fp8_e5m2.add.rtz.flags"
DOCS = Path(__file__).parents[3] / "docs" / "reference_model.md"


@pytest.mark.parametrize("operation", ["add", "divide"])
@pytest.mark.parametrize("fmt", [FP8_E4M3FN, FP8_E5M2], ids=lambda fmt: fmt.name)
def test_results_and_flags_are_those_of_the_spec_of_record(fmt, operation):
    mode, policy = RoundingMode.NEAREST_EVEN, fmt.policies[0]
    word = "" if policy.value == "ieee" else f".{policy.value}"
    found = spikeproof.reference_model(f"{fmt.name}.{operation}.rne{word}.flags")(
        operands(fmt, operation)
    )
    assert (found["result"] == expected_results(fmt, operation, mode, policy)).all()
    assert (found["flags"] == expected_flags(fmt, operation, mode)).all()


def test_wide_results_are_those_of_numpy():
    """Of 64 bits, where every bit of a word is used."""
    x, y = np.random.default_rng(1).integers(1 << 64, size=(2, 10_000), dtype=np.uint64)
    x[:100] &= np.uint64(0x800FFFFFFFFFFFFF)
    with np.errstate(all="ignore"):
        expected = (x.view(np.float64) + y.view(np.float64)).view(np.uint64)
    multiply = spikeproof.reference_model("fp64.add.rne")
    assert multiply.inputs == {"x": 64, "y": 64}
    assert multiply.outputs == {"result": 64}
    found = multiply({"x": x, "y": y}, sample=20)["result"]
    numbers = ~np.isnan(expected.view(np.float64))
    assert (found[numbers] == expected[numbers]).all()
    assert (found[~numbers] == 0x7FF8 << 48).all()


def test_a_spec_that_contradicts_the_spec_of_record_is_noticed():
    own = spikeproof.theorem(ADD)
    lie = replace(own, reading=replace(own.reading, trace=lambda codes: {"result": 0xFF}))
    given = {"x": np.array([1, 2]), "y": np.array([1, 2])}
    assert ReferenceModel(lie)(given)["result"].tolist() == [2, 4]
    with pytest.raises(
        RuntimeError, match=r"for x = 0x\d, y = 0x\d the formula of the spec gives result"
    ):
        ReferenceModel(lie)(given, sample=1)
    with pytest.raises(ValueError, match="has no spec of record to sample"):
        ReferenceModel(replace(own, reading=None))(given, sample=1)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"x": [1]}, "inputs are ['x']"),
        ({"x": [1], "y": [1], "z": [1]}, "inputs are ['x', 'y', 'z']"),
        ({"x": [1], "y": [1, 2]}, "input arrays have lengths [1, 2]"),
        ({"x": [1], "y": [256]}, "values must lie between 0 and 255 to fit 8 bits"),
        ({"x": [1], "y": [-1]}, "values must lie between 0 and 255 to fit 8 bits"),
        ({"x": [1], "y": 1}, "y has 0 dimensions; give np.ravel(y)"),
        ({"x": [[1]], "y": [1]}, "x has 2 dimensions; give np.ravel(x)"),
        (
            {"x": [1], "y": [60.7]},
            "y is of type float64; inputs are codes (unsigned integers of 8 bits)",
        ),
        ({"x": np.float16([1]), "y": [1]}, "of floats in that format give x.view(np.uint8)"),
        ({"x": np.array([60.7], dtype=object), "y": [1]}, "x is of type object"),
    ],
)
def test_what_are_no_inputs_is_refused(inputs, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        spikeproof.reference_model(ADD)(inputs)


def test_what_is_no_mapping_is_refused_and_what_would_be_one_is_shown():
    add = spikeproof.reference_model(ADD)
    with pytest.raises(
        ValueError, match=re.escape("takes one mapping from names to arrays: x (8 bits)")
    ):
        add(np.array([1, 2]))
    buses = "x (8 bits), y (8 bits) -> result (8 bits), flags (5 bits)"
    assert repr(add) == f"<reference model of {ADD}: {buses}>"


@pytest.mark.parametrize(
    ("name", "types"),
    [(ADD, ["uint8", "uint8"]), ("fp32.add.rne", ["uint32"]), ("e15m112.add.rne", ["object"])],
)
def test_results_are_of_the_smallest_type_that_holds_them(name, types):
    """As wide as the format, so that they can be viewed as numbers."""
    model = spikeproof.reference_model(name)
    found = model({bus: np.array([0, 0]) for bus in model.inputs})
    assert [str(codes.dtype) for codes in found.values()] == types


def test_what_a_theorem_excludes_is_refused():
    zeros = spikeproof.reference_model("block.ionic.leading_zeros.4")
    assert zeros({"x": np.array([1, 8])})["count"].tolist() == [3, 0]
    with pytest.raises(ValueError, match="says nothing of x = 0x0, which it excludes"):
        zeros({"x": np.array([1, 0])})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("spec.fp16.less.floating_point_theory", "is about formulas"),
        ("fp16.ad.rne", "no theorem matches"),
    ],
)
def test_what_is_about_no_outputs_has_no_reference(name, words):
    with pytest.raises(ValueError, match=words):
        spikeproof.reference_model(name)


def test_the_lines_of_the_documentation_run():
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("0 of 1,000,000 differ")
