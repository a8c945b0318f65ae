"""What is promised of units, whatever they compute: names, parameters, obligations."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import cycle
from typing import TypeVar

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, SMALL, DualRail, Structure
from spikeproof.proofs.rails import on_both_rails
from spikeproof.prover.claims.obligation import (
    BOTH,
    Decomposition,
    Named,
    Obligation,
    Observation,
    Profile,
    Reading,
    equivalence,
    everything,
)
from spikeproof.specs import symbolic
from spikeproof.specs.conventions import IEEE, SEVERAL, Convention
from spikeproof.specs.formats import (
    FP8_E4M3FN,
    FP8_E5M2,
    Coded,
    Format,
    Integer,
    Mode,
    OverflowPolicy,
    RoundingMode,
    ScaleFormat,
)
from spikeproof.specs.integers import Buses

AND = "_and_"
"""Stands between the formats of operands in a name."""


ARITHMETIC = (
    *("nan", "nan_operands", "subnormal_operands", "subnormal_results"),
    *("flushed_sign", "flushed_inexact", "tininess"),
)
"""The choices of a convention, by field, that play a part in results that are rounded."""


def engines_for(*operands: Format | Integer | ScaleFormat) -> tuple[str, ...]:
    """Both for operands of up to 16 bits; above, the quicker one."""
    return BOTH if all(fmt.width <= 16 for fmt in operands) else ("cadical",)


STANDING_FOR_ALL = {
    "library": FP8_E4M3FN,
    "structure": FP8_E4M3FN,
    "convention": FP8_E5M2,
    "flags": FP8_E5M2,
}
"""The format of which units are proved by default that make a choice beside mode and policy.

FP8_E4M3FN is the format of which S1 publishes units; FP8_E5M2 has an infinity and NaNs of all kinds, and
so every convention. The same of all other formats is left to ``--wide``.
"""


AnyUnit = TypeVar("AnyUnit", bound="PromisedUnit")


class PromisedUnit(ABC):
    """A unit, and what is promised of it.

    Attributes:
        operation: by its name.
        fmt: the format of the result.
        source: the format of the operands, where it is another; or one for each operand.
    """

    operation: str
    fmt: Format | Integer | ScaleFormat
    source: Format | Integer | ScaleFormat | tuple[Format, ...] | None
    convention: Convention = IEEE
    library: str = DEFAULT_LIBRARY
    structure: Structure = SMALL
    flags: bool = False

    @property
    def choices(self) -> frozenset[str]:
        """What it does not leave as usual, of ``STANDING_FOR_ALL``."""
        usual = {"library": DEFAULT_LIBRARY, "structure": SMALL, "convention": IEEE, "flags": False}
        return frozenset(choice for choice, value in usual.items() if getattr(self, choice) != value)

    @property
    def stands_for_all(self) -> bool:
        """Whether a format of its own stands for all in each choice it makes; so if it makes none."""
        formats = (self.fmt, *self.sources)
        return all(STANDING_FOR_ALL[choice] in formats for choice in self.choices)

    @property
    def name(self) -> str:
        """``FORMAT.OPERATION[_from_SOURCE[_and_SOURCE]][.ROUNDING][.CONVENTION][.MAKE][.flags]``.

        The IEEE convention and the default library go unsaid.
        """
        source = f"_from_{self.source_name}" if self.source else ""
        words = (*self.rounding, self.convention.name, *self.make, "flags" if self.flags else "")
        return ".".join((self.fmt.name, self.operation + source, *filter(None, words)))

    @property
    def rounding(self) -> tuple[str, ...]:
        """What its name says of how it rounds."""
        return ()

    @property
    def sources(self) -> tuple[Format | Integer | ScaleFormat, ...]:
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
            **self.rounding_parameters,
            "library": self.library,
            **({"convention": self.convention.name} if self.convention != IEEE else {}),
            **({"flags": "yes"} if self.flags else {}),
        }

    @property
    def rounding_parameters(self) -> dict[str, str]:
        """How it rounds, if it does."""
        return {}

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
        """What it computes, and how it is rounded if it is, for people."""

    @property
    def function(self) -> str:
        """What it computes, and in which format, for people."""
        source = f"{', '.join(source.name for source in self.sources)} to " if self.source else ""
        flags = ", and its exception flags" if self.flags else ""
        return f"{source}{self.fmt.name}: {self.in_words}{self.convention_in_words}{flags}"

    @property
    def convention_in_words(self) -> str:
        """What is said of its convention behind other words; nothing of IEEE's."""
        words = _said(self.convention, self.bearing)
        return f", {words}" if words else ""

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
        if self.convention.nan not in SEVERAL or not isinstance(self.fmt, Format):
            return everything
        return self._with_several_nans

    def _with_several_nans(self, inputs: Buses, outputs: Buses) -> Buses:
        assert isinstance(self.fmt, Format)
        formats = self.reading.formats
        operands = [
            (fmt, inputs[name]) for name in self.operands if isinstance(fmt := formats[name], Format)
        ]
        result = symbolic.observed(self.fmt, self.convention, outputs["result"], operands)
        return {**outputs, "result": result}

    def changed(self: AnyUnit, **choices: object) -> AnyUnit:
        """The unit with other choices, such as of its convention."""
        return replace(self, **choices)  # type: ignore[type-var]

    @property
    def bearing(self) -> tuple[str, ...]:
        """The choices of a convention, by field, that play a part in what it computes."""
        return ARITHMETIC

    def require_convention(self, convention: Convention) -> None:
        """Refuse a convention that it cannot have.

        Raises:
            ValueError: saying what it can have.
        """
        convention.require_possible(
            *(each for each in (self.fmt, *self.sources) if isinstance(each, Coded))
        )

    def neighbours(self) -> Iterator["PromisedUnit"]:
        """Units that differ from it in one choice."""
        yield from self.under_other_conventions()

    def under_other_conventions(self: AnyUnit) -> Iterator[AnyUnit]:
        """The unit under conventions that differ from its own in one choice, or are a bundle."""
        for convention in self.convention.neighbours():
            with suppress(ValueError):
                self.require_convention(convention)
                yield self.changed(convention=convention)

    def promised(self, profile: Profile = Profile.DEFAULT) -> Named:
        """The name of ``obligation``, which is then made when it is asked for."""
        return Named(self.name, profile, self.obligation)

    def obligation(self, profile: Profile = Profile.DEFAULT) -> Obligation:
        """That the unit is its operation; of two rails, on both."""
        if self.library == DualRail.name:
            single = self.changed(library=DEFAULT_LIBRARY).obligation(profile)
            return on_both_rails(single, self.name, self.statement, self.parameters)
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


@cache  # of few conventions, and thousands of units
def _said(convention: Convention, bearing: tuple[str, ...]) -> str:
    """What is said, for people, of a convention's choices in some fields."""
    return convention.only(bearing).in_words


class RoundedUnit(PromisedUnit):
    """A unit that rounds, and what is promised of it.

    Attributes:
        usual_policy: what goes unsaid in the name.
    """

    mode: Mode
    policy: OverflowPolicy
    usual_policy = OverflowPolicy.IEEE

    @property
    def rounding(self) -> tuple[str, ...]:
        """Its mode, and its policy where it is not the usual one."""
        return (self.mode.value, *(() if self.policy is self.usual_policy else (self.policy.value,)))

    @property
    def rounding_parameters(self) -> dict[str, str]:
        """Its mode and policy."""
        return {"mode": self.mode.value, "policy": self.policy.value}

    @property
    def policies(self) -> tuple[OverflowPolicy, ...]:
        """The policies that it can have."""
        return self.fmt.policies if isinstance(self.fmt, Coded) else (self.usual_policy,)

    def neighbours(self) -> Iterator["RoundedUnit"]:
        """Units that differ from it in one choice: of mode, policy or convention."""
        if isinstance(self.mode, RoundingMode):  # what is stochastic has an input more
            yield from (self.changed(mode=mode) for mode in RoundingMode if mode is not self.mode)
        yield from (self.changed(policy=each) for each in self.policies if each is not self.policy)
        yield from self.under_other_conventions()
