"""The exact limits of noise, spread and leak within which every gate of every library is right.

Each limit comes with a promised refutation: just beyond it some input has a wrong answer. To find the
limits takes longer than to state all other theorems there are, so that names are spelled without them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from itertools import product

from pysmt.fnode import FNode
from pysmt.shortcuts import BV

from spikeproof.circuits.meanings.formula import bus_formulas
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.physics.leak import STAYS, leaking_netlist, netlist_after
from spikeproof.circuits.physics.substrates import Reset
from spikeproof.circuits.physics.uncertainty import (
    Interval,
    Tolerance,
    perturbed,
    place,
    uncertain_netlist,
)
from spikeproof.circuits.units.libraries import EVERY_LIBRARY, DualRail, cell_netlist
from spikeproof.proofs.rails import assumed_complements, complemented
from spikeproof.prover.claims.obligation import Named, Obligation, Outcome, Profile, equivalence
from spikeproof.prover.margins.limits import (
    NOISES,
    PERTURBATIONS,
    Harm,
    LeakLimit,
    Limits,
    Perturbation,
    both_ways,
    downward,
    leak_limit,
    outline,
    region,
    upward,
)
from spikeproof.specs import integers
from spikeproof.specs.integers import Buses, Meaning

WIDTHS = (3, 5)
"""Of wide gates; ``proofs.superconducting`` has wider ones."""

OF_THREE_VERTICES = {
    *(f"{library}.{gate}" for library in ("ionic", "threshold") for gate in ("xor", "half_adder")),
    *("ionic.full_adder", "threshold.full_adder", "threshold.mux"),
}
"""Gates whose regions have three; others' have two."""

FORGETTING = ("or", "not", "wide_or")
"""Gates of which hard reset leaves nothing, if they are not on two rails: no neuron has a drive that is
neither 0 nor makes it fire."""


@dataclass(frozen=True)
class Gate:
    """A gate of a library, of a width if it is a wide one."""

    library: str
    operation: str
    width: int | None = None

    @property
    def name(self) -> str:
        """As in the names of theorems."""
        return ".".join(map(str, filter(None, (self.library, self.operation, self.width))))

    @property
    def words(self) -> str:
        """As in statements."""
        inputs = f" of {self.width} inputs" if self.width else ""
        return f"the {self.library} {self.operation} gate{inputs}"

    @property
    def meaning(self) -> Meaning:
        """Its Boolean function, on both rails if it has two."""
        function = (integers.WIDE_GATES if self.width else integers.GATES)[self.operation]
        return partial(on_rails, function) if self.library == DualRail.name else function

    @property
    def netlist(self) -> Netlist:
        """Its neurons."""
        return cell_netlist(self.library, self.operation, self.width)

    @property
    def profile(self) -> Profile:
        """Two rails are left to ``--wide``."""
        return Profile.WIDE if self.library == DualRail.name else Profile.DEFAULT

    @property
    def forgets(self) -> bool:
        """Whether hard reset leaves nothing that could harm."""
        return self.operation in FORGETTING and self.library != DualRail.name

    def obligation(
        self,
        kind: str,
        claimed: str,
        circuit: Callable[[], Netlist],
        meaning: Meaning | None = None,
        expected: Outcome = Outcome.PROVED,
    ) -> Obligation:
        """``margin.LIBRARY.GATE[.WIDTH].KIND``.

        Args:
            claimed: what is claimed of it, in words.
            meaning: if it is not that of the gate.
        """
        return equivalence(
            f"margin.{self.name}.{kind}",
            f"{self.words}{claimed if claimed.startswith(',') else f' {claimed}'}",
            circuit=circuit,
            meaning=meaning or self.meaning,
            assumptions=assumed_complements,
            expected=expected,
            profile=self.profile,
            parameters=self.parameters(kind),
        )

    def parameters(self, kind: str) -> dict[str, str]:
        """What tells a theorem about it from others."""
        width = {"width": str(self.width)} if self.width else {}
        library, operation = self.library, self.operation
        return {"family": "margin", "library": library, "operation": operation, **width, "kind": kind}


def on_rails(function: Meaning, inputs: Buses) -> dict[str, FNode]:
    """A gate's outputs and their complements."""
    return complemented(function(inputs))


def gates() -> Iterator[Gate]:
    """Every gate of every library that has neurons: on two rails a NOT has none."""
    for library in EVERY_LIBRARY:
        yield from (each for gate in integers.GATES if (each := Gate(library, gate)).netlist.neurons)
        yield from (Gate(library, gate, width) for gate in integers.WIDE_GATES for width in WIDTHS)


def obligations() -> Iterator[Named]:
    """``margin.LIBRARY.GATE[.WIDTH].KIND``, and with ``.below``, ``.above`` or ``.beyond`` its
    refutations."""
    for gate in gates():
        names = (f"margin.{gate.name}.{kind}" for kind in kinds(gate))
        yield from together(names, gate.profile, partial(obligations_of, gate))


LEAKS = tuple(product(Reset, (Fraction(0), *NOISES)))
"""How potentials are reset, and the noise beside the leak."""


def kinds(gate: Gate) -> Iterator[str]:
    """What is promised of a gate, by the ends of the names; the limits themselves need not be known."""
    for perturbation in PERTURBATIONS:
        ends = (".below", ".above") if perturbation.sided else (".beyond",)
        yield from (f"{perturbation.name}{end}" for end in ("", *ends))
    vertices = 3 if gate.name in OF_THREE_VERTICES else 2
    yield from (f"region.vertex_{number}" for number in range(1, vertices + 1))
    yield from (f"region.edge_{number}{end}" for number in range(1, vertices) for end in ("", ".beyond"))
    yield "leak_with_reset"
    for reset, noise in LEAKS:
        harmless = gate.forgets and reset is Reset.HARD and not noise
        yield from (
            f"{leak_kind(reset, noise)}{end}" for end in ("", *(() if harmless else (".beyond",)))
        )


def obligations_of(gate: Gate) -> Iterator[Obligation]:
    """All that is promised of a gate."""
    for perturbation in PERTURBATIONS:
        yield from within_and_beyond(gate, perturbation)
    yield from thresholds_and_weights(gate)
    yield leak_with_reset(gate)
    for reset, noise in LEAKS:
        yield from leak(gate, reset, noise)


def together(
    names: Iterable[str], profile: Profile, state: Callable[[], Iterable[Obligation]]
) -> Iterator[Named]:
    """Obligations of which all are stated as soon as one is asked for, in the order of their names.

    To make one raises ``ValueError`` if those that are stated have other names.
    """
    known = tuple(names)

    @cache
    def stated() -> dict[str, Obligation]:
        found = list(state())
        if (said := tuple(each.name for each in found)) != known:
            wrong = min(set(known) ^ set(said), default=known[0])
            raise ValueError(f"{wrong} is named or stated, and not both; mend the names of its family")
        return dict(zip(known, found, strict=True))

    def one(name: str, _: Profile) -> Obligation:
        return stated()[name]

    yield from (Named(name, profile, partial(one, name)) for name in known)


# --- noise, thresholds, weights ------------------------------------------------------------------


def within_and_beyond(gate: Gate, perturbation: Perturbation) -> Iterator[Obligation]:
    """That a gate is right within its limits, and refutations that it is so beyond."""
    limits = perturbation.limits(gate.netlist)
    yield perturbed_gate(gate, perturbation, limits.interval)
    for suffix, interval in beyond(perturbation, limits).items():
        yield perturbed_gate(gate, perturbation, interval, suffix, Outcome.REFUTED)


def beyond(perturbation: Perturbation, limits: Limits) -> dict[str, Interval]:
    """Intervals that go just beyond the limits, by what their theorems' names end in."""
    if not perturbation.sided:
        return {".beyond": both_ways(limits.up.beyond)} if limits.up.bounded else {}
    ends = {".below": (limits.down, downward), ".above": (limits.up, upward)}
    return {name: extent(limit.beyond) for name, (limit, extent) in ends.items() if limit.bounded}


def perturbed_gate(
    gate: Gate,
    perturbation: Perturbation,
    interval: Interval,
    suffix: str = "",
    expected: Outcome = Outcome.PROVED,
) -> Obligation:
    """The obligation that a gate is right as long as a perturbation is within an interval."""
    return gate.obligation(
        perturbation.name + suffix,
        f"is right for all {perturbation.words.format(interval)}",
        partial(_uncertain, gate, perturbation.tolerance(interval)),
        expected=expected,
    )


def _uncertain(gate: Gate, tolerance: Tolerance) -> Netlist:
    netlist = gate.netlist
    return uncertain_netlist(netlist, perturbed(netlist, tolerance))


# --- thresholds and weights together -------------------------------------------------------------

SPIKES = "spikes"
"""The output bus of all neurons."""


def thresholds_and_weights(gate: Gate) -> Iterator[Obligation]:
    """That a gate is right on the outline of its region, and not just beyond the middle of an edge.

    At the vertices no neuron errs. What is needed for that is linear in the deviations, so that none
    errs between the vertices either: they stand for the whole region.
    """
    vertices, edges = outline(region(gate.netlist))
    for number, corner in enumerate(vertices, 1):
        yield gate.obligation(
            f"region.vertex_{number}",
            f"is right, and so is every neuron in it, for all {_in_words(corner.within)}",
            partial(_uncertain_spikes, gate, corner.within),
            partial(and_spikes, gate),
        )
    for number, corner in enumerate(edges, 1):
        for suffix, tolerance, expected in (
            ("", corner.within, Outcome.PROVED),
            (".beyond", corner.beyond, Outcome.REFUTED),
        ):
            yield gate.obligation(
                f"region.edge_{number}{suffix}",
                f"is right for all {_in_words(tolerance)}",
                partial(_uncertain, gate, tolerance),
                expected=expected,
            )


def _in_words(tolerance: Tolerance) -> str:
    return (
        f"thresholds of 1 + d times their nominal value, d in {tolerance.threshold}, and weights of "
        f"1 + d times theirs, d in {tolerance.weight}, each with its own"
    )


def _uncertain_spikes(gate: Gate, tolerance: Tolerance) -> Netlist:
    netlist, uncertain = gate.netlist, _uncertain(gate, tolerance)
    spikes = tuple(place(netlist, signal) for signal in _neurons(netlist))
    return replace(uncertain, outputs={**uncertain.outputs, SPIKES: spikes})


def and_spikes(gate: Gate, inputs: Buses) -> dict[str, FNode]:
    """The gate's outputs, and what all its neurons do without perturbation."""
    netlist = gate.netlist
    spikes = bus_formulas(netlist, {SPIKES: tuple(_neurons(netlist))}, inputs)
    return {**gate.meaning(inputs), **spikes}


def _neurons(netlist: Netlist) -> range:
    return range(netlist.input_count, netlist.signal_count)


# --- leak ----------------------------------------------------------------------------------------


def leak_with_reset(gate: Gate) -> Obligation:
    """The obligation that leak does nothing to potentials that are cleared."""
    return gate.obligation(
        "leak_with_reset",
        "is right for every beta, if potentials are cleared between evaluations",
        partial(_uncertain, gate, Tolerance()),
    )


def leak(gate: Gate, reset: Reset, noise: Fraction = Fraction(0)) -> Iterator[Obligation]:
    """That a gate is right for ever up to a share of potential that is kept, and not beyond."""
    limit = leak_limit(gate.netlist, reset, noise)
    kind = leak_kind(reset, noise)
    disturbed = f" and noise of at most {noise}" if noise else ""
    yield gate.obligation(
        kind,
        f", never cleared, with {reset.value} reset{disturbed}, is right for ever "
        f"if beta is at most {limit.beta}",
        partial(_leaking, gate, reset, limit, noise),
        partial(and_stays, gate),
    )
    if harm := limit.harm:
        disturbed = f" with noise {harm.noise}" if noise else ""
        yield gate.obligation(
            f"{kind}.beyond",
            f", with {reset.value} reset and beta {harm.beyond}, is right after "
            f"{repetition(harm)}{disturbed}, whatever comes next",
            partial(_after, gate, reset, harm),
            expected=Outcome.REFUTED,
        )


def leak_kind(reset: Reset, noise: Fraction = Fraction(0)) -> str:
    """What a name says of leak, and of noise beside it."""
    if noise:
        return f"leak_and_noise.{reset.value}.{noise.numerator}_{noise.denominator}"
    return f"leak_without_reset.{reset.value}"


def repetition(harm: Harm) -> str:
    """How often which input is evaluated, in words."""
    return f"{harm.steps(harm.beyond)} evaluations of {''.join(str(int(bit)) for bit in harm.held)}"


def _leaking(gate: Gate, reset: Reset, limit: LeakLimit, noise: Fraction) -> Netlist:
    return leaking_netlist(gate.netlist, limit.beta, reset, limit.residuals, both_ways(noise))


def _after(gate: Gate, reset: Reset, harm: Harm) -> Netlist:
    steps = harm.steps(harm.beyond)
    return netlist_after(gate.netlist, harm.beyond, reset, harm.held, steps, harm.noise)


def and_stays(gate: Gate, inputs: Buses) -> dict[str, FNode]:
    """The gate's outputs; and what is left of every neuron's potential is within its interval again."""
    neurons = len(gate.netlist.neurons)
    return {**gate.meaning(inputs), STAYS: BV((1 << 2 * neurons) - 1, 2 * neurons)}
