"""Netlists for tests: random ones, and every gate and block."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.units.integer import block_netlist
from spikeproof.circuits.units.libraries import (
    GATE_INPUTS,
    LIBRARIES,
    WIDE_GATES,
    gate_netlist,
    wide_gate_netlist,
)
from spikeproof.proofs.blocks import input_widths
from spikeproof.prover.refutation.drawing import every_input
from spikeproof.specs import integers

dyadic = st.builds(Fraction, st.integers(-12, 12), st.sampled_from((1, 2, 4)))


@st.composite
def netlists(draw: st.DrawFn, weights: st.SearchStrategy[Fraction] = dyadic) -> Netlist:
    """A netlist of up to three input buses and twelve neurons, with arbitrary weights."""
    widths = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    # Names tell widths apart: examples share one pySMT environment.
    inputs = {f"{name}{width}": width for name, width in zip("abc", widths, strict=False)}
    neurons = []
    for first_unavailable in range(sum(widths), sum(widths) + draw(st.integers(1, 12))):
        sources = draw(
            st.lists(st.integers(0, first_unavailable - 1), unique=True, max_size=5).map(sorted)
        )
        nonzero = weights.filter(bool)
        synapses = tuple((source, draw(nonzero)) for source in sources)
        neurons.append(Neuron(synapses, draw(weights), draw(weights)))
    signals = st.integers(0, sum(widths) + len(neurons) - 1)
    outputs = draw(st.lists(signals, min_size=1, max_size=4).map(tuple))
    return Netlist(inputs, tuple(neurons), {"out": outputs})


def gate_netlists() -> Iterator[tuple[str, Netlist]]:
    """Every gate of every library, wide ones of five inputs."""
    for library in LIBRARIES:
        for gate in GATE_INPUTS:
            yield f"{library}.{gate}", gate_netlist(library, gate)
        for gate in WIDE_GATES:
            yield f"{library}.{gate}", wide_gate_netlist(library, gate, 5)


def small_block_netlists() -> Iterator[tuple[str, Netlist]]:
    """Every block of every library, four bits wide."""
    for library in LIBRARIES:
        for kind in integers.BLOCKS:
            yield f"{library}.{kind}", block_netlist(library, kind, input_widths(4)[kind])


def all_inputs(netlist: Netlist) -> dict[str, np.ndarray]:
    """Every combination of input values, as arrays of one length."""
    return every_input(netlist.inputs)
