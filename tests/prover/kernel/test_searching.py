"""Digits that are searched from the top: sums, quotients and roots, and each way to cheat there."""

import random
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import isqrt

import numpy as np
import pytest
from pysmt.shortcuts import BV, BVExtract, Equals, Not

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import ONE, UNUSED, ZERO, Block, NetlistBuilder
from spikeproof.circuits.units.integer import block_netlist
from spikeproof.circuits.units.libraries import COMPACT
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel import counting, recurrence, telescoping
from spikeproof.prover.kernel.cells import AlgebraError, Site
from spikeproof.prover.kernel.composition import free_symbol
from spikeproof.prover.kernel.searching import minus, number, polynomial, times
from tests.support.profile import NIGHTLY

# --- sums ---------------------------------------------------------------------------------------


class Summed:
    """Two of three bits or more, the steps of a count, and two bits more: some sum, and its digits."""

    def __init__(self, weights=(1, -1, 1, 5, 2), constant=0, size=4, steps=3):
        builder = NetlistBuilder()
        *bits, first, second = builder.input("bits", 5)
        count = [builder.neuron([(bit, 1) for bit in bits], k) for k in (1, 2, 3)]
        read = [*count, first, second]
        form, digits = list(zip(read, weights, strict=True)), []
        for k in reversed(range(size)):
            digits.insert(0, builder.neuron(form, (1 << k) - constant))
            form.append((digits[0], -(1 << k)))
        self.netlist = builder.build({"steps": count, "digits": digits})
        self.steps, self.digits = (self.netlist.outputs[name] for name in ("steps", "digits"))
        self.given: dict[str, tuple[int, ...]] = {}
        for signal, weight in [*zip((*self.steps, 3, 4), weights, strict=True), (ONE, constant)]:
            if weight:
                name = str(weight) if weight > 0 else f"minus{-weight}"
                self.given[name] = (*self.given.get(name, ()), signal)
        self.count = Block("count", "count", {"1": (0, 1, 2)}, {"1": self.steps[:steps]})
        found = {str(1 << k): (each,) for k, each in enumerate(self.digits)}
        self.cell = Block("digits", "digits", self.given, found)

    def check(self, cell=None, counts=True):
        netlist = replace(self.netlist, cells=(self.count,) if counts else ())
        telescoping._check_cell(netlist, cell or self.cell, counting.order_of(netlist))

    @property
    def adds_up(self):
        """Whether it is so, on every input."""
        signals = boolean.evaluate_signals(self.netlist, {"bits": np.arange(32, dtype=np.uint64)})
        rows = np.vstack([signals, np.ones(32)]).astype(int)  # the last stands for ONE
        total = np.zeros(32, dtype=int)
        for sign, buses in ((1, self.cell.inputs), (-1, self.cell.outputs)):
            for name, bus in buses.items():
                for signal in bus:
                    total += sign * telescoping._weight(name) * rows[-1 if signal == ONE else signal]
        return not total.any()


@pytest.mark.parametrize(
    ("weights", "constant", "size"),
    [
        ((1, -1, 1, 5, 2), 0, 4),
        ((1, -1, 1, 5, 2), 7, 4),
        ((1, -1, 1, 5, 2), 8, 5),
        ((-1, -1, -1, 0, 4), 3, 3),
        ((3, -2, 5, 1, 0), 0, 3),
        ((0, 0, 0, 7, 8), 0, 4),
    ],
)
def test_digits_of_a_sum_add_up(weights, constant, size):
    summed = Summed(weights, constant, size)
    assert summed.adds_up
    summed.check()


@pytest.mark.parametrize(
    ("weights", "constant", "size"),
    [
        ((1, -1, 1, 5, 2), -1, 4),  # may be negative
        ((1, -1, 1, 5, 2), 0, 3),  # may be 8
        ((1, -1, 1, 5, 3), 7, 4),  # may be 16
        ((-1, 1, 1, 5, 2), 0, 4),  # at the first step of the count
    ],
)
def test_a_sum_beyond_its_digits_is_refused(weights, constant, size):
    summed = Summed(weights, constant, size)
    assert not summed.adds_up
    with pytest.raises(AlgebraError, match="what digits adds up is not within its digits"):
        summed.check()


def test_the_range_rests_on_the_order_of_steps():
    with pytest.raises(AlgebraError, match="is not within its digits"):
        Summed().check(counts=False)


def test_what_is_accepted_adds_up():
    """Of random sums, as many digits as hold them or fewer."""
    draw, accepted = random.Random(5), 0
    for _ in range(400):
        weights = [draw.randrange(-2, 5) for _ in range(5)]
        summed = Summed(weights, draw.randrange(-1, 6), draw.randrange(3, 6))
        try:
            summed.check()
        except AlgebraError:
            continue
        assert summed.adds_up
        accepted += 1
    assert accepted > 50


@pytest.mark.parametrize("digit", range(4))
@pytest.mark.parametrize(
    "change",
    [
        lambda n: replace(n, threshold=n.threshold + 1),
        lambda n: replace(n, threshold=n.threshold - 1),
        lambda n: replace(n, threshold=n.threshold + Fraction(1, 8)),
        lambda n: replace(n, bias=n.bias + 1),
        lambda n: replace(n, synapses=n.synapses[1:]),
        lambda n: replace(n, synapses=n.synapses[:-1]),
        lambda n: replace(n, synapses=((0, 1), *n.synapses)),
        lambda n: replace(n, synapses=tuple((s, w + (s == 3)) for s, w in n.synapses)),
        lambda n: replace(n, synapses=tuple((s, -w) for s, w in n.synapses)),
        lambda n: replace(n, synapses=tuple((s, 2 * w) for s, w in n.synapses)),
        lambda n: replace(n, synapses=tuple((2 if s == 3 else s, w) for s, w in n.synapses)),
    ],
)
def test_another_neuron_is_no_digit(change, digit):
    summed = Summed()
    neurons, index = list(summed.netlist.neurons), summed.digits[digit] - summed.netlist.input_count
    neurons[index] = change(neurons[index])
    summed.netlist = replace(summed.netlist, neurons=tuple(neurons))
    with pytest.raises(AlgebraError, match=r"is another neuron|neither a bit nor an AND"):
        summed.check()


def test_thresholds_may_be_anywhere_between_two_sums():
    """Weights are whole, so that all of ]2^k - 1, 2^k] is the same neuron."""
    for below, sound in ((0, True), (Fraction(1, 2), True), (Fraction(99, 100), True), (1, False)):
        summed = Summed()
        lowered = (replace(n, threshold=n.threshold - below) for n in summed.netlist.neurons[3:])
        neurons = (*summed.netlist.neurons[:3], *lowered)
        summed.netlist = replace(summed.netlist, neurons=neurons)
        assert summed.adds_up is sound
        if sound:
            summed.check()
        else:
            with pytest.raises(AlgebraError, match="is another neuron"):
                summed.check()


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: {"outputs": {**cell.outputs, "1": cell.outputs["2"], "2": cell.outputs["1"]}},
        lambda cell: {"outputs": {name: cell.outputs[name] for name in ("2", "4", "8")}},
        lambda cell: {"outputs": {name: cell.outputs[name] for name in ("1", "2", "4")}},
        lambda cell: {"outputs": {**cell.outputs, "16": cell.outputs["8"]}},
        lambda cell: {"outputs": {**cell.outputs, "minus1": cell.outputs["1"]}},
        lambda cell: {"outputs": {**cell.outputs, "1": cell.outputs["1"] * 2}},
        lambda cell: {"outputs": {**cell.outputs, "1": (0,)}},
        lambda cell: {"outputs": {**cell.outputs, "1": (ONE,)}},
        lambda cell: {"outputs": {**cell.outputs, "1": (UNUSED,)}},
        lambda cell: {"outputs": {"1": cell.outputs["1"] + cell.outputs["2"]}},
        lambda cell: {"outputs": {}},
        lambda cell: {"inputs": {}},
        lambda cell: {"inputs": {**cell.inputs, "3": (0,)}},
        lambda cell: {"inputs": {**cell.inputs, "3": (ONE,)}},
        lambda cell: {"inputs": {**cell.inputs, "3": (UNUSED,)}},
        lambda cell: {"inputs": {**cell.inputs, "minus1": cell.inputs["minus1"] + (0,)}},
        lambda cell: {"inputs": {**cell.inputs, "8": cell.outputs["8"]}},
    ],
)
def test_cells_that_are_no_digits_are_refused(change):
    summed = Summed()
    with pytest.raises(AlgebraError):
        summed.check(replace(summed.cell, **change(summed.cell)))


# --- quotients and roots ------------------------------------------------------------------------

RESULTS = {
    "divide": lambda x, y, width: divmod(x << (width + 1), y),
    "square_root": lambda x, y, width: (isqrt(x), x - isqrt(x) ** 2),
}


def site_of(kind, width):
    """A block and where its algebra is, of divisors with their first bit set."""
    widths = {"x": width, "y": width} if kind == "divide" else {"x": 2 * width}
    netlist = block_netlist("threshold", kind, widths, COMPACT)
    operands, results = tuple(netlist.input_buses.values()), tuple(netlist.outputs.values())
    free = tuple(free_symbol(f"operand{len(bus)}.{k}", len(bus)) for k, bus in enumerate(operands))
    first = Equals(BVExtract(free[-1], width - 1, width - 1), BV(1, 1))
    return Site(netlist, operands, results, free, (first,) if kind == "divide" else ())


def claims(site):
    algebra = recurrence.quotient_claims if len(site.operands) == 2 else recurrence.root_claims
    return algebra(site)


def is_right(kind, netlist, width):
    """On every input."""
    if kind == "divide":
        pairs = list(product(range(1 << width), range(1 << width - 1, 1 << width)))
    else:
        pairs = [(x, 0) for x in range(1 << 2 * width)]
    words = dict(zip("xy", np.array(pairs, dtype=np.uint64).T, strict=True))
    found = boolean.evaluate(netlist, {name: words[name] for name in netlist.inputs})
    expected = np.array([RESULTS[kind](x, y, width) for x, y in pairs]).T
    return all(np.array_equal(a, b) for a, b in zip(found.values(), expected, strict=True))


KINDS = pytest.mark.parametrize("kind", RESULTS)


@KINDS
@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 6])
def test_quotients_and_roots_that_are_searched_are_right(kind, width):
    site = site_of(kind, width)
    assert is_right(kind, site.netlist, width)
    assert list(claims(site)) == (["dividend"] if kind == "divide" else [])


@KINDS
@pytest.mark.parametrize("width", [24, 53] if NIGHTLY else [24])
def test_quotients_and_roots_of_any_width(kind, width):
    claims(site_of(kind, width))


def test_a_quotient_needs_the_fact_that_its_first_digit_is_not_too_small():
    site = site_of("divide", 4)
    for facts, sound in (((), False), (site.facts, True)):
        claim = claims(replace(site, facts=facts))["dividend"]
        answer = ENGINES["cadical"].check([*claim.assumptions, Not(claim.goal)], 60)
        assert (answer.status is Status.UNSATISFIABLE) is sound


def faults(netlist):
    """Each threshold one more and one less, each synapse gone, of one more, and of another source."""
    for index, neuron in enumerate(netlist.neurons):
        signal = netlist.input_count + index
        changed = [replace(neuron, threshold=neuron.threshold + more) for more in (-1, 1)]
        for place, (source, weight) in enumerate(neuron.synapses):
            before, after = neuron.synapses[:place], neuron.synapses[place + 1 :]
            read = {each for each, _ in neuron.synapses}
            other = next(each for each in range(signal) if each not in read or each == source)
            for instead in ((source, 0), (source, weight + 1), (source, -weight), (other, weight)):
                synapses = tuple(each for each in (*before, instead, *after) if each[1])
                if synapses != neuron.synapses:
                    changed.append(replace(neuron, synapses=synapses))
        for each in changed:
            neurons = (*netlist.neurons[:index], each, *netlist.neurons[index + 1 :])
            yield replace(netlist, neurons=neurons)


@KINDS
def test_every_fault_in_a_search_is_refused(kind):
    site, refused = site_of(kind, 3), 0
    for faulty in faults(site.netlist):
        with pytest.raises(AlgebraError):
            claims(replace(site, netlist=faulty))
        refused += 1
    assert refused > 250


@KINDS
def test_buses_of_a_search_are_not_exchanged(kind):
    site = site_of(kind, 4)
    found, left = site.results
    for results in (
        (found[::-1], left),
        (found, left[::-1]),
        ((found[1], found[0], *found[2:]), left),
        (found[1:], left),
        (found, left[1:]),
        (found, left[:-1]),
        ((0, *found[1:]), left),
        (left, found),
    ):
        with pytest.raises(AlgebraError):
            claims(replace(site, results=results))
    for operands in (tuple(bus[::-1] for bus in site.operands), tuple(bus[1:] for bus in site.operands)):
        with pytest.raises(AlgebraError):
            claims(replace(site, operands=operands))


@KINDS
def test_what_does_not_say_that_it_is_searched_has_no_rows(kind):
    site = site_of(kind, 3)
    with pytest.raises(AlgebraError, match="continues from the one before it"):
        claims(replace(site, netlist=replace(site.netlist, cells=())))


def test_a_number_times_itself_is_a_polynomial_in_bits():
    """(a + 2b + 4)^2 = a + 4b + 16 + 4ab + 8a + 16b, since a a = a."""
    of = frozenset
    x = number((7, 8, ONE))
    assert times(x, x) == {of({7}): 9, of({8}): 20, of({7, 8}): 4, of(): 16}
    assert minus(x, polynomial([(7, 2), (ZERO, 5), (ONE, 4)])) == {of({7}): -1, of({8}): 2, of(): 0}
