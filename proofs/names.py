"""Units by name, promised or not: of any format and under any convention."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from functools import partial
from typing import Any

from spikeproof.circuits.units.functions.building import (
    CONSTRUCTIONS,
    PROGRAMS,
    require_library,
    require_made,
)
from spikeproof.circuits.units.functions.of_two import PROGRAMS as PROGRAMS_OF_TWO
from spikeproof.circuits.units.libraries import (
    EVERY_LIBRARY,
    STRUCTURE_NAMES,
    DualRail,
    require_rows,
    require_structure,
)
from spikeproof.proofs.dot_products import DotProductUnit
from spikeproof.proofs.exact_units import EXACT_OPERATIONS, ExactUnit
from spikeproof.proofs.functions import FunctionUnit
from spikeproof.proofs.functions_of_two import FunctionOfTwoUnit
from spikeproof.proofs.general_operations import WORDS, GeneralUnit
from spikeproof.proofs.integer_conversions import FromInteger, ToInteger
from spikeproof.proofs.packed_units import PackedUnit
from spikeproof.proofs.remainders import Remainder
from spikeproof.proofs.rounded_units import AND, AnyUnit, PromisedUnit, RoundedUnit
from spikeproof.proofs.scale_conversions import SHARED, FromScale, ToScale
from spikeproof.proofs.stochastic import StochasticUnit
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import Obligation, Profile, everything
from spikeproof.specs.conventions import convention_named, require_bearing
from spikeproof.specs.dot_products import DotProduct, choice_named, dot_product_named
from spikeproof.specs.formats import (
    ARITY,
    E8M0,
    INTEGERS,
    REMAINDERS,
    Coded,
    Format,
    Mode,
    OverflowPolicy,
    RoundingMode,
    Source,
    Stochastic,
    UnknownNameError,
    format_named,
    mode_named,
    require_rounding,
    shortest_source,
)
from spikeproof.specs.functions import FUNCTIONS
from spikeproof.specs.functions_of_two import FUNCTIONS as FUNCTIONS_OF_TWO

CHOICES: Mapping[str, Mapping[str, Any]] = {
    "policy": {policy.value: policy for policy in OverflowPolicy},
    "library": {name: name for name in EVERY_LIBRARY},
    "structure": {name: structure for structure, name in STRUCTURE_NAMES.items()},
    "construction": {name: name for name in CONSTRUCTIONS},
    "flags": {"flags": True},
    "count": {"count": True},
}
"""What may stand in a name after the mode, beside the words of conventions, by field of a unit."""

NOT_OF_FUNCTIONS = frozenset({*CHOICES["structure"], *CHOICES["flags"]})
"""What stands in names of other units, and is no convention."""

PAIR = "x2"
"""What stands behind the format of the result where words are of two numbers."""


def described(name: str) -> Obligation | None:
    """The obligation that a name describes, promised or not: see ``unit_named``.

    Raises:
        ValueError: if it begins like one, and what follows is not possible; one line.
    """
    unit = unit_named(name)
    if unit is None and lacks_mode(name):
        target, operation, rest = name.split(".", 2)
        modes = ", ".join(mode.value for mode in RoundingMode)
        raise ValueError(f"a mode is missing: {target}.{operation}.MODE.{rest}; modes are {modes}")
    return unit.obligation(Profile.WIDE) if unit else None


def unit_named(name: str) -> PromisedUnit | None:
    """The unit of a name as ``PromisedUnit.name`` gives it.

    None if it has no operation, and mode if it rounds, in their places. What goes unsaid may be said,
    and the words behind these in any order.

    Raises:
        ValueError: if what is before or behind these is not possible; one line.
    """
    target, operation, mode, *words = (*name.split("."), "", "")
    if operation in EXACT_OPERATIONS:
        exact = ExactUnit(operation, format_named(target), "flags" in (mode, *words))
        return _with_words(exact, list(filter(None, (mode, *words))))
    if operation in REMAINDERS:
        remainder = Remainder.of(operation, format_named(target))
        return _with_words(remainder, list(filter(None, (mode, *words))))
    operation, said, source = operation.partition("_from_")
    if dot := dot_product_named(operation):
        return _dot_product(dot, target, source, mode, words) if bool(said) == bool(source) else None
    shared = operation.startswith(SHARED)
    sourceless = operation in {*WORDS, *FUNCTIONS, *FUNCTIONS_OF_TWO}
    known = (operation in ARITY and operation not in REMAINDERS) or sourceless or shared
    if not known or bool(said) != bool(source) or (sourceless and source):
        return None
    if (operation == "convert" or shared) and not source:
        return None
    if not (rounding := mode_named(mode)):
        return None
    element = target.removesuffix(PAIR)
    unit = _with_words(_plain(element, operation, rounding, source), list(filter(None, words)))
    if element == target:
        return unit
    if isinstance(unit, FunctionUnit):
        raise UnknownNameError(f"{operation} is of single numbers; leave out {PAIR}")
    return PackedUnit(unit)


def lacks_mode(name: str) -> bool:
    """Whether it would be the name of a unit with a mode before what stands behind its operation."""
    target, operation, *words = (*name.split("."), "")
    with suppress(ValueError):
        return (
            any(words)
            and unit_named(".".join((target, operation, "rne", *filter(None, words)))) is not None
        )
    return False


def _plain(target: str, operation: str, mode: Mode, source: str) -> RoundedUnit:
    """A unit of which no more is said."""
    if isinstance(mode, Stochastic):
        require_rounding(mode, operation)
        if {source, target} & {*INTEGERS, E8M0.name}:
            raise ValueError("conversions from and to integers and scales do not round stochastically")
        fmt = format_named(target)
        return StochasticUnit(operation, fmt, mode, source=_sources(operation, fmt, source))
    if (operation in ARITY and operation != "convert") and {source, target} & {*INTEGERS, E8M0.name}:
        raise UnknownNameError(f"{operation} is an operation of floating-point formats alone")
    if operation.startswith(SHARED) and target != E8M0.name:
        raise UnknownNameError(f"{operation} gives no {target}; use {E8M0.name}")
    if source == E8M0.name:
        return FromScale(format_named(target), mode)
    if target == E8M0.name and source:
        element = format_named(operation.removeprefix(SHARED)) if operation != "convert" else None
        return ToScale(format_named(source), mode, OverflowPolicy.IEEE, element=element)
    if source in INTEGERS:
        return FromInteger(INTEGERS[source], format_named(target), mode)
    if target in INTEGERS and source:
        return ToInteger(format_named(source), INTEGERS[target], mode)
    fmt = format_named(target)
    if operation in WORDS:
        return GeneralUnit(operation, fmt, mode)
    if operation in FUNCTIONS:
        return FunctionUnit.of(operation, fmt, mode)
    if operation in FUNCTIONS_OF_TWO:
        return FunctionOfTwoUnit.of(operation, fmt, mode)
    return Unit(operation, fmt, mode, source=_sources(operation, fmt, source))


def _dot_product(
    dot: DotProduct, target: str, source: str, mode: str, words: Sequence[str]
) -> DotProductUnit | None:
    """The dot product of a name; None if it has no mode."""
    if not (rounding := mode_named(mode)):
        return None
    require_rounding(rounding, dot.operation)
    assert isinstance(rounding, RoundingMode)
    said: dict[str, Any] = {}
    others = []
    for word in filter(None, words):
        choice = choice_named(word)
        if choice.keys() & said.keys():
            raise ValueError(f"{word!r} is said beside another {min(choice)}; leave out one of them")
        said |= choice
        others += [] if choice else [word]
    formats = tuple(map(format_named, source.split(AND))) if source else ()
    unit = DotProductUnit(replace(dot, **said), format_named(target), formats, rounding)
    return _with_words(unit, others)


def _sources(operation: str, fmt: Format, names: str) -> Source | None:
    """The formats of operands, by their names."""
    formats = tuple(format_named(name) for name in names.split(AND)) if names else (fmt,)
    return shortest_source(operation, fmt, formats if len(formats) > 1 else formats[0])


def _can_have(unit: PromisedUnit, word: str) -> bool:
    """Whether a unit can have a bundle of conventions, or a word that plays a part in its operation."""
    with suppress(ValueError):
        unit.require_convention(convention_named(word))
        require_bearing([word], unit.bearing, unit.operation)
        return True
    return False


def _with_words(unit: AnyUnit, words: Sequence[str]) -> AnyUnit:
    """The unit with all that stands in a name behind the operation, or mode."""
    odd = next((word for word in words if word in NOT_OF_FUNCTIONS), None)
    if odd and isinstance(unit, FunctionUnit):
        raise ValueError(f"functions have no {odd!r}: neither flags nor structures; leave it out")
    choices = {each.name: CHOICES[each.name] for each in fields(unit) if each.name in CHOICES}  # type: ignore[arg-type]
    if isinstance(unit, FunctionUnit):
        programs = PROGRAMS if unit.operation in FUNCTIONS else PROGRAMS_OF_TWO
        choices["construction"] = {**choices["construction"], **{name: name for name in programs}}
    if not unit.rounding:
        choices.pop("policy", None)
    said: dict[str, Any] = {}
    convention = []
    for word in words:
        kind = next((kind for kind, values in choices.items() if word in values), None)
        if kind is None:
            convention.append(word)
        elif kind in said:
            raise ValueError(f"{word!r} is said beside another {kind}; leave out one of them")
        else:
            said[kind] = choices[kind][word]
    found = convention_named(".".join(convention), choices, partial(_can_have, unit))
    if found != unit.convention:
        unit.require_convention(found)
        require_bearing(convention, unit.bearing, unit.operation)
        said["convention"] = found
    if "structure" in said:
        require_structure(said.get("library", unit.library), said["structure"])
        require_rows(unit.operation, said["structure"])
    made = replace(unit, **said)  # type: ignore[type-var]
    if isinstance(made, FunctionUnit):
        made = made if "construction" in said else replace(made, construction=made.usual)
        require_library(made.library, made.construction)
        if made.operation in FUNCTIONS:
            require_made(made.operation, made.construction)
    if isinstance(made, RoundedUnit) and isinstance(made.fmt, Coded):
        made.fmt.require_policy(made.policy)
    if made.library == DualRail.name and made.observed is not everything:
        raise ValueError(f"convention {made.convention.name} leaves NaN codes open; two rails need one")
    return made
