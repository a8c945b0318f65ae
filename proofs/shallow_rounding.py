"""Where the proof of a shallow unit is cut before it rounds.

What is rounded is the significand as it is after shifting: ``kept``, the places that the format has;
``guard``, the place below; ``sticky``, whether there is anything further below. A shallow unit has no
word of these, but places that are sums of neurons. So, as in ``proofs.shallow_sums``, these are what is
taken as free, each as the circuit itself computes it; a fact says that they are what the spec has, as
its probe ``normalised``. The shift is then nothing that the lemma about the outputs has to find.

Where a place is a sum of several neurons, those that round read all of them, up to 24 places of five:

    places   the signals of ``kept``, ``guard`` and ``sticky``: one of a place at most is 1
    carry_K  what is carried into place K: that into the first, if all places between are 1: a lemma
             about the places and nothing before them. Each reads what the one below does, and a place
             more, so that they are told by the last place first
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from pysmt.fnode import FNode
from pysmt.shortcuts import And, BVExtract, Iff

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.floating_point.shallow_rounding import read_below
from spikeproof.proofs.circuit_cuts import CircuitCuts
from spikeproof.proofs.shallow_sums import is_exclusive, is_word, word_of
from spikeproof.prover.claims.obligation import Step
from spikeproof.specs.formats import Format, Mode
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import Probe, bit, from_bool, nonzero


def normalised(mode: Mode, flags: bool = False) -> tuple[str, ...]:
    """What is rounded, of which a mode reads anything, or what is flagged."""
    return ("kept", "guard", "sticky") if flags else ("kept", *read_below(mode))


@dataclass(frozen=True)
class ShallowRounding:
    """The cut between what is shifted and what is rounded.

    Attributes:
        given: the probes from which it is shifted.
        circuit: the unit with all its cuts.
        whole: what its outputs should be, with those probes and ``normalised``.
        mode, flags: how it rounds, and whether it flags exceptions.
        by_places: whether neurons that round have a lemma of their own.
    """

    fmt: Format
    given: tuple[str, ...]
    circuit: Callable[[], Netlist] = field(compare=False)
    whole: Callable[[Buses, Probe], Buses] = field(compare=False)
    mode: Mode
    flags: bool = False
    by_places: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        """From the probes given to what is rounded."""
        rounded = normalised_steps(self.fmt, self.given, self._names)
        if not self.by_places:
            return rounded
        exclusive = Step(("places",), self.given, fact=self._are_exclusive)
        carries = Step(self.carries, ("places",), fact=self._are_carries, last_first=True)
        return exclusive, carries, *rounded

    def last(self, whole: Step) -> Step:
        """The outputs, from there too."""
        return replace(whole, given=(*whole.given, *self._names, *self.carries))

    @property
    def carries(self) -> tuple[str, ...]:
        """All but the first, which is the others' where all places between are 1."""
        return tuple(f"carry_{k}" for k in range(1, self.fmt.precision)) if self.by_places else ()

    @property
    def _names(self) -> tuple[str, ...]:
        return normalised(self.mode, self.flags)

    @cached_property
    def _probed(self) -> Netlist:
        return self.circuit()

    def spec(self, inputs: Buses, probe: Probe) -> Buses:
        """The unit's spec, with probes for the cut."""
        cuts = CircuitCuts(self._probed, inputs, probe, self.given)
        outputs = self.whole(inputs, cuts.probe)
        by_places = (("places",), self._names, ("carry_0",), self.carries)
        for names in by_places if self.by_places else (self._names,):
            cuts.compute(names, last_first=names == self.carries)
        return outputs

    # --- facts ----------------------------------------------------------------------------------

    def _are_exclusive(self, values: Buses) -> FNode:
        return is_exclusive(values["places"], self.fmt.precision + len(read_below(self.mode)))

    def _are_carries(self, values: Buses) -> FNode:
        kept = word_of(values["kept"], self.fmt.precision)
        said, carried = [], bit(values["carry_0"], 0)
        for k, name in enumerate(self.carries):
            carried = And(carried, bit(kept, k))
            said.append(Iff(bit(values[name], 0), carried))
        return And(said)


def normalised_steps(fmt: Format, given: tuple[str, ...], names: tuple[str, ...]) -> tuple[Step, ...]:
    """From what is given to what is rounded, by name, which is what the spec has as ``normalised``.

    Whether anything is lost has a lemma of its own: together they take longer.
    """
    kept = tuple(name for name in names if name != "sticky")
    lost = (Step(("sticky",), given, fact=partial(_is_sticky, fmt)),) if "sticky" in names else ()
    return Step(kept, given, fact=partial(_are_kept, fmt, kept)), *lost


def _are_kept(fmt: Format, names: tuple[str, ...], values: Buses) -> FNode:
    word = values["normalised"]
    guard = word.bv_width() - fmt.precision - 1
    places = {"kept": BVExtract(word, guard + 1), "guard": BVExtract(word, guard, guard)}
    return And(is_word(values[name], places[name]) for name in names)


def _is_sticky(fmt: Format, values: Buses) -> FNode:
    word = values["normalised"]
    below = BVExtract(word, 0, word.bv_width() - fmt.precision - 2)
    return is_word(values["sticky"], from_bool(nonzero(below), 1))
