"""Gates, blocks and units without inhibition, on two rails, equal their functions as others do."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.physics.uncertainty import place
from spikeproof.circuits.units.dual_rail import Rails, dual_rail_netlist, rails
from spikeproof.circuits.units.libraries import (
    COMPACT,
    DEFAULT_LIBRARY,
    FAST,
    LARGER_RADICES,
    REDUNDANT,
    SMALL,
    STRUCTURE_NAMES,
    DualRail,
)
from spikeproof.proofs import blocks, cells
from spikeproof.proofs.noisy_units import BEYOND_MARGIN, MARGIN, beyond, uncertain_unit
from spikeproof.proofs.rails import on_both_rails
from spikeproof.proofs.units import OPERATIONS, Unit
from spikeproof.prover.claims.obligation import Named, Obligation, Profile
from spikeproof.specs.formats import FORMATS, FP8_E4M3FN, FP8_E5M2, FP16, FP32, SMALL_FORMATS

NAME = DualRail.name


def gates_and_blocks() -> Iterator[Obligation]:
    """``cell.dual_rail.GATE`` and ``block.dual_rail.KIND.WIDTH``: those of the default library.

    Gates are put to the engines whole, as they are, so that it does not rest on the kernel alone that
    neurons on two rails do what those on one do.
    """
    for family in (cells, blocks):
        for single in family.obligations():
            if single.parameters["library"] == DEFAULT_LIBRARY and not left_out(single):
                made = on_both_rails(
                    single,
                    single.name.replace(f".{DEFAULT_LIBRARY}.", f".{NAME}."),
                    single.statement.replace(f" {DEFAULT_LIBRARY} ", f" {NAME} "),
                    {**single.parameters, "library": NAME},
                )
                yield replace(made, decomposition=None) if family is cells else of_structure(made)


def left_out(single: Obligation) -> bool:
    """Whether it is a root by rows of more than two bits: of one CaDiCaL was not done in 50 s.

    Or of digits that are searched, whose weights are as large as numbers; or by redundant rows, of which
    none was seen decided.
    """
    radices = {STRUCTURE_NAMES[each] for each in LARGER_RADICES.values()}
    root = single.parameters["operation"] == "square_root"
    structure = single.parameters.get("structure")
    others = {STRUCTURE_NAMES[each] for each in (COMPACT, *REDUNDANT.values())}
    return (root and structure in radices) or structure in others


def of_structure(block: Obligation) -> Obligation:
    """The block, in ``--wide`` unless small; z3 takes minutes over the neurons of a shallow one."""
    name = block.parameters["structure"]
    shallow = any(each.shallow and called == name for each, called in STRUCTURE_NAMES.items())
    return replace(
        block,
        engines=("cadical",) if shallow else block.engines,
        profile=Profile.DEFAULT if name == STRUCTURE_NAMES[SMALL] else Profile.WIDE,
    )


def units() -> Iterator[Unit]:
    """Every operation of every format, to nearest even, under the first policy; of FP32 also fast."""
    for fmt, operation in product(FORMATS.values(), OPERATIONS):
        unit = Unit(operation, fmt, policy=fmt.policies[0], library=NAME)
        for structure in (SMALL, FAST) if fmt is FP32 and operation in ("add", "multiply") else (SMALL,):
            yield replace(unit, structure=structure)


def profile_for(unit: Unit) -> Profile:
    """E4M3FN and E5M2; sums and products of FP16, FP32 and what is narrower. Else ``--wide``."""
    usual = unit.fmt in (*SMALL_FORMATS, FP16, FP32) and unit.operation in ("add", "multiply")
    usual |= unit.fmt in (FP8_E4M3FN, FP8_E5M2)
    return Profile.DEFAULT if usual and unit.structure == SMALL else Profile.WIDE


def noisy_units() -> Iterator[Obligation]:
    """``margin.unit.UNIT.noise`` and its refutations, as ``proofs.noisy_units`` has them."""
    for operation in ("add", "multiply"):
        single = Unit(operation, FP8_E4M3FN, policy=FP8_E4M3FN.policies[0])
        dual = single.changed(library=NAME)
        yield on_both_rails(
            single.obligation(),
            f"margin.unit.{dual.name}.noise",
            f"{dual.statement}, is right for all noise in {MARGIN} on every neuron",
            {**dual.parameters, "family": "margin", "kind": "noise"},
            circuit=partial(uncertain_unit, dual, MARGIN),
            rails=noisy_rails,
        )
        for suffix, noise in BEYOND_MARGIN.items():
            refuted = beyond(dual, noise, suffix)
            made = on_both_rails(
                beyond(single, noise, suffix),
                refuted.name,
                refuted.statement,
                refuted.parameters,
                circuit=refuted.circuit,
            )
            yield replace(made, decomposition=None)


def noisy_rails(netlist: Netlist) -> Rails:
    """Where a circuit on two rails, each neuron of which is uncertain, has the signals of another."""
    dual = dual_rail_netlist(netlist)
    return {
        signal: (place(dual, value), place(dual, complement))
        for signal, (value, complement) in rails(netlist).items()
    }


def obligations() -> Iterator[Obligation | Named]:
    """All of the above; ``proofs.margins`` has the gates."""
    yield from gates_and_blocks()
    yield from (unit.promised(profile_for(unit)) for unit in units())
    yield from noisy_units()
