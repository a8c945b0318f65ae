"""The foreign circuits that discovery is tested on are right, or wrong, as they are said to be."""

from functools import cache

import numpy as np
import pytest

from spikeproof.circuits.meanings.boolean import evaluate
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.evidence.record import SEED
from spikeproof.prover.refutation.drawing import every_input_or_some, inputs_by_class
from spikeproof.prover.running import discharge as discharge_module
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.reference_model import ReferenceModel
from spikeproof.specs.formats import FP8_E4M3FN, FP16, FP32, FP64, Format
from tests.support.foreign.floats import FAULTS
from tests.support.foreign.units import FOREIGN
from tests.support.profile import NIGHTLY

AT_ONCE = discharge_module._at_once
FAULTY = [(name, fault) for name, unit in FOREIGN.items() for fault in unit.faults]


@cache
def _model(theorem: str) -> ReferenceModel:
    return ReferenceModel(catalogue()[theorem], threads=1)


def _failures(circuit: Netlist, theorem: str) -> int:
    """On every input; on some by class of more than 18 bits."""
    model = _model(theorem)
    inputs, _ = every_input_or_some(circuit.inputs, model.obligation.reading.formats)
    found, wanted = evaluate(circuit, inputs), model(inputs)
    return int(np.logical_or.reduce([found[bus] != wanted[bus] for bus in wanted]).sum())


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_unit_computes_its_operation(name: str) -> None:
    unit = FOREIGN[name]
    circuit = unit.circuit(FP8_E4M3FN)
    assert (circuit.probes, circuit.blocks, circuit.cells) == ({}, (), ())
    assert _failures(circuit, unit.theorem(FP8_E4M3FN)) == 0


@pytest.mark.parametrize("fmt", [FP16, FP32], ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("name", FOREIGN)
def test_a_wider_one_agrees_with_the_spec_of_record(name: str, fmt: Format) -> None:
    unit = FOREIGN[name]
    circuit, reading = unit.circuit(fmt), catalogue()[unit.theorem(fmt)].reading
    inputs = inputs_by_class(circuit.inputs, reading.formats, 400 if NIGHTLY else 100, SEED)
    found = evaluate(circuit, inputs)["result"]
    for place, code in enumerate(found):
        operands = {name: int(codes[place]) for name, codes in inputs.items()}
        assert reading.trace(operands)["result"] == code, operands


@pytest.mark.parametrize(("name", "fault"), FAULTY)
def test_a_planted_fault_shows(name: str, fault: str) -> None:
    unit = FOREIGN[name]
    circuit = unit.circuit(FP8_E4M3FN, fault)
    assert 0 < _failures(circuit, unit.theorem(FP8_E4M3FN, fault)) < 1 << 15


WIDE = [
    ("fused", FP16, "rounding_carry_lost"),
    ("fused", FP16, "sticky_lost_when_saturated"),
    ("two_path", FP64, "sticky_lost_when_saturated"),
    ("compare_and_swap", FP64, "small_operand_dropped"),
    ("normalising_before", FP64, "subnormal_shifted_once_too_often"),
    ("restoring_divider", FP64, "subnormal_shifted_once_too_often"),
]


# By default the one of each format that is decided soonest.
@pytest.mark.parametrize(("name", "fmt", "fault"), WIDE if NIGHTLY else WIDE[::3])
def test_a_fault_planted_in_a_wide_unit_is_found(
    name: str, fmt: Format, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discharge_module, "_at_once", AT_ONCE)
    unit = FOREIGN[name]
    found = discharge(catalogue()[unit.theorem(fmt, fault)], 100, unit.circuit(fmt, fault))
    assert found.outcome is Outcome.REFUTED


def test_every_fault_is_planted_somewhere() -> None:
    assert {fault for _, fault in FAULTY} == set(FAULTS)


def test_a_fault_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="'typo' is no fault; choose one of sticky_lost"):
        FOREIGN["fused"].circuit(FP16, "typo")
