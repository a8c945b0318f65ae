"""Products of circuits that say nothing of themselves: found by structure, believed only if right."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from pysmt.shortcuts import Not

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import ONE, UNUSED, Block, NetlistBuilder, NetlistError
from spikeproof.prover.discovery.products import product_cells
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel import telescoping
from spikeproof.prover.kernel.cells import AlgebraError, Site
from tests.support.foreign.gates import Gates
from tests.support.foreign.multipliers import ADDERS, GATES, PARTIAL_PRODUCTS, TREES, multiplier
from tests.support.foreign.multipliers_fp import wallace
from tests.support.netlists import all_inputs
from tests.support.profile import NIGHTLY, one_of_each

STRUCTURES = list(product(PARTIAL_PRODUCTS, TREES, ADDERS, GATES))
CHOSEN = one_of_each(STRUCTURES, kind=lambda structure: structure[:3])
"""By default of one kind of gates or another each."""


def site(netlist, cells):
    return Site(
        replace(netlist, cells=cells), tuple(netlist.input_buses.values()), (netlist.outputs["product"],)
    )


def found(netlist):
    """What the kernel is asked with the cells that are found."""
    x, y = netlist.input_buses.values()
    return site(netlist, product_cells(netlist, x, y, netlist.outputs["product"]))


def holds(claim):
    answer = ENGINES["cadical"].check([*claim.assumptions, Not(claim.goal)], 60)
    return answer.status is Status.UNSATISFIABLE


def proved(netlist):
    """Whether the cells that are found show the product."""
    try:
        return all(map(holds, telescoping.product_claims(found(netlist)).values()))
    except (NetlistError, AlgebraError):
        return False


@pytest.mark.parametrize(("width", "structures"), [(3, STRUCTURES), (5, CHOSEN)], ids=["3", "5"])
def test_the_multipliers_that_are_drawn_multiply(width, structures):
    for structure in structures:
        netlist = multiplier(width, *structure)
        inputs = all_inputs(netlist)
        x, y = (inputs[name].astype(np.uint64) for name in ("x", "y"))
        assert (boolean.evaluate(netlist, inputs)["product"] == x * y).all(), structure


@pytest.mark.parametrize("structure", CHOSEN, ids="-".join)
def test_small_multipliers_of_every_structure_are_proved(structure):
    assert proved(multiplier(5, *structure))


@pytest.mark.parametrize(
    ("width", "structure"),
    [
        (3, ("simple", "array", "ripple", "nand")),
        (4, ("booth", "wallace", "select", "majority")),
        (8, ("booth", "dadda", "kogge_stone", "nand")),
        (11, ("simple", "compressors", "select", "xor_and")),
        (11, ("booth", "compressors", "brent_kung", "majority")),
        (24, ("simple", "wallace", "sklansky", "majority")),
        # Half adders upon half adders.
        (53 if NIGHTLY else 24, ("simple", "wallace", "kogge_stone", "xor_and")),
    ],
    ids=str,
)
def test_multipliers_of_other_sizes_are_proved(width, structure):
    assert proved(multiplier(width, *structure))


def test_a_half_adder_far_up_a_chain_of_carries_belongs_to_the_last_adder():
    """That its outputs are never both 1 shows where a carry comes through six columns of one bit."""
    gates = Gates()
    x, y = gates.builder.input("x", 24), gates.builder.input("y", 24)
    assert proved(gates.builder.build({"product": wallace(gates, x, y)}))


def test_a_bit_that_counts_at_two_places_leaves_nothing_to_engines():
    """Half an adder with a constant bit one, as signs are extended by, hands its other bit on twice."""
    assert telescoping.product_claims(found(multiplier(16, "booth", "wallace", "ripple"))) == {}


def test_the_last_adder_adds_two_rows():
    """What is more would be a tree of adders as one question, which engines do not answer at 53 bits."""
    cells = found(multiplier(24, "booth", "compressors", "ripple")).netlist.cells
    assert max(sum(map(len, cell.inputs.values())) for cell in cells) <= 2 * 48


def test_neurons_in_another_order_make_no_difference():
    """A sum may come long after what reads its carry."""
    netlist = multiplier(8, "simple", "wallace", "kogge_stone", "xor_and")
    assert proved(by_level(netlist))


def by_level(netlist):
    """The same circuit, its neurons in the order of their levels, the last first in each."""
    first = netlist.input_count
    order = sorted(range(first, netlist.signal_count), key=lambda s: (netlist.levels[s], -s))
    moved = {old: new for new, old in enumerate([*range(first), *order])}
    neurons = tuple(
        replace(neuron, synapses=tuple((moved[s], w) for s, w in neuron.synapses))
        for neuron in (netlist.neurons[signal - first] for signal in order)
    )
    outputs = {name: tuple(map(moved.get, bus)) for name, bus in netlist.outputs.items()}
    return replace(netlist, neurons=neurons, outputs=outputs)


# --- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "structure",
    [
        ("simple", "wallace", "ripple", "majority"),
        ("simple", "compressors", "kogge_stone", "xor_and"),
        ("booth", "dadda", "select", "nand"),
    ],
    ids="-".join,
)
def test_no_wrong_multiplier_is_proved(structure):
    """Every twentieth or fortieth neuron has another threshold; mutants that multiply are left out."""
    netlist = multiplier(5, *structure)
    inputs = all_inputs(netlist)
    right = boolean.evaluate(netlist, inputs)["product"]
    wrong = 0
    for place in range(0, len(netlist.neurons), 20 if NIGHTLY else 40):
        neuron = netlist.neurons[place]
        faulty = replace(neuron, threshold=neuron.threshold + 1)
        mutant = replace(
            netlist, neurons=(*netlist.neurons[:place], faulty, *netlist.neurons[place + 1 :])
        )
        if (boolean.evaluate(mutant, inputs)["product"] != right).any():
            wrong += 1
            assert not proved(mutant), place
    assert wrong


def test_a_sum_is_no_product():
    builder = NetlistBuilder()
    x, y = builder.input("x", 5), builder.input("y", 5)
    both = builder.neuron([(x[0], 1), (y[0], 1)], 2)
    netlist = builder.build({"product": (both,) * 10})
    with pytest.raises((NetlistError, AlgebraError)):
        telescoping.product_claims(found(netlist))


def test_a_message_says_how_far_it_came():
    netlist = multiplier(8)
    x, y = netlist.input_buses.values()
    with pytest.raises(
        NetlistError, match=r"no product is seen: \d+ adder cells|followed back through \d+ cells"
    ):
        product_cells(netlist, x, y[:-1], netlist.outputs["product"])
    with pytest.raises(NetlistError, match="constant bit"):
        product_cells(netlist, (ONE, *x[1:]), y, netlist.outputs["product"])


# --- what the kernel refuses --------------------------------------------------------------------


@pytest.fixture(scope="module")
def cells():
    """A multiplier of five bits with its cells."""
    netlist = multiplier(5, "booth", "wallace", "ripple", "majority")
    return netlist, found(netlist).netlist.cells


def refused(netlist, cells, words):
    with pytest.raises(AlgebraError, match=words):
        telescoping.product_claims(site(netlist, cells))


def changed(cells, kind, change, has=lambda cell: True):
    """The cells with one of a kind changed."""
    place = next(k for k, cell in enumerate(cells) if cell.kind == kind and has(cell))
    return (*cells[:place], change(cells[place]), *cells[place + 1 :])


def has_carry(cell):
    return "1" in cell.outputs and "2" in cell.outputs


def renamed(buses, old, new):
    return {new if name == old else name: bus for name, bus in buses.items()}


def test_the_cells_are_right_as_they_are(cells):
    assert telescoping.product_claims(site(*cells)) == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda cell: replace(cell, outputs=renamed(cell.outputs, "2", "4")), "is wrong for inputs"),
        (lambda cell: replace(cell, outputs={"1": cell.outputs["1"]}), "is wrong for inputs"),
        (
            lambda cell: replace(cell, outputs={"1": cell.outputs["1"], "2": (UNUSED,)}),
            "nothing reads|left over|do not make up",
        ),
        (lambda cell: replace(cell, inputs={**cell.inputs, "8": (ONE,)}), "is wrong for inputs"),
        (lambda cell: replace(cell, inputs=renamed(cell.inputs, "1", "one")), "is no weight"),
        (lambda cell: replace(cell, inputs={**cell.inputs, "0": (UNUSED,)}), "nothing reads"),
    ],
    ids=["weight", "carry dropped", "carry unused", "constant", "name", "input unused"],
)
def test_wrong_linear_cells_are_refused(cells, change, words):
    netlist, right = cells
    refused(netlist, changed(right, "linear", change, has_carry), words)


def test_a_cell_that_is_missing_leaves_its_outputs_over(cells):
    netlist, right = cells
    kept = [cell for cell in right if cell.kind == "function"]
    refused(netlist, tuple(kept), "is left over")


def test_equations_that_are_counted_twice_are_refused(cells):
    netlist, right = cells
    derived = telescoping.derive(site(netlist, right).netlist, netlist.outputs["product"])
    twice = telescoping.Log((*derived.weights, derived.weights[0]))
    buses = (*netlist.input_buses.values(), netlist.outputs["product"])
    telescoping.check(replace(netlist, cells=right), *buses, derived)
    with pytest.raises(AlgebraError):
        telescoping.check(replace(netlist, cells=right), *buses, twice)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda cell: replace(cell, outputs={"out": cell.outputs["out"] * 2}), "is not one bit"),
        (lambda cell: replace(cell, inputs={"in": tuple(range(9))}), "is not one bit of at most"),
        (lambda cell: replace(cell, inputs={"a": cell.inputs["in"]}), "other buses"),
        (lambda cell: replace(cell, inputs={"in": (*cell.inputs["in"], UNUSED)}), "nothing reads"),
    ],
    ids=["two bits", "many bits", "buses", "unused"],
)
def test_wrong_functions_are_refused(cells, change, words):
    netlist, right = cells
    refused(netlist, changed(right, "function", change), words)


def test_cells_depend_on_their_inputs_alone():
    """Validation of the netlist says so first; the kernel does too, should that be got round."""
    netlist = multiplier(5)
    cell = Block("function_0", "function", {"in": (0,)}, {"out": netlist.outputs["product"][:1]})
    with pytest.raises(NetlistError, match="not among its inputs"):
        replace(netlist, cells=(cell,))
    inside = replace(netlist)
    object.__setattr__(inside, "cells", (cell,))
    log = telescoping.Log(())
    with pytest.raises(AlgebraError, match=r"outside its cell|left over"):
        telescoping.check(inside, *netlist.input_buses.values(), netlist.outputs["product"], log)


def test_large_linear_cells_are_claims_that_may_be_wrong():
    """Eleven bits are counted: by a tree of adders, and with one carry that counts double."""
    builder = NetlistBuilder()
    bits = builder.input("bits", 11)
    digits, owed = [], [(bit, 1) for bit in bits]
    for place in reversed(range(4)):
        digits.insert(0, builder.neuron(owed, 1 << place))
        owed.append((digits[0], -1 << place))
    netlist = builder.build({"count": digits})
    weights = {str(1 << place): (signal,) for place, signal in enumerate(netlist.outputs["count"])}
    right = Block("counter", "linear", {"1": netlist.input_buses["bits"]}, weights)
    assert holds(telescoping._linear_claim(netlist, right))
    negative = Block(
        "negated",
        "linear",
        {"minus1": netlist.input_buses["bits"]},
        {f"minus{name}": bus for name, bus in weights.items()},
    )
    assert holds(telescoping._linear_claim(netlist, negative))
    modulo = replace(right, outputs={"1": weights["1"], "2": weights["2"], "4": (UNUSED,)})
    assert holds(telescoping._linear_claim(netlist, modulo))
    for wrong in (
        replace(right, outputs=renamed(renamed(weights, "4", "16"), "8", "4")),
        replace(right, outputs={name: weights[name] for name in ("1", "2", "4")}),
        replace(right, inputs={**right.inputs, "2": (ONE,)}),
        replace(modulo, outputs={**modulo.outputs, "4": (UNUSED,), "2": weights["4"]}),
        replace(right, inputs={"2": netlist.input_buses["bits"]}),
    ):
        assert not holds(telescoping._linear_claim(netlist, wrong))
    odd = replace(modulo, outputs={"1": weights["1"], "3": (UNUSED,)})
    with pytest.raises(AlgebraError, match="no power of 2"):
        telescoping._linear_claim(netlist, odd)


def test_a_function_has_one_polynomial():
    """That of exclusive or is a + b - 2ab."""
    builder = NetlistBuilder()
    a, b = builder.input("bits", 2)
    both = builder.neuron([(a, 1), (b, 1)], 2)
    one = builder.neuron([(a, 1), (b, 1), (both, -2)], 1)
    netlist = builder.build({"one": (one,)})
    cell = Block("xor", "function", {"in": (a, b)}, {"out": netlist.outputs["one"]})
    assert telescoping._monomials(netlist, cell) == {
        frozenset(): 0,
        frozenset({a}): 1,
        frozenset({b}): 1,
        frozenset({a, b}): -2,
    }
