"""How far programs of FP32 functions are from their functions before rounding, and what that gets wrong.

``python -m benchmarks.function_errors`` runs each program, without its exceptions, on inputs drawn by
chance from every exponent and on all exceptions, compares with Arb, and writes a plot to
``benchmarks/results`` and a table to standard output. Nothing of it depends on the machine. A minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spikeproof.circuits.units.functions.exceptions import exceptions_of
from spikeproof.circuits.units.functions.factors import PLANS, plan_of
from spikeproof.circuits.units.functions.mended import Plan
from spikeproof.circuits.units.functions.words import Arrays, ArrayWord
from spikeproof.reference.functions import ball, doubles
from spikeproof.specs.formats import FP32, RoundingMode

PLOT = Path(__file__).parent / "results" / "function_errors.png"
DRAWN = 40
"""Inputs of each sign and exponent."""
SEED = 21
BITS = 160
"""Of Arb's arithmetic."""
COLUMNS = 2
OF_NEGATIVE = ("sigmoid",)
LEAST, MOST = 1e-13, 8.0
"""ULP that are shown: a result that is farther off has no code, and its exception is all of it."""


@dataclass(frozen=True)
class Errors:
    """Of some inputs, by how many units in the last place what will be rounded is off, without sign."""

    codes: NDArray[np.int64]
    ulps: NDArray[np.float64]


def spans(plan: Plan) -> list[tuple[int, int]]:
    """From which code to before which the program counts; not where it is what a quotient lacks to 1."""
    return plan.spans[1:] if plan.function in OF_NEGATIVE else plan.spans


def counts(plan: Plan, code: int) -> bool:
    """Whether it counts for a code."""
    return any(start <= code < stop for start, stop in spans(plan))


def drawn(plan: Plan) -> NDArray[np.int64]:
    """Codes of every exponent."""
    random, found = np.random.default_rng(SEED), []
    for start, stop in spans(plan):
        step = 1 << plan.fmt.fraction_bits
        for first in range(start // step * step, stop, step):
            low, high = max(first, start), min(first + step, stop)
            found.append(random.integers(low, high, DRAWN))
    return np.unique(np.concatenate(found))


def errors(plan: Plan, codes: NDArray[np.int64]) -> Errors:
    """The code is the total's top digits, and what is left of it, less half of a place, is beyond it."""
    found = plan.program(Arrays(), ArrayWord(codes, plan.fmt.width))
    last = np.maximum(found.divisor, np.int64(1) << np.asarray(found.lost)) + np.zeros_like(codes)
    beyond = (found.total % last / last) - (0.5 if plan.nearest else 0.0)
    code = np.asarray(found.code) + np.zeros_like(codes)
    given, result, next_one = (
        doubles(plan.fmt, each) for each in (codes, code, code + np.where(beyond < 0, -1, 1))
    )
    exact = [abs(ball(plan.function, (x,), BITS)) for x in given.tolist()]
    ulp = np.abs(next_one - result)
    away = [
        float((f - near) / one)
        for f, near, one in zip(exact, result.tolist(), ulp.tolist(), strict=True)
    ]
    return Errors(codes, np.abs(beyond - np.array(away)))


def plot(axes: Axes, plan: Plan, some: Errors, mended: Errors) -> None:
    """Errors by the magnitude of the input."""
    for each, marker, size, color, label in (
        (some, ".", 1.5, "tab:blue", "drawn by exponent"),
        (mended, "x", 4, "tab:red", "exceptions"),
    ):
        x = np.abs(doubles(plan.fmt, each.codes))
        axes.plot(x, each.ulps, marker, ms=size, mew=0.5, color=color, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(LEAST, MOST)
    whole = int((mended.ulps > MOST).sum())
    function = f"{plan.function}{' of negative numbers' if plan.function in OF_NEGATIVE else ''}"
    title = f"{function}: {len(mended.codes)} exceptions"
    axes.set_title(f"{title}, {whole} of them as a whole" if whole else title, fontsize=9)
    axes.tick_params(labelsize=7)


def draw(found: Sequence[tuple[Plan, Errors, Errors]]) -> Figure:
    """All functions."""
    rows = -(-len(found) // COLUMNS)
    figure = Figure(figsize=(8, 2.1 * rows), layout="constrained")
    grid = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes, each in zip(grid, found, strict=False):
        plot(axes, *each)
    for axes in grid[len(found) :]:
        axes.remove()
    grid[0].legend(fontsize=7, loc="lower left")
    figure.supxlabel("magnitude of the input", fontsize=9)
    figure.supylabel("error before rounding and mending, ULP of the result", fontsize=9)
    return figure


def main() -> None:
    """Plot and print them."""
    found = []
    print("| function | drawn | largest error | median | exceptions | largest error there |")
    print("|---|---:|---:|---:|---:|---:|")
    for function in PLANS:
        plan = plan_of(function, FP32, RoundingMode.NEAREST_EVEN, FP32.policies[0])
        wrong = np.array([code for code in sorted(exceptions_of(plan)) if counts(plan, code)])
        codes = np.setdiff1d(drawn(plan), wrong)
        some, mended = errors(plan, codes), errors(plan, wrong)
        found.append((plan, some, mended))
        figures = f"{some.ulps.max():.2g} ULP | {np.median(some.ulps):.2g} ULP | {len(wrong)}"
        print(f"| `{function}` | {len(codes):,} | {figures} | {mended.ulps.max():.2g} ULP |", flush=True)
    draw(found).savefig(PLOT, dpi=150)


if __name__ == "__main__":
    main()
