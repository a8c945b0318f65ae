"""Units by name, promised or not: of any format and under any convention."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from spikeproof.circuits.units.libraries import LIBRARIES, STRUCTURE_NAMES
from spikeproof.proofs.exact_units import EXACT_OPERATIONS, ExactUnit
from spikeproof.proofs.general_operations import WORDS, GeneralUnit
from spikeproof.proofs.integer_conversions import FromInteger, ToInteger
from spikeproof.proofs.rounded_units import PromisedUnit, RoundedUnit
from spikeproof.proofs.units import Unit
from spikeproof.specs.conventions import convention_named
from spikeproof.specs.formats import (
    ARITY,
    INTEGERS,
    Format,
    OverflowPolicy,
    RoundingMode,
    format_named,
)

CHOICES: Mapping[str, Mapping[str, Any]] = {
    "policy": {policy.value: policy for policy in OverflowPolicy},
    "library": {name: name for name in LIBRARIES},
    "structure": {name: structure for structure, name in STRUCTURE_NAMES.items()},
    "flags": {"flags": True},
}
"""What may stand in a name after the mode, beside the words of conventions, by field of a unit."""


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
    operation, _, source = operation.partition("_from_")
    modes = {mode.value: mode for mode in RoundingMode}
    known = operation in ARITY or operation in WORDS
    if not known or mode not in modes or (operation == "convert") != bool(source):
        return None
    return _with_words(_plain(target, operation, modes[mode], source), list(filter(None, words)))


def _plain(target: str, operation: str, mode: RoundingMode, source: str) -> RoundedUnit:
    """A unit of which no more is said."""
    if source in INTEGERS:
        return FromInteger(INTEGERS[source], format_named(target), mode)
    if target in INTEGERS and source:
        return ToInteger(format_named(source), INTEGERS[target], mode)
    if operation in WORDS:
        return GeneralUnit(operation, format_named(target), mode)
    return Unit(operation, format_named(target), mode, source=format_named(source) if source else None)


def _with_words(unit: PromisedUnit, words: Sequence[str]) -> PromisedUnit:
    """The unit with all that stands in a name behind the operation, or mode."""
    choices = {each.name: CHOICES[each.name] for each in fields(unit) if each.name in CHOICES}  # type: ignore[arg-type]
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
    found = convention_named(".".join(convention))
    if found != unit.convention:
        unit.require_convention(found)
        said["convention"] = found
    made = replace(unit, **said)  # type: ignore[type-var]
    if isinstance(made, RoundedUnit) and isinstance(made.fmt, Format):
        made.fmt.require_policy(made.policy)
    return made
