"""The exact limits within which a circuit of perturbed neurons is right, found from its neurons.

Nothing here is trusted: each limit is the subject of theorems (``proofs.margins``), one that the circuit
is right within it and one that it is wrong beyond. Inputs are enumerated, so this is for cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from itertools import chain, combinations, pairwise, product
from operator import attrgetter

from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.physics.leak import ExactMembranes, netlist_after
from spikeproof.circuits.physics.substrates import Reset
from spikeproof.circuits.physics.uncertainty import (
    NOTHING,
    Interval,
    Tolerance,
    UncertainNeuron,
    drive,
    perturbed,
)
from spikeproof.circuits.units.dual_rail import COMPLEMENT

CEILING = Fraction(1000)
"""Limits are sought up to here: no spread of a quantity is a thousandfold."""

BEYOND = Fraction(1001, 1000)
"""How far beyond a limit that is attained the circuit is shown to be wrong."""

NOISES = (Fraction(1, 8), Fraction(1, 4), Fraction(3, 8))
"""The noises, in units of the weights, that leak is combined with: within every gate's margin of 1/2."""


@dataclass(frozen=True)
class Limit:
    """The largest size of a perturbation at which a circuit is right.

    Attributes:
        value: exact; ``CEILING`` where there is none below.
        attained: whether it is right at that size too, or only at every smaller one.
    """

    value: Fraction
    attained: bool = True

    @property
    def bounded(self) -> bool:
        """Whether there is a limit below the ceiling."""
        return self.value < CEILING

    @property
    def beyond(self) -> Fraction:
        """A size at which the circuit is wrong."""
        return self.value * BEYOND if self.attained else self.value

    def __str__(self) -> str:
        return f"{'' if self.attained else '< '}{self.value}" if self.bounded else "none"


Outcomes = dict[tuple[int, ...], tuple[bool, ...]]
"""By a neuron and the values of its sources, the values that its spike can have."""


@dataclass(frozen=True)
class Cell:
    """A circuit small enough to enumerate its inputs."""

    netlist: Netlist

    @cached_property
    def inputs(self) -> list[tuple[bool, ...]]:
        """All of them; buses of complements carry just those."""
        complements = [
            pair
            for name, bus in self.netlist.input_buses.items()
            for pair in zip(bus, self.netlist.input_buses.get(name + COMPLEMENT, ()), strict=False)
        ]
        every = product((False, True), repeat=self.netlist.input_count)
        return [bits for bits in every if all(bits[a] != bits[b] for a, b in complements)]

    @cached_property
    def logical(self) -> list[list[bool]]:
        """All signals without perturbation, for each input."""
        return [self._signals(bits) for bits in self.inputs]

    def _signals(self, bits: Sequence[bool]) -> list[bool]:
        spikes = list(bits)
        for neuron in self.netlist.neurons:
            spikes.append(drive(neuron, spikes) >= neuron.threshold)
        return spikes

    def drives(self, index: int) -> dict[Fraction, tuple[bool, ...]]:
        """The drives that a neuron has without perturbation, with an input for each."""
        neuron = self.netlist.neurons[index]
        return {
            drive(neuron, spikes): bits for bits, spikes in zip(self.inputs, self.logical, strict=True)
        }

    @cached_property
    def _meant(self) -> dict[tuple[bool, ...], list[bool]]:
        """The same signals by the input."""
        return dict(zip(self.inputs, self.logical, strict=True))

    @cached_property
    def read(self) -> set[int]:
        """The signals that are outputs."""
        return {signal for bus in self.netlist.outputs.values() for signal in bus}

    def wrong(self, bits: Sequence[bool], spikes: Sequence[bool]) -> bool:
        """Whether some output is other than without perturbation, given all signals."""
        meant = self._meant[tuple(bits)]
        return any(spikes[signal] != meant[signal] for signal in self.read)

    def right(self, neurons: Sequence[UncertainNeuron]) -> bool:
        """Whether all outputs are as without perturbation, whatever uncertain neurons do."""
        known: Outcomes = {}
        return not any(
            self.wrong(bits, spikes)
            for bits in self.inputs
            for spikes in reachable(bits, neurons, known)
        )


@cache  # of each many limits are asked
def _cell(netlist: Netlist) -> Cell:
    return Cell(netlist)


def reachable(
    bits: Sequence[bool], neurons: Sequence[UncertainNeuron], known: Outcomes | None = None
) -> Iterator[list[bool]]:
    """All signals that uncertain neurons can have on an input.

    Args:
        known: what was found before of these neurons; added to.
    """
    known = {} if known is None else known
    pending = [list(bits)]
    while pending:
        spikes = pending.pop()
        index = len(spikes) - len(bits)
        if index == len(neurons):
            yield spikes
            continue
        neuron = neurons[index]
        key = index, *(spikes[source] for source, _ in neuron.synapses)
        if key not in known:
            known[key] = neuron.outcomes(spikes)
        pending += [[*spikes, spike] for spike in known[key]]


# --- noise, thresholds, weights ------------------------------------------------------------------


def upward(size: Fraction, is_open: bool = False) -> Interval:
    """From 0 to a size."""
    return Interval(Fraction(0), size, high_open=is_open) if size else NOTHING


def downward(size: Fraction, is_open: bool = False) -> Interval:
    """From the negative of a size to 0."""
    return upward(size, is_open).scaled(-1)


def both_ways(size: Fraction, is_open: bool = False) -> Interval:
    """Of at most a size."""
    return Interval(-size, size, is_open, is_open) if size else NOTHING


Extent = Callable[[Fraction, bool], Interval]
"""From the size of a perturbation, and whether less than that, where it may lie."""


def largest(netlist: Netlist, tolerance: Callable[[Interval], Tolerance], extent: Extent) -> Limit:
    """The largest size of a perturbation at which a cell is right.

    What a neuron may do changes only at sizes at which an end of its sum is 0 for some input of its own.
    The cell is tried at these sizes, and just below them; whatever is right at one is so at a smaller
    one.
    """
    cell = _cell(netlist)
    critical = (_critical(neuron, tolerance, extent) for neuron in _kinds(netlist))
    candidates = sorted({*chain.from_iterable(critical), CEILING})
    trials = [(size, is_open) for size in candidates if size <= CEILING for is_open in (True, False)]
    first, last = -1, len(trials)  # right at all up to ``first``, wrong from ``last`` on
    while last - first > 1:
        middle = (first + last) // 2
        if cell.right(perturbed(netlist, tolerance(extent(*trials[middle])))):
            first = middle
        else:
            last = middle
    if first < 0:
        return Limit(Fraction(0))
    size, is_open = trials[first]
    return Limit(size, not is_open)


@cache  # gates share kinds of neurons
def _critical(
    neuron: Neuron, tolerance: Callable[[Interval], Tolerance], extent: Extent
) -> frozenset[Fraction]:
    """The sizes above 0 at which an end of a neuron's sum, which is linear in the size, is 0."""
    at_zero, at_one = (
        UncertainNeuron.of(neuron, tolerance(extent(Fraction(size), False))) for size in (0, 1)
    )
    found = set()
    for spikes in product((False, True), repeat=len(neuron.synapses)):
        before, after = at_zero.total(spikes), at_one.total(spikes)
        for start, end in ((before.low, after.low), (before.high, after.high)):
            if start and start != end and (size := start / (start - end)) > 0:
                found.add(size)
    return frozenset(found)


def _kinds(netlist: Netlist) -> set[Neuron]:
    """The different neurons, whatever they read."""
    return {
        Neuron(tuple(enumerate(weight for _, weight in neuron.synapses)), neuron.threshold, neuron.bias)
        for neuron in netlist.neurons
    }


@dataclass(frozen=True)
class Perturbation:
    """A way in which all neurons of a circuit may be off.

    Attributes:
        words: what is said to be within the limits, and of what.
        tolerance: of how far they are off.
        sided: whether downward and upward have limits of their own. Where a circuit has neurons or
            synapses that pull in different directions, only a common limit is meaningful.
    """

    name: str
    words: str
    tolerance: Callable[[Interval], Tolerance]
    sided: bool

    def limits(self, netlist: Netlist) -> Limits:
        """The exact limits of a cell."""
        return _limits(self, netlist)


@dataclass(frozen=True)
class Limits:
    """How far a quantity may be off, downward and upward."""

    down: Limit
    up: Limit

    @property
    def interval(self) -> Interval:
        """Where it may be."""
        return Interval(-self.down.value, self.up.value, not self.down.attained, not self.up.attained)


@cache  # libraries share gates
def _limits(perturbation: Perturbation, netlist: Netlist) -> Limits:
    tolerance = perturbation.tolerance
    if not perturbation.sided:
        limit = largest(netlist, tolerance, both_ways)
        return Limits(limit, limit)
    down, up = (largest(netlist, tolerance, extent) for extent in (downward, upward))
    return Limits(down, up)


NOISE = Perturbation("noise", "noise in {} on every neuron", lambda i: Tolerance(noise=i), sided=True)
THRESHOLD = Perturbation(
    "threshold",
    "thresholds of 1 + d times their nominal value, d in {}, each neuron with its own",
    lambda i: Tolerance(threshold=i),
    sided=True,
)
WEIGHT = Perturbation(
    "weight",
    "weights of 1 + d times their nominal value, d in {}, each synapse with its own",
    lambda i: Tolerance(weight=i),
    sided=False,
)
THRESHOLD_AND_WEIGHT = Perturbation(
    "threshold_and_weight",
    "thresholds and weights of 1 + d times their nominal value, d in {}, each with its own",
    lambda i: Tolerance(threshold=i, weight=i),
    sided=False,
)
PERTURBATIONS = (NOISE, THRESHOLD, WEIGHT, THRESHOLD_AND_WEIGHT)


@dataclass(frozen=True, order=True)
class Bound:
    """A line that thresholds off by up to t and weights off by up to w must keep to.

    Attributes:
        threshold, weight: the factors of t and w, the sum of which may be at most 1.
        strict: whether it must be less than 1.
    """

    threshold: Fraction
    weight: Fraction
    strict: bool

    def __str__(self) -> str:
        return f"{self.threshold} t + {self.weight} w {'<' if self.strict else '<='} 1"

    def allows(self, threshold: Fraction, weight: Fraction) -> bool:
        """Whether deviations keep to it."""
        total = self.threshold * threshold + self.weight * weight
        return total < 1 or (total == 1 and not self.strict)

    def implies(self, other: Bound) -> bool:
        """Whether all deviations that keep to this line keep to another."""
        return (
            self.threshold >= other.threshold
            and self.weight >= other.weight
            and self.strict >= other.strict
        )


def region(netlist: Netlist) -> list[Bound]:
    """The lines within which every neuron of a cell does as it should, without those that others imply.

    For each drive that a neuron has, what it is away from the threshold is shared by the deviations of
    the threshold and of the weights that take part.
    """
    found: set[Bound] = set()
    for signal, neuron in enumerate(netlist.neurons, start=netlist.input_count):
        for spikes in _cell(netlist).logical:
            room = abs(drive(neuron, spikes) - neuron.threshold)
            weights = (abs(Fraction(weight)) for source, weight in neuron.synapses if spikes[source])
            taking_part = sum(weights, start=Fraction(0))
            found.add(
                Bound(abs(Fraction(neuron.threshold)) / room, taking_part / room, not spikes[signal])
            )
    return sorted(bound for bound in found if not any(other.implies(bound) for other in found - {bound}))


@dataclass(frozen=True)
class Corner:
    """Deviations on the outline of a region.

    Attributes:
        threshold, weight: the most that thresholds and weights are off.
        attained: whether they are in the region, or only all smaller ones.
    """

    threshold: Fraction
    weight: Fraction
    attained: bool

    @property
    def within(self) -> Tolerance:
        """All deviations up to these."""
        return self._tolerance(Fraction(1), not self.attained)

    @property
    def beyond(self) -> Tolerance:
        """All deviations up to just beyond these."""
        return self._tolerance(BEYOND if self.attained else Fraction(1), is_open=False)

    def _tolerance(self, factor: Fraction, is_open: bool) -> Tolerance:
        ends = (both_ways(size * factor, is_open) for size in (self.threshold, self.weight))
        return Tolerance(NOTHING, *ends)


def outline(lines: Sequence[Bound]) -> tuple[list[Corner], list[Corner]]:
    """The vertices of a region, by what thresholds are off, and the middles of the edges between."""

    def highest(threshold: Fraction) -> Fraction:
        return min((1 - line.threshold * threshold) / line.weight for line in lines if line.weight)

    furthest = min(1 / line.threshold for line in lines if line.threshold)
    bends = [t for t in _crossings(lines) if 0 < t < furthest]
    points = [(t, highest(t)) for t in sorted({Fraction(0), *bends, furthest})]
    middles = [((t + u) / 2, (v + w) / 2) for (t, v), (u, w) in pairwise(points)]
    vertices, edges = (
        [Corner(t, w, all(line.allows(t, w) for line in lines)) for t, w in found]
        for found in (points, middles)
    )
    return vertices, edges


def _crossings(lines: Sequence[Bound]) -> Iterator[Fraction]:
    """What thresholds are off where two lines cross that leave all others room."""
    for one, other in combinations(lines, 2):
        if turn := one.threshold * other.weight - other.threshold * one.weight:
            threshold = (other.weight - one.weight) / turn
            weight = (one.threshold - other.threshold) / turn
            if all(line.threshold * threshold + line.weight * weight <= 1 for line in lines):
                yield threshold


# --- leak ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Harm:
    """How what is left of earlier evaluations changes a spike.

    Attributes:
        held: an input which, if it is repeated, leaves most of what harms.
        left: what it leaves in one evaluation from rest; noise included.
        noise: what it comes with.
        distance: how much what is kept must add to some drive, in the direction of ``left``.
    """

    held: tuple[bool, ...]
    left: Fraction
    noise: Fraction
    distance: Fraction

    @property
    def beta(self) -> Fraction:
        """Up to which share of potential that is kept it does not come about."""
        return self.distance / (abs(self.left) + self.distance)

    @property
    def beyond(self) -> Fraction:
        """A share at which it does."""
        return min(Fraction(1), self.beta * BEYOND)

    def steps(self, beta: Fraction) -> int:
        """After how many evaluations of ``held`` it does, at a share beyond the limit."""
        steps, kept, step = 0, Fraction(0), beta * abs(self.left)
        while kept < self.distance or (kept == self.distance and self.left < 0):
            steps, kept, step = steps + 1, kept + step, step * beta
        return steps


@dataclass(frozen=True)
class LeakLimit:
    """The largest share of potential that may be kept.

    Attributes:
        beta: up to and with this the circuit is right for ever.
        residuals: for each neuron what can be left after an evaluation, at this beta.
        harm: what goes wrong beyond; None if any beta will do.
    """

    beta: Fraction
    residuals: tuple[Interval, ...]
    harm: Harm | None


@cache
def leak_limit(netlist: Netlist, reset: Reset, noise: Fraction = Fraction(0)) -> LeakLimit:
    """The limit of leak where nothing resets potentials between evaluations, with bounded noise.

    What is left of a neuron's potential never reaches the geometric sum of the most that one evaluation
    leaves, and comes as near to it as you like if that evaluation is repeated. So the limit is where
    that sum, or that of the least, makes up for the distance between some drive and the threshold.

    Raises:
        ValueError: if the noise is negative.
    """
    if noise < 0:
        raise ValueError(f"the bound of the noise is {noise}; use at least 0")
    cell = _cell(netlist)
    neurons = [
        _Leaking(neuron, cell.drives(index), reset, noise)
        for index, neuron in enumerate(netlist.neurons)
    ]
    harms = [harm for neuron in neurons for harm in neuron.harms()]
    first = min(harms, key=attrgetter("beta"), default=None)
    beta = first.beta if first else Fraction(1)
    return LeakLimit(beta, tuple(each.residual(beta) for each in neurons), first)


def first_wrong(netlist: Netlist, beta: Fraction, reset: Reset) -> int | None:
    """Which evaluation has a wrong answer at the latest, if the worst input is repeated; None if none
    has.

    The potentials are followed exactly, up to when what is left should do harm.
    """
    harm, cell = leak_limit(netlist, reset).harm, _cell(netlist)
    if harm is None or beta <= harm.beta:
        return None
    membranes = ExactMembranes(netlist, beta, reset)
    steps = harm.steps(beta)
    for time in range(1, steps + 1):
        if cell.wrong(harm.held, membranes.evaluate(harm.held)):
            return time
    after = netlist_after(netlist, beta, reset, harm.held, steps, harm.noise)
    answers = Cell(after).logical
    wrong = any(cell.wrong(bits, spikes) for bits, spikes in zip(cell.inputs, answers, strict=True))
    return steps + 1 if wrong else None


@dataclass(frozen=True)
class _Leaking:
    """A neuron of which nothing is cleared, and the drives that it has."""

    neuron: Neuron
    drives: Mapping[Fraction, tuple[bool, ...]]
    reset: Reset
    noise: Fraction

    def fires(self, given: Fraction) -> bool:
        """Whether it should, at a drive."""
        return given >= self.neuron.threshold

    def worst(self, sign: int) -> tuple[Fraction, tuple[bool, ...]]:
        """The most (1) or the least (-1) that one evaluation from rest leaves, and an input that
        does."""
        left = [(sign * Fraction(0), next(iter(self.drives.values())))]
        for given, bits in self.drives.items():
            if not self.fires(given):
                left.append((given + sign * self.noise, bits))
            elif self.reset is Reset.SOFT:
                left.append((given - self.neuron.threshold + sign * self.noise, bits))
        return max(left, key=lambda each: sign * each[0])

    def harms(self) -> Iterator[Harm]:
        """How each drive can be brought to the other side of the threshold."""
        worst = {sign: self.worst(sign) for sign in (-1, 1)}
        for given in self.drives:
            sign = -1 if self.fires(given) else 1
            left, held = worst[sign]
            if left:
                distance = max(Fraction(0), abs(self.neuron.threshold - given) - self.noise)
                yield Harm(held, left, sign * self.noise, distance)

    def residual(self, beta: Fraction) -> Interval:
        """What can be left; the ends are never reached."""
        least, most = self.worst(-1)[0], self.worst(1)[0]
        if least == most == 0:
            return NOTHING
        share = 1 / (1 - beta)
        return Interval(least * share, most * share, least < 0, most > 0)
