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

from circuits.formula import bus_formula, output_formulas, signal_formulas
from circuits.netlist import ONE, UNUSED, ZERO, Block, Netlist
from prover import telescoping
from prover.obligation import Claim, Cut
from specs import integers
from specs.integers import Buses


class CompositionError(ValueError):
    """The lemmas would not make up the theorem; the message says why."""


@dataclass(frozen=True)
class Lemmas:
    """What remains to be shown: a claim for the engines each, and the block lemma by algebra.

    ``check_block`` raises ``TelescopingError`` if the block lemma fails.
    """

    operands: Claim
    rest: Claim
    check_block: Callable[[], None]


def compose(netlist: Netlist, cut: Cut, claim: Claim) -> Lemmas:
    """The lemmas from which a claim about a circuit follows.

    Args:
        claim: that the circuit's outputs N(x) are those expected, S(x).

    Raises:
        CompositionError: if the claim is no such equality, the netlist has no such block, the block
            cannot be cut, or the spec is not composed as the cut says.
    """
    inputs = claim.inputs
    if claim.assumptions or not claim.expected or claim.goal != _equal(claim.actual, claim.expected):
        raise CompositionError("the claim is not that outputs equal their spec on all inputs")
    if dict(output_formulas(netlist, inputs)) != dict(claim.actual):
        raise CompositionError("the claim is about another circuit")
    block = _block_to_cut(netlist, cut.block)
    free = {
        name: Symbol(f"{block.name}.{name}", BVType(len(bus))) for name, bus in block.outputs.items()
    }
    if not {symbol.symbol_name() for symbol in free.values()}.isdisjoint(inputs):
        raise CompositionError(f"an input has the name of an output of block {block.name!r}")
    wanted = cut.operands(inputs)
    if {name: bus.bv_width() for name, bus in wanted.items()} != {
        name: len(bus) for name, bus in block.inputs.items()
    }:
        raise CompositionError(f"block {block.name!r} has inputs of other names or widths")
    expected = cut.rest(inputs, free)
    computed = integers.BLOCKS[block.kind](wanted)
    filled_in = {free[name]: computed[name] for name in free}
    if {n: rest.substitute(filled_in) for n, rest in expected.items()} != dict(claim.expected):
        raise CompositionError(f"the spec is not composed of a {block.kind} as the cut says")

    signals = signal_formulas(netlist, inputs)
    given = {name: bus_formula(signals, bus) for name, bus in block.inputs.items()}
    operands = Claim(inputs, _equal(given, wanted), actual=given, expected=wanted)

    bits = {
        signal: Equals(BVExtract(free[name], index, index), BV(1, 1))
        for name, bus in block.outputs.items()
        for index, signal in enumerate(bus)
    }
    actual = output_formulas(netlist, inputs, replaced=bits)
    quantified = {symbol.symbol_name(): symbol for symbol in (*inputs.values(), *free.values())}
    rest = Claim(quantified, _equal(actual, expected), actual=actual, expected=expected)

    def check_block() -> None:
        telescoping.check(netlist, block, telescoping.derive(netlist, block))

    return Lemmas(operands, rest, check_block)


def _block_to_cut(netlist: Netlist, name: str) -> Block:
    found = [block for block in netlist.blocks if block.name == name]
    if len(found) != 1:
        raise CompositionError(f"the netlist has {len(found)} blocks named {name!r}, not one")
    (block,) = found
    if block.kind != "multiply":
        raise CompositionError(f"block {name!r} is of kind {block.kind!r}; only products are cut")
    if set(block.inputs) != {"x", "y"} or set(block.outputs) != {"product"}:
        raise CompositionError(f"block {name!r} has other buses than a multiplier")
    outputs = [signal for bus in block.outputs.values() for signal in bus]
    if set(outputs) & {UNUSED, ZERO, ONE} or len(set(outputs)) < len(outputs):
        raise CompositionError(f"block {name!r} has outputs that are constant, unused or the same")
    if any(UNUSED in bus for bus in block.inputs.values()):
        raise CompositionError(f"block {name!r} has inputs that nothing reads")
    return block


def _equal(actual: Buses, expected: Buses) -> FNode:
    if set(actual) != set(expected):
        raise CompositionError(f"buses {sorted(actual)} cannot equal buses {sorted(expected)}")
    return And(Equals(actual[name], expected[name]) for name in expected)
