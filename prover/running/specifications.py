"""What a circuit is to compute, as a function of a user's, of exact values, bits, or formulas."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from typing import Any, Literal, TypeGuard

from spikeproof.circuits.doors.apart import ForeignCodeError, described, loaded
from spikeproof.circuits.doors.json import parse
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.given import named_format
from spikeproof.prover.claims.obligation import equivalence
from spikeproof.prover.encoding.smtlib import definitions
from spikeproof.specs import exact
from spikeproof.specs.formats import AnyFormat, Format, Integer, OverflowPolicy, RoundingMode

Kind = Literal["values", "bits", "formula"]

Bus = str | int
"""A format's name, or a width in bits."""

Number = int | Fraction | float
"""An exact number; or an infinity or NaN, which alone are floats."""

RESULT = "result"
"""What an output is called that has no name."""


@dataclass(frozen=True)
class Specification:
    """A function with what it is a function of; called, it is that function.

    Attributes:
        kind: whether it is of exact values, of codes as integers, or of formulas of pySMT.
        inputs, outputs: of each bus, in order, the width in bits; of values the format's name.
        rounding, policy: how a value becomes a code of a floating-point format.
    """

    function: Callable[..., Any]
    kind: Kind
    inputs: Mapping[str, Bus]
    outputs: Mapping[str, Bus]
    rounding: RoundingMode = RoundingMode.NEAREST_EVEN
    policy: OverflowPolicy | None = None

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """What the function gives."""
        return self.function(*arguments, **named)

    @property
    def formats(self) -> dict[str, str]:
        """The formats of buses that have one."""
        buses = {**self.inputs, **self.outputs}
        return {name: bus for name, bus in buses.items() if isinstance(bus, str)}

    def codes(self, inputs: Sequence[int]) -> list[int]:
        """The output codes, in order, for some input codes.

        Raises:
            ForeignCodeError: if the function raises, or gives something else; naming the input.
        """
        given = dict(zip(self.inputs, inputs, strict=True))
        shown = ", ".join(f"{name} = {code:#x}" for name, code in given.items())
        of_values = self.kind == "values"
        arguments = {n: _value(self.inputs[n], c) if of_values else c for n, c in given.items()}
        try:
            found = self.function(**arguments)
        except Exception as error:
            raise ForeignCodeError(f"for {shown} {described(error)}") from None
        if not isinstance(found, Mapping):
            found = dict.fromkeys(self.outputs, found) if len(self.outputs) == 1 else {}
        if set(found) != set(self.outputs):
            wanted = ", ".join(self.outputs)
            raise ForeignCodeError(f"for {shown} it gives no mapping of its outputs, {wanted}")
        try:
            return [self._code(name, found[name]) for name in self.outputs]
        except ValueError as error:
            raise ForeignCodeError(f"for {shown} {error}") from None

    def _code(self, name: str, value: object) -> int:
        bus = self.outputs[name]
        if isinstance(bus, int):
            return _bits(name, value, bus)
        return _rounded(name, value, named_format(bus), self.rounding, self.policy)


def specification(
    *,
    values: Mapping[str, str] | None = None,
    bits: Mapping[str, int] | None = None,
    formula: Mapping[str, int] | None = None,
    result: Bus | Mapping[str, Bus],
    mode: str = "rne",
    policy: str | None = None,
) -> Callable[[Callable[..., Any]], Specification]:
    """Declare what a function is that says what a circuit should compute; one of three kinds.

    It takes each input bus by its name, and gives a mapping of outputs, or the one output.

    Args:
        values: the format of each input: the function is given exact numbers, a ``Fraction``, or
            ``math.inf``, ``-math.inf``, ``math.nan``, and gives such; they are then rounded. It does not
            see the sign of zero: zeros of either sign count as one, and all NaNs.
        bits: the width of each input: it is given codes as unsigned integers, and gives such.
        formula: the width of each input: it is given bit-vectors of pySMT, and gives such.
        result: of the output, called ``result``, or of each by name: the format, or the width.
        mode, policy: how values are rounded, as theorems' names have it: ``rne``, ``saturate``.

    Raises:
        ValueError: if that is not possible; one line.
    """
    kinds: dict[Kind, Mapping[str, Bus] | None] = {"values": values, "bits": bits, "formula": formula}
    said = {kind: buses for kind, buses in kinds.items() if buses is not None}
    if len(said) != 1:
        raise ValueError("say one of values, bits and formula: what the function is given")
    ((kind, inputs),) = said.items()
    outputs = result if isinstance(result, Mapping) else {RESULT: result}
    for name, bus in (*inputs.items(), *outputs.items()):
        _require_bus(kind, name, bus)
    rounding = RoundingMode(mode) if mode in {each.value for each in RoundingMode} else None
    if rounding is None:
        raise ValueError(
            f"there is no mode {mode!r}; modes are {', '.join(m.value for m in RoundingMode)}"
        )
    chosen = _policy(policy, outputs) if kind == "values" else None
    return lambda function: Specification(function, kind, dict(inputs), dict(outputs), rounding, chosen)


def _require_bus(kind: Kind, name: str, bus: Bus) -> None:
    if kind == "values":
        if not isinstance(bus, str):
            raise ValueError(f"{name} is {bus!r}; of values say the format, such as 'fp16'")
        named_format(bus)
    elif type(bus) is not int or bus < 1:
        raise ValueError(f"{name} is {bus!r}; of {kind} say how many bits it has")


def _policy(name: str | None, outputs: Mapping[str, Bus]) -> OverflowPolicy | None:
    if name is None:
        return None
    if name not in {each.value for each in OverflowPolicy}:
        known = ", ".join(each.value for each in OverflowPolicy)
        raise ValueError(f"there is no policy {name!r}; policies are {known}")
    for bus in outputs.values():
        if isinstance(fmt := named_format(str(bus)), Format):
            fmt.require_policy(OverflowPolicy(name))
    return OverflowPolicy(name)


# --- values and codes ---------------------------------------------------------------------------


def _value(bus: Bus, code: int) -> Number:
    """The number that a code stands for."""
    fmt = named_format(str(bus))
    if isinstance(fmt, Integer):
        return int(exact.decode_integer(fmt, code).signed)
    assert isinstance(fmt, Format)
    value = exact.decode(fmt, code)
    if value.kind is exact.Kind.NAN:
        return math.nan
    if value.kind is exact.Kind.INFINITE:
        return -math.inf if value.sign else math.inf
    return value.signed


def _rounded(
    name: str, value: object, fmt: AnyFormat, mode: RoundingMode, policy: OverflowPolicy | None
) -> int:
    """The code of a value.

    Raises:
        ValueError: if it is none, or an integer that is not in the format.
    """
    if not _is_number(value):
        raise ValueError(
            f"{name} is {value!r}; give an int or a Fraction, which are exact, or math.inf or math.nan"
        )
    if isinstance(fmt, Integer):
        if value not in range(fmt.minimum, fmt.maximum + 1):
            raise ValueError(f"{name} is {value}, which is no {fmt.name}")
        return int(value) % (1 << fmt.width)
    assert isinstance(fmt, Format)
    return exact.round_to(fmt, mode, policy or fmt.policies[0], _exact(value))


def _is_number(value: object) -> TypeGuard[Number]:
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


def _exact(number: Number) -> exact.Value:
    """A number as the spec of record has it."""
    if isinstance(number, float):
        if math.isnan(number):
            return exact.NAN
        return exact.Value(exact.Kind.INFINITE, int(number < 0))
    return exact.Value(exact.Kind.FINITE, int(number < 0), abs(Fraction(number)))


def _bits(name: str, value: object, width: int) -> int:
    try:
        code = value.__index__()  # type: ignore[attr-defined]
    except (AttributeError, TypeError):
        raise ValueError(f"{name} is {value!r}; give an int") from None
    if not 0 <= code < 1 << width:
        raise ValueError(
            f"{name} is {code}, which does not fit {width} bits; cut it with & {(1 << width) - 1:#x}"
        )
    return int(code)


# --- asked, here or in another process ----------------------------------------------------------

AGAIN = 64
"""So many inputs are asked about twice: a function that draws at random says nothing."""


def answered(request: dict[str, Any]) -> Any:
    """What is asked of a user's function, which is loaded for it. Not in our process."""
    found = loaded(request["function"])
    if not isinstance(found, Specification):
        raise ForeignCodeError(
            f"it is of type {type(found).__name__}, and does not say what it is given; put "
            "@spikeproof.specification(values=..., bits=... or formula=..., result=...) before it"
        )
    return asked(found, request)


def asked(spec: Specification, request: dict[str, Any]) -> Any:
    """What is asked of a function: its declaration, results for some inputs, or its formula."""
    return _QUESTIONS[request["question"]](spec, request)


def _declaration(spec: Specification, request: dict[str, Any]) -> dict[str, Any]:
    widths = (
        {name: named_format(bus).width if isinstance(bus, str) else bus for name, bus in buses.items()}
        for buses in (spec.inputs, spec.outputs)
    )
    return {
        "kind": spec.kind,
        "formats": spec.formats,
        "widths": [list(each.items()) for each in widths],
    }


def _results(spec: Specification, request: dict[str, Any]) -> list[list[int]]:
    """For each output the codes; of the first inputs alone, ``AGAIN`` at least, if time is over then."""
    until = time.monotonic() + request["seconds"]
    points = list(zip(*(request["points"][name] for name in spec.inputs), strict=True))
    results = [spec.codes(point) for point in points[:AGAIN]]
    rest = takewhile(lambda _: time.monotonic() < until, points[AGAIN:])
    results += [spec.codes(point) for point in rest]
    if [spec.codes(p) for p, _ in zip(points[:AGAIN], results, strict=False)] != results[:AGAIN]:
        raise ForeignCodeError("it does not give the same every time; let it draw nothing at random")
    return [list(column) for column in zip(*results, strict=True)]


def _formula(spec: Specification, request: dict[str, Any]) -> str:
    """What it makes of the inputs of a circuit, whose buses are its own, as definitions."""
    circuit = parse(request["circuit"])
    name = getattr(spec.function, "__name__", "spec")
    with passing_formulas():
        claim = equivalence(name, name, lambda: circuit, spec.function).state(circuit)
        return definitions(claim.expected)


_QUESTIONS: Mapping[str, Callable[[Specification, dict[str, Any]], Any]] = {
    "declaration": _declaration,
    "results": _results,
    "formula": _formula,
}
