"""``spikeproof model``: counts of a decoder, its certificate, and what is refused."""

import json

import pytest
from click.testing import CliRunner

from spikeproof.prover.commands.model import model
from spikeproof.prover.report import models
from spikeproof.prover.running.programs import size_of
from spikeproof.specs.transformers import decoder_of, step
from tests.support.programs import CONFIG


def shown(tmp_path, *options, config=CONFIG):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    return CliRunner().invoke(model, [str(path), *options])


def test_a_configuration_is_counted_and_certified(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "SAMPLES", 8)
    result = shown(tmp_path, "--keys", "3", "--weights", "bfloat16")
    assert result.exit_code == 0, result.output
    size = size_of(step(decoder_of(CONFIG, weights="bfloat16"), 3))
    assert f"{size.neurons:,} neurons, {size.synapses:,} synapses" in result.output
    assert f"{size.instances['fp32.convert_from_bfloat16.rne']:,}" in result.output
    assert "modules are their definitions" in result.output
    assert result.stderr.splitlines()[-1] == "counting"


REFUSED = {
    "no order": (("--order", "zigzag"), CONFIG, "'zigzag' is no order"),
    "no format": (("--weights", "fp7"), CONFIG, "fp7"),
    "another architecture": ((), CONFIG | {"model_type": "gpt2"}, '"gpt2" is none of llama'),
    "something is missing": ((), {"model_type": "llama"}, "has no 'hidden_size'"),
    "no configuration": ((), [1], "a JSON object is wanted"),
    "no epsilon": ((), CONFIG | {"rms_norm_eps": None}, "rms_norm_eps is null"),
    "a negative epsilon": ((), CONFIG | {"rms_norm_eps": -1e-5}, "a small number is wanted"),
    "tied to a word": ((), CONFIG | {"tie_word_embeddings": "no"}, '"no"; true or false'),
    **{
        f"{key} null": ((), CONFIG | {key: None}, f"config.json: {key} is null; a positive whole number")
        for key in ("vocab_size", "intermediate_size", "num_attention_heads", "num_hidden_layers")
    },
    "a number that is true": ((), CONFIG | {"hidden_size": True}, "hidden_size is true; a positive"),
    "another activation": (
        (),
        CONFIG | {"hidden_act": "gelu"},
        'config.json: hidden_act is "gelu"; only "silu" is defined here',
    ),
    "too many keys": (("--keys", "65537"), CONFIG, "1<=x<=65536"),
}


@pytest.mark.parametrize(("options", "config", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_model_is_refused_in_a_line(tmp_path, options, config, words):
    result = shown(tmp_path, *options, config=config)
    assert result.exit_code == 2
    assert words in result.output


def test_an_unknown_name_is_refused():
    result = CliRunner().invoke(model, ["llama-9"])
    assert result.exit_code == 2
    assert "neither a file nor one of llama-2-7b" in result.output
