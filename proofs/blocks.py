"""Every integer block of every library equals its integer function."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import product

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVExtract, Equals, NotEquals

from spikeproof.circuits.units.integer import block_netlist
from spikeproof.circuits.units.libraries import (
    DEFAULT_LIBRARY,
    FAST,
    LIBRARIES,
    SHALLOW,
    SMALL,
    STRUCTURE_NAMES,
    Structure,
    shallow,
)
from spikeproof.prover.claims.obligation import Obligation, equivalence
from spikeproof.specs import integers
from spikeproof.specs.integers import Buses


def input_widths(width: int) -> dict[str, Mapping[str, int]]:
    """The input buses of each block, at a given width of its main operand."""
    amount = (width - 1).bit_length() + 1  # one bit more than the largest useful shift
    return {
        "add": {"x": width, "y": width, "carry_in": 1},
        "subtract": {"x": width, "y": width},
        "less_than": {"x": width, "y": width},
        "shift_right_sticky": {"x": width, "amount": amount},
        "shift_left": {"x": width, "amount": amount},
        "normalise": {"x": width, "budget": amount},
        "leading_zeros": {"x": width},
        "multiply": {"x": width, "y": width},
        "divide": {"x": width, "y": width},
        "square_root": {"x": width},
    }


WIDTHS = dict.fromkeys(integers.BLOCKS, (4, 8, 11)) | {
    "multiply": (4, 5),
    "divide": (4, 5),
    "square_root": (4, 8, 10),
}
"""Widths that the FP8 units use, and where possible one that is not a power of two."""


def x_is_not_zero(inputs: Buses) -> tuple[FNode, ...]:
    """Zero has no leading bit, so that normalising it means nothing."""
    return (NotEquals(inputs["x"], BV(0, inputs["x"].bv_width())),)


def y_is_normalised(inputs: Buses) -> tuple[FNode, ...]:
    """A smaller divisor would make the quotient wider than its bus."""
    last = inputs["y"].bv_width() - 1
    return (Equals(BVExtract(inputs["y"], last, last), BV(1, 1)),)


ASSUMPTIONS = {
    "normalise": x_is_not_zero,
    "leading_zeros": x_is_not_zero,
    "divide": y_is_normalised,
}
PROVISOS = {
    "normalise": ", for x other than 0",
    "leading_zeros": ", for x other than 0",
    "divide": ", for y with its first bit set",
}
STRUCTURES = (SMALL, FAST, SHALLOW, shallow(8))
"""Of the shallow ones that of the usual largest weight, and one that makes groups of 11 places."""

IN_WORDS = {SMALL: "", FAST: ", of prefix adders and trees,"}

DEPENDENT = ("add", "subtract", "less_than", "normalise", "multiply", "divide", "square_root")
"""The blocks that it makes a difference to whether the structure is small or fast."""


def exists(library: str, kind: str, structure: Structure) -> bool:
    """Whether a block is another than that of the small structure, and the library can make it."""
    if structure.shallow:
        return library == DEFAULT_LIBRARY
    return structure == SMALL or kind in DEPENDENT


def obligations() -> Iterator[Obligation]:
    """``block.LIBRARY.KIND.WIDTH``, and with the structure behind it those that are not small."""
    for library, kind, structure in product(LIBRARIES, integers.BLOCKS, STRUCTURES):
        if not exists(library, kind, structure):
            continue
        name = STRUCTURE_NAMES[structure]
        suffix = "" if structure == SMALL else f".{name}"
        made = IN_WORDS.get(structure, f", {name},")
        for width in WIDTHS[kind]:
            yield equivalence(
                f"block.{library}.{kind}.{width}{suffix}",
                f"the {library} {kind} block of {width} bits{made} is its integer function"
                f"{PROVISOS.get(kind, '')}",
                circuit=partial(block_netlist, library, kind, input_widths(width)[kind], structure),
                meaning=integers.BLOCKS[kind],
                assumptions=ASSUMPTIONS.get(kind, lambda inputs: ()),
                parameters={
                    "family": "block",
                    "library": library,
                    "operation": kind,
                    "width": str(width),
                    "structure": name,
                },
                function=f"the integer function {kind} of {width} bits{PROVISOS.get(kind, '')}",
            )
