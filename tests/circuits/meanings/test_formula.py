"""The formula of a neuron, read case by case or as a sum, is the comparison that defines the neuron."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysmt.environment import Environment
from pysmt.shortcuts import BV, Bool, BVExtract, BVType, Equals, Ite, Symbol

from spikeproof.circuits.meanings import boolean, formula
from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.units.libraries import FAST, LIBRARIES
from spikeproof.proofs.units import OPERATIONS, Unit
from spikeproof.specs.formats import FORMATS, FP8_E4M3FN, FP8_E5M2, FP16, FP32
from tests.support.formula_evaluation import evaluate
from tests.support.profile import NIGHTLY

READINGS = {
    "as it is": {},
    "by cases": {"MOST_CASES": 1 << 20},
    "by sum": {"MOST_CASES": 0},
}

EXHAUSTIVE = 12


def words(width: int) -> np.ndarray:
    """Every word; of a long one those with up to two bits set or clear, and others by chance."""
    if width <= EXHAUSTIVE:
        return np.arange(1 << width, dtype=object)
    few = [sum(1 << bit for bit in bits) for k in range(3) for bits in combinations(range(width), k)]
    every_bit = (1 << width) - 1
    rng = np.random.default_rng(width)
    chance = [int.from_bytes(rng.bytes(width // 8 + 1), "big") & every_bit for _ in range(200)]
    return np.array([*few, *(every_bit ^ word for word in few), *chance], dtype=object)


def assert_agreement(neuron: Neuron, *, last_first: bool = False) -> None:
    width = len(neuron.synapses)
    inputs = words(width)
    fires = boolean.fires(neuron, boolean.unpack_words(inputs, width))
    widths = [min(64, width - start) for start in range(0, width, 64)]
    pieces = [Symbol(f"piece{k}.{size}", BVType(size)) for k, size in enumerate(widths)]
    bits = [BVExtract(piece, k, k) for piece in pieces for k in range(piece.bv_width())]
    read = [Equals(bit, BV(1, 1)) for bit in bits]
    fires_too = formula.neuron_formula(neuron, read, last_first=last_first)
    fired = Ite(fires_too, BV(1, 1), BV(0, 1))
    parts = {
        piece.symbol_name(): np.array(
            [word >> 64 * k & (1 << 64) - 1 for word in inputs], dtype=np.uint64
        )
        for k, piece in enumerate(pieces)
    }
    assert np.array_equal(evaluate(fired, parts), fires), neuron


def neurons_of(netlists: Iterator[Netlist]) -> set[Neuron]:
    """All that differ in more than the sources of their synapses."""
    return {
        Neuron(
            tuple((place, weight) for place, (_, weight) in enumerate(neuron.synapses)),
            neuron.threshold,
            neuron.bias,
        )
        for netlist in netlists
        for neuron in netlist.neurons
    }


def units() -> Iterator[Netlist]:
    for fmt, operation in product(FORMATS.values() if NIGHTLY else (FP8_E4M3FN, FP16), OPERATIONS):
        yield Unit(operation, fmt, policy=fmt.policies[0]).circuit()
    for operation, library in product(OPERATIONS, LIBRARIES):
        yield Unit(operation, FP8_E5M2, library=library).circuit()
    for operation in OPERATIONS:
        yield Unit(operation, FP32, structure=FAST).circuit()


def test_every_neuron_of_the_units():
    neurons = neurons_of(units())
    assert len(neurons) > 60
    for neuron in neurons:
        if neuron.synapses:
            assert_agreement(neuron)


@st.composite
def neurons(draw: st.DrawFn) -> Neuron:
    """Weights that are alike, or as different as can be."""
    largest = draw(st.sampled_from((1, 3, 40, 10**6)))
    weight = st.integers(-largest, largest).filter(bool)
    weights = draw(st.lists(weight, min_size=1, max_size=9))
    total = sum(map(abs, weights))
    threshold, bias = draw(st.integers(-total - 1, total + 1)), draw(st.integers(-3, 3))
    return Neuron(tuple(enumerate(weights)), threshold, bias)


@pytest.mark.parametrize("bounds", READINGS.values(), ids=READINGS)
@given(neuron=neurons())
def test_any_neuron(bounds, neuron):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in bounds.items():
            patch.setattr(formula, name, value)
        assert_agreement(neuron)


@st.composite
def joined(draw: st.DrawFn) -> tuple[Neuron, list[int]]:
    """A neuron, and for each synapse which of a few signals it reads."""
    neuron = draw(neurons())
    return neuron, [draw(st.integers(0, 3)) for _ in neuron.synapses]


@pytest.mark.parametrize("bounds", READINGS.values(), ids=READINGS)
@given(joined=joined())
def test_any_neuron_that_reads_a_signal_several_times(bounds, joined):
    """It has one synapse of it, of all their weight: as ``units.copies`` makes what weighs too much."""
    neuron, read = joined
    signals = [Symbol(f"signal{k}") for k in range(4)]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in bounds.items():
            patch.setattr(formula, name, value)
        fires_too = formula.neuron_formula(neuron, [signals[k] for k in read])
    for values in product((False, True), repeat=len(signals)):
        said = dict(zip(signals, map(Bool, values), strict=True))
        total = sum(w for (_, w), k in zip(neuron.synapses, read, strict=True) if values[k])
        assert fires_too.substitute(said).simplify() == Bool(total + neuron.bias >= neuron.threshold)


def test_copies_of_a_signal_are_read_as_that_signal():
    signal, other = Symbol("signal"), Symbol("other")
    copy = formula.neuron_formula(Neuron(((0, 1),), Fraction(1, 2)), [signal])
    assert copy is signal
    whole, shared = (
        formula.neuron_formula(Neuron(tuple(enumerate(weights)), Fraction(5, 2)), sources)
        for weights, sources in (((3, 2), [signal, other]), ((2, 2, 1), [signal, other, copy]))
    )
    assert shared is whole


def test_neurons_with_many_different_weights_are_read_as_sums():
    """Case by case they would come to as many formulas as there are subsets."""
    neuron = Neuron(tuple((k, 3**k) for k in range(30)), 3**29 + 5)
    assert_agreement(neuron)


@given(neuron=neurons())
def test_the_order_of_synapses_does_not_matter(neuron):
    assert_agreement(neuron, last_first=True)


def test_neurons_that_read_more_and_more_share_cases_if_the_last_is_told_first():
    sources = [Symbol(f"source{k}") for k in range(12)]

    def nodes(last_first):
        told, live = formula.Told(), set()
        for count in range(4, 13):
            neuron = Neuron(tuple((k, 1) for k in range(count)), count - 2)
            pending = [formula.neuron_formula(neuron, sources[:count], told, last_first=last_first)]
            while pending:
                node = pending.pop()
                pending += () if node in live else node.args()
                live.add(node)
        return len(live)

    assert 2 * nodes(last_first=True) < nodes(last_first=False)


def test_what_was_told_of_a_formula_is_not_told_of_one_of_another_environment():
    """They are numbered alike there."""
    netlist = Netlist({"x": 1}, (Neuron(((0, 1),), 1),), {"result": (1,)})
    others = {each.node_id(): each for each in (Symbol(f"other{number}") for number in range(99))}
    with Environment():
        inputs, here = formula.input_symbols(netlist), Symbol("here")
        while here.node_id() not in others:
            here = Symbol(f"here{here.node_id()}")
        for source in (here, others[here.node_id()]):
            found = formula.output_formulas(netlist, inputs, {0: source})
            assert found["result"].arg(0) is source


def test_neurons_of_very_many_synapses_are_read_case_by_case():
    """Deeper than Python's recursion is allowed to be."""
    sources = [Symbol(f"source{k}") for k in range(1200)]
    fires = formula.neuron_formula(Neuron(tuple((k, 1) for k in range(1200)), 1), sources)
    assert set(fires.get_free_variables()) == set(sources)
