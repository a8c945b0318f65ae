"""Quotients by rows whose remainders are redundant: proved for small widths, and faults are not."""

from dataclasses import replace

import numpy as np
import pytest
from pysmt.shortcuts import Not

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import ONE, ZERO
from spikeproof.circuits.units.integer import block_netlist
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, REDUNDANT
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel.cells import AlgebraError
from spikeproof.prover.kernel.redundant import BUSES, redundant_claims
from spikeproof.prover.refutation.mutation import stuck_at_one, stuck_at_zero, with_neuron
from tests.support.profile import NIGHTLY

RADICES = pytest.mark.parametrize("radix", REDUNDANT)


def block(width, radix):
    return block_netlist(DEFAULT_LIBRARY, "divide", {"x": width, "y": width}, REDUNDANT[radix])


def claims(netlist):
    (found,) = (each for each in netlist.blocks if each.kind == "divide")
    operands = (found.inputs[name] for name in "xy")
    return redundant_claims(netlist, *operands, *(found.outputs[n] for n in ("quotient", "remainder")))


def holds(netlist):
    """Whether neurons of rows are not refused, and CaDiCaL proves every claim."""
    try:
        found = claims(netlist)
    except AlgebraError:
        return False
    return all(
        ENGINES["cadical"].check([Not(each.goal)], 60).status is Status.UNSATISFIABLE
        for each in found.values()
    )


def divides(netlist, width):
    x, y = (g.ravel() for g in np.meshgrid(np.arange(1 << width), np.arange(1 << width - 1, 1 << width)))
    found = boolean.evaluate(netlist, {"x": x.astype(np.uint64), "y": y.astype(np.uint64)})
    quotient, remainder = divmod(x << width + 1, y)
    return np.array_equal(found["quotient"], quotient) and np.array_equal(found["remainder"], remainder)


@RADICES
@pytest.mark.parametrize("width", [1, 2, 3])
def test_rows_of_any_width_continue_one_another(width, radix):
    assert holds(block(width, radix))


@RADICES
@pytest.mark.parametrize("stuck", [stuck_at_zero, stuck_at_one])
def test_faulty_rows_are_not_proved(radix, stuck):
    """Of every eleventh or thirty-third neuron, wherever it makes a difference."""
    netlist, width = block(3, radix), 3
    wrong = 0
    for signal in range(netlist.input_count + 3, netlist.signal_count, 11 if NIGHTLY else 33):
        faulty = stuck(netlist, signal).netlist
        if not divides(faulty, width):
            wrong += 1
            assert not holds(faulty), signal
    assert wrong


def changed(netlist, cells):
    """Netlists of which one neuron in such cells has another threshold, or another weight."""
    for cell in netlist.cells:
        if cell.kind in cells:
            outputs = {signal for bus in cell.outputs.values() for signal in bus}
            for signal in sorted(outputs - {ZERO, ONE}):
                neuron = netlist.neurons[signal - netlist.input_count]
                (source, weight), *others = neuron.synapses
                for step in (1, -1):
                    yield with_neuron(
                        netlist, signal, replace(neuron, threshold=neuron.threshold + step)
                    )
                    if weight + step:
                        synapses = ((source, weight + step), *others)
                        yield with_neuron(netlist, signal, replace(neuron, synapses=synapses))


@RADICES
def test_neurons_of_rows_that_are_not_refused_divide(radix):
    """Digits overlap, so that some of them may be found a little earlier, or later."""
    faulty = list(changed(block(3, radix), ("redundant_digit", "redundant_difference")))
    refused = 0
    for netlist in faulty:
        try:
            claims(netlist)
        except AlgebraError:
            refused += 1
        else:
            assert divides(netlist, 3)
    assert refused > len(faulty) / 4


def with_last(netlist, kind, *instead):
    """The netlist with other cells, or none, for the last of a kind."""
    cells = list(netlist.cells)
    last = max(k for k, cell in enumerate(cells) if cell.kind == kind)
    return replace(netlist, cells=(*cells[:last], *instead, *cells[last + 1 :])), cells[last]


@pytest.mark.parametrize("kind", BUSES)
def test_a_missing_cell_is_refused(kind):
    netlist, _ = with_last(block(3, 4), kind)
    with pytest.raises(AlgebraError, match=r"no one remainder|continues from the row before it"):
        claims(netlist)


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("redundant_digit", "digit", "no redundant_difference continues"),
        ("redundant_difference", "difference", "compare different sums"),
        ("settled_remainder", "remainder", "not those of the last row, settled"),
        ("settled_quotient", "quotient", "not those of the last row, settled"),
    ],
)
def test_rows_that_do_not_continue_one_another_are_refused(kind, name, words):
    _, last = with_last(block(3, 4), kind)
    other = replace(last, outputs={**last.outputs, name: last.outputs[name][::-1]})
    netlist, _ = with_last(block(3, 4), kind, other)
    with pytest.raises(AlgebraError, match=words):
        claims(netlist)
