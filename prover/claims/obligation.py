"""Claims and obligations: what is to be shown, and what may become of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from inspect import signature
from typing import NamedTuple

from pysmt.exceptions import PysmtModeError, PysmtTypeError
from pysmt.fnode import FNode
from pysmt.shortcuts import And, Equals, Not, Symbol, get_type

from spikeproof.circuits.meanings.formula import input_symbols, output_formulas
from spikeproof.circuits.netlist import NAME, UNUSED, Netlist, NetlistError, OneLineError
from spikeproof.prover.claims.environment import FormulaError, stating_formulas
from spikeproof.specs.formats import AnyFormat
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import Probe


class Outcome(Enum):
    """What became of an obligation. Only the outcome that was expected is green."""

    PROVED = "proved"
    """No input violates the claim."""

    REFUTED = "refuted"
    """An input violates the claim; evaluating the formulas and simulating the circuit confirm it."""

    TIMEOUT = "timeout"
    """The engine ran out of time."""

    UNKNOWN = "unknown"
    """The engine gave up for another reason."""

    ERROR = "error"
    """The claim could not be stated, is vacuous, or the engine contradicts the replay."""


class Profile(Enum):
    """When an obligation is discharged, unless it is asked for by name."""

    DEFAULT = "default"
    """Always."""

    WIDE = "wide"
    """With ``--wide``: what takes minutes."""


class StatementError(OneLineError):
    """A claim that cannot be stated here; the message says why, and what to do."""


Observation = Callable[[Buses, Buses], Buses]
"""From input and output buses, what of the outputs counts, by name of output."""


def everything(inputs: Buses, outputs: Buses) -> Buses:
    """The observation of every bit of the outputs."""
    return outputs


def counted(observed: Observation, inputs: Buses, outputs: Buses) -> Buses:
    """What counts of each output, as formulas of the inputs and of symbols ``observed.OUTPUT``.

    None where everything does. The observation is asked once, so that what counts is the same for
    circuit and spec, whatever they are.

    Raises:
        StatementError: if an input has the name of such a symbol, or what counts of an output does not
            depend on it.
    """
    if observed is everything:
        return {}
    symbols = {name: Symbol(f"observed.{name}", get_type(bus)) for name, bus in outputs.items()}
    if clash := {symbol.symbol_name() for symbol in symbols.values()} & set(inputs):
        raise StatementError(f"an input is named {min(clash)}, as what is observed is; rename it")
    seen = observed(inputs, symbols)
    for name, symbol in symbols.items():
        if name not in seen or symbol not in seen[name].get_free_variables():
            raise StatementError(f"nothing counts of output {name!r}; let what is observed depend on it")
    return {name: seen[name] for name in symbols}


def put(counting: Buses, outputs: Buses) -> Buses:
    """What counts of some outputs, by formulas of ``counted``."""
    if not counting:
        return outputs
    values = {Symbol(f"observed.{name}", get_type(bus)): bus for name, bus in outputs.items()}
    return {name: counting[name].substitute(values) for name in outputs}


@dataclass(frozen=True)
class Claim:
    """For all inputs that satisfy the assumptions, the goal holds.

    Attributes:
        inputs: the universally quantified bit-vector symbols, by name.
        goal: a Boolean formula over them.
        assumptions: Boolean formulas over them; must be satisfiable together.
        actual, expected: the output buses of which it is the goal that they are equal, where it is that.
        counting: what counts of them, by formulas of ``counted``; empty where every bit has to be equal.
            Else several outputs are right.
    """

    inputs: Buses
    goal: FNode
    assumptions: tuple[FNode, ...] = ()
    actual: Buses = field(default_factory=dict)
    expected: Buses = field(default_factory=dict)
    counting: Buses = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.assumptions, tuple):
            raise TypeError("assumptions must be a tuple of formulas")
        for name, symbol in self.inputs.items():
            if symbol.symbol_name() != name or not NAME.fullmatch(name):
                raise ValueError(
                    f"input {name!r} must be a symbol of that name: letters, digits, '_', '.'"
                )

    def seen(self, outputs: Buses) -> Buses:
        """What counts of output buses."""
        return put(self.counting, outputs)

    @property
    def negation(self) -> tuple[FNode, ...]:
        """Formulas that can be satisfied together iff the claim is wrong."""
        return (*self.assumptions, Not(self.goal))

    @property
    def outputs(self) -> dict[str, int]:
        """Widths of the output buses that it is about; none of a claim about formulas alone."""
        return {name: get_type(bus).width for name, bus in self.expected.items()}

    def assuming(self, *more: FNode) -> Claim:
        """The same of inputs that satisfy more."""
        return replace(self, assumptions=(*self.assumptions, *more))

    def of_input(self, inputs: Mapping[str, int]) -> Claim:
        """A claim that says the same of one input, and need not say anything of others."""
        return self


ENGINES_ALONE = "engines"
"""The method of a step that has no algebra: see ``prover.kernel.algebra.METHODS`` for the others."""


Distinction = Callable[[Buses], Mapping[str, FNode]]
"""From the values of buses, cases by name."""


@dataclass(frozen=True)
class Step:
    """Values on the way from inputs to outputs, where proofs are cut: see ``prover.kernel.composition``.

    Attributes:
        names: probes, of the circuit and of the spec alike.
        given: earlier probes to take as free, so that the step's lemma is about what lies between.
        method: how it is shown that circuit and spec agree: ``engines``, or a kind of algebra.
        fact: from the values of probes, what else holds of these; proved, and then assumed of them
            wherever they are taken as free.
        cases: from the values of inputs and probes, the cases into which the lemma is split, by name.
        last_first: in which order the circuit's neurons are told: see
            ``circuits.meanings.formula.neuron_formula``. Where each reads what the one before does, and
            more, those told by their last synapses first have cases in common.
    """

    names: tuple[str, ...]
    given: tuple[str, ...] = ()
    method: str = ENGINES_ALONE
    fact: Callable[[Buses], FNode] | None = None
    cases: Distinction | None = None
    last_first: bool = False


Condition = Callable[[Buses], FNode]
"""From a claim's inputs, whether they are of some kind."""

Place = Callable[[Netlist, int], int]
"""From a circuit and a signal of it, which signal of a circuit that follows it has the same value."""

Rails = Callable[[Netlist], Mapping[int, tuple[int, int]]]
"""From a circuit, for each of its signals that matters: which signals of a circuit that follows it on
two rails have its value and the complement of that."""


@dataclass(frozen=True)
class Decomposition:
    """How a unit's theorem is composed of lemmas.

    Attributes:
        spec: from the unit's inputs and a probe, the unit's outputs; see ``specs.symbolic.Probe``.
        steps: in order.
        last: the outputs, as a step without names.
        circuit: the circuit with all that its probes depend on, for where the outputs do not depend
            on it and the circuit therefore lacks it. The kernel checks that the outputs are the same.
        place: for a theorem about a circuit that follows ``circuit``, neuron by neuron, and may have
            other inputs besides: see ``prover.kernel.following``. Its steps are then of ``circuit``.
        rails: likewise, for a circuit that has the complement of every signal beside it.
        when: for which inputs circuit and spec have the same values on the way; None if for all. For
            others only the outputs are.
        otherwise: from a claim's inputs, the cases into which the lemma about those others is split.
        laws: whether ``prover.kernel.algebra.LAWS`` are assumed of values that are taken as free.
        defined: whether it is assumed for the outputs that such values are the spec's, computed from
            those before them; of results of algebra it is not.
        conditions: by name, what ``when`` may be of a circuit that is somebody else's, the widest first.
        others: by the name of such a condition, what ``otherwise`` then is, if anything.
    """

    spec: Callable[[Buses, Probe], Buses]
    steps: tuple[Step, ...]
    last: Step
    circuit: Callable[[], Netlist] | None = None
    place: Place | None = None
    rails: Rails | None = None
    when: Condition | None = None
    laws: bool = False
    defined: bool = False
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    otherwise: Distinction | None = None
    others: Mapping[str, Distinction] = field(default_factory=dict)

    @property
    def follows(self) -> bool:
        """Whether the theorem is about a circuit that follows ``circuit``."""
        return self.place is not None or self.rails is not None

    def lacks_probes(self, netlist: Netlist) -> bool:
        """Whether a circuit lacks a probe, or some of its bits."""
        names = (name for step in self.steps for name in step.names)
        return any(UNUSED in netlist.probes.get(name, (UNUSED,)) for name in names)


Cases = Callable[[Buses], Mapping[str, Buses]]
"""From a claim's inputs, the cases into which it is split, by name: what each puts for which inputs."""


@dataclass(frozen=True)
class Reading:
    """How a person reads the buses of a floating-point unit.

    Attributes:
        formats: the format of each input and output bus, by name; others are plain bits.
        trace: from input codes, what the spec of record implies for each probe, in datapath order.
    """

    formats: Mapping[str, AnyFormat]
    trace: Callable[[Mapping[str, int]], Mapping[str, int]]


BOTH = ("z3", "cadical")
"""Two engines of different make, which must come to the same verdict."""

DEFAULT_TIMEOUT = 300.0
"""Seconds that an obligation may take unless told otherwise."""

CERTIFYING = frozenset({"cadical"})
"""Engines that give a clausal proof with an answer."""


@dataclass(frozen=True)
class Obligation:
    """Something promised: a name, a sentence, and how to state it as a claim.

    Attributes:
        name: dotted; units are ``format.operation.mode[.policy][.library]``.
        statement: one sentence for people.
        state: the claim, given the circuit if there is one.
        circuit: builds the netlist the claim is about; None if it is about formulas alone.
        expected: PROVED, or REFUTED for a claim that must fail.
        engines: names in ``prover.engines.engine.ENGINES``; each must come to the same verdict. Of a
            circuit that is given those with certificates must, and no other may to another. None where
            the claim is a table, which is evaluated on every input: see ``prover.claims.tabulated``.
        decomposition: how a claim about a circuit is split into lemmas; None to put it to the engines
            whole.
        profile: when it is discharged unless asked for by name.
        reading: how to display the buses, for floating-point units.
        cases: how a claim about formulas is split into lemmas: see ``prover.kernel.splitting``.
        parameters: what tells it from others of its family, as data: family, format, operation, mode,
            policy, library and so on, as far as they apply.
        package: the installed package that announces it, if it is none of ours; the catalogue says so.
        function: what any circuit must compute for the claim to hold of it, in words that say nothing
            of how the obligation's own is made. Empty if the claim is about just that, such as its
            noise: then no other circuit can take its place.
        neighbours: the claims that differ from this in a choice: of mode, policy or convention.
        evaluated: whether the claim is a table, and decided by evaluating every input.
        bounded: whether results are right within a bound: see ``prover.claims.bounded``.
        borne: whether it is that neurons bear perturbations: see ``prover.claims.borne``.
        rests_on: the theorems of which a claim about a program is made up, if it is one: see
            ``prover.claims.programs``.
        leaves_open: whether not every bit of the outputs counts on every input, such as those of a NaN:
            then two circuits of which it holds may differ.
        alike: what those have in common that are decided in one enumeration where several are asked
            for, such as the modes of a function; empty if it is decided alone.
    """

    name: str
    statement: str
    state: Callable[[Netlist | None], Claim]
    circuit: Callable[[], Netlist] | None = None
    expected: Outcome = Outcome.PROVED
    engines: tuple[str, ...] = BOTH
    decomposition: Decomposition | None = None
    profile: Profile = Profile.DEFAULT
    reading: Reading | None = None
    cases: Cases | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    package: str | None = None
    function: str = ""
    neighbours: Callable[[], Iterable[Obligation]] = tuple
    evaluated: bool = False
    bounded: bool = False
    borne: bool = False
    rests_on: Callable[[], Sequence[str]] | None = None
    leaves_open: bool = False
    alike: str = ""

    def __post_init__(self) -> None:
        if self.expected not in (Outcome.PROVED, Outcome.REFUTED):
            raise ValueError(f"{self.name}: only proved or refuted can be promised")
        alone = self.evaluated or self.bounded or self.borne or self.rests_on is not None
        if bool(self.engines) is alone or len(set(self.engines)) < len(self.engines):
            none = "no engine, for every input is evaluated" if self.evaluated else "at least one engine"
            raise ValueError(f"{self.name}: name {none}, and none twice")

    def stated_of(self, circuit: Netlist | None) -> str:
        """The statement; of a circuit that takes the place of its own, with that circuit's hash."""
        if circuit is None:
            return self.statement
        return f"{self.function}, of the circuit of SHA-256 {circuit.sha256[:12]}"


class Named(NamedTuple):
    """An obligation that is made when it is asked for; until then its name and profile do.

    Attributes:
        make: makes it, of the profile.
    """

    name: str
    profile: Profile
    make: Callable[[Profile], Obligation]


def equivalence(
    name: str,
    statement: str,
    circuit: Callable[[], Netlist],
    meaning: Callable[..., Buses],
    *,
    assumptions: Callable[[Buses], tuple[FNode, ...]] = lambda inputs: (),
    observed: Observation = everything,
    expected: Outcome = Outcome.PROVED,
    engines: tuple[str, ...] = BOTH,
    decomposition: Decomposition | None = None,
    profile: Profile = Profile.DEFAULT,
    reading: Reading | None = None,
    parameters: Mapping[str, str] | None = None,
    function: str = "",
    neighbours: Callable[[], Iterable[Obligation]] = tuple,
) -> Obligation:
    """The obligation that a circuit computes, on every output bus, what ``meaning`` says.

    Args:
        meaning: from the input buses, the expected output buses. It gets each bus by its name, as in
            ``def meaning(x, y)``; or one mapping of all, if it needs one argument and none of its
            arguments has a bus's name.
        assumptions: from the input buses, in one mapping, what may be taken for granted.
        observed: what counts of outputs, from the inputs in one mapping and outputs in another.
        function, neighbours: as of ``Obligation``.

    ``state`` raises ``StatementError`` if ``meaning`` does not suit the circuit.
    """

    def state(netlist: Netlist | None) -> Claim:
        assert netlist is not None
        inputs = input_symbols(netlist)
        actual = output_formulas(netlist, inputs)
        with stating_formulas():
            wanted, assumed = _meant(name, meaning, inputs), assumptions(inputs)
        _require_suitable(name, actual, wanted)
        with stating_formulas():
            counting = counted(observed, inputs, actual)
            seen, seen_wanted = (put(counting, buses) for buses in (actual, wanted))
        _require_suitable(name, seen, seen_wanted)
        return Claim(
            inputs=inputs,
            goal=And(Equals(seen[bus], seen_wanted[bus]) for bus in seen_wanted),
            assumptions=assumed,
            actual=actual,
            expected=wanted,
            counting=counting,
        )

    return Obligation(
        name,
        statement,
        state,
        circuit,
        expected,
        engines,
        decomposition,
        profile,
        reading,
        parameters=parameters or {},
        function=function,
        neighbours=neighbours,
        leaves_open=observed is not everything,
    )


def _meant(name: str, meaning: Callable[..., Buses], inputs: Buses) -> Buses:
    """What ``meaning`` says of the input buses, however it takes them.

    No argument that has a bus's name is ever anything but that bus: a default would hide it, and what
    a decorator says of the names (``__wrapped__``) need not be so.
    """
    shape = signature(meaning, follow_wrapped=False)
    try:
        parameters = shape.parameters.values()
        needed = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
        one_mapping = len(needed) == 1 and not set(shape.parameters) & set(inputs)
        shape.bind(inputs) if one_mapping else shape.bind(**inputs)
    except TypeError as error:
        takes = f"its meaning takes {shape}, the circuit has inputs {sorted(inputs)}"
        instead = "name its parameters as the inputs, or let it take one mapping of all"
        raise StatementError(f"{name}: {takes}: {error}; {instead}") from None
    try:
        return meaning(inputs) if one_mapping else meaning(**inputs)
    except PysmtTypeError:
        raise StatementError(f"{name}: its meaning joins formulas of other widths or kinds") from None
    except PysmtModeError:
        instead = "pySMT's functions, such as BVAnd(x, y) for x & y"
        raise StatementError(f"{name}: its meaning uses operators of Python; use {instead}") from None
    except FormulaError as error:
        raise StatementError(f"{name}: in its meaning {error}") from None


def _require_suitable(name: str, actual: Buses, wanted: Buses) -> None:
    """Refuse a meaning that does not say of every output bus what it is, in its width."""
    if not isinstance(wanted, Mapping):
        kind = type(wanted).__name__
        raise StatementError(f"{name}: its meaning gives a {kind}; let it give a mapping of the outputs")
    if set(wanted) != set(actual):
        named = sorted(map(str, wanted))
        raise StatementError(f"{name}: the circuit has outputs {sorted(actual)}, its meaning {named}")
    for bus, formula in wanted.items():
        given, meant = (_kind(side) for side in (actual[bus], formula))
        if given != meant:
            raise StatementError(f"{name}: output {bus!r} has {given}, in its meaning {meant}")


def _kind(formula: object) -> str:
    if not isinstance(formula, FNode):
        return f"it is of type {type(formula).__name__}"
    kind = get_type(formula)
    return counted_bits(kind.width) if kind.is_bv_type() else f"it is of type {kind}"


def counted_bits(width: int) -> str:
    """``1 bit``, ``2 bits``."""
    return f"{width} bit{'' if width == 1 else 's'}"


def require_about_circuits(obligation: Obligation) -> None:
    """Refuse an obligation that no circuit but its own can be about.

    Raises:
        NetlistError: saying what it is about.
    """
    if obligation.circuit is None:
        raise NetlistError(f"{obligation.name} is about formulas, not about a circuit; choose a unit")
    if not obligation.function:
        raise NetlistError(
            f"{obligation.name} is about the neurons of its own circuit, not of any other; choose a unit"
        )


def require_same_buses(obligation: Obligation, circuit: Netlist) -> None:
    """Refuse a circuit that cannot stand in for the obligation's own.

    Raises:
        NetlistError: if none can, or naming the buses that are missing, extra or of another width.
    """
    require_about_circuits(obligation)
    own = obligation.circuit()  # type: ignore[misc]
    for kind, wanted, given in (
        ("input", own.inputs, circuit.inputs),
        ("output", own.output_widths, circuit.output_widths),
    ):
        if dict(wanted) != dict(given):
            problem = "width mismatch" if set(wanted) == set(given) else "bus mismatch"
            raise NetlistError(
                f"{problem}: {obligation.name} needs {kind} buses "
                f"{_in_words(wanted)}; the circuit has {_in_words(given)}"
            )


def _in_words(widths: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({counted_bits(width)})" for name, width in sorted(widths.items()))
