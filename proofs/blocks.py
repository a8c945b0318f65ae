"""Every integer block of every library equals its integer function."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import product

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVUGE, BVAdd, BVExtract, BVZExt, Equals, NotEquals, Or

from spikeproof.circuits.units.integer import block_netlist
from spikeproof.circuits.units.libraries import (
    BY_DIGITS,
    COMPACT,
    DEFAULT_LIBRARY,
    FAST,
    LARGER_RADICES,
    LIBRARIES,
    REDUNDANT,
    ROWS,
    SHALLOW,
    SHALLOW_ROWS,
    SMALL,
    STRUCTURE_NAMES,
    Structure,
    Ternary,
    rows_in_words,
    shallow,
)
from spikeproof.circuits.units.shallow_blocks import SHALLOW_BLOCKS, shallow_block_netlist
from spikeproof.prover.claims.obligation import BOTH, Obligation, Profile, equivalence
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
        "sum_or_difference": {"x": width, "y": width, "opposite": 1, "borrow": 1},
        "excess": {"x": width, "y": width},
        "shift_either": {"x": width, "y": width, "which": 1, "amount": amount},
    }


WIDTHS = dict.fromkeys((*integers.BLOCKS, *integers.SHALLOW_BLOCKS), (4, 8, 11)) | {
    "multiply": (4, 5),
    "divide": (4, 5),
    "square_root": (4, 8, 10),
    "excess": (4, 8),  # at 11 neither engine is done in 3 seconds of CPU
}
"""Widths that the FP8 units use, and where possible one that is not a power of two."""


def x_is_not_zero(inputs: Buses) -> tuple[FNode, ...]:
    """Zero has no leading bit, so that normalising it means nothing."""
    return (NotEquals(inputs["x"], BV(0, inputs["x"].bv_width())),)


def y_is_normalised(inputs: Buses) -> tuple[FNode, ...]:
    """A smaller divisor would make the quotient wider than its bus."""
    last = inputs["y"].bv_width() - 1
    return (Equals(BVExtract(inputs["y"], last, last), BV(1, 1)),)


def nothing_is_negative(inputs: Buses) -> tuple[FNode, ...]:
    """A difference may borrow from x, but not from beyond."""
    width = inputs["x"].bv_width() + 1
    x, y, borrow = (
        BVZExt(inputs[name], width - inputs[name].bv_width()) for name in ("x", "y", "borrow")
    )
    return (Or(Equals(inputs["opposite"], BV(0, 1)), BVUGE(x, BVAdd(y, borrow))),)


ASSUMPTIONS = {
    "normalise": x_is_not_zero,
    "leading_zeros": x_is_not_zero,
    "divide": y_is_normalised,
    "sum_or_difference": nothing_is_negative,
}
PROVISOS = {
    "normalise": ", for x other than 0",
    "leading_zeros": ", for x other than 0",
    "divide": ", for y with its first bit set",
    "sum_or_difference": ", for differences that are not negative",
}
SHALLOW_IN = {DEFAULT_LIBRARY: SHALLOW, Ternary.name: shallow(4)}
"""How shallow the blocks of a library are: where weights are 1, of few copies of a signal."""

STRUCTURES = (SMALL, FAST, *SHALLOW_IN.values())

IN_WORDS = {
    SMALL: "",
    FAST: ", of prefix adders and trees,",
    SHALLOW: ", of neurons that read sums,",
    shallow(4): ", of neurons that read sums of up to 4 copies of a signal,",
    shallow(8): ", of neurons that read sums, with weights up to 8,",
    **{each: f", of neurons that read sums, {rows_in_words(each)}," for each in SHALLOW_ROWS},
    COMPACT: ", digit by digit from the top,",
}

DEPENDENT = ("add", "subtract", "less_than", "normalise", "multiply", "divide", "square_root")
"""The blocks that it makes a difference to whether the structure is small or fast."""

WIDTH_OF_LARGER_RADICES = {"divide": 5, "square_root": 12}
"""More than one row, by rows of four bits too."""

GROUPED = ("add", "subtract", "sum_or_difference")
"""The blocks that are of groups of groups of places, if they are wide and weights small."""


def exists(library: str, kind: str, structure: Structure) -> bool:
    """Whether a block is another than that of the small structure, and the library can make it."""
    if structure.shallow:
        return SHALLOW_IN.get(library) == structure
    return structure == SMALL or kind in DEPENDENT


def obligations() -> Iterator[Obligation]:
    """``block.LIBRARY.KIND.WIDTH``, and with the structure behind it those that are not small."""
    for library, kind, structure in product(LIBRARIES, integers.BLOCKS, STRUCTURES):
        if exists(library, kind, structure):
            for width in WIDTHS[kind]:
                yield obligation(library, kind, width, structure)
    for (library, structure), kind in product(SHALLOW_IN.items(), integers.SHALLOW_BLOCKS):
        for width in WIDTHS[kind]:
            yield obligation(library, kind, width, structure)
    for kind in GROUPED:
        yield obligation(DEFAULT_LIBRARY, kind, 13, shallow(8))
    for kind, structure in product(ROWS, LARGER_RADICES.values()):
        yield obligation(DEFAULT_LIBRARY, kind, WIDTH_OF_LARGER_RADICES[kind], structure)
    for structure in REDUNDANT.values():
        yield obligation(DEFAULT_LIBRARY, "divide", WIDTH_OF_LARGER_RADICES["divide"], structure)
    for kind in BY_DIGITS:
        yield obligation(DEFAULT_LIBRARY, kind, WIDTHS[kind][0], COMPACT)


def obligation(library: str, kind: str, width: int, structure: Structure) -> Obligation:
    """That a block is its integer function; of copies, for CaDiCaL alone, and by rows of more than two
    bits, or without rows, in ``--wide``.
    """
    netlist = shallow_block_netlist if kind in SHALLOW_BLOCKS else block_netlist
    copies = structure.shallow and library != DEFAULT_LIBRARY
    wide = copies or structure in (*SHALLOW_ROWS, COMPACT)
    name = STRUCTURE_NAMES[structure]
    proviso = PROVISOS.get(kind, "")
    return equivalence(
        f"block.{library}.{kind}.{width}" + ("" if structure == SMALL else f".{name}"),
        f"the {library} {kind} block of {width} bits{IN_WORDS[structure]} is its integer function"
        f"{proviso}",
        circuit=partial(netlist, library, kind, input_widths(width)[kind], structure),
        meaning={**integers.BLOCKS, **integers.SHALLOW_BLOCKS}[kind],
        assumptions=ASSUMPTIONS.get(kind, lambda inputs: ()),
        engines=("cadical",) if copies else BOTH,
        profile=Profile.WIDE if wide else Profile.DEFAULT,
        parameters={
            "family": "block",
            "library": library,
            "operation": kind,
            "width": str(width),
            "structure": name,
        },
        function=f"the integer function {kind} of {width} bits{proviso}",
    )
