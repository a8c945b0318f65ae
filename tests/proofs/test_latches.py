"""Latches: the step that is proved is the definition's, and faults of it are refuted."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from spikeproof.circuits.clocked import ClockedNetlist, one_step
from spikeproof.circuits.meanings.boolean import evaluate
from spikeproof.circuits.units.latch import CLOSED, COUNTS, FIRED, latch
from spikeproof.proofs.latches import WIDTH, obligations
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.networks import Readout, Score, decision

pytestmark = pytest.mark.usefixtures("counterexamples_as_found")

OBLIGATIONS = {each.name: each for each in obligations()}


@pytest.mark.parametrize(("classes", "lead"), [(3, 1), (3, 2), (10, 2)])
def test_a_latch_decides_as_the_definition_does(classes, lead):
    """Run step by step, on random spikes, some of which favour a class that comes late."""
    random, step = np.random.default_rng(24), latch(classes, lead, WIDTH).step
    trains = random.random((40, 12, classes)) < random.random((40, 1, classes))
    counts = trains.cumsum(1).tolist()
    meant = [
        decision(Readout(Score.COUNT, lead), [tuple(map(Fraction, row)) for row in rows])
        for rows in counts
    ]
    held = {COUNTS: [0] * 40, CLOSED: [0] * 40}
    for place in range(12):
        bits = [sum(int(bit) << i for i, bit in enumerate(fired)) for fired in trains[:, place]]
        found = evaluate(step, {FIRED: bits, **held})
        held = {name: [int(value) for value in found[name]] for name in held}
        for run, (decided, after, _) in enumerate(meant):
            closed = after is not None and place >= after
            assert held[CLOSED][run] == (1 << decided if closed else 0)
            packed = sum(count << (i * WIDTH) for i, count in enumerate(counts[run][place]))
            assert held[COUNTS][run] == packed
    assert len({after for _, after, _ in meant}) > 3


def changed(netlist, signal, **parts):
    """A netlist in which a neuron has something else."""
    neurons, place = list(netlist.neurons), signal - netlist.input_count
    neurons[place] = replace(neurons[place], **parts)
    return replace(netlist, neurons=tuple(neurons), blocks=(), cells=())


def test_faults_of_a_latch_are_refuted():
    obligation = OBLIGATIONS["latch.3.2"]
    sound = latch(3, 2, WIDTH)
    step = sound.step
    closing = step.outputs[CLOSED][1]
    synapses = step.neurons[closing - step.input_count].synapses
    opens = [s for s in synapses if s[0] not in step.input_buses[CLOSED]]
    faulty = {
        "another lead": latch(3, 1, WIDTH),
        "opens again": replace(sound, step=changed(step, closing, synapses=tuple(opens))),
        "begins closed": ClockedNetlist(step, {COUNTS: 0, CLOSED: 1}),
        "begins with counts": ClockedNetlist(step, {COUNTS: 1, CLOSED: 0}),
        "holds what it held": replace(
            sound, step=replace(step, outputs={**step.outputs, CLOSED: step.input_buses[CLOSED]})
        ),
    }
    assert discharge(obligation, circuit=one_step(sound)).outcome is Outcome.PROVED
    for fault, clocked in faulty.items():
        assert discharge(obligation, circuit=one_step(clocked)).outcome is Outcome.REFUTED, fault


def test_two_classes_closed_in_are_seen():
    obligation = OBLIGATIONS["latch.3.1.one"]
    netlist = obligation.circuit()
    (two,) = netlist.outputs["two"]
    watched = netlist.neurons[two - netlist.input_count]
    assert watched.threshold == Fraction(3, 2)
    lax = changed(netlist, two, threshold=Fraction(1, 2))
    assert discharge(obligation, circuit=lax).outcome is Outcome.REFUTED
