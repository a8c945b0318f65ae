"""The house rules: which package may import which."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

MAY_IMPORT = {
    "specs": {"specs"},
    "circuits": {"circuits", "specs.formats"},
    "reference": {"reference", "specs.formats"},
    "prover": {"prover", "circuits", "specs"},
    "proofs": {"proofs", "prover", "reference", "circuits", "specs"},
    "benchmarks": {"benchmarks", "proofs", "prover", "circuits", "specs"},
}


def imported_modules(path: Path):
    """Names of every module a file imports, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by full name, not relatively"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports(package):
    ours = (*MAY_IMPORT, "tests")
    for path in (ROOT / package).rglob("*.py"):
        for module in imported_modules(path):
            if module.split(".")[0] in ours:
                allowed = any(
                    module == name or module.startswith(name + ".") for name in MAY_IMPORT[package]
                )
                assert allowed, f"{path.relative_to(ROOT)} imports {module}"


def test_every_package_is_ruled():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == {*MAY_IMPORT, "tests"}


@pytest.mark.parametrize("library", ["torch", "llvmlite"])
def test_proving_does_not_load(library):
    """PyTorch takes seconds to import, LLVM a fifth of one; no proof needs them."""
    import subprocess
    import sys

    program = f"import sys, spikeproof.prover.commands.cli, spikeproof.proofs; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
