"""Programs run in neurons are what the machine computes, however they are divided."""

import numpy as np
import pytest

from spikeproof.circuits.programs import running
from spikeproof.circuits.programs.running import Neurons, most_elements, run
from spikeproof.specs.formats import FP16, FP32
from spikeproof.specs.programs import (
    Array,
    ProgramError,
    Value,
    apply,
    evaluate,
    module,
    stack,
)
from tests.support.programs import SUM, dot, linear, numbers, unit, units


@pytest.mark.parametrize("elements", [running.MOST_ELEMENTS, 50_000])
@pytest.mark.parametrize("outputs", [3, 9000])
def test_a_layer_is_what_the_machine_computes(outputs, elements, monkeypatch):
    monkeypatch.setattr(running, "MOST_ELEMENTS", elements)
    x, w = numbers(5), numbers(outputs, 5)
    given = {"x": x.view(np.uint32), "w": w.view(np.uint32)}
    (found,) = run(linear(5, outputs), given, units(), threads=2).values()
    total = x[0] * w[:, 0]
    for k in range(1, 5):
        total = total + x[k] * w[:, k]
    assert found.dtype == np.uint32
    assert np.array_equal(found, total.view(np.uint32))


def test_a_layer_of_nothing():
    given = {"x": np.zeros(3, np.uint32), "w": np.zeros((0, 3), np.uint32)}
    assert run(linear(3, 0), given, units())["result"].shape == (0,)


def test_operations_of_mixed_formats_constants_and_several_outputs():
    def definition(x: Value, y: Value) -> dict[str, Value]:
        product = apply("fp32.multiply_from_fp16.rne.threshold", "fp32", x, y)
        one = product.draft.constant("fp32", 0x3F80_0000)
        return {"more": SUM.add(product, one), "turned": stack([product, product]).transpose(1, 0)}

    program = module("mixed", dict.fromkeys(("x", "y"), Array("fp16", (300,))), definition)
    x, y = (numbers(2, 300) * 100).astype(np.float16)
    found = run(program, {"x": x.view(np.uint16), "y": y.view(np.uint16)}, units())
    product = x.astype(np.float32) * y.astype(np.float32)
    assert np.array_equal(found["more"], (product + np.float32(1)).view(np.uint32))
    assert np.array_equal(found["turned"], np.stack([product, product], axis=1).view(np.uint32))


def test_a_unit_with_a_fault_gives_other_results():
    """What runs are the units that are given, not the operations that they should be."""
    wrong = {**units(), "fp32.add.rne.threshold": unit("subtract", FP32)}
    x, w = (numbers(2, 2).view(np.uint32)[k] for k in range(2))
    results = [run(dot(2), {"x": x, "w": w}, each)["result"] for each in (units(), wrong)]
    assert results[0] != results[1]


def test_most_elements():
    assert most_elements(linear(4, 3)) == 4 + 12 + 12  # x is no longer needed, its repetition is
    assert most_elements(module("nothing", {"x": Array("fp32", (0,))}, lambda x: x)) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": None}, "linear has inputs w, x; given are w"),
        ({"z": np.zeros(2)}, "given are w, x, z"),
        (
            {"x": np.zeros(4, np.uint32)},
            r"takes x as codes, fp32\[5\]; given are uint32 of shape \(4,\)",
        ),
        ({"x": np.zeros(5, np.float32)}, "given are float32"),
        ({"x": np.full(5, 1 << 32)}, "x: values must lie between 0 and 4294967295"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(change, message):
    given = {"x": np.zeros(5, np.uint32), "w": np.zeros((3, 5), np.uint32), **change}
    with pytest.raises(ProgramError, match=message):
        run(linear(5, 3), {name: each for name, each in given.items() if each is not None}, units())


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({}, "linear: there is no unit fp32.multiply.rne.threshold"),
        ({"fp32.multiply.rne.threshold": unit("multiply", FP16)}, "its unit has other widths"),
    ],
)
def test_units_that_do_not_fit_are_refused(others, message):
    with pytest.raises(ProgramError, match=message):
        Neurons(linear(2, 2), others)


def test_kinds_without_a_width_are_refused():
    program = module("odd", {"x": Array("fp33")}, lambda x: x)
    with pytest.raises(ProgramError, match="fp33"):
        run(program, {"x": np.uint8(0)}, {})


def test_leading_axes_are_of_everything():
    """A program evaluated over axes, without ``run``."""
    x, w = numbers(2, 3, 4).reshape(2, 3, 4), numbers(3, 4)
    shared = np.broadcast_to(w, (2, 3, 4))
    neurons = Neurons(dot(4, fused=True), units())
    (found,) = evaluate(dot(4, fused=True), [x.view(np.uint32), shared.view(np.uint32)], neurons, (2, 3))
    exact = np.einsum("abc,abc->ab", x.astype(np.float64), shared.astype(np.float64))
    assert np.allclose(found.view(np.float32), exact, rtol=1e-5)
