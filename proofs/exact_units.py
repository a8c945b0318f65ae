"""Units that do not round, and conversions: each equals its IEEE 754 operation on all inputs."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import permutations

from pysmt.fnode import FNode

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.floating_point.building import build_exact_unit
from spikeproof.circuits.units.floating_point.comparison import compare_unit, extremum_unit
from spikeproof.circuits.units.floating_point.sign import change_sign_unit
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import Obligation, Profile, Reading, equivalence, everything
from spikeproof.specs import exact, symbolic
from spikeproof.specs.formats import (
    FORMATS,
    FP16,
    SMALL_FORMATS,
    Format,
    OverflowPolicy,
    RoundingMode,
)
from spikeproof.specs.integers import Buses


def _in_words(operation: str) -> str:
    return operation.replace("_", " ")


def _exact_unit(
    fmt: Format,
    operation: str,
    unit: Callable[..., Bus],
    formula: Callable[..., FNode],
    record: Callable[..., int],
    operands: int = 2,
) -> Obligation:
    names = "xy"[:operands]

    def meaning(inputs: Buses) -> Buses:
        return {"result": formula(operation, fmt, *(inputs[name] for name in names))}

    def observed(inputs: Buses, outputs: Buses) -> Buses:
        x, y = (inputs[name] for name in names)
        return {"result": symbolic.observed_extremum(operation, fmt, x, y, outputs["result"])}

    def trace(inputs: Mapping[str, int]) -> Mapping[str, int]:
        return {"result": record(operation, fmt, *(inputs[name] for name in names))}

    codes = dict.fromkeys(names, fmt)
    results = {} if unit is compare_unit else {"result": fmt}
    function = f"{fmt.name}: {_in_words(operation)}"
    return equivalence(
        f"{fmt.name}.{operation}",
        f"{function}, of {DEFAULT_LIBRARY} gates",
        circuit=partial(build_exact_unit, unit, operation, fmt, operands),
        meaning=meaning,
        observed=observed if operation in ("min_num", "max_num") else everything,
        reading=Reading({**codes, **results}, trace),
        parameters={
            "family": "unit",
            "format": fmt.name,
            "operation": operation,
            "library": DEFAULT_LIBRARY,
        },
        function=function,
    )


def conversions() -> Iterator[Unit]:
    """Between any two formats: to nearest even under every policy, and with flags in every mode."""
    for source, target in permutations(FORMATS.values(), 2):
        for policy in target.policies:
            yield Unit("convert", target, policy=policy, source=source)
        for mode in RoundingMode:
            yield Unit("convert", target, mode, target.policies[0], source=source, flags=True)


def profile_for(unit: Unit) -> Profile:
    """Unusual policies of wide targets go to ``--wide``, and flags but those of FP16 to nearest even."""
    usual = unit.fmt in SMALL_FORMATS or unit.policy is OverflowPolicy.IEEE
    if unit.flags:
        usual = FP16 in (unit.fmt, unit.source) and unit.mode is RoundingMode.NEAREST_EVEN
    return Profile.DEFAULT if usual else Profile.WIDE


def obligations() -> Iterator[Obligation]:
    """``FORMAT.OPERATION``, and ``TARGET.convert_from_SOURCE.MODE[.POLICY][.flags]``."""
    for fmt in FORMATS.values():
        for predicate in exact.RELATIONS:
            yield _exact_unit(fmt, predicate, compare_unit, symbolic.compare, exact.compare)
        for operation in exact.EXTREMA:
            yield _exact_unit(fmt, operation, extremum_unit, symbolic.extremum, exact.extremum)
        for operation in exact.SIGN_OPERATIONS:
            operands = 2 if operation == "copy_sign" else 1
            yield _exact_unit(
                fmt,
                operation,
                change_sign_unit,
                symbolic.change_sign,
                exact.change_sign,
                operands,
            )
    for unit in conversions():
        yield unit.obligation(profile_for(unit))
