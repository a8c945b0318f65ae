"""What was found of an order, as it is kept and built upon."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import spikeproof
from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.running.accumulations import Scaling, accumulated
from spikeproof.specs.formats import FP16, FP32
from spikeproof.specs.orders import reversed_sequence, sequential
from tests.support import sums


def test_all_that_a_circuit_needs():
    found = spikeproof.revealed_order(
        sums.linear_bias_first, (2, 9, 2), operation="linear", bias=True, results=70
    )
    assert found.holds
    assert found.order.additions[0] == (0, found.bias) == (0, 9)
    assert (found.products, found.fused) == (9, frozenset(range(9)))
    assert (found.operand, found.accumulator, found.result) == (FP32, FP32, FP32)
    assert (found.from_zero, found.flushes, found.wide) == (False, False, frozenset())
    assert found.scaling is Scaling.NONE
    assert found.asked.name == "tests.support.sums.linear_bias_first"


def test_formats():
    found = spikeproof.revealed_order(sums.widely, (9,), operation="sum", fmt=FP16, results=70)
    assert (found.operand, found.accumulator, found.result) == (FP16, FP32, FP16)
    assert (found.order, found.products, found.bias) == (sequential(9), 0, None)


def test_a_record_is_read_back(tmp_path):
    found = spikeproof.revealed_order("torch.nn.functional.linear", (2, 24, 3), bias=True, results=70)
    assert spikeproof.RevealedOrder.from_json(found.to_json()) == found
    assert found.asked.threads
    path = tmp_path / "order.json"
    path.write_text(found.to_json())
    assert spikeproof.RevealedOrder.from_json(path) == found
    data = json.loads(found.to_json())
    assert data["version"].startswith("torch ")
    assert {each.partition(" ")[0] for each in data["libraries"]} >= {"python", "numpy", "torch"}
    assert (data["device"], data["shape"], data["threads"] > 0) == ("cpu", [2, 24, 3], True)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("{}", "no record of an order"),
        ('{"schema": "spikeproof-order-1"}', "is damaged: KeyError"),
        ('{"schema": "spikeproof-log-1"}', "its schema is not 'spikeproof-order-1'"),
    ],
)
def test_what_is_no_record_is_refused(record, said):
    with pytest.raises(ValueError, match=said):
        spikeproof.RevealedOrder.from_json(record)


def test_a_record_of_no_tree_is_refused():
    found = spikeproof.revealed_order(np.sum, (4,), results=70)
    data = found.as_data()
    data["orders"][0]["additions"][0] = [0, 0]
    with pytest.raises(ValueError, match="no tree"):
        spikeproof.RevealedOrder.from_data(data)


def test_several_orders_are_no_single_one():
    found = spikeproof.revealed_order(sums.two_orders, (2, 9, 3), operation="matmul", results=70)
    with pytest.raises(StatementError, match="are summed in 2 orders"):
        _ = found.order


def test_threads():
    before = torch.get_num_threads()
    found = spikeproof.revealed_order(torch.sum, (100,), threads=1, results=70)
    assert (found.asked.threads, found.finding.machine.threads) == (1, 1)
    assert torch.get_num_threads() == before
    named = spikeproof.revealed_order(
        "tests.support.sums:with_three_threads", (9,), operation="sum", threads=3, results=70
    )
    assert named.finding.machine.threads == 3
    with pytest.raises(StatementError, match="give the function by its name"):
        spikeproof.revealed_order(np.sum, (4,), threads=7)


def test_devices_that_are_not_there():
    with pytest.raises(StatementError, match="PyTorch has no device 'cuda:7' here: "):
        spikeproof.revealed_order(torch.sum, (4,), device="cuda:7")
    with pytest.raises(StatementError, match="PyTorch has no device 'meta' here: "):
        spikeproof.revealed_order(torch.sum, (4,), device="meta")
    with pytest.raises(StatementError, match="arrays of NumPy are on no device cuda"):
        spikeproof.revealed_order(np.sum, (4,), device="cuda")


def test_a_device_to_which_arguments_are_brought():
    """No other computes here than the processor, by another name."""
    found = spikeproof.revealed_order(torch.nn.functional.linear, (2, 9, 3), device="cpu:0", results=70)
    assert found.holds
    assert found.finding.machine.device == "cpu:0"


def test_the_order_of_a_mean_is_that_of_rms_norm():
    """As docs/order.md says: all steps but this mean are functions of single numbers."""
    terms, rows = 200, 16
    found = spikeproof.revealed_order("torch.mean", (rows, terms), axis=1, results=700)
    assert found.holds
    x = np.random.default_rng(1).standard_normal((rows, terms)).astype(np.float32)
    means = accumulated(found.way, FP32, FP32, ((x * x).T,), None)
    eps = np.float32(np.finfo(np.float32).eps)
    roots = torch.rsqrt(torch.from_numpy(means + eps)).numpy()
    given = torch.nn.functional.rms_norm(torch.from_numpy(x), (terms,)).numpy()
    assert np.array_equal(x * roots[:, None], given)
    other = replace(found.way, order=reversed_sequence(terms))
    assert not np.array_equal(accumulated(other, FP32, FP32, ((x * x).T,), None), means)
