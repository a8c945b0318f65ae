"""Buses of circuits fitted to those of a spec."""

import re

import numpy as np
import pytest

from spikeproof.circuits.doors.buses import fitted, parsed_widths
from spikeproof.circuits.meanings.boolean import evaluate
from spikeproof.circuits.netlist import NetlistBuilder
from tests.support.refusals import refused

WANTED = {"x": 2, "y": 2}


def less(inputs, x, y):
    """Whether a number is less than another, whose bits are these of the inputs, lowest first."""
    builder = NetlistBuilder()
    bits = {(name, n): s for name, w in inputs.items() for n, s in enumerate(builder.input(name, w))}
    weights = [(bits[at], -(1 << n)) for n, at in enumerate(x)]
    weights += [(bits[at], 1 << n) for n, at in enumerate(y)]
    fires = builder.neuron(weights, 1)
    return builder.build({"less": (fires,), "same": (builder.neuron([(fires, -1)], 0),)})


def is_less(netlist):
    """Whether a circuit says of all x and y which is less."""
    codes = np.arange(16)
    found = evaluate(netlist, {"x": codes % 4, "y": codes // 4})["result"]
    return np.array_equal(found, codes % 4 < codes // 4)


A, B = [("a", 0), ("a", 1)], [("b", 0), ("b", 1)]
SINGLE = dict.fromkeys(("b1", "a0", "b0", "a1"), 1)
FROM_ONE = dict.fromkeys(("a1", "b1", "a2", "b2"), 1)


@pytest.mark.parametrize(
    ("inputs", "x", "y", "said"),
    [
        pytest.param({"a": 2, "b": 2}, A, B, {}, id="in order"),
        pytest.param({"y": 2, "x": 2}, [("x", 0), ("x", 1)], [("y", 0), ("y", 1)], {}, id="by name"),
        pytest.param({"b": 2, "x": 2}, [("x", 0), ("x", 1)], B, {}, id="one by name"),
        pytest.param({"v": 4}, [("v", 0), ("v", 1)], [("v", 2), ("v", 3)], {}, id="one bus"),
        pytest.param(
            {"v": 4}, [("v", 1), ("v", 0)], [("v", 3), ("v", 2)], {"order": "msb"}, id="highest first"
        ),
        pytest.param(SINGLE, [("b0", 0), ("b1", 0)], [("a0", 0), ("a1", 0)], {}, id="single bits"),
        pytest.param(FROM_ONE, [("a1", 0), ("a2", 0)], [("b1", 0), ("b2", 0)], {}, id="counted from 1"),
        pytest.param(
            SINGLE,
            [("a0", 0), ("a1", 0)],
            [("b0", 0), ("b1", 0)],
            {"inputs": {"a": 2, "b": 2}},
            id="single bits, declared in another order",
        ),
        pytest.param({"a": 2, "b": 2}, B, A, {"inputs": {"b": 2, "a": 2}}, id="declared"),
        pytest.param(
            {"a": 3, "b": 1},
            [*A],
            [("a", 2), ("b", 0)],
            {"inputs": {"u": 2, "v": 2}},
            id="cut as declared",
        ),
    ],
)
def test_every_bit_is_where_the_spec_has_it(inputs, x, y, said):
    circuit, matched = fitted(less(inputs, x, y), WANTED, {"result": 1}, outputs={"less": 1}, **said)
    assert dict(circuit.inputs) == WANTED
    assert is_less(circuit)
    assert "output result is the circuit's less" in matched
    assert "outputs that are not compared: same:1" in matched


def test_what_fits_stays_as_it_is():
    netlist = less({"x": 2, "y": 2}, [("x", 0), ("x", 1)], [("y", 0), ("y", 1)])
    circuit, matched = fitted(netlist, WANTED, netlist.output_widths)
    assert circuit is netlist
    assert matched == ()


@pytest.mark.parametrize(
    ("inputs", "said", "refusal"),
    [
        ({"a": 3, "b": 1}, {}, "the inputs do not fit: needed are x:2, y:2, the circuit has a:3, b:1"),
        ({"a": 2, "b": 2, "c": 1}, {}, "the circuit has a:2, b:2, c:1"),
        ({"a": 2, "b": 2}, {"inputs": {"a": 2, "c": 3}}, "--inputs has 5 bits, a:2, c:3, the circuit 4"),
        ({"a": 1, "b": 1, "c": 1, "d": 1}, {}, "the inputs do not fit"),
        ({"a": 2, "b": 2}, {"outputs": {"both": 3}}, "--outputs has 3 bits"),
        (
            {"a": 2, "b": 2},
            {},
            "the outputs do not fit: needed are result:1, the circuit has less:1, same:1",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(inputs, said, refusal):
    netlist = less(inputs, [(next(iter(inputs)), 0)], [])
    with refused(re.escape(refusal)):
        fitted(netlist, WANTED, {"result": 1}, **said)


@pytest.mark.parametrize("text", ["", "a", "a:", "a:0", "a:-1", "a:8,", "a:8,a:8", "a b:8", "a:9999999"])
def test_widths_that_are_none(text):
    with pytest.raises(ValueError, match=r"is no bus|is there twice"):
        parsed_widths(text)
