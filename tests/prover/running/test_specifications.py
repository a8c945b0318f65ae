"""Functions of users: what they are given, how what they give becomes codes, and what is refused."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from pysmt.shortcuts import BVXor

from spikeproof import NetlistBuilder, Outcome, check, specification
from spikeproof.circuits.doors.apart import ForeignCodeError
from spikeproof.circuits.meanings import boolean
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.tables import TABLE_BITS
from spikeproof.prover.running.functions import SpecFunction
from spikeproof.specs import exact
from spikeproof.specs.formats import FP16, OverflowPolicy, RoundingMode, format_named

E4M3 = "fp8_e4m3fn"


def exclusive_or(width, faulty=False):
    """A circuit; the faulty one is wrong where all bits are set."""
    builder = NetlistBuilder()
    x, y = builder.input("x", width), builder.input("y", width)
    both = [builder.neuron([(a, 1), (b, 1)], 2) for a, b in zip(x, y, strict=True)]
    result = [builder.neuron([(a, 1), (b, 1), (c, -2)], 1) for a, b, c in zip(x, y, both, strict=True)]
    if faulty:
        every = builder.neuron([(each, 1) for each in both], width)
        result[0] = builder.neuron([(result[0], 1), (every, 1)], 1)
    return builder.build({"result": tuple(result)})


def of_bits(width, function=lambda x, y: x ^ y):
    return specification(bits={"x": width, "y": width}, result=width)(function)


@pytest.mark.parametrize("mode", [mode.value for mode in RoundingMode])
@pytest.mark.parametrize("policy", ["saturate", "nan"])
def test_sums_of_values_are_those_of_the_spec_of_record(mode, policy):
    fmt = format_named(E4M3)
    spec = specification(values={"x": E4M3, "y": E4M3}, result={"sum": E4M3}, mode=mode, policy=policy)(
        lambda x, y: {"sum": x + y}
    )
    for x in range(0, 256, 3):
        for y in (0, 1, 0x80, 0x7E, 0x7F, 0xFE, x, x ^ 0x80, 0x38):
            code = exact.compute("add", fmt, RoundingMode(mode), OverflowPolicy(policy), x, y)
            (found,) = spec.codes((x, y))
            zeros = exact.decode(fmt, code).is_zero and exact.decode(fmt, found).is_zero
            assert found == code or zeros


def test_values_are_exact_and_specials_are_floats():
    seen = []
    spec = specification(values={"x": "fp16", "n": "int8"}, result="fp16")(
        lambda x, n: seen.append((x, n)) or x
    )
    codes = [(0x3555, 0xFF), (FP16.infinity, 0), (FP16.infinity | FP16.sign_mask, 1)]
    assert [spec.codes(each)[0] for each in codes] == [code for code, _ in codes]
    assert spec.codes((FP16.canonical_nan, 0)) == [FP16.canonical_nan]
    assert seen[:3] == [(Fraction(0x555, 1 << 12), -1), (math.inf, 0), (-math.inf, 1)]
    assert isinstance(seen[0][0], Fraction)
    assert math.isnan(seen[3][0])


@pytest.mark.parametrize(
    ("result", "given", "said"),
    [
        ("fp16", 0.5, "result is 0.5; give an int or a Fraction"),
        ("fp16", True, "result is True; give an int"),
        ("fp16", None, "result is None; give an int"),
        ("fp16", {"sum": 1}, "it gives no mapping of its outputs, result"),
        ("int8", 128, "result is 128, which is no int8"),
        ("int8", Fraction(1, 2), "result is 1/2, which is no int8"),
        ("int8", math.inf, "result is inf, which is no int8"),
    ],
)
def test_what_is_no_value_is_refused_with_its_input(result, given, said):
    spec = specification(values={"x": "fp16"}, result=result)(lambda x: given)
    with pytest.raises(ForeignCodeError, match=rf"^for x = 0x3c00 {said}"):
        spec.codes((0x3C00,))


@pytest.mark.parametrize("given", [-1, 4, "1", None, 1.0])
def test_what_is_no_code_is_refused_with_its_input(given):
    with pytest.raises(ForeignCodeError, match=r"^for x = 0x1, y = 0x2 result is"):
        of_bits(2, lambda x, y: given).codes((1, 2))


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({}, "say one of values, bits and formula"),
        ({"bits": {"x": 1}, "formula": {"x": 1}}, "say one of"),
        ({"bits": {"x": 0}}, "say how many bits"),
        ({"values": {"x": 8}}, "say the format"),
        ({"values": {"x": "fp17"}}, "unknown format 'fp17'"),
        ({"bits": {"x": 1}, "mode": "up"}, "there is no mode 'up'"),
        ({"values": {"x": "fp16"}, "result": E4M3, "policy": "ieee"}, "no policy 'ieee'"),
    ],
)
def test_what_cannot_be_declared(declared, said):
    with pytest.raises(ValueError, match=said):
        specification(**{"result": 1 if "bits" in declared else "fp16", **declared})


# --- circuits decided by them -------------------------------------------------------------------


@pytest.mark.parametrize(("faulty", "outcome"), [(False, Outcome.PROVED), (True, Outcome.REFUTED)])
@pytest.mark.parametrize("kind", ["bits", "formula"])
def test_a_function_of_few_inputs_is_proved(kind, faulty, outcome):
    functions = {"bits": lambda x, y: x ^ y, "formula": lambda x, y: {"result": BVXor(x, y)}}
    spec = specification(**{kind: {"x": 3, "y": 3}}, result=3)(functions[kind])
    record = check(exclusive_or(3, faulty), spec)
    assert record.outcome is outcome
    assert record.counterexample == ({"x": 7, "y": 7} if faulty else None)
    assert any(each.kind == "drat" for each in record.certificates) is not faulty


@pytest.mark.parametrize(("faulty", "outcome"), [(False, Outcome.PROVED), (True, Outcome.REFUTED)])
def test_another_circuit(faulty, outcome):
    assert check(exclusive_or(9, faulty), exclusive_or(9)).outcome is outcome


@pytest.mark.parametrize("kind", ["values", "bits"])
def test_more_inputs_than_can_be_proved_are_tested_and_never_proved(kind):
    """FP16 of 16 bits and a bit beside: the circuit gives the first operand, and loses it once."""
    builder = NetlistBuilder()
    x, y = builder.input("x", 16), builder.input("y", 1)
    right = builder.build({"result": x})
    fires = builder.neuron(
        [(s, 1 if n in range(10, 14) else -1) for n, s in enumerate(x)] + [(y[0], 1)], 5
    )
    wrong = builder.build({"result": (builder.neuron([(x[0], 1), (fires, 1)], 1), *x[1:])})
    spec = specification(bits={"x": 16, "y": 1}, result=16)(lambda x, y: x)
    if kind == "values":
        spec = specification(values={"x": "fp16", "y": "int8"}, result="fp16")(lambda x, y: x)
        right, wrong = (_widened(each) for each in (right, wrong))
    found = check(right, spec, timeout=1)
    assert found.outcome is Outcome.UNKNOWN
    assert "a test, no proof" in found.message
    refuted = check(wrong, spec, timeout=20)
    assert refuted.outcome is Outcome.REFUTED
    assert refuted.counterexample["x"] == 0x3C00


def _widened(netlist):
    """The same with seven more bits beside, which it does not read."""
    moved = {s: s + 7 for s in range(netlist.input_count, netlist.signal_count)}
    return replace(
        netlist,
        inputs={"x": 16, "y": 8},
        neurons=tuple(
            replace(n, synapses=tuple((moved.get(s, s), w) for s, w in n.synapses))
            for n in netlist.neurons
        ),
        outputs={"result": tuple(moved.get(s, s) for s in netlist.outputs["result"])},
    )


def test_every_input_is_tried_where_there_is_time():
    width = 4
    function = SpecFunction.here(of_bits(width))
    tested = function.tested(exclusive_or(width), 60)
    assert (tested.tried, tested.every, tested.refuting) == (1 << 2 * width, True, None)
    tested = function.tested(exclusive_or(width, faulty=True), 60)
    assert (tested.failures, tested.refuting.table.points) == (1, {"x": (15,), "y": (15,)})


def test_what_was_tried_in_time_is_all_that_is_said():
    width = TABLE_BITS // 2 + 1
    tested = SpecFunction.here(of_bits(width)).tested(exclusive_or(width), 0.1)
    assert 0 < tested.tried < 1 << 2 * width
    assert not tested.every


def test_zeros_of_either_sign_and_all_nans_count_as_one_and_nothing_else():
    small, fmt = "e2m1fn", format_named("e2m1fn")
    adder = theorem(f"{small}.add.rne.saturate").circuit()
    codes = np.arange(1 << 8)
    sums = boolean.evaluate(adder, {"x": codes % 16, "y": codes // 16})["result"]
    assert {fmt.sign_mask, fmt.canonical_nan} <= set(map(int, sums))  # -0 + -0, and NaN
    spec = specification(values={"x": small, "y": small}, result=small, policy="saturate")
    assert check(adder, spec(lambda x, y: x + y)).outcome is Outcome.PROVED
    refuted = check(adder, spec(lambda x, y: 1 if (x, y) == (0, 0) else x + y))
    assert refuted.outcome is Outcome.REFUTED
    assert "fails on 4 of all 256 inputs" in refuted.message


def test_a_function_that_draws_at_random_is_refused():
    values = iter(range(1 << 10))
    with pytest.raises(ForeignCodeError, match="does not give the same every time"):
        check(exclusive_or(2), of_bits(2, lambda x, y: next(values) // 3 % 4))
