"""Rows of polynomials of functions: those that are kept, and those of small formats, which are found.

Of formats of up to ``FOUND`` bits rows are found whenever a circuit is made. Those of wider ones are in
the folder ``rows``, where ``python -m spikeproof.circuits.units.functions.kept_rows tanh ...`` writes
them: some seconds to some minutes for each function.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import lru_cache
from itertools import product
from pathlib import Path

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.forms import Form, bit, bits, number
from spikeproof.circuits.units.functions.fitting import Plan, fitted
from spikeproof.circuits.units.functions.machines import machine_of
from spikeproof.circuits.units.functions.modes import MADE, simplest
from spikeproof.circuits.units.functions.polynomials import Polynomials, read, rounded_unit, written
from spikeproof.circuits.units.functions.targets import Target
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.formats import FP32, Format, OverflowPolicy, RoundingMode, Specials

FOUND = 18
"""Bits of the widest format of which rows are found whenever they are asked for."""

TAILED = Plan(6, 20, 22, 4, scales=((3, 19),), filled=0.75)
"""For functions with tails like e^-x: results pass through all their exponents, in short rows."""

PLANS = {
    "tanh": Plan(4, 18, 21, 4),
    "erf": Plan(4, 23, 25, 4, scales=((3, 20),)),
    **dict.fromkeys(("sigmoid", "silu", "gelu", "gelu_tanh", "softplus", "expm1"), TAILED),
    "log1p": replace(TAILED, places=21),
}
"""What is chosen for each function in FP32."""

ROWS = Path(__file__).parent / "rows"


def small_plan(fmt: Format) -> Plan:
    """What is chosen for every function in a small format."""
    places = fmt.fraction_bits - 2
    return Plan(2, places, places + 4, 3)


def file_of(function: str, fmt: Format, mode: RoundingMode) -> Path:
    """Where the rows of a function are kept."""
    return ROWS / f"{fmt.name}.{function}.{simplest(mode).value}.json"


def are_made(function: str, fmt: Format) -> bool:
    """Whether there are rows of a function, to nearest even at least, or they are found at once."""
    return fmt.width <= FOUND or file_of(function, fmt, RoundingMode.NEAREST_EVEN).exists()


@lru_cache(maxsize=4)
def rows_of(function: str, fmt: Format, mode: RoundingMode, policy: OverflowPolicy) -> Polynomials:
    """The rows of a function, in the simplest mode that the given one is made from.

    Raises:
        ValueError: if they would have to be kept and are not; if the format is not of IEEE 754's kind,
            or the policy another.
    """
    usual = policy is OverflowPolicy.IEEE and fmt.specials is Specials.IEEE
    if usual and fmt.width <= FOUND:
        return fitted(function, fmt, simplest(mode), policy, small_plan(fmt))
    kept = file_of(function, fmt, mode)
    if not usual or not kept.exists():
        raise ValueError(
            f"no rows of polynomials are kept for {function} in {fmt.name}, rounded {mode.label}, "
            f"{policy.label}; there are: {', '.join(sorted(each.stem for each in ROWS.glob('*.json')))}"
        )
    return read(kept.read_text())


def rows_unit(
    function: str, gates: GateLibrary, x: Bus, fmt: Format, mode: RoundingMode, policy: OverflowPolicy
) -> Bus:
    """The function's result.

    Raises:
        ValueError: as ``rows_of``.
    """

    def cut() -> tuple[Form, Form]:
        def rounded(code: int, mode: RoundingMode) -> int:
            return Target(function, fmt, mode, policy).rounded([code])[0]

        exact = rounded(0, RoundingMode.DOWN) == rounded(0, RoundingMode.UP)
        signed = rounded(fmt.sign_mask + 1, RoundingMode.TOWARD_ZERO) >= fmt.sign_mask
        magnitude = number(bits(x[: fmt.magnitude_bits]))
        from_zero, beyond = machine_of(gates).comparators(magnitude, (int(exact), fmt.infinity))
        return (from_zero - beyond).within(0, 1), bit(x[-1]) * signed

    return rounded_unit(gates, x, rows_of(function, fmt, mode, policy), mode, cut)


def keep(function: str, fmt: Format, mode: RoundingMode, found: Polynomials) -> None:
    """Writes rows of a function, and says how many they are."""
    file = file_of(function, fmt, mode)
    file.write_text(written(found))
    print(f"{file.stem}: {len(found.starts)} rows, {len(found.exceptions)} exceptions", flush=True)


def main(functions: list[str]) -> None:
    """Finds and writes rows in FP32."""
    for function, mode in product(functions, MADE):
        keep(function, FP32, mode, fitted(function, FP32, mode, OverflowPolicy.IEEE, PLANS[function]))


if __name__ == "__main__":
    main(sys.argv[1:] or list(PLANS))
