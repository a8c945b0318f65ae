"""The layers of a language model, as programs: each as the papers define it, operation by operation.

Every sum is taken in the order that the decoder's ``order`` gives for so many terms; nothing else is
left open. What is done at each position by itself is a module of one position, and a head's is one of
one head: callers call them over these. A decoder takes one token at a time and is given the keys and
values of those before it; a query sees these and its own: the causal mask is the number of keys.

Sources: A. Vaswani et al., "Attention is all you need", 2017; J. L. Ba et al., "Layer normalization",
2016; D. Hendrycks and K. Gimpel, "Gaussian error linear units", 2016; B. Zhang and R. Sennrich, "Root
mean square layer normalization", 2019; J. Su et al., "RoFormer", 2021; N. Shazeer, "GLU variants improve
transformer", 2020; J. Ainslie et al., "GQA", 2023; H. Touvron et al., "Llama 2", 2023. Parameters have
the names that they have in Hugging Face's checkpoints.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import pi, sqrt
from typing import Any

from spikeproof.specs import exact
from spikeproof.specs.formats import RoundingMode, format_named
from spikeproof.specs.layers import dot, linear
from spikeproof.specs.orders import Order, pairwise
from spikeproof.specs.products import Dot, fused_products
from spikeproof.specs.programs import (
    Arithmetic,
    Array,
    Module,
    ProgramError,
    Value,
    call,
    call_all,
    concatenate,
    module,
    select,
    stack,
)

FP32 = Arithmetic("fp32")

OrderOf = Callable[[int], Order]
"""The order in which so many terms are added."""


@dataclass(frozen=True)
class Decoder:
    """The shape of a decoder of LLaMA's architecture, and how it is computed.

    Attributes:
        hidden: elements of a position's vector.
        intermediate: elements between the linear layers of a feed-forward network.
        layers: how many blocks.
        heads, key_heads: how many heads have queries, and keys; a key's serves ``heads // key_heads``.
        head: elements of a head.
        vocabulary: how many tokens.
        epsilon: what is added to a mean square.
        tied: whether the last layer's weights are the embedding's.
        normed_heads: whether queries and keys are normalised by heads, as Qwen3's are.
        arithmetic: what all is computed in.
        weights: the format of the weights of linear layers.
        order: in which order sums are taken.
        fused: whether products of linear layers and of attention are added without being rounded first.
    """

    hidden: int
    intermediate: int
    layers: int
    heads: int
    key_heads: int
    head: int
    vocabulary: int
    epsilon: float = 1e-5
    tied: bool = False
    normed_heads: bool = False
    arithmetic: Arithmetic = FP32
    weights: str = "fp32"
    order: OrderOf = pairwise
    fused: bool = False

    def __post_init__(self) -> None:
        format_named(self.weights)
        if self.heads % self.key_heads:
            raise ProgramError(f"{self.heads} heads can't share {self.key_heads} heads of keys")
        if self.head % 2:
            raise ProgramError(f"a head of {self.head} elements has no halves to be turned")

    def vector(self, *shape: int) -> Array:
        """An array of its arithmetic."""
        return Array(self.arithmetic.kind, shape)

    def weight(self, outputs: int, inputs: int) -> Array:
        """The weights of a linear layer."""
        return Array(self.weights, (outputs, inputs))

    @cache  # noqa: B019
    def dot(self, terms: int) -> Module:
        """The sum of so many products."""
        return dot(self._way(terms), self.arithmetic)

    @cache  # noqa: B019
    def linear(self, inputs: int, outputs: int) -> Module:
        """A linear layer without bias; of weights in another format, as they are in the arithmetic's."""
        layer = linear(self._way(inputs), outputs, self.arithmetic)
        if self.weights == self.arithmetic.kind:
            return layer

        def definition(x: Value, weights: Value) -> Value:
            return call(layer, x, self.arithmetic(f"convert_from_{self.weights}", weights))

        given = {"x": self.vector(inputs), "weights": self.weight(outputs, inputs)}
        return module(f"{layer.name}_from_{self.weights}", given, definition)

    def _way(self, terms: int) -> Dot:
        order, kind = self.order(terms), self.arithmetic.kind
        fused = fused_products(order, terms) if self.fused else frozenset[int]()
        return Dot(order, (kind, kind), kind, fused)

    def number(self, value: float) -> int:
        """The code of a positive number, rounded to nearest.

        Raises:
            ProgramError: if it is beyond the format's largest.
        """
        fmt, number = format_named(self.arithmetic.kind), Fraction(value)
        rounded = exact.round_magnitude(fmt, RoundingMode.NEAREST_EVEN, 0, number).magnitude
        if rounded > exact.decode(fmt, fmt.largest_finite).rational:
            raise ProgramError(f"{value} is beyond the numbers of {fmt.name}")
        return exact.encode_magnitude(fmt, rounded)

    def count(self, terms: int) -> int:
        """The code of a number of terms.

        Raises:
            ProgramError: if the format does not have that number.
        """
        code, fmt = self.number(terms), format_named(self.arithmetic.kind)
        if exact.decode(fmt, code).rational != terms:
            raise ProgramError(f"{fmt.name} has no number {terms}, which a mean is divided by")
        return code

    def total(self, terms: Value) -> Value:
        """The sum of an array's places."""
        return self.order(len(terms)).evaluate(list(terms), self.arithmetic.add)

    def mean(self, terms: Value) -> Value:
        """Their sum, divided by how many they are."""
        count = terms.draft.constant(terms.array.kind, self.count(len(terms)))
        return self.arithmetic.divide(self.total(terms), count)


LLAMA_2_7B = Decoder(4096, 11008, 32, 32, 32, 128, 32000)
LLAMA_2_70B = Decoder(8192, 28672, 80, 64, 8, 128, 32000)
QWEN3_0_6B = Decoder(1024, 3072, 28, 16, 8, 128, 151936, 1e-6, tied=True, normed_heads=True)

DECODERS = {"llama-2-7b": LLAMA_2_7B, "llama-2-70b": LLAMA_2_70B, "qwen3-0.6b": QWEN3_0_6B}
"""Published ones, by name."""

WORDS = {name.replace(".", "_"): each for name, each in DECODERS.items()}
"""The same, by names without dots, as in names of theorems."""


ONLY = {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False, "sliding_window": None}
"""What a configuration may say of these, if anything."""

NUMBERS = {
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "vocab_size",
}
"""What are numbers of something."""

LEFT_OPEN = {"num_key_value_heads", "head_dim"}
"""Those that may be null, as if they were not there."""

TYPES = ("llama", "mistral", "qwen3")
"""The model types of LLaMA's architecture."""


def decoder_of(config: Mapping[str, Any], **how: Any) -> Decoder:
    """The decoder of a ``config.json`` of Hugging Face.

    Angles of positions are inputs, whatever the configuration says of them.

    Args:
        how: other attributes: ``arithmetic``, ``weights``, ``order``.

    Raises:
        ProgramError: if it is none of these, or something is missing or no number; one line.
    """
    kind = config.get("model_type")
    if kind not in TYPES:
        raise ProgramError(f"a model of type {_shown(kind)} is none of {', '.join(TYPES)}")
    for key, only in ONLY.items():
        if config.get(key, only) != only and not (
            key == "sliding_window" and not config.get("use_sliding_window", True)
        ):
            raise ProgramError(f"{key} is {_shown(config[key])}; only {_shown(only)} is defined here")
    for key in sorted(NUMBERS & config.keys()):
        number = config[key]
        if (number is not None or key not in LEFT_OPEN) and (type(number) is not int or number < 1):
            raise ProgramError(f"{key} is {_shown(number)}; a positive whole number is wanted")
    epsilon = config.get("rms_norm_eps", 0)
    if type(epsilon) not in (int, float) or not 0 <= epsilon < 1:
        raise ProgramError(f"rms_norm_eps is {_shown(epsilon)}; a small number is wanted")
    if type(config.get("tie_word_embeddings", False)) is not bool:
        tied = _shown(config["tie_word_embeddings"])
        raise ProgramError(f"tie_word_embeddings is {tied}; true or false is wanted")
    try:
        hidden, heads = config["hidden_size"], config["num_attention_heads"]
        return Decoder(
            hidden,
            config["intermediate_size"],
            config["num_hidden_layers"],
            heads,
            config.get("num_key_value_heads") or heads,
            config.get("head_dim") or hidden // heads,
            config["vocab_size"],
            config["rms_norm_eps"],
            config.get("tie_word_embeddings", False),
            kind == "qwen3",
            **how,
        )
    except KeyError as missing:
        raise ProgramError(f"the configuration has no {missing}") from missing


def _shown(found: object) -> str:
    """As the file has it."""
    return json.dumps(found, default=repr)


# --- layers -------------------------------------------------------------------------------------


@cache
def softmax(decoder: Decoder, terms: int, by_reciprocal: bool = False) -> Module:
    """exp(x_i - max x) / sum of exp(x_j - max x); or times the reciprocal of that sum."""
    f = decoder.arithmetic

    def definition(x: Value) -> Value:
        largest = pairwise(terms).evaluate(list(x), lambda a, b: f.exactly("maximum", a, b))
        powers = f("exp", f.subtract(x, largest))
        total = decoder.total(powers)
        return f.multiply(powers, f("reciprocal", total)) if by_reciprocal else f.divide(powers, total)

    name = "softmax_by_reciprocal" if by_reciprocal else "softmax"
    return module(f"{name}_{terms}", {"x": decoder.vector(terms)}, definition)


@cache
def rms_norm(decoder: Decoder, terms: int) -> Module:
    """x / sqrt(mean x^2 + epsilon), times a weight."""
    f = decoder.arithmetic

    def definition(x: Value, weight: Value) -> Value:
        squares = decoder.mean(f.multiply(x, x))
        epsilon = x.draft.constant(f.kind, decoder.number(decoder.epsilon))
        return f.multiply(weight, f.multiply(x, f("rsqrt", f.add(squares, epsilon))))

    vector = decoder.vector(terms)
    return module(f"rms_norm_{terms}", {"x": vector, "weight": vector}, definition)


@cache
def layer_norm(decoder: Decoder, terms: int) -> Module:
    """(x - mean x) / sqrt(mean (x - mean x)^2 + epsilon), times a weight, plus a bias."""
    f = decoder.arithmetic

    def definition(x: Value, weight: Value, bias: Value) -> Value:
        centred = f.subtract(x, decoder.mean(x))
        variance = decoder.mean(f.multiply(centred, centred))
        epsilon = x.draft.constant(f.kind, decoder.number(decoder.epsilon))
        return f.add(f.multiply(f.multiply(centred, f("rsqrt", f.add(variance, epsilon))), weight), bias)

    vector = decoder.vector(terms)
    return module(f"layer_norm_{terms}", {"x": vector, "weight": vector, "bias": vector}, definition)


@cache
def silu(decoder: Decoder, terms: int) -> Module:
    """x / (1 + exp(-x)) of each term, rounded once."""
    inputs = {"x": decoder.vector(terms)}
    return module(f"silu_{terms}", inputs, lambda x: decoder.arithmetic("silu", x))


@cache
def gelu(decoder: Decoder, terms: int) -> Module:
    """x/2 (1 + erf(x sqrt 1/2)) of each term."""
    f, root = decoder.arithmetic, decoder.number(sqrt(0.5))

    def definition(x: Value) -> Value:
        half, one = (x.draft.constant(f.kind, decoder.number(each)) for each in (0.5, 1))
        error = f("erf", f.multiply(x, x.draft.constant(f.kind, root)))
        return f.multiply(f.multiply(x, half), f.add(one, error))

    return module(f"gelu_{terms}", {"x": decoder.vector(terms)}, definition)


@cache
def gelu_tanh(decoder: Decoder, terms: int) -> Module:
    """x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) of each term."""
    f = decoder.arithmetic

    def definition(x: Value) -> Value:
        half, one, root, cubic = (
            x.draft.constant(f.kind, decoder.number(each)) for each in (0.5, 1, sqrt(2 / pi), 0.044715)
        )
        cube = f.multiply(f.multiply(x, x), x)
        inner = f.multiply(root, f.add(x, f.multiply(cubic, cube)))
        return f.multiply(f.multiply(half, x), f.add(one, f("tanh", inner)))

    return module(f"gelu_tanh_{terms}", {"x": decoder.vector(terms)}, definition)


@cache
def feed_forward(decoder: Decoder, by_tanh: bool = False) -> Module:
    """down(gelu(up x + bias)) + bias."""
    f, hidden, between = decoder.arithmetic, decoder.hidden, decoder.intermediate
    widen, narrow = decoder.linear(hidden, between), decoder.linear(between, hidden)
    activation = (gelu_tanh if by_tanh else gelu)(decoder, between)

    def definition(x: Value, up: Value, up_bias: Value, down: Value, down_bias: Value) -> Value:
        widened = call(activation, f.add(call(widen, x, up), up_bias))
        return f.add(call(narrow, widened, down), down_bias)

    inputs = {
        "x": decoder.vector(hidden),
        "up.weight": decoder.weight(between, hidden),
        "up.bias": decoder.vector(between),
        "down.weight": decoder.weight(hidden, between),
        "down.bias": decoder.vector(hidden),
    }
    return module("feed_forward_tanh" if by_tanh else "feed_forward", inputs, definition)


@cache
def swiglu(decoder: Decoder) -> Module:
    """down(silu(gate x) * up x)."""
    f, hidden, between = decoder.arithmetic, decoder.hidden, decoder.intermediate
    widen, narrow = decoder.linear(hidden, between), decoder.linear(between, hidden)

    def definition(x: Value, gate: Value, up: Value, down: Value) -> Value:
        gated = f.multiply(f("silu", call(widen, x, gate)), call(widen, x, up))
        return call(narrow, gated, down)

    return module("swiglu", {"x": decoder.vector(hidden)} | _feed_forward_weights(decoder), definition)


def _feed_forward_weights(decoder: Decoder) -> dict[str, Array]:
    wide = decoder.weight(decoder.intermediate, decoder.hidden)
    return {
        "mlp.gate_proj.weight": wide,
        "mlp.up_proj.weight": wide,
        "mlp.down_proj.weight": decoder.weight(decoder.hidden, decoder.intermediate),
    }


@cache
def rotary(decoder: Decoder) -> Module:
    """x cos + (minus the second half of x, then the first) sin: of a head, for a position's angles."""
    f, half = decoder.arithmetic, decoder.head // 2

    def definition(x: Value, cosines: Value, sines: Value) -> Value:
        turned = concatenate([f.exactly("negate", x[half:]), x[:half]])
        return f.add(f.multiply(x, cosines), f.multiply(turned, sines))

    vector = decoder.vector(decoder.head)
    return module("rotary", {"x": vector, "cosines": vector, "sines": vector}, definition)


@cache
def attention(decoder: Decoder, keys: int) -> Module:
    """sum of softmax(q . k_t / sqrt(head)) v_t: of a head, for a query that sees so many keys."""
    f, head = decoder.arithmetic, decoder.head
    score, weigh = decoder.dot(head), decoder.dot(keys)

    def definition(query: Value, key: Value, value: Value) -> Value:
        products = call(score, query.broadcast(keys, head), key, over=(keys,))
        root = f("square_root", query.draft.constant(f.kind, decoder.number(head)))
        shares = call(softmax(decoder, keys), f.divide(products, root))
        return call(weigh, shares.broadcast(head, keys), value.transpose(1, 0), over=(head,))

    kept = decoder.vector(keys, head)
    return module("attention", {"query": decoder.vector(head), "key": kept, "value": kept}, definition)


def _of_heads(each: Module, x: Value, *shared: Value) -> Value:
    """A module called for each head, with what all have in common."""
    same = (value.broadcast(*x.shape) for value in shared)
    result: Value = call(each, x, *same, over=(len(x),))
    return result


@cache
def self_attention(decoder: Decoder, keys: int) -> Module:
    """Attention of a position's vector to those before it and itself, of all heads, with rotary angles.

    Gives the result, and the position's own keys and values.
    """
    heads, groups, head = decoder.heads, decoder.key_heads, decoder.head
    serving = [number // (heads // groups) for number in range(heads)]

    def definition(x, cosines, sines, past_key, past_value, *weights):  # type: ignore[no-untyped-def]
        *projections, back = weights[:4]
        query, key, value = (
            call(decoder.linear(decoder.hidden, count * head), x, weight).reshape(count, head)
            for count, weight in zip((heads, groups, groups), projections, strict=True)
        )
        if decoder.normed_heads:
            norms = zip((query, key), weights[4:], strict=True)
            query, key = (_of_heads(rms_norm(decoder, head), *each) for each in norms)
        query, key = (_of_heads(rotary(decoder), each, cosines, sines) for each in (query, key))
        seen = (
            concatenate([past, own.reshape(1, *own.shape)]).transpose(1, 0, 2).take(serving)
            for past, own in ((past_key, key), (past_value, value))
        )
        attended = call(attention(decoder, keys), query, *seen, over=(heads,))
        out = call(decoder.linear(heads * head, decoder.hidden), attended.reshape(heads * head), back)
        return {"result": out, "key": key, "value": value}

    past = decoder.vector(keys - 1, groups, head)
    inputs = {
        "x": decoder.vector(decoder.hidden),
        "cosines": decoder.vector(head),
        "sines": decoder.vector(head),
    }
    inputs |= {"past_key": past, "past_value": past} | _attention_weights(decoder)
    return module("self_attention", inputs, definition)


def _attention_weights(decoder: Decoder) -> dict[str, Array]:
    queries, keys = decoder.heads * decoder.head, decoder.key_heads * decoder.head
    weights = {
        "self_attn.q_proj.weight": decoder.weight(queries, decoder.hidden),
        "self_attn.k_proj.weight": decoder.weight(keys, decoder.hidden),
        "self_attn.v_proj.weight": decoder.weight(keys, decoder.hidden),
        "self_attn.o_proj.weight": decoder.weight(decoder.hidden, queries),
    }
    if decoder.normed_heads:
        weights["self_attn.q_norm.weight"] = weights["self_attn.k_norm.weight"] = decoder.vector(
            decoder.head
        )
    return weights


@cache
def block(decoder: Decoder, keys: int) -> Module:
    """x + attention(norm x), and to that what the feed-forward network makes of its norm."""
    f, hidden = decoder.arithmetic, decoder.hidden
    norm, attend, forward = rms_norm(decoder, hidden), self_attention(decoder, keys), swiglu(decoder)
    own = len(_attention_weights(decoder))

    def definition(x, cosines, sines, past_key, past_value, before, after, *weights):  # type: ignore[no-untyped-def]
        attended, key, value = call_all(
            attend, call(norm, x, before), cosines, sines, past_key, past_value, *weights[:own]
        )
        x = f.add(x, attended)
        return {
            "result": f.add(x, call(forward, call(norm, x, after), *weights[own:])),
            "key": key,
            "value": value,
        }

    inputs = {name: attend.inputs[name] for name in ("x", "cosines", "sines", "past_key", "past_value")}
    return module("block", inputs | block_weights(decoder), definition)


def block_weights(decoder: Decoder) -> dict[str, Array]:
    """The parameters of a block."""
    norms = dict.fromkeys(
        ("input_layernorm.weight", "post_attention_layernorm.weight"), decoder.vector(decoder.hidden)
    )
    return norms | _attention_weights(decoder) | _feed_forward_weights(decoder)


# --- tokens -------------------------------------------------------------------------------------


def bits_for(count: int) -> int:
    """How many bits tell so many tokens apart."""
    return max(count - 1, 1).bit_length()


@cache
def embedding(decoder: Decoder) -> Module:
    """The row of a token: a tree of multiplexers, over the bits of its number, the lowest first.

    Beyond the last token it is some row.
    """
    bits = bits_for(decoder.vocabulary)

    def definition(token: Value, rows: Value) -> Value:
        for bit in token:
            odd = select(bit, rows[1::2], rows[: len(rows) & ~1 : 2])
            rows = concatenate([odd, rows[len(rows) & ~1 :]])
        return rows[0]

    inputs = {
        "token": Array("bit", (bits,)),
        "weight": decoder.vector(decoder.vocabulary, decoder.hidden),
    }
    return module("embedding", inputs, definition)


@cache
def argmax(decoder: Decoder, terms: int) -> Module:
    """The place of the largest, in bits, the lowest first; of several the first. None may be NaN."""
    f, bits = decoder.arithmetic, bits_for(terms)

    def definition(x: Value) -> Value:
        places = x.draft.constant(
            "bit", [[place >> bit & 1 for bit in range(bits)] for place in range(terms)]
        )
        while len(x) > 1:
            even = len(x) & ~1
            greater = f.holds("greater", x[1:even:2], x[:even:2])
            bigger = select(greater, x[1:even:2], x[:even:2])
            of_each = greater.reshape(len(greater), 1).broadcast(len(greater), bits)
            place = select(of_each, places[1:even:2], places[:even:2])
            x, places = concatenate([bigger, x[even:]]), concatenate([place, places[even:]])
        return places[0]

    return module("argmax", {"x": decoder.vector(terms)}, definition)


@cache
def sample(decoder: Decoder, terms: int) -> Module:
    """The first place at which the sum of shares, in sequence, exceeds a given number; else the last.

    Shares are the softmax of logits; a uniform number from 0 to 1 draws as they say.
    """
    f, bits = decoder.arithmetic, bits_for(terms)

    def definition(x: Value, number: Value) -> Value:
        shares = list(call(softmax(decoder, terms), x))
        places = list(
            x.draft.constant(
                "bit", [[place >> bit & 1 for bit in range(bits)] for place in range(terms)]
            )
        )
        sums = [shares[0]]
        for share in shares[1:-1]:
            sums.append(f.add(sums[-1], share))
        found = places[-1]
        for so_far, place in zip(reversed(sums), reversed(places[:-1]), strict=True):
            found = select(f.holds("greater", so_far, number), place, found)
        return found

    return module("sample", {"x": decoder.vector(terms), "number": decoder.vector()}, definition)


def step(decoder: Decoder, keys: int) -> Module:
    """The logits of what follows a token that sees so many keys, its own among them.

    Gives ``logits``, and each layer's own ``key`` and ``value``, to be kept behind those before.
    """
    parts, count = list(block_weights(decoder)), decoder.layers

    def definition(token, cosines, sines, past_key, past_value, table, norm, *weights):  # type: ignore[no-untyped-def]
        x, own = call(embedding(decoder), token, table), []
        one = block(decoder, keys)
        for number in range(count):
            given = weights[number * len(parts) : (number + 1) * len(parts)]
            x, *kept = call_all(one, x, cosines, sines, past_key[number], past_value[number], *given)
            own.append(kept)
        x = call(rms_norm(decoder, decoder.hidden), x, norm)
        if decoder.tied:  # the table is in the arithmetic's format, whatever other weights are in
            last, table_of = replace(decoder, weights=decoder.arithmetic.kind), table
        else:
            last, table_of = decoder, weights[-1]
        logits = call(last.linear(decoder.hidden, decoder.vocabulary), x, table_of)
        key, value = (stack(each) for each in zip(*own, strict=True))
        return {"logits": logits, "key": key, "value": value}

    head = decoder.vector(decoder.head)
    past = decoder.vector(count, keys - 1, decoder.key_heads, decoder.head)
    inputs = {"token": Array("bit", (bits_for(decoder.vocabulary),)), "cosines": head, "sines": head}
    return module(
        "step", inputs | {"past_key": past, "past_value": past} | weights_of(decoder), definition
    )


def weights_of(decoder: Decoder) -> dict[str, Array]:
    """The parameters of a decoder, by name."""
    weights = {
        "model.embed_tokens.weight": decoder.vector(decoder.vocabulary, decoder.hidden),
        "model.norm.weight": decoder.vector(decoder.hidden),
    }
    for number in range(decoder.layers):
        for name, array in block_weights(decoder).items():
            weights[f"model.layers.{number}.{name}"] = array
    if not decoder.tied:
        weights["lm_head.weight"] = decoder.weight(decoder.vocabulary, decoder.hidden)
    return weights
