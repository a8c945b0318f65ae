"""The meaning of gates and integer blocks against Python's integers, on all small inputs."""

from itertools import product

import pytest
from pysmt.shortcuts import BV

from proofs.blocks import input_widths
from specs import integers


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
    "multiply": lambda x, y: {"product": x * y},
}


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


@pytest.mark.parametrize("kind", integers.BLOCKS)
def test_blocks(kind):
    widths = input_widths(WIDTH)[kind]
    for arguments in product(*(range(1 << width) for width in widths.values())):
        if kind == "normalise" and arguments[0] == 0:
            continue
        assert values(integers.BLOCKS[kind], widths, arguments) == BLOCKS[kind](*arguments)
