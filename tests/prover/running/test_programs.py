"""Programs by the spec of record, by the machine, by neurons, and as formulas."""

import numpy as np
import pytest

from spikeproof.circuits.programs import linear
from spikeproof.circuits.programs.running import code_type
from spikeproof.prover.claims.obligation import Outcome, StatementError
from spikeproof.prover.claims.programs import unit_named
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.prover.running import programs
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.number_arrays import stored
from spikeproof.prover.running.programs import flat_theorem, run, units_of
from spikeproof.specs import layers
from spikeproof.specs.formats import FORMATS
from spikeproof.specs.orders import pairwise, reversed_sequence, sequential
from spikeproof.specs.products import Dot, fused_products
from spikeproof.specs.programs import Arithmetic, Array, Module, ProgramError, apply, module
from tests.support.profile import NIGHTLY

NATIVE = [
    *(
        f"{fmt}.{operation}.rne"
        for fmt in ("fp32", "fp64", "fp16", "bfloat16")
        for operation in ("add", "subtract", "multiply", "divide", "square_root")
    ),
    "fp32.fma.rne",
    "fp64.fma.rne",
    "fp32.multiply_from_fp16.rne",
    "fp32.fma_from_bfloat16_and_bfloat16_and_fp32.rne",
    "fp32.fma_from_fp8_e4m3fn_and_fp8_e5m2_and_fp32.rne",
    "fp32.multiply_from_fp8_e4m3fnuz.rne",
    "fp64.multiply_from_fp32.rne",
    "fp32.convert_from_fp64.rne",
    "fp64.convert_from_fp16.rne",
    "fp16.convert_from_fp32.rne",
    "bfloat16.convert_from_fp32.rne",
]
"""What the machine has arithmetic for, but for quotients of bfloat16."""

BY_FORMULA = [
    "fp16.fma.rne",
    "fp32.add.rtz",
    "fp8_e4m3fn.multiply.rne.saturate",
    "fp16.multiply_from_fp32.rne",
    "fp32.add.rne.daz",
]


def single(operation: str) -> Module:
    """A program of one operation, on many elements."""
    unit = unit_named(operation)
    inputs = {name: Array(kind, (COUNT,)) for name, kind in unit.operands.items()}
    return module(operation, inputs, lambda *operands: apply(operation, unit.kind, *operands))


COUNT = 600


@pytest.mark.parametrize("operation", [*NATIVE, *BY_FORMULA])
def test_the_machine_computes_what_the_record_says(operation):
    program = single(operation)
    columns = [
        many_codes(FORMATS[array.kind], COUNT, 5, len(program.inputs))[place]
        for place, array in enumerate(program.inputs.values())
    ]
    given = dict(zip(program.inputs, columns, strict=True))
    by_machine, by_record = (run(program, given, by=by)["result"] for by in ("machine", "record"))
    assert by_machine.dtype == by_record.dtype
    assert np.array_equal(by_machine, by_record)


def test_what_the_machine_has_arithmetic_for():
    """So that what is compared above is it."""
    computed = [programs._computed(operation).func.__name__ for operation in (*NATIVE, *BY_FORMULA)]
    assert computed == [
        "_by_formula" if operation in (*BY_FORMULA, "bfloat16.divide.rne") else "_by_machine"
        for operation in (*NATIVE, *BY_FORMULA)
    ]


def test_single_elements():
    x_y = dict.fromkeys("xyz", Array("fp32"))
    program = module("one", x_y, lambda x, y, z: apply("fp32.fma.rne", "fp32", x, y, z))
    given = {
        name: np.uint32(np.float32(k).view(np.uint32)) for name, k in zip("xyz", (2, 3, 4), strict=True)
    }
    for by in ("neurons", "machine", "record"):
        assert run(program, given, by=by)["result"].view(np.float32) == 10.0


LIKE = {
    "sequential": Dot(sequential(7), ("fp32", "fp32"), "fp32"),
    "fused": Dot(pairwise(7), ("fp32", "fp32"), "fp32", fused_products(pairwise(7), 7)),
    "narrow, with a bias": Dot(sequential(5), ("fp16", "fp16"), "fp32", bias=True),
}


@pytest.mark.parametrize("way", LIKE.values(), ids=LIKE)
def test_a_layer_by_all_means(way):
    """The definition by the record, and the circuit's program by the machine and by neurons."""
    source = way.factors[0] if way.factors[0] != way.kind else ""
    arithmetic = Arithmetic(way.kind, "rne", source)
    spec, circuit = (room.linear(way, 9, arithmetic) for room in (layers, linear))
    draw = np.random.default_rng(3)
    numbers = {
        name: np.ldexp(draw.standard_normal(array.shape), draw.integers(-5, 5, array.shape))
        for name, array in circuit.inputs.items()
    }
    given = {
        name: stored(FORMATS[circuit.inputs[name].kind], each).view(code_type(circuit.inputs[name].kind))
        for name, each in numbers.items()
    }
    (wanted,) = run(spec, given, by="record").values()
    assert len(set(wanted.tolist())) > 2
    for by in ("machine", "neurons"):
        assert np.array_equal(run(circuit, given, by=by)["result"], wanted), by


@pytest.mark.parametrize("fused", [False, True])
def test_a_large_layer(fused):
    """Of 4,096 inputs and outputs in the nightly profile."""
    count = 4096 if NIGHTLY else 512
    terms = fused_products(sequential(count), count) if fused else frozenset[int]()
    way = Dot(sequential(count), ("fp32", "fp32"), "fp32", terms)
    program = linear.linear(way, count, Arithmetic("fp32"))
    draw = np.random.default_rng(3).standard_normal
    given = {
        name: draw(array.shape).astype(np.float32).view(np.uint32)
        for name, array in program.inputs.items()
    }
    by_neurons, by_machine = (run(program, given, by=by)["result"] for by in ("neurons", "machine"))
    assert np.array_equal(by_neurons, by_machine)


def test_a_theorem_names_its_program():
    x, y = np.array([1, 2, 3], np.float16), np.array([4, 5, 6], np.float16)
    given = {"x": x.view(np.uint16), "y": y.view(np.uint16)}
    assert run("program.fp16.dot.rne.3.reversed", given)["result"].view(np.float16) == 32
    two = {name: codes[:2] for name, codes in given.items()}
    assert run("program.fp16.dot.rne.2.reversed", two)["result"].view(np.float16) == 14
    with pytest.raises(StatementError, match="is about no program"):
        run("fp16.add.rne", given)


def test_what_is_refused():
    program = module("odd", {"x": Array("fp32")}, lambda x: apply("fp32.add.never", "fp32", x, x))
    with pytest.raises(StatementError, match="no theorem says what fp32"):
        units_of(program)
    with pytest.raises(ProgramError, match="by neurons, machine, record, not by 'magic'"):
        run(program, {"x": np.uint32(0)}, by="magic")


# --- one netlist ----------------------------------------------------------------------------------

FP4 = Arithmetic("fp4_e2m1", "rne.saturate")
FP6 = Arithmetic("fp6_e2m3", "rne.saturate")


def small(terms: int, arithmetic: Arithmetic) -> list[Module]:
    """A sum of products: the definition, and as it is built."""
    way = Dot(pairwise(terms), (arithmetic.kind,) * 2, arithmetic.kind)
    return [room.dot(way, arithmetic) for room in (layers, linear)]


@pytest.mark.parametrize(("terms", "arithmetic"), [(2, FP4), (3, FP4), *([(2, FP6)] if NIGHTLY else [])])
def test_one_netlist_is_proved_to_compute_what_the_spec_says(terms, arithmetic):
    spec, circuit = small(terms, arithmetic)
    assert discharge(flat_theorem("flat", spec, circuit)).outcome is Outcome.PROVED


def test_one_netlist_in_another_order_is_refuted():
    spec, _ = small(3, FP4)
    other = linear.dot(Dot(reversed_sequence(3), (FP4.kind,) * 2, FP4.kind), FP4)
    assert discharge(flat_theorem("flat", spec, other)).outcome is Outcome.REFUTED


def test_one_netlist_of_another_unit_is_refuted():
    spec, circuit = small(2, FP4)
    units = {
        **units_of(circuit),
        "fp4_e2m1.add.rne.saturate": unit_named("fp4_e2m1.subtract.rne.saturate").netlist,
    }
    assert discharge(flat_theorem("flat", spec, circuit, units)).outcome is Outcome.REFUTED
