"""The shallow structure: linear forms, blocks of neurons that read sums, bounded weights, units."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist, NetlistBuilder
from spikeproof.circuits.units.copies import bounded
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.floating_point.shallow_rounding import overridden
from spikeproof.circuits.units.forms import (
    NEVER,
    Form,
    all_and_reaches,
    all_of,
    bit,
    bits,
    number,
    signal,
    signals,
)
from spikeproof.circuits.units.integer import block_netlist
from spikeproof.circuits.units.libraries import (
    DEFAULT_LIBRARY,
    LARGER_RADICES,
    LARGEST_WEIGHTS,
    REDUNDANT,
    SHALLOW,
    SMALL,
    STRUCTURE_NAMES,
    library_gates,
    rows_in_words,
    shallow,
)
from spikeproof.circuits.units.shallow import (
    Shifted,
    Thermometer,
    any_chosen,
    constant,
    minus_count,
    reaches_constant,
    shift_right,
    shift_right_binary,
    sum_of,
    sum_or_difference,
    thermometer,
)
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.specs.conventions import BUNDLES
from spikeproof.specs.formats import (
    ARITY,
    BFLOAT16,
    FP4_E2M1,
    FP6_E2M3,
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP8_E5M2,
    FP16,
    FP32,
    FP64,
    OPERANDS,
    OverflowPolicy,
    RoundingMode,
)
from tests.support.operands import expected_flags, expected_results, first_difference, operands
from tests.support.profile import one_of_each, parameter_id

RNE = RoundingMode.NEAREST_EVEN


def gates_and_buses(largest_weight: int, **widths: int):
    gates = library_gates(DEFAULT_LIBRARY, shallow(largest_weight))
    return gates, {name: bits(gates.builder.input(name, width)) for name, width in widths.items()}


def every_input(**widths: int) -> dict[str, np.ndarray]:
    axes = np.meshgrid(*(np.arange(1 << width, dtype=np.uint64) for width in widths.values()))
    return {name: axis.ravel() for name, axis in zip(widths, axes, strict=True)}


def largest_weight(netlist: Netlist) -> int:
    return max(abs(weight) for neuron in netlist.neurons for _, weight in neuron.synapses)


# --- forms --------------------------------------------------------------------------------------


def test_what_the_range_of_a_form_decides_takes_no_neuron():
    gates, given = gates_and_buses(64, x=3)
    a, b, c = given["x"]
    either = (a + b).within(0, 1)
    assert all_of(gates, either, NEVER) == NEVER
    assert all_of(gates, either, 1 - NEVER) == either
    assert all_and_reaches(gates, [c], either, 2) == NEVER
    assert gates.builder.build({"out": (signal(gates, 1 - a),)}).statistics.neurons == 1


def test_conditions_outweigh_a_form_that_goes_beyond_its_threshold():
    """Else a large form would make up for a condition that is 0."""
    gates, given = gates_and_buses(64, x=5)
    *places, a, b = given["x"]
    found = all_and_reaches(gates, [a, b], number(places), 2)
    netlist = gates.builder.build({"out": (signal(gates, found),)})
    inputs = every_input(x=5)
    x = inputs["x"]
    assert np.array_equal(boolean.evaluate(netlist, inputs)["out"] == 1, (x >= 24) & (x % 8 >= 2))


def test_the_last_case_that_holds_decides():
    gates, given = gates_and_buses(64, x=4)
    form, first, second, third = given["x"]
    over = overridden(form - 1 + form, (first, False), (second, True), (third, False))
    netlist = gates.builder.build({"out": (signal(gates, over),)})
    inputs = every_input(x=4)
    x = inputs["x"].astype(int)
    expected = np.where(x & 8, 0, np.where(x & 4, 1, np.where(x & 2, 0, x & 1)))
    assert np.array_equal(boolean.evaluate(netlist, inputs)["out"], expected)


# --- blocks -------------------------------------------------------------------------------------

WEIGHTS_AND_WIDTHS = [(2, 3), (2, 8), (4, 8), (8, 7), (64, 7)]
"""From one group of places to groups of groups."""


@pytest.mark.parametrize(("most", "width"), WEIGHTS_AND_WIDTHS)
def test_sum_or_difference(most, width):
    """In a sum nothing is borrowed, whatever comes in."""
    gates, given = gates_and_buses(most, x=width, y=width, opposite=1, borrow=1)
    (opposite,), (borrow,) = given["opposite"], given["borrow"]
    found, carry = sum_or_difference(
        gates, given["x"], given["y"], opposite, borrow, gates.structure.places
    )
    netlist = bounded(
        gates.builder.build({"sum": signals(gates, (*found, carry))}), gates.structure.largest_weight
    )
    assert largest_weight(netlist) <= most
    inputs = every_input(x=width, y=width, opposite=1, borrow=1)
    x, y, subtracts, b = (words.astype(int) for words in inputs.values())
    expected = np.where(subtracts, x - y - b, x + y)
    possible = expected >= 0
    actual = boolean.evaluate(netlist, inputs)["sum"].astype(int)
    assert np.array_equal(actual[possible], expected[possible])


@pytest.mark.parametrize("step", [1, 2, 3, 8])
def test_the_part_that_has_a_count_is_shifted(step):
    gates, given = gates_and_buses(64, x=4, y=4, amount=3, which=1)
    (which,) = given["which"]
    steps = thermometer(gates, given["amount"], 5).steps[1:]
    counts = [
        Thermometer((chosen, *(all_of(gates, each, chosen) for each in steps)))
        for chosen in (1 - which, which)
    ]
    parts = [Shifted(given[name], count) for name, count in zip("xy", counts, strict=True)]
    moved = shift_right(gates, *parts, step=step)
    lost = [
        each
        for part in parts
        for each in any_chosen(gates, part.x, part.count.steps[1:5], gates.structure.places)
    ]
    netlist = gates.builder.build({"moved": signals(gates, moved), "lost": signals(gates, lost)})
    inputs = every_input(x=4, y=4, amount=3, which=1)
    x, y, amount, second = (words.astype(int) for words in inputs.values())
    chosen, amount = np.where(second, y, x), np.minimum(amount, 5)
    actual = boolean.evaluate(netlist, inputs)
    assert np.array_equal(actual["moved"], chosen >> amount)
    assert np.array_equal(actual["lost"] != 0, (chosen >> amount) << amount != chosen)


@pytest.mark.parametrize("first", [0, 1, 2, 3])
def test_shifts_by_a_number_in_binary(first):
    gates, given = gates_and_buses(64, x=6, amount=3)
    moved = shift_right_binary(gates, given["x"], given["amount"], first)
    netlist = gates.builder.build({"moved": signals(gates, moved)})
    inputs = every_input(x=6, amount=3)
    x, amount = (words.astype(int) for words in inputs.values())
    assert np.array_equal(boolean.evaluate(netlist, inputs)["moved"], x >> amount)


@pytest.mark.parametrize("offset", [-13, 0, 5])
def test_sums_of_few_numbers_in_one_level(offset):
    gates, given = gates_and_buses(64, x=4, y=4, z=4)
    summed = sum_of(gates, *given.values(), constant(offset, 4))
    netlist = gates.builder.build({"sum": signals(gates, summed)})
    assert netlist.statistics.depth == 2
    inputs = every_input(x=4, y=4, z=4)
    x, y, z = (words.astype(int) for words in inputs.values())
    assert np.array_equal(boolean.evaluate(netlist, inputs)["sum"], (x + y + z + offset) % 16)


def test_a_count_in_binary_and_what_it_leaves():
    gates, given = gates_and_buses(64, x=5, amount=4)
    count = thermometer(gates, given["amount"], 11)
    left = minus_count(gates, given["x"], count)
    binary = [count.place(index) for index in range(4)]
    netlist = gates.builder.build({"left": signals(gates, left), "count": signals(gates, binary)})
    inputs = every_input(x=5, amount=4)
    x, amount = (words.astype(int) for words in inputs.values())
    amount = np.minimum(amount, 11)
    actual = boolean.evaluate(netlist, inputs)
    assert np.array_equal(actual["count"], amount)
    possible = x >= amount
    assert np.array_equal(actual["left"][possible].astype(int), (x - amount)[possible])


# --- weights within a bound ---------------------------------------------------------------------


def heavy() -> Netlist:
    """An input, a neuron, and one with a probe, all read with weights beyond 4."""
    builder = NetlistBuilder()
    a, b, c = builder.input("x", 3)
    plain, probed = (builder.neuron([(p, 1), (q, 1)], 2) for p, q in ((a, b), (b, c)))
    builder.probe("probed", (probed,))
    out = builder.neuron([(a, 5), (plain, -11), (probed, 9), (c, 1)], 5)
    return builder.build({"out": (out,)})


@pytest.mark.parametrize("most", [1, 2, 4, 8, 11])
def test_what_weighs_more_is_read_from_copies(most):
    netlist, inputs = heavy(), every_input(x=3)
    made = bounded(netlist, most)
    assert largest_weight(made) <= most
    for name, words in boolean.evaluate(netlist, inputs).items():
        assert np.array_equal(boolean.evaluate(made, inputs)[name], words)
    if most >= 11:
        assert made.statistics == netlist.statistics


def test_copies_of_what_has_a_probe_read_the_probe():
    """A proof that is cut there takes the signal as free, and with it all its copies."""
    netlist = bounded(heavy(), 4)
    (probed,) = netlist.probes["probed"]
    copies = [neuron for neuron in netlist.neurons if neuron.synapses == ((probed, 1),)]
    assert len(copies) == 2
    originals = [neuron for neuron in netlist.neurons if neuron.synapses == ((1, 1), (0, 1))]
    assert len(originals) == 3, "a neuron without a probe is made again"


def test_blocks_read_their_input_buses_alone():
    """A neuron that is made again would be computed beside the bus that a block has for its input."""
    builder = NetlistBuilder()
    a, b, c = builder.input("x", 3)
    plain = builder.neuron([(a, 1), (b, 1)], 2)
    out = builder.neuron([(plain, -11), (c, 5)], 5, bias=6)
    builder.block("any", "any", {"given": (plain, c)}, {"out": (out,)})
    netlist = bounded(builder.build({"out": (out,)}), 4)
    (block,) = netlist.blocks
    (again,) = {source for source, _ in netlist.neurons[-1].synapses} & {block.inputs["given"][0]}
    assert sum(neuron.synapses == ((again, 1),) for neuron in netlist.neurons) == 2


# --- units --------------------------------------------------------------------------------------


FORMATS = (FP8_E4M3FN, FP8_E5M2, FP8_E4M3FNUZ)

SMALL_UNITS = [
    *product(FORMATS, ("add",)),
    *product((FP8_E4M3FNUZ, FP4_E2M1), ("subtract",)),
    *product((*FORMATS, FP4_E2M1), ("multiply", "fma", "divide")),
    *product((*FORMATS, FP6_E2M3), ("square_root",)),
]
CHOSEN = one_of_each(
    [
        (*unit, mode, policy)
        for unit in SMALL_UNITS
        for mode, policy in product(RoundingMode, unit[0].policies)
    ],
    kind=lambda case: case[:2],
)
"""Formats, operations, modes and policies: by default of each unit one mode or another, and policy."""


@pytest.mark.parametrize(("fmt", "operation", "mode", "policy"), CHOSEN, ids=parameter_id)
def test_all_operands(fmt, operation, mode, policy):
    netlist = build_unit(operation, fmt, mode, policy, flags=True, structure=SHALLOW)
    actual = boolean.evaluate(netlist, operands(fmt, operation))
    for bus, expected in (
        ("result", expected_results(fmt, operation, mode, policy)),
        ("flags", expected_flags(fmt, operation, mode)),
    ):
        wrong = first_difference(fmt, actual[bus], expected, operation)
        assert wrong is None, f"{bus}: {wrong}"


def built(fmt, structure, mode=RNE, operation="add", **choices):
    return build_unit(operation, fmt, mode, fmt.policies[0], structure=structure, **choices)


SUM, PRODUCT = ("magnitude", "sign"), ("x_significand", "y_significand", "product")

CUTS = {
    "add": SUM,
    "multiply": PRODUCT,
    "fma": (*PRODUCT, *SUM),
    "divide": ("dividend", "divisor", "quotient", "remainder"),
    "square_root": ("radicand", "root", "remainder"),
}


def one_of_fp64(case):
    """What is a kind of operation and format: any operation of FP64 is one."""
    return FP64 if FP64 in case else case


WIDE = one_of_each(
    product(CUTS, [FP16, BFLOAT16, FP32, FP64], RoundingMode),
    kind=lambda case: one_of_fp64(case[:2]),
)
"""Operations, formats and modes: by default each in one mode or another, and one of FP64."""


@pytest.mark.parametrize(("operation", "fmt", "mode"), WIDE, ids=parameter_id)
def test_wide_operands_and_the_values_that_proofs_are_cut_at(operation, fmt, mode):
    """Against the small unit, which is proved: operands drawn by class."""
    count = ARITY[operation]
    given = dict(zip(OPERANDS, many_codes(fmt, 2000, seed=7, operands=count), strict=False))
    results = []
    for structure in (SMALL, SHALLOW):
        netlist = built(fmt, structure, mode, operation, keep_waypoints=True)
        probes = {n: tuple(s for s in netlist.probes[n] if s >= 0) for n in CUTS[operation]}
        observed = replace(netlist, outputs={**netlist.outputs, **probes})
        results.append(boolean.evaluate(observed, given))
    for name, expected in results[0].items():
        assert np.array_equal(results[1][name], expected), name


@pytest.mark.parametrize("operation", CUTS)
@pytest.mark.parametrize("most", LARGEST_WEIGHTS)
def test_weights_are_bounded_and_the_function_is_the_same(most, operation):
    netlist = built(FP8_E5M2, shallow(most), operation=operation)
    assert largest_weight(netlist) <= most
    given = operands(FP8_E5M2, operation)
    expected = expected_results(FP8_E5M2, operation, RNE, OverflowPolicy.IEEE)
    assert np.array_equal(boolean.evaluate(netlist, given)["result"], expected)


MOST_NEURONS_AND_DEPTH = {
    ("add", FP8_E4M3FN): (240, 11),
    ("add", FP16): (480, 13),
    ("add", FP32): (1000, 14),
    ("add", FP64): (2500, 17),
    ("multiply", FP8_E4M3FN): (260, 11),
    ("multiply", FP16): (720, 14),
    ("multiply", FP32): (2200, 15),
    ("multiply", FP64): (8500, 18),
    ("fma", FP8_E4M3FN): (400, 21),
    ("fma", FP16): (1250, 21),
    ("fma", FP32): (3600, 23),
    ("fma", FP64): (12500, 27),
    ("divide", FP8_E4M3FN): (200, 22),
    ("divide", FP16): (850, 45),
    ("divide", FP32): (3000, 80),
    ("divide", FP64): (12500, 150),
    ("square_root", FP8_E4M3FN): (100, 16),
    ("square_root", FP16): (450, 36),
    ("square_root", FP32): (1600, 66),
    ("square_root", FP64): (7000, 155),
}

MEASURED = one_of_each(MOST_NEURONS_AND_DEPTH, kind=one_of_fp64)
"""By default one of FP64; at night all."""


@pytest.mark.parametrize(("operation", "fmt"), MEASURED, ids=parameter_id)
def test_depth_and_neurons(operation, fmt):
    netlist = built(fmt, SHALLOW, operation=operation)
    found = netlist.statistics
    neurons, depth = MOST_NEURONS_AND_DEPTH[operation, fmt]
    assert found.neurons <= neurons
    assert found.depth <= depth
    assert largest_weight(netlist) <= 64


@pytest.mark.parametrize("least", range(33))
def test_bits_reach_a_constant_by_weights_as_small_as_need_be(least):
    gates, given = gates_and_buses(64, x=5)
    netlist = gates.builder.build({"out": signals(gates, [reaches_constant(gates, given["x"], least)])})
    inputs = every_input(x=5)
    assert np.array_equal(boolean.evaluate(netlist, inputs)["out"] == 1, inputs["x"] >= least)
    if 0 < least < 32:
        assert largest_weight(netlist) <= 5 if netlist.neurons else least == 16


@pytest.mark.parametrize("most", [2, 4, 64])
@pytest.mark.parametrize("widths", [(1, 1), (2, 3), (5, 5), (6, 6), (3, 9)], ids=str)
def test_products_of_columns(widths, most):
    """From no counts at all to counts of counts."""
    netlist = block_netlist(
        DEFAULT_LIBRARY, "multiply", dict(zip("xy", widths, strict=True)), shallow(most)
    )
    assert largest_weight(netlist) <= most
    inputs = every_input(**netlist.inputs)
    assert np.array_equal(boolean.evaluate(netlist, inputs)["product"], inputs["x"] * inputs["y"])


SIZES_OF_ROWS = [(4, 2), (8, 2), (64, 2), (4, 3), (64, 3), (4, 4), (64, 4)]
"""Largest weights and bits of a row."""


def with_rows(*structures):
    return pytest.mark.parametrize(
        "structure", structures, ids=lambda each: f"{each.largest_weight}, {rows_in_words(each)}"
    )


@with_rows(*(shallow(*each) for each in SIZES_OF_ROWS), *REDUNDANT.values(), shallow(4, 3, True))
@pytest.mark.parametrize("width", [1, 2, 5, 8])
def test_quotients_by_rows(width, structure):
    """From one row to rows of groups of groups; first rows of one bit and of more."""
    most = structure.largest_weight
    netlist = block_netlist(DEFAULT_LIBRARY, "divide", {"x": width, "y": width}, structure)
    assert largest_weight(netlist) <= most
    inputs = every_input(x=width, y=width - 1) if width > 1 else {"x": np.arange(2, dtype=np.uint64)}
    x, y = inputs["x"], inputs.get("y", np.uint64(0)) + np.full_like(inputs["x"], 1 << width - 1)
    actual = boolean.evaluate(netlist, {"x": x, "y": y})
    quotient, remainder = divmod(x << np.uint64(width + 1), y)
    assert np.array_equal(actual["quotient"], quotient)
    assert np.array_equal(actual["remainder"], remainder)


@with_rows(*(shallow(*each) for each in SIZES_OF_ROWS))
@pytest.mark.parametrize("width", [1, 2, 3, 6, 8, 9])
def test_roots_by_rows(width, structure):
    """First rows of one bit to five; groups of too few places for what is carried are filled up."""
    most = structure.largest_weight
    netlist = block_netlist(DEFAULT_LIBRARY, "square_root", {"x": 2 * width}, structure)
    assert largest_weight(netlist) <= most
    inputs = every_input(x=2 * width)
    root = np.array([math.isqrt(x) for x in range(1 << 2 * width)], dtype=np.uint64)
    actual = boolean.evaluate(netlist, inputs)
    assert np.array_equal(actual["root"], root)
    assert np.array_equal(actual["remainder"], inputs["x"] - root * root)


MOST_BY_ROWS = {
    ("divide", FP32, LARGER_RADICES[8]): (3600, 60),
    ("divide", FP32, LARGER_RADICES[16]): (5000, 50),
    ("divide", FP64, LARGER_RADICES[8]): (15000, 104),
    ("square_root", FP32, LARGER_RADICES[8]): (1950, 47),
    ("square_root", FP32, LARGER_RADICES[16]): (2950, 39),
    ("square_root", FP64, LARGER_RADICES[8]): (8900, 106),
    ("divide", FP32, REDUNDANT[4]): (3900, 54),
    ("divide", FP32, REDUNDANT[8]): (3400, 42),
    ("divide", FP32, REDUNDANT[16]): (3300, 36),
    ("divide", FP64, REDUNDANT[8]): (13700, 73),
    ("divide", FP64, REDUNDANT[16]): (13100, 58),
}
"""Neurons and depth of quotients and roots by rows of more than two bits, or redundant ones."""


def row_id(parameter):
    return STRUCTURE_NAMES.get(parameter) or parameter_id(parameter)


@pytest.mark.parametrize(
    ("operation", "fmt", "structure"),
    one_of_each(MOST_BY_ROWS, kind=one_of_fp64),
    ids=row_id,
)
def test_larger_radices_and_redundant_rows_are_shallower(operation, fmt, structure):
    """And give what the small unit gives, which is proved: operands drawn by class."""
    netlist = built(fmt, structure, operation=operation)
    neurons, depth = MOST_BY_ROWS[operation, fmt, structure]
    assert netlist.statistics.neurons <= neurons
    assert netlist.statistics.depth <= depth
    assert largest_weight(netlist) <= structure.largest_weight
    count = ARITY[operation]
    given = dict(zip(OPERANDS, many_codes(fmt, 2000, seed=8, operands=count), strict=False))
    ours, small = (
        boolean.evaluate(each, given)["result"]
        for each in (netlist, built(fmt, SMALL, operation=operation))
    )
    assert np.array_equal(ours, small)


def test_what_a_count_stands_for():
    gates, given = gates_and_buses(64, amount=3)
    values = [5, 0, 9, 2, 2, 7]
    coded = thermometer(gates, given["amount"], 5).coded(values)
    netlist = gates.builder.build({"out": signals(gates, coded)})
    inputs = every_input(amount=3)
    expected = np.array(values)[np.minimum(inputs["amount"], 5).astype(int)]
    assert np.array_equal(boolean.evaluate(netlist, inputs)["out"], expected)


@pytest.mark.parametrize(
    "choices",
    [
        {"convention": BUNDLES["riscv"]},
        {"source": FP8_E5M2},
        {"operation": "multiply", "source": FP8_E5M2},
        {"operation": "multiply", "convention": BUNDLES["riscv"]},
        {"operation": "fma", "source": FP8_E5M2},
        {"operation": "fma", "convention": BUNDLES["riscv"]},
        {"operation": "divide", "convention": BUNDLES["riscv"]},
        {"operation": "square_root", "source": FP8_E5M2},
    ],
    ids=str,
)
def test_what_has_no_shallow_unit_of_its_own_is_of_shallow_blocks(choices):
    shallower, fast = (built(FP16, each, **choices) for each in (SHALLOW, SMALL))
    assert shallower.statistics.depth < fast.statistics.depth
    assert shallower.output_widths == fast.output_widths


@pytest.mark.parametrize("operation", ["add", "multiply"])
@pytest.mark.parametrize("most", [4, 64])
def test_ternary_units_read_copies_of_what_weighs_more(operation, most):
    made = built(FP8_E4M3FN, shallow(most), operation=operation, library="ternary")
    assert {weight for neuron in made.neurons for _, weight in neuron.synapses} <= {-1, 1}
    weighted = built(FP8_E4M3FN, shallow(most), operation=operation)
    assert len(made.neurons) > len(weighted.neurons)
    relays = 2
    assert made.statistics.depth <= weighted.statistics.depth + relays + 1
    drawn = {name: np.arange(1 << 16) >> 8 * place & 255 for place, name in enumerate("xy")}
    ours, theirs = (boolean.evaluate(each, drawn)["result"] for each in (made, weighted))
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("library", ["ionic", "nexus"])
def test_libraries_of_two_inputs_cannot_be_shallow(library):
    with pytest.raises(ValueError, match=f"library '{library}' cannot be shallow"):
        library_gates(library, SHALLOW)


def test_a_thermometer_has_no_more_steps_than_it_was_given():
    assert Thermometer((bit(0), bit(1)))[2] == NEVER
    assert Thermometer((bit(0), bit(1))).between(1, 2) == Form(0, {1: 1}, 0, 1)
