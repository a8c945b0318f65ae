"""The cut of shallow units before they round: it proves units, and a fault at it is found there."""

from dataclasses import replace

import numpy as np
import pytest

from spikeproof.circuits.meanings.boolean import evaluate
from spikeproof.circuits.netlist import NetlistBuilder
from spikeproof.circuits.units.libraries import SHALLOW
from spikeproof.proofs.shallow_rounding import NORMALISED, ShallowRounding
from spikeproof.proofs.units import STEPS, Unit
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.engines.engine import engine_named
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel.case import Case
from spikeproof.prover.refutation.mutation import stuck_at_one, stuck_at_zero
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import FP8_E4M3FN, FP16, FP32, FP64, RoundingMode
from tests.support.profile import NIGHTLY

AGREEMENTS = {"kept": "kept, guard", "guard": "kept, guard", "sticky": "sticky"}
FACTS = {name: f"fact about {agreement}" for name, agreement in AGREEMENTS.items()}
NEAREST = RoundingMode.NEAREST_EVEN


def unit(operation, fmt, mode=NEAREST):
    return Unit(operation, fmt, mode, fmt.policies[0], structure=SHALLOW)


def cut_at(cut_unit, netlist, by_places=False):
    """The unit's obligation, cut before rounding at the probes of a netlist, whatever these are."""
    steps, last = STEPS[cut_unit.operation]
    cut = ShallowRounding(cut_unit.fmt, last.given, lambda: netlist, cut_unit.spec, by_places)
    obligation = replace(cut_unit.obligation(), engines=("cadical",))
    decomposition = replace(
        obligation.decomposition,
        spec=cut.spec,
        steps=(*steps, *cut.steps),
        last=cut.last(last),
        circuit=lambda: netlist,
    )
    return replace(obligation, decomposition=decomposition)


def said_of(obligation, netlist, lemma):
    """What CaDiCaL says of the negation of a lemma about a netlist."""
    with passing_formulas():
        negation = Case.of(obligation, netlist).lemmas()[lemma].negation
        return engine_named("cadical").check(negation, 60).status


def silenced(netlist, name):
    """The netlist with the neuron of a probe that never fires, which some input makes fire."""
    signals = [signal for signal in netlist.probes[name] if signal >= netlist.input_count]
    return stuck_at_zero(netlist, signals[len(signals) // 2]).netlist


@pytest.mark.parametrize("fmt", [FP8_E4M3FN, FP16], ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("operation", ["multiply", "divide", "fma"])
def test_cuts_are_probes_of_proofs_alone(fmt, operation, monkeypatch):
    """Netlists are those that they were without."""
    netlist, probed = (unit(operation, fmt).circuit(keep_waypoints=keep) for keep in (False, True))
    assert set(NORMALISED).isdisjoint(netlist.probes)
    assert set(NORMALISED) <= set(probed.probes)
    monkeypatch.setattr(NetlistBuilder, "cut", lambda *_: None)
    assert unit(operation, fmt).circuit().sha256 == netlist.sha256


def test_long_products_are_cut_there_and_shorter_ones_need_not_be():
    names = {fmt: unit("multiply", fmt).decomposition.steps[-1].names for fmt in (FP16, FP32, FP64)}
    assert names == {FP16: ("product",), FP32: ("sticky",), FP64: ("sticky",)}


@pytest.mark.parametrize(
    ("operation", "mode"), [("multiply", NEAREST), ("multiply", RoundingMode.DOWN), ("fma", NEAREST)]
)
def test_a_unit_is_proved_at_its_cut(operation, mode):
    cut_unit = unit(operation, FP8_E4M3FN, mode)
    result = discharge(cut_at(cut_unit, cut_unit.circuit(keep_waypoints=True)))
    assert result.outcome is Outcome.PROVED
    assert result.composed
    assert {*AGREEMENTS.values(), *FACTS.values()} <= {lemma.name for lemma in result.lemmas}


@pytest.mark.parametrize("name", NORMALISED)
def test_a_fault_at_the_cut_is_found_there(name):
    """As a disagreement with the spec; and where the spec has it too, as a violation of the fact."""
    whole = unit("multiply", FP16).circuit(keep_waypoints=True)
    faulty = silenced(whole, name)
    assert said_of(cut_at(unit("multiply", FP16), whole), faulty, AGREEMENTS[name]) is Status.SATISFIABLE
    assert said_of(cut_at(unit("multiply", FP16), faulty), faulty, FACTS[name]) is Status.SATISFIABLE


@pytest.mark.skipif(not NIGHTLY, reason="formulas of all lemmas take up to 20 seconds of a processor")
@pytest.mark.parametrize("name", NORMALISED)
@pytest.mark.parametrize("fmt", [FP32, FP64], ids=lambda fmt: fmt.name)
def test_a_fault_at_the_cut_of_a_long_product_is_found_there(fmt, name):
    faulty = silenced(unit("multiply", fmt).circuit(keep_waypoints=True), name)
    obligation = unit("multiply", fmt).obligation()
    assert said_of(obligation, faulty, AGREEMENTS[name]) is Status.SATISFIABLE


@pytest.mark.parametrize(
    ("name", "place"), [("kept", "guard"), ("guard", "sticky"), ("sticky", "guard")]
)
def test_a_probe_at_another_place_is_found(name, place):
    whole = unit("multiply", FP16).circuit(keep_waypoints=True)
    width = len(whole.probes[name])
    moved = (*whole.probes[place], *whole.probes[name])[:width]
    wrong = replace(whole, probes={**whole.probes, name: moved})
    assert said_of(cut_at(unit("multiply", FP16), wrong), wrong, FACTS[name]) is Status.SATISFIABLE


def test_rounding_of_what_is_cut_off_is_shown_and_not_assumed():
    """A neuron that rounds and is faulty violates the lemma about the outputs."""
    whole = unit("multiply", FP16).circuit(keep_waypoints=True)
    faulty = silenced(whole, "result")
    assert said_of(cut_at(unit("multiply", FP16), whole), faulty, "outputs") is Status.SATISFIABLE


def test_faults_of_long_products_show_beside_the_processor():
    """NumPy's products tell the unit from two mutants: FP32's, and FP64's in the nightly profile."""
    fmt, numbers, words = (FP64, np.float64, np.uint64) if NIGHTLY else (FP32, np.float32, np.uint32)
    netlist = unit("multiply", fmt).circuit()
    x, y = np.random.default_rng(20).uniform(1, 2, (2, 64)).astype(numbers)
    codes = {name: each.view(words).astype(np.uint64) for name, each in (("x", x), ("y", y))}
    wanted = (x * y).view(words)
    assert (evaluate(netlist, codes)["result"] == wanted).all()
    kept, middle = netlist.probes["product"][fmt.precision], netlist.outputs["result"][fmt.width // 2]
    for mutant in (stuck_at_zero(netlist, kept), stuck_at_one(netlist, middle)):
        assert (evaluate(mutant.netlist, codes)["result"] != wanted).any(), mutant.fault


@pytest.fixture(scope="module")
def whole():
    return unit("divide", FP8_E4M3FN).circuit(keep_waypoints=True)


class TestOfEachPlace:
    """Where places are sums of neurons, those that round have a lemma."""

    CARRIES = ", ".join(f"carry_{k}" for k in range(1, FP8_E4M3FN.precision))

    def cut(self, netlist):
        return cut_at(unit("divide", FP8_E4M3FN), netlist, by_places=True)

    def test_a_unit_is_proved_so(self, whole):
        result = discharge(self.cut(whole))
        assert result.outcome is Outcome.PROVED
        assert result.composed
        names = {lemma.name for lemma in result.lemmas}
        assert {"fact about places", f"fact about {self.CARRIES}"} <= names

    @pytest.mark.parametrize("name", ["carry_1", "carry_3"])
    def test_a_neuron_that_does_not_round_violates_its_lemma(self, name, whole):
        faulty = silenced(whole, name)
        assert said_of(self.cut(faulty), faulty, f"fact about {self.CARRIES}") is Status.SATISFIABLE

    def test_the_first_carry_is_shown_with_the_outputs(self, whole):
        faulty = silenced(whole, "carry_0")
        assert said_of(self.cut(faulty), faulty, "outputs") is Status.SATISFIABLE

    def test_places_that_others_share_violate_the_fact(self, whole):
        """Of signals that may fire together."""
        first = next(s for s in whole.probes["kept"][::-1] if s >= 0)
        places = (first, first, *whole.probes["places"][2:])
        wrong = replace(whole, probes={**whole.probes, "places": places})
        assert said_of(self.cut(wrong), wrong, "fact about places") is Status.SATISFIABLE

    def test_sums_and_quotients_of_fp32_are_proved_so(self):
        for operation in ("add", "subtract", "divide"):
            names = {name for s in unit(operation, FP32).decomposition.steps for name in s.names}
            assert {"places", "carry_1", "carry_23"} <= names
