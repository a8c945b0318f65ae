"""``spikeproof order``: in which order functions of libraries sum."""

import json

import pytest

from spikeproof import RevealedOrder
from spikeproof.specs.orders import in_lanes, sequential
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


def test_threads_and_batches_are_compared(tmp_path):
    files = tmp_path / "orders.json", tmp_path / "orders.svg"
    where = ["--json", files[0], "--drawing", files[1]]
    shape = ["--shape", "1x64x8", "--batches", "1,4", "--threads", "1,2", "--results", 70]
    result = spikeproof("order", "tests.support.sums:by_rows", "--operation", "linear", *shape, *where)
    assert result.returncode == 0, result.stderr
    assert "\nthreads 1 and 2: the same orders\nbatch sizes 1; 4: orders differ\n" in result.stdout
    assert "linear of 4x64x8, fp32, 2 threads\n  as linear of 4x64x8, fp32, 1 thread\n" in result.stdout
    data = json.loads(files[0].read_text())
    assert data["schema"] == "spikeproof-orders-1"
    assert [(each["shape"][0], each["threads"]) for each in data["cases"]] == [
        (1, 1),
        (1, 2),
        (4, 1),
        (4, 2),
    ]
    orders = [RevealedOrder.from_data(each).order for each in data["cases"]]
    assert orders[0] == orders[1] == in_lanes(64, 8)
    assert orders[2] == orders[3] == sequential(64)
    text = files[1].read_text()
    assert "linear of 1x64x8" in text
    assert "linear of 4x64x8" in text


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
        (["nosuch.thing.sum", "--shape", "4"], "nosuch.thing.sum: there is no module nosuch; "),
        (["numpy.pi", "--shape", "4", "--operation", "sum"], "numpy.pi: it is no function"),
        (["numpy.dot", "--shape", "4x4"], "numpy.dot: dot has a shape of TERMS, not 4x4"),
        (["numpy.matmul", "--shape", "4"], "matmul has a shape of ROWSxTERMSxCOLUMNS, not 4"),
        (["numpy.sum", "--shape", "4x4", "--axis", "2"], "sum of 4x4 has no axis 2"),
        (["numpy.sum", "--shape", "4", "--bias"], "sum has no bias"),
        (["numpy.sum", "--shape", "4", "--batches", "1,2"], "sum has no batches"),
        (["numpy.sum", "--shape", "4", "--threads", "1;2"], "'1;2' is no list of numbers"),
        (["numpy.sum", "--shape", "4", "--drawing", "a.gif"], "end its name in .svg, .png, .pdf"),
        (["numpy.sum", "--shape", "4", "--device", "cuda"], "are on no device cuda: ask for tensors"),
        (["torch.sum", "--shape", "4", "--device", "cuda"], "PyTorch has no device 'cuda' here: "),
        (
            ["torch.nn.functional.conv1d", "--shape", "1x4x8x3x9"],
            "conv1d of 1x4x8x3x9 has no results: its kernel is too large",
        ),
        (["numpy.convolve", "--shape", "9"], "convolve has a shape of LENGTHxTERMS, not 9"),
        (["numpy.cumsum", "--shape", "900000"], "of 1 to 16,384 terms are revealed, not of 900,000"),
        (["numpy.sum", "--shape", "20000"], "of 1 to 16,384 terms are revealed, not of 20,000"),
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
