"""Verdicts that separate: where a refuted circuit would be right, and what is left of what is wrong."""

import re
from dataclasses import replace

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.units.libraries import HALF
from spikeproof.proofs.names import unit_named
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Outcome, Profile
from spikeproof.prover.refutation import exhaustion
from spikeproof.prover.refutation.exhaustion import OutOfTimeError, enumerate_all
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.running import neighbours
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.neighbours import HARDLY_BETTER, Nearest, nearest
from spikeproof.prover.running.run import Run
from tests.support.netlists import all_inputs


def obligation(name):
    return unit_named(name).obligation(Profile.WIDE)


def circuit(name):
    return unit_named(name).circuit()


def told_nearest(theorem, netlist, counterexample=None):
    found = nearest(theorem, netlist, counterexample)
    return found.words if found else ""


@pytest.fixture(autouse=True)
def enough_time(monkeypatch):
    """However busy the machine is."""
    monkeypatch.setattr(neighbours, "SEARCH_SECONDS", 600.0)


@pytest.fixture
def one_input_is_tried(monkeypatch):
    """Instead of a sample: of operands that are all 1."""

    def one(widths, formats):
        ones = {name: formats[name].bias << formats[name].fraction_bits for name in widths}
        return {name: np.array([code], dtype=np.uint64) for name, code in ones.items()}, False

    monkeypatch.setattr(neighbours, "every_input_or_some", one)


@pytest.mark.parametrize(
    ("given", "own", "difference"),
    [
        (
            "multiply.rne.daz.ftz",
            "multiply.rne.daz.ftz",
            "subnormal operands are zero, subnormal results are zero",
        ),
        (
            "multiply.rne.first_nan.daz",
            "multiply.rne.first_nan.daz",
            "NaN of the first operand that is one, subnormal operands are zero",
        ),
        (
            "add.rtz.saturate.last_nan",
            "add.rtz.saturate.last_nan",
            "rounded toward zero, overflow saturates, NaN of the last operand that is one",
        ),
        (
            "divide.rne.x86_sse.daz.ftz_after.flags",
            "divide.rne.x86_nan.signalling.daz.ftz_before.flags",
            None,
        ),
        (
            "multiply.rne.riscv.flags",
            "multiply.rne.riscv.flags",
            "signalling NaNs raise invalid, tininess after rounding",
        ),
    ],
)
def test_a_consistent_circuit_is_right_under_its_own_convention(given, own, difference):
    """What is different is said if that is short, and of words that make a difference."""
    operation = given.split(".")[0]
    flags = ".flags" if given.endswith(".flags") else ""
    text = told_nearest(obligation(f"e3m2.{operation}.rne{flags}"), circuit(f"e3m2.{given}"))
    said = f"\nthe difference: {difference}" if difference else ""
    assert text == (
        f"it is right by another convention, e3m2.{own}:\nnone of all 4,096 inputs fails{said}"
    )


def test_a_nan_of_no_rule_is_right_where_any_will_do():
    """A unit whose NaN has a payload of its own, the same always."""
    netlist = circuit("e3m2.multiply.rne.x86_nan")
    text = told_nearest(obligation("e3m2.multiply.rne"), without_quiet_bit(netlist))
    assert "right by another convention, e3m2.multiply.rne.any_nan:" in text


def without_quiet_bit(netlist: Netlist) -> Netlist:
    """The multiplier with the fraction's last bit set in every NaN that it delivers."""
    *rest, sign = netlist.outputs["result"]
    low, high, *field = rest
    base = netlist.signal_count
    nan = Neuron(tuple((signal, 1) for signal in (high, *field)), len(field) + HALF)
    # The infinities have no fraction bit set, so every code of these bits is a NaN.
    either = Neuron(((low, 1), (base, 1)), HALF)
    return Netlist(
        netlist.inputs, (*netlist.neurons, nan, either), {"result": (base + 1, high, *field, sign)}
    )


def test_of_one_bug_in_a_unit_of_another_convention_the_bug_is_what_is_left():
    netlist = circuit("e3m2.multiply.rne.first_nan.daz.ftz")
    theorem = obligation("e3m2.multiply.rne")
    inputs = all_inputs(netlist)
    right = boolean.evaluate(netlist, inputs)["result"]
    neurons = range(netlist.input_count, netlist.signal_count)
    bug = next(
        mutant
        for mutant in (stuck_at_zero(netlist, signal).netlist for signal in neurons)
        if 0 < (boolean.evaluate(mutant, inputs)["result"] != right).sum() < 50
    )
    text = told_nearest(theorem, bug)
    assert text.startswith("it comes nearest to e3m2.multiply.rne.first_nan.daz.ftz, under which\n")
    failing = enumerate_all(obligation(f"{theorem.name}.first_nan.daz.ftz"), bug, ("spec",), 1).failures
    assert f"fails on {failing:,} of all 4,096 inputs" in text


def wrong_on_one(netlist, inputs):
    """The circuit with the result's last bit inverted on one input alone."""
    low, *rest = netlist.outputs["result"]
    bits = {
        signal: inputs[name] >> place & 1
        for name, bus in netlist.input_buses.items()
        for place, signal in enumerate(bus)
    }
    base = netlist.signal_count
    met = Neuron(tuple((signal, 2 * bit - 1) for signal, bit in bits.items()), sum(bits.values()))
    both = Neuron(((low, 1), (base, 1)), 1 + HALF)
    either = Neuron(((low, 1), (base, 1), (base + 1, -2)), HALF)
    neurons = (*netlist.neurons, met, both, either)
    return Netlist(netlist.inputs, neurons, {"result": (base + 2, *rest)})


@pytest.mark.parametrize(
    ("name", "word", "inputs"),
    [
        ("e5m4.multiply.rne", "daz", {"x": 0xF5, "y": 0x127}),
        ("fp8_e5m2.convert_from_e8m26.rne", "ftz", {"x": 0x1_FD55_5793}),
    ],
)
def test_a_fault_that_no_sample_meets_is_not_called_right(name, word, inputs):
    """Counted, or found by an engine: then what fails is shown."""
    netlist = circuit(f"{name}.{word}")
    faulty = wrong_on_one(netlist, inputs)
    assert told_nearest(obligation(name), netlist).startswith("it is right by another convention")
    text = told_nearest(obligation(name), faulty)
    assert text.startswith(f"it comes nearest to {name}.{word}")
    assert "under which\nthe circuit differs from its spec" in text
    assert "right" not in text


def test_above_32_bits_it_is_proved_and_where_it_cannot_be_it_is_a_sample(monkeypatch):
    theorem, netlist = (
        obligation("fp8_e5m2.convert_from_e8m26.rne"),
        circuit("fp8_e5m2.convert_from_e8m26.rne.ftz"),
    )
    said = "it is right by another convention, fp8_e5m2.convert_from_e8m26.rne.ftz:\n"
    difference = "\nthe difference: subnormal results are zero"
    assert told_nearest(theorem, netlist) == said + "this is proved" + difference
    monkeypatch.setattr(neighbours, "COUNTING_SECONDS", 0.01)
    assert told_nearest(theorem, netlist) == (
        said.replace("is right", "may be right")
        + "none of 4,096 inputs that were tried fails: a sample, no proof; to settle it:\n"
        + "spikeproof prove fp8_e5m2.convert_from_e8m26.rne.ftz --circuit FILE"
        + difference
    )


def test_up_to_32_bits_it_is_counted_or_a_sample(monkeypatch):
    theorem, netlist = obligation("e5m4.multiply.rne"), circuit("e5m4.multiply.rne.first_nan")
    said = "it is right by another convention, e5m4.multiply.rne.first_nan:\n"
    difference = "\nthe difference: NaN of the first operand that is one"
    assert told_nearest(theorem, netlist) == said + "none of all 1,048,576 inputs fails" + difference
    monkeypatch.setattr(neighbours, "COUNTING_SECONDS", 0.0)
    monkeypatch.setattr(exhaustion, "CHUNK", 1 << 17)
    assert told_nearest(theorem, netlist) == (
        said.replace("is right", "may be right")
        + "none of 4,096 inputs that were tried fails: a sample, no proof; to settle it:\n"
        + "spikeproof prove e5m4.multiply.rne.first_nan --circuit FILE"
        + difference
    )


def test_where_counting_does_not_end_engines_are_asked(monkeypatch):
    def out_of_time(*_):
        raise OutOfTimeError("not all inputs were tried")

    monkeypatch.setattr(exhaustion, "first_failing", out_of_time)
    text = told_nearest(obligation("e5m4.multiply.rne"), circuit("e5m4.multiply.rne.daz"))
    assert text.startswith("it is right by another convention, e5m4.multiply.rne.daz:\nthis is proved\n")


@pytest.mark.usefixtures("one_input_is_tried")
def test_the_counterexample_is_tried_too():
    """Among inputs of which none fails it is all that is known of a convention."""
    theorem, netlist = obligation("e5m4.multiply.rne"), circuit("e5m4.multiply.rne.daz")
    assert nearest(theorem, netlist) is None
    found = nearest(theorem, netlist, {"x": 1, "y": theorem.reading.formats["y"].bias << 4})
    assert found.theorem == "e5m4.multiply.rne.daz"
    assert "none of all 1,048,576 inputs fails" in found.words


@pytest.mark.usefixtures("one_input_is_tried")
def test_an_input_that_fails_when_all_are_counted_leads_on():
    """Only where a product rounds up to the smallest normal number do these conventions differ."""
    theorem, netlist = obligation("e3m2.multiply.rne"), circuit("e3m2.multiply.rne.daz.ftz_after")
    subnormal = {"x": 1, "y": theorem.reading.formats["y"].bias << 2}
    assert nearest(theorem, netlist, subnormal).theorem == "e3m2.multiply.rne.daz.ftz_after"


def test_where_there_is_no_time_to_try_all_neighbours_that_is_said(monkeypatch):
    monkeypatch.setattr(neighbours, "SEARCH_SECONDS", 0.0)
    theorem, netlist = obligation("e3m2.multiply.rne"), circuit("e3m2.multiply.rne.daz.ftz")
    found = nearest(theorem, netlist)
    assert (found.theorem, found.words) == (None, neighbours.NO_TIME)


@pytest.mark.parametrize(
    ("theorem", "given", "named"),
    [
        ("int8.convert_from_fp8_e5m2.rtz.riscv.flags", "x86_sse.flags", "x86_sse.flags"),
        (
            "int8.convert_from_fp8_e5m2.rtz.largest_for_nan.daz.flags",
            "riscv.flags",
            "largest_for_nan.flags",
        ),
        ("e3m2.add.rne.tiny_after", "tiny_after.daz", "daz"),
    ],
)
def test_a_convention_is_named_in_the_fewest_words(theorem, given, named):
    stem = ".".join(theorem.split(".")[:3])
    found = nearest(obligation(theorem), circuit(f"{stem}.{given}"))
    assert found.theorem == f"{stem}.{named}"


def reversed_bits(netlist, *names):
    outputs = {n: bus[::-1] if n in names else bus for n, bus in netlist.outputs.items()}
    return Netlist(netlist.inputs, netlist.neurons, outputs)


NO_BETTER = "no neighbouring mode, policy or convention makes fewer inputs fail"


@pytest.mark.parametrize(
    ("given", "names", "hint"),
    [
        (
            "add.rne.flags",
            ("flags",),
            "with the bits of flags reversed, none of 4,096 inputs fails: "
            "bit 0 of flags is invalid, bit 4 inexact, unlike in SoftFloat",
        ),
        (
            "multiply.rne.riscv.flags",
            ("flags",),
            "with the bits of flags reversed, none of 4,096 inputs fails under "
            "e3m2.multiply.rne.riscv.flags: bit 0 of flags is invalid, bit 4 inexact, unlike in "
            "SoftFloat",
        ),
        (
            "add.rne.flags",
            ("result",),
            "with the bits of result reversed, none of 4,096 inputs fails: "
            "the least significant bit of result comes first",
        ),
        (
            "add.rne.flags",
            ("result", "flags"),
            "with the bits of result and flags reversed, none of 4,096 inputs fails: the least "
            "significant bit of result comes first; bit 0 of flags is invalid, bit 4 inexact, unlike in "
            "SoftFloat",
        ),
    ],
)
def test_outputs_whose_bits_are_in_reverse_are_told(given, names, hint):
    theorem = obligation(f"e3m2.{given.split('.')[0]}.rne.flags")
    lines = told_nearest(theorem, reversed_bits(circuit(f"e3m2.{given}"), *names)).splitlines()
    assert lines[-1] == hint


def test_it_is_said_where_nothing_else_comes_nearer_and_nothing_where_there_is_nothing_else():
    """A circuit that has no inexact is right nowhere; one that is right has nothing to be told."""
    netlist = circuit("e3m2.multiply.rne")
    inputs = netlist.input_buses
    constant = Netlist(netlist.inputs, (), {"result": inputs["x"]})
    assert "right" not in told_nearest(obligation("e3m2.multiply.rne"), constant)
    raised = circuit("e3m2.multiply.rne.flags")
    invalid, never, overflow, underflow, _ = raised.outputs["flags"]
    flags = (invalid, never, overflow, underflow, never)
    inexact_missing = Netlist(raised.inputs, raised.neurons, {**raised.outputs, "flags": flags})
    found = nearest(obligation("e3m2.multiply.rne.flags"), inexact_missing)
    assert (found.theorem, found.words) == (None, NO_BETTER)
    theorem = obligation("e3m2.multiply.rne.any_nan")
    assert told_nearest(theorem, netlist) == ""
    gate = catalogue()["cell.ionic.and"]
    assert told_nearest(gate, catalogue()["cell.ionic.or"].circuit()) == ""


def test_a_neighbour_that_leaves_nearly_all_failures_is_not_named(monkeypatch):
    """With the sign reversed all products are wrong; that any NaN will do explains a few of them."""
    unit = circuit("e4m2.multiply.rne")
    *magnitude, sign = unit.outputs["result"]
    reversed_sign = Neuron(((sign, -1),), -HALF)
    neurons, result = (*unit.neurons, reversed_sign), (*magnitude, unit.signal_count)
    wrong = Netlist(unit.inputs, neurons, {"result": result})
    theorem = obligation("e4m2.multiply.rne")
    assert nearest(theorem, wrong) == Nearest(theorem, None, HARDLY_BETTER)
    monkeypatch.setattr(neighbours, "MOST", 0.99)
    assert nearest(theorem, wrong).theorem == "e4m2.multiply.rne.wasm_nan"


def test_a_run_says_it_of_given_circuits_alone():
    given = circuit("e3m2.multiply.rne.any_nan.daz.ftz")
    theorem = obligation("e3m2.multiply.rne")
    found = Run(60.0, given).discharge(theorem).record
    assert found.outcome is Outcome.REFUTED
    assert "all with a subnormal operand or result" in found.message
    told = ".* e3m2.multiply.rne.daz.ftz:\nnone of all 4,096 inputs fails\nthe difference: "
    assert re.match(told, found.message)
    searched = rf"\n\(searched for \d+\.\d s, after the verdict's {found.seconds:.1f} s\)$"
    assert re.search(searched, found.message)
    assert found.nearest == "e3m2.multiply.rne.daz.ftz"
    own = replace(theorem, circuit=lambda: given)
    assert Run(60.0).discharge(own).record.nearest is None


def test_a_run_says_when_it_has_ended_proving_and_looks_for_a_convention():
    told = []
    theorem = obligation("e3m2.multiply.rne")
    for name in ("e3m2.multiply.rne", "e3m2.multiply.rne.daz.ftz"):
        Run(60.0, circuit(name), told=told.append).discharge(theorem)
    refuted = [words for words in told if words.startswith("refuted")]
    assert refuted == [f"refuted; {neighbours.SEARCHING}: e3m2.multiply.rne"]


@pytest.mark.parametrize(
    ("theorem", "own"),
    [
        ("minimum", "x86_minimum"),
        ("maximum", "max_num"),
        ("minimum", "minimum.first_nan"),
        ("maximum_magnitude", "maximum_magnitude_number"),
        ("minimum.flags", "minimum.signalling.flags"),
        ("next_up.flags", "next_up.x86_nan.signalling.flags"),
        ("less", "less.daz"),
        ("less.flags", "less.daz.flags"),
    ],
)
def test_so_is_one_that_does_not_round(theorem, own):
    found = nearest(obligation(f"e3m2.{theorem}"), circuit(f"e3m2.{own}"))
    words = f"it is right by another convention, {found.theorem}:\nnone of all "
    assert found.words.startswith(words)
    assert discharge(obligation(found.theorem), circuit=circuit(f"e3m2.{own}")).green


def test_bits_alone_have_no_convention():
    wrong = circuit("e3m2.absolute")
    assert nearest(obligation("e3m2.negate"), wrong) is None


def test_a_fault_of_the_search_loses_no_verdict(monkeypatch):
    def failing(*arguments):
        raise OverflowError("too wide")

    monkeypatch.setattr(neighbours, "nearest", failing)
    found = Run(60.0, circuit("e3m2.add.rtz")).discharge(obligation("e3m2.add.rne")).record
    assert found.outcome is Outcome.REFUTED
    assert "the search for a convention failed: OverflowError: too wide" in found.message
