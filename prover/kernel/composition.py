"""The composition kernel: when lemmas about the values on the way make up a unit's theorem.

A circuit and its spec have probes of the same names. Let s_k be the value of probe k in the circuit and
t_k its value in the spec, as functions of the inputs x. The theorem is s = t for the outputs, or for one
function of x and the outputs where not all of them counts: see ``Claim.counting``. For every step k, in
order, and at last for the outputs, there are up to three lemmas. Each takes the values v of some
earlier probes as free, restricted only by the facts f that were proved of them:

    agreement  for all x and v with f(x, v):  s_k, computed from x and v,  =  t_k, computed from x and v
    fact       for all x and v with f(x, v):  f_k holds of s_k
    coverage   for all x and v with f(x, v):  one of the cases holds, where agreement is split into cases

For the outputs it may be assumed besides that values v_k, not shown by algebra, are t_k(x, v).

By induction over the steps s_k(x) = t_k(x) and f_k holds of it, for all x: instantiate v by the values
that the earlier probes have in the circuit, which by then are those in the spec. Of such values it also
holds that bits which are one signal of the circuit are equal, and that constant bits are constant; this
is assumed with the facts. What the argument rests on is checked here: that the theorem is such an
equality, about this circuit; that only earlier probes are taken as free; and that the spec with the
values filled in is the spec of the theorem, to the letter, and so is what facts and laws say of others.
Agreement may be shown by algebra instead of search, if the spec's value is that algebra's function to
the letter; a fact then may be shown of any values that the function's laws allow.

A theorem may be about some inputs only, those that satisfy its assumptions a. Then each lemma is for all
x with a(x), and the induction is for each such x by itself; algebra shows its step for all x. Where a
says something of the spec's values, a(x) = b(x, t(x)) to the letter, b(x, v) is assumed of the values v
that are free: it holds of those that they are instantiated by.

Somebody else's circuit may have other values on the way where an operand is zero, or not a number.
Then s_k(x) = t_k(x) is shown only for x with W(x), a condition on the inputs alone: all lemmas assume
it, and the argument is the same for every such x. For the others there is one lemma more,

    otherwise  for all x, v and w with not W(x):  s, computed from x and v,  =  t, computed from x and w

in which v and w are apart: nothing is known of either but what the circuit's wiring says of v, and the
laws of ``prover.kernel.algebra`` of both. It may be split into cases too. It is instantiated by what
the circuit has there and what the spec has, whatever these are: for all x, s_k is its algebra's
function of what the circuit has for its operands, if that takes no facts, and t_k of what the spec has.

A claim about formulas alone may be split into cases: see ``prover.kernel.splitting``. This module is
trusted; it uses no solver.

The argument is proved in Coq: ``proofs/mechanised/composition.v``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from types import MappingProxyType

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    FALSE,
    TRUE,
    And,
    BVConcat,
    BVExtract,
    BVType,
    Equals,
    Iff,
    Not,
    Or,
    Symbol,
)

from spikeproof.circuits.meanings.formula import bus_formulas, output_formulas
from spikeproof.circuits.netlist import ONE, UNUSED, ZERO, Netlist
from spikeproof.prover.claims.obligation import ENGINES_ALONE, Claim, Decomposition, Step
from spikeproof.prover.kernel.algebra import LAWS, METHODS, RELATIONS
from spikeproof.prover.kernel.cells import Site
from spikeproof.specs.integers import Buses

Fact = Callable[[Buses], FNode]
"""From the values of probes, what holds of them."""

OTHERWISE = "outputs otherwise"
"""The lemma about the inputs for which values on the way may differ."""


class CompositionError(ValueError):
    """The lemmas would not make up the theorem; the message says why."""


def compose(netlist: Netlist, decomposition: Decomposition, claim: Claim) -> dict[str, Claim]:
    """The lemmas, by name, from which a claim about a circuit follows.

    Args:
        claim: that the circuit's outputs are those expected, for all inputs that satisfy its
            assumptions, if it has any.

    Raises:
        CompositionError: if the claim is no such equality, or is not composed as the steps say.
        AlgebraError: if a step's algebra does not apply to the circuit.
    """
    require_outputs(netlist, claim)
    if decomposition.last.names:
        raise CompositionError("the last step is the outputs; it has no probes")
    kernel = _Kernel(netlist, decomposition, claim)
    if kernel.outputs != dict(claim.expected):
        raise CompositionError("the spec to be composed is not that of the claim")
    lemmas: dict[str, Claim] = {}
    earlier: set[str] = set()
    for step in (*decomposition.steps, decomposition.last):
        if missing := set(step.given) - earlier:
            raise CompositionError(f"{', '.join(sorted(missing))} is taken as free before it is proved")
        for name, lemma in kernel.lemmas(step):
            if name in lemmas:
                raise CompositionError(f"two lemmas are named {name!r}")
            lemmas[name] = lemma
        earlier.update(step.names)
    for name, lemma in kernel.otherwise(decomposition) if decomposition.when else ():
        if name in lemmas:
            raise CompositionError(f"two lemmas are named {name!r}")
        lemmas[name] = lemma
    return lemmas


def require_outputs(netlist: Netlist, claim: Claim) -> None:
    """Refuse a claim whose goal is not that a circuit's outputs are those expected.

    Raises:
        CompositionError: saying which of this it is not, or that it assumes something else than of its
            inputs.
    """
    if not claim.expected or claim.goal != seen_alike(claim, claim.actual, claim.expected):
        raise CompositionError("the claim is not that outputs equal their spec")
    if dict(output_formulas(netlist, claim.inputs)) != dict(claim.actual):
        raise CompositionError("the claim is about another circuit")
    if not set(And(claim.assumptions).get_free_variables()) <= set(claim.inputs.values()):
        raise CompositionError("what is assumed is not about the claim's inputs alone")


def seen_alike(claim: Claim, actual: Buses, expected: Buses) -> FNode:
    """That output buses are equal in all that counts to a claim.

    Raises:
        CompositionError: if their names differ.
    """
    return equal(claim.seen(actual), claim.seen(expected))


def equal(actual: Buses, expected: Buses) -> FNode:
    """That buses are equal, each to that of its name.

    Raises:
        CompositionError: if their names differ.
    """
    if set(actual) != set(expected):
        raise CompositionError(f"buses {sorted(actual)} cannot equal buses {sorted(expected)}")
    return And(Equals(actual[name], expected[name]) for name in expected)


def is_composed(buses: Buses, filled_in: Mapping[FNode, FNode], whole: Buses) -> bool:
    """Whether buses, with values filled in, are those of a whole, each to that of its name.

    They are put together for that, so that what they share is gone through once.
    """
    together, expected = (reduce(BVConcat, (of[name] for name in buses)) for of in (buses, whole))
    filled: FNode = together.substitute(filled_in)
    return buses.keys() == whole.keys() and filled == expected


def free_symbol(name: str, width: int) -> FNode:
    """The symbol that stands for a probe taken as free."""
    return Symbol(f"free.{name}", BVType(width))


def circuit_symbol(name: str, width: int) -> FNode:
    """The symbol for what the circuit has for a probe, where the spec may have something else."""
    return Symbol(f"circuit.{name}", BVType(width))


class _ToldError(Exception):
    """The spec has told all that is asked of it."""


class _Values(Mapping[str, FNode]):
    """Values of probes.

    Attributes:
        read: which of them were asked for.
    """

    def __init__(self, values: Buses) -> None:
        self._values = values
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> FNode:
        self.read.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class _Kernel:
    """What all steps have in common."""

    def __init__(self, netlist: Netlist, decomposition: Decomposition, theorem: Claim) -> None:
        self.netlist, self.spec, self.inputs = netlist, decomposition.spec, theorem.inputs
        self.theorem, self.defined = theorem, decomposition.defined
        self.steps, self.last = decomposition.steps, decomposition.last
        self.lawful = [s for s in decomposition.steps if decomposition.laws and s.method in LAWS]
        self.step_of: dict[str, Step] = {}
        self.said: dict[tuple[Fact, tuple[str, ...]], FNode] = {}
        self.read: dict[Fact | None, set[str]] = {}
        self.runs: dict[tuple[str, ...], tuple[Mapping[str, FNode], Mapping[str, FNode]]] = {}
        for name, step in ((name, s) for s in decomposition.steps for name in s.names):
            if self.step_of.setdefault(name, step) is not step:
                raise CompositionError(f"probe {name!r} is proved by two steps")
            if UNUSED in netlist.probes.get(name, (UNUSED,)):
                raise CompositionError(
                    f"the circuit has no probe {name!r}, or has bits that nothing reads"
                )
        self.probes, self.outputs = self._run(())  # of widths that fit, before there are symbols of them
        self.free = {name: free_symbol(name, len(netlist.probes[name])) for name in self.step_of}
        self.apart = {name: circuit_symbol(name, free.bv_width()) for name, free in self.free.items()}
        symbols = (*self.free.values(), *self.apart.values())
        if not {symbol.symbol_name() for symbol in symbols}.isdisjoint(self.inputs):
            raise CompositionError("an input has the name of a free probe")
        self.when = decomposition.when(self.inputs) if decomposition.when else TRUE()
        if not self.when.get_free_variables() <= set(self.inputs.values()):
            raise CompositionError("the condition is not about the inputs alone")

    def _run(self, given: tuple[str, ...]) -> tuple[Mapping[str, FNode], Mapping[str, FNode]]:
        """The values of the spec's probes and outputs, with some probes taken as free."""
        if given not in self.runs:
            self.runs[given] = self._computed(given)
        return self.runs[given]

    def _computed(self, given: tuple[str, ...]) -> tuple[Mapping[str, FNode], Mapping[str, FNode]]:
        """The same, no further than is asked by the steps that take these as free."""
        values: dict[str, FNode] = {}
        whole = given in ((), self.last.given)
        asked = set() if whole else self._asked(given)

        def probe(name: str, value: FNode) -> FNode:
            if values.setdefault(name, value) is not value:
                raise CompositionError(f"the spec has two values for probe {name!r}")
            if name in self.step_of and value.bv_width() != len(self.netlist.probes[name]):
                raise CompositionError(f"probe {name!r} has another width in the circuit")
            if not whole and asked <= values.keys():
                raise _ToldError
            return self.free[name] if name in given else value

        try:
            outputs = self.spec(self.inputs, probe)
        except _ToldError:
            return values, {}
        if missing := set(self.step_of) - set(values):
            raise CompositionError(f"the spec has no probe {', '.join(sorted(missing))}")
        return values, dict(outputs)

    def _asked(self, given: tuple[str, ...]) -> set[str]:
        """The probes that steps which take these as free speak of, their facts and laws among it."""
        steps = [step for step in self.steps if step.given == given]
        laws = (step for step in self.lawful if set(step.names) <= set(given))
        facts = (self._read(step) for step in (*steps, *(self.step_of[name] for name in given)))
        named = ((*step.given, *step.names) for step in (*steps, *laws))
        return {name for names in (*named, *facts) for name in names}

    def _read(self, step: Step) -> set[str]:
        """The probes that a step's fact speaks of."""
        if step.fact not in self.read:
            own = {name: self.free[name] for name in step.names}
            values = _Values({**self.probes, **own})
            if step.fact:
                step.fact(values)
            self.read[step.fact] = values.read
        return self.read[step.fact]

    def lemmas(self, step: Step) -> Iterator[tuple[str, Claim]]:
        """The lemmas of a step."""
        probes, outputs = self._run(step.given)
        filled_in = {self.free[name]: self.probes[name] for name in step.given}
        wanted = {name: probes[name] for name in step.names} or outputs
        whole = {name: self.probes[name] for name in step.names} or self.outputs
        if not is_composed(wanted, filled_in, whole):
            raise CompositionError(f"the spec's {', '.join(wanted)} is not composed of the probes given")

        values = {**probes, **{name: self.free[name] for name in step.given}}
        bits, wiring = self._free_signals(step.given, self.free)
        of_circuit = step.method == ENGINES_ALONE or (step.fact and step not in self.lawful)
        actual = self._actual(step, bits) if of_circuit else {}
        quantified = {
            symbol.symbol_name(): symbol
            for symbol in (*self.inputs.values(), *(self.free[name] for name in step.given))
        }
        proved = dict.fromkeys(self.step_of[name].fact for name in step.given)
        facts = (
            *wiring,
            *(self._proved(fact, step.given, values, filled_in) for fact in proved if fact),
        )
        facts += () if step.names else self._definitions(step, probes, filled_in)
        assumed = self._assumed(step.given)
        self._require_operands(step, values, filled_in)
        laws = tuple(LAWS[each.method](*each_values) for each, each_values in self._free(step, values))
        when = () if self.when.is_true() else (self.when,)

        def claim(goal: FNode, *case: FNode, sides: tuple[Buses, Buses] = ({}, {})) -> Claim:
            return Claim(quantified, goal, (*assumed, *when, *facts, *laws, *case), *sides)

        label = ", ".join(step.names) or "outputs"
        if step.method != ENGINES_ALONE:
            yield from self._by_algebra(step, label, wanted, facts)
        else:
            sides = (actual, wanted)
            goal = equal(actual, wanted) if step.names else seen_alike(self.theorem, actual, wanted)
            cases = step.cases({**self.inputs, **values}) if step.cases else {}
            for name, case in cases.items():
                yield f"{label}, {name}", claim(goal, case, sides=sides)
            if cases:
                yield f"cases of {label}", claim(Or(cases.values()))
            else:
                yield label, claim(goal, sides=sides)
        if step.fact:
            own = {name: self.free[name] for name in step.names}
            self._composed(step.fact, {**values, **own}, filled_in, own)
        if step.fact and step in self.lawful:
            yield f"fact about {label}", self._lawful_fact(step, values, (*when, *facts))
        elif step.fact:
            yield f"fact about {label}", claim(step.fact({**values, **actual}))

    def _actual(self, step: Step, bits: Mapping[int, FNode]) -> Buses:
        """What the circuit has for a step, with some signals taken as free."""
        if not step.names:
            return output_formulas(self.netlist, self.inputs, bits)
        named = {name: self.netlist.probes[name] for name in step.names}
        return bus_formulas(self.netlist, named, self.inputs, bits, last_first=step.last_first)

    def _proved(
        self, fact: Fact, given: tuple[str, ...], values: Buses, filled_in: Mapping[FNode, FNode]
    ) -> FNode:
        """A fact that was proved, about values with some taken as free; said once of each such."""
        if (fact, given) not in self.said:
            self.said[fact, given] = self._composed(fact, values, filled_in)
        return self.said[fact, given]

    def _composed(
        self,
        fact: Fact,
        values: Buses,
        filled_in: Mapping[FNode, FNode],
        own: Buses = MappingProxyType({}),
    ) -> FNode:
        """A fact about values; of the spec's, but for its own, with those that are given filled in."""
        said = fact(values)
        if said.substitute(filled_in) != fact({**self.probes, **own}):
            raise CompositionError("a fact speaks of values that are not composed of the probes given")
        return said

    def _assumed(self, given: tuple[str, ...]) -> tuple[FNode, ...]:
        """What the theorem assumes, said of the values that are free where it is said of the spec's."""
        instead = {self.probes[name]: self.free[name] for name in given}
        back = {self.free[name]: self.probes[name] for name in given}
        said = ((each, each.substitute(instead)) for each in self.theorem.assumptions)
        return tuple(of_free if of_free.substitute(back) == each else each for each, of_free in said)

    def _definitions(
        self, last: Step, probes: Buses, filled_in: dict[FNode, FNode]
    ) -> tuple[FNode, ...]:
        """That values are what the spec computes from those before them."""
        by_search = [name for name in last.given if self.step_of[name].method == ENGINES_ALONE]
        if not self.defined or not by_search:
            return ()
        if any(probes[name].substitute(filled_in) != self.probes[name] for name in by_search):
            raise CompositionError("the spec's values are not composed of those before them")
        return tuple(Equals(self.free[name], probes[name]) for name in by_search)

    def _lawful_fact(self, step: Step, values: Buses, assumed: tuple[FNode, ...]) -> Claim:
        """That a fact follows from the laws of what algebra has shown; the circuit is not asked."""
        assert step.fact
        free = {name: self.free[name] for name in (*step.given, *step.names)}
        law = LAWS[step.method](*free.values())
        quantified = {each.symbol_name(): each for each in (*self.inputs.values(), *free.values())}
        return Claim(quantified, step.fact({**values, **free}), (*assumed, law))

    def otherwise(self, decomposition: Decomposition) -> Iterator[tuple[str, Claim]]:
        """The lemma about the outputs for inputs that the condition leaves out, or its cases."""
        last = decomposition.last
        probes, wanted = self._run(last.given)
        bits, wiring = self._free_signals(last.given, self.apart)
        actual = output_formulas(self.netlist, self.inputs, bits)
        named = {name: self.netlist.probes[name] for each in self.lawful for name in each.given}
        named |= {name: self.netlist.probes[name] for name in last.given}
        of_spec = {**probes, **{name: self.free[name] for name in last.given}}
        of_circuit = bus_formulas(self.netlist, named, self.inputs, bits)
        filled_in = {self.free[name]: self.probes[name] for name in last.given}
        self._require_operands(last, of_spec, filled_in)
        laws = []
        for (each, own), (_, other) in zip(
            self._free(last, of_spec), self._free(last, of_circuit), strict=True
        ):
            laws.append(LAWS[each.method](*own))
            if not any(self.step_of[name].fact for name in each.given):
                laws.append(LAWS[each.method](*other))
                if each.method in RELATIONS:
                    laws.append(RELATIONS[each.method](own, other))
        free = (symbols[name] for symbols in (self.free, self.apart) for name in last.given)
        quantified = {each.symbol_name(): each for each in (*self.inputs.values(), *free)}
        goal = seen_alike(self.theorem, actual, wanted)
        assumed = self._assumed(last.given)
        cases = decomposition.otherwise(self.inputs) if decomposition.otherwise else {}
        if not set(Or(cases.values()).get_free_variables()) <= set(self.inputs.values()):
            raise CompositionError("a case is not about the inputs alone")
        split: dict[str, tuple[FNode, ...]]
        split = {f"{OTHERWISE}, {name}": (case,) for name, case in cases.items()}
        for name, case in (split or {OTHERWISE: ()}).items():
            about = (*assumed, Not(self.when), *wiring, *laws, *case)
            yield name, Claim(quantified, goal, about, actual, wanted)
        if cases:
            others = (*self.theorem.assumptions, Not(self.when))
            yield f"cases of {OTHERWISE}", Claim(dict(self.inputs), Or(cases.values()), others)

    def _free(self, step: Step, values: Buses) -> Iterator[tuple[Step, tuple[FNode, ...]]]:
        """The steps with laws whose results a step takes as free; of each, operands and results."""
        for each in self.lawful:
            if set(each.names) <= set(step.given):
                yield each, tuple(values[name] for name in (*each.given, *each.names))

    def _require_operands(self, step: Step, values: Buses, filled_in: Mapping[FNode, FNode]) -> None:
        """Refuse laws of others than the spec's values, with those given filled in."""
        operands = {name for each, _ in self._free(step, values) for name in each.given}
        if any(values[name].substitute(filled_in) != self.probes[name] for name in operands):
            raise CompositionError("a law is of values that are not composed of the probes given")

    def _free_signals(
        self, given: tuple[str, ...], free: Buses
    ) -> tuple[dict[int, FNode], tuple[FNode, ...]]:
        """What the signals of free probes are, and that bits of one signal, or constant, are so."""
        bits: dict[int, FNode] = {ZERO: FALSE(), ONE: TRUE()}
        wiring = []
        for name in given:
            for index, signal in enumerate(self.netlist.probes[name]):
                bit = Equals(BVExtract(free[name], index, index), BV(1, 1))
                if bits.setdefault(signal, bit) is not bit:
                    wiring.append(Iff(bit, bits[signal]))
        return bits, tuple(wiring)

    def _by_algebra(
        self, step: Step, label: str, wanted: Buses, facts: tuple[FNode, ...]
    ) -> Iterator[tuple[str, Claim]]:
        meaning, operands, algebra = METHODS[step.method]
        if len(operands) != len(step.given):
            raise CompositionError(f"a {step.method} is of {len(operands)} probes given")
        named = zip(operands, step.given, strict=True)
        if list(meaning({x: self.free[name] for x, name in named}).values()) != list(wanted.values()):
            raise CompositionError(f"the spec's {label} is not a {step.method}")
        if any(set(f.get_free_variables()) - {self.free[n] for n in step.given} for f in facts):
            raise CompositionError(f"the facts about {', '.join(step.given)} are not about them alone")
        free = tuple(self.free[name] for name in step.given)
        for name, lemma in algebra(Site.of(self.netlist, step, free, facts)).items():
            yield f"{label}: {name}", lemma
