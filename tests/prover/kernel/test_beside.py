"""Circuits beside our own unit: proved through it only if outputs and claim are the same."""

from dataclasses import replace

import pytest
from pysmt.shortcuts import TRUE

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.checking.verification import Verifier
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.discovery.finding import beside_our_unit
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.kernel.annotation import Annotations
from spikeproof.prover.kernel.beside import SAME_OUTPUTS, compose_beside
from spikeproof.prover.kernel.case import Case
from spikeproof.prover.kernel.composition import CompositionError
from spikeproof.prover.running import discharge as discharge_module
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.inquiry import Keeping
from spikeproof.specs.formats import ieee_format
from tests.support.foreign.adders import compare_and_swap

FMT = ieee_format(5, 4)
NAME = "e5m4.add.rne"


def cut_nowhere(circuit: Netlist) -> Netlist:
    return replace(circuit, probes={}, cells=(), blocks=())


def case_of(name: str, circuit: Netlist) -> Case:
    plain = Case.of(theorem(name), circuit)
    return replace(plain, annotations=beside_our_unit(circuit))


def test_a_foreign_adder_is_proved_and_verified_beside_ours(tmp_path, monkeypatch):
    monkeypatch.setattr(discharge_module, "possible_annotations", lambda *_: iter(()))  # it has cuts
    circuit = compare_and_swap(FMT)
    archive = Archive(tmp_path)
    record = discharge(theorem(NAME), circuit=circuit, keeping=Keeping(archive))
    assert record.outcome is Outcome.PROVED
    assert SAME_OUTPUTS in {lemma.name for lemma in record.lemmas}
    kept = Annotations.read(archive.content(record.strategy.annotations))
    assert kept.beside
    assert not Verifier(archive, circuit=circuit).verify(record).refusal
    other = compare_and_swap(FMT, fault="negative_zero_lost")
    assert Verifier(archive, circuit=other).verify(record).refusal
    without = replace(record, lemmas=tuple(each for each in record.lemmas if each.name != SAME_OUTPUTS))
    assert Verifier(archive, circuit=circuit).verify(without).refusal


def test_the_lemmas_are_the_unit_s_own_and_one_more():
    with passing_formulas():
        case = case_of(NAME, cut_nowhere(theorem(f"{NAME}.fast").circuit()))
        own = Case.of(theorem(NAME)).lemmas()
        assert case.lemmas() == {SAME_OUTPUTS: case.lemmas()[SAME_OUTPUTS], **own}
        unit = Case.of(theorem(NAME))
        assert case.lemmas()[SAME_OUTPUTS].expected == unit.claim.actual


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"expected": {}}, "other outputs"),
        ({"inputs": {}}, "other inputs"),
        ({"assumptions": (TRUE(),)}, "other assumptions"),
        ({"goal": TRUE()}, "not that outputs equal their spec"),
    ],
)
def test_claims_that_differ_in_more_than_the_circuit_are_refused(changes, why):
    with passing_formulas():
        case = case_of(NAME, cut_nowhere(theorem(f"{NAME}.fast").circuit()))
        unit = Case.of(theorem(NAME))
        lemmas = unit.lemmas()
        assert compose_beside(case.netlist, case.claim, unit.claim, lemmas)
        with pytest.raises(CompositionError, match=why):
            compose_beside(case.netlist, case.claim, replace(unit.claim, **changes), lemmas)
        for wrong in ({}, {SAME_OUTPUTS: unit.claim, **lemmas}):
            with pytest.raises(CompositionError, match="no lemmas, or one named"):
                compose_beside(case.netlist, case.claim, unit.claim, wrong)


def test_a_wrong_circuit_is_refuted_by_what_tells_it_from_ours():
    circuit = cut_nowhere(theorem("e5m4.add.rna").circuit())
    record = discharge(theorem(NAME), circuit=circuit)
    assert record.outcome is Outcome.REFUTED
