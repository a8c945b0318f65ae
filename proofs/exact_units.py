"""Units that do not round, and conversions: each equals its IEEE 754 operation on all inputs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import permutations, product
from typing import Any

from pysmt.fnode import FNode

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.floating_point.building import build_exact_unit
from spikeproof.circuits.units.floating_point.comparison import compare_unit, extremum_unit
from spikeproof.circuits.units.floating_point.sign import change_sign_unit
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import (
    BOTH,
    Obligation,
    Profile,
    Reading,
    equivalence,
    everything,
)
from spikeproof.specs import exact, symbolic
from spikeproof.specs.formats import (
    FORMATS,
    FP16,
    OPERANDS,
    SMALL_FORMATS,
    Format,
    OverflowPolicy,
    RoundingMode,
)
from spikeproof.specs.integers import Buses


@dataclass(frozen=True)
class ExactFamily:
    """Operations that do not round, of one circuit, formula and definition.

    Attributes:
        unit: as ``build_exact_unit`` takes it.
        formula, record: from operation, format and codes the output, or a tuple of all ``outputs``.
        operands: how many codes an operation takes.
        coded: whether the result is a code.
        observed: from operation, format, codes and result, what counts of that; if it is not all.
        engines, profile: for each format.
    """

    operations: tuple[str, ...]
    unit: Callable[..., Bus | dict[str, Bus]]
    formula: Callable[..., Any]
    record: Callable[..., Any]
    outputs: tuple[str, ...] = ("result",)
    operands: int = 2
    coded: bool = False
    observed: Callable[..., FNode] | None = None
    engines: Callable[[Format], tuple[str, ...]] = lambda fmt: BOTH
    profile: Callable[[Format], Profile] = lambda fmt: Profile.DEFAULT

    def obligation(self, fmt: Format, operation: str) -> Obligation:
        """That the unit of an operation is that."""
        codes = OPERANDS[: self.operands]

        def values(function: Callable[..., Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
            found = function(operation, fmt, *(inputs[name] for name in codes))
            found = found if isinstance(found, tuple) else (found,)
            return dict(zip(self.outputs, found, strict=True))

        def meaning(inputs: Buses) -> Buses:
            return values(self.formula, inputs)

        def trace(inputs: Mapping[str, int]) -> Mapping[str, int]:
            return values(self.record, inputs)

        def observed(inputs: Buses, outputs: Buses) -> Buses:
            assert self.observed
            operands = (inputs[name] for name in codes)
            return {**outputs, "result": self.observed(operation, fmt, *operands, outputs["result"])}

        flags = "flags" in self.outputs
        function = f"{fmt.name}: {operation.replace('_', ' ')}"
        function += ", and its exception flags" if flags else ""
        return equivalence(
            f"{fmt.name}.{operation}.flags" if flags else f"{fmt.name}.{operation}",
            f"{function}, of {DEFAULT_LIBRARY} gates",
            circuit=partial(build_exact_unit, self.unit, operation, fmt, self.operands),
            meaning=meaning,
            observed=observed if self.observed else everything,
            engines=self.engines(fmt),
            profile=self.profile(fmt),
            reading=Reading(dict.fromkeys((*codes, *(["result"] if self.coded else [])), fmt), trace),
            parameters={
                "family": "unit",
                "format": fmt.name,
                "operation": operation,
                "library": DEFAULT_LIBRARY,
                **({"flags": "yes"} if flags else {}),
            },
            function=function,
        )


EITHER_ZERO = ("min_num", "max_num")
"""The operations of which the result may be either of two zeros."""

_EXTREMA = ExactFamily(
    tuple(each for each in exact.EXTREMA if each not in EITHER_ZERO),
    extremum_unit,
    symbolic.extremum,
    exact.extremum,
    coded=True,
)
_SIGN = ExactFamily(
    ("negate", "absolute"),
    change_sign_unit,
    symbolic.change_sign,
    exact.change_sign,
    operands=1,
    coded=True,
)

FAMILIES = (
    ExactFamily(tuple(exact.RELATIONS), compare_unit, symbolic.compare, exact.compare),
    _EXTREMA,
    replace(_EXTREMA, operations=EITHER_ZERO, observed=symbolic.observed_extremum),
    _SIGN,
    replace(_SIGN, operations=("copy_sign",), operands=2),
)
"""``FORMAT.OPERATION``."""


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
    for fmt, family in product(FORMATS.values(), FAMILIES):
        yield from (family.obligation(fmt, operation) for operation in family.operations)
    for unit in conversions():
        yield unit.obligation(profile_for(unit))
