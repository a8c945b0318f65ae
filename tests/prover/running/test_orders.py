"""Functions in planted orders are revealed, and what was found is tested."""

import numpy as np
import pytest

from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.running.accumulations import Scaling, accumulated, fused_terms
from spikeproof.prover.running.orders import find, finding_of
from spikeproof.prover.running.summing import Asked
from spikeproof.specs.formats import BFLOAT16, FP16, FP32, FP64
from spikeproof.specs.orders import (
    grown,
    in_lanes,
    in_pairs,
    in_sequence,
    pairwise,
    reversed_sequence,
    sequential,
)
from tests.support.sums import PLANTED_TREES

TERMS = 25


def found(name, operation="sum", shape=(TERMS,), fmt=FP32, results=70, **more):
    """What is found of a function of ``tests.support.sums``, if testing agrees."""
    finding = find(Asked(f"tests.support.sums:{name}", operation, shape, fmt, **more), results)
    assert finding.differing.total() == 0, finding
    assert finding.compared.total() >= results
    assert finding_of(finding.as_data()) == finding
    return finding


def the_way(*arguments, **more):
    (each,) = found(*arguments, **more).found
    return each.way


@pytest.mark.parametrize(("name", "order"), PLANTED_TREES.items())
def test_planted_orders(name, order):
    way = the_way(name)
    assert (way.order, way.accumulator, way.from_zero) == (order(TERMS), FP32, False)


@pytest.mark.parametrize(
    ("name", "fmt", "accumulator"),
    [
        ("in_order", FP64, FP64),
        ("in_order", FP16, FP16),
        ("widely", FP16, FP32),
        ("in_double", FP32, FP64),
    ],
)
def test_planted_accumulators(name, fmt, accumulator):
    way = the_way(name, fmt=fmt)
    assert (way.order, way.accumulator) == (sequential(TERMS), accumulator)


def test_products_of_fp16_are_added_in_fp32():
    way = the_way("widely_dotted", "dot", fmt=FP16)
    assert (way.order, way.accumulator) == (sequential(TERMS), FP32)


def test_sums_that_begin_with_zero():
    assert the_way("from_zero").from_zero


def test_subnormal_numbers_that_are_flushed():
    assert the_way("flushing").flushes
    assert not the_way("in_order").flushes


@pytest.mark.parametrize(
    ("name", "scaling"),
    [("mean_divided", Scaling.DIVIDED), ("mean_multiplied", Scaling.MULTIPLIED)],
)
def test_means(name, scaling):
    assert the_way(name, "mean").scaling is scaling


@pytest.mark.parametrize("fmt", [FP32, FP64])
def test_products_rounded_or_not(fmt):
    assert the_way("rounded_dot", "dot", fmt=fmt).fused == frozenset()
    assert the_way("fused_dot", "dot", fmt=fmt).fused == frozenset(range(1, TERMS))


def test_sums_that_end_in_a_wider_format():
    way = the_way("widely_at_the_end", "dot")
    assert way.order.below(way.order.additions[-1][1]) == sequential(5)
    assert way.fused == frozenset(range(1, TERMS - 5))
    assert {way.order.clades[place].bit_count() for place in way.wide} == {2, 3, 4, 5}


def test_a_bias_that_comes_first_and_one_that_comes_last():
    first = the_way("linear_bias_first", "linear", (2, 9, 2), bias=True)
    assert first.order.additions[0] == (0, 9)
    assert first.order.without(9) == sequential(9)
    assert first.fused == frozenset(range(9))
    last = the_way("linear_bias_last", "linear", (2, 9, 2), bias=True)
    assert (last.order, last.fused) == (sequential(10), frozenset())


def test_results_of_two_orders():
    one, other = found("two_orders", "matmul", (2, 9, 3)).found
    assert (one.way.order, one.results, one.first) == (sequential(9), 4, 0)
    assert (other.way.order, other.results, other.first) == (reversed_sequence(9), 2, 2)


@pytest.mark.parametrize("fmt", [FP32, FP64])
def test_norms(fmt):
    way = the_way("norm_in_lanes", "norm", fmt=fmt)
    assert (way.order, way.fused, way.scaling) == (in_lanes(TERMS, 4), frozenset(), Scaling.ROOT)
    way = the_way("fused_norm", "norm", fmt=fmt)
    assert (way.order, way.fused) == (sequential(TERMS), frozenset(range(1, TERMS)))


def test_a_norm_whose_order_cannot_be_seen():
    with pytest.raises(StatementError, match="in a wider format than that of its results: terms 6"):
        find(Asked("tests.support.sums:norm_in_double", "norm", (TERMS,)), 10)


def test_a_convolution():
    assert the_way("convolved", "convolve", (20, 7)).order == reversed_sequence(7)


def test_a_convolution_of_images():
    way = the_way("layered", "conv2d", (1, 3, 5, 5, 2, 2, 2), bias=True)
    assert way.order == grown(13, channel_by_channel)
    assert way.fused == frozenset()


def channel_by_channel(places, add):
    return in_sequence([places[12], *(in_pairs(places[k : k + 4], add) for k in (0, 4, 8))], add)


def test_prefix_sums():
    assert the_way("prefixes", "cumsum", (9,)).order == sequential(9)


@pytest.mark.parametrize(
    ("name", "operation", "shape"),
    [
        ("torch.nn.functional.conv1d", "conv1d", (2, 4, 20, 8, 3)),
        ("torch.nn.functional.conv2d", "conv2d", (1, 4, 6, 6, 8, 3, 3)),
        ("torch.cumsum", "cumsum", (30,)),
        ("torch.linalg.vector_norm", "norm", (40,)),
        ("torch.mm", "matmul", (3, 40, 5)),
    ],
)
def test_layers_of_pytorch(name, operation, shape):
    finding = find(Asked(name, operation, shape, tensors=True, bias="conv" in name), 200)
    assert finding.differing.total() == 0


def test_values_that_attention_adds_up():
    finding = find(Asked("tests.support.sums:attended", "mean", (16, 8), axis=0, tensors=True), 200)
    assert finding.differing.total() == 0


def test_many_questions_in_one_call():
    """Columns of a matrix answer a question each."""
    finding = found("by_rows", "linear", (4, 200, 64))
    assert finding.found[0].way.order == sequential(200)
    assert finding.calls < 80


@pytest.mark.parametrize(
    ("name", "fmt", "shape"), [("torch.sum", BFLOAT16, (300,)), ("torch.sum", FP32, (20, 9))]
)
def test_tensors(name, fmt, shape):
    finding = find(Asked(name, "sum", shape, fmt, tensors=True), 200)
    assert finding.differing.total() == 0


@pytest.mark.parametrize(("name", "operation"), [("reduce", "sum"), ("accumulate", "cumsum")])
def test_a_method_by_its_dotted_name(name, operation):
    finding = find(Asked(f"numpy.add.{name}", operation, (9,)), 70)
    assert finding.differing.total() == 0


def test_along_an_axis():
    finding = find(Asked("numpy.sum", "sum", (20, 9), axis=0), 200)
    assert finding.differing.total() == 0
    assert finding.found[0].results == 9


def test_a_compensated_sum_is_found_to_be_none():
    """Its masks look like a sequence; what it computes is another thing."""
    finding = find(Asked("tests.support.sums:kahan", "sum", (TERMS,)), 200)
    assert finding.found[0].way.order == sequential(TERMS)
    assert finding.differing["cancelling"]
    assert finding.differing["even"]
    assert finding.witnesses


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("exactly", "it adds in no order: term 0 meets 1 in a sum of 2, but 25 are in it"),
        ("three_at_once", "it adds in no order: more than two are added at once"),
        ("fails", "it fails on fp32 of shape 25: RuntimeError: no such luck"),
        ("gives_a_list", "it gives list of list, not numbers of NumPy"),
        ("gives_as_many", "it gives results of shape 25, not one number"),
    ],
)
def test_what_has_no_order_is_refused(name, said):
    with pytest.raises(StatementError) as refused:
        find(Asked(f"tests.support.sums:{name}", "sum", (TERMS,)), 10)
    assert str(refused.value).startswith(said)


def test_results_that_are_no_numbers_have_no_order():
    with pytest.raises(StatementError, match="in no order: beside masks at terms 0 and 1, nan of"):
        find(Asked("tests.support.sums:not_a_number", "linear", (2, 9, 3)), 10)


def test_a_convolution_of_too_many_windows_is_refused():
    with pytest.raises(StatementError, match="its windows have more than 2\\^28 numbers"):
        find(Asked("torch.conv2d", "conv2d", (1, 512, 300, 300, 1, 3, 3), tensors=True), 10)


def test_products_that_are_fused_in_a_pairwise_sum():
    assert fused_terms(pairwise(4), 4, 0) == {1, 3}
    assert fused_terms(pairwise(4), 4, 1) == {0, 2}
    assert fused_terms(pairwise(4), 3, 0) == {1, 2}


def test_another_order_computes_another_thing():
    """So that agreeing means something."""
    way = the_way("in_order")
    numbers = np.random.default_rng(1).uniform(-1, 1, (TERMS, 1000)).astype(np.float32)
    other = type(way)(pairwise(TERMS), FP32)
    one, two = (accumulated(each, FP32, FP32, (numbers,), None) for each in (way, other))
    assert 500 < np.count_nonzero(one != two) < 1000
