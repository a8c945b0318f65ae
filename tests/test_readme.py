"""What README.md shows runs, and its figures are those of this commit."""

import re
import subprocess
import sys
from pathlib import Path

from circuits.floating_point import build_unit
from circuits.interchange import read_json
from proofs.neuron_counts import neuron_counts
from prover.catalogue import catalogue, promised
from prover.discharge import discharge
from prover.obligation import Outcome
from specs.formats import FORMATS, SMALL_FORMATS, OverflowPolicy, RoundingMode

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
    assert f"{len(expected)} obligations" in README
    assert re.search(rf"{proved} theorems, and\s+{refuted} refutations", README)
    wide = len(catalogue()) - len(expected)
    assert f"adds {wide} more" in README
    families = {
        "cell.": r"`cell\.\*`",
        "block.": r"`block\.\*`",
        "spec.": r"`spec\.\*`",
    }
    for prefix, row in families.items():
        count = sum(name.startswith(prefix) for name in catalogue())
        assert re.search(rf"\| {row} \| {count} \|", README), prefix


def test_the_sizes_of_units():
    for fmt in FORMATS.values():
        cells = []
        for operation in ("add", "multiply"):
            mode, policy = RoundingMode.NEAREST_EVEN, fmt.policies[0]
            size = build_unit(operation, fmt, mode, policy).statistics
            cells.append(f"{size.neurons} ({size.depth})")
        proved = fmt.policies if fmt in SMALL_FORMATS else (OverflowPolicy.IEEE,)
        policies = ", ".join(policy.value for policy in proved)
        name = f"`{fmt.name}`" + (" (`--wide`)" if fmt.name == "fp64" else "")
        assert f"| {name} | {policies} | {' | '.join(cells)} |" in README


def test_the_neuron_counts_of_every_library():
    rows = {
        "add": "add",
        "multiply": "multiply",
        "sticky_extra_multiply": "multiply, Sticky-Extra",
    }
    for operation, row in rows.items():
        counts = " | ".join(map(str, neuron_counts()[operation].values()))
        assert f"| {row} | {counts} |" in README
