"""Training in neurons beside the same in PyTorch: all equal, bit by bit, or where it first is not."""

import sys
from functools import cache
from itertools import islice

import pytest
import torch
from torch.nn.functional import linear

from examples import straight_through as example
from spikeproof.api import straight_through
from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.running.revealed import revealed_order
from spikeproof.specs.orders import sequential
from spikeproof.specs.products import Dot
from tests.support.profile import NIGHTLY

ADAM = example.OPTIMISERS["Adam"]


@pytest.fixture(autouse=True)
def one_thread():
    """Others would wait for each other where tests run side by side."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def orders_of(layer, *rows):
    """The kernel's, by the number of rows."""
    found = {each: example.revealed(each, layer) for each in rows}
    if any(len(each.finding.found) > 1 for each in found.values()):
        pytest.skip("on this machine the results of one call have several orders")
    return found


def in_neurons(*rows):
    return example.in_neurons(example.model(), lambda layer: orders_of(layer, *rows))


def compared(spiking, steps, optimiser=ADAM, leftover=0):
    given = islice(example.batches(leftover), steps)
    return example.compared(example.model(), spiking, optimiser, given)


@pytest.mark.parametrize("optimiser", example.OPTIMISERS.values(), ids=example.OPTIMISERS)
def test_many_steps_are_pytorchs(optimiser):
    steps = 200 if NIGHTLY else 60
    found = compared(in_neurons(example.ROWS), steps, optimiser)
    assert found.first == ""
    assert found.differing == 0
    assert found.compared["results"] == steps * 16 * (32 + 16)
    assert found.compared["gradients"] == found.compared["weights"] == steps * 2608
    assert found.losses[-1] < found.losses[0] / (5 if NIGHTLY else 2)
    assert not torch.equal(found.weights, example.all_weights(example.model()))


def test_a_batch_of_another_size_departs_unless_its_order_is_given():
    ordinary, rows, left = example.model(), example.ROWS, example.FEW
    orders = orders_of(ordinary[0], rows, left)
    if orders[rows].way == orders[left].way:
        pytest.skip("on this machine both sizes have one order")
    late = example.EPOCH + 1
    anyhow = example.in_neurons(ordinary, lambda layer: orders_of(layer, rows)[rows])
    found = compared(anyhow, late, leftover=left)
    assert found.first.startswith(f"step {late}, results of layer 0: ")
    assert found.differing > 0
    assert compared(in_neurons(rows, left), late, leftover=left).first == ""
    with pytest.raises(StatementError, match="no order was given for 2 rows of inputs, but for 16"):
        compared(in_neurons(rows), late, leftover=left)


def test_another_order_departs_at_once():
    found = compared(example.in_neurons(example.model(), example.in_pairs), 1)
    assert found.first.startswith("step 1, results of layer 0: ")


def off_by_an_ulp(step):
    """What gives a tensor back, but at this step with a number off by an ULP."""
    calls = iter(range(1, step + 1))

    def given_back(tensor):
        changed = tensor.clone()
        if next(calls, None) == step:
            changed.view(-1)[3].nextafter_(torch.tensor(torch.inf))
        return changed

    return given_back


def test_a_result_that_is_off_by_an_ulp_is_found():
    spiking, off = in_neurons(example.ROWS), off_by_an_ulp(3)
    spiking[2].register_forward_hook(lambda _layer, _given, found: off(found))
    assert compared(spiking, 4).first == "step 3, results of layer 2: 1 of 256 differ"


def test_a_gradient_that_is_off_by_an_ulp_is_found():
    spiking = in_neurons(example.ROWS)
    spiking[2].bias.register_hook(off_by_an_ulp(3))
    assert compared(spiking, 4).first == "step 3, gradients of 2.bias: 1 of 16 differ"


@cache
def order(bias):
    return revealed_order(linear, (16, 64, 32), bias=bias, results=1000)


def drawn(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no_bias"])
@pytest.mark.parametrize("frozen", ["", "weight"], ids=["all", "frozen_weight"])
@pytest.mark.parametrize("shape", [(16, 64), (4, 4, 64)], ids=str)
@pytest.mark.parametrize(
    "reduce", [torch.sum, lambda y: (y * drawn(*y.shape)).sum()], ids=["ones", "drawn"]
)
def test_gradients_are_pytorchs(bias, frozen, shape, reduce):
    layer, found = torch.nn.Linear(64, 32, bias=bias), order(bias)
    if len(found.finding.found) > 1:
        pytest.skip("on this machine the results of one call have several orders")
    spiking = straight_through(layer, like=found)
    if frozen:
        layer.weight.requires_grad_(False)
    both = []
    for each in (layer, spiking):
        x = drawn(*shape).requires_grad_()
        given = [x, *(weight for weight in each.parameters() if weight.requires_grad)]
        result = each(x)
        both.append([result.detach(), *torch.autograd.grad(reduce(result), given)])
    assert [each.shape for each in both[0]] == [each.shape for each in both[1]]
    assert not any(example.differing(one, other) for one, other in zip(*both, strict=True))


WAY = Dot(sequential(5), ("fp32", "fp32"), "fp32", bias=True)


def test_parameters_are_the_layers_own():
    layer, before = torch.nn.Linear(4, 2), torch.get_rng_state()
    spiking = straight_through(layer, like=WAY)
    assert torch.equal(torch.get_rng_state(), before)
    assert list(spiking.state_dict()) == list(layer.state_dict())
    assert [*map(id, spiking.parameters())] == [*map(id, layer.parameters())]
    with torch.no_grad():
        layer.weight.fill_(1)
        layer.bias.fill_(0.5)
    assert spiking(torch.ones(4)).tolist() == [4.5, 4.5]


def test_there_are_no_gradients_of_gradients():
    x = torch.ones(1, 4, requires_grad=True)
    result = straight_through(torch.nn.Linear(4, 2), like=WAY)(x)
    (gradient,) = torch.autograd.grad(result.square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_the_example_says_what_came_of_it(capsys, monkeypatch):
    for layer in (example.model()[0], example.model()[2]):
        orders_of(layer, example.ROWS, example.FEW, example.SOME)
    monkeypatch.setattr(sys, "argv", ["straight_through", "--steps", "2"])
    example.main()
    said = capsys.readouterr().out
    assert said.count("equal bit by bit in every step: 1,536 results, 2 losses, 5,216 gradients") == 7
    assert said.count("first difference: step 1, results of layer 0: ") == 1
