"""Circuits whose error is derived from their programs: what must hold of faulty ones, and of probes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import floor, log2

import numpy as np
import pytest

from spikeproof.circuits.meanings import matrices
from spikeproof.circuits.meanings.programs import ProgramError
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.bounded import Bound
from spikeproof.prover.kernel.bit_sums import BoundError
from spikeproof.prover.refutation.mutation import sample
from spikeproof.specs.formats import Format
from tests.support.profile import NIGHTLY, one_of_each

Derivation = Callable[[Netlist], Fraction]
"""How far a circuit's results are off, as the kernel derives it."""


def assert_mutants_are_refused_or_within_their_bound(
    netlist: Netlist, function: str, fmt: Format, derived: Derivation, count: int = 12 if NIGHTLY else 8
) -> None:
    """On every input: one of which an entry of a table is another, say, is within a larger bound.

    Args:
        count: so many mutants; most are refused, and some must be left whose bound is put to the test.
    """
    codes = np.arange(1 << fmt.width, dtype=np.uint64)
    nearest = Bound(function, fmt, 0).at({"x": codes})["result"]
    refused = 0
    for _, mutant in sample(netlist, count, seed=1):
        try:
            error = derived(mutant.netlist)
        except (BoundError, ProgramError):
            refused += 1
            continue
        bound = Bound(function, fmt, floor(-log2(error * (2 << fmt.fraction_bits))))
        found = matrices.evaluate(mutant.netlist, {"x": codes})["result"].astype(np.uint64)
        assert all(int(found[c]) in bound.right(c) for c in np.flatnonzero(found != nearest).tolist())
    assert 0.45 * count < refused < count


def assert_probes_are_not_believed(netlist: Netlist, derived: Derivation) -> None:
    """A word that is another is refused, whatever its probe says: by default one word of each kind."""
    names = sorted(netlist.probes)
    exchanged = zip(names, [*names[1:], names[0]], strict=True)
    for name, other in one_of_each(exchanged, kind=lambda pair: pair[0].rstrip("0123456789")):
        probes = {**netlist.probes, name: netlist.probes[other]}
        with pytest.raises((BoundError, KeyError, IndexError)):
            derived(replace(netlist, probes=probes))
