"""Gate libraries: how each gate is made of neurons on a substrate.

Units are written once, against ``GateLibrary``; a library says what its substrate offers. Thresholds
stand midway between the sums they separate. ``[w.x + b >= t]`` below denotes a neuron.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from spikeproof.circuits.netlist import Netlist, NetlistBuilder, Weight
from spikeproof.circuits.units.dual_rail import DualRailBuilder

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Structure:
    """How integer blocks are made of gates: see ``circuits.units.integer``.

    Attributes:
        adder: ``ripple``, least neurons; ``prefix``, logarithmic depth; or ``grouped``, of neurons that
            read several places at once.
        multiplier: ``array`` of carry-propagating rows; carry-save ``tree``, logarithmic depth;
            ``columns``, of whose bits neurons count many at once; or ``search``, for the digits of the
            product from the top. In the last case quotients and roots are searched too.
        largest_weight: that any synapse may have; None where gates decide. What weighs more is read
            from several copies of its source.
        row_bits: that a row of a shallow quotient or root gives at once.
        redundant: whether what rows of a quotient leave stays a sum of a few numbers: see
            ``units.redundant_rows``.
    """

    adder: str = "ripple"
    multiplier: str = "array"
    largest_weight: int | None = None
    row_bits: int = 2
    redundant: bool = False

    @property
    def shallow(self) -> bool:
        """Whether blocks are of neurons that read whole sums, and not of gates."""
        return self.largest_weight is not None

    @property
    def searches(self) -> bool:
        """Whether products, quotients and roots are found digit by digit: see ``units.searches``."""
        return self.multiplier == "search"

    @property
    def places(self) -> int:
        """How many binary places one neuron may read."""
        assert self.largest_weight is not None
        return self.largest_weight.bit_length()


SMALL = Structure("ripple", "array")
"""Least gates."""

FAST = Structure("prefix", "tree")
"""Least depth of gates."""

LARGEST_WEIGHTS = (4, 8, 16, 32, 64, 128)
"""What weights may be at most in shallow structures."""

USUAL_LARGEST_WEIGHT = 64
"""What goes unsaid in the name of a shallow structure."""


def shallow(
    largest_weight: int = USUAL_LARGEST_WEIGHT, row_bits: int = 2, redundant: bool = False
) -> Structure:
    """Least depth, of neurons that read sums of several places: see ``circuits.units.shallow``."""
    return Structure("grouped", "columns", largest_weight, row_bits, redundant)


SHALLOW = shallow()

LARGER_RADICES = {8: shallow(row_bits=3), 16: shallow(row_bits=4)}
"""Of quotients and roots, by rows of more than two bits; all else is as in ``SHALLOW``."""

REDUNDANT = {
    4: shallow(row_bits=2, redundant=True),
    8: shallow(row_bits=3, redundant=True),
    16: shallow(256, row_bits=4, redundant=True),
}
"""Of quotients, by rows whose remainders are redundant, by radix.

With 16 a remainder's first place weighs 256; copies of it would take a level more in every row.
"""

SHALLOW_ROWS = (*LARGER_RADICES.values(), *REDUNDANT.values())
"""The shallow structures that differ in their rows."""

COMPACT = Structure("grouped", "search", 1 << 256)
"""Least neurons, of weights as large as the numbers they add up: see ``circuits.units.searches``."""

STRUCTURE_NAMES = {
    SMALL: "small",
    FAST: "fast",
    SHALLOW: "shallow",
    **{shallow(most): f"shallow{most}" for most in LARGEST_WEIGHTS if most != USUAL_LARGEST_WEIGHT},
    **{structure: f"shallow_radix{radix}" for radix, structure in LARGER_RADICES.items()},
    **{structure: f"shallow_redundant_radix{radix}" for radix, structure in REDUNDANT.items()},
    COMPACT: "compact",
}
"""What the structures are called, where there is a choice."""


def rows_in_words(structure: Structure) -> str:
    """How quotients or roots are made of rows, for people."""
    left = " with redundant remainders" if structure.redundant else ""
    return f"by rows of {structure.row_bits} bits{left}"


class GateLibrary(ABC):
    """Gates on a substrate. Every method takes signals and returns the signals of new neurons.

    Any operand may be the constant ``ZERO`` or ``ONE``; the builder folds it away.
    """

    name: str
    """As used in theorem names."""
    source: str
    """The published system the gates come from."""
    allowed_weights: frozenset[int] | None = None
    """The synapse weights the substrate can make; None if any."""
    largest_weight: int | None = None
    """What is summed is read from copies beyond this weight; None for what the structure has."""
    reads_sums = False
    """Whether a neuron may read any sum of signals times integers."""
    absorbs_inverters = False
    """Whether a neuron may read an inverted signal through a synapse of opposite weight."""
    builder_class: type[NetlistBuilder] = NetlistBuilder
    """What makes the netlist."""

    def __init__(self, builder: NetlistBuilder, structure: Structure = SMALL) -> None:
        self.builder = builder
        self.structure = structure

    @property
    def adds_by_gates(self) -> bool:
        """Whether sums are of full adders, and neurons read none."""
        return not self.reads_sums and not self.structure.shallow

    def fires(self, threshold: Weight, *synapses: tuple[int, Weight], bias: Weight = 0) -> int:
        """The neuron with these (signal, weight) synapses."""
        return self.builder.neuron(synapses, threshold, bias)

    def not_(self, a: int) -> int:
        """[1 - a >= 0.5]"""
        return self.fires(HALF, (a, -1), bias=1)

    def and_(self, a: int, b: int) -> int:
        """[a + b >= 1.5]"""
        return self.fires(1 + HALF, (a, 1), (b, 1))

    def or_(self, a: int, b: int) -> int:
        """[a + b >= 0.5]"""
        return self.fires(HALF, (a, 1), (b, 1))

    @abstractmethod
    def xor(self, a: int, b: int) -> int:
        """Whether a and b differ."""

    @abstractmethod
    def mux(self, select: int, a: int, b: int) -> int:
        """a where ``select`` is 1, else b."""

    def majority(self, a: int, b: int, c: int) -> int:
        """[a + b + c >= 1.5]: whether at least two of three are 1."""
        return self.fires(1 + HALF, (a, 1), (b, 1), (c, 1))

    def carry(self, generate: int, propagate: int, carry: int) -> int:
        """generate or (propagate and carry), where generate implies propagate or excludes it."""
        return self.or_(generate, self.and_(propagate, carry))

    def half_adder(self, a: int, b: int) -> tuple[int, int]:
        """(sum, carry) of two bits."""
        return self.xor(a, b), self.and_(a, b)

    @abstractmethod
    def full_adder(self, a: int, b: int, c: int) -> tuple[int, int]:
        """(sum, carry) of three bits."""

    def wide_and(self, signals: Sequence[int]) -> int:
        """Whether all are 1: one neuron of full fan-in."""
        signals = list(dict.fromkeys(signals))
        return self.fires(len(signals) - HALF, *((s, 1) for s in signals))

    def wide_or(self, signals: Sequence[int]) -> int:
        """Whether any is 1: one neuron of full fan-in."""
        return self.fires(HALF, *((s, 1) for s in dict.fromkeys(signals)))


class _TwoInputLibrary(GateLibrary):
    """Gates of at most two inputs; wide gates are balanced trees, adders two half adders.

    As in the published systems, XOR and MUX are devices with neurons of their own: gates are shared
    where all their inputs are equal, neurons of different gates are not.
    """

    def mux(self, select: int, a: int, b: int) -> int:
        """(select and a) or (not select and b)"""
        with self.builder.device("mux", select, a, b):
            return self.or_(self.and_(select, a), self.and_(self.not_(select), b))

    def majority(self, a: int, b: int, c: int) -> int:
        return self.or_(self.and_(a, b), self.and_(c, self.or_(a, b)))

    def full_adder(self, a: int, b: int, c: int) -> tuple[int, int]:
        partial, first_carry = self.half_adder(a, b)
        total, second_carry = self.half_adder(partial, c)
        return total, self.or_(first_carry, second_carry)

    def wide_and(self, signals: Sequence[int]) -> int:
        return self._tree(self.and_, signals)

    def wide_or(self, signals: Sequence[int]) -> int:
        return self._tree(self.or_, signals)

    def _tree(self, gate: Callable[[int, int], int], signals: Sequence[int]) -> int:
        layer = list(signals)
        while len(layer) > 1:
            paired = [gate(a, b) for a, b in zip(layer[::2], layer[1::2], strict=False)]
            layer = paired + layer[len(paired) * 2 :]
        return layer[0]


class Ionic(_TwoInputLibrary):
    """S1: ionic channels. XOR in 2 neurons, MUX 4, half adder 3, full adder 7."""

    name = "ionic"
    source = "arXiv 2512.07724"

    def xor(self, a: int, b: int) -> int:
        """h = [a + b >= 1.5], out = [a + b - 2h >= 0.5]"""
        with self.builder.device("xor", a, b):
            return self.fires(HALF, (a, 1), (b, 1), (self.and_(a, b), -2))


class Nexus(_TwoInputLibrary):
    """S2: generic integrate-and-fire neurons. XOR in 5 neurons, MUX 4, half adder 6, full adder 13."""

    name = "nexus"
    source = "arXiv 2601.21279"

    def xor(self, a: int, b: int) -> int:
        """(a and not b) or (not a and b)"""
        with self.builder.device("xor", a, b):
            return self.or_(self.and_(a, self.not_(b)), self.and_(self.not_(a), b))


class Threshold(GateLibrary):
    """Integer weights and any fan-in: XOR, MUX and full adder in 2 neurons, wide gates in 1."""

    name = "threshold"
    source = "threshold logic with integer weights"
    reads_sums = True
    absorbs_inverters = True

    def xor(self, a: int, b: int) -> int:
        """h = [a + b >= 1.5], out = [a + b - 2h >= 0.5]"""
        return self.fires(HALF, (a, 1), (b, 1), (self.and_(a, b), -2))

    def mux(self, select: int, a: int, b: int) -> int:
        """h = [select + a >= 1.5], out = [2h + b - select >= 0.5]"""
        chosen = self.and_(select, a)
        return self.fires(HALF, (chosen, 2), (b, 1), (select, -1))

    def full_adder(self, a: int, b: int, c: int) -> tuple[int, int]:
        """carry = [a + b + c >= 1.5], sum = [a + b + c - 2 carry >= 0.5]"""
        carry = self.majority(a, b, c)
        return self.fires(HALF, (a, 1), (b, 1), (c, 1), (carry, -2)), carry


class Ternary(GateLibrary):
    """S3: superconducting loops. Weights -1, 0 and +1 only, any fan-in."""

    name = "ternary"
    source = "arXiv 2402.16384"
    allowed_weights = frozenset({-1, 1})
    largest_weight = 1
    absorbs_inverters = True

    def xor(self, a: int, b: int) -> int:
        """[or(a, b) - and(a, b) >= 0.5]"""
        return self.fires(HALF, (self.or_(a, b), 1), (self.and_(a, b), -1))

    def mux(self, select: int, a: int, b: int) -> int:
        """[[select + a >= 1.5] + [b - select >= 0.5] >= 0.5]"""
        return self.or_(self.and_(select, a), self.fires(HALF, (b, 1), (select, -1)))

    def full_adder(self, a: int, b: int, c: int) -> tuple[int, int]:
        """With k = [a + b + c >= k - 0.5] for k = 1, 2, 3: carry is 2, sum is [1 - 2 + 3 >= 0.5].

        A signal that is given twice, and would weigh 2, is the carry, and the sum what else is given.
        """
        if len({a, b, c}) < 3:
            return (c, a) if a == b else (a if b == c else b, c)
        bits = ((a, 1), (b, 1), (c, 1))
        at_least_one, carry, all_three = (self.fires(k - HALF, *bits) for k in (1, 2, 3))
        return self.fires(HALF, (at_least_one, 1), (carry, -1), (all_three, 1)), carry


class DualRail(Threshold):
    """S2's dual rail: every signal on two wires, no inhibition. NOT is a swap of wires; XOR, MUX and
    full adder are 4 neurons, all else is 2, with the complement of what they give.

    Inputs have their complements on buses of their own, and so have outputs: see ``units.dual_rail``.
    """

    name = "dual_rail"
    source = Nexus.source
    allowed_weights = frozenset({1, 2})
    builder_class = DualRailBuilder


LIBRARIES: dict[str, type[GateLibrary]] = {
    library.name: library for library in (Ionic, Nexus, Threshold, Ternary)
}
"""Those with a wire for each signal."""

EVERY_LIBRARY: dict[str, type[GateLibrary]] = {**LIBRARIES, DualRail.name: DualRail}

DEFAULT_LIBRARY = Threshold.name
"""The library of a unit whose name mentions none."""

GATE_INPUTS: dict[str, tuple[str, ...]] = {
    "and": ("a", "b"),
    "or": ("a", "b"),
    "not": ("a",),
    "xor": ("a", "b"),
    "mux": ("select", "a", "b"),
    "majority": ("a", "b", "c"),
    "half_adder": ("a", "b"),
    "full_adder": ("a", "b", "c"),
}
"""Input names of each gate, in the order its method takes them."""

WIDE_GATES = ("wide_and", "wide_or")


ROWS = ("divide", "square_root")
"""What is made by rows: operations, and blocks."""

BY_DIGITS = ("multiply", *ROWS)
"""What is found digit by digit, likewise."""


def require_rows(operation: str, structure: Structure) -> None:
    """Refuse a radix of an operation that has none.

    Raises:
        ValueError: saying what to choose; one line.
    """
    rows = ("divide",) if structure.redundant else ROWS
    if structure in SHALLOW_ROWS and operation not in rows:
        lacking = "redundant rows" if structure.redundant else "rows"
        raise ValueError(
            f"{operation} has no {lacking}, so it cannot be {STRUCTURE_NAMES[structure]}; "
            f"choose {STRUCTURE_NAMES[SHALLOW]}, or {' or '.join(rows)}"
        )


def require_structure(library: str, structure: Structure) -> None:
    """Refuse a structure that needs larger weights or more inputs than gates of the library have.

    Raises:
        ValueError: saying what to choose; one line.
    """
    if structure.shallow and not issubclass(EVERY_LIBRARY[library], (Threshold, Ternary)):
        raise ValueError(
            f"library {library!r} cannot be {STRUCTURE_NAMES[structure]}, which needs any fan-in; "
            f"choose {Threshold.name!r}, {Ternary.name!r} or {DualRail.name!r}, or small or fast"
        )
    if structure.searches and EVERY_LIBRARY[library].largest_weight:
        raise ValueError(
            f"library {library!r} cannot be {STRUCTURE_NAMES[structure]}, which needs weights as large "
            f"as numbers; choose {Threshold.name!r} or {DualRail.name!r}, or shallow4"
        )


def library_gates(name: str, structure: Structure = SMALL) -> GateLibrary:
    """The library of that name with a fresh builder.

    Raises:
        KeyError: if there is none.
        ValueError: if its gates are of fewer inputs or smaller weights than the structure needs.
    """
    library = EVERY_LIBRARY[name]
    require_structure(name, structure)
    builder = library.builder_class(absorb_inverters=library.absorbs_inverters)
    return library(builder, structure)


def gate_netlist(library: str, gate: str) -> Netlist:
    """One gate on its own: inputs as in ``GATE_INPUTS``, outputs ``out``, or ``sum`` and ``carry``."""
    gates = library_gates(library)
    operands = [gates.builder.input(name, 1)[0] for name in GATE_INPUTS[gate]]
    method = getattr(gates, gate if gate not in ("and", "or", "not") else gate + "_")
    result = method(*operands)
    names = ("out",) if isinstance(result, int) else ("sum", "carry")
    signals = (result,) if isinstance(result, int) else result
    return gates.builder.build({name: (s,) for name, s in zip(names, signals, strict=True)})


def wide_gate_netlist(library: str, gate: str, width: int) -> Netlist:
    """A wide gate on its own: input ``x``, output ``out``."""
    gates = library_gates(library)
    bus = gates.builder.input("x", width)
    return gates.builder.build({"out": (getattr(gates, gate)(bus),)})


@cache
def cell_netlist(library: str, gate: str, width: int | None = None) -> Netlist:
    """A gate on its own, a wide one if a width is given."""
    return gate_netlist(library, gate) if width is None else wide_gate_netlist(library, gate, width)
