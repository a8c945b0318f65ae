"""Spikes of programs: exact where every instance is simulated, else within a few standard errors."""

import numpy as np

from spikeproof.circuits.meanings.activity import activity
from spikeproof.prover.claims.programs import unit_named
from spikeproof.prover.running.program_activity import spent
from spikeproof.specs.programs import Arithmetic, Array, module

UNIT = "fp8_e5m2.add.rne"


def program(count):
    given = dict.fromkeys("xy", Array("fp8_e5m2", (count,)))
    return module("sums", given, Arithmetic("fp8_e5m2").add)


def drawn(count):
    rng = np.random.default_rng(5)
    return {name: rng.integers(0, 256, count, np.uint8) for name in "xy"}


def counted(given):
    netlist = unit_named(UNIT).netlist
    found = list(activity(netlist, given))
    return [sum(int(getattr(each, what).sum()) for each in found) for what in ("spikes", "operations")]


def test_few_instances_are_counted_whole():
    found = spent(program(3), drawn(3))
    assert [found.spikes.mean, found.operations.mean] == counted(drawn(3))


def test_many_are_estimated_within_four_standard_errors():
    given = drawn(2000)
    for seed in range(3):
        found = spent(program(2000), given, seed)
        for estimate, whole in zip((found.spikes, found.operations), counted(given), strict=True):
            assert abs(estimate.mean - whole) < 4 * estimate.error
            assert 0 < estimate.error < whole
