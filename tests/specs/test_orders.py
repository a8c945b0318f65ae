"""Orders as trees."""

import pytest

from spikeproof.specs.orders import (
    Order,
    by_folding,
    grown,
    in_blocks,
    in_lanes,
    pairwise,
    read_order,
    reversed_sequence,
    sequential,
)


def nested(order):
    return order.evaluate(list("abcdefghij"[: order.terms]), lambda x, y: f"({x}{y})")


@pytest.mark.parametrize(
    ("order", "tree"),
    [
        (sequential(1), "a"),
        (sequential(4), "(((ab)c)d)"),
        (reversed_sequence(4), "(a(b(cd)))"),
        (pairwise(5), "(((ab)(cd))e)"),
        (grown(4, by_folding), "((ac)(bd))"),
        (in_lanes(5, 2), "(((ac)e)(bd))"),
        (in_blocks(5, 2), "(((ab)(cd))e)"),
    ],
)
def test_constructors(order, tree):
    assert nested(order) == tree


def test_orders_are_equal_up_to_commuting():
    one = Order(4, ((3, 2), (1, 0), (4, 5)))
    assert one == pairwise(4)
    assert one.additions == ((0, 1), (2, 3), (4, 5))
    assert sequential(4) != pairwise(4)


def test_depth_and_parts():
    order = in_blocks(9, 3)
    assert (order.depth, pairwise(9).depth, sequential(1).depth) == (4, 4, 0)
    *_, last = order.additions
    assert order.below(last[1]) == sequential(3)
    assert order.without(8) == in_blocks(8, 3)
    assert sequential(3).without(0) == sequential(2)


@pytest.mark.parametrize(
    ("terms", "additions", "said"),
    [
        (3, ((0, 1),), "1 additions make no tree over 3 terms"),
        (3, ((0, 1), (0, 2)), "each place but the last is used once"),
        (3, ((0, 3), (1, 2)), "place 3 is used before it is made"),
        (3, ((0, 4), (1, 2)), "each place but the last is used once"),
        (0, (), "no tree over 0 terms"),
    ],
)
def test_what_is_no_tree_is_refused(terms, additions, said):
    with pytest.raises(ValueError, match=said):
        Order(terms, additions)


@pytest.mark.parametrize("data", [{}, {"orders": [{}]}])
def test_orders_are_read_as_they_are_written(data):
    tree = {"additions": [[0, 1], [2, 3]]}
    given = {**data, "terms": 3, **(tree if not data else {"orders": [tree]})}
    assert read_order(given) == sequential(3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "it needs"),
        ({"terms": 3}, "it needs"),
        ({"terms": 3, "additions": [0, 1]}, "it needs"),
        ({"terms": 3, "additions": [[0, 1, 2]]}, "it needs"),
        ({"terms": 3, "orders": [{}, {}]}, "it needs"),
        ({"terms": 3, "additions": [[0, 1], [2, 3.0]]}, "whole numbers"),
        ({"terms": "3", "additions": []}, "whole numbers"),
        ({"terms": 3, "additions": [[0, 1]]}, "make no tree"),
        ({"terms": 3, "additions": [[0, 1], [1, 3]]}, "used once"),
        ({"terms": 3, "additions": [[0, 4], [1, 3]]}, "used once"),
    ],
)
def test_what_is_no_order_is_refused_in_one_line(data, message):
    with pytest.raises(ValueError, match=message) as error:
        read_order(data)
    assert "\n" not in str(error.value)
