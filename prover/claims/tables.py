"""Tables of what outputs are for every input, as formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pysmt.fnode import FNode
from pysmt.shortcuts import BV, FALSE, TRUE, BVExtract, Equals, Ite

from spikeproof.circuits.meanings.boolean import unpack_words, word_type
from spikeproof.circuits.meanings.formula import bus_formula
from spikeproof.specs.integers import Buses

TABLE_BITS = 16
"""Of up to so many input bits together a table says what is right, and every input is evaluated."""


def of_every_input(
    results: Mapping[str, Sequence[int] | NDArray[Any]], inputs: Buses, outputs: Mapping[str, int]
) -> Buses:
    """Each bit of the outputs as a choice by one input bit after another, the same choices shared.

    The topmost bits come first, of each bus in turn, for which most functions have few choices.

    Args:
        results: of every input, the first bus varying fastest.
        outputs: their widths.
    """
    places = [(name, n) for name, bus in inputs.items() for n in range(bus.bv_width())]
    above = {place: inputs[place[0]].bv_width() - place[1] for place in places}
    chosen = sorted(places, key=lambda place: above[place])
    bits = [Equals(BVExtract(inputs[name], n, n), BV(1, 1)) for name, n in chosen]
    axes = [len(places) - 1 - places.index(place) for place in chosen]
    known: dict[bytes, FNode] = {}

    def choice(values: NDArray[np.bool_]) -> FNode:
        if not values.any():
            return FALSE()
        if values.all():
            return TRUE()
        key = values.tobytes()
        if key not in known:
            half = len(values) // 2
            bit = bits[len(bits) - len(values).bit_length() + 1]
            known[key] = Ite(bit, choice(values[half:]), choice(values[:half]))
        return known[key]

    def word(name: str) -> FNode:
        codes = np.array(results[name], dtype=word_type(outputs[name]))
        columns = (
            column.reshape((2,) * len(places)).transpose(axes).reshape(-1)
            for column in unpack_words(codes, outputs[name])
        )
        return bus_formula(dict(enumerate(map(choice, columns))), tuple(range(outputs[name])))

    return {name: word(name) for name in outputs}
