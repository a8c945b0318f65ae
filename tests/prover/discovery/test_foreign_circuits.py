"""The foreign circuits that discovery is tested on are right, or wrong, as they are said to be."""

from functools import cache

import numpy as np
import pytest

from spikeproof.circuits.meanings.bitsliced import BitSlicedFunction, netlist_function
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.refutation.drawing import every_input_or_some
from spikeproof.prover.running.reference_model import ReferenceModel
from spikeproof.specs.formats import FP8_E4M3FN, FP16, FP32, Format
from tests.support.foreign.floats import FAULTS
from tests.support.foreign.units import FOREIGN

FAULTY = [(name, fault) for name, unit in FOREIGN.items() for fault in unit.faults]


@cache
def _wanted(theorem: str):
    obligation = catalogue()[theorem]
    model = ReferenceModel(obligation, threads=1)
    inputs, _ = every_input_or_some(model.inputs, obligation.reading.formats)
    return inputs, model(inputs)


def _failures(circuit: Netlist, theorem: str) -> int:
    inputs, wanted = _wanted(theorem)
    count = len(inputs["x"])
    function = netlist_function(circuit, optimised=0)
    run = BitSlicedFunction(function, circuit.inputs, circuit.output_widths, threads=1)
    found = run.evaluate(inputs, count)
    return int(np.logical_or.reduce([found[bus] != wanted[bus] for bus in wanted]).sum())


@pytest.mark.parametrize("fmt", [FP8_E4M3FN, FP16, FP32], ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_unit_computes_its_operation(name: str, fmt: Format) -> None:
    unit = FOREIGN[name]
    circuit = unit.circuit(fmt)
    assert not (circuit.probes or circuit.blocks or circuit.cells)
    assert _failures(circuit, unit.theorem(fmt)) == 0


@pytest.mark.parametrize(("name", "fault"), FAULTY)
def test_a_planted_fault_shows(name: str, fault: str) -> None:
    unit = FOREIGN[name]
    circuit = unit.circuit(FP8_E4M3FN, fault)
    assert 0 < _failures(circuit, unit.theorem(FP8_E4M3FN, fault)) < 1 << 15


def test_every_fault_is_planted_somewhere() -> None:
    assert {fault for _, fault in FAULTY} == set(FAULTS)


def test_a_fault_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="'typo' is no fault; choose one of sticky_lost"):
        FOREIGN["fused"].circuit(FP16, "typo")
