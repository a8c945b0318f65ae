"""Every floating-point unit equals its IEEE 754 operation, on all inputs, specials included."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import product

from circuits.floating_point import UNITS, build_unit
from circuits.libraries import DEFAULT_LIBRARY, LIBRARIES
from prover.obligation import Cut, Obligation, Profile, Reading, equivalence
from specs import exact, symbolic
from specs.formats import (
    BFLOAT16,
    FORMATS,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    FP32,
    FP64,
    SMALL_FORMATS,
    TF32,
    Format,
    OverflowPolicy,
    RoundingMode,
)
from specs.integers import Buses

ALL_MODES = (FP8_E4M3FN, FP8_E5M2, BFLOAT16, FP16, TF32, FP32)
"""Formats whose units are proved in every rounding mode; the others round to nearest even."""

BOTH = ("z3", "cadical")
"""Two engines of different make, which must come to the same verdict."""

ENGINES_BY_FORMAT = dict.fromkeys((TF32, FP32, FP64), ("cadical",))
"""Formats on which z3 is too slow."""


def engines_for(fmt: Format, mode: RoundingMode, library: str) -> tuple[str, ...]:
    """Both engines on what is usual; one on the many variants, whichever is quicker."""
    usual = mode is RoundingMode.NEAREST_EVEN and library == DEFAULT_LIBRARY
    quicker = ("z3",) if fmt in SMALL_FORMATS else ("cadical",)
    return ENGINES_BY_FORMAT.get(fmt, BOTH) if usual else quicker


def profile_for(fmt: Format, mode: RoundingMode) -> Profile:
    """FP64, and above 8 bits the modes other than nearest even, are left to ``--wide``."""
    usual = fmt in SMALL_FORMATS or (fmt is not FP64 and mode is RoundingMode.NEAREST_EVEN)
    return Profile.DEFAULT if usual else Profile.WIDE


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
    return f"{symbol} rounded {mode.label}, {policy.label}"


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


def product_cut(fmt: Format, mode: RoundingMode, policy: OverflowPolicy) -> Cut:
    """A multiplier's proof, split at the product of its significands."""

    def operands(inputs: Buses) -> Buses:
        return {name: symbolic.unpack(fmt, inputs[name]).significand for name in ("x", "y")}

    def rest(inputs: Buses, block: Buses) -> Buses:
        x, y, product = inputs["x"], inputs["y"], block["product"]
        return {"result": symbolic.multiply_given_product(fmt, mode, policy, x, y, product)}

    return Cut("significand_product", operands, rest)


def unit_obligation(
    fmt: Format,
    operation: str,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str = DEFAULT_LIBRARY,
) -> Obligation:
    """That one unit is its operation."""
    decomposed = operation == "multiply" and fmt not in SMALL_FORMATS
    return equivalence(
        unit_name(fmt, operation, mode, policy, library),
        f"{fmt.name}: {in_words(operation, mode, policy)}, of {library} gates",
        circuit=partial(build_unit, UNITS[operation], fmt, mode, policy, library),
        meaning=partial(spec, fmt, operation, mode, policy),
        engines=engines_for(fmt, mode, library),
        cut=product_cut(fmt, mode, policy) if decomposed else None,
        profile=profile_for(fmt, mode),
        reading=reading(fmt, operation, mode, policy),
    )


def obligations() -> Iterator[Obligation]:
    """Nearest even for every format; every library or every mode where promised."""
    for fmt, operation in product(FORMATS.values(), UNITS):
        small = fmt in SMALL_FORMATS
        for policy in fmt.policies if small else (OverflowPolicy.IEEE,):
            for library in LIBRARIES if small else (DEFAULT_LIBRARY,):
                yield unit_obligation(fmt, operation, RoundingMode.NEAREST_EVEN, policy, library)
            for mode in RoundingMode:
                if fmt in ALL_MODES and mode is not RoundingMode.NEAREST_EVEN:
                    yield unit_obligation(fmt, operation, mode, policy)
