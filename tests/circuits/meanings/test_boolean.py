"""Boolean evaluation, plainly, by matrices and by full adders, is what a neuron's definition says."""

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeproof.circuits.meanings import boolean, carry_save, matrices
from spikeproof.circuits.netlist import Netlist, Neuron
from tests.support.netlists import all_inputs, netlists

MEANINGS = (boolean.evaluate, matrices.evaluate, carry_save.evaluate)


def by_definition(netlist: Netlist, inputs) -> list[tuple[int, ...]]:
    """All signals of each input, one by one, in rationals."""
    found = []
    for number in range(len(next(iter(inputs.values())))):
        signals = [int(inputs[n][number]) >> i & 1 for n, w in netlist.inputs.items() for i in range(w)]
        for neuron in netlist.neurons:
            drive = sum((Fraction(w) for s, w in neuron.synapses if signals[s]), Fraction(neuron.bias))
            signals.append(int(drive >= neuron.threshold))
        found.append(tuple(signals))
    return found


def every_signal(netlist: Netlist) -> Netlist:
    """The netlist with an output of each signal."""
    return Netlist(netlist.inputs, netlist.neurons, {"out": tuple(range(netlist.signal_count))})


def evaluated(netlist: Netlist, inputs, evaluate) -> list[tuple[int, ...]]:
    words = evaluate(every_signal(netlist), inputs)["out"].tolist()
    return [tuple(word >> place & 1 for place in range(netlist.signal_count)) for word in words]


def sharing(seed: int, size: int = 1, width: int = 11, more: int = 30) -> Netlist:
    """A netlist whose large sums are alike: of other thresholds, longer, shorter, changed or scaled.

    Args:
        size: of which weights are multiples.
    """
    rng = random.Random(seed)
    neurons: list[Neuron] = []
    sums = [[(s, size * (rng.choice((-1, 1)) << rng.randrange(6))) for s in range(width)]]
    for signal in range(width, width + more):
        synapses = list(rng.choice(sums))
        change = rng.randrange(8)
        free = sorted(set(range(signal)) - {s for s, _ in synapses})
        if change in (1, 2) and free:
            synapses.append((rng.choice(free[-3:]), size * rng.choice((-40, -2, 1, 1, 64))))
        place = rng.randrange(len(synapses))
        source, weight = synapses[place]
        if change == 3:
            synapses[place] = source, -weight
        if change == 4:
            synapses[place] = source, weight + size
        if change == 5 and free:
            synapses[place] = rng.choice(free), weight
        if change == 6:
            synapses = [(s, w * Fraction(1, 2)) for s, w in synapses]
        if change == 7:
            rng.shuffle(synapses)
        synapses = [(s, w) for s, w in synapses if w]
        sums.append(synapses)
        low, high = (sum(min(w, 0) for _, w in synapses), sum(max(w, 0) for _, w in synapses))
        threshold = rng.choice((Fraction(rng.randrange(int(low), int(high) + 1)), high, low + size))
        neurons.append(
            Neuron(tuple(synapses), threshold - rng.choice((0, Fraction(1, 2), Fraction(1, 3))))
        )
    return Netlist({"x": width}, tuple(neurons), {"out": (width + more - 1,)})


@pytest.mark.parametrize("evaluate", MEANINGS)
@given(netlists(weights=st.fractions(-5, 5, max_denominator=30)))
def test_on_random_netlists(evaluate, netlist):
    inputs = all_inputs(netlist)
    assert evaluated(netlist, inputs, evaluate) == by_definition(netlist, inputs)


@pytest.mark.parametrize("size", [1, 3 << 20, 1 << 70], ids=["small", "32 bits", "beyond 64 bits"])
@pytest.mark.parametrize("evaluate", MEANINGS)
def test_on_netlists_that_read_one_sum_many_times(evaluate, size):
    for seed in range(6):
        netlist = sharing(seed, size)
        inputs = {"x": np.random.default_rng(seed).integers(0, 1 << 11, 60, dtype=np.uint64)}
        assert evaluated(netlist, inputs, evaluate) == by_definition(netlist, inputs), seed


@pytest.mark.parametrize("evaluate", MEANINGS)
def test_hundreds_of_synapses_of_one_weight(evaluate):
    width = 300
    reads = [tuple((s, weight) for s in range(width)) for weight in (1, -1, 5)]
    neurons = tuple(
        Neuron(each, each[0][1] * at) for each in reads for at in (1, 127, 128, 129, 255, 300)
    )
    netlist = Netlist({"x": width}, neurons, {"out": (width,)})
    rng = random.Random(1)
    counts = (0, 1, 126, 127, 128, 129, 254, 255, 256, 299, 300)
    words = [sum(1 << place for place in rng.sample(range(width), count)) for count in counts]
    inputs = {"x": np.array(words, dtype=object)}
    assert evaluated(netlist, inputs, evaluate) == by_definition(netlist, inputs)


@pytest.mark.parametrize("evaluate", MEANINGS)
def test_no_inputs_at_all(evaluate):
    assert len(evaluate(sharing(3), {"x": np.zeros(0, dtype=np.uint64)})["out"]) == 0


@pytest.mark.parametrize("evaluate", MEANINGS)
def test_outputs_may_be_inputs_and_repeat(evaluate):
    netlist = Netlist({"x": 2}, (Neuron(((0, -1),), 0),), {"a": (1, 1, 2), "b": (0,)})
    found = evaluate(netlist, {"x": np.array([0, 1, 2, 3], dtype=np.uint64)})
    assert found["a"].tolist() == [4, 0, 7, 3]
    assert found["b"].tolist() == [0, 1, 0, 1]
