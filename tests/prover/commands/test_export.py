"""``spikeproof export``: our circuits for other tools."""

import pytest
import z3

from spikeproof.circuits.doors.files import READERS, WRITERS, read_circuit
from spikeproof.circuits.meanings import boolean
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.refutation.drawing import every_input
from tests.support.command_line import spikeproof_here

THEOREM = "fp6_e3m2.add.rne.saturate"


@pytest.mark.parametrize("suffix", sorted(set(WRITERS) & set(READERS) - {".nir", ".v"}))
def test_what_is_exported_is_the_circuit(tmp_path, capsys, suffix):
    path = tmp_path / f"unit{suffix}"
    assert spikeproof_here(capsys, "export", THEOREM, path).returncode == 0
    ours = theorem(THEOREM).circuit()
    inputs = every_input(ours.inputs)
    results = (boolean.evaluate(netlist, inputs)["result"] for netlist in (ours, read_circuit(path)))
    assert len({values.tobytes() for values in results}) == 1


@pytest.mark.parametrize("name", [THEOREM, "spec.fp8_e5m2.round.rne.exact"])
def test_a_theorem_is_exported_as_a_question(tmp_path, capsys, name):
    """Of formulas alone too."""
    assert spikeproof_here(capsys, "export", name, tmp_path / "it.smt2").returncode == 0
    solver = z3.Solver()
    solver.from_string((tmp_path / "it.smt2").read_text())
    assert solver.check() == z3.unsat
    assert spikeproof_here(capsys, "export", name, tmp_path / "it.btor2").returncode == 0
    assert (tmp_path / "it.btor2").read_text().count(" bad ") == 1


def test_the_circuit_alone(tmp_path, capsys):
    for file, word in (("it.smt2", "(define-fun netlist.result "), ("it.btor2", " output ")):
        path = tmp_path / file
        assert spikeproof_here(capsys, "export", THEOREM, path, "--circuit-alone").returncode == 0
        assert path.read_text().count(word) == 1


def test_nonsense_is_refused_and_nothing_written(tmp_path, capsys):
    for name, file, message in (
        (THEOREM, "unit.txt", "of no known format; end its name in .json, .aag"),
        ("spec.fp8_e5m2.round.rne.exact", "unit.v", "is about formulas; name a theorem with a circuit"),
        ("fp6_e3m2.sum.rne", "unit.v", "no theorem matches"),
    ):
        run = spikeproof_here(capsys, "export", name, tmp_path / file)
        assert run.returncode == 2
        assert message in run.stderr
        assert run.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
    (tmp_path / "folder.v").mkdir()
    run = spikeproof_here(capsys, "export", THEOREM, tmp_path / "folder.v")
    assert run.returncode == 2
    assert "folder.v" in run.stderr
