"""Layers of language models: names, and planted faults, each refused by module and operation."""

from dataclasses import replace

import pytest

from spikeproof.circuits.programs.levels import in_levels
from spikeproof.proofs.language_models import PROMISED, TINY, WIDE, layer_named
from spikeproof.prover.claims.catalogue import CatalogueError, theorem
from spikeproof.prover.claims.obligation import Outcome, StatementError
from spikeproof.prover.claims.programs import ProgramClaim
from spikeproof.prover.kernel.congruence import CongruenceError
from spikeproof.prover.kernel.programs import program_certificate
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.programs import (
    Arithmetic,
    Call,
    Each,
    Module,
    Value,
    call,
    call_all,
    concatenate,
    module,
    stack,
)
from spikeproof.specs.transformers import attention, step

DECODER = replace(TINY, arithmetic=Arithmetic("fp8_e5m2"), weights="fp8_e5m2", fused=True)


@pytest.mark.parametrize("name", [f"program.{each}" for each in (*PROMISED, *WIDE)])
def test_names(name):
    layer = layer_named(name)
    assert layer.name == name == theorem(name).name
    assert "\n" not in layer.statement


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fp16.softmax", "behind softmax stands a rounding mode, such as rne, not nothing"),
        ("fp16.softmax.rne", "the shape of softmax is TERMS, not ''"),
        ("fp16.softmax.rne.4", "needs an order, such as pairwise"),
        ("fp16.softmax.rne.65537.pairwise", "softmax is of up to 65,536 along each axis"),
        ("fp16.block.rne.tinyx65537.pairwise", "block is of up to 65,536 along each axis"),
        ("fp16.softmax_from_fp8_e5m2.rne.4.pairwise", "softmax has no weights of linear layers"),
        ("fp16.attention.rne.4x16.lanes8", "a sum of 4 terms has no such order: lanes8 is of 8 terms"),
        ("fp16.smoothmax.rne.4.pairwise", "layers are dot, linear, softmax,"),
    ],
)
def test_names_of_nothing_are_refused_in_one_line(name, message):
    with pytest.raises((CatalogueError, StatementError), match=message) as error:
        theorem(f"program.{name}").state(None)
    assert "\n" not in str(error.value)


# --- faults ---------------------------------------------------------------------------------------


def planted(top, name, fault):
    """A program in which a module of some name is what a fault makes of it."""
    done = {}
    for each in (*top.modules, top):
        steps = tuple(
            replace(one, module=done[one.module.digest]) if isinstance(one, Call) else one
            for one in each.steps
        )
        rebuilt = Module(each.name, each.inputs, steps, each.outputs)
        done[each.digest] = fault(rebuilt) if each.name == name else rebuilt
    return done[top.digest]


def in_another_order(dot):
    """The last two products are added the other way round."""
    one, other = (
        k for k, each in enumerate(dot.steps) if isinstance(each, Each) and "fma" in each.operation
    )
    steps = list(dot.steps)
    for here, there in ((one, other), (other, one)):
        factors = dot.steps[there].operands[:2]
        steps[here] = replace(dot.steps[here], operands=(*factors, dot.steps[here].operands[2]))
    return Module(dot.name, dot.inputs, tuple(steps), dot.outputs)


def off_by_an_ulp(right):
    """The first power is the number above it."""
    f = Arithmetic(right.inputs["x"].kind)

    def definition(x: Value) -> Value:
        largest = f.exactly("maximum", f.exactly("maximum", x[0], x[1]), x[2])
        first, *others = f("exp", f.subtract(x, largest))
        powers = stack([f.exactly("next_up", first), *others])
        return f.divide(powers, replace(DECODER, arithmetic=f).total(powers))

    return module(right.name, right.inputs, definition)


def without_the_last_key(right):
    """The mask hides one key more than it should."""

    def definition(query, key, value):
        seen = attention(DECODER, 2)
        inside = Module("fewer keys", seen.inputs, seen.steps, seen.outputs)
        return call(inside, query, key[:2], value[:2])

    return module(right.name, right.inputs, definition)


def read_late(*names):
    """Caches are read as they were a step before: the first key stands twice, the latest is missing."""

    def fault(right):
        inside = Module("in time", right.inputs, right.steps, right.outputs)

        def definition(*given):
            late = [
                concatenate([each[:1], each[:-1]]) if name in names else each
                for name, each in zip(right.inputs, given, strict=True)
            ]
            return dict(zip(right.outputs, call_all(inside, *late), strict=True))

        return module(right.name, right.inputs, definition)

    return fault


FAULTS = {
    "one multiply-add in another order": ("dot_3", in_another_order, "fp8_e5m2.fma.rne"),
    "one exp off by an ULP": ("softmax_3", off_by_an_ulp, "fp8_e5m2.next_up"),
    "a mask off by one": ("attention", without_the_last_key, "fp8_e5m2.subtract.rne"),
    "keys read one step late": ("self_attention", read_late("past_key"), "attention"),
    "values read one step late": ("self_attention", read_late("past_value"), "attention"),
    "the cache read one step late": ("self_attention", read_late("past_key", "past_value"), "attention"),
}


@pytest.mark.parametrize(("name", "fault", "operation"), FAULTS.values(), ids=FAULTS)
def test_a_decoder_with_a_fault_is_refused_by_module_and_operation(name, fault, operation):
    spec = step(DECODER, 3)
    wrong = planted(in_levels(spec, lambda each: each), name, fault)
    with pytest.raises(CongruenceError) as error:
        program_certificate(ProgramClaim(spec, wrong))
    assert f"{name} computes result[0] otherwise" in str(error.value)
    assert f"no {operation} of such operands" in str(error.value)


SOFTMAX = layer_named("program.fp8_e5m2.softmax.rne.3.pairwise")


def test_an_exp_off_by_an_ulp_is_refuted_with_an_input():
    claim = ProgramClaim(SOFTMAX.spec(), off_by_an_ulp(SOFTMAX.circuit()))
    record = discharge(replace(SOFTMAX.obligation(), state=lambda _: claim))
    assert record.outcome is Outcome.REFUTED
    assert "result, circuit" in record.message
    assert "no fp8_e5m2.next_up of such operands" in record.message


def test_a_unit_off_by_an_ulp_is_refuted_and_the_layer_does_not_stand():
    """Neurons that round e^x up, in the place of those that round it to nearest."""
    claim = ProgramClaim(SOFTMAX.spec(), SOFTMAX.circuit())
    right, wrong = (theorem(f"fp8_e5m2.exp.{mode}") for mode in ("rne", "rtp"))
    units = {
        name: replace(unit, theorem=replace(right, circuit=wrong.circuit))
        if name == right.name
        else unit
        for name, unit in claim.units.items()
    }
    vars(claim)["units"] = units
    record = discharge(replace(SOFTMAX.obligation(), state=lambda _: claim))
    assert record.outcome is Outcome.UNKNOWN
    assert record.message == "softmax_3 rests on fp8_e5m2.exp.rne, which is refuted"
