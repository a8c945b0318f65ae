"""S1's Sticky-Extra Correction (arXiv 2512.07724), settled for every small format.

Sufficient: with all its routes the multiplier is IEEE multiplication, and equals the plain one.
Necessary: with a route removed z3 finds inputs on which it is wrong, except in the formats listed
in ``REDUNDANT``, where the route's absence is proved to make no difference.
"""

from collections.abc import Iterator
from functools import partial

from spikeproof.circuits.meanings.formula import output_formulas
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.floating_point.sticky_extra import (
    STICKY_EXTRA_ROUTES,
    sticky_extra_multiply_unit,
)
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import Obligation, Outcome, Profile, equivalence
from spikeproof.specs.formats import (
    FP4_E2M1,
    FP8_E4M3FN,
    SMALL_FORMATS,
    Format,
    OverflowPolicy,
    RoundingMode,
)
from spikeproof.specs.integers import Buses

MODE = RoundingMode.NEAREST_EVEN

STICKY_EXTRA_MULTIPLY = "sticky_extra_multiply"
"""The operation, by name."""

REDUNDANT: dict[str, tuple[str, ...]] = {"fp4_e2m1": ("sticky", "round")}
"""Routes that a format does not need, by format name.

The only odd products of two FP4 significands are 1, 3 and 9. None of them meets the round route, and
9 = 0b1001 meets the sticky route below a guard bit of 0, where nearest even ignores it.
"""


BY_DEFAULT = (FP8_E4M3FN, FP4_E2M1)
"""S1's format, and that of ``REDUNDANT``; those of others are left to ``--wide``."""


def multiplier(fmt: Format, policy: OverflowPolicy, routes: tuple[str, ...]) -> Netlist:
    """S1's multiplier with some of the correction's routes."""
    unit = partial(sticky_extra_multiply_unit, routes=routes)
    return build_unit("multiply", fmt, MODE, policy, unit=unit)


def plain(fmt: Format, policy: OverflowPolicy, inputs: Buses) -> Buses:
    """The output of the plain multiplier."""
    return output_formulas(build_unit("multiply", fmt, MODE, policy), inputs)


def without(route: str) -> tuple[str, ...]:
    """All routes but one."""
    return tuple(r for r in STICKY_EXTRA_ROUTES if r != route)


def obligations() -> Iterator[Obligation]:
    """``FORMAT.sticky_extra_multiply.rne[.POLICY]`` and what follows its name."""
    for fmt in SMALL_FORMATS:
        profile = Profile.DEFAULT if fmt in BY_DEFAULT else Profile.WIDE
        for policy in fmt.policies:
            unit = Unit("multiply", fmt, MODE, policy)
            name = unit.name.replace("multiply", STICKY_EXTRA_MULTIPLY)
            parameters = unit.parameters | {"operation": STICKY_EXTRA_MULTIPLY}
            product, meaning, show = unit.in_words, unit.spec, unit.reading
            complete = partial(multiplier, fmt, policy, STICKY_EXTRA_ROUTES)
            yield equivalence(
                name,
                f"{fmt.name} Sticky-Extra multiplier is {product}",
                circuit=complete,
                meaning=meaning,
                profile=profile,
                reading=show,
                parameters=parameters,
                function=unit.function,
            )
            yield equivalence(
                f"{name}.equals_plain",
                f"{fmt.name} Sticky-Extra multiplier equals the plain multiplier",
                circuit=complete,
                meaning=partial(plain, fmt, policy),
                profile=profile,
                reading=show,
                parameters=parameters | {"kind": "equals_plain"},
                function=f"the plain multiplier of ours, {unit.function}",
            )
            for route in STICKY_EXTRA_ROUTES:
                redundant = route in REDUNDANT.get(fmt.name, ())
                kind = f"without_{route}_route"
                yield equivalence(
                    f"{name}.{kind}",
                    f"{fmt.name} Sticky-Extra multiplier without the {route} route is "
                    f"{'still' if redundant else 'not'} {product}",
                    circuit=partial(multiplier, fmt, policy, without(route)),
                    meaning=meaning,
                    expected=Outcome.PROVED if redundant else Outcome.REFUTED,
                    profile=profile,
                    reading=show,
                    parameters=parameters | {"kind": kind},
                    function=unit.function,
                )
