"""For which inputs wrong FP32 circuits are proved right, and how long that takes: a line for each fault.

python -m benchmarks.regions [--seconds N] [UNIT ...]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.running.region import widest_region
from spikeproof.specs.formats import FP32
from tests.support.foreign.units import FOREIGN

MEASURED = [name for name, unit in FOREIGN.items() if unit.operation in ("add", "multiply")]
"""Foreign units whose faults are tried unless others are named; of others nothing was proved so far."""


def lines(units: list[str], seconds: float) -> Iterator[str]:
    """Of each unit and fault: what the circuit is proved right except for, or that nothing is."""
    for name in units:
        unit = FOREIGN[name]
        for fault in unit.faults:
            asked = unit.theorem(FP32, fault)
            started, wrong = time.perf_counter(), unit.circuit(FP32, fault)
            found = widest_region(theorem(asked), wrong, seconds=seconds)
            taken = time.perf_counter() - started
            proved = found.theorem.removeprefix(asked) if found and found.proved else "nothing proved"
            yield f"{name:24} {fault:34} {taken:6.1f} s  {proved}"


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("units", nargs="*", metavar="UNIT", help=f"of {', '.join(FOREIGN)}")
    parser.add_argument("--seconds", type=float, default=300.0, help="for each fault, proofs included")
    given = parser.parse_args()
    if unknown := set(given.units) - set(FOREIGN):
        parser.error(f"no such unit: {', '.join(sorted(unknown))}; use {', '.join(FOREIGN)}")
    for line in lines(given.units or MEASURED, given.seconds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
