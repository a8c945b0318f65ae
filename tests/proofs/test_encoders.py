"""Encoders: what is said of real potentials, by exact arithmetic and z3's reals; faults are refuted."""

from dataclasses import replace
from fractions import Fraction
from functools import partial
from random import Random

import pytest
import z3

from spikeproof.circuits.clocked import ClockedNetlist
from spikeproof.circuits.meanings.bitsliced import BitSlicedSimulator
from spikeproof.circuits.meanings.boolean import evaluate, one_input
from spikeproof.circuits.meanings.clocked import run
from spikeproof.circuits.netlist import NetlistError
from spikeproof.circuits.units.encoder import successive_approximation, train_circuit
from spikeproof.proofs import encoders
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.refutation.drawing import every_input
from spikeproof.prover.running.discharge import discharge

pytestmark = pytest.mark.usefixtures("counterexamples_as_found", "cadical_alone")

SEED = 20261129


def encoded(potential, steps, offsets):
    """By the membrane's own equation, in rationals: V - t S, where S = [V + offset >= t]."""
    code, threshold = 0, 1 << steps - 1
    for offset in offsets:
        if potential + offset >= threshold:
            code, potential = code + threshold, potential - threshold
        threshold //= 2
    return code


def drawn(random, low, high):
    return low + (high - low) * Fraction(random.randrange((1 << 30) + 1), 1 << 30)


@pytest.mark.parametrize("offset", [Fraction(0), encoders.QUARTER, Fraction(1), Fraction(7, 3)], ids=str)
@pytest.mark.parametrize("steps", [1, 3, 20])
def test_what_is_left_is_as_far_off_as_a_comparison(steps, offset):
    """-d <= V - code < 1 + d for real potentials; and the code's distance from the floor follows."""
    random = Random(SEED)
    for _ in range(500):
        near = random.randrange(1 << steps) + drawn(random, -2 * offset, 2 * offset)
        top = (1 << steps) - Fraction(1, 1 << 40)
        potential = min(max(near, Fraction(0)), top)
        offsets = [
            random.choice((-offset, offset, drawn(random, -offset, offset))) for _ in range(steps)
        ]
        code = encoded(potential, steps, offsets)
        assert -offset <= potential - code < 1 + offset
        if offset <= 1:
            assert abs(code - potential // 1) <= 1
        if offset <= potential % 1 < 1 - offset:
            assert code == potential // 1


def test_the_netlist_is_the_membrane():
    """On every potential of four bits and two behind the point, with half a code of bias and without."""
    for bias in (Fraction(0), Fraction(1, 2)):
        netlist = successive_approximation(4, 2, bias)
        given = every_input(netlist.inputs)
        found = evaluate(netlist, given)["code"]
        for word, code in zip(given["membrane"].tolist(), found.tolist(), strict=True):
            assert code == encoded(Fraction(word, 4), 4, [bias] * 4)


def reals_disagree(steps, offset, wrong):
    """Whether, as z3 has real numbers, some potential and some offsets have a wrong code."""
    potential, offsets = z3.Real("V"), [z3.Real(f"offset{step}") for step in range(steps)]
    solver, left, code = z3.Solver(), potential, z3.RealVal(0)
    solver.add(potential >= 0, potential < 1 << steps)
    for step, each in enumerate(offsets):
        threshold = 1 << steps - 1 - step
        solver.add(each <= z3.Q(*offset.as_integer_ratio()), -each <= z3.Q(*offset.as_integer_ratio()))
        fires = left + each >= threshold
        left, code = (z3.If(fires, z - sign * threshold, z) for z, sign in ((left, 1), (code, -1)))
    solver.add(wrong(potential, code))
    return solver.check() == z3.sat


def too_far(potential, code):
    floor = z3.ToReal(z3.ToInt(potential))
    return z3.Or(code > floor + 1, code < floor - 1)


def wrong_away_from_codes(potential, code):
    behind = potential - z3.ToReal(z3.ToInt(potential))
    floor = z3.ToReal(z3.ToInt(potential))
    return z3.And(behind >= z3.Q(1, 4), behind < z3.Q(3, 4), code != floor)


@pytest.mark.parametrize(
    ("limit", "wrong"), [(Fraction(1), too_far), (encoders.QUARTER, wrong_away_from_codes)]
)
def test_limits_are_those_of_real_arithmetic(limit, wrong):
    assert not reals_disagree(3, limit, wrong)
    assert reals_disagree(3, limit + encoders.BEYOND, wrong)


def test_a_witness_just_beyond():
    """Of less than one code, the second last comparison fires: two codes off."""
    little = Fraction(1, 1000)
    potential, beyond = 1 - little, 1 + little
    assert encoded(potential, 20, [*[Fraction(0)] * 18, beyond, Fraction(0)]) == 2
    assert encoded(potential, 20, [*[Fraction(0)] * 18, Fraction(1), Fraction(0)]) == 0


def test_faulty_encoders_are_refuted():
    """A threshold that is not halved, or off by a thousandth; a spike that takes nothing off."""
    obligation = next(encoders.by_approximation(4))
    netlist = successive_approximation(4, 2)
    last = netlist.neurons[-1]
    faulty = [
        replace(last, threshold=2),
        replace(last, threshold=1 + Fraction(1, 1000)),
        replace(last, synapses=last.synapses[:-1]),
    ]
    for neuron in faulty:
        mutant = replace(netlist, neurons=(*netlist.neurons[:-1], neuron))
        assert discharge(obligation, circuit=mutant).outcome is Outcome.REFUTED


def test_trains_are_received_and_faults_are_not():
    width = 4
    clocked = train_circuit("threshold", width)
    words = every_input({"word": width, "sending": width - 1, "received": width})
    starts = [int(step == 0) for step in range(width)]
    trains = [{"word": words["word"], "start": words["word"] * 0 + start} for start in starts]
    before = {name: words[name] for name in clocked.initial}
    for compute in (partial(evaluate, clocked.step), BitSlicedSimulator(clocked.step, 1).evaluate):
        found = list(run(clocked, compute, trains, before))
        assert (found[-1]["received"] == words["word"]).all()
        sent = sum(step["spike"].astype(int) << place for place, step in enumerate(found))
        assert (sent == words["word"].astype(int)).all()
    again = ClockedNetlist(clocked.step, {"sending": 5, "received": 0})
    step = evaluate(again.step, one_input({"word": 9, "start": 0, "sending": 5, "received": 0}))
    assert int(step["spike"][0]) == 1  # of what was there before: it is not started


def test_encoders_of_no_steps_are_refused():
    for steps, bias in ((0, Fraction(0)), (4, Fraction(1, 8))):
        with pytest.raises(NetlistError, match="at least 1, and a multiple of 1/4"):
            successive_approximation(steps, 2, bias)
