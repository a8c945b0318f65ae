"""Executable meaning of clocked netlists: step by step, by whatever evaluates a netlist."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from spikeproof.circuits.clocked import ClockedNetlist, Schedule
from spikeproof.circuits.meanings.boolean import Bits, Words, pack_words, unpack_words
from spikeproof.circuits.netlist import ONE, ZERO, Bus

Evaluation = Callable[[Mapping[str, Words]], Mapping[str, Words]]
"""From the words of a step's input buses those of its output buses: ``evaluate`` of a simulator, or
``MembraneSimulator.evaluate_words``."""


def run(
    clocked: ClockedNetlist,
    evaluate: Evaluation,
    inputs: Iterable[Mapping[str, Words]],
    before: Mapping[str, Words] | None = None,
) -> Iterator[Mapping[str, Words]]:
    """All output buses of a step, those of states too, step after step, as long as inputs come.

    Args:
        evaluate: of ``clocked.step``.
        inputs: for each step an array of words for each input that is no state, all of one length.
        before: what states were before the first step, where that is not their initial value.

    Raises:
        ValueError: as ``evaluate``.
    """
    state = dict(before or {})
    for given in inputs:
        count = max((len(words) for words in given.values()), default=1)
        begun = {name: np.full(count, value, object) for name, value in clocked.initial.items()}
        found = evaluate({**begun, **state, **given})
        state = {name: found[name] for name in clocked.initial}
        yield found


def run_words(
    clocked: ClockedNetlist, schedule: Schedule, evaluate: Evaluation, words: Mapping[str, Words]
) -> dict[str, Words]:
    """What the unrolled netlist gives, by running the steps: batches of words in, and out.

    Raises:
        NetlistError: if the schedule is of another circuit.
        ValueError: if a word is missing or does not fit.
    """
    schedule.require_fit(clocked)
    bits = np.concatenate(
        [unpack_words(words[name], width) for name, width in schedule.words.items()], axis=0
    )
    inputs = (
        {name: _words(bits, buses[step]) for name, buses in schedule.inputs.items()}
        for step in range(schedule.steps)
    )
    before = {name: _words(bits, bus) for name, bus in schedule.before.items()}
    outputs = list(run(clocked, evaluate, inputs, before))
    return {
        name: pack_words(
            np.array([(outputs[step][bus] >> place & 1).astype(bool) for step, bus, place in places])
        )
        for name, places in schedule.outputs.items()
    }


def _words(bits: Bits, bus: Bus) -> Words:
    constants = {ZERO: np.zeros(bits.shape[1], bool), ONE: np.ones(bits.shape[1], bool)}
    return pack_words(np.array([constants[s] if s in constants else bits[s] for s in bus]))
