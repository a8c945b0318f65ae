"""What earlier evaluations leave behind, where nothing resets the membranes between them.

Each evaluation a neuron's potential becomes V' = beta V + drive; it fires iff V' reaches the threshold; what
is left is V' less the threshold where it fired (soft reset), or 0 there (hard reset). Potentials begin at 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from circuits.netlist import Netlist, Neuron, Weight
from circuits.substrates import Reset
from circuits.uncertainty import (
    Interval,
    Tolerance,
    UncertainNeuron,
    place,
    uncertain_netlist,
)

STAYS = "stays"
"""The output bus that says of each neuron, twice, that what is left is no more, and no less, than allowed."""

HELD, LAST, UP = "held", "last", "up"
"""Input buses of ``held_netlist``: what is held, what comes last, and whether noise drives or inhibits."""


def spikes_in_sequence(
    netlist: Netlist,
    beta: Fraction,
    reset: Reset,
    sequence: Sequence[Sequence[bool]],
    noise: Sequence[Sequence[Fraction]] = (),
) -> Iterator[list[bool]]:
    """All signals at each evaluation, in exact arithmetic.

    Args:
        sequence: the input bits of each evaluation.
        noise: of each neuron at each evaluation; none if empty.
    """
    potentials = [Fraction(0)] * len(netlist.neurons)
    for time, bits in enumerate(sequence):
        spikes = list(bits)
        for index, neuron in enumerate(netlist.neurons):
            drive = neuron.bias + sum(weight for source, weight in neuron.synapses if spikes[source])
            disturbance = noise[time][index] if noise else 0
            potential = beta * potentials[index] + drive + disturbance
            fired = potential >= neuron.threshold
            spent = neuron.threshold if reset is Reset.SOFT else potential
            potentials[index] = potential - spent if fired else potential
            spikes.append(fired)
        yield spikes


def leaking_netlist(
    netlist: Netlist, beta: Fraction, reset: Reset, residuals: Sequence[Interval], noise: Interval
) -> Netlist:
    """One evaluation from any residual potentials within given intervals, with noise within one.

    Beside the netlist's outputs it has ``stays``, all 1 iff each residual potential is within its interval
    again. If that, and the outputs, are right for all inputs and doubts, and 0 is in every interval, they
    are so for ever: for this beta and for every smaller one, since beta V only gets less.

    An open end needs no other inequality: what is kept is below it, and so is the sum.
    """
    tolerance = Tolerance(noise=noise)
    kept = [residual.scaled(beta) for residual in residuals]
    neurons = [
        UncertainNeuron.of(neuron, tolerance, left)
        for neuron, left in zip(netlist.neurons, kept, strict=True)
    ]
    single = uncertain_netlist(netlist, neurons)
    made = list(single.neurons)
    for index, neuron in enumerate(netlist.neurons):
        spike = place(netlist, netlist.input_count + index)
        drive = [(place(netlist, source), weight) for source, weight in neuron.synapses]
        before, after = kept[index] + noise, residuals[index]
        highest, lowest = neuron.bias + before.high - after.high, neuron.bias + before.low - after.low
        if reset is Reset.SOFT:
            above = below = neuron.threshold
        else:  # firing leaves 0, so that nothing is too much or too little
            enough = sum(abs(weight) for _, weight in drive) + abs(highest) + abs(lowest)
            above, below = enough, -enough
        at_most = ((*((s, -w) for s, w in drive), (spike, above)), highest)
        at_least = ((*drive, (spike, -below)), -lowest)
        made += [Neuron(tuple((s, w) for s, w in synapses if w), t) for synapses, t in (at_most, at_least)]
    first = single.signal_count
    stays = tuple(range(first, first + 2 * len(netlist.neurons)))
    return Netlist(single.inputs, tuple(made), {**single.outputs, STAYS: stays})


def held_netlist(
    netlist: Netlist, beta: Fraction, reset: Reset, steps: int, noise: Fraction = Fraction(0)
) -> Netlist:
    """The last evaluation after ``steps`` of one input, as long as all spikes of these were right.

    Every neuron has then kept beta + beta^2 + ... + beta^steps times what each of them left: a geometric
    sum. With noise, it drives all neurons at every evaluation, or inhibits all at every one.
    """
    gain = sum((beta**step for step in range(1, steps + 1)), start=Fraction(0))
    inputs = {f"{part}.{name}": size for part in (HELD, LAST) for name, size in netlist.inputs.items()}
    if noise:
        inputs[UP] = 1
    net = _HeldNetlist(netlist.input_count, sum(inputs.values()))
    for neuron in netlist.neurons:
        net.held.append(net.add([(net.held[s], w) for s, w in neuron.synapses], neuron))
    for index, neuron in enumerate(netlist.neurons):
        spike = net.held[netlist.input_count + index]
        terms = [(net.held[source], weight) for source, weight in neuron.synapses]
        disturbance = [(net.up, 2 * noise), (None, -noise)] if noise else []
        drives = [(net.last[source], weight) for source, weight in neuron.synapses]
        left = [*terms, (None, neuron.bias), *disturbance]
        if reset is Reset.SOFT:
            left.append((spike, -neuron.threshold))
        else:
            left = [(net.silenced(source, spike), weight) for source, weight in left if weight]
        net.last.append(net.add([*drives, *disturbance, *((s, gain * w) for s, w in left)], neuron))
    outputs = {name: tuple(net.last[s] for s in bus) for name, bus in netlist.outputs.items()}
    return Netlist(inputs, tuple(net.neurons), outputs)


class _HeldNetlist:
    """Neurons of ``held_netlist``; ``held`` and ``last`` give the place of each signal, then and at last."""

    def __init__(self, width: int, inputs: int) -> None:
        self.held = list(range(width))
        self.last = list(range(width, 2 * width))
        self.up = inputs - 1
        self.neurons: list[Neuron] = []
        self._inputs = inputs

    def add(self, terms: Iterable[tuple[int | None, Weight]], neuron: Neuron) -> int:
        """A neuron of a neuron's threshold and bias, with more terms; those of no signal are constant."""
        weights: dict[int, Weight] = {}
        bias = neuron.bias
        for source, weight in terms:
            if source is None:
                bias += weight
            else:
                weights[source] = weights.get(source, 0) + weight
        synapses = tuple((source, weight) for source, weight in sorted(weights.items()) if weight)
        self.neurons.append(Neuron(synapses, neuron.threshold, bias))
        return self._inputs + len(self.neurons) - 1

    def silenced(self, source: int | None, spike: int) -> int:
        """A signal, or the constant 1, where there was no spike; else 0."""
        return self.add([(source, 1), (spike, -1)], Neuron((), Fraction(1, 2)))
