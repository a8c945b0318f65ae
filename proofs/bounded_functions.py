"""Elementary functions of formats so wide that none can be tried on all inputs: within a bound."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.functions.bounded_cosine import BoundedCosine, build_bounded_cosine
from spikeproof.circuits.units.functions.bounded_exponential import (
    BoundedExponential,
    build_bounded_exponential,
)
from spikeproof.circuits.units.functions.bounded_logarithm import (
    BoundedLogarithm,
    build_bounded_logarithm,
)
from spikeproof.circuits.units.functions.bounded_radians import (
    BoundedRadians,
    build_bounded_radians,
)
from spikeproof.circuits.units.functions.bounded_sine import BoundedSine, build_bounded_sine
from spikeproof.prover.claims.bounded import ROUNDING, Bound, bounded
from spikeproof.prover.claims.obligation import Obligation, Profile, Reading
from spikeproof.specs import functions
from spikeproof.specs.formats import BFLOAT16, FP16, FP32, FP64, Format, Specials, format_named
from spikeproof.specs.functions import FUNCTIONS

PLACES = 10
"""Results are what numbers within 2^-10 units in the last place round to: within 0.501 units."""

WIDE = dict.fromkeys((FP32, FP64), Profile.WIDE)

PROMISED = {FP16: Profile.DEFAULT, **WIDE}
"""Of each function, by format, if not otherwise."""

PROMISED_OTHERWISE = {each: {BFLOAT16: Profile.DEFAULT, **WIDE} for each in ("sin", "cos")}
"""FP16 has subnormal results next to multiples of pi/2."""

CIRCUITS: Mapping[str, tuple[Callable[[Format], object], Callable[[Format], Netlist]]] = {
    "exp": (BoundedExponential, build_bounded_exponential),
    "log": (BoundedLogarithm.of, build_bounded_logarithm),
    "log2": (
        partial(BoundedLogarithm.of, function="log2"),
        partial(build_bounded_logarithm, function="log2"),
    ),
    "cos_pi": (BoundedCosine, build_bounded_cosine),
    "sin_pi": (BoundedSine, build_bounded_sine),
    **{
        function: (
            partial(BoundedRadians, function=function),
            partial(build_bounded_radians, function=function),
        )
        for function in ("sin", "cos")
    },
}
"""By function how a circuit is made, refused where there is none of a format; and the circuit."""

METHODS = dict.fromkeys(("cos_pi", "sin_pi", "sin", "cos"), "rows of polynomials")
"""How, if not by short factors."""


@dataclass(frozen=True)
class BoundedFunction:
    """A function of a format, by short factors, or by rows of polynomials."""

    fmt: Format
    operation: str

    @property
    def name(self) -> str:
        """``FORMAT.FUNCTION.bounded``"""
        return f"{self.fmt.name}.{self.operation}.bounded"

    @property
    def function(self) -> str:
        """What it computes, for people."""
        return (
            f"{self.fmt.name}: {FUNCTIONS[self.operation]} within 0.501 units in the last place: what "
            f"some number within 2^-{PLACES} units of it rounds to, to nearest even"
        )

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its output."""
        return functions.trace(self.operation, self.fmt, *ROUNDING, inputs["x"])

    def obligation(self, profile: Profile = Profile.WIDE) -> Obligation:
        """That the unit is within the bound."""
        _, build = CIRCUITS[self.operation]
        return bounded(
            self.name,
            f"{self.function}, by {METHODS.get(self.operation, 'short factors')}",
            partial(build, self.fmt),
            Bound(self.operation, self.fmt, PLACES),
            profile=profile,
            reading=Reading({"x": self.fmt, "result": self.fmt}, self.trace),
            parameters={"family": "bound", "format": self.fmt.name, "operation": self.operation},
            function=self.function,
        )


def described(name: str) -> Obligation | None:
    """The obligation of a name as ``BoundedFunction.name`` gives it, promised or not; else None.

    Raises:
        ValueError: if it is of a format of which there is no such circuit; one line.
    """
    target, _, rest = name.partition(".")
    operation, _, rest = rest.partition(".")
    if rest != "bounded" or operation not in CIRCUITS:
        return None
    fmt = format_named(target)
    if fmt.specials is not Specials.IEEE:
        raise ValueError(
            f"{operation} within a bound is of formats of IEEE 754's shape; {target} is none"
        )
    plan, _ = CIRCUITS[operation]
    plan(fmt)
    return BoundedFunction(fmt, operation).obligation()


def obligations() -> Iterator[Obligation]:
    """The theorems."""
    for operation in CIRCUITS:
        for fmt, profile in PROMISED_OTHERWISE.get(operation, PROMISED).items():
            yield BoundedFunction(fmt, operation).obligation(profile)
