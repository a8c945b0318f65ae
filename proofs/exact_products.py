"""Products in a format that holds all of them: one circuit, without rounding, is exact.

It equals the product rounded down as well as the product rounded up. The one is no larger than the exact
product and the other no smaller, so that all three are equal. (Toward zero instead of down would not do:
for negative products it is the same as up.)
"""

from collections.abc import Iterator
from functools import partial

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.floating_point.exact_product import exact_product_unit
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import Obligation, equivalence
from spikeproof.specs.formats import (
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP8_E5M2,
    FP8_E5M2FNUZ,
    FP16,
    FP32,
    Format,
    OverflowPolicy,
    RoundingMode,
)

SOURCES = (FP8_E4M3FN, FP8_E5M2, FP8_E4M3FNUZ, FP8_E5M2FNUZ, FP16)
"""The formats of factors whose products FP32 holds."""

EXACT_MULTIPLY = "exact_multiply"
"""The operation, by name."""

BOUNDS = (RoundingMode.DOWN, RoundingMode.UP)
"""Two modes in which a rounded number is that number only if nothing was rounded."""


def exact_product(source: Format, fmt: Format = FP32) -> Netlist:
    """The one circuit that all theorems about a pair of formats are about."""
    return build_unit(
        "multiply",
        fmt,
        RoundingMode.NEAREST_EVEN,
        OverflowPolicy.IEEE,
        source=source,
        unit=exact_product_unit,
    )


def obligation(source: Format, mode: RoundingMode) -> Obligation:
    """That the exact product is the product rounded in this mode."""
    unit = Unit("multiply", FP32, mode, source=source)
    return equivalence(
        unit.name.replace("multiply", EXACT_MULTIPLY),
        f"{unit.statement}, by a circuit without rounding",
        circuit=partial(exact_product, source),
        meaning=unit.spec,
        engines=unit.engines,
        decomposition=unit.decomposition,
        reading=unit.reading,
        parameters=unit.parameters | {"operation": EXACT_MULTIPLY},
        function=unit.function,
    )


def obligations() -> Iterator[Obligation]:
    """``fp32.exact_multiply_from_SOURCE.MODE``, rounded down and rounded up."""
    for source in SOURCES:
        for mode in BOUNDS:
            yield obligation(source, mode)
