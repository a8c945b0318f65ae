"""Layers of language models as programs, against PyTorch's own layers in float64."""

from dataclasses import replace
from functools import partial
from math import prod

import numpy as np
import pytest
import torch

from spikeproof.prover.running.programs import run
from spikeproof.specs.programs import ProgramError
from spikeproof.specs.transformers import (
    DECODERS,
    Decoder,
    argmax,
    attention,
    decoder_of,
    embedding,
    feed_forward,
    gelu,
    gelu_tanh,
    layer_norm,
    rms_norm,
    rotary,
    sample,
    silu,
    softmax,
    step,
    swiglu,
    weights_of,
)
from tests.support.programs import CONFIG

SMALL = Decoder(hidden=16, intermediate=24, layers=2, heads=4, key_heads=2, head=4, vocabulary=11)
OF_QWEN = Decoder(16, 24, 2, 4, 2, 4, 11, 1e-6, tied=True, normed_heads=True)


def drawn(program, seed=0):
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(size=array.shape).astype(np.float32) for name, array in program.inputs.items()
    }


def made(program, given):
    codes = {name: np.asarray(each, np.float32).view(np.uint32) for name, each in given.items()}
    return run(program, codes, by="machine")["result"].view(np.float32)


def tensors(given):
    return {name: torch.from_numpy(np.array(each)).double() for name, each in given.items()}


def rms(x, weight, epsilon=1e-5):
    return torch.nn.functional.rms_norm(x, x.shape[-1:], weight, epsilon)


def turned(x, cosines, sines):
    """Each pair of an element of the first half and one of the second is turned by an angle."""
    half = x.shape[-1] // 2
    low, high = x[..., :half], x[..., half:]
    first = low * cosines[..., :half] - high * sines[..., :half]
    return torch.cat([first, high * cosines[..., half:] + low * sines[..., half:]], -1)


gelu_by_tanh = partial(torch.nn.functional.gelu, approximate="tanh")


def fed_forward(activation, x, up, up_bias, down, down_bias):
    return down @ activation(up @ x + up_bias) + down_bias


DEFINED = {
    "softmax": (softmax(SMALL, 9), lambda x: torch.softmax(x, -1)),
    "softmax by the reciprocal": (
        softmax(SMALL, 9, by_reciprocal=True),
        lambda x: torch.softmax(x, -1),
    ),
    "silu": (silu(SMALL, 9), torch.nn.functional.silu),
    "gelu": (gelu(SMALL, 9), torch.nn.functional.gelu),
    "gelu by tanh": (gelu_tanh(SMALL, 9), gelu_by_tanh),
    "feed forward": (feed_forward(SMALL), partial(fed_forward, torch.nn.functional.gelu)),
    "feed forward by tanh": (
        feed_forward(SMALL, by_tanh=True),
        partial(fed_forward, gelu_by_tanh),
    ),
    "rms_norm": (rms_norm(SMALL, 16), rms),
    "layer_norm": (
        layer_norm(SMALL, 16),
        lambda x, weight, bias: torch.nn.functional.layer_norm(x, (16,), weight, bias, 1e-5),
    ),
    "swiglu": (
        swiglu(SMALL),
        lambda x, gate, up, down: down @ (torch.nn.functional.silu(gate @ x) * (up @ x)),
    ),
    "rotary": (rotary(SMALL), turned),
    "attention": (
        attention(SMALL, 5),
        lambda q, k, v: torch.nn.functional.scaled_dot_product_attention(q[None], k, v)[0],
    ),
}


@pytest.mark.parametrize(("program", "wanted"), DEFINED.values(), ids=DEFINED)
def test_a_layer_is_pytorchs_but_for_rounding(program, wanted):
    given = drawn(program)
    expected = wanted(*tensors(given).values()).numpy()
    assert np.allclose(made(program, given), expected, rtol=1e-4, atol=1e-5)


def of_whole_sequence(decoder, tokens, given):
    """The logits of the last of some tokens, by PyTorch, all positions at once under a causal mask."""
    given, epsilon = tensors(given), float(decoder.epsilon)
    x = given["model.embed_tokens.weight"][tokens]
    count, groups = len(tokens), decoder.heads // decoder.key_heads
    for number in range(decoder.layers):
        part = {
            name.split(".", 3)[3]: each for name, each in given.items() if f"layers.{number}." in name
        }
        seen = rms(x, part["input_layernorm.weight"], epsilon)
        query, key, value = (
            (seen @ part[f"self_attn.{which}_proj.weight"].T).reshape(count, -1, decoder.head)
            for which in "qkv"
        )
        if decoder.normed_heads:
            query = rms(query, part["self_attn.q_norm.weight"], epsilon)
            key = rms(key, part["self_attn.k_norm.weight"], epsilon)
        query, key = (
            turned(each, given["cosines"][:, None], given["sines"][:, None]) for each in (query, key)
        )
        key, value = (each.repeat_interleave(groups, 1) for each in (key, value))
        heads = (each.transpose(0, 1) for each in (query, key, value))
        mixed = torch.nn.functional.scaled_dot_product_attention(*heads, is_causal=True)
        x = x + mixed.transpose(0, 1).reshape(count, -1) @ part["self_attn.o_proj.weight"].T
        seen = rms(x, part["post_attention_layernorm.weight"], epsilon)
        gated = torch.nn.functional.silu(seen @ part["mlp.gate_proj.weight"].T) * (
            seen @ part["mlp.up_proj.weight"].T
        )
        x = x + gated @ part["mlp.down_proj.weight"].T
    last = given["model.embed_tokens.weight" if decoder.tied else "lm_head.weight"]
    return rms(x[-1], given["model.norm.weight"], epsilon) @ last.T


def bits_of(token):
    return np.array([token >> bit & 1 for bit in range(4)], np.uint8)


def test_a_tied_table_stays_in_the_format_of_the_arithmetic():
    program = step(replace(OF_QWEN, weights="bfloat16"), 2)
    kinds = {name: array.kind for name, array in program.inputs.items()}
    assert kinds["model.embed_tokens.weight"] == "fp32"
    assert kinds["model.layers.0.mlp.up_proj.weight"] == "bfloat16"
    assert program.results["logits"].shape == (11,)


@pytest.mark.parametrize("decoder", [SMALL, OF_QWEN], ids=["llama", "qwen3"])
def test_a_decoder_token_by_token_is_pytorchs_under_a_causal_mask(decoder):
    tokens = [7, 0, 10, 3]
    rng = np.random.default_rng(1)
    given = {
        name: rng.normal(size=array.shape).astype(np.float32)
        for name, array in weights_of(decoder).items()
    }
    angles = {name: rng.normal(size=(4, 4)).astype(np.float32) for name in ("cosines", "sines")}
    kept = {name: np.zeros((2, 0, 2, 4), np.uint32) for name in ("key", "value")}
    codes = {name: each.view(np.uint32) for name, each in given.items()}
    for position, token in enumerate(tokens):
        here = {name: each[position].view(np.uint32) for name, each in angles.items()}
        past = {f"past_{name}": each for name, each in kept.items()}
        results = run(
            step(decoder, position + 1), codes | here | past | {"token": bits_of(token)}, by="machine"
        )
        kept = {
            name: np.concatenate([each, results[name][:, None]], axis=1) for name, each in kept.items()
        }
    expected = of_whole_sequence(decoder, tokens, given | angles).numpy()
    assert np.allclose(results["logits"].view(np.float32), expected, rtol=1e-3, atol=1e-4)


def test_every_token_has_its_row():
    program = embedding(SMALL)
    rows = np.arange(11 * 16, dtype=np.uint32).reshape(11, 16)
    for token in range(11):
        found = run(program, {"token": bits_of(token), "weight": rows}, by="machine")["result"]
        assert np.array_equal(found, rows[token])


@pytest.mark.parametrize("ties", [[], [4, 9], [0, 10], [5, 6]])
def test_the_largest_is_found_and_of_several_the_first(ties):
    numbers = np.random.default_rng(2).normal(size=11).astype(np.float32)
    numbers[ties] = 8
    found = run(argmax(SMALL, 11), {"x": numbers.view(np.uint32)}, by="machine")["result"]
    assert found.tolist() == bits_of(int(numbers.argmax())).tolist()


@pytest.mark.parametrize("number", [0.0, 0.2, 0.5, 0.77, 0.999999, 1.0])
def test_a_sample_is_where_the_sum_of_shares_exceeds_the_number(number):
    logits = np.random.default_rng(3).normal(size=11).astype(np.float32)
    sums = torch.softmax(torch.from_numpy(logits).double(), -1).cumsum(-1)
    wanted = min(int((sums <= number).sum()), 10)
    given = {"x": logits.view(np.uint32), "number": np.asarray(np.float32(number)).view(np.uint32)}
    assert run(sample(SMALL, 11), given, by="machine")["result"].tolist() == bits_of(wanted).tolist()


PUBLISHED = {"llama-2-7b": 6_738_415_616, "llama-2-70b": 68_976_648_192, "qwen3-0.6b": 596_049_920}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models_have_the_parameters_that_are_published(name):
    assert sum(prod(array.shape) for array in weights_of(DECODERS[name]).values()) == PUBLISHED[name]


def test_a_configuration_of_hugging_face():
    assert decoder_of(CONFIG) == SMALL
    assert decoder_of(CONFIG | {"head_dim": None}) == SMALL
    qwen = {"model_type": "qwen3", "head_dim": 4, "rms_norm_eps": 1e-06, "tie_word_embeddings": True}
    assert decoder_of(CONFIG | qwen).normed_heads
    with pytest.raises(ProgramError, match="no 'vocab_size'"):
        decoder_of({key: each for key, each in CONFIG.items() if key != "vocab_size"})
    for more, words in (
        ({"hidden_act": "gelu"}, 'hidden_act is "gelu"; only "silu" is defined here'),
        ({"attention_bias": True}, "attention_bias is true; only false is"),
        ({"sliding_window": 16}, "sliding_window is 16; only null is"),
        ({"hidden_size": "64"}, 'hidden_size is "64"; a positive whole number'),
        ({"num_hidden_layers": 0}, "num_hidden_layers is 0"),
    ):
        with pytest.raises(ProgramError, match=words):
            decoder_of(CONFIG | more)
    with pytest.raises(ProgramError, match='"gpt2"'):
        decoder_of(CONFIG | {"model_type": "gpt2"})
    with pytest.raises(ProgramError, match="4 heads"):
        decoder_of(CONFIG | {"num_key_value_heads": 3})
