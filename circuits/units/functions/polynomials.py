"""Functions of wide formats by polynomials on the code: rows of codes, for each a polynomial.

In a row, x and its result keep their exponents, so that the code of the result, taken as a real number,
is a smooth function of the code of x. It is a polynomial of where in the row x is, in integers:

    row     how many of the rows' starts the code of x has reached
    u       code - start, as a fraction of 2^length, length being one of few: N digits
    q_d     c_d of the row
    q_k     c_k of the row + u q_(k+1), for k = d - 1 to 1, each a word, made nonnegative by an offset
    result  floor((c_0 + 2^scale u q_1 + corrections) / 2^V)

u is multiplied in groups of digits, each by those leading digits of q that count. So everything here is
an integer, and what is lost on the way is the program's own: ``fitting`` chooses coefficients for which
few results are wrong. These are mended, each by a wide AND. Rounding is a constant, and special values
are rows like others. Rows may also follow x: result = code + c_0.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.forms import Bits, Form, all_of, bit, bits, number, signals, total
from spikeproof.circuits.units.functions.machines import machine_of
from spikeproof.circuits.units.functions.modes import ASKING, away, to_odd
from spikeproof.circuits.units.functions.sums import Sums
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.formats import RoundingMode

Integers = NDArray[np.int64]


class Stage(NamedTuple):
    """A word that u is multiplied by.

    Attributes:
        width: its digits.
        offset: what it is more than q.
        places: how many leading digits of u count.
    """

    width: int
    offset: int
    places: int


class Group(NamedTuple):
    """Digits ``low`` to ``high`` - 1 of u, multiplied by a word without its last ``dropped`` digits.

    Attributes:
        constants: what is added for each of the digits: it takes the offset away, and what is lost with
            the dropped digits comes back on average.
    """

    low: int
    high: int
    dropped: int
    constants: tuple[int, ...]


@dataclass(frozen=True)
class Shape:
    """What all rows have in common.

    Attributes:
        width: bits of the code of x, and of the result.
        places: N, digits of u.
        fraction: V, digits of sums below the last place of the result.
        group: digits of u that are multiplied together.
        stages: q_1 to q_d.
    """

    width: int
    places: int
    fraction: int
    group: int
    stages: tuple[Stage, ...]

    def groups(self, stage: Stage) -> Iterator[Group]:
        """The products that make up u q, of the leading digits first."""
        for index, high in enumerate(range(self.places, self.places - stage.places, -self.group)):
            low = max(high - self.group, 0)
            dropped = self.places - low
            taken = stage.offset >> dropped
            weights = [1 << place for place in range(high - low)]
            yield Group(low, high, dropped, tuple((w + index % 2 >> 1) - w * taken for w in weights))


@dataclass(frozen=True)
class Polynomials:
    """A function as rows of polynomials.

    Attributes:
        starts: the first code of each row; the first of all is 0.
        lengths: of each row the power of two that u is a fraction of; at most ``shape.places``.
        scales: of each row the power of two by which u q_1 is multiplied.
        follows: of each row 1 if the code is added, else 0.
        coefficients: c_0 to c_d, each of every row; those of words with their offsets.
        exceptions: codes, and what has to be added to the result there.
    """

    shape: Shape
    starts: tuple[int, ...]
    lengths: tuple[int, ...]
    scales: tuple[int, ...]
    follows: tuple[int, ...]
    coefficients: tuple[tuple[int, ...], ...]
    exceptions: Mapping[int, int]

    @cached_property
    def tables(self) -> Integers:
        """The coefficients as an array: shape (d + 1, rows)."""
        return np.array(self.coefficients, dtype=np.int64)

    def results(self, codes: Integers) -> Integers:
        """What the program makes of some codes, of up to 62 bits."""
        row = np.searchsorted(np.array(self.starts), codes, side="right") - 1
        within = np.minimum(codes - np.array(self.starts)[row], (1 << self.shape.places) - 1)
        lengths = np.array(self.lengths)[row]
        within &= (1 << lengths) - 1  # a row that is longer has no polynomial
        position = within << self.shape.places - lengths
        found = self.tables[0][row] + (codes * np.array(self.follows)[row] << self.shape.fraction)
        found += multiplied(self.shape, self.tables[1:, row], position) << np.array(self.scales)[row]
        found >>= self.shape.fraction
        found += np.array([self.exceptions.get(code, 0) for code in codes.tolist()], dtype=np.int64)
        result: Integers = np.clip(found, 0, (1 << self.shape.width) - 1)
        return result


def multiplied(shape: Shape, coefficients: Integers, position: Integers) -> Integers:
    """u q_1, of coefficients c_1 to c_d, along the first axis, and of u."""
    result: Any = 0
    for stage, coefficient in zip(shape.stages[::-1], coefficients[::-1], strict=True):
        word = np.clip(coefficient + result, 0, (1 << stage.width) - 1)
        result = sum(_product(group, word, position) for group in shape.groups(stage))
    return np.asarray(result, dtype=np.int64)


def _product(group: Group, word: Integers, position: Integers) -> Any:
    digits = position >> group.low & (1 << group.high - group.low) - 1
    constants = sum((digits >> place & 1) * each for place, each in enumerate(group.constants))
    return digits * (word >> group.dropped) + constants


# --- text ---------------------------------------------------------------------------------------


def written(found: Polynomials) -> str:
    """As the text of a file: a line for each row."""
    shape = {**asdict(found.shape), "stages": [list(stage) for stage in found.shape.stages]}
    columns = found.starts, found.lengths, found.scales, found.follows, *found.coefficients
    rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in zip(*columns, strict=True))
    exceptions = json.dumps(sorted(found.exceptions.items()), separators=(",", ":"))
    return f'{{"shape": {json.dumps(shape)},\n"rows": [\n{rows}\n],\n"exceptions": {exceptions}}}\n'


def read(text: str) -> Polynomials:
    """What ``written`` has written."""
    kept = json.loads(text)
    stages = tuple(Stage(*stage) for stage in kept["shape"].pop("stages"))
    starts, lengths, scales, follows, *coefficients = (
        tuple(column) for column in zip(*kept["rows"], strict=True)
    )
    shape = Shape(**kept["shape"], stages=stages)
    exceptions = dict(kept["exceptions"])
    return Polynomials(shape, starts, lengths, scales, follows, tuple(coefficients), exceptions)


# --- the circuit --------------------------------------------------------------------------------

Cut = Callable[[], tuple[Form, Form]]
"""Makes two bits: whether a result is inexact, and whether negative."""


def rounded_unit(gates: GateLibrary, x: Bus, found: Polynomials, mode: RoundingMode, cut: Cut) -> Bus:
    """The result in a mode, by rows of the simplest one that it is made from; see ``modes``.

    Args:
        found: as of ``polynomials_unit``.
    """
    if mode not in ASKING:
        return polynomials_unit(gates, x, found)
    inexact, negative = cut()
    result = polynomials_unit(gates, x, found, away(gates, mode, inexact, negative))
    return signals(gates, to_odd(gates, mode, bits(result), inexact))


def polynomials_unit(gates: GateLibrary, x: Bus, found: Polynomials, more: Form | None = None) -> Bus:
    """The result, of as many bits as x; or of one more, if x has a sign beside, which it then keeps.

    A NaN has no sign: the last row is that of NaNs.

    Args:
        more: is added to the result.
    """
    shape, sums = found.shape, machine_of(gates)
    code = bits(x[: shape.width])
    steps = sums.comparators(number(code), found.starts[1:])
    u = _position(sums, code, steps, found)
    product = Form()
    for stage, coefficient in zip(reversed(shape.stages), reversed(found.coefficients), strict=False):
        word = sums.digits(product + sums.table(steps, coefficient), stage.width)
        product = total(_product_form(sums, group, word, u) for group in shape.groups(stage))
    result = sums.table(steps, found.coefficients[0]) + _scaled(sums, steps, product, found)
    unit = 1 << shape.fraction
    if any(found.follows):
        result = result + unit * number(sums.given(code, sums.table(steps, found.follows)))
    codes = sorted(found.exceptions)
    corrections = [found.exceptions[each] * unit for each in codes]
    result = result + sums.chosen(sums.matches(code, codes), corrections)
    result = result + unit * (more or Form())
    magnitude = sums.digits(result, shape.width + shape.fraction)[shape.fraction :]
    signs = [all_of(gates, bit(sign), 1 - steps[-1]) for sign in x[shape.width :]]
    return signals(gates, (*magnitude, *signs))


def _position(sums: Sums, code: Bits, steps: Bits, found: Polynomials) -> Bits:
    """u: how far the code is beyond the start of its row, shifted up where rows are short."""
    places = found.shape.places
    within = sums.digits(number(code) - sums.table(steps, found.starts), places)
    shorter = sorted(set(found.lengths) - {places})
    if not shorter:
        return within
    shifted = number(within)
    for length in shorter:
        chosen = sums.table(steps, [int(each == length) for each in found.lengths])
        more = (1 << places - length) - 1
        shifted = shifted + more * number(sums.given(within[:length], chosen))
    return sums.digits(shifted, places)


def _product_form(sums: Sums, group: Group, word: Bits, u: Bits) -> Form:
    digits = u[group.low : group.high]
    constants = total(digit * each for digit, each in zip(digits, group.constants, strict=True))
    return sums.product(digits, word[group.dropped :]) + constants


def _scaled(sums: Sums, steps: Bits, product: Form, found: Polynomials) -> Form:
    """The product times 2^scale."""
    scales = sorted(set(found.scales) - {0})
    if not scales:
        return product
    offset = -product.low
    word = sums.digits(product + offset, (product.high - product.low).bit_length())
    result = number(word)
    for scale in scales:
        chosen = sums.table(steps, [int(each == scale) for each in found.scales])
        result = result + ((1 << scale) - 1) * number(sums.given(word, chosen))
    return result - offset * sums.table(steps, [1 << scale for scale in found.scales])
