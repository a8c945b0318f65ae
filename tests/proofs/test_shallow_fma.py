"""The cuts of shallow fused multiply-adds: they prove units, and a fault at one is found there."""

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from pysmt.shortcuts import FALSE, TRUE, And

from spikeproof.circuits.meanings.boolean import evaluate
from spikeproof.circuits.meanings.formula import bus_formulas, input_symbols
from spikeproof.circuits.netlist import ONE, ZERO
from spikeproof.circuits.units.libraries import SHALLOW
from spikeproof.proofs.shallow_fma import ShallowMultiplyAdd
from spikeproof.proofs.units import PRODUCT_STEPS, Unit
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Claim, Outcome
from spikeproof.prover.engines.engine import engine_named
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel.case import Case
from spikeproof.prover.kernel.composition import equal
from spikeproof.prover.refutation.mutation import stuck_at_one, stuck_at_zero
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import FP8_E4M3FN, FP8_E5M2, FP64
from tests.support.profile import NIGHTLY

WORDS = ("distance", "aligned", "magnitude", "room")
"""At which circuit and spec agree."""

NEURONS = ("moved", "lost", "zeros", "borrow_2", "left", "shift", "kept", "sticky")
"""Which the circuit alone has; facts are about them."""


def unit(fmt):
    return Unit("fma", fmt, policy=fmt.policies[0], structure=SHALLOW)


def cut_at(fmt, netlist):
    """The unit's obligation, cut at the probes of a netlist, whatever these are; and the netlist."""
    cuts = ShallowMultiplyAdd(fmt, lambda: netlist, unit(fmt).spec)
    obligation = replace(unit(fmt).obligation(), engines=("cadical",))
    decomposition = replace(
        obligation.decomposition,
        spec=cuts.spec,
        steps=(*PRODUCT_STEPS, *cuts.steps),
        last=cuts.last,
        circuit=cuts.probed,
    )
    return replace(obligation, decomposition=decomposition), cuts.probed()


def lemma_about(name, lemmas):
    """The one that says what a probe is: a fact if there is one, of ``room`` too that it agrees."""
    agrees, about = (
        next((each for each in lemmas if each.startswith(prefix + name)), None)
        for prefix in ("", "fact about ")
    )
    return agrees if name in WORDS else about


def silenced(netlist, name):
    """The netlist with a neuron of a probe that never fires, which some input makes fire."""
    signals = [signal for signal in netlist.probes[name] if signal >= netlist.input_count]
    return stuck_at_zero(netlist, signals[len(signals) // 2]).netlist


@cache
def of_fp64():
    return unit(FP64).circuit(keep_waypoints=True)


@pytest.fixture(scope="module")
def whole():
    return unit(FP8_E4M3FN).circuit(keep_waypoints=True)


@pytest.mark.parametrize("fmt", [FP8_E4M3FN, *[FP8_E5M2] * NIGHTLY], ids=lambda fmt: fmt.name)
def test_a_unit_is_proved_at_its_cuts(fmt):
    obligation, _ = cut_at(fmt, unit(fmt).circuit(keep_waypoints=True))
    result = discharge(obligation)
    assert result.outcome is Outcome.PROVED
    assert result.composed
    names = {lemma.name for lemma in result.lemmas}
    assert all(lemma_about(name, names) in names for name in (*WORDS, *NEURONS))


@pytest.mark.parametrize("name", [*WORDS, *NEURONS, "result"])
def test_a_fault_at_a_cut_is_found_there(name, whole):
    """Though all that comes before is taken to be right."""
    faulty = silenced(whole, name)
    with passing_formulas():
        lemmas = Case.of(*cut_at(FP8_E4M3FN, faulty)).lemmas()
        lemma = lemmas["outputs" if name == "result" else lemma_about(name, lemmas)]
        assert engine_named("cadical").check(lemma.negation, 60).status is Status.SATISFIABLE


def test_a_word_of_other_signals_is_found(whole):
    """``denormalised`` has those of ``magnitude``: no neuron lies between."""
    *places, last = whole.probes["denormalised"]
    crossed = replace(whole, probes={**whole.probes, "denormalised": (last, *places)})
    with passing_formulas():
        lemmas = Case.of(*cut_at(FP8_E4M3FN, crossed)).lemmas()
        said = engine_named("cadical").check(lemmas["denormalised"].negation, 60).status
        assert said is Status.SATISFIABLE


@pytest.mark.parametrize("name", ["distance", "room"] if NIGHTLY else ["distance"])
def test_a_fault_at_a_cut_of_fp64_is_found_there(name):
    """By its lemma alone, which takes nothing as free. Stated by hand: all take 40 seconds to state."""
    _, whole = cut_at(FP64, of_fp64())

    def said_of(netlist):
        inputs, values = input_symbols(netlist), {}
        unit(FP64).spec(inputs, lambda each, value: values.setdefault(each, value))
        constants = {ZERO: FALSE(), ONE: TRUE()}
        found = bus_formulas(netlist, {name: netlist.probes[name]}, inputs, constants)
        lemma = Claim(inputs, equal(found, {name: values[name]}))
        return engine_named("cadical").check(lemma.negation, 60).status

    with passing_formulas():
        assert said_of(whole) is Status.UNSATISFIABLE
        assert said_of(silenced(whole, name)) is Status.SATISFIABLE


def test_what_lemmas_assume_can_be_met(whole):
    with passing_formulas():
        for name, lemma in Case.of(*cut_at(FP8_E4M3FN, whole)).lemmas().items():
            met = engine_named("cadical").check((And(lemma.assumptions),), 60).status
            assert met is Status.SATISFIABLE, name


def test_fma_of_fp64_is_cut_so():
    steps = unit(FP64).decomposition.steps
    assert {"distance", "zeros"} <= {name for step in steps for name in step.names}


def test_faults_of_fp64_show_beside_fractions():
    """Python's quotients of integers are rounded once: they tell the unit from two mutants."""
    netlist = of_fp64()
    values = np.random.default_rng(20).uniform(1, 2, (3, 64))
    codes = dict(zip("xyz", values.view(np.uint64), strict=True))
    exact = (Fraction(x) * Fraction(y) + Fraction(z) for x, y, z in values.T)
    wanted = np.array([float(each) for each in exact]).view(np.uint64)
    assert (evaluate(netlist, codes)["result"] == wanted).all()
    kept, middle = netlist.probes["magnitude"][88], netlist.outputs["result"][32]
    for mutant in (stuck_at_zero(netlist, kept), stuck_at_one(netlist, middle)):
        assert (evaluate(mutant.netlist, codes)["result"] != wanted).any(), mutant.fault
