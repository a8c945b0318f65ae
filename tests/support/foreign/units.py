"""The foreign units by name, and which faults each can have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from spikeproof.circuits.netlist import Netlist
from spikeproof.specs.formats import Format, RoundingMode
from tests.support.foreign import adders, dividers, fma, multipliers_fp, roots

EVERYWHERE = ("nan_of_another_sign",)
OF_RESULTS = (
    "sticky_lost_when_saturated",
    "rounding_carry_lost",
    "subnormal_shifted_once_too_often",
    "overflow_delivers_zero",
    *EVERYWHERE,
)
OF_SUMS = (*OF_RESULTS, "negative_zero_lost")
OF_ADDERS = (*OF_SUMS, "small_operand_dropped")
OF_PRODUCTS = (*OF_RESULTS, "tininess_after_rounding")


@dataclass(frozen=True)
class ForeignUnit:
    """A unit, as a function of the format, and the faults that show in its outputs.

    ``make`` takes a format and the options of ``floats.Unit``.
    """

    operation: str
    make: Callable[..., Netlist]
    faults: tuple[str, ...]

    def theorem(self, fmt: Format, fault: str | None = None) -> str:
        """What is to be proved of it: with flags where a fault shows in these alone."""
        policy = fmt.policies[0].value
        parts = [fmt.name, self.operation, RoundingMode.NEAREST_EVEN.value]
        flags = ["flags"] if fault == "tininess_after_rounding" else []
        return ".".join(parts + ([policy] if policy != "ieee" else []) + flags)

    def circuit(self, fmt: Format, fault: str | None = None) -> Netlist:
        """The circuit that ``theorem`` is about."""
        return self.make(fmt, fault=fault, flags=fault == "tininess_after_rounding")


FOREIGN: Mapping[str, ForeignUnit] = {
    "compare_and_swap": ForeignUnit("add", adders.compare_and_swap, OF_ADDERS),
    "two_path": ForeignUnit("add", adders.two_path, OF_ADDERS),
    "two_path_difference": ForeignUnit(
        "subtract", partial(adders.two_path, subtracting=True), OF_ADDERS
    ),
    "normalising_before": ForeignUnit("multiply", multipliers_fp.normalising_before, OF_PRODUCTS),
    "shifting_after": ForeignUnit("multiply", multipliers_fp.shifting_after, OF_PRODUCTS),
    "restoring_divider": ForeignUnit("divide", dividers.divider, OF_RESULTS),
    "non_restoring_divider": ForeignUnit(
        "divide", partial(dividers.divider, quotient=dividers.non_restoring), OF_RESULTS
    ),
    "restoring_root": ForeignUnit("square_root", roots.square_root, EVERYWHERE),
    "non_restoring_root": ForeignUnit(
        "square_root", partial(roots.square_root, root=roots.non_restoring), EVERYWHERE
    ),
    "fused": ForeignUnit("fma", fma.fused, OF_SUMS),
}
