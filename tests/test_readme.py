"""What README.md shows runs, and its figures are those of this commit."""

import re
import subprocess
import sys
from pathlib import Path

from circuits.floating_point import UNITS, build_unit
from proofs.neuron_counts import neuron_counts
from prover.catalogue import catalogue
from prover.obligation import Outcome
from specs.formats import SMALL_FORMATS, RoundingMode

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_code_runs_and_its_circuit_is_proved(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        subprocess.run([sys.executable, "-c", block], cwd=tmp_path, check=True)
    command = "from prover.cli import main; main()"
    arguments = ["prove", "cell.ionic.xor", "--circuit", "my_xor.json"]
    assert "spikeproof " + " ".join(arguments) in README
    subprocess.run([sys.executable, "-c", command, *arguments], cwd=tmp_path, check=True)


def test_the_counts_of_obligations():
    expected = [obligation.expected for obligation in catalogue().values()]
    proved, refuted = (expected.count(o) for o in (Outcome.PROVED, Outcome.REFUTED))
    assert f"{len(expected)} obligations" in README
    assert f"{proved} theorems, and {refuted}" in README
    families = {
        "cell.": r"`cell\.\*`",
        "block.": r"`block\.\*`",
        "spec.": r"`spec\.\*`",
    }
    for prefix, row in families.items():
        count = sum(name.startswith(prefix) for name in catalogue())
        assert re.search(rf"\| {row} \| {count} \|", README), prefix


def test_the_sizes_of_units():
    for fmt in SMALL_FORMATS:
        cells = []
        for operation in ("add", "multiply"):
            mode, policy = RoundingMode.NEAREST_EVEN, fmt.policies[0]
            size = build_unit(UNITS[operation], fmt, mode, policy).statistics
            cells.append(f"{size.neurons} ({size.depth})")
        policies = ", ".join(policy.value for policy in fmt.policies)
        assert f"| `{fmt.name}` | {policies} | {' | '.join(cells)} |" in README


def test_the_neuron_counts_of_every_library():
    rows = {
        "add": "add",
        "multiply": "multiply",
        "sticky_extra_multiply": "multiply, Sticky-Extra",
    }
    for operation, row in rows.items():
        counts = " | ".join(map(str, neuron_counts()[operation].values()))
        assert f"| {row} | {counts} |" in README
