"""Energies: counts by hand, products by hand, and the command."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysmt.shortcuts import TRUE, BVNot, BVType, Equals, Symbol

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.activity import BATCH, activity
from spikeproof.circuits.netlist import Netlist, NetlistBuilder, Neuron
from spikeproof.circuits.physics.energy import ACCOUNTS, FLUX_QUANTUM, Event, has_ternary_couplings
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.refutation.drawing import every_input
from spikeproof.prover.report.energy import Mean, counted, distributions, joules, quantity
from tests.support.command_line import spikeproof
from tests.support.netlists import netlists


def counts(netlist, inputs):
    """Spikes and synaptic operations of each evaluation."""
    parts = list(activity(netlist, inputs))
    return [
        (int(s), int(o)) for part in parts for s, o in zip(part.spikes, part.operations, strict=True)
    ]


def test_counts_by_hand():
    """XOR of two neurons: a and b each arrive at two synapses, the AND neuron at one more."""
    # Both of 0; a alone, b alone: the output fires; both: the AND neuron fires and silences the output.
    expected = [(0, 0), (1, 2), (1, 2), (1, 5)]
    assert counts(gate_netlist("ionic", "xor"), every_input({"a": 1, "b": 1})) == expected


def test_a_chain_by_hand():
    """A spike that is passed on twice arrives at two synapses, and two neurons fire."""
    netlist = Netlist({"a": 1}, (Neuron(((0, 1),), 1), Neuron(((1, 1),), 1)), {"out": (2,)})
    assert counts(netlist, {"a": np.array([0, 1])}) == [(0, 0), (2, 2)]
    assert counts(netlist, {"a": np.ones(BATCH + 3, dtype=int)}) == [(2, 2)] * (BATCH + 3)


def test_sums_that_floats_do_not_hold_are_counted_in_integers():
    """a 2^60 + b - c 2^60 is b, where a and c are 1."""
    neuron = Neuron(((0, 1 << 60), (1, 1), (2, -(1 << 60))), 1)
    netlist = Netlist({"a": 1, "b": 1, "c": 1}, (neuron,), {"out": (3,)})
    ones, bits = np.ones(2, dtype=int), np.array([0, 1])
    assert counts(netlist, {"a": ones, "b": bits, "c": ones}) == [(0, 2), (1, 3)]


def test_buses_of_different_lengths_are_refused():
    """Though the first batch of both is the same."""
    inputs = {"a": np.zeros(BATCH, dtype=int), "b": np.zeros(BATCH + 1, dtype=int)}
    with pytest.raises(ValueError, match="give all the same"):
        counts(gate_netlist("ionic", "xor"), inputs)


@given(netlists(), st.data())
def test_counts_are_those_of_the_logical_meaning(netlist, data):
    dyadic = all(
        number.denominator & (number.denominator - 1) == 0
        for neuron in netlist.neurons
        for number in (neuron.threshold, neuron.bias, *(weight for _, weight in neuron.synapses))
    )
    if not dyadic:
        return
    inputs = {
        name: np.array([data.draw(st.integers(0, (1 << width) - 1))])
        for name, width in netlist.inputs.items()
    }
    signals = boolean.evaluate_signals(netlist, inputs)[:, 0]
    arrived = sum(bool(signals[s]) for neuron in netlist.neurons for s, _ in neuron.synapses)
    assert counts(netlist, inputs) == [(int(signals[netlist.input_count :].sum()), arrived)]


def test_energies_by_hand():
    per_event = {account.name: account.per_event for account in ACCOUNTS}
    # S2: 1,674 spikes of 23.6 pJ are 39.5064 nJ, not the 0.040 nJ that it prints.
    assert 1674 * per_event["S2's reading"] == Fraction("39.5064e-9")
    # h / 2 e = 2.067833848e-15 Wb; two junctions of 0.1 mA: 4.1357e-19 J, 400 times that when cooled.
    assert abs(FLUX_QUANTUM.value - Fraction("2.067833848e-15")) < Fraction("1e-24")
    assert per_event["S3's, at 4 K"] == 2 * Fraction("1e-4") * FLUX_QUANTUM.value
    assert per_event["S3's, cooled"] == 400 * per_event["S3's, at 4 K"]


def test_superconducting_neurons_need_ternary_couplings():
    assert has_ternary_couplings(gate_netlist("ternary", "full_adder"))
    assert not has_ternary_couplings(gate_netlist("ionic", "xor"))  # -2


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction("39.5064e-9"), "39.5 nJ"),
        (Fraction("4.0e-11"), "40 pJ"),
        (Fraction("3.5e-20"), "0.035 aJ"),
        (Fraction(0), "0 aJ"),
        (Fraction(2), "2 J"),
    ],
)
def test_quantities_are_readable(value, shown):
    assert joules(value) == shown
    assert quantity(value, "J") == shown


def test_means_have_a_margin_unless_they_are_complete():
    counted = np.array([0, 1, 1])
    assert str(Mean.of(counted, complete=True)) == "0.7"
    assert Mean.of(counted, complete=True).value == Fraction(2, 3)
    # Standard deviation sqrt(2)/3, over sqrt(3), 2.5758 times: 0.7010.
    assert str(Mean.of(counted, complete=False)) == "0.7 +- 0.7"


def test_distributions_are_stated():
    small, wide = catalogue()["fp4_e2m1.add.rne.saturate"], catalogue()["fp16.add.rne"]
    words = [each.words for each in distributions(small, small.circuit(), 100)]
    assert words == ["every input once", "100 by class"]
    drawn = distributions(wide, wide.circuit(), 100)
    assert [each.words for each in drawn] == ["100 uniform", "100 by class"]
    assert all(len(codes) == 100 for each in drawn for codes in each.inputs.values())
    cell = catalogue()["cell.nexus.xor"]
    assert [each.words for each in distributions(cell, cell.circuit(), 100)] == ["every input once"]


# --- the command ---------------------------------------------------------------------------------


def test_a_gate_factor_by_factor():
    """XOR of two neurons: a spike in three of four cases, 9/4 operations."""
    result = spikeproof("energy", "cell.ionic.xor")
    assert result.returncode == 0, result.stderr
    rows = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert rows[0] == "cell.ionic.xor: 2 neurons, 5 synapses every input once"
    assert rows[1:4] == ["spikes 0.8", "synaptic operations 2.2", "depth, neurons 2"]
    assert rows[4] == "S2's reading: spikes x 23.6 pJ 17.7 pJ"
    assert rows[5] == "Loihi's: synaptic operations x 23.6 pJ 53.1 pJ"
    assert not any(row.startswith("S3's") for row in rows)
    assert "IEEE Micro 38(1), 82 (2018)" in result.stdout


def test_published_energies_stand_beside_ours():
    result = spikeproof("energy", "fp32.add.rne.nexus", "--samples", 20)
    assert result.returncode == 0, result.stderr
    text = result.stdout
    (spikes,) = (line.split() for line in text.splitlines() if line.startswith("spikes"))
    assert spikes[-1] == "1,674"
    assert "39.5 nJ" in text
    assert "40 pJ" in text
    assert "synaptic operations x 2 x 0.1 mA x Phi_0 x 400" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.at.all"], "no theorem matches"),
        (["cell.nexus.xor", "--samples", "-1"], "-1 is not in the range x>=2"),
        (["spec.*"], "is about formulas; name a theorem with a circuit"),
        (["cell.nexus.xor", "--circuit", "missing.json"], "missing.json"),
        (["margin.ternary.wide_and.5.weight"], "is not exact in float64"),
    ],
)
def test_what_cannot_be_reckoned_is_said_in_one_line(arguments, message):
    result = spikeproof("energy", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_what_is_a_complement_is_what_is_claimed_and_no_matter_of_names():
    gates = NetlistBuilder()
    (x,), (y,), (z,) = (gates.input(name, 1) for name in ("x", "not_x", "x_complement"))
    netlist = gates.build({"out": (gates.neuron([(x, 1), (y, 1), (z, 1)], 2),)})

    def state(netlist):
        symbols = {name: Symbol(name, BVType(1)) for name in netlist.inputs}
        return Claim(symbols, TRUE(), (Equals(symbols["not_x"], BVNot(symbols["x"])),))

    obligation = replace(catalogue()["cell.nexus.or"], state=state)
    (every,) = distributions(obligation, netlist, 20)
    assert {name: codes.tolist() for name, codes in every.inputs.items()} == {
        "x": [0, 1, 0, 1],
        "not_x": [1, 0, 1, 0],
        "x_complement": [0, 0, 1, 1],
    }


def test_complements_of_inputs_are_complements():
    """Of two rails one spikes, so that half of all neurons do, whatever the input."""
    obligation = catalogue()["cell.dual_rail.full_adder"]
    netlist = obligation.circuit()
    (every,) = distributions(obligation, netlist, 20)
    assert len(every.inputs["a"]) == 8
    mean = counted(netlist, every, lambda count: None).means[Event.SPIKE]
    assert (mean.value, mean.margin) == (len(netlist.neurons) / 2, 0)
