"""Bit-serial floating point: every pair by the spec of record; accumulators, run for many steps."""

from functools import partial

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.bitsliced import BitSlicedSimulator
from spikeproof.circuits.meanings.clocked import run, run_words
from spikeproof.circuits.units.floating_point.accumulator import accumulator
from spikeproof.circuits.units.floating_point.serial import (
    SERIAL_OPERATIONS,
    serial_schedule,
    serial_unit,
    serial_unit_netlist,
)
from spikeproof.specs import exact
from spikeproof.specs.formats import (
    FP4_E2M1,
    FP6_E2M3,
    FP6_E3M2,
    FP8_E4M3FN,
    FP16,
    Format,
    OverflowPolicy,
    RoundingMode,
    Specials,
)
from tests.support.operands import expected_results, operands

MODE = RoundingMode.NEAREST_EVEN
SEED = 20261129


@pytest.mark.parametrize("operation", SERIAL_OPERATIONS)
@pytest.mark.parametrize("fmt", [FP4_E2M1, FP6_E2M3, FP6_E3M2], ids=lambda fmt: fmt.name)
def test_every_pair_in_every_mode(fmt, operation):
    given = operands(fmt, operation)
    for mode in RoundingMode:
        policy = fmt.policies[0]
        netlist = serial_unit_netlist(operation, fmt, mode, policy, "threshold")
        found = boolean.evaluate(netlist, given)["result"]
        assert np.array_equal(found, expected_results(fmt, operation, mode, policy))


@pytest.mark.parametrize("operation", SERIAL_OPERATIONS)
def test_the_engine_runs_the_steps(operation):
    """All pairs of E4M3, step by step, after whatever was in mind: nothing is unrolled."""
    fmt, policy = FP8_E4M3FN, OverflowPolicy.SATURATE
    clocked = serial_unit(operation, fmt, MODE, policy, "ionic", again=True)
    given = dict(operands(fmt, operation))
    random = np.random.default_rng(SEED)
    states = {name: clocked.step.inputs[name] for name in clocked.initial}
    given |= {name: random.integers(0, 1 << width, len(given["x"])) for name, width in states.items()}
    evaluate = BitSlicedSimulator(clocked.step, 1).evaluate
    found = run_words(clocked, serial_schedule(operation, fmt, clocked), evaluate, given)["result"]
    assert np.array_equal(found, expected_results(fmt, operation, MODE, policy))


def test_steps():
    """Of E4M3 a sum takes 19 steps, as S1 says of its own."""
    steps = {name: each.steps(FP8_E4M3FN) for name, each in SERIAL_OPERATIONS.items()}
    assert steps == {"add": 19, "multiply": 13}
    assert [each.steps(FP4_E2M1) for each in SERIAL_OPERATIONS.values()] == [5, 4]


def test_layers():
    """The figures of docs/clocked.md: sums one after the other, and in a tree."""
    product, total = (SERIAL_OPERATIONS[name].steps(FP8_E4M3FN) for name in ("multiply", "add"))
    ratios = [
        (product + total * ((1 << levels) - 1)) / (product + total * levels) for levels in (7, 8, 9, 10)
    ]
    assert [round(ratio, 1) for ratio in ratios] == [16.6, 29.4, 52.8, 95.8]


def test_formats_of_few_exponents_are_refused():
    fmt = Format("e2m4", 2, 4, 1, Specials.FINITE)
    with pytest.raises(ValueError, match="more places than exponents"):
        serial_unit("add", fmt, MODE, OverflowPolicy.SATURATE, "threshold")


@pytest.mark.parametrize("operation", ["add", "fma"])
@pytest.mark.parametrize("fmt", [FP8_E4M3FN, FP16], ids=lambda fmt: fmt.name)
def test_an_accumulator_holds_the_sequential_sum(fmt, operation):
    """Forty steps of 50 sums, started again now and then; the spec of record adds up beside it."""
    policy, count, steps = fmt.policies[0], 50, 40
    clocked = accumulator(operation, fmt, MODE, policy)
    random = np.random.default_rng(SEED)
    names = ("x", "y")[: 1 if operation == "add" else 2]

    def step():
        codes = {name: random.integers(0, 1 << fmt.width, count) for name in (*names, "bias")}
        return {**codes, "start": (random.random(count) < 0.1).astype(np.uint64)}

    trains = [step() for _ in range(steps)]
    found = list(run(clocked, partial(boolean.evaluate, clocked.step), trains))
    for place in range(count):
        held = 0
        for given, outputs in zip(trains, found, strict=True):
            so_far = int(given["bias"][place] if given["start"][place] else held)
            x, *y = (int(given[name][place]) for name in names)
            held = exact.compute(operation, fmt, MODE, policy, *((x, *y, so_far) if y else (so_far, x)))
            assert int(outputs["sum"][place]) == held
