"""How far a library's function is from the correctly rounded one, to nearest even, on every input.

Up to 16 bits the spec of record says what is right. Of 32 bits an estimate in float64 says so of almost
every input: where the result is right for whatever lies within ``TRUSTED`` of it. The spec of record
decides the others. That the estimate is so near is not proved: it is compared with the spec of record's
float64 on inputs drawn by class, and must be ``RESERVE`` times nearer there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from math import inf

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.refutation.drawing import landmarks, many_codes
from spikeproof.prover.running.callables import Codes, OnCodes, in_double
from spikeproof.specs import functions
from spikeproof.specs.formats import FP32, FP64, Format, OverflowPolicy, RoundingMode

Doubles = NDArray[np.float64]

TRUSTED = 2.0**-40
"""The relative error that an estimate is taken not to exceed."""

RESERVE = 16
"""How many times nearer it must be wherever it is compared."""

COMPARED = 2000
"""On so many inputs."""

CHUNK = 1 << 20
"""Inputs at a time."""

WITNESSES = 3

NEAREST = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE


@dataclass(frozen=True)
class Witness:
    """An input on which the result is not the correctly rounded one, as codes.

    Attributes:
        ulps: None if one of the results is no number, and the other is.
    """

    x: int
    given: int
    right: int
    ulps: int | None

    @property
    def distance(self) -> float:
        """How far off it is: no number is farthest."""
        return inf if self.ulps is None else self.ulps


@dataclass
class Departures:
    """What came of comparing a function with the correctly rounded one.

    Attributes:
        inputs: how many were compared.
        every: whether these are all that the format has.
        wrong: results that are not the correctly rounded ones, by how many numbers of the format lie
            between, the result counted; infinity counts as the number after the largest. Zeros of the
            other sign are 0 of them away.
        kinds: results that are no numbers where there is one, or the reverse.
        witnesses: those that are farthest away.
        asked: inputs that the spec of record decided.
    """

    inputs: int = 0
    every: bool = True
    wrong: Counter[int] = field(default_factory=Counter)
    kinds: int = 0
    witnesses: list[Witness] = field(default_factory=list)
    asked: int = 0

    @property
    def count(self) -> int:
        """How many results are not the correctly rounded ones."""
        return sum(self.wrong.values()) + self.kinds

    @property
    def largest(self) -> int:
        """The most ULP."""
        return max(self.wrong, default=0)

    def add(self, other: Departures) -> None:
        """Count what another part came to."""
        self.inputs += other.inputs
        self.wrong += other.wrong
        self.kinds += other.kinds
        self.asked += other.asked
        farthest = sorted((*self.witnesses, *other.witnesses), key=lambda w: (-w.distance, w.x))
        self.witnesses = farthest[:WITNESSES]


def departures(
    function: str,
    fmt: Format,
    given: OnCodes,
    step: int = 1,
    jobs: int = 1,
    advance: Callable[[int], None] = lambda inputs: None,
) -> Departures:
    """Compare a function with the correctly rounded one, on every code of a format.

    Args:
        function: one of ``specs.functions.FUNCTIONS``.
        fmt: of up to 32 bits.
        step: of every how many codes one is tried.
        jobs: threads.
        advance: told how many inputs have been compared since.

    Raises:
        StatementError: if the estimate is not as near as it is trusted to be.
    """
    right = _Right(function, fmt)
    found = Departures(every=step == 1)
    kind = np.dtype(f"u{fmt.width // 8}")
    size = CHUNK * step

    def part(start: int) -> Departures:
        codes = np.arange(start, min(start + size, 1 << fmt.width), step, dtype=np.int64).astype(kind)
        return _compared(fmt, codes, given(codes), *right.of(codes))

    with ThreadPoolExecutor(jobs) as pool:
        for each in pool.map(part, range(0, 1 << fmt.width, size)):
            found.add(each)
            advance(each.inputs)
    return found


def _compared(fmt: Format, codes: Codes, given: Codes, right: Codes, asked: int) -> Departures:
    found = Departures(inputs=len(codes), asked=asked)
    differing = np.flatnonzero(given != right)
    given, right, codes = given[differing], right[differing], codes[differing]
    nan_given, nan_right = (_are_nan(fmt, each) for each in (given, right))
    other = np.flatnonzero(nan_given != nan_right)
    found.kinds = len(other)
    found.witnesses = [
        Witness(int(codes[n]), int(given[n]), int(right[n]), None) for n in other[:WITNESSES]
    ]
    numbers = ~(nan_given | nan_right)
    given, right, codes = given[numbers], right[numbers], codes[numbers]
    ulps = abs(_place(fmt, given) - _place(fmt, right))
    distances, counts = (each.tolist() for each in np.unique(ulps, return_counts=True))
    found.wrong = Counter(dict(zip(distances, counts, strict=True)))
    farthest = np.lexsort((codes, -ulps))[:WITNESSES]
    found.witnesses += [
        Witness(int(codes[n]), int(given[n]), int(right[n]), int(ulps[n])) for n in farthest
    ]
    return found


def _are_nan(fmt: Format, codes: Codes) -> NDArray[np.bool_]:
    magnitude = codes & codes.dtype.type(fmt.sign_mask - 1)
    found: NDArray[np.bool_] = magnitude > fmt.infinity
    return found


def _place(fmt: Format, codes: Codes) -> NDArray[np.int64]:
    """Where numbers stand among those of the format, zeros of both signs at 0."""
    magnitude = (codes & codes.dtype.type(fmt.sign_mask - 1)).astype(np.int64)
    place: NDArray[np.int64] = np.where(
        codes >> codes.dtype.type(fmt.magnitude_bits), -magnitude, magnitude
    )
    return place


# --- what is right ------------------------------------------------------------------------------


class _Right:
    """The correctly rounded results of a function."""

    def __init__(self, function: str, fmt: Format) -> None:
        self.function, self.fmt = function, fmt
        self._every: Codes | None = None
        if fmt.width <= 16:
            self._every = np.asarray(functions.every_result(function, fmt, *NEAREST))
        else:
            _require_near(function)

    def of(self, codes: Codes) -> tuple[Codes, int]:
        """Those of codes, and of how many of them the spec of record had to be asked."""
        if self._every is not None:
            return self._every[codes].astype(codes.dtype), 0
        with np.errstate(all="ignore"):
            ends = bounds(self.function, codes.view(np.float32).astype(np.float64))
            low, high = (end.astype(np.float32).view(codes.dtype) for end in ends)
        apart = np.flatnonzero((low != high) & ~(np.isnan(ends[0]) & np.isnan(ends[1])))
        for place in apart:
            low[place] = functions.compute(self.function, self.fmt, *NEAREST, int(codes[place]))
        return low, len(apart)


def _sigmoid(x: Doubles) -> Doubles:
    return 1 / (1 + np.exp(-x))


def _of_half_turns(turns: int, zero: Callable[[Doubles], Doubles]) -> Callable[[Doubles], Doubles]:
    """sin(pi x) turned by so many quarters; quarters and remainders are exact, so zeros are."""

    def at(x: Doubles) -> Doubles:
        quarters = np.round(2 * x)
        rest, place = np.pi * (x - quarters / 2), np.nan_to_num(np.remainder(quarters + turns, 4))
        sine, cosine = np.sin(rest), np.cos(rest)
        found = np.choose(place.astype(np.int64), (sine, cosine, -sine, -cosine))
        return np.where(found == 0, zero(x), found)

    return at


def _softplus(x: Doubles) -> Doubles:
    return np.where(x > 0, x + np.log1p(np.exp(-abs(x))), np.log1p(np.exp(np.minimum(x, 0))))


def _times_share(share: Callable[[Doubles], Doubles]) -> Callable[[Doubles], Doubles]:
    """x times its share; of minus infinity, the limit."""
    return lambda x: np.where(x == -np.inf, -0.0, x * share(x))


def _gelu_share(x: Doubles) -> Doubles:
    return in_double("erfc")(-x / np.sqrt(2)) / 2


def _gelu_tanh_share(x: Doubles) -> Doubles:
    return _sigmoid(2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))


ESTIMATES: dict[str, Callable[[Doubles], Doubles]] = {
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log2": np.log2,
    "log1p": np.log1p,
    "reciprocal": np.reciprocal,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sin": np.sin,
    "cos": np.cos,
    "sin_pi": _of_half_turns(0, lambda x: np.copysign(0.0, x)),
    "cos_pi": _of_half_turns(1, np.zeros_like),
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "erf": lambda x: in_double("erf")(x),
    "silu": _times_share(_sigmoid),
    "gelu": _times_share(_gelu_share),
    "gelu_tanh": _times_share(_gelu_tanh_share),
}
"""Of ``specs.functions.FUNCTIONS``, in float64."""

ABOVE_HALF = frozenset({"silu", "gelu", "gelu_tanh"})
"""Those that are x/2 + c x^2 near 0, with c > 0: a little above x/2, which may be a tie."""

TINY = 2.0**-60


def bounds(function: str, x: Doubles) -> tuple[Doubles, Doubles]:
    """Between which values the function is taken to lie; both of an exact zero, an infinity or NaN."""
    value = np.ascontiguousarray(ESTIMATES[function](x))
    around = abs(value) * TRUSTED
    low, high = value - around, value + around
    if function in ABOVE_HALF:
        half = x / 2
        near = (abs(x) < TINY) & (x != 0)
        low = np.where(near, np.nextafter(half, np.inf), low)
        high = np.where(near, half + abs(half) * TRUSTED, high)
    infinite = np.isinf(value)
    return np.where(infinite, value, low), np.where(infinite, value, high)


@cache
def _require_near(function: str) -> None:
    """Refuse an estimate that is not as near as it must be, where it is compared.

    Raises:
        StatementError: saying by how much.
    """
    codes = np.array(
        [*landmarks(FP32), *map(int, many_codes(FP32, COMPARED, 1, operands=1)[0])], dtype=np.uint32
    )
    with np.errstate(all="ignore"):
        x = codes.view(np.float32).astype(np.float64)
        value = ESTIMATES[function](x)
        right = np.array(
            [functions.compute(function, FP64, *NEAREST, int(code)) for code in x.view(np.uint64)],
            dtype=np.uint64,
        ).view(np.float64)
        normal = np.isfinite(right) & (abs(right) >= np.finfo(np.float64).tiny)
        near = abs(value - right) <= abs(right) * (TRUSTED / RESERVE)
    for place in np.flatnonzero(normal & ~near)[:1]:
        at, found, wanted = (float(each[place]) for each in (x, value, right))
        raise StatementError(
            f"{function} is not estimated well enough on this machine: of {at} its float64 is {found}, "
            f"not {wanted}"
        )
