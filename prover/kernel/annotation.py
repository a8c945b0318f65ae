"""What somebody found in a circuit that has no probes: where the spec's values are, and what adds up.

Nothing of it is believed. Annotations change none of a circuit's neurons, and what they say is checked
as if the circuit had come with it: the lemmas that follow are proved of the circuit, or it is not
proved by them. Where the circuit lacks a value, the proof is not cut there; where values are the spec's
for some inputs only, the others are a lemma of their own: see ``prover.kernel.composition``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from spikeproof.circuits.netlist import UNUSED, Block, Bus, Netlist, OneLineError
from spikeproof.prover.claims.obligation import ENGINES_ALONE, Decomposition, Step

SCHEMA: Literal["spikeproof-annotations-1"] = "spikeproof-annotations-1"


class AnnotationError(OneLineError, ValueError):
    """Annotations that cannot be read, or are not of the circuit; the message says which."""


@dataclass(frozen=True)
class Annotations:
    """Probes and cells for a circuit, by SHA-256.

    Attributes:
        circuit: SHA-256 of the circuit as it was given.
        condition: the name of that condition of the decomposition for which the probes have the spec's
            values; None if they have for all inputs.
        beside: whether the circuit is proved to have the outputs of the theorem's own unit, and is not
            cut: see ``prover.kernel.beside``.
        defined: as of ``Decomposition``.
    """

    schema: Literal["spikeproof-annotations-1"]
    circuit: str
    probes: Mapping[str, Bus]
    cells: tuple[Block, ...] = ()
    condition: str | None = None
    beside: bool = False
    defined: bool = False

    @classmethod
    def read(cls, content: bytes) -> Annotations:
        """The inverse of ``content``.

        Raises:
            AnnotationError: if that is something else, by as little as an unknown key or a blank.
        """
        try:
            found = msgspec.json.decode(content, type=cls)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise AnnotationError(f"the annotations cannot be read: {error}") from None
        if found.content != content:  # of a repeated key the last is read, an unknown one is not
            raise AnnotationError(
                "the annotations cannot be read: they are not as this version writes them"
            )
        return found

    @property
    def content(self) -> bytes:
        """As a file."""
        return msgspec.json.encode(self)

    def on(self, netlist: Netlist) -> Netlist:
        """The circuit with these probes and cells in the place of its own.

        Raises:
            AnnotationError: if they are of another circuit.
            NetlistError: if they name signals that it does not have.
        """
        if self.circuit != netlist.sha256:
            raise AnnotationError("the annotations are of another circuit")
        return replace(netlist, probes=dict(self.probes), cells=self.cells, blocks=())

    def reduced(self, decomposition: Decomposition) -> Decomposition:
        """The decomposition without the steps for which there are no probes, under the condition.

        Raises:
            AnnotationError: if it has no condition of that name.
        """
        if self.condition is not None and self.condition not in decomposition.conditions:
            raise AnnotationError(f"no condition is named {self.condition!r}")
        steps: list[Step] = []
        given: dict[str, tuple[str, ...]] = {}  # what to take as free for each probe

        def known(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(dict.fromkeys(each for name in names for each in given[name]))

        for step in decomposition.steps:
            before = known(step.given)
            by_search = step.method == ENGINES_ALONE
            kept = self._has(step.names) and (by_search or before == step.given)
            if kept:
                steps.append(replace(step, given=before))
            given |= {name: (name,) if kept else before for name in step.names}
        last = replace(decomposition.last, given=known(decomposition.last.given))
        if self.defined:
            last = replace(last, given=_with_operands(steps, last))
        when = decomposition.conditions[self.condition] if self.condition is not None else None
        otherwise = decomposition.others.get(self.condition) if self.condition is not None else None
        needed = _needed(steps, last)
        kept_steps = tuple(step for step in steps if not needed.isdisjoint(step.names))
        return replace(
            decomposition,
            steps=kept_steps,
            last=last,
            when=when,
            otherwise=otherwise,
            laws=True,
            defined=self.defined,
        )

    def _has(self, names: tuple[str, ...]) -> bool:
        return all(UNUSED not in self.probes.get(name, (UNUSED,)) for name in names)


def _with_operands(steps: list[Step], last: Step) -> tuple[str, ...]:
    """What a step takes as free, and what that is computed from where engines are to show it."""
    wanted = set(last.given)
    computed = (s for s in steps if s.method == ENGINES_ALONE and not wanted.isdisjoint(s.names))
    return tuple(dict.fromkeys((*last.given, *(name for step in computed for name in step.given))))


def _needed(steps: list[Step], last: Step) -> set[str]:
    """The probes that are taken as free somewhere on the way to the outputs."""
    wanted = set(last.given)
    for step in reversed(steps):
        if not wanted.isdisjoint(step.names):
            wanted.update(step.given)
    return wanted
