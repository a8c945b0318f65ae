"""When a program of units computes what the spec's program says: both are one graph.

Terms are numbered: each input, each constant, each result of an operation on numbered operands. Two have
one number only if they are built alike, and then they have the same value whatever the inputs are, since
a result is a function of operands in their order. A unit counts as the operation that its theorem says
it computes; no law of arithmetic is used. Programs whose outputs have the same numbers are equal.

A module of the circuit that has a module of the same name in the spec is compared with that by itself,
what is called first first. Once two are equal, their calls are terms like any other: one function of the
elements of all operands, at each place of the axes over which it is called. All other calls are looked
into. Whole arrays are numbered first, which takes no elements. Only where this does not do, elements
are, by the very function that says what programs mean (``specs.programs.evaluate``). This is trusted.

The argument is proved in Coq: ``proofs/mechanised/congruence.v``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from math import prod
from typing import Any

import numpy as np

from spikeproof.specs.programs import Call, Codes, Each, Meaning, Module, Shape, Step, evaluate

MOST_ELEMENTS = 1 << 22
"""So many elements, of all arrays of a module together, are numbered one by one."""


class CongruenceError(ValueError):
    """Programs that are not shown to be one graph; one line."""


def paired(spec: Module, circuit: Module, operations: Mapping[str, str]) -> dict[str, str]:
    """The modules of a circuit, by digest, that are equal to modules of a spec; the whole is the last.

    Args:
        operations: for each unit of the circuit the operation of the spec that it computes.

    Raises:
        CongruenceError: if they are not shown to be equal, naming where they differ.
    """
    ours, theirs = ({each.digest: each for each in (*top.modules, top)} for top in (spec, circuit))
    named = {module.name: module for module in ours.values()}
    if len(named) < len(ours):
        raise CongruenceError(f"two modules of {spec.name} have one name")
    for unit in {name for each in theirs.values() for name in each.operations} - operations.keys():
        raise CongruenceError(f"no theorem says what {unit} computes")
    pairs: dict[str, str] = {}
    for module in theirs.values():
        partner = spec if module is circuit else named.get(module.name)
        if partner is not None:
            _require_equal(partner, module, operations, pairs)
            pairs[module.digest] = partner.digest
    return pairs


def _require_equal(
    spec: Module, circuit: Module, operations: Mapping[str, str], pairs: Mapping[str, str]
) -> None:
    """Refuse a module of which the spec's is not shown to be equal, given those that it calls."""
    if list(spec.inputs.items()) != list(circuit.inputs.items()):
        raise CongruenceError(f"{circuit.name} has other inputs than its spec")
    if list(spec.results.items()) != list(circuit.results.items()):
        raise CongruenceError(f"{circuit.name} has other outputs than its spec")
    terms: dict[Hashable, int] = {}
    own = {name: name for each in (*spec.modules, spec) for name in each.operations}
    ours = _Numbering(terms, own, {digest: digest for digest in pairs.values()})
    theirs = _Numbering(terms, operations, pairs)
    if ours.of_arrays(spec) == theirs.of_arrays(circuit):
        return
    wanted, known = ours.of(spec), len(terms)
    for name, one, other in zip(spec.outputs, wanted, theirs.of(circuit), strict=True):
        if len(places := np.flatnonzero(one != other)):
            words = _in_words(next(islice(terms, known, None), None), spec)
            raise CongruenceError(
                f"{circuit.name} computes {name}[{places[0]}] otherwise than its spec: {words}"
            )


def _in_words(first: Any, spec: Module) -> str:
    """What a circuit does first that its spec does not, of which the operands are what the spec has."""
    match first:
        case "operation", (operation, _), _:
            return f"its spec has no {operation} of such operands"
        case "call", digest, _:
            (called,) = (each.name for each in spec.modules if each.digest == digest)
            return f"its spec has no {called} of such operands"
        case "constant", code:
            return f"its spec has no constant {code:#x}"
    return "its spec has the same operations, but this result elsewhere"


class _Numbering(Meaning):
    """The numbers of one program's terms, in a table that it shares; a word for its kind begins each."""

    def __init__(
        self, terms: dict[Hashable, int], operations: Mapping[str, str], pairs: Mapping[str, str]
    ) -> None:
        self.terms, self.operations, self.pairs = terms, operations, pairs

    def of_arrays(self, module: Module) -> list[int]:
        """The numbers of outputs, each as a whole."""
        inputs = self._numbers(("input array", place) for place in range(len(module.inputs)))
        return self._outputs(module, inputs, ())

    def _outputs(self, module: Module, inputs: Sequence[int], over: Shape) -> list[int]:
        numbers = [*inputs]
        for step, made in zip(module.steps, module.made, strict=True):
            operands = tuple(numbers[operand] for operand in step.operands)
            if isinstance(step, Call) and step.module.digest not in self.pairs:
                numbers += self._outputs(step.module, operands, over + step.over)
            else:
                term = "array", self._kind(step), over, operands
                numbers += self._numbers((*term, place) for place in range(len(made)))
        return [numbers[place] for place in module.outputs.values()]

    def _kind(self, step: Step) -> Hashable:
        """What tells a step from others on the same operands."""
        if isinstance(step, Call):
            return self.pairs[step.module.digest], step.over
        if isinstance(step, Each):
            step = replace(step, operation=self.operations[step.operation])
        return replace(step, operands=())  # type: ignore[arg-type]

    def of(self, module: Module) -> list[Codes]:
        """The numbers of the elements of each output, in a row."""
        _require_few(module, ())
        inputs = [
            self._array(array.shape, (("input", place, k) for k in range(prod(array.shape))))
            for place, array in enumerate(module.inputs.values())
        ]
        return [made.ravel() for made in evaluate(module, inputs, self)]

    def each(self, step: Each, operands: Sequence[Codes]) -> Codes:
        name = self.operations[step.operation], step.kind
        rows = zip(*(operand.ravel().tolist() for operand in operands), strict=True)
        return self._array(operands[0].shape, (("operation", name, row) for row in rows))

    def constant(self, codes: Codes) -> Codes:
        return self._array(codes.shape, (("constant", code) for code in codes.ravel().tolist()))

    def call(self, step: Call, operands: Sequence[Codes], over: Shape) -> Sequence[Codes]:
        called, axes = step.module, over + step.over
        if called.digest not in self.pairs:
            _require_few(called, axes)
            return super().call(step, operands, over)
        rows = np.concatenate([each.reshape(prod(axes), -1) for each in operands], axis=1)
        calls = self._numbers(("call", self.pairs[called.digest], row.tobytes()) for row in rows)
        return [
            self._array(axes + made.shape, product(["made"], [output], calls, range(prod(made.shape))))
            for output, made in enumerate(called.results.values())
        ]

    def _numbers(self, terms: Iterable[Hashable]) -> list[int]:
        return [self.terms.setdefault(term, len(self.terms)) for term in terms]

    def _array(self, shape: Shape, terms: Iterable[Hashable]) -> Codes:
        return np.array(self._numbers(terms), dtype=np.int64).reshape(shape)


def _require_few(module: Module, over: Shape) -> None:
    if (count := prod(over) * sum(prod(array.shape) for array in module.arrays)) > MOST_ELEMENTS:
        limit = f"more than the {MOST_ELEMENTS:,} that are compared one by one"
        raise CongruenceError(
            f"{module.name} differs in whole arrays; it has {count:,} elements, {limit}"
        )
