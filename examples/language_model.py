"""A small language model of LLaMA's architecture: trained here, then run in neurons, token by token.

python -m examples.language_model [--text FILE] [--minutes 10] [--tokens 200] [--weights bfloat16]
                                  [--byte-pairs 256]

It is trained on single characters, or on pieces of text that byte pairs make, from a seed, in PyTorch;
the text is that of Python's own help unless another is given. The model is kept, and found again. Then
it writes: every floating-point operation is done by the neurons of units that are proved, and each
token's logits are compared, bit by bit, with those of the same program in the machine's arithmetic.
"""

from __future__ import annotations

import argparse
import hashlib
import pydoc_data.topics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.layers_and_pytorch import distance
from spikeproof.circuits.physics.energy import LOIHI_OPERATION
from spikeproof.circuits.programs.levels import Levels
from spikeproof.prover.running.program_activity import spent
from spikeproof.prover.running.programs import run, size_of, units_of
from spikeproof.specs.programs import Array, Module
from spikeproof.specs.transformers import DECODERS, Decoder, bits_for, block, sample, step, weights_of

CONTEXT = 128
BATCH = 32
SEED = 23


KINDS = {
    "fp32": (torch.float32, torch.int32, np.uint32),
    "bfloat16": (torch.bfloat16, torch.int16, np.uint16),
    "fp8_e4m3fn": (torch.float8_e4m3fn, torch.uint8, np.uint8),
}
"""Of linear layers' weights, which neurons convert to FP32: the types of numbers, and of their codes."""


def decoder_for(vocabulary: int) -> Decoder:
    """The model's shape: some million parameters."""
    return Decoder(
        hidden=128, intermediate=384, layers=5, heads=4, key_heads=2, head=32, vocabulary=vocabulary
    )


def refuse(why: str) -> NoReturn:
    """End with a line on standard error, and exit code 2."""
    print(f"language_model: {why}", file=sys.stderr)
    sys.exit(2)


# --- tokens ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Vocabulary:
    """Pieces of text, of which tokens are the numbers.

    Attributes:
        pieces: single characters in order, then one for each pair.
        pairs: the two tokens that are taken for the next piece, in the order in which they are.
    """

    pieces: list[str]
    pairs: list[tuple[int, int]]

    @classmethod
    def learned(cls, text: str, count: int) -> Vocabulary:
        """The characters of a text, and so many times the pair of tokens that it has most often."""
        found = cls(sorted(set(text)), [])
        tokens = found.tokens(text)
        while len(found.pairs) < count and len(tokens) > 1:
            neighbours, often = np.unique(tokens[:-1] << 32 | tokens[1:], return_counts=True)
            commonest = int(neighbours[often.argmax()])
            pair = commonest >> 32, commonest & (1 << 32) - 1
            tokens = joined(tokens, pair, len(found.pieces))
            found.pairs.append(pair)
            found.pieces.append("".join(found.pieces[token] for token in pair))
        return found

    def tokens(self, text: str) -> NDArray[np.int64]:
        """A text's tokens.

        Raises:
            ValueError: naming a character that there is none for.
        """
        first = len(self.pieces) - len(self.pairs)
        numbers = {character: number for number, character in enumerate(self.pieces[:first])}
        if other := sorted(set(text) - numbers.keys()):
            raise ValueError(f"the text that is learned has no {other[0]!r}")
        found = np.array([numbers[character] for character in text], np.int64)
        for piece, pair in enumerate(self.pairs, first):
            found = joined(found, pair, piece)
        return found


def joined(tokens: NDArray[np.int64], pair: tuple[int, int], piece: int) -> NDArray[np.int64]:
    """Tokens in which a piece stands for every pair, from the left."""
    places = np.flatnonzero((tokens[:-1] == pair[0]) & (tokens[1:] == pair[1]))
    if pair[0] == pair[1]:  # of three alike the first two are one
        run = places - np.arange(len(places))
        places = places[(np.arange(len(places)) - np.searchsorted(run, run)) % 2 == 0]
    found = tokens.copy()
    found[places] = piece
    return np.delete(found, places + 1)


# --- training, in PyTorch -------------------------------------------------------------------------


def angles(decoder: Decoder, positions: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines of rotary embeddings, a row for each position."""
    halves = torch.arange(0, decoder.head, 2, dtype=torch.float64) / decoder.head
    turned = torch.outer(torch.arange(positions, dtype=torch.float64), 10_000.0**-halves).repeat(1, 2)
    return turned.cos().float(), turned.sin().float()


class Model(torch.nn.Module):
    """The decoder in PyTorch, over whole sequences; parameters are named as in programs."""

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
            x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.decoder.epsilon)
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


def train(
    decoder: Decoder, tokens: torch.Tensor, characters: int, minutes: float
) -> dict[str, NDArray[np.float32]]:
    """The parameters after so many minutes, from a seed; what is shown is loss in bits a character.

    Args:
        characters: of the text that the tokens are of.
    """
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
            bits = loss.item() / np.log(2) * len(tokens) / characters
            print(
                f"\rtraining: {spent:4.0%}, step {step}, {bits:.2f} bits a character", end="", flush=True
            )
    print()
    return {name.replace("/", "."): weight.detach().numpy() for name, weight in model.of.items()}


# --- writing, in neurons --------------------------------------------------------------------------


def codes_of(array: Array, parameter: NDArray[np.float32]) -> NDArray[np.unsignedinteger]:
    """A parameter as codes of its format, rounded to nearest by PyTorch."""
    rounded, same_bits, codes = KINDS[array.kind]
    return torch.from_numpy(parameter).to(rounded).view(same_bits).numpy().view(codes)


class Writer:
    """Takes one token after another, and keeps keys and values."""

    def __init__(self, decoder: Decoder, parameters: Mapping[str, NDArray[np.float32]], by: str) -> None:
        self.decoder, self.by, self.levels = decoder, by, Levels(lambda operation: operation)
        self.weights = {
            name: codes_of(array, parameters[name]) for name, array in weights_of(decoder).items()
        }
        empty = np.zeros((decoder.layers, 0, decoder.key_heads, decoder.head), np.uint32)
        self.past = {"past_key": empty, "past_value": empty}

    def logits(self, token: int) -> NDArray[np.uint32]:
        """The codes of the logits of what follows a token."""
        position = self.past["past_key"].shape[1]
        program = self.program(position + 1)
        turned = (each[position].numpy().view(np.uint32) for each in angles(self.decoder, position + 1))
        given = dict(zip(("cosines", "sines"), turned, strict=True)) | self.past | self.weights
        given["token"] = bits_of(token, self.decoder.vocabulary)
        made, self.last = run(program, given, by=self.by), (program, given)
        for name in ("key", "value"):
            own = made[name][:, np.newaxis]
            self.past[f"past_{name}"] = np.concatenate([self.past[f"past_{name}"], own], axis=1)
        return made["logits"]

    def ready(self) -> NDArray[np.uint32]:
        """The logits of what follows the first token, which is forgotten."""
        past, logits = dict(self.past), self.logits(0)
        self.past = past
        return logits

    def program(self, keys: int) -> Module:
        """What it does with a token that sees so many keys: in neurons, of units in levels."""
        spec = step(self.decoder, keys)
        return self.levels.of(spec) if self.by == "neurons" else spec

    def drawn(self, logits: NDArray[np.uint32], number: float) -> int:
        """The next token, as a number from 0 to 1 draws it."""
        spec = sample(self.decoder, self.decoder.vocabulary)
        program = self.levels.of(spec) if self.by == "neurons" else spec
        code = np.float32(number).view(np.uint32)
        bits = run(program, {"x": logits, "number": np.asarray(code)}, by=self.by)["result"]
        return sum(int(bit) << place for place, bit in enumerate(bits))


def bits_of(token: int, vocabulary: int) -> NDArray[np.uint8]:
    """A token's number in bits, the lowest first."""
    return np.array([token >> bit & 1 for bit in range(bits_for(vocabulary))], np.uint8)


def write(
    decoder: Decoder,
    parameters: Mapping[str, NDArray[np.float32]],
    pieces: Sequence[str],
    given: Sequence[int],
    tokens: int,
) -> None:
    """Print what the model writes, by neurons, and compare each token with the machine's."""
    neurons, machine = (Writer(decoder, parameters, by) for by in ("neurons", "machine"))
    random = np.random.default_rng(SEED)
    neurons.drawn(neurons.ready(), 0.0)  # units are built and compiled once, which is not counted
    differ, seconds, processor, token = 0, 0.0, 0.0, given[0]
    print("".join(pieces[each] for each in given), end="", flush=True)
    taken, made = [], []
    for position in range(len(given) + tokens - 1):
        number = random.random()
        start, busy = time.monotonic(), time.process_time()
        logits = neurons.logits(token)
        following = neurons.drawn(logits, number)
        seconds += time.monotonic() - start
        processor += time.process_time() - busy
        expected = machine.logits(token)
        differ += int((logits != expected).sum()) + (following != machine.drawn(expected, number))
        taken.append(token)
        made.append(logits)
        token = given[position + 1] if position + 1 < len(given) else following
        if position + 1 >= len(given):
            print(pieces[token], end="", flush=True)
    count = len(given) + tokens - 1
    print(f"\n\n{count} tokens with the prompt's, {count / seconds:.1f} a second in neurons, ", end="")
    print(f"{processor / count:.2f} s of processors each; ", end="")
    print(f"of {count * (len(pieces) + 1):,} logits and tokens {differ} differ from the machine's")
    ulps = distance(np.stack(made).view(np.float32), by_pytorch(decoder, parameters, taken))
    print(f"of PyTorch's own logits {np.count_nonzero(ulps):,} of {ulps.size:,} differ, by ", end="")
    print(f"{ulps.mean():.3g} ULP on average, {ulps.max():,} at most")
    counted, events = size_of(neurons.last[0]), spent(*neurons.last)
    print(f"the last: {counted.neurons:,} neurons, {counted.depth:,} in sequence; some ", end="")
    spikes, operations = events.spikes, events.operations
    print(f"{spikes.mean:.3g} spikes (standard error {spikes.error:.1g}), ", end="")
    joules = operations.mean * float(LOIHI_OPERATION.value)
    print(f"{operations.mean:.3g} synaptic operations, ", end="")
    print(f"{joules:.3g} J at {LOIHI_OPERATION.symbol} each")


def by_pytorch(
    decoder: Decoder, parameters: Mapping[str, NDArray[np.float32]], tokens: Sequence[int]
) -> NDArray[np.float32]:
    """The logits that PyTorch's own kernels give at each position, of weights rounded alike."""
    model, kept = Model(decoder), weights_of(decoder)
    with torch.no_grad():
        for name, array in kept.items():
            rounded = torch.from_numpy(parameters[name]).to(KINDS[array.kind][0]).float()
            model.weight(name).copy_(rounded)
        found: NDArray[np.float32] = model(torch.tensor([tokens]))[0].numpy()
    return found


def compare_layer(model: str, keys: int = 16) -> None:
    """One block of a published model's shape, of random weights, in neurons and by the machine."""
    decoder = DECODERS[model]
    spec, random = block(decoder, keys), np.random.default_rng(SEED)
    scales = {array: 1 / np.sqrt(array.shape[-1]) for array in spec.inputs.values()}
    given = {
        each: (random.standard_normal(array.shape, np.float32) * np.float32(scales[array])).view(
            np.uint32
        )
        for each, array in spec.inputs.items()
    }
    circuit = Levels(lambda operation: operation).of(spec)
    units_of(circuit)
    seconds, found = [], []
    for program, by in ((circuit, "neurons"), (spec, "machine")):
        start = time.monotonic()
        made = run(program, given, by=by)
        seconds.append(time.monotonic() - start)
        found.append(made)
    neurons, machine = found
    count = sum(each.size for each in machine.values())
    differ = sum(int((neurons[name] != machine[name]).sum()) for name in machine)
    counted = size_of(circuit)
    print(f"a block of {model} for a token that sees {keys} keys: {counted.neurons:,} neurons")
    print(f"{seconds[0]:.1f} s in neurons, {seconds[1]:.1f} s by the machine; ", end="")
    print(f"of {count:,} results {differ} differ")


def text_of(path: Path | None) -> str:
    """What is learned: a file, or Python's own help."""
    if path is None:
        topics = pydoc_data.topics.topics
        return "\n".join(topics[key] for key in sorted(topics))
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"cannot read --text {path}: {getattr(error, 'strerror', None) or 'it is no UTF-8'}")


def parameters_of(path: Path, decoder: Decoder) -> dict[str, NDArray[np.float32]]:
    """The model that is kept in a file."""
    try:
        found = dict(np.load(path, allow_pickle=False))
    except (OSError, ValueError, TypeError, EOFError, BadZipFile):
        refuse(f"--model {path} is no model; name another file, which is then made")
    wanted = {name: array.shape for name, array in weights_of(decoder).items()}
    if {name: each.shape for name, each in found.items()} != wanted or any(
        each.dtype != np.float32 for each in found.values()
    ):
        refuse(f"--model {path} is of another text, or of other --byte-pairs; name another file")
    return found


def main() -> None:
    """Train the model or find it again, and let it write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--text", type=Path, metavar="FILE", help="what to learn; else Python's own help"
    )
    parser.add_argument("--minutes", type=float, default=10, help="how long to train (10)")
    parser.add_argument("--tokens", type=int, default=200, help="how many tokens to write (200)")
    parser.add_argument("--prompt", default="The ", help="what to begin with")
    parser.add_argument(
        "--byte-pairs", type=int, default=0, metavar="N", help="pieces beside single characters (0)"
    )
    parser.add_argument("--weights", choices=KINDS, default="fp32", help="format of the weights (fp32)")
    parser.add_argument(
        "--model", type=Path, default=Path("language_model.npz"), help="where it is kept"
    )
    parser.add_argument("--layer", choices=DECODERS, help="run one block of that shape instead")
    asked = parser.parse_args()
    if asked.layer:
        return compare_layer(asked.layer)
    if not (asked.minutes > 0 and asked.tokens > 0 and asked.byte_pairs >= 0):
        refuse("--minutes and --tokens are positive numbers, and --byte-pairs none below 0")
    text = text_of(asked.text)
    vocabulary = Vocabulary.learned(text, asked.byte_pairs)
    tokens = vocabulary.tokens(text)
    if len(tokens) < CONTEXT + 2:
        refuse(f"--text is of {len(tokens)} tokens; {CONTEXT + 2} are learned from at least")
    try:
        given = vocabulary.tokens(asked.prompt).tolist()
    except ValueError as error:
        refuse(f"--prompt: {error}")
    if not given:
        refuse("--prompt is empty; give it a character at least")
    decoder = decoder_for(len(vocabulary.pieces))
    if asked.model.exists():
        print(f"{asked.model} is there already, and not trained again")
    elif asked.model.suffix != ".npz" or not asked.model.absolute().parent.is_dir():
        refuse(f"--model {asked.model} can't be kept; name a file .npz in a folder that is there")
    else:
        np.savez(asked.model, **train(decoder, torch.from_numpy(tokens), len(text), asked.minutes))
    parameters = parameters_of(asked.model, decoder)
    digest = hashlib.sha256(asked.model.read_bytes()).hexdigest()
    count = sum(each.size for each in parameters.values())
    print(f"model {asked.model}: {count:,} parameters, SHA-256 {digest}\n")
    write(replace(decoder, weights=asked.weights), parameters, vocabulary.pieces, given, asked.tokens)


if __name__ == "__main__":
    main()
