"""When one circuit follows another, neuron by neuron, so that what is proved of that holds of it too.

Let an original have the values v_s(x) on its signals s, x being its inputs, and let another circuit have
all its inputs, and perhaps others d. The other follows it if for each s there is a signal p(s) whose
value is v_s(x), for all x and d. The outputs, if they correspond, are then equal. By induction over the
signals it is enough that p takes every input bit to the same input bit, and that for every neuron n

    for all values of n's sources, put on their signals p, and for all d:  p(n) has the value of n.

What lies between the sources' signals and p(n) is a small circuit of its own; where two have one shape
there is one thing to prove.

A circuit on two rails has for each s another signal q(s) besides, of the complement of v_s(x), and for
each input its complement as an input, which the claim assumes to be that. The step then puts the values
of n's sources on p, their complements on q, and is that p(n) has the value of n and q(n) its complement.
Signals that no output of the original depends on need no place. An output of complements is one that has
the signals q of an output, of which the claim expects the complement. That inputs are complements, each
of another, can always be; what else is assumed has to be about the original's inputs alone, and is
assumed in the original's lemmas, where it is asked whether it can be.

This module is trusted; it uses no solver.

The argument is proved in Coq: ``proofs/mechanised/following.v``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, And, BVExtract, BVNot, BVType, Equals, Iff, Not, Symbol

from spikeproof.circuits.meanings.formula import neuron_formula, output_formulas
from spikeproof.circuits.netlist import Bus, Netlist, Neuron
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
    assert decomposition.follows
    require_outputs(netlist, claim)
    if claim.counting:
        raise CompositionError("of a circuit that follows another, every bit of the outputs counts")
    expected, assumed = claim.expected, ()
    if decomposition.rails:
        places = decomposition.rails(original)
        followed = _every_place(netlist, original, places)
        expected, assumed = _of_values(netlist, original, places, claim)
    elif decomposition.place:
        followed = every_neuron(netlist, original, decomposition.place)
    inputs = {name: claim.inputs[name] for name in original.inputs}
    actual = output_formulas(original, inputs)
    of_original = Claim(inputs, equal(actual, expected), assumed, actual, expected)
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
    return _every_place(
        netlist, original, {s: (place(original, s),) for s in range(original.signal_count)}
    )


Places = Mapping[int, tuple[int, ...]]
"""Of signals of an original, where their values are; and where their complements are, or of none."""


def _every_place(netlist: Netlist, original: Netlist, places: Places) -> Claim:
    """The claim that the neurons at these places do what those of the original do that outputs need."""
    followed = [signal for signal in places if signal >= original.input_count]
    needed = {source for signal in followed for source, _ in _neuron(original, signal).synapses}
    needed |= {signal for bus in original.outputs.values() for signal in bus}
    if not places.keys() >= needed.union(range(original.input_count)):
        raise CompositionError("a signal that the outputs depend on has no place in the circuit")
    if not all(0 <= signal < netlist.signal_count for each in places.values() for signal in each):
        raise CompositionError("the circuit lacks signals that the original has")
    if len({len(each) for each in places.values()}) > 1:
        raise CompositionError("some signals have a place for their complement, and some have none")
    for kind, theirs, ours in (
        ("input", original.input_buses, netlist.input_buses),
        ("output", original.outputs, netlist.outputs),
    ):
        for name, bus in theirs.items():
            if ours.get(name) != _places(places, 0, bus):
                raise CompositionError(f"{kind} {name!r} is not where the original's is")
    shapes = dict.fromkeys(
        _Shape.of(
            netlist,
            _neuron(original, signal),
            [place for source, _ in _neuron(original, signal).synapses for place in places[source]],
            places[signal],
        )
        for signal in sorted(followed)
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


def _neuron(netlist: Netlist, signal: int) -> Neuron:
    return netlist.neurons[signal - netlist.input_count]


def _places(places: Places, rail: int, bus: Bus) -> Bus:
    return tuple(places[signal][rail] for signal in bus)


def _of_values(
    netlist: Netlist, original: Netlist, places: Places, claim: Claim
) -> tuple[Buses, tuple[FNode, ...]]:
    """What a claim about both rails expects of the original's outputs, and assumes of its inputs.

    Raises:
        CompositionError: if an input is not assumed to have a complement of its own, an output beside
            the original's is not the complement of one, or something else is assumed of complements.
    """

    assumed, taken = list(claim.assumptions), set(original.inputs)
    for value, bus in original.input_buses.items():
        name = _bus_at(_places(places, 1, bus), netlist.input_buses)
        assumption = Equals(claim.inputs[name], BVNot(claim.inputs[value])) if name else None
        if not name or name in taken or assumption not in assumed:
            raise CompositionError(f"no input is assumed to be the complement of input {value!r} alone")
        taken.add(name)
        assumed.remove(assumption)
    for name in netlist.outputs.keys() - original.outputs.keys():
        complements = {v: _places(places, 1, bus) for v, bus in original.outputs.items()}
        of = _bus_at(netlist.outputs[name], complements)
        if not of or claim.expected[name] != BVNot(claim.expected[of]):
            raise CompositionError(f"output {name!r} is not the complement of another")
    if not set(And(assumed).get_free_variables()) <= {claim.inputs[name] for name in original.inputs}:
        raise CompositionError("what is assumed is not about the values alone")
    return {name: claim.expected[name] for name in original.outputs}, tuple(assumed)


def _bus_at(signals: Bus, buses: Mapping[str, Bus]) -> str | None:
    """The name of the first bus that has these signals."""
    return next((name for name, bus in buses.items() if bus == signals), None)


_SOURCES, _OTHERS = "sources", "others"


@dataclass(frozen=True)
class _Shape:
    """What lies between the signals of a neuron's sources and its own, whatever their numbers.

    Attributes:
        original: the neuron, reading signals 0, 1, ...: the sources.
        others: how many other input bits come next.
        followers: the neurons that come then.
        rails: how many signals each source has: one, or another for its complement.
        places: which of all these signals is to have the value of the original; and its complement.
    """

    original: Neuron
    others: int
    followers: tuple[Neuron, ...]
    rails: int
    places: tuple[int, ...]

    @classmethod
    def of(
        cls, netlist: Netlist, original: Neuron, sources: Sequence[int], targets: tuple[int, ...]
    ) -> _Shape:
        """The shape of what a circuit has in a neuron's place.

        Args:
            sources: the signals of the first source, of the second, and so on; as many of each as
                there are targets.
        """
        neurons = netlist.neurons
        found: set[int] = set()
        pending = list(targets)
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
            _reading(original, range(len(original.synapses))),
            others,
            tuple(_reading(each, [local[source] for source, _ in each.synapses]) for each in followers),
            len(targets),
            tuple(local[target] for target in targets),
        )

    def goal(self, symbols: Buses) -> FNode:
        """That value and complement are those of the original, for free sources and other inputs."""
        sources = list(_bits(symbols, _SOURCES, len(self.original.synapses)))
        signals = [rail for source in sources for rail in self._on_rails(source)]
        signals += _bits(symbols, _OTHERS, self.others)
        for neuron in self.followers:
            signals.append(neuron_formula(neuron, [signals[source] for source, _ in neuron.synapses]))
        wanted = self._on_rails(neuron_formula(self.original, sources))
        return And(Iff(signals[place], rail) for place, rail in zip(self.places, wanted, strict=True))

    def _on_rails(self, value: FNode) -> tuple[FNode, ...]:
        return (value, Not(value))[: self.rails]


def _reading(neuron: Neuron, sources: Iterable[int]) -> Neuron:
    """The neuron with other signals in the place of its sources."""
    weights = (weight for _, weight in neuron.synapses)
    return replace(neuron, synapses=tuple(zip(sources, weights, strict=True)))


def _bits(symbols: Buses, name: str, count: int) -> Iterator[FNode]:
    return (Equals(BVExtract(symbols[name], index, index), BV(1, 1)) for index in range(count))
