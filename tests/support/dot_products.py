"""Operands of dot products: by class, and near one another, where terms cancel and last places count."""

from __future__ import annotations

import numpy as np
from pysmt.shortcuts import BVType, Symbol

from spikeproof.proofs.dot_products import DotProductUnit
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.specs import exact_dot_products
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
    symbols = {
        name: Symbol(f"{name}.{fmt.width}", BVType(fmt.width))
        for name, fmt in zip(unit.operands, unit.formats, strict=True)
    }
    given = {symbol.symbol_name(): codes[name] for name, symbol in symbols.items()}
    return Evaluation(unit.spec(symbols)).evaluate(given)["result"]


def by_definition(unit: DotProductUnit, codes: dict[str, Codes]) -> list[int]:
    """The results by the spec of record."""
    return [
        exact_dot_products.compute(
            unit.dot, unit.fmt, unit.mode, unit.policy, unit.formats, case, unit.convention
        )
        for case in np.column_stack([codes[name] for name in unit.operands]).tolist()
    ]
