"""Counterexamples are the simplest that are found, and what is said of the others is true."""

from dataclasses import replace

import numpy as np
import pytest
from pysmt.shortcuts import BV, BVUGT, BVULT, BVType, Not, Symbol

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Claim, Outcome
from spikeproof.prover.refutation.minimisation import minimised
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs import exact
from spikeproof.specs.formats import FP4_E2M1, FP16, TF32
from tests.support.netlists import all_inputs


def broken(name, probe="sticky", bit=0):
    """An obligation, and its circuit with one signal stuck at 0."""
    obligation = catalogue()[name]
    netlist = obligation.circuit()
    return obligation, stuck_at_zero(netlist, netlist.probes[probe][bit]).netlist


def cost(fmt, code):
    """How far a code is from simple, in the words at the head of ``refutation.minimisation``."""
    sign, exponent, fraction = exact.fields(fmt, code)
    special = exact.classify(fmt, code) in ("infinity", "nan")
    return np.array([special, sign + fraction.bit_count(), abs(exponent - fmt.bias)])


@pytest.mark.parametrize("operation", ["add", "multiply", "divide"])
def test_where_inputs_are_few_it_is_the_simplest_of_all_and_failures_are_counted(operation):
    fmt = FP4_E2M1
    obligation, netlist = broken(f"fp4_e2m1.{operation}.rne.saturate", "rounded")
    inputs = all_inputs(netlist)
    results = boolean.evaluate(netlist, inputs)["result"]
    failing = [
        case
        for *case, result in zip(inputs["x"].tolist(), inputs["y"].tolist(), results, strict=True)
        if result != obligation.reading.trace({"x": case[0], "y": case[1]})["result"]
    ]
    simplest = min(failing, key=lambda case: (*sum(cost(fmt, code) for code in case), *case))
    found = discharge(obligation, circuit=netlist)
    assert found.outcome is Outcome.REFUTED
    assert list(found.counterexample.values()) == simplest
    assert f"fails on {len(failing):,} of all 256 inputs:" in found.message
    normal = [case for case in failing if {exact.classify(fmt, code) for code in case} == {"normal"}]
    assert f"  x normal, y normal: {len(normal)} of {12 * 12}" in found.message


def test_where_they_are_more_they_are_counted_too():
    """Of 19 bits, compiled; Boolean evaluation of the circuits says what is right."""
    obligation, netlist = broken("tf32.square_root.rne", "sticky")
    codes = np.arange(1 << 19)
    right, wrong = (
        boolean.evaluate(circuit, {"x": codes})["result"] for circuit in (obligation.circuit(), netlist)
    )
    fails = right != wrong
    sign, exponent, fraction = codes >> 18, codes >> 10 & 255, codes & 1023
    # All codes of an exponent are of one class, but for those without a fraction.
    _, some, kind = np.unique(2 * exponent + (fraction > 0), return_index=True, return_inverse=True)
    classes = np.array([exact.classify(TF32, code) for code in some.tolist()])[kind]
    ones = sign + sum(fraction >> place & 1 for place in range(10))
    special = np.isin(classes, ("infinity", "nan"))
    simplest_first = np.lexsort((codes, abs(exponent - TF32.bias), ones, special))
    found = minimised(obligation, obligation.state(netlist), {"x": int(codes[fails][-1])}, netlist)
    assert found.inputs["x"] == simplest_first[fails[simplest_first]][0]
    assert f"fails on {fails.sum():,} of all 524,288 inputs:" in found.failures
    for name in ("normal", "subnormal"):
        here = classes == name
        assert f"\n  x {name}: {(fails & here).sum():,} of {here.sum():,}\n" in found.failures


def test_a_compiled_circuit_that_contradicts_its_formulas_is_an_error(monkeypatch):
    obligation, netlist = broken("tf32.square_root.rne", "sticky")
    claim = obligation.state(netlist)
    right, wrong = (np.array([code], dtype=np.uint64) for code in (0, 0x1FC02))
    for said in ([{"x": right}], [], [{"x": wrong}]):
        monkeypatch.setattr(
            "spikeproof.prover.refutation.exhaustion.every_failing",
            lambda claim, netlist, said=said: said,
        )
        with pytest.raises(RuntimeError, match="contradict each other"):
            minimised(obligation, claim, {"x": 0x1FC03}, netlist)
    assert minimised(obligation, claim, {"x": 0x1FC02}, netlist).inputs == {"x": 0x1FC02}


def test_where_inputs_are_many_nothing_simpler_is_one_change_away_and_the_sample_is_called_one():
    obligation, netlist = broken("fp16.add.rne")
    found = discharge(replace(obligation, engines=("cadical",)), circuit=netlist)
    assert "of 4,096 inputs drawn by class, " in found.message
    assert "(a sample, not a count of all: `spikeproof exhaust` counts them)" in found.message
    codes = found.counterexample
    for name in ("x", "y"):
        for place in range(FP16.fraction_bits):
            simpler = {**codes, name: codes[name] & ~(1 << place)}
            if simpler != codes:
                words = {bus: np.array([code]) for bus, code in simpler.items()}
                result = int(boolean.evaluate(netlist, words)["result"][0])
                assert result == obligation.reading.trace(simpler)["result"]


def test_special_operands_are_a_last_resort():
    """A unit that is wrong on every NaN and infinity alone keeps them; one wrong elsewhere does not."""
    obligation, netlist = broken("fp8_e5m2.add.rne", "x_significand", 2)
    codes = discharge(obligation, circuit=netlist).counterexample
    assert all(exact.classify(obligation.reading.formats[n], c) == "normal" for n, c in codes.items())


def test_the_outcome_is_the_same_whatever_it_starts_from():
    obligation, netlist = broken("fp8_e4m3fn.multiply.rne.saturate", "product", 3)
    claim = obligation.state(netlist)
    inputs = all_inputs(netlist)
    results = (
        boolean.evaluate(circuit, inputs)["result"] for circuit in (netlist, obligation.circuit())
    )
    wrong = np.flatnonzero(np.not_equal(*results))[::97][:4]
    starts = [{name: int(codes[index]) for name, codes in inputs.items()} for index in wrong]
    assert len(starts) == 4
    assert len({str(minimised(obligation, claim, start)) for start in starts}) == 1


def test_inputs_beyond_the_assumptions_are_neither_chosen_nor_counted():
    symbol = Symbol("x", BVType(6))
    claim = Claim({"x": symbol}, BVULT(symbol, BV(40, 6)), (BVUGT(symbol, BV(37, 6)),))
    found = minimised(catalogue()["cell.ionic.and"], claim, {"x": 63})
    assert found.inputs == {"x": 40}
    assert found.failures == "fails on 24 of all 26 inputs that satisfy the assumptions"


def test_wide_words_and_claims_about_formulas_are_minimised_too():
    symbol = Symbol("x", BVType(100))
    claim = Claim({"x": symbol}, Not(BVUGT(symbol, BV(1 << 80, 100))))
    found = minimised(catalogue()["cell.ionic.and"], claim, {"x": (1 << 100) - 1})
    assert found.inputs["x"] > 1 << 80
    assert found.inputs["x"].bit_count() == 1


def test_gates_are_counted_without_classes():
    obligation = catalogue()["cell.ionic.and"]
    found = discharge(obligation, circuit=gate_netlist("ionic", "or"))
    assert found.message.splitlines()[-1] == "fails on 2 of all 4 inputs"
    assert found.counterexample == {"a": 0, "b": 1}
