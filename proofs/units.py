"""Every floating-point unit equals its IEEE 754 operation, on all inputs, specials included."""

from collections.abc import Iterator, Mapping
from functools import partial

from circuits.floating_point import UNITS, build_unit
from circuits.libraries import DEFAULT_LIBRARY, LIBRARIES
from prover.obligation import Buses, Obligation, Reading, equivalence
from specs import exact, symbolic
from specs.formats import (
    FP8_E4M3FN,
    FP8_E5M2,
    SMALL_FORMATS,
    Format,
    OverflowPolicy,
    RoundingMode,
)

ALL_MODES = (FP8_E4M3FN, FP8_E5M2)
"""Formats whose units are proved in every rounding mode; the others round to nearest even."""


def unit_name(
    fmt: Format, operation: str, mode: RoundingMode, policy: OverflowPolicy, library: str
) -> str:
    """``format.operation.mode[.policy][.library]``: IEEE policy and default library go unsaid."""
    parts = [fmt.name, operation, mode.value]
    if policy is not OverflowPolicy.IEEE:
        parts.append(policy.value)
    if library != DEFAULT_LIBRARY:
        parts.append(library)
    return ".".join(parts)


def in_words(operation: str, mode: RoundingMode, policy: OverflowPolicy) -> str:
    """What a unit computes, for people."""
    symbol = {"add": "x + y", "subtract": "x - y", "multiply": "x * y"}[operation]
    overflow = {
        OverflowPolicy.IEEE: "IEEE overflow",
        OverflowPolicy.SATURATE: "overflow saturates",
        OverflowPolicy.NAN: "overflow is NaN",
    }[policy]
    return f"{symbol} rounded {mode.label}, {overflow}"


def reading(fmt: Format, operation: str, mode: RoundingMode, policy: OverflowPolicy) -> Reading:
    """How to read a unit's counterexample."""

    def trace(inputs: Mapping[str, int]) -> Mapping[str, int]:
        return exact.trace(operation, fmt, mode, policy, inputs["x"], inputs["y"])

    return Reading({"x": fmt, "y": fmt, "result": fmt}, trace)


def spec(
    fmt: Format, operation: str, mode: RoundingMode, policy: OverflowPolicy, inputs: Buses
) -> Buses:
    """The expected output of a unit, from its inputs."""
    formula = symbolic.OPERATIONS[operation](fmt, mode, policy, inputs["x"], inputs["y"])
    return {"result": formula}


def unit_obligation(
    fmt: Format, operation: str, mode: RoundingMode, policy: OverflowPolicy, library: str
) -> Obligation:
    """That one unit is its operation."""
    return equivalence(
        unit_name(fmt, operation, mode, policy, library),
        f"{fmt.name}: {in_words(operation, mode, policy)}, of {library} gates",
        circuit=partial(build_unit, UNITS[operation], fmt, mode, policy, library),
        meaning=partial(spec, fmt, operation, mode, policy),
        reading=reading(fmt, operation, mode, policy),
    )


def obligations() -> Iterator[Obligation]:
    """Nearest even in every library; the other modes, where promised, in the default library."""
    for fmt in SMALL_FORMATS:
        for operation in UNITS:
            for policy in fmt.policies:
                for library in LIBRARIES:
                    yield unit_obligation(fmt, operation, RoundingMode.NEAREST_EVEN, policy, library)
                if fmt not in ALL_MODES:
                    continue
                for mode in RoundingMode:
                    if mode is not RoundingMode.NEAREST_EVEN:
                        yield unit_obligation(fmt, operation, mode, policy, DEFAULT_LIBRARY)
