"""What was found of a function's order, as one thing: to be kept, read again, and built upon."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.running.accumulations import Accumulation, Scaling
from spikeproof.prover.running.callables import version_of
from spikeproof.prover.running.orders import Finding, find, find_apart, finding_of
from spikeproof.prover.running.summing import FORMATS, OPERATIONS, Asked, meant
from spikeproof.specs.formats import FP32, Format
from spikeproof.specs.orders import Order

SCHEMA = "spikeproof-order-1"

TESTED = 10_000
"""Results that are tested unless more, or fewer, are asked for."""


@dataclass(frozen=True)
class RevealedOrder:
    """How a function of a library computes each of its results, as it was found and tested.

    What a circuit needs to compute the same is in ``order``, ``products``, ``fused``, ``bias``,
    ``operand``, ``accumulator``, ``result``, ``from_zero``, ``wide``, ``scaling`` and ``flushes``: the
    terms are the products of operands (or the operands) in their succession, then the bias; a term in
    ``fused`` is added by a fused multiply-add, every other product is rounded to ``accumulator`` first;
    sums are rounded to ``accumulator`` (those of the places ``wide`` to FP64), all to nearest even; the
    last is rounded to ``result``. These are refused where the results of one call have several orders:
    ``finding.found`` has all.

    Attributes:
        asked: of which function, and for which shape, format and number of threads.
        finding: what was found, on which machine, and what testing it came to.
    """

    asked: Asked
    finding: Finding

    @property
    def way(self) -> Accumulation:
        """How each result is computed.

        Raises:
            StatementError: if results are computed in several ways.
        """
        if len(self.finding.found) != 1:
            raise StatementError(
                f"the results of {self.asked.name} are summed in {len(self.finding.found)} orders"
            )
        return self.finding.found[0].way

    @property
    def order(self) -> Order:
        """The tree over the terms, of which the bias, if there is one, is the last."""
        return self.way.order

    @property
    def products(self) -> int:
        """How many terms are products: the first ones; none, or all but the bias."""
        return self.order.terms - self.asked.bias if OPERATIONS[self.asked.operation].products else 0

    @property
    def fused(self) -> frozenset[int]:
        """The terms whose products are added without being rounded first."""
        return self.way.fused

    @property
    def bias(self) -> int | None:
        """Which term is the bias."""
        return self.order.terms - 1 if self.asked.bias else None

    @property
    def operand(self) -> Format:
        """Of the arguments."""
        return self.asked.fmt

    @property
    def accumulator(self) -> Format:
        """To which products that are not fused, and sums, are rounded."""
        return self.way.accumulator

    @property
    def result(self) -> Format:
        """Of the results."""
        return self.finding.result_format

    @property
    def from_zero(self) -> bool:
        """Whether sums begin with +0, so that none is -0."""
        return self.way.from_zero

    @property
    def wide(self) -> frozenset[int]:
        """The places whose sums are kept in FP64 instead."""
        return self.way.wide

    @property
    def scaling(self) -> Scaling:
        """How a sum becomes a mean."""
        return self.way.scaling

    @property
    def flushes(self) -> bool:
        """Whether subnormal factors, products and sums are zeros."""
        return self.way.flushes

    @property
    def holds(self) -> bool:
        """Whether no tested result differed from what was found."""
        return not self.finding.differing.total()

    def as_data(self) -> dict[str, Any]:
        """What JSON has."""
        return {
            "schema": SCHEMA,
            "function": self.asked.name,
            "version": version_of(self.asked.name),
            "operation": self.asked.operation,
            "shape": list(self.asked.shape),
            "axis": self.asked.axis,
            "bias": self.asked.bias,
            "format": self.asked.fmt.name,
            "tensors": self.asked.tensors,
            **self.finding.as_data(),
        }

    def to_json(self) -> str:
        """The record, as ``spikeproof order --json`` writes it but for the words."""
        return json.dumps(self.as_data(), indent=1) + "\n"

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> RevealedOrder:
        """What was written as data.

        Raises:
            ValueError: if it is no such record.
        """
        if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
            raise ValueError(f"this is no record of an order: its schema is not {SCHEMA!r}")
        try:
            finding = finding_of(dict(data))
            asked = Asked(
                data["function"],
                data["operation"],
                tuple(data["shape"]),
                FORMATS[data["format"]],
                data["axis"],
                data["bias"],
                data["tensors"],
                data["device"].partition(": ")[0],
                data["threads"],
            )
            return cls(asked, finding)
        except (KeyError, TypeError) as error:
            raise ValueError(f"this record of an order is damaged: {error!r}") from None

    @classmethod
    def from_json(cls, source: Path | str) -> RevealedOrder:
        """What a file has that ``spikeproof order --json`` or ``to_json`` wrote; or that text itself.

        Raises:
            ValueError: if it is no such record.
        """
        text = source if isinstance(source, str) and source.lstrip().startswith("{") else None
        return cls.from_data(json.loads(Path(source).read_text() if text is None else text))


def revealed_order(
    function: Callable[..., Any] | str,
    shape: tuple[int, ...],
    *,
    operation: str | None = None,
    fmt: Format = FP32,
    axis: int | None = None,
    bias: bool = False,
    tensors: bool | None = None,
    device: str = "cpu",
    threads: int | None = None,
    results: int = TESTED,
) -> RevealedOrder:
    """Reveal in which order a function sums, and test it; as ``spikeproof order`` does.

    Args:
        function: by its dotted name, or as ``file.py:name``: then it is run in a process of its own. A
            function itself is run in this.
        shape: of the argument; what sizes it has for other operations is in docs/order.md.
        operation: what it computes, if its name does not say so.
        fmt: of the arguments.
        axis: along which is summed.
        bias: whether it gets one.
        tensors: whether it gets tensors; if unsaid, functions of PyTorch do.
        device: of PyTorch's, on which it runs.
        threads: how many it may use.
        results: so many are tested at least.

    Raises:
        StatementError: if the function cannot be asked, or has no order; one line.
        ForeignCodeError: the same, of a function in a process of its own.
    """
    named = isinstance(function, str)
    name = function if isinstance(function, str) else _name(function)
    if tensors is None:
        tensors = name.partition(".")[0] == "torch"
    asked = Asked(name, meant(name, operation), shape, fmt, axis, bias, tensors, device, threads)
    if named:
        return revealed_apart(asked, results)
    assert callable(function)
    return _revealed(asked, find(asked, results, function))


def revealed_apart(asked: Asked, results: int = TESTED) -> RevealedOrder:
    """The same of a named function, which is run in a process of its own.

    Raises:
        ForeignCodeError: if the function cannot be asked, has no order, or does not end; one line.
    """
    return _revealed(asked, find_apart(asked, results))


def _revealed(asked: Asked, finding: Finding) -> RevealedOrder:
    """With the number of threads that there were, where it is known."""
    return RevealedOrder(replace(asked, threads=finding.machine.threads), finding)


def _name(function: Callable[..., Any]) -> str:
    """What it is called; its operation is told by that, and whether it gets tensors."""
    module = getattr(function, "__module__", None) or type(function).__module__
    return f"{module}.{getattr(function, '__name__', type(function).__name__)}"
