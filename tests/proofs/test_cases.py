"""Cases into which the lemma about operands that are not normal is split."""

import numpy as np
import pytest
from pysmt.shortcuts import BVType, Symbol

from spikeproof.proofs import units
from spikeproof.proofs.units import Unit, are_normal, by_leading_zeros
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.kernel.composition import OTHERWISE
from spikeproof.prover.refutation.drawing import every_input
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import FP8_E4M3FN, FP8_E5M2, format_named
from tests.support.foreign.multipliers_fp import normalising_before


@pytest.mark.parametrize("fmt", [FP8_E5M2, FP8_E4M3FN], ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("together", [1, 2, 8])
def test_every_pair_is_of_one_case_unless_both_are_normal(fmt, together, monkeypatch):
    monkeypatch.setattr(units, "TOGETHER", together)
    forms = {"x": fmt, "y": fmt}
    with passing_formulas():
        values = {name: Symbol(name, BVType(fmt.width)) for name in forms}
        cases = by_leading_zeros(forms, values)
        found = Evaluation({**cases, "normal": are_normal(forms, values)}).evaluate(
            every_input(dict.fromkeys(forms, fmt.width))
        )
    normal = found.pop("normal").astype(int)
    assert np.array_equal(sum(each.astype(int) for each in found.values()), 1 - normal)


@pytest.mark.usefixtures("counterexamples_as_found")
def test_a_multiplier_is_proved_by_cases_and_a_fault_in_one_refuted(monkeypatch):
    monkeypatch.setattr(units, "SEARCHED", 0)
    monkeypatch.setattr(units, "TOGETHER", 4)
    fmt = format_named("e4m5")
    obligation = Unit("multiply", fmt).obligation()  # made now: the catalogue keeps its own
    record = discharge(obligation, circuit=normalising_before(fmt))
    assert record.green
    names = {lemma.name for lemma in record.lemmas}
    assert {f"{OTHERWISE}, x with 1 to 4 leading zeros", f"cases of {OTHERWISE}"} <= names
    wrong = normalising_before(fmt, fault="subnormal_shifted_once_too_often")
    assert discharge(obligation, circuit=wrong).outcome is Outcome.REFUTED
