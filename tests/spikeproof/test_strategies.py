"""Codes drawn by class: every class is drawn, of every format."""

import pytest
from hypothesis import Phase, find, given, settings

from spikeproof.specs import exact
from spikeproof.specs.formats import FORMATS, FP16
from spikeproof.strategies import batches, codes, operands

AS_DRAWN = settings(phases=[Phase.generate], max_examples=2000)
"""None simpler is looked for."""


@pytest.mark.parametrize(
    "fmt", [fmt for fmt in FORMATS.values() if fmt.width <= 16], ids=lambda f: f.name
)
def test_codes_of_every_class_are_drawn(fmt):
    for kind in {exact.classify(fmt, code) for code in range(1 << fmt.width)}:
        find(codes(fmt), lambda code, kind=kind: exact.classify(fmt, code) == kind, settings=AS_DRAWN)


@given(operands(FP16, 3))
def test_a_case_is_a_code_for_each_operand(case):
    assert len(case) == 3
    assert all(0 <= code < 1 << FP16.width for code in case)


def test_other_numbers_of_operands_are_refused():
    with pytest.raises(ValueError, match="4 operands; a case has 1, 2 or 3"):
        batches(FP16, 4, 1)
