"""Substrates: what neurons are physically made of, as data with units and sources.

A netlist says what its neurons mean; a substrate says what may happen to them: potential that leaks,
noise, couplings and thresholds off their nominal values, relaxation. ``circuits.meanings.membrane``
runs a netlist under such parameters, ``circuits.physics.uncertainty`` bounds what they can do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction


class SubstrateError(ValueError):
    """A parameter that a substrate does not have, or a value it cannot take; one line with the
    remedy."""


class Reset(Enum):
    """What firing does to the membrane potential."""

    SOFT = "soft"
    """The threshold is subtracted; the excess remains."""

    HARD = "hard"
    """The potential returns to zero."""


@dataclass(frozen=True)
class Parameter:
    """A physical quantity, and the range that its source gives for it.

    Attributes:
        low, high: exact; ``high`` is None where there is no upper end.
    """

    meaning: str
    unit: str
    source: str
    low: Fraction = Fraction(0)
    high: Fraction | None = None

    @property
    def ends(self) -> tuple[Fraction, Fraction]:
        """The range.

        Raises:
            SubstrateError: if it has no upper end.
        """
        if self.high is None:
            raise SubstrateError(f"the {self.meaning} has no upper end; name a value")
        return self.low, self.high

    def value(self, name: str, given: object) -> Fraction:
        """A given value, exactly.

        Raises:
            SubstrateError: if it is not a finite number in the range.
        """
        if isinstance(given, bool) or not isinstance(given, int | float | str | Fraction):
            raise SubstrateError(f"{name} is {given!r}; use a number, or a fraction such as '1/3'")
        try:
            value = Fraction(given)
        except (ValueError, OverflowError, ZeroDivisionError):
            raise SubstrateError(f"{name} is {given!r}; use a finite number") from None
        if value < self.low:
            raise SubstrateError(f"{name} is {given}; use at least {self.low} {self.unit}")
        if self.high is not None and value > self.high:
            raise SubstrateError(f"{name} is {given}; use at most {self.high} {self.unit}")
        return value


@dataclass(frozen=True)
class Substrate:
    """A kind of physical neuron.

    Attributes:
        library: the gate library that is built on it.
        clocked: whether neurons decide once an evaluation; otherwise spikes come when they come.
        resets: what firing may do.
    """

    name: str
    description: str
    source: str
    library: str
    clocked: bool
    resets: tuple[Reset, ...]
    parameters: Mapping[str, Parameter]

    def values(self, **given: object) -> dict[str, Fraction]:
        """Given values of this substrate's parameters, exactly.

        Raises:
            SubstrateError: if there is no such parameter, or a value is out of its range.
        """
        for name in given:
            if name not in self.parameters:
                known = ", ".join(self.parameters)
                raise SubstrateError(
                    f"{self.name} neurons have no parameter {name!r}; they have {known}"
                )
        return {name: self.parameters[name].value(name, value) for name, value in given.items()}

    def require(self, reset: Reset) -> Reset:
        """A reset that this substrate has.

        Raises:
            SubstrateError: if it has it not.
        """
        if reset not in self.resets:
            known = " or ".join(each.value for each in self.resets)
            raise SubstrateError(f"{self.name} neurons have no {reset.value} reset; use {known}")
        return reset


_S1, _S2, _S3 = "arXiv 2512.07724", "arXiv 2601.21279", "arXiv 2402.16384"
_S4 = "Nature Electronics 7, 466 (2024)"


def _spread(what: str, source: str) -> Parameter:
    return Parameter(f"largest deviation of {what}", "of its nominal value", source)


def _integrate_and_fire(source: str) -> dict[str, Parameter]:
    return {
        "beta": Parameter("share of the potential kept", "per evaluation", source, high=Fraction(1)),
        "sigma": Parameter("deviation of the noise on the drive", "units of weight", source),
        "threshold_spread": _spread("the threshold", _S2),
        "weight_spread": _spread("each weight", "this project"),
    }


IONIC = Substrate(
    "ionic",
    "leaky integrate-and-fire neurons of ionic channels",
    _S1,
    library="ionic",
    clocked=True,
    resets=(Reset.SOFT, Reset.HARD),
    parameters=_integrate_and_fire(_S1),
)

DIGITAL = Substrate(
    "digital",
    "integrate-and-fire neurons of a digital neuromorphic chip",
    _S2,
    library="nexus",
    clocked=True,
    resets=(Reset.SOFT, Reset.HARD),
    parameters=_integrate_and_fire(_S2),
)

SUPERCONDUCTING = Substrate(
    "superconducting",
    "differential neuron of superconducting loops with ternary couplings, one decision a cycle",
    _S3,
    library="ternary",
    clocked=True,
    resets=(Reset.HARD,),
    parameters={
        "weight_spread": _spread("each coupling", "this project"),
        "threshold_spread": _spread("the bias that sets the threshold", "this project"),
    },
)

MEMRISTIVE = Substrate(
    "memristive",
    "neuron of an entropy-stabilised oxide, whose potential relaxes between spikes in continuous time",
    _S4,
    library="threshold",
    clocked=False,
    resets=(Reset.HARD,),
    parameters={
        "tau": Parameter(
            "relaxation time, by composition of the oxide", "ns", _S4, Fraction(159), Fraction(278)
        )
    },
)

SUBSTRATES: dict[str, Substrate] = {
    substrate.name: substrate for substrate in (IONIC, DIGITAL, SUPERCONDUCTING, MEMRISTIVE)
}


def substrate_named(name: str) -> Substrate:
    """The substrate of a name.

    Raises:
        SubstrateError: if there is none.
    """
    if name not in SUBSTRATES:
        raise SubstrateError(f"no substrate is named {name!r}; there are {', '.join(SUBSTRATES)}")
    return SUBSTRATES[name]
