"""Functions of wide formats by short factors or of reduced operands, each with its exceptions."""

from __future__ import annotations

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.functions.exceptions import exceptions_of
from spikeproof.circuits.units.functions.exponentials import Exponential
from spikeproof.circuits.units.functions.logarithm_of_sum import LogarithmOfSum
from spikeproof.circuits.units.functions.logarithms import Logarithm
from spikeproof.circuits.units.functions.mended import Plan, mended_unit
from spikeproof.circuits.units.functions.radians import Radians
from spikeproof.circuits.units.functions.sigmoids import Sigmoid
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode

FACTORED: dict[str, type[Plan]] = {
    "exp": Exponential,
    "exp2": Exponential,
    "log": Logarithm,
    "log2": Logarithm,
    "log1p": LogarithmOfSum,
    "sigmoid": Sigmoid,
}
"""The functions that are made by short factors."""

REDUCED: dict[str, type[Plan]] = {"sin": Radians, "cos": Radians}
"""Those whose operands are reduced."""

PLANS = FACTORED | REDUCED
"""All of these."""


def plan_of(function: str, fmt: Format, mode: RoundingMode, policy: OverflowPolicy) -> Plan:
    """The program of one of these.

    Raises:
        ValueError: if the format has few exponents for its precision.
    """
    return PLANS[function](function, fmt, mode, policy)


def planned_unit(
    function: str, gates: GateLibrary, x: Bus, fmt: Format, mode: RoundingMode, policy: OverflowPolicy
) -> Bus:
    """One of these functions.

    Raises:
        ValueError: likewise, or if the format is too wide for its exceptions to be found now, and none
            are kept.
    """
    plan = plan_of(function, fmt, mode, policy)
    return mended_unit(gates, x, plan, exceptions_of(plan))
