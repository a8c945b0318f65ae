"""How far PyTorch's layers are from programs of correctly rounded operations.

python -m benchmarks.layers_and_pytorch
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from spikeproof.prover.running.programs import run
from spikeproof.prover.running.revealed import revealed_order
from spikeproof.specs import layers as linear_layers
from spikeproof.specs import transformers
from spikeproof.specs.orders import Order, pairwise
from spikeproof.specs.products import Dot
from spikeproof.specs.programs import Array, Module, Value, call, module
from spikeproof.specs.transformers import FP32, QWEN3_0_6B

ROWS, TERMS, OUTPUTS, KEYS, HEAD = 256, 1024, 64, 128, 64
SEED = 23

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """A layer, by its definition and by PyTorch.

    Attributes:
        module: of one row.
        function: PyTorch's, of all rows.
        sums: in which order they are taken, in words.
        published: what S2 (arXiv 2601.21279) has for its own circuit: largest and mean.
        shared: the inputs that all rows have in common.
    """

    name: str
    module: Module
    function: Callable[..., torch.Tensor]
    sums: str
    published: str
    shared: frozenset[str] = frozenset()


def layers() -> Iterator[Layer]:
    """Sums in the order of PyTorch's where that can be revealed."""
    revealed = revealed_order("torch.nn.functional.linear", (ROWS, TERMS, OUTPUTS))
    way = Dot(
        revealed.order, ("fp32", "fp32"), "fp32", revealed.fused, from_zero=bool(revealed.from_zero)
    )
    yield Layer(
        f"linear, {TERMS} to {OUTPUTS}",
        linear_layers.linear(way, OUTPUTS, FP32),
        torch.nn.functional.linear,
        "as revealed",
        "4 / 1.20",
        frozenset({"weights"}),
    )
    mean = revealed_order("torch.mean", (ROWS, TERMS), axis=1).order

    def order(terms: int) -> Order:
        return mean if terms == TERMS else pairwise(terms)

    decoder = replace(QWEN3_0_6B, order=order, head=HEAD)
    yield Layer(
        f"RMSNorm of {TERMS}",
        transformers.rms_norm(decoder, TERMS),
        lambda x, weight: weight * (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)),
        "as torch.mean's",
        "1 / 0.30",
        frozenset({"weight"}),
    )
    yield Layer(
        f"LayerNorm of {TERMS}",
        transformers.layer_norm(replace(decoder, epsilon=1e-5), TERMS),
        lambda x, weight, bias: torch.nn.functional.layer_norm(x, (TERMS,), weight, bias),
        "as torch.mean's",
        "",
        frozenset({"weight", "bias"}),
    )
    yield Layer("SiLU", transformers.silu(decoder, TERMS), torch.nn.functional.silu, "none", "11 / 2.10")
    yield Layer("GELU, by erf", transformers.gelu(decoder, TERMS), torch.nn.functional.gelu, "none", "")
    yield Layer(
        "GELU, by tanh",
        transformers.gelu_tanh(decoder, TERMS),
        partial(torch.nn.functional.gelu, approximate="tanh"),
        "none",
        "",
    )
    yield Layer(
        f"softmax of {TERMS}",
        transformers.softmax(decoder, TERMS),
        lambda x: torch.softmax(x, -1),
        "as torch.mean's",
        "6 / 0.80",
    )
    yield Layer(
        f"attention, {KEYS} keys of {HEAD}",
        transformers.attention(decoder, KEYS),
        lambda q, k, v: torch.nn.functional.scaled_dot_product_attention(q[:, None], k, v)[:, 0],
        "pairwise",
        "12 / 1.5",
    )


def of_rows(layer: Layer) -> Module:
    """The module of all rows."""
    one = layer.module
    inputs = {
        name: array if name in layer.shared else Array(array.kind, (ROWS, *array.shape))
        for name, array in one.inputs.items()
    }

    def definition(*values: Value) -> Value:
        wanted = ((ROWS, *array.shape) for array in one.inputs.values())
        rows = (value.broadcast(*shape) for value, shape in zip(values, wanted, strict=True))
        return call(one, *rows, over=(ROWS,))

    return module("rows", inputs, definition)


def distance(found: Floats, expected: Floats) -> NDArray[np.int64]:
    """How many codes lie between, in the order of numbers."""
    codes = (each.view(np.int32).astype(np.int64) for each in (found, expected))
    one, other = (np.where(each < 0, -(each & 0x7FFFFFFF), each) for each in codes)
    found_apart: NDArray[np.int64] = np.abs(one - other)
    return found_apart


def main() -> None:
    """A row of a table for each layer."""
    print("| layer | sums | results | differ | largest ULP | mean ULP | S2 publishes, of its own |")
    print("|---|---|---:|---:|---:|---:|---|")
    random = np.random.default_rng(SEED)
    for layer in layers():
        program = of_rows(layer)
        given = {
            name: random.standard_normal(array.shape, np.float32)
            for name, array in program.inputs.items()
        }
        codes = {name: each.view(np.uint32) for name, each in given.items()}
        expected = run(program, codes, by="machine")["result"].view(np.float32)
        found = layer.function(*map(torch.from_numpy, given.values())).numpy()
        ulps = distance(found, expected)
        cells = f"{ulps.size:,} | {np.count_nonzero(ulps):,} | {ulps.max()} | {ulps.mean():.2g}"
        print(f"| {layer.name} | {layer.sums} | {cells} | {layer.published} |", flush=True)


if __name__ == "__main__":
    main()
