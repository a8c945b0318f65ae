"""Which signals of a circuit carry a spec's values, by simulation.

A *signature* is what a signal, or a bit of a spec's value, is on some thousand inputs drawn by class.
Two of one signature are most likely one function of the inputs. Where several signals share one, as a
signal and its copies do, the earliest is taken that others read too, and for what never changes a
constant; but of bits of factors that which neurons read most together with the other factor's, since of
many signals that are 1 for all normal operands only the hidden bit is multiplied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pysmt.fnode import FNode

from spikeproof.circuits.meanings.boolean import Bits, evaluate_signals, pack_words, unpack_words
from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist
from spikeproof.prover.claims.obligation import Decomposition
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.evidence.record import SEED
from spikeproof.prover.refutation.drawing import inputs_by_class
from spikeproof.specs.formats import AnyFormat
from spikeproof.specs.integers import Buses

COUNT, BATCH = 1 << 14, 1 << 11
"""How many inputs are simulated, and how many at a time."""

BESIDE = 1 << 6
"""Of an input that told two signals apart, so many that differ from it in a few bits."""

Inputs = Mapping[str, NDArray[Any]]
Candidates = list[list[int]]
"""For each bit of a value the signals that have its signature, in order."""


@dataclass(frozen=True)
class Signatures:
    """Signatures of a circuit's signals on the inputs that count.

    Attributes:
        inputs: those that were simulated.
        signals: by signature, the signals that have it, in order.
    """

    netlist: Netlist
    inputs: Inputs
    signals: Mapping[bytes, Sequence[int]]

    @classmethod
    def of(
        cls,
        netlist: Netlist,
        formats: Mapping[str, AnyFormat],
        about: FNode | None = None,
        telling: Sequence[Mapping[str, int]] = (),
    ) -> Signatures:
        """Simulate a circuit on inputs drawn by class; there are no signatures if none is left.

        Args:
            formats: of its input buses, of those that have one.
            about: whether an input counts; all do, unless told.
            telling: inputs that are known to tell signals apart; they are simulated too.
        """
        drawn = inputs_by_class(netlist.inputs, formats, COUNT, SEED)
        inputs: Inputs = {
            name: np.concatenate([codes, *(_beside(name, width, each) for each in telling)])
            for (name, codes), width in zip(drawn.items(), netlist.inputs.values(), strict=True)
        }
        if about is not None and not about.is_true():
            holds = Evaluation({"": about}).evaluate(inputs)[""].astype(bool)
            inputs = {name: codes[holds] for name, codes in inputs.items()}
        signals: dict[bytes, list[int]] = defaultdict(list)
        some = len(next(iter(inputs.values()))) > 0
        for signal, row in enumerate(_packed(netlist, inputs) if some else ()):
            signals[row.tobytes()].append(signal)
        return cls(netlist, inputs, signals)

    def candidates(self, values: Mapping[str, FNode]) -> dict[str, Candidates]:
        """For each value the signals that may carry its bits, where every bit has some.

        Args:
            values: formulas over the symbols of the input buses.
        """
        found = {}
        for name, words in Evaluation(values).evaluate(self.inputs).items():
            bits = [self._with_values(row) for row in unpack_words(words, values[name].bv_width())]
            if all(bits):
                found[name] = bits
        return found

    def alike(self, bus: Bus) -> Candidates:
        """For each signal of a bus those that have its signature, in order, itself among them."""
        groups = {signal: group for group in self.signals.values() for signal in group}
        count = len(next(iter(self.inputs.values())))
        constant = {signal: np.full(count, signal == ONE) for signal in (ZERO, ONE)}
        return [
            self._with_values(constant[signal]) if signal in constant else list(groups[signal])
            for signal in bus
        ]

    def _with_values(self, row: NDArray[np.bool_]) -> list[int]:
        """The signals, and constants, that have these values."""
        constants = [signal for signal, value in ((ZERO, False), (ONE, True)) if (row == value).all()]
        return [*constants, *self.signals.get(np.packbits(row).tobytes(), ())]

    def probes(self, decomposition: Decomposition, symbols: Buses) -> dict[str, Bus]:
        """The buses that carry values of a decomposition's spec, as far as there are some."""
        values: dict[str, FNode] = {}

        def probe(name: str, value: FNode) -> FNode:
            return values.setdefault(name, value)

        decomposition.spec(symbols, probe)
        wanted = {name for step in decomposition.steps for name in step.names}
        found = self.candidates({name: values[name] for name in wanted & values.keys()})
        buses = {name: tuple(map(self._delivered, bits)) for name, bits in found.items()}
        for step in decomposition.steps:
            if step.method == "product" and found.keys() >= set(step.given):
                pair = (found[name] for name in step.given)
                buses |= zip(step.given, self._factors(*pair), strict=True)
        return buses

    def _delivered(self, alike: Sequence[int]) -> int:
        """Of signals alike the first that is not read by these alone: such a one is a part of another.

        The first digit of a sum that never overflows has the values of the OR within its XOR.
        """
        kept = (s for s in alike if s < 0 or not self._readers[s].issubset(alike))
        return next(kept, alike[0])

    @cached_property
    def _readers(self) -> Mapping[int, set[int]]:
        """By signal the neurons that read it, and of an output what is no signal of the circuit."""
        readers: dict[int, set[int]] = defaultdict(set)
        for signal, neuron in enumerate(self.netlist.neurons, self.netlist.input_count):
            for source, _ in neuron.synapses:
                readers[source].add(signal)
        for bus in self.netlist.outputs.values():
            for signal in bus:
                readers[signal].add(self.netlist.signal_count)
        return readers

    def _factors(self, x: Candidates, y: Candidates) -> tuple[Bus, Bus]:
        """Of the signals that may be bits of two factors those that are most read together."""
        together = self._read_together({s for bits in (x, y) for bit in bits for s in bit})

        def best(own: Candidates, other: Candidates) -> Bus:
            def reads(signal: int) -> tuple[int, int]:
                met = together.get(signal, set())
                return sum(not met.isdisjoint(bit) for bit in other), -signal

            return tuple(max(bit, key=reads) for bit in own)

        # A signal that selects is read with many words, but seldom with that which is multiplied.
        first, second = best(x, y), best(y, x)
        return best(x, [[signal] for signal in second]), best(y, [[signal] for signal in first])

    def _read_together(self, wanted: set[int]) -> dict[int, set[int]]:
        """For each of some signals, the others of them that some neuron reads beside it."""
        together: dict[int, set[int]] = {signal: set() for signal in wanted}
        for neuron in self.netlist.neurons:
            met = [source for source, _ in neuron.synapses if source in wanted]
            for source in met:
                together[source].update(met)
        return together


def _beside(bus: str, width: int, inputs: Mapping[str, int]) -> NDArray[Any]:
    """A value of an input bus, and others with a few of its bits changed."""
    rng = np.random.default_rng([SEED, width, *bus.encode()])
    value = unpack_words(np.array([inputs[bus]], dtype=object), width)
    changed = rng.random((width, BESIDE)) < 2 / width
    changed[:, 0] = False
    return pack_words(value ^ changed)


def _packed(netlist: Netlist, inputs: Inputs) -> NDArray[np.uint8]:
    """The values of every signal, a row each, eight inputs to a byte."""
    return np.hstack([np.packbits(values, axis=1) for values in _in_batches(netlist, inputs)])


def _in_batches(netlist: Netlist, inputs: Inputs) -> Iterator[Bits]:
    count = len(next(iter(inputs.values())))
    for start in range(0, count, BATCH):
        part = slice(start, start + BATCH)
        yield evaluate_signals(netlist, {name: codes[part] for name, codes in inputs.items()})
