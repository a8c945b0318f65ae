"""Small programs of units, written out; and their units."""

from functools import cache

import numpy as np

from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.specs.formats import FP4_E2M1, FP6_E2M3, FP16, FP32, RoundingMode
from spikeproof.specs.programs import Arithmetic, Array, Module, Value, call, module

SUM = Arithmetic("fp32", "rne.threshold")

CONFIG = {
    "model_type": "llama",
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 11,
    "rms_norm_eps": 1e-05,
}
"""A small decoder's, as Hugging Face writes it."""


@cache
def unit(operation, fmt, **others):
    """One of nearest even, on ``threshold``."""
    return build_unit(operation, fmt, RoundingMode.NEAREST_EVEN, fmt.policies[0], "threshold", **others)


def units():
    """Those of the programs here, by name."""
    return {
        "fp32.add.rne.threshold": unit("add", FP32),
        "fp32.multiply.rne.threshold": unit("multiply", FP32),
        "fp32.fma.rne.threshold": unit("fma", FP32),
        "fp32.multiply_from_fp16.rne.threshold": unit("multiply", FP32, source=FP16),
    }


def small_units():
    """Of FP4 and FP6."""
    return {
        f"{fmt.name}.{operation}.rne.threshold": unit(operation, fmt)
        for fmt in (FP4_E2M1, FP6_E2M3)
        for operation in ("add", "subtract", "multiply")
    }


def dot(count: int, fused: bool = False, arithmetic: Arithmetic = SUM) -> Module:
    """A sum of products in sequence."""
    kind = arithmetic.kind

    def definition(x: Value, w: Value) -> Value:
        if fused:
            first, *others = zip(x, w, strict=True)
            total = arithmetic.multiply(*first)
            for pair in others:
                total = arithmetic("fma", *pair, total)
            return total
        total, *others = arithmetic.multiply(x, w)
        for other in others:
            total = arithmetic.add(total, other)
        return total

    return module("dot", dict.fromkeys(("x", "w"), Array(kind, (count,))), definition)


def linear(inputs: int, outputs: int, fused: bool = False) -> Module:
    """One dot product for each output."""
    inner = dot(inputs, fused)
    return module(
        "linear",
        {"x": Array("fp32", (inputs,)), "w": Array("fp32", (outputs, inputs))},
        lambda x, w: call(inner, x.broadcast(outputs, inputs), w, over=(outputs,)),
    )


def numbers(*shape):
    """Some of float32."""
    return np.random.default_rng(7).standard_normal(shape).astype(np.float32)
