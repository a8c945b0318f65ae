"""Gates, blocks and units without inhibition, on two rails, equal their functions as others do."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, FAST, SMALL, DualRail
from spikeproof.proofs import blocks, cells
from spikeproof.proofs.rails import on_both_rails
from spikeproof.proofs.units import OPERATIONS, Unit
from spikeproof.prover.claims.obligation import Obligation, Profile
from spikeproof.specs.formats import FORMATS, FP32, SMALL_FORMATS

NAME = DualRail.name


def gates_and_blocks() -> Iterator[Obligation]:
    """``cell.dual_rail.GATE`` and ``block.dual_rail.KIND.WIDTH``: those of the default library."""
    for family in (cells, blocks):
        for single in family.obligations():
            if single.parameters["library"] == DEFAULT_LIBRARY:
                yield on_both_rails(
                    single,
                    single.name.replace(f".{DEFAULT_LIBRARY}.", f".{NAME}."),
                    single.statement.replace(f" {DEFAULT_LIBRARY} ", f" {NAME} "),
                    {**single.parameters, "library": NAME},
                )


def units() -> Iterator[Unit]:
    """Every operation of every format, to nearest even, under the first policy; of FP32 also fast."""
    for fmt, operation in product(FORMATS.values(), OPERATIONS):
        unit = Unit(operation, fmt, policy=fmt.policies[0], library=NAME)
        for structure in (SMALL, FAST) if fmt is FP32 and operation in ("add", "multiply") else (SMALL,):
            yield replace(unit, structure=structure)


def profile_for(unit: Unit) -> Profile:
    """Formats of up to 8 bits, and sums and products of up to 32; all else is left to ``--wide``."""
    few = unit.fmt.width <= 32 and unit.operation in ("add", "multiply")
    return Profile.DEFAULT if unit.fmt in SMALL_FORMATS or few else Profile.WIDE


def obligations() -> Iterator[Obligation]:
    """All of the above."""
    yield from gates_and_blocks()
    yield from (unit.obligation(profile_for(unit)) for unit in units())
