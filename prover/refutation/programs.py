"""Inputs on which a program of units and its spec differ, as neurons and the spec of record say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from textwrap import wrap

import numpy as np

from spikeproof.circuits.programs.counting import instances
from spikeproof.circuits.programs.units import width_of
from spikeproof.prover.claims.programs import InNeurons, OfRecord, ProgramClaim, joined
from spikeproof.prover.evidence.record import SEED
from spikeproof.prover.refutation.counterexample import decimal_value
from spikeproof.prover.refutation.drawing import landmarks
from spikeproof.specs.formats import Format, format_named
from spikeproof.specs.programs import Array, Codes, evaluate

ROUNDS, AT_ONCE = 32, 64
"""Inputs are drawn so often, so many at once."""

MOST_OPERATIONS = 1 << 10
"""Of programs that do more operations no inputs are drawn."""

MOST_SHOWN = 16
"""Of each array so many elements are shown."""

COLUMNS = 80
"""Of lines that show them."""

NO_BREAK = "\N{NO-BREAK SPACE}"


def differing(claim: ProgramClaim) -> dict[str, int] | None:
    """An input on which circuit and spec differ, the simplest near one that is drawn; None of none."""
    if max(instances(each).total() for each in (claim.spec, claim.circuit)) > MOST_OPERATIONS:
        return None
    random = np.random.default_rng(SEED)
    for _ in range(ROUNDS):
        arrays = [_drawn(array, random) for array in claim.spec.inputs.values()]
        for place in np.flatnonzero(_differ(claim, arrays))[:1]:
            simplest = _simplified(claim, [array[place] for array in arrays])
            kinds = (width_of(array.kind) for array in claim.spec.inputs.values())
            codes = map(joined, simplest, kinds)
            return dict(zip(claim.spec.inputs, codes, strict=True))
    return None


def _differ(claim: ProgramClaim, arrays: Sequence[Codes]) -> Codes:
    """On which of some inputs, which lie along a first axis, any output differs."""
    count = len(arrays[0])
    made = (
        evaluate(program, arrays, meaning, (count,))
        for program, meaning in ((claim.circuit, InNeurons()), (claim.spec, OfRecord()))
    )
    unequal = [(one != other).reshape(count, -1) for one, other in zip(*made, strict=True)]
    return np.asarray(np.concatenate(unequal, axis=1).any(axis=1))


def _drawn(array: Array, random: np.random.Generator) -> Codes:
    """Arrays of codes: numbers near each other or not, some with their negatives, some landmarks."""
    shape = AT_ONCE, prod(array.shape)
    fmt = _format(array.kind)
    if fmt is None:
        drawn = random.integers(0, 1 << width_of(array.kind), shape, dtype=np.uint64)
        return drawn.reshape(AT_ONCE, *array.shape)
    top, last = (1 << fmt.exponent_bits) - 1, (1 << fmt.fraction_bits) - 1
    reach = random.choice([0, 2, fmt.precision + 1], (AT_ONCE, 1))
    field = (fmt.bias + random.integers(-reach, reach + 1, shape)).clip(0, top - 1)
    fraction = random.integers(0, last + 1, shape) & random.choice([last, last >> 1 ^ last, 0], shape)
    sign = random.integers(0, 2, shape)
    codes = ((sign << fmt.exponent_bits | field) << fmt.fraction_bits | fraction).astype(np.uint64)
    half = shape[1] // 2
    negated = random.permuted(codes[:, :half], axis=1) ^ np.uint64(fmt.sign_mask)
    cancelling = random.integers(0, 2, (AT_ONCE, 1)) == 0
    codes[:, half : 2 * half] = np.where(cancelling, negated, codes[:, half : 2 * half])
    special = random.choice(np.array(landmarks(fmt), np.uint64), shape)
    codes = np.where(random.random(shape) < random.choice([0, 0, 0.2], (AT_ONCE, 1)), special, codes)
    return codes.reshape(AT_ONCE, *array.shape)


def _format(kind: str) -> Format | None:
    try:
        return format_named(kind)
    except ValueError:
        return None


def _simplified(claim: ProgramClaim, arrays: Sequence[Codes]) -> list[Codes]:
    """Arrays of which no element can be made simpler so that outputs still differ."""
    kinds = [array.kind for array in claim.spec.inputs.values()]
    while True:
        tries = [
            (place, element, code)
            for place, (array, kind) in enumerate(zip(arrays, kinds, strict=True))
            for element, given in enumerate(array.ravel().tolist())
            for code in _simpler(kind, given)
        ]
        if not tries:
            return list(arrays)
        changed = [np.repeat(array[None], len(tries), axis=0) for array in arrays]
        for number, (place, element, code) in enumerate(tries):
            changed[place][number].reshape(-1)[element] = code
        found = np.flatnonzero(_differ(claim, changed))
        if not len(found):
            return list(arrays)
        arrays = [array[found[0]] for array in changed]


def _simpler(kind: str, code: int) -> list[int]:
    """Codes that are simpler than one: 0, then 1, then what has fewer fraction bits."""
    fmt = _format(kind)
    if fmt is None:
        return [0] if code else []
    one = fmt.bias << fmt.fraction_bits
    last = (1 << fmt.fraction_bits) - 1
    plain = [0, one, one | fmt.sign_mask, code & ~last, code & (code - 1) | code & ~last]
    return plain[: plain.index(code)] if code in plain else plain


def explained(claim: ProgramClaim, inputs: Mapping[str, int]) -> str:
    """What circuit and spec make of an input, and whether that differs, for people."""
    made = claim.of_input(inputs)
    arrays = {**claim.spec.inputs, **claim.spec.results}
    rows = [(f"input {name}", name, code) for name, code in inputs.items()]
    for name in claim.spec.results:
        for side, buses in (("circuit", made.actual), ("spec", made.expected)):
            rows.append((f"{name}, {side}", name, int(buses[name].constant_value())))
    width = max(len(label) for label, *_ in rows)
    lines = [_row(f"  {label:<{width}}  ", _elements(arrays[name], code)) for label, name, code in rows]
    verb = "agrees with" if made.actual == made.expected else "differs from"
    return "\n".join([f"the circuit {verb} its spec:", *lines])


def _row(label: str, elements: list[str]) -> str:
    """A label and what follows it, in as many lines as that takes; an element is in one of them."""
    text = ", ".join(each.replace(" ", NO_BREAK) for each in elements)
    indent = " " * len(label)
    lines = wrap(text, COLUMNS, initial_indent=label, subsequent_indent=indent, break_long_words=False)
    return "\n".join(lines).replace(NO_BREAK, " ")


def _elements(array: Array, code: int) -> list[str]:
    """The first elements of an array, from its bus."""
    width, count = width_of(array.kind), prod(array.shape)
    shown = [code >> width * k & (1 << width) - 1 for k in range(min(count, MOST_SHOWN))]
    fmt, digits = _format(array.kind), 2 + (width + 3) // 4
    texts = [f"{x:#0{digits}x}" + (f" ({decimal_value(fmt, x)})" if fmt else "") for x in shown]
    return texts + ([f"... ({count:,})"] if count > MOST_SHOWN else [])
