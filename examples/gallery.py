"""Writes docs/gallery.md: circuits with a fault each, of kinds that people report, found and explained.

python -m examples.gallery [--circuits DIR]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import spikeproof
from spikeproof.circuits.netlist import Netlist
from spikeproof.specs.formats import FP8_E5M2
from tests.support.foreign.adders import compare_and_swap
from tests.support.foreign.floats import FAULTS
from tests.support.foreign.multipliers_fp import shifting_after

PAGE = Path(__file__).parent.parent / "docs" / "gallery.md"

ADD, MULTIPLY = "fp8_e5m2.add.rne", "fp8_e5m2.multiply.rne"

EXHIBITS: dict[str, tuple[Callable[..., Netlist], str]] = {
    "sticky_lost_when_saturated": (compare_and_swap, ADD),
    "rounding_carry_lost": (compare_and_swap, ADD),
    "small_operand_dropped": (compare_and_swap, ADD),
    "subnormal_shifted_once_too_often": (shifting_after, MULTIPLY),
    "nan_of_another_sign": (compare_and_swap, ADD),
    "negative_zero_lost": (compare_and_swap, ADD),
    "tininess_after_rounding": (shifting_after, f"{MULTIPLY}.flags"),
    "overflow_delivers_zero": (shifting_after, MULTIPLY),
}
"""Faults, each in a circuit of its own, and the theorem that it is held to."""

HEAD = """# Faults, found and explained

Circuits in other structures than ours (`tests/support/foreign/`), with one planted fault each, of kinds
that people report. What follows the name of a fault is what it does, and then what the command says,
which is told the circuit and the theorem alone. `python -m examples.gallery` writes this page anew, and
with `--circuits DIR` the circuits as files.

A line `it is right except where ...: proved` is a theorem of its own, by the name below it: anybody can
prove it again with `spikeproof prove NAME --circuit FILE`.
"""


def circuit_of(fault: str) -> Netlist:
    """The circuit with a fault."""
    make, theorem = EXHIBITS[fault]
    options: dict[str, Any] = {"flags": True} if theorem.endswith(".flags") else {}
    return make(FP8_E5M2, fault=fault, **options)


def sections() -> Iterator[str]:
    """A section of the page for each fault."""
    for fault, (_, theorem) in EXHIBITS.items():
        record = spikeproof.check(circuit_of(fault), theorem)
        shown = record.message or f"{theorem}: {record.outcome.value}"
        said = "\n".join(line for line in shown.splitlines() if not line.startswith("(searched for"))
        title = fault.replace("_", " ").capitalize()
        command = f"$ spikeproof check {fault}.json --spec {theorem}"
        yield f"## {title}\n\n{FAULTS[fault].capitalize()}.\n\n```console\n{command}\n{said}\n```\n"


def main() -> None:
    """Write the page, and the circuits where they are wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--circuits", metavar="DIR", type=Path, help="write the circuits there")
    directory = parser.parse_args().circuits
    if directory:
        directory.mkdir(parents=True, exist_ok=True)
        for fault in EXHIBITS:
            spikeproof.write_circuit(circuit_of(fault), directory / f"{fault}.json")
    PAGE.write_text("\n".join([HEAD, *sections()]))


if __name__ == "__main__":
    main()
