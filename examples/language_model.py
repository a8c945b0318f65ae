"""A small language model of LLaMA's architecture: trained here, then run in neurons, token by token.

python -m examples.language_model [--text FILE] [--minutes 10] [--tokens 200] [--weights bfloat16]

It is trained on single characters, from a seed, in PyTorch; the text is that of Python's own help unless
another is given. The model is kept, and found again. Then it writes: every floating-point operation is done
by the neurons of units that are proved, and each token's logits are compared, bit by bit, with those of the
same program in the machine's arithmetic.
"""

from __future__ import annotations

import argparse
import hashlib
import pydoc_data.topics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from spikeproof.specs.programs import Arithmetic
from spikeproof.specs.transformers import Decoder, weights_of

CONTEXT = 128
BATCH = 32
SEED = 23


def decoder_for(vocabulary: int) -> Decoder:
    """The model's shape: some million parameters."""
    return Decoder(
        hidden=128, intermediate=384, layers=5, heads=4, key_heads=2, head=32, vocabulary=vocabulary
    )


# --- training, in PyTorch -------------------------------------------------------------------------


def angles(decoder: Decoder, positions: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines of rotary embeddings, a row for each position."""
    halves = torch.arange(0, decoder.head, 2, dtype=torch.float64) / decoder.head
    turned = torch.outer(torch.arange(positions, dtype=torch.float64), 10_000.0**-halves).repeat(1, 2)
    return turned.cos().float(), turned.sin().float()


class Model(torch.nn.Module):
    """The decoder in PyTorch, over whole sequences, with gradients; parameters by their programs' names."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder
        self.of = torch.nn.ParameterDict()
        for name, array in weights_of(decoder).items():
            scale = 0.02 if len(array.shape) > 1 else 0.0
            drawn = torch.randn(array.shape) * scale + (len(array.shape) == 1)
            self.of[name.replace(".", "/")] = torch.nn.Parameter(drawn)

    def weight(self, name: str) -> torch.Tensor:
        """A parameter."""
        return self.of[name.replace(".", "/")]

    def norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        """Root mean square layer normalization."""
        return self.weight(name) * (
            x * torch.rsqrt(x.square().mean(-1, keepdim=True) + float(self.decoder.epsilon))
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits at every position of a batch of sequences."""
        decoder, (count, length) = self.decoder, tokens.shape
        cosines, sines = angles(decoder, length)
        groups = decoder.heads // decoder.key_heads

        def turned(x: torch.Tensor) -> torch.Tensor:
            first, second = x.chunk(2, -1)
            return x * cosines + torch.cat([-second, first], -1) * sines

        x = self.weight("model.embed_tokens.weight")[tokens]
        for number in range(decoder.layers):
            part = f"model.layers.{number}."
            given = self.norm(x, f"{part}input_layernorm.weight")
            query, key, value = (
                (given @ self.weight(f"{part}self_attn.{which}_proj.weight").T)
                .reshape(count, length, -1, decoder.head)
                .transpose(1, 2)
                for which in "qkv"
            )
            key, value = (each.repeat_interleave(groups, 1) for each in (turned(key), value))
            mixed = torch.nn.functional.scaled_dot_product_attention(
                turned(query), key, value, is_causal=True
            )
            mixed = mixed.transpose(1, 2).reshape(count, length, -1)
            x = x + mixed @ self.weight(f"{part}self_attn.o_proj.weight").T
            given = self.norm(x, f"{part}post_attention_layernorm.weight")
            gate, up = (
                given @ self.weight(f"{part}mlp.{which}_proj.weight").T for which in ("gate", "up")
            )
            x = x + (torch.nn.functional.silu(gate) * up) @ self.weight(f"{part}mlp.down_proj.weight").T
        return self.norm(x, "model.norm.weight") @ self.weight("lm_head.weight").T


def train(decoder: Decoder, tokens: torch.Tensor, minutes: float) -> dict[str, NDArray[np.float32]]:
    """The parameters after so many minutes, from a seed; what is shown is loss in bits a character."""
    torch.manual_seed(SEED)
    model = Model(decoder)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    start, step = time.monotonic(), 0
    while (spent := (time.monotonic() - start) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * min(1, (step + 1) / 50) * (1 - 0.95 * spent)
        places = torch.randint(len(tokens) - CONTEXT - 1, (BATCH, 1)) + torch.arange(CONTEXT + 1)
        batch = tokens[places]
        logits = model(batch[:, :-1])
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        if step % 20 == 0:
            bits = loss.item() / np.log(2)
            print(
                f"\rtraining: {spent:4.0%}, step {step}, {bits:.2f} bits a character", end="", flush=True
            )
    print()
    return {name.replace("/", "."): weight.detach().numpy() for name, weight in model.of.items()}
