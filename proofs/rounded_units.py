"""What is promised of units that round, whatever they compute: names, parameters, obligations."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import cycle

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
from spikeproof.specs.conventions import IEEE, Convention
from spikeproof.specs.formats import Format, Integer, OverflowPolicy, RoundingMode
from spikeproof.specs.integers import Buses

AND = "_and_"
"""Stands between the formats of operands in a name."""


def engines_for(*operands: Format | Integer) -> tuple[str, ...]:
    """Both for operands of up to 16 bits; above, the quicker one."""
    return BOTH if all(fmt.width <= 16 for fmt in operands) else ("cadical",)


class RoundedUnit(ABC):
    """A unit that rounds, and what is promised of it.

    Attributes:
        operation: by its name.
        fmt: the format of the result.
        source: the format of the operands, where it is another; or one for each operand.
        usual_policy: what goes unsaid in the name.
    """

    operation: str
    fmt: Format | Integer
    source: Format | Integer | tuple[Format, ...] | None
    mode: RoundingMode
    policy: OverflowPolicy
    usual_policy = OverflowPolicy.IEEE
    convention: Convention = IEEE
    library: str = DEFAULT_LIBRARY
    flags: bool = False

    @property
    def name(self) -> str:
        """``FORMAT.OPERATION[_from_SOURCE[_and_SOURCE]].MODE[.POLICY][.CONVENTION][.MAKE][.flags]``.

        The usual policy, the IEEE convention and the default library go unsaid.
        """
        source = f"_from_{self.source_name}" if self.source else ""
        policy = () if self.policy is self.usual_policy else (self.policy.value,)
        words = (*policy, self.convention.name, *self.make, "flags" if self.flags else "")
        return ".".join((self.fmt.name, self.operation + source, self.mode.value, *filter(None, words)))

    @property
    def sources(self) -> tuple[Format | Integer, ...]:
        """The formats of the operands as its name says them: none, one of all, or one of each."""
        if isinstance(self.source, tuple):
            return self.source
        return (self.source,) if self.source else ()

    @property
    def source_name(self) -> str:
        """Their names, joined by ``_and_``."""
        return AND.join(source.name for source in self.sources)

    @property
    def make(self) -> tuple[str, ...]:
        """What its name says of how it is made."""
        return ()

    @property
    def parameters(self) -> dict[str, str]:
        """What the name says, and what goes unsaid there."""
        return {
            "family": "unit",
            "format": self.fmt.name,
            "operation": self.operation,
            **({"source": self.source_name} if self.source else {}),
            "mode": self.mode.value,
            "policy": self.policy.value,
            "library": self.library,
            **({"convention": self.convention.name} if self.convention != IEEE else {}),
            **({"flags": "yes"} if self.flags else {}),
        }

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of the input buses that hold numbers."""
        return ("x",)

    @property
    def reading(self) -> Reading:
        """How to read its counterexamples."""
        formats = self.sources or (self.fmt,)
        codes = dict(zip(self.operands, cycle(formats), strict=False))
        return Reading({**codes, "result": self.fmt}, self.trace)

    @property
    def decomposition(self) -> Decomposition | None:
        """How its proof is split, if it is."""
        return None

    @property
    @abstractmethod
    def in_words(self) -> str:
        """What it computes and how it is rounded, for people."""

    @property
    def function(self) -> str:
        """What it computes, and in which format, for people."""
        source = f"{', '.join(source.name for source in self.sources)} to " if self.source else ""
        convention = f", {self.convention.in_words}" if self.convention != IEEE else ""
        flags = ", and its exception flags" if self.flags else ""
        return f"{source}{self.fmt.name}: {self.in_words}{convention}{flags}"

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

    def changed(self, **choices: object) -> "RoundedUnit":
        """The unit with other choices: of mode, policy or convention."""
        return replace(self, **choices)  # type: ignore[type-var]

    @property
    def policies(self) -> tuple[OverflowPolicy, ...]:
        """The policies that it can have."""
        return self.fmt.policies if isinstance(self.fmt, Format) else (self.usual_policy,)

    def require_convention(self, convention: Convention) -> None:
        """Refuse a convention that it cannot have.

        Raises:
            ValueError: saying what it can have.
        """
        convention.require_possible(
            *(each for each in (self.fmt, *self.sources) if isinstance(each, Format))
        )

    def neighbours(self) -> Iterator["RoundedUnit"]:
        """Units that differ from it in one choice: of mode, policy or convention."""
        yield from (self.changed(mode=mode) for mode in RoundingMode if mode is not self.mode)
        yield from (self.changed(policy=each) for each in self.policies if each is not self.policy)
        for convention in self.convention.neighbours():
            with suppress(ValueError):
                self.require_convention(convention)
                yield self.changed(convention=convention)

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
