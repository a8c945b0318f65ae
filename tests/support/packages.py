"""Packages that announce obligations, installed for a test."""

from __future__ import annotations

import sys
from pathlib import Path

from spikeproof.prover.claims import catalogue
from spikeproof.prover.claims.announced import ENTRY_POINT_GROUP
from spikeproof.prover.evidence import source

ADDER = """
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.claims.obligation import equivalence
from spikeproof.specs import integers


def obligations():
    yield equivalence(
        "acme.adder",
        "a half adder of theirs adds two bits",
        circuit=lambda: gate_netlist("ionic", {gate!r}),
        meaning=integers.half_adder,
    )
"""
"""The code of a package that states ``acme.adder``."""


def adder(gate: str = "half_adder") -> str:
    """That code, with some gate as the adder."""
    return ADDER.format(gate=gate)


def write_package(
    site: Path, code: str, name: str = "acme", module: str | None = None, version: str = "1.0"
) -> Path:
    """Write a package as an installer leaves it in a directory of them; its code."""
    module = module or name
    path = site.joinpath(*module.split("."), "__init__.py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code)
    about = site / f"{name}-{version}.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    announced = f"[{ENTRY_POINT_GROUP}]\n{name} = {module}:obligations\n"
    (about / "entry_points.txt").write_text(announced)
    return path


def look_again() -> None:
    """Forget what was found of packages, so that they are loaded and read anew."""
    for function in (catalogue.catalogue, source.source_sha256, source._version):
        function.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] in ("acme", "other")]:
        del sys.modules[name]
