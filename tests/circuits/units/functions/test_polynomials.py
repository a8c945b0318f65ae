"""Rows of polynomials: a small format on every input, FP32 where it matters, against the spec."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.meanings.programs import ProgramEvaluator
from spikeproof.circuits.units.functions.building import build_function
from spikeproof.circuits.units.functions.fitting import tuned_rows
from spikeproof.circuits.units.functions.half_turns import PLAN, Quarter
from spikeproof.circuits.units.functions.kept_rows import FOUND, PLANS, file_of, rows_of
from spikeproof.circuits.units.functions.modes import ASKING, MADE
from spikeproof.circuits.units.functions.polynomials import (
    Group,
    Polynomials,
    Shape,
    Stage,
    polynomials_unit,
    read,
    written,
)
from spikeproof.circuits.units.functions.targets import Target
from spikeproof.circuits.units.libraries import library_gates
from spikeproof.specs.formats import FP32, OverflowPolicy, RoundingMode, ieee_format
from spikeproof.specs.functions import compute, results_from
from tests.support.profile import NIGHTLY, one_of_each

SMALL = ieee_format(5, 11 if NIGHTLY else 9)
IEEE, RNE = OverflowPolicy.IEEE, RoundingMode.NEAREST_EVEN


def kept(functions):
    """Those of which there are rows in a file, each with the mode."""
    pairs = product(functions, MADE)
    return [(function, mode) for function, mode in pairs if file_of(function, FP32, mode).exists()]


def outputs(netlist, codes):
    program = ProgramEvaluator(netlist, read_program(netlist))
    return program.evaluate({"x": np.asarray(codes, dtype=np.uint64)})["result"].astype(np.int64)


def circuit_of(found: Polynomials, width: int):
    gates = library_gates("threshold")
    x = gates.builder.input("x", width)
    return gates.builder.build({"result": polynomials_unit(gates, x, found)})


def test_groups():
    """u = 13 of 5 digits in groups of 2, a word of offset 40."""
    shape = Shape(8, 5, 0, 2, ())
    groups = list(shape.groups(Stage(9, 40, 4)))
    assert groups == [Group(3, 5, 2, (-10, -19)), Group(1, 3, 4, (-1, -3))]
    assert list(shape.groups(Stage(9, 40, 5)))[2] == Group(0, 1, 5, (-1,))


def by_hand() -> Polynomials:
    """Rows of 0 to 15: 3; of 16 to 47: 5 + 4 t + t^2 / 8; from 48 on the code; but 20 is mended."""
    shape = Shape(6, 5, 12, 1, (Stage(20, 0, 5), Stage(20, 0, 5)))
    half = 1 << 11
    return Polynomials(
        shape,
        starts=(0, 16, 48),
        lengths=(5, 5, 5),
        scales=(0, 1, 0),
        follows=(0, 0, 1),
        coefficients=(
            ((3 << 12) + half, (5 << 12) + half, half),
            (0, 64 << 12, 0),
            (0, 64 << 12, 0),
        ),
        exceptions={20: -2},
    )


def test_a_program_by_hand():
    found = by_hand()
    codes = np.arange(64)
    t = codes - 16
    middle = np.minimum(5 + 4 * t + (t * t + 4) // 8, 63)
    expected = np.select([codes < 16, codes < 48], [np.full(64, 3), middle], codes)
    expected[20] -= 2
    assert np.array_equal(found.results(codes), expected)
    netlist = circuit_of(found, 6)
    assert np.array_equal(boolean.evaluate(netlist, {"x": codes.astype(np.uint64)})["result"], expected)
    assert np.array_equal(outputs(netlist, codes), expected)


def test_text():
    found = by_hand()
    assert read(written(found)) == found


@pytest.mark.parametrize(
    ("function", "mode"),
    [
        ("tanh", RNE),
        ("tanh", RoundingMode.TO_ODD),
        ("gelu", RoundingMode.UP),
        ("log1p", RoundingMode.TOWARD_ZERO),
        ("softplus", RoundingMode.DOWN),
        ("silu", RoundingMode.NEAREST_AWAY),
    ],
)
def test_every_code_of_a_small_format(function, mode):
    netlist = build_function(function, SMALL, mode, IEEE, construction="polynomials")
    expected = results_from(function, SMALL, mode, IEEE, 0, 1 << SMALL.width)
    assert np.array_equal(outputs(netlist, np.arange(1 << SMALL.width)), expected)


@pytest.mark.parametrize("function", ["softplus", "expm1", "erf"])
def test_rows_of_other_functions(function):
    """The program alone, and the magnitudes alone if the function is odd."""
    found = rows_of(function, SMALL, RNE, IEEE)
    count = 1 << found.shape.width
    expected = results_from(function, SMALL, RNE, IEEE, 0, count)
    assert np.array_equal(found.results(np.arange(count)), expected)


def telling_codes(found: Polynomials) -> np.ndarray:
    """Where rows begin and end, all exceptions, and drawn ones."""
    random = np.random.default_rng(1)
    starts = np.array(found.starts)
    drawn = random.integers(0, 1 << 32, 500)
    within = starts + (np.append(starts[1:], 1 << found.shape.width) - starts) // 3
    return np.concatenate((starts, starts[1:] - 1, within, [*found.exceptions], drawn))


@pytest.mark.parametrize(("function", "mode"), one_of_each(kept(PLANS), kind=lambda case: case[0]))
def test_telling_codes(function, mode):
    """The netlist is what its rows say, and right."""
    rows = rows_of(function, FP32, mode, IEEE)
    codes = telling_codes(rows)
    netlist = build_function(function, FP32, mode, IEEE, construction="polynomials")
    found = outputs(netlist, codes)
    unsigned = codes & (1 << rows.shape.width) - 1
    assert np.array_equal(found & (1 << rows.shape.width) - 1, rows.results(unsigned))
    require_right(function, mode, codes, found)


def require_right(function, mode, codes, found):
    """Of some of the codes the results are what the spec says."""
    drawn = np.random.default_rng(2).permutation(len(codes))[: 500 if NIGHTLY else 150]
    expected = [compute(function, FP32, mode, IEEE, int(codes[place])) for place in drawn]
    assert found[drawn].tolist() == expected


@pytest.mark.parametrize("mode", ASKING)
def test_telling_codes_where_rows_are_of_another_mode(mode):
    codes = telling_codes(rows_of("tanh", FP32, mode, IEEE))
    netlist = build_function("tanh", FP32, mode, IEEE)
    require_right("tanh", mode, codes, outputs(netlist, codes))


TARGETS = {
    **{each: (Target(each[0], FP32, each[1], IEEE), PLANS[each[0]]) for each in kept(PLANS)},
    **{each: (Quarter(each[0], FP32, each[1], IEEE), PLAN) for each in kept(("sin_pi", "cos_pi"))},
}
"""What is kept, and how it is found."""


def test_every_file_of_rows_is_one_that_is_found():
    files = {file_of(function, FP32, mode) for function, mode in TARGETS}
    assert {*file_of("tanh", FP32, RNE).parent.glob("*.json")} == files


def some_codes(function, kept):
    """Ranges of codes."""
    if function == "tanh":
        return (0, 0x3C00_0000), (0x3F40_0000, 0x3F5F_FFFF)
    thirds = (len(kept.starts) * k // 3 for k in (1, 2))
    return [(kept.starts[place], kept.starts[place + 8]) for place in thirds]


def kind(of):
    """What makes rows of other functions, and other modes, much the same."""
    target, plan = TARGETS[of]
    return type(target), plan.scales


@pytest.mark.parametrize(("function", "mode"), one_of_each(TARGETS, kind))
def test_kept_rows_are_found_again(function, mode):
    """Those of a range of codes, and no others: of a function of every kind; nightly of two, of all."""
    kept = read(file_of(function, FP32, mode).read_text())
    for first, last in some_codes(function, kept)[: None if NIGHTLY else 1]:
        shape, tuning = tuned_rows(*TARGETS[function, mode], first, last)
        assert shape == kept.shape
        found = list(tuning)
        low, high = found[0][0].row.start, found[-1][0].row.end
        places = [place for place, start in enumerate(kept.starts) if low <= start < high]
        assert len(places) == len(found) > 5
        for place, (each, length, scale) in zip(places, found, strict=True):
            assert kept.starts[place] == each.row.start
            assert (kept.lengths[place], kept.scales[place]) == (length, scale)
            assert tuple(column[place] for column in kept.coefficients) == each.coefficients
            ours = {c: by for c, by in kept.exceptions.items() if each.row.start <= c < each.row.end}
            assert ours == each.exceptions


def test_every_exception_counts():
    found = rows_of("tanh", FP32, RNE, IEEE)
    codes = np.array(sorted(found.exceptions))
    without = replace(found, exceptions={}).results(codes)
    assert np.array_equal(found.results(codes) - without, [found.exceptions[c] for c in codes.tolist()])
    assert np.all(found.results(codes) != without)


@pytest.mark.parametrize(
    ("fmt", "mode", "policy"),
    [
        (FP32, RNE, OverflowPolicy.SATURATE),
        (ieee_format(8, FOUND - 8), RNE, IEEE),
    ],
)
def test_what_is_not_kept_is_refused(fmt, mode, policy):
    with pytest.raises(ValueError, match="no rows of polynomials are kept for tanh"):
        rows_of("tanh", fmt, mode, policy)
