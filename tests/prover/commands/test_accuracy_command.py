"""``spikeproof accuracy``: which functions of libraries are correctly rounded."""

import json

import pytest

from tests.support.command_line import spikeproof


def test_a_function_of_half_precision_is_compared_on_every_input():
    names = "torch.exp", "numpy.reciprocal", "numpy.exp"
    result = spikeproof("accuracy", *names, "--format", "fp16", "--json", "-")
    data = json.loads(result.stdout)
    assert [each["name"] for each in data["functions"]] == [*names]
    _, reciprocal, exp = data["functions"]
    assert (reciprocal["function"], reciprocal["inputs"], reciprocal["wrong"]) == (
        "reciprocal",
        65536,
        0,
    )
    assert exp["every_input"]
    assert exp["wrong"] == sum(exp["by_ulps"].values()) + exp["other_kind"]
    assert result.returncode == (1 if exp["wrong"] else 0)
    assert "function" in result.stderr


def test_a_part_of_single_precision():
    result = spikeproof("accuracy", "libm.expf", "--every", "5000011")
    assert result.returncode in (0, 1), result.stderr
    assert "one input of 5,000,011" in result.stdout
    assert "libm.expf" in result.stdout


def test_functions_of_two_operands():
    names = "numpy.hypot", "torch.fmod", "numpy.arctan2"
    result = spikeproof("accuracy", *names, "--format", "fp16", "--every", "40000003", "--json", "-")
    data = json.loads(result.stdout)["functions"]
    assert [each["function"] for each in data] == ["hypot", "truncated_remainder", "atan2"]
    assert [each["inputs"] for each in data] == [108] * 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a function, such as torch.exp"),
        (["numpy.cosh"], "what numpy.cosh computes is not clear; say --function, one of exp,"),
        (["numpy.nothing"], "numpy.nothing cannot be had: there is no nothing in numpy"),
        (["numpy.hypo"], "numpy.hypo cannot be had: there is no hypo in numpy; did you mean hypot?"),
        (["numpy.exp", "--format", "bfloat16"], "NumPy has no bfloat16"),
        (["numpy.exp", "--every", "0"], "--every"),
        (["numpy.hypot"], "hypot is tried on all pairs of numbers of fp16; say --format fp16"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(arguments, said):
    result = spikeproof("accuracy", *arguments)
    assert result.returncode == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
