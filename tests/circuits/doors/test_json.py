"""Netlists as files."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from spikeproof.circuits.doors.files import read_circuit
from spikeproof.circuits.doors.json import SCHEMA, read_json, write_json
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import LONGEST_MESSAGE, NetlistError
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import FP8_E5M2, OverflowPolicy, RoundingMode
from tests.support.netlists import netlists
from tests.support.refusals import refused


def test_a_unit_survives_the_round_trip(tmp_path):
    unit = build_unit("add", FP8_E5M2, RoundingMode.UP, OverflowPolicy.IEEE, "ternary")
    write_json(unit, tmp_path / "unit.json")
    assert read_json(tmp_path / "unit.json") == unit
    assert read_json(tmp_path / "unit.json").sha256 == unit.sha256


def test_notes_are_kept_and_no_part_of_the_hash(tmp_path):
    plain = gate_netlist("ionic", "and")
    noted = replace(plain, notes=("by hand", "from rest"))
    write_json(noted, tmp_path / "noted.json")
    assert read_json(tmp_path / "noted.json").notes == ("by hand", "from rest")
    assert noted.sha256 == plain.sha256
    write_json(plain, tmp_path / "plain.json")
    assert "notes" not in json.loads((tmp_path / "plain.json").read_text())


@given(netlists())
def test_any_netlist_survives_the_round_trip(tmp_path_factory, netlist):
    path = tmp_path_factory.mktemp("netlist") / "netlist.json"
    write_json(netlist, path)
    assert read_json(path).sha256 == netlist.sha256


SOUND = {
    "schema": SCHEMA,
    "inputs": [["a", 1], ["b", 1]],
    "neurons": [{"synapses": [[0, 1], [1, 1.0]], "threshold": "3/2"}],
    "outputs": {"out": [2]},
}


def test_numbers_may_be_integers_decimals_or_fractions(tmp_path):
    path = tmp_path / "and.json"
    path.write_text(json.dumps(SOUND))
    assert discharge(catalogue()["cell.ionic.and"], circuit=read_json(path)).green


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "other"}, 'the top level needs "schema": "spikeproof-netlist-1"'),
        ({"inputs": [["a", 1], ["a", 1]]}, "two inputs have the same name"),
        ({"inputs": [["a"]]}, "'inputs' is .* it must be a list of pairs"),
        ({"inputs": 3}, "'inputs' is 3; it must be a list of pairs"),
        ({"inputs": [["a", "1"], ["b", 1]]}, "input 'a' has width '1'; use a positive integer"),
        ({"inputs": [["a\0b", 1], ["b", 1]]}, "is no name for a bus"),
        ({"inputs": []}, "no inputs"),
        ({"output": {}}, "the netlist has the unknown key 'output'"),
        ({"neurons": [{"synapses": []}]}, "entry 0 of neurons lacks 'threshold'"),
        (
            {"neurons": [{"synapses": [], "threshold": 1, "leak": 0.5}]},
            "unknown key 'leak'; known: 'bias', 'synapses', 'threshold'",
        ),
        ({"neurons": [{"synapses": 3, "threshold": 1}]}, "'synapses' of entry 0 of neurons is 3"),
        ({"neurons": [{"synapses": [], "threshold": "1e99999999"}]}, "at most 100 characters"),
        ({"neurons": [{"synapses": [[5, 1]], "threshold": 1}]}, "cyclic|dangling"),
        (
            {"neurons": [{"synapses": [[0, float("nan")]], "threshold": 1}]},
            "weight in entry 0 of neurons is nan; use a finite number",
        ),
        (
            {"neurons": [{"synapses": [[0, "1/0"]], "threshold": 1}]},
            "weight in entry 0 of neurons is '1/0'",
        ),
        (
            {"neurons": [{"synapses": [], "threshold": float("inf")}]},
            "threshold in entry 0 of neurons is inf; use a finite number",
        ),
        ({"neurons": [{"synapses": [], "threshold": None}]}, "threshold in entry 0 .* is None"),
        ({"outputs": {"out": [7]}}, "dangling: bit 0 of output 'out'"),
        ({"outputs": {"out": ["2"]}}, "names signal '2'; signals are integers"),
        ({"notes": "from rest"}, "'notes' is 'from rest'; it must be a list"),
        ({"notes": ["from\nrest"]}, "is no note; write one line of text"),
        ({"notes": [3]}, "3 is no note"),
        ({"blocks": [{}]}, "entry 0 of 'blocks' lacks 'inputs', 'kind', 'name', 'outputs'"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, change, message):
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(SOUND | change))
    with refused(message):
        read_json(path)


def test_files_that_are_no_json_are_refused(tmp_path):
    (tmp_path / "text").write_text("not json")
    with pytest.raises(NetlistError, match="text is not JSON"):
        read_json(tmp_path / "text")
    with pytest.raises(NetlistError, match=r"cannot read .*absent: No such file"):
        read_json(tmp_path / "absent")


def test_whatever_a_file_names_a_refusal_is_one_line_that_can_be_printed(tmp_path):
    """Found by the fuzz: a name of 3,000 letters was shown whole, and a terminal was told what to do."""
    path = tmp_path / "names.json"
    path.write_text(json.dumps(SOUND | {"x" * 3000: 0}))
    with pytest.raises(NetlistError, match=r"has the unknown key 'xxx.* known: 'blocks'") as refused:
        read_json(path)
    assert len(str(refused.value)) == LONGEST_MESSAGE
    path = tmp_path / "names.blif"
    path.write_text(".model m\n.inputs a\n.outputs y\n.names \x1b[31mb\x00 y\n1 1\n.end\n")
    with pytest.raises(NetlistError, match=r"nothing drives  \[31mb ; declare it") as refused:
        read_circuit(path)
    assert str(refused.value).isprintable()


def test_decimals_are_read_to_the_last_digit(tmp_path):
    path = tmp_path / "decimal.json"
    neuron = {"synapses": [[0, 0.1], [1, 0.7]], "threshold": 0.8}
    path.write_text(json.dumps(SOUND | {"neurons": [neuron]}))
    netlist = read_json(path)
    assert boolean.evaluate(netlist, {"a": np.array([1]), "b": np.array([1])})["out"].tolist() == [1]


def test_a_key_given_twice_is_refused(tmp_path):
    path = tmp_path / "twice.json"
    path.write_text(json.dumps(SOUND).replace('"threshold"', '"threshold": 1, "threshold"'))
    with pytest.raises(NetlistError, match="'threshold' occurs twice"):
        read_json(path)
