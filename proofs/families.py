"""All families of obligations, and what a name describes in any of them."""

from collections.abc import Iterator
from itertools import chain

from spikeproof.proofs import (
    adequacy,
    blocks,
    bounded_functions,
    cells,
    dot_products,
    dual_rail,
    encoders,
    exact_products,
    exact_units,
    floating_point_theory,
    format_of,
    functions,
    functions_of_two,
    general_operations,
    integer_conversions,
    language_models,
    latches,
    loops,
    margins,
    memristive,
    mx,
    names,
    noisy_neurons,
    noisy_units,
    packed_units,
    programs,
    remainder_definition,
    remainders,
    scale_conversions,
    selections,
    serial,
    sticky_extra,
    stochastic,
    superconducting,
    units,
)
from spikeproof.prover.claims.obligation import Named, Obligation


def described(name: str) -> Obligation | None:
    """The obligation that a name describes, promised or not, by the families that have names.

    Raises:
        ValueError: if it begins like one, and what follows is not possible; one line.
    """
    families = programs, language_models, bounded_functions, names
    return next(filter(None, (family.described(name) for family in families)), None)


def obligations() -> Iterator[Obligation | Named]:
    """Everything this project promises, the simplest first."""
    families = (
        cells,
        blocks,
        serial,
        adequacy,
        remainder_definition,
        floating_point_theory,
        units,
        exact_units,
        selections,
        format_of,
        integer_conversions,
        general_operations,
        functions,
        bounded_functions,
        functions_of_two,
        stochastic,
        remainders,
        mx,
        dot_products,
        scale_conversions,
        packed_units,
        exact_products,
        loops,
        latches,
        sticky_extra,
        margins,
        superconducting,
        memristive,
        encoders,
        noisy_neurons,
        noisy_units,
        dual_rail,
        programs,
        language_models,
    )
    return chain.from_iterable(family.obligations() for family in families)
