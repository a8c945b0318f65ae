"""Claims that are given with a circuit: that it computes what another does, a formula or a table says.

Such a claim is data, and named by its SHA-256: whoever has its file can state it again. That a table or
a formula is what somebody's function says is not part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, And, BVExtract, Equals, Ite, Or, get_type
from pysmt.smtlib.parser import SmtLibParser

from spikeproof.circuits.doors.gates import LARGEST_INPUT
from spikeproof.circuits.doors.json import parse, read_decoded, require_keys
from spikeproof.circuits.meanings.formula import output_formulas
from spikeproof.circuits.netlist import Netlist, NetlistError
from spikeproof.prover.claims.obligation import (
    BOTH,
    Obligation,
    Reading,
    StatementError,
    equivalence,
    everything,
)
from spikeproof.prover.claims.tables import TABLE_BITS, of_every_input
from spikeproof.specs import symbolic
from spikeproof.specs.conventions import Convention, NanResult
from spikeproof.specs.formats import INTEGERS, AnyFormat, Format, format_named
from spikeproof.specs.integers import Buses

SCHEMA = "spikeproof-claim-1"

FAMILY = "given"
"""How the names of such claims begin."""

MOST_POINTS = 64
"""A table of more inputs is of all."""

NARROW = 16
"""Where no input bus has more bits, two engines are asked."""

Codes = Mapping[str, tuple[int, ...]]
"""For each bus the codes of some inputs, one after another."""


@dataclass(frozen=True)
class Table:
    """What the outputs should be for some inputs, or for all.

    Attributes:
        points: the inputs; None for all, the first bus varying fastest.
        results: the outputs for each, in the same order.
    """

    points: Codes | None
    results: Codes


@dataclass(frozen=True)
class GivenClaim:
    """What a circuit is to compute, as data: one of ``circuit``, ``table`` and ``formula``.

    Attributes:
        title: where it is from, for people.
        inputs, outputs: width of each bus, in order.
        circuit: with these buses.
        formula: definitions of the outputs in SMT-LIB 2, as ``prover.encoding.smtlib`` writes them.
        formats: of buses that have one, by name.
        alike: whether zeros of either sign count as one, and all NaNs.

    Raises:
        StatementError: if it is not one of these, or of other buses than it says.
        ValueError: if there is no format of a name.
    """

    title: str
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    circuit: Netlist | None = None
    table: Table | None = None
    formula: str | None = None
    formats: Mapping[str, str] = field(default_factory=dict)
    alike: bool = False

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.circuit, self.table, self.formula)) != 1:
            raise StatementError(f"{self.title}: a claim is a circuit, a table or a formula")
        if not self.inputs or not self.outputs:
            raise StatementError(f"{self.title}: a claim has inputs and outputs")
        for bus, name in self.formats.items():
            width = {**self.inputs, **self.outputs}.get(bus)
            if named_format(name).width != width:
                raise StatementError(f"{self.title}: {bus} is of {name}, but no bus of its width")
        if not self.title.isprintable():
            raise StatementError("the title of a claim is one line of text")
        if self.circuit and self.widths != (dict(self.circuit.inputs), self.circuit.output_widths):
            raise StatementError(f"{self.title}: the circuit has other buses than the claim says")
        if self.table:
            _require_table(self.title, self.table, *self.widths)

    @property
    def widths(self) -> tuple[dict[str, int], dict[str, int]]:
        """Those of inputs, and of outputs."""
        return dict(self.inputs), dict(self.outputs)

    @cached_property
    def content(self) -> bytes:
        """The claim as a file."""
        data = {
            "schema": SCHEMA,
            "title": self.title,
            "inputs": list(map(list, self.inputs.items())),
            "outputs": list(map(list, self.outputs.items())),
            "formats": dict(sorted(self.formats.items())),
            "alike": self.alike,
        }
        if self.circuit:
            data["circuit"] = self.circuit.serialise()
        if self.table:
            data["table"] = {"points": self.table.points, "results": self.table.results}
        if self.formula is not None:
            data["formula"] = self.formula
        return (json.dumps(data, indent=None, separators=(",", ":")) + "\n").encode()

    @cached_property
    def sha256(self) -> str:
        """Of the file."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def name(self) -> str:
        """What the claim is called where theorems have names."""
        return f"{FAMILY}.{self.sha256[:32]}"

    @property
    def function(self) -> str:
        """What a circuit must compute, in words."""
        digest = f"claim of SHA-256 {self.sha256[:12]}"
        if self.circuit:
            said = f"what {self.title} computes, of SHA-256 {self.circuit.sha256[:12]}"
        elif self.table:
            rows = len(next(iter(self.table.results.values())))
            which = "1 input" if rows == 1 else f"{'' if self.table.points else 'all '}{rows:,} inputs"
            said = f"what {self.title} says of {which}, {digest}"
        else:
            said = f"the formula of {self.title}, {digest}"
        return f"{said}, zeros of either sign and NaNs counting as one" if self.alike else said

    def obligation(self) -> Obligation:
        """The obligation; it is about a circuit that is given with it."""
        narrow = max(self.inputs.values()) <= NARROW
        reading = Reading({n: named_format(fmt) for n, fmt in self.formats.items()}, lambda inputs: {})
        return equivalence(
            self.name,
            self.function,
            lambda: self.circuit or _stand_in(*self.widths),
            self._meaning,
            assumptions=self._assumed,
            observed=self._observed if self.alike else everything,
            engines=BOTH if narrow else ("cadical",),
            reading=reading if self.formats else None,
            parameters={"family": FAMILY, "claim": self.sha256},
            function=self.function,
        )

    def _meaning(self, inputs: Buses) -> Buses:
        if self.circuit:
            return output_formulas(self.circuit, inputs)
        if self.formula is not None:
            return _read_formula(self.title, self.formula, inputs, self.outputs)
        assert self.table
        if self.table.points is None:
            ordered = {name: inputs[name] for name in self.inputs}
            return of_every_input(self.table.results, ordered, self.outputs)
        return _of_points(_conditions(self.table.points, inputs), self.table.results, self.outputs)

    def _assumed(self, inputs: Buses) -> tuple[FNode, ...]:
        """That an input is one of those that the table has."""
        points = self.table.points if self.table else None
        return (Or(_conditions(points, inputs)),) if points else ()

    def _observed(self, inputs: Buses, outputs: Buses) -> Buses:
        return {name: self._alike(name, bus) for name, bus in outputs.items()}

    def _alike(self, name: str, code: FNode) -> FNode:
        fmt = named_format(self.formats[name]) if name in self.formats else None
        if not isinstance(fmt, Format):
            return code
        any_nan = symbolic.observed(fmt, Convention(nan=NanResult.ANY), code)
        if not fmt.has_negative_zero:
            return any_nan
        zero = Equals(BVExtract(code, 0, fmt.magnitude_bits - 1), BV(0, fmt.magnitude_bits))
        return Ite(zero, BV(0, fmt.width), any_nan)


def named_format(name: str) -> AnyFormat:
    """A floating-point or integer format.

    Raises:
        ValueError: if there is none of that name.
    """
    return INTEGERS.get(name) or format_named(name)


# --- what is claimed, as formulas ---------------------------------------------------------------


def _conditions(points: Codes, inputs: Buses) -> list[FNode]:
    """For each point that the input is that."""
    return [
        And(
            Equals(inputs[name], BV(code, inputs[name].bv_width()))
            for name, code in zip(points, codes, strict=True)
        )
        for codes in zip(*points.values(), strict=True)
    ]


def _of_points(conditions: Sequence[FNode], results: Codes, outputs: Mapping[str, int]) -> Buses:
    """The results of the first point that the input is; 0 where it is none."""
    found = {}
    for name, width in outputs.items():
        word = BV(0, width)
        for condition, code in zip(reversed(conditions), reversed(results[name]), strict=True):
            word = Ite(condition, BV(code, width), word)
        found[name] = word
    return found


def _read_formula(title: str, text: str, inputs: Buses, outputs: Mapping[str, int]) -> Buses:
    """The outputs that a script defines."""
    try:
        commands = SmtLibParser().get_script(StringIO(text)).commands
        defined = {str(c.args[0]): c.args[-1] for c in commands if c.name == "define-fun"}
        found = {
            name: next(f for n, f in defined.items() if n.lstrip("$") == f".{name}") for name in outputs
        }
        strange = {s for f in found.values() for s in f.get_free_variables()} - set(inputs.values())
    except StopIteration:
        raise StatementError(f"{title}: the formula cannot be read: an output is missing") from None
    except Exception as error:  # what pySMT raises of nonsense is not documented
        raise StatementError(f"{title}: the formula cannot be read: {error}") from None
    if strange:
        names = ", ".join(sorted(map(str, strange)))
        raise StatementError(
            f"{title}: the formula has symbols that are no inputs: {names}; rename them"
        )
    for name, formula in found.items():
        if not get_type(formula).is_bv_type(outputs[name]):
            raise StatementError(f"{title}: output {name} of the formula has not {outputs[name]} bits")
    return found


def _stand_in(inputs: Mapping[str, int], outputs: Mapping[str, int]) -> Netlist:
    """A circuit of these buses, where the claim has none of its own."""
    return Netlist(inputs=inputs, neurons=(), outputs={n: (0,) * width for n, width in outputs.items()})


def _require_table(
    title: str, table: Table, inputs: Mapping[str, int], outputs: Mapping[str, int]
) -> None:
    """Refuse a table that does not say of each of its inputs what every output is.

    Raises:
        StatementError: saying so.
    """
    if table.points is None:
        rows, possible = 1 << sum(inputs.values()), sum(inputs.values()) <= TABLE_BITS
    else:
        rows = len(next(iter(table.points.values()), ()))
        possible = 0 < rows <= MOST_POINTS and _in_width(table.points, inputs, rows)
    if not possible or not _in_width(table.results, outputs, rows):
        raise StatementError(
            f"{title}: the table is not one of its inputs and outputs, each in its width"
        )


def _in_width(columns: Codes, widths: Mapping[str, int], rows: int) -> bool:
    return set(columns) == set(widths) and all(
        len(codes) == rows and all(type(code) is int and 0 <= code < 1 << widths[name] for code in codes)
        for name, codes in columns.items()
    )


# --- files --------------------------------------------------------------------------------------


def read_claim(path: Path | str) -> GivenClaim:
    """A claim from a file as ``GivenClaim.content`` has it.

    Raises:
        NetlistError: if it cannot be read, or is none; one line that names the file.
    """
    return read_decoded(path, _parsed)


def _parsed(data: Any) -> GivenClaim:
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise NetlistError(f'not a claim: the top level needs "schema": "{SCHEMA}"')
    required = {"schema", "title", "inputs", "outputs", "formats", "alike"}
    require_keys(data, "the claim", required, {"circuit", "table", "formula"})
    if not isinstance(data.get("formula", ""), str):
        raise NetlistError("it is damaged: its formula is not text")
    try:
        return GivenClaim(
            title=data["title"],
            inputs=_widths(data["inputs"]),
            outputs=_widths(data["outputs"]),
            circuit=parse(data["circuit"]) if "circuit" in data else None,
            table=_table(data["table"]) if "table" in data else None,
            formula=data.get("formula"),
            formats=dict(data["formats"]),
            alike=data["alike"] is True,
        )
    except (AttributeError, KeyError, TypeError, ValueError, StatementError) as error:
        raise NetlistError(f"it is damaged: {error}") from None


def _widths(pairs: Any) -> dict[str, int]:
    widths: dict[str, int] = dict(pairs)
    if len(widths) < len(pairs) or not all(
        type(width) is int and 0 < width <= LARGEST_INPUT for width in widths.values()
    ):
        raise NetlistError(
            f"its buses are not pairs of a name, once each, and a width up to {LARGEST_INPUT}"
        )
    return widths


def _table(data: Any) -> Table:
    points = data["points"]
    return Table(None if points is None else _codes(points), _codes(data["results"]))


def _codes(columns: Any) -> Codes:
    return {name: tuple(codes) for name, codes in columns.items()}


def given_claim(name: str, claim: GivenClaim | None) -> Obligation | None:
    """The obligation of a claim, if one was given and is called so."""
    return claim.obligation() if claim and claim.name == name else None
