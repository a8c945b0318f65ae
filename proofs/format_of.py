"""Operations whose operands have other formats than the result: formatOf of IEEE 754-2019 clause 5.4.1.

Conversions, which are such too, are among ``proofs.exact_units``.
"""

from collections.abc import Iterator
from itertools import combinations_with_replacement, permutations, product

from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import Named, Profile
from spikeproof.specs.formats import (
    BFLOAT16,
    FORMATS,
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP8_E5M2,
    FP8_E5M2FNUZ,
    FP16,
    FP32,
    Format,
    RoundingMode,
    Source,
)

OPERATIONS = ("add", "multiply", "divide", "square_root", "fma")
"""Those promised of every pair of formats. A subtraction is an addition but for one sign."""

ACCUMULATORS = (FP16, BFLOAT16, FP32)
"""The formats that sums of products are taken in."""

FACTORS = (
    *combinations_with_replacement((FP8_E4M3FN, FP8_E5M2), 2),
    *combinations_with_replacement((FP8_E4M3FNUZ, FP8_E5M2FNUZ), 2),
    (FP16, FP16),
    (BFLOAT16, BFLOAT16),
)
"""The formats of the factors."""


def nearest(operation: str, fmt: Format, source: Source) -> Unit:
    """Rounded to nearest even, under the first policy."""
    return Unit(operation, fmt, policy=fmt.policies[0], source=source)


def of_other_operands() -> Iterator[Unit]:
    """Every pair of formats of up to 32 bits; sums and products of a narrower and a wider operand.

    But for ``fma`` of FP32 operands, whose product and sum are too wide for a search beside a narrower
    result's exponents.
    """
    formats = [fmt for fmt in FORMATS.values() if fmt.width <= 32]
    for (source, fmt), operation in product(permutations(formats, 2), OPERATIONS):
        if (operation, source) != ("fma", FP32):
            yield nearest(operation, fmt, source)
        if source.width < fmt.width and operation in ("add", "multiply"):
            yield nearest(operation, fmt, (source, fmt))


def of_products_and_sums() -> Iterator[Unit]:
    """Products of ``FACTORS`` added to ``ACCUMULATORS``; of two FP8_E4M3FN in every mode with flags."""
    for fmt, factors in product(ACCUMULATORS, FACTORS):
        if fmt not in factors:
            yield nearest("fma", fmt, (*factors, fmt))
    for fmt, mode in product(ACCUMULATORS, RoundingMode):
        yield Unit("fma", fmt, mode, source=(FP8_E4M3FN, FP8_E4M3FN, fmt), flags=True)


BY_DEFAULT = frozenset(
    {
        *(f"fp16.{operation}_from_fp8_e4m3fn.rne" for operation in OPERATIONS[:4]),
        *(f"fp8_e5m2.{operation}_from_fp16.rne" for operation in ("multiply", "divide")),
        "fp8_e4m3fn.square_root_from_fp16.rne.saturate",
        "fp16.add_from_fp8_e5m2_and_fp16.rne",
        "fp16.multiply_from_fp8_e4m3fn_and_fp16.rne",
        "fp32.fma_from_fp8_e4m3fn_and_fp8_e4m3fn_and_fp32.rne",
    }
)
"""What is not left to ``--wide``."""


def obligations() -> Iterator[Named]:
    """``FORMAT.OPERATION_from_SOURCE[_and_SOURCE[_and_SOURCE]].MODE[.POLICY][.flags]``."""
    for unit in (*of_other_operands(), *of_products_and_sums()):
        yield unit.promised(Profile.DEFAULT if unit.name in BY_DEFAULT else Profile.WIDE)
