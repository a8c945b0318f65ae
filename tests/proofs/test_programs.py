"""Layers of units: names, what they say, and that no layer with a fault is proved."""

import random
from dataclasses import replace

import numpy as np
import pytest

from spikeproof.circuits.programs import linear as built
from spikeproof.proofs.programs import (
    PROMISED,
    WRONG,
    described,
    layer_named,
    of_any_order,
    wide,
    with_bias,
)
from spikeproof.prover.claims.catalogue import select, theorem
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.claims.programs import ProgramClaim, unit_named
from spikeproof.prover.encoding.smtlib import spec_sha256
from spikeproof.prover.kernel.congruence import CongruenceError
from spikeproof.prover.kernel.programs import program_certificate
from spikeproof.prover.running.accumulations import Accumulation, accumulated
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.programs import run
from spikeproof.specs.formats import FP16, FP32
from spikeproof.specs.orders import Order, order_named, pairwise, read_order, sequential, tree_word
from spikeproof.specs.products import Dot, fused_products
from spikeproof.specs.programs import Arrange, Each, Module

NAMES = [
    "program.fp32.dot.rne.3.sequential",
    "program.fp32.dot.rne.4.tree_0-3_1-2_4-5.fused",
    "program.fp32.linear_from_fp16.rne.2x5.lanes2.fused.from_zero.bias_first",
    "program.fp32.linear_from_fp8_e4m3fn_and_fp8_e5m2.rtz.2x5.blocks2.bias_last.nexus.fast",
    "program.fp4_e2m1.linear.rne.3x4.pairwise.saturate",
    "program.e5m6.dot.rne.4.reversed",
]


@pytest.mark.parametrize("name", [*NAMES, *(f"program.{each}" for each in (*PROMISED, *wide()))])
def test_names(name):
    layer = layer_named(name)
    assert layer.name == name == theorem(name).name
    assert layer.statement
    assert "\n" not in layer.statement


def test_what_goes_unsaid_may_be_said():
    assert layer_named("program.fp32.dot.rne.4.pairwise.ieee.small.threshold").name == (
        "program.fp32.dot.rne.4.pairwise"
    )
    assert described("fp32.add.rne") is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("program.fp32.dot.rne.4x4.pairwise", "the shape of dot is TERMS, not '4x4'"),
        ("program.fp32.linear.rne.4.pairwise", "the shape of linear is OUTPUTSxTERMS, not '4'"),
        ("program.fp32.linear.rne.0x4.pairwise", "the shape of linear is OUTPUTSxTERMS, not '0x4'"),
        ("program.fp32.dot.rne.65537.pairwise", "sums are of up to 65,536 products"),
        ("program.fp32.dot.rne.4.kahan", "'kahan' is no order"),
        ("program.fp32.dot.rne.4.lanes8", "lanes8 is of 8 terms or more; there are 4"),
        ("program.fp32.dot.rne.4.tree_0-1_2-3", "2 additions make no tree over 4 terms"),
        ("program.fp32.dot.rne.4.tree_0-1_0-2_3-4", "each place but the last is used once"),
        ("program.fp32.dot.rne.4.tree_0-1_5-2_3-4", "place 5 is used before it is made"),
        ("program.fp32.dot.rne.4.tree_a-b", "is no tree"),
        (
            f"program.fp32.dot.rne.64.{tree_word(pairwise(64))}",
            "such a tree is too long for a name",
        ),
        ("program.fp32.dot.rne.1.sequential.fused", "a single product is added to nothing"),
        ("program.fp32.dot.rne.4.pairwise.bias_first.bias_last", "first or last"),
        ("program.fp32.dot.rne.4.pairwise.flags", "has no units"),
        ("program.fp32.dot_from_fp33.rne.4.pairwise", "unknown format 'fp33'"),
        ("program.fp33.dot.rne.4.pairwise", "unknown format 'fp33'"),
    ],
)
def test_names_of_nothing_are_refused_in_one_line(name, message):
    with pytest.raises(ValueError, match=message) as error:
        select(name)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_any_tree_has_a_word():
    order = Order(5, ((4, 0), (1, 3), (5, 6), (7, 2)))
    assert order_named(tree_word(order), 5) == order


@pytest.mark.parametrize("order", [sequential(5), pairwise(5), order_named("lanes2", 5)])
def test_a_bias_is_added_first_or_last(order):
    def nested(each):
        return each.evaluate([*"abcde", "+"][: each.terms], lambda x, y: f"({x}{y})")

    assert nested(with_bias(order, "last")) == f"({nested(order)}+)"
    assert nested(with_bias(order, "first")) == nested(order).replace("a", "(a+)")


# --- what the spec says ---------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["sequential", "reversed", "pairwise", "lanes4", "blocks4"])
@pytest.mark.parametrize("said", ["", ".fused", ".from_zero", ".fused.from_zero", ".fused.bias_first"])
def test_the_definition_is_what_orders_of_libraries_are_tested_by(word, said):
    """By machine arithmetic, and by the sums with which ``spikeproof order`` compares libraries."""
    layer = layer_named(f"program.fp32.linear.rne.3x13.{word}{said}")
    drawn = np.random.default_rng(7)
    x, weights = drawn.normal(size=(13,)), drawn.normal(size=(3, 13))
    x, weights = (
        np.ldexp(each, drawn.integers(-9, 9, each.shape)).astype(np.float32) for each in (x, weights)
    )
    bias = drawn.normal(size=3).astype(np.float32) if layer.bias else None
    given = {"x": x, "weights": weights} | ({"bias": bias} if layer.bias else {})
    found = run(layer.spec(), {name: each.view(np.uint32) for name, each in given.items()}, by="machine")
    way = Accumulation(layer.way.order, FP32, layer.way.fused, layer.from_zero)
    factors = x[:, None], weights.T
    wanted = accumulated(way, FP32, FP32, factors, None if bias is None else bias[None])
    assert found["result"].tolist() == wanted.view(np.uint32).tolist()


def test_fused_products_of_narrower_factors_are_rounded_once():
    layer = layer_named("program.fp32.dot_from_fp16.rne.9.sequential.fused")
    x, y = np.random.default_rng(7).normal(size=(2, 9)).astype(np.float16)
    codes = {"x": x.view(np.uint16), "y": y.view(np.uint16)}
    found = run(layer.spec(), codes, by="record")["result"]
    way = Accumulation(layer.way.order, FP32, layer.way.fused)
    (wanted,) = accumulated(way, FP16, FP32, (x[:, None], y[:, None]), None)
    assert found == wanted.view(np.uint32)


# --- faults ---------------------------------------------------------------------------------------


def faulty(module: Module):
    """A module with one step changed, in every way that is tried."""
    for number, step in enumerate(module.steps):
        for other in changed(step):
            steps = (*module.steps[:number], other, *module.steps[number + 1 :])
            yield Module(module.name, module.inputs, steps, module.outputs)


def changed(step):
    if isinstance(step, Each):
        yield replace(step, operands=step.operands[::-1])
        for old, new in (("add", "multiply"), ("multiply", "add"), (".rne", ".rtz")):
            if old in step.operation:
                yield replace(step, operation=step.operation.replace(old, new))
    elif isinstance(step, Arrange) and step.how == "take":
        places = tuple(step.argument)
        for other in (places[::-1], places[:1] * len(places)):
            if other != places:
                yield replace(step, argument=other)


@pytest.mark.parametrize("words", ["", ".fused", ".bias_first", ".fused.from_zero.bias_last"])
def test_no_layer_with_a_fault_is_proved(words):
    layer = layer_named(f"program.fp8_e5m2.dot.rne.6.lanes2{words}")
    right = layer.circuit()
    assert program_certificate(ProgramClaim(layer.spec(), right))
    count = 0
    for wrong in faulty(right):
        if wrong.digest != right.digest:
            count += 1
            with pytest.raises(CongruenceError):
                program_certificate(ProgramClaim(layer.spec(), wrong))
    assert count > 10


def test_another_way_is_refuted_with_an_input():
    spec, other = (layer_named(f"program.fp8_e5m2.dot.rne.6.{o}") for o in ("lanes2", "blocks2"))
    obligation = replace(spec.obligation(), state=lambda _: ProgramClaim(spec.spec(), other.circuit()))
    record = discharge(obligation)
    assert record.outcome is Outcome.REFUTED
    assert "result, circuit" in record.message
    assert "dot_6 computes result[0] otherwise" in record.message


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_differs_in_one_thing(what):
    """Each refuted program is proved once that is put right."""
    _, spec, circuit = WRONG[what]
    with pytest.raises(CongruenceError):
        program_certificate(ProgramClaim(spec(), circuit()))
    assert program_certificate(ProgramClaim(spec(), spec()))
    assert discharge(theorem(f"program.wrong.{what}")).outcome is Outcome.REFUTED


def test_units_are_built_level_by_level():
    layer = layer_named("program.fp32.dot.rne.1024.pairwise")
    assert len(layer.circuit().steps) < 50
    assert len(layer.spec().steps) > 2000
    assert built.dot(layer.way, layer.arithmetic(layer.add)).digest == layer.circuit().digest


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("fp8_e5m2.add.rne", "fp8_e5m2.add.rne.fast", True),
        ("fp8_e5m2.add.rne", "fp8_e5m2.add.rne.nexus", True),
        ("fp8_e5m2.add.rne", "fp8_e5m2.add.rne.shallow", True),
        ("fp8_e5m2.add.rne", "fp8_e5m2.add.rtz", False),
        ("fp8_e5m2.add.rne", "fp8_e5m2.add.rne.saturate", False),
        ("fp8_e5m2.add.rne", "fp8_e5m2.subtract.rne", False),
        ("fp16.multiply_from_fp8_e5m2.rne", "fp16.multiply_from_fp8_e4m3fn.rne", False),
    ],
)
def test_units_are_the_same_operation_if_their_theorems_state_the_same(one, other, same):
    units = unit_named(one), unit_named(other)
    assert (units[0].computes == units[1].computes) is same
    claims = (unit.theorem.state(unit.netlist) for unit in units)
    assert (len(set(map(spec_sha256, claims))) == 1) is same


def test_a_layer_in_any_order():
    """Of 60 terms, added as chance will have it; the last one is a bias."""
    draw, places, pairs = random.Random(7), list(range(60)), []
    while len(places) > 1:
        draw.shuffle(places)
        pairs.append((places.pop(), places.pop()))
        places.append(59 + len(pairs))
    order = read_order({"terms": 60, "additions": pairs})
    for fused in (frozenset(), fused_products(order, 59)):
        way = Dot(order, ("fp4_e2m1", "fp4_e2m1"), "fp4_e2m1", fused, bias=True)
        add = layer_named("program.fp4_e2m1.dot.rne.2.pairwise.saturate").add
        claim = of_any_order("mine", way, 7, add).state(None)
        assert program_certificate(claim)
        other = of_any_order("mine", replace(way, fused=frozenset(), from_zero=True), 7, add).state(None)
        with pytest.raises(CongruenceError):
            program_certificate(ProgramClaim(claim.spec, other.circuit))
    with pytest.raises(ValueError, match="sums in fp32 are not added by fp4"):
        of_any_order("mine", replace(way, kind="fp32"), 7, add)
