"""The public face: its names, and the calls behind the commands."""

import ast
import functools
import inspect
from dataclasses import replace
from pathlib import Path

import pytest
from pysmt.shortcuts import BV, BVULT, FALSE, BVAdd, BVAnd, BVNot, BVOr, BVZExt

import spikeproof
from spikeproof import NetlistError, Obligation, Outcome, RefutedError, UndecidedError, assert_proved
from spikeproof.circuits.units.libraries import gate_netlist, library_gates
from spikeproof.prover.claims.catalogue import CatalogueError
from spikeproof.prover.claims.environment import stating_formulas
from spikeproof.prover.evidence.log import Log
from spikeproof.prover.running.run import Run
from tests.support.loading import loaded_by

ADD = "fp4_e2m1.add.rne.saturate"


def broken_adder():
    """An FP4 adder whose result is told the wrong way round."""
    netlist = spikeproof.theorem(ADD).circuit()
    return replace(netlist, outputs={"result": netlist.outputs["result"][::-1]})


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", spikeproof.__all__)
def test_every_name_is_there_and_documented(name):
    assert getattr(spikeproof, name).__doc__
    assert f"``{name}``" in spikeproof.__doc__


def test_the_reference_names_nothing_else():
    stub = ast.parse(Path(spikeproof.__file__).with_suffix(".pyi").read_text())
    names = {alias.asname for node in stub.body for alias in node.names}
    assert names == set(spikeproof.__all__)


@pytest.mark.parametrize(
    "library",
    ["z3", "pysat", "torch", "llvmlite", "hypothesis", "pytest", "pysmt"],
)
def test_importing_loads_nothing(library):
    assert library not in loaded_by("import spikeproof")


# --- prove, check, exhaust ----------------------------------------------------------------------


def test_theorems_by_name_and_by_pattern():
    assert [each.name for each in spikeproof.theorems("cell.ionic.x*")] == ["cell.ionic.xor"]
    assert spikeproof.theorem(ADD).name == ADD
    with pytest.raises(CatalogueError, match="did you mean"):
        spikeproof.theorem("fp4_e2m1.ad.rne.saturate")
    with pytest.raises(CatalogueError, match="is a pattern"):
        spikeproof.theorem("cell.*")


def test_proving_a_theorem_or_an_obligation():
    assert spikeproof.prove("cell.ionic.xor").outcome is Outcome.PROVED
    assert spikeproof.prove(spikeproof.theorem("cell.ionic.xor")).outcome is Outcome.PROVED


def test_checking_a_circuit():
    right, wrong = spikeproof.theorem(ADD).circuit(), broken_adder()
    assert spikeproof.check(right, ADD).outcome is Outcome.PROVED
    record = spikeproof.check(wrong, ADD)
    assert record.outcome is Outcome.REFUTED
    assert record.circuit_sha256 == wrong.sha256


def test_a_refutation_says_once_what_the_circuit_comes_nearest_to():
    theorem = spikeproof.theorem("fp8_e5m2.multiply.rne")
    flushing = spikeproof.theorem("fp8_e5m2.multiply.rne.cuda").circuit()
    told = "it is right by another convention, fp8_e5m2.multiply.rne.cuda:\nnone of all 65,536 inputs"
    with pytest.raises(RefutedError) as failed:
        assert_proved(flushing, theorem)
    of_its_own = spikeproof.prove(replace(theorem, circuit=lambda: flushing))
    checked = spikeproof.check(flushing, theorem)
    for record in (checked, of_its_own):
        assert record.nearest == "fp8_e5m2.multiply.rne.cuda"
        assert record.message.count(told) == 1
    assert str(failed.value).count(told) == 1
    assert spikeproof.check(theorem.circuit(), theorem).nearest is None
    assert spikeproof.prove(replace(theorem, circuit=lambda: flushing, expected=Outcome.REFUTED)).green


def test_exhausting():
    assert spikeproof.exhaust(ADD).failures == 0
    assert spikeproof.exhaust(ADD, broken_adder()).failures > 0


def test_verifying_a_log(tmp_path):
    log, theorem = (
        Log.begin(tmp_path / "log", command="a test", profile="part", promised=1),
        "cell.ionic.and",
    )
    Run(60.0, log=log).discharge(spikeproof.theorem(theorem))
    log.end(discharged=1, complete=True)
    found = spikeproof.verify(log.directory)
    assert [record.theorem for record in found.verified] == [theorem]
    assert found.refusals == ()
    (record,) = log.directory.glob("records/*")
    record.write_text(record.read_text().replace('"proved"', '"refuted"'))
    assert spikeproof.verify(str(log.directory)).refusals


# --- assertions ---------------------------------------------------------------------------------


def test_a_right_circuit_passes():
    netlist = gate_netlist("ionic", "and")
    (bus,) = netlist.outputs
    first, second = netlist.inputs

    def meaning(buses):
        return {bus: BVAnd(buses[first], buses[second])}

    assert_proved(netlist, meaning)
    assert_proved(spikeproof.theorem(ADD).circuit(), ADD)


def test_a_wrong_circuit_fails_with_its_counterexample():
    with pytest.raises(RefutedError, match=r"result, circuit .*\n.*result, spec") as failed:
        assert_proved(broken_adder(), ADD)
    assert isinstance(failed.value, AssertionError)
    netlist = gate_netlist("ionic", "and")
    (bus,) = netlist.outputs
    first, second = netlist.inputs
    with pytest.raises(RefutedError, match="fails on"):
        assert_proved(netlist, lambda buses: {bus: BVAdd(buses[first], buses[second])})


def test_undecided_is_a_failure_of_its_own():
    hard = spikeproof.theorem("fp32.multiply.rne")
    whole = replace(hard, decomposition=None)
    with pytest.raises(UndecidedError, match="did not decide"):
        assert_proved(hard.circuit(), whole, timeout=0.5)
    vacuous = Obligation(
        "vacuous",
        "whatever is so and not so",
        lambda netlist: spikeproof.Claim({}, FALSE(), (FALSE(),)),
        circuit=lambda: gate_netlist("ionic", "and"),
        function="so and not so",
    )
    with pytest.raises(UndecidedError, match="vacuous"):
        assert_proved(gate_netlist("ionic", "and"), vacuous)


# --- functions as specs -------------------------------------------------------------------------


def both_named(x, y):
    return {"result": BVOr(x, y)}


def both_named_with_a_default(x, y, *, mask=0b0111):
    return {"result": BVAnd(BVOr(x, y), BV(mask, 4))}


def any_named(**buses):
    return {"result": BVOr(buses["x"], buses["y"])}


def mapped(buses):
    return {"result": BVOr(buses["x"], buses["y"])}


def mapped_with_a_default(buses, mask=None):
    return mapped(buses)


def bitwise_or():
    gates = library_gates("threshold")
    x, y = (gates.builder.input(name, 4) for name in "xy")
    pairs = zip(x, y, strict=True)
    return gates.builder.build({"result": tuple(gates.or_(*pair) for pair in pairs)})


OR = bitwise_or()


@pytest.mark.parametrize("spec", [both_named, any_named, mapped, mapped_with_a_default])
def test_a_spec_takes_buses_by_name_or_in_one_mapping(spec):
    assert_proved(OR, spec)


def test_defaults_of_a_spec_stay():
    with pytest.raises(RefutedError, match="fails on 192 of all 256 inputs"):
        assert_proved(OR, both_named_with_a_default)


def test_one_bus_is_taken_by_its_name_not_as_a_mapping():
    assert_proved(gate_netlist("ionic", "not"), lambda a: {"out": BVNot(a)})


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (lambda x: {"result": x}, "takes (x), the circuit has inputs ['x', 'y']"),
        (
            lambda buses, x=None: mapped(buses),
            "takes (buses, x=None), the circuit has inputs ['x', 'y']",
        ),
        (
            lambda buses: {"result": buses},
            "output 'result' has 4 bits, in its meaning it is of type dict",
        ),
        (lambda x, z: {"result": x}, "its meaning takes (x, z), the circuit has inputs ['x', 'y']"),
        (lambda x, y: {"result": BVZExt(x, 4)}, "output 'result' has 4 bits, in its meaning 8 bits"),
        (
            lambda x, y: {"result": BVULT(x, y)},
            "output 'result' has 4 bits, in its meaning it is of type Bool",
        ),
        (
            lambda x, y: {"result": 3},
            "output 'result' has 4 bits, in its meaning it is of type int",
        ),
        (lambda x, y: {"sum": x}, "the circuit has outputs ['result'], its meaning ['sum']"),
        (lambda x, y: x, "its meaning gives a FNode; let it give a mapping of the outputs"),
        (lambda x, y: {3: x}, "the circuit has outputs ['result'], its meaning ['3']"),
        (lambda x, y: {"result": BVAdd(x, BV(0, 5))}, "joins formulas of other widths or kinds"),
    ],
)
def test_a_spec_that_does_not_suit_the_circuit_is_told_so_in_one_line(spec, words):
    record = spikeproof.check(OR, spec)
    assert record.outcome is Outcome.ERROR
    assert words in record.message
    assert "\n" not in record.message


def test_what_a_decorator_says_of_the_names_is_not_believed():
    """Found in review: the names of the wrapped function swapped the operands of the other."""

    def named(a, b):
        raise AssertionError

    @functools.wraps(named)
    def swapped(b, a):
        return {"out": BVAnd(a, BVNot(b))}

    builder = spikeproof.NetlistBuilder()
    (a,), (b,) = builder.input("a", 1), builder.input("b", 1)
    netlist = builder.build({"out": (builder.neuron([(a, 1), (b, -1)], 1),)})
    assert_proved(netlist, swapped)
    swapped.__signature__ = inspect.signature(named)
    assert_proved(netlist, swapped)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (lambda x, y: {"result": x | y}, "uses operators of Python; use pySMT's functions"),
        (lambda x, y: {"result": x[::-1]}, "uses operators of Python"),
        (lambda x, y: {"result": max(x, y)}, "uses operators of Python"),
        (
            lambda x, y: {"result": x if BVULT(x, y) else y},
            "cannot tell whether a formula holds; use Ite",
        ),
        (lambda x, y: {"result": x or y}, "cannot tell whether a formula holds"),
        (lambda x, y: {"result": x if not BVULT(x, y) else y}, "cannot tell whether a formula holds"),
        (lambda x, y: {"result": x if x == y else y}, "cannot tell whether a formula equals another"),
        (lambda x, y: {"result": x if x != y else y}, "cannot tell whether a formula equals another"),
        (lambda x, y: {"result": x if x in (y,) else y}, "cannot tell whether a formula equals another"),
        (lambda x, y: {"result": x if x == 0 else y}, "cannot tell whether a formula equals another"),
    ],
)
def test_what_python_makes_of_formulas_is_not_taken_for_what_they_mean(spec, words):
    """Found in review: ``x if x < y else y`` is ``x``, and a circuit of that was proved the maximum."""
    builder = spikeproof.NetlistBuilder()
    x, y = builder.input("x", 4), builder.input("y", 4)
    for given in (OR, builder.build({"result": x}), builder.build({"result": y})):
        record = spikeproof.check(given, spec)
        assert record.outcome is Outcome.ERROR
        assert words in record.message


def test_python_compares_formulas_elsewhere_as_ever():
    x, y = BV(1, 4), BV(2, 4)
    with pytest.raises(ZeroDivisionError), stating_formulas():
        raise ZeroDivisionError
    assert x
    assert x != y


def test_a_spec_says_in_the_record_what_it_is_about():
    def either(x, y):
        """Bit by bit, x or y.

        More of it.
        """
        return {"result": BVOr(x, y)}

    subject = f", of the circuit of SHA-256 {OR.sha256[:12]}"
    assert spikeproof.check(OR, either).statement == f"Bit by bit, x or y{subject}"
    assert spikeproof.check(OR, mapped).statement == f"what mapped says{subject}"


def test_what_is_no_claim_is_refused():
    with pytest.raises(TypeError, match="a claim is a theorem's name, an obligation, or"):
        spikeproof.check(OR, 3)
    with pytest.raises(
        TypeError, match=r"a circuit is a Netlist, as `read_json` gives; \['or.json'\] is none"
    ):
        spikeproof.check(["or.json"], mapped)
    with pytest.raises(spikeproof.NetlistError, match=r"cannot read or.json: No such file"):
        spikeproof.check("or.json", mapped)


@pytest.mark.parametrize(
    "claim",
    [
        "margin.ionic.and.noise",
        "margin.ionic.and.noise.below",
        "margin.unit.fp8_e4m3fn.multiply.rne.saturate.ionic.noise",
    ],
)
def test_no_other_circuit_takes_the_place_of_one_whose_own_neurons_a_theorem_is_about(claim):
    """Found in review: noise lies in a margin's circuit, so that another was proved to bear any."""
    own = spikeproof.theorem(claim).circuit()
    with pytest.raises(NetlistError, match="about the neurons of its own circuit, not of any other"):
        spikeproof.check(own, claim)


def test_no_public_name_is_that_of_a_package():
    """Found in review: whoever imports ``spikeproof.reference.oracles`` has that for ``reference``."""
    packages = {path.name for path in Path(spikeproof.__file__).parent.iterdir() if path.is_dir()}
    assert {"circuits", "reference"} <= packages
    assert not packages & set(spikeproof.__all__)
