"""Inputs that a claim assumes to be the complements of others: they are not tried, but follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spikeproof.circuits.units.dual_rail import inverted
from spikeproof.prover.claims.obligation import Claim


def complements(claim: Claim) -> dict[str, str]:
    """The inputs that are assumed to be complements, each with the input whose complement it is."""
    names = {symbol: name for name, symbol in claim.inputs.items()}
    found: dict[str, str] = {}
    for assumption in claim.assumptions:
        if assumption.is_equals() and assumption.arg(1).is_bv_not():
            complement, value = names.get(assumption.arg(0)), names.get(assumption.arg(1).arg(0))
            taken = {value, *found, *found.values()}  # nothing follows from what itself follows
            if complement and value and complement not in taken and value not in found:
                found[complement] = value
    return found


def free_widths(claim: Claim) -> dict[str, int]:
    """The widths of all other inputs."""
    known = complements(claim)
    return {name: symbol.bv_width() for name, symbol in claim.inputs.items() if name not in known}


def completed(claim: Claim, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the other inputs, numbers or arrays of words, and of the complements."""
    known = complements(claim)
    return {
        name: inverted(values[known[name]], symbol.bv_width()) if name in known else values[name]
        for name, symbol in claim.inputs.items()
    }
