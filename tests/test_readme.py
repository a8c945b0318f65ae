"""What README.md shows runs, and its figures are those of this commit."""

import re
import subprocess
import sys
from itertools import product
from pathlib import Path

from circuits.interchange import read_json
from circuits.libraries import FAST, SMALL
from proofs.neuron_counts import neuron_counts
from proofs.units import OPERATIONS, Unit
from prover.catalogue import catalogue, promised
from prover.discharge import discharge
from prover.obligation import Outcome
from specs.formats import FORMATS, FP32

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_code_runs_and_its_circuit_is_proved(tmp_path):
    (netlist,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    (tmp_path / "by_hand.json").write_text(netlist)
    by_hand = read_json(tmp_path / "by_hand.json")
    assert discharge(catalogue()["cell.ionic.xor"], circuit=by_hand).green
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        subprocess.run([sys.executable, "-c", block], cwd=tmp_path, check=True)
    command = "from prover.cli import main; main()"
    arguments = ["prove", "cell.ionic.xor", "--circuit", "my_xor.json"]
    assert "spikeproof " + " ".join(arguments) in README
    subprocess.run([sys.executable, "-c", command, *arguments], cwd=tmp_path, check=True)


def test_the_counts_of_obligations():
    expected = [obligation.expected for obligation in promised(wide=False)]
    proved, refuted = (expected.count(o) for o in (Outcome.PROVED, Outcome.REFUTED))
    assert f"{len(expected):,} obligations" in README
    assert re.search(rf"{proved:,} theorems, and\s+{refuted} refutations", README)
    wide = len(catalogue()) - len(expected)
    assert f"adds {wide:,} more" in README
    families = {
        "cell.": r"`cell\.\*`",
        "block.": r"`block\.\*`",
        "spec.": r"`spec\.\*`",
    }
    for prefix, row in families.items():
        count = sum(obligation.name.startswith(prefix) for obligation in promised(wide=False))
        assert re.search(rf"\| {row} \| {count} \|", README), prefix


SHOWN = [operation for operation in OPERATIONS if operation != "subtract"]


def test_the_sizes_of_units():
    for fmt in FORMATS.values():
        units = [Unit(operation, fmt, policy=fmt.policies[0]).circuit() for operation in SHOWN]
        cells = [f"{unit.statistics.neurons} ({unit.statistics.depth})" for unit in units]
        assert f"| `{fmt.name}` | {' | '.join(cells)} |" in README


def test_the_sizes_of_small_and_fast_units():
    for operation, published in (("add", "3,348"), ("multiply", "4,089")):
        units = [
            Unit(operation, FP32, library=library, structure=structure)
            for library, structure in product(("nexus", "threshold"), (SMALL, FAST))
        ]
        assert all(unit.name in catalogue() for unit in units)
        sizes = [unit.circuit().statistics for unit in units]
        cells = [f"{size.neurons:,} / {size.depth}" for size in sizes]
        assert f"| {operation} | {' | '.join(cells)} | {published} |" in README


def test_the_neuron_counts_of_every_library():
    rows = {
        "add": "add",
        "multiply": "multiply",
        "divide": "divide",
        "square_root": "square root",
        "fma": "fma",
        "sticky_extra_multiply": "multiply, Sticky-Extra",
    }
    for operation, row in rows.items():
        counts = " | ".join(map(str, neuron_counts()[operation].values()))
        assert f"| {row} | {counts} |" in README
