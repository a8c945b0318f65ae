"""What a refutation looks like to a person: inputs, both outputs, and where the datapath departs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from fractions import Fraction

from pysmt.exceptions import PysmtException
from pysmt.shortcuts import BV

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import UNUSED, Block, Bus, Netlist
from spikeproof.prover.claims.obligation import Obligation
from spikeproof.prover.refutation.signalling import RAISED, has_flags, raised
from spikeproof.specs import exact, integers
from spikeproof.specs.formats import AnyFormat, Format, Integer, Packed, ScaleFormat

SHOWN_DEPARTURES = 3
"""How many departing signals are worth a reader's time: the first is the one that matters."""


def explain(
    obligation: Obligation,
    netlist: Netlist | None,
    inputs: Mapping[str, int],
    expected: Mapping[str, int],
    agrees: bool = False,
) -> str:
    """The counterexample as text.

    Args:
        inputs: the values of the input buses.
        expected: the values that the output buses should have.
        agrees: whether it is none: the circuit's outputs are those, or others that are as good.
    """
    if netlist is None:
        lines = [f"  {name} = {value} ({value:#x})" for name, value in inputs.items()]
        return "\n".join(["the claim does not hold for", *lines])
    title = f"the circuit {'agrees with' if agrees else 'differs from'} its spec:"
    return compared(obligation, netlist, inputs, {"spec": expected}, title)


def compared(
    obligation: Obligation,
    netlist: Netlist,
    inputs: Mapping[str, int],
    others: Mapping[str, Mapping[str, int]],
    title: str,
) -> str:
    """What a circuit and others make of an input, and where the circuit departs from the spec.

    Args:
        inputs: the values of the input buses.
        others: the values that others give to the output buses, by who they are.
        title: what is said of that.
    """
    signals = boolean.evaluate_signals(netlist, boolean.one_input(inputs))
    reader = _Reader.of(obligation, netlist)
    rows = [
        ("input " + name, reader.described(name, value, netlist.inputs[name]))
        for name, value in inputs.items()
    ]
    for name in next(iter(others.values())):
        bus = netlist.outputs[name]
        shown = {"circuit": _value(signals, bus), **{side: each[name] for side, each in others.items()}}
        for side, value in shown.items():
            rows.append((f"{name}, {side}", reader.described(name, value, len(bus))))
    width = max(len(label) for label, _ in rows)
    text = [title]
    text += [f"  {label:<{width}}  {description}" for label, description in rows]
    text += _section(
        "first signals along the datapath that depart from what the spec implies:",
        _departing_probes(obligation, netlist, signals, inputs, reader),
    )
    text += _section(
        "first blocks whose outputs are not the function of their inputs that they should be:",
        _departing_blocks(netlist, signals),
    )
    return "\n".join(text)


def _section(title: str, lines: Iterator[str]) -> list[str]:
    shown = [line for line, _ in zip(lines, range(SHOWN_DEPARTURES), strict=False)]
    return [title, *("  " + line for line in shown)] if shown else []


def _value(signals: boolean.Bits, bus: Bus) -> int:
    return int(boolean.bus_words(signals, bus)[0])


@dataclass(frozen=True)
class _Reader:
    """How the buses of a theorem's circuit are read: by their formats, flags by their names."""

    formats: Mapping[str, AnyFormat]
    flags: bool

    @classmethod
    def of(cls, obligation: Obligation, netlist: Netlist) -> _Reader:
        widths = netlist.output_widths
        formats = obligation.reading.formats if obligation.reading else {}
        return cls(formats, has_flags(obligation, widths))

    def described(self, name: str, value: int, width: int) -> str:
        """A bus value as bits and meaning."""
        raises = self.flags and name == RAISED
        return (
            self.plain(name, value, width) if raises else _describe(value, width, self.formats.get(name))
        )

    def plain(self, name: str, value: int, width: int) -> str:
        """A value as bits, and as a number, signed if it is; or as the flags that it raises."""
        fmt = self.formats.get(name)
        if self.flags and name == RAISED:
            return f"{value:0{width}b} = {raised(value)}"
        return _describe(value, width, fmt if isinstance(fmt, Integer) else None)


def _describe(value: int, width: int, fmt: AnyFormat | None) -> str:
    """A bus value as bits and number; a floating-point code as its fields, class and value.

    Of several codes in a word each, the first one first.
    """
    if isinstance(fmt, Packed):
        size = fmt.element.width
        codes = (value >> size * place & (1 << size) - 1 for place in range(fmt.count))
        return "; ".join(_describe(code, size, fmt.element) for code in codes)
    if isinstance(fmt, ScaleFormat):
        return f"{value:0{width}b} = {'NaN' if value == fmt.nan else f'2^{value - fmt.bias}'}"
    if not isinstance(fmt, Format):
        number = exact.decode_integer(fmt, value).signed if fmt else value
        return f"{value:0{width}b} = {number}"
    sign, exponent, fraction = exact.fields(fmt, value)
    bits = f"{sign} {exponent:0{fmt.exponent_bits}b} {fraction:0{fmt.fraction_bits}b}"
    code = f"{value:#0{2 + (width + 3) // 4}x}"
    return f"{bits} ({code})  {exact.classify(fmt, value)}  {decimal_value(fmt, value)}"


def decimal_value(fmt: Format, code: int) -> str:
    """The value of a code in decimal: exact where 17 digits suffice, else marked with a tilde."""
    value = exact.decode(fmt, code)
    sign = "-" if value.sign else ""
    if value.kind is not exact.Kind.FINITE:
        return "NaN" if value.kind is exact.Kind.NAN else f"{sign}infinity"
    return sign + _decimal(value.rational)


def _decimal(magnitude: Fraction) -> str:
    context = Context(prec=17)
    quotient = context.divide(Decimal(magnitude.numerator), Decimal(magnitude.denominator))
    approximate = "~" if context.flags[Inexact] else ""
    return f"{approximate}{quotient.normalize():g}"


def _departing_probes(
    obligation: Obligation,
    netlist: Netlist,
    signals: boolean.Bits,
    inputs: Mapping[str, int],
    reader: _Reader,
) -> Iterator[str]:
    if obligation.reading is None:
        return
    for name, implied in obligation.reading.trace(inputs).items():
        bus = netlist.probes.get(name, ())
        live = sum(1 << index for index, signal in enumerate(bus) if signal != UNUSED)
        shown = _value(signals, bus) if bus else 0
        if shown & live != implied & live:
            circuit, spec = (reader.plain(name, value, len(bus)) for value in (shown, implied))
            yield f"{name}: circuit {circuit}, spec {spec}"


def _departing_blocks(netlist: Netlist, signals: boolean.Bits) -> Iterator[str]:
    for block in netlist.blocks:
        inputs = {name: _value(signals, bus) for name, bus in block.inputs.items()}
        if block.kind == "normalise" and inputs.get("x") == 0:
            continue  # its meaning is stated for x other than 0
        try:
            meant = _block_outputs(block, inputs)
        except (KeyError, ValueError, PysmtException):
            yield f"{block.name} has buses that do not suit its kind, {block.kind!r}"
            continue
        for name, wanted in meant.items():
            bus = block.outputs.get(name, ())
            live = sum(1 << index for index, signal in enumerate(bus) if signal != UNUSED)
            shown = _value(signals, bus) if bus else 0
            if shown & live != wanted & live:
                given = ", ".join(f"{n} = {v}" for n, v in inputs.items())
                yield f"{block.name} ({block.kind}), {given}: {name} is {shown}, should be {wanted}"


def _block_outputs(block: Block, inputs: Mapping[str, int]) -> dict[str, int]:
    """What a block's meaning in ``specs.integers`` gives for these input values."""
    buses = {name: BV(value, len(block.inputs[name])) for name, value in inputs.items()}
    meaning = integers.BLOCKS[block.kind](buses)
    return {name: int(formula.simplify().constant_value()) for name, formula in meaning.items()}
