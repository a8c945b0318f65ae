"""Decomposed proofs: sound lemmas compose, and each way to cheat is caught."""

from dataclasses import replace
from functools import partial

import pytest
from pysmt.shortcuts import BV, BVAdd, BVExtract, BVMul, BVType, BVZExt, Symbol

from circuits.floating_point import UNITS, build_unit
from circuits.integer import block_netlist
from circuits.libraries import LIBRARIES
from circuits.netlist import Neuron
from proofs.units import product_cut, spec, unit_obligation
from prover import telescoping
from prover.composition import CompositionError, Cut, compose
from prover.discharge import discharge
from prover.mutation import FAULTS, mutants, stuck_at_zero, with_neuron
from prover.obligation import Outcome
from prover.telescoping import Log, TelescopingError
from specs import symbolic
from specs.formats import (
    BFLOAT16,
    FORMATS,
    FP4_E2M1,
    FP8_E4M3FN,
    FP16,
    FP64,
    OverflowPolicy,
    RoundingMode,
)

RNE, IEEE, SATURATE = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE, OverflowPolicy.SATURATE


def multiplier(fmt, library="threshold", policy=IEEE):
    return build_unit(UNITS["multiply"], fmt, RNE, policy, library)


def block_of(netlist):
    return netlist.blocks[0]


# --- products by telescoping --------------------------------------------------------------------


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("width", [1, 2, 3, 8, 24, 53])
def test_products_of_any_width_telescope(library, width):
    netlist = block_netlist(library, "multiply", {"x": width, "y": width})
    telescoping.check(netlist, block_of(netlist), telescoping.derive(netlist, block_of(netlist)))


def test_products_of_unequal_widths_telescope():
    netlist = block_netlist("nexus", "multiply", {"x": 5, "y": 3})
    telescoping.check(netlist, block_of(netlist), telescoping.derive(netlist, block_of(netlist)))


@pytest.mark.parametrize("kind", FAULTS)
def test_faulty_multipliers_do_not_telescope(kind):
    netlist = block_netlist("threshold", "multiply", {"x": 6, "y": 6})
    for mutant, _ in zip(mutants(netlist, kind, seed=7), range(40), strict=False):
        if not mutant.netlist.cells:
            continue  # a wire across a cell's boundary: the cells are gone, and nothing to add up
        block = block_of(mutant.netlist)
        with pytest.raises(TelescopingError):
            telescoping.check(mutant.netlist, block, telescoping.derive(mutant.netlist, block))


def test_a_tampered_log_is_refused():
    netlist = block_netlist("ionic", "multiply", {"x": 4, "y": 4})
    block = block_of(netlist)
    log = telescoping.derive(netlist, block)
    (first, weight), *others = log.weights
    for tampered in (
        others,
        [(first, weight + 1), *others],
        [(first, weight), (first, weight), *others],
        [(first - 1, weight), *others],
    ):
        with pytest.raises(TelescopingError):
            telescoping.check(netlist, block, Log(tuple(tampered)))


def test_a_block_whose_outputs_are_crossed_is_refused():
    netlist = block_netlist("threshold", "multiply", {"x": 4, "y": 4})
    block = block_of(netlist)
    low, second, *high = block.outputs["product"]
    crossed = replace(block, outputs={"product": (second, low, *high)})
    with pytest.raises(TelescopingError):
        telescoping.check(netlist, crossed, telescoping.derive(netlist, crossed))
    square = replace(block, inputs={"x": block.inputs["x"], "y": block.inputs["x"]})
    with pytest.raises(TelescopingError):
        telescoping.check(netlist, square, telescoping.derive(netlist, square))


# --- the kernel ---------------------------------------------------------------------------------


def proved(obligation, **changes):
    return discharge(replace(obligation, engines=("cadical",), **changes))


def test_a_decomposed_proof_names_its_lemmas():
    result = proved(unit_obligation(BFLOAT16, "multiply", RNE, IEEE))
    assert result.outcome is Outcome.PROVED
    assert list(result.lemmas) == ["significand_product", "operands by cadical", "rest by cadical"]


@pytest.mark.parametrize("mode", RoundingMode)
def test_fp16_multiply_in_every_mode(mode):
    assert proved(unit_obligation(FP16, "multiply", mode, IEEE)).lemmas is not None


def refuted_by_falling_back(netlist):
    """The lemmas fail, and the whole claim is put to the engine: a genuine counterexample."""
    fmt = FP8_E4M3FN
    meaning = partial(spec, fmt, "multiply", RNE, SATURATE)
    obligation = replace(
        unit_obligation(fmt, "multiply", RNE, SATURATE),
        decompose=partial(compose, cut=product_cut(fmt, RNE, SATURATE), meaning=meaning),
    )
    assert discharge(obligation).lemmas is not None
    result = discharge(obligation, circuit=netlist)
    return result.outcome is Outcome.REFUTED and result.lemmas is None


def test_a_wrong_block_is_caught():
    netlist = multiplier(FP8_E4M3FN, policy=SATURATE)
    assert refuted_by_falling_back(stuck_at_zero(netlist, netlist.probes["product"][3]).netlist)


def test_a_wrong_rest_is_caught():
    netlist = multiplier(FP8_E4M3FN, policy=SATURATE)
    assert refuted_by_falling_back(stuck_at_zero(netlist, netlist.probes["sticky"][0]).netlist)


def test_wrong_operands_are_caught():
    netlist = multiplier(FP8_E4M3FN, policy=SATURATE)
    hidden_bit = netlist.probes["x_significand"][-1]
    always = with_neuron(netlist, hidden_bit, Neuron((), threshold=0))
    assert refuted_by_falling_back(always)


def test_a_true_theorem_whose_lemma_fails_is_proved_whole():
    """A cut whose rest is stated wrongly proves nothing, and refutes nothing."""
    fmt = FP4_E2M1
    meaning = partial(spec, fmt, "multiply", RNE, SATURATE)

    def unsuited(netlist):
        lemmas = compose(netlist, cut=product_cut(fmt, RNE, SATURATE), meaning=meaning)
        false = replace(lemmas.claims["rest"], goal=symbolic.FALSE())
        return replace(lemmas, claims={"rest": false})

    result = discharge(replace(unit_obligation(fmt, "multiply", RNE, SATURATE), decompose=unsuited))
    assert result.outcome is Outcome.PROVED
    assert result.lemmas is None


def test_a_lemma_with_an_assumption_that_nothing_proves_is_refused():
    fmt = FP4_E2M1
    meaning = partial(spec, fmt, "multiply", RNE, SATURATE)

    def with_assumption(netlist):
        lemmas = compose(netlist, cut=product_cut(fmt, RNE, SATURATE), meaning=meaning)
        assuming = replace(lemmas.claims["rest"], assumptions=(symbolic.FALSE(),))
        return replace(lemmas, claims={**lemmas.claims, "rest": assuming})

    obligation = unit_obligation(fmt, "multiply", RNE, SATURATE)
    netlist = stuck_at_zero(obligation.circuit(), obligation.circuit().outputs["result"][1]).netlist
    result = discharge(replace(obligation, decompose=with_assumption), circuit=netlist)
    assert result.outcome is Outcome.REFUTED


def cut_with(**changes):
    return replace(product_cut(FP16, RNE, IEEE), **changes)


def another_product(inputs, block):
    """A rest that is not what the spec is composed of: it drops the product's last bit."""
    product = block["product"]
    width = product.bv_width()
    halved = BVMul(BVZExt(BVExtract(product, 1, width - 1), 1), BV(2, width))
    x, y = inputs["x"], inputs["y"]
    return {"result": symbolic.multiply_given_product(FP16, RNE, IEEE, x, y, halved)}


def shifted_operands(inputs):
    """Operands that the spec does not multiply."""
    own = product_cut(FP16, RNE, IEEE).operands(inputs)
    return {name: BVAdd(bus, BV(1, bus.bv_width())) for name, bus in own.items()}


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (cut_with(block="absent"), "the netlist has 0 blocks named 'absent'"),
        (cut_with(block="normalise"), "is of kind 'normalise'; only products are cut"),
        (cut_with(rest=another_product), "the spec is not composed of a multiply as the cut says"),
        (cut_with(operands=shifted_operands), "the spec is not composed"),
        (cut_with(operands=lambda b: {"x": b["x"]}), r"has inputs \['x', 'y'\]"),
    ],
)
def test_cuts_that_do_not_make_up_the_theorem_are_refused(cut, message):
    meaning = partial(spec, FP16, "multiply", RNE, IEEE)
    with pytest.raises(CompositionError, match=message):
        compose(multiplier(FP16), cut=cut, meaning=meaning)


def test_a_block_output_that_is_constant_or_shared_is_not_cut():
    netlist = multiplier(FP16)
    block = block_of(netlist)
    first, *others = block.outputs["product"]
    for outputs in ((-2, *others), (first, first, *others[1:])):
        changed = replace(block, outputs={"product": outputs})
        with pytest.raises(CompositionError, match="constant, unused or the same"):
            compose(
                replace(netlist, blocks=(changed, *netlist.blocks[1:])),
                cut=product_cut(FP16, RNE, IEEE),
                meaning=partial(spec, FP16, "multiply", RNE, IEEE),
            )


def test_a_free_product_must_not_share_its_name_with_an_input():
    netlist = multiplier(FP16)
    renamed = replace(netlist, inputs={"significand_product.product": 22, "y": 10})
    with pytest.raises(CompositionError, match="an input has the name of an output"):
        compose(
            renamed,
            cut=Cut("significand_product", lambda b: {}, lambda b, p: {}),
            meaning=lambda b: {},
        )


def test_the_spec_given_the_true_product_is_the_spec():
    """To the letter, for every format: what the kernel's check rests on."""
    for fmt in FORMATS.values():
        if fmt is FP64:
            continue
        x, y = (Symbol(f"{n}{fmt.width}", BVType(fmt.width)) for n in ("x", "y"))
        policy = fmt.policies[0]
        size = 2 * fmt.precision
        factors = (BVZExt(symbolic.unpack(fmt, c).significand, size - fmt.precision) for c in (x, y))
        whole = symbolic.multiply(fmt, RNE, policy, x, y)
        assert whole is symbolic.multiply_given_product(fmt, RNE, policy, x, y, BVMul(*factors))


def test_wide_multipliers_with_a_fault_are_refuted():
    for fmt in (FP16, BFLOAT16):
        obligation = unit_obligation(fmt, "multiply", RNE, IEEE)
        netlist = obligation.circuit()
        for probe in ("product", "guard", "sign"):
            faulty = stuck_at_zero(netlist, netlist.probes[probe][-1]).netlist
            result = proved(replace(obligation, circuit=lambda faulty=faulty: faulty))
            assert result.outcome is Outcome.REFUTED, probe
