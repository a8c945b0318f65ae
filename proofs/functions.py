"""Elementary functions: every unit is its function, correctly rounded, on all inputs.

What is right is made by the spec of record, as a table of formats of up to 16 bits, and in blocks of
wider ones; and circuits are evaluated on every input.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.functions.building import (
    CONSTRUCTIONS,
    MULTIPLEXERS,
    PROGRAMS,
    SEGMENTS,
    THERMOMETER,
    build_function,
    usual_construction,
)
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, LIBRARIES, Nexus
from spikeproof.proofs.rounded_units import RoundedUnit
from spikeproof.prover.claims.blocked import MOST_BITS as MOST_IN_BLOCKS
from spikeproof.prover.claims.blocked import blocked
from spikeproof.prover.claims.obligation import Named, Obligation, Profile, StatementError
from spikeproof.prover.claims.tables import TABLE_BITS, of_every_input
from spikeproof.prover.claims.tabulated import tabulated
from spikeproof.specs import functions
from spikeproof.specs.conventions import IEEE, Convention
from spikeproof.specs.formats import (
    BFLOAT16,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    FP32,
    SMALL_FORMATS,
    Format,
    OverflowPolicy,
    RoundingMode,
    UnknownNameError,
)
from spikeproof.specs.functions import FUNCTIONS
from spikeproof.specs.integers import Buses

HOW = {name: each.words for name, each in CONSTRUCTIONS.items()} | {
    name: each.words for name, each in PROGRAMS.items()
}
"""Words for every construction."""

OF_GATES = tuple(name for name, library in LIBRARIES.items() if not library.reads_sums)
"""Libraries whose neurons do not read sums."""

CHANGING_SELDOM = frozenset({"exp", "exp2", "log", "log2", "sigmoid"})
"""Functions whose thermometers have some 10,000 neurons in 16 bits; others have up to 65,000."""


@dataclass(frozen=True)
class FunctionUnit(RoundedUnit):
    """One of ``words``, of a format of up to 16 bits; of up to 32 where a program makes it.

    Attributes:
        construction: how it is made, of which library: see ``circuits.units.functions``.
    """

    operation: str
    fmt: Format
    mode: RoundingMode = RoundingMode.NEAREST_EVEN
    policy: OverflowPolicy = OverflowPolicy.IEEE
    construction: str = SEGMENTS
    library: str = DEFAULT_LIBRARY
    convention: Convention = IEEE
    source: None = None
    words: ClassVar[Mapping[str, str]] = FUNCTIONS

    @classmethod
    def of(cls, function: str, fmt: Format, mode: RoundingMode) -> Self:
        """A function of a format.

        Raises:
            UnknownNameError: if the format has too many bits.
        """
        if fmt.width > MOST_IN_BLOCKS:
            raise UnknownNameError(
                f"{function} is of formats of up to {MOST_IN_BLOCKS} bits; {fmt.name} has {fmt.width}"
            )
        try:
            return cls(function, fmt, mode, construction=usual_construction(function, fmt))
        except ValueError as error:
            raise UnknownNameError(str(error)) from None

    @property
    def make(self) -> tuple[str, ...]:
        """The library, where it is not the default one, and the construction, where not the usual."""
        library = () if self.library == DEFAULT_LIBRARY else (self.library,)
        return library if self.construction == self.usual else (*library, self.construction)

    @property
    def usual(self) -> str:
        """The construction that goes unsaid."""
        return usual_construction(self.operation, self.fmt, self.library)

    @property
    def in_words(self) -> str:
        """What it computes and how it is rounded, for people."""
        return f"{self.words[self.operation]} rounded {self.mode.label}, {self.policy.label}"

    @property
    def statement(self) -> str:
        """What is claimed of it, for people."""
        return f"{super().statement}, {HOW[self.construction]}"

    @property
    def parameters(self) -> dict[str, str]:
        """What its name says, and what goes unsaid there."""
        return {**super().parameters, "construction": self.construction}

    @property
    def engines(self) -> tuple[str, ...]:
        """None: every input is evaluated."""
        return ()

    def circuit(self) -> Netlist:
        """The unit itself.

        Raises:
            StatementError: if the construction does not make it.
        """
        given = self.operation, self.fmt, self.mode, self.policy, self.library
        try:
            return build_function(*given, construction=self.construction, convention=self.convention)
        except ValueError as error:
            raise StatementError(f"{self.name} has no circuit: {error}") from None

    def results(self) -> dict[str, NDArray[Any]]:
        """What its output should be, for every input."""
        given = self.operation, self.fmt, self.mode, self.policy
        return {"result": functions.every_result(*given, convention=self.convention)}

    def block(self, first: int, count: int) -> dict[str, NDArray[Any]]:
        """The same for so many inputs from one on."""
        given = self.operation, self.fmt, self.mode, self.policy
        found = functions.results_from(*given, first, count, convention=self.convention)
        return {"result": found}

    def line(self, x: int) -> dict[str, int]:
        """The same for one input."""
        given = self.operation, self.fmt, self.mode, self.policy
        return {"result": functions.compute(*given, x, convention=self.convention)}

    @property
    def definition(self) -> str:
        """What function it is, as data."""
        return json.dumps(
            {
                "schema": "spikeproof-function-1",
                "function": self.operation,
                "format": {**asdict(self.fmt), "specials": self.fmt.specials.value},
                "mode": self.mode.value,
                "policy": self.policy.value,
                "convention": self.convention.name,
            },
            sort_keys=True,
        )

    def spec(self, inputs: Buses) -> Buses:
        """The same as a formula."""
        return of_every_input(self.results(), inputs, {"result": self.fmt.width})

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its output."""
        given = self.operation, self.fmt, self.mode, self.policy
        return functions.trace(*given, inputs["x"], convention=self.convention)

    def obligation(self, profile: Profile = Profile.DEFAULT) -> Obligation:
        """That the unit is its function."""
        if self.fmt.width * len(self.operands) <= TABLE_BITS:
            stated = partial(tabulated, results=self.results, observed=self.observed)
        else:
            alike = replace(self, mode=RoundingMode.NEAREST_EVEN).name
            stated = partial(
                blocked, results=self.block, line=self.line, definition=self.definition, alike=alike
            )
        return stated(
            self.name,
            self.statement,
            self.circuit,
            profile=profile,
            reading=self.reading,
            parameters=self.parameters,
            function=self.function,
            neighbours=lambda: (each.obligation(Profile.WIDE) for each in self.neighbours()),
        )


IN_ALL_MODES = (
    *("exp", "exp2", "log", "log2", "log1p", "reciprocal", "rsqrt", "sin", "cos"),
    *("tanh", "sigmoid", "gelu", "silu", "erf"),
)
TO_NEAREST_EVEN = ("sin_pi", "cos_pi", "gelu_tanh", "softplus", "expm1")

IN_BLOCKS: dict[tuple[Format, str], tuple[RoundingMode, ...]] = {
    **{(FP32, function): tuple(RoundingMode) for function in IN_ALL_MODES},
    **{(FP32, function): (RoundingMode.NEAREST_EVEN,) for function in TO_NEAREST_EVEN},
}
"""Formats of more than 16 bits and functions, and the modes in which these are promised."""

IN_BLOCKS_OF_GATES = tuple(
    (FP32, function, Nexus.name) for function in ("exp", "log", "reciprocal", "sigmoid")
)
"""The same of gates, with the library; to nearest even."""


def function_units() -> Iterator[tuple[FunctionUnit, Profile]]:
    """Every function, format and mode under the first policy; in ``--wide`` under the others.

    And to nearest even by a thermometer, where that has not too many neurons, and of gates.
    """
    for fmt, function, mode in product((*SMALL_FORMATS, BFLOAT16, FP16), FUNCTIONS, RoundingMode):
        first, *others = fmt.policies
        unit = FunctionUnit(function, fmt, mode, first)
        yield unit, Profile.DEFAULT
        yield from ((replace(unit, policy=policy), Profile.WIDE) for policy in others)
        small = fmt in SMALL_FORMATS or function in CHANGING_SELDOM
        if mode is RoundingMode.NEAREST_EVEN and small:
            yield replace(unit, construction=THERMOMETER), Profile.WIDE
        if mode is RoundingMode.NEAREST_EVEN:
            for library in _libraries(fmt, function):
                usual = fmt is FP8_E4M3FN and library == Nexus.name
                gates = replace(unit, construction=MULTIPLEXERS, library=library)
                yield gates, Profile.DEFAULT if usual else Profile.WIDE
    for (fmt, function), modes in IN_BLOCKS.items():
        yield from ((FunctionUnit.of(function, fmt, mode), Profile.WIDE) for mode in modes)
    for fmt, function, library in IN_BLOCKS_OF_GATES:
        of_neurons = FunctionUnit.of(function, fmt, RoundingMode.NEAREST_EVEN)
        yield replace(of_neurons, library=library), Profile.WIDE


def _libraries(fmt: Format, function: str) -> tuple[str, ...]:
    """The libraries of gates of which a function is promised."""
    if fmt in (FP8_E4M3FN, FP8_E5M2):
        return OF_GATES
    return (Nexus.name,) if fmt.width == 16 and function in CHANGING_SELDOM else ()


def obligations() -> Iterator[Named]:
    """The functions' theorems."""
    return (unit.promised(profile) for unit, profile in function_units())
