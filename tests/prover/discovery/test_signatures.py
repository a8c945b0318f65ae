"""Signals found by what they do: the spec's values are where our own circuits have them."""

from dataclasses import replace

import pytest

from spikeproof.circuits.meanings.formula import input_symbols
from spikeproof.circuits.netlist import ONE, ZERO
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.discovery.signatures import Signatures
from spikeproof.specs.formats import FP16
from tests.support.foreign.multipliers_fp import normalising_before, wallace


def found(name, netlist, condition=None, telling=()):
    obligation = theorem(name)
    decomposition, symbols = obligation.decomposition, input_symbols(netlist)
    about = decomposition.conditions[condition](symbols) if condition else None
    signatures = Signatures.of(netlist, obligation.reading.formats, about, telling)
    return signatures.probes(decomposition, symbols)


def stripped(name):
    own = theorem(name).circuit()
    return own, replace(own, probes={}, cells=(), blocks=())


@pytest.mark.parametrize(
    "name", ["fp8_e5m2.multiply.rne", "fp16.multiply.rne", "fp16.multiply.rne.nexus"]
)
def test_factors_and_product_are_where_they_are_multiplied(name):
    own, netlist = stripped(name)
    probes = found(name, netlist)
    for value in ("x_significand", "y_significand", "product"):
        assert probes[value] == own.probes[value]


def test_a_hidden_bit_is_that_which_is_multiplied_though_many_signals_are_one():
    """For normal operands; of signals that select, and are read with whole words too, there are some."""
    own, netlist = stripped("fp16.multiply.rne")
    probes = found("fp16.multiply.rne", netlist, "operands normal")
    assert probes["x_significand"] == own.probes["x_significand"]
    assert probes["y_significand"] == own.probes["y_significand"]


def test_what_never_changes_is_a_constant():
    own, netlist = stripped("fp16.square_root.rne")
    radicand = found("fp16.square_root.rne", netlist)["radicand"]
    constant = [k for k, signal in enumerate(own.probes["radicand"]) if signal == ZERO]
    assert constant
    assert all(radicand[k] == ZERO for k in constant)
    assert found("fp16.divide.rne", stripped("fp16.divide.rne")[1])["divisor"][-1] == ONE


def test_a_part_of_what_has_the_same_values_is_not_taken_for_it():
    """A product's first digit: carry and sum are never both 1, so the OR within their XOR is alike."""
    name = "fp16.multiply.rne"
    netlist = normalising_before(FP16, wallace)
    first = found(name, netlist, "operands normal")["product"][-1]
    readers = [n for n in netlist.neurons if first in (source for source, _ in n.synapses)]
    assert len(readers) > 1


def test_a_value_that_the_circuit_lacks_is_not_found():
    adder = stripped("fp16.add.rne")[1]
    assert "product" not in found("fp16.multiply.rne", adder)


def test_an_input_that_tells_signals_apart_is_simulated():
    _, netlist = stripped("fp16.multiply.rne")
    telling = {"x": 0x3C00, "y": 0x4A31}
    signature = Signatures.of(netlist, {}, None, (telling,))
    assert signature.inputs["x"][-64] == 0x3C00
    assert signature.inputs["y"][-64] == 0x4A31
