"""What is counted of a library's function, against planted faults and values of MPFR."""

import gmpy2
import numpy as np
import pytest

from spikeproof.prover.running import departures as departing
from spikeproof.prover.running.departures import Departures, Witness
from spikeproof.specs import functions, pairs
from spikeproof.specs.formats import FP16, FP32, ieee_format


def departures(function, fmt, given, *rest, **more):
    """Those of one function."""
    return departing.departures(function, fmt, {"given": given}, *rest, **more)["given"]


def right(codes):
    """What sigmoid is in fp16."""
    return np.asarray(functions.every_result("sigmoid", FP16, *departing.NEAREST))[codes].astype(
        np.uint16
    )


def planted(faults):
    """Sigmoid with other results for some codes."""

    def given(codes):
        results = right(codes)
        for code, result in faults.items():
            results[codes == code] = result
        return results

    return given


def test_a_function_that_is_right_departs_nowhere():
    found = departures("sigmoid", FP16, right)
    assert found == Departures(inputs=1 << 16)
    assert (found.count, found.largest) == (0, 0)


def test_every_departure_is_counted_by_its_kind():
    half, one = 0x3800, 0x3C00
    near = {0x0000: half + 1, 0x8000: half - 7, 0x0002: half + 15, 0x0003: half - 16, 0x0004: half + 31}
    faults = {**near, 0x7C00: 0x7C00, 0x0001: 0x7E00, 0x7E01: one}
    found = departures("sigmoid", FP16, planted(faults), jobs=2)
    assert dict(found.wrong) == {1: 1, 7: 1, 15: 1, 16: 2, 0x4000: 1}
    assert (found.kinds, found.count, found.largest) == (2, 8, 0x7C00 - one)
    assert found.witnesses == [
        Witness(0x0001, 0x7E00, half, None),
        Witness(0x7E01, one, 0x7E00, None),
        Witness(0x7C00, 0x7C00, one, 0x7C00 - one),
    ]


def test_far_results_are_counted_by_powers_of_two():
    """Of a function that is 0 everywhere: as many as there are numbers that far from it."""
    found = departures("sigmoid", FP16, np.zeros_like)
    results = right(np.arange(1 << 16))
    numbers = results[results <= 0x7C00]
    for distance in range(1, departing.SINGLE):
        assert found.wrong[distance] == (numbers == distance).sum()
    for k in range(4, 14):
        assert found.wrong[1 << k] == ((numbers >= 1 << k) & (numbers < 2 << k)).sum()
    assert found.largest == numbers.max()


def test_zeros_of_the_other_sign_are_wrong_and_no_ulp_away():
    found = departures("sigmoid", FP16, planted({0xFC00: 0x8000}))
    assert dict(found.wrong) == {0: 1}


def test_several_are_compared_with_what_is_found_once(monkeypatch):
    """And one that changes its operands changes nothing for the next."""
    asked, found_right = [], departing.right_results
    monkeypatch.setattr(
        departing, "right_results", lambda *given: asked.append(given) or found_right(*given)
    )

    def changing(codes):
        results = planted({0: 0x3801})(codes)
        codes[:] = 0
        return results

    found = departing.departures("sigmoid", FP16, {"one": changing, "other": right})
    assert [dict(found[name].wrong) for name in ("one", "other")] == [{1: 1}, {}]
    assert found["one"].witnesses == [Witness(0, 0x3801, 0x3800, 1)]
    assert len(asked) == 1


def test_another_nan_is_none():
    assert departures("sigmoid", FP16, planted({0x7E05: 0x7F00})).count == 0


def test_a_part_of_the_inputs_says_so():
    found = departures("sigmoid", FP16, right, step=7)
    assert (found.inputs, found.every) == (-(-(1 << 16) // 7), False)


def in_fp32(function):
    """MPFR's correctly rounded result in fp32, subnormals included."""

    def rounded(code):
        with gmpy2.context(precision=400, emin=-(10**8), emax=10**8):
            value = function(gmpy2.mpfr(float(np.uint32(code).view(np.float32))))
        with gmpy2.context(precision=24, emin=-148, emax=128, subnormalize=True):
            return int(np.float32(float(gmpy2.mpfr(value))).view(np.uint32))

    return rounded


def gelu(x):
    """x Phi(x)."""
    return x * gmpy2.erfc(-x / gmpy2.sqrt(gmpy2.mpfr(2))) / 2


def silu(x):
    """x / (1 + exp(-x))."""
    return x / (1 + gmpy2.exp(-x))


@pytest.mark.parametrize(
    ("function", "oracle"),
    [("exp", gmpy2.exp), ("tanh", gmpy2.tanh), ("sin", gmpy2.sin), ("gelu", gelu), ("silu", silu)],
)
def test_what_is_right_in_fp32_is_what_mpfr_says(function, oracle):
    """Of few inputs of a block, and of many."""
    rng = np.random.default_rng(21)
    for start in (0x3F800000, 0xBD700000, 0x00000000, 0x80700000, 0x41200000, 0x7F700000):
        for count in (150, 400):
            places = rng.choice(1 << 20, count, replace=False)
            found = departing.right_results(function, FP32, start, 1 << 20, places)
            assert found.tolist() == [in_fp32(oracle)(start + place) for place in places.tolist()]


def test_inputs_are_tried_at_equal_distances():
    given = []

    def exact(codes):
        given.extend(codes.tolist())
        return codes

    step = 300_000_007
    found = departures("reciprocal", FP32, exact, step)
    assert given == list(range(0, 1 << 32, step))
    assert found.inputs == len(given)


def test_of_two_operands_every_pair_counts():
    """A function that is right but for one pair, and one that has its operands in the other order."""
    fmt, seen = ieee_format(4, 3), []

    def given(y, x):
        numbers = x.astype(int) + (y.astype(int) << 8)
        seen.append(len(numbers))
        results = pairs.results_from("atan2", fmt, *departing.NEAREST, 0, 1 << 16)[numbers]
        results[numbers == 0x3938] += 2
        return results.astype(np.uint8)

    found = departing.departures("atan2", fmt, {"right": given, "exchanged": lambda y, x: given(x, y)})
    right = pairs.compute("atan2", fmt, *departing.NEAREST, 0x38, 0x39)
    assert found["right"].witnesses == [Witness(0x38, right + 2, right, 2, 0x39)]
    assert found["right"].inputs == seen[0] == 1 << 16
    assert found["exchanged"].count > 1000


def test_of_two_operands_few_are_computed_one_by_one():
    found = departing.departures("hypot", FP16, {"hypot": hypotenuses}, step=40_000_003)["hypot"]
    assert (found.inputs, found.count, found.every) == (108, 0, False)


def hypotenuses(x, y):
    with np.errstate(all="ignore"):
        result = np.hypot(*(each.view(np.float16).astype(np.float64) for each in (x, y)))
    return np.where(np.isnan(result), np.float16(np.nan), result.astype(np.float16)).view(np.uint16)
