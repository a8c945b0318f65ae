"""Operands of dot products: by class, and near one another, where terms cancel and last places count."""

from __future__ import annotations

import numpy as np
from pysmt.shortcuts import BVType, Symbol

from spikeproof.proofs.dot_products import DotProductUnit
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.specs.formats import Format
from tests.support.operands import Codes


def drawn(unit: DotProductUnit, count: int, seed: int = 1) -> dict[str, Codes]:
    """Codes of every operand: a half by class; of the others exponents are near one another.

    Of every second one of these the second product is the first with another sign, but for its last bit.
    """
    codes = {}
    rng = np.random.default_rng(seed)
    half = count // 2
    for place, (name, fmt) in enumerate(zip(unit.operands, unit.formats, strict=True)):
        (by_class,) = many_codes(fmt, half, seed=seed + place, operands=1)
        codes[name] = np.concatenate([by_class[:half], _near(fmt, rng, count - len(by_class[:half]))])
    if unit.dot.terms > 1:
        cancelling = slice(half, None, 2)
        codes["x2"][cancelling] = codes["x1"][cancelling] ^ np.uint64(unit.formats[0].sign_mask)
        codes["y2"][cancelling] = codes["y1"][cancelling] ^ rng.integers(
            0, 2, len(codes["y1"][cancelling]), dtype=np.uint64
        )
    scales = rng.integers(0, 1 << 8, (2, count), dtype=np.uint64)
    scales[1, half:] = 254 - scales[0, half:] % 255  # together nearly 1
    scales[0, :2] = 255, 0
    codes |= dict(zip(unit.dot.scales, scales, strict=False))
    return codes


def _near(fmt: Format, rng: np.random.Generator, count: int) -> Codes:
    """Finite numbers around one."""
    low = max(0, fmt.bias - 4) << fmt.fraction_bits
    high = min(fmt.bias + 4 << fmt.fraction_bits, fmt.largest_finite)
    magnitudes = rng.integers(low, high, count, dtype=np.uint64, endpoint=True)
    signs = rng.integers(0, 2, count, dtype=np.uint64) * np.uint64(fmt.sign_mask)
    return magnitudes | (signs if fmt.has_negative_zero else np.uint64(0))


def by_formula(unit: DotProductUnit, codes: dict[str, Codes]) -> Codes:
    """The results by the symbolic spec."""
    formats = unit.reading.formats
    symbols = {
        name: Symbol(f"{name}.{formats[name].width}", BVType(formats[name].width)) for name in codes
    }
    given = {symbol.symbol_name(): codes[name] for name, symbol in symbols.items()}
    return Evaluation(unit.spec(symbols)).evaluate(given)["result"]


def by_definition(unit: DotProductUnit, codes: dict[str, Codes]) -> list[int]:
    """The results by the spec of record."""
    return [unit.trace(dict(zip(codes, case, strict=True)))["result"] for case in _cases(codes)]


def _cases(codes: dict[str, Codes]) -> list[list[int]]:
    cases: list[list[int]] = np.column_stack(list(codes.values())).tolist()
    return cases
