"""Every unit for scaled elements of MX blocks equals its definition, on all inputs.

What is proved is about one element of a block (two, for the product), of which there are
``MX_BLOCK_SIZE`` with one scale. OCP Microscaling Formats 1.0 leaves the rounding of such products
inside a dot product to the implementation; here there is one rounding.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from pysmt.fnode import FNode

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.mx import build_mx_unit
from spikeproof.proofs.rounded_units import RoundedUnit
from spikeproof.prover.claims.obligation import BOTH, Named, Profile
from spikeproof.specs import exact, symbolic
from spikeproof.specs.conventions import IEEE, Convention
from spikeproof.specs.formats import (
    ARITY,
    BFLOAT16,
    FP32,
    MX_ELEMENTS,
    MX_OPERATIONS,
    OPERANDS,
    Format,
    OverflowPolicy,
    RoundingMode,
)
from spikeproof.specs.integers import Buses

TARGETS = (FP32, BFLOAT16)
"""The formats of results."""

WORDS = {"mx_scale": "x_scale * x", "mx_multiply": "(x_scale * x) * (y_scale * y)"}
"""The operations, for people."""

ENGINES: dict[str, tuple[str, ...]] = {"mx_scale": BOTH, "mx_multiply": ("cadical",)}
"""z3 takes a minute for a product of FP8 elements, whole or cut at the product of the significands."""


@dataclass(frozen=True)
class ScaledUnit(RoundedUnit):
    """A unit for scaled elements of the format ``source``."""

    operation: str
    source: Format
    fmt: Format
    mode: RoundingMode = RoundingMode.NEAREST_EVEN
    policy: OverflowPolicy = OverflowPolicy.IEEE

    @property
    def in_words(self) -> str:
        """What it computes and how it is rounded, for people."""
        return f"{WORDS[self.operation]} rounded {self.mode.label}, {self.policy.label}"

    @property
    def function(self) -> str:
        """What it computes, and in which formats, for people."""
        return f"{self.source.name} with e8m0 scales to {self.fmt.name}: {self.in_words}"

    def require_convention(self, convention: Convention) -> None:
        """No other than IEEE."""
        if convention != IEEE:
            raise ValueError(f"{self.operation} from {self.source.name} is the same by all conventions")

    @property
    def engines(self) -> tuple[str, ...]:
        """As its operation needs."""
        return ENGINES[self.operation]

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of the elements among its input buses."""
        return OPERANDS[: ARITY[MX_OPERATIONS[self.operation]]]

    def circuit(self) -> Netlist:
        """The unit itself."""
        return build_mx_unit(self.operation, self.source, self.fmt, self.mode, self.policy)

    def spec(self, inputs: Buses) -> Buses:
        """What its output should be."""
        pairs: list[tuple[FNode, FNode]] = [(inputs[f"{x}_scale"], inputs[x]) for x in self.operands]
        result = symbolic.mx_compute(
            self.operation, self.source, self.fmt, self.mode, self.policy, *pairs
        )
        return {"result": result}

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its probes and output."""
        pairs = [(inputs[f"{x}_scale"], inputs[x]) for x in self.operands]
        value = exact.mx_exact(self.operation, self.source, self.mode, *pairs)
        return exact.rounding_trace(self.fmt, self.mode, self.policy, value)


def obligations() -> Iterator[Named]:
    """``FORMAT.mx_OPERATION_from_ELEMENT.rne``; products in other formats than FP32 in ``--wide``."""
    for fmt, operation, element in product(TARGETS, MX_OPERATIONS, MX_ELEMENTS):
        usual = fmt is FP32 or operation == "mx_scale"
        unit = ScaledUnit(operation, element, fmt)
        yield unit.promised(Profile.DEFAULT if usual else Profile.WIDE)
