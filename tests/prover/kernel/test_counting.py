"""Counts and sums of counts: what neurons of one sum add up to, and each way to cheat there."""

from dataclasses import replace

import pytest
from pysmt.shortcuts import Not

from spikeproof.circuits.netlist import ONE, UNUSED, Block, NetlistBuilder
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel import counting, telescoping
from spikeproof.prover.kernel.cells import AlgebraError


def holds(claim):
    answer = ENGINES["cadical"].check([*claim.assumptions, Not(claim.goal)], 60)
    return answer.status is Status.UNSATISFIABLE


class Counted:
    """Three bits counted; of that the last bit and a fourth bit counted; the two binary places."""

    def __init__(self, last=(1, -1, 1)):
        builder = NetlistBuilder()
        *bits, other = builder.input("bits", 4)
        steps = [builder.neuron([(bit, 1) for bit in bits], k) for k in (1, 2, 3)]
        form = [*zip(steps, last, strict=True), (other, 1)]
        again = [builder.neuron(form, k) for k in (1, 2)]
        # What is left of both counts, 2 [of the first 2 or more] + the second, in binary.
        first, second = (steps[1], 2), [(step, 1) for step in again]
        high = builder.neuron([first, *second], 2)
        carry = builder.neuron([first, *second], 4)
        high = builder.neuron([first, *second, (carry, -4)], 2)
        low = builder.neuron([first, *second, (carry, -4), (high, -2)], 1)
        self.netlist = builder.build({"out": (low, high, carry), "steps": steps, "again": again})
        steps, again = (self.netlist.outputs[name] for name in ("steps", "again"))
        low, high, carry = self.netlist.outputs["out"]
        weights = {"1": (steps[0], steps[2], 3), "minus1": (steps[1],)}
        self.first = Block("first", "count", {"1": (0, 1, 2)}, {"1": steps})
        self.second = Block("second", "count", weights, {"1": again})
        self.sum = Block(
            "sum", "sum", {"1": again, "2": (steps[1],)}, {"1": (low,), "2": (high,), "4": (carry,)}
        )

    def checked(self, *cells):
        """The order of the steps, once every cell is seen to be what it says."""
        netlist = replace(self.netlist, cells=cells)
        order = counting.order_of(netlist)
        for cell in cells:
            telescoping._check_cell(netlist, cell, order)
        return netlist, order


def test_counts_read_the_bits_of_counts():
    counted = Counted()
    netlist, order = counted.checked(counted.first, counted.second)
    assert order[netlist.outputs["steps"][2]] == (0, 3)
    claim = telescoping._sum_claim(netlist, counted.sum, order)
    assert holds(claim)
    assert len(claim.inputs) == 2, "a word for each count"


def test_a_bit_of_something_out_of_order_has_another_range():
    """Without the first cell nothing is known of its steps, and their alternating sum may be -1."""
    counted = Counted()
    with pytest.raises(AlgebraError, match="what second counts is not within its steps"):
        counted.checked(counted.second)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda cell: {"outputs": {"1": cell.outputs["1"][::-1]}}, "are not in order"),
        (lambda cell: {"outputs": {"1": cell.outputs["1"][:2]}}, "is not within its steps"),
        (lambda cell: {"outputs": {"1": cell.outputs["1"][1:]}}, "step 1 of first is another neuron"),
        (lambda cell: {"outputs": {"1": (0, *cell.outputs["1"])}}, "are no steps"),
        (lambda cell: {"outputs": {"2": cell.outputs["1"]}}, "are no steps"),
        (lambda cell: {"inputs": {"1": (0, 1, 2, 3)}}, "step 1 of first is another neuron"),
        (lambda cell: {"inputs": {"1": (0, 1), "2": (2,)}}, "step 1 of first is another neuron"),
        (lambda cell: {"inputs": {"1": (0, 1, 2, ONE)}}, "step 1 of first is another neuron"),
        (lambda cell: {"inputs": {"1": (0, 1, 2, UNUSED)}}, "has input bits that nothing reads"),
    ],
)
def test_cells_that_are_no_counts_are_refused(change, message):
    counted = Counted()
    with pytest.raises(AlgebraError, match=message):
        counted.checked(replace(counted.first, **change(counted.first)))


def test_steps_of_two_counts_are_not_in_order():
    """The last two of the first count, and one of the second: thresholds rise, but of other sums."""
    counted = Counted()
    mixed = (counted.first.outputs["1"][0], counted.second.outputs["1"][1])
    with pytest.raises(AlgebraError, match="are not in order"):
        counted.checked(replace(counted.first, inputs={"1": (0, 1, 2, 3)}, outputs={"1": mixed}))


def test_thresholds_that_are_too_high_are_no_count():
    """They are in order all the same."""
    counted = Counted()
    first, *others = counted.netlist.neurons
    counted.netlist = replace(counted.netlist, neurons=(replace(first, threshold=2), *others))
    with pytest.raises(AlgebraError, match="step 1 of first is another neuron"):
        counted.checked(counted.first)


def test_what_is_no_bit_of_a_count_has_the_range_of_its_partial_sums():
    """-t_1 + t_2 + t_3 may be -1."""
    counted = Counted(last=(-1, 1, 1))
    steps = counted.first.outputs["1"]
    second = replace(counted.second, inputs={"minus1": steps[:1], "1": (*steps[1:], 3)})
    with pytest.raises(AlgebraError, match="what second counts is not within its steps"):
        counted.checked(counted.first, second)


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: {"inputs": {"1": cell.inputs["1"]}},
        lambda cell: {"inputs": {"1": cell.inputs["1"], "4": cell.inputs["2"]}},
        lambda cell: {"outputs": {**cell.outputs, "4": cell.outputs["2"], "2": cell.outputs["4"]}},
        lambda cell: {"outputs": {"1": cell.outputs["1"], "2": cell.outputs["2"]}},
    ],
)
def test_sums_that_do_not_add_up_are_refused_or_refuted(change):
    counted = Counted()
    netlist, order = counted.checked(counted.first, counted.second)
    wrong = replace(counted.sum, **change(counted.sum))
    try:
        claim = telescoping._sum_claim(netlist, wrong, order)
    except AlgebraError:
        return
    assert not holds(claim)


def test_sums_hold_only_where_counts_are_in_order():
    """The alternating sum of steps is -1 for the second alone, which no outputs add up to."""
    counted = Counted()
    _, order = counted.checked(counted.first, counted.second)
    again = replace(counted.second, kind="sum")
    assert holds(telescoping._sum_claim(replace(counted.netlist, cells=(counted.first,)), again, order))
    assert not holds(telescoping._sum_claim(counted.netlist, again, {}))


def test_a_step_read_with_a_weight_that_no_bit_has_stays_a_step():
    assert counting._in_binary({1: 1, 2: -1, 3: 1}, 3) == [1, 0]
    assert counting._in_binary({2: 1, 3: 0}, 3) == [0, 1]
    assert counting._in_binary({1: 1, 2: 1}, 2) == [1, 2]
    assert counting._in_binary({1: 1}, 3) is None


def test_a_sum_that_reads_a_constant_is_refused():
    counted = Counted()
    constant = replace(counted.sum, inputs={**counted.sum.inputs, "8": (ONE,)})
    with pytest.raises(AlgebraError, match="reads a constant"):
        telescoping._sum_claim(counted.netlist, constant, {})
