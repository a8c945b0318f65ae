"""The meaning of gates and integer blocks against Python's integers, on all small inputs."""

from itertools import product
from math import isqrt

import pytest
from pysmt.shortcuts import BV

from spikeproof.proofs.blocks import input_widths
from spikeproof.specs import integers
from tests.support.profile import NIGHTLY


def leading_zeros(x, width):
    return width - x.bit_length()


GATES = {
    "and": lambda a, b: {"out": a and b},
    "or": lambda a, b: {"out": a or b},
    "not": lambda a: {"out": 1 - a},
    "xor": lambda a, b: {"out": int(a != b)},
    "mux": lambda select, a, b: {"out": a if select else b},
    "majority": lambda a, b, c: {"out": int(a + b + c >= 2)},
    "half_adder": lambda a, b: {"sum": (a + b) % 2, "carry": (a + b) // 2},
    "full_adder": lambda a, b, c: {"sum": (a + b + c) % 2, "carry": (a + b + c) // 2},
}

WIDTH = 4
BLOCKS = {
    "add": lambda x, y, carry_in: {
        "sum": (x + y + carry_in) % 16,
        "carry": (x + y + carry_in) // 16,
    },
    "subtract": lambda x, y: {"difference": (x - y) % 16, "no_borrow": int(x >= y)},
    "less_than": lambda x, y: {"out": int(x < y)},
    "shift_right_sticky": lambda x, amount: {
        "shifted": x // 2**amount,
        "sticky": int(x % 2**amount > 0),
    },
    "shift_left": lambda x, amount: {"shifted": x * 2**amount % 16},
    "normalise": lambda x, budget: {
        "shifted": x * 2 ** min(leading_zeros(x, WIDTH), budget),
        "remaining": budget - min(leading_zeros(x, WIDTH), budget),
    },
    "leading_zeros": lambda x: {
        "count": leading_zeros(x, WIDTH),
        "shifted": x << leading_zeros(x, WIDTH),
    },
    "multiply": lambda x, y: {"product": x * y},
    "divide": lambda x, y: {
        "quotient": (x << WIDTH + 1) // y,
        "remainder": (x << WIDTH + 1) % y,
    },
    "square_root": lambda x: {"root": isqrt(x), "remainder": x - isqrt(x) ** 2},
    "sum_or_difference": lambda x, y, opposite, borrow: {
        "sum": (x - y - borrow if opposite else x + y) % 16,
        "carry": 0 if opposite else (x + y) // 16,
    },
    "excess": lambda x, y: {"at_least": (1 << max(0, min(x - y, WIDTH))) - 1},
    "shift_either": lambda x, y, which, amount: {
        "shifted": (y if which else x) >> amount,
        "sticky": int((y if which else x) % 2**amount > 0),
    },
}

STATED_FOR = {
    "normalise": lambda x, budget: x > 0,
    "leading_zeros": lambda x: x > 0,
    "divide": lambda x, y: y >= 1 << WIDTH - 1,
    "sum_or_difference": lambda x, y, opposite, borrow: not opposite or x >= y + borrow,
}
"""The arguments that a block's meaning is stated for, if not all."""


def values(meaning, widths, arguments):
    buses = {n: BV(v, w) for (n, w), v in zip(widths.items(), arguments, strict=True)}
    return {name: f.simplify().constant_value() for name, f in meaning(buses).items()}


@pytest.mark.parametrize("gate", integers.GATES)
def test_gates(gate):
    names = GATES[gate].__code__.co_varnames
    for arguments in product((0, 1), repeat=len(names)):
        actual = values(integers.GATES[gate], dict.fromkeys(names, 1), arguments)
        assert actual == GATES[gate](*arguments)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_wide_gates(width):
    for x in range(1 << width):
        assert values(integers.wide_and, {"x": width}, (x,)) == {"out": int(x == 2**width - 1)}
        assert values(integers.wide_or, {"x": width}, (x,)) == {"out": int(x > 0)}


MEANINGS = {**integers.BLOCKS, **integers.SHALLOW_BLOCKS}


@pytest.mark.parametrize("kind", MEANINGS)
def test_blocks(kind):
    widths = input_widths(WIDTH)[kind]
    for arguments in product(*(range(1 << width) for width in widths.values())):
        if not STATED_FOR.get(kind, lambda *given: True)(*arguments):
            continue
        assert values(MEANINGS[kind], widths, arguments) == BLOCKS[kind](*arguments)


@pytest.mark.parametrize("width", [2, 6, 10])
def test_square_roots_of_other_widths(width):
    """Of ten bits every seventh number; in the nightly profile all of them."""
    for x in range(0, 1 << width, 7 if width == 10 and not NIGHTLY else 1):
        root = isqrt(x)
        assert values(integers.square_root, {"x": width}, (x,)) == {
            "root": root,
            "remainder": x - root**2,
        }


@pytest.mark.parametrize("width", [2, 3, 6])
def test_quotients_of_other_widths(width):
    for x, y in product(range(1 << width), range(1 << width - 1, 1 << width)):
        quotient, remainder = divmod(x << width + 1, y)
        widths = {"x": width, "y": width}
        assert values(integers.divide, widths, (x, y)) == {"quotient": quotient, "remainder": remainder}
