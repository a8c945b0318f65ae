"""Operations on the sign alone: units that do not round."""

from __future__ import annotations

from spikeproof.circuits.netlist import ZERO, Bus
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.formats import Format


def change_sign_unit(
    gates: GateLibrary, fmt: Format, operation: str, x: Bus, y: Bus | None = None
) -> Bus:
    """Code of x with its sign inverted, cleared, or replaced by that of y.

    Raises:
        KeyError: if the operation is not ``negate``, ``absolute`` or ``copy_sign``.
    """
    *magnitude, sign = x
    changed = {
        "negate": lambda: gates.not_(sign),
        "absolute": lambda: ZERO,
        "copy_sign": lambda: y[-1] if y else ZERO,
    }[operation]()
    if not fmt.has_negative_zero:
        changed = gates.mux(gates.wide_or(magnitude), changed, sign)
    return (*magnitude, changed)
