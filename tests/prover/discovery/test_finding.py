"""Circuits that were never made for us, and ours without labels, are decided alike."""

from dataclasses import replace
from itertools import islice

import pytest

from spikeproof.circuits.netlist import Neuron
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.discovery.finding import in_words, possible_annotations
from spikeproof.prover.kernel.case import Case
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import FP8_E4M3FN, FP8_E5M2, FP16
from tests.support.foreign.fma import fused
from tests.support.foreign.multipliers_fp import array, normalising_before, shifting_after
from tests.support.unlabelled import unlabelled

MULTIPLY = "fp8_e5m2.multiply.rne"


def cuts(name, circuit, count):
    """So many cuts as they are tried, in words."""
    with passing_formulas():
        case = Case.of(theorem(name), circuit)
        found = islice(possible_annotations(case), count)
        return [in_words(replace(case, annotations=each)) for each in found]


def cut(name, circuit):
    """The cut that is tried first, in words."""
    return cuts(name, circuit, 1)[0]


def decided(name, circuit, seconds=100.0):
    return discharge(theorem(name), seconds, circuit, enumerating=False)


def test_our_multiplier_without_labels_is_cut_where_we_cut_it():
    circuit = unlabelled(theorem("fp16.multiply.rne").circuit())
    assert not circuit.probes
    assert not circuit.cells
    assert cut("fp16.multiply.rne", circuit).startswith("x_significand, y_significand, product; ")


def test_a_sum_from_which_outputs_may_not_follow_is_taken_with_what_it_is_and_then_left_out():
    circuit, product = fused(FP16), "x_significand, y_significand, product"
    whole, without, left_out = cuts("fp16.fma.rne", circuit, 3)
    assert whole.startswith(f"{product}, magnitude, sign, with what they are; ")
    assert without.startswith(f"{product}, magnitude, sign; ")
    assert left_out.startswith(f"{product}; ")


def test_a_sum_from_which_outputs_do_not_follow_alone_serves_with_what_it_is():
    name = "fp8_e4m3fn.fma.rne.saturate"
    found = discharge(replace(theorem(name), engines=("cadical",)), 100, fused(FP8_E4M3FN))
    assert found.outcome is Outcome.PROVED
    stages = [stage.found for stage in found.strategy.stages if stage.name == "cuts by signature"]
    assert "with what they are" in stages[-1]


def test_a_multiplier_that_normalises_its_operands_is_cut_for_normal_ones():
    words = cut("fp16.multiply.rne", normalising_before(FP16, array))
    assert words.startswith("x_significand, y_significand, product, operands normal; ")


@pytest.mark.parametrize("made", [shifting_after, normalising_before], ids=lambda made: made.__name__)
def test_foreign_multipliers_are_proved_by_lemmas(made):
    found = decided(MULTIPLY, made(FP8_E5M2, array))
    assert found.outcome is Outcome.PROVED
    assert found.composed
    assert found.strategy.annotations
    otherwise = any(lemma.name == "outputs otherwise" for lemma in found.lemmas)
    assert otherwise == (made is normalising_before)


def test_a_multiplier_that_is_wrong_for_subnormal_operands_alone_is_not_proved():
    """What the condition leaves out counts: no cut proves it."""
    wrong = normalising_before(FP8_E5M2, array, fault="subnormal_shifted_once_too_often")
    assert decided(MULTIPLY, wrong).outcome is Outcome.REFUTED


def test_a_circuit_without_anything_to_cut_is_put_to_engines_whole():
    found = decided(
        "fp4_e2m1.add.rne.saturate", unlabelled(theorem("fp4_e2m1.add.rne.saturate").circuit())
    )
    assert found.outcome is Outcome.PROVED


def test_out_of_time_it_is_said_in_which_stage_and_what_there_is():
    circuit = unlabelled(theorem("fp16.multiply.rne").circuit())
    stuck = replace(circuit, neurons=(*circuit.neurons, Neuron((), 1)))  # changes nothing but the hash
    found = decided("fp16.multiply.rne", stuck, 0.001)
    assert found.outcome in (Outcome.TIMEOUT, Outcome.UNKNOWN)
    for words in ("simulation by class", "cuts by signature", "the claim as a whole, by search"):
        assert words in found.message
