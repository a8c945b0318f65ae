"""What is meant by names that are none, without what states theorems where that can tell no more."""

import random

import pytest

from spikeproof.proofs import bounded_functions, described, language_models, programs
from spikeproof.proofs.exact_units import EXACT_OPERATIONS
from spikeproof.proofs.general_operations import WORDS
from spikeproof.proofs.scale_conversions import SHARED
from spikeproof.proofs.spelling import may_be_described
from spikeproof.prover.claims.catalogue import own
from spikeproof.specs.formats import ARITY, REMAINDERS
from spikeproof.specs.functions import FUNCTIONS
from spikeproof.specs.functions_of_two import FUNCTIONS as FUNCTIONS_OF_TWO

NAMES = list(own())
SHORT = sorted({".".join(name.split(".")[:2]) for name in NAMES})
"""What counts of them."""

OPERATIONS = {
    *ARITY,
    *REMAINDERS,
    *EXACT_OPERATIONS,
    *WORDS,
    *FUNCTIONS,
    *FUNCTIONS_OF_TWO,
    *bounded_functions.CIRCUITS,
    *("dot7", "mx_dot32", "mx_dot5_add", f"{SHARED}e5m6"),
}
"""Whatever can stand in the second place of a name that is described."""

LAYERS = (*programs.OPERATIONS, *language_models.KINDS, *language_models.OF_MODELS)


def test_whatever_can_be_described_may_be():
    for operation in OPERATIONS:
        for source in ("", "_from_e5m6", "_from_int32"):
            assert may_be_described(f"e5m6.{operation}{source}.rne.flags", SHORT), operation
    for layer in LAYERS:
        assert may_be_described(f"program.e5m6.{layer}.rne.4.pairwise", SHORT)


@pytest.mark.parametrize(
    "name",
    [
        "e5m6.add.rne",
        "e5m6.dot7_add_from_e4m3.rne",
        "e8m0.shared_scale_for_fp4_e2m1_from_e5m6.rtz.saturate",
        "int32.convert_from_e5m6.rtz",
        "e5m6.is_nan",
        "e5m6x2.multiply.rne",
        "program.e5m6.dot.rne.4.pairwise",
        "e6m17.exp.bounded",
        "fp16.add.rne.except.subnormal_x",
    ],
)
def test_what_is_described_though_it_is_not_listed_may_be(name):
    assert name not in NAMES
    assert described(name.partition(".except")[0])
    assert may_be_described(name, SHORT)


def test_whatever_is_refused_at_once_is_described_by_no_family():
    """Words of names put together at random, some mistyped."""
    drawing = random.Random(25)
    words = sorted({word for name in NAMES for word in name.split(".")})
    refused = 0
    for _ in range(400):
        name = ".".join(drawing.choices(words, k=drawing.randint(1, 4)))
        if drawing.random() < 0.5:
            place = drawing.randrange(len(name))
            name = name[:place] + drawing.choice("abc1._") + name[place + 1 :]
        if not may_be_described(name, SHORT):
            refused += 1
            assert described(name) is None, name  # nor does it raise: it does not begin like one
    assert refused > 100
