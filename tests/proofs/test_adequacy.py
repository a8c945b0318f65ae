"""The adequacy theorems can fail: a rounding formula of another mode or policy is refuted."""

from dataclasses import replace
from functools import partial
from itertools import cycle, permutations, product

import pytest
from pysmt.shortcuts import BV, BVAdd, BVExtract, BVSub, Equals, Ite

from spikeproof.proofs import adequacy
from spikeproof.prover.claims.obligation import Obligation, Outcome
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs import symbolic
from spikeproof.specs.formats import FP6_E3M2, FP8_E5M2, OverflowPolicy, RoundingMode
from tests.support.profile import NIGHTLY

pytestmark = pytest.mark.usefixtures("counterexamples_as_found")


def refuted(claim) -> bool:
    return discharge(Obligation("planted", "a planted fault", claim)).outcome is Outcome.REFUTED


MODES = tuple(RoundingMode)
NEXT = tuple(zip(MODES, (*MODES[1:], MODES[0]), strict=True))
"""Each mode and another; in the nightly profile each and every other."""


@pytest.mark.parametrize(("mode", "other"), list(permutations(MODES, 2)) if NIGHTLY else NEXT)
def test_a_mode_does_not_meet_the_definition_of_another(mode, other):
    assert refuted(partial(adequacy.rounding_claim, FP6_E3M2, mode, adequacy.DEFINITIONS[other]))


# The overflow theorems say nothing of saturation, which is their yardstick.
POLICY_PAIRS = [
    (policy, other)
    for policy, other in permutations(FP8_E5M2.policies, 2)
    if policy is not OverflowPolicy.SATURATE
]


@pytest.mark.parametrize(("policy", "other"), POLICY_PAIRS)
def test_a_policy_is_not_another(policy, other, monkeypatch):
    true_rounding = symbolic.round_to

    def swapped(fmt, mode, asked, *value):
        return true_rounding(fmt, mode, {policy: other}.get(asked, asked), *value)

    monkeypatch.setattr(symbolic, "round_to", swapped)
    statement = partial(adequacy.overflow, policy)
    assert refuted(partial(adequacy.rounding_claim, FP8_E5M2, RoundingMode.NEAREST_EVEN, statement))


FAULTS = {
    "one last place too high": lambda code, fmt: BVAdd(code, BV(1, fmt.width)),
    "subnormals flushed to zero": lambda code, fmt: Ite(
        Equals(BVExtract(code, fmt.fraction_bits, fmt.magnitude_bits - 1), BV(0, fmt.exponent_bits)),
        BV(0, fmt.width),
        code,
    ),
    "the largest number lost": lambda code, fmt: Ite(
        Equals(code, BV(fmt.largest_finite, fmt.width)), BVSub(code, BV(1, fmt.width)), code
    ),
}


@pytest.mark.parametrize(
    ("mode", "fault"),
    list(product(MODES, FAULTS) if NIGHTLY else zip(MODES, cycle(FAULTS))),
)
def test_a_wrong_rounding_formula_is_refuted(mode, fault, monkeypatch):
    true_rounding = symbolic.round_to

    def wrong(fmt, *rest):
        rounded = true_rounding(fmt, *rest)
        return replace(rounded, code=FAULTS[fault](rounded.code, fmt))

    monkeypatch.setattr(symbolic, "round_to", wrong)
    definition = adequacy.DEFINITIONS[mode]
    assert refuted(partial(adequacy.rounding_claim, FP6_E3M2, mode, definition))
    exact = partial(adequacy.rounding_claim, FP6_E3M2, mode, adequacy.exact_when_possible)
    assert refuted(exact)


def test_a_rounding_that_does_not_preserve_order_is_refuted(monkeypatch):
    true_rounding = symbolic.round_to

    def wrong(fmt, *rest):
        rounded = true_rounding(fmt, *rest)
        is_five = Equals(rounded.code, BV(5, fmt.width))
        return replace(rounded, code=Ite(is_five, BV(7, fmt.width), rounded.code))

    monkeypatch.setattr(symbolic, "round_to", wrong)
    assert refuted(partial(adequacy.monotone_claim, FP6_E3M2, RoundingMode.NEAREST_EVEN))
    assert not refuted(
        partial(
            adequacy.rounding_claim,
            FP6_E3M2,
            RoundingMode.NEAREST_EVEN,
            adequacy.representable,
        )
    )
