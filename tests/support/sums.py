"""Sums in known orders, by the spec of record: planted, to be revealed."""

from __future__ import annotations

import math
import os

import numpy as np

from spikeproof.specs.exact import compute
from spikeproof.specs.formats import FP16, FP32, FP64, OverflowPolicy, RoundingMode
from spikeproof.specs.orders import (
    by_folding,
    in_blocks,
    in_lanes,
    in_pairs,
    in_sequence,
    pairwise,
    reversed_sequence,
    sequential,
)

NEAREST = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE
FORMATS = {np.dtype(np.float16): FP16, np.dtype(np.float32): FP32, np.dtype(np.float64): FP64}
TYPES = {fmt: dtype for dtype, fmt in FORMATS.items()}


def codes(numbers):
    return np.ascontiguousarray(numbers).reshape(-1).view(f"u{numbers.dtype.itemsize}").tolist()


def number(fmt, code):
    return np.array(code, f"u{fmt.width // 8}").view(TYPES[fmt])[()]


def converted(source, fmt, code):
    return code if source is fmt else compute("convert", fmt, *NEAREST, code, source=source)


def added(order, numbers, accumulator=None):
    """The sum of an array in an order."""
    fmt = FORMATS[numbers.dtype]
    accumulator = accumulator or fmt
    terms = [converted(fmt, accumulator, code) for code in codes(numbers)]
    total = order.evaluate(terms, lambda x, y: compute("add", accumulator, *NEAREST, x, y))
    return number(fmt, converted(accumulator, fmt, total))


def summing(order, accumulator=None):
    return lambda numbers: added(order(numbers.size), numbers, accumulator)


def fold_lanes(lanes):
    return lambda terms: in_lanes(terms, lanes, by_folding)


in_order = summing(sequential)
backwards = summing(reversed_sequence)
in_a_tree = summing(pairwise)
in_4_lanes = summing(lambda terms: in_lanes(terms, 4))
in_8_lanes = summing(fold_lanes(8))
in_16_lanes = summing(lambda terms: in_lanes(terms, 16, in_sequence))
blocked = summing(lambda terms: in_blocks(terms, 12))
blocked_trees = summing(lambda terms: in_blocks(terms, 8, in_pairs, in_pairs))
widely = summing(sequential, FP32)
in_double = summing(sequential, FP64)


def from_zero(numbers):
    return numbers.dtype.type(0) + in_order(numbers)


def flushing(numbers):
    """As on processors that are set so."""

    def flushed(x):
        return x if abs(x) >= np.finfo(x.dtype).tiny or np.isnan(x) else np.copysign(x.dtype.type(0), x)

    total = flushed(numbers[0])
    with np.errstate(all="ignore"):
        for each in numbers[1:]:
            total = flushed(total + flushed(each))
    return total


def mean_divided(numbers):
    return in_order(numbers) / np.float32(numbers.size)


def mean_multiplied(numbers):
    return in_order(numbers) * (np.float32(1) / np.float32(numbers.size))


def norm_in_lanes(numbers):
    """The root of rounded squares."""
    with np.errstate(all="ignore"):
        return np.sqrt(in_4_lanes(numbers * numbers))


def fused_norm(numbers):
    with np.errstate(all="ignore"):
        return np.sqrt(fused_dot(numbers, numbers))


def norm_in_double(numbers):
    return np.float32(np.sqrt(in_order(numbers.astype(np.float64) ** 2)))


def rounded_dot(x, y):
    with np.errstate(all="ignore"):
        return in_order(x * y)


def widely_dotted(x, y):
    """Of FP16, in FP32."""
    with np.errstate(all="ignore"):
        return rounded_dot(x.astype(np.float32), y.astype(np.float32)).astype(np.float16)


def fused_dot(x, y, start=None):
    fmt = FORMATS[x.dtype]
    first, *others = zip(codes(x), codes(y), strict=True)
    if start is None:
        total = compute("multiply", fmt, *NEAREST, *first)
    else:
        total = compute("fma", fmt, *NEAREST, *first, start)
    for pair in others:
        total = compute("fma", fmt, *NEAREST, *pair, total)
    return number(fmt, total)


def widely_at_the_end(x, y):
    """Of FP32, but the last terms in FP64, as OpenBLAS's sdot."""
    with np.errstate(all="ignore"):
        products = x * y
    ending = in_order(products[-5:].astype(np.float64))
    beginning = fused_dot(x[:-5], y[:-5])
    with np.errstate(all="ignore"):
        return np.float32(ending + np.float64(beginning))


def linear_bias_first(x, weights, bias):
    return np.array(
        [[fused_dot(row, w, c) for w, c in zip(weights, codes(bias), strict=True)] for row in x]
    )


def linear_bias_last(x, weights, bias):
    with np.errstate(all="ignore"):
        return np.array([[rounded_dot(row, w) for w in weights] for row in x]) + bias


def by_rows(x, weights):
    """Of one row in lanes, of more one after another, in the machine's arithmetic."""
    order = in_lanes(x.shape[1], 8) if len(x) == 1 else sequential(x.shape[1])
    with np.errstate(all="ignore"):
        return order.evaluate(list(x.T[:, :, None] * weights.T[:, None, :]), np.add)


def not_a_number(x, weights):
    return np.full((len(x), len(weights)), np.nan, np.float32)


def convolved(x, kernel, mode):
    """From the last term on."""
    assert mode == "valid"
    with np.errstate(all="ignore"):
        products = np.lib.stride_tricks.sliding_window_view(x, len(kernel)) * kernel[::-1]
        return reversed_sequence(len(kernel)).evaluate(list(products.T), np.add)


def layered(x, kernel, bias=None):
    """A convolution of images: of each channel pairwise, channels one after another, bias first."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2:], (2, 3))
    with np.errstate(all="ignore"):
        products = windows[:, None] * kernel[None, :, :, None, None]
        channels = np.moveaxis(products.reshape(*products.shape[:5], -1), (2, 5), (0, 1))
        sums = [pairwise(len(each)).evaluate(list(each), np.add) for each in channels]
        total = bias[None, :, None, None]
        for each in sums:
            total = total + each
        return total


def prefixes(numbers, axis):
    """Each in an order of its own length, as nothing does."""
    return np.array([in_order(numbers[: k + 1]) for k in range(len(numbers))])


def two_orders(x, y):
    """Of the columns all but the last from the first term on, that from the last."""
    products = x[:, :, None] * y[None, :, :]
    columns = [[in_order(row[:, k].copy()) for k in range(y.shape[1])] for row in products]
    for row, product in zip(columns, products, strict=True):
        row[-1] = backwards(product[:, -1].copy())
    return np.array(columns)


def kahan(numbers):
    """With a compensation: no order of additions."""
    with np.errstate(all="ignore"):
        total = compensation = numbers.dtype.type(0)
        for each in numbers:
            corrected = each - compensation
            new = total + corrected
            compensation = (new - total) - corrected
            total = new
    return total


def exactly(numbers):
    return np.float32(math.fsum(numbers.tolist()))


def three_at_once(numbers):
    """Of threes what is too small beside the largest is lost, as in tensor cores."""
    threes = [aligned(numbers[k : k + 3].astype(np.float64)) for k in range(0, len(numbers), 3)]
    return in_order(np.array(threes, np.float32))


def aligned(terms):
    step = max(abs(terms)) * 2.0**-24
    return sum(np.trunc(terms / step)) * step if step else 0.0


def with_three_threads(numbers):
    """If libraries are told to use as many."""
    assert os.environ["OPENBLAS_NUM_THREADS"] == os.environ["OMP_NUM_THREADS"] == "3"
    return in_order(numbers)


def attended(values, axis):
    """What attention of equal weights makes of values."""
    import torch

    keys, width = values.shape
    nothing = torch.zeros(1, 1, keys, width)
    attention = torch.nn.functional.scaled_dot_product_attention
    return attention(nothing[:, :, :1], nothing, values[None, None])[0, 0, 0]


def fails(numbers):
    raise RuntimeError("no such luck")


def leaves(numbers):
    raise SystemExit(3)


def gives_a_list(numbers):
    return [1.0]


def gives_as_many(numbers):
    return numbers + numbers


PLANTED_TREES = {
    "in_order": sequential,
    "backwards": reversed_sequence,
    "in_a_tree": pairwise,
    "in_4_lanes": lambda terms: in_lanes(terms, 4),
    "in_8_lanes": fold_lanes(8),
    "in_16_lanes": lambda terms: in_lanes(terms, 16, in_sequence),
    "blocked": lambda terms: in_blocks(terms, 12),
    "blocked_trees": lambda terms: in_blocks(terms, 8, in_pairs, in_pairs),
}
"""Functions of this module and the orders in which they add; none is a tree over fewer than 2 terms."""
