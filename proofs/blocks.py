"""Every integer block of every library equals its integer function."""

from collections.abc import Iterator, Mapping
from functools import partial

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, NotEquals

from circuits.integer import block_netlist
from circuits.libraries import LIBRARIES
from prover.obligation import Obligation, equivalence
from specs import integers
from specs.integers import Buses


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
        "multiply": {"x": width, "y": width},
    }


WIDTHS = {kind: (4, 5) if kind == "multiply" else (4, 8, 11) for kind in integers.BLOCKS}
"""Widths that the FP8 units use, and one that is not a power of two."""


def x_is_not_zero(inputs: Buses) -> tuple[FNode, ...]:
    """Zero has no leading bit, so that normalising it means nothing."""
    return (NotEquals(inputs["x"], BV(0, inputs["x"].bv_width())),)


ASSUMPTIONS = {"normalise": x_is_not_zero}
PROVISOS = {"normalise": ", for x other than 0"}


def obligations() -> Iterator[Obligation]:
    """``block.LIBRARY.KIND.WIDTH``."""
    for library in LIBRARIES:
        for kind, meaning in integers.BLOCKS.items():
            for width in WIDTHS[kind]:
                yield equivalence(
                    f"block.{library}.{kind}.{width}",
                    f"the {library} {kind} block of {width} bits is its integer function"
                    f"{PROVISOS.get(kind, '')}",
                    circuit=partial(block_netlist, library, kind, input_widths(width)[kind]),
                    meaning=meaning,
                    assumptions=ASSUMPTIONS.get(kind, lambda inputs: ()),
                )
