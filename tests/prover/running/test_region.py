"""For which inputs a wrong circuit is right: planted faults are found where they were planted."""

from dataclasses import replace

import pytest

from spikeproof.circuits.netlist import NetlistBuilder
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, LIBRARIES
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.region import widest_region
from spikeproof.prover.running.run import Run
from spikeproof.specs.formats import FP16, FP32
from tests.support.foreign.multipliers_fp import shifting_after
from tests.support.profile import NIGHTLY


def circuit(name):
    return theorem(name).circuit()


def with_fault(name, wanted):
    """A unit whose result has another last bit where the bits of its operands say so.

    Args:
        wanted: of the operands' bits, by bus and place, those that count, and whether each has to be 0.
    """
    unit = circuit(name)
    builder = NetlistBuilder()
    buses = {bus: builder.input(bus, width) for bus, width in unit.inputs.items()}
    signals = [signal for bus in buses.values() for signal in bus]
    for neuron in unit.neurons:
        synapses = [(signals[source], weight) for source, weight in neuron.synapses]
        signals.append(builder.neuron(synapses, neuron.threshold, neuron.bias))
    gates = LIBRARIES[DEFAULT_LIBRARY](builder)
    met = None
    for bus, place, inverted in wanted:
        bit = gates.not_(buses[bus][place]) if inverted else buses[bus][place]
        met = bit if met is None else gates.and_(met, bit)
    result = [signals[signal] for signal in unit.outputs["result"]]
    result[0] = gates.xor(result[0], met)
    return builder.build({"result": tuple(result)})


def test_flushing_of_results_alone_is_found_and_proved():
    found = widest_region(theorem("e3m2.multiply.rne"), circuit("e3m2.multiply.rne.ftz"))
    assert found.proved
    assert found.theorem == "e3m2.multiply.rne.except.subnormal_result"
    title, name, example = found.words.splitlines()
    assert title == "it is right except where the result is subnormal: proved"
    assert name.strip() == found.theorem
    assert example.startswith("  where the result is subnormal, for x 0x")
    assert discharge(theorem(found.theorem), circuit=circuit("e3m2.multiply.rne.ftz")).green


@pytest.mark.parametrize("fmt", [FP32] if NIGHTLY else [FP16], ids=str)
def test_a_wide_multiplier_is_proved_by_its_product_outside_of_some_results(fmt):
    wrong = shifting_after(fmt, fault="subnormal_shifted_once_too_often")
    found = widest_region(theorem(f"{fmt.name}.multiply.rne"), wrong, seconds=300)
    assert found.proved
    excepted = "subnormal_result.smallest_normal_result"
    assert found.theorem == f"{fmt.name}.multiply.rne.except.{excepted}"


def test_what_samples_do_not_meet_engines_show():
    """One pair of 2^24 fails, which is not drawn."""
    fails = {"x": 0x7C0, "y": 0x3B7}  # x is infinite
    wanted = [(bus, place, not code >> place & 1) for bus, code in fails.items() for place in range(12)]
    wrong = with_fault("e5m6.multiply.rne", wanted)
    found = widest_region(theorem("e5m6.multiply.rne"), wrong, fails)
    assert found.proved
    assert "infinite_x" in found.theorem
    assert discharge(theorem(found.theorem), circuit=wrong).outcome is Outcome.PROVED


def test_a_record_says_it_beside_the_refutation():
    alone = replace(theorem("e3m2.add.rne"), neighbours=tuple)
    record = Run(60.0, circuit("e3m2.add.rne.ftz")).discharge(alone).record
    assert record.outcome is Outcome.REFUTED
    assert record.region == "e3m2.add.rne.except.subnormal_result"
    assert "fails on" in record.message.split("it is right except")[0]


def test_without_time_for_a_proof_it_says_so_and_names_no_theorem():
    found = widest_region(theorem("e3m2.multiply.rne"), circuit("e3m2.multiply.rne.ftz"), seconds=0)
    assert not found.proved
    assert "a sample was tried, but there was no time for a proof" in found.words


def test_where_all_ordinary_numbers_fail_there_is_no_region():
    assert widest_region(theorem("e3m2.add.rne"), circuit("e3m2.multiply.rne")) is None
    gate = theorem("cell.ionic.and")
    assert widest_region(gate, circuit("cell.ionic.or")) is None
