"""Units under conventions, simulated: results and flags are those of the spec of record."""

import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.specs import exact
from spikeproof.specs.conventions import IEEE, convention_named
from spikeproof.specs.formats import (
    ARITY,
    FP8_E4M3FN,
    FP8_E5M2,
    OverflowPolicy,
    RoundingMode,
    ieee_format,
)
from tests.support.conventions import CONVENTIONS, some_operands
from tests.support.profile import NIGHTLY

TINY = ieee_format(2, 2)
MODES = tuple(RoundingMode)
POLICY = OverflowPolicy.IEEE


def assert_as_recorded(operation, fmt, mode, convention, seed, source=None):
    how = {"source": source, "convention": convention}
    netlist = build_unit(operation, fmt, mode, POLICY, flags=True, **how)
    codes = some_operands(source or fmt, operation, seed)
    inputs = dict(zip(netlist.inputs, codes, strict=True))
    found = boolean.evaluate(netlist, inputs)
    for index, row in enumerate(zip(*(words.tolist() for words in inputs.values()), strict=True)):
        given = [int(found[name][index]) for name in ("result", "flags")]
        result = exact.compute(operation, fmt, mode, POLICY, *row, **how)
        flags = exact.flags(operation, fmt, mode, *row, **how)
        assert given == [result, flags], (convention.name, mode, row)


@pytest.mark.parametrize("operation", sorted(set(ARITY) - {"convert"}))
def test_units_follow_every_pair_of_choices(operation):
    """By default every other choice, by turns: formulas are compared in all."""
    turns = 1 if NIGHTLY else 2
    for index in range(list(ARITY).index(operation) % turns, len(CONVENTIONS), turns):
        assert_as_recorded(operation, TINY, MODES[index % len(MODES)], CONVENTIONS[index], index)


@pytest.mark.parametrize(
    ("source", "target"), [(TINY, FP8_E5M2), (FP8_E5M2, TINY), (ieee_format(3, 4), TINY)], ids=str
)
def test_conversions_follow_them(source, target):
    for index, convention in enumerate(CONVENTIONS):
        assert_as_recorded("convert", target, MODES[index % len(MODES)], convention, index, source)


def test_what_goes_unsaid_costs_no_neuron():
    plain, named = (
        build_unit("fma", FP8_E5M2, RoundingMode.UP, POLICY, flags=True, **how)
        for how in ({}, {"convention": IEEE})
    )
    assert plain.sha256 == named.sha256


def test_a_convention_that_a_format_cannot_have_is_refused():
    with pytest.raises(ValueError, match="fp8_e4m3fn has no NaN with a payload, so no 'x86_nan'"):
        build_unit(
            *("add", FP8_E4M3FN, RoundingMode.UP, OverflowPolicy.NAN),
            convention=convention_named("x86_sse"),
        )
