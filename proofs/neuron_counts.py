"""Neuron counts of our units beside those that the source systems publish."""

from collections.abc import Callable

from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.floating_point.sticky_extra import sticky_extra_multiply_unit
from spikeproof.circuits.units.integer import Buses
from spikeproof.circuits.units.libraries import EVERY_LIBRARY
from spikeproof.proofs.units import OPERATIONS
from spikeproof.prover.report.tables import NamedTable
from spikeproof.specs.formats import FP8_E4M3FN, OverflowPolicy, RoundingMode

PUBLISHED: dict[str, str] = {"add": "1,042 (S1)", "multiply": "about 670 (S1)"}
"""Neurons of S1's FP8 E4M3 units (arXiv 2512.07724), on ionic channels."""


def neuron_counts() -> dict[str, dict[str, int]]:
    """Neurons of each E4M3 unit in each library: nearest even, overflow saturates."""
    units: dict[str, tuple[str, Callable[..., Buses] | None]] = {
        name: (name, None) for name in OPERATIONS
    }
    units["sticky_extra_multiply"] = ("multiply", sticky_extra_multiply_unit)
    return {
        name: {
            library: build_unit(
                operation,
                FP8_E4M3FN,
                RoundingMode.NEAREST_EVEN,
                OverflowPolicy.SATURATE,
                library,
                unit=unit,
            ).statistics.neurons
            for library in EVERY_LIBRARY
        }
        for name, (operation, unit) in units.items()
    }


def neuron_counts_table() -> NamedTable:
    """The counts as a table."""
    table = NamedTable("fp8_e4m3fn", *EVERY_LIBRARY, "published")
    for operation, counts in neuron_counts().items():
        table.add(operation, *map(str, counts.values()), PUBLISHED.get(operation, ""))
    return table
