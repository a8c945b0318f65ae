"""The composition kernel: when lemmas about a block and about the rest make up a unit's theorem.

Let the circuit be N(x) = R(x, B(i(x))): a block B that reads the buses i(x), and the rest R. Then
N(x) = S(x) for all x follows from three lemmas,

    block      B(i) = M(i)             for all i
    operands   i(x) = j(x)             for all x
    rest       R(x, p) = T(x, p)       for all x and all p

and from S being T(x, M(j(x))) to the letter, which is checked here: N(x) = R(x, B(i(x))) = R(x, M(i(x)))
= R(x, M(j(x))) = T(x, M(j(x))) = S(x). This module is trusted; it uses no solver.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, And, BVExtract, BVType, Equals, Symbol

from circuits.formula import bus_formula, input_symbols, signal_formulas
from circuits.netlist import ONE, UNUSED, ZERO, Block, Netlist
from prover import telescoping
from prover.obligation import Buses, Claim, Lemmas
from specs import integers


class CompositionError(ValueError):
    """The lemmas would not make up the theorem; the message says why."""


@dataclass(frozen=True)
class Cut:
    """Where a unit's proof is split, and what its spec is on either side.

    Attributes:
        block: name of the block; its ``kind`` gives its meaning M in ``specs.integers``.
        operands: j: from the unit's inputs, what the block's inputs should be.
        rest: T: from the unit's inputs and the block's outputs, the unit's outputs.
    """

    block: str
    operands: Callable[[Buses], Buses]
    rest: Callable[[Buses, Buses], Buses]


def compose(netlist: Netlist, *, cut: Cut, meaning: Callable[[Buses], Buses]) -> Lemmas:
    """The lemmas from which the circuit's equality with its meaning follows.

    Args:
        meaning: S: from the unit's inputs, its outputs.

    Raises:
        CompositionError: if the netlist has no such block, the block cannot be cut, or the spec is
            not composed as the cut says.
    """
    block = _block_to_cut(netlist, cut.block)
    inputs = input_symbols(netlist)
    free = {
        name: Symbol(f"{block.name}.{name}", BVType(len(bus))) for name, bus in block.outputs.items()
    }
    if not {symbol.symbol_name() for symbol in free.values()}.isdisjoint(inputs):
        raise CompositionError(f"an input has the name of an output of block {block.name!r}")
    wanted = cut.operands(inputs)
    _require_composed(block, inputs, free, wanted, cut, meaning)

    signals = signal_formulas(netlist, inputs)
    given = {name: bus_formula(signals, bus) for name, bus in block.inputs.items()}
    operands = Claim(inputs, _equal(given, wanted), actual=given, expected=wanted)

    bits = {
        signal: Equals(BVExtract(free[name], index, index), BV(1, 1))
        for name, bus in block.outputs.items()
        for index, signal in enumerate(bus)
    }
    remaining = signal_formulas(netlist, inputs, replaced=bits)
    actual = {name: bus_formula(remaining, bus) for name, bus in netlist.outputs.items()}
    expected = cut.rest(inputs, free)
    quantified = {symbol.symbol_name(): symbol for symbol in (*inputs.values(), *free.values())}
    rest = Claim(quantified, _equal(actual, expected), actual=actual, expected=expected)

    def check_product() -> None:
        telescoping.check(netlist, block, telescoping.derive(netlist, block))

    return Lemmas({"operands": operands, "rest": rest}, {block.name: check_product})


def _block_to_cut(netlist: Netlist, name: str) -> Block:
    found = [block for block in netlist.blocks if block.name == name]
    if len(found) != 1:
        raise CompositionError(f"the netlist has {len(found)} blocks named {name!r}, not one")
    (block,) = found
    if block.kind != "multiply":
        raise CompositionError(f"block {name!r} is of kind {block.kind!r}; only products are cut")
    outputs = [signal for bus in block.outputs.values() for signal in bus]
    if set(outputs) & {UNUSED, ZERO, ONE} or len(set(outputs)) < len(outputs):
        raise CompositionError(f"block {name!r} has outputs that are constant, unused or the same")
    if any(UNUSED in bus for bus in block.inputs.values()):
        raise CompositionError(f"block {name!r} has inputs that nothing reads")
    return block


def _require_composed(
    block: Block,
    inputs: Buses,
    free: Buses,
    wanted: Buses,
    cut: Cut,
    meaning: Callable[[Buses], Buses],
) -> None:
    """Check that S(x) is T(x, M(j(x))), by substitution into T(x, p)."""
    if set(wanted) != set(block.inputs):
        raise CompositionError(f"block {block.name!r} has inputs {sorted(block.inputs)}")
    computed = integers.BLOCKS[block.kind](wanted)
    substitution = {free[name]: computed[name] for name in free}
    whole, rest = meaning(inputs), cut.rest(inputs, free)
    composed = {name: formula.substitute(substitution) for name, formula in rest.items()}
    if composed != dict(whole):
        raise CompositionError(f"the spec is not composed of a {block.kind} as the cut says")


def _equal(actual: Buses, expected: Buses) -> FNode:
    if set(actual) != set(expected):
        raise CompositionError(f"buses {sorted(actual)} cannot equal buses {sorted(expected)}")
    return And(Equals(actual[name], expected[name]) for name in expected)
