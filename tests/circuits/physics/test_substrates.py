"""Substrates: every parameter has its range, unit and source, and what is out of range is refused."""

from fractions import Fraction

import pytest
import torch

from spikeproof.circuits.meanings.membrane import Membrane, MembraneSimulator
from spikeproof.circuits.physics.leak import ExactMembranes, leaking_netlist
from spikeproof.circuits.physics.substrates import (
    DIGITAL,
    IONIC,
    MEMRISTIVE,
    SUBSTRATES,
    SUPERCONDUCTING,
    Reset,
    SubstrateError,
    substrate_named,
)
from spikeproof.circuits.physics.uncertainty import Interval
from spikeproof.circuits.units.libraries import LIBRARIES, gate_netlist
from spikeproof.prover.margins.limits import first_wrong, leak_limit
from spikeproof.prover.margins.relaxation import above_until, below_from
from spikeproof.prover.report.accuracy import noisy, varied
from tests.support.refusals import refused


def test_every_parameter_says_what_it_is():
    for substrate in SUBSTRATES.values():
        assert substrate.library in LIBRARIES
        assert substrate.source
        for parameter in substrate.parameters.values():
            assert parameter.meaning
            assert parameter.unit
            assert parameter.source


def test_values_are_exact():
    assert IONIC.values(beta="0.1", sigma=Fraction(3, 20)) == {
        "beta": Fraction(1, 10),
        "sigma": Fraction(3, 20),
    }
    assert MEMRISTIVE.values(tau=159) == {"tau": 159}
    assert MEMRISTIVE.parameters["tau"].ends == (159, 278)


@pytest.mark.parametrize(
    ("substrate", "values", "message"),
    [
        (IONIC, {"gamma": 1}, "ionic neurons have no parameter 'gamma'; they have beta, sigma"),
        (IONIC, {"beta": 1.5}, "beta is 1.5; use at most 1 per evaluation"),
        (DIGITAL, {"beta": -0.5}, "beta is -0.5; use at least 0 per evaluation"),
        (IONIC, {"sigma": "-1/3"}, "sigma is -1/3; use at least 0 units of weight"),
        (SUPERCONDUCTING, {"weight_spread": -1}, "weight_spread is -1; use at least 0 of its nominal"),
        (MEMRISTIVE, {"tau": 0}, "tau is 0; use at least 159 ns"),
        (MEMRISTIVE, {"tau": 300}, "tau is 300; use at most 278 ns"),
        (IONIC, {"beta": float("nan")}, "beta is nan; use a finite number"),
        (IONIC, {"beta": "1/0"}, "beta is '1/0'; use a finite number"),
        (IONIC, {"beta": True}, "beta is True; use a number"),
        (IONIC, {"beta": None}, "beta is None; use a number, or a fraction"),
    ],
)
def test_impossible_values_are_refused(substrate, values, message):
    with refused(message, SubstrateError):
        substrate.values(**values)


def test_unknown_substrates_and_resets_are_refused():
    assert substrate_named("ionic") is IONIC
    with pytest.raises(SubstrateError, match=r"no substrate is named 'wet'; there are ionic, digital"):
        substrate_named("wet")
    with pytest.raises(SubstrateError, match="superconducting neurons have no soft reset; use hard"):
        SUPERCONDUCTING.require(Reset.SOFT)
    with pytest.raises(SubstrateError, match="the deviation of the noise on the drive has no upper end"):
        _ = IONIC.parameters["sigma"].ends


def test_membranes_are_made_of_substrates():
    made = Membrane.of(IONIC, Reset.HARD, clear=False, beta="1/4", sigma=0.5, threshold_spread=0.25)
    assert made == Membrane(0.25, 0.5, Reset.HARD, clear=False, threshold_spread=0.25)
    with pytest.raises(SubstrateError, match="memristive neurons have no evaluations: name a period"):
        Membrane.of(MEMRISTIVE, Reset.HARD)


def wrong_answers(gate: str, **spreads: float) -> int:
    """Of a few hundred ionic gates, each made anew, how many are wrong for some input."""
    netlist = gate_netlist("ionic", gate)
    inputs = torch.tensor([[0, 0, 1, 1], [0, 1, 0, 1]], dtype=torch.bool)
    buses = {"a": inputs[:1], "b": inputs[1:]}
    right = MembraneSimulator(netlist).evaluate(buses)["out"]
    return sum(
        bool(
            (MembraneSimulator(netlist, Membrane(**spreads), seed).evaluate(buses)["out"] != right).any()
        )
        for seed in range(300)
    )


def test_spreads_harm_beyond_the_proved_limits_and_not_within():
    """AND: thresholds are harmless within a third, weights within a quarter, both within a seventh."""
    assert wrong_answers("and", threshold_spread=0.333) == 0
    assert wrong_answers("and", weight_spread=0.249) == 0
    assert wrong_answers("and", threshold_spread=0.142, weight_spread=0.142) == 0
    assert wrong_answers("and", threshold_spread=0.5) > 0
    assert wrong_answers("and", weight_spread=0.6) > 0


@pytest.mark.parametrize("name", ["threshold_spread", "weight_spread"])
def test_impossible_spreads_are_refused(name):
    for value in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"{name} is {value}; use a finite share"):
            Membrane(**{name: value})


AND = gate_netlist("ionic", "and")
NEVER = Interval(Fraction(0), Fraction(0))


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: ExactMembranes(AND, Fraction(2), Reset.SOFT), "beta is 2; use at most 1"),
        (lambda: ExactMembranes(AND, Fraction(-1), Reset.SOFT), "beta is -1; use at least 0"),
        (
            lambda: leaking_netlist(AND, Fraction(3, 2), Reset.HARD, [NEVER], NEVER),
            "beta is 3/2; use at most 1",
        ),
        (lambda: first_wrong(AND, Fraction(2), Reset.SOFT), "beta is 2; use at most 1"),
        (lambda: leak_limit(AND, Reset.SOFT, Fraction(-1)), "noise is -1; use at least 0"),
        (lambda: above_until(Fraction(1, 2), Fraction(0)), "tau is 0; use at least 159 ns"),
        (lambda: above_until(Fraction(0)), "the share left is 0; use a number between 0 and 1"),
        (lambda: below_from(Fraction(2)), "the share left is 2; use a number between 0 and 1"),
        (lambda: noisy(Fraction(0)), "sigma is 0; use a positive number"),
        (lambda: varied(Fraction(-1)), "the spread is -1; use a positive number"),
    ],
)
def test_impossible_parameters_of_exact_limits_are_refused(attempt, message):
    with pytest.raises(ValueError, match=message):
        attempt()
