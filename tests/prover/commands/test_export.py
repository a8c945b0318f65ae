"""``spikeproof export``: our circuits for other tools."""

import pytest

from spikeproof.circuits.doors.files import WRITERS, read_circuit
from spikeproof.circuits.meanings import boolean
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.refutation.drawing import every_input
from tests.support.command_line import spikeproof_here

THEOREM = "fp6_e3m2.add.rne.saturate"


@pytest.mark.parametrize("suffix", sorted(set(WRITERS) - {".nir", ".v"}))
def test_what_is_exported_is_the_circuit(tmp_path, capsys, suffix):
    path = tmp_path / f"unit{suffix}"
    assert spikeproof_here(capsys, "export", THEOREM, path).returncode == 0
    ours = theorem(THEOREM).circuit()
    inputs = every_input(ours.inputs)
    results = (boolean.evaluate(netlist, inputs)["result"] for netlist in (ours, read_circuit(path)))
    assert len({values.tobytes() for values in results}) == 1


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
