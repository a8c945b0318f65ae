"""Accumulators: clocked circuits that add a term in each step to what they hold."""

from __future__ import annotations

from spikeproof.circuits.clocked import ClockedNetlist
from spikeproof.circuits.units.copies import built
from spikeproof.circuits.units.floating_point.addition import add_unit
from spikeproof.circuits.units.floating_point.fma import fma_unit
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.unpacking import unpack
from spikeproof.circuits.units.integer import mux_bus
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, library_gates
from spikeproof.circuits.units.serial import START
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode

BIAS = "bias"
"""The input from which a sum starts."""
SUM = "sum"
"""The state, and what is given."""


def accumulator(
    operation: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str = DEFAULT_LIBRARY,
    *,
    terms: Format | None = None,
    keep_waypoints: bool = False,
) -> ClockedNetlist:
    """In each step ``sum`` becomes sum + x, or x * y + sum: inputs ``x`` and perhaps ``y``.

    Where the input ``START`` is 1, the input ``bias`` is added to in place of what was held. At first 0
    is held.

    Args:
        operation: ``add`` or ``fma``.
        fmt: the format of the sum.
        terms: the format of x and y, if it is another.
        keep_waypoints: as in ``NetlistBuilder.build``.

    Raises:
        ValueError: if the format cannot express the policy.
    """
    gates = library_gates(library)
    form = terms or fmt
    names = ("x",) if operation == "add" else ("x", "y")
    codes = [gates.builder.input(name, form.width) for name in names]
    (start,) = gates.builder.input(START, 1)
    bias, held = (gates.builder.input(name, fmt.width) for name in (BIAS, SUM))
    x, *y = (unpack(gates, form, code) for code in codes)
    so_far = unpack(gates, fmt, mux_bus(gates, start, bias, held))
    rounder = Rounder(gates, fmt, mode, policy)
    found = fma_unit(rounder, x, y[0], so_far) if y else add_unit(rounder, so_far, x)
    step = built(gates, {SUM: found["result"]}, keep_waypoints=keep_waypoints)
    return ClockedNetlist(step, {SUM: 0})
