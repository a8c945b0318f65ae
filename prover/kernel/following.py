"""When one circuit follows another, neuron by neuron, so that what is proved of that holds of it too.

Let an original have the values v_s(x) on its signals s, x being its inputs, and let another circuit have
all its inputs, and perhaps others d. The other follows it if for each s there is a signal p(s) whose
value is v_s(x), for all x and d. The outputs, if they correspond, are then equal. By induction over the
signals it is enough that p takes every input bit to the same input bit, and that for every neuron n

    for all values of n's sources, put on their signals p, and for all d:  p(n) has the value of n.

What lies between the sources' signals and p(n) is a small circuit of its own; where two have one shape
there is one thing to prove. This module is trusted; it uses no solver.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, And, BVExtract, BVType, Equals, Iff, Symbol

from spikeproof.circuits.meanings.formula import neuron_formula, output_formulas
from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.prover.claims.obligation import Claim, Decomposition, Place
from spikeproof.prover.kernel.composition import CompositionError, compose, equal, require_outputs
from spikeproof.specs.integers import Buses

EVERY_NEURON = "every neuron"
"""The lemma that each neuron is followed."""


def compose_following(
    netlist: Netlist, original: Netlist, decomposition: Decomposition, claim: Claim
) -> dict[str, Claim]:
    """The lemmas, by name, from which a claim about a circuit follows that follows another.

    Args:
        original: the circuit that is followed, of which the decomposition's steps are.
        claim: that the circuit's outputs are those expected, for all inputs.

    Raises:
        CompositionError: if the claim is no such equality, the circuit does not correspond to the
            original, or the original's lemmas do not make up what is claimed of it.
        AlgebraError: if a step's algebra does not apply to the original.
    """
    assert decomposition.place is not None
    require_outputs(netlist, claim)
    if claim.counting:
        raise CompositionError("of a circuit that follows another, every bit of the outputs counts")
    followed = every_neuron(netlist, original, decomposition.place)
    inputs = {name: claim.inputs[name] for name in original.inputs}
    actual = output_formulas(original, inputs)
    of_original = Claim(inputs, equal(actual, claim.expected), (), actual, claim.expected)
    lemmas = compose(original, decomposition, of_original)
    if EVERY_NEURON in lemmas:
        raise CompositionError(f"two lemmas are named {EVERY_NEURON!r}")
    return {EVERY_NEURON: followed, **lemmas}


def every_neuron(netlist: Netlist, original: Netlist, place: Place) -> Claim:
    """The claim that a circuit does what an original does, on every neuron of that.

    Args:
        place: from the original and a signal of it, the signal of the circuit that has its value.

    Raises:
        CompositionError: if inputs or outputs do not correspond, or a signal is not there.
    """
    places = [place(original, signal) for signal in range(original.signal_count)]
    if not all(0 <= signal < netlist.signal_count for signal in places):
        raise CompositionError("the circuit lacks signals that the original has")
    for kind, theirs, ours in (
        ("input", original.input_buses, netlist.input_buses),
        ("output", original.outputs, netlist.outputs),
    ):
        for name, bus in theirs.items():
            if ours.get(name) != tuple(places[signal] for signal in bus):
                raise CompositionError(f"{kind} {name!r} is not where the original's is")
    shapes = dict.fromkeys(
        _Shape.of(netlist, neuron, [places[source] for source, _ in neuron.synapses], places[signal])
        for signal, neuron in enumerate(original.neurons, start=original.input_count)
    )
    symbols = {
        name: Symbol(name, BVType(width))
        for name, width in (
            (_SOURCES, max((len(shape.original.synapses) for shape in shapes), default=0)),
            (_OTHERS, max((shape.others for shape in shapes), default=0)),
        )
        if width
    }
    return Claim(symbols, And(shape.goal(symbols) for shape in shapes))


_SOURCES, _OTHERS = "sources", "others"


@dataclass(frozen=True)
class _Shape:
    """What lies between the signals of a neuron's sources and its own, whatever their numbers.

    Attributes:
        original: the neuron, reading signals 0, 1, ...: the sources.
        others: how many other input bits come next.
        followers: the neurons that come then.
        place: which of all these signals is to have the value of the original.
    """

    original: Neuron
    others: int
    followers: tuple[Neuron, ...]
    place: int

    @classmethod
    def of(cls, netlist: Netlist, original: Neuron, sources: list[int], target: int) -> _Shape:
        """The shape of what a circuit has in a neuron's place."""
        neurons = netlist.neurons
        found: set[int] = set()
        pending = [target]
        while pending:
            signal = pending.pop()
            if signal in found or signal in sources:
                continue
            found.add(signal)
            if signal >= netlist.input_count:
                pending += (source for source, _ in neurons[signal - netlist.input_count].synapses)
        between = sorted(found)
        others = sum(signal < netlist.input_count for signal in between)
        local = {signal: index for index, signal in enumerate((*sources, *between))}
        followers = (neurons[signal - netlist.input_count] for signal in between[others:])
        return cls(
            _reading(original, range(len(sources))),
            others,
            tuple(_reading(each, [local[source] for source, _ in each.synapses]) for each in followers),
            local[target],
        )

    def goal(self, symbols: Buses) -> FNode:
        """That the value is that of the original, for free sources and other inputs."""
        sources = list(_bits(symbols, _SOURCES, len(self.original.synapses)))
        signals = [*sources, *_bits(symbols, _OTHERS, self.others)]
        for neuron in self.followers:
            signals.append(neuron_formula(neuron, [signals[source] for source, _ in neuron.synapses]))
        return Iff(signals[self.place], neuron_formula(self.original, sources))


def _reading(neuron: Neuron, sources: Iterable[int]) -> Neuron:
    """The neuron with other signals in the place of its sources."""
    weights = (weight for _, weight in neuron.synapses)
    return replace(neuron, synapses=tuple(zip(sources, weights, strict=True)))


def _bits(symbols: Buses, name: str, count: int) -> Iterator[FNode]:
    return (Equals(BVExtract(symbols[name], index, index), BV(1, 1)) for index in range(count))
