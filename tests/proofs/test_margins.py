"""The limits of noise, spread and leak: by hand, by trial within and beyond, and with faults planted."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.physics.leak import ExactMembranes, leaking_netlist, netlist_after
from spikeproof.circuits.physics.substrates import Reset
from spikeproof.circuits.physics.uncertainty import (
    NOTHING,
    Interval,
    Tolerance,
    perturbed,
    sample,
    uncertain_netlist,
)
from spikeproof.circuits.units.libraries import LIBRARIES, cell_netlist, gate_netlist
from spikeproof.proofs.margins import (
    SPIKES,
    Gate,
    gates,
    leak,
    perturbed_gate,
    thresholds_and_weights,
)
from spikeproof.proofs.superconducting import DECISIONS
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.margins.limits import (
    BEYOND,
    CEILING,
    NOISE,
    NOISES,
    PERTURBATIONS,
    THRESHOLD,
    THRESHOLD_AND_WEIGHT,
    WEIGHT,
    Cell,
    LeakLimit,
    Limit,
    both_ways,
    downward,
    first_wrong,
    largest,
    leak_limit,
    outline,
    region,
    upward,
)
from spikeproof.prover.running.discharge import discharge

pytestmark = pytest.mark.usefixtures("counterexamples_as_found")

EVERY_GATE = [(library, gate) for library in LIBRARIES for gate in ("and", "or", "not", "xor", "mux")]
ADDERS = [(library, gate) for library in LIBRARIES for gate in ("majority", "full_adder")]
CELLS = [*EVERY_GATE, *ADDERS]

every_cell = st.sampled_from(CELLS).map(lambda cell: gate_netlist(*cell))


# --- by hand -------------------------------------------------------------------------------------

BY_HAND = {
    # AND fires at 2 and not at 1, with a threshold of 3/2: 3/2 (1 + d) must be in (1, 2], 2 (1 - d) at
    # least 3/2, 1 + d below it; 2 (1 - d) >= 3/2 (1 + d) up to 1/7.
    ("ionic", "and"): ("[-1/2, 1/2)", "(-1/3, 1/3]", "1/4", "1/7"),
    # OR fires at 1 and not at 0: 1/2 (1 + d) in (0, 1], 1 - d >= 1/2; 1 - d >= 1/2 (1 + d) up to 1/3.
    ("ionic", "or"): ("[-1/2, 1/2)", "(-1, 1]", "1/2", "1/3"),
    # NOT is 1 - a: 1 - (1 - d) must stay below 1/2, and 1/2 (1 + d) in (0, 1]; or below 1/2 (1 - d).
    ("ionic", "not"): ("[-1/2, 1/2)", "(-1, 1]", "< 1/2", "< 1/3"),
    # XOR of two neurons: (1 + d) + (1 + d) - 2 (1 - d) = 4 d must stay below 1/2, or 1/2 (1 - d).
    ("ionic", "xor"): ("[-1/2, 1/2)", "(-1/3, 1/3]", "< 1/8", "< 1/9"),
    # MUX [2 h + b - s >= 1/2]: at h = s = 1 and b = 0, 2 (1 - d) - (1 + d) = 1 - 3 d must be at least
    # 1/2, or 1/2 (1 + d).
    ("threshold", "mux"): ("[-1/2, 1/2)", "(-1/3, 1/3]", "1/6", "1/7"),
    # Sum [a + b + c - 2 carry >= 1/2]: at 3 and carry, 3 (1 - d) - 2 (1 + d) = 1 - 5 d.
    ("threshold", "full_adder"): ("[-1/2, 1/2)", "(-1/3, 1/3]", "1/10", "1/11"),
    # All three of three: threshold 5/2 in (2, 3], 3 (1 - d) >= 5/2; 3 (1 - d) >= 5/2 (1 + d) up to 1/11.
    ("ternary", "full_adder"): ("[-1/2, 1/2)", "(-1/5, 1/5]", "1/6", "1/11"),
}


@pytest.mark.parametrize("cell", BY_HAND, ids=".".join)
def test_limits_by_hand(cell):
    netlist = gate_netlist(*cell)
    limits = [perturbation.limits(netlist) for perturbation in PERTURBATIONS]
    noise, threshold, weight, both = limits
    shown = (str(noise.interval), str(threshold.interval), str(weight.up), str(both.up))
    assert shown == BY_HAND[cell]


LEAKS_BY_HAND = {
    # AND: 1 can be left for ever, 1/2 makes the difference: b / (1 - b) <= 1/2.
    ("ionic", "and"): ("1/3", "1/3"),
    # OR, soft: 3/2 is left of two spikes, b 3/2 / (1 - b) <= 1/2; hard: nothing is left.
    ("ionic", "or"): ("1/4", "1"),
    # NOT, soft: 1/2 is left of silence.
    ("ionic", "not"): ("1/2", "1"),
    # OR of five, soft: 9/2 is left of five spikes.
    ("threshold", "wide_or", 5): ("1/10", "1"),
    # AND of five: 4 is left of four spikes.
    ("threshold", "wide_and", 5): ("1/9", "1/9"),
    # NOT AND with an inhibiting input: -1 can be left, 1/2 makes the difference.
    ("threshold", "mux"): ("1/4", "1/3"),
}


@pytest.mark.parametrize("cell", LEAKS_BY_HAND, ids=str)
def test_leak_by_hand(cell):
    netlist = cell_netlist(*cell)
    soft, hard = (leak_limit(netlist, reset).beta for reset in Reset)
    assert (str(soft), str(hard)) == LEAKS_BY_HAND[cell]


NOISY_LEAKS_BY_HAND = {
    # AND: 1 + n can be left for ever, 1/2 - n makes the difference: b (1 + n) / (1 - b) <= 1/2 - n.
    ("ionic", "and"): (("1/4", "1/6", "1/12"), ("1/4", "1/6", "1/12")),
    # OR, soft: b (3/2 + n) / (1 - b) <= 1/2 - n; hard: of silence n is left, b n / (1 - b) <= 1/2 - n.
    ("ionic", "or"): (("3/16", "1/8", "1/16"), ("3/4", "1/2", "1/4")),
}


@pytest.mark.parametrize("cell", NOISY_LEAKS_BY_HAND, ids=str)
def test_leak_and_noise_by_hand(cell):
    netlist = cell_netlist(*cell)
    found = tuple(tuple(str(leak_limit(netlist, r, n).beta) for n in NOISES) for r in Reset)
    assert found == NOISY_LEAKS_BY_HAND[cell]


@given(st.sampled_from(list(gates())), st.sampled_from(Reset), st.fractions(0, Fraction(1, 2)))
def test_leak_and_noise_trade_off_along_a_line(gate, reset, noise):
    limit = leak_limit(gate.netlist, reset, noise)
    assert limit.beta == leak_limit(gate.netlist, reset).beta * (1 - 2 * noise)


def test_a_quantity_without_influence_has_no_limit():
    """A neuron that always fires, on its bias alone, whatever the noise that drives it."""
    netlist = Netlist({"a": 1}, (Neuron((), 1, 2),), {"out": (1,)})
    assert largest(netlist, NOISE.tolerance, upward) == Limit(CEILING)
    assert not largest(netlist, NOISE.tolerance, upward).bounded
    assert largest(netlist, NOISE.tolerance, downward) == Limit(Fraction(1))


# --- faults are noticed --------------------------------------------------------------------------


def proved(obligation, circuit=None):
    """What becomes of an obligation, or of one like it with another circuit, if it is to be proved."""
    build = obligation.circuit if circuit is None else lambda: circuit
    outcome = discharge(replace(obligation, expected=Outcome.PROVED, circuit=build)).outcome
    assert outcome in (Outcome.PROVED, Outcome.REFUTED)
    return outcome is Outcome.PROVED


@pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=lambda each: each.name)
@pytest.mark.parametrize(
    "cell", [("ionic", "xor"), ("nexus", "mux"), ("ternary", "full_adder")], ids=str
)
def test_a_limit_that_is_wrong_by_a_thousandth_is_refuted(cell, perturbation):
    gate = Gate(*cell)
    limits = perturbation.limits(gate.netlist)
    low, high = limits.interval.low, limits.interval.high
    assert proved(perturbed_gate(gate, perturbation, limits.interval))
    further = Interval(low * BEYOND, high), Interval(low, high * BEYOND)
    for wrong in further if perturbation.sided else (both_ways(high * BEYOND),):
        assert not proved(perturbed_gate(gate, perturbation, wrong))


@pytest.mark.parametrize("reset", Reset)
@pytest.mark.parametrize("cell", [("ionic", "xor"), ("threshold", "mux"), ("nexus", "and")], ids=str)
@pytest.mark.parametrize("noise", [Fraction(0), *NOISES], ids=str)
def test_a_leak_limit_that_is_wrong_by_a_thousandth_is_refuted(cell, reset, noise, monkeypatch):
    gate = Gate(*cell)
    right = leak_limit(gate.netlist, reset, noise)
    assert proved(next(leak(gate, reset, noise)))
    beta = right.beta * BEYOND
    for share in (
        right.residuals,
        [each.scaled((1 - right.beta) / (1 - beta)) for each in right.residuals],
    ):
        wrong = LeakLimit(beta, tuple(share), right.harm)
        monkeypatch.setattr("spikeproof.proofs.margins.leak_limit", lambda *_, wrong=wrong: wrong)
        assert not proved(next(leak(gate, reset, noise)))


@pytest.mark.parametrize("reset", Reset)
@pytest.mark.parametrize("cell", [("ionic", "xor"), ("threshold", "mux"), ("nexus", "and")], ids=str)
def test_intervals_that_are_not_kept_are_refuted(cell, reset, monkeypatch):
    """Of half of what can be left all answers are right, but more than half is left of it."""
    gate = Gate(*cell)
    right = leak_limit(gate.netlist, reset)
    for low, high in ((Fraction(1, 2), 1), (1, Fraction(1, 2))):
        residuals = tuple(
            Interval(each.low * low, each.high * high, each.low_open, each.high_open)
            for each in right.residuals
        )
        wrong = replace(right, residuals=residuals)
        monkeypatch.setattr("spikeproof.proofs.margins.leak_limit", lambda *_, wrong=wrong: wrong)
        assert proved(next(leak(gate, reset))) is (residuals == right.residuals)


def test_potentials_begin_within_their_intervals():
    """An invariant that is kept, and that nothing ever satisfies, would prove anything."""
    netlist, never = gate_netlist("ionic", "and"), Interval(Fraction(-9), Fraction(-8))
    with pytest.raises(ValueError, match="must be in every interval"):
        leaking_netlist(netlist, Fraction(1), Reset.SOFT, [never], NOTHING)


@pytest.mark.parametrize(("library", "gate"), CELLS)
def test_a_threshold_that_is_off_is_refuted(library, gate):
    """A tenth nearer to one side, every neuron in turn: the margin on that side is gone."""
    netlist = gate_netlist(library, gate)
    obligation = catalogue()[f"margin.{library}.{gate}.noise"]
    tolerance = NOISE.tolerance(NOISE.limits(netlist).interval)
    for index, neuron in enumerate(netlist.neurons):
        neurons = list(netlist.neurons)
        neurons[index] = replace(neuron, threshold=neuron.threshold + Fraction(1, 10))
        off = replace(netlist, neurons=tuple(neurons), blocks=(), cells=())
        assert not proved(obligation, uncertain_netlist(off, perturbed(off, tolerance)))


# --- random perturbations, within and beyond -----------------------------------------------------


def answers(netlist: Netlist, bits: tuple[bool, ...]) -> list[int]:
    """The outputs of a netlist, by plain evaluation."""
    words = {
        name: boolean.pack_words(np.array([bits[s] for s in bus])[:, None])
        for name, bus in netlist.input_buses.items()
    }
    return [int(word[0]) for word in boolean.evaluate(netlist, words).values()]


shares = st.fractions(0, 1, max_denominator=50)


@given(every_cell, st.sampled_from(PERTURBATIONS), st.data())
def test_no_perturbation_within_the_limits_is_harmful(netlist, perturbation, data):
    interval = perturbation.limits(netlist).interval
    inside = Interval(interval.low * Fraction(999, 1000), interval.high * Fraction(999, 1000))
    neurons = []
    for neuron in perturbed(netlist, perturbation.tolerance(inside)):
        size = 1 + len(neuron.synapses)
        neurons.append(sample(neuron, data.draw(st.lists(shares, min_size=size, max_size=size))))
    bits = tuple(data.draw(st.booleans()) for _ in range(netlist.input_count))
    disturbed = replace(netlist, neurons=tuple(neurons), blocks=(), cells=())
    assert answers(disturbed, bits) == answers(netlist, bits)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in catalogue()
        if name.startswith("margin.")
        and name.endswith((".noise.above", ".weight.beyond", ".threshold.below"))
        and ".wide" not in name
        and not name.startswith(("margin.unit.", "margin.neurons."))
    ],
)
def test_the_witness_beyond_a_limit_is_one_definite_circuit(name):
    """The doubts of a counterexample say which ends to take; that circuit, without any doubt, errs."""
    obligation = catalogue()[name]
    about = obligation.parameters
    netlist = gate_netlist(about["library"], about["operation"])
    perturbation = next(each for each in PERTURBATIONS if each.name == about["kind"].partition(".")[0])
    limits = perturbation.limits(netlist)
    interval = {
        "above": upward(limits.up.beyond),
        "below": downward(limits.down.beyond),
        "beyond": both_ways(limits.up.beyond),
    }[name.rpartition(".")[2]]
    found = discharge(obligation).counterexample
    doubts = found["doubt"]
    neurons = tuple(
        sample(neuron, [Fraction(doubts >> index & 1)] * (1 + len(neuron.synapses)))
        for index, neuron in enumerate(perturbed(netlist, perturbation.tolerance(interval)))
    )
    bits = tuple(
        bool(found[name] >> index & 1)
        for name, width in netlist.inputs.items()
        for index in range(width)
    )
    assert answers(replace(netlist, neurons=neurons), bits) != answers(netlist, bits)


# --- streams without reset -----------------------------------------------------------------------


def streams(netlist: Netlist):
    """Inputs of up to forty evaluations."""
    return st.lists(st.tuples(*[st.booleans()] * netlist.input_count), max_size=40)


def all_right(netlist, membranes, stream, noise=()):
    """Whether every answer to a stream is right."""
    read = [signal for bus in netlist.outputs.values() for signal in bus]
    resting = replace(netlist, blocks=(), cells=())
    for time, bits in enumerate(stream):
        spikes = membranes.evaluate(bits, noise[time]) if noise else membranes.evaluate(bits)
        meant = ExactMembranes(resting, Fraction(0), Reset.HARD).evaluate(bits)
        if any(spikes[signal] != meant[signal] for signal in read):
            return False
    return True


@given(every_cell, st.sampled_from(Reset), shares, st.data())
def test_no_stream_is_harmful_up_to_the_limit(netlist, reset, share, data):
    beta = leak_limit(netlist, reset).beta * data.draw(st.sampled_from((share, Fraction(1))))
    stream = data.draw(streams(netlist))
    assert all_right(netlist, ExactMembranes(netlist, beta, reset), stream)


@given(every_cell, st.sampled_from(Reset), st.sampled_from(NOISES), st.data())
def test_correlated_noise_within_its_bound_is_harmless_up_to_the_limit(netlist, reset, bound, data):
    """The same noise on all neurons, that wanders from one evaluation to the next and sticks at the
    ends."""
    beta = leak_limit(netlist, reset, bound).beta
    stream = data.draw(streams(netlist))
    steps = data.draw(
        st.lists(st.fractions(-1, 1, max_denominator=9), min_size=len(stream), max_size=len(stream))
    )
    level, noise = Fraction(0), []
    for step in steps:
        level = max(-bound, min(bound, level + step))
        noise.append([level] * len(netlist.neurons))
    assert all_right(netlist, ExactMembranes(netlist, beta, reset), stream, noise)


@given(every_cell, st.data())
def test_drifting_thresholds_are_harmless_within_their_interval(netlist, data):
    """Cleared between evaluations, each threshold on a way of its own within the interval."""
    interval = THRESHOLD.limits(netlist).interval
    stream = data.draw(streams(netlist))
    drift = [data.draw(st.fractions(-1, 1, max_denominator=9)) / 40 for _ in netlist.neurons]
    for time, bits in enumerate(stream):
        neurons = tuple(
            replace(neuron, threshold=neuron.threshold * (1 + interval.high * rate * time))
            for neuron, rate in zip(netlist.neurons, drift, strict=True)
        )
        drifted = replace(netlist, neurons=neurons, blocks=(), cells=())
        assert answers(drifted, bits) == answers(netlist, bits)


@pytest.mark.parametrize("reset", Reset)
@pytest.mark.parametrize("gate", list(gates()), ids=lambda gate: gate.name)
def test_beyond_its_limit_every_gate_errs_some_time(gate, reset):
    limit = leak_limit(gate.netlist, reset)
    assert first_wrong(gate.netlist, limit.beta, reset) is None
    if limit.harm:
        for beta in (limit.harm.beyond, (1 + limit.beta) / 2, Fraction(1)):
            assert first_wrong(gate.netlist, beta, reset) is not None


def test_an_and_gate_errs_when_its_potential_has_built_up():
    """1, 1 + 1/2 >= 3/2: at beta 1/2 the second evaluation of a alone fires."""
    assert first_wrong(gate_netlist("ionic", "and"), Fraction(1, 2), Reset.SOFT) == 2
    after = netlist_after(
        gate_netlist("ionic", "and"), Fraction(1, 2), Reset.SOFT, (True, False), 1, Fraction(0)
    )
    assert after.neurons[0].bias == Fraction(1, 2)


# --- superconducting neurons ---------------------------------------------------------------------


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda each: each.name)
def test_closed_forms_are_what_trial_finds(decision):
    for fan_in in decision.fan_ins[:3]:
        found = largest(decision.netlist(fan_in), THRESHOLD_AND_WEIGHT.tolerance, both_ways)
        assert found == Limit(decision.spread(fan_in))


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda each: each.name)
def test_the_largest_fan_ins_are_those_of_the_closed_forms(decision):
    for percent, fan_in in decision.largest.items():
        spread = Fraction(percent, 100)
        assert decision.spread(fan_in) >= spread > decision.spread(fan_in + decision.step)


def test_wider_neurons_have_narrower_limits():
    for decision in DECISIONS:
        spreads = [decision.spread(fan_in) for fan_in in decision.fan_ins]
        assert all(wider <= narrower for narrower, wider in pairwise(spreads))


def test_weights_and_thresholds_together_have_less_room_than_each():
    for library, gate in CELLS:
        netlist = gate_netlist(library, gate)
        both = THRESHOLD_AND_WEIGHT.limits(netlist).up.value
        assert both < min(WEIGHT.limits(netlist).up.value, THRESHOLD.limits(netlist).up.value)


# --- thresholds and weights together, as a region ------------------------------------------------


def spreads(threshold, weight):
    return Tolerance(threshold=both_ways(threshold), weight=both_ways(weight))


def all_neurons(netlist):
    """The netlist with every neuron an output."""
    return replace(netlist, outputs={"spikes": tuple(range(netlist.input_count, netlist.signal_count))})


@given(st.sampled_from(list(gates())), shares, shares)
def test_within_all_lines_of_the_region_a_gate_is_right(gate, threshold, weight):
    """Deviations drawn anywhere, then moved to just within the lines: that is where they would harm.

    No neuron errs there: that is what the theorems about vertices stand for.
    """
    lines = region(gate.netlist)
    furthest = max(line.threshold * threshold + line.weight * weight for line in lines)
    if furthest:
        threshold, weight = (each / furthest * Fraction(999, 1000) for each in (threshold, weight))
    assert all(line.allows(threshold, weight) for line in lines)
    assert Cell(all_neurons(gate.netlist)).right(perturbed(gate.netlist, spreads(threshold, weight)))


@given(st.sampled_from(list(gates())), shares, st.data())
def test_beyond_every_edge_of_the_region_a_gate_errs(gate, share, data):
    """Anywhere on an edge, not only in its middle."""
    vertices, edges = outline(region(gate.netlist))
    here = data.draw(st.integers(0, len(edges) - 1))
    threshold, weight = (
        getattr(vertices[here], name) * (1 - share) + getattr(vertices[here + 1], name) * share
        for name in ("threshold", "weight")
    )
    deviations = spreads(threshold * BEYOND, weight * BEYOND)
    assert not Cell(gate.netlist).right(perturbed(gate.netlist, deviations))


def corners(cell):
    """The vertices and the middles of the edges of a gate's region, in short."""
    return [
        [f"{c.threshold} {c.weight}{'' if c.attained else ' open'}" for c in found]
        for found in outline(region(gate_netlist(*cell)))
    ]


def test_outlines_by_hand():
    # AND: 3 t + 4 w = 1 from 1/4 to 1/3, where 3 t < 1 too.
    assert corners(("ionic", "and")) == [["0 1/4", "1/3 0 open"], ["1/6 1/8"]]
    # XOR: t + 8 w < 1 and 3 t + 4 w <= 1 cross at 1/5 and 1/10.
    vertices, edges = corners(("ionic", "xor"))
    assert vertices == ["0 1/8 open", "1/5 1/10 open", "1/3 0 open"]
    assert edges == ["1/10 9/80 open", "4/15 1/20"]


@pytest.mark.parametrize("cell", [("ionic", "and"), ("ionic", "xor"), ("ternary", "mux")], ids=str)
def test_an_outline_that_is_wrong_by_a_thousandth_is_refuted(cell, monkeypatch):
    gate = Gate(*cell)
    assert all(map(proved, promised_to_be_proved(thresholds_and_weights(gate))))
    further = [
        [replace(c, threshold=c.threshold * BEYOND, weight=c.weight * BEYOND) for c in found]
        for found in outline(region(gate.netlist))
    ]
    monkeypatch.setattr("spikeproof.proofs.margins.outline", lambda lines: further)
    assert not any(map(proved, promised_to_be_proved(thresholds_and_weights(gate))))


def promised_to_be_proved(obligations):
    return [obligation for obligation in obligations if obligation.expected is Outcome.PROVED]


def test_a_neuron_that_errs_unseen_is_refuted():
    """The XOR gate with a spike of its AND neuron that is another than it should be."""
    vertex = next(thresholds_and_weights(Gate("ionic", "xor")))
    circuit = vertex.circuit()
    _, last = circuit.outputs[SPIKES]
    assert proved(vertex, circuit)
    assert not proved(vertex, replace(circuit, outputs={**circuit.outputs, SPIKES: (last, last)}))


def test_regions_by_hand():
    """AND: 2 (1 - w) >= 3/2 (1 + t), and 1 + w < 3/2 (1 - t)."""
    assert list(map(str, region(gate_netlist("ionic", "and")))) == ["3 t + 2 w < 1", "3 t + 4 w <= 1"]
    assert list(map(str, region(gate_netlist("ionic", "not")))) == ["1 t + 2 w < 1"]
    assert not region(gate_netlist("ionic", "not"))[0].allows(Fraction(1, 2), Fraction(1, 4))
