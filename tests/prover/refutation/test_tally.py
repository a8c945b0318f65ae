"""The classes by which failing inputs are counted are those of the spec of record."""

import numpy as np
import pytest

from spikeproof.prover.refutation.tally import CLASSES, Tally, classes, count, count_all
from spikeproof.specs import exact
from spikeproof.specs.formats import FORMATS, FP8_E4M3FN, FP8_E5M2, FP16, Integer


def class_of(fmt, code):
    if not isinstance(fmt, Integer):
        return exact.classify(fmt, code)
    value = exact.decode_integer(fmt, code).signed
    return "zero" if value == 0 else "negative" if value < 0 else "positive"


@pytest.mark.parametrize(
    "fmt",
    [*FORMATS.values(), *(Integer(width, signed) for width in (8, 64) for signed in (True, False))],
    ids=lambda fmt: fmt.name,
)
def test_a_code_is_of_the_class_that_the_spec_of_record_says(fmt):
    """On every code of up to 8 bits; else on those beside which a class ends, of both signs."""
    codes = range(1 << fmt.width)
    if fmt.width > 8:
        sign = 1 << fmt.width - 1
        inner = () if isinstance(fmt, Integer) else (1 << fmt.fraction_bits, fmt.infinity)
        ends = {end + step for end in (0, sign, *inner) for step in (-1, 0, 1)}
        codes = [end % (2 * sign) ^ flip for end in ends for flip in (0, sign)]
    found = classes(np.array(codes, dtype=np.uint64), fmt)
    assert [CLASSES[place] for place in found] == [class_of(fmt, code) for code in codes]


def test_all_inputs_are_counted_by_the_classes_of_those_that_have_a_format():
    """Of E4M3FN 2 zeros, 14 subnormals, 238 normal numbers and 2 NaNs; and FP16's 62 Ki numbers."""
    widths = {"x": 8, "amount": 3, "y": 16}
    counts = count_all(widths, {"x": FP8_E4M3FN, "y": FP16})
    by_class = {"zero": 2, "subnormal": 14, "normal": 238, "nan": 2}
    wide = {"zero": 2, "subnormal": 2046, "normal": 61440, "infinity": 2, "nan": 2046}
    for x, first in enumerate(CLASSES):
        for y, second in enumerate(CLASSES):
            assert counts[x, y] == 8 * by_class.get(first, 0) * wide.get(second, 0)
    assert counts.sum() == 1 << 27


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0x7C, "all with an infinity operand or result"),
        (0x7E, "all with a nan operand or result"),
        (0x00, "all with a zero operand or result"),
    ],
)
def test_what_failing_inputs_have_in_common_has_its_article(code, words):
    operands, codes = {"x": FP8_E5M2}, {"x": np.array([code], dtype=np.uint64)}
    tally = Tally(count(1, [codes["x"]], [FP8_E5M2]), operands, {})
    tally.add(codes, {}, {})
    assert tally.in_words(every=True).splitlines()[0] == f"fails on 1 of all 1 inputs, {words}:"
