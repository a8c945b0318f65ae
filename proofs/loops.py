"""Sums of any number of terms: an accumulator holds the sequential sum, whatever was held before.

The sequential sum of terms t1, t2, ... from b is S(0) = b, S(k + 1) = S(k) + t(k + 1), each rounded. The
claim is about one step from any state and with any inputs, and about the state before the first step;
that after k steps from a start, or from the beginning, the accumulator holds S(k) is induction over k:

    base  before the first step it holds 0; where it is started, the bias stands for what it held
    step  if it holds S(k), then after another step it holds S(k + 1)

The argument is proved in Coq: ``proofs/mechanised/clocked.v``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from pysmt.shortcuts import BV, Equals, Ite

from spikeproof.circuits.clocked import INITIAL, one_step
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.floating_point.accumulator import BIAS, SUM, accumulator
from spikeproof.circuits.units.serial import START
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import Decomposition, Obligation, Profile, Reading, equivalence
from spikeproof.specs.formats import FP4_E2M1, FP8_E4M3FN, FP16, FP32, Format, RoundingMode
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import Probe, as_computed

TERMS = {"add": "x", "fma": "x * y"}
"""What is added in each step."""


@dataclass(frozen=True)
class Loop:
    """An accumulator, by the operation of a step and its format; and the format of terms, if another."""

    operation: str
    fmt: Format
    terms: Format | None = None

    @property
    def unit(self) -> Unit:
        """The operation of a step, to nearest even, under the first policy."""
        source = (self.terms, self.terms, self.fmt) if self.terms else None
        return Unit(self.operation, self.fmt, policy=self.fmt.policies[0], source=source)

    @property
    def name(self) -> str:
        """``loop.`` and what a step does."""
        return f"loop.{self.unit.name}"

    def circuit(self, keep_waypoints: bool = False) -> Netlist:
        """A step, and what is held before the first."""
        unit = self.unit
        return one_step(
            accumulator(
                unit.operation,
                unit.fmt,
                RoundingMode.NEAREST_EVEN,
                unit.policy,
                terms=self.terms,
                keep_waypoints=keep_waypoints,
            )
        )

    def operands(self, inputs: Buses) -> Buses:
        """The operands of a step's operation: the sum so far is that from the bias, where it starts."""
        so_far = Ite(Equals(inputs[START], BV(1, 1)), inputs[BIAS], inputs[SUM])
        if self.operation == "add":
            return {"x": so_far, "y": inputs["x"]}
        return {"x": inputs["x"], "y": inputs["y"], "z": so_far}

    def spec(self, inputs: Buses, probe: Probe = as_computed) -> Buses:
        """A step of the sequential sum, and what it is before any."""
        found = self.unit.spec(self.operands(inputs), probe)
        return {SUM: found["result"], f"{INITIAL}.{SUM}": BV(0, self.fmt.width)}

    @property
    def decomposition(self) -> Decomposition | None:
        """As of the operation."""
        found = self.unit.decomposition
        if found is None:
            return None
        return Decomposition(self.spec, found.steps, found.last, partial(self.circuit, True))

    @property
    def reading(self) -> Reading:
        """Terms, sums and the bias as numbers."""
        names = ("x",) if self.operation == "add" else ("x", "y")
        terms = dict.fromkeys(names, self.terms or self.fmt)
        return Reading({**terms, BIAS: self.fmt, SUM: self.fmt}, self.trace)

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for a step."""
        so_far = inputs[BIAS] if inputs[START] else inputs[SUM]
        operands = (
            {**inputs, "x": so_far, "y": inputs["x"]}
            if self.operation == "add"
            else {**inputs, "z": so_far}
        )
        found = dict(self.unit.trace(operands))
        return {**found, SUM: found.pop("result"), f"{INITIAL}.{SUM}": 0}

    @property
    def obligation(self) -> Obligation:
        """That it holds the sequential sum, after any number of steps."""
        unit = self.unit
        term = TERMS[self.operation]
        quick = self.fmt is FP4_E2M1 or (self.fmt is FP8_E4M3FN and self.operation == "add")
        return equivalence(
            self.name,
            f"after any number of steps from a start an accumulator holds the sequential sum of {term} "
            f"from the bias: {unit.function}, in each step; 0 before the first",
            circuit=self.circuit,
            meaning=self.spec,
            engines=unit.engines,
            decomposition=self.decomposition,
            profile=Profile.DEFAULT if quick else Profile.WIDE,
            reading=self.reading,
            parameters=unit.parameters | {"family": "loop"},
            function=f"a step of the sequential sum of {term} from a bias: {unit.function}",
        )


LOOPS = (
    *(Loop(operation, fmt) for fmt in (FP4_E2M1, FP8_E4M3FN, FP16, FP32) for operation in TERMS),
    *(Loop("fma", fmt, terms) for fmt, terms in ((FP32, FP8_E4M3FN), (FP32, FP16), (FP16, FP8_E4M3FN))),
)
"""Sums in the terms' format, and in wider ones."""


def obligations() -> Iterator[Obligation]:
    """``loop.FORMAT.{add,fma}[_from_TERMS].rne[.POLICY]``."""
    for loop in LOOPS:
        yield loop.obligation
