"""``spikeproof order``: in which order functions of libraries sum."""

import json

import pytest

from tests.support.command_line import spikeproof

KAHAN = """
def kahan(numbers):
    total = lost = numbers[0] * 0
    for each in numbers:
        corrected = each - lost
        new = total + corrected
        total, lost = new, (new - total) - corrected
    return total
"""


def test_a_sum_is_revealed_tested_and_recorded():
    result = spikeproof("order", "numpy.sum", "--shape", "20x9", "--axis", "0", "--json", "-")
    assert result.returncode == 0, result.stderr
    data = json.loads(result.stdout)
    assert data["schema"] == "spikeproof-order-1"
    assert (data["function"], data["operation"], data["shape"], data["axis"]) == (
        "numpy.sum",
        "sum",
        [20, 9],
        0,
    )
    assert data["version"].startswith("numpy ")
    assert data["processor"]
    assert sum(data["compared"].values()) >= 10_000
    assert sum(data["differing"].values()) == 0
    (order,) = data["orders"]
    assert (order["results"], len(order["additions"])) == (9, 19)
    assert order["in_words"][0] == "order: one after another"
    assert "each result:\n  order: one after another\n" in result.stderr


def test_a_function_of_ones_own_that_adds_in_no_order(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(KAHAN)
    result = spikeproof("order", f"{path}:kahan", "--operation", "sum", "--shape", "20", "--results", 70)
    assert result.returncode == 1, result.stderr
    assert "this is not how it sums, or it adds in no order: " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["numpy.sum"], "Missing option '--shape'"),
        (["numpy.sum", "--shape", "4x"], "'4x' is no shape; one is 1000, or 4x64x16"),
        (["numpy.cumprod", "--shape", "4"], "what numpy.cumprod computes is not clear; say --operation"),
        (
            ["numpy.nothing", "--shape", "4", "--operation", "sum"],
            "numpy.nothing: there is no nothing in numpy",
        ),
        (["numpy.pi", "--shape", "4", "--operation", "sum"], "numpy.pi: it is no function"),
        (["numpy.dot", "--shape", "4x4"], "numpy.dot: dot has a shape of TERMS, not 4x4"),
        (["numpy.matmul", "--shape", "4"], "matmul has a shape of ROWSxTERMSxCOLUMNS, not 4"),
        (["numpy.sum", "--shape", "4x4", "--axis", "2"], "sum of 4x4 has no axis 2"),
        (["numpy.sum", "--shape", "4", "--bias"], "sum has no bias"),
        (["numpy.sum", "--shape", "5000"], "orders of 1 to 4,096 terms are revealed, not of 5,000"),
        (["numpy.sum", "--shape", "4", "--format", "bfloat16"], "NumPy has no bfloat16"),
        (
            ["numpy.cumsum", "--shape", "4", "--operation", "sum"],
            "it gives results of shape 4, not one number",
        ),
        (["math.fsum", "--shape", "9", "--operation", "sum"], "math.fsum: it adds in no order: term 0"),
        (
            ["tests.support.sums:exactly", "--shape", "9", "--operation", "sum"],
            "it adds in no order: term 0",
        ),
        (
            ["tests.support.sums:fails", "--shape", "9", "--operation", "sum"],
            "RuntimeError: no such luck",
        ),
        (
            ["tests.support.sums:leaves", "--shape", "9", "--operation", "sum"],
            "it ends Python with code 3",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(arguments, said):
    result = spikeproof("order", *arguments)
    assert result.returncode == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
