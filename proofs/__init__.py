"""The obligations: one short statement each, and nothing else.

* ``proofs.cells``        -- every gate of every library is its Boolean function
* ``proofs.blocks``       -- every integer block is its integer function
* ``proofs.serial``       -- so is every bit-serial unit, over its steps
* ``proofs.loops``        -- so is every accumulator, after any number of steps
* ``proofs.latches``      -- what latches have decided stays decided, after any number of steps
* ``proofs.encoders``     -- potentials become codes, and words trains of spikes and words again
* ``proofs.dual_rail``    -- so is each of these without inhibition, on two rails
* ``proofs.units``        -- every floating-point unit is its IEEE 754 operation
* ``proofs.exact_units``  -- so is every conversion, and every unit that does not round
* ``proofs.selections``   -- so is every multiplexer of numbers
* ``proofs.format_of`` -- so is every operation with operands of other formats than the result
* ``proofs.dot_products`` -- every dot product is added as its definition says, and rounded once
* ``proofs.integer_conversions`` -- so is every conversion from and to integers
* ``proofs.general_operations`` -- so is every other operation of IEEE 754's clause 5
* ``proofs.functions``    -- every elementary function is correctly rounded, on all inputs
* ``proofs.bounded_functions`` -- some of FP64 are within a bound, on all inputs
* ``proofs.functions_of_two`` -- so is every function of two operands, on all pairs
* ``proofs.stochastic``   -- so is every unit that rounds by a random word, and none is biased
* ``proofs.remainders``  -- so is every remainder, which never rounds
* ``proofs.mx``           -- so is every unit for scaled elements of MX blocks
* ``proofs.scale_conversions`` -- so is every conversion from and to E8M0, the scales of MX blocks
* ``proofs.packed_units`` -- so is every unit for words of several numbers
* ``proofs.exact_products`` -- so is every product in a format that holds it exactly, without rounding
* ``proofs.sticky_extra`` -- S1's Sticky-Extra Correction: sufficient, and which routes are necessary
* ``proofs.margins``      -- within which noise, spread and leak every gate is right, and not beyond
* ``proofs.superconducting`` -- how many inputs a neuron can have at a spread of its couplings
* ``proofs.memristive``   -- what holds for every relaxation time of a memristive neuron
* ``proofs.noisy_neurons`` -- what every neuron of larger shallow units bears, whatever it reads
* ``proofs.noisy_units``  -- so is every unit whose neurons are all within their margins
* ``proofs.programs``     -- so is every layer that is made of units
* ``proofs.language_models`` -- so is every layer of a language model, and models whole
* ``proofs.adequacy``     -- the spec's rounding formula is what the standard says in words
* ``proofs.remainder_definition`` -- the spec's remainders are those of whole numbers
* ``proofs.floating_point_theory`` -- the spec is SMT-LIB's floating-point theory, as z3 implements it

What is promised of units that round has one form: ``proofs.rounded_units``; ``proofs.names`` finds them
by name, promised or not, and ``proofs.spelling`` says what is meant by names in the words of others.
``proofs.z3_theory`` has z3's floating-point theory in formulas of pySMT.
"""

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
from spikeproof.proofs.spelling import hint
from spikeproof.prover.claims.obligation import Named, Obligation

__all__ = ["described", "hint", "obligations"]


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
