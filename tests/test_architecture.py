"""The house rules: which room may import which."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support.loading import loaded_by

ROOT = Path(__file__).parents[1]
SOLVERS = ("z3", "pysat", "pysolvers", "bitwuzla", "cvc5")
TRUSTED = ("prover.claims", "prover.kernel", "prover.encoding", "prover.checking")

BASE = {"circuits", "specs"}
CLAIMS = {"prover.claims"}
TO_EVIDENCE = {*CLAIMS, "prover.encoding", "prover.evidence"}
TO_REFUTATION = {*TO_EVIDENCE, "prover.engines", "prover.refutation"}
TO_DISCOVERY = {*TO_REFUTATION, "prover.kernel", "prover.discovery"}
BELOW_REPORT = {*TO_DISCOVERY, "prover.checking", "prover.margins", "prover.running"}

MAY_IMPORT = {
    "specs": set(),
    "circuits.netlist": set(),
    "circuits.clocked": {"circuits.netlist"},
    "circuits.units": {
        "circuits.netlist",
        "circuits.clocked",
        "specs.formats",
        "specs.conventions",
        "specs.dot_products",
    },
    "circuits.physics": {"circuits.netlist", "circuits.units.libraries"},
    "circuits.meanings": {"circuits.netlist", "circuits.clocked", "circuits.physics"},
    "circuits.programs": {
        "circuits.netlist",
        "circuits.meanings",
        "specs.formats",
        "specs.orders",
        "specs.products",
        "specs.programs",
    },
    "circuits.networks": {"circuits.netlist", "circuits.units", "specs.networks"},
    "circuits.doors": {"circuits.netlist", "circuits.clocked", "circuits.meanings", "specs.networks"},
    "reference": {"specs.formats"},
    "prover.claims": {*BASE},
    "prover.kernel": {*BASE, *CLAIMS},
    "prover.encoding": {*BASE, *CLAIMS},
    "prover.checking": {
        *BASE,
        *CLAIMS,
        "prover.kernel",
        "prover.encoding",
        "prover.evidence.archive",
        "prover.evidence.record",
    },
    "prover.evidence": {*BASE, *CLAIMS},
    "prover.engines": {*BASE, *TO_EVIDENCE},
    "prover.margins": {*BASE, *CLAIMS},
    "prover.refutation": {*BASE, *TO_EVIDENCE, "prover.engines"},
    "prover.discovery": {*BASE, *TO_DISCOVERY},
    "prover.running": {*BASE, *BELOW_REPORT},
    "prover.report": {*BASE, *BELOW_REPORT},
    "prover.commands": {*BASE, *BELOW_REPORT, "prover.report"},
    "proofs": {*BASE, "prover", "reference"},
    "spikeproof": {*BASE, "prover", "proofs", "reference"},
    "benchmarks": {*BASE, "prover", "proofs", "reference"},
}
"""What each room may import of ours, beside itself; a room is a folder or a lone module."""

FOLDERS = {room.partition(".")[0] for room in MAY_IMPORT}


def room_of(name: str) -> str | None:
    """The room that a module, or a name in one, belongs to."""
    rooms = [room for room in MAY_IMPORT if name == room or name.startswith(f"{room}.")]
    return max(rooms, key=len, default=None)


@cache
def modules() -> dict[str, Path]:
    """Every module of the rooms: where it is, by its name without ``spikeproof``."""
    found = {}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


@cache
def imported(path: Path) -> list[str]:
    """What of ours a file imports, by names without ``spikeproof``; those inside functions included."""
    return list(_imported(path))


def _imported(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by full name, not relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            assert top not in FOLDERS - {"spikeproof", "benchmarks"}, f"{path}: import spikeproof.{name}"
            if top == "spikeproof":
                inside = rest.partition(".")[0] in FOLDERS
                yield rest if inside else name  # else it is one of the face's own modules


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports(room):
    inside = {name: path for name, path in modules().items() if room_of(name) == room}
    assert inside, f"there is no room {room}"
    for name, path in inside.items():
        for other in imported(path):
            allowed = any(
                other == may or other.startswith(f"{may}.") for may in {room, *MAY_IMPORT[room]}
            )
            assert allowed, f"{name} imports {other}"


def test_every_module_is_in_a_room():
    strays = [name for name in modules() if room_of(name) is None and name not in ("circuits", "prover")]
    assert strays == []
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == {*FOLDERS, "artefact", "tests"}


def test_no_import_runs_in_a_circle():
    """Of rooms, by the table; of modules, as they are."""
    rooms = {
        room: {room_of(may) or may for may in allowed} - {room} for room, allowed in MAY_IMPORT.items()
    }
    TopologicalSorter(rooms).prepare()
    known = modules()

    def module_of(name: str) -> str | None:
        while name and name not in known:
            name = name.rpartition(".")[0]
        return name or None

    graph = {name: {module_of(other) for other in imported(path)} for name, path in known.items()}
    TopologicalSorter(graph).prepare()


def test_the_tests_mirror_the_rooms():
    for path in (ROOT / "tests").rglob("test_*.py"):
        folder = path.parent.relative_to(ROOT / "tests")
        assert (ROOT / folder).is_dir(), f"{path} tests no room"


@pytest.mark.parametrize("library", ["torch", "llvmlite"])
def test_proving_does_not_load(library):
    """PyTorch takes seconds to import, LLVM a fifth of one; no proof needs them."""
    assert library not in loaded_by("import spikeproof.prover.commands.cli, spikeproof.proofs.families")


@pytest.mark.parametrize("room", TRUSTED)
def test_what_is_trusted_needs_no_solver(room):
    """Where a solver is installed pySMT loads it, but nothing here asks for it."""
    names = sorted(name for name in modules() if name.startswith(room))
    absent = "".join(f"sys.modules[{name!r}] = None; " for name in SOLVERS)
    imports = "; ".join(f"import spikeproof.{name}" for name in names)
    subprocess.run([sys.executable, "-c", f"import sys; {absent}{imports}"], check=True)
