"""A module beside its neurons one by one, where their sums lie just at thresholds and one step below.

Few inputs of a module bring a neuron there, and for those of inner layers none is easily found. So the
module runs once more on numbers, but goes on after each comparison with other spikes than it made, all
chosen freely. What it makes of them is compared with what the imported neurons make of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode

from spikeproof.circuits.doors.affine_forms import Affine, Case, Forms, lowest_bit, plain, size
from spikeproof.circuits.doors.symbolic_tensors import Compared, operation_of, place
from spikeproof.circuits.meanings.boolean import Bits, fires
from spikeproof.circuits.netlist import NetlistError, Weight

MOST_LEAVES = 32
"""Of a potential that is defined by cases so many are brought to the threshold."""

TABLE = 1 << 25
"""Sums of weights are found in a table of so many bits; where it would be larger, greedily."""

Wanted = Mapping[int, bool]
"""What some signals are to be."""


@dataclass(frozen=True)
class Decision:
    """A neuron of the module in one case: an affine form, and whether it must exceed 0 or only reach it.

    Attributes:
        given: the signals that make the case.
    """

    form: int
    strict: bool
    given: tuple[tuple[int, bool], ...]


class FreeSpikes:
    """Assignments of all spikes, a column each, that bring neurons to their thresholds.

    Args:
        forms: of the run on symbolic bits.
        compared: its comparisons, in order; None where nothing varied.
        most: so many assignments at most.

    Attributes:
        signals: what each signal is in each assignment.
        decisions: how many neurons there are, or cases of them.
        met: how many of these are both at the threshold, or as near above as can be, and just below.
    """

    def __init__(self, forms: Forms, compared: Sequence[Compared | None], most: int) -> None:
        self.forms, self.compared = forms, compared
        self._neurons, self._inputs = forms.builder.neurons, forms.builder.input_count
        self._decided: dict[tuple[int, bool], Bits] = {}
        self.free = {*range(self._inputs)} | (self._compared_signals() - forms.implied)
        found = list(dict.fromkeys(self._decisions()))
        pairs = [self._beside(each) for each in found]
        wanted = np.full((self._inputs + len(self._neurons), most), -1, dtype=np.int8)
        laid = [[self._lay(wanted, each) for each in pair] for pair in pairs]
        used = 1 + max((column for columns in laid for column in columns), default=0)
        self.signals = self._completed(wanted[:, :used])
        self.decisions = len(found)
        self.met = sum(
            all(
                column >= 0 and all(self.signals[signal, column] == bit for signal, bit in each.items())
                for column, each in zip(columns, pair, strict=True)
            )
            for columns, pair in zip(laid, pairs, strict=True)
        )

    def _compared_signals(self) -> set[int]:
        numbers = {number for each in self.compared if each for number in each.spikes}
        return set().union(*map(self._compared_signals_of, numbers))

    def _compared_signals_of(self, number: int) -> set[int]:
        spike = self.forms.spike(number)
        return {spike[0]} if spike else set()

    def _decisions(self) -> Iterator[Decision]:
        for each in filter(None, self.compared):
            for drive in dict.fromkeys(each.drives):
                yield from islice(self._leaves(drive, each.strict, ()), MOST_LEAVES)

    def _leaves(
        self, number: int, strict: bool, given: tuple[tuple[int, bool], ...]
    ) -> Iterator[Decision]:
        form = self.forms[number]
        if isinstance(form, Case):
            yield from self._leaves(form.fires, strict, (*given, (form.signal, True)))
            yield from self._leaves(form.rests, strict, (*given, (form.signal, False)))
        elif isinstance(form, Affine) and form.terms:
            spike = self.forms.threshold(number, strict=strict)
            if spike not in (self.forms.zero, self.forms.one):
                yield Decision(number, strict, given)

    def _beside(self, decision: Decision) -> tuple[Wanted, Wanted]:
        """The signals for the least sum that fires a neuron, and for the greatest that does not."""
        form = self.forms[decision.form]
        assert isinstance(form, Affine)
        unit = lowest_bit(weight for _, weight in form.terms)
        weights = tuple(int(Fraction(size(weight)) / unit) for _, weight in form.terms)
        negative = sum(weight for _, weight in form.terms if weight < 0)
        bound = Fraction(-form.constant - negative) / unit
        rests = math.floor(bound) if decision.strict else math.ceil(bound) - 1
        above = [not chosen for chosen in nearest(weights, sum(weights) - rests - 1)]
        return tuple(  # type: ignore[return-value]
            dict(decision.given)
            | {s: taken == (w > 0) for (s, w), taken in zip(form.terms, chosen, strict=True)}
            for chosen in (above, nearest(weights, rests))
        )

    def _lay(self, wanted: NDArray[np.int8], signals: Wanted) -> int:
        """Put an assignment into the first column that has nothing else there; -1 if there is none."""
        at = [signal for signal in signals if signal in self.free]
        bits = np.array([signals[signal] for signal in at], dtype=np.int8)[:, None]
        rows = wanted[at]
        column = int(np.argmin(((rows != bits) & (rows >= 0)).any(axis=0))) if at else 0
        if ((rows[:, column] != bits[:, 0]) & (rows[:, column] >= 0)).any():
            return -1
        wanted[at, column] = bits[:, 0]
        return column

    def _completed(self, wanted: NDArray[np.int8]) -> Bits:
        """All signals: what nothing was wanted of is drawn if it is free, else what its neuron makes."""
        drawn = np.random.default_rng(0).integers(2, size=wanted.shape, dtype=np.int8)
        signals = np.where(wanted < 0, drawn, wanted).astype(bool)
        for index, neuron in enumerate(self._neurons):
            if self._inputs + index not in self.free:
                signals[self._inputs + index] = fires(neuron, signals)
        return signals

    # --- what the imported neurons do ---------------------------------------------------------------

    def fired(self, number: int) -> Bits:
        """A spike's form, in each assignment."""
        if number in (self.forms.zero, self.forms.one):
            return np.full(self.signals.shape[1], number == self.forms.one)
        spike = self.forms.spike(number)
        assert spike
        signal, negated = spike
        bits: Bits = self.signals[signal] ^ negated
        return bits

    def is_bit(self, number: int) -> bool:
        """Whether a form is a spike, or its negation, or 0 or 1."""
        return number != self.forms.unsure and self.forms.is_bit(number)

    def decided(self, drive: int, strict: bool) -> Bits:
        """Whether the neuron of a potential fires, in each assignment, whatever its spike is there."""
        known = self._decided.get((drive, strict))
        if known is None:
            known = self._decided[drive, strict] = self._decide(drive, strict)
        return known

    def _decide(self, drive: int, strict: bool) -> Bits:
        form = self.forms[drive]
        if isinstance(form, Case):
            fires_if, rests_if = (self.decided(each, strict) for each in (form.fires, form.rests))
            return np.where(self.signals[form.signal], fires_if, rests_if)
        assert isinstance(form, Affine)
        spike = self.forms.threshold(drive, strict=strict)
        signal, negated = self.forms.spike(spike) or (-1, False)
        if signal >= self._inputs:
            neuron = self._neurons[signal - self._inputs]
            if [source for source, _ in neuron.synapses] == [source for source, _ in form.terms]:
                return fires(neuron, self.signals) ^ negated
        return self.fired(spike)

    def value(self, number: int, column: int) -> Weight:
        """A potential in one assignment."""
        form = self.forms[number]
        if isinstance(form, Case):
            return self.value(form.fires if self.signals[form.signal, column] else form.rests, column)
        assert isinstance(form, Affine)
        return plain(
            Fraction(form.constant + sum(w for signal, w in form.terms if self.signals[signal, column]))
        )

    @property
    def tangled(self) -> bool:
        """Whether what is no comparison has to do with a potential that is defined by cases.

        What such a neuron does on free spikes is not what its gates make of them.
        """
        return self.forms.tangled or any(
            isinstance(self.forms[drive], Case) and not self._compared_signals_of(spike) <= self.free
            for each in self.compared
            if each
            for drive, spike in zip(each.drives, each.spikes, strict=True)
        )

    def require_same(
        self, answering: Callable[[], Callable[[Bits], Any]], batches: bool, name: str
    ) -> bool:
        """Run a module with these spikes; whether it made the comparisons that are known.

        Args:
            answering: makes a fresh module, to be run on input bits, a row for each input.
            batches: whether it takes several rows at once.

        Raises:
            NetlistError: naming a neuron that decides otherwise.
        """
        every = np.arange(self.signals.shape[1])
        for columns in [every] if batches else every[:, None]:
            mode, answer = _Substituting(self, columns, name), answering()
            with mode:
                answer(self.signals[: self._inputs, columns].T)
            if mode.problem:
                raise mode.problem
            if mode.unlike or mode.count != len(self.compared):
                return False
        return True


class _Substituting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Looks at what each comparison gives, and has the code go on with other spikes."""

    def __init__(self, free: FreeSpikes, columns: NDArray[np.int64], name: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.free, self.columns, self.name = free, columns, name
        self.count, self.unlike = 0, False
        self.problem: NetlistError | None = None

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # as of ``symbolic_tensors``

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if operation_of(func).compares:
            self.count += 1
            self.unlike |= self.count > len(self.free.compared)
            if not self.unlike and (compared := self.free.compared[self.count - 1]):
                self._substitute(compared, result)
        return result

    def _substitute(self, compared: Compared, result: torch.Tensor) -> None:
        free, moved = self.free, self._by_rows(compared.shape, result)
        if moved is None:
            self.unlike = True
            return
        made = (moved != 0).cpu().numpy().reshape(-1, len(self.columns))
        going_on = made.copy()
        for at, (drive, spike) in enumerate(zip(compared.drives, compared.spikes, strict=True)):
            if free.is_bit(spike):
                wanted = free.decided(drive, compared.strict)[self.columns]
                differing = np.flatnonzero(made[at] != wanted)
                if len(differing) and not self.problem:
                    value = free.value(drive, self.columns[differing[0]])
                    self.problem = self._refusal(value, bool(made[at, differing[0]]))
                going_on[at] = free.fired(spike)[self.columns]
        moved.copy_(torch.from_numpy(going_on.reshape(tuple(moved.shape))))

    def _by_rows(self, alone: tuple[int, ...], result: torch.Tensor) -> torch.Tensor | None:
        """A view of a result whose last axis is that of rows; None if it has no such axis.

        Args:
            alone: the shape that it has for one row.
        """
        shape, rows = tuple(result.shape), len(self.columns)
        if rows == 1 and shape == alone:
            return result
        axes = [axis for axis, pair in enumerate(zip(alone, shape, strict=False)) if pair[0] != pair[1]]
        if len(alone) != len(shape) or [(alone[a], shape[a]) for a in axes] != [(1, rows)]:
            return None
        return result.movedim(axes[0], -1)

    def _refusal(self, value: Weight, fired: bool) -> NetlistError:
        return NetlistError(
            f"{self.name} does not do what was imported: the neuron at {place()} "
            f"{'fires' if fired else 'does not fire'} where its potential less its threshold is "
            f"{float(value):g}, as spikes before it can make it"
        )


@lru_cache(1 << 16)
def nearest(weights: tuple[int, ...], most: int) -> tuple[bool, ...]:
    """Which of some positive weights together come nearest to a sum, from below.

    From a table of all sums, if that is small; else each that fits, the largest first, which is right
    where each weight is larger than the sum of all smaller ones.
    """
    if sum(weights) * len(weights) > TABLE:
        chosen = [False] * len(weights)
        for at in sorted(range(len(weights)), key=lambda at: -weights[at]):
            if weights[at] <= most:
                chosen[at], most = True, most - weights[at]
        return tuple(chosen)
    reached = [1]  # in bit s, whether the first weights can make s
    for weight in weights:
        reached.append(reached[-1] | reached[-1] << weight)
    total = (reached[-1] & ((1 << most + 1) - 1)).bit_length() - 1
    backwards = []
    for weight, before in zip(reversed(weights), reversed(reached[:-1]), strict=True):
        backwards.append(not before >> total & 1)
        total -= weight * backwards[-1]
    return tuple(reversed(backwards))
