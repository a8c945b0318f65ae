"""What is promised of units that round, whatever they compute: names, parameters, obligations."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY
from spikeproof.prover.claims.obligation import (
    BOTH,
    Decomposition,
    Obligation,
    Observation,
    Profile,
    Reading,
    equivalence,
    everything,
)
from spikeproof.specs.formats import Format, Integer, OverflowPolicy, RoundingMode
from spikeproof.specs.integers import Buses


def engines_for(operands: Format) -> tuple[str, ...]:
    """Both for operands of up to 16 bits; above, the quicker one."""
    return BOTH if operands.width <= 16 else ("cadical",)


class RoundedUnit(ABC):
    """A unit that rounds, and what is promised of it.

    Attributes:
        operation: by its name.
        fmt: the format of the result.
        source: the format of the operands, where it is another.
        usual_policy: what goes unsaid in the name.
    """

    operation: str
    fmt: Format | Integer
    source: Format | Integer | None
    mode: RoundingMode
    policy: OverflowPolicy
    usual_policy = OverflowPolicy.IEEE
    library: str = DEFAULT_LIBRARY

    @property
    def name(self) -> str:
        """``FORMAT.OPERATION[_from_SOURCE].MODE[.POLICY]``."""
        source = f"_from_{self.source.name}" if self.source else ""
        policy = () if self.policy is self.usual_policy else (self.policy.value,)
        return ".".join((self.fmt.name, self.operation + source, self.mode.value, *policy))

    @property
    def parameters(self) -> dict[str, str]:
        """What the name says, and what goes unsaid there."""
        return {
            "family": "unit",
            "format": self.fmt.name,
            "operation": self.operation,
            **({"source": self.source.name} if self.source else {}),
            "mode": self.mode.value,
            "policy": self.policy.value,
            "library": self.library,
        }

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of the input buses that hold numbers."""
        return ("x",)

    @property
    def reading(self) -> Reading:
        """How to read its counterexamples."""
        codes = dict.fromkeys(self.operands, self.source or self.fmt)
        return Reading({**codes, "result": self.fmt}, self.trace)

    @property
    def decomposition(self) -> Decomposition | None:
        """How its proof is split, if it is."""
        return None

    @property
    @abstractmethod
    def function(self) -> str:
        """What it computes, for people."""

    @property
    def statement(self) -> str:
        """What is claimed of it, for people."""
        return f"{self.function}, of {self.library} gates"

    @property
    @abstractmethod
    def engines(self) -> tuple[str, ...]:
        """What is asked about it."""

    @abstractmethod
    def circuit(self) -> Netlist:
        """The unit itself."""

    @abstractmethod
    def spec(self, inputs: Buses) -> Buses:
        """What its outputs should be."""

    @abstractmethod
    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its probes and outputs."""

    @property
    def observed(self) -> Observation:
        """What counts of its outputs."""
        return everything

    def neighbours(self) -> Iterator["RoundedUnit"]:
        """Units that differ from it in one choice: of mode, policy or convention."""
        yield from ()

    def obligation(self, profile: Profile = Profile.DEFAULT) -> Obligation:
        """That the unit is its operation."""
        return equivalence(
            self.name,
            self.statement,
            circuit=self.circuit,
            meaning=self.spec,
            observed=self.observed,
            engines=self.engines,
            decomposition=self.decomposition,
            profile=profile,
            reading=self.reading,
            parameters=self.parameters,
            function=self.function,
            neighbours=lambda: (each.obligation(Profile.WIDE) for each in self.neighbours()),
        )
