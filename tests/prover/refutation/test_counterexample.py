"""What a refutation tells a person."""

from pysmt.fnode import FNode

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.checking.replays import expected_outputs
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.refutation.counterexample import decimal_value, explain
from spikeproof.prover.refutation.exhaustion import enumerate_all
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.report.tables import failure_text
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.replay import read_counterexample, replay, write_counterexample
from spikeproof.specs.formats import FP8_E4M3FN, FP8_E5M2, FP16, FP64

MULTIPLY = "fp8_e4m3fn.multiply.rne.saturate"


def test_a_fault_in_the_product_is_located_there():
    obligation = catalogue()[MULTIPLY]
    netlist = obligation.circuit()
    product_bit = netlist.probes["product"][4]
    result = discharge(obligation, circuit=stuck_at_zero(netlist, product_bit).netlist)
    assert result.outcome is Outcome.REFUTED
    lines = result.message.splitlines()
    assert lines[0] == "the circuit differs from its spec:"
    assert [line.split("  ")[1] for line in lines[1:5]] == [
        "input x",
        "input y",
        "result, circuit",
        "result, spec",
    ]
    departing = lines[
        lines.index("first signals along the datapath that depart from what the spec implies:") + 1
    ]
    assert departing.strip().startswith("product: circuit ")


def test_a_faulty_block_is_named_with_its_inputs():
    obligation = catalogue()[MULTIPLY]
    netlist = obligation.circuit()
    mutant = stuck_at_zero(netlist, netlist.probes["product"][4]).netlist
    result = discharge(obligation, circuit=mutant)
    section = result.message.split("should be:\n")[1].splitlines()
    assert section[0].strip().startswith("significand_product (multiply), x = ")


def test_gates_show_bits_and_numbers():
    obligation = catalogue()["cell.threshold.wide_or.5"]
    netlist = obligation.circuit()
    silent = stuck_at_zero(netlist, netlist.outputs["out"][0]).netlist
    text = failure_text(discharge(obligation, circuit=silent))
    assert text.startswith("REFUTED: cell.threshold.wide_or.5\n")
    assert "out, circuit  0 = 0" in text
    assert "out, spec     1 = 1" in text


class Other(int):
    """An integer of another kind."""


def test_numbers_are_pythons_whatever_pysmt_counts_in(monkeypatch):
    """Where gmpy2 is installed, constants are its numbers, which Python's decimals refuse."""
    obligation = catalogue()[MULTIPLY]
    netlist = obligation.circuit()
    pythons = FNode.constant_value
    monkeypatch.setattr(FNode, "constant_value", lambda node: Other(pythons(node)))
    expected = expected_outputs(obligation.state(netlist), {"x": 0x08, "y": 0x19})
    assert expected == {"result": 1}
    assert type(expected["result"]) is int


def test_values_in_decimal():
    assert decimal_value(FP8_E4M3FN, 0x38) == "1"
    assert decimal_value(FP8_E4M3FN, 0xFE) == "-448"
    assert decimal_value(FP8_E4M3FN, 0x01) == "0.001953125"
    assert decimal_value(FP8_E4M3FN, 0xFF) == "NaN"
    assert decimal_value(FP8_E5M2, 0xFC) == "-infinity"
    assert decimal_value(FP16, 0x8000) == "-0"
    assert decimal_value(FP64, 0x3FF0000000000001) == "~1.0000000000000002"


def test_an_equal_gate_has_no_counterexample():
    result = discharge(catalogue()["cell.ionic.xor"], circuit=gate_netlist("nexus", "xor"))
    assert result.message == ""
    assert result.counterexample is None


def without_overflow(netlist):
    """The unit whose overflow flag is never raised: it has the bit of another flag that is not."""
    invalid, never, _, underflow, inexact = netlist.outputs["flags"]
    outputs = {**netlist.outputs, "flags": (invalid, never, never, underflow, inexact)}
    return Netlist(netlist.inputs, netlist.neurons, outputs)


def test_flags_are_told_by_name_and_a_result_that_is_right_is_not_told():
    obligation = catalogue()["fp8_e5m2.multiply.rne.flags"]
    netlist = without_overflow(obligation.circuit())
    found = discharge(obligation, circuit=netlist)
    assert "flags, circuit   10000 = inexact\n" in found.message
    assert "flags, spec      10100 = overflow, inexact\n" in found.message
    wrong = enumerate_all(obligation, netlist, ("spec",), 1).failures
    assert found.message.endswith(f"\n  flags, overflow missing: {wrong:,}")
    assert "  result normal, should be" not in found.message
    assert "  result infinity, should be" not in found.message


def test_flags_are_told_by_name_where_a_counterexample_is_replayed(tmp_path):
    obligation = catalogue()["fp8_e5m2.multiply.rne.flags"]
    netlist = without_overflow(obligation.circuit())
    largest = {"x": 0x7B, "y": 0x7B}
    write_counterexample(obligation, netlist, largest, tmp_path / "found.json")
    text = replay(read_counterexample(tmp_path / "found.json")).text
    assert "flags, spec      10100 = overflow, inexact" in text


def test_signed_integers_are_signed_along_the_datapath_too():
    obligation = catalogue()["int8.convert_from_fp8_e5m2.rtz"]
    netlist = obligation.circuit()
    wrong = stuck_at_zero(netlist, netlist.outputs["result"][0]).netlist
    minus_one = 0xBC
    text = explain(obligation, wrong, {"x": minus_one}, {"result": 0xFF})
    assert "result, spec     11111111 = -1" in text
    assert "result: circuit 11111110 = -2, spec 11111111 = -1" in text
